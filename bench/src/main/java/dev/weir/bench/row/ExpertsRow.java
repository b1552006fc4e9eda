package dev.weir.bench.row;

import dev.weir.bench.engine.Target;
import dev.weir.bench.engine.WeirContestant;
import dev.weir.bench.engine.WeirModel;
import dev.weir.bench.engine.Weights;
import dev.weir.bench.measure.Comparison;
import dev.weir.bench.measure.Contest;
import dev.weir.bench.measure.Problem;
import dev.weir.bench.measure.Work;
import dev.weir.bench.model.Experts;
import dev.weir.bench.model.FeedForward;
import dev.weir.bench.peer.OnnxContestant;
import dev.weir.bench.peer.OnnxGraph;
import dev.weir.bench.peer.OnnxProducts;
import dev.weir.bench.peer.Peer;
import dev.weir.bench.peer.Torch;
import dev.weir.bench.peer.TorchContestant;
import dev.weir.ir.type.Format;
import dev.weir.runtime.memory.Tensor;
import java.util.Arrays;
import java.util.List;
import java.util.Optional;

/**
 * The library's mixture of 16 gated feed-forward networks, 512 wide and 1024 inside, of which each
 * token takes 2. With uniform routing each expert is as likely as the next; with skewed routing the
 * first ones are likelier, so that about half of all pairs go to three of them.
 */
public final class ExpertsRow implements Row {
    private static final int COUNT = 16;
    private static final int ACTIVE = 2;
    private static final long WIDTH = 512;
    private static final long INNER = 1024;
    private static final long[] TOKENS = {1, 8, 64, 512};
    private static final double SKEW = 0.9;
    private static final String DENSE = "Weir native, dense, active size";
    private static final String PROGRAM = """
            import stdlib.feed_forward { SwiGlu }
            import stdlib.mixture { Moe }

            model Mixture {
                net: Moe<%1$d, %3$d, %4$d, SwiGlu<%1$d, %2$d>>
                forward(x[T, %1$d]) -> y[T, %1$d] = net(x)
            }
            """;
    private static final String DENSE_PROGRAM = """
            import stdlib.feed_forward { SwiGlu }

            model Dense {
                dense: SwiGlu<%1$d, %2$d>
                forward(x[T, %1$d]) -> y[T, %1$d] = dense(x)
            }
            """;

    @Override
    public String name() {
        return "experts";
    }

    @Override
    public String meaning() {
        return "16 experts, top 2, 512→1024→512 at 1, 8, 64, 512 tokens, uniform and skewed, "
                + "beside libtorch, ONNX Runtime and a dense block of the active size";
    }

    @Override
    public List<Peer> peers() {
        return List.of(Peer.TORCH, Peer.ONNX_RUNTIME);
    }

    @Override
    public void run(Laboratory laboratory) {
        for (boolean skewed : new boolean[] {false, true}) {
            try (Weights weights = new Weights()) {
                Experts experts = Experts.of(weights, "net.", COUNT, ACTIVE, WIDTH, INNER);
                route(experts.router(), skewed);
                for (long tokens : TOKENS) {
                    measure(laboratory, weights, experts, tokens, skewed);
                }
            }
        }
    }

    /** The first element of each token is 1, so the router's first column is a bias. */
    private static void route(Tensor router, boolean skewed) {
        for (int e = 0; e < COUNT; e++) {
            router.setReal(e * WIDTH, skewed ? -SKEW * Math.log(e + 1) : 0);
        }
    }

    private static Tensor tokens(Weights weights, long tokens) {
        Tensor x = weights.get("x" + tokens, tokens, WIDTH);
        double range = Math.sqrt(WIDTH);
        for (long i = 0; i < x.elements(); i++) {
            boolean first = i % WIDTH == 0;
            x.setReal(i, first ? 1 : Math.clamp(x.real(i) * range, -2, 2));
        }
        return x;
    }

    private static void measure(
            Laboratory laboratory,
            Weights weights,
            Experts experts,
            long tokens,
            boolean skewed) {
        int threads = laboratory.threads();
        Tensor x = tokens(weights, tokens);
        long[] load = experts.load(x);
        long used = Arrays.stream(load).filter(n -> n > 0).count();
        FeedForward net = experts.nets().getFirst();
        double ends = 8.0 * tokens * WIDTH;
        Work work = Work.operations(
                tokens * (ACTIVE * net.operations() + 2.0 * COUNT * WIDTH),
                used * net.bytes() + experts.router().bytes() + ends);
        double perExpert = (double) tokens * ACTIVE / COUNT;
        // What is aimed at beside the dense block begins with 64 tokens an expert.
        double aim = perExpert >= 256 ? 1 / 1.15 : perExpert >= 64 ? 1 / 1.3 : 0;
        String name = String.format("%d tokens, %s (%d used, most %d)", tokens,
                skewed ? "skewed" : "uniform", used, Arrays.stream(load).max().orElseThrow());
        Contest contest = laboratory.contest(new Problem("experts", name, threads, work,
                Optional.of(References.of(x, WIDTH, experts::add)),
                List.of(Comparison.withFastestPeer("Weir native", 1.5),
                        Comparison.with("Weir native", DENSE, aim),
                        Comparison.with("Weir jvm", "Weir native", 0.65))));
        for (Target target : Target.values()) {
            String weir = "Weir " + target;
            contest.with(weir, () -> new WeirContestant(weir, WeirModel.of(
                    PROGRAM.formatted(WIDTH, INNER, COUNT, ACTIVE), target.compiler(), threads,
                    weights), tokens, x));
        }
        FeedForward dense = FeedForward.of(weights, "dense.", WIDTH, ACTIVE * INNER);
        contest.with(DENSE,
                Work.operations(tokens * dense.operations(), dense.bytes() + ends),
                Optional.of(References.of(x, dense.width(),
                        (row, sum) -> dense.add(row, 1, sum))),
                () -> new WeirContestant(DENSE, WeirModel.of(
                        DENSE_PROGRAM.formatted(WIDTH, ACTIVE * INNER), Target.NATIVE.compiler(),
                        threads, weights), tokens, x));
        contest.with("libtorch", () -> {
            var own = Experts.InTorch.of(experts);
            var input = Torch.of(x);
            return new TorchContestant("libtorch", threads, () -> own.apply(input), () -> { });
        });
        contest.with("ONNX Runtime", () -> {
            OnnxGraph graph = new OnnxGraph();
            String input = graph.input("x", Format.F32, x.shape());
            graph.rename(experts.inOnnx(graph, new OnnxProducts.Floats(), "", input), "y",
                    Format.F32, x.shape());
            return new OnnxContestant("ONNX Runtime", threads, graph, x, x.shape());
        });
        laboratory.hold(contest);
    }
}
