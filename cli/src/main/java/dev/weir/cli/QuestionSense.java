package dev.weir.cli;

import dev.weir.passes.cost.Cost;
import dev.weir.passes.cost.Question;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.TreeMap;
import java.util.TreeSet;
import java.util.function.Function;

/**
 * Whether a question fits the models that it is asked of: gates and loops that are there, and
 * rounds that these loops can have.
 *
 * @param origin who asks, in front of what is wrong; nothing for the command line
 */
record QuestionSense(String origin) {
    static final QuestionSense OF_OPTIONS = new QuestionSense("");

    /**
     * Refuses a loop or a gate that none of the models has, and rounds that none can have.
     *
     * @param models what each answers
     */
    void require(Question question, List<Function<Question, Cost>> models) {
        if (question.shares().isEmpty() && question.roundsOf().isEmpty()
                && question.rounds().isEmpty()) {
            return;
        }
        Set<String> gates = new TreeSet<>();
        Map<String, Cost.Loop> loops = new TreeMap<>();
        for (Function<Question, Cost> model : models) {
            Cost cost = model.apply(question.toTheEnd());
            gates.addAll(cost.gates());
            cost.loops().stream().filter(Cost.Loop::early).forEach(
                    loop -> loops.merge(loop.path(), loop, QuestionSense::widest));
        }
        question.shares().keySet().stream().filter(g -> !gates.contains(g)).findFirst()
                .ifPresent(unknown -> {
                    throw new UserException(origin + "there is no gate " + unknown + "; "
                            + (gates.isEmpty() ? "there is none at all"
                                    : "those that there are: " + String.join(", ", gates)));
                });
        question.roundsOf().forEach((path, rounds) -> {
            if (!loops.containsKey(path)) {
                throw new UserException(origin + "no loop " + path + " can be left early; "
                        + known(loops.keySet()));
            }
            require(path, rounds, Optional.of(loops.get(path)));
        });
        question.rounds().ifPresent(rounds -> require("a loop that is left early", rounds,
                loops.values().stream().reduce(QuestionSense::widest)));
    }

    private static Cost.Loop widest(Cost.Loop a, Cost.Loop b) {
        return new Cost.Loop(a.path(), true, a.entered(), a.iterations(),
                Math.min(a.least(), b.least()), Math.max(a.most(), b.most()));
    }

    private static String known(Set<String> loops) {
        return loops.isEmpty() ? "none can" : "those that can: " + String.join(", ", loops);
    }

    private void require(String named, double rounds, Optional<Cost.Loop> known) {
        Cost.Loop loop = known.orElseThrow(() -> new UserException(origin + "rounds are said, "
                + "here " + number(rounds) + ", and no loop can be left early"
                + "\nhelp: say none; loops run as often as their bounds say"));
        if (rounds < loop.least() || rounds > loop.most()) {
            throw new UserException(origin + named + " has from " + number(loop.least()) + " to "
                    + number(loop.most()) + " rounds, here " + number(rounds) + " are said"
                    + (rounds < loop.least()
                            ? "\nhelp: who leaves a loop has begun its round, which counts" : ""));
        }
    }

    private static String number(double rounds) {
        return rounds == Double.POSITIVE_INFINITY ? "any number of"
                : rounds == Math.rint(rounds) ? String.format(Locale.ROOT, "%.0f", rounds)
                : String.format(Locale.ROOT, "%s", rounds);
    }
}
