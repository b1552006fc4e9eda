package dev.weir.testkit;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.weir.compiler.Compiler;
import dev.weir.frontend.Configuration;
import dev.weir.frontend.LowerOptions;
import dev.weir.ir.diagnostic.Source;
import dev.weir.ir.kernel.HostStatement;
import dev.weir.ir.kernel.KernelProgram;
import dev.weir.ir.kernel.TargetDescription;
import dev.weir.ir.type.Format;
import dev.weir.runtime.memory.Tensor;
import dev.weir.runtime.model.Engine;
import dev.weir.testkit.TestModel.Target;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Random;
import java.util.stream.IntStream;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.ValueSource;

/** Loops whose points go on by themselves are one kernel, others are not; all mean the same. */
class RecurrenceKernelsTest {
    private static final int[] STREAMS = {1, 17, 2, 40};

    /** Bodies of a block over {@code x[T, D]}. */
    private enum Program {
        ELEMENTS(true, "recurrence, 16 lanes", """
                scan t {
                    total[d] = 0.5 * total[d] + x[t, d]
                    y[t, d] = total[d] * x[t, d]
                }
                """),
        ELEMENTS_ONE_BY_ONE(true, "recurrence", """
                scan t {
                    total[d] = tanh(0.5 * total[d] + x[t, d])
                    y[t, d] = total[d]
                }
                """),
        A_MATRIX_THAT_DECAYS(true, "recurrence", """
                scan t {
                    m[d, e] = 0.9 * m[d, e] + x[t, d] * x[t, e]
                    y[t, d] = sum[e] m[d, e] * x[t, e]
                }
                """),
        READ_BEFORE_AND_BEHIND(true, "recurrence", """
                scan t {
                    held[d] = sum[e] m[d, e] * x[t, e]
                    m[d, e] = m[d, e] + 0.1 * (x[t, d] - held[d]) * x[t, e]
                    y[t, d] = held[d] + sum[e] m[d, e]
                }
                """),
        NEIGHBOURS_CHANGE_PLACES(true, "recurrence", """
                scan t {
                    total[d] = (total[d - 1] or 0) * 0.5 + x[t, d]
                    y[t, d] = total[d] + (total[d + 1] or 0)
                }
                """),
        A_ROW_MOVES_ON(true, "recurrence", """
                scan t {
                    m[d, e] = (m[d - 1, e] or 0) + x[t, e]
                    y[t, d] = sum[e] m[d, e]
                }
                """),
        WHAT_IS_HANDED_ON(true, "recurrence, 16 lanes", """
                last[d in 0..D] = 0.25
                scan t {
                    last[d] = 0.5 * last[d] + x[t, d]
                    y[t, d] = last[d]
                }
                """),
        TWO_STATES(true, "recurrence", """
                scan t {
                    total[d] = 0.5 * total[d] + x[t, d]
                    m[d, e] = 0.5 * m[d, e] + total[d] * x[t, e]
                    y[t, d] = total[d] - sum[e] m[e, d]
                }
                """),
        ONE_VALUE_FOR_TWO_STATES(true, "recurrence", """
                scan t {
                    m[d, e] = 0.5 * m[d, e] + x[t, d] * x[t, e]
                    again = m
                    y[t, d] = sum[e] m[d, e] * again[e, d]
                }
                """),
        ALONG_ANOTHER_AXIS(true, "recurrence", """
                h[t in 0..T] = 0.0
                scan d {
                    h[t] = 0.5 * h[t] + x[t, d]
                    y[t, d] = h[t]
                }
                """),
        ALONG_ANOTHER_AXIS_REVERSED(true, "recurrence", """
                h[t in 0..T, e in 0..5] = 0.0
                scan d reversed {
                    h[t, e] = 0.5 * h[t, e] + x[t, d] * narrow[d, e]
                    y[t, d] = sum[e] h[t, e] * narrow[d, e]
                }
                """),
        ROUNDS(true, "recurrence", """
                y = x
                for i in 0..4 {
                    m2[t, d] = mean[e] y[t, e] * x[t, d]
                    y[t, d] = y[t, d] - 0.25 * m2[t, d]
                }
                """),
        ROUNDED(true, "recurrence, 16 lanes", """
                scan t {
                    short[d] = 0.5 * short[d] + x[t, d]
                    y[t, d] = short[d]
                }
                """),
        WITH_WEIGHTS(false, "contraction", """
                scan t {
                    z[d] = sum[e] w[d, e] * total[e]
                    total[d] = tanh(z[d] + x[t, d])
                    y[t, d] = total[d]
                }
                """),
        LEFT_EARLY(false, "elements", """
                y = x
                for i in 0..5 {
                    y = 1.5 * y + 0.25
                    score[t] = y[t, 0]
                    if score > 1.0 { break }
                }
                """),
        EVERY_ROW_READS_ALL(false, "elements", """
                y = x
                for i in 0..3 {
                    y[t, d] = x[t, d] + (mean[u] y[u, d])
                }
                """);

