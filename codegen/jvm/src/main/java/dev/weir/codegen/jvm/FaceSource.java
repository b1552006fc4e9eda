package dev.weir.codegen.jvm;

import dev.weir.ir.host.HostSlot;
import dev.weir.ir.kernel.TargetDescription;
import dev.weir.ir.type.Format;
import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Set;
import java.util.regex.MatchResult;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Collectors;
import java.util.stream.IntStream;
import javax.lang.model.SourceVersion;

/**
 * Writes the Java class by which a program uses a compiled model: its own arguments and results, as
 * arrays of their types. It is compiled into the artefact, and lies beside its class as
 * documentation.
 */
public final class FaceSource {
    /** Parameters and locals of the class, and what records and objects have already. */
    private static final Set<String> RESERVED = Set.of("sessions", "rows", "left", "model",
            "session", "position", "close", "step", "hashCode", "toString", "getClass", "notify",
            "notifyAll", "wait", "clone", "finalize");
    private static final Pattern WORD_BREAK = Pattern.compile("[^A-Za-z0-9]+([A-Za-z0-9])?");

    private static final Pattern PART = Pattern.compile("\\$\\{([A-Z]+)}");

    /** What is written for people, and parts; the rest of the template is code. */
    private static final Pattern NO_CODE = Pattern.compile("(?s)/\\*.*?\\*/|\\$\\{[A-Z]+}");
    private static final Pattern TYPE = Pattern.compile("\\b[A-Z]\\w*");

    /** Words that the language keeps for itself where a type is named; no keywords elsewhere. */
    private static final Set<String> NO_TYPES =
            Set.of("permits", "record", "sealed", "var", "yield", "when");

    private final String packageName;
    private final String name;
    private final List<HostSlot> arguments;
    private final List<HostSlot> results;
    private final List<String> argumentNames;
    private final List<String> resultNames;

    private FaceSource(
            String packageName, String name, List<HostSlot> arguments, List<HostSlot> results) {
        this.packageName = packageName;
        this.name = name;
        this.arguments = arguments;
        this.results = results;
        this.argumentNames = identifiers(arguments);
        this.resultNames = identifiers(results);
    }

    /**
     * The source text of a class.
     *
     * @param packageName the user's package
     * @param name of the class
     */
    public static String of(
            String packageName, String name, List<HostSlot> arguments, List<HostSlot> results) {
        return new FaceSource(packageName, name, arguments, results).text();
    }

    /**
     * The name of a model's class: its own, unless that hides a type that the class uses, or is no
     * name in Java; {@code String} becomes {@code StringModel}.
     *
     * @param model of letters, digits and underscores
     */
    public static String className(String model) {
        Set<String> used = TYPE.matcher(NO_CODE.matcher(template()).replaceAll(""))
                .results().map(MatchResult::group).collect(Collectors.toSet());
        return used.contains(model) || NO_TYPES.contains(model) || SourceVersion.isKeyword(model)
                ? model + "Model" : model;
    }

    /**
     * The package of a model's class where the user names none: never the class's own name, which
     * would hide it.
     *
     * @param model of letters, digits and underscores
     */
    public static String packageName(String model) {
        String small = model.toLowerCase(Locale.ROOT);
        boolean isFree = SourceVersion.isName(small) && !isOfJava(small)
                && !small.equals(className(model));
        return isFree ? small : "model_" + small;
    }

    /** Whether Java loads no class of a package from elsewhere. */
    public static boolean isOfJava(String packageName) {
        return packageName.equals("java") || packageName.startsWith("java.");
    }

    /** One for each, none twice and none that has a meaning of its own. */
    static List<String> identifiers(List<HostSlot> slots) {
        List<String> names = new ArrayList<>();
        for (HostSlot slot : slots) {
            String name = identifier(slot.name());
            while (names.contains(name) || SourceVersion.isKeyword(name)
                    || RESERVED.contains(name)) {
                name += "_";
            }
            names.add(name);
        }
        return names;
    }

    /** {@code input_ids} becomes {@code inputIds}. */
    private static String identifier(String name) {
        String joined = WORD_BREAK.matcher(name).replaceAll(match ->
                match.group(1) == null ? "" : match.group(1).toUpperCase(Locale.ROOT));
        String legal = joined.isEmpty() || Character.isDigit(joined.charAt(0))
                ? "value" + joined : joined;
        return legal.substring(0, 1).toLowerCase(Locale.ROOT) + legal.substring(1);
    }

    private static String type(Format format) {
        return switch (format) {
            case I64 -> "long[]";
            case I32 -> "int[]";
            case BOOL -> "boolean[]";
            case F64 -> "double[]";
            default -> "float[]";
        };
    }

    private static String described(HostSlot slot) {
        return "{@code " + slot.format().word() + slot.shapeText() + "}, row-major";
    }

    private static String declared(List<HostSlot> slots, List<String> names) {
        return IntStream.range(0, slots.size())
                .mapToObj(i -> type(slots.get(i).format()) + " " + names.get(i))
                .collect(Collectors.joining(", "));
    }

    private static String documentation(
            List<HostSlot> slots, List<String> names, String indent) {
        return IntStream.range(0, slots.size())
                .mapToObj(i -> indent + " * @param " + names.get(i) + " "
                        + described(slots.get(i)) + "\n")
                .collect(Collectors.joining());
    }

    /** Rows of one sequence's step, by the first argument that has them. */
    private String rows() {
        return arguments.stream().filter(HostSlot::isStream).findFirst()
                .map(a -> argumentNames.get(arguments.indexOf(a)) + ".length / "
                        + Math.max(1, a.width()) + "L")
                .orElse("1L");
    }

    private String programs() {
        return JvmArtefact.TARGETS.stream()
                .map(target -> "            case " + target.lanes() + " -> new "
                        + JvmArtefact.packageOf(packageName) + "." + program(target)
                        + "(memory);\n")
                .collect(Collectors.joining());
    }

    private static String program(TargetDescription target) {
        return JvmArtefact.program(target);
    }

    private String values() {
        StringBuilder text = new StringBuilder();
        for (int i = 0; i < results.size(); i++) {
            text.append(i == 0 ? "" : ", ").append('(').append(type(results.get(i).format()))
                    .append(") left[").append(i).append(']');
        }
        return text.toString();
    }

    private static String template() {
        try (InputStream in = FaceSource.class.getResourceAsStream("Face.java.template")) {
            return new String(in.readAllBytes(), StandardCharsets.UTF_8);
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    private String text() {
        Map<String, String> parts = new HashMap<>();
        parts.put("PARAMETERDOC", documentation(arguments, argumentNames, "    "));
        parts.put("COMPONENTDOC", documentation(results, resultNames, "    "));
        parts.put("OWNDOC", documentation(arguments, argumentNames, "        "));
        parts.put("PROGRAMS", programs());
        parts.put("COMPONENTS", declared(results, resultNames));
        parts.put("PARAMETERS", declared(arguments, argumentNames));
        parts.put("VALUES", values());
        parts.put("ROWS", rows());
        parts.put("COMMA", arguments.isEmpty() ? "" : ", ");
        parts.put("NAMES", String.join(", ", argumentNames));
        parts.put("SUPPORT", JvmArtefact.packageOf(packageName) + ".artefact");
        parts.put("PACKAGE", packageName);
        parts.put("NAME", name);
        return PART.matcher(template()).replaceAll(
                match -> Matcher.quoteReplacement(parts.get(match.group(1))));
    }
}
