package dev.weir.ir.tensor;

import dev.weir.ir.diagnostic.Span;
import dev.weir.ir.type.Format;
import dev.weir.ir.type.Size;
import dev.weir.ir.type.TensorType;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.function.Function;
import java.util.stream.IntStream;
import java.util.stream.LongStream;

/**
 * Runs a tensor program, lifted or not, exactly as its nodes say: slow, plain, and the definition
 * of
 * what every back end has to compute. f32 sums are accumulated in f64 and rounded once.
 */
public final class Interpreter {
    private final TensorProgram program;
    private final Map<Value, TensorData> globals = new HashMap<>();
    private final Map<Value, State> states = new HashMap<>();

    /**
     * @param parameters gives each parameter's elements, in the shape of its value
     */
    public Interpreter(TensorProgram program, Function<Parameter, TensorData> parameters) {
        this.program = program;
        for (Parameter parameter : program.parameters()) {
            globals.put(parameter.value(), parameters.apply(parameter));
        }
        for (State state : program.states()) {
            states.put(state.value(), state);
            state.lengths().ifPresent(lengths -> states.put(lengths, state));
        }
    }

    /**
     * One step of one sequence through an unlifted program.
     *
     * @param memory what the sequence remembers; changed
     */
    public List<TensorData> step(Memory memory, List<TensorData> arguments, Watcher watcher) {
        Run run = new Run(memory, watcher, new HashMap<>(), new Trail(), Streams.of(program));
        return run.function(program.entry(), List.of(), arguments);
    }

    /**
     * One step of a batch through a lifted program.
     *
     * @param arguments the rows of all sequences, one sequence behind the other
     * @param rowCounts how many rows each sequence has
     */
    public List<TensorData> step(
            Memory memory, List<TensorData> arguments, long[] rowCounts, Watcher watcher) {
        TensorProgram.Frames frames = program.frames().orElseThrow();
        long[] offsets = new long[rowCounts.length + 1];
        Arrays.setAll(offsets, b -> b == 0 ? 0 : offsets[b - 1] + rowCounts[b - 1]);
        long total = offsets[rowCounts.length];
        long[] segment = IntStream.range(0, rowCounts.length)
                .flatMap(b -> IntStream.range(0, (int) rowCounts[b]).map(t -> b))
                .asLongStream()
                .toArray();
        Map<String, Long> sizes = new HashMap<>();
        sizes.put(frames.sequences().name(), (long) rowCounts.length);
        sizes.put(frames.rows().name(), total);
        Run run = new Run(memory, watcher, sizes, new Trail(), Streams.of(program));
        run.values.put(frames.segment(),
                TensorData.ofWholes(Format.I64, new long[] {total}, segment));
        run.values.put(frames.offsets(),
                TensorData.ofWholes(Format.I64, new long[] {offsets.length}, offsets));
        return run.function(program.entry(), List.of(), arguments);
    }

    /** The values and sizes of one activation of a function. */
    private final class Run {
        private final Memory memory;
        private final Watcher watcher;
        private final Map<String, Long> sizes;
        private final Map<Value, TensorData> values = new HashMap<>();
        private final Trail trail;
        private Filling filling = new Filling(List.of(), List.of(), 0);
        private final Streams streams;
        /** Which instance of its block the function runs for. */
        private List<Long> instance = List.of();

        Run(Memory memory, Watcher watcher, Map<String, Long> sizes, Trail trail,
                Streams streams) {
            this.memory = memory;
            this.watcher = watcher;
            this.sizes = sizes;
            this.trail = trail;
            this.streams = streams;
        }

        /** The activation of a function that this one calls. */
        private Run called(
                dev.weir.ir.tensor.Function function, List<TensorType> arguments) {
            Run run = new Run(memory, watcher, new HashMap<>(), trail,
                    streams.called(function.body().arguments(), arguments));
            run.filling = filling;
            return run;
        }

        List<TensorData> function(
                dev.weir.ir.tensor.Function function,
                List<Long> instances,
                List<TensorData> arguments) {
            instance = instances;
            for (int i = 0; i < instances.size(); i++) {
                values.put(function.instances().get(i), TensorData.scalar(instances.get(i)));
            }
            return region(function.body(), arguments);
        }

