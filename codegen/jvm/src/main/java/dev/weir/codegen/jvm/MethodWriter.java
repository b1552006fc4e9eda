package dev.weir.codegen.jvm;

import dev.weir.ir.kernel.Buffer;
import dev.weir.ir.kernel.Expression;
import dev.weir.ir.kernel.Kernel;
import dev.weir.ir.kernel.Statement;
import dev.weir.ir.kernel.Statement.Assign;
import dev.weir.ir.kernel.Statement.Bind;
import dev.weir.ir.kernel.Statement.Declare;
import dev.weir.ir.kernel.Statement.Fault;
import dev.weir.ir.kernel.Statement.For;
import dev.weir.ir.kernel.Statement.If;
import dev.weir.ir.kernel.Statement.Prefetch;
import dev.weir.ir.kernel.Statement.Store;
import dev.weir.ir.kernel.Type;
import dev.weir.ir.kernel.Variable;
import java.util.HashMap;
import java.util.IdentityHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalLong;
import java.util.Set;
import org.objectweb.asm.Label;
import org.objectweb.asm.MethodVisitor;
import org.objectweb.asm.Opcodes;

/**
 * Writes the method of one run of statements. Its parameters are the address of the argument words,
 * that of the scratch memory, the captured variables and the addresses of captured buffers; it
 * tells whether there was a fault, if there can be one.
 */
final class MethodWriter {

    private record Extent(Label begin, Label end) {}

    /** Statements of all rounds of a loop that are written one after the other at most. */
    private static final int MOST_UNROLLED = 96;

    private final KernelClassWriter owner;
    private final Kernel kernel;
    private final Region region;
    private final Code code;
    private final ExpressionWriter expressions;
    private final Map<Variable, Integer> slots = new HashMap<>();
    private final Map<Buffer, Integer> bases = new HashMap<>();
    private final Map<Statement, Extent> extents = new IdentityHashMap<>();
    private final Label end = new Label();
    private final boolean faults;
    private int arguments;
    private int scratch;
    private int temporaries;

    MethodWriter(KernelClassWriter owner, Region region, MethodVisitor visitor) {
        this.owner = owner;
        this.kernel = owner.kernel();
        this.region = region;
        this.code = new Code(visitor, owner.constants());
        this.expressions = new ExpressionWriter(
                code, this, owner.maskedNarrow(), owner.maskedWide());
        this.faults = Usage.of(region.statements()).faults;
    }

    Region region() {
        return region;
    }

    void write() {
        code.visitor.visitCode();
        Usage usage = Usage.of(region.statements());
        arguments = code.allocate(Type.I64);
        scratch = code.allocate(Type.I64);
        for (Variable variable : owner.plan().captured(usage)) {
            slots.put(variable, code.allocate(variable.type()));
        }
        for (Buffer buffer : owner.outerBuffers(usage)) {
            bases.put(buffer, code.allocate(Type.I64));
        }
        words(usage);
        run(region);
        leave(false);
        code.place(end);
        code.visitor.visitMaxs(0, 0);
        code.visitor.visitEnd();
    }

    /** Reads what is needed of the argument words. */
    private void words(Usage usage) {
        Set<Buffer> free = usage.freeBuffers();
        Set<Variable> variables = usage.freeVariables();
        long word = 0;
        for (Buffer buffer : kernel.buffers()) {
            if (free.contains(buffer)) {
                expressions.memory().word(arguments, 8 * word);
                bases.put(buffer, keep());
            }
            word++;
        }
        for (Variable scalar : kernel.scalars()) {
            if (variables.contains(scalar)) {
                expressions.memory().word(arguments, 8 * word);
                slots.put(scalar, keep());
            }
            word++;
        }
        for (Kernel.Scratch s : kernel.scratch()) {
            if (free.contains(s.buffer())) {
                code.load(Type.I64, scratch);
                code.wide(kernel.scratchOffset(s.buffer()));
                code.op(Opcodes.LADD);
                bases.put(s.buffer(), keep());
            }
        }
    }

    private int keep() {
        int slot = code.allocate(Type.I64);
        code.store(Type.I64, slot);
        return slot;
    }

    /** Size of the code in bytes; known when the class is finished. */
    int size() {
        return end.getOffset();
    }

    /** Bytes of code of each statement; known when the class is finished. */
    Map<Statement, Integer> sizes() {
        Map<Statement, Integer> sizes = new IdentityHashMap<>();
        extents.forEach((statement, extent) ->
                sizes.put(statement, extent.end.getOffset() - extent.begin.getOffset()));
        return sizes;
    }

    private void run(Region run) {
        int mark = code.mark();
        for (int i = run.from(); i < run.to(); i++) {
            Optional<Region> planned = owner.plan().startingAt(run, i);
            if (planned.isPresent()) {
                call(planned.get());
                i = planned.get().to() - 1;
                continue;
            }
            Statement statement = run.list().get(i);
            Extent extent = new Extent(new Label(), new Label());
            code.place(extent.begin);
            statement(statement);
            code.place(extent.end);
            extents.put(statement, extent);
        }
        code.release(mark);
    }

    private void block(List<Statement> statements) {
        // A whole list may be planned as a method.
        Region whole = Region.whole(statements);
        if (owner.plan().isPlanned(whole)) {
            call(whole);
        } else {
            run(whole);
        }
    }

