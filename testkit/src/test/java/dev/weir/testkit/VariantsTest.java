package dev.weir.testkit;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.weir.ir.tensor.Parameter;
import dev.weir.ir.type.Format;
import dev.weir.runtime.memory.Tensor;
import dev.weir.runtime.model.Engine;
import dev.weir.testkit.TestModel.Target;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/** A derived model computes what the same model written out by hand does. */
class VariantsTest {
    private static final String BASE = """
            block Norm<D> {
                param scale[D]
                forward(x[D]) -> y[D] = scale * x
            }

            block Mlp<D, F> {
                param up[F, D], down[D, F]
                forward(x[D]) -> y[D] = down @ tanh(up @ x)
            }

            block Scaled<D> {
                param by[D]
                forward(x[D]) -> y[D] = by * x
            }

            block Sums<D> {
                state s[D] = 0
                forward(x[T, D]) -> y[T, D] {
                    scan t {
                        s[d] = 0.5 * s[d] + x[t, d]
                        y[t, d] = s[d]
                    }
                }
            }

            block Layer<D, F> {
                norm: Norm<D>
                mlp: %s
                sums: Sums<D>
                forward(x[T, D]) -> y[T, D] {
                    h = x
                    h += %s
                    y = h + sums(h)
                }
            }

            model Base<D = 4, F = %s, L = 5> {
                layers: Layer<D, F> * L
                forward(x[T, D]) -> y[T, D] {
                    y = x
                    for i in 0..L { %s }
                }
                %s
            }
            """;
    private static final String CALL = "mlp(norm(x))";
    private static final String LOOP = "y = layers[i](y)";

    private static String base(
            String mlp, String call, String size, String loop, String precision) {
        return BASE.formatted(mlp, call, size, loop, precision);
    }

    /** Some of the layers are of another kind. */
    private static String withOthers(String which, String mlp) {
        return base("Mlp<D, F>", CALL, "6", LOOP, "").replace("layers: Layer<D, F> * L",
                "layers: [if " + which + " { Other<D, F> } else { Layer<D, F> } for i in 0..L]")
                + """
                block Other<D, F> {
                    norm: Norm<D>
                    %s
                    sums: Sums<D>
                    forward(x[T, D]) -> y[T, D] {
                        h = x
                        h += mlp(norm(x))
                        y = h + sums(h)
                    }
                }
                """.formatted(mlp);
    }

    /** Some of the layers hand on what they get. */
    private static String withNothing(String which, String mlp) {
        return base(mlp, CALL, "6", LOOP, "").replace("layers: Layer<D, F> * L",
                "layers: [if " + which + " { Nothing<D> } else { Layer<D, F> } for i in 0..L]")
                + """
                block Nothing<D> {
                    forward(x[T, D]) -> y[T, D] = x
                }
                """;
    }

    private static String derived(String transformations) {
        return base("Mlp<D, F>", CALL, "6", LOOP, "")
                + "model Variant = Base with {\n" + transformations + "\n}\n";
    }

    private enum Pair {
        DROPPED_PARTS("drop layers[1..3].mlp", withOthers(
                "1 <= i and i < 3", "mlp: Zero<D>") + """
                block Zero<D> {
                    forward(x[D]) -> y[D] { y[d] = 0.0 }
                }
                """),
        DROPPED_LAYERS("drop layers[L - 2..L], layers[0]",
                withNothing("i == 0 or i >= 3", "Mlp<D, F>")),
        SIZES_AND_FORMATS("F = 8\nprecision { weights: bf16, norm: f32 }", base(
                "Mlp<D, F>", CALL, "8", LOOP, "precision { weights: bf16, *.norm: f32 }")),
        REPLACED("replace layers.mlp with Scaled<D>", base(
                "Scaled<D>", CALL, "6", LOOP, "")),
        REPLACED_IN_SOME_LAYERS("replace layers[1..3].mlp with Scaled<D>",
                withOthers("1 <= i and i < 3", "mlp: Scaled<D>")),
        REPLACED_IN_ONE_LAYER("replace layers[L - 1].mlp with Mlp<D, 2 * F>",
                withOthers("i == 4", "mlp: Mlp<D, 2 * F>")),
        SOME_LAYERS_REPLACED("replace layers[0..2] with Sums<D>",
                base("Mlp<D, F>", CALL, "6", LOOP, "").replace("layers: Layer<D, F> * L",
                        "layers: Sums<D> * 2 ++ Layer<D, F> * 3")),
        FORMATS_OF_SOME("precision { layers[1..3].mlp: bf16, weights: f16 }",
                withOthers("1 <= i and i < 3", "mlp: Mlp<D, F>\n precision { mlp: bf16 }")
                        .replace("forward(x[T, D]) -> y[T, D] {\n        y = x\n        for",
                                "precision { weights: f16 }\n"
                                        + "forward(x[T, D]) -> y[T, D] {\n        y = x\n for")),
        OF_A_VARIANT("drop layers[4]\n}\nmodel Second = Variant with {\n"
                + "replace layers.mlp with Scaled<D>", withNothing("i == 4", "Scaled<D>"));

