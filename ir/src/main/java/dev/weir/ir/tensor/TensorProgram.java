package dev.weir.ir.tensor;

import dev.weir.ir.type.Size;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/**
 * A whole model as functions over tensors.
 *
 * @param name the model's name
 * @param parameters in declaration order
 * @param states in declaration order
 * @param functions every function but the entry; empty once lifted
 * @param entry what a step runs
 * @param stream the entry's stream axis: the run-time size along which a sequence lies; empty for a
 *     model without one
 * @param resultNames the entry's results as the user named them
 * @param frames once lifted, the run-time tables that the runtime supplies; empty before
 * @param configuration the configuration fields that were read while compiling, with their values
 */
public record TensorProgram(
        String name,
        List<Parameter> parameters,
        List<State> states,
        List<Function> functions,
        Function entry,
        Optional<StreamAxis> stream,
        List<String> resultNames,
        Optional<Frames> frames,
        Map<String, String> configuration) {

    public TensorProgram {
        parameters = List.copyOf(parameters);
        states = List.copyOf(states);
        functions = List.copyOf(functions);
        resultNames = List.copyOf(resultNames);
        configuration = Map.copyOf(configuration);
    }

    /**
     * The batch of a lifted program. Its entry's arguments have the rows of all sequences one
     * behind the other.
     *
     * @param sequences how many sequences there are
     * @param rows how many rows of the stream there are in all
     * @param segment {@code i64[rows]}: the sequence of each row
     * @param offsets {@code i64[sequences + 1]}: where each sequence's rows begin
     */
    public record Frames(Size.Symbol sequences, Size.Symbol rows, Value segment, Value offsets) {}

    /** Whether an axis of this size is the stream: a sequence's, or that of all rows at once. */
    public boolean isStream(Size size) {
        return stream.map(s -> s.size().equals(size)).orElse(false)
                || frames.map(f -> f.rows().equals(size)).orElse(false);
    }

    /** The same, with another stream. */
    public TensorProgram withStream(StreamAxis other) {
        return new TensorProgram(name, parameters, states, functions, entry, Optional.of(other),
                resultNames, frames, configuration);
    }

    public boolean isLifted() {
        return frames.isPresent();
    }

    public Function function(String wanted) {
        for (Function function : functions) {
            if (function.name().equals(wanted)) {
                return function;
            }
        }
        throw new IllegalArgumentException("no function " + wanted);
    }

    public State state(String wanted) {
        for (State state : states) {
            if (state.name().equals(wanted)) {
                return state;
            }
        }
        throw new IllegalArgumentException("no state " + wanted);
    }
}