    private void call(Region planned) {
        Usage usage = Usage.of(planned.statements());
        code.load(Type.I64, arguments);
        code.load(Type.I64, scratch);
        for (Variable variable : owner.plan().captured(usage)) {
            code.load(variable.type(), slot(variable));
        }
        for (Buffer buffer : owner.outerBuffers(usage)) {
            code.load(Type.I64, base(buffer));
        }
        code.invokeStatic(owner.name(), owner.method(planned), owner.descriptor(usage));
        if (usage.faults) {
            Label fine = new Label();
            code.jump(Opcodes.IFEQ, fine);
            leave(true);
            code.place(fine);
        }
    }

    private void leave(boolean faulted) {
        if (faults) {
            code.integer(faulted ? 1 : 0);
            code.op(Opcodes.IRETURN);
        } else {
            code.op(Opcodes.RETURN);
        }
    }

    private void statement(Statement statement) {
        int mark = code.mark();
        switch (statement) {
            case Declare d -> {
                expressions.write(d.value());
                code.release(mark);
                declare(d.variable());
                return;
            }
            case Assign a -> {
                expressions.write(a.value());
                code.store(a.variable().type(), slot(a.variable()));
            }
            case Store s -> expressions.memory().store(s);
            case Prefetch p -> { }
            case Bind b -> {
                expressions.write(
                        new Expression.Load(b.table(), b.index(), 1, Optional.empty()));
                code.release(mark);
                bases.put(b.buffer(), keep());
                return;
            }
            case For f -> loop(f);
            case If i -> branch(i);
            case Fault f -> {
                expressions.memory().word(
                        arguments, 8L * (kernel.buffers().size() + kernel.scalars().size()));
                code.integer(f.code());
                expressions.write(f.value());
                expressions.write(f.limit());
                code.support("fault", "(JIJJ)V");
                leave(true);
            }
        }
        code.release(mark);
    }

    private void declare(Variable variable) {
        int slot = code.allocate(variable.type());
        code.store(variable.type(), slot);
        slots.put(variable, slot);
    }

    private void loop(For f) {
        OptionalLong rounds = rounds(f);
        if (rounds.isPresent()) {
            unrolled(f, rounds.getAsLong());
            return;
        }
        int to = limit(f.to());
        int mark = code.mark();
        expressions.write(f.from());
        code.release(mark);
        declare(f.index());
        int index = slot(f.index());
        Label head = new Label();
        Label done = new Label();
        code.place(head);
        code.load(Type.I64, index);
        if (to < 0) {
            code.wide(((Expression.Whole) f.to()).value());
        } else {
            code.load(Type.I64, to);
        }
        code.op(Opcodes.LCMP);
        code.jump(Opcodes.IFGE, done);
        block(f.body());
        Usage round = Usage.of(f.body());
        if (round.loadsVectors && !round.loops) {
            code.loadsStayInOrder();
        }
        code.load(Type.I64, index);
        step(f.step(), round);
        code.op(Opcodes.LADD);
        code.store(Type.I64, index);
        code.jump(Opcodes.GOTO, head);
        code.place(done);
    }

    /**
     * Pushes a loop's step, which HotSpot is to know of loops over vectors alone. Of any loop that
     * counts by a constant it makes two, and takes checks of addresses out of them, also of loads
     * behind a condition, which a profile says are made. Where that fails it compiles the method
     * anew, a hundred times before it gives up.
     */
    private void step(long step, Usage round) {
        code.wide(step);
        if (!round.loadsVectors) {
            code.unknownOne();
            code.op(Opcodes.LMUL);
        }
    }

    /**
     * Rounds of a short loop of which each is to be written by itself. HotSpot takes what it checks
     * of addresses out of a loop, which is ten times the work of four rounds; straight code has a
     * comparison for each.
     */
    private OptionalLong rounds(For f) {
        if (!(f.from() instanceof Expression.Whole from && f.to() instanceof Expression.Whole to)
                || Usage.of(f.body()).loops) {
            return OptionalLong.empty();
        }
        long rounds = Math.ceilDiv(to.value() - from.value(), f.step());
        return rounds >= 0 && rounds * f.body().size() <= MOST_UNROLLED
                ? OptionalLong.of(rounds) : OptionalLong.empty();
    }

    private void unrolled(For f, long rounds) {
        for (long round = 0; round < rounds; round++) {
            code.wide(((Expression.Whole) f.from()).value() + round * f.step());
            declare(f.index());
            block(f.body());
        }
    }

    /** The local that holds a loop's limit, or -1 for a constant. */
    private int limit(Expression to) {
        if (to instanceof Expression.Whole) {
            return -1;
        }
        int mark = code.mark();
        expressions.write(to);
        code.release(mark);
        return keep();
    }

    private void branch(If i) {
        Label otherwise = new Label();
        Label join = new Label();
        expressions.unless(i.condition(), otherwise);
        block(i.then());
        if (i.otherwise().isEmpty()) {
            code.place(otherwise);
            return;
        }
        code.jump(Opcodes.GOTO, join);
        code.place(otherwise);
        block(i.otherwise());
        code.place(join);
    }

    /** A variable for a value on its way through an expression. */
    Variable temporary(Type type) {
        Variable variable = new Variable("(temporary " + temporaries++ + ")", type);
        slots.put(variable, code.allocate(type));
        return variable;
    }

    int slot(Variable variable) {
        Integer slot = slots.get(variable);
        if (slot == null) {
            throw new IllegalArgumentException(
                    kernel.name() + ": unknown variable " + variable.name());
        }
        return slot;
    }

    /** The local that holds a buffer's address. */
    int base(Buffer buffer) {
        Integer base = bases.get(buffer);
        if (base == null) {
            throw new IllegalArgumentException(
                    kernel.name() + ": unknown buffer " + buffer.name());
        }
        return base;
    }
}
