package dev.weir.passes.cost;

import dev.weir.ir.kernel.HostStatement;
import dev.weir.ir.kernel.Kernel;
import dev.weir.ir.kernel.KernelProgram;
import dev.weir.ir.operation.Operation;
import dev.weir.ir.tensor.Node;
import dev.weir.ir.tensor.Parameter;
import dev.weir.ir.tensor.Scalar;
import dev.weir.ir.tensor.State;
import dev.weir.ir.tensor.Value;
import dev.weir.ir.tensor.Walk;
import dev.weir.ir.type.Format;
import dev.weir.ir.type.Size;
import dev.weir.passes.analysis.WorkOf;
import dev.weir.passes.memory.AtLoad;
import dev.weir.passes.memory.Live;
import dev.weir.passes.memory.MemoryPlan;
import java.util.ArrayList;
import java.util.Collection;
import java.util.Collections;
import java.util.HashMap;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalDouble;
import java.util.Set;
import java.util.function.ToDoubleFunction;
import java.util.function.ToLongFunction;
import java.util.stream.Stream;
import java.util.stream.Collectors;

/**
 * Walks a host program as the executor does, with expectations instead of data, and adds up the
 * work of the launches.
 *
 * <p>Loops run as often as their bounds say, those that can be left early as often as the
 * question states. A route sends equally many rows to each of its blocks, as a balanced one does,
 * unless the question says how many; then blocks that serve none are not read.
 * What a gate lets in is a share that the question states; the others cost nothing, as at run time.
 * Behind a branch that is taken with some probability, work counts with this probability, and those
 * who enter are as many as are expected if it is taken. What a mask saves inside a kernel is not
 * subtracted, and weights are read from memory at each launch.
 */
public final class CostOf {
    /** A loop that may run longer than this ends by its gate: it is counted once. */
    private static final double ENDLESS = 1 << 20;
    /** Forms of kernels that bring rows into another order. */
    private static final Set<String> GATHERING = Set.of("scatter", "selection", "grouping");

    private final KernelProgram program;
    private final Question question;
    private final Optional<Machine> machine;
    private final Expectation expectation = new Expectation(this::element);
    private final Map<Value, Double> variables = new HashMap<>();
    private final Map<Value, Size> divided = new HashMap<>();
    /** By where groups begin: how many each block of the route serves, if the question says it. */
    private final Map<Value, List<Long>> served = new HashMap<>();
    /** How likely numbers of rows that a route decides are more than 0, and sizes that are such. */
    private final Map<Value, Double> filled = new HashMap<>();
    private final Map<String, Double> filledSizes = new HashMap<>();
    /** Where a kernel counts what it selects: of how many. */
    private final Map<Value, Size> selected = new HashMap<>();
    private final Map<Value, Parameter> parameters = new HashMap<>();
    private final Map<Value, State> states = new HashMap<>();
    /** Slots of a growing state when the step has appended its own, by its name. */
    private final Map<String, Double> slots;
    /** Tables of lengths: those of states and of sequences, and what kernels pick out of them. */
    private final Map<Value, Double> lengths = new HashMap<>();
    private final Map<Value, Double> instancesRead = new HashMap<>();
    private final Map<String, Amounts> blocks = new LinkedHashMap<>();
    private final Map<String, String> assumptions = new LinkedHashMap<>();
    private final Set<String> gatePaths = new LinkedHashSet<>();
    private final Set<String> gathering;
    private final Set<String> selecting;
    private final Set<String> appending;
    /** Bytes that the step appends to caches. */
    private double cached;
    /** Rows that it appends to growing states, by their names and instances. */
    private final Map<String, Map<String, Double>> appended = new HashMap<>();
    /** The instance of each state that a launch appends to. */
    private final Map<String, String> reserved = new HashMap<>();
    /** States, with their instances, that have slots for the step's elements already. */
    private final Set<String> extended = new HashSet<>();
    private final Map<String, Cost.Loop> loops = new LinkedHashMap<>();
    /** Host variables that say whether anybody enters, and the size that says how many. */
    private final Map<Value, Size.Symbol> entered = new HashMap<>();
    private Live live = new Live();
    /** Whether arms of branches of which nothing is known are both gone through. */
    private boolean everyArm;
    private double probability = 1;

