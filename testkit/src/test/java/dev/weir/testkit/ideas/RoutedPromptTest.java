package dev.weir.testkit.ideas;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.weir.compiler.Compiler;
import dev.weir.frontend.Configuration;
import dev.weir.frontend.LowerOptions;
import dev.weir.ir.diagnostic.Source;
import dev.weir.ir.kernel.KernelCompiler;
import dev.weir.ir.tensor.Parameter;
import dev.weir.ir.tensor.TensorProgram;
import dev.weir.ir.type.Format;
import dev.weir.runtime.memory.Pool;
import dev.weir.runtime.memory.Tensor;
import dev.weir.runtime.model.Engine;
import dev.weir.runtime.model.InterpretedModel;
import dev.weir.runtime.model.Model;
import dev.weir.testkit.RandomWeights;
import dev.weir.testkit.TestModel;
import dev.weir.testkit.TestModel.Target;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Random;
import java.util.TreeMap;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/** D05: the mean of a prompt opens or shuts each layer, for the prompt and all behind it. */
class RoutedPromptTest {
    private static final Map<String, String> SIZES = new TreeMap<>(Map.of(
            "D", "8", "H", "2", "G", "1", "C", "4", "F", "6", "L", "6"));
    private static final int PROMPT = 7;
    private static final int TOKENS = 12;
    private static final String TEXT = TestModel.text(
            TestModel.ROOT.resolve("examples/routed_prompt/idea.weir"));

    private static List<TensorProgram> entries() {
        return Compiler.entries(new Source("idea.weir", TEXT), TestModel.library(),
                new LowerOptions(Optional.empty(), Configuration.empty(), SIZES, false));
    }

    private static Tensor input() {
        Random random = new Random(4);
        Tensor x = Tensor.zeros(Format.F32, TOKENS, Long.parseLong(SIZES.get("D")));
        for (long i = 0; i < x.elements(); i++) {
            x.setReal(i, random.nextGaussian());
        }
        return x;
    }

    private static Map<Parameter, List<Tensor>> weights(List<TensorProgram> entries) {
        Map<Parameter, List<Tensor>> weights = new LinkedHashMap<>();
        for (TensorProgram entry : entries) {
            for (Parameter parameter : entry.parameters()) {
                weights.putAll(RandomWeights.of(
                        List.of(parameter), 5 + parameter.path().hashCode()));
            }
        }
        return weights;
    }

    @ParameterizedTest
    @EnumSource(Target.class)
    void isTheTextbooks(Target target) throws Exception {
        List<TensorProgram> entries = entries();
        Map<Parameter, List<Tensor>> weights = weights(entries);
        Tensor x = input();
        Given given = new Given(TEXT, SIZES, weights, Map.of("x", x));
        boolean[] open = new boolean[given.size("L")];
        double[][] expected = textbook(given, open);
        int working = 0;
        for (boolean o : open) {
            working += o ? 1 : 0;
        }
        assertTrue(0 < working && working < open.length, Arrays.toString(open));
        if (target == Target.INTERPRETER) {
            try (Engine engine = new InterpretedModel(entries, weights)) {
                compare(engine, x, expected);
            }
            return;
        }
        try (KernelCompiler compiler = TestModel.compiler(target);
                Model model = new Model(entries.stream().map(e -> Compiler.schedule(
                        Compiler.optimise(e), compiler.target())).toList(),
                        compiler, weights, 2, Pool.UNLIMITED)) {
            compare(model, x, expected);
            long works = working;
            assertEquals(2, model.ledger().gates().size());
            // The same layers for the prompt and in each step behind it.
            model.ledger().gates().forEach(gate -> assertEquals(
                    works * gate.all(), gate.entered() * open.length, gate.toString()));
        }
    }

    private static void compare(Engine engine, Tensor x, double[][] expected) {
        Engine.Session session = engine.start();
        assertRows(expected, 0, step(engine, "prefill", session, x.rows(0, PROMPT)));
        int from = PROMPT;
        while (from < TOKENS) {
            int to = Math.min(TOKENS, from == PROMPT ? from + 3 : from + 1);
            assertRows(expected, from, step(engine, "forward", session, x.rows(from, to)));
            from = to;
        }
    }

    private static Tensor step(Engine engine, String entry, Engine.Session session, Tensor x) {
        long[] rows = {x.shape()[0]};
        return engine.step(entry, List.of(session), rows,
                List.of(x, Engine.positions(entry, List.of(session), rows)),
                Engine.Tracer.NONE).getFirst();
    }

    private static void assertRows(double[][] expected, int from, Tensor actual) {
        int width = expected[0].length;
        for (int i = 0; i < actual.elements(); i++) {
            double number = expected[from + i / width][i % width];
            assertEquals(number, actual.real(i), 2e-4 * Math.max(1, Math.abs(number)),
                    "row " + (from + i / width));
        }
    }

    private static double[][] textbook(Given given, boolean[] open) {
        double[][] y = given.rows("x");
        for (int i = 0; i < open.length; i++) {
            double[] mean = new double[y[0].length];
            for (int t = 0; t < PROMPT; t++) {
                Textbook.add(mean, 1.0 / PROMPT, y[t]);
            }
            double score = Textbook.dot(given.vector("layers." + i + ".router"), mean);
            open[i] = Textbook.sigmoid(score) > 0.5;
            if (open[i]) {
                y = Textbook.layer(given, "layers." + i + ".layer", y);
            }
        }
        return y;
    }
}
