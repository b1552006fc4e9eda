package dev.weir.testkit;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.weir.codegen.jvm.JvmArtefact;
import dev.weir.compiler.Compiler;
import dev.weir.frontend.Configuration;
import dev.weir.frontend.LowerOptions;
import dev.weir.ir.diagnostic.Source;
import dev.weir.ir.kernel.KernelProgram;
import dev.weir.ir.kernel.TargetDescription;
import dev.weir.ir.tensor.Fault;
import dev.weir.ir.tensor.Parameter;
import dev.weir.ir.tensor.TensorProgram;
import dev.weir.ir.type.Format;
import dev.weir.runtime.memory.Tensor;
import dev.weir.runtime.model.Engine;
import dev.weir.testkit.TestModel.Target;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Random;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.ValueSource;

/** Sessions of compiled host programs: what they remember, and what faults and bad calls leave. */
class HostEngineTest {
    /**
     * A sum that is carried over, and the last three rows of what is looked up; what the id 8 means
     * is looked for last, and not found.
     */
    private static final String REMEMBERS = """
            model Remembers<V = 9, D = 5> {
                param table[V, D], names[V - 1, D]
                state total[D] = 0.5
                state recent[S, D] keep last 3
                state at[S]: int keep last 3

                forward(ids[T]: int, positions[T]: int) -> (y[T, D], named[T, D]) {
                    x[t, d] = table[ids[t], d]
                    scan t {
                        total[d] = 0.75 * total[d] + x[t, d]
                        y[t, d] = total[d]
                    }
                    recent ++= x
                    at ++= positions
                    seen[t, d] = sum[s] recent[s, d] where at[s] <= positions[t] and positions[t] - at[s] < 3
                    named[t, d] = seen[t, d] + names[ids[t], d]
                }
            }
            """;

    private static HostEngine engine(
            KernelProgram program, TargetDescription target, Target way,
            Map<Parameter, List<Tensor>> weights) throws Exception {
        return way == Target.JVM
                ? HostEngine.ofBytecode(program, target, weights)
                : HostEngine.ofNative(program, target, weights);
    }

    private static TensorProgram lifted(String text) {
        return Compiler.optimise(Compiler.lower(new Source("test.weir", text),
                TestModel.library(), new LowerOptions(
                        Optional.empty(), Configuration.empty(), Map.of(), false)));
    }

    private static List<Tensor> step(
            Engine engine, List<Engine.Session> sessions, long[]... ids) {
        long[] rows = Arrays.stream(ids).mapToLong(i -> i.length).toArray();
        return engine.step(sessions, rows, List.of(
                Tensor.ofLongs(Arrays.stream(ids).flatMapToLong(Arrays::stream).toArray()),
                Engine.positions(sessions, rows)), Engine.Tracer.NONE);
    }

    @ParameterizedTest
    @EnumSource(value = Target.class, names = {"JVM", "NATIVE"})
    void statesGoOnWhereTheyWereWhateverFailsInBetween(Target way) throws Exception {
        TargetDescription target = TargetDescription.VECTOR128;
        KernelProgram program = Compiler.schedule(lifted(REMEMBERS), target);
        Map<Parameter, List<Tensor>> weights = RandomWeights.of(program.parameters(), 11);
        long[] ids = new Random(3).longs(400, 0, 8).toArray();
        try (TestModel walked = TestModel.random(REMEMBERS, 11, Target.INTERPRETER, 1);
                HostEngine engine = engine(program, target, way, weights)) {
            List<Tensor> whole = step(
                    walked.engine(), List.of(walked.engine().start()), ids);
            Engine.Session session = engine.start();
            Engine.Session other = engine.start();
            int from = 0;
            for (int round = 0; from < ids.length; round++) {
                int to = Math.min(ids.length, from + round % 7);
                // Appends and carries on before it finds the last id.
                long[] bad = Arrays.copyOfRange(ids, 0, 70);
                bad[69] = 8;
                Fault fault = assertThrows(Fault.class, () ->
                        step(engine, List.of(other, session), new long[] {1, 2}, bad));
                assertTrue(way == Target.JVM || fault.getMessage().equals(
                        "index 8 is outside axis 0 of names, which has 8 elements"),
                        fault.getMessage());
                List<Tensor> left = step(
                        engine, List.of(session), Arrays.copyOfRange(ids, from, to));
                FixtureTest.assertClose("total", whole.get(0).rows(from, to), left.get(0));
                FixtureTest.assertClose("named", whole.get(1).rows(from, to), left.get(1));
                from = to;
                assertEquals(from, session.position());
                assertEquals(0, other.position());
            }
            FixtureTest.assertClose("the other sees its own", whole.get(0).rows(0, 20),
                    step(engine, List.of(other), Arrays.copyOf(ids, 20)).get(0));
        }
    }

    /** Bytes that wrap round to a few would be written far behind their end. */
    @ParameterizedTest
    @EnumSource(value = Target.class, names = {"JVM", "NATIVE"})
    void aLengthFromDataMayBeMoreThanMemoryCouldEverHold(Target way) throws Exception {
        TargetDescription target = TargetDescription.VECTOR128;
        for (long length : new long[] {1L << 29, 1L << 30}) {
            KernelProgram program = Compiler.schedule(lifted("""
                    model M {
                        forward(ids[T]: int, positions[T]: int) -> y[T] {
                            n[t] = ids[t] * %d
                            a[t, i in 0..n[t], j in 0..4294967296] = float(i + j)
                            best[t] = argmax[i] a[t, i, 5]
                            y[t] = a[t, best[t], 7] + float(positions[t])
                        }
                    }
                    """.formatted(length)), target);
            try (HostEngine engine = engine(program, target, way, Map.of())) {
                Engine.Session session = engine.start();
                Fault fault = assertThrows(Fault.class, () ->
                        step(engine, List.of(session), new long[] {1, 0, 1, 1}));
                assertTrue(way == Target.JVM || fault.getMessage().contains("too large")
                        || fault.getMessage().contains("not enough memory"), fault.getMessage());
            }
        }
    }

