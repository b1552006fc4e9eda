package dev.weir.testkit;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.weir.codegen.llvm.LlvmCompiler;
import dev.weir.compiler.Compiler;
import dev.weir.frontend.Configuration;
import dev.weir.frontend.LowerOptions;
import dev.weir.ir.diagnostic.Source;
import dev.weir.ir.kernel.CompiledKernel;
import dev.weir.ir.kernel.Kernel;
import dev.weir.ir.kernel.KernelCompiler;
import dev.weir.ir.kernel.TargetDescription;
import dev.weir.ir.tensor.Parameter;
import dev.weir.ir.tensor.TensorProgram;
import dev.weir.ir.type.Format;
import dev.weir.ir.type.Size;
import dev.weir.runtime.ledger.Ledger;
import dev.weir.runtime.memory.Tensor;
import dev.weir.runtime.model.Engine;
import dev.weir.runtime.model.Model;
import dev.weir.testkit.TestModel.Target;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.junit.jupiter.api.Test;

/** Work behind a closed gate is not done, and the ledger says so. */
class LedgerTest {

    @Test
    void aTokenTouchesTwoOfEightExperts() throws Exception {
        try (TestModel model = TestModel.of(
                TestModel.text(TestModel.tinyworld().resolve("tinyworld.weir")),
                TestModel.tinyworld(), Target.NATIVE, 1, false)) {
            model.feed(model.engine().start(), 17);
            Ledger ledger = model.engine().ledger();
            assertEquals(4, ledger.routes().size());
            for (Ledger.Route route : ledger.routes()) {
                assertEquals(8, route.served().size());
                assertEquals(2, route.served().stream().filter(n -> n > 0).count());
            }
            // Each layer reads 2 of 8 experts, each 3 matrices of 160 × 128 in bf16.
            long experts = 4L * 2 * 3 * 160 * 128 * 2;
            long attention = 4L * (128 * 128 * 2 + 2 * 64 * 128) * 2;
            long routers = 4L * 8 * 128 * 2;
            long head = 512L * 128 * 2;
            long norms = 9L * 128 * 2;
            long embedding = 128 * 2;
            assertEquals(experts + attention + routers + head + norms + embedding,
                    ledger.weightBytes());
        }
    }

    private static Run run(String program, long[] rows, float... x) {
        TensorProgram lowered = Compiler.lower(
                new Source("test.weir", program), TestModel.LIBRARY,
                new LowerOptions(Optional.empty(), Configuration.empty(), Map.of(), false));
        try (LlvmCompiler compiler = new LlvmCompiler()) {
            Map<Parameter, List<Tensor>> weights = new HashMap<>();
            for (Parameter parameter : lowered.parameters()) {
                weights.put(parameter, ones(parameter));
            }
            try (Model model = new Model(
                    Compiler.schedule(Compiler.optimise(lowered), compiler.target()),
                    compiler, weights, 1)) {
                int width = x.length / (int) rows[0];
                Tensor input = Tensor.zeros(Format.F32, rows[0], width);
                for (int i = 0; i < x.length; i++) {
                    input.setReal(i, x[i]);
                }
                Engine.Session session = model.start();
                Tensor y = model.step(
                        List.of(session), rows, List.of(input), Engine.Tracer.NONE).getFirst();
                return new Run(model.ledger(), y);
            }
        }
    }

    private record Run(Ledger ledger, Tensor y) {}

    private static List<Tensor> ones(Parameter parameter) {
        List<Size> shape = parameter.value().type().shape();
        long instances = shape.subList(0, parameter.instanceAxes()).stream()
                .mapToLong(s -> s.constant().orElseThrow()).reduce(1, (a, b) -> a * b);
        long[] own = shape.subList(parameter.instanceAxes(), shape.size()).stream()
                .mapToLong(s -> s.constant().orElseThrow()).toArray();
        List<Tensor> all = new ArrayList<>();
        for (long i = 0; i < instances; i++) {
            Tensor tensor = Tensor.zeros(parameter.value().type().format(), own);
            for (long e = 0; e < tensor.elements(); e++) {
                tensor.setReal(e, 1);
            }
            all.add(tensor);
        }
        return all;
    }

    /** Counts what a back end is asked for. */
    private record Counting(KernelCompiler compiler, int[] calls) implements KernelCompiler {
        @Override
        public TargetDescription target() {
            return compiler.target();
        }

