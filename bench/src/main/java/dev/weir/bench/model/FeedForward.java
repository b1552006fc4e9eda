package dev.weir.bench.model;

import static org.bytedeco.pytorch.global.torch.linear;
import static org.bytedeco.pytorch.global.torch.silu;

import dev.weir.bench.engine.Weights;
import dev.weir.bench.peer.OnnxGraph;
import dev.weir.bench.peer.OnnxProducts;
import dev.weir.bench.peer.Torch;
import dev.weir.runtime.memory.Tensor;
import java.util.List;
import java.util.function.UnaryOperator;

/**
 * A gated feed-forward network, {@code y = down @ (silu(gate @ x) * (up @ x))}, for every engine.
 *
 * @param gate inner rows of width
 * @param up inner rows of width
 * @param down width rows of inner
 */
public record FeedForward(Tensor gate, Tensor up, Tensor down) {

    /** Its weights, by the names under which a Weir program asks for them. */
    public static FeedForward of(Weights weights, String path, long width, long inner) {
        return new FeedForward(
                weights.get(path + "gate_proj.weight", inner, width),
                weights.get(path + "up_proj.weight", inner, width),
                weights.get(path + "down_proj.weight", width, inner));
    }

    /** With other matrices. */
    FeedForward with(UnaryOperator<Tensor> change) {
        return new FeedForward(change.apply(gate), change.apply(up), change.apply(down));
    }

    /** Elements of a token. */
    public long width() {
        return down.shape()[0];
    }

    /** Elements between the products. */
    public long inner() {
        return gate.shape()[0];
    }

    /** Bytes of its weights. */
    public double bytes() {
        return gate.bytes() + up.bytes() + down.bytes();
    }

    /** Multiplications and additions of its products for one token. */
    public double operations() {
        return 6.0 * width() * inner();
    }

    /** By the definition, in f64, added to a sum with a weight. */
    public void add(float[] x, double weight, double[] sum) {
        int width = Math.toIntExact(width());
        int inner = Math.toIntExact(inner());
        double[] hidden = new double[inner];
        for (int f = 0; f < inner; f++) {
            double g = 0;
            double u = 0;
            for (int d = 0; d < width; d++) {
                g += gate.real((long) f * width + d) * x[d];
                u += up.real((long) f * width + d) * x[d];
            }
            hidden[f] = g / (1 + Math.exp(-g)) * u;
        }
        for (int d = 0; d < width; d++) {
            double y = 0;
            for (int f = 0; f < inner; f++) {
                y += down.real((long) d * inner + f) * hidden[f];
            }
            sum[d] += weight * y;
        }
    }

    /** Weights as libtorch has them. */
    public record InTorch(
            org.bytedeco.pytorch.Tensor gate,
            org.bytedeco.pytorch.Tensor up,
            org.bytedeco.pytorch.Tensor down) {

        /** The same memory. */
        public static InTorch of(FeedForward weights) {
            return new InTorch(
                    Torch.of(weights.gate), Torch.of(weights.up), Torch.of(weights.down));
        }

        /** On a row for each token. */
        public org.bytedeco.pytorch.Tensor apply(org.bytedeco.pytorch.Tensor x) {
            return linear(silu(linear(x, gate)).mul_(linear(x, up)), down);
        }
    }

    /** Adds it to an ONNX graph; names of weights begin with {@code path}. */
    public String inOnnx(OnnxGraph graph, OnnxProducts products, String path, String x) {
        String g = products.multiply(graph, path + "gate", gate, x);
        String u = products.multiply(graph, path + "up", up, x);
        String silu = graph.apply("Mul", List.of(g, graph.apply("Sigmoid", List.of(g))));
        return products.multiply(graph, path + "down", down,
                graph.apply("Mul", List.of(silu, u)));
    }
}
