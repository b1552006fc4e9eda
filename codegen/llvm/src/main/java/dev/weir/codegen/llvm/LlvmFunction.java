package dev.weir.codegen.llvm;

import dev.weir.ir.kernel.Buffer;
import dev.weir.ir.kernel.Expression;
import dev.weir.ir.kernel.Kernel;
import dev.weir.ir.kernel.Statement;
import dev.weir.ir.kernel.TargetDescription;
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
import dev.weir.ir.type.Format;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/**
 * Writes the function of one kernel: the loop over its tiles and the statements. Mutable variables
 * live in slots allocated in the entry block, which LLVM promotes to registers.
 */
final class LlvmFunction {

    /**
     * Where a buffer lies.
     *
     * @param pointer the value that holds its address
     * @param metadata appended to each access: what it is known not to overlap with
     */
    record Place(String pointer, String metadata) {}

    private final Kernel kernel;
    private final LlvmText module;
    private final StringBuilder entry = new StringBuilder();
    private final StringBuilder body = new StringBuilder();
    private final Map<Variable, String> values = new HashMap<>();
    private final Map<Variable, String> slots = new HashMap<>();
    private final Map<Buffer, Place> buffers = new HashMap<>();
    private final LlvmMemory memory = new LlvmMemory(this);
    /** What an access to memory that is not scratch carries. */
    private String outside = "";
    private String faultRecord = "";
    private int next;

    LlvmFunction(Kernel kernel, LlvmText module) {
        this.kernel = kernel;
        this.module = module;
    }

    TargetDescription target() {
        return module.target();
    }

    String write() {
        scratch();
        arguments();
        loop(kernel.tile(), "%begin", "%end", 1, kernel.body());
        body.append("  br label %exit\n");
        return "define void @" + kernel.name()
                + "(i64 %begin, i64 %end, i64 %arguments, i64 %scratch) #0 {\nentry:\n"
                + entry
                + "  br label %start\nstart:\n"
                + body
                + "exit:\n  ret void\n}\n";
    }

    /**
     * Scratch belongs to this call alone, so it overlaps with no other buffer; buffers that the
     * caller hands over may overlap with each other.
     */
    private void scratch() {
        if (kernel.scratch().isEmpty()) {
            return;
        }
        String domain = module.node("distinct !{SELF}");
        List<String> scopes = new ArrayList<>();
        for (int i = 0; i < kernel.scratch().size(); i++) {
            scopes.add(module.node("distinct !{SELF, " + domain + "}"));
        }
        outside = ", !noalias " + module.node("!{" + String.join(", ", scopes) + "}");
        for (int i = 0; i < scopes.size(); i++) {
            List<String> others = new ArrayList<>(scopes);
            String own = others.remove(i);
            String metadata = ", !alias.scope " + module.node("!{" + own + "}");
            if (!others.isEmpty()) {
                metadata += ", !noalias " + module.node("!{" + String.join(", ", others) + "}");
            }
            Buffer buffer = kernel.scratch().get(i).buffer();
            String address = entry("add i64 %scratch, " + kernel.scratchOffset(buffer));
            String pointer = entry("inttoptr i64 " + address + " to ptr");
            buffers.put(buffer, new Place(pointer, metadata));
        }
    }

    /** The argument words never change, so they are read once. */
    private void arguments() {
        String base = entry("inttoptr i64 %arguments to ptr");
        int word = 0;
        for (Buffer buffer : kernel.buffers()) {
            buffers.put(buffer, new Place(argument(base, word++, "ptr"), outside));
        }
        for (Variable scalar : kernel.scalars()) {
            values.put(scalar, argument(base, word++, "i64"));
        }
        faultRecord = argument(base, word, "ptr");
    }

    private String argument(String base, int word, String type) {
        String address = entry("getelementptr i64, ptr " + base + ", i64 " + word);
        return entry("load " + type + ", ptr " + address + ", align 8, !invariant.load "
                + LlvmText.EMPTY_NODE);
    }

    private void block(List<Statement> statements) {
        statements.forEach(this::statement);
    }

    private void statement(Statement statement) {
        switch (statement) {
            case Declare d -> declare(d);
            case Assign a -> {
                String value = expression(a.value());
                put(value, a.value().type(), slots.get(a.variable()));
            }
            case Store s -> memory.store(s);
            case Prefetch p -> memory.prefetch(p);
            case Bind b -> {
                String address = expression(
                        new Expression.Load(b.table(), b.index(), 1, Optional.empty()));
                String pointer = emit("inttoptr i64 " + address + " to ptr");
                buffers.put(b.buffer(), new Place(pointer, outside));
            }
            case For f -> loop(
                    f.index(), expression(f.from()), expression(f.to()), f.step(), f.body());
            case If i -> branch(i);
            case Fault f -> fault(f);
        }
    }

