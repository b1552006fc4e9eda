package dev.weir.passes.lift;

import dev.weir.ir.diagnostic.Diagnostic;
import dev.weir.ir.diagnostic.Span;
import dev.weir.ir.diagnostic.WeirException;
import dev.weir.ir.operation.Operation;
import dev.weir.ir.tensor.Axis;
import dev.weir.ir.tensor.Function;
import dev.weir.ir.tensor.Identifiers;
import dev.weir.ir.tensor.Index;
import dev.weir.ir.tensor.Node;
import dev.weir.ir.tensor.Reduction;
import dev.weir.ir.tensor.Region;
import dev.weir.ir.tensor.Scalar;
import dev.weir.ir.tensor.State;
import dev.weir.ir.tensor.TensorProgram;
import dev.weir.ir.tensor.Value;
import dev.weir.ir.tensor.Walk;
import dev.weir.ir.type.Format;
import dev.weir.ir.type.Size;
import dev.weir.ir.type.TensorType;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;

/**
 * Turns a program written for one sequence and one token into one that does all sequences of a
 * batch
 * and all their tokens at once.
 *
 * <p>Every value gains an axis of rows: the sequences, or the tokens of all sequences one behind
 * the
 * other. What was decided for each element becomes selection, computes over the selected rows, and
 * scatter:
 *
 * <pre>
 *   y[t] = gate(x[t]) ? f(x[t]) : x[t]
 *       ⇒  e = [p where gate(x[p])];  y = x;  y[e[k]] = f(x[e[k]])
 *   route x[t] to experts by i[t, j]
 *       ⇒  pairs (t, j) sorted by expert; f over the pairs with weights w[members[r], …];
 *          y[t] = sum[j] weight[t, j] * out[place of (t, j)]
 * </pre>
 *
 * <p>Lengths of sequences, entrants and groups stay run-time sizes. Functions are inlined; loops
 * stay loops, so nothing grows with the depth of the network.
 */
public final class Lift {
    private final TensorProgram program;
    private final Identifiers identifiers;

    private Lift(TensorProgram program) {
        this.program = program;
        this.identifiers = Identifiers.behind(program);
    }

    /** The lifted form of an unlifted program. */
    public static TensorProgram run(TensorProgram program) {
        return new Lift(program).program();
    }

    private TensorProgram program() {
        Size.Symbol sequences = new Size.Symbol("B");
        Size.Symbol rows = new Size.Symbol("N");
        Frame root = Frame.root(sequences);
        Value segment = identifiers.value("segment", new TensorType(Format.I64, List.of(rows)));
        Value offsets = identifiers.value("offsets", new TensorType(
                Format.I64, List.of(Size.sum(sequences, Size.of(1)))));
        Frame tokens = Frame.segmented(rows, new Frame.Segments(root, segment, offsets));
        Context context = Context.root(identifiers, root);
        program.stream().ifPresent(
                s -> context.meanings.put(s.size().name(), new Meaning.Stream(tokens)));
        Region entry = program.entry().body();
        List<Value> arguments = new ArrayList<>();
        for (Value argument : entry.arguments()) {
            Value lifted = identifiers.value(
                    argument.name(), context.canonicalType(argument.type()));
            context.values.put(argument, context.canonical(argument.type(), lifted));
            arguments.add(lifted);
        }
        lift(context, entry.nodes());
        List<Value> results = entry.results().stream().map(v -> canonical(context, v)).toList();
        Function lifted = new Function(
                program.entry().name(),
                program.entry().path(),
                List.of(),
                new Region(arguments, context.nodes, results));
        return new TensorProgram(
                program.name(),
                program.parameters(),
                program.states(),
                List.of(),
                lifted,
                program.stream(),
                program.resultNames(),
                Optional.of(new TensorProgram.Frames(sequences, rows, segment, offsets)),
                program.configuration());
    }

    private void lift(Context context, List<Node> nodes) {
        nodes.forEach(node -> lift(context, node));
    }

