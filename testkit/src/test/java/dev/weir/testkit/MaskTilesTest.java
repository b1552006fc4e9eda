package dev.weir.testkit;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import dev.weir.compiler.Compiler;
import dev.weir.frontend.Configuration;
import dev.weir.frontend.LowerOptions;
import dev.weir.ir.diagnostic.Source;
import dev.weir.ir.kernel.Expression;
import dev.weir.ir.kernel.KernelCompiler;
import dev.weir.ir.kernel.KernelInterpreter;
import dev.weir.ir.kernel.TargetDescription;
import dev.weir.ir.tensor.Parameter;
import dev.weir.ir.tensor.TensorProgram;
import dev.weir.ir.type.Format;
import dev.weir.runtime.memory.Pool;
import dev.weir.runtime.memory.Tensor;
import dev.weir.runtime.model.Engine;
import dev.weir.runtime.model.Model;
import dev.weir.runtime.model.Signature;
import java.io.IOException;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Random;
import java.util.TreeMap;
import java.util.function.BiPredicate;
import java.util.function.Function;
import java.util.function.Predicate;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
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

    /**
     * A program of {@code examples} with a mask of its own.
     *
     * @param function that says what is seen
     * @param sizes that are small in all but what the mask is about
     * @param visible by the sizes, the query and the key
     */
    private record Part(
            String example, String function, Map<String, String> sizes, int tokens, Seen visible) {
        @Override
        public String toString() {
            return example + " at " + sizes;
        }
    }

    /** Whether a query sees a key at some sizes. */
    private interface Seen {
        boolean sees(Map<String, Integer> sizes, int query, int key);
    }

    static Stream<Part> parts() {
        return Stream.of(
                new Part("long_contexts", "partial", Map.of("D", "4", "H", "1", "G", "1", "C", "2",
                        "F", "2", "L", "3", "Window", "40", "Sinks", "3", "Block", "16",
                        "Every", "9"), 201, MaskTilesTest::isOfPart),
                new Part("radial_attention", "radial", Map.of(
                        "D", "4", "H", "1", "C", "2", "L", "1", "S", "64"), 140,
                        MaskTilesTest::isNear));
    }

    /** The window, the first tokens, and a block of every few. */
    private static boolean isOfPart(Map<String, Integer> sizes, int query, int key) {
        int period = sizes.get("Block") * sizes.get("Every");
        return key <= query && (key > query - sizes.get("Window") || key < sizes.get("Sinks")
                || key - key / period * period < sizes.get("Block"));
    }

    /** The band of each doubling of the distance, or a diagonal of every few frames. */
    private static boolean isNear(Map<String, Integer> sizes, int query, int key) {
        int frame = sizes.get("S");
        int distance = Math.abs(query / frame - key / frame);
        int doubled = 1;
        while (2 * doubled <= distance) {
            doubled *= 2;
        }
        int band = frame / doubled;
        int every = 1;
        while (every * frame < doubled) {
            every++;
        }
        int places = Math.abs(query % frame - key % frame);
        return key < frame || places < band || places == 0 && distance / every * every == distance;
    }

    /**
     * What the mask of an example rules out is not computed: beside the exponentials of a program
     * that sees nothing there are those of each tile that has something visible. Those of a tile are
     * counted in a program that sees everything, of a few tokens.
     */
    @ParameterizedTest
    @MethodSource("parts")
    void examplesComputeTheTilesOfTheirMasks(Part part) {
        String program = TestModel.text(
                TestModel.ROOT.resolve("examples/" + part.example + "/idea.weir"));
        String blind = seeing(program, part.function, "k > q + 1000000");
        int few = TILE + 6;
        long tile = exponentials(part, few, seeing(program, part.function, "k >= 0"))
                - exponentials(part, few, blind);
        long none = exponentials(part, part.tokens, blind);
        long own = exponentials(part, part.tokens, program);
        Map<String, Integer> sizes = new TreeMap<>();
        part.sizes.forEach((name, size) -> sizes.put(name, Integer.valueOf(size)));
        long tiles = open(part.tokens, (t, s) -> true);
        long visible = open(part.tokens, (t, s) -> part.visible.sees(sizes, t, s));
        assertTrue(part.tokens > 2 * TILE && visible < tiles, "some tiles are shut");
        assertTrue(tile > 0, "a tile has exponentials");
        assertEquals(tile * visible, (own - none) * open(few, (t, s) -> true), part.toString());
    }

    /** An example that promises a share of tiles has it at the sizes that are measured. */
    @Test
    void examplesStateTheirShareOfTiles() throws IOException {
        for (Path example : ExamplesTest.examples()) {
            JsonNode description = new ObjectMapper().readTree(
                    TestModel.text(example.resolve("example.json")));
            JsonNode stated = description.path("ledger").path("tiles");
            if (stated.isMissingNode()) {
                continue;
            }
            Part part = parts().filter(p -> example.endsWith(p.example)).findFirst().orElseThrow(
                    () -> new AssertionError(example + " promises tiles and is not counted here"));
            Map<String, Integer> sizes = new TreeMap<>();
            Matcher defaults = Pattern.compile("(\\w+) = (\\d+)[,>]").matcher(
                    TestModel.text(example.resolve("idea.weir")));
            while (defaults.find()) {
                sizes.put(defaults.group(1), Integer.valueOf(defaults.group(2)));
            }
            int tokens = description.path("tokens").asInt();
            double all = open(tokens, (t, s) -> true);
            assertEquals(open(tokens, (t, s) -> part.visible.sees(sizes, t, s)) / all,
                    stated.asDouble(), 0.005, example.toString());
        }
    }

    /** The program in which the function says something else. */
    private static String seeing(String program, String function, String seen) {
        int from = program.indexOf("bool =", program.indexOf("fn " + function + "(")) + 6;
        return program.substring(0, from) + " " + seen
                + program.substring(program.indexOf("\n\n", from));
    }

    private static long exponentials(Part part, int tokens, String program) {
        List<TensorProgram> programs = Compiler.entries(
                new Source("idea.weir", program), TestModel.library(),
                new LowerOptions(Optional.empty(), Configuration.empty(), part.sizes, false));
        Map<Parameter, List<Tensor>> weights = new LinkedHashMap<>();
        programs.forEach(p -> weights.putAll(RandomWeights.of(p.parameters(), 1)));
        Tensor x = reals(tokens, Integer.parseInt(part.sizes.get("D")), 1);
        return steps(programs, weights, tokens, MaskTilesTest::isOfExponential, session ->
                        Signature.of(programs.getFirst()).arguments().stream()
                                .map(a -> a.isPositions() ? Engine.positions(
                                        programs.getFirst().entry().name(), List.of(session),
                                        new long[] {tokens}) : x).toList());
    }

    /**
     * A tile that is open or shut as a whole for a block of queries is asked about its ends, and
     * about each of its places once where it is neither.
     */
    @Test
    void placesAreAskedOnlyWhereSomeAreSeenAndOthersNot() {
        // A remainder that changes nothing, to be counted by.
        Predicate<Expression> remainder = expression ->
                expression instanceof Expression.Binary binary
                        && binary.operation() == Expression.BinaryOperation.REMAINDER
                        && binary.right() instanceof Expression.Whole divisor
                        && divisor.value() == 1009;
        int tiles = Math.ceilDiv(ROWS, TILE);
        long ofEnds = steps("s % 1009 < 5000", remainder);
        assertEquals(4 * tiles * tiles, ofEnds, "two for each end, for each block of queries");
        assertEquals(ofEnds + ROWS, steps("s % 1009 <= t", remainder),
                "queries see some of their own block's places, and all or none of another's");
        assertEquals(ofEnds, steps("s % 1009 < 5000 and s % 1009 < 6000", remainder),
                "a number that stands in two places is asked for once");
    }

    /** Pairs of a query and a tile of keys of which it sees at least one. */
    private static long open(Visible visible) {
        int[] page = pages();
        return open(ROWS, (t, s) -> visible.sees(t, s, page));
    }

    private static long open(int rows, BiPredicate<Integer, Integer> visible) {
        long open = 0;
        for (int t = 0; t < rows; t++) {
            for (int tile = 0; tile < rows; tile += TILE) {
                boolean any = false;
                for (int s = tile; !any && s < Math.min(rows, tile + TILE); s++) {
                    any = visible.test(t, s);
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
        return steps(mask, MaskTilesTest::isOfExponential);
    }

    /** The factor of what was summed before is a single number, and there only if it is not 1. */
    private static boolean isOfExponential(Expression expression) {
        return expression instanceof Expression.Bitcast && expression.type().lanes() > 1;
    }

    /** How often a kind of expression is evaluated. */
    private static long steps(String mask, Predicate<Expression> counted) {
        List<TensorProgram> programs = Compiler.entries(
                new Source("test.weir", MODEL.formatted(CHANNELS, mask)), TestModel.library(),
                new LowerOptions(Optional.empty(), Configuration.empty(), Map.of(), false));
        return steps(programs, Map.of(), ROWS, counted, session ->
                List.of(reals(ROWS, CHANNELS, 1), reals(ROWS, CHANNELS, 2),
                        reals(ROWS, CHANNELS, 3), page()));
    }

    private static long steps(
            List<TensorProgram> programs, Map<Parameter, List<Tensor>> weights, int rows,
            Predicate<Expression> counted,
            Function<Engine.Session, List<Tensor>> arguments) {
        long[] steps = {0};
        try (KernelCompiler compiler = new KernelInterpreter(TARGET, expression ->
                        steps[0] += counted.test(expression) ? 1 : 0);
                Model model = new Model(programs.stream().map(p ->
                        Compiler.schedule(Compiler.optimise(p), TARGET)).toList(),
                        compiler, weights, 1, Pool.UNLIMITED)) {
            Engine.Session session = model.start();
            model.step(List.of(session), new long[] {rows}, arguments.apply(session),
                    Engine.Tracer.NONE);
        }
        return steps[0];
    }

    private static Tensor reals(int rows, int channels, long seed) {
        Random random = new Random(seed);
        Tensor tensor = Tensor.zeros(Format.F32, rows, channels);
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
