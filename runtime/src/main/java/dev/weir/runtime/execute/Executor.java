package dev.weir.runtime.execute;

import dev.weir.ir.kernel.CompiledKernel;
import dev.weir.ir.kernel.HostStatement;
import dev.weir.ir.kernel.HostStatement.Operand;
import dev.weir.ir.kernel.Kernel;
import dev.weir.ir.kernel.KernelProgram;
import dev.weir.ir.kernel.ParameterReads;
import dev.weir.ir.tensor.Fault;
import dev.weir.ir.tensor.Parameter;
import dev.weir.ir.tensor.HostScalars;
import dev.weir.ir.tensor.Scalar;
import dev.weir.ir.tensor.State;
import dev.weir.ir.tensor.TensorData;
import dev.weir.ir.tensor.Value;
import dev.weir.ir.type.Size;
import dev.weir.runtime.ledger.Ledger;
import dev.weir.runtime.memory.Pool;
import dev.weir.runtime.memory.Tensor;
import dev.weir.runtime.model.BatchState;
import dev.weir.runtime.model.Engine;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.lang.ref.Reference;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.function.Function;

/**
 * Runs host programs: allocates, launches kernels, branches and loops. One executor serves one run
 * at a time.
 */
public final class Executor {
    private static final ValueLayout.OfLong WORD = ValueLayout.JAVA_LONG;
    /** Kernels that take less than this are not worth sharing with another thread. */
    private static final long WORTH_SHARING_NANOS = 10_000;
    /** Other numbers of rows are not quite in proportion: each tensor has some bytes behind it. */
    private static final double MARGIN = 1 + 1.0 / 64;

    private final KernelProgram program;
    private final Map<String, Kernel> kernels = new HashMap<>();
    private final Map<String, CompiledKernel> compiled;
    private final WorkerPool workers;
    private final Pool pool;
    private final Map<Value, State> states = new HashMap<>();
    private final Map<Value, State> lengths = new HashMap<>();
    private final Map<Value, Long> parameterTables = new HashMap<>();
    /** Kernels know instances by address only: this is what keeps their memory reachable. */
    private final Map<Value, List<MemorySegment>> instances = new HashMap<>();
    private final Map<Value, Memory> lasting = new HashMap<>();
    private final Map<String, Double> tileNanos = new HashMap<>();
    private final MemorySegment[] scratch;
    private final MemorySegment fault;
    private long mostTensorBytes;
    /** What the large tensors of the last step took together, for each row of the stream. */
    private double bytesOfRow;

    /** Memory with a count of the names that it has. */
    private static final class Memory {
        final MemorySegment segment;
        final boolean pooled;
        /** Of the tensor for which it was taken; 0 if it is not the step's. */
        final long bytes;
        int names = 1;

        Memory(MemorySegment segment, boolean pooled, long bytes) {
            this.segment = segment;
            this.pooled = pooled;
            this.bytes = bytes;
        }

        /** That of somebody else. */
        static Memory given(MemorySegment segment) {
            return new Memory(segment, false, 0);
        }
    }

    /**
     * @param pool gives it all its memory, what lasts too; whoever made the pool closes it
     */
    public Executor(
            KernelProgram program,
            Map<String, CompiledKernel> compiled,
            WorkerPool workers,
            Pool pool) {
        this.program = program;
        this.pool = pool;
        this.compiled = compiled;
        this.workers = workers;
        program.kernels().forEach(k -> kernels.put(k.name(), k));
        program.states().forEach(s -> {
            states.put(s.value(), s);
            s.lengths().ifPresent(l -> lengths.put(l, s));
        });
        long largest = program.kernels().stream().mapToLong(Kernel::scratchBytes).max().orElse(0);
        scratch = new MemorySegment[workers.size()];
        for (int i = 0; i < scratch.length; i++) {
            scratch[i] = pool.take(largest);
        }
        fault = pool.take(32);
    }

