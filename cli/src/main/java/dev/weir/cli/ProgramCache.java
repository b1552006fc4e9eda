package dev.weir.cli;

import dev.weir.codegen.llvm.LlvmText;
import dev.weir.compiler.Compiler;
import dev.weir.frontend.Frontend;
import dev.weir.frontend.SourceProvider;
import dev.weir.ir.diagnostic.Source;
import dev.weir.ir.kernel.Kernel;
import dev.weir.ir.kernel.KernelProgram;
import dev.weir.ir.kernel.KernelProgramParser;
import dev.weir.ir.kernel.KernelProgramPrinter;
import dev.weir.passes.pipeline.Passes;
import dev.weir.runtime.artefact.ArtefactCache;
import java.io.IOException;
import java.net.URISyntaxException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;
import java.util.stream.Stream;

/**
 * Programs that were scheduled and compiled before, for who only runs them. An entry is named by
 * the model's text, its configuration, the options, the machine and this compiler; it holds what
 * its imports were, and each program as text without the bodies of its kernels, which are in a
 * library of {@link CachedCompiler}'s. So a second run parses some host statements and opens that
 * library; it lowers, schedules and compiles nothing.
 *
 * <pre>
 *   import MODULE DIGEST          for each module that was looked for
 *   program LIBRARY LENGTH        for each entry of the model, its text behind it
 * </pre>
 */
public final class ProgramCache {
    private static final String KIND = "program";
    private static final String NOT_THERE = "-";

    private final ArtefactCache cache;
    private final CachedCompiler compiler;

    ProgramCache(ArtefactCache cache, CachedCompiler compiler) {
        this.cache = cache;
        this.compiler = compiler;
    }

    /** Remembers the modules that somebody looks for. */
    public static final class Imports implements SourceProvider {
        private final SourceProvider library;
        private final Map<String, String> digests = new TreeMap<>();

        /** Those that a library has. */
        public Imports(SourceProvider library) {
            this.library = library;
        }

        @Override
        public Optional<Source> find(String module) {
            Optional<Source> found = library.find(module);
            digests.put(module, digest(found));
            return found;
        }
    }

    private static String digest(Optional<Source> source) {
        return source.map(s -> ArtefactCache.key(KIND, s.text())).orElse(NOT_THERE);
    }

    /**
     * The name of a model's programs; empty where this compiler cannot say what it is itself.
     *
     * @param given what else they are made from
     */
    public Optional<String> key(List<String> given) {
        return identity().map(own -> {
            List<String> texts = new ArrayList<>(given);
            texts.add(own);
            texts.add(compiler.origin());
            return ArtefactCache.key(KIND, texts.toArray(String[]::new));
        });
    }

    /** The files that this compiler's classes come from, with their sizes and times. */
    private static Optional<String> identity() {
        StringBuilder identity = new StringBuilder();
        try {
            for (Class<?> part : List.of(Kernel.class, Frontend.class, Frontend.GRAMMAR,
                    Passes.class, LlvmText.class, Compiler.class, ProgramCache.class)) {
                Path place = Path.of(
                        part.getProtectionDomain().getCodeSource().getLocation().toURI());
                try (Stream<Path> files = Files.walk(place)) {
                    for (Path file : files.filter(Files::isRegularFile).sorted().toList()) {
                        identity.append(file).append(' ').append(Files.size(file)).append(' ')
                                .append(Files.getLastModifiedTime(file).toMillis()).append('\n');
                    }
                }
            }
        } catch (IOException | URISyntaxException | RuntimeException unknown) {
            return Optional.empty();
        }
        return Optional.of(identity.toString());
    }

    /** The programs of a name, if their imports are what they were and their code can be had. */
    public Optional<List<KernelProgram>> find(String key, SourceProvider library) {
        try {
            return cache.content(key)
                    .map(content -> new String(content, StandardCharsets.UTF_8))
                    .flatMap(text -> read(text, library));
        } catch (RuntimeException unreadable) {
            // Whole, and yet nothing that this compiler wrote.
            cache.drop(key);
            return Optional.empty();
        }
    }

    private Optional<List<KernelProgram>> read(String text, SourceProvider library) {
        List<KernelProgram> programs = new ArrayList<>();
        int at = 0;
        while (at < text.length()) {
            int end = text.indexOf('\n', at);
            String[] words = text.substring(at, end).split(" ");
            at = end + 1;
            if (words[0].equals("import")) {
                if (!digest(library.find(words[1])).equals(words[2])) {
                    return Optional.empty();
                }
            } else {
                int length = Integer.parseInt(words[2]);
                KernelProgram program = KernelProgramParser.parse(
                        new Source("program", text.substring(at, at + length)));
                at += length;
                if (!compiler.know(program.kernels(), words[1])) {
                    return Optional.empty();
                }
                programs.add(program);
            }
        }
        if (programs.isEmpty()) {
            throw new IllegalArgumentException("no program");
        }
        return Optional.of(programs);
    }

    /** Keeps programs whose kernels have been compiled into libraries. */
    public void store(String key, Imports imports, List<KernelProgram> programs) {
        StringBuilder text = new StringBuilder();
        imports.digests.forEach((module, digest) ->
                text.append("import ").append(module).append(' ').append(digest).append('\n'));
        for (KernelProgram program : programs) {
            Optional<String> library = compiler.library(program.kernels());
            if (library.isEmpty()) {
                return;
            }
            String own = KernelProgramPrinter.print(withoutBodies(program));
            text.append("program ").append(library.get()).append(' ').append(own.length())
                    .append('\n').append(own);
        }
        compiler.store(key, text.toString().getBytes(StandardCharsets.UTF_8));
    }

    private static KernelProgram withoutBodies(KernelProgram program) {
        return new KernelProgram(program.name(), program.entry(), program.parameters(),
                program.states(), program.stream(), program.frames(), program.arguments(),
                program.results(), program.resultNames(),
                program.kernels().stream().map(k -> new Kernel(k.name(), k.buffers(),
                        k.scalars(), k.scratch(), k.tile(), List.of())).toList(),
                program.initialise(), program.step(), program.checks(), List.of(), Map.of());
    }
}
