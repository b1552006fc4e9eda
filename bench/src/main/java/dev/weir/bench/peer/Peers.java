package dev.weir.bench.peer;

import java.util.Map;
import java.util.TreeMap;
import java.util.function.Supplier;
import org.bytedeco.javacpp.BytePointer;
import org.bytedeco.mkl.global.mkl_rt;

/** Whom Weir is measured beside. */
public final class Peers {
    private static final int TEXT = 256;

    private Peers() {}

    /** Their versions, or why one is not there. */
    public static Map<String, String> versions() {
        Map<String, String> versions = new TreeMap<>();
        versions.put("OpenBLAS", version(OpenBlas::version));
        versions.put("MKL", version(Peers::mkl));
        return versions;
    }

    private static String version(Supplier<String> version) {
        try {
            return version.get();
        } catch (RuntimeException | LinkageError e) {
            return "not there: " + e;
        }
    }

    private static String mkl() {
        try (BytePointer text = new BytePointer(TEXT)) {
            text.zero();
            mkl_rt.MKL_Get_Version_String(text, TEXT);
            return text.getString().strip();
        }
    }
}