    private void lift(Context context, Node node) {
        switch (node) {
            case Node.Compute n -> compute(context, n);
            case Node.Scatter n -> scatter(context, n);
            case Node.TopK n -> topK(context, n);
            case Node.Call n -> call(context, n);
            case Node.Route n -> new LiftRoute(this, context, n).run();
            case Node.If n -> new LiftBranch(this, context).branch(n);
            case Node.Gate n -> new LiftBranch(this, context).gate(n);
            case Node.Loop n -> new LiftLoop(this, context, n).run();
            case Node.Append n -> append(context, n);
            case Node.Read n -> {
                State state = program.state(n.state());
                List<Scalar> instances = hosts(context, n.instances(), n.span());
                if (state.grows()) {
                    view(context, n.result(), state, instances);
                } else {
                    copyState(context, n, state, instances, context.frame);
                }
            }
            case Node.Write n -> context.nodes.add(new Node.WriteRows(
                    n.state(),
                    hosts(context, n.instances(), n.span()),
                    canonical(context, n.value()),
                    sequenceOfRows(context),
                    n.span()));
            case Node.Trace n -> new LiftTrace(this, context).run(n);
            case Node.Selection n -> new LiftSelection(this, context).run(n);
            case Node.Grouping n -> throw unsupported(n.span(), "a grouping");
            case Node.Measure n -> measure(context, n);
            case Node.AppendRows n -> throw lifted();
            case Node.WriteRows n -> throw lifted();
            case Node.Tally n -> throw lifted();
        }
    }

    /**
     * A number that differs from row to row makes a size that does, too; the largest of a table is
     * that of all rows.
     */
    private void measure(Context context, Node.Measure node) {
        Lifted table = context.lifted(node.table());
        boolean differs = !(table instanceof Lifted.Uniform) && node.table().type().rank() == 0;
        if (differs) {
            context.meanings.put(node.size().name(), new Meaning.Counted(
                    canonical(context, node.table()), context.frame));
            return;
        }
        Size.Symbol size = identifiers.symbol(node.size().name());
        context.nodes.add(new Node.Measure(size, table instanceof Lifted.Uniform uniform
                ? uniform.value() : canonical(context, node.table())));
        context.meanings.put(node.size().name(), new Meaning.Fixed(size));
    }

    private static IllegalArgumentException lifted() {
        return new IllegalArgumentException("the program is lifted already");
    }

    static WeirException unsupported(Span span, String what) {
        return new WeirException(Diagnostic.error("E0990", span,
                        what + " cannot be applied along another axis yet")
                .helped("write it for the whole sequence, outside of lifted blocks and gates"));
    }

    // ------------------------------------------------------------------ computes

    /** The rows for which a value of this type is computed, and how its expressions are lifted. */
    private record Place(Frame frame, Optional<Integer> streamAxis, Index row) {}

    private Place place(Context context, TensorType type) {
        Optional<Integer> streamAxis = context.streamAxis(type.shape());
        return new Place(
                context.frameOf(type),
                streamAxis,
                identifiers.index(streamAxis.isPresent() ? "p" : "b"));
    }

    private void compute(Context context, Node.Compute node) {
        Place place = place(context, node.result().type());
        if (!place.frame.isInside(context.frame)) {
            throw unsupported(node.span(), "an equation over a whole stream, in a loop that "
                    + "sequences leave at different times or in a block that is applied along "
                    + "another axis,");
        }
        ScalarLifter lifter = new ScalarLifter(
                context,
                place.frame,
                Scalar.variable(place.row),
                place.streamAxis.map(axis -> node.axes().get(axis).index()));
        List<Axis> axes = new ArrayList<>();
        List<Scalar> all = new ArrayList<>();
        for (int i = 0; i < node.axes().size(); i++) {
            if (place.streamAxis.isEmpty() || place.streamAxis.get() != i) {
                axes.add(axis(lifter, node.axes().get(i), all));
            }
        }
        Optional<Reduction> reduction = node.reduction().map(r -> new Reduction(
                r.kind(),
                r.axes().stream().map(axis -> axis(lifter, axis, all)).toList(),
                r.filter().map(lifter::lift)));
        reduction.flatMap(Reduction::filter).ifPresent(all::add);
        Scalar body = lifter.lift(node.body());
        all.add(body);
        boolean uniform = place.streamAxis.isEmpty()
                && all.stream().noneMatch(s -> Walk.mentions(s, List.of(place.row)));
        if (uniform) {
            Value result = identifiers.value(node.result().name(), new TensorType(
                    node.result().type().format(),
                    node.result().type().shape().stream().map(context::bound).toList()));
            context.nodes.add(new Node.Compute(result, axes, reduction, body, node.span()));
            context.values.put(node.result(), new Lifted.Uniform(result));
            return;
        }
        axes.addFirst(Axis.over(place.row, place.frame.rows()));
        Value result = identifiers.value(
                node.result().name(), context.canonicalType(node.result().type()));
        context.nodes.add(new Node.Compute(result, axes, reduction, body, node.span()));
        context.values.put(node.result(), context.canonical(node.result().type(), result));
    }

