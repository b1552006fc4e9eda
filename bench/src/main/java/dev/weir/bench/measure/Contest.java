package dev.weir.bench.measure;

import dev.weir.bench.machine.Roofline;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalDouble;
import java.util.function.Predicate;
import java.util.function.Supplier;

/**
 * Measures the contestants of one problem: makes them, compares their results with the reference,
 * takes their times in turn, and relates these to each other and to the machine. Who cannot be made
 * or gives wrong results is not timed, and the reason is kept.
 */
public final class Contest {
    private final Problem problem;
    private final Rounds rounds;
    private final Roofline roofline;
    private final Predicate<String> wanted;
    private final List<Contestant> contestants = new ArrayList<>();
    private final Map<Contestant, Work> works = new LinkedHashMap<>();
    private final Map<Contestant, OptionalDouble> errors = new LinkedHashMap<>();
    private final List<Absence> absences = new ArrayList<>();

    /**
     * Somebody who was not timed.
     *
     * @param reason in the words of whoever refused
     */
    public record Absence(String row, String problem, String contestant, String reason) {}

    /** What a contest gives. */
    public record Result(List<Outcome> outcomes, List<Absence> absences) {
        public Result {
            outcomes = List.copyOf(outcomes);
            absences = List.copyOf(absences);
        }
    }

    /**
     * @param roofline of the machine, with as many threads as the problem's
     * @param wanted which contestants take part, by name
     */
    public Contest(
            Problem problem, Rounds rounds, Roofline roofline, Predicate<String> wanted) {
        this.problem = problem;
        this.rounds = rounds;
        this.roofline = roofline;
        this.wanted = wanted;
    }

    /** Adds somebody who does all of the problem's work. */
    public Contest with(String name, Supplier<Contestant> maker) {
        return with(name, problem.work(), problem.reference(), maker);
    }

    /**
     * Adds somebody who does something else, to be compared with.
     *
     * @param name for the case that it cannot be made
     * @param work what it does
     * @param reference what has to come of it
     */
    public Contest with(
            String name,
            Work work,
            Optional<Reference> reference,
            Supplier<Contestant> maker) {
        if (!wanted.test(name)) {
            return this;
        }
        try {
            Contestant contestant = maker.get();
            OptionalDouble error = reference
                    .map(r -> OptionalDouble.of(r.error(contestant.result())))
                    .orElse(OptionalDouble.empty());
            double limit = reference.map(Reference::tolerance).orElse(0.0);
            if (error.isPresent() && !(error.getAsDouble() <= limit)) {
                contestant.close();
                absent(name, String.format(
                        "its result is wrong: error %.3g, and %.3g is allowed",
                        error.getAsDouble(), limit));
                return this;
            }
            contestants.add(contestant);
            works.put(contestant, work);
            errors.put(contestant, error);
        } catch (RuntimeException | LinkageError e) {
            absent(name, reason(e));
        }
        return this;
    }

    private void absent(String name, String reason) {
        absences.add(new Absence(problem.row(), problem.name(), name, reason));
    }

    private static String reason(Throwable thrown) {
        Throwable root = thrown;
        while (root.getCause() != null) {
            root = root.getCause();
        }
        return root.getClass().getSimpleName() + ": " + root.getMessage();
    }

    /** Takes the times, and closes all contestants. */
    public Result run() {
        try {
            Map<Contestant, List<Double>> times = rounds.run(contestants);
            List<Outcome> outcomes = new ArrayList<>();
            times.forEach((contestant, seconds) ->
                    outcomes.add(outcome(contestant, seconds, times)));
            return new Result(outcomes, absences);
        } finally {
            contestants.forEach(Contestant::close);
        }
    }

    private Outcome outcome(
            Contestant contestant,
            List<Double> seconds,
            Map<Contestant, List<Double>> times) {
        Statistics own = Statistics.of(seconds);
        Work work = works.get(contestant);
        List<Outcome.Ratio> ratios = new ArrayList<>();
        for (Comparison comparison : problem.comparisons()) {
            if (comparison.own().equals(contestant.name())) {
                other(comparison, times).ifPresent(other -> ratios.add(new Outcome.Ratio(
                        other.name(), Statistics.ratio(seconds, times.get(other)),
                        comparison.wanted())));
            }
        }
        return new Outcome(problem, contestant.name(), contestant.isPeer(), work, own,
                errors.get(contestant),
                work.operations() / own.median() / roofline.flops().most(),
                work.bytes() / own.median() / roofline.bandwidth().most(),
                ratios);
    }

    private static Optional<Contestant> other(
            Comparison comparison, Map<Contestant, List<Double>> times) {
        if (comparison.other().isPresent()) {
            return times.keySet().stream()
                    .filter(c -> c.name().equals(comparison.other().get()))
                    .findFirst();
        }
        return times.keySet().stream()
                .filter(Contestant::isPeer)
                .min(Comparator.comparingDouble(c -> Statistics.of(times.get(c)).median()));
    }
}
