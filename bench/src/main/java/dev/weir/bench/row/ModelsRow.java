package dev.weir.bench.row;

import com.github.tjake.jlama.safetensors.DType;
import dev.weir.bench.engine.Target;
import dev.weir.bench.engine.Weights;
import dev.weir.bench.machine.Limit;
import dev.weir.bench.measure.Comparison;
import dev.weir.bench.measure.Contest;
import dev.weir.bench.measure.Problem;
import dev.weir.bench.measure.Reference;
import dev.weir.bench.measure.Work;
import dev.weir.bench.model.Continuation;
import dev.weir.bench.model.JlamaLanguageModel;
import dev.weir.bench.model.LanguageModel;
import dev.weir.bench.model.OnnxLanguageModel;
import dev.weir.bench.model.Parameters;
import dev.weir.bench.model.Precision;
import dev.weir.bench.model.Shape;
import dev.weir.bench.model.TorchLanguageModel;
import dev.weir.bench.model.WeirLanguageModel;
import dev.weir.bench.peer.OnnxProducts;
import dev.weir.bench.peer.Peer;
import dev.weir.ir.type.Quantisation;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.function.LongToDoubleFunction;
import java.util.function.Supplier;

/**
 * Whole models of about 110 million random parameters, kept in f32, int8 and int4: a prompt of 256
 * tokens in one step, and 64 tokens behind it, one in each step. What comes next is given, so that
 * all do the same work.
 */
public final class ModelsRow implements Row {
    private static final int PROMPT = 256;
    private static final int GENERATION = 64;
    /** Logits of f32 engines differ by rounding, which twelve layers add up. */
    private static final double TOLERANCE = 1e-3;
    /**
     * Where what is multiplied is rounded too, in each layer: tokens whose router has two nearly
     * equal scores go to other experts. Wrong logits differ by 0.7 and more.
     */
    private static final double ROUNDED_TOLERANCE = 0.3;
    private static final String NATIVE = "Weir native";
    private static final String ROUNDING = "Weir native, activations int8";
    private static final String JVM = "Weir jvm";
    private static final String ONNX = "ONNX Runtime";
    private static final String ONNX_ROUNDING = "ONNX Runtime, activations int8";
    private static final String JLAMA = "Jlama";
    private static final String OWN_F32 = "Weir native, f32";
    private static final String GROUPED = "(group: 32)";
    private static final int ROUNDS_FACTORS = 4;

    @Override
    public String name() {
        return "models";
    }

    @Override
    public String meaning() {
        return "Llama- and Mixtral-shaped models of 110 million parameters in f32, int8 and int4: "
                + "prompt of 256, generation of 64 behind it; beside libtorch, ONNX Runtime and "
                + "Jlama";
    }

    @Override
    public List<Peer> peers() {
        return List.of(Peer.TORCH, Peer.ONNX_RUNTIME, Peer.JLAMA);
    }

    @Override
    public void run(Laboratory laboratory) {
        for (Shape shape : List.of(Shape.LLAMA, Shape.MIXTRAL)) {
            try (Weights weights = new Weights()) {
                Parameters parameters = Parameters.random(shape, weights);
                for (Precision precision : List.of(Precision.F32, Precision.weights("int8"),
                        Precision.weights("int4" + GROUPED))) {
                    new Contestants(laboratory, weights, parameters, precision).measure();
                }
            }
        }
    }