        private final String transformations;
        private final String byHand;

        Pair(String transformations, String byHand) {
            this.transformations = transformations;
            this.byHand = byHand;
        }
    }

    private static Tensor input(int rows) {
        Random random = new Random(rows);
        Tensor x = Tensor.zeros(Format.F32, rows, 4);
        for (long i = 0; i < x.elements(); i++) {
            x.setReal(i, random.nextInt(-8, 9) / 8.0);
        }
        return x;
    }

    private static Tensor run(TestModel model) {
        Engine.Session session = model.engine().start();
        model.engine().step(List.of(session), new long[] {7}, List.of(input(7)),
                Engine.Tracer.NONE);
        return model.engine().step(List.of(session), new long[] {2}, List.of(input(2)),
                Engine.Tracer.NONE).getFirst();
    }

    @ParameterizedTest
    @EnumSource(Pair.class)
    void derivedModelsComputeWhatIsWrittenByHand(Pair pair) throws Exception {
        Tensor expected;
        try (TestModel byHand = TestModel.random(pair.byHand, 3, Target.INTERPRETER, 1)) {
            expected = run(byHand);
        }
        for (Target target : Target.values()) {
            try (TestModel variant = TestModel.random(
                    derived(pair.transformations), 3, target, 2)) {
                FixtureTest.assertClose(pair + " " + target, expected, run(variant));
            }
        }
    }

    @Test
    void whatIsDroppedIsNotRead() throws Exception {
        long whole;
        try (TestModel model = TestModel.random(
                base("Mlp<D, F>", CALL, "6", LOOP, ""), 3, Target.NATIVE, 1)) {
            run(model);
            whole = model.engine().ledger().weightBytes();
        }
        try (TestModel model = TestModel.random(
                derived("drop layers[1..3].mlp"), 3, Target.NATIVE, 1)) {
            run(model);
            // Two steps, in which two blocks of two matrices of 6 x 4 floats are left out, and the
            // 4 floats of the norm before each, of which nobody needs the result.
            assertEquals(whole - 2 * 2 * (2 * 6 * 4 + 4) * 4, model.engine().ledger().weightBytes());
        }
    }

    /** Whole layers, and parts of some: a checkpoint need not have what nobody calls. */
    @Test
    void whatIsDroppedIsNotDemanded() throws Exception {
        try (TestModel model = TestModel.random(
                derived("drop layers[1..3].mlp, layers[4]"), 3, Target.INTERPRETER, 1)) {
            assertEquals(List.of(
                    "layers.0.mlp.down", "layers.0.mlp.up", "layers.0.norm.scale",
                    "layers.1.norm.scale", "layers.2.norm.scale",
                    "layers.3.mlp.down", "layers.3.mlp.up", "layers.3.norm.scale"),
                    model.program().parameters().stream()
                            .flatMap(p -> p.instances().stream()
                                    .map(i -> Parameter.instantiate(p.path(), i)))
                            .sorted().toList());
        }
    }

    private static List<Long> greedy(TestModel model) {
        Engine.Session session = model.engine().start();
        return model.greedy(session, model.feed(session, 5, 17, 3), 8);
    }

    /** On a stock checkpoint: a library model without some of its parts. */
    @Test
    void aStockModelLosesLayers() throws Exception {
        String program = """
                import stdlib.models.mixtral { Mixtral }

                model Edge = Mixtral with { drop layers[1] }
                """;
        List<List<Long>> ids = new ArrayList<>();
        for (Target target : Target.values()) {
            try (TestModel edge = TestModel.of(
                    program, TestModel.fixture("mixtral"), target, 2, false)) {
                ids.add(greedy(edge));
            }
        }
        assertEquals(ids.get(0), ids.get(1));
        assertEquals(ids.get(0), ids.get(2));
        try (TestModel whole = TestModel.stock(
                TestModel.fixture("mixtral"), "mixtral", Target.NATIVE, 2, false)) {
            assertTrue(!greedy(whole).equals(ids.get(0)),
                    "the layer matters");
        }
    }
}
