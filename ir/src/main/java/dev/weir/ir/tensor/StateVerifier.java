package dev.weir.ir.tensor;

import dev.weir.ir.type.Format;
import dev.weir.ir.type.Size;
import dev.weir.ir.type.TensorType;
import java.util.List;
import java.util.Optional;

/** Checks the nodes that work on states against the declarations of the states. */
final class StateVerifier {
    private final TensorProgram program;
    private final ScalarVerifier.Problems problems;

    StateVerifier(TensorProgram program, ScalarVerifier.Problems problems) {
        this.program = program;
        this.problems = problems;
    }

    private void require(boolean holds, String problem) {
        if (!holds) {
            problems.report(problem);
        }
    }

    private Optional<State> state(String name, List<Scalar> instances, boolean grows) {
        Optional<State> state = state(name, instances);
        state.ifPresent(s -> require(
                s.grows() == grows, "state " + name + (grows ? " does not grow" : " grows")));
        return state.filter(s -> s.grows() == grows);
    }

    private Optional<State> state(String name, List<Scalar> instances) {
        Optional<State> state =
                program.states().stream().filter(s -> s.name().equals(name)).findFirst();
        require(state.isPresent(), "there is no state " + name);
        state.ifPresent(s -> require(s.instances().size() == instances.size(),
                instances.size() + " instances for state " + name));
        state.ifPresent(s -> require(hasRoom(s), "state " + name + " is " + s.value().type()
                + ", with fewer axes than instances, sequences and slots"));
        return state.filter(StateVerifier::hasRoom);
    }

    private static boolean hasRoom(State state) {
        int leading = state.instances().size() + 1 + (state.grows() ? 1 : 0);
        return state.value().type().rank() >= leading;
    }

    /** That the value has the state's own axes behind {@code leading} others. */
    private void own(Value value, State state, int leading) {
        List<Size> wanted = state.ownShape().subList(state.grows() ? 1 : 0,
                state.ownShape().size());
        TensorType type = value.type();
        require(type.format() == state.value().type().format()
                        && type.rank() == leading + wanted.size()
                        && type.shape().subList(leading, type.rank()).equals(wanted),
                value.name() + " is " + type + " and does not fit state " + state.name() + " "
                        + state.value().type());
    }

    void append(Node.Append node) {
        state(node.state(), node.instances(), true).ifPresent(state -> {
            own(node.rows(), state, 1);
            own(node.result(), state, 1);
        });
    }

    void read(Node.Read node) {
        state(node.state(), node.instances())
                .ifPresent(state -> own(node.result(), state, state.grows() ? 1 : 0));
    }

    void write(Node.Write node) {
        state(node.state(), node.instances(), false)
                .ifPresent(state -> own(node.value(), state, 0));
    }

    void appendRows(Node.AppendRows node) {
        state(node.state(), node.instances(), true)
                .ifPresent(state -> own(node.rows(), state, 1));
        segments(node.rows(), node.segment());
        require(node.offsets().type().format() == Format.I64
                && node.offsets().type().rank() == 1, "the offsets are no i64 vector");
        node.among().ifPresent(among -> {
            segments(node.rows(), among.places());
            require(among.offsets().type().equals(node.offsets().type()),
                    "the offsets of all elements are " + among.offsets().type());
        });
    }

    void writeRows(Node.WriteRows node) {
        state(node.state(), node.instances(), false)
                .ifPresent(state -> own(node.rows(), state, 1));
        segments(node.rows(), node.segment());
    }

    private void segments(Value rows, Value segment) {
        require(segment.type().format() == Format.I64 && segment.type().rank() == 1
                        && rows.type().rank() > 0
                        && rows.type().shape().getFirst()
                                .equals(segment.type().shape().getFirst()),
                "the sequences of the rows are " + segment.type() + " for rows " + rows.type());
    }
}
