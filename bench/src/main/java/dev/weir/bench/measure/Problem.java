package dev.weir.bench.measure;

import java.util.List;
import java.util.Optional;

/**
 * One piece of work that contestants are measured by.
 *
 * @param row the row of the table that it belongs to
 * @param name which of the row's problems it is
 * @param threads how many each may use
 * @param reference what it has to give; empty where there is no result, as of a compilation
 */
public record Problem(
        String row,
        String name,
        int threads,
        Work work,
        Optional<Reference> reference,
        List<Comparison> comparisons) {
    public Problem {
        comparisons = List.copyOf(comparisons);
    }
}
