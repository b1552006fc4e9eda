package dev.weir.frontend.lower;

import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.function.BiPredicate;

/** Which axes of a longer shape a shorter one stands for; the others it lacks. */
final class Alignment {
    private Alignment() {}

    /** Places in {@code longer}, ascending; names decide before numbers do. */
    static Optional<List<Integer>> of(List<Dimension> longer, List<Dimension> shorter) {
        return find(longer, shorter, Dimension::isSameByName)
                .or(() -> find(longer, shorter, Dimension::isSame))
                .or(() -> find(longer, shorter, (a, b) -> !a.differs(b)));
    }

    private static Optional<List<Integer>> find(
            List<Dimension> longer,
            List<Dimension> shorter,
            BiPredicate<Dimension, Dimension> same) {
        int extra = longer.size() - shorter.size();
        if (extra < 0) {
            return Optional.empty();
        }
        List<Integer> trailing = new ArrayList<>();
        for (int i = 0; i < shorter.size(); i++) {
            if (same.test(longer.get(i + extra), shorter.get(i))) {
                trailing.add(i + extra);
            }
        }
        if (trailing.size() == shorter.size()) {
            return Optional.of(trailing);
        }
        List<Integer> places = new ArrayList<>();
        for (int i = 0; i < longer.size() && places.size() < shorter.size(); i++) {
            if (same.test(longer.get(i), shorter.get(places.size()))) {
                places.add(i);
            }
        }
        return places.size() == shorter.size() ? Optional.of(places) : Optional.empty();
    }

    /** The first pair that disagrees, in words. */
    static String difference(List<Dimension> longer, List<Dimension> shorter) {
        int extra = longer.size() - shorter.size();
        for (int i = 0; i < shorter.size(); i++) {
            if (longer.get(i + extra).differs(shorter.get(i))) {
                return longer.get(i + extra).describe() + " against "
                        + shorter.get(i).describe();
            }
        }
        return "";
    }
}
