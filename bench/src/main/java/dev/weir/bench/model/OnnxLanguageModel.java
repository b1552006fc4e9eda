package dev.weir.bench.model;

import ai.onnxruntime.OnnxTensor;
import dev.weir.bench.engine.Weights;
import dev.weir.bench.peer.OnnxGraph;
import dev.weir.bench.peer.OnnxGraph.Attribute;
import dev.weir.bench.peer.OnnxProducts;
import dev.weir.bench.peer.OnnxSession;
import dev.weir.ir.type.Format;
import dev.weir.runtime.memory.Tensor;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;

/**
 * The model as a graph for ONNX Runtime, in the operators that its exporter for language models
 * (onnxruntime-genai's model builder) takes for processors: one product for queries, keys and
 * values, {@code GroupQueryAttention} that turns them by position and appends to the cache, {@code
 * SkipSimplifiedLayerNormalization} that adds and normalises, logits for every token.
 *
 * <p>Keys and values of a layer are arguments and results that share one memory with room for the
 * longest sequence: the operator sees that they are one, and writes only what is new. Logits too go
 * into memory that is there. So a step copies nothing but its token ids.
 */
public final class OnnxLanguageModel implements LanguageModel {
    private static final int LONGEST = 1024;

    private final String name;
    private final Shape shape;
    private final OnnxSession session;
    private final Map<String, OnnxTensor> arguments = new HashMap<>();
    private final Map<String, OnnxTensor> results = new HashMap<>();
    private final Map<Integer, Step> steps = new HashMap<>();
    private final Tensor before = Tensor.zeros(Format.I32, 1);
    private final Tensor total = Tensor.zeros(Format.I32);
    private Tensor last = Tensor.zeros(Format.F32, 0);
    private int length;

    /** What depends on how many tokens a step has. */
    private record Step(Tensor ids, OnnxTensor argument, Tensor logits, OnnxTensor result) {}

    /**
     * Writes the graph and loads it.
     *
     * @param products how matrices are kept and multiplied
     */
    public OnnxLanguageModel(
            String name, Parameters parameters, OnnxProducts products, int threads) {
        this.name = name;
        shape = parameters.shape();
        session = new OnnxSession(new Writer(parameters, products).graph(), threads);
        arguments.put("before", session.tensor(before));
        arguments.put("total", session.tensor(total));
        for (int i = 0; i < shape.layers(); i++) {
            for (String kind : List.of("key", "value")) {
                OnnxTensor cache = session.tensor(Tensor.zeros(
                        Format.F32, 1, shape.heads(), LONGEST, shape.channels()));
                arguments.put("past." + i + "." + kind, cache);
                results.put("present." + i + "." + kind, cache);
            }
        }
    }

