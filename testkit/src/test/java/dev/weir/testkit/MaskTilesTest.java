package dev.weir.testkit;

import static org.junit.jupiter.api.Assertions.assertEquals;

import dev.weir.compiler.Compiler;
import dev.weir.frontend.Configuration;
import dev.weir.frontend.LowerOptions;
import dev.weir.ir.diagnostic.Source;
import dev.weir.ir.kernel.Expression;
import dev.weir.ir.kernel.KernelCompiler;
import dev.weir.ir.kernel.KernelInterpreter;
import dev.weir.ir.kernel.TargetDescription;
import dev.weir.ir.tensor.TensorProgram;
import dev.weir.ir.type.Format;
import dev.weir.runtime.memory.Pool;
import dev.weir.runtime.memory.Tensor;
import dev.weir.runtime.model.Engine;
import dev.weir.runtime.model.Model;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Random;
import java.util.function.Predicate;
import java.util.stream.Stream;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/**
 * The tiles of keys that attention computes for its queries: as many as a count over all pairs
 * finds in which anything is visible.
 */
class MaskTilesTest {
    private static final TargetDescription TARGET = TargetDescription.VECTOR128;
    private static final int ROWS = 137;
    private static final int CHANNELS = 8;
    private static final int TILE = 64;
    private static final String MODEL = """
            fn near(a: int, b: int) -> bool = a - b < 70 and b - a < 3

            model M<C = %d> {
                forward(q[T, C], k[T, C], v[T, C], page[T]: int) -> z[T, C] {
                    score[t, s] = (sum[c] q[t, c] * k[s, c]) / sqrt(C)
                    p[t, s] = softmax[s] score[t, s] where %s
                    z[t, c] = sum[s] p[t, s] * v[s, c]
                }
            }
            """;

    private static long exponentialsOfAll;

    @BeforeAll
    static void countAll() {
        exponentialsOfAll = exponentials("true");
    }

    /** Whether a query sees a key; pages are what the tensor of documents says. */
    private interface Visible {
        boolean sees(int t, int s, int[] page);
    }

    private record Mask(String text, Visible visible) {
        @Override
        public String toString() {
            return text;
        }
    }

    static Stream<Mask> masks() {
        return Stream.of(
                new Mask("s <= t", (t, s, page) -> s <= t),
                new Mask("s < t", (t, s, page) -> s < t),
                new Mask("s >= t", (t, s, page) -> s >= t),
                new Mask("not (s > t)", (t, s, page) -> s <= t),
                new Mask("s <= t and t - s < 33", (t, s, page) -> s <= t && t - s < 33),
                new Mask("s <= t and t - s < 128", (t, s, page) -> s <= t && t - s < 128),
                new Mask("t - s < 65 and s - t < 65",
                        (t, s, page) -> t - s < 65 && s - t < 65),
                new Mask("s >= t - 70 and s <= t - 65",
                        (t, s, page) -> s >= t - 70 && s <= t - 65),
                new Mask("near(t, s)", (t, s, page) -> t - s < 70 && s - t < 3),
                new Mask("s <= t and (t - s < 40 or s < 4)",
                        (t, s, page) -> s <= t && (t - s < 40 || s < 4)),
                new Mask("s <= t and (t - s < 70 or s < 64 or (s / 64) % 3 == 2)",
                        (t, s, page) -> s <= t && (t - s < 70 || s < 64 || s / 64 % 3 == 2)),
                new Mask("s <= t and (s / 16) % 7 == 1",
                        (t, s, page) -> s <= t && s / 16 % 7 == 1),
                new Mask("s / 96 == t / 96", (t, s, page) -> s / 96 == t / 96),
                new Mask("s == t", (t, s, page) -> s == t),
                new Mask("s % 100 == t % 100", (t, s, page) -> s % 100 == t % 100),
                new Mask("page[s] == page[t]", (t, s, page) -> page[s] == page[t]),
                new Mask("page[s] == page[t] and s <= t",
                        (t, s, page) -> page[s] == page[t] && s <= t),
                new Mask("page[s] <= page[t] and s >= 64",
                        (t, s, page) -> page[s] <= page[t] && s >= 64),
                new Mask("t % 2 == 0 and s <= t", (t, s, page) -> t % 2 == 0 && s <= t),
                new Mask("s <= 2 * t and 2 * s >= t",
                        (t, s, page) -> s <= 2 * t && 2 * s >= t),
                new Mask("bit_and(s, t) == 0", (t, s, page) -> (s & t) == 0),
                new Mask("s > 1000", (t, s, page) -> false));
    }