    /** Makes a parameter's instances known, in order; they stay where they are. */
    public void bind(Parameter parameter, List<MemorySegment> segments) {
        instances.put(parameter.value(), List.copyOf(segments));
        if (parameter.instanceAxes() == 0) {
            lasting.put(parameter.value(), Memory.given(segments.getFirst()));
            return;
        }
        MemorySegment table = pool.take(8L * segments.size());
        for (int i = 0; i < segments.size(); i++) {
            table.setAtIndex(WORD, i, segments.get(i).address());
        }
        parameterTables.put(parameter.value(), table.address());
    }

    /** Runs what is computed once from the parameters; its tensors stay. */
    public void initialise(Ledger ledger) {
        Run run = new Run(BatchState.empty(), ledger, Engine.Tracer.NONE);
        run.lasting = kept(program.initialise());
        Map<Value, Integer> lastRead = new HashMap<>();
        for (int i = 0; i < program.initialise().size(); i++) {
            for (Value read : ParameterReads.of(List.of(program.initialise().get(i)))) {
                lastRead.put(read, i);
            }
        }
        Set<Value> stepReads = ParameterReads.of(program.step());
        pool.beginStep(0);
        for (int i = 0; i < program.initialise().size(); i++) {
            run.statement(program.initialise().get(i));
            for (Parameter parameter : program.parameters()) {
                if (lastRead.getOrDefault(parameter.value(), -1) == i
                        && !stepReads.contains(parameter.value())) {
                    unload(parameter);
                }
            }
        }
        pool.endStep();
        // Steps may give it other names, and must never give it back.
        run.memory.forEach((value, memory) -> lasting.put(value, Memory.given(memory.segment)));
    }

    /** What the statements allocate and do not release. */
    private static Set<Value> kept(List<HostStatement> statements) {
        Set<Value> kept = new HashSet<>();
        for (HostStatement statement : statements) {
            switch (statement) {
                case HostStatement.Allocate s -> kept.add(s.value());
                case HostStatement.Own s -> kept.add(s.target());
                case HostStatement.Release s -> kept.remove(s.value());
                default -> { }
            }
        }
        return kept;
    }

    /**
     * Nobody here reads it again. Pages of a file leave this process's memory; who reads them all
     * the same, another model say, gets them back.
     */
    private void unload(Parameter parameter) {
        for (MemorySegment instance : instances.remove(parameter.value())) {
            if (instance.isMapped() && instance.isReadOnly()) {
                instance.unload();
            }
        }
        lasting.remove(parameter.value());
    }

    /**
     * The most bytes of tensors that a step had at once so far, as their shapes say: what a pool
     * takes for them is more.
     */
    public long mostTensorBytes() {
        return mostTensorBytes;
    }

    /**
     * Runs one step.
     *
     * @param arguments in the program's order, rows of all sequences one behind the other
     * @param rows how many rows of the stream each sequence has
     * @param read gets the results, whose memory others use as soon as it returns
     */
    public <R> R step(
            List<Tensor> arguments,
            long[] rows,
            BatchState states,
            Ledger ledger,
            Engine.Tracer tracer,
            Function<List<Tensor>, R> read) {
        Run run = new Run(states, ledger, tracer);
        long total = Arrays.stream(rows).sum();
        pool.beginStep(Math.round(bytesOfRow * total));
        try (Arena reading = Arena.ofConfined()) {
            program.states().forEach(run::tables);
            run.frames(rows);
            for (int i = 0; i < arguments.size(); i++) {
                run.memory.put(program.arguments().get(i),
                        Memory.given(arguments.get(i).memory()));
            }
            run.statements(program.step());
            mostTensorBytes = Math.max(mostTensorBytes, run.most);
            return read.apply(program.results().stream()
                    .map(value -> run.tensor(value).during(reading)).toList());
        } finally {
            run.giveBack();
            bytesOfRow = pool.endStep() * MARGIN / Math.max(1, total);
            Reference.reachabilityFence(this);
        }
    }

    /** The names, sizes and tables of one run. */
    private final class Run {
        private final BatchState batch;
        private final Ledger ledger;
        private final Engine.Tracer tracer;
        private final Map<Value, Memory> memory = new HashMap<>();
        /** What stays behind the run. */
        private Set<Value> lasting = Set.of();
        private final Map<Value, Long> variables = new HashMap<>();
        private final Map<String, Long> sizes = new HashMap<>();
        private final Map<Value, MemorySegment> stateTables = new HashMap<>();
        private final Map<Value, MemorySegment> lengthTables = new HashMap<>();
        /** Bytes of tensors now, and the most of them at once. */
        private long live;
        private long most;
        private final HostScalars scalars = new HostScalars(this::load, this::size);

