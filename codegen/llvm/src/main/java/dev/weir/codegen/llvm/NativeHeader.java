package dev.weir.codegen.llvm;

import dev.weir.ir.host.CallerEntries;
import dev.weir.ir.host.HostSlot;
import dev.weir.ir.kernel.KernelProgram;
import dev.weir.ir.tensor.Parameter;
import dev.weir.ir.tensor.Printer;
import dev.weir.ir.tensor.StreamAxis;
import dev.weir.ir.type.Format;
import dev.weir.ir.type.Size;
import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Set;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Collectors;

/** Writes the C header of a native artefact, which is its documentation, too. */
public final class NativeHeader {
    private static final Pattern PART = Pattern.compile("\\$\\{([A-Z_]+)}");
    private static final Pattern NO_IDENTIFIER = Pattern.compile("[^A-Za-z0-9_]+");

    private final KernelProgram program;
    private final String prefix;
    private final Processor processor;

    private NativeHeader(KernelProgram program, String prefix, Processor processor) {
        this.program = program;
        this.prefix = prefix;
        this.processor = processor;
    }

    /**
     * The header's text.
     *
     * @param prefix of all names
     */
    public static String of(KernelProgram program, String prefix, Processor processor) {
        return new NativeHeader(program, prefix, processor).text();
    }

    /** What a name of the model's is in C, behind a prefix. */
    public static String identifier(String name) {
        return NO_IDENTIFIER.matcher(name).replaceAll("_");
    }

    /** What follows the prefix in functions that every model has. */
    static final List<String> FUNCTIONS = List.of("create", "create_packed", "initialise",
            "destroy", "session_new", "session_free", "session_position", "weight_bytes",
            "weight_name", "weight_format", "message", "step", "model", "session", "status");

    /**
     * The functions that give a model's results, without the prefix; the number of elements is
     * given by one with {@code _elements} behind it. A name that is taken gets {@code _}.
     */
    public static List<String> results(KernelProgram program) {
        Set<String> taken = new HashSet<>(FUNCTIONS);
        List<String> names = new ArrayList<>();
        for (HostSlot slot : HostSlot.results(program)) {
            String name = identifier(slot.name());
            while (taken.contains(name) || taken.contains(name + "_elements")) {
                name += "_";
            }
            taken.addAll(List.of(name, name + "_elements"));
            names.add(name);
        }
        return names;
    }

    /** What the parameters of a step are called, which have no prefix. */
    private static List<String> parameters(KernelProgram program) {
        List<String> names = new ArrayList<>();
        for (HostSlot slot : HostSlot.given(program)) {
            String name = "in_" + identifier(slot.name());
            while (names.contains(name)) {
                name += "_";
            }
            names.add(name);
        }
        return names;
    }

    private static String type(Format format) {
        return switch (format) {
            case F64 -> "double";
            case F32 -> "float";
            case I64 -> "int64_t";
            case I32 -> "int32_t";
            case BOOL -> "uint8_t";
            default -> format.bytes() == 2 ? "uint16_t" : "uint8_t";
        };
    }

    private String weights() {
        StringBuilder text = new StringBuilder();
        long number = 0;
        for (Parameter parameter : program.parameters()) {
            List<Size> shape = parameter.value().type().shape();
            long count = parameter.instances().size();
            text.append(" *   ").append(count == 1
                            ? Long.toString(number) : number + " to " + (number + count - 1))
                    .append(": ").append(parameter.value().type().format().word())
                    .append(shape.subList(parameter.instanceAxes(), shape.size()))
                    .append(" ").append(comment(parameter.path())).append('\n');
            parameter.layout().ifPresent(layout -> text
                    .append(" *       a checkpoint stores it otherwise: its element at ")
                    .append(layout.indices()).append(" is the stored one at ")
                    .append(layout.coordinates().stream().map(Printer::scalar)
                            .collect(Collectors.joining(", ", "[", "]"))).append('\n'));
            if (parameter.optional()) {
                text.append(" *       a checkpoint may lack it: then all elements are ")
                        .append(parameter.fill()).append('\n');
            }
            number += count;
        }
        return text.toString();
    }

