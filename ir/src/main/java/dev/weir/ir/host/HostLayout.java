package dev.weir.ir.host;

import dev.weir.ir.kernel.HostStatement;
import dev.weir.ir.kernel.Kernel;
import dev.weir.ir.kernel.KernelProgram;
import dev.weir.ir.tensor.Parameter;
import dev.weir.ir.tensor.State;
import dev.weir.ir.tensor.Value;
import dev.weir.ir.type.Size;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;

/**
 * Where the things of a model and of a session stand in their memory, in bytes: the constants of
 * the support code, and a place for each size, host variable, tensor name and table.
 */
final class HostLayout {
    static final long STATUS = 0;
    static final long KERNEL_FAULT = 32;
    static final long SCRATCH = 64;
    static final long ARGUMENTS = 72;
    static final long SEQUENCES = 96;
    /** One row record of the support code. */
    static final long ROWS = 64;
    /** In a session, behind its fixed words. */
    static final long SESSION_ROWS = 64;

    private static final long BINS = 192;
    /** Of 256 bytes up to more than memory has. */
    private static final long BIN_COUNT = 240;
    private static final long FIXED = BINS + 8 * BIN_COUNT;
    /** Vector loads may pass the end of a tensor. */
    private static final long SLACK = 64;
    private static final long ALIGNMENT = 64;

    private final KernelProgram program;
    private final Map<String, Long> sizes = new HashMap<>();
    private final Map<Value, Long> variables = new HashMap<>();
    private final Map<Value, Long> lasting = new HashMap<>();
    private final Map<Value, Long> steps = new LinkedHashMap<>();
    private final Map<Value, Long> parameterTables = new LinkedHashMap<>();
    private final Map<Value, Long> stateTables = new HashMap<>();
    private final Map<Value, Long> lengthTables = new HashMap<>();
    /** In a session: the first row record of a growing state. */
    private final Map<Value, Long> rows = new HashMap<>();
    /** In the carried block of a session. */
    private final Map<Value, Long> carried = new HashMap<>();
    private final long stepSlots;
    private final long stepSlotsEnd;
    private final long results;
    private final long given;
    private final long modelBytes;
    private final long sessionBytes;
    private final long carriedBytes;
    private long next = FIXED;

    HostLayout(KernelProgram program) {
        this.program = program;
        size(program.frames().sequences());
        size(program.frames().rows());
        Set<Value> once = new LinkedHashSet<>();
        Set<Value> named = new LinkedHashSet<>();
        named.add(program.frames().offsets());
        named.add(program.frames().segment());
        named.addAll(program.arguments());
        collect(program.initialise(), once);
        collect(program.step(), named);
        for (Parameter parameter : program.parameters()) {
            (parameter.instanceAxes() == 0 ? lasting : parameterTables)
                    .put(parameter.value(), place(16));
        }
        once.forEach(value -> lasting.put(value, place(16)));
        stepSlots = next;
        named.forEach(value -> steps.put(value, place(16)));
        for (State state : program.states()) {
            stateTables.put(state.value(), place(16));
            long lengths = place(16);
            state.lengths().ifPresent(value -> lengthTables.put(value, lengths));
        }
        stepSlotsEnd = next;
        results = next;
        program.results().forEach(result -> place(16));
        given = next;
        program.arguments().forEach(argument -> place(8));
        modelBytes = next;
        long session = SESSION_ROWS;
        long block = 0;
        for (State state : program.states()) {
            if (state.grows()) {
                rows.put(state.value(), session);
                session += ROWS * instances(state);
            } else {
                carried.put(state.value(), block);
                block += spacing(state) * instances(state);
            }
        }
        sessionBytes = session;
        carriedBytes = block;
    }

    private long place(long bytes) {
        long at = next;
        next += bytes;
        return at;
    }

    private void size(Size.Symbol symbol) {
        if (!sizes.containsKey(symbol.name())) {
            sizes.put(symbol.name(), place(8));
        }
    }

    private void variable(Value value) {
        if (!variables.containsKey(value)) {
            variables.put(value, place(8));
        }
    }

    private void collect(List<HostStatement> statements, Set<Value> named) {
        for (HostStatement statement : statements) {
            switch (statement) {
                case HostStatement.Allocate s -> named.add(s.value());
                case HostStatement.Alias s -> named.add(s.target());
                case HostStatement.Own s -> named.add(s.target());
                case HostStatement.SetSize s -> size(s.size());
                case HostStatement.SetSizeToLargest s -> size(s.size());
                case HostStatement.SetScalar s -> variable(s.variable());
                case HostStatement.If s -> {
                    collect(s.then(), named);
                    collect(s.otherwise(), named);
                }
                case HostStatement.Loop s -> {
                    variable(s.index());
                    collect(s.body(), named);
                }
                case HostStatement.Release s -> { }
                case HostStatement.Launch s -> { }
                case HostStatement.Reserve s -> { }
                case HostStatement.Extend s -> { }
                case HostStatement.Advance s -> { }
                case HostStatement.Trace s -> { }
                case HostStatement.Tally s -> { }
            }
        }
    }

