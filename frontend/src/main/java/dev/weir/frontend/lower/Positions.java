package dev.weir.frontend.lower;

import dev.weir.ir.operation.Operation;
import dev.weir.ir.tensor.Scalar;
import dev.weir.ir.type.Format;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.stream.Collectors;

/**
 * Where equal blocks stand in a list in which others stand between them, ascending. They are one
 * stack of instances all the same, so that a list of alternating blocks does not make more code
 * than one of equal blocks.
 */
record Positions(List<Long> list) {
    Positions {
        list = List.copyOf(list);
    }

    /** Positions that follow one another. */
    record Stretch(long first, long count, long start) {}

    Positions shifted(long by) {
        return new Positions(list.stream().map(p -> p + by).toList());
    }

    long first() {
        return list.getFirst();
    }

    /** The distance of neighbours, if it is the same for all; 0 otherwise. */
    private long stride() {
        long stride = list.size() == 1 ? 1 : list.get(1) - list.get(0);
        for (int i = 1; i < list.size(); i++) {
            if (list.get(i) - list.get(i - 1) != stride) {
                return 0;
            }
        }
        return stride;
    }

    boolean isContiguous() {
        return stride() == 1;
    }

    /** What stands behind the number in a placeholder, see {@code Parameter.instantiate}. */
    String shift() {
        if (isContiguous()) {
            return first() == 0 ? "" : "+" + first();
        }
        return list.stream().map(String::valueOf).collect(Collectors.joining(",", ":", ""));
    }

    /** Whether an index of the list is one of these positions; the index is inside the list. */
    Scalar contains(Scalar index) {
        if (isContiguous()) {
            Scalar below = Scalar.apply(Operation.LESS, index, Scalar.whole(list.getLast() + 1));
            return first() == 0 ? below : Scalar.apply(Operation.AND,
                    Scalar.apply(Operation.GREATER_EQUAL, index, Scalar.whole(first())), below);
        }
        return list.stream()
                .map(p -> Scalar.apply(Operation.EQUAL, index, Scalar.whole(p)))
                .reduce((a, b) -> Scalar.apply(Operation.OR, a, b)).orElseThrow();
    }

    /** Which of the positions an index is, counted from 0. */
    Scalar number(Scalar index) {
        if (stride() > 0) {
            Scalar distance = first() == 0 ? index
                    : Scalar.apply(Operation.SUBTRACT, index, Scalar.whole(first()));
            return stride() == 1 ? distance
                    : Scalar.apply(Operation.DIVIDE, distance, Scalar.whole(stride()));
        }
        return list.subList(0, list.size() - 1).stream()
                .map(p -> (Scalar) new Scalar.Convert(Format.I64,
                        Scalar.apply(Operation.LESS, Scalar.whole(p), index)))
                .reduce((a, b) -> Scalar.apply(Operation.ADD, a, b)).orElseThrow();
    }

    /** The position of an instance, if arithmetic can say it. */
    Optional<Scalar> place(Scalar number) {
        if (stride() == 0) {
            return Optional.empty();
        }
        Scalar scaled = stride() == 1 ? number
                : Scalar.apply(Operation.MULTIPLY, number, Scalar.whole(stride()));
        return Optional.of(first() == 0 ? scaled
                : Scalar.apply(Operation.ADD, scaled, Scalar.whole(first())));
    }

    /** The same as stretches of the list. */
    List<Stretch> stretches() {
        List<Stretch> stretches = new ArrayList<>();
        for (int i = 0; i < list.size(); i++) {
            Stretch last = stretches.isEmpty() ? null : stretches.getLast();
            if (last != null && last.first + last.count == list.get(i)) {
                stretches.removeLast();
                stretches.add(new Stretch(last.first, last.count + 1, last.start));
            } else {
                stretches.add(new Stretch(list.get(i), 1, i));
            }
        }
        return stretches;
    }
}
