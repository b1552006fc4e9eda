package dev.weir.testkit.ideas;

import java.util.Map;
import java.util.TreeMap;

/**
 * Who came to each gate and who entered, and how many elements each block of a route served, as a
 * textbook form counts them. Those that it says nothing about are not compared.
 */
final class Work {
    private final Map<String, long[]> gates = new TreeMap<>();
    private final Map<String, long[]> routes = new TreeMap<>();

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