    static long instances(State state) {
        return state.instances().stream().reduce(1L, Math::multiplyExact);
    }

    /** Bytes of one slot of a growing state, or of all of a carried one. */
    static long rowBytes(State state) {
        long elements = state.ownShape().stream()
                .skip(state.grows() ? 1 : 0)
                .mapToLong(s -> s.constant().orElseThrow())
                .reduce(1, Math::multiplyExact);
        return Math.multiplyExact(elements, (long) state.value().type().format().bytes());
    }

    /** Bytes from one instance of a carried state to the next. */
    static long spacing(State state) {
        return Math.ceilDiv(rowBytes(state) + SLACK, ALIGNMENT) * ALIGNMENT;
    }

    private static long of(Map<Value, Long> places, Value value) {
        Long place = places.get(value);
        if (place == null) {
            throw new IllegalArgumentException("no place for " + value.name() + " " + value);
        }
        return place;
    }

    long size(String name) {
        Long place = sizes.get(name);
        if (place == null) {
            throw new IllegalArgumentException("size " + name + " never has a value");
        }
        return place;
    }

    boolean isVariable(Value value) {
        return variables.containsKey(value);
    }

    long variableOf(Value value) {
        return of(variables, value);
    }

    boolean isLength(Value value) {
        return lengthTables.containsKey(value);
    }

    /** Whether the step itself names a tensor; otherwise it lasts as long as the model. */
    boolean isNamedInStep(Value value) {
        return steps.containsKey(value) || lengthTables.containsKey(value);
    }

    /**
     * The slot of a tensor.
     *
     * @param step whether the step asks; loading knows only what lasts
     */
    long slot(Value value, boolean step) {
        if (step && lengthTables.containsKey(value)) {
            return of(lengthTables, value);
        }
        return step && steps.containsKey(value) ? of(steps, value) : of(lasting, value);
    }

    /** What lasts, and has another name of the same value in the step. */
    List<Value> shadowed() {
        return steps.keySet().stream().filter(lasting::containsKey).toList();
    }

    long parameterTable(Value value) {
        return of(parameterTables, value);
    }

    long stateTable(Value value) {
        return of(stateTables, value);
    }

    long rowsOf(Value state) {
        return of(rows, state);
    }

    long carriedOf(Value state) {
        return of(carried, state);
    }

    long result(int number) {
        return results + 16L * number;
    }

    /** The numbers that the support code names. */
    Map<String, Long> constants() {
        Map<String, Long> all = new HashMap<>();
        all.put("STATUS", STATUS);
        all.put("CHECK", 8L);
        all.put("VALUE", 16L);
        all.put("LIMIT", 24L);
        all.put("KERNEL_FAULT", KERNEL_FAULT);
        all.put("SCRATCH", SCRATCH);
        all.put("ARGUMENTS", ARGUMENTS);
        all.put("ALL_BLOCKS", 80L);
        all.put("READY", 88L);
        all.put("SEQUENCES", SEQUENCES);
        all.put("BATCH", 104L);
        all.put("TEXT", 112L);
        all.put("BINS", BINS);
        all.put("STEP_SLOTS", stepSlots);
        all.put("STEP_SLOTS_END", stepSlotsEnd);
        all.put("RESULTS", results);
        all.put("GIVEN", given);
        all.put("MODEL_BYTES", Math.ceilDiv(modelBytes, ALIGNMENT) * ALIGNMENT);
        all.put("SCRATCH_BYTES",
                program.kernels().stream().mapToLong(Kernel::scratchBytes).max().orElse(0));
        all.put("ARGUMENT_BYTES", 8 * (1 + program.kernels().stream()
                .mapToLong(k -> k.buffers().size() + k.scalars().size()).max().orElse(0)));
        all.put("SLACK", SLACK);
        all.put("MOST_BYTES", 1L << 56);
        all.put("FIRST_SLOTS", 64L);
        all.put("ROWS", ROWS);
        all.put("POSITION", 8L);
        all.put("CARRIED", 16L);
        all.put("BACKUP", 24L);
        all.put("OPEN", 32L);
        all.put("SESSION_ROWS", SESSION_ROWS);
        all.put("SESSION_BYTES", sessionBytes);
        all.put("CARRIED_BYTES", carriedBytes);
        all.put("MOST_SEQUENCES", 1L << 20);
        all.put("MOST_ROWS", 1L << 31);
        all.put("WHOLE_SEQUENCES",
                program.stream().flatMap(s -> s.obstacle()).isPresent() ? 1L : 0L);
        for (HostStatus status : HostStatus.values()) {
            all.put(status.name(), (long) status.number());
        }
        for (HostStatus.Mistake mistake : HostStatus.Mistake.values()) {
            all.put(mistake.name(), (long) mistake.ordinal());
        }
        return all;
    }
}
