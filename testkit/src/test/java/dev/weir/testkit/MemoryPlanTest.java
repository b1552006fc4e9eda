package dev.weir.testkit;

import static dev.weir.testkit.CommandTest.weir;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import dev.weir.compiler.Compiler;
import dev.weir.ir.kernel.HostStatement;
import dev.weir.ir.kernel.KernelProgram;
import dev.weir.ir.type.Format;
import dev.weir.passes.cost.CostOf;
import dev.weir.passes.cost.Question;
import dev.weir.passes.memory.MemoryPlan;
import dev.weir.runtime.memory.Tensor;
import dev.weir.runtime.model.Engine;
import dev.weir.testkit.CommandTest.Outcome;
import dev.weir.testkit.TestModel.Target;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.stream.LongStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/** What a memory plan says that a step takes, against what the executor counts as it runs. */
class MemoryPlanTest {
    private static MemoryPlan plan(List<KernelProgram> entries, long tokens, long context) {
        return CostOf.memory(entries, entries.getFirst(),
                new Question(tokens, context, 1, Map.of()));
    }

    private static MemoryPlan plan(KernelProgram program, Question question) {
        return CostOf.memory(List.of(program), program, question);
    }

    private static long[] ids(int count) {
        return LongStream.range(0, count).map(i -> (i * 7 + 3) % 61).toArray();
    }

    /** Plain, routed, with carried states, with kept slots: sizes that tokens alone decide. */
    @ParameterizedTest
    @CsvSource({"llama, 1", "llama, 5", "llama, 130", "gemma2, 9", "mamba, 9", "jamba, 40",
            "mixtral, 30", "deepseek_v3, 30", "zamba2, 9"})
    void theBoundIsWhatTheExecutorCounts(String fixture, int tokens) throws Exception {
        try (TestModel model = TestModel.stock(
                TestModel.fixture(fixture), fixture, Target.JVM, 1, false)) {
            Engine.Session session = model.engine().start();
            model.feed(session, ids(tokens));
            assertEquals(plan(model.allKernels(), tokens, 0).bound(), peak(model), fixture);
            session.close();
        }
    }

    private static double peak(TestModel model) {
        return model.compiled().peakTensorBytes(model.kernels().entry());
    }

    @Test
    void ofSeveralEntriesEachHasItsOwn() throws Exception {
        try (TestModel model = TestModel.stock(TestModel.fixture("switch_transformers"),
                "switch_transformers", Target.JVM, 1, false)) {
            Engine.Session session = model.engine().start();
            model.batch("encode", List.of(session), List.of(ids(40)));
            model.feed(session, ids(3));
            Question.Context encoded = new Question.Context(Optional.of("encode"), 40);
            for (KernelProgram entry : model.allKernels()) {
                boolean first = entry.entry().equals("encode");
                Question question = new Question(first ? 40 : 3,
                        first ? List.of() : List.of(encoded), 1, Map.of());
                MemoryPlan plan = CostOf.memory(model.allKernels(), entry, question);
                assertEquals(plan.bound(), model.compiled().peakTensorBytes(entry.entry()),
                        entry.entry());
            }
        }
    }

    private static double peak(String program, long[] shape, float[] values) throws Exception {
        try (TestModel model = TestModel.random(program, 1, Target.JVM, 1)) {
            run(model, shape, values);
            return peak(model);
        }
    }

    private static void run(TestModel model, long[] shape, float... values) {
        Tensor x = Tensor.zeros(Format.F32, shape);
        for (int i = 0; i < values.length; i++) {
            x.setReal(i, values[i]);
        }
        model.batch(List.of(model.engine().start()), new long[] {shape[0]}, List.of(x));
    }