        @Override
        public List<CompiledKernel> compile(List<Kernel> kernels) {
            calls[0]++;
            return compiler.compile(kernels);
        }

        @Override
        public String listing(Kernel kernel) {
            return compiler.listing(kernel);
        }

        @Override
        public void close() {
            compiler.close();
        }
    }

    /** Tokens, sequences, their lengths and what they remember are run-time sizes. */
    @Test
    void aNewLengthCompilesNothing() {
        TensorProgram lowered = Compiler.lower(
                new Source("test.weir", """
                        block Mix<D> {
                            state seen[S, D]
                            state at[S]: int
                            forward(x[T, D], pos[T]: int) -> y[T, D] {
                                seen ++= x
                                at ++= pos
                                m[t, d] = max[s] seen[s, d] where at[s] <= pos[t]
                                y[t, d] = x[t, d] + m[t, d] - (x[t - 2, d] or 0)
                            }
                        }
                        model M<D = 16> {
                            mix: Mix<D> * 2
                            forward(x[T, D], pos[T]: int = positions) -> y[T, D] =
                                mix[1](mix[0](x, pos), pos)
                        }
                        """), TestModel.LIBRARY,
                new LowerOptions(Optional.empty(), Configuration.empty(), Map.of(), false));
        try (Counting compiler = new Counting(new LlvmCompiler(), new int[1]);
                Model model = new Model(
                        Compiler.schedule(Compiler.optimise(lowered), compiler.target()),
                        compiler, Map.of(), 2)) {
            Engine.Session session = model.start();
            for (int rows : new int[] {1, 7, 64, 65, 3}) {
                List<Engine.Session> sessions = List.of(session, model.start());
                long[] lengths = {rows, 2L * rows};
                model.step(sessions, lengths,
                        List.of(Tensor.zeros(Format.F32, 3L * rows, 16),
                                Engine.positions(sessions, lengths)),
                        Engine.Tracer.NONE);
            }
            assertEquals(1, compiler.calls[0]);
        }
    }

    /** A choice of no block reads no weights, however it is made. */
    @Test
    void noneCostsNothing() throws Exception {
        String program = """
                block Scaled<D> {
                    param w[D, D]
                    forward(x[D]) -> y[D] = w @ x
                }

                block Chosen<D> {
                    experts: Scaled<D> * 2 ++ [none]
                    others: Scaled<D> * 2
                    forward(x[D]) -> y[D] {
                        listed = route x to experts by top(1, x[0..3])
                        e[j in 0..1] = if x[2] > x[0] { none } else { j }
                        y[d] = listed[d] + (sum[j] others[e[j]](x)[d])
                    }
                }

                model M<D = 16> {
                    chosen: Chosen<D>
                    forward(x[T, D]) -> y[T, D] = chosen(x)
                }
                """;
        float[] none = new float[16];
        none[2] = 1;
        Run nothing = run(program, new long[] {1}, none);
        assertEquals(0, nothing.ledger().weightBytes());
        for (int d = 0; d < 16; d++) {
            assertEquals(0, nothing.y().real(d));
        }
        float[] first = new float[16];
        first[0] = 1;
        Run both = run(program, new long[] {1}, first);
        assertEquals(2 * 16 * 16 * 4, both.ledger().weightBytes());
        assertEquals(2, both.y().real(3));
    }

    static final String GUARDED = """
            block Heavy<D> {
                param w[D, D]
                forward(x[D]) -> y[D] = exp(w @ x)
            }

            block Guarded<D> {
                heavy: Heavy<D>
                forward(x[D]) -> y[D] {
                    y = x
                    if x[0] > 0.0 { y = heavy(x) }
                }
            }

            model M<D = 16> {
                guarded: Guarded<D>
                forward(x[T, D]) -> y[T, D] = guarded(x)
            }
            """;

    /** Rows of all blocks of a route are sorted together; only some of these blocks have weights. */
    @Test
    void blocksThatServeNobodyReadNoWeightsBesideOthersThatDo() {
        String program = """
                block Scale<D> {
                    param w[D, D]
                    forward(x[D]) -> y[D] = w @ x
                }

                block Copy<D> {
                    forward(x[D]) -> y[D] = x
                }

                block Pick<D> {
                    list: Scale<D> * 2 ++ [Copy<D>, Scale<D>]
                    forward(x[D]) -> y[D] {
                        score[n in 0..4] = if float(n) == x[0] { 1.0 } else { 0.0 }
                        y = route x to list by top(1, score)
                    }
                }

                model M<D = 16> {
                    pick: Pick<D>
                    forward(x[T, D]) -> y[T, D] = pick(x)
                }
                """;
        long matrix = 16L * 16 * 4;
        assertEquals(0, run(program, new long[] {3}, filled(3, 2, 2, 2)).ledger.weightBytes());
        assertEquals(matrix,
                run(program, new long[] {3}, filled(3, 2, 1, 2)).ledger.weightBytes());
        assertEquals(matrix,
                run(program, new long[] {3}, filled(3, 2, 3, 2)).ledger.weightBytes());
        assertEquals(3 * matrix,
                run(program, new long[] {3}, filled(3, 0, 1, 3)).ledger.weightBytes());
    }