    private static Axis axis(ScalarLifter lifter, Axis axis, List<Scalar> all) {
        Axis lifted = new Axis(
                axis.index(), lifter.lift(axis.lower()), lifter.lift(axis.upper()));
        all.add(lifted.lower());
        all.add(lifted.upper());
        return lifted;
    }

    private void scatter(Context context, Node.Scatter node) {
        TensorType type = node.result().type();
        Value base = canonical(context, node.base());
        Optional<Integer> stream = context.streamAxis(type.shape());
        Optional<Integer> sourceStream = context.streamAxis(
                node.axes().stream().map(Lift::sizeOf).toList());
        Frame source = sourceStream
                .flatMap(a -> context.stream(sizeOf(node.axes().get(a))))
                .orElse(context.frame);
        Index row = identifiers.index("p");
        ScalarLifter lifter = new ScalarLifter(
                context, source, Scalar.variable(row),
                sourceStream.map(a -> node.axes().get(a).index()));
        List<Axis> axes = new ArrayList<>();
        axes.add(Axis.over(row, source.rows()));
        for (int i = 0; i < node.axes().size(); i++) {
            if (sourceStream.isEmpty() || sourceStream.get() != i) {
                axes.add(axis(lifter, node.axes().get(i), new ArrayList<>()));
            }
        }
        List<Scalar> target = new ArrayList<>();
        node.target().forEach(t -> target.add(lifter.lift(t)));
        if (stream.isPresent()) {
            Frame frame = context.frameOf(type);
            Scalar sequence = source.rowIn(
                    frame.segments().orElseThrow().sequences(), Scalar.variable(row));
            Scalar at = target.remove((int) stream.get());
            if (node.checked()) {
                at = Scalar.within(at, Context.rowsOfSequence(frame, sequence),
                        "axis " + stream.get() + " of " + node.result().name());
            }
            target.addFirst(Scalar.apply(
                    Operation.ADD, Context.firstRow(frame, sequence), at));
        } else {
            target.addFirst(source.rowIn(context.frame, Scalar.variable(row)));
        }
        Value result = identifiers.value(node.result().name(), base.type());
        context.nodes.add(new Node.Scatter(
                result, base, axes, target, node.combine(), node.checked(),
                lifter.lift(node.body()), node.span()));
        context.values.put(node.result(), context.canonical(type, result));
    }

    private static Size sizeOf(Axis axis) {
        return switch (axis.upper()) {
            case Scalar.Extent e -> e.size();
            case Scalar.Whole w -> Size.of(w.value());
            case Scalar s -> Size.of(-1);
        };
    }

    private void topK(Context context, Node.TopK node) {
        Value operand = canonical(context, node.operand());
        Value values = identifiers.value(
                node.values().name(), context.canonicalType(node.values().type()));
        Value indices = identifiers.value(
                node.indices().name(), context.canonicalType(node.indices().type()));
        context.nodes.add(new Node.TopK(values, indices, operand, node.count(), node.span()));
        context.values.put(node.values(), context.canonical(node.values().type(), values));
        context.values.put(node.indices(), context.canonical(node.indices().type(), indices));
    }

    /** The lifted value that holds an unlifted value for all rows; computed if there is none. */
    Value canonical(Context context, Value value) {
        TensorType type = value.type();
        Frame frame = context.frameOf(type);
        Lifted lifted = context.lifted(value);
        if (lifted instanceof Lifted.Rows rows && rows.frame() == frame
                && context.streamAxis(type.shape()).isEmpty()) {
            return rows.value();
        }
        if (lifted instanceof Lifted.Stream stream
                && stream.holder() == frame
                && stream.frame() == frame
                && context.streamAxis(type.shape()).equals(Optional.of(stream.axis()))) {
            return stream.value();
        }
        List<Axis> axes = new ArrayList<>();
        List<Scalar> coordinates = new ArrayList<>();
        for (Size size : type.shape()) {
            Index index = identifiers.index("i");
            axes.add(Axis.over(index, size));
            coordinates.add(Scalar.variable(index));
        }
        Value copy = identifiers.value(value.name(), type);
        compute(context, new Node.Compute(
                copy, axes, Optional.empty(), Scalar.load(value, coordinates), Span.NONE));
        if (context.lifted(copy) instanceof Lifted.Uniform uniform) {
            return broadcast(context, type, frame, uniform.value());
        }
        return canonical(context, copy);
    }

