package dev.weir.runtime.ledger;

import dev.weir.ir.tensor.Node;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;

/**
 * What ran and what did not: entrants at every gate, elements that each block of a route served,
 * iterations of loops, kernels launched, bytes of weights read. A step that failed counts as far as
 * it got. Safe for several threads.
 */
public final class Ledger {
    private final Map<String, long[]> gates = new TreeMap<>();
    private final Map<String, long[]> routes = new TreeMap<>();
    private final Map<String, Long> loops = new TreeMap<>();
    private final Map<String, Kernel> kernels = new TreeMap<>();
    private long launches;
    private long weightBytes;

    /** Entrants and all elements that came to a gate. */
    public record Gate(String path, long entered, long all) {}

    /** How often a kernel ran, and the bytes of weights that it had to read. */
    public record Kernel(long launches, long weightBytes) {}

    /** How many elements each block of a list served. */
    public record Route(String path, List<Long> served) {}

    public synchronized void tally(String path, Node.TallyKind kind, List<Long> amounts) {
        switch (kind) {
            case GATE -> add(gates.computeIfAbsent(path, p -> new long[2]), amounts);
            case ROUTE -> add(routes.computeIfAbsent(path, p -> new long[amounts.size()]), amounts);
            case ITERATION -> {
                long iterations = amounts.isEmpty() ? 1 : amounts.getFirst();
                if (iterations > 0) {
                    loops.merge(path, iterations, Long::sum);
                }
            }
        }
    }

    private static void add(long[] sums, List<Long> amounts) {
        for (int i = 0; i < sums.length; i++) {
            sums[i] += amounts.get(i);
        }
    }

    public synchronized void launched(String kernel, long bytes) {
        launches++;
        weightBytes += bytes;
        kernels.merge(kernel, new Kernel(1, bytes), (a, b) -> new Kernel(
                a.launches + b.launches, a.weightBytes + b.weightBytes));
    }

    public synchronized List<Gate> gates() {
        List<Gate> list = new ArrayList<>();
        gates.forEach((path, n) -> list.add(new Gate(path, n[0], n[1])));
        return list;
    }

    public synchronized List<Route> routes() {
        List<Route> list = new ArrayList<>();
        routes.forEach((path, n) -> list.add(
                new Route(path, java.util.Arrays.stream(n).boxed().toList())));
        return list;
    }

    /** Iterations of each loop. */
    public synchronized Map<String, Long> loops() {
        return Map.copyOf(loops);
    }

    /** What each kernel did. */
    public synchronized Map<String, Kernel> kernels() {
        return Map.copyOf(kernels);
    }

    /** How many kernels ran; those without a tile do not count. */
    public synchronized long launches() {
        return launches;
    }

    /** Bytes of weights that kernels had to read, each launch counted by itself. */
    public synchronized long weightBytes() {
        return weightBytes;
    }
}