    private CostOf(
            KernelProgram program,
            Question question,
            Optional<Machine> machine,
            Map<String, Double> slots) {
        this.program = program;
        this.question = question;
        this.machine = machine;
        this.slots = slots;
        gathering = kernels(GATHERING);
        selecting = kernels(Set.of("selection"));
        appending = kernels(Set.of("append to a state"));
        program.parameters().forEach(p -> parameters.put(p.value(), p));
        program.states().forEach(s -> states.put(s.value(), s));
        expectation.set(program.frames().sequences().name(), 1);
        expectation.set(program.frames().rows().name(), question.tokens());
        for (State state : program.states()) {
            state.slots().ifPresent(size -> expectation.set(size.name(), slots(state)));
            state.lengths().ifPresent(table -> lengths.put(table, slots(state)));
        }
    }

    /**
     * Slots of growing states when the step has appended its own: what the entries appended before,
     * as far as it is kept, and the step's. It depends on what gates let in, and so is found as the
     * cost is.
     */
    private static Map<String, Double> slots(
            List<KernelProgram> entries, KernelProgram program, Question question) {
        return slots(entries, program, question, Collections::max, state -> 1L);
    }

    /**
     * @param rows of a state, by those of its instances
     * @param instances how many of them these rows are of
     */
    private static Map<String, Double> slots(
            List<KernelProgram> entries, KernelProgram program, Question question,
            ToDoubleFunction<Collection<Double>> rows, ToLongFunction<State> instances) {
        List<String> names = entries.stream().map(KernelProgram::entry).toList();
        Map<String, Double> slots = new HashMap<>();
        for (KernelProgram entry : entries) {
            long seen = question.seenBy(entry.entry(), names, program.entry());
            if (seen > 0) {
                appended(entry, question.before(seen), rows).forEach(
                        (state, seenRows) -> slots.merge(state, seenRows, Double::sum));
            }
        }
        for (State state : program.states()) {
            state.keep().ifPresent(kept -> slots.computeIfPresent(
                    state.name(), (name, seen) ->
                            Math.min(seen, (kept - 1.0) * instances.applyAsLong(state))));
        }
        appended(program, question, rows).forEach(
                (state, added) -> slots.merge(state, added, Double::sum));
        return slots;
    }

    /** Rows that a step appends to a growing state, by those that its instances get. */
    private static Map<String, Double> appended(
            KernelProgram entry, Question question, ToDoubleFunction<Collection<Double>> rows) {
        CostOf step = new CostOf(entry, question, Optional.empty(), Map.of());
        step.statements(entry.step());
        Map<String, Double> appended = new HashMap<>();
        step.appended.forEach((state, instances) ->
                appended.put(state, rows.applyAsDouble(instances.values())));
        return appended;
    }

    /** Those of some forms. */
    private Set<String> kernels(Set<String> forms) {
        return program.stories().stream()
                .filter(s -> forms.contains(s.form()))
                .map(KernelProgram.Story::kernel)
                .collect(Collectors.toSet());
    }

    /** As {@link #entry}, of a model with one. */
    public static Cost program(
            KernelProgram program, Question question, Optional<Machine> machine) {
        return entry(List.of(program), program, question, machine);
    }

    /**
     * The cost of one step.
     *
     * @param entries all of the model: others may have filled the states that the step reads
     * @param program the one that the step runs
     * @param machine what times are predicted for; without one there are none
     */
    public static Cost entry(
            List<KernelProgram> entries,
            KernelProgram program,
            Question question,
            Optional<Machine> machine) {
        CostOf step = new CostOf(
                program, question, machine, slots(entries, program, question));
        step.statements(program.step());
        Question ofOne = question.ofOneToken();
        CostOf one = new CostOf(
                program, ofOne, Optional.empty(), slots(entries, program, ofOne));
        one.statements(program.step());
        Map<String, Parameter> parameters = new LinkedHashMap<>();
        entries.forEach(e -> e.parameters().forEach(
                p -> parameters.putIfAbsent(p.path() + p.part(), p)));
        Map<String, State> states = new LinkedHashMap<>();
        entries.forEach(e -> e.states().forEach(s -> states.putIfAbsent(s.name(), s)));
        List<Cost.Block> blocks = new ArrayList<>();
        step.blocks.forEach((path, amounts) -> blocks.add(new Cost.Block(path, amounts)));
        List<Cost.Assumption> assumptions = new ArrayList<>();
        step.assumptions.forEach((path, text) ->
                assumptions.add(new Cost.Assumption(path, text)));
        return new Cost(
                entries.size() == 1
                        ? program.name() : program.name() + "." + program.entry(),
                parameters.values().stream()
                        .mapToLong(p -> instances(p) * numbers(p)).sum(),
                one.active(),
                step.cached / question.tokens(),
                states.values().stream().filter(s -> !isCache(s))
                        .mapToDouble(s -> rowBytes(s) * s.keep().orElse(1L)).sum(),
                blocks.stream().map(Cost.Block::amounts).reduce(Amounts.NONE, Amounts::plus),
                blocks,
                List.copyOf(step.loops.values()),
                step.gatePaths,
                assumptions);
    }