    private Value broadcast(Context context, TensorType type, Frame frame, Value uniform) {
        Value result = identifiers.value(uniform.name(), context.canonicalType(type));
        List<Axis> axes = new ArrayList<>();
        List<Scalar> coordinates = new ArrayList<>();
        axes.add(Axis.over(identifiers.index("p"), frame.rows()));
        for (Size size : uniform.type().shape()) {
            Index index = identifiers.index("i");
            axes.add(Axis.over(index, size));
            coordinates.add(Scalar.variable(index));
        }
        context.nodes.add(new Node.Compute(
                result, axes, Optional.empty(), Scalar.load(uniform, coordinates), Span.NONE));
        return result;
    }

    /** An expression of the function that is the same at every row. */
    List<Scalar> hosts(Context context, List<Scalar> scalars, Span span) {
        return hosts(context, scalars, "state of a block that is chosen at run time", span);
    }

    /**
     * @param what cannot differ from row to row
     */
    List<Scalar> hosts(Context context, List<Scalar> scalars, String what, Span span) {
        Index row = identifiers.index("p");
        ScalarLifter lifter = new ScalarLifter(
                context, context.frame, Scalar.variable(row), Optional.empty());
        List<Scalar> lifted = scalars.stream().map(lifter::lift).toList();
        if (lifted.stream().anyMatch(s -> Walk.mentions(s, List.of(row)))) {
            throw unsupported(span, what);
        }
        return lifted;
    }

    // ------------------------------------------------------------------ calls

    private void call(Context context, Node.Call node) {
        Function function = program.function(node.function());
        List<Lifted> arguments = new ArrayList<>();
        node.arguments().forEach(a -> arguments.add(context.lifted(a)));
        List<TensorType> types =
                new ArrayList<>(node.arguments().stream().map(Value::type).toList());
        Context callee = context.callee(context.frame);
        Frame frame = context.frame;
        List<Size> lifts = new ArrayList<>();
        for (Node.Lift lift : node.lifts()) {
            Optional<Frame> stream = context.stream(lift.size());
            Frame inner;
            if (stream.isPresent() && lifts.isEmpty()) {
                inner = stream.get();
            } else if (stream.isPresent()
                    || !(context.bound(lift.size()) instanceof Size.Constant)) {
                throw unsupported(node.span(), "a block");
            } else {
                Size size = lift.size();
                inner = Frame.inside(frame, Size.product(frame.rows(), size), row ->
                        Scalar.apply(Operation.DIVIDE, row, Scalar.extent(size)));
            }
            for (int a = 0; a < arguments.size(); a++) {
                if (lift.carried().get(a)) {
                    arguments.set(a, carried(arguments.get(a), inner, lift.size(), stream));
                    types.set(a, types.get(a).withoutFirstAxis());
                }
            }
            lifts.add(lift.size());
            frame = inner;
        }
        callee = context.callee(frame);
        bindSizes(context, callee, function.body().arguments(), types);
        for (int a = 0; a < arguments.size(); a++) {
            callee.values.put(function.body().arguments().get(a), arguments.get(a));
        }
        bindInstances(context, callee, function, node.instances());
        lift(callee, function.body().nodes());
        for (int r = 0; r < node.results().size(); r++) {
            Value inner = function.body().results().get(r);
            context.values.put(node.results().get(r),
                    result(context, callee, inner, lifts, node.results().get(r).type()));
        }
    }

    /** What a lifted call's argument is at one row of the inner frame. */
    private static Lifted carried(
            Lifted outer, Frame inner, Size size, Optional<Frame> stream) {
        if (stream.isPresent()) {
            Frame frame = stream.get();
            if (outer instanceof Lifted.Stream s && s.axis() == 0 && frame.isInside(s.frame())) {
                return new Lifted.Rows(s.value(), s.holder());
            }
            Frame sequences = frame.segments().orElseThrow().sequences();
            return new Lifted.Part(outer, frame, row -> Scalar.apply(
                    Operation.SUBTRACT, row,
                    Context.firstRow(frame, frame.rowIn(sequences, row))));
        }
        return new Lifted.Part(outer, inner, row ->
                Scalar.apply(Operation.REMAINDER, row, Scalar.extent(size)));
    }

