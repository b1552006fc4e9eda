package dev.weir.bench.row;

import dev.weir.bench.engine.Target;
import dev.weir.bench.engine.WeirContestant;
import dev.weir.bench.engine.WeirModel;
import dev.weir.bench.engine.Weights;
import dev.weir.bench.measure.Comparison;
import dev.weir.bench.measure.Contest;
import dev.weir.bench.measure.Problem;
import dev.weir.bench.measure.Reference;
import dev.weir.bench.measure.Work;
import dev.weir.bench.model.FeedForward;
import dev.weir.bench.peer.Peer;
import dev.weir.runtime.memory.Tensor;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.function.IntUnaryOperator;
import java.util.stream.IntStream;

/**
 * Twelve residual SwiGLU layers that each token leaves behind the one whose number its first
 * element holds. Half of the layers are left out in all: by all tokens at the same place, or by
 * each token at another. The time is compared with that of the same program when all stay.
 */
public final class ExitRow implements Row {
    private static final int LAYERS = 12;
    private static final long WIDTH = 512;
    private static final long INNER = 1408;
    private static final int[] TOKENS = {16, 256};
    private static final double SLACK = 0.05;
    private static final String FULL = "Weir native, all layers";
    private static final String PROGRAM = """
            import stdlib.feed_forward { SwiGlu }

            block Stack<D, F, L> {
                param number[D]
                layers: SwiGlu<D, F> * L

                forward(x[D]) -> y[D] {
                    y = x
                    for i in 0..L {
                        y = y + layers[i](y)
                        y[d] = if number[d] > 0.0 { x[d] } else { y[d] }
                        if float(i) + 1.0 >= x[0] { break }
                    }
                }
            }

            model Stacked {
                stack: Stack<%1$d, %2$d, %3$d>
                forward(x[T, %1$d]) -> y[T, %1$d] = stack(x)
            }
            """;

    @Override
    public String name() {
        return "exit";
    }

    @Override
    public String meaning() {
        return "half of twelve layers not taken, beside the same program when all are";
    }

    @Override
    public List<Peer> peers() {
        return List.of();
    }

    @Override
    public void run(Laboratory laboratory) {
        try (Weights weights = new Weights()) {
            List<FeedForward> layers = new ArrayList<>();
            for (int i = 0; i < LAYERS; i++) {
                layers.add(FeedForward.of(weights, "stack.layers." + i + ".", WIDTH, INNER));
            }
            Tensor number = weights.get("stack.number", WIDTH);
            for (long d = 0; d < WIDTH; d++) {
                number.setReal(d, d == 0 ? 1 : 0);
            }
            for (int tokens : TOKENS) {
                measure(laboratory, weights, layers, tokens, "all behind layer " + LAYERS / 2,
                        t -> LAYERS / 2);
                // 1 … 11: half of the layers on average.
                measure(laboratory, weights, layers, tokens, "behind layers 1 to " + (LAYERS - 1),
                        t -> 1 + t % (LAYERS - 1));
            }
        }
    }

    private static void measure(
            Laboratory laboratory,
            Weights weights,
            List<FeedForward> layers,
            int tokens,
            String how,
            IntUnaryOperator exit) {
        int threads = laboratory.threads();
        Tensor all = input(weights, "all " + tokens, tokens, t -> LAYERS);
        Tensor some = input(weights, how + tokens, tokens, exit);
        double share = 0;
        for (int t = 0; t < tokens; t++) {
            share += (double) exit.applyAsInt(t) / LAYERS / tokens;
        }
        Contest contest = laboratory.contest(new Problem("exit", String.format(
                "%d tokens leave %s (%.0f%% of the work)", tokens, how, 100 * share), threads,
                work(layers, tokens, share, IntStream.range(0, tokens).map(exit).max()
                        .orElseThrow()), Optional.of(reference(layers, some)),
                List.of(Comparison.with("Weir native", FULL, 1 / (share + SLACK)))));
        contest.with("Weir native", () -> weir("Weir native", threads, weights, some));
        contest.with(FULL, work(layers, tokens, 1, LAYERS), Optional.of(reference(layers, all)),
                () -> weir(FULL, threads, weights, all));
        laboratory.hold(contest);
    }

    private static WeirContestant weir(String name, int threads, Weights weights, Tensor x) {
        return new WeirContestant(name, WeirModel.of(PROGRAM.formatted(WIDTH, INNER, LAYERS),
                Target.NATIVE.compiler(), threads, weights), x.shape()[0], x);
    }

    private static Tensor input(
            Weights weights, String name, int tokens, IntUnaryOperator exit) {
        Tensor x = weights.get(name, tokens, WIDTH);
        for (int t = 0; t < tokens; t++) {
            x.setReal(t * WIDTH, exit.applyAsInt(t));
        }
        return x;
    }

    /**
     * @param share of the layers that tokens take on average
     * @param used layers that any token takes
     */
    private static Work work(List<FeedForward> layers, int tokens, double share, int used) {
        FeedForward layer = layers.getFirst();
        return Work.operations(share * LAYERS * tokens * layer.operations(),
                used * layer.bytes());
    }

    private static Reference reference(List<FeedForward> layers, Tensor x) {
        return References.of(x, WIDTH, (row, sum) -> {
            float[] y = row.clone();
            for (int i = 0; i < (int) row[0]; i++) {
                double[] more = new double[y.length];
                layers.get(i).add(y, 1, more);
                for (int d = 1; d < y.length; d++) {
                    y[d] += (float) more[d];
                }
            }
            for (int d = 0; d < y.length; d++) {
                sum[d] = y[d];
            }
        });
    }
}
