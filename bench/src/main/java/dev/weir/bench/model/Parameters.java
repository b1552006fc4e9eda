package dev.weir.bench.model;

import dev.weir.bench.engine.Weights;
import dev.weir.runtime.memory.Tensor;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.function.UnaryOperator;

/**
 * The weights of a model, under the names of published checkpoints.
 *
 * @param norm the last normalisation
 * @param all by name
 */
public record Parameters(
        Shape shape, Tensor embedding, Tensor norm, List<Layer> layers, Map<String, Tensor> all) {

    /** The weights of a layer. */
    public record Layer(
            Tensor norm,
            Tensor query,
            Tensor key,
            Tensor value,
            Tensor output,
            Tensor secondNorm,
            Mixer mixer) {}

    /** What stands behind attention: a feed-forward network, or experts. */
    public sealed interface Mixer {
        /** A plain one. */
        record Plain(FeedForward net) implements Mixer {}

        /** A mixture. */
        record Mixture(Experts experts) implements Mixer {}

        /** With other matrices; a router keeps its own. */
        default Mixer with(UnaryOperator<Tensor> change) {
            return switch (this) {
                case Plain m -> new Plain(m.net.with(change));
                case Mixture m -> new Mixture(m.experts.with(change));
            };
        }
    }

    /** With what a precision leaves of matrices; {@code all} stays as it is. */
    Parameters rounded(Precision precision) {
        UnaryOperator<Tensor> change = precision::rounded;
        return new Parameters(shape, change.apply(embedding), norm, layers.stream()
                .map(l -> new Layer(l.norm, change.apply(l.query), change.apply(l.key),
                        change.apply(l.value), byHead(l.output, change), l.secondNorm,
                        l.mixer.with(change)))
                .toList(), all);
    }

    /** Random ones. */
    public static Parameters random(Shape shape, Weights weights) {
        Map<String, Tensor> all = new LinkedHashMap<>();
        Maker maker = new Maker(weights, all);
        Tensor embedding = maker.make("model.embed_tokens", shape.vocabulary(), shape.width());
        List<Layer> layers = new ArrayList<>();
        for (int i = 0; i < shape.layers(); i++) {
            layers.add(layer(shape, maker, "model.layers." + i + "."));
        }
        return new Parameters(shape, embedding, maker.norm("model.norm", shape.width()),
                List.copyOf(layers), all);
    }

    /** A head's columns of a row are a row of their own in the library's program. */
    private Tensor byHead(Tensor output, UnaryOperator<Tensor> change) {
        long[] whole = output.shape();
        long[] heads = {whole[0] * shape.heads(), shape.channels()};
        return new Tensor(output.format(), whole, change.apply(
                new Tensor(output.format(), heads, output.memory())).memory());
    }

    private record Maker(Weights weights, Map<String, Tensor> all) {
        Tensor make(String name, long... shape) {
            Tensor tensor = weights.get(name + ".weight", shape);
            all.put(name + ".weight", tensor);
            return tensor;
        }

        /** Around 1, as trained ones are. */
        Tensor norm(String name, long width) {
            Tensor tensor = make(name, width);
            for (long i = 0; i < width; i++) {
                tensor.setReal(i, 1 + tensor.real(i));
            }
            return tensor;
        }
    }

    private static Layer layer(Shape shape, Maker maker, String path) {
        long width = shape.width();
        String attention = path + "self_attn.";
        return new Layer(
                maker.norm(path + "input_layernorm", width),
                maker.make(attention + "q_proj", width, width),
                maker.make(attention + "k_proj", width, width),
                maker.make(attention + "v_proj", width, width),
                maker.make(attention + "o_proj", width, width),
                maker.norm(path + "post_attention_layernorm", width),
                mixer(shape, maker, path));
    }

    private static Mixer mixer(Shape shape, Maker maker, String path) {
        long width = shape.width();
        long inner = shape.inner();
        if (!shape.isMixture()) {
            return new Mixer.Plain(new FeedForward(
                    maker.make(path + "mlp.gate_proj", inner, width),
                    maker.make(path + "mlp.up_proj", inner, width),
                    maker.make(path + "mlp.down_proj", width, inner)));
        }
        String block = path + "block_sparse_moe.";
        List<FeedForward> nets = new ArrayList<>();
        for (int e = 0; e < shape.experts(); e++) {
            String expert = block + "experts." + e + ".";
            nets.add(new FeedForward(
                    maker.make(expert + "w1", inner, width),
                    maker.make(expert + "w3", inner, width),
                    maker.make(expert + "w2", width, inner)));
        }
        return new Mixer.Mixture(new Experts(
                maker.make(block + "gate", shape.experts(), width), nets, shape.active()));
    }
}
