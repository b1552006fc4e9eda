package dev.weir.testkit;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.weir.cli.Weir;
import dev.weir.ir.type.Format;
import dev.weir.runtime.checkpoint.SafeTensors;
import dev.weir.runtime.memory.Tensor;
import dev.weir.runtime.model.Engine;
import dev.weir.testkit.TestModel.Target;
import java.io.ByteArrayOutputStream;
import java.io.PrintStream;
import java.lang.foreign.Arena;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.Set;
import java.util.TreeMap;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/** What a run shows of itself is the same on every target: paths, order, shapes and values. */
class TracesTest {
    private static final int WIDTH = 5;

    @TempDir
    private Path folder;

    private record Shown(String path, Tensor value) {}

    /** Sequences of unlike lengths, whose own axes are padded where they are ragged. */
    private static List<Shown> shown(String source, Target target) throws Exception {
        List<Shown> shown = new ArrayList<>();
        try (TestModel model = TestModel.traced(source, 5, target)) {
            List<Engine.Session> sessions =
                    List.of(model.engine().start(), model.engine().start());
            Random random = new Random(3);
            Tensor x = Tensor.zeros(Format.F32, 9, WIDTH);
            for (long i = 0; i < x.elements(); i++) {
                x.setReal(i, random.nextGaussian());
            }
            model.engine().step(sessions, new long[] {3, 6}, List.of(x),
                    (path, value) -> shown.add(new Shown(path, value.copy())));
        }
        return shown;
    }

    private static void assertSame(String source) throws Exception {
        List<Shown> expected = shown(source, Target.INTERPRETER);
        for (Target target : List.of(Target.JVM, Target.NATIVE)) {
            List<Shown> found = shown(source, target);
            assertEquals(described(expected), described(found), target.toString());
            for (int i = 0; i < found.size(); i++) {
                FixtureTest.assertClose(target + ", " + found.get(i).path,
                        expected.get(i).value, found.get(i).value);
            }
        }
    }

    private static List<String> described(List<Shown> shown) {
        return shown.stream().map(s -> s.path + " " + s.value).toList();
    }

    @ParameterizedTest
    @EnumSource(MeaningOnTargetsTest.Program.class)
    void everyConstructShowsTheSame(MeaningOnTargetsTest.Program program) throws Exception {
        assertSame(program.source(WIDTH));
    }

    /** Two axes of entrants: the second is as long as for the sequence with most of them. */
    @Test
    void raggedAxesArePaddedWithZeros() throws Exception {
        assertSame("""
                block Part<D> {
                    forward(x[T, D]) -> y[T, D] {
                        y = x
                        a[c in 0..2, t, s] = x[t, c] * x[s, c]
                        g[t] = x[t, 0] > 0
                        if g {
                            b[c in 0..2, t, s] = x[t, c] * x[s, c]
                            y[t, d] = y[t, d] + sum[s, c] b[c, t, s]
                        }
                    }
                }
                model M<D = 5> {
                    part: Part<D>
                    forward(x[T, D]) -> y[T, D] = part(x)
                }
                """);
    }

    private static final String SMALL = """
            block Half<D> {
                forward(x[D]) -> y[D] {
                    size = sum[d] x[d]
                    y = x / (2.0 + size * size)
                }
            }

            model Small<D = 3> {
                half: Half<D>
                forward(x[T, D]) -> y[T, D] {
                    y = x
                    for i in 0..2 { y = half(y) }
                    y = y + 1.0
                }
            }
            """;

    /** A block lifted over tokens, a scalar for each token, a loop, a name assigned again. */
    @Test
    void theCommandWritesTheSameNamesAndShapesOnEveryTarget() throws Exception {
        Path model = Files.writeString(folder.resolve("small.weir"), SMALL);
        Path in = folder.resolve("in.safetensors");
        Tensor x = Tensor.zeros(Format.F32, 4, 3);
        x.setReal(5, 1.5);
        SafeTensors.write(in, Map.of("x", x));
        Map<String, Map<String, Tensor>> all = new TreeMap<>();
        for (String target : List.of("interpreter", "jvm", "native")) {
            Path out = folder.resolve(target);
            run("run", model.toString(), "--inputs", in.toString(), "--outputs", out.toString(),
                    "--trace", "--target", target);
            all.put(target, SafeTensors.map(out, Arena.ofAuto()));
        }
        Map<String, Tensor> expected = all.get("interpreter");
        assertEquals(Set.of("half", "half#2", "half.size", "half.size#2", "half.y", "half.y#2",
                "y", "y#1", "y#2", "y#3", "y#4"), expected.keySet());
        assertArrayEquals(new long[] {4}, expected.get("half.size").shape());
        assertArrayEquals(new long[] {4, 3}, expected.get("half.y#2").shape());
        assertEquals(x, expected.get("y#1"));
        assertEquals(expected.get("y#4"), expected.get("y"));
        all.forEach((target, found) -> {
            assertEquals(expected.keySet(), found.keySet(), target);
            expected.forEach((path, value) -> {
                assertArrayEquals(value.shape(), found.get(path).shape(), target + " " + path);
                FixtureTest.assertClose(target + " " + path, value, found.get(path));
            });
        });
    }

    private static void run(String... arguments) {
        ByteArrayOutputStream err = new ByteArrayOutputStream();
        int code = Weir.run(
                new PrintStream(new ByteArrayOutputStream(), true, StandardCharsets.UTF_8),
                new PrintStream(err, true, StandardCharsets.UTF_8), arguments);
        assertTrue(code == 0, Arrays.toString(arguments) + err.toString(StandardCharsets.UTF_8));
    }
}