        Run(BatchState batch, Ledger ledger, Engine.Tracer tracer) {
            this.batch = batch;
            this.ledger = ledger;
            this.tracer = tracer;
        }

        private int sequences() {
            return batch.sequences();
        }

        private static int instances(State state) {
            return Math.toIntExact(
                    state.instances().stream().reduce(1L, Math::multiplyExact));
        }

        void tables(State state) {
            int n = instances(state) * sequences();
            stateTables.put(state.value(), pool.take(8L * n));
            state.lengths().ifPresent(l -> lengthTables.put(l, pool.take(8L * n)));
            for (int i = 0; i < instances(state); i++) {
                for (int b = 0; b < sequences(); b++) {
                    refresh(state, i, b);
                }
            }
        }

        private void refresh(State state, int instance, int sequence) {
            long place = (long) instance * sequences() + sequence;
            stateTables.get(state.value()).setAtIndex(
                    WORD, place, batch.address(state, instance, sequence));
            state.lengths().ifPresent(l -> lengthTables.get(l).setAtIndex(
                    WORD, place, batch.length(state, instance, sequence)));
        }

        void frames(long[] rows) {
            long total = Arrays.stream(rows).sum();
            sizes.put(program.frames().sequences().name(), (long) rows.length);
            sizes.put(program.frames().rows().name(), total);
            MemorySegment offsets = table(program.frames().offsets(), rows.length + 1);
            MemorySegment segment = table(program.frames().segment(), total);
            long at = 0;
            for (int b = 0; b < rows.length; b++) {
                offsets.setAtIndex(WORD, b, at);
                for (long t = 0; t < rows[b]; t++) {
                    segment.setAtIndex(WORD, at++, b);
                }
            }
            offsets.setAtIndex(WORD, rows.length, total);
        }

        private MemorySegment table(Value value, long words) {
            return take(value, 8L * words);
        }

        private MemorySegment take(Value value, long bytes) {
            MemorySegment segment = lasting.contains(value)
                    ? pool.take(bytes) : pool.takeForStep(bytes);
            memory.put(value, new Memory(segment, true, bytes));
            live += bytes;
            most = Math.max(most, live);
            return segment;
        }

        void giveBack() {
            memory.values().stream().distinct().filter(m -> m.pooled).forEach(
                    m -> pool.give(m.segment));
            stateTables.values().forEach(pool::give);
            lengthTables.values().forEach(pool::give);
        }

        // -------------------------------------------------------------- memory

        private Memory find(Value value) {
            Memory found = memory.get(value);
            if (found == null) {
                found = Executor.this.lasting.get(value);
            }
            if (found == null) {
                throw new IllegalStateException("no memory for " + value.name() + " " + value);
            }
            return found;
        }

        private long address(Value value) {
            MemorySegment table = lengthTables.get(value);
            return table != null ? table.address() : find(value).segment.address();
        }

        Tensor tensor(Value value) {
            long[] shape = value.type().shape().stream().mapToLong(this::size).toArray();
            return new Tensor(value.type().format(), shape, find(value).segment);
        }

        private long bytes(Value value) {
            long[] shape = value.type().shape().stream().mapToLong(this::size).toArray();
            return TensorData.count(value.name(), shape, value.type().format().bytes());
        }

        private long size(Size size) {
            return size.evaluate(sizes);
        }

        private void allocate(Value value) {
            take(value, bytes(value));
        }

        private void release(Value value) {
            Memory gone = memory.remove(value);
            if (gone != null && --gone.names == 0 && gone.pooled) {
                live -= gone.bytes;
                pool.give(gone.segment);
            }
        }

        private void alias(Value target, Value source) {
            Memory found = find(source);
            found.names++;
            memory.put(target, found);
        }

