package dev.weir.bench.row;

import dev.weir.bench.engine.Target;
import dev.weir.bench.engine.Weights;
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
import dev.weir.bench.model.Shape;
import dev.weir.bench.model.TorchLanguageModel;
import dev.weir.bench.model.WeirLanguageModel;
import dev.weir.bench.peer.OnnxProducts;
import dev.weir.bench.peer.Peer;
import java.util.List;
import java.util.Optional;
import java.util.function.Supplier;

/**
 * Whole models of about 110 million random f32 parameters: a prompt of 256 tokens in one step, and
 * 64 tokens behind it, one in each step. What comes next is given, so that all do the same work.
 */
public final class ModelsRow implements Row {
    private static final int PROMPT = 256;
    private static final int GENERATION = 64;
    /** Logits of f32 engines differ by rounding, which twelve layers add up. */
    private static final double TOLERANCE = 1e-3;

    @Override
    public String name() {
        return "models";
    }

    @Override
    public String meaning() {
        return "Llama- and Mixtral-shaped models of 110 million parameters in f32: prompt of 256, "
                + "generation of 64 behind it; beside libtorch, ONNX Runtime and Jlama";
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
                double[] expected = Continuation.expected(parameters);
                for (int generated : new int[] {0, GENERATION}) {
                    measure(laboratory, weights, parameters, expected, generated);
                }
            }
        }
    }

    private static void measure(
            Laboratory laboratory,
            Weights weights,
            Parameters parameters,
            double[] expected,
            int generated) {
        Shape shape = parameters.shape();
        int threads = laboratory.threads();
        String name = shape.type() + (generated == 0
                ? ", prompt " + PROMPT : ", generation " + generated);
        Contest contest = laboratory.contest(new Problem("models", name, threads,
                work(shape, generated), Optional.of(reference(expected)),
                List.of(Comparison.withFastestPeer("Weir native", 1),
                        Comparison.with("Weir jvm", "Jlama", 1),
                        Comparison.with("Weir jvm", "Weir native", 0))));
        for (Target target : Target.values()) {
            String weir = "Weir " + target;
            add(contest, weir, shape, generated, Optional.of(reference(expected)), () ->
                    new WeirLanguageModel(weir, shape, target.compiler(), threads, weights));
        }
        add(contest, "libtorch", shape, generated, Optional.of(reference(expected)),
                () -> new TorchLanguageModel(parameters, threads));
        add(contest, "ONNX Runtime", shape, generated, Optional.of(reference(expected)),
                () -> new OnnxLanguageModel("ONNX Runtime", parameters,
                        new OnnxProducts.Floats(), threads));
        // Jlama gives probabilities.
        add(contest, "Jlama", shape, generated,
                Optional.of(reference(Continuation.probabilities(expected))),
                () -> new JlamaLanguageModel(parameters, threads));
        laboratory.hold(contest);
    }

    private static void add(
            Contest contest,
            String name,
            Shape shape,
            int generated,
            Optional<Reference> reference,
            Supplier<LanguageModel> model) {
        contest.with(name, work(shape, generated), reference,
                () -> new Continuation(model.get(), shape.vocabulary(), PROMPT, generated));
    }

    /** The work of a prompt, or of so many tokens behind it. */
    static Work work(Shape shape, int generated) {
        if (generated == 0) {
            return Work.tokens(PROMPT, shape.operations(PROMPT, 0), 4.0 * shape.parameters());
        }
        double operations = 0;
        double bytes = 0;
        for (int i = 0; i < generated; i++) {
            operations += shape.operations(1, PROMPT + i);
            bytes += shape.tokenBytes() + shape.cacheBytes(PROMPT + i);
        }
        return Work.tokens(generated, operations, bytes);
    }

    private static Reference reference(double[] expected) {
        int[] places = new int[expected.length];
        for (int i = 0; i < places.length; i++) {
            places[i] = i;
        }
        return new Reference(places, expected, TOLERANCE);
    }
}
