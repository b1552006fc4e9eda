package dev.weir.testkit;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.weir.compiler.Compiler;
import dev.weir.frontend.Configuration;
import dev.weir.frontend.LowerOptions;
import dev.weir.ir.diagnostic.Source;
import dev.weir.ir.diagnostic.WeirException;
import dev.weir.ir.kernel.KernelCompiler;
import dev.weir.ir.tensor.Fault;
import dev.weir.ir.tensor.Parameter;
import dev.weir.ir.tensor.TensorProgram;
import dev.weir.ir.type.Format;
import dev.weir.runtime.checkpoint.SafeTensors;
import dev.weir.runtime.memory.Pool;
import dev.weir.runtime.memory.Tensor;
import dev.weir.runtime.model.Engine;
import dev.weir.runtime.model.InterpretedModel;
import dev.weir.runtime.model.Model;
import dev.weir.testkit.CommandTest.Outcome;
import dev.weir.testkit.TestModel.Target;
import java.lang.foreign.Arena;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Random;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/** A model with several entries: an encoder that fills what a decoder reads. */
class EntriesTest {
    private static final int WIDTH = 6;
    private static final String TRANSLATOR = """
            block Memory<D> {
                param wk[D, D], wv[D, D]
                state keys[S, D], values[S, D]

                keep(x[U, D]) -> kept[U, D] {
                    keys ++= wk @ x
                    values ++= wv @ x
                    kept = x
                }

                read(q[T, D]) -> y[T, D] {
                    p[t, s] = softmax[s] (sum[d] q[t, d] * keys[s, d])
                    y[t, d] = sum[s] p[t, s] * values[s, d]
                }
            }

            block Causal<D> {
                state seen[R, D], at[R]: int
                forward(x[T, D], pos[T]: int) -> y[T, D] {
                    seen ++= x
                    at ++= pos
                    p[t, r] = softmax[r] (sum[d] x[t, d] * seen[r, d]) where at[r] <= pos[t]
                    y[t, d] = sum[r] p[t, r] * seen[r, d]
                }
            }

            model Translator<D = 6> {
                param mix[D, D], short[2, D]
                memory: Memory<D>
                causal: Causal<D>
                state before[D] = 0

                encode(source[U, D]) -> kept[U, D] {
                    m[d] = mean[u] source[u, d]
                    x[u, d] = sum[e] mix[d, e] * source[u, e] + m[d] + (source[u + 1, d] or 0)
                    kept = memory.keep(x)
                }

                step(x[T, D], pos[T]: int = positions) -> y[T, D] {
                    z[t, d] = x[t, d] + short[0, d] * (x[t - 1, d] or 0)
                    h = z + causal(z, pos)
                    w[t, d] = sum[e] mix[d, e] * h[t, e]
                    y = w + memory.read(w)
                    scan t {
                        before[d] = 0.5 * before[d] + y[t, d]
                        y[t, d] = before[d]
                    }
                }
            }
            """;

    private static List<TensorProgram> entries() {
        return Compiler.entries(new Source("test.weir", TRANSLATOR), TestModel.LIBRARY,
                LowerOptions.of(Configuration.empty()));
    }

    private static Engine engine(Target target, List<AutoCloseable> resources) {
        List<TensorProgram> entries = entries();
        Map<Parameter, List<Tensor>> weights = new HashMap<>();
        entries.forEach(e -> weights.putAll(RandomWeights.of(e.parameters(), 3)));
        return engine(target, entries, weights, resources);
    }

    private static Engine engine(
            Target target, List<TensorProgram> entries, Map<Parameter, List<Tensor>> weights,
            List<AutoCloseable> resources) {
        if (target == Target.INTERPRETER) {
            return new InterpretedModel(entries, weights);
        }
        KernelCompiler compiler = TestModel.compiler(target);
        resources.add(compiler);
        return new Model(entries.stream().map(e -> Compiler.schedule(
                Compiler.optimise(e), compiler.target())).toList(),
                compiler, weights, 2, Pool.UNLIMITED);
    }

    private static Tensor input(int rows, long seed) {
        Random random = new Random(seed);
        Tensor x = Tensor.zeros(Format.F32, rows, WIDTH);
        for (long i = 0; i < x.elements(); i++) {
            x.setReal(i, random.nextInt(-8, 9) / 8.0);
        }
        return x;
    }

