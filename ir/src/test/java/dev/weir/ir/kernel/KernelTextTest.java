package dev.weir.ir.kernel;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.weir.ir.diagnostic.Source;
import dev.weir.ir.diagnostic.WeirException;
import dev.weir.ir.type.Format;
import java.util.List;
import java.util.Optional;
import org.junit.jupiter.api.Test;

/** The textual form reads back as what was written, and what is no kernel is told where and why. */
class KernelTextTest {

    private static final String SCALE = """
            kernel scale {
                buffer x f32
                buffer y bf16
                scalar n i64
                scratch s f32[64]
                tile t i64
                do {
                    let left i64 = subtract(n, multiply(t, 16:i64))
                    var v f32x16 = load(x, multiply(t, 16:i64), 16, left)
                    v = multiply(v, broadcast(-0.5:f32, 16))
                    for i i64 = 0:i64 to left step 4 {
                        store(s, i, fold(add, v))
                    }
                    if less(left, 1:i64) {
                        fault 3, left, n
                    } else {
                        store(y, multiply(t, 16:i64), v, left)
                    }
                }
            }
            """;

    @Test
    void printsWhatItRead() {
        Kernel kernel = parse(SCALE);
        KernelVerifier.verify(kernel);
        assertEquals(SCALE, KernelPrinter.print(kernel));
    }

    @Test
    void readsWhatItPrinted() {
        for (Kernel kernel : KernelSamples.all()) {
            if (!kernel.name().equals("shared")) {
                assertEquals(kernel, parse(KernelPrinter.print(kernel)));
            }
        }
    }

    @Test
    void readsAwkwardNamesAndNumbers() {
        Buffer buffer = new Buffer("a \"b\" \\", Format.F64);
        Variable tile = new Variable("store", Type.I64);
        Kernel kernel = new Kernel("k", List.of(buffer), List.of(), List.of(), tile, List.of(
                store(buffer, tile, Double.NaN), store(buffer, tile, Double.NEGATIVE_INFINITY),
                store(buffer, tile, Double.POSITIVE_INFINITY), store(buffer, tile, -0.0),
                store(buffer, tile, Double.MIN_VALUE), store(buffer, tile, 1e300),
                new Statement.Fault(-1, new Expression.Whole(Type.I64, Long.MIN_VALUE),
                        new Expression.Whole(Type.I64, Long.MAX_VALUE))));
        assertEquals(kernel, parse(KernelPrinter.print(kernel)));
    }

    private static Statement store(Buffer buffer, Variable index, double value) {
        return new Statement.Store(buffer, new Expression.Get(index),
                new Expression.Real(Type.F64, value), Optional.empty());
    }

    @Test
    void readsSeveralKernels() {
        String two = SCALE + "// and\n" + SCALE;
        assertEquals(2, KernelParser.parseAll(new Source("two", two)).size());
    }

    @Test
    void tellsWhatIsWrongAndWhere() {
        reject(SCALE.replace("subtract(", "substract("),
                "8:24: there is no operation 'substract'");
        reject(SCALE.replace("multiply(v", "multiply(w"), "10:22: there is no variable 'w'");
        reject(SCALE.replace("store(y", "store(z"), "17:19: there is no buffer 'z'");
        reject(SCALE.replace("v = mul", "v = = mul"), "10:13: expected an expression, found '='");
        reject(SCALE.replace("f32x16", "f32x15"), "9:15: lanes 15");
        reject(SCALE.replace("step 4", "step x"), "11:40: expected a whole number, found 'x'");
        reject(SCALE.replace("less(left, 1:i64)", "less(left, 1:i32)"),
                "14:12: LESS of i64 and i32");
        reject(SCALE.replace("f32[64]", "f32{64]"), "5:18: expected '[', found '{'");
        reject(SCALE.replace("0:i64 to", "99999999999999999999:i64 to"), "11:21: For input string");
        reject(SCALE.substring(0, SCALE.length() - 2), "expected '}', found the end");
        reject("kernel ?", "1:8: unexpected character '?'");
        reject("", "expected one kernel");
    }

    private static void reject(String text, String message) {
        WeirException thrown = assertThrows(WeirException.class, () -> parse(text));
        assertTrue(thrown.getMessage().contains(message), thrown.getMessage());
    }

    private static Kernel parse(String text) {
        return KernelParser.parse(new Source("test.kernel", text));
    }
}
