package dev.weir.cli;

import dev.weir.codegen.llvm.LlvmCompiler;
import dev.weir.codegen.llvm.LlvmText;
import dev.weir.codegen.llvm.ObjectLinker;
import dev.weir.codegen.llvm.Processor;
import dev.weir.codegen.llvm.SharedKernels;
import dev.weir.ir.kernel.CompiledKernel;
import dev.weir.ir.kernel.Kernel;
import dev.weir.ir.kernel.KernelCompiler;
import dev.weir.ir.kernel.TargetDescription;
import dev.weir.runtime.artefact.ArtefactCache;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.IdentityHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.function.Consumer;
import java.util.function.Function;
import java.util.stream.Collectors;

/**
 * LLVM, asked once: native code is kept on disk and used again by all processes of the user. What
 * names it is the text that LLVM would get, which the kernels, the vectors and this compiler's
 * version decide, the processor, and LLVM's version. Where code is found, LLVM is not even loaded;
 * if nothing could link it, it is kept as an object file, which LLVM loads.
 */
public final class CachedCompiler implements KernelCompiler {
    private static final String LIBRARY = "so";
    private static final String OBJECT = "o";
    private static final String PROCESSOR = "processor";
    private static final Path PROCESSORS = Path.of("/proc/cpuinfo");

    private final ArtefactCache cache;
    private final Consumer<String> warnings;
    private final Function<byte[], ObjectLinker.Outcome> linker;
    private final Processor processor;
    private final List<SharedKernels> libraries = new ArrayList<>();
    /** The libraries in which kernels are, by the list that they were in. */
    private final Map<List<Kernel>, String> places = new IdentityHashMap<>();
    private final Map<List<Kernel>, List<CompiledKernel>> known = new IdentityHashMap<>();
    private Optional<LlvmCompiler> llvm = Optional.empty();
    private boolean warned;

    /**
     * @param warnings is told once if nothing can be stored
     * @param linker makes a shared library of an object file
     */
    CachedCompiler(
            ArtefactCache cache,
            Consumer<String> warnings,
            Function<byte[], ObjectLinker.Outcome> linker) {
        this.cache = cache;
        this.warnings = warnings;
        this.linker = linker;
        this.processor = processor();
    }

    /** The one in the usual place. */
    public static CachedCompiler usual(Consumer<String> warnings) {
        Map<String, String> environment = System.getenv();
        return new CachedCompiler(new ArtefactCache(
                ArtefactCache.usual(environment, System.getProperty("user.home")),
                ArtefactCache.ROOM), warnings,
                object -> ObjectLinker.link(object, "kernels.so", false));
    }

    /** Asks LLVM what this machine is, unless an equal one was asked about. */
    private Processor processor() {
        Optional<String> machine = machine();
        if (machine.isEmpty()) {
            return Processor.host();
        }
        String key = ArtefactCache.key(PROCESSOR, machine.get(), version());
        Optional<Processor> known = cache.content(key).flatMap(CachedCompiler::processor);
        if (known.isPresent()) {
            return known.get();
        }
        Processor host = Processor.host();
        store(key, String.join("\n", host.triple(), host.name(), host.features())
                .getBytes(StandardCharsets.UTF_8));
        return host;
    }

    private static Optional<Processor> processor(byte[] content) {
        String[] lines = new String(content, StandardCharsets.UTF_8).split("\n", -1);
        return lines.length == 3
                ? Optional.of(new Processor(lines[0], lines[1], lines[2]))
                : Optional.empty();
    }

    /** What the system says of its first processor; nothing where it does not. */
    private static Optional<String> machine() {
        try {
            String first = Files.readString(PROCESSORS).split("\n\n")[0];
            // Its frequency and its like change from moment to moment.
            return Optional.of(first.lines()
                    .filter(line -> line.matches("(vendor_id|cpu family|model|model name|stepping"
                            + "|flags|Features|CPU implementer|CPU part)\\s*:.*"))
                    .collect(Collectors.joining("\n", System.getProperty("os.arch") + "\n", "")))
                    .filter(text -> text.lines().count() > 1);
        } catch (IOException e) {
            return Optional.empty();
        }
    }