    /** What a carried state begins with is written in the state's own format. */
    @ParameterizedTest
    @ValueSource(strings = {"f32", "bf16", "f16", "f8e4m3", "f8e5m2"})
    void carriedStatesBeginWithTheirValue(String format) throws Exception {
        String text = """
                model Remembers<V = 9, D = 5> {
                    param table[V, D]
                    state total[D]: %s = 1.5
                    forward(ids[T]: int, positions[T]: int) -> y[T, D] {
                        x[t, d] = table[ids[t], d]
                        scan t {
                            total[d] = 0.5 * total[d] + x[t, d]
                            y[t, d] = total[d]
                        }
                    }
                }
                """.formatted(format);
        long[] ids = {3, 1, 8};
        for (Target way : List.of(Target.NATIVE, Target.JVM)) {
            TargetDescription target = TargetDescription.VECTOR128;
            KernelProgram program = Compiler.schedule(lifted(text), target);
            try (TestModel walked = TestModel.random(text, 4, Target.INTERPRETER, 1);
                    HostEngine engine = engine(program, target, way,
                            RandomWeights.of(program.parameters(), 4))) {
                FixtureTest.assertClose(format + ", " + way,
                        step(walked.engine(), List.of(walked.engine().start()), ids).getFirst(),
                        step(engine, List.of(engine.start()), ids).getFirst());
            }
        }
    }

    /** Gates, loops that are left early, routes: host programs of their own. */
    @ParameterizedTest
    @ValueSource(strings = {"moe_plus_plus", "recursive", "long_range", "gated_linear",
        "delta_rule"})
    void sketchesComputeTheSameBytesAsWalked(String name) throws Exception {
        String text = TestModel.text(
                TestModel.ROOT.resolve("examples/sketches/" + name + ".weir"));
        TensorProgram lifted = lifted(text);
        Random random = new Random(1);
        for (Target way : List.of(Target.NATIVE, Target.JVM)) {
            try (TestModel walked = TestModel.random(text, 7, way, 1)) {
                TargetDescription target = TestModel.compiler(way).target();
                KernelProgram program = Compiler.schedule(lifted, target);
                long[] rows = {21, 0, 4};
                List<Tensor> arguments = walked.program().entry().body().arguments().stream()
                        .map(a -> argument(a.type().format(), a.name().equals("positions"),
                                a.type().shape().stream().skip(1)
                                        .mapToLong(s -> s.constant().orElseThrow())
                                        .reduce(1, (x, y) -> x * y), rows, random))
                        .toList();
                try (HostEngine engine = engine(program, target, way,
                        RandomWeights.of(program.parameters(), 7))) {
                    List<Engine.Session> sessions =
                            List.of(engine.start(), engine.start(), engine.start());
                    List<Tensor> expected = walked.engine().step(
                            List.of(walked.engine().start(), walked.engine().start(),
                                    walked.engine().start()),
                            rows, arguments, Engine.Tracer.NONE);
                    assertEquals(expected, engine.step(
                            sessions, rows, arguments, Engine.Tracer.NONE), name + " " + way);
                }
            }
        }
    }

    private static Tensor argument(
            Format format, boolean positions, long width, long[] rows, Random random) {
        if (positions) {
            return Tensor.ofLongs(Arrays.stream(rows).flatMap(
                    n -> java.util.stream.LongStream.range(0, n)).toArray());
        }
        Tensor tensor = Tensor.zeros(format, Arrays.stream(rows).sum(), width);
        for (long i = 0; i < tensor.elements(); i++) {
            tensor.setReal(i, format.isFloat() ? random.nextGaussian() : random.nextInt(16));
        }
        return tensor;
    }

    @ParameterizedTest
    @EnumSource(value = Target.class, names = {"JVM", "NATIVE"})
    void modelsForWholeSequencesRefuseASecondStep(Target way) throws Exception {
        String text = """
                model Whole<D = 2> {
                    param w[D]
                    forward(x[T, D]) -> y[T, D] {
                        y[t, d] = x[t, d] * w[d] * (sum[u] x[u, d])
                    }
                }
                """;
        KernelProgram program = Compiler.schedule(lifted(text), JvmArtefact.SCALAR);
        try (HostEngine engine = engine(program, JvmArtefact.SCALAR, way,
                RandomWeights.of(program.parameters(), 7))) {
            Engine.Session session = engine.start();
            Tensor x = Tensor.zeros(Format.F32, 3, 2);
            engine.step(List.of(session), new long[] {3}, List.of(x), Engine.Tracer.NONE);
            Fault fault = assertThrows(Fault.class, () -> engine.step(
                    List.of(session), new long[] {3}, List.of(x), Engine.Tracer.NONE));
            assertTrue(fault.getMessage().startsWith(way == Target.JVM ? "status 6" : "a sequence "
                    + "has had its first 3 elements already, and this model takes a whole "
                    + "sequence in one step: "), fault.getMessage());
            assertEquals(3, session.position());
        }
    }
}
