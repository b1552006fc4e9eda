package dev.weir.bench.row;

import dev.weir.bench.engine.Renamed;
import dev.weir.bench.engine.Target;
import dev.weir.bench.engine.WeirContestant;
import dev.weir.bench.engine.WeirModel;
import dev.weir.bench.engine.Weights;
import dev.weir.bench.machine.Limit;
import dev.weir.bench.measure.Comparison;
import dev.weir.bench.measure.Contest;
import dev.weir.bench.measure.Problem;
import dev.weir.bench.measure.Work;
import dev.weir.bench.model.Continuation;
import dev.weir.bench.model.Parameters;
import dev.weir.bench.model.Precision;
import dev.weir.bench.model.Shape;
import dev.weir.bench.model.WeirLanguageModel;
import dev.weir.bench.peer.Peer;
import dev.weir.runtime.memory.Tensor;
import java.util.List;
import java.util.Optional;

/** Two threads beside one, of the machine itself, a contraction, and a model. */
public final class ThreadsRow implements Row {
    private static final int SIDE = 1000;
    private static final int PROMPT = 256;
    private static final int GENERATION = 16;
    private static final double AIM = 1.8;

    @Override
    public String name() {
        return "threads";
    }

    @Override
    public String meaning() {
        return "two threads beside one: the machine, a contraction, a model";
    }

    @Override
    public List<Peer> peers() {
        return List.of();
    }

    @Override
    public void run(Laboratory laboratory) {
        double operations = 2.0 * SIDE * SIDE * SIDE;
        Contest machine = contest(laboratory, "FMA peak", Work.operations(operations, 0), 0);
        Contest reading = contest(laboratory, "read bandwidth", Work.bytes(0, 512 << 20), 0);
        for (int threads : new int[] {1, 2}) {
            machine.with(text(threads), () -> new Renamed(
                    text(threads), Limit.computing(operations, threads)));
            reading.with(text(threads), () -> new Renamed(
                    text(threads), Limit.reading(512 << 20, threads)));
        }
        laboratory.hold(machine);
        laboratory.hold(reading);
        try (Weights weights = new Weights()) {
            Tensor x = weights.get("x", SIDE, SIDE);
            Contest contest = contest(laboratory, "contraction of " + SIDE + "³",
                    Work.operations(operations, 12.0 * SIDE * SIDE), AIM);
            for (int threads : new int[] {1, 2}) {
                contest.with(text(threads), () -> new WeirContestant(text(threads), WeirModel.of(
                        ContractionRow.program(SIDE, SIDE), Target.NATIVE.compiler(), threads,
                        weights), SIDE, x));
            }
            laboratory.hold(contest);
        }
        try (Weights weights = new Weights()) {
            Parameters.random(Shape.LLAMA, weights);
            for (int generated : new int[] {0, GENERATION}) {
                Contest contest = contest(laboratory,
                        generated == 0 ? "llama, prompt" : "llama, generation",
                        ModelsRow.work(Shape.LLAMA, generated, Precision.F32::rowBytes), AIM);
                for (int threads : new int[] {1, 2}) {
                    contest.with(text(threads), () -> new Continuation(new WeirLanguageModel(
                            text(threads), Shape.LLAMA, Precision.F32, Target.NATIVE.compiler(),
                            threads, weights), Shape.LLAMA.vocabulary(), PROMPT, generated));
                }
                laboratory.hold(contest);
            }
        }
    }

    private static String text(int threads) {
        return threads == 1 ? "1 thread" : threads + " threads";
    }

    private static Contest contest(Laboratory laboratory, String name, Work work, double aim) {
        return laboratory.contest(new Problem("threads", name, 2, work, Optional.empty(),
                List.of(Comparison.with(text(2), text(1), aim))));
    }
}