    /**
     * The memory that a model needs for one step: the walk is that of the cost, so sizes that data
     * decides are what is expected of them. Of branches of which nothing is known, both arms are
     * gone through, and the one that needs more counts.
     *
     * @param entries all of the model, which are all loaded
     * @param program the one that the step runs
     */
    public static MemoryPlan memory(
            List<KernelProgram> entries, KernelProgram program, Question question) {
        CostOf step = new CostOf(
                program, question, Optional.empty(), slots(entries, program, question));
        step.everyArm = true;
        step.live.allocate(program.frames().offsets(),
                step.bytes(program.frames().offsets()));
        step.live.allocate(program.frames().segment(),
                step.bytes(program.frames().segment()));
        step.statements(program.step());
        Live.Most most = step.live.most();
        Map<String, Double> rows = slots(entries, program, question,
                all -> all.stream().mapToDouble(r -> r).sum(), CostOf::instances);
        Map<String, State> states = new LinkedHashMap<>();
        entries.forEach(e -> e.states().forEach(s -> states.putIfAbsent(s.name(), s)));
        return new MemoryPlan(
                AtLoad.stored(entries),
                AtLoad.made(entries),
                states.values().stream().map(s -> remembered(s, rows)).toList(),
                most.bytes(),
                most.place(),
                most.tensors().stream().map(t -> new MemoryPlan.Tensor(
                        t.value().name(), step.type(t.value()), t.bytes())).toList(),
                entries.stream().flatMap(e -> e.kernels().stream())
                        .mapToLong(Kernel::scratchBytes).max().orElse(0),
                step.assumptions.entrySet().stream()
                        .map(a -> a.getKey() + ": " + a.getValue()).toList());
    }

    /** A step keeps a copy of what is carried, to go back to if it fails. */
    private static MemoryPlan.Remembered remembered(State state, Map<String, Double> rows) {
        double bytes = rowBytes(state);
        return state.grows()
                ? new MemoryPlan.Remembered(state.name(), bytes,
                        bytes / instances(state) * rows.getOrDefault(state.name(), 0.0))
                : new MemoryPlan.Remembered(state.name(), 0, 2 * bytes);
    }

    /** Format and shape, with numbers where they are known. */
    private String type(Value value) {
        return value.type().format().word() + value.type().shape().stream()
                .map(s -> expectation.of(s).stream()
                        .mapToObj(n -> String.format(Locale.ROOT, "%.0f", n))
                        .findFirst().orElse(s.toString()))
                .collect(Collectors.joining(", ", "[", "]"));
    }

    // ------------------------------------------------------------------ weights and states

    /** Numbers of one instance; scales and zero points belong to the codes that they are for. */
    private static long numbers(Parameter parameter) {
        if (parameter.part().filter(p -> p.kind() != Parameter.Part.Kind.CODES).isPresent()) {
            return 0;
        }
        long count = 1;
        for (long extent : parameter.storedShape()) {
            count *= extent;
        }
        return count;
    }

    private static long instances(Parameter parameter) {
        return parameter.value().type().shape().subList(0, parameter.instanceAxes()).stream()
                .mapToLong(s -> s.constant().orElseThrow()).reduce(1, Math::multiplyExact);
    }

    /** A block that is used at several depths has its weights once. */
    private double active() {
        return instancesRead.entrySet().stream()
                .filter(e -> parameters.containsKey(e.getKey()))
                .mapToDouble(e -> numbers(parameters.get(e.getKey()))
                        * Math.min(e.getValue(), instances(parameters.get(e.getKey()))))
                .sum();
    }

    private static boolean isCache(State state) {
        return state.grows() && state.keep().isEmpty();
    }

