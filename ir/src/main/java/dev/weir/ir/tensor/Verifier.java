package dev.weir.ir.tensor;

import dev.weir.ir.type.Format;
import dev.weir.ir.type.Size;
import dev.weir.ir.type.TensorType;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;

/**
 * Tells what is wrong with a program that could not have come from a correct frontend or pass:
 * values out of scope, operands of the wrong format, regions whose results do not fit. A program
 * without problems can be interpreted without any but the faults that data causes.
 */
public final class Verifier {
    private final TensorProgram program;
    private final List<String> problems = new ArrayList<>();
    private final Map<Integer, Value> defined = new HashMap<>();
    private String place = "";

    /** What a region sees. */
    private record Scope(Set<Value> values, Set<String> symbols) {
        Scope inner() {
            return new Scope(new HashSet<>(values), new HashSet<>(symbols));
        }
    }

    private Verifier(TensorProgram program) {
        this.program = program;
    }

    /** What is wrong, a sentence each; empty for a program that is right. */
    public static List<String> verify(TensorProgram program) {
        Verifier verifier = new Verifier(program);
        verifier.program();
        return List.copyOf(verifier.problems);
    }

    private void report(String problem) {
        problems.add(place + ": " + problem);
    }

    private void require(boolean holds, String problem) {
        if (!holds) {
            report(problem);
        }
    }

    private void program() {
        place = "program " + program.name();
        Scope globals = new Scope(new HashSet<>(), new HashSet<>());
        for (Parameter parameter : program.parameters()) {
            define(globals, parameter.value());
            DeclarationVerifier.problems(parameter).forEach(this::report);
        }
        states(globals);
        program.frames().ifPresent(frames -> {
            globals.symbols.add(frames.sequences().name());
            globals.symbols.add(frames.rows().name());
            define(globals, frames.segment());
            define(globals, frames.offsets());
        });
        require(!program.isLifted() || program.functions().isEmpty(),
                "a lifted program has functions");
        require(program.resultNames().size() == program.entry().body().results().size(),
                program.resultNames().size() + " names for "
                        + program.entry().body().results().size() + " results");
        Set<String> names = new HashSet<>();
        for (Function function : program.functions()) {
            place = "program " + program.name();
            require(names.add(function.name()), "two functions " + function.name());
            require(!reaches(function, function.name(), new HashSet<>()),
                    "function " + function.name() + " calls itself");
            function(globals, function);
        }
        require(program.entry().instances().isEmpty(), "the entry has instances");
        function(globals, program.entry());
    }

    private void states(Scope globals) {
        Set<String> names = new HashSet<>();
        for (State state : program.states()) {
            require(names.add(state.name()), "two states " + state.name());
            DeclarationVerifier.problems(state).forEach(this::report);
            // Only a lifted program reads the tables themselves.
            Scope scope = program.isLifted() ? globals : globals.inner();
            state.value().type().shape().forEach(s -> scope.symbols.addAll(s.symbols()));
            define(scope, state.value());
            state.lengths().ifPresent(lengths -> define(scope, lengths));
        }
    }

    private boolean reaches(Function from, String wanted, Set<String> seen) {
        boolean[] found = {false};
        Walk.nodes(from.body(), node -> {
            for (String name : Walk.functions(node)) {
                if (name.equals(wanted)) {
                    found[0] = true;
                } else if (seen.add(name)) {
                    found[0] |= find(name).map(f -> reaches(f, wanted, seen)).orElse(false);
                }
            }
        });
        return found[0];
    }

    private Optional<Function> find(String name) {
        return program.functions().stream().filter(f -> f.name().equals(name)).findFirst();
    }

    private void function(Scope globals, Function function) {
        place = function.name();
        Scope scope = globals.inner();
        if (function == program.entry()) {
            program.stream().ifPresent(s -> scope.symbols.add(s.size().name()));
        }
        for (Value instance : function.instances()) {
            require(instance.type().equals(TensorType.scalar(Format.I64)),
                    "instance " + instance.name() + " is " + instance.type());
            define(scope, instance);
        }
        for (Value argument : function.body().arguments()) {
            argument.type().shape().forEach(s -> scope.symbols.addAll(s.symbols()));
            define(scope, argument);
        }
        region(scope, function.body());
    }