        private final boolean fused;
        private final String form;
        private final String body;

        Program(boolean fused, String form, String body) {
            this.fused = fused;
            this.form = form;
            this.body = body;
        }

        String source() {
            return """
                    block Body<D> {
                        param w[D, D], narrow[D, 5]
                        state total[D] = 0, m[D, D] = 0.5, again[D, D] = 1
                        state short[D]: bf16 = 0
                        forward(x[T, D]) -> y[T, D] {
                    %s
                        }
                    }
                    model M<D = 19> {
                        body: Body<D>
                        forward(x[T, D]) -> y[T, D] = body(x)
                    }
                    """.formatted(body);
        }
    }

    private static KernelProgram compile(String program) {
        return Compiler.schedule(
                Compiler.optimise(Compiler.lower(
                        new Source("test.weir", program), TestModel.LIBRARY,
                        new LowerOptions(Optional.empty(), Configuration.parse("{}"),
                                Map.of(), false))),
                TargetDescription.AVX512);
    }

    @ParameterizedTest
    @EnumSource(Program.class)
    void isOneKernelIfItsPointsGoOnByThemselves(Program program) {
        KernelProgram kernels = compile(program.source());
        assertEquals(!program.fused,
                kernels.step().stream().anyMatch(s -> s instanceof HostStatement.Loop));
        List<String> forms = kernels.stories().stream().map(KernelProgram.Story::form).toList();
        assertTrue(program.fused ? forms.contains(program.form)
                : forms.stream().noneMatch(f -> f.startsWith("recurrence"))
                        && forms.stream().anyMatch(f -> f.startsWith(program.form)),
                forms.toString());
    }

    /** A scan over pairs of directions is no two: its states lie side by side. */
    @ParameterizedTest
    @ValueSource(strings = {"locality_gate/idea.weir", "both_ways/together.weir"})
    void bothDirectionsOfAScanAreOneKernel(String example) {
        KernelProgram kernels = compile(
                TestModel.text(TestModel.ROOT.resolve("examples").resolve(example)));
        assertEquals(1, kernels.stories().stream()
                .filter(s -> s.form().startsWith("recurrence")).count());
    }

    @ParameterizedTest
    @EnumSource(Program.class)
    void meansTheSameOnAllTargets(Program program) throws Exception {
        Random random = new Random(3);
        long rows = 0;
        for (int length : STREAMS) {
            rows += length;
        }
        Tensor x = Tensor.zeros(Format.F32, rows, 19);
        for (long i = 0; i < x.elements(); i++) {
            x.setReal(i, random.nextInt(-8, 9) / 8.0);
        }
        Tensor expected = null;
        for (Target target : List.of(Target.INTERPRETER, Target.NATIVE, Target.JVM)) {
            try (TestModel model = TestModel.random(program.source(), 7, target, 2)) {
                List<Engine.Session> sessions = IntStream.of(STREAMS)
                        .mapToObj(n -> model.engine().start()).toList();
                long[] lengths = IntStream.of(STREAMS).asLongStream().toArray();
                Tensor y = model.batch(sessions, lengths, List.of(x));
                if (expected == null) {
                    expected = y;
                } else {
                    FixtureTest.assertClose(program + " on " + target, expected, y);
                }
            }
        }
    }
}