    /** Bytes of a slot, or of a state that does not grow, of all instances. */
    private static double rowBytes(State state) {
        List<Size> own = state.ownShape();
        long elements = own.subList(state.grows() ? 1 : 0, own.size()).stream()
                .mapToLong(s -> s.constant().orElseThrow()).reduce(1, Math::multiplyExact);
        return (double) instances(state) * elements * state.value().type().format().bytes();
    }

    private static long instances(State state) {
        return state.instances().stream().reduce(1L, Math::multiplyExact);
    }

    private double slots(State state) {
        return slots.getOrDefault(state.name(), 0.0);
    }

    // ------------------------------------------------------------------ expectations

    private OptionalDouble element(Scalar.Load load) {
        Double variable = variables.get(load.source());
        if (variable != null) {
            return OptionalDouble.of(variable);
        }
        if (lengths.containsKey(load.source())) {
            return OptionalDouble.of(lengths.get(load.source()));
        }
        if (selected.containsKey(load.source())) {
            assumptions.put("selections", "data picks out all that it picks from");
            return expectation.of(selected.get(load.source()));
        }
        if (divided.containsKey(load.source()) && load.coordinates().size() == 1) {
            OptionalDouble rows = expectation.of(divided.get(load.source()));
            OptionalDouble place = expectation.of(load.coordinates().getFirst());
            if (rows.isPresent() && place.isPresent()) {
                return OptionalDouble.of(
                        rows.getAsDouble() * place.getAsDouble() / groups(load.source()));
            }
        }
        return OptionalDouble.empty();
    }

    private static double groups(Value offsets) {
        return offsets.type().shape().getFirst().constant().orElseThrow() - 1.0;
    }

    /**
     * How likely it is that some groups of a route have a row at all: each of R rows falls into
     * them with the same chance, which with n rows expected in them is n / R.
     */
    private void filled(HostStatement.SetScalar set, double expected) {
        Walk.loads(set.value(), load -> Optional.ofNullable(divided.get(load.source()))
                .ifPresent(pairs -> {
                    double rows = expectation.of(pairs).orElse(question.tokens()) / chosen(pairs);
                    filled.put(set.variable(), 1 - Math.pow(
                            1 - Math.min(1, expected / rows), rows));
                }));
    }

    /** Of so many pairs of an element and a block: how many blocks each element chooses. */
    private static double chosen(Size pairs) {
        return pairs instanceof Size.Product p && p.right() instanceof Size.Constant k
                ? k.value() : 1;
    }

    /** How likely it is that a launch has any tile, as far as routes decide that. */
    private double reached(Scalar tiles) {
        Stream<Double> here = tiles instanceof Scalar.Extent extent
                ? extent.size().symbols().stream().map(s -> filledSizes.getOrDefault(s, 1.0))
                : Walk.operands(tiles).stream().map(this::reached);
        return here.reduce(1.0, Math::min);
    }

    /** What a size is that data decides: all tokens, lest the cost be too small. */
    private double sizeOr(OptionalDouble known, String name) {
        if (known.isPresent()) {
            return known.getAsDouble();
        }
        assumptions.put(name, "not known before the run: taken as all tokens of the step");
        return question.tokens();
    }

    // ------------------------------------------------------------------ statements

    private void statements(List<HostStatement> statements) {
        Map<String, HostStatement.Tally> gates = new HashMap<>();
        for (HostStatement statement : statements) {
            if (statement instanceof HostStatement.Tally tally
                    && tally.kind() == Node.TallyKind.ROUTE) {
                Optional.ofNullable(question.served().get(path(tally))).ifPresentOrElse(
                        blocks -> served.put(tally.offsets().orElseThrow(), blocks),
                        () -> served.remove(tally.offsets().orElseThrow()));
            } else if (statement instanceof HostStatement.Tally tally
                    && tally.kind() == Node.TallyKind.GATE
                    && tally.amounts().getFirst() instanceof Scalar.Extent entrants
                    && entrants.size() instanceof Size.Symbol symbol) {
                gates.put(symbol.name(), tally);
                // What selects has to be counted before it says how many it selected.
                expectation.of(tally.amounts().getLast()).ifPresent(all -> expectation.set(
                        symbol.name(), share(tally) * all));
            } else if (statement instanceof HostStatement.Launch launch) {
                learn(launch);
            } else if (statement instanceof HostStatement.SetSize set
                    && set.value() instanceof Scalar.Load load
                    && selected.containsKey(load.source())) {
                expectation.of(selected.get(load.source())).ifPresent(
                        all -> expectation.set(set.size().name(), all));
            }
        }
        statements.forEach(s -> statement(s, gates));
    }