    private void region(Scope scope, Region region) {
        region.nodes().forEach(node -> node(scope, node));
        region.results().forEach(value -> use(scope, value));
    }

    /** A region with arguments, all of which are new. */
    private void inner(Scope scope, Region region) {
        Scope inner = scope.inner();
        region.arguments().forEach(argument -> define(inner, argument));
        region(inner, region);
    }

    private void define(Scope scope, Value value) {
        Value before = defined.put(value.id(), value);
        require(before == null, "value " + value + " " + value.name() + " is defined twice");
        scope.values.add(value);
        value.type().shape().forEach(size -> use(scope, size));
    }

    private void use(Scope scope, Value value) {
        if (!scope.values.contains(value)) {
            report("value " + value + " " + value.name() + " is not in scope");
        } else if (!defined.get(value.id()).type().equals(value.type())) {
            report("value " + value + " is used as " + value.type() + " and defined as "
                    + defined.get(value.id()).type());
        }
    }

    private void use(Scope scope, Size size) {
        for (String symbol : size.symbols()) {
            require(scope.symbols.contains(symbol), "size " + symbol + " is not in scope");
        }
    }

    // ------------------------------------------------------------------ nodes

    private void node(Scope scope, Node node) {
        String outer = place;
        place = outer + ", " + node.getClass().getSimpleName().toLowerCase(java.util.Locale.ROOT)
                + (node.results().isEmpty() ? "" : " " + node.results().getFirst().name());
        stage(node);
        Walk.operands(node).forEach(value -> use(scope, value));
        ScalarVerifier scalars = scalars(scope, axes(scope, Walk.axes(node)));
        switch (node) {
            case Node.Compute n -> compute(scalars, n);
            case Node.Scatter n -> scatter(scalars, n);
            case Node.Selection n -> {
                scope.symbols.add(n.count().name());
                type(n.condition(), Format.BOOL, 1);
                expect(n.indices(), new TensorType(Format.I64, List.of(n.count())));
            }
            case Node.Measure n -> {
                scope.symbols.add(n.size().name());
                require(n.table().type().format() == Format.I64, "the table is not i64");
            }
            case Node.Loop n -> {
                scalars.whole(n.from(), "the lower bound");
                scalars.whole(n.to(), "the upper bound");
                loop(scope, n);
            }
            case Node.Gate n -> gate(scope, n);
            case Node.If n -> {
                expect(n.condition(), TensorType.scalar(Format.BOOL));
                branch(scope, n, n.then());
                branch(scope, n, n.otherwise());
            }
            case Node.Append n -> {
                slots(scope, n.result());
                new StateVerifier(program, this::report).append(n);
            }
            case Node.TopK n -> topK(n);
            case Node.Grouping n -> grouping(n);
            case Node.Call n -> new CallVerifier(program, this::report).call(n);
            case Node.Route n -> new CallVerifier(program, this::report).route(n);
            case Node.Read n -> {
                boolean grows = program.states().stream()
                        .anyMatch(s -> s.name().equals(n.state()) && s.grows());
                if (grows) {
                    slots(scope, n.result());
                }
                new StateVerifier(program, this::report).read(n);
            }
            case Node.Write n -> new StateVerifier(program, this::report).write(n);
            case Node.AppendRows n -> new StateVerifier(program, this::report).appendRows(n);
            case Node.WriteRows n -> new StateVerifier(program, this::report).writeRows(n);
            case Node.Trace n -> { }
            case Node.Tally n -> n.offsets().ifPresent(o -> type(o, Format.I64, 1));
        }
        if (!(node instanceof Node.Compute) && !(node instanceof Node.Scatter)) {
            Walk.scalars(node).forEach(s -> scalars.whole(s, "an instance or amount"));
        }
        node.results().forEach(result -> define(scope, result));
        place = outer;
    }