        List<TensorData> region(Region region, List<TensorData> arguments) {
            for (int i = 0; i < arguments.size(); i++) {
                define(region.arguments().get(i), arguments.get(i));
            }
            for (int i = 0; i < region.nodes().size(); i++) {
                Node node = region.nodes().get(i);
                trail.step(i, () -> node(node));
            }
            return region.results().stream().map(this::value).toList();
        }

        /** Gives a value its elements, and the symbols of its shape theirs. */
        private void define(Value value, TensorData data) {
            List<Size> shape = value.type().shape();
            if (shape.size() != data.rank()) {
                throw new IllegalArgumentException(value.name() + ": " + value.type() + " given "
                        + Arrays.toString(data.shape()));
            }
            for (int axis = 0; axis < shape.size(); axis++) {
                if (shape.get(axis) instanceof Size.Symbol symbol) {
                    sizes.putIfAbsent(symbol.name(), data.size(axis));
                }
                if (size(shape.get(axis)) != data.size(axis)) {
                    throw new Fault("axis " + axis + " of " + value.name() + " has "
                            + data.size(axis) + " elements where " + shape.get(axis) + " = "
                            + size(shape.get(axis)) + " are expected");
                }
            }
            values.put(value, data);
        }

        private TensorData value(Value value) {
            TensorData data = values.get(value);
            if (data == null) {
                data = globals.get(value);
            }
            if (data == null) {
                throw new IllegalStateException("no value for " + value.name() + " " + value);
            }
            return data;
        }

        private long size(Size size) {
            return size.evaluate(sizes);
        }

        private TensorData fresh(Value value) {
            long[] shape = value.type().shape().stream().mapToLong(this::size).toArray();
            // Its elements are in one array.
            if (TensorData.count(value.name(), shape, 1) > Integer.MAX_VALUE - 8) {
                throw TensorData.tooLarge(value.name(), shape);
            }
            return TensorData.zeros(value.type().format(), shape);
        }

        private long host(Scalar scalar) {
            return evaluator().whole(scalar).at(new long[0]);
        }

        private List<Long> hosts(List<Scalar> scalars) {
            return scalars.stream().map(this::host).toList();
        }

        private ScalarEvaluator evaluator() {
            return new ScalarEvaluator(this::storage, this::size);
        }

        private ScalarEvaluator.Storage storage(Value value) {
            State state = states.get(value);
            if (state == null) {
                return new DenseStorage(value(value));
            }
            return new StateStorage(
                    memory, state, state.lengths().equals(Optional.of(value)));
        }

        private void node(Node node) {
            switch (node) {
                case Node.Compute n -> compute(n);
                case Node.Scatter n -> scatter(n);
                case Node.TopK n -> topK(n);
                case Node.Selection n -> selection(n);
                case Node.Grouping n -> grouping(n);
                case Node.Measure n -> {
                    TensorData table = value(n.table());
                    sizes.put(n.size().name(), IntStream.range(0, table.elements())
                            .mapToLong(table::whole)
                            .max()
                            .orElse(0));
                }
                case Node.Call n -> call(n);
                case Node.Route n -> route(n);
                case Node.If n -> {
                    boolean holds = value(n.condition()).whole(0) != 0;
                    tally(n, holds);
                    trail.step(holds ? 0 : 1, () -> defineAll(n.results(),
                            region(holds ? n.then() : n.otherwise(), List.of())));
                }
                case Node.Gate n -> gate(n);
                case Node.Loop n -> loop(n);
                case Node.Append n -> append(n);
                case Node.Read n -> {
                    State state = program.state(n.state());
                    if (state.grows()) {
                        grown(state, n.instances(), n.result());
                    } else {
                        values.put(n.result(),
                                memory.carried(state, hosts(n.instances()), 0).copy());
                    }
                }
                case Node.Write n -> {
                    State state = program.state(n.state());
                    memory.carry(state, hosts(n.instances()), 0, value(n.value()).copy());
                }
                case Node.AppendRows n -> appendRows(n);
                case Node.WriteRows n -> {
                    State state = program.state(n.state());
                    TensorData segment = value(n.segment());
                    for (int row = 0; row < segment.elements(); row++) {
                        memory.carry(state, hosts(n.instances()), segment.whole(row),
                                value(n.rows()).slice(row));
                    }
                }
                case Node.Trace n -> trace(n);
                case Node.Tally n -> tally(n);
            }
        }

