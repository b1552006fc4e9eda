package dev.weir.bench.row;

import dev.weir.bench.machine.Roofline;
import dev.weir.bench.measure.Contest;
import dev.weir.bench.measure.Outcome;
import dev.weir.bench.measure.Problem;
import dev.weir.bench.measure.Rounds;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.function.Consumer;
import java.util.function.Predicate;

/** What rows share: how they measure, what the machine can do, and where results go. */
public final class Laboratory {
    private final Rounds rounds;
    private final int threads;
    private final Predicate<String> wanted;
    private final Consumer<String> progress;
    private final Consumer<Contest.Result> results;
    private final Map<Integer, Roofline> rooflines = new TreeMap<>();
    private final List<Outcome> outcomes = new ArrayList<>();
    private final List<String> notes = new ArrayList<>();
    private final List<Contest.Absence> absences = new ArrayList<>();

    /**
     * @param threads how many each contestant may use unless a row says otherwise
     * @param wanted which contestants take part, by name
     * @param progress is told what is being measured
     * @param results sees each problem's results as soon as they are there
     */
    public Laboratory(
            Rounds rounds,
            int threads,
            Predicate<String> wanted,
            Consumer<String> progress,
            Consumer<Contest.Result> results) {
        this.rounds = rounds;
        this.threads = threads;
        this.wanted = wanted;
        this.progress = progress;
        this.results = results;
    }

    /** How many threads each contestant may use. */
    public int threads() {
        return threads;
    }

    /** The machine with so many threads, as far as it is known. */
    public Roofline roofline(int count) {
        return rooflines.computeIfAbsent(count, Roofline::measure);
    }

    /** A contest without contestants. */
    public Contest contest(Problem problem) {
        // Measured anew for each problem: something else may have been in the way the last time.
        Roofline roofline = rooflines.merge(problem.threads(),
                Roofline.measure(problem.threads()), Roofline::with);
        progress.accept(problem.row() + ": " + problem.name());
        return new Contest(problem, rounds, roofline, wanted);
    }

    /** Holds a contest and keeps what comes of it. */
    public Contest.Result hold(Contest contest) {
        Contest.Result result = contest.run();
        outcomes.addAll(result.outcomes());
        absences.addAll(result.absences());
        results.accept(result);
        return result;
    }

    /** Keeps a line that says what follows from results. */
    public void note(String line) {
        notes.add(line);
    }

    /** All so far. */
    public List<String> notes() {
        return List.copyOf(notes);
    }

    /** All so far. */
    public List<Outcome> outcomes() {
        return List.copyOf(outcomes);
    }

    /** All so far. */
    public List<Contest.Absence> absences() {
        return List.copyOf(absences);
    }

    /** Those that were measured, by threads. */
    public Map<Integer, Roofline> rooflines() {
        return Map.copyOf(rooflines);
    }
}