    /** Of 32 tokens, the first ones enter. */
    @ParameterizedTest
    @ValueSource(ints = {0, 1, 16, 32})
    void whatAGateLetsInTakesWhatIsAssumed(int entrants) throws Exception {
        float[] values = new float[32 * 16];
        Arrays.fill(values, -1);
        for (int t = 0; t < entrants; t++) {
            values[t * 16] = 1;
        }
        try (TestModel model = TestModel.random(LedgerTest.GUARDED, 1, Target.JVM, 1)) {
            run(model, new long[] {32, 16}, values);
            MemoryPlan plan = plan(model.kernels(), new Question(32, 0, entrants / 32.0, Map.of()));
            assertEquals(plan.bound(), peak(model));
            MemoryPlan all = plan(model.kernels(), new Question(32, 0, 1, Map.of()));
            assertTrue(entrants == 32 ? all.bound() == plan.bound() : all.bound() > plan.bound(),
                    all.bound() + " for all, " + plan.bound() + " for " + entrants);
            assertTrue(plan.assumptions().stream().anyMatch(a -> a.contains("enters")),
                    plan.assumptions().toString());
        }
    }

    /** One arm takes three times what the other one takes, and nobody knows which it is. */
    private static final String ARMS = """
            block Arms<D> {
                param router[D], wide[3 * D, D], narrow[D, 3 * D], own[D, D]
                forward(x[T, D]) -> y[T, D] {
                    middle[d] = mean[t] x[t, d]
                    if middle @ router > 0.0 {
                        y = narrow @ tanh(wide @ x)
                    } else {
                        y = own @ x
                    }
                }
            }
            model M<D = 16> {
                arms: Arms<D>
                forward(x[T, D]) -> y[T, D] = arms(x)
            }
            """;

    @Test
    void ofTwoArmsTheOneThatTakesMoreCounts() throws Exception {
        long[] shape = {40, 16};
        float[] values = new float[40 * 16];
        Arrays.fill(values, 1);
        double one = peak(ARMS, shape, values);
        Arrays.fill(values, -1);
        double other = peak(ARMS, shape, values);
        assertTrue(Math.max(one, other) > Math.min(one, other) + 40 * 16 * 4, one + ", " + other);
        try (TestModel model = TestModel.random(ARMS, 1, Target.JVM, 1)) {
            MemoryPlan plan = plan(model.allKernels(), 40, 0);
            assertEquals(Math.max(one, other), plan.bound());
        }
    }

    /** What rounds carry is changed in place, and copied where it is read behind the loop. */
    private static final String ROUNDS = """
            model M<D = 16> {
                param w[D, D], halt[D]
                forward(x[T, D]) -> y[T, D] {
                    y = x
                    for i in 0..4 {
                        y = y + tanh(w @ y)
                        middle[d] = mean[t] y[t, d]
                        if middle @ halt > 1000.0 { break }
                    }
                    y = y + w @ x
                }
            }
            """;

    @Test
    void aLoopTakesWhatOneOfItsRoundsTakes() throws Exception {
        float[] values = new float[24 * 16];
        Arrays.fill(values, 0.5f);
        try (TestModel model = TestModel.random(ROUNDS, 1, Target.JVM, 1)) {
            run(model, new long[] {24, 16}, values);
            assertEquals(plan(model.allKernels(), 24, 0).bound(), peak(model));
        }
    }

    /** The same launches, with a tensor that is kept to the end, and one that never ends. */
    @Test
    void whatIsReleasedEarlierTakesLess() throws Exception {
        try (TestModel model = TestModel.random(ROUNDS, 1, Target.JVM, 1)) {
            KernelProgram program = model.kernels();
            double early = plan(List.of(program), 24, 0).bound();
            double late = plan(List.of(with(program, late(program.step()))), 24, 0).bound();
            double never = plan(List.of(Compiler.schedule(Compiler.optimise(model.program()),
                    TestModel.compiler(Target.JVM).target(), Set.of("lifetimes"),
                    (step, nanos) -> { })), 24, 0).bound();
            assertTrue(early < late, early + " released at once, " + late + " at the end");
            assertTrue(late < never, late + " released at the end, " + never + " never");
        }
    }

    /** All releases of the outermost region behind its last launch. */
    private static List<HostStatement> late(List<HostStatement> statements) {
        List<HostStatement> others = new ArrayList<>(statements);
        List<HostStatement> releases = statements.stream()
                .filter(s -> s instanceof HostStatement.Release).toList();
        assertTrue(releases.size() > 1, "something is released");
        others.removeAll(releases);
        others.addAll(releases);
        return others;
    }