    /** Who is measured with one precision. */
    private record Contestants(
            Laboratory laboratory,
            Weights weights,
            Parameters parameters,
            Precision precision,
            Map<Precision, double[]> logits) {
        Contestants(Laboratory laboratory, Weights weights, Parameters parameters,
                Precision precision) {
            this(laboratory, weights, parameters, precision, new HashMap<>());
        }

        void measure() {
            for (int generated : new int[] {0, GENERATION}) {
                Contest contest = laboratory.contest(problem(generated));
                if (generated > 0) {
                    reading(contest, generated);
                }
                if (precision.equals(Precision.F32)) {
                    floats(contest, generated);
                } else {
                    rounded(contest, generated);
                }
                laboratory.hold(contest);
            }
        }

        /** The bytes of each token, as often as there are tokens, all over the model's memory. */
        private void reading(Contest contest, int generated) {
            Shape shape = parameters.shape();
            double bytes = work(shape, generated, precision::rowBytes).bytes();
            contest.with(Limit.READING, Work.bytes(0, bytes), Optional.empty(),
                    () -> Limit.reading(bytes / generated, laboratory.threads(), generated,
                            shape.bytes(precision::rowBytes) + shape.cacheBytes(PROMPT)));
        }

        /** The least share of the bandwidth that is aimed at. */
        private double bandwidth() {
            return precision.rounding().map(q -> q.bits() == Byte.SIZE ? 0.8 : 0.7).orElse(0.85);
        }

        private Problem problem(int generated) {
            String kept = precision.equals(Precision.F32) ? "" : ", " + precision.word();
            return new Problem("models", parameters.shape().type() + kept + (generated == 0
                    ? ", prompt " + PROMPT : ", generation " + generated), laboratory.threads(),
                    work(parameters.shape(), generated, precision::rowBytes),
                    Optional.of(reference(precision, TOLERANCE)),
                    List.of(Comparison.withFastestPeer(NATIVE, 1),
                            Comparison.withFastestPeer(ROUNDING, 1),
                            Comparison.with(NATIVE, Limit.READING, bandwidth()),
                            Comparison.with(ROUNDING, Limit.READING, bandwidth()),
                            Comparison.with(NATIVE, OWN_F32, generated == 0 ? 0.9 : 0),
                            Comparison.with(ROUNDING, OWN_F32, generated == 0 ? 2 : 0),
                            Comparison.with(JVM, JLAMA, 1),
                            Comparison.with(JVM, NATIVE, 0)));
        }

        private void floats(Contest contest, int generated) {
            for (Target target : Target.values()) {
                weir(contest, "Weir " + target, precision, target, generated);
            }
            add(contest, "libtorch", generated, precision::rowBytes,
                    reference(precision, TOLERANCE),
                    () -> new TorchLanguageModel(parameters, laboratory.threads()));
            onnx(contest, ONNX, precision, new OnnxProducts.Floats(), generated);
            // Jlama gives probabilities.
            add(contest, JLAMA, generated, precision::rowBytes, probabilities(TOLERANCE),
                    () -> new JlamaLanguageModel(
                            parameters, Optional.empty(), laboratory.threads()));
        }

        private void rounded(Contest contest, int generated) {
            weir(contest, NATIVE, precision, Target.NATIVE, generated);
            weir(contest, ROUNDING, precision.withRounding(), Target.NATIVE, generated);
            weir(contest, OWN_F32, Precision.F32, Target.NATIVE, generated);
            weir(contest, JVM, precision, Target.JVM, generated);
            Quantisation own = precision.rounding().orElseThrow();
            boolean isWide = own.bits() == Byte.SIZE;
            Precision blocks = isWide ? Precision.weights("int8" + GROUPED) : precision;
            Quantisation grouped = blocks.rounding().orElseThrow();
            onnx(contest, ONNX, blocks, new OnnxProducts.Blocks(grouped, 0), generated);
            onnx(contest, ONNX_ROUNDING, blocks.withRounding(),
                    new OnnxProducts.Blocks(grouped, ROUNDS_FACTORS), generated);
            if (isWide) {
                onnx(contest, "ONNX Runtime, quantize_dynamic", precision.withRounding(),
                        new OnnxProducts.Dynamic(own), generated);
            }
            // It rounds weights by a rule of its own.
            add(contest, JLAMA, generated, blocks::rowBytes, probabilities(ROUNDED_TOLERANCE),
                    () -> new JlamaLanguageModel(parameters,
                            Optional.of(isWide ? DType.I8 : DType.Q4), laboratory.threads()));
        }

        private void weir(
                Contest contest, String name, Precision own, Target target, int generated) {
            add(contest, name, generated, own::rowBytes,
                    reference(own, own.rounds() ? ROUNDED_TOLERANCE : TOLERANCE),
                    () -> new WeirLanguageModel(name, parameters.shape(), own,
                            target.compiler(), laboratory.threads(), weights));
        }

        private void onnx(
                Contest contest,
                String name,
                Precision own,
                OnnxProducts products,
                int generated) {
            add(contest, name, generated, products::rowBytes,
                    reference(own, own.rounds() ? ROUNDED_TOLERANCE : TOLERANCE),
                    () -> new OnnxLanguageModel(
                            name, parameters, products, laboratory.threads()));
        }

        private void add(
                Contest contest,
                String name,
                int generated,
                LongToDoubleFunction rowBytes,
                Reference reference,
                Supplier<LanguageModel> model) {
            Shape shape = parameters.shape();
            contest.with(name, work(shape, generated, rowBytes), Optional.of(reference),
                    () -> new Continuation(model.get(), shape.vocabulary(), PROMPT, generated));
        }

        private double[] expected(Precision of) {
            Precision kept = new Precision(of.rounding(), false);
            return logits.computeIfAbsent(kept, k -> Continuation.expected(parameters, k));
        }

        private Reference reference(Precision of, double tolerance) {
            return ModelsRow.reference(expected(of), tolerance);
        }

        private Reference probabilities(double tolerance) {
            return ModelsRow.reference(
                    Continuation.probabilities(expected(precision)), tolerance);
        }
    }

    /**
     * The work of a prompt, or of so many tokens behind it.
     *
     * @param row bytes of a row of a matrix, by its elements
     */
    static Work work(Shape shape, int generated, LongToDoubleFunction row) {
        if (generated == 0) {
            return Work.tokens(PROMPT, shape.operations(PROMPT, 0), shape.bytes(row));
        }
        double operations = 0;
        double bytes = 0;
        for (int i = 0; i < generated; i++) {
            operations += shape.operations(1, PROMPT + i);
            bytes += shape.tokenBytes(row) + shape.cacheBytes(PROMPT + i);
        }
        return Work.tokens(generated, operations, bytes);
    }

    private static Reference reference(double[] expected, double tolerance) {
        int[] places = new int[expected.length];
        for (int i = 0; i < places.length; i++) {
            places[i] = i;
        }
        return new Reference(places, expected, tolerance);
    }
}
