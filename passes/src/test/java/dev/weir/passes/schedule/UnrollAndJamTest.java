package dev.weir.passes.schedule;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.weir.ir.diagnostic.Source;
import dev.weir.ir.kernel.Buffer;
import dev.weir.ir.kernel.Expression;
import dev.weir.ir.kernel.Kernel;
import dev.weir.ir.kernel.KernelCompiler;
import dev.weir.ir.kernel.KernelInterpreter;
import dev.weir.ir.kernel.KernelParser;
import dev.weir.ir.kernel.KernelPrinter;
import dev.weir.ir.kernel.KernelVerifier;
import dev.weir.ir.kernel.Statement;
import dev.weir.ir.kernel.Variable;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class UnrollAndJamTest {
    private static final int ELEMENTS = 64;

    /** Each column's product with a vector, behind a condition and with a table's memory. */
    private static final String COLUMNS = """
            for v0 i64 = 0:i64 to n0 step 1 {
                var v1 f32 = 0.0:f32
                bind a0 f32 = b2[remainder(v0, 2:i64)]
                let v2 bool = less(v0, 5:i64)
                for v3 i64 = 0:i64 to 4:i64 step 1 {
                    let v4 f32 = load(b0, v3, 1)
                    if greater(v4, 1.0:f32) {
                        v1 = fma(v4, load(a0, add(multiply(v3, 8:i64), v0), 1), v1)
                    }
                    if v2 {
                        let v5 f32 = add(v1, 1.0:f32)
                        v1 = v5
                    }
                }
                store(b1, v0, v1)
            }
            """;

    /** A kernel of some statements, as text. */
    private static String text(String statements) {
        return """
                kernel k {
                    buffer b0 f32
                    buffer b1 f32
                    buffer b2 i64
                    scalar n0 i64
                    tile "tile" i64
                    do {
                %s    }
                }
                """.formatted(statements.indent(8));
    }

    private static Kernel parsed(String statements) {
        return KernelParser.parse(new Source("test.kernel", text(statements)));
    }

    private static Kernel kernel(List<Statement> body) {
        Kernel empty = parsed("");
        return new Kernel("k", empty.buffers(), empty.scalars(), empty.scratch(), empty.tile(), body);
    }

    private static Statement.For loop(String text) {
        Kernel kernel = parsed(text);
        KernelVerifier.verify(kernel);
        return (Statement.For) kernel.body().getFirst();
    }

    /** The statements that take the place of a loop, if it changes. */
    private static Optional<List<Statement>> jammed(Statement.For loop, int registers) {
        List<Statement> statements = new ArrayList<>();
        UnrollAndJam.Names names = new UnrollAndJam.Names() {
            private int next = 100;

            @Override
            public Variable fresh(Variable like) {
                return new Variable("v" + next++, like.type());
            }

            @Override
            public Buffer fresh(Buffer like) {
                return new Buffer("a" + next++, like.format());
            }
        };
        Optional<UnrollAndJam.Jammed> jammed = UnrollAndJam.of(loop, registers, false, names, value -> {
            Variable end = new Variable("end", value.type());
            statements.add(new Statement.Declare(end, value, false));
            return new Expression.Get(end);
        });
        return jammed.map(j -> {
            statements.add(j.together());
            j.rest().ifPresent(statements::add);
            return statements;
        });
    }

    private static boolean changes(String text) {
        return jammed(loop(text), 8).isPresent();
    }

    private static float[] run(List<Statement> statements, int points) {
        Kernel kernel = kernel(statements);
        KernelVerifier.verify(kernel);
        try (Arena arena = Arena.ofConfined(); KernelCompiler compiler = new KernelInterpreter()) {
            MemorySegment read = arena.allocate(4L * ELEMENTS, 8);
            MemorySegment written = arena.allocate(4L * ELEMENTS, 8);
            for (int i = 0; i < ELEMENTS; i++) {
                read.setAtIndex(ValueLayout.JAVA_FLOAT, i, 0.7f * i);
                written.setAtIndex(ValueLayout.JAVA_FLOAT, i, -1);
            }
            MemorySegment table = arena.allocate(16, 8);
            table.set(ValueLayout.JAVA_LONG, 0, read.address());
            table.set(ValueLayout.JAVA_LONG, 8, read.address() + 16);
            MemorySegment arguments = arena.allocate(40, 8);
            arguments.set(ValueLayout.JAVA_LONG, 0, read.address());
            arguments.set(ValueLayout.JAVA_LONG, 8, written.address());
            arguments.set(ValueLayout.JAVA_LONG, 16, table.address());
            arguments.set(ValueLayout.JAVA_LONG, 24, points);
            arguments.set(ValueLayout.JAVA_LONG, 32, arena.allocate(32, 8).address());
            compiler.compile(List.of(kernel)).getFirst().run(0, 1, arguments.address(), 0);
            return written.toArray(ValueLayout.JAVA_FLOAT);
        }
    }

    @ParameterizedTest
    @ValueSource(ints = {0, 1, 3, 4, 7, 8, 9, 16, 19})
    void whateverTheNumberOfPointsTheResultsAreTheSame(int points) {
        Statement.For loop = loop(COLUMNS);
        List<Statement> jammed = jammed(loop, 8).orElseThrow();
        assertArrayEquals(run(List.of(loop), points), run(jammed, points));
    }

    @Test
    void whatPointsShareIsThereOnce() {
        List<Statement> jammed = jammed(loop("""
                for v0 i64 = 0:i64 to 4:i64 step 1 {
                    var v1 f32 = 0.0:f32
                    for v2 i64 = 0:i64 to n0 step 1 {
                        let v3 f32 = load(b0, v2, 1)
                        v1 = fma(v3, load(b0, add(v0, v2), 1), v1)
                    }
                    store(b1, v0, v1)
                }
                """), 2).orElseThrow();
        assertEquals(text("""
                for v0 i64 = 0:i64 to 4:i64 step 2 {
                    let v100 i64 = add(v0, 1:i64)
                    var v1 f32 = 0.0:f32
                    var v101 f32 = 0.0:f32
                    for v2 i64 = 0:i64 to n0 step 1 {
                        let v3 f32 = load(b0, v2, 1)
                        v1 = fma(v3, load(b0, add(v0, v2), 1), v1)
                        v101 = fma(v3, load(b0, add(v100, v2), 1), v101)
                    }
                    store(b1, v0, v1)
                    store(b1, v100, v101)
                }
                """), KernelPrinter.print(kernel(jammed)));
    }

    /** Twelve points are two times six, not eight and four. */
    @Test
    void aKnownNumberOfPointsLeavesNoRest() {
        List<Statement> jammed = jammed(loop(COLUMNS.replace("to n0", "to 12:i64")), 8)
                .orElseThrow();
        assertEquals(1, jammed.size());
        assertEquals(6, ((Statement.For) jammed.getFirst()).step());
    }

    @Test
    void registersBoundHowManyGoTogether() {
        List<Statement> jammed = jammed(loop(COLUMNS), 4).orElseThrow();
        assertEquals(4, ((Statement.For) jammed.get(1)).step());
        assertTrue(jammed(loop(COLUMNS), 1).isEmpty());
    }

    @Test
    void loopsOfDifferentLengthsStayApart() {
        assertTrue(changes(COLUMNS));
        assertFalse(changes(COLUMNS.replace("to 4:i64", "to v0")));
    }

    @Test
    void withoutASumThereIsNothingToGain() {
        assertFalse(changes("""
                for v0 i64 = 0:i64 to n0 step 1 {
                    store(b1, v0, load(b0, v0, 1))
                }
                """));
    }

    @Test
    void whatIsWrittenHereIsNotReadHere() {
        assertFalse(changes(COLUMNS.replace("load(b0", "load(b1")));
    }

    @Test
    void theFirstFaultStaysTheFirst() {
        assertFalse(changes(COLUMNS.replace("store(", """
                if v2 {
                    fault 0, v0, n0
                }
                store(""")));
    }
}
