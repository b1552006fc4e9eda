package dev.weir.codegen.jvm;

import dev.weir.ir.host.WordProgram;
import dev.weir.ir.kernel.Kernel;
import dev.weir.ir.kernel.TargetDescription;
import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.util.ArrayDeque;
import java.util.Deque;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * The classes of a model that runs without Weir: a host program and its kernels for each width of
 * vectors, and the classes of this module that they call, all moved into a package of the user's,
 * so that artefacts of several versions of Weir get along on one class path.
 */
public final class JvmArtefact {
    /** A machine without vectors, or a Java machine without the Vector API. */
    public static final TargetDescription SCALAR =
            new TargetDescription("scalar", 1, 16, 4, 4, false, false, true);

    /** What artefacts are compiled for; which of them runs is decided where they are loaded. */
    public static final List<TargetDescription> TARGETS = List.of(
            BytecodeCompiler.LANES16, BytecodeCompiler.LANES8, BytecodeCompiler.LANES4, SCALAR);

    private static final String HOME = "dev/weir/";
    private static final String GENERATED = HOME + "codegen/jvm/";
    private static final String FACE = GENERATED + "artefact/ArtefactModel";
    private static final Pattern OWN_CLASS = Pattern.compile(HOME + "[A-Za-z0-9_/$]+");

    private JvmArtefact() {}

    /**
     * The classes, by their names with slashes.
     *
     * @param folder the user's package, with slashes; the classes are in packages below it
     * @param programs the model for each of {@link #TARGETS}
     */
    public static Map<String, byte[]> classes(
            String folder, Map<TargetDescription, WordProgram> programs) {
        Map<String, byte[]> classes = new TreeMap<>();
        programs.forEach((target, program) -> {
            String prefix = "lanes" + target.lanes() + "_";
            for (Kernel kernel : program.kernels()) {
                Kernel named = new Kernel(prefix + kernel.name(), kernel.buffers(),
                        kernel.scalars(), kernel.scratch(), kernel.tile(), kernel.body());
                // Chosen only where vectors are at least as wide, so where they are masked, too.
                classes.put(GENERATED + "Kernel$" + named.name(), KernelClassWriter.write(
                        named,
                        target.lanes() >= BytecodeCompiler.LANES16.lanes(),
                        target.lanes() >= BytecodeCompiler.LANES8.lanes()).bytes());
            }
            String name = GENERATED + program(target);
            classes.put(name, HostClassWriter.write(
                    program, name, GENERATED + "Kernel$" + prefix));
        });
        support(classes);
        Map<String, byte[]> moved = new TreeMap<>();
        classes.forEach((name, bytes) -> moved.put(
                moved(name, folder), Constants.map(bytes, text -> moved(text, folder))));
        return moved;
    }

    /** What the class of a host program is called, in the package of {@link #support}. */
    static String program(TargetDescription target) {
        return "Program" + target.lanes();
    }

    /** Where the classes of this module are in an artefact, with dots. */
    static String packageOf(String packageName) {
        return packageName + ".weir.codegen.jvm";
    }

    private static String moved(String text, String folder) {
        return text.replace(HOME, folder + "/weir/");
    }

    /** Adds what is called, and what that calls. */
    private static void support(Map<String, byte[]> classes) {
        Deque<byte[]> unseen = new ArrayDeque<>(classes.values());
        find(FACE).ifPresent(face -> {
            classes.put(FACE, face);
            unseen.add(face);
        });
        while (!unseen.isEmpty()) {
            for (String text : Constants.texts(unseen.remove())) {
                Matcher name = OWN_CLASS.matcher(text);
                while (name.find()) {
                    if (!classes.containsKey(name.group())) {
                        find(name.group()).ifPresent(bytes -> {
                            classes.put(name.group(), bytes);
                            unseen.add(bytes);
                        });
                    }
                }
            }
        }
    }

    private static Optional<byte[]> find(String name) {
        try (InputStream in = JvmArtefact.class.getResourceAsStream("/" + name + ".class")) {
            return in == null ? Optional.empty() : Optional.of(in.readAllBytes());
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }
}