    private static Tensor encode(Engine engine, List<Engine.Session> sessions, Tensor source) {
        long each = source.shape()[0] / sessions.size();
        long[] rows = sessions.stream().mapToLong(s -> each).toArray();
        return engine.step("encode", sessions, rows, List.of(source), Engine.Tracer.NONE)
                .getFirst();
    }

    private static Tensor step(Engine engine, Engine.Session session, Tensor x) {
        long[] rows = {x.shape()[0]};
        return engine.step("step", List.of(session), rows,
                List.of(x, Engine.positions("step", List.of(session), rows)),
                Engine.Tracer.NONE).getFirst();
    }

    @ParameterizedTest
    @EnumSource(Target.class)
    void whatOneEntryKeepsAnotherReads(Target target) throws Exception {
        List<AutoCloseable> resources = new ArrayList<>();
        try (Engine oracle = engine(Target.INTERPRETER, resources);
                Engine engine = engine(target, resources)) {
            assertEquals(List.of("encode", "step"), engine.entries());
            Tensor source = input(10, 1);
            Tensor x = input(13, 2);
            List<Engine.Session> expected = List.of(oracle.start(), oracle.start());
            List<Engine.Session> sessions = List.of(engine.start(), engine.start());
            FixtureTest.assertClose("encode", encode(oracle, expected, source),
                    encode(engine, sessions, source));
            Tensor first = step(oracle, expected.get(0), x);
            Tensor second = step(oracle, expected.get(1), x);
            assertFalse(first.equals(second), "each reads what it was given itself");
            Tensor whole = step(engine, sessions.get(0), x);
            FixtureTest.assertClose("first", first, whole);
            Engine.Session fork = sessions.get(1).fork();
            FixtureTest.assertClose("second", second, step(engine, sessions.get(1), x));
            FixtureTest.assertClose("its fork", second, step(engine, fork, x));

            Engine.Session again = engine.start();
            encode(engine, List.of(again), source.rows(0, 5));
            assertEquals(5, again.position("encode"));
            for (int from = 0; from < 13; from += 4) {
                int to = Math.min(13, from + 4);
                assertEquals(whole.rows(from, to), step(engine, again, x.rows(from, to)));
            }
            assertEquals(13, again.position("step"));

            Fault twice = assertThrows(Fault.class,
                    () -> encode(engine, List.of(again), source.rows(0, 5)));
            assertTrue(twice.getMessage().contains("mean[u]"), twice.getMessage());
            Fault cut = assertThrows(Fault.class, () -> again.truncate(2));
            assertTrue(cut.getMessage().contains("streams of their own"), cut.getMessage());
            assertThrows(IllegalArgumentException.class, () -> engine.step("none",
                    List.of(again), new long[] {1}, List.of(x), Engine.Tracer.NONE));
        }
        for (AutoCloseable resource : resources) {
            resource.close();
        }
    }

    @ParameterizedTest
    @EnumSource(Target.class)
    void aMarkKeepsThePlacesInAllStreams(Target target) throws Exception {
        List<AutoCloseable> resources = new ArrayList<>();
        try (Engine engine = engine(target, resources)) {
            Engine.Session session = engine.start();
            Engine.Mark begin = session.mark();
            encode(engine, List.of(session), input(5, 1));
            Engine.Mark encoded = session.mark();
            Tensor y = step(engine, session, input(3, 2));
            session.rollback(encoded);
            assertEquals(0, session.position("step"));
            assertEquals(y, step(engine, session, input(3, 2)));
            session.rollback(begin);
            encode(engine, List.of(session), input(5, 1));
            assertEquals(y, step(engine, session, input(3, 2)));
        }
        for (AutoCloseable resource : resources) {
            resource.close();
        }
    }

    @ParameterizedTest
    @EnumSource(Target.class)
    void eachEntryRemembersATailOfItsOwn(Target target) throws Exception {
        String both = """
                block Before<D> {
                    forward(x[T, D]) -> y[T, D] { y[t, d] = x[t, d] - (x[t - 1, d] or 0.25) }
                }
                model Both<D = 6> {
                    before: Before<D>
                    first(x[T, D]) -> y[T, D] {
                        z = before(x)
                        y[t, d] = z[t, d] + (x[t - 1, d] or 0.5)
                    }
                    second(x[T, D]) -> y[T, D] {
                        z = before(x)
                        y[t, d] = z[t, d] + (x[t - 2, d] or 0.5)
                    }
                }
                """;
        List<TensorProgram> entries = Compiler.entries(new Source("test.weir", both),
                TestModel.LIBRARY, LowerOptions.of(Configuration.empty()));
        List<AutoCloseable> resources = new ArrayList<>();
        try (Engine engine = engine(target, entries, Map.of(), resources)) {
            Engine.Session apart = engine.start();
            Engine.Session mixed = engine.start();
            Tensor x = input(9, 1);
            Tensor z = input(9, 2);
            Tensor first = taken(engine, "first", apart, x);
            Tensor second = taken(engine, "second", apart, z);
            for (int from = 0; from < 9; from += 3) {
                assertEquals(first.rows(from, from + 3),
                        taken(engine, "first", mixed, x.rows(from, from + 3)));
                assertEquals(second.rows(from, from + 3),
                        taken(engine, "second", mixed, z.rows(from, from + 3)));
            }
        }
        for (AutoCloseable resource : resources) {
            resource.close();
        }
    }

