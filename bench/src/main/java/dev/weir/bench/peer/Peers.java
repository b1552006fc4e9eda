package dev.weir.bench.peer;

import java.util.Map;
import java.util.TreeMap;
import java.util.function.Supplier;
import org.bytedeco.javacpp.BytePointer;
import org.bytedeco.mkl.global.mkl_rt;
import org.bytedeco.openblas.global.openblas_nolapack;

/** Whom Weir is measured beside. */
public final class Peers {
    private static final int TEXT = 256;

    private Peers() {}

    /** Their versions, or why one is not there. */
    public static Map<String, String> versions() {
        Map<String, String> versions = new TreeMap<>();
        versions.put("OpenBLAS", version(() -> openblas_nolapack.OPENBLAS_VERSION.strip()));
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
            mkl_rt.MKL_Get_Version_String(text, TEXT);
            return text.getString().strip();
        }
    }
}
