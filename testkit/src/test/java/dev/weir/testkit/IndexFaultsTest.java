package dev.weir.testkit;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.weir.ir.tensor.Fault;
import dev.weir.ir.type.Format;
import dev.weir.runtime.memory.Tensor;
import dev.weir.runtime.model.Engine;
import dev.weir.testkit.TestModel.Target;
import java.util.List;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.MethodSource;
import java.util.stream.Stream;

/** An index outside is told as the author of the program knows it, the same on every target. */
class IndexFaultsTest {
    static Stream<Arguments> programs() {
        return Stream.of(
                Arguments.of("y[n in 0..5] = 0.0\n y[k[t]] += x[t, 0]", "y[5]", 5L,
                        "index 5 is outside axis 0 of y, which has 5 elements"),
                Arguments.of("y[n in 0..5] = 0.0\n y[k[t]] += x[t, 0]", "y[5]", -1L,
                        "index -1 is outside axis 0 of y, which has 5 elements"),
                Arguments.of("y[t, d] = x[k[t], d]", "y[T, D]", 3L,
                        "index 3 is outside axis 0 of x, which has 3 elements"),
                Arguments.of("y[t, d] = x[t, d] * 0.0\n y[k[t], d] = x[t, d]", "y[T, D]", 3L,
                        "index 3 is outside axis 0 of y, which has 3 elements"),
                Arguments.of("y[t] = x[t, k[t]]", "y[T]", 9L,
                        "index 9 is outside axis 1 of x, which has 6 elements"),
                Arguments.of("z[d, t] = x[t, d]\n y[t] = z[k[t], t]", "y[T]", 6L,
                        "index 6 is outside axis 0 of z, which has 6 elements"),
                Arguments.of("z[d, t] = x[t, d]\n y[t] = z[0, k[t]]", "y[T]", 4L,
                        "index 4 is outside axis 1 of z, which has 3 elements"),
                Arguments.of("y[t, d] = tables[1](k)[t, d]", "y[T, D]", 5L,
                        "index 5 is outside axis 0 of rows, which has 5 elements"),
                Arguments.of("y = tables[1](k) + tables[0](k)", "y[T, D]", -2L,
                        "index -2 is outside axis 0 of rows, which has 5 elements"),
                Arguments.of("n = k[0]\n y[d] = sum[i in 0..n] part[i, d]", "y[D]", 6L,
                        "a range along axis 0 of part ends at 6, "
                                + "and has to end below 6"),
                Arguments.of("n = k[0]\n h = part[0..n] @ x[0]\n y[d in 0..D] = sum(h)", "y[D]", 6L,
                        "a range along axis 0 of part ends at 6, "
                                + "and has to end below 6"),
                Arguments.of("y[t, d] = sum[i in 0..k[t]] part[i, d]", "y[T, D]", 8L,
                        "a range along axis 0 of part ends at 8, "
                                + "and has to end below 6"),
                Arguments.of("y[t, d] = sum[i in k[t]..5] part[i, d]", "y[T, D]", -3L,
                        "a range along axis 0 of part begins at -3, and has to begin at 0 or "
                                + "later, below 6"),
                Arguments.of("y[t] = sum[i in k[t]..5] float(i)", "y[T]", -3L,
                        "a range begins at -3, and has to begin at 0 or later, below 2147483648"),
                Arguments.of("n = k[0]\n h = part[n..5] @ x[0]\n y[d in 0..D] = sum(h)", "y[D]",
                        -1L, "a range along axis 0 of part begins at -1, and has to begin at 0 or "
                                + "later, below 6"),
                Arguments.of("n = k[0]\n y[d] = x[0, d] + sum[i in 0..n] 1.0", "y[D]",
                        1_000_000_000_000_000_000L, "a size from data is 1000000000000000000, "
                                + "and has to be below 2147483648"),
                Arguments.of("y[t] = sum[i in 0..k[t]] 1.0", "y[T]",
                        1_000_000_000_000_000_000L, "a size from data is 1000000000000000000, "
                                + "and has to be below 2147483648"),
                Arguments.of("z[t, i in 0..2 * t + 2, d] = x[t, d]\n y[t, d] = z[t, k[t], d]",
                        "y[T, D]", 4L, "index 4 is outside axis 1 of z, which has 2 elements"),
                Arguments.of("row = part[k[0]]\n y[t, d] = row[d]", "y[T, D]", 7L,
                        "index 7 is outside axis 0 of part, which has 5 elements"));
    }