    @ParameterizedTest
    @MethodSource("masks")
    void asManyTilesAreComputedAsHaveSomethingVisible(Mask mask) {
        long all = open((t, s, page) -> true);
        assertEquals(exponentialsOfAll * open(mask.visible), exponentials(mask.text) * all, mask.text);
    }

    /** A tile that is open or shut as a whole is asked about its ends, not about its places. */
    @Test
    void placesAreAskedOnlyWhereSomeAreSeenAndOthersNot() {
        // A remainder that changes nothing, to be counted by.
        Predicate<Expression> remainder = expression ->
                expression instanceof Expression.Binary binary
                        && binary.operation() == Expression.BinaryOperation.REMAINDER
                        && binary.right() instanceof Expression.Whole divisor
                        && divisor.value() == 1009;
        long places = 0;
        for (int t = 0; t < ROWS; t++) {
            for (int tile = 0; tile < ROWS; tile += TILE) {
                int end = Math.min(ROWS, tile + TILE);
                places += tile <= t && t < end - 1 ? end - tile : 0;
            }
        }
        long ofEnds = steps("s % 1009 < 5000", remainder);
        assertEquals(4 * ROWS * Math.ceilDiv(ROWS, TILE), ofEnds, "two for each end");
        assertEquals(ofEnds + places, steps("s % 1009 <= t", remainder));
    }

    /** Pairs of a query and a tile of keys of which it sees at least one. */
    private static long open(Visible visible) {
        int[] page = pages();
        long open = 0;
        for (int t = 0; t < ROWS; t++) {
            for (int tile = 0; tile < ROWS; tile += TILE) {
                boolean any = false;
                for (int s = tile; s < Math.min(ROWS, tile + TILE); s++) {
                    any |= visible.sees(t, s, page);
                }
                open += any ? 1 : 0;
            }
        }
        return open;
    }

    /**
     * Steps of exponentials, which nothing else here has: those that take a number's bits for
     * another kind of number. A tile has as many as any other.
     */
    private static long exponentials(String mask) {
        return steps(mask, expression -> expression instanceof Expression.Bitcast);
    }

    /** How often a kind of expression is evaluated. */
    private static long steps(String mask, Predicate<Expression> counted) {
        List<TensorProgram> programs = Compiler.entries(
                new Source("test.weir", MODEL.formatted(CHANNELS, mask)), TestModel.library(),
                new LowerOptions(Optional.empty(), Configuration.empty(), Map.of(), false));
        long[] steps = {0};
        try (KernelCompiler compiler = new KernelInterpreter(TARGET, expression ->
                        steps[0] += counted.test(expression) ? 1 : 0);
                Model model = new Model(programs.stream().map(p ->
                        Compiler.schedule(Compiler.optimise(p), TARGET)).toList(),
                        compiler, Map.of(), 1, Pool.UNLIMITED)) {
            model.step(List.of(model.start()), new long[] {ROWS},
                    List.of(reals(1), reals(2), reals(3), page()), Engine.Tracer.NONE);
        }
        return steps[0];
    }

    private static Tensor reals(long seed) {
        Random random = new Random(seed);
        Tensor tensor = Tensor.zeros(Format.F32, ROWS, CHANNELS);
        for (long i = 0; i < tensor.elements(); i++) {
            tensor.setReal(i, random.nextGaussian());
        }
        return tensor;
    }

    /** Documents of unlike lengths, the first in two parts. */
    private static int[] pages() {
        int[] page = new int[ROWS];
        for (int t = 0; t < ROWS; t++) {
            page[t] = t < 11 ? 0 : t < 80 ? 1 : t < 130 ? 2 : t < 131 ? 3 : 0;
        }
        return page;
    }

    private static Tensor page() {
        Tensor page = Tensor.zeros(Format.I64, ROWS);
        for (int t = 0; t < ROWS; t++) {
            page.setWhole(t, pages()[t]);
        }
        return page;
    }
}
