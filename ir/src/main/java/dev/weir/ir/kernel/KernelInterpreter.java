package dev.weir.ir.kernel;

import dev.weir.ir.kernel.Expression.BinaryOperation;
import dev.weir.ir.kernel.Expression.Load;
import dev.weir.ir.kernel.Statement.Assign;
import dev.weir.ir.kernel.Statement.Bind;
import dev.weir.ir.kernel.Statement.Declare;
import dev.weir.ir.kernel.Statement.Fault;
import dev.weir.ir.kernel.Statement.For;
import dev.weir.ir.kernel.Statement.If;
import dev.weir.ir.kernel.Statement.Prefetch;
import dev.weir.ir.kernel.Statement.Store;
import dev.weir.ir.type.Float8;
import dev.weir.ir.type.Format;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.HashMap;
import java.util.IdentityHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.function.Consumer;
import java.util.function.IntToLongFunction;

/**
 * Executes kernels one lane after the other: the meaning that the other back ends have to reproduce
 * bit for bit (any NaN counts as any other). It works on memory addresses like compiled code, and
 * checks none.
 */
public final class KernelInterpreter implements KernelCompiler {

    @SuppressWarnings("restricted")
    private static final MemorySegment MEMORY = MemorySegment.NULL.reinterpret(Long.MAX_VALUE);

    private final TargetDescription target;
    private final Consumer<Expression> watcher;

    /** @param target the machine that kernels are to be made for; it changes nothing here */
    public KernelInterpreter(TargetDescription target) {
        this(target, expression -> { });
    }

    /** @param watcher is told of each node of an expression that is evaluated, before it is */
    public KernelInterpreter(TargetDescription target, Consumer<Expression> watcher) {
        this.target = target;
        this.watcher = watcher;
    }

    public KernelInterpreter() {
        this(TargetDescription.VECTOR128);
    }

    @Override
    public TargetDescription target() {
        return target;
    }

    @Override
    public List<CompiledKernel> compile(List<Kernel> kernels) {
        return kernels.stream()
                .<CompiledKernel>map(kernel -> (begin, end, arguments, scratch) ->
                        new Activation(kernel, arguments, scratch, watcher).run(begin, end))
                .toList();
    }

    @Override
    public String listing(Kernel kernel) {
        return KernelPrinter.print(kernel);
    }

    @Override
    public void close() {}

    /** One call of a kernel. */
    private static final class Activation {

        private final Kernel kernel;
        private final Consumer<Expression> watcher;
        private final Map<Variable, long[]> variables = new HashMap<>();
        private final Map<Buffer, Long> buffers = new HashMap<>();
        private final long faultRecord;
        /** Values of nodes of the expression that is being evaluated. */
        private final Map<Expression, long[]> known = new IdentityHashMap<>();
        private int depth;

        Activation(
                Kernel kernel, long arguments, long scratch, Consumer<Expression> watcher) {
            this.kernel = kernel;
            this.watcher = watcher;
            long word = arguments;
            for (Buffer buffer : kernel.buffers()) {
                buffers.put(buffer, word(word));
                word += Long.BYTES;
            }
            for (Variable scalar : kernel.scalars()) {
                variables.put(scalar, new long[] {word(word)});
                word += Long.BYTES;
            }
            faultRecord = word(word);
            for (Kernel.Scratch s : kernel.scratch()) {
                buffers.put(s.buffer(), scratch + kernel.scratchOffset(s.buffer()));
            }
        }

        private static long word(long address) {
            return MEMORY.get(ValueLayout.JAVA_LONG_UNALIGNED, address);
        }

        void run(long begin, long end) {
            for (long tile = begin; tile < end; tile++) {
                variables.put(kernel.tile(), new long[] {tile});
                if (!run(kernel.body())) {
                    return;
                }
            }
        }

        /** Returns false if there was a fault. */
        private boolean run(List<Statement> statements) {
            for (Statement statement : statements) {
                if (!run(statement)) {
                    return false;
                }
            }
            return true;
        }