    private void statement(HostStatement statement, Map<String, HostStatement.Tally> gates) {
        switch (statement) {
            case HostStatement.SetSize s -> setSize(s, gates);
            case HostStatement.SetSizeToLargest s -> {
                expectation.set(s.size().name(), sizeOr(largest(s.table()), s.size().name()));
                filledSizes.put(s.size().name(), filled.getOrDefault(s.table(), 1.0));
            }
            case HostStatement.SetScalar s -> {
                entrants(s.value()).ifPresent(size -> entered.put(s.variable(), size));
                OptionalDouble value = expectation.of(s.value());
                value.ifPresentOrElse(v -> variables.put(s.variable(), v),
                        () -> variables.remove(s.variable()));
                value.ifPresent(v -> filled(s, v));
            }
            case HostStatement.Own s -> own(s);
            case HostStatement.Launch s -> launch(s);
            case HostStatement.If s -> branch(s);
            case HostStatement.Loop s -> loop(s);
            case HostStatement.Allocate s -> live.allocate(s.value(), bytes(s.value()));
            case HostStatement.Release s -> live.release(s.value());
            case HostStatement.Alias s -> live.alias(s.target(), s.source());
            case HostStatement.Reserve s -> {
                State state = states.get(s.state());
                reserved.put(state.name(), instance(state, s.instances()));
            }
            case HostStatement.Extend s -> extend(s);
            case HostStatement.Advance s -> { }
            case HostStatement.Trace s -> { }
            case HostStatement.Tally s -> {
                if (s.kind() == Node.TallyKind.ITERATION && !s.amounts().isEmpty()) {
                    double rounds = sizeOr(expectation.of(s.amounts().getFirst()), path(s));
                    count(new Cost.Loop(
                            path(s), false, probability, probability * rounds, rounds, rounds));
                }
            }
        }
    }

    private void count(Cost.Loop loop) {
        loops.merge(loop.path(), loop, (a, b) -> new Cost.Loop(
                loop.path(), a.early() || b.early(),
                a.entered() + b.entered(), a.iterations() + b.iterations(),
                Math.min(a.least(), b.least()), Math.max(a.most(), b.most())));
    }

    private void setSize(HostStatement.SetSize set, Map<String, HostStatement.Tally> gates) {
        HostStatement.Tally gate = gates.get(set.size().name());
        if (gate == null) {
            expectation.set(set.size().name(),
                    sizeOr(expectation.of(set.value()), set.size().name()));
            return;
        }
        double share = share(gate);
        assumptions.put(starred(gate.path()), String.format(
                Locale.ROOT, "a share of %.3g enters", share));
        expectation.set(set.size().name(),
                share * sizeOr(expectation.of(gate.amounts().getLast()), gate.path()));
    }

    /** Of one gate, as the ledger names it, or of all that the pattern stands for. */
    private double share(HostStatement.Tally gate) {
        String path = path(gate);
        gatePaths.addAll(List.of(path, gate.path()));
        return question.shares().containsKey(path)
                ? question.shareOf(path) : question.shareOf(gate.path());
    }

    /** As the ledger names it; the pattern if it is not known which instance it is. */
    private String path(HostStatement.Tally tally) {
        List<Long> instances = new ArrayList<>();
        for (Scalar instance : tally.instances()) {
            OptionalDouble known = expectation.of(instance);
            if (known.isEmpty()) {
                return tally.path();
            }
            instances.add(Math.round(known.getAsDouble()));
        }
        return Parameter.instantiate(tally.path(), instances);
    }

    /** The size of which a truth value says whether it is above 0. */
    private static Optional<Size.Symbol> entrants(Scalar scalar) {
        return scalar instanceof Scalar.Apply a && a.operation() == Operation.GREATER
                && a.operands().getFirst() instanceof Scalar.Extent extent
                && extent.size() instanceof Size.Symbol symbol
                && a.operands().getLast() instanceof Scalar.Whole zero && zero.value() == 0
                ? Optional.of(symbol) : Optional.empty();
    }