    /** Of LLVM and of the way that object files are made. */
    private static String version() {
        return "LLVM " + LlvmCompiler.version() + ", artefacts 1";
    }

    @Override
    public TargetDescription target() {
        return processor.target();
    }

    /** Whole programs that were made before. */
    public ProgramCache programs() {
        return new ProgramCache(cache, this);
    }

    /** What decides the code of a kernel besides itself. */
    String origin() {
        return String.join("\n", target().name(), processor.triple(), processor.name(),
                processor.features(), version());
    }

    /** The library in which kernels are that were compiled here, if they are in one. */
    Optional<String> library(List<Kernel> kernels) {
        return Optional.ofNullable(places.get(kernels));
    }

    /** Takes kernels from a library when they are asked for; gives whether it can be had. */
    boolean know(List<Kernel> kernels, String library) {
        Optional<List<CompiledKernel>> found = cache.find(library).flatMap(
                file -> open(library, file, kernels));
        found.ifPresent(code -> known.put(kernels, code));
        return found.isPresent();
    }

    @Override
    public List<CompiledKernel> compile(List<Kernel> kernels) {
        if (known.containsKey(kernels)) {
            return known.get(kernels);
        }
        String text = LlvmText.of(kernels, target());
        String[] origin = {
            text, processor.triple(), processor.name(), processor.features(), version()
        };
        String library = ArtefactCache.key(LIBRARY, origin);
        Optional<List<CompiledKernel>> linked = cache.find(library).flatMap(
                file -> open(library, file, kernels));
        if (linked.isPresent()) {
            return linked.get();
        }
        String object = ArtefactCache.key(OBJECT, origin);
        Optional<byte[]> kept = cache.content(object);
        if (kept.isPresent()) {
            return llvm().load(kernels, List.of(kept.get()));
        }
        byte[] made = llvm().object(kernels);
        switch (linker.apply(made)) {
            case ObjectLinker.Outcome.Library l -> {
                Optional<List<CompiledKernel>> stored = store(library, l.bytes())
                        .flatMap(file -> open(library, file, kernels));
                if (stored.isPresent()) {
                    return stored.get();
                }
            }
            case ObjectLinker.Outcome.None n -> store(object, made);
        }
        return llvm().load(kernels, List.of(made));
    }

    private Optional<List<CompiledKernel>> open(
            String key, Path file, List<Kernel> kernels) {
        Optional<SharedKernels> library = SharedKernels.open(file, kernels);
        if (library.isEmpty()) {
            cache.drop(key);
        } else {
            places.put(kernels, key);
        }
        library.ifPresent(libraries::add);
        return library.map(SharedKernels::kernels);
    }

    /** Keeps something; who cannot is told once. */
    Optional<Path> store(String key, byte[] content) {
        try {
            return Optional.of(cache.store(key, content));
        } catch (IOException | UnsupportedOperationException e) {
            if (!warned) {
                warned = true;
                warnings.accept("compiled code cannot be kept for the next time: " + e.getMessage()
                        + "\nhelp: name a folder that can be written with XDG_CACHE_HOME, or "
                        + "give --no-cache");
            }
            return Optional.empty();
        }
    }

    private LlvmCompiler llvm() {
        if (llvm.isEmpty()) {
            llvm = Optional.of(new LlvmCompiler());
        }
        return llvm.get();
    }

    @Override
    public String listing(Kernel kernel) {
        return LlvmText.of(List.of(kernel), target());
    }

    @Override
    public void close() {
        libraries.forEach(SharedKernels::close);
        llvm.ifPresent(LlvmCompiler::close);
    }
}
