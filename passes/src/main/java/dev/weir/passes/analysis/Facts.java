package dev.weir.passes.analysis;

import dev.weir.ir.kernel.TargetDescription;
import dev.weir.ir.operation.Operation;
import dev.weir.ir.tensor.Node;
import dev.weir.ir.tensor.Parameter;
import dev.weir.ir.tensor.Scalar;
import dev.weir.ir.tensor.State;
import dev.weir.ir.tensor.TensorProgram;
import dev.weir.ir.tensor.Value;
import dev.weir.ir.tensor.Walk;
import dev.weir.ir.type.Format;
import dev.weir.ir.type.Size;
import java.util.Collection;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.function.BinaryOperator;

/** What scheduling has to know of a lifted program's values. */
public final class Facts {
    private final TensorProgram program;
    private final TargetDescription target;
    private final Set<String> disabled;
    private final Map<Value, Parameter> parameters = new HashMap<>();
    private final Map<Value, State> states = new HashMap<>();
    private final Set<Value> madeAtLoad = new HashSet<>();
    private final Set<Value> hostScalars = new HashSet<>();
    private final Map<Value, Node.Grouping> groupings = new HashMap<>();
    private final Map<Value, Size> means = new HashMap<>();

    /**
     * @param disabled the names of the steps of scheduling to leave out
     */
    public Facts(TensorProgram program, TargetDescription target, Set<String> disabled) {
        this.program = program;
        this.target = target;
        this.disabled = Set.copyOf(disabled);
        program.parameters().forEach(p -> parameters.put(p.value(), p));
        program.states().forEach(s -> states.put(s.value(), s));
        Walk.nodes(program, this::see);
    }

    private void see(Node node) {
        switch (node) {
            case Node.Loop loop -> hostScalars.add(loop.index());
            case Node.Grouping grouping -> groupings.put(grouping.members(), grouping);
            case Node.Compute compute when isHostScalar(compute) ->
                    hostScalars.add(compute.result());
            case Node.Compute compute when isTable(compute) -> mean(compute.body())
                    .ifPresent(size -> means.put(compute.result(), size));
            default -> { }
        }
    }

    /**
     * Whether the host computes a node itself: whole numbers and conditions that are the same for
     * all rows.
     */
    public static boolean isHostScalar(Node node) {
        return node instanceof Node.Compute compute
                && compute.result().type().rank() == 0
                && !compute.result().type().format().isFloat()
                && compute.reduction().isEmpty()
                && wholeOnly(compute.body());
    }

    private static boolean isTable(Node.Compute compute) {
        return compute.result().type().rank() == 1
                && compute.reduction().isEmpty()
                && wholeOnly(compute.body());
    }

    /** What a whole number is on average over the points of a node, as far as sizes say it. */
    public Optional<Size> mean(Scalar scalar) {
        return switch (scalar) {
            case Scalar.Whole w -> Optional.of(Size.of(w.value()));
            case Scalar.Extent e -> Optional.of(e.size());
            case Scalar.Load l -> mean(l.source());
            case Scalar.Apply a when isLength(a) ->
                    Optional.of(Size.quotient(frames().rows(), frames().sequences()));
            case Scalar.Apply a when a.operation() == Operation.ADD -> both(a, Size::sum);
            case Scalar.Apply a when a.operation() == Operation.SUBTRACT ->
                    both(a, Size::difference);
            case Scalar.Apply a when a.operation() == Operation.MULTIPLY ->
                    both(a, Size::product);
            case Scalar.Apply a when a.operation() == Operation.DIVIDE -> both(a, Size::quotient);
            default -> Optional.empty();
        };
    }

    private Optional<Size> both(Scalar.Apply apply, BinaryOperator<Size> combination) {
        return mean(apply.operands().get(0)).flatMap(left ->
                mean(apply.operands().get(1)).map(right -> combination.apply(left, right)));
    }

    /** Where the next sequence begins, less where this one does. */
    private boolean isLength(Scalar.Apply apply) {
        return apply.operation() == Operation.SUBTRACT
                && program.frames().isPresent()
                && apply.operands().get(0) instanceof Scalar.Load next
                && apply.operands().get(1) instanceof Scalar.Load begin
                && next.source().equals(offsets())
                && begin.source().equals(offsets())
                && next.coordinates().getFirst().equals(new Scalar.Apply(
                        Operation.ADD, List.of(begin.coordinates().getFirst(),
                                new Scalar.Whole(Format.I64, 1))));
    }

    /** What the elements of a table are on average, as far as sizes say it. */
    public Optional<Size> mean(Value table) {
        return Optional.ofNullable(means.get(table));
    }

    private static boolean wholeOnly(Scalar scalar) {
        return !scalar.format().isFloat()
                && Walk.operands(scalar).stream().allMatch(Facts::wholeOnly);
    }

    /** Whether a step of scheduling takes place. */
    public boolean isOn(ScheduleStep step) {
        return !step.optional() || !disabled.contains(step.text());
    }

    public TensorProgram program() {
        return program;
    }

    public TargetDescription target() {
        return target;
    }

    public Optional<Parameter> parameter(Value value) {
        return Optional.ofNullable(parameters.get(value));
    }

    /** That from here on values are there that were made of parameters, at load. */
    public void setMadeAtLoad(Collection<Value> values) {
        madeAtLoad.clear();
        madeAtLoad.addAll(values);
    }

    /** Whether a value is there before any step. */
    public boolean isWeight(Value value) {
        return parameters.containsKey(value) || madeAtLoad.contains(value);
    }

    public Optional<State> state(Value value) {
        return Optional.ofNullable(states.get(value));
    }

    /** How many leading axes of a value stand for memory of their own: instances, sequences. */
    public int tableAxes(Value value) {
        return parameter(value).map(Parameter::instanceAxes)
                .or(() -> state(value).map(s -> s.instances().size() + 1))
                .orElse(0);
    }

    public State state(String name) {
        return program.state(name);
    }

    public boolean isHostScalar(Value value) {
        return hostScalars.contains(value);
    }

    /** Whether a launch knows a coordinate: a number of the program, or one that the host has. */
    public boolean isFixed(Scalar coordinate) {
        return switch (coordinate) {
            case Scalar.Whole w -> true;
            case Scalar.Load l -> isHostScalar(l.source());
            case Scalar.Apply a -> a.operands().stream().allMatch(this::isFixed);
            default -> false;
        };
    }

    /** The grouping whose sorted keys a value is. */
    public Optional<Node.Grouping> grouping(Value members) {
        return Optional.ofNullable(groupings.get(members));
    }

    /** Where each sequence's rows begin. */
    public Value offsets() {
        return frames().offsets();
    }

    /** Whether a size is made of constants and the sizes of the batch alone. */
    public boolean isOfFrames(Size size) {
        return Set.of(frames().sequences().name(), frames().rows().name())
                .containsAll(size.symbols());
    }

    private TensorProgram.Frames frames() {
        return program.frames().orElseThrow();
    }

    public Size sequences() {
        return frames().sequences();
    }
}
