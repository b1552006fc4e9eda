package dev.weir.testkit.random;

import dev.weir.ir.kernel.Kernel;
import dev.weir.ir.kernel.KernelPrinter;
import java.nio.charset.StandardCharsets;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.HexFormat;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.function.Function;

/**
 * What was made of kernels so far, by all of them but their names; those that were not asked for the
 * longest are forgotten. Random programs have most of their kernels in common, and a back end makes
 * the same of the same kernel.
 */
final class Known<T> {
    private final Map<String, T> made;

    /**
     * @param room how many are kept
     */
    Known(int room) {
        made = new LinkedHashMap<>(16, 0.75f, true) {
            @Override
            protected boolean removeEldestEntry(Map.Entry<String, T> eldest) {
                return size() > room;
            }
        };
    }

    /** The kernel, under a name that says what it does. */
    static Kernel named(Kernel kernel) {
        String text = KernelPrinter.print(renamed(kernel, "kernel_"));
        try {
            byte[] digest = MessageDigest.getInstance("SHA-256")
                    .digest(text.getBytes(StandardCharsets.UTF_8));
            return renamed(kernel, "kernel_" + HexFormat.of().formatHex(digest));
        } catch (NoSuchAlgorithmException e) {
            throw new IllegalStateException(e);
        }
    }

    private static Kernel renamed(Kernel kernel, String name) {
        return new Kernel(name, kernel.buffers(), kernel.scalars(), kernel.scratch(),
                kernel.tile(), kernel.body());
    }

    /**
     * @param kernel as {@link #named} gave it
     */
    T of(Kernel kernel, Function<Kernel, T> make) {
        T known = made.get(kernel.name());
        if (known == null) {
            known = make.apply(kernel);
            made.put(kernel.name(), known);
        }
        return known;
    }
}
