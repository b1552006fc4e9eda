package dev.weir.passes.cost;

import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/**
 * What a cost is asked for: one step of one sequence.
 *
 * @param tokens that the step takes; at least 1
 * @param context what the sequence has seen before, in order
 * @param share of the elements that a gate lets in, from 0 to 1, where the program does not say
 * @param shares the same for single gates, by their paths
 * @param rounds of a loop that can be left early, at least 0; all of them if empty
 * @param roundsOf the same for single loops, by their paths
 * @param served elements that each block of a route serves, by the route's path; others serve
 *     equally many each
 * @param sharesBefore of the elements that single gates let in of what the sequence has seen
 *     before; as in the step where nothing is said
 */
public record Question(
        long tokens,
        List<Context> context,
        double share,
        Map<String, Double> shares,
        Optional<Double> rounds,
        Map<String, Double> roundsOf,
        Map<String, List<Long>> served,
        Map<String, Double> sharesBefore) {

    /**
     * Elements of a stream that a sequence has seen before a step.
     *
     * @param entry of the model that took them; the one of the step if empty
     * @param tokens at least 0
     */
    public record Context(Optional<String> entry, long tokens) {

        /** By which entry of a model: where it has one alone, this took whatever was taken. */
        public String entry(List<String> entries, String step) {
            return entries.size() == 1 ? step : entry.orElse(step);
        }
    }

    public Question {
        context = List.copyOf(context);
        shares = Map.copyOf(shares);
        roundsOf = Map.copyOf(roundsOf);
        served = Map.copyOf(served);
        sharesBefore = Map.copyOf(sharesBefore);
    }

    /** Where routes are balanced. */
    public Question(
            long tokens,
            List<Context> context,
            double share,
            Map<String, Double> shares,
            Optional<Double> rounds,
            Map<String, Double> roundsOf) {
        this(tokens, context, share, shares, rounds, roundsOf, Map.of(), Map.of());
    }

    /** Where loops run to their ends. */
    public Question(
            long tokens, List<Context> context, double share, Map<String, Double> shares) {
        this(tokens, context, share, shares, Optional.empty(), Map.of());
    }

    /** With so many tokens before it, taken by the entry of the step. */
    public Question(long tokens, long context, double share, Map<String, Double> shares) {
        this(tokens, List.of(new Context(Optional.empty(), context)), share, shares);
    }

    /** How many elements an entry of a model has taken before the step. */
    long seenBy(String entry, List<String> entries, String step) {
        return context.stream().filter(c -> c.entry(entries, step).equals(entry))
                .mapToLong(Context::tokens).sum();
    }

    /** What the sequence has seen before, as a step of so many elements. */
    Question before(long tokens) {
        Map<String, Double> gates = new HashMap<>(shares);
        gates.putAll(sharesBefore);
        return new Question(tokens, List.of(), share, gates, rounds, roundsOf);
    }

    double shareOf(String path) {
        return shares.getOrDefault(path, share);
    }

    Question ofOneToken() {
        return new Question(
                1, context, share, shares, rounds, roundsOf, Map.of(), sharesBefore);
    }

    /** The same step with other shares of single gates and other rounds of single loops. */
    public Question with(Map<String, Double> gates, Map<String, Double> loops) {
        return new Question(
                tokens, context, share, gates, rounds, loops, served, sharesBefore);
    }

    /** The same step with all loops to their ends. */
    public Question toTheEnd() {
        return new Question(tokens, context, share, shares, Optional.empty(), Map.of(), served,
                sharesBefore);
    }

    /** The same step with routes that chose as they did, instead of balanced ones. */
    public Question withRoutes(Map<String, List<Long>> routes) {
        return new Question(
                tokens, context, share, shares, rounds, roundsOf, routes, sharesBefore);
    }

    /** The same step behind elements of which gates let in such shares. */
    public Question withSharesBefore(Map<String, Double> gates) {
        return new Question(tokens, context, share, shares, rounds, roundsOf, served, gates);
    }
}