    private OptionalDouble largest(Value table) {
        Double variable = variables.get(table);
        if (variable != null) {
            return OptionalDouble.of(variable);
        }
        return lengths.containsKey(table)
                ? OptionalDouble.of(lengths.get(table)) : OptionalDouble.empty();
    }

    private void branch(HostStatement.If statement) {
        OptionalDouble known = expectation.of(statement.condition());
        double share = known.orElse(everyArm ? 0.5 : question.share());
        if (known.isEmpty()) {
            assumptions.put("if", "a share of " + share + " of the conditions holds");
        }
        Live before = live;
        live = before.copy();
        enter(statement, share);
        Live then = live;
        live = before;
        within(1 - share, statement.otherwise());
        boolean both = everyArm && share > 0 && share < 1;
        live = (both ? live.bytes() > then.bytes() : share < 0.5) ? live : then;
    }

    /** Somebody enters: as many as are expected of those who enter at all. */
    private void enter(HostStatement.If statement, double share) {
        Optional<Size.Symbol> size = statement.condition() instanceof Scalar.Load load
                ? Optional.ofNullable(entered.get(load.source())) : Optional.empty();
        OptionalDouble expected = size.map(expectation::of).orElse(OptionalDouble.empty());
        if (share > 0 && expected.isPresent()) {
            expectation.set(size.get().name(), expected.getAsDouble() / share);
        }
        within(share, statement.then());
        if (expected.isPresent()) {
            expectation.set(size.get().name(), expected.getAsDouble());
        }
    }

    private void within(double share, List<HostStatement> statements) {
        if (share > 0) {
            double outside = probability;
            probability *= share;
            statements(statements);
            probability = outside;
        }
    }

    private void loop(HostStatement.Loop loop) {
        OptionalDouble end = expectation.of(loop.to());
        double from = sizeOr(expectation.of(loop.from()), "a loop's beginning");
        double to = sizeOr(end, "a loop's end");
        boolean open = loop.active().isPresent() || end.isEmpty();
        String path = loop.body().stream()
                .filter(s -> s instanceof HostStatement.Tally t
                        && t.kind() == Node.TallyKind.ITERATION)
                .map(s -> path((HostStatement.Tally) s)).findFirst().orElse("a loop");
        double all = Math.max(0, to - from);
        double rounds = open ? rounds(path, all) : to - from;
        for (double i = 0; i < rounds; i++) {
            variables.put(loop.index(), from + i);
            within(Math.min(1, rounds - i), loop.body());
        }
        boolean anyNumber = end.isEmpty() || all > ENDLESS;
        count(new Cost.Loop(path, open, probability, probability * rounds,
                anyNumber ? 0 : open ? Math.min(1, all) : all,
                anyNumber ? Double.POSITIVE_INFINITY : all));
    }

    /**
     * @param all how many it has if nobody leaves it
     */
    private double rounds(String path, double all) {
        Double one = question.roundsOf().get(path);
        double stated = Math.min(all, one != null ? one
                : question.rounds().orElse(all > ENDLESS ? 1 : all));
        assumptions.put(path, String.format(Locale.ROOT, "left behind %.3g ", stated)
                + (all > ENDLESS ? "rounds, of any number"
                        : String.format(Locale.ROOT, "of %.0f rounds", all)));
        return stated;
    }

    /** What others still read, or is not the last use of its source, has to be copied. */
    private void own(HostStatement.Own own) {
        if (!live.own(own, bytes(own.target()))) {
            double bytes = sizeOr(expectation.of(own.target().type().elements()), "a copy")
                    * own.target().type().format().bytes() * probability;
            add("copies", new Amounts(0, 0, bytes, bytes, 0,
                    time(0, 2 * bytes, 0, true)));
        }
    }

    /** Slots for all elements, whichever of them fill theirs. */
    private void extend(HostStatement.Extend extend) {
        State state = states.get(extend.state());
        String instance = instance(state, extend.instances());
        if (extended.add(instance)) {
            append(state, instance,
                    probability * question.tokens() * rowBytes(state) / instances(state));
        }
    }

    private String instance(State state, List<Scalar> instances) {
        return state.name() + instances.stream().map(expectation::of).toList();
    }