        private boolean run(Statement statement) {
            switch (statement) {
                case Declare d -> variables.put(d.variable(), evaluate(d.value()));
                case Assign a -> variables.put(a.variable(), evaluate(a.value()));
                case Store s -> store(s);
                case Prefetch p -> { }
                case Bind b -> buffers.put(b.buffer(),
                        evaluate(new Load(b.table(), b.index(), 1, Optional.empty()))[0]);
                case For f -> {
                    long to = scalar(f.to());
                    for (long i = scalar(f.from()); i < to; i += f.step()) {
                        variables.put(f.index(), new long[] {i});
                        if (!run(f.body())) {
                            return false;
                        }
                    }
                }
                case If i -> {
                    return run(scalar(i.condition()) != 0 ? i.then() : i.otherwise());
                }
                case Fault f -> {
                    fault(f);
                    return false;
                }
            }
            return true;
        }

        private void fault(Fault fault) {
            long value = scalar(fault.value());
            long limit = scalar(fault.limit());
            boolean first = ValueLayout.JAVA_LONG.varHandle()
                    .compareAndSet(MEMORY, faultRecord, 0L, 1L);
            if (first) {
                MEMORY.set(ValueLayout.JAVA_LONG, faultRecord + 8, fault.code());
                MEMORY.set(ValueLayout.JAVA_LONG, faultRecord + 16, value);
                MEMORY.set(ValueLayout.JAVA_LONG, faultRecord + 24, limit);
            }
        }

        private void store(Store s) {
            long[] value = evaluate(s.value());
            long active = s.active().isPresent() ? scalar(s.active().get()) : value.length;
            long index = scalar(s.index());
            for (int i = 0; i < Math.min(active, value.length); i++) {
                write(s.buffer(), index + i, value[i]);
            }
        }

        private long[] load(Load l) {
            long active = l.active().isPresent() ? scalar(l.active().get()) : l.lanes();
            long index = scalar(l.index());
            return lanes(l.lanes(), i -> i < active ? read(l.buffer(), index + i) : 0);
        }

        private long read(Buffer buffer, long index) {
            long address = base(buffer) + index * buffer.format().bytes();
            return switch (buffer.format()) {
                case F64, I64 -> MEMORY.get(ValueLayout.JAVA_LONG_UNALIGNED, address);
                case F32, I32 -> MEMORY.get(ValueLayout.JAVA_INT_UNALIGNED, address);
                case BF16 -> LaneArithmetic.of(Format.bf16ToFloat(
                        MEMORY.get(ValueLayout.JAVA_SHORT_UNALIGNED, address)));
                case F16 -> LaneArithmetic.of(Float.float16ToFloat(
                        MEMORY.get(ValueLayout.JAVA_SHORT_UNALIGNED, address)));
                case F8E4M3 -> LaneArithmetic.of(Float8.e4m3ToFloat(
                        MEMORY.get(ValueLayout.JAVA_BYTE, address)));
                case F8E5M2 -> LaneArithmetic.of(Float8.e5m2ToFloat(
                        MEMORY.get(ValueLayout.JAVA_BYTE, address)));
                case I8 -> MEMORY.get(ValueLayout.JAVA_BYTE, address);
                case BOOL -> MEMORY.get(ValueLayout.JAVA_BYTE, address) != 0 ? 1 : 0;
            };
        }

        private void write(Buffer buffer, long index, long lane) {
            long address = base(buffer) + index * buffer.format().bytes();
            switch (buffer.format()) {
                case F64, I64 -> MEMORY.set(ValueLayout.JAVA_LONG_UNALIGNED, address, lane);
                case F32, I32 -> MEMORY.set(ValueLayout.JAVA_INT_UNALIGNED, address, (int) lane);
                case BF16 -> MEMORY.set(ValueLayout.JAVA_SHORT_UNALIGNED, address,
                        Format.floatToBf16(LaneArithmetic.f32(lane)));
                case F16 -> MEMORY.set(ValueLayout.JAVA_SHORT_UNALIGNED, address,
                        Float.floatToFloat16(LaneArithmetic.f32(lane)));
                case F8E4M3 -> MEMORY.set(ValueLayout.JAVA_BYTE, address,
                        Float8.floatToE4m3(LaneArithmetic.f32(lane)));
                case F8E5M2 -> MEMORY.set(ValueLayout.JAVA_BYTE, address,
                        Float8.floatToE5m2(LaneArithmetic.f32(lane)));
                case I8, BOOL -> MEMORY.set(ValueLayout.JAVA_BYTE, address, (byte) lane);
            }
        }

        private long base(Buffer buffer) {
            Long base = buffers.get(buffer);
            if (base == null) {
                throw new IllegalArgumentException("unknown buffer " + buffer.name());
            }
            return base;
        }

