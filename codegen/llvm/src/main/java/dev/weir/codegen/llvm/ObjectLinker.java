package dev.weir.codegen.llvm;

import java.io.File;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Optional;
import java.util.concurrent.TimeUnit;
import java.util.stream.Stream;
import org.bytedeco.javacpp.Loader;

/**
 * Makes a shared library of an object file: by LLD, which comes with LLVM's natives, or by the C
 * compiler of the system, {@code cc}.
 */
public final class ObjectLinker {
    private static final long PATIENCE_SECONDS = 60;

    private ObjectLinker() {}

    /** What a linker did: the library's bytes, or why there is none. */
    public sealed interface Outcome {
        /** A shared library. */
        record Library(byte[] bytes) implements Outcome {}

        /** No linker could be run, or none made a library; a sentence for each that was tried. */
        record None(List<String> reasons) implements Outcome {
            public None {
                reasons = List.copyOf(reasons);
            }
        }
    }

    /**
     * Links one object file.
     *
     * @param name what the library calls itself: {@code libname.so}
     * @param foreign whether it is for another machine, for which {@code cc} would not do
     */
    public static Outcome link(byte[] object, String name, boolean foreign) {
        List<String> reasons = new ArrayList<>();
        try {
            Path folder = Files.createTempDirectory("weir-link");
            try {
                Path input = Files.write(folder.resolve("input.o"), object);
                Path output = folder.resolve("output.so");
                Optional<List<String>> lld = lld(folder, reasons);
                if (lld.isPresent() && run(folder, lld.get(), input, output, reasons,
                        List.of("-soname", name, "--hash-style=gnu", "-s"))) {
                    return new Outcome.Library(Files.readAllBytes(output));
                }
                if (!foreign && run(folder, List.of("cc"), input, output, reasons,
                        List.of("-Wl,-soname," + name, "-s"))) {
                    return new Outcome.Library(Files.readAllBytes(output));
                }
                return new Outcome.None(reasons);
            } finally {
                delete(folder);
            }
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    /** LLD looks for LLVM's library under the name that it has in a package of the system. */
    private static Optional<List<String>> lld(Path folder, List<String> reasons)
            throws IOException {
        String natives = "/org/bytedeco/llvm/" + Loader.getPlatform() + "/";
        try {
            Class<?> owner = org.bytedeco.llvm.global.LLVM.class;
            Loader.load(owner);
            File program = Loader.cacheResource(owner, natives + "lld");
            File library = Loader.cacheResource(owner, natives + "libLLVM.so");
            if (program == null || library == null || !program.setExecutable(true)) {
                reasons.add("LLVM's natives have no LLD for " + Loader.getPlatform());
                return Optional.empty();
            }
            String[] version = LlvmCompiler.version().split("[.-]", 3);
            if (version.length < 3) {
                reasons.add("LLVM does not say its version, which LLD asks for");
                return Optional.empty();
            }
            Files.createSymbolicLink(
                    folder.resolve("libLLVM.so." + version[0] + "." + version[1]),
                    library.toPath());
            return Optional.of(List.of(program.toString(), "-flavor", "gnu"));
        } catch (UnsatisfiedLinkError | UnsupportedOperationException e) {
            reasons.add("LLD cannot be used: " + e.getMessage());
            return Optional.empty();
        }
    }

    private static boolean run(
            Path folder,
            List<String> program,
            Path input,
            Path output,
            List<String> reasons,
            List<String> options) throws IOException {
        List<String> command = new ArrayList<>(program);
        command.addAll(List.of("-shared", "-o", output.toString(), input.toString()));
        command.addAll(options);
        Path said = folder.resolve("said");
        String name = Path.of(program.getFirst()).getFileName().toString();
        ProcessBuilder builder = new ProcessBuilder(command)
                .redirectErrorStream(true)
                .redirectOutput(said.toFile());
        builder.environment().put("LD_LIBRARY_PATH", folder.toString());
        builder.environment().put("LC_ALL", "C");
        Process process;
        try {
            process = builder.start();
        } catch (IOException e) {
            reasons.add("there is no " + name + " that can be run");
            return false;
        }
        try {
            if (!process.waitFor(PATIENCE_SECONDS, TimeUnit.SECONDS)) {
                process.destroyForcibly();
                reasons.add(String.format(
                        Locale.ROOT, "%s took more than %d s", name, PATIENCE_SECONDS));
                return false;
            }
        } catch (InterruptedException e) {
            process.destroyForcibly();
            Thread.currentThread().interrupt();
            reasons.add(name + " was interrupted");
            return false;
        }
        if (process.exitValue() != 0) {
            reasons.add(name + " says: "
                    + Files.readString(said, StandardCharsets.UTF_8).strip());
            return false;
        }
        return true;
    }

    private static void delete(Path folder) throws IOException {
        try (Stream<Path> files = Files.list(folder)) {
            for (Path file : files.toList()) {
                Files.delete(file);
            }
        }
        Files.delete(folder);
    }
}
