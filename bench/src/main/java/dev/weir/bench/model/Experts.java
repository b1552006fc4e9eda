package dev.weir.bench.model;

import static org.bytedeco.pytorch.global.torch.eq;
import static org.bytedeco.pytorch.global.torch.index_select;
import static org.bytedeco.pytorch.global.torch.linear;
import static org.bytedeco.pytorch.global.torch.masked_select;
import static org.bytedeco.pytorch.global.torch.nonzero;
import static org.bytedeco.pytorch.global.torch.softmax;
import static org.bytedeco.pytorch.global.torch.topk;
import static org.bytedeco.pytorch.global.torch.zeros_like;

import dev.weir.bench.engine.Weights;
import dev.weir.bench.peer.OnnxGraph;
import dev.weir.bench.peer.OnnxProducts;
import dev.weir.bench.peer.Torch;
import dev.weir.runtime.memory.Tensor;
import java.util.ArrayList;
import java.util.List;
import java.util.function.UnaryOperator;
import org.bytedeco.pytorch.Scalar;

/**
 * A mixture of gated feed-forward networks of which each token takes the likeliest {@code active},
 * with weights that sum to 1, for every engine.
 *
 * @param router a row for each expert
 */
public record Experts(Tensor router, List<FeedForward> nets, int active) {
    public Experts {
        nets = List.copyOf(nets);
    }

    /**
     * Its weights, by the names under which a Weir program asks for them.
     *
     * @param path of the mixture, with a dot behind it
     */
    public static Experts of(
            Weights weights, String path, int count, int active, long width, long inner) {
        List<FeedForward> nets = new ArrayList<>();
        for (int e = 0; e < count; e++) {
            nets.add(FeedForward.of(weights, path + "experts." + e + ".", width, inner));
        }
        return new Experts(weights.get(path + "gate.weight", count, width), nets, active);
    }

    /** With other matrices in its networks. */
    public Experts with(UnaryOperator<Tensor> change) {
        return new Experts(router, nets.stream().map(n -> n.with(change)).toList(), active);
    }

    /** Elements of a token. */
    public long width() {
        return router.shape()[1];
    }

    /** A choice of experts for one token. */
    public record Choice(int[] experts, double[] weights) {}

    /** What one token takes, by the definition, in f64. */
    public Choice choose(float[] x) {
        int count = nets.size();
        double[] p = new double[count];
        double sum = 0;
        for (int e = 0; e < count; e++) {
            for (int d = 0; d < x.length; d++) {
                p[e] += router.real((long) e * x.length + d) * x[d];
            }
            p[e] = Math.exp(p[e]);
            sum += p[e];
        }
        int[] experts = new int[active];
        double[] weights = new double[active];
        double taken = 0;
        for (int k = 0; k < active; k++) {
            int best = 0;
            for (int e = 1; e < count; e++) {
                best = p[e] > p[best] ? e : best;
            }
            experts[k] = best;
            weights[k] = p[best] / sum;
            taken += weights[k];
            p[best] = -1;
        }
        for (int k = 0; k < active; k++) {
            weights[k] /= taken;
        }
        return new Choice(experts, weights);
    }

    /** How many tokens each expert serves. */
    public long[] load(Tensor x) {
        long[] load = new long[nets.size()];
        int width = Math.toIntExact(width());
        for (long t = 0; t < x.shape()[0]; t++) {
            for (int e : choose(Weights.floats(x, t * width, width)).experts()) {
                load[e]++;
            }
        }
        return load;
    }

    /** By the definition, in f64, added to a sum. */
    public void add(float[] x, double[] sum) {
        Choice choice = choose(x);
        for (int k = 0; k < active; k++) {
            nets.get(choice.experts()[k]).add(x, choice.weights()[k], sum);
        }
    }

    /**
     * Weights as libtorch has them, and the form of Hugging Face's {@code MixtralSparseMoeBlock}: a
     * loop over the experts; each takes its tokens' rows, and its results are added to theirs.
     */
    public record InTorch(
            org.bytedeco.pytorch.Tensor router, List<FeedForward.InTorch> nets, int active) {

        /** The same memory. */
        public static InTorch of(Experts experts) {
            return new InTorch(Torch.of(experts.router),
                    experts.nets.stream().map(FeedForward.InTorch::of).toList(), experts.active);
        }

        /** On a row for each token. */
        public org.bytedeco.pytorch.Tensor apply(org.bytedeco.pytorch.Tensor x) {
            var best = topk(softmax(linear(x, router), -1), active);
            var chosen = best.get1();
            var weights = best.get0().div(best.get0().sum(new long[] {-1}, true,
                    new org.bytedeco.pytorch.ScalarTypeOptional()));
            var y = zeros_like(x);
            for (int e = 0; e < nets.size(); e++) {
                var mask = eq(chosen, new Scalar(e));
                var rows = nonzero(mask).select(1, 0);
                if (rows.numel() > 0) {
                    var own = masked_select(weights, mask).unsqueeze(1);
                    y.index_add_(0, rows,
                            nets.get(e).apply(index_select(x, 0, rows)).mul_(own));
                }
            }
            return y;
        }
    }

    /**
     * Adds it to an ONNX graph, as an export of the same loop does: NonZero finds an expert's rows,
     * Gather takes them, ScatterND adds what comes of them. ONNX Runtime's own {@code MoE} gives
     * the same numbers, but neither packs weights nor divides an expert among threads: it took
     * prompts of the {@code models} row at 0.9 of the loop's speed, and single tokens as fast.
     *
     * @param products how the experts' matrices are kept; the router stays f32
     * @param path with which names of weights begin
     * @param x a row for each token
     */
    public String inOnnx(OnnxGraph graph, OnnxProducts products, String path, String x) {
        var last = new OnnxGraph.Attribute.Whole("axis", -1);
        String logits = new OnnxProducts.Floats().multiply(graph, path + "router", router, x);
        String p = graph.apply("Softmax", List.of(logits), last);
        List<String> best = graph.apply("", "TopK", 2, List.of(p, graph.wholes(active)), last);
        String sum = graph.apply("ReduceSum", List.of(best.get(0), graph.wholes(-1)),
                new OnnxGraph.Attribute.Whole("keepdims", 1));
        String weights = graph.apply("Div", List.of(best.get(0), sum));
        String y = graph.apply("Sub", List.of(x, x));
        for (int e = 0; e < nets.size(); e++) {
            String mask = graph.apply("Equal", List.of(best.get(1), graph.whole(e)));
            String places = graph.apply("NonZero", List.of(mask));
            String rows = graph.apply("Gather", List.of(places, graph.whole(0)));
            String pairs = graph.apply("Transpose", List.of(places));
            String own = graph.apply("GatherND", List.of(weights, pairs));
            String taken = graph.apply("Gather", List.of(x, rows));
            String result = nets.get(e).inOnnx(graph, products, path + e + ".", taken);
            String weighted = graph.apply("Mul", List.of(result,
                    graph.apply("Unsqueeze", List.of(own, graph.wholes(1)))));
            y = graph.apply("ScatterND", List.of(y,
                    graph.apply("Unsqueeze", List.of(rows, graph.wholes(1))), weighted),
                    new OnnxGraph.Attribute.Text("reduction", "add"));
        }
        return y;
    }
}