    /** Rows that a launch leaves in a state. */
    private void append(HostStatement.Launch launch, double written) {
        if (appending.contains(launch.kernel())) {
            launch.buffers().stream()
                    .filter(b -> b instanceof HostStatement.Operand.StateTable)
                    .map(b -> states.get(((HostStatement.Operand.StateTable) b).state()))
                    .findFirst().ifPresent(state -> append(
                            state, reserved.getOrDefault(state.name(), ""), written));
        }
    }

    private void append(State state, String instance, double bytes) {
        appended.computeIfAbsent(state.name(), name -> new HashMap<>()).merge(
                instance, bytes * instances(state) / rowBytes(state), Double::sum);
        if (isCache(state)) {
            cached += bytes;
        }
    }

    /** Of a tensor; an axis of which nothing is known has as many places as there are tokens. */
    private double bytes(Value value) {
        double bytes = value.type().format().bytes();
        for (Size size : value.type().shape()) {
            OptionalDouble known = expectation.of(size);
            bytes *= everyArm ? sizeOr(known, size.toString()) : known.orElse(question.tokens());
        }
        return Math.ceil(bytes);
    }

    private Time time(double operations, double bytes, double launches, boolean gathers) {
        return machine.map(m -> m.time(operations, bytes, launches, gathers)).orElse(Time.NONE);
    }

    private void add(String path, Amounts amounts) {
        blocks.merge(path, amounts, Amounts::plus);
    }

    // ------------------------------------------------------------------ launches

    private void launch(HostStatement.Launch launch) {
        live.reached(launch.kernel());
        double tiles = sizeOr(expectation.of(launch.tiles()), launch.kernel());
        learn(launch);
        pick(launch);
        if (tiles <= 0) {
            return;
        }
        KernelProgram.Work work = program.works().get(launch);
        if (work == null) {
            throw new IllegalArgumentException(
                    "the kernels were read from text, which does not say their work");
        }
        ragged(launch, work);
        work.means().forEach((table, mean) -> expectation.of(mean).ifPresentOrElse(
                known -> lengths.put(table, known), () -> lengths.remove(table)));
        double operations = probability * amount(work.operations(), launch);
        double read = probability * work.readings().stream()
                .mapToDouble(r -> Math.min(
                        amount(r.bytes(), launch), amount(r.most(), launch))).sum();
        double written = probability * amount(work.written(), launch);
        append(launch, written);
        double weights = 0;
        double reached = reached(launch.tiles());
        for (HostStatement.WeightUse use : launch.weights()) {
            double instances = probability * (use.groups().isEmpty() ? reached : 1)
                    * use.picked().map(p -> picked(use, p, launch)).orElseGet(() -> instances(use));
            instancesRead.merge(use.parameter(), instances * use.picked()
                    .map(p -> (double) use.bytes() / p.most()).orElse(1.0), Double::sum);
            weights += instances * use.bytes();
        }
        double runs = probability * reached * Math.min(1, tiles);
        add(path(launch), new Amounts(operations, weights, read, written, runs,
                time(operations, weights + read + written, runs,
                        gathering.contains(launch.kernel()))));
    }

    private double amount(Size size, HostStatement.Launch launch) {
        return sizeOr(expectation.of(size), launch.kernel());
    }

    /**
     * A grouping sorts the rows of its first operand; its last one says where groups begin. A
     * selection picks places of its first operand; its last one says how many.
     */
    private void learn(HostStatement.Launch launch) {
        if (launch.kernel().endsWith("_grouping")
                && launch.buffers().getFirst() instanceof HostStatement.Operand.Tensor keys
                && launch.buffers().getLast() instanceof HostStatement.Operand.Tensor offsets
                && offsets.value().type().rank() == 1
                && offsets.value().type().shape().getFirst().isConstant()) {
            divided.put(offsets.value(), keys.value().type().elements());
        }
        if (selecting.contains(launch.kernel())
                && launch.buffers().getFirst() instanceof HostStatement.Operand.Tensor condition
                && launch.buffers().getLast() instanceof HostStatement.Operand.Tensor count) {
            selected.put(count.value(), condition.value().type().elements());
        }
    }

    /** Lengths that are picked out of a table, say of the sequences that enter a gate. */
    private void pick(HostStatement.Launch launch) {
        List<Value> tensors = launch.buffers().stream()
                .filter(b -> b instanceof HostStatement.Operand.Tensor)
                .map(b -> ((HostStatement.Operand.Tensor) b).value()).toList();
        if (!tensors.isEmpty() && tensors.getLast().type().format() == Format.I64
                && tensors.getLast().type().rank() == 1) {
            tensors.stream().filter(lengths::containsKey).findFirst().ifPresent(
                    table -> lengths.putIfAbsent(tensors.getLast(), lengths.get(table)));
        }
    }