        private void trace(Node.Trace node) {
            watcher.traced(new Traced(
                    Parameter.instantiate(node.path(), hosts(node.instances())),
                    trail.moment(),
                    trail.isChosen(),
                    value(node.value()),
                    program.isLifted() ? Optional.of(0) : streams.axis(node.value().type())));
        }

        private void defineAll(List<Value> results, List<TensorData> data) {
            for (int i = 0; i < results.size(); i++) {
                define(results.get(i), data.get(i));
            }
        }

        private void compute(Node.Compute node) {
            TensorData result = fresh(node.result());
            ScalarEvaluator evaluator = evaluator();
            Points points = new Points(evaluator, node.axes());
            if (node.reduction().isEmpty()) {
                if (result.format().isFloat()) {
                    ScalarEvaluator.RealCode body = evaluator.real(node.body());
                    points.forEach(x -> result.setReal(points.place(x, result), body.at(x)));
                } else {
                    ScalarEvaluator.WholeCode body = evaluator.whole(node.body());
                    points.forEach(x -> result.setWhole(points.place(x, result), body.at(x)));
                }
            } else {
                Reducer reducer = new Reducer(evaluator, node);
                points.forEach(x -> reducer.store(x, result, points.place(x, result)));
            }
            values.put(node.result(), result);
        }

        private void scatter(Node.Scatter node) {
            TensorData result = value(node.base()).copy();
            ScalarEvaluator evaluator = evaluator();
            Points points = new Points(evaluator, node.axes());
            ScalarEvaluator.WholeCode[] target = node.target().stream()
                    .map(evaluator::whole)
                    .toArray(ScalarEvaluator.WholeCode[]::new);
            boolean real = result.format().isFloat();
            ScalarEvaluator.RealCode realBody = real ? evaluator.real(node.body()) : null;
            ScalarEvaluator.WholeCode wholeBody = real ? null : evaluator.whole(node.body());
            points.forEach(x -> {
                int place = 0;
                for (int axis = 0; axis < target.length; axis++) {
                    long at = target[axis].at(x);
                    if (at < 0 || at >= result.size(axis)) {
                        throw Scalar.Within.fault(
                                at, "axis " + axis + " of " + node.result().name(),
                                result.size(axis));
                    }
                    place = Math.toIntExact(place * result.size(axis) + at);
                }
                if (real) {
                    double value = realBody.at(x);
                    result.setReal(place, node.combine().isEmpty() ? value
                            : Reducer.combine(node.combine().get(), result.real(place), value));
                } else {
                    long value = wholeBody.at(x);
                    result.setWhole(place, node.combine().isEmpty() ? value
                            : Reducer.combine(node.combine().get(), result.whole(place), value));
                }
            });
            values.put(node.result(), result);
        }

        private void topK(Node.TopK node) {
            TensorData operand = value(node.operand());
            TensorData best = fresh(node.values());
            TensorData places = fresh(node.indices());
            int n = Math.toIntExact(operand.size(operand.rank() - 1));
            int k = Math.toIntExact(node.count());
            if (k > n) {
                throw new Fault("the " + k + " largest of " + n + " elements of "
                        + node.operand().name());
            }
            for (int row = 0; row * k < best.elements(); row++) {
                int begin = row * n;
                Integer[] order = new Integer[n];
                Arrays.setAll(order, i -> i);
                boolean real = operand.format().isFloat();
                Arrays.sort(order, (a, b) -> real
                        ? Double.compare(rank(operand.real(begin + b)),
                                rank(operand.real(begin + a)))
                        : Long.compare(operand.whole(begin + b), operand.whole(begin + a)));
                for (int j = 0; j < k; j++) {
                    places.setWhole(row * k + j, order[j]);
                    best.copyFrom(operand, begin + order[j], row * k + j, 1);
                }
            }
            values.put(node.values(), best);
            values.put(node.indices(), places);
        }

