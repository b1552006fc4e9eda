package dev.weir.frontend;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.weir.ir.diagnostic.Source;
import dev.weir.ir.tensor.Fault;
import dev.weir.ir.tensor.Interpreter;
import dev.weir.ir.tensor.Memory;
import dev.weir.ir.tensor.Parameter;
import dev.weir.ir.tensor.TensorData;
import dev.weir.ir.tensor.TensorProgram;
import dev.weir.ir.tensor.Watcher;
import dev.weir.ir.type.Format;
import dev.weir.ir.type.Size;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;

/** Small programs mean what the language reference says: source, interpreter, numbers. */
class MeaningTest {

    /** Parameters hold 0, 1, 2, … unless given. */
    private static double[] run(String program, Map<String, double[]> given, TensorData... input) {
        TensorProgram lowered = Frontend.lower(new Source("t.weir", program), Library::find,
                LowerOptions.of(Configuration.empty()));
        Interpreter interpreter = new Interpreter(lowered, p -> parameter(p, given));
        TensorData result =
                interpreter.step(new Memory(), List.of(input), Watcher.NONE).getFirst();
        double[] values = new double[result.elements()];
        Arrays.setAll(values, i -> result.format().isFloat() ? result.real(i) : result.whole(i));
        return values;
    }

    private static TensorData parameter(Parameter p, Map<String, double[]> given) {
        TensorData data = TensorData.zeros(p.value().type().format(),
                p.value().type().shape().stream().map(Size::constant)
                        .mapToLong(s -> s.orElseThrow()).toArray());
        for (int i = 0; i < data.elements(); i++) {
            data.setReal(i, given.containsKey(p.path()) ? given.get(p.path())[i] : i);
        }
        return data;
    }

    private static TensorData reals(double... values) {
        return TensorData.ofReals(Format.F32, new long[] {values.length}, values);
    }

    private static TensorData wholes(long... values) {
        return TensorData.ofWholes(Format.I64, new long[] {values.length}, values);
    }

    private static void assertValues(double[] found, double... expected) {
        assertEquals(expected.length, found.length, Arrays.toString(found));
        for (int i = 0; i < expected.length; i++) {
            assertEquals(expected[i], found[i], 1e-5, Arrays.toString(found));
        }
    }

    @Test
    void dataOnTheLeftAccumulates() {
        assertValues(run("""
                model M<N = 3> {
                    forward(x[E], to[E]: int) -> y[N] {
                        y[to[e]] += x[e]
                    }
                }
                """, Map.of(), reals(1, 2, 4), wholes(2, 0, 2)), 2, 0, 5);
    }

    @Test
    void aTargetOutsideIsAFault() {
        assertThrows(Fault.class, () -> run("""
                model M<N = 3> {
                    forward(x[E], to[E]: int) -> y[N] {
                        y[to[e]] += x[e]
                    }
                }
                """, Map.of(), reals(1), wholes(3)));
    }

    @Test
    void chosenBlocksByHandAndByRouteAgree() {
        String blocks = """
                block Scale<D> {
                    param by[D]
                    forward(x[D]) -> y[D] { y[d] = by[d] * x[d] }
                }
                """;
        String byHand = blocks + """
                block Chosen<D, N> {
                    experts: Scale<D> * N
                    param w[2]
                    forward(x[D]) -> y[D] {
                        e[j in 0..2] = 2 - 2 * j
                        y[d] = sum[j] w[j] * experts[e[j]](x)[d]
                    }
                }
                model M<D = 2> {
                    part: Chosen<D, 3>
                    forward(x[T]) -> y[T, D] {
                        z[t, d in 0..D] = x[t]
                        y = part(z)
                    }
                }
                """;
        Map<String, double[]> weights = Map.of("part.w", new double[] {0.25, 0.75});
        // 0.25 * expert 2 (4, 5) + 0.75 * expert 0 (0, 1)
        assertValues(run(byHand, weights, reals(2)), 2, 4);
        String routed = blocks + """
                block Chosen<D, N> {
                    experts: Scale<D> * N
                    param p[N]
                    forward(x[D]) -> y[D] = route x to experts by top(2, p, normalize: true)
                }
                model M<D = 2> {
                    part: Chosen<D, 3>
                    forward(x[T]) -> y[T, D] {
                        z[t, d in 0..D] = x[t]
                        y = part(z)
                    }
                }
                """;
        assertValues(run(routed, Map.of("part.p", new double[] {3, 0, 1}), reals(2)), 2, 4);
    }

    @Test
    void bothBranchesOfAGateMeetAgain() {
        assertValues(run("""
                model M {
                    forward(x[T]) -> y[T] {
                        if x > 2.0 { y = 10.0 * x } else { y = -x }
                    }
                }
                """, Map.of(), reals(1, 2, 3, 4)), -1, -2, 30, 40);
    }

    @Test
    void insideAGateTheAxisHasTheEntrantsOnly() {
        assertValues(run("""
                model M {
                    forward(x[T]) -> y[T] {
                        y = x
                        if x > 1.0 {
                            total = sum[t] x[t]
                            y[t] = total - (x[t - 1] or 0)
                        }
                    }
                }
                """, Map.of(), reals(1, 2, 0, 4)), 1, 6, 0, 4);
    }