    /**
     * An axis that differs from sequence to sequence has what its table of lengths says; where none
     * is known, slots of a state, else tokens.
     */
    private void ragged(HostStatement.Launch launch, KernelProgram.Work work) {
        double slots = launch.buffers().stream()
                .filter(b -> b instanceof HostStatement.Operand.StateTable)
                .map(b -> states.get(((HostStatement.Operand.StateTable) b).state()))
                .filter(State::grows)
                .mapToDouble(this::slots).max().orElse(question.tokens());
        Map<String, Double> known = new HashMap<>();
        lengths.forEach((table, mean) -> known.put(WorkOf.length(table), mean));
        List<Size> amounts = new ArrayList<>(List.of(work.operations(), work.written()));
        work.readings().forEach(r -> amounts.addAll(List.of(r.bytes(), r.most())));
        for (Size size : amounts) {
            size.symbols().stream().filter(s -> s.startsWith("|")).forEach(
                    s -> expectation.set(s, known.getOrDefault(s, slots)));
        }
    }

    /** How often a launch reads what data picks; the same more than once only if all is picked. */
    private double picked(
            HostStatement.WeightUse use, HostStatement.Picked picked, HostStatement.Launch launch) {
        double count = sizeOr(expectation.of(picked.count()), launch.kernel());
        return Math.min(count, (double) picked.most() / use.bytes());
    }

    /**
     * Instances of which a launch reads something: one, or with rows that are sorted by instance,
     * those that are expected to have rows. Each of R elements that choose k of G blocks leaves a
     * block out with probability 1 - k / G.
     */
    private double instances(HostStatement.WeightUse use) {
        if (use.groups().isEmpty() || !divided.containsKey(use.groups().get())) {
            return 1;
        }
        Value offsets = use.groups().get();
        Size pairs = divided.get(offsets);
        double chosen = chosen(pairs);
        double rows = expectation.of(pairs).orElse(question.tokens()) / chosen;
        double left = served.containsKey(offsets)
                ? served.get(offsets).stream().filter(n -> n == 0).count() / groups(offsets)
                : Math.pow(1 - Math.min(1, chosen / groups(offsets)), rows);
        double stretch = Optional.ofNullable(parameters.get(use.parameter()))
                .filter(p -> p.instanceAxes() > 0)
                .flatMap(p -> p.value().type().shape().get(p.instanceAxes() - 1).constant())
                .map(Long::doubleValue)
                .orElse(groups(offsets));
        return Math.min(stretch, groups(offsets)) * (1 - left);
    }

    private String path(HostStatement.Launch launch) {
        List<Parameter> read = launch.weights().stream()
                .flatMap(use -> Optional.ofNullable(parameters.get(use.parameter())).stream())
                .toList();
        // A product belongs to the block of its matrix, whoever's vector is added to it.
        List<Parameter> matrices = read.stream()
                .filter(p -> p.value().type().rank() - p.instanceAxes() > 1).toList();
        Optional<String> path = (matrices.isEmpty() ? read : matrices).stream()
                .map(parameter -> block(parameter.path()))
                .reduce(CostOf::common)
                .or(() -> launch.buffers().stream()
                        .filter(b -> b instanceof HostStatement.Operand.StateTable)
                        .map(b -> block(states.get(
                                ((HostStatement.Operand.StateTable) b).state()).name()))
                        .reduce(CostOf::common));
        return path.map(p -> p.isEmpty() ? program.name() : starred(p)).orElse(launch.kernel());
    }

    private static String block(String path) {
        return path.contains(".") ? path.substring(0, path.lastIndexOf('.')) : "";
    }

    private static String common(String left, String right) {
        String[] a = left.split("\\.");
        String[] b = right.split("\\.");
        List<String> same = new ArrayList<>();
        for (int i = 0; i < Math.min(a.length, b.length) && a[i].equals(b[i]); i++) {
            same.add(a[i]);
        }
        return String.join(".", same);
    }

    private static String starred(String path) {
        return path.replaceAll("\\[\\{[^}]*}]", "").replaceAll("\\{[^}]*}", "*");
    }
}