    @ParameterizedTest
    @MethodSource("programs")
    void theIndexAndTheAxisAreTheAuthors(
            String body, String result, long wrong, String message) throws Exception {
        String source = """
                block Table<D> {
                    param rows[5, D]
                    forward(k: int) -> y[D] { y[d] = rows[k, d] }
                }
                model M<D = 6> {
                    param part[5, D]
                    tables: Table<D> * 2
                    forward(x[T, D], k[T]: int) -> %s {
                        %s
                    }
                }
                """.formatted(result, body);
        for (Target target : Target.values()) {
            try (TestModel model = TestModel.random(source, 1, target, 1)) {
                Fault fault = assertThrows(Fault.class, () -> step(model, wrong));
                assertEquals(message, fault.getMessage(), target.toString());
            }
        }
    }

    /** Bytes that wrap round to a few would be written far behind their end. */
    @ParameterizedTest
    @EnumSource(Target.class)
    void aLengthFromDataMayBeMoreThanMemoryCouldEverHold(Target target) throws Exception {
        for (String length : List.of("536870912", "1073741824")) {
            String source = """
                    model M<D = 6> {
                        forward(x[T, D], k[T]: int) -> y[T, D] {
                            n[t] = k[t] * %s
                            a[t, i in 0..n[t], j in 0..4294967296] = float(i + j) + x[t, 0]
                            best[t] = argmax[i] a[t, i, 5]
                            y[t, d] = x[t, d] + a[t, best[t], 7]
                        }
                    }
                    """.formatted(length);
            try (TestModel model = TestModel.random(source, 1, target, 1)) {
                Fault fault = assertThrows(Fault.class, () -> step(model, 1));
                assertTrue(fault.getMessage().startsWith("a would have the shape ["),
                        fault.getMessage());
            }
        }
    }

    @ParameterizedTest
    @EnumSource(Target.class)
    void whatNobodyReadsCannotFault(Target target) throws Exception {
        String source = """
                model M<D = 6> {
                    param part[5, D]
                    forward(x[T, D], k[T]: int) -> y[T, D] {
                        unused[t, d] = part[k[t], d]
                        more[t, d] = unused[t, d] + 1.0
                        y = x
                    }
                }
                """;
        try (TestModel model = TestModel.random(source, 1, target, 1)) {
            step(model, 99);
        }
    }

    /** What is inside only if there are elements at all is checked when there are none. */
    @ParameterizedTest
    @EnumSource(Target.class)
    void anEmptySequenceHasNoFirstElement(Target target) throws Exception {
        String source = """
                model M<D = 6> {
                    forward(x[T, D]) -> (s[D], y[T, D]) {
                        s[d] = x[T - 1, d]
                        y = x
                    }
                }
                """;
        try (TestModel model = TestModel.random(source, 1, target, 1)) {
            List<Engine.Session> sessions =
                    List.of(model.engine().start(), model.engine().start());
            Fault fault = assertThrows(Fault.class, () -> model.engine().step(
                    sessions, new long[] {2, 0}, List.of(Tensor.zeros(Format.F32, 2, 6)),
                    Engine.Tracer.NONE));
            assertEquals("index -1 is outside axis 0 of x, which has 0 elements",
                    fault.getMessage());
        }
    }

    @ParameterizedTest
    @EnumSource(Target.class)
    void anAxisOfNothingIsFine(Target target) throws Exception {
        String source = """
                model M<D = 0> {
                    forward(x[T, D]) -> (y[T, D], s[T]) {
                        y[t, d] = x[t, d] * 2.0
                        s[t] = sum[d] y[t, d]
                    }
                }
                """;
        try (TestModel model = TestModel.random(source, 1, target, 1)) {
            Tensor sums = model.engine().step(List.of(model.engine().start()), new long[] {3},
                    List.of(Tensor.zeros(Format.F32, 3, 0)), Engine.Tracer.NONE).get(1);
            assertEquals(3, sums.elements());
            assertEquals(0, sums.real(2));
        }
    }

    /** Two sequences, of which only the second has the index. */
    private static void step(TestModel model, long wrong) {
        Tensor x = Tensor.zeros(Format.F32, 5, 6);
        Tensor k = Tensor.ofLongs(0, 1, wrong, wrong, wrong);
        List<Engine.Session> sessions = List.of(model.engine().start(), model.engine().start());
        model.engine().step(sessions, new long[] {2, 3}, List.of(x, k), Engine.Tracer.NONE);
    }
}
