package dev.weir.bench.peer;

import static java.lang.foreign.ValueLayout.ADDRESS;
import static java.lang.foreign.ValueLayout.JAVA_FLOAT;
import static java.lang.foreign.ValueLayout.JAVA_INT;

import java.io.File;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.lang.foreign.Arena;
import java.lang.foreign.FunctionDescriptor;
import java.lang.foreign.Linker;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.SymbolLookup;
import java.lang.invoke.MethodHandle;
import org.bytedeco.javacpp.Loader;
import org.bytedeco.openblas.global.openblas_nolapack;

/**
 * OpenBLAS from the JavaCPP build, called through a handle of its own. The JavaCPP binding looks
 * {@code cblas_sgemm} up by name among all libraries of the process, and finds that of MKL if it is
 * loaded too.
 */
@SuppressWarnings("restricted")
final class OpenBlas {
    private static final String FOLDER = "/org/bytedeco/openblas/" + Loader.getPlatform() + "/";
    private static final Linker LINKER = Linker.nativeLinker();
    private static final SymbolLookup LIBRARY = library();
    private static final MethodHandle SGEMM = LINKER.downcallHandle(find("cblas_sgemm"),
            FunctionDescriptor.ofVoid(JAVA_INT, JAVA_INT, JAVA_INT, JAVA_INT, JAVA_INT, JAVA_INT,
                    JAVA_FLOAT, ADDRESS, JAVA_INT, ADDRESS, JAVA_INT, JAVA_FLOAT, ADDRESS,
                    JAVA_INT));
    private static final MethodHandle SET_THREADS = LINKER.downcallHandle(
            find("openblas_set_num_threads"), FunctionDescriptor.ofVoid(JAVA_INT));
    private static final MethodHandle CONFIGURATION = LINKER.downcallHandle(
            find("openblas_get_config"), FunctionDescriptor.of(ADDRESS));
    private static final MethodHandle CORE = LINKER.downcallHandle(
            find("openblas_get_corename"), FunctionDescriptor.of(ADDRESS));
    private static final int MOST_TEXT = 1024;
    private static final int ROW_MAJOR = 101;
    private static final int AS_IT_IS = 111;
    private static final int TRANSPOSED = 112;

    private OpenBlas() {}

    private static SymbolLookup library() {
        // What it needs stands beside it.
        for (String name : new String[] {"libgcc_s.so.1", "libquadmath.so.0", "libgfortran.so.5"}) {
            System.load(file(name).getPath());
        }
        return SymbolLookup.libraryLookup(file("libopenblas.so.0").toPath(), Arena.global());
    }

    private static File file(String name) {
        try {
            File file = Loader.cacheResource(openblas_nolapack.class, FOLDER + name);
            if (file == null) {
                throw new UnsatisfiedLinkError("there is no " + FOLDER + name);
            }
            return file;
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    private static MemorySegment find(String symbol) {
        return LIBRARY.find(symbol).orElseThrow(() ->
                new UnsatisfiedLinkError("OpenBLAS has no " + symbol));
    }

    /** {@code y[m, n] = sum[k] x[m, k] * w[n, k]}, all row-major and dense. */
    static void contract(
            int m, int n, int k, MemorySegment x, MemorySegment w, MemorySegment y) {
        try {
            SGEMM.invokeExact(ROW_MAJOR, AS_IT_IS, TRANSPOSED, m, n, k, 1f, x, k, w, k, 0f, y, n);
        } catch (Throwable e) {
            throw new IllegalStateException("a foreign call cannot throw", e);
        }
    }

    static void threads(int count) {
        try {
            SET_THREADS.invokeExact(count);
        } catch (Throwable e) {
            throw new IllegalStateException("a foreign call cannot throw", e);
        }
    }

    /** Version, how it was built, and the kernels that it has chosen for this processor. */
    static String version() {
        try {
            MemorySegment configuration = (MemorySegment) CONFIGURATION.invokeExact();
            MemorySegment core = (MemorySegment) CORE.invokeExact();
            return configuration.reinterpret(MOST_TEXT).getString(0).strip() + ", kernels for "
                    + core.reinterpret(MOST_TEXT).getString(0).strip();
        } catch (Throwable e) {
            throw new IllegalStateException("a foreign call cannot throw", e);
        }
    }
}
