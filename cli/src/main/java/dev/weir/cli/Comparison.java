package dev.weir.cli;

import dev.weir.ir.kernel.KernelProgram;
import dev.weir.passes.cost.Cost;
import dev.weir.passes.cost.CostOf;
import dev.weir.passes.cost.Machine;
import dev.weir.passes.cost.Question;
import dev.weir.runtime.ledger.Ledger;
import dev.weir.runtime.model.Model;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.function.Consumer;
import java.util.function.Supplier;
import java.util.function.UnaryOperator;

/**
 * Two models at the same step: what they are predicted to cost, and how long they took, in turn in
 * one process.
 *
 * @param machine what times are predicted for; empty without a calibration
 */
record Comparison(Side left, Side right, Optional<Machine> machine) {

    /** How much longer the left one took, round by round: what slows a whole round falls out. */
    Quartiles ratio() {
        double[] quotients = new double[left.measured.nanos().size()];
        Arrays.setAll(quotients, i ->
                (double) left.measured.nanos().get(i) / right.measured.nanos().get(i));
        return Quartiles.of(quotients);
    }

    /**
     * One of the two.
     *
     * @param path of its program
     * @param before what it costs if gates let in what the question says
     * @param balanced what it costs with the shares that were let in when it ran, if its routes
     *     sent equally many rows to each block
     * @param cost the same with the routes as they were
     * @param measured its times
     * @param imbalance of the routes: the rows of the busiest block, over those of the average one
     */
    record Side(
            Path path,
            Cost before,
            Cost balanced,
            Cost cost,
            Throughput measured,
            Optional<Double> imbalance) {
        double seconds() {
            return measured.quartilesOfNanos().median() / 1e9;
        }

        double spread() {
            return measured.quartilesOfNanos().spread();
        }

        double imbalanceSeconds() {
            return cost.total().seconds() - balanced.total().seconds();
        }
    }

    /**
     * How to compare.
     *
     * @param entry that the step runs, of a model with several; the one taken by itself if empty
     * @param threads that both run with
     * @param ids above each whole number of the inputs; as many as there are logits if empty
     * @param seed of random weights; those that are stored if empty
     */
    record Setting(
            Question question,
            Optional<String> entry,
            int threads,
            Optional<Long> ids,
            Optional<Long> seed,
            Measurement measurement) {}

    static Comparison of(
            ModelOptions left,
            ModelOptions right,
            Setting setting,
            QuestionSense sense,
            Consumer<String> progress) {
        Optional<Machine> machine = Machines.of(setting.threads);
        try (Loaded a = load(left, setting, progress);
                Loaded b = load(right, setting, progress)) {
            StepEntry.requireKnown(setting.entry, setting.question.context(),
                    List.of(a.signatures().keySet(), b.signatures().keySet()));
            sense.require(setting.question, List.of(
                    q -> CostOf.entry(a.kernels(), step(a, setting), q, machine),
                    q -> CostOf.entry(b.kernels(), step(b, setting), q, machine)));
            progress.accept("measuring " + left.model + " and " + right.model);
            List<Supplier<Measurement.Trial>> trials = new ArrayList<>();
            for (Loaded loaded : List.of(a, b)) {
                trials.add(() -> trial(loaded, setting));
            }
            List<Throughput> times =
                    setting.measurement.inTurn(trials, setting.question.tokens());
            return new Comparison(
                    side(left, a, setting, machine, times.getFirst()),
                    side(right, b, setting, machine, times.getLast()), machine);
        }
    }

    private static Loaded load(
            ModelOptions named, Setting setting, Consumer<String> progress) {
        ModelOptions options = named.withAllEntries();
        return setting.seed
                .map(seed -> Loaded.load(Loaded.Use.SHOW, options,
                        setting.threads, false, new MemoryOption(), progress,
                        p -> Weights.random(options, seed, p, progress)))
                .orElseGet(() -> Loaded.load(Loaded.Use.SHOW, options,
                        setting.threads, false, new MemoryOption(), progress));
    }

    private static StepTrial trial(Loaded loaded, Setting setting) {
        return new StepTrial(loaded,
                StepEntry.of(loaded.signatures().keySet(), setting.entry),
                setting.question.context(), StepTrial.Shape.step(setting.question.tokens()),
                setting.ids);
    }

    private static KernelProgram step(Loaded loaded, Setting setting) {
        String step = StepEntry.of(loaded.signatures().keySet(), setting.entry).name();
        return loaded.kernels().stream()
                .filter(k -> k.entry().equals(step)).findFirst().orElseThrow();
    }

    /** Of one step, and of what was there before it. */
    private record Ledgers(Ledger step, Ledger before) {
        static Ledgers of(Loaded loaded, Setting setting) {
            Model model = (Model) loaded.engine();
            model.resetLedger();
            try (StepTrial trial = trial(loaded, setting)) {
                Ledger before = model.ledger();
                model.resetLedger();
                trial.run();
                return new Ledgers(model.ledger(), before);
            }
        }
    }

    private static Side side(
            ModelOptions options,
            Loaded loaded,
            Setting setting,
            Optional<Machine> machine,
            Throughput measured) {
        Ledgers ledgers = Ledgers.of(loaded, setting);
        Ledger ledger = ledgers.step;
        KernelProgram kernels = step(loaded, setting);
        UnaryOperator<Question> asItRan = question -> question.with(
                shares(question.shares(), ledger), rounds(CostOf.entry(
                        loaded.kernels(), kernels, question, machine), ledger));
        Cost before = CostOf.entry(loaded.kernels(), kernels, setting.question, machine);
        Question question = setting.question.withSharesBefore(
                shares(setting.question.shares(), ledgers.before));
        // What rounds an inner loop has depends on those of the loops around it.
        for (int depth = 0; depth <= before.loops().size(); depth++) {
            Question next = asItRan.apply(question);
            if (next.equals(question)) {
                break;
            }
            question = next;
        }
        Map<String, List<Long>> served = new HashMap<>();
        ledger.routes().forEach(r -> served.put(r.path(), r.served()));
        return new Side(options.model, before,
                CostOf.entry(loaded.kernels(), kernels, question, machine),
                CostOf.entry(loaded.kernels(), kernels, question.withRoutes(served), machine),
                measured, imbalance(ledger));
    }

    /** The rounds of each loop on the average of all times that it is expected to begin. */
    private static Map<String, Double> rounds(Cost cost, Ledger ledger) {
        Map<String, Double> rounds = new HashMap<>();
        cost.loops().stream().filter(l -> l.entered() > 0 && ledger.loops().containsKey(l.path()))
                .forEach(l -> rounds.put(
                        l.path(), ledger.loops().get(l.path()) / l.entered()));
        return rounds;
    }

    /** The shares that the gates let in. */
    private static Map<String, Double> shares(Map<String, Double> said, Ledger ledger) {
        Map<String, Double> shares = new HashMap<>(said);
        ledger.gates().stream().filter(g -> g.all() > 0).forEach(g ->
                shares.put(g.path(), (double) g.entered() / g.all()));
        return shares;
    }

    private static Optional<Double> imbalance(Ledger ledger) {
        return ledger.routes().stream()
                .filter(r -> r.served().stream().anyMatch(n -> n > 0))
                .map(r -> r.served().stream().mapToLong(n -> n).max().orElseThrow()
                        / r.served().stream().mapToLong(n -> n).average().orElseThrow())
                .max(Double::compare);
    }
}
