package dev.weir.cli;

import dev.weir.codegen.jvm.FaceSource;
import dev.weir.codegen.jvm.JvmArtefact;
import dev.weir.ir.host.HostLowering;
import dev.weir.ir.host.HostSlot;
import dev.weir.ir.host.WordProgram;
import dev.weir.ir.kernel.KernelProgram;
import dev.weir.ir.kernel.TargetDescription;
import dev.weir.ir.tensor.TensorProgram;
import java.io.IOException;
import java.io.OutputStream;
import java.io.StringWriter;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;
import java.util.function.Function;
import java.util.jar.Attributes;
import java.util.jar.JarOutputStream;
import java.util.jar.Manifest;
import java.util.stream.Stream;
import java.util.zip.ZipEntry;
import javax.tools.JavaCompiler;
import javax.tools.ToolProvider;

/**
 * Writes a model as a jar that needs nothing but Java: its code for each width of vectors, what
 * that calls, and a typed face. Equal models give equal bytes.
 */
final class JarArtefact {
    /** Within what zip files can say; 1 January 1980 would be moved by time zones. */
    private static final long TIME = 1_000_000_000_000L;

    private final String packageName;
    private final String name;

    /**
     * @param packageName the Java package of the face; the rest is in packages below it
     * @param name of the face's class
     */
    JarArtefact(String packageName, String name) {
        this.packageName = packageName;
        this.name = name;
    }

    private String folder() {
        return packageName.replace('.', '/');
    }

    /**
     * @param lifted the model
     * @param schedules makes kernels of it for a machine
     */
    void write(
            TensorProgram lifted,
            Function<TargetDescription, KernelProgram> schedules,
            Path jar) {
        Map<TargetDescription, WordProgram> programs = new LinkedHashMap<>();
        Map<String, byte[]> entries = new TreeMap<>();
        for (TargetDescription target : JvmArtefact.TARGETS) {
            KernelProgram program = schedules.apply(target);
            HostLowering.Lowered lowered = HostLowering.lower(program);
            programs.put(target, lowered.code());
            if (programs.size() == 1) {
                requireConstantShapes(HostSlot.given(program));
                entries.put(folder() + "/" + name + ".java", FaceSource.of(packageName, name,
                        HostSlot.given(program), HostSlot.results(program))
                        .getBytes(StandardCharsets.UTF_8));
                entries.put(folder() + "/" + name + ".json", ArtefactDescription.of(
                        program, lowered, lifted.configuration())
                        .getBytes(StandardCharsets.UTF_8));
            }
        }
        JvmArtefact.classes(folder(), programs).forEach(
                (type, bytes) -> entries.put(type + ".class", bytes));
        try {
            entries.putAll(compiled(entries));
            store(entries, jar);
        } catch (IOException e) {
            throw new UserException("cannot write " + jar + ": " + e.getMessage());
        }
    }

    /** Callers have to know how much an argument takes; only programs edited by hand fail here. */
    static void requireConstantShapes(List<HostSlot> slots) {
        for (HostSlot slot : slots) {
            if (!slot.isConstant()) {
                throw new UserException("the argument " + slot.name() + " has the shape "
                        + slot.shapeText() + ", and its sizes are not known before a step"
                        + "\nhelp: give it sizes that are constant or the stream's");
            }
        }
    }

    /** The face's classes, compiled against the others. */
    private Map<String, byte[]> compiled(Map<String, byte[]> entries) throws IOException {
        JavaCompiler compiler = Optional.ofNullable(ToolProvider.getSystemJavaCompiler())
                .orElseThrow(() -> new UserException("this Java has no compiler, which the jar's "
                        + "typed interface needs\nhelp: run weir with a JDK 25"));
        Path work = Files.createTempDirectory("weir-jar");
        try {
            for (Map.Entry<String, byte[]> entry : entries.entrySet()) {
                Path file = work.resolve("in").resolve(entry.getKey());
                Files.createDirectories(file.getParent());
                Files.write(file, entry.getValue());
            }
            Path out = Files.createDirectories(work.resolve("out"));
            StringWriter said = new StringWriter();
            try (var files = compiler.getStandardFileManager(null, null, null)) {
                boolean well = compiler.getTask(said, files, null,
                        List.of("--release", "25", "-proc:none", "-g", "-cp",
                                work.resolve("in").toString(), "-d", out.toString()),
                        null,
                        files.getJavaFileObjects(
                                work.resolve("in").resolve(folder()).resolve(name + ".java")))
                        .call();
                if (!well) {
                    throw new IllegalStateException("the face does not compile: " + said);
                }
            }
            Map<String, byte[]> classes = new TreeMap<>();
            try (Stream<Path> all = Files.walk(out)) {
                for (Path file : all.filter(Files::isRegularFile).toList()) {
                    classes.put(out.relativize(file).toString().replace('\\', '/'),
                            Files.readAllBytes(file));
                }
            }
            return classes;
        } finally {
            delete(work);
        }
    }

    private static void delete(Path folder) throws IOException {
        try (Stream<Path> all = Files.walk(folder)) {
            for (Path file : all.sorted(java.util.Comparator.reverseOrder()).toList()) {
                Files.delete(file);
            }
        }
    }

    private static void store(Map<String, byte[]> entries, Path jar) throws IOException {
        Path folder = jar.toAbsolutePath().getParent();
        Files.createDirectories(folder);
        Path unfinished = folder.resolve(
                jar.getFileName() + ".unfinished-" + ProcessHandle.current().pid());
        try {
            Manifest manifest = new Manifest();
            manifest.getMainAttributes().put(Attributes.Name.MANIFEST_VERSION, "1.0");
            manifest.getMainAttributes().put(new Attributes.Name("Created-By"), "Weir");
            try (OutputStream file = Files.newOutputStream(unfinished);
                    JarOutputStream out = new JarOutputStream(file)) {
                begin(out, "META-INF/MANIFEST.MF");
                manifest.write(out);
                out.closeEntry();
                for (Map.Entry<String, byte[]> entry : entries.entrySet()) {
                    begin(out, entry.getKey());
                    out.write(entry.getValue());
                    out.closeEntry();
                }
            }
            Files.move(unfinished, jar, StandardCopyOption.REPLACE_EXISTING);
        } finally {
            Files.deleteIfExists(unfinished);
        }
    }

    private static void begin(JarOutputStream out, String name) throws IOException {
        ZipEntry entry = new ZipEntry(name);
        entry.setTime(TIME);
        out.putNextEntry(entry);
    }
}