    private static Tensor taken(Engine engine, String entry, Engine.Session session, Tensor x) {
        return engine.step(entry, List.of(session), new long[] {x.shape()[0]}, List.of(x),
                Engine.Tracer.NONE).getFirst();
    }

    @Test
    void oneOfSeveralHasToBeNamed() {
        WeirException several = assertThrows(WeirException.class, () -> Compiler.lower(
                new Source("test.weir", TRANSLATOR), TestModel.LIBRARY,
                LowerOptions.of(Configuration.empty())));
        assertEquals("E0707", several.diagnostics().getFirst().code());
        TensorProgram one = Compiler.lower(new Source("test.weir", TRANSLATOR), TestModel.LIBRARY,
                new LowerOptions(Optional.empty(), Optional.of("encode"), Configuration.empty(),
                        Map.of(), false));
        assertEquals("encode", one.entry().name());
    }

    @TempDir
    private Path folder;

    @Test
    void theCommandRunsOneAfterTheOther() throws Exception {
        Path program = folder.resolve("two.weir");
        Files.writeString(program, """
                model Two<D = 6> {
                    state kept[S, D]
                    keep(x[U, D]) -> total[D] {
                        kept ++= x
                        total[d] = sum[u] x[u, d]
                    }
                    largest(x[T, D]) -> y[T, D] {
                        top[d] = max[s] kept[s, d]
                        y[t, d] = x[t, d] + top[d]
                    }
                }
                """);
        Path first = folder.resolve("first.safetensors");
        Path second = folder.resolve("second.safetensors");
        Tensor x = input(4, 1);
        Tensor z = input(2, 2);
        SafeTensors.write(first, Map.of("x", x));
        SafeTensors.write(second, Map.of("x", z));
        Path out = folder.resolve("out.safetensors");
        for (String target : List.of("interpreter", "jvm", "native")) {
            Outcome outcome = CommandTest.weir("run", program.toString(), "--target", target,
                    "--inputs", "keep=" + first, "--inputs", "largest=" + second,
                    "--outputs", out.toString());
            assertEquals(0, outcome.code(), outcome.err());
            Map<String, Tensor> results = SafeTensors.map(out, Arena.ofAuto());
            assertEquals(java.util.Set.of("keep.total", "largest.y"), results.keySet());
            for (int d = 0; d < WIDTH; d++) {
                double top = -9;
                for (int s = 0; s < 4; s++) {
                    top = Math.max(top, x.real(s * (long) WIDTH + d));
                }
                assertEquals(z.real(d) + top, results.get("largest.y").real(d));
            }
        }
        Outcome again = CommandTest.weir("run", program.toString(), "--inputs", "keep=" + first,
                "--inputs", "largest=" + second, "--inputs", "largest=" + first,
                "--outputs", out.toString());
        assertEquals(0, again.code(), again.err());
        assertEquals(java.util.Set.of("keep.total", "largest.y", "largest.y#2"),
                SafeTensors.map(out, Arena.ofAuto()).keySet());
        Outcome nowhere = CommandTest.weir("run", program.toString(), "--inputs", "keep=",
                "--outputs", out.toString());
        assertEquals(2, nowhere.code());
        assertTrue(nowhere.err().contains("--inputs keep= names no file"), nowhere.err());
        Outcome unnamed = CommandTest.weir("run", program.toString(), "--inputs",
                first.toString(), "--outputs", out.toString());
        assertEquals(2, unnamed.code());
        assertTrue(unnamed.err().contains("keep, largest"), unnamed.err());
        Outcome dumped = CommandTest.weir("dump", program.toString(), "--entry", "keep",
                "--stage", "tensor");
        assertTrue(dumped.out().contains("entry \"keep\""), dumped.out() + dumped.err());
    }
}