    private String arguments() {
        StringBuilder text = new StringBuilder();
        List<HostSlot> given = HostSlot.given(program);
        for (int i = 0; i < given.size(); i++) {
            text.append(", const ").append(type(given.get(i).format())).append(" *")
                    .append(parameters(program).get(i));
        }
        return text.toString();
    }

    private String argumentText() {
        StringBuilder text = new StringBuilder();
        List<HostSlot> given = HostSlot.given(program);
        for (int i = 0; i < given.size(); i++) {
            text.append(" * ").append(parameters(program).get(i)).append(": ")
                    .append(given.get(i).format().word()).append(given.get(i).shapeText())
                    .append('\n');
        }
        return text.toString();
    }

    private String results() {
        StringBuilder text = new StringBuilder();
        List<HostSlot> results = HostSlot.results(program);
        for (int i = 0; i < results.size(); i++) {
            String function = prefix + "_" + results(program).get(i);
            text.append("/*\n * ").append(comment(results.get(i).name()))
                    .append(" of the last step, ").append(results.get(i).format().word())
                    .append(results.get(i).shapeText())
                    .append(": valid until the next step, or until the\n")
                    .append(" * model is freed.\n */\nconst ")
                    .append(type(results.get(i).format())).append(" *").append(function)
                    .append("(const ").append(prefix).append("_model *model);\n\n")
                    .append("/* How many elements it has. */\nint64_t ").append(function)
                    .append("_elements(const ").append(prefix).append("_model *model);\n\n");
        }
        return text.toString();
    }

    /** Bytes of a file with all weights in their order. */
    public static long packedBytes(KernelProgram program) {
        long bytes = 0;
        for (Parameter parameter : program.parameters()) {
            bytes += parameter.instances().size() * CallerEntries.PACKED_ALIGNMENT * Math.ceilDiv(
                    CallerEntries.bytes(parameter), CallerEntries.PACKED_ALIGNMENT);
        }
        return bytes;
    }

    private String text() {
        Map<String, String> parts = new HashMap<>();
        parts.put("MODEL", program.name());
        parts.put("PREFIX", prefix);
        parts.put("GUARD", prefix.toUpperCase(Locale.ROOT));
        parts.put("TRIPLE", processor.triple());
        parts.put("PROCESSOR", processor.name());
        parts.put("WEIGHTS", weights());
        parts.put("WEIGHT_COUNT", Long.toString(program.parameters().stream()
                .mapToLong(p -> p.instances().size()).sum()));
        parts.put("PACKED_BYTES", Long.toString(packedBytes(program)));
        parts.put("ARGUMENTS", arguments());
        parts.put("ARGUMENT_TEXT", argumentText());
        parts.put("RESULTS", results());
        parts.put("EXAMPLE_ROWS", "3");
        parts.put("EXAMPLE_ARGUMENTS", parameters(program).stream().map(a -> ", " + a)
                .collect(Collectors.joining()));
        parts.put("EXAMPLE_RESULT", HostSlot.results(program).stream().findFirst()
                .map(r -> "const " + type(r.format()) + " *result = " + prefix + "_"
                        + results(program).getFirst() + "(model);")
                .orElse(""));
        parts.put("OBSTACLE", program.stream().flatMap(StreamAxis::obstacle)
                .map(o -> "\n * A sequence has to come whole, in one step: " + comment(o))
                .orElse(""));
        return PART.matcher(template()).replaceAll(
                match -> Matcher.quoteReplacement(parts.get(match.group(1))));
    }

    /** Nothing of the user's ends a comment. */
    private static String comment(String text) {
        return text.replace("*/", "* /").replace("\n", " ");
    }

    private static String template() {
        try (InputStream in = NativeHeader.class.getResourceAsStream("header.template")) {
            return new String(in.readAllBytes(), StandardCharsets.UTF_8);
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }
}