        private long scalar(Expression expression) {
            return evaluate(expression)[0];
        }

        /** A node that an expression reaches in many ways is evaluated once. */
        private long[] evaluate(Expression expression) {
            if (expression.operands().isEmpty()) {
                return node(expression);
            }
            long[] value = known.get(expression);
            if (value == null) {
                depth++;
                value = node(expression);
                depth--;
                known.put(expression, value);
            }
            if (depth == 0) {
                known.clear();
            }
            return value;
        }

        private long[] node(Expression expression) {
            watcher.accept(expression);
            return switch (expression) {
                case Expression.Real r -> new long[] {
                    r.type().element() == Type.Element.F64
                            ? LaneArithmetic.of(r.value())
                            : LaneArithmetic.of((float) r.value())
                };
                case Expression.Whole w -> new long[] {
                    w.type().element() == Type.Element.I32 ? (int) w.value() : w.value()
                };
                case Expression.Get g -> get(g.variable());
                case Load l -> load(l);
                case Expression.Unary u -> {
                    long[] a = evaluate(u.operand());
                    yield lanes(a.length, i -> LaneArithmetic.unary(
                            u.operation(), u.type().element(), a[i]));
                }
                case Expression.Binary b -> {
                    long[] left = evaluate(b.left());
                    long[] right = evaluate(b.right());
                    yield lanes(left.length, i -> LaneArithmetic.binary(
                            b.operation(), b.type().element(), left[i], right[i]));
                }
                case Expression.Compare c -> {
                    long[] left = evaluate(c.left());
                    long[] right = evaluate(c.right());
                    yield lanes(left.length, i -> LaneArithmetic.compare(
                            c.comparison(), c.left().type().element(), left[i], right[i]));
                }
                case Expression.Select s -> {
                    long[] condition = evaluate(s.condition());
                    long[] then = evaluate(s.then());
                    long[] otherwise = evaluate(s.otherwise());
                    yield lanes(then.length, i -> condition[i] != 0 ? then[i] : otherwise[i]);
                }
                case Expression.FusedMultiplyAdd f -> {
                    long[] a = evaluate(f.a());
                    long[] b = evaluate(f.b());
                    long[] c = evaluate(f.c());
                    yield lanes(a.length, i -> LaneArithmetic.multiplyAdd(
                            f.type().element(), a[i], b[i], c[i]));
                }
                case Expression.DotBytes d -> {
                    long[] a = evaluate(d.a());
                    long[] b = evaluate(d.b());
                    long[] c = evaluate(d.c());
                    yield lanes(a.length, i -> LaneArithmetic.dotBytes(a[i], b[i], c[i]));
                }
                case Expression.Convert c -> {
                    long[] a = evaluate(c.operand());
                    yield lanes(a.length, i -> LaneArithmetic.convert(
                            c.operand().type().element(), c.element(), a[i]));
                }
                // Lanes are bits already.
                case Expression.Bitcast b -> evaluate(b.operand());
                case Expression.RoundTo r -> {
                    long[] a = evaluate(r.operand());
                    yield lanes(a.length, i -> LaneArithmetic.roundTo(r.format(), a[i]));
                }
                case Expression.Broadcast b -> {
                    long value = scalar(b.operand());
                    yield lanes(b.lanes(), i -> value);
                }
                case Expression.Fold f -> fold(f.operation(), f.type(), evaluate(f.operand()));
                case Expression.FoldEach f -> lanes(f.operands().size(), i -> fold(
                        f.operation(), f.type(), evaluate(f.operands().get(i)))[0]);
            };
        }

        private static long[] fold(BinaryOperation operation, Type type, long[] operand) {
            long[] rest = operand;
            while (rest.length > 1) {
                long[] upper = rest;
                int half = rest.length / 2;
                rest = lanes(half, i -> LaneArithmetic.binary(
                        operation, type.element(), upper[i], upper[i + half]));
            }
            return rest;
        }

        private long[] get(Variable variable) {
            long[] value = variables.get(variable);
            if (value == null) {
                throw new IllegalArgumentException("unknown variable " + variable.name());
            }
            return value;
        }

        private static long[] lanes(int count, IntToLongFunction lane) {
            long[] lanes = new long[count];
            for (int i = 0; i < count; i++) {
                lanes[i] = lane.applyAsLong(i);
            }
            return lanes;
        }
    }
}
