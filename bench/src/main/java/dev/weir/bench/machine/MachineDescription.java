package dev.weir.bench.machine;

import dev.weir.codegen.llvm.LlvmCompiler;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.TreeSet;

/**
 * The machine that was measured.
 *
 * @param processor the model's name, as the system has it
 * @param processors how many the process may use
 * @param features those that matter to kernels
 * @param cache size of the last-level cache, as the system has it
 * @param memory size, as the system has it
 * @param system its name and version
 * @param java version and maker
 * @param target what Weir's native back end compiles for
 */
public record MachineDescription(
        String processor,
        int processors,
        List<String> features,
        String cache,
        String memory,
        String system,
        String java,
        String target) {
    private static final List<String> TELLING = List.of("sse2", "sse4_2", "avx", "avx2", "fma",
            "f16c", "avx512f", "avx512vl", "avx512bw", "avx512dq", "avx512_vnni", "avx512_bf16",
            "avx512_fp16", "avx_vnni", "amx_tile", "amx_int8", "amx_bf16", "asimd", "sve");

    /** This one. */
    public static MachineDescription here() {
        TreeSet<String> features = new TreeSet<>(
                List.of(field("/proc/cpuinfo", "flags").split("\\s+")));
        features.retainAll(TELLING);
        try (LlvmCompiler compiler = new LlvmCompiler()) {
            return new MachineDescription(
                    field("/proc/cpuinfo", "model name"),
                    Runtime.getRuntime().availableProcessors(),
                    List.copyOf(features),
                    lastCache(),
                    field("/proc/meminfo", "MemTotal"),
                    System.getProperty("os.name") + " " + System.getProperty("os.version"),
                    System.getProperty("java.vendor") + " " + Runtime.version(),
                    compiler.target().name());
        }
    }

    private static String lastCache() {
        Path caches = Path.of("/sys/devices/system/cpu/cpu0/cache");
        for (int index = 4; index > 0; index--) {
            Path size = caches.resolve("index" + index).resolve("size");
            if (Files.isReadable(size)) {
                return text(size).strip();
            }
        }
        return "unknown";
    }

    private static String field(String file, String name) {
        return text(Path.of(file)).lines()
                .filter(l -> l.startsWith(name))
                .findFirst()
                .map(l -> l.substring(l.indexOf(':') + 1).strip())
                .orElse("unknown");
    }

    private static String text(Path file) {
        try {
            return Files.readString(file);
        } catch (IOException e) {
            return "";
        }
    }
}
