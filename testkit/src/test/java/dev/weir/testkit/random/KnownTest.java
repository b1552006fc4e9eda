package dev.weir.testkit.random;

import static org.junit.jupiter.api.Assertions.assertEquals;

import dev.weir.ir.diagnostic.Source;
import dev.weir.ir.kernel.Kernel;
import dev.weir.ir.kernel.KernelParser;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;

/** Which kernels are taken to be one. */
class KnownTest {

    private static Kernel kernel(String name, String value) {
        return KernelParser.parse(new Source("test.kernel", """
                kernel %s {
                    buffer x f32
                    tile t i64
                    do {
                        store(x, t, %s:f32)
                    }
                }
                """.formatted(name, value)));
    }

    private static int made(int room, Kernel... kernels) {
        Known<Integer> known = new Known<>(room);
        List<Kernel> made = new ArrayList<>();
        for (Kernel kernel : kernels) {
            known.of(Known.named(kernel), k -> {
                made.add(k);
                return 1;
            });
        }
        return made.size();
    }

    @Test
    void differInWhatTheyDoAndNotInTheirNames() {
        assertEquals(1, made(10, kernel("a", "1.0"), kernel("b", "1.0"), kernel("a", "1.0")));
        assertEquals(2, made(10, kernel("a", "1.0"), kernel("a", "2.0")));
        assertEquals(2, made(10, kernel("a", "0.0"), kernel("a", "-0.0")));
    }

    @Test
    void areForgottenIfOthersWereAskedForSince() {
        Kernel a = kernel("a", "1.0");
        Kernel b = kernel("b", "2.0");
        Kernel c = kernel("c", "3.0");
        assertEquals(4, made(2, a, b, c, a));
        assertEquals(3, made(2, a, b, a, c, a));
    }
}