    /** What the result of a lifted call is to the caller. */
    private Lifted result(
            Context context, Context callee, Value inner, List<Size> lifts, TensorType type) {
        Lifted lifted = callee.lifted(inner);
        if (lifts.isEmpty() || lifted instanceof Lifted.Uniform && callee.frame == context.frame) {
            return lifted;
        }
        Value value = canonical(callee, inner);
        if (lifts.size() == 1 && context.stream(lifts.getFirst()).isPresent()) {
            return new Lifted.Stream(value, callee.frame, 0);
        }
        // Rows (r, i) of the inner frame are the axes [r, i] of the outer value.
        List<Size> shape = new ArrayList<>(context.canonicalType(type).shape());
        Value split = identifiers.value(value.name(), new TensorType(type.format(), shape));
        List<Axis> axes = new ArrayList<>();
        List<Scalar> coordinates = new ArrayList<>();
        int rowAxes = 1 + lifts.size() - (context.streamAxis(type.shape()).isPresent() ? 1 : 0);
        Scalar row = Scalar.whole(0);
        for (int axis = 0; axis < shape.size(); axis++) {
            Index index = identifiers.index("i");
            axes.add(Axis.over(index, shape.get(axis)));
            if (axis < rowAxes) {
                row = Scalar.apply(Operation.ADD,
                        Scalar.apply(Operation.MULTIPLY, row, Scalar.extent(shape.get(axis))),
                        Scalar.variable(index));
            } else {
                coordinates.add(Scalar.variable(index));
            }
        }
        coordinates.addFirst(row);
        context.nodes.add(new Node.Compute(
                split, axes, Optional.empty(), Scalar.load(value, coordinates), Span.NONE));
        return context.canonical(type, split);
    }

    /**
     * Gives the symbols in the types of a function's arguments the meaning of the caller's sizes.
     */
    void bindSizes(
            Context caller, Context callee, List<Value> formal, List<TensorType> actual) {
        for (int a = 0; a < formal.size(); a++) {
            List<Size> shape = formal.get(a).type().shape();
            for (int axis = 0; axis < shape.size(); axis++) {
                if (shape.get(axis) instanceof Size.Symbol symbol
                        && !callee.meanings.containsKey(symbol.name())) {
                    Size size = actual.get(a).shape().get(axis);
                    callee.meanings.put(symbol.name(), size instanceof Size.Symbol outer
                            ? caller.meaning(outer)
                            : new Meaning.Fixed(caller.bound(size)));
                }
            }
        }
    }

    /** Makes the instance numbers of a called function known to it. */
    void bindInstances(
            Context caller, Context callee, Function function, List<Scalar> instances) {
        callee.instances.addAll(uniform(caller, instances));
        for (int i = 0; i < instances.size(); i++) {
            Scalar instance = instances.get(i);
            callee.values.put(function.instances().get(i), new Lifted.Formula(caller.frame, row ->
                    new ScalarLifter(caller, caller.frame, row, Optional.empty()).lift(instance)));
        }
    }

    /** Those of the expressions that are the same for all rows. */
    List<Optional<Scalar>> uniform(Context context, List<Scalar> scalars) {
        Index row = identifiers.index("p");
        ScalarLifter lifter = new ScalarLifter(
                context, context.frame, Scalar.variable(row), Optional.empty());
        return scalars.stream().map(lifter::lift)
                .map(s -> Walk.mentions(s, List.of(row))
                        ? Optional.<Scalar>empty() : Optional.of(s))
                .toList();
    }

    /**
     * Counts something for the ledger. Where rows belong to different instances of a block, one
     * count is for all of them, and a star stands for the instance.
     */
    void tally(
            Context context, String path, List<Optional<Scalar>> instances, Node.TallyKind kind,
            List<Scalar> amounts, Optional<Value> offsets) {
        String shown = path;
        List<Scalar> known = new ArrayList<>();
        for (int i = 0; i < instances.size(); i++) {
            if (instances.get(i).isEmpty()) {
                shown = shown.replaceAll("\\{" + i + "(\\D[^}]*)?}", "*");
            }
            known.add(instances.get(i).orElse(Scalar.whole(0)));
        }
        context.nodes.add(new Node.Tally(shown, known, kind, amounts, offsets));
    }

    Function function(String name) {
        return program.function(name);
    }

    void liftBody(Context context, List<Node> nodes) {
        lift(context, nodes);
    }

    // ------------------------------------------------------------------ state

