package dev.weir.bench.model;

import static org.bytedeco.pytorch.global.torch.add;
import static org.bytedeco.pytorch.global.torch.cat;
import static org.bytedeco.pytorch.global.torch.embedding;
import static org.bytedeco.pytorch.global.torch.linear;
import static org.bytedeco.pytorch.global.torch.mul;
import static org.bytedeco.pytorch.global.torch.rms_norm;
import static org.bytedeco.pytorch.global.torch.scaled_dot_product_attention;

import dev.weir.bench.peer.Torch;
import dev.weir.ir.type.Format;
import dev.weir.runtime.memory.Tensor;
import java.util.ArrayList;
import java.util.List;
import org.bytedeco.javacpp.FloatPointer;
import org.bytedeco.javacpp.PointerScope;
import org.bytedeco.pytorch.DoubleOptional;
import org.bytedeco.pytorch.InferenceMode;
import org.bytedeco.pytorch.TensorOptional;
import org.bytedeco.pytorch.TensorVector;

/**
 * The model in libtorch's operators, as Hugging Face's model code calls them: fused attention, a
 * cache of keys and values that is written in place, rotary angles from a table.
 */
public final class TorchLanguageModel implements LanguageModel {
    private static final int LONGEST = 1024;

    private final Shape shape;
    private final org.bytedeco.pytorch.Tensor embedding;
    private final org.bytedeco.pytorch.Tensor norm;
    private final org.bytedeco.pytorch.Tensor cosines;
    private final org.bytedeco.pytorch.Tensor sines;
    private final List<Layer> layers = new ArrayList<>();
    private final Tensor logits;
    private final org.bytedeco.pytorch.Tensor last;
    private int length;

    private record Layer(
            org.bytedeco.pytorch.Tensor norm,
            org.bytedeco.pytorch.Tensor query,
            org.bytedeco.pytorch.Tensor key,
            org.bytedeco.pytorch.Tensor value,
            org.bytedeco.pytorch.Tensor output,
            org.bytedeco.pytorch.Tensor secondNorm,
            java.util.function.UnaryOperator<org.bytedeco.pytorch.Tensor> mixer,
            org.bytedeco.pytorch.Tensor keys,
            org.bytedeco.pytorch.Tensor values) {}

    /** With the same memory as the weights. */
    public TorchLanguageModel(Parameters parameters, int threads) {
        shape = parameters.shape();
        Torch.threads(threads);
        embedding = Torch.of(parameters.embedding());
        norm = Torch.of(parameters.norm());
        Tensor angles = Tensor.zeros(Format.F32, LONGEST, shape.channels());
        cosines = Torch.of(table(angles.copy(), true));
        sines = Torch.of(table(angles.copy(), false));
        parameters.layers().forEach(l -> layers.add(layer(l)));
        logits = Tensor.zeros(Format.F32, 1, shape.vocabulary());
        last = Torch.of(logits);
    }

    private Tensor table(Tensor table, boolean cosine) {
        int channels = shape.channels();
        for (int p = 0; p < LONGEST; p++) {
            for (int c = 0; c < channels; c++) {
                double angle = p * Math.pow(shape.theta(),
                        -2.0 * (c % (channels / 2)) / channels);
                table.setReal((long) p * channels + c,
                        cosine ? Math.cos(angle) : Math.sin(angle));
            }
        }
        return table;
    }

    private Layer layer(Parameters.Layer layer) {
        Tensor empty = Tensor.zeros(
                Format.F32, 1, shape.heads(), LONGEST, shape.channels());
        return new Layer(Torch.of(layer.norm()), Torch.of(layer.query()), Torch.of(layer.key()),
                Torch.of(layer.value()), Torch.of(layer.output()), Torch.of(layer.secondNorm()),
                switch (layer.mixer()) {
                    case Parameters.Mixer.Plain m -> FeedForward.InTorch.of(m.net())::apply;
                    case Parameters.Mixer.Mixture m -> Experts.InTorch.of(m.experts())::apply;
                },
                Torch.of(empty).clone(), Torch.of(empty).clone());
    }

    @Override
    public String name() {
        return "libtorch";
    }

    @Override
    public boolean isPeer() {
        return true;
    }

    @Override
    public void feed(long[] ids) {
        try (var _ = new PointerScope(); var _ = new InferenceMode(true)) {
            int count = ids.length;
            var x = embedding(embedding, Torch.of(Tensor.ofLongs(ids)));
            var cosine = cosines.narrow(0, length, count);
            var sine = sines.narrow(0, length, count);
            for (Layer layer : layers) {
                var h = add(x, attention(layer, normalised(x, layer.norm), cosine, sine, count));
                x = add(h, layer.mixer.apply(normalised(h, layer.secondNorm)));
            }
            var all = linear(normalised(x, norm), embedding);
            last.copy_(all.narrow(0, count - 1, 1));
            length += count;
        }
    }

    private org.bytedeco.pytorch.Tensor normalised(
            org.bytedeco.pytorch.Tensor x, org.bytedeco.pytorch.Tensor scale) {
        return rms_norm(x, new long[] {shape.width()}, new TensorOptional(scale),
                new DoubleOptional(shape.eps()));
    }

    private org.bytedeco.pytorch.Tensor attention(
            Layer layer,
            org.bytedeco.pytorch.Tensor x,
            org.bytedeco.pytorch.Tensor cosine,
            org.bytedeco.pytorch.Tensor sine,
            int count) {
        var query = turned(heads(linear(x, layer.query), count), cosine, sine);
        layer.keys.narrow(2, length, count).copy_(
                turned(heads(linear(x, layer.key), count), cosine, sine));
        layer.values.narrow(2, length, count).copy_(heads(linear(x, layer.value), count));
        int seen = length + count;
        // A prompt begins an empty sequence; a single token sees all that is there.
        var z = scaled_dot_product_attention(query, layer.keys.narrow(2, 0, seen),
                layer.values.narrow(2, 0, seen), new TensorOptional(), 0, count > 1,
                new DoubleOptional(), false);
        return linear(z.transpose(1, 2).reshape(count, shape.width()), layer.output);
    }

    private org.bytedeco.pytorch.Tensor heads(org.bytedeco.pytorch.Tensor x, int count) {
        return x.view(1, count, shape.heads(), shape.channels()).transpose(1, 2);
    }

    private org.bytedeco.pytorch.Tensor turned(
            org.bytedeco.pytorch.Tensor x,
            org.bytedeco.pytorch.Tensor cosine,
            org.bytedeco.pytorch.Tensor sine) {
        int half = shape.channels() / 2;
        var swapped = cat(new TensorVector(x.narrow(3, half, half).neg(), x.narrow(3, 0, half)),
                3);
        return mul(x, cosine).add_(mul(swapped, sine));
    }

    @Override
    public long length() {
        return length;
    }

    @Override
    public void truncate(long tokens) {
        length = Math.toIntExact(tokens);
    }

    @Override
    public float[] logits() {
        float[] values = new float[shape.vocabulary()];
        new FloatPointer(last.data_ptr_float()).get(values);
        return values;
    }

    @Override
    public void close() {
        // Its weights are others' memory, its caches the collector's.
    }
}