    /** A bias is read with the matrix to whose product it is added. */
    @Test
    void whatIsAddedToAProductIsReadWithIt() {
        assertEquals((16L * 16 + 16) * 4, run("""
                model M<D = 16> {
                    param w[D, D], bias[D]
                    forward(x[T, D]) -> y[T, D] {
                        z = w @ x + bias
                        y = if z > 0.0 { z } else { 0.0 }
                    }
                }
                """, new long[] {3}, filled(3, 1, 2, 3)).ledger.weightBytes());
    }

    /** With a matrix or none, and with blocks of another kind among them. */
    @Test
    void vectorsOfBlocksThatServeNobodyAreNotRead() {
        String program = """
                block Biased<D> {
                    param w[D, D], bias[D]
                    forward(x[D]) -> y[D] = w @ x + bias
                }

                block Scale<D> {
                    param scale[D]
                    forward(x[D]) -> y[D] = scale * x
                }

                block Pick<D> {
                    list: Scale<D> * 2 ++ [Biased<D>, Biased<D>]
                    scales: Scale<D> * 3
                    forward(x[D]) -> y[D] {
                        score[n in 0..4] = if float(n) == x[0] { 1.0 } else { 0.0 }
                        other[n in 0..3] = if float(n) == x[1] { 1.0 } else { 0.0 }
                        y = route x to list by top(1, score)
                        y = y + route x to scales by top(1, other)
                    }
                }

                model M<D = 16> {
                    pick: Pick<D>
                    forward(x[T, D]) -> y[T, D] = pick(x)
                }
                """;
        long vector = 16L * 4;
        long biased = 16L * 16 * 4 + vector;
        // All have 0 as their second number, so that they share the first of three scales.
        assertEquals(vector + vector,
                run(program, new long[] {3}, filled(3, 1, 1, 1)).ledger.weightBytes());
        assertEquals(2 * vector + vector,
                run(program, new long[] {3}, filled(3, 1, 0, 1)).ledger.weightBytes());
        assertEquals(biased + vector + vector,
                run(program, new long[] {3}, filled(3, 3, 0, 3)).ledger.weightBytes());
        assertEquals(2 * biased + vector,
                run(program, new long[] {3}, filled(3, 3, 2, 2)).ledger.weightBytes());
    }

    private static float[] filled(int rows, float... first) {
        float[] x = new float[rows * 16];
        for (int r = 0; r < rows; r++) {
            x[r * 16] = first[r];
        }
        return x;
    }

    @Test
    void behindAClosedGateNoKernelRuns() {
        Run shut = run(GUARDED, new long[] {3}, filled(3, -1, -1, -1));
        Run open = run(GUARDED, new long[] {3}, filled(3, -1, 0.5f, -1));
        assertEquals(0, shut.ledger.weightBytes(), "no weights are read");
        assertEquals(16L * 16 * 4, open.ledger.weightBytes());
        assertEquals(0, shut.ledger.gates().getFirst().entered());
        assertEquals(1, open.ledger.gates().getFirst().entered());
        assertEquals(3, open.ledger.gates().getFirst().all());
        // The condition and the selection remain; of the guarded block nothing does.
        assertTrue(shut.ledger.launches() <= 2, shut.ledger.kernels().toString());
        assertEquals(-1, shut.y.real(0));
        assertEquals(Math.exp(0.5), open.y.real(16), 1e-6);
    }

    private static final String SELECTED = """
            block Heavy<D> {
                param w[D, D]
                forward(x[D]) -> y[D] = exp(w @ x)
            }

            model M<D = 16> {
                heavy: Heavy<D>
                forward(x[T, D]) -> y[T, D] {
                    kept = [t where x[t, 0] > 0.0]
                    z[k, d] = x[kept[k], d]
                    z = heavy(z)
                    y = x
                    y[kept[k], d] = z[k, d]
                }
            }
            """;