    private void declare(Declare d) {
        String value = expression(d.value());
        if (d.mutable()) {
            String slot = slot(d.variable().type());
            slots.put(d.variable(), slot);
            put(value, d.variable().type(), slot);
        } else {
            values.put(d.variable(), value);
        }
    }

    private void loop(
            Variable index, String from, String to, long step, List<Statement> statements) {
        String slot = slot(Type.I64);
        put(from, Type.I64, slot);
        String head = label("head");
        String inside = label("body");
        String done = label("done");
        jump(head);
        begin(head);
        String value = emit("load i64, ptr " + slot + ", align 8");
        String more = emit("icmp slt i64 " + value + ", " + to);
        choose(more, inside, done);
        begin(inside);
        values.put(index, value);
        block(statements);
        put(emit("add nsw i64 " + value + ", " + step), Type.I64, slot);
        jump(head);
        begin(done);
    }

    private void branch(If statement) {
        String condition = expression(statement.condition());
        String then = label("then");
        String otherwise = label("else");
        String join = label("join");
        choose(condition, then, statement.otherwise().isEmpty() ? join : otherwise);
        begin(then);
        block(statement.then());
        jump(join);
        if (!statement.otherwise().isEmpty()) {
            begin(otherwise);
            block(statement.otherwise());
            jump(join);
        }
        begin(join);
    }

    /** Only the thread that changes the first word from 0 to 1 writes the others. */
    private void fault(Fault fault) {
        String value = expression(fault.value());
        String limit = expression(fault.limit());
        String swapped = emit("cmpxchg ptr " + faultRecord + ", i64 0, i64 1 acq_rel monotonic");
        String first = emit("extractvalue { i64, i1 } " + swapped + ", 1");
        String write = label("fault");
        choose(first, write, "exit");
        begin(write);
        List<String> words = List.of(Integer.toString(fault.code()), value, limit);
        for (int i = 0; i < words.size(); i++) {
            String word = emit("getelementptr i64, ptr " + faultRecord + ", i64 " + (i + 1));
            line("store i64 " + words.get(i) + ", ptr " + word + ", align 8");
        }
        jump("exit");
        // What follows in the same block is unreachable, but it needs a block to stand in.
        begin(label("after"));
    }

    String expression(Expression expression) {
        return new LlvmExpression(this, memory).write(expression);
    }

    String get(Variable variable) {
        String slot = slots.get(variable);
        if (slot != null) {
            return emit("load " + LlvmTypes.of(variable.type()) + ", ptr " + slot);
        }
        String value = values.get(variable);
        if (value == null) {
            throw new IllegalArgumentException(
                    kernel.name() + ": unknown variable " + variable.name());
        }
        return value;
    }

    Place place(Buffer buffer) {
        Place place = buffers.get(buffer);
        if (place == null) {
            throw new IllegalArgumentException(
                    kernel.name() + ": unknown buffer " + buffer.name());
        }
        return place;
    }

    /**
     * Where an element lies. What is added up to an index is added to the address one by one: from
     * one sum LLVM makes vectors of the sums of several rows, in loops in which their first terms
     * do not change.
     */
    String address(Buffer buffer, Expression index) {
        return address(buffer.format(), place(buffer).pointer(), index);
    }

    private String address(Format format, String from, Expression index) {
        if (index instanceof Expression.Binary sum
                && sum.operation() == Expression.BinaryOperation.ADD) {
            return address(format, address(format, from, sum.left()), sum.right());
        }
        return emit("getelementptr " + LlvmTypes.memory(format) + ", ptr " + from + ", i64 "
                + expression(index));
    }

    /** Appends an instruction and names its result. */
    String emit(String instruction) {
        String name = "%t" + next++;
        line(name + " = " + instruction);
        return name;
    }

    void line(String text) {
        body.append("  ").append(text).append('\n');
    }

    private String entry(String instruction) {
        String name = "%e" + next++;
        entry.append("  ").append(name).append(" = ").append(instruction).append('\n');
        return name;
    }

    private String slot(Type type) {
        return entry("alloca " + LlvmTypes.of(type));
    }

    private void put(String value, Type type, String slot) {
        line("store " + LlvmTypes.of(type) + " " + value + ", ptr " + slot);
    }

    private String label(String word) {
        return word + next++;
    }

    private void begin(String label) {
        body.append(label).append(":\n");
    }

    private void jump(String label) {
        line("br label %" + label);
    }

    private void choose(String condition, String then, String otherwise) {
        line("br i1 " + condition + ", label %" + then + ", label %" + otherwise);
    }
}
