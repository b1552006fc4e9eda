package dev.weir.passes.analysis;

import dev.weir.ir.kernel.TargetDescription;
import dev.weir.ir.tensor.Node;
import dev.weir.ir.tensor.Parameter;
import dev.weir.ir.tensor.Scalar;
import dev.weir.ir.tensor.State;
import dev.weir.ir.tensor.TensorProgram;
import dev.weir.ir.tensor.Value;
import dev.weir.ir.tensor.Walk;
import dev.weir.ir.type.Size;
import java.util.Collection;
import java.util.HashMap;
import java.util.HashSet;
import java.util.Map;
import java.util.Optional;
import java.util.Set;

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

    /** The grouping whose sorted keys a value is. */
    public Optional<Node.Grouping> grouping(Value members) {
        return Optional.ofNullable(groupings.get(members));
    }

    /** Where each sequence's rows begin. */
    public Value offsets() {
        return program.frames().orElseThrow().offsets();
    }

    /** Whether a size is made of constants and the sizes of the batch alone. */
    public boolean isOfFrames(Size size) {
        var frames = program.frames().orElseThrow();
        return Set.of(frames.sequences().name(), frames.rows().name())
                .containsAll(size.symbols());
    }

    public Size sequences() {
        return program.frames().orElseThrow().sequences();
    }
}
