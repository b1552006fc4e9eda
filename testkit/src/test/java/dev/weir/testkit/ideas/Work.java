package dev.weir.testkit.ideas;

import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import java.util.TreeSet;

/**
 * Who came to each gate and who entered, how many elements each block of a route served, and what
 * was compared with a threshold, as a textbook form counts them. Those that it says nothing about
 * are not compared.
 */
final class Work {
    /** As a share of the threshold: another threshold of two figures is found out. */
    private static final double CLOSE = 0.008;

    /** Single precision may decide otherwise. */
    private static final double TOO_CLOSE = 1e-4;

    /** How far values lie behind each threshold, as a share of it. */
    private final Map<String, List<Double>> compared = new TreeMap<>();
    private final Map<String, long[]> gates = new TreeMap<>();
    private final Map<String, long[]> routes = new TreeMap<>();

    /** Whether a value lies above a threshold, of which a test has to see both sides closely. */
    boolean isAbove(String threshold, double value, double limit) {
        compared.computeIfAbsent(threshold, t -> new ArrayList<>()).add(value / limit - 1);
        return value > limit;
    }

    /** Each threshold, from above and from below. */
    Set<String> sides() {
        Set<String> sides = new TreeSet<>();
        compared.keySet().forEach(t -> sides.addAll(List.of("above " + t, "below " + t)));
        return sides;
    }

    /** Sides of thresholds on which a value lies closely; none if one lies too close to tell. */
    Set<String> close() {
        Set<String> close = new TreeSet<>();
        for (Map.Entry<String, List<Double>> values : compared.entrySet()) {
            for (double distance : values.getValue()) {
                if (Math.abs(distance) < TOO_CLOSE) {
                    return Set.of();
                }
                if (Math.abs(distance) < CLOSE) {
                    close.add((distance > 0 ? "above " : "below ") + values.getKey());
                }
            }
        }
        return close;
    }

    /** One element came to a gate: a path of the ledger. */
    void came(String gate, boolean entered) {
        long[] counts = gates.computeIfAbsent(gate, g -> new long[2]);
        counts[0] += entered ? 1 : 0;
        counts[1]++;
    }

    /** One element went to a block of a route over so many. */
    void served(String route, int block, int blocks) {
        routes.computeIfAbsent(route, r -> new long[blocks])[block]++;
    }

    /** Entrants and all, by gate. */
    Map<String, long[]> gates() {
        return gates;
    }

    /** Elements served by each block, by route. */
    Map<String, long[]> routes() {
        return routes;
    }
}