    @Test
    void whatIsComputedOverASelectionIsComputedForItOnly() {
        Run none = run(SELECTED, new long[] {3}, filled(3, -1, -1, -1));
        Run some = run(SELECTED, new long[] {3}, filled(3, -1, 0.5f, 0.25f));
        assertEquals(0, none.ledger.weightBytes(), "no weights are read");
        assertEquals(16L * 16 * 4, some.ledger.weightBytes());
        Ledger.Gate gate = some.ledger.gates().getFirst();
        assertEquals("where test.weir:9:16", gate.path());
        assertEquals(2, gate.entered());
        assertEquals(3, gate.all());
        assertEquals(0, none.ledger.gates().getFirst().entered());
        assertEquals(Math.exp(0.5), some.y.real(16), 1e-6);
        assertEquals(-1, some.y.real(0));
    }

    private static final String COUNTED_IN_LISTS = """
            block Inner<D> {
                param w[D]
                forward(x[D]) -> y[D] = w * x
            }

            block Expert<D> {
                param scores[2, D]
                inner: Inner<D> * 2
                forward(x[D]) -> y[D] {
                    y = x
                    for i in 0..3 {
                        y = 2.0 * y
                        if y[0] > 3.0 { break }
                    }
                    y = route y to inner by top(1, softmax(scores @ x))
                }
            }

            block Layer<D> {
                tokens: Tokens<D>
                forward(x[T, D]) -> y[T, D] {
                    y = tokens(x)
                    score[t] = x[t, 0]
                    if score > 0.0 { y[t, d] = y[t, d] + 1.0 }
                    for i in 0..2 { y = y + 0.5 }
                }
            }

            block Tokens<D> {
                param scores[3, D]
                experts: Expert<D> * 3
                forward(x[D]) -> y[D] = route x to experts by top(1, softmax(scores @ x))
            }

            model M<D = 16> {
                layers: Layer<D> * 2
                forward(x[T, D]) -> y[T, D] {
                    y = x
                    for i in 0..2 { y = layers[i](y) }
                }
            }
            """;

    /** A star stands for instances that differ from token to token. */
    @Test
    void countsInListsAreNamedByInstance() {
        Run run = run(COUNTED_IN_LISTS, new long[] {3}, filled(3, 1, -1, 2));
        assertEquals(List.of("layers.0.gate0", "layers.1.gate0"), run.ledger.gates().stream()
                .map(Ledger.Gate::path).filter(p -> p.startsWith("layers")).toList());
        assertEquals(2, run.ledger.gates().stream().filter(g -> g.path().equals("layers.0.gate0"))
                .findFirst().orElseThrow().entered());
        assertEquals(2, run.ledger.loops().get("layers.1.loop_i"));
        assertTrue(run.ledger.loops().containsKey("layers.0.tokens.experts.*.loop_i"),
                run.ledger.loops().toString());
        assertTrue(run.ledger.routes().stream().anyMatch(r ->
                        r.path().equals("layers.1.tokens.experts.*.inner")
                                && r.served().equals(List.of(3L, 0L))),
                run.ledger.routes().toString());
    }

    @Test
    void tokensThatLeftALoopAreGone() {
        Run run = run("""
                block Halting<D, Depth> {
                    forward(x[D]) -> y[D] {
                        y = x
                        for i in 0..Depth {
                            y = y + 1.0
                            if y[0] > 2.5 { break }
                        }
                    }
                }

                model M<D = 16> {
                    halting: Halting<D, 4>
                    forward(x[T, D]) -> y[T, D] = halting(x)
                }
                """, new long[] {3}, filled(3, 0, 2, 5));
        // Rows begin at 0, 2 and 5: they leave after 3, 1 and 1 iterations.
        assertEquals(3, run.y.real(0));
        assertEquals(3, run.y.real(16));
        assertEquals(6, run.y.real(32));
        long iterations = run.ledger.loops().values().stream().mapToLong(n -> n).sum();
        assertEquals(3, iterations, "the fourth iteration has nobody left to run for");
        Ledger.Gate gate = run.ledger.gates().stream()
                .filter(g -> g.entered() == 5)
                .findFirst()
                .orElseThrow(() -> new AssertionError(run.ledger.gates().toString()));
        assertEquals(9, gate.all(), "3 + 1 + 1 of 3 · 3 rows were computed");
    }
}