        /** NaN counts as the smallest, and the two zeros as equal. */
        private static double rank(double value) {
            return Double.isNaN(value) ? Double.NEGATIVE_INFINITY : value + 0.0;
        }

        private void selection(Node.Selection node) {
            streams.enter(node.count());
            TensorData condition = value(node.condition());
            long[] chosen = IntStream.range(0, condition.elements())
                    .filter(i -> condition.whole(i) != 0)
                    .asLongStream()
                    .toArray();
            sizes.put(node.count().name(), (long) chosen.length);
            if (!node.span().equals(Span.NONE)) {
                came("where " + node.span().place(), chosen.length, condition.elements());
            }
            values.put(node.indices(),
                    TensorData.ofWholes(Format.I64, new long[] {chosen.length}, chosen));
        }

        private void grouping(Node.Grouping node) {
            TensorData keys = value(node.keys());
            List<List<Long>> groups = new ArrayList<>();
            for (int g = 0; g < node.groups(); g++) {
                groups.add(new ArrayList<>());
            }
            for (int i = 0; i < keys.elements(); i++) {
                long key = keys.whole(i);
                if (key < 0 || key >= node.groups()) {
                    throw new Fault("key " + key + " of " + node.keys().name()
                            + " is not among the " + node.groups() + " groups");
                }
                groups.get((int) key).add((long) i);
            }
            long[] offsets = new long[groups.size() + 1];
            Arrays.setAll(offsets, g -> g == 0 ? 0 : offsets[g - 1] + groups.get(g - 1).size());
            long[] order = groups.stream()
                    .flatMap(List::stream)
                    .mapToLong(Long::longValue)
                    .toArray();
            values.put(node.order(),
                    TensorData.ofWholes(Format.I64, new long[] {order.length}, order));
            values.put(node.members(), TensorData.ofWholes(
                    Format.I64,
                    new long[] {order.length},
                    Arrays.stream(order).map(i -> keys.whole((int) i)).toArray()));
            values.put(node.offsets(),
                    TensorData.ofWholes(Format.I64, new long[] {offsets.length}, offsets));
        }

        private void call(Node.Call node) {
            List<TensorData> arguments = node.arguments().stream().map(this::value).toList();
            List<TensorType> types = node.arguments().stream().map(Value::type).toList();
            defineAll(node.results(), lifted(node, 0, arguments, types));
        }

        private List<TensorData> lifted(
                Node.Call node, int depth, List<TensorData> arguments, List<TensorType> types) {
            if (depth == node.lifts().size()) {
                dev.weir.ir.tensor.Function function = program.function(node.function());
                return called(function, types)
                        .function(function, hosts(node.instances()), arguments);
            }
            Node.Lift lift = node.lifts().get(depth);
            List<TensorType> inner = new ArrayList<>(types);
            for (int a = 0; a < types.size(); a++) {
                if (lift.carried().get(a)) {
                    inner.set(a, types.get(a).withoutFirstAxis());
                }
            }
            long n = size(lift.size());
            List<List<TensorData>> parts = new ArrayList<>();
            for (long i = 0; i < n; i++) {
                List<TensorData> part = new ArrayList<>();
                for (int a = 0; a < arguments.size(); a++) {
                    part.add(lift.carried().get(a)
                            ? arguments.get(a).slice(i)
                            : arguments.get(a));
                }
                parts.add(lifted(node, depth + 1, part, inner));
            }
            List<TensorData> results = new ArrayList<>();
            for (int r = 0; r < node.results().size(); r++) {
                long[] shape = node.results().get(r).type().shape().stream()
                        .skip(depth)
                        .mapToLong(this::size)
                        .toArray();
                TensorData whole =
                        TensorData.zeros(node.results().get(r).type().format(), shape);
                for (int i = 0; i < n; i++) {
                    whole.setSlice(i, parts.get(i).get(r));
                }
                results.add(whole);
            }
            return results;
        }