        private void own(HostStatement.Own own) {
            Memory source = find(own.source());
            if (own.last() && source.names == 1 && source.pooled
                    && memory.get(own.source()) == source) {
                memory.remove(own.source());
                memory.put(own.target(), source);
                return;
            }
            allocate(own.target());
            MemorySegment.copy(
                    source.segment, 0, find(own.target()).segment, 0, bytes(own.target()));
            if (own.last()) {
                release(own.source());
            }
        }

        private long load(Scalar.Load load) {
            Long variable = variables.get(load.source());
            if (variable != null) {
                return variable;
            }
            long index = 0;
            for (int axis = 0; axis < load.coordinates().size(); axis++) {
                long extent = size(load.source().type().shape().get(axis));
                index = index * extent + scalars.evaluate(load.coordinates().get(axis));
            }
            MemorySegment table = lengthTables.get(load.source());
            return new Tensor(
                    load.source().type().format(),
                    new long[] {index + 1},
                    table != null ? table : find(load.source()).segment).whole(index);
        }

        // -------------------------------------------------------------- statements

        void statements(List<HostStatement> statements) {
            statements.forEach(this::statement);
        }

        private void statement(HostStatement statement) {
            switch (statement) {
                case HostStatement.Allocate s -> allocate(s.value());
                case HostStatement.Release s -> release(s.value());
                case HostStatement.Alias s -> alias(s.target(), s.source());
                case HostStatement.Own s -> own(s);
                case HostStatement.Launch s -> launch(s);
                case HostStatement.SetSize s ->
                        sizes.put(s.size().name(), scalars.evaluate(s.value()));
                case HostStatement.SetSizeToLargest s -> largest(s);
                case HostStatement.SetScalar s ->
                        variables.put(s.variable(), scalars.evaluate(s.value()));
                case HostStatement.If s -> statements(
                        scalars.evaluate(s.condition()) != 0 ? s.then() : s.otherwise());
                case HostStatement.Loop s -> loop(s);
                case HostStatement.Reserve s ->
                        grow(s.state(), s.instances(), s.offsets(), BatchState::reserve);
                case HostStatement.Extend s ->
                        grow(s.state(), s.instances(), s.offsets(), BatchState::extend);
                case HostStatement.Advance s ->
                        grow(s.state(), s.instances(), s.offsets(), BatchState::advance);
                case HostStatement.Trace s ->
                        tracer.traced(path(s.path(), s.instances()), tensor(s.value()));
                case HostStatement.Tally s -> tally(s);
            }
        }

        private void largest(HostStatement.SetSizeToLargest s) {
            long largest = 0;
            if (variables.containsKey(s.table())) {
                largest = variables.get(s.table());
            } else {
                Tensor table = tensor(s.table());
                for (long i = 0; i < table.elements(); i++) {
                    largest = Math.max(largest, table.whole(i));
                }
            }
            sizes.put(s.size().name(), largest);
        }

        private void loop(HostStatement.Loop loop) {
            long to = scalars.evaluate(loop.to());
            for (long i = scalars.evaluate(loop.from()); i < to; i++) {
                if (loop.active().isPresent() && !any(loop.active().get())) {
                    return;
                }
                variables.put(loop.index(), i);
                statements(loop.body());
            }
        }

        private boolean any(Value value) {
            if (variables.containsKey(value)) {
                return variables.get(value) != 0;
            }
            Tensor active = tensor(value);
            for (long i = 0; i < active.elements(); i++) {
                if (active.whole(i) != 0) {
                    return true;
                }
            }
            return false;
        }

        /** Changes how many slots of an instance a sequence has. */
        private interface Growth {
            void by(BatchState batch, State state, int instance, int sequence, long rows);
        }

        private void grow(Value value, List<Scalar> at, Value offsetsValue, Growth growth) {
            State state = states.get(value);
            long flat = 0;
            for (int i = 0; i < at.size(); i++) {
                flat = flat * state.instances().get(i) + scalars.evaluate(at.get(i));
            }
            int instance = Math.toIntExact(flat);
            MemorySegment offsets = find(offsetsValue).segment;
            for (int b = 0; b < sequences(); b++) {
                long rows = offsets.getAtIndex(WORD, b + 1) - offsets.getAtIndex(WORD, b);
                growth.by(batch, state, instance, b, rows);
                refresh(state, instance, b);
            }
        }

