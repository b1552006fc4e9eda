package dev.weir.bench.row;

import dev.weir.bench.engine.Target;
import dev.weir.bench.engine.Weights;
import dev.weir.bench.engine.WeirContestant;
import dev.weir.bench.engine.WeirModel;
import dev.weir.bench.measure.Comparison;
import dev.weir.bench.measure.Contest;
import dev.weir.bench.measure.Problem;
import dev.weir.bench.measure.Work;
import dev.weir.bench.model.FeedForward;
import dev.weir.bench.peer.OnnxContestant;
import dev.weir.bench.peer.OnnxGraph;
import dev.weir.bench.peer.OnnxProducts;
import dev.weir.bench.peer.Peer;
import dev.weir.bench.peer.Torch;
import dev.weir.bench.peer.TorchContestant;
import dev.weir.ir.type.Format;
import dev.weir.runtime.memory.Tensor;
import java.util.List;
import java.util.Optional;

/** The library's gated feed-forward block, 1024 wide and 2816 inside, in f32. */
public final class SwiGluRow implements Row {
    private static final long WIDTH = 1024;
    private static final long INNER = 2816;
    private static final long[] TOKENS = {1, 16, 256};
    private static final String PROGRAM = """
            import stdlib.feed_forward { SwiGlu }

            model Block {
                net: SwiGlu<%1$d, %2$d>
                forward(x[T, %1$d]) -> y[T, %1$d] = net(x)
            }
            """;

    @Override
    public String name() {
        return "swiglu";
    }

    @Override
    public String meaning() {
        return "SwiGLU block 1024→2816→1024 at 1, 16, 256 tokens, beside libtorch, ONNX Runtime";
    }

    @Override
    public List<Peer> peers() {
        return List.of(Peer.TORCH, Peer.ONNX_RUNTIME);
    }

    @Override
    public void run(Laboratory laboratory) {
        try (Weights weights = new Weights()) {
            FeedForward net = FeedForward.of(weights, "net.", WIDTH, INNER);
            for (long tokens : TOKENS) {
                measure(laboratory, weights, net, tokens);
            }
        }
    }

    private static void measure(
            Laboratory laboratory, Weights weights, FeedForward net, long tokens) {
        int threads = laboratory.threads();
        Tensor x = weights.get("x" + tokens, tokens, WIDTH);
        Contest contest = laboratory.contest(new Problem("swiglu",
                tokens + (tokens == 1 ? " token" : " tokens"), threads,
                Work.operations(tokens * net.operations(),
                        net.bytes() + 8.0 * tokens * WIDTH),
                Optional.of(References.of(x, WIDTH,
                        (row, sum) -> net.add(row, 1, sum))),
                List.of(Comparison.withFastestPeer("Weir native", 1.15),
                        Comparison.with("Weir jvm", "Weir native", tokens == 1 ? 0.9 : 0.65))));
        for (Target target : Target.values()) {
            String name = "Weir " + target;
            contest.with(name, () -> new WeirContestant(name, WeirModel.of(
                    PROGRAM.formatted(WIDTH, INNER), target.compiler(), threads, weights),
                    tokens, x));
        }
        contest.with("libtorch", () -> torch(net, x, threads));
        contest.with("ONNX Runtime", () -> onnx(net, x, threads));
        laboratory.hold(contest);
    }

    private static TorchContestant torch(FeedForward net, Tensor x, int threads) {
        var weights = FeedForward.InTorch.of(net);
        var input = Torch.of(x);
        return new TorchContestant("libtorch", threads, () -> weights.apply(input), () -> { });
    }

    private static OnnxContestant onnx(FeedForward net, Tensor x, int threads) {
        OnnxGraph graph = new OnnxGraph();
        String input = graph.input("x", Format.F32, x.shape());
        String result = net.inOnnx(graph, new OnnxProducts.Floats(), "", input);
        graph.rename(result, "y", Format.F32, x.shape());
        return new OnnxContestant("ONNX Runtime", threads, graph, x, x.shape());
    }
}