        private void route(Node.Route node) {
            TensorData selection = value(node.selection());
            TensorData weights = value(node.weights());
            List<TensorData> arguments = node.arguments().stream().map(this::value).toList();
            List<TensorType> types = node.arguments().stream().map(Value::type).toList();
            List<Long> outer = hosts(node.instances());
            TensorData result = fresh(node.result());
            served(node, outer, selection);
            IntStream.range(0, selection.elements())
                    .boxed()
                    .sorted((a, b) -> Long.compare(selection.whole(a), selection.whole(b)))
                    .forEach(j -> {
                        Node.Alternative chosen = alternative(node, selection.whole(j));
                        if (chosen.isNone()) {
                            return;
                        }
                        List<Long> instances = new ArrayList<>(outer);
                        if (chosen.indexed()) {
                            instances.add(
                                    selection.whole(j) - chosen.first() + chosen.start());
                        }
                        trail.chosen(() -> {
                            TensorData part = called(
                                    program.function(chosen.function()), types).function(
                                    program.function(chosen.function()), instances, arguments)
                                    .getFirst();
                            for (int i = 0; i < result.elements(); i++) {
                                result.setReal(
                                        i, result.real(i) + weights.real(j) * part.real(i));
                            }
                        });
                    });
            values.put(node.result(), result);
        }

        private static Node.Alternative alternative(Node.Route node, long index) {
            for (Node.Alternative alternative : node.alternatives()) {
                if (index >= alternative.first()
                        && index < alternative.first() + alternative.count()) {
                    return alternative;
                }
            }
            throw new Fault("block " + index + " of " + node.path() + " does not exist");
        }

        /**
         * The gate around, whose appended rows go to the slots of their elements in some states.
         *
         * @param places of the entrants among the elements of the step
         */
        private record Filling(List<String> states, List<Integer> places, int elements) {}

        private void gate(Node.Gate node) {
            TensorData condition = value(node.condition());
            int[] entrants = IntStream.range(0, condition.elements())
                    .filter(i -> condition.whole(i) != 0)
                    .toArray();
            came(node.path(), entrants.length, condition.elements());
            List<TensorData> results =
                    new ArrayList<>(node.before().stream().map(v -> value(v).copy()).toList());
            if (entrants.length > 0) {
                Filling enclosingFilling = filling;
                filling = new Filling(
                        node.completes(), Arrays.stream(entrants).boxed().toList(),
                        condition.elements());
                streams.enter(node.entrants());
                Long enclosing = sizes.put(node.entrants().name(), (long) entrants.length);
                List<TensorData> captured = new ArrayList<>();
                for (Value outer : node.captured()) {
                    TensorData all = value(outer);
                    long[] shape = all.shape();
                    shape[0] = entrants.length;
                    TensorData some = TensorData.zeros(all.format(), shape);
                    for (int i = 0; i < entrants.length; i++) {
                        some.setSlice(i, all.slice(entrants[i]));
                    }
                    captured.add(some);
                }
                List<TensorData> inner = region(node.body(), captured);
                for (int r = 0; r < results.size(); r++) {
                    for (int i = 0; i < entrants.length; i++) {
                        results.get(r).setSlice(entrants[i], inner.get(r).slice(i));
                    }
                }
                if (enclosing != null) {
                    sizes.put(node.entrants().name(), enclosing);
                }
                filling = enclosingFilling;
            }
            defineAll(node.results(), results);
        }

        private void loop(Node.Loop node) {
            List<TensorData> carried =
                    new ArrayList<>(node.initial().stream().map(this::value).toList());
            long to = host(node.to());
            for (long i = host(node.from()); i < to; i++) {
                if (node.active().isPresent()) {
                    TensorData active = carried.get(node.active().get());
                    if (IntStream.range(0, active.elements())
                            .noneMatch(a -> active.whole(a) != 0)) {
                        break;
                    }
                }
                values.put(node.index(), TensorData.scalar(i));
                carried = round(node, i, carried);
            }
            defineAll(node.results(), carried);
        }

        private List<TensorData> round(Node.Loop node, long number, List<TensorData> carried) {
            List<TensorData> next = new ArrayList<>();
            trail.step(number, () -> next.addAll(region(node.body(), carried)));
            return next;
        }