    /** What is read of a growing state says how many slots there are. */
    private static void slots(Scope scope, Value result) {
        if (result.type().rank() > 0
                && result.type().shape().getFirst() instanceof Size.Symbol slots) {
            scope.symbols.add(slots.name());
        }
    }

    private void stage(Node node) {
        boolean unlifted = node instanceof Node.Call || node instanceof Node.Route
                || node instanceof Node.Gate || node instanceof Node.Append
                || node instanceof Node.Read || node instanceof Node.Write;
        boolean lifted = node instanceof Node.AppendRows || node instanceof Node.WriteRows
                || node instanceof Node.Tally;
        require(!(unlifted && program.isLifted()), "belongs in unlifted programs only");
        require(!(lifted && !program.isLifted()), "belongs in lifted programs only");
    }

    private ScalarVerifier scalars(Scope scope, Set<Index> indices) {
        return new ScalarVerifier(
                new ScalarVerifier.Scope() {
                    @Override
                    public void use(Value value) {
                        Verifier.this.use(scope, value);
                    }

                    @Override
                    public void use(Size size) {
                        Verifier.this.use(scope, size);
                    }
                },
                indices,
                this::report);
    }

    /** Checks the bounds of axes, each of which sees the indices before it. */
    private Set<Index> axes(Scope scope, List<Axis> axes) {
        Set<Index> indices = new HashSet<>();
        for (Axis axis : axes) {
            ScalarVerifier bounds = scalars(scope, indices);
            bounds.whole(axis.lower(), "the lower bound of " + axis.index());
            bounds.whole(axis.upper(), "the upper bound of " + axis.index());
            require(indices.add(axis.index()), "index " + axis.index() + " is used twice");
        }
        return indices;
    }

    private void expect(Value value, TensorType type) {
        require(value.type().equals(type),
                value.name() + " is " + value.type() + " where " + type + " is expected");
    }

    private void type(Value value, Format format, int rank) {
        require(value.type().format() == format && value.type().rank() == rank,
                value.name() + " is " + value.type() + " where " + format.word() + " of rank "
                        + rank + " is expected");
    }

    private void compute(ScalarVerifier scalars, Node.Compute node) {
        shape(node);
        Format format = node.result().type().format().compute();
        node.reduction().flatMap(Reduction::filter)
                .ifPresent(f -> scalars.expect(f, Format.BOOL, "the filter"));
        Optional<Reduction.Kind> kind = node.reduction().map(Reduction::kind);
        if (kind.equals(Optional.of(Reduction.Kind.ARGUMENT_MAXIMUM))) {
            scalars.check(node.body());
            require(format == Format.I64, "the place of the largest is " + format.word());
            return;
        }
        scalars.expect(node.body(), format, "the body");
        boolean logical = kind.equals(Optional.of(Reduction.Kind.ANY))
                || kind.equals(Optional.of(Reduction.Kind.ALL));
        if (kind.isPresent()) {
            require(logical == (node.body().format() == Format.BOOL),
                    kind.get().word() + " of " + node.body().format().word());
        }
    }

    /** Axes may be narrower than the shape, not wider. */
    private void shape(Node.Compute node) {
        List<Size> shape = node.result().type().shape();
        for (int i = 0; i < node.axes().size(); i++) {
            Axis axis = node.axes().get(i);
            Optional<Long> size = shape.get(i).constant();
            if (axis.lower() instanceof Scalar.Whole lower) {
                require(lower.value() >= 0, "axis " + axis.index() + " begins below 0");
            }
            if (size.isPresent() && axis.upper() instanceof Scalar.Whole upper) {
                require(upper.value() <= size.get(), "axis " + axis.index() + " ends at "
                        + upper.value() + ", and the result has " + size.get());
            } else if (axis.upper() instanceof Scalar.Extent extent) {
                require(extent.size().equals(shape.get(i)), "axis " + axis.index()
                        + " ends at " + extent.size() + ", and the result has " + shape.get(i));
            }
        }
    }

