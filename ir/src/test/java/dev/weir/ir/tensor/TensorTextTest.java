package dev.weir.ir.tensor;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.weir.ir.diagnostic.WeirException;
import dev.weir.ir.type.Size;
import dev.weir.ir.type.TensorType;
import dev.weir.ir.type.Format;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Random;
import org.junit.jupiter.api.Test;

/** The textual form reads back as what was written, and what is no program is told where and why. */
class TensorTextTest {

    @Test
    void printsWhatItRead() {
        assertEquals(Samples.UNLIFTED, Printer.print(Samples.parse(Samples.UNLIFTED)));
        assertEquals(Samples.LIFTED, Printer.print(Samples.parse(Samples.LIFTED)));
    }

    @Test
    void keepsAwkwardNamesSizesAndNumbers() {
        Size size = new Size.Quotient(
                new Size.Sum(new Size.Symbol("it's \\ \"n\"\n"), Size.of(-3)),
                new Size.Product(Size.of(1), Size.of(2)));
        Value argument = new Value(
                3, "a \"b\" \\\n %1", new TensorType(Format.F64, List.of(size)));
        Value result = new Value(4, "'", TensorType.scalar(Format.F64));
        Scalar body = new Scalar.Apply(dev.weir.ir.operation.Operation.ADD, List.of(
                new Scalar.Real(Format.F64, Double.NEGATIVE_INFINITY),
                new Scalar.Apply(dev.weir.ir.operation.Operation.MULTIPLY, List.of(
                        new Scalar.Real(Format.F64, -0.0),
                        new Scalar.Apply(dev.weir.ir.operation.Operation.ADD, List.of(
                                new Scalar.Real(Format.F64, Double.NaN),
                                new Scalar.Real(Format.F64, Double.MIN_VALUE)))))));
        TensorProgram program = new TensorProgram("p // no comment", List.of(), List.of(),
                List.of(), new Function("main", "", List.of(), new Region(
                        List.of(argument),
                        List.of(new Node.Compute(result, List.of(), Optional.empty(), body,
                                dev.weir.ir.diagnostic.Span.NONE)),
                        List.of(result))),
                Optional.empty(), List.of("r"), Optional.empty(), Map.of());
        String text = Printer.print(program);
        TensorProgram read = Samples.parse("// a comment\n" + text);
        assertEquals(text, Printer.print(read));
        assertEquals(size, read.entry().body().arguments().getFirst().type().shape().getFirst());
        assertEquals(argument.name(), read.entry().body().arguments().getFirst().name());
        assertEquals(body, ((Node.Compute) read.entry().body().nodes().getFirst()).body());
    }

    /** Some reductions are called as the operation that they repeat. */
    @Test
    void tellsReductionsFromOperations() {
        String text = Samples.LIFTED.replace(
                "multiply(%3[%1[$15], $16, 0 i64], %6[$15, 1 i64])",
                "maximum[$20 \"r\" in 0 i64 .. 2 i64] "
                        + "maximum(%3[%1[$15], $16, 0 i64], %6[$15, $20])");
        assertEquals(text, Printer.print(Samples.parse(text)));
        String without = text.replace("maximum[$20 \"r\" in 0 i64 .. 2 i64] ", "")
                .replace("$20", "0 i64");
        assertEquals(without, Printer.print(Samples.parse(without)));
    }

    @Test
    void tellsWhatIsWrongAndWhere() {
        reject(Samples.LIFTED.replace("equal(", "equals("), "there is no operation 'equals'");
        reject(Samples.LIFTED.replace("grouping %7", "grouping %77"), "there is no value %77");
        reject(Samples.LIFTED.replace("%9[$12]", "%9[$99]"), "there is no index $99");
        reject(Samples.LIFTED.replace("measure", "measured"), "there is no node 'measured'");
        reject(Samples.LIFTED.replace("%9[$12]", "%9[$12, $12]"), "with 2 coordinates");
        reject(Samples.LIFTED.replace("%9[$12], 0 i64", "%9[$12]"), "equal with 1");
        reject(Samples.LIFTED.replace("0 i64 .. 2", "99999999999999999999 i64 .. 2"),
                "For input string");
        reject(Samples.LIFTED.replace("%8 \"order\"", "%9999999999 \"order\""), "is too large");
        reject(Samples.LIFTED.replace("i64['K'] =", "i65['K'] ="), "there is no format 'i65'");
        reject(Samples.LIFTED.replace(", %10 \"ends\" : i64[3]", ""),
                "a grouping defines 3 values, not 2");
        reject(Samples.LIFTED + "more", "expected the end, found 'more'");
        reject("program \"p\" ?", "1:13: unexpected character '?'");
        reject("", "1:1: expected 'program', found the end");
        reject(Samples.LIFTED.substring(0, Samples.LIFTED.length() - 3), "expected '}'");
    }

    @Test
    void hostileTextIsAnErrorAndNoCrash() {
        String deep = "negate(".repeat(100_000);
        reject(Samples.LIFTED.replace("equal(%9", deep + "equal(%9"), "levels deep");
        reject(Samples.LIFTED.replace("grouping %7 2", "if %7 {" + "if %7 {".repeat(100_000)), "");
        reject(Samples.LIFTED.replace("('B' + 1)", "(".repeat(100_000)), "levels deep");
        reject("program \"" + "\\a".repeat(200_000), "unexpected character");
        reject("program " + "x".repeat(1_000_000), "expected a name");
        Random random = new Random(7);
        for (int i = 0; i < 2000; i++) {
            String text = i % 2 == 0 ? Samples.LIFTED : Samples.UNLIFTED;
            int from = random.nextInt(text.length());
            int to = Math.min(text.length(), from + random.nextInt(12));
            int other = random.nextInt(text.length() - 12);
            String broken = text.substring(0, from)
                    + text.substring(other, other + random.nextInt(12)) + text.substring(to);
            try {
                Verifier.verify(Samples.parse(broken));
            } catch (WeirException expected) {
                assertTrue(expected.getMessage().startsWith("E1001"), expected.getMessage());
            }
        }
    }

    private static void reject(String text, String message) {
        WeirException thrown = assertThrows(WeirException.class, () -> Samples.parse(text));
        assertTrue(thrown.getMessage().contains(message), thrown.getMessage());
        assertTrue(thrown.getMessage().startsWith("E1001 sample.weirt:"), thrown.getMessage());
    }
}