    private void append(Context context, Node.Append node) {
        State state = program.state(node.state());
        List<Scalar> instances = hosts(context, node.instances(), node.span());
        Value rows = canonical(context, node.rows());
        Frame frame = context.frameOf(node.rows().type());
        if (context.streamAxis(node.rows().type().shape()).isEmpty()) {
            if (!frame.isInside(context.root) || frame.segments().isPresent()
                    || !(rows.type().shape().get(1) instanceof Size.Constant)) {
                throw unsupported(node.span(), "an append to a state");
            }
            Value each = rows;
            frame = context.eachOf(frame, rows.type().shape().get(1));
            rows = flattened(context, each, frame);
        }
        Frame.Segments segments = context.inBatch(frame);
        Optional<Context.Filling> filling =
                context.filling.filter(f -> f.states().contains(node.state()));
        context.nodes.add(new Node.AppendRows(
                node.state(), instances, rows, segments.segment(), segments.offsets(),
                filling.map(f -> among(context, f)), node.span()));
        view(context, node.result(), state, instances);
    }

    /** Of which elements the rows of a gate's entrants are. */
    private Node.Among among(Context context, Context.Filling filling) {
        Frame outer = filling.outer();
        Index row = identifiers.index("p");
        Value places = identifiers.value("places",
                new TensorType(Format.I64, List.of(filling.entrants().count())));
        Scalar at = Scalar.load(
                filling.entrants().indices(), List.of(Scalar.variable(row)));
        context.nodes.add(new Node.Compute(
                places, List.of(Axis.over(row, filling.entrants().count())), Optional.empty(),
                Scalar.apply(Operation.SUBTRACT, at, Context.firstRow(outer,
                        outer.rowIn(outer.segments().orElseThrow().sequences(), at))),
                Span.NONE));
        return new Node.Among(places, context.inBatch(outer).offsets());
    }

    /** What is read of a growing state is read where it lies. */
    private void view(Context context, Value result, State state, List<Scalar> instances) {
        if (result.type().shape().getFirst() instanceof Size.Symbol slots) {
            context.meanings.put(slots.name(), new Meaning.Slots(state, instances));
        }
        context.values.put(result, new Lifted.Stored(state, instances, context.root));
    }

    /** The rows {@code [rows, n, …]} of a frame one behind the other. */
    Value flattened(Context context, Value each, Frame frame) {
        List<Size> shape = new ArrayList<>(each.type().shape());
        Size count = shape.remove(1);
        shape.set(0, frame.rows());
        Value flat = identifiers.value(each.name(), new TensorType(each.type().format(), shape));
        List<Axis> axes = new ArrayList<>();
        List<Scalar> coordinates = new ArrayList<>();
        for (Size size : shape) {
            Index index = identifiers.index("i");
            axes.add(Axis.over(index, size));
            coordinates.add(Scalar.variable(index));
        }
        Scalar row = coordinates.removeFirst();
        coordinates.addFirst(Scalar.apply(Operation.REMAINDER, row, Scalar.extent(count)));
        coordinates.addFirst(Scalar.apply(Operation.DIVIDE, row, Scalar.extent(count)));
        context.nodes.add(new Node.Compute(
                flat, axes, Optional.empty(), Scalar.load(each, coordinates), Span.NONE));
        return flat;
    }

    /** Reads of a carried state see what it held when the read was made, so they copy. */
    private void copyState(
            Context context, Node.Read node, State state, List<Scalar> instances, Frame frame) {
        if (!frame.isInside(context.root)) {
            throw unsupported(node.span(), "a read of a state");
        }
        Index row = identifiers.index("b");
        List<Axis> axes = new ArrayList<>();
        axes.add(Axis.over(row, frame.rows()));
        List<Scalar> coordinates = new ArrayList<>(instances);
        coordinates.add(frame.rowIn(context.root, Scalar.variable(row)));
        for (Size size : node.result().type().shape()) {
            Index index = identifiers.index("i");
            axes.add(Axis.over(index, size));
            coordinates.add(Scalar.variable(index));
        }
        Value copy = identifiers.value(
                node.result().name(), context.canonicalType(node.result().type()));
        context.nodes.add(new Node.Compute(
                copy, axes, Optional.empty(), Scalar.load(state.value(), coordinates),
                node.span()));
        context.values.put(node.result(), new Lifted.Rows(copy, frame));
    }

    /** {@code i64[rows]}: the sequence of each row of the context's frame. */
    private Value sequenceOfRows(Context context) {
        Index row = identifiers.index("p");
        Value sequence = identifiers.value(
                "sequence", new TensorType(Format.I64, List.of(context.frame.rows())));
        context.nodes.add(new Node.Compute(
                sequence,
                List.of(Axis.over(row, context.frame.rows())),
                Optional.empty(),
                context.frame.rowIn(context.root, Scalar.variable(row)),
                Span.NONE));
        return sequence;
    }
}
