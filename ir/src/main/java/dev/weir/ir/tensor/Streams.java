package dev.weir.ir.tensor;

import dev.weir.ir.type.Size;
import dev.weir.ir.type.TensorType;
import java.util.HashSet;
import java.util.List;
import java.util.Optional;
import java.util.Set;

/**
 * The symbols that count elements of the stream in one function of an unlifted program. Values with
 * such an axis have one row for each element; all others are one row themselves.
 */
record Streams(Set<String> symbols) {

    /** The stream of the program's entry. */
    static Streams of(TensorProgram program) {
        Set<String> symbols = new HashSet<>();
        program.stream().ifPresent(s -> symbols.add(s.size().name()));
        return new Streams(symbols);
    }

    /** The elements that entered a gate, or were selected, are a stream too. */
    void enter(Size.Symbol entrants) {
        symbols.add(entrants.name());
    }

    /** The streams of a called function, given the types of the arguments. */
    Streams called(List<Value> formal, List<TensorType> actual) {
        Set<String> known = new HashSet<>();
        Set<String> inner = new HashSet<>();
        for (int a = 0; a < formal.size(); a++) {
            List<Size> shape = formal.get(a).type().shape();
            for (int axis = 0; axis < shape.size(); axis++) {
                if (shape.get(axis) instanceof Size.Symbol symbol && known.add(symbol.name())
                        && isStream(actual.get(a).shape().get(axis))) {
                    inner.add(symbol.name());
                }
            }
        }
        return new Streams(inner);
    }

    private boolean isStream(Size size) {
        return size instanceof Size.Symbol symbol && symbols.contains(symbol.name());
    }

    /** The axis of the rows: the first that counts elements of the stream. */
    Optional<Integer> axis(TensorType type) {
        for (int axis = 0; axis < type.rank(); axis++) {
            if (isStream(type.shape().get(axis))) {
                return Optional.of(axis);
            }
        }
        return Optional.empty();
    }
}