    /** Writes the graph. */
    private record Writer(
            Parameters parameters, OnnxProducts products, Shape shape, OnnxGraph to) {
        Writer(Parameters parameters, OnnxProducts products) {
            this(parameters, products, parameters.shape(), new OnnxGraph());
        }

        OnnxGraph graph() {
            String ids = to.input("ids", Format.I64, 1, 0);
            to.input("before", Format.I32, 1);
            to.input("total", Format.I32);
            to.constant("cosines", angles(true));
            to.constant("sines", angles(false));
            String x = products.rows(to, "embedding", parameters.embedding(), ids);
            String add = "";
            for (int i = 0; i < shape.layers(); i++) {
                String path = "layers." + i + ".";
                Parameters.Layer layer = parameters.layers().get(i);
                Sum one = normalised(x, add, path + "norm", layer.norm());
                String read = products.multiply(to, path + "output", layer.output(),
                        attention(i, path, layer, one.normal));
                Sum two = normalised(one.sum, read, path + "second norm", layer.secondNorm());
                x = two.sum;
                add = mixed(path, layer.mixer(), two.normal);
            }
            String normal = normalised(x, add, "norm", parameters.norm()).normal;
            String logits = products.multiply(to, "embedding", parameters.embedding(), normal);
            to.rename(logits, "logits", Format.F32, 1, 0, shape.vocabulary());
            return to;
        }

        private Tensor angles(boolean cosine) {
            int half = shape.channels() / 2;
            Tensor table = Tensor.zeros(Format.F32, LONGEST, half);
            for (int p = 0; p < LONGEST; p++) {
                for (int c = 0; c < half; c++) {
                    double angle = p * Math.pow(shape.theta(), -2.0 * c / shape.channels());
                    table.setReal((long) p * half + c,
                            cosine ? Math.cos(angle) : Math.sin(angle));
                }
            }
            return table;
        }

        private record Sum(String sum, String normal) {}

        /** Of the sum of two values, or of one if the other's name is empty. */
        private Sum normalised(String x, String add, String path, Tensor scale) {
            String factors = to.constant(path, scale);
            var eps = new Attribute.Real("epsilon", (float) shape.eps());
            if (add.isEmpty()) {
                return new Sum(x, to.apply("SimplifiedLayerNormalization", List.of(x, factors),
                        new Attribute.Whole("axis", -1), eps));
            }
            Sum both = new Sum(to.value(), to.value());
            to.add(OnnxGraph.CONTRIBUTED, "SkipSimplifiedLayerNormalization",
                    List.of(x, add, factors), List.of(both.normal, "", "", both.sum), eps);
            return both;
        }

        private String attention(int i, String path, Parameters.Layer layer, String x) {
            String packed = products.multiply(to, path + "query, key, value",
                    stacked(List.of(layer.query(), layer.key(), layer.value())), x);
            String read = to.value();
            List<String> results = new ArrayList<>(List.of(read));
            List<String> operands = new ArrayList<>(List.of(packed, "", ""));
            for (String kind : List.of("key", "value")) {
                operands.add(to.input("past." + i + "." + kind, Format.F32,
                        1, shape.heads(), 0, shape.channels()));
                String present = "present." + i + "." + kind;
                to.output(present, Format.F32, 1, shape.heads(), 0, shape.channels());
                results.add(present);
            }
            operands.addAll(List.of("before", "total", "cosines", "sines"));
            to.add(OnnxGraph.CONTRIBUTED, "GroupQueryAttention", operands, results,
                    new Attribute.Whole("num_heads", shape.heads()),
                    new Attribute.Whole("kv_num_heads", shape.heads()),
                    new Attribute.Whole("do_rotary", 1));
            return read;
        }

        /** The rows of some matrices below each other. */
        private static Tensor stacked(List<Tensor> matrices) {
            long columns = matrices.getFirst().shape()[1];
            long rows = matrices.stream().mapToLong(m -> m.shape()[0]).sum();
            Tensor all = Tensor.zeros(Format.F32, rows, columns);
            long at = 0;
            for (Tensor matrix : matrices) {
                all.memory().asSlice(at, matrix.bytes())
                        .copyFrom(matrix.memory().asSlice(0, matrix.bytes()));
                at += matrix.bytes();
            }
            return all;
        }

        private String mixed(String path, Parameters.Mixer mixer, String x) {
            return switch (mixer) {
                case Parameters.Mixer.Plain m -> m.net().inOnnx(to, products, path, x);
                case Parameters.Mixer.Mixture m -> {
                    String rows = to.apply("Reshape", List.of(x, to.wholes(-1, shape.width())));
                    yield to.apply("Reshape", List.of(
                            m.experts().inOnnx(to, products, path, rows),
                            to.wholes(1, -1, shape.width())));
                }
            };
        }
    }

    @Override
    public String name() {
        return name;
    }

    @Override
    public boolean isPeer() {
        return true;
    }

    @Override
    public void feed(long[] ids) {
        Step step = steps.computeIfAbsent(ids.length, this::step);
        for (int i = 0; i < ids.length; i++) {
            step.ids.setWhole(i, ids[i]);
        }
        length += ids.length;
        // The operator wants the sequence's last place, and its length.
        before.setWhole(0, length - 1);
        total.setWhole(0, length);
        arguments.put("ids", step.argument);
        results.put("logits", step.result);
        session.run(arguments, results);
        last = step.logits.rows(ids.length - 1, ids.length);
    }

    private Step step(int tokens) {
        Tensor ids = Tensor.zeros(Format.I64, 1, tokens);
        Tensor logits = Tensor.zeros(Format.F32, tokens, shape.vocabulary());
        return new Step(ids, session.tensor(ids), logits, session.tensor(
                new Tensor(Format.F32, new long[] {1, tokens, shape.vocabulary()},
                        logits.memory())));
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
        return Weights.floats(last);
    }

    @Override
    public void close() {
        session.close();
    }
}
