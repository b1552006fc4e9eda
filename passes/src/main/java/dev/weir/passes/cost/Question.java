package dev.weir.passes.cost;

import java.util.Map;

/**
 * What a cost is asked for: one step of one sequence.
 *
 * @param tokens that the step takes; at least 1
 * @param context tokens that the sequence has seen before
 * @param share of the elements that a gate lets in, from 0 to 1, where the program does not say
 * @param shares the same for single gates, by their paths
 */
public record Question(long tokens, long context, double share, Map<String, Double> shares) {
    public Question {
        shares = Map.copyOf(shares);
    }

    double shareOf(String path) {
        return shares.getOrDefault(path, share);
    }

    Question ofOneToken() {
        return new Question(1, context, share, shares);
    }
}