    private static KernelProgram with(KernelProgram p, List<HostStatement> step) {
        return new KernelProgram(p.name(), p.entry(), p.parameters(), p.states(), p.stream(),
                p.frames(), p.arguments(), p.results(), p.resultNames(), p.kernels(),
                p.initialise(), step, p.checks(), p.stories(), p.works());
    }

    /** The tensors that are alive at the peak are the bound, and the load makes what it holds. */
    @ParameterizedTest
    @ValueSource(strings = {"llama", "mixtral", "qwen3_next", "gpt_oss"})
    void thePartsAreTheWhole(String fixture) throws Exception {
        try (TestModel model = TestModel.stock(
                TestModel.fixture(fixture), fixture, Target.JVM, 1, false)) {
            MemoryPlan plan = plan(model.allKernels(), 33, 10);
            assertEquals(plan.bound(),
                    plan.tensors().stream().mapToDouble(MemoryPlan.Tensor::bytes).sum());
            assertTrue(model.kernels().kernels().stream()
                    .anyMatch(k -> k.name().equals(plan.place())), plan.place());
            long stored = model.program().parameters().stream()
                    .mapToLong(p -> p.value().type().elements().constant().orElseThrow()
                            * p.value().type().format().bytes()).sum();
            assertTrue(plan.readBytes() + plan.loadedBytes() <= stored, "" + stored);
            assertTrue(plan.madeBytes() >= plan.loadedBytes(), "packed copies of what is packed");
            assertTrue(model.compiled().bytesInUse() >= plan.madeBytes(),
                    model.compiled().bytesInUse() + " held, " + plan.madeBytes() + " planned");
        }
    }

    /** Keys and values of 2 heads of 32 in f32, and a position, in each of 4 layers. */
    @Test
    void statesGrowByWhatATokenLeaves() throws Exception {
        try (TestModel model = TestModel.of(
                TestModel.text(TestModel.tinyworld().resolve("tinyworld.weir")),
                TestModel.tinyworld(), Target.JVM, 1, false)) {
            long each = 4 * (2 * 2 * 32 * 4 + 8);
            assertEquals(5 * each, plan(model.allKernels(), 5, 0).stateBytes());
            assertEquals(105 * each, plan(model.allKernels(), 5, 100).stateBytes());
        }
    }

    /** Instances of a state that get less hold less. */
    @Test
    void statesHoldWhatGatesLetIn() throws Exception {
        try (TestModel model = TestModel.random("""
                block Some<D> {
                    state far[S, D]
                    forward(x[T, D]) -> y[T, D] {
                        stays[t] = x[t, 0] > 0.0
                        if stays { far ++= x }
                        y[t, d] = sum[s] exp(far[s, d] * x[t, d])
                    }
                }
                model M<D = 8> {
                    some: Some<D> * 2
                    forward(x[T, D]) -> y[T, D] {
                        y = x
                        for i in 0..2 { y = some[i](y) }
                    }
                }
                """, 1, Target.JVM, 1)) {
            Question question = new Question(
                    40, 0, 1, Map.of("some.0.gate0", 0.5, "some.1.gate0", 0.25));
            assertEquals((20 + 10) * 8 * 4, plan(model.kernels(), question).stateBytes());
        }
    }

    @Test
    void theCommandPrintsIt() throws Exception {
        String model = TestModel.tinyworld().toString();
        Outcome short1 = weir("cost", model, "--tokens", "3");
        assertEquals(0, short1.code(), short1.err());
        assertTrue(short1.out().contains("\n  memory     at least "), short1.out());
        Outcome table = weir("cost", model, "--tokens", "3", "--memory");
        assertEquals(0, table.code(), table.err());
        assertTrue(table.out().contains("| weights as stored | embed.table "), table.out());
        assertTrue(table.out().contains("alive at k"), table.out());
        Outcome json = weir("cost", model, "--tokens", "3", "--json");
        JsonNode memory = new ObjectMapper().readTree(json.out()).get("memory");
        double sum = 0;
        for (String part : List.of("storedWeightBytes", "madeAtLoadBytes", "stateBytes",
                "tensorBytes")) {
            assertTrue(memory.get(part).asDouble() > 0, part);
            sum += memory.get(part).asDouble();
        }
        assertEquals(memory.get("bytes").asDouble(), sum);
    }
}