    @Test
    void elementsLeaveALoopByThemselves() {
        assertValues(run("""
                model M {
                    forward(x[T]) -> (y[T], n) {
                        y = x
                        n = 0.0
                        for i in 0..5 {
                            y = 2.0 * y
                            if y > 10.0 { break }
                            y = y + 1.0
                        }
                    }
                }
                """, Map.of(), reals(1, 3, 20)), 14, 14, 40);
    }

    @Test
    void aLoopCanBeLeftAtOnce() {
        assertValues(run("""
                model M {
                    forward(x[T]) -> y[T] {
                        y = x
                        for i in 0..5 {
                            if any(y > 10.0) { break }
                            y = 2.0 * y
                        }
                    }
                }
                """, Map.of(), reals(1, 3)), 4, 12);
    }

    @Test
    void softmaxOverNothingIsZero() {
        assertValues(run("""
                model M {
                    forward(x[T]) -> p[T] {
                        p[t] = softmax[t] x[t] where x[t] > 9.0
                    }
                }
                """, Map.of(), reals(1, 2)), 0, 0);
    }

    @Test
    void filtersReachReductions() {
        assertValues(run("""
                model M {
                    forward(x[T]) -> y[T] {
                        y[t] = mean[s] x[s] where s <= t
                    }
                }
                """, Map.of(), reals(1, 3, 8)), 1, 2, 4);
    }

    @Test
    void tiesOfArgmaxGoToTheLowerIndex() {
        assertValues(run("""
                model M {
                    forward(x[T]) -> (best: int, y) {
                        best = argmax[t] x[t]
                        y = logsumexp[t] x[t]
                    }
                }
                """, Map.of(), reals(1, 5, 5)), 1);
    }

    /** A comparison with NaN does not hold, and its opposite does not either. */
    @Test
    void whatStandsBehindElseIsThereForNaNToo() {
        assertValues(run("""
                model M<N = 3> {
                    forward(x[N], at[N]: int) -> y[N] {
                        y[i] = if x[i] < 1.0 { 1.0 } else { sum[j] x[at[j]] where at[j] != i }
                    }
                }
                """, Map.of(), reals(Double.NaN, 4, 0), wholes(1, 1, 1)), 12, 0, 1);
    }

    @Test
    void wholeNumbersFloor() {
        assertValues(run("""
                model M {
                    forward(x[T]: int) -> y[T]: int {
                        y[t] = (x[t] - 4) / 3 * 10 + (x[t] - 4) % 3
                    }
                }
                """, Map.of(), wholes(0, 3, 9)), -18, -8, 12);
    }

    @Test
    void activationsAreRoundedWhereTheyGetAName() {
        assertValues(run("""
                model M {
                    precision { activations: bf16 }
                    forward(x[T]) -> y[T] {
                        h = x + 0.001953125
                        y = h * 256.0
                    }
                }
                """, Map.of(), reals(1)), 256);
    }

    @Test
    void stateIsCarriedFromStepToStep() {
        TensorProgram program = Frontend.lower(new Source("t.weir", """
                model M {
                    state total = 10, rows[S]
                    forward(x[T]) -> y[T] {
                        total = total + (sum[t] x[t])
                        rows ++= x
                        y[t] = x[t] + total + (sum[s] rows[s])
                    }
                }
                """), Library::find, LowerOptions.of(Configuration.empty()));
        Interpreter interpreter = new Interpreter(program, p -> parameter(p, Map.of()));
        Memory memory = new Memory();
        assertEquals(14, interpreter.step(memory, List.of(reals(1, 1)), Watcher.NONE)
                .getFirst().real(0) - 1 + 0.0, 1e-6);
        assertEquals(25, interpreter.step(memory, List.of(reals(5)), Watcher.NONE)
                .getFirst().real(0) - 5 + 1.0, 1e-6);
    }

    @Test
    void namesOfStretchesCountFromTheListsStart() {
        TensorProgram program = Frontend.lower(new Source("t.weir", """
                block A<D> {
                    param a[D]
                    forward(x[D]) -> y[D] { y[d] = a[d] * x[d] }
                }
                block B<D> {
                    param b[D]
                    forward(x[D]) -> y[D] { y[d] = b[d] + x[d] }
                }
                model M<D = 2> {
                    layers: A<D> * 2 ++ B<D> * 3
                    forward(x[T, D]) -> y[T, D] {
                        y = x
                        for i in 0..5 { y = layers[i](y) }
                    }
                }
                """), Library::find, LowerOptions.of(Configuration.empty()));
        Parameter b = program.parameters().stream().filter(p -> p.path().endsWith("b"))
                .findFirst().orElseThrow();
        assertEquals("layers.4.b", Parameter.instantiate(b.stored().getFirst(), List.of(2L)));
        assertTrue(program.functions().size() == 2, program.functions().toString());
    }
}
