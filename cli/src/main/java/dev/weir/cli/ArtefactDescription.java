package dev.weir.cli;

import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import com.fasterxml.jackson.databind.JsonNode;
import dev.weir.ir.host.HostLowering;
import dev.weir.ir.host.HostSlot;
import dev.weir.ir.kernel.KernelProgram;
import dev.weir.ir.tensor.Parameter;
import dev.weir.ir.tensor.Scalar;
import dev.weir.ir.tensor.StreamAxis;
import dev.weir.ir.type.Size;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.util.Arrays;
import java.util.List;
import java.util.Map;

/** What an artefact has to know of its model besides code, as JSON. */
final class ArtefactDescription {
    private ArtefactDescription() {}

    /**
     * @param lowered the host program, which has more checks than the kernels
     * @param configuration the fields of config.json that became part of the code
     */
    static String of(
            KernelProgram program,
            HostLowering.Lowered lowered,
            Map<String, String> configuration) {
        ObjectNode root = Json.MAPPER.createObjectNode();
        root.put("model", program.name());
        ObjectNode fields = root.putObject("configuration");
        configuration.forEach((path, value) -> fields.set(path, json(value)));
        root.put("obstacle", program.stream().flatMap(StreamAxis::obstacle).orElse(""));
        ArrayNode checks = root.putArray("checks");
        lowered.checks().forEach(checks::add);
        slots(root.putArray("arguments"), HostSlot.given(program));
        slots(root.putArray("results"), HostSlot.results(program));
        ArrayNode parameters = root.putArray("parameters");
        program.parameters().forEach(p -> parameter(parameters.addObject(), p));
        return root.toString();
    }

    private static JsonNode json(String text) {
        try {
            return Json.MAPPER.readTree(text);
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    private static void slots(ArrayNode array, List<HostSlot> slots) {
        for (HostSlot slot : slots) {
            array.addObject()
                    .put("name", slot.name())
                    .put("format", slot.format().name())
                    .put("stream", slot.isStream())
                    .put("width", slot.isConstant() ? slot.width() : 0);
        }
    }

    private static void parameter(ObjectNode node, Parameter parameter) {
        List<Size> shape = parameter.value().type().shape();
        node.put("path", parameter.path());
        node.put("format", parameter.value().type().format().name());
        sizes(node.putArray("instances"), shape.subList(0, parameter.instanceAxes()));
        ArrayNode own = node.putArray("shape");
        Arrays.stream(parameter.storedShape()).forEach(own::add);
        parameter.part().ifPresent(part -> node.putObject("part")
                .put("of", part.of().toString())
                .put("kind", part.kind().name())
                .putArray("lengths").add(part.length()).add(part.extent()));
        if (parameter.optional()) {
            node.put("fill", parameter.fill());
        }
        ArrayNode stored = node.putArray("stored");
        for (List<Long> instance : parameter.instances()) {
            ArrayNode names = stored.addArray();
            parameter.stored().forEach(s -> names.add(Parameter.instantiate(s, instance)));
        }
        parameter.layout().ifPresent(layout -> {
            ArrayNode axes = node.putArray("layout");
            layout.coordinates().forEach(c -> postfix(axes.addArray(), c, layout));
        });
    }

    private static void sizes(ArrayNode array, List<Size> sizes) {
        sizes.forEach(size -> array.add(size.constant().orElseThrow()));
    }

    /** Operators behind their operands, for a reader that is a few lines long. */
    private static void postfix(ArrayNode out, Scalar scalar, Parameter.Layout layout) {
        switch (scalar) {
            case Scalar.Whole whole -> out.add(whole.value());
            case Scalar.Variable variable -> out.add("i" + layout.indices().indexOf(
                    variable.index()));
            case Scalar.Extent extent -> out.add(extent.size().constant().orElseThrow());
            case Scalar.Apply apply -> {
                apply.operands().forEach(operand -> postfix(out, operand, layout));
                out.add(switch (apply.operation()) {
                    case ADD -> "+";
                    case SUBTRACT -> "-";
                    case MULTIPLY -> "*";
                    case DIVIDE -> "/";
                    case REMAINDER -> "%";
                    case NEGATE -> "n";
                    default -> throw new IllegalArgumentException("not part of a layout");
                });
            }
            default -> throw new IllegalArgumentException("not part of a layout: " + scalar);
        }
    }
}