        private void append(Node.Append node) {
            State state = program.state(node.state());
            TensorData more = value(node.rows());
            List<TensorData> rows =
                    LongStream.range(0, more.size(0)).mapToObj(more::slice).toList();
            if (filling.states().contains(node.state())) {
                memory.fill(state, hosts(node.instances()), 0, filling.elements(),
                        filling.places(), rows);
            } else {
                memory.append(state, hosts(node.instances()), 0, rows);
            }
            grown(state, node.instances(), node.result());
        }

        /** All that a growing state holds. */
        private void grown(State state, List<Scalar> instances, Value result) {
            List<TensorData> rows = memory.rows(state, hosts(instances), 0);
            if (result.type().shape().getFirst() instanceof Size.Symbol slots) {
                sizes.put(slots.name(), (long) rows.size());
            }
            TensorData all = fresh(result);
            for (int i = 0; i < rows.size(); i++) {
                all.setSlice(i, rows.get(i));
            }
            values.put(result, all);
        }

        private void appendRows(Node.AppendRows node) {
            State state = program.state(node.state());
            TensorData segment = value(node.segment());
            TensorData more = value(node.rows());
            List<Long> instances = hosts(node.instances());
            if (node.among().isPresent()) {
                fillRows(node, node.among().get(), state, instances);
                return;
            }
            IntStream.range(0, segment.elements()).mapToLong(segment::whole).distinct()
                    .mapToObj(s -> memory.rows(state, instances, s))
                    .forEach(rows -> rows.subList(
                            0, (int) state.dropped(rows.size())).clear());
            for (int i = 0; i < segment.elements(); i++) {
                memory.rows(state, instances, segment.whole(i)).add(more.slice(i));
            }
        }

        private void fillRows(
                Node.AppendRows node, Node.Among among, State state, List<Long> instances) {
            TensorData segment = value(node.segment());
            TensorData places = value(among.places());
            TensorData offsets = value(among.offsets());
            TensorData more = value(node.rows());
            for (int b = 0; b < offsets.elements() - 1; b++) {
                List<Integer> at = new ArrayList<>();
                List<TensorData> rows = new ArrayList<>();
                for (int i = 0; i < segment.elements(); i++) {
                    if (segment.whole(i) == b) {
                        at.add((int) places.whole(i));
                        rows.add(more.slice(i));
                    }
                }
                memory.fill(state, instances, b,
                        (int) (offsets.whole(b + 1) - offsets.whole(b)), at, rows);
            }
        }

        // What a lifted program says by tallies, an unlifted one counts element by element; but for
        // rounds, of which each element may have a number of its own.

        /** A branch is a gate, and so is its other side if that does something. */
        private void tally(Node.If node, boolean holds) {
            String path = node.span().equals(Span.NONE) ? "if" : "if " + node.span().place();
            came(path, holds ? 1 : 0, 1);
            if (!node.otherwise().nodes().isEmpty()) {
                came(path, holds ? 0 : 1, 1);
            }
        }

        private void came(String path, long entered, long all) {
            if (!program.isLifted()) {
                watcher.tallied(Parameter.instantiate(path, instance),
                        Node.TallyKind.GATE, List.of(entered, all));
            }
        }

        private void served(Node.Route node, List<Long> outer, TensorData selection) {
            long[] elements = new long[(int) node.alternatives().stream()
                    .mapToLong(a -> a.first() + a.count()).max().orElse(0)];
            for (int j = 0; j < selection.elements(); j++) {
                alternative(node, selection.whole(j));
                elements[(int) selection.whole(j)]++;
            }
            watcher.tallied(Parameter.instantiate(node.path(), outer),
                    Node.TallyKind.ROUTE, Arrays.stream(elements).boxed().toList());
        }

        private void tally(Node.Tally node) {
            List<Long> amounts = node.offsets()
                    .map(this::value)
                    .map(o -> IntStream.range(1, o.elements())
                            .mapToObj(g -> o.whole(g) - o.whole(g - 1))
                            .toList())
                    .orElseGet(() -> hosts(node.amounts()));
            watcher.tallied(
                    Parameter.instantiate(node.path(), hosts(node.instances())),
                    node.kind(),
                    amounts);
        }
    }
}