        private String path(String pattern, List<Scalar> instances) {
            return Parameter.instantiate(
                    pattern, instances.stream().map(scalars::evaluate).toList());
        }

        private void tally(HostStatement.Tally tally) {
            List<Long> amounts = new ArrayList<>();
            if (tally.offsets().isPresent()) {
                Tensor offsets = tensor(tally.offsets().get());
                for (long g = 1; g < offsets.elements(); g++) {
                    amounts.add(offsets.whole(g) - offsets.whole(g - 1));
                }
            } else {
                tally.amounts().forEach(a -> amounts.add(scalars.evaluate(a)));
            }
            ledger.tally(path(tally.path(), tally.instances()), tally.kind(), amounts);
        }

        // -------------------------------------------------------------- kernels

        private void launch(HostStatement.Launch launch) {
            long tiles = scalars.evaluate(launch.tiles());
            if (tiles <= 0) {
                return;
            }
            Kernel kernel = kernels.get(launch.kernel());
            CompiledKernel code = compiled.get(launch.kernel());
            int buffers = launch.buffers().size();
            int count = buffers + launch.scalars().size() + 1;
            MemorySegment arguments = pool.take(8L * count);
            try {
                for (int i = 0; i < buffers; i++) {
                    arguments.setAtIndex(WORD, i, address(launch.buffers().get(i)));
                }
                for (int i = 0; i < launch.scalars().size(); i++) {
                    arguments.setAtIndex(
                            WORD, buffers + i, scalars.evaluate(launch.scalars().get(i)));
                }
                arguments.setAtIndex(WORD, count - 1, fault.address());
                fault.setAtIndex(WORD, 0, 0);
                run(kernel, code, tiles, arguments.address());
                if (fault.getAtIndex(WORD, 0) != 0) {
                    throw fault();
                }
                ledger.launched(launch.kernel(), weightBytes(launch));
            } finally {
                pool.give(arguments);
            }
        }

        private void run(Kernel kernel, CompiledKernel code, long tiles, long arguments) {
            double expected = tileNanos.getOrDefault(kernel.name(), 0.0) * tiles;
            long start = System.nanoTime();
            boolean shared = expected > WORTH_SHARING_NANOS;
            workers.run(tiles, shared, expected, (worker, begin, end) ->
                    code.run(begin, end, arguments, scratch[worker].address()));
            double nanos = (double) (System.nanoTime() - start)
                    * (shared ? workers.size() : 1) / tiles;
            tileNanos.merge(kernel.name(), nanos, (old, now) -> 0.75 * old + 0.25 * now);
        }

        private long address(Operand operand) {
            return switch (operand) {
                case Operand.Tensor t -> address(t.value());
                case Operand.ParameterTable p -> parameterTables.get(p.parameter());
                case Operand.StateTable s -> stateTables.get(s.state()).address();
            };
        }

        private Fault fault() {
            String check = program.checks().get((int) fault.getAtIndex(WORD, 1));
            return new Fault(Fault.message(
                    check, fault.getAtIndex(WORD, 2), fault.getAtIndex(WORD, 3)));
        }

        /** Groups that have rows of the launch. */
        private long parts(Tensor offsets, Optional<HostStatement.Part> part) {
            long first = part.map(p -> scalars.evaluate(p.first())).orElse(0L);
            long last = part.map(p -> first + scalars.evaluate(p.count()))
                    .orElse(Long.MAX_VALUE);
            long parts = 0;
            for (long g = 1; g < offsets.elements(); g++) {
                long from = Math.clamp(offsets.whole(g - 1), first, last);
                parts += Math.clamp(offsets.whole(g), first, last) > from ? 1 : 0;
            }
            return parts;
        }

        private long weightBytes(HostStatement.Launch launch) {
            long bytes = 0;
            for (HostStatement.WeightUse use : launch.weights()) {
                long parts = 1;
                if (use.groups().isPresent()) {
                    parts = parts(tensor(use.groups().get()), use.part());
                }
                bytes += use.picked().isEmpty() ? parts * use.bytes() : Math.min(
                        scalars.evaluate(use.picked().get().count()) * use.bytes(),
                        use.picked().get().most());
            }
            return bytes;
        }
    }
}