    private void scatter(ScalarVerifier scalars, Node.Scatter node) {
        expect(node.base(), node.result().type());
        require(node.target().size() == node.result().type().rank(),
                node.target().size() + " coordinates for " + node.result().type());
        node.target().forEach(t -> scalars.whole(t, "a target"));
        scalars.expect(node.body(), node.result().type().format().compute(), "the body");
        require(!node.combine().equals(Optional.of(Reduction.Kind.ARGUMENT_MAXIMUM)),
                "argument_maximum does not combine");
    }

    private void topK(Node.TopK node) {
        if (node.operand().type().rank() == 0) {
            report("the largest of a scalar");
            return;
        }
        List<Size> shape = new ArrayList<>(node.operand().type().shape());
        Optional<Long> size = shape.getLast().constant();
        require(node.count() > 0 && size.orElse(Long.MAX_VALUE) >= node.count(),
                "the " + node.count() + " largest of " + shape.getLast());
        shape.set(shape.size() - 1, Size.of(node.count()));
        expect(node.values(), new TensorType(node.operand().type().format(), shape));
        expect(node.indices(), new TensorType(Format.I64, shape));
    }

    private void grouping(Node.Grouping node) {
        type(node.keys(), Format.I64, 1);
        expect(node.order(), node.keys().type());
        expect(node.members(), node.keys().type());
        expect(node.offsets(), new TensorType(
                Format.I64, List.of(Size.of(node.groups() + 1))));
    }

    // ------------------------------------------------------------------ regions

    private void branch(Scope scope, Node.If node, Region region) {
        require(region.arguments().isEmpty(), "a branch with arguments");
        results(node.results(), region);
        inner(scope, region);
    }

    private void results(List<Value> results, Region region) {
        if (results.size() != region.results().size()) {
            report(results.size() + " results from " + region.results().size());
            return;
        }
        for (int i = 0; i < results.size(); i++) {
            expect(region.results().get(i), results.get(i).type());
        }
    }

    private void loop(Scope scope, Node.Loop node) {
        require(node.index().type().equals(TensorType.scalar(Format.I64)),
                "the counter is " + node.index().type());
        Region body = node.body();
        if (body.arguments().size() != node.initial().size()
                || node.results().size() != node.initial().size()) {
            report(node.initial().size() + " values enter a loop that carries "
                    + body.arguments().size() + " and leaves " + node.results().size());
            return;
        }
        for (int i = 0; i < node.initial().size(); i++) {
            expect(node.initial().get(i), body.arguments().get(i).type());
            expect(body.arguments().get(i), node.results().get(i).type());
        }
        results(node.results(), body);
        node.active().ifPresent(a -> require(
                a < node.initial().size()
                        && node.initial().get(a).type().format() == Format.BOOL,
                "what keeps the loop going is no boolean that it carries"));
        Scope inner = scope.inner();
        define(inner, node.index());
        inner(inner, body);
    }

    private void gate(Scope scope, Node.Gate node) {
        type(node.condition(), Format.BOOL, 1);
        Region body = node.body();
        if (node.captured().size() != body.arguments().size()
                || node.before().size() != node.results().size()
                || node.before().size() != body.results().size()) {
            report("captured and arguments, or before and results, differ in number");
            return;
        }
        for (int i = 0; i < node.captured().size(); i++) {
            entrants(node, node.captured().get(i), body.arguments().get(i));
        }
        for (int i = 0; i < node.before().size(); i++) {
            expect(node.before().get(i), node.results().get(i).type());
            entrants(node, node.before().get(i), body.results().get(i));
        }
        Scope inner = scope.inner();
        inner.symbols.add(node.entrants().name());
        inner(inner, body);
    }

    /** That the inner value has the entrants' rows of the outer one. */
    private void entrants(Node.Gate node, Value outer, Value inner) {
        if (outer.type().rank() == 0 || node.condition().type().rank() == 0) {
            report(outer.name() + " has no axis to gate");
            return;
        }
        List<Size> shape = new ArrayList<>(outer.type().shape());
        require(shape.getFirst().equals(node.condition().type().shape().getFirst()),
                outer.name() + " has another first axis than the condition");
        shape.set(0, node.entrants());
        expect(inner, new TensorType(outer.type().format(), shape));
    }
}
