package dev.weir.bench.peer;

import ai.onnxruntime.OnnxJavaType;
import dev.weir.ir.type.Format;
import dev.weir.runtime.memory.Tensor;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collections;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;

/**
 * An ONNX model in the making: constant weights, operators by name, inputs and outputs. The field
 * numbers are those of onnx.proto3 (https://github.com/onnx/onnx/blob/main/onnx/onnx.proto3).
 *
 * <p>A file holds less than 2 GiB, so that large constants stand apart from it: the file only says
 * that they are there, and whoever loads it hands over their memory.
 */
public final class OnnxGraph {
    /** The domain of ONNX Runtime's own operators. */
    public static final String CONTRIBUTED = "com.microsoft";
    private static final int IR_VERSION = 10;
    private static final int OPERATOR_SET = 18;
    private static final long LARGE = 1 << 16;
    private static final int EXTERNAL = 1;
    private static final int ATTRIBUTE_FLOAT = 1;
    private static final int ATTRIBUTE_WHOLE = 2;
    private static final int ATTRIBUTE_TEXT = 3;
    private static final int ATTRIBUTE_WHOLES = 7;

    private final Protobuf graph = new Protobuf().text(2, "bench");
    private final Set<String> constants = new HashSet<>();
    private final Map<String, Constant> apart = new LinkedHashMap<>();
    private int values;

    /** What a tensor's elements are, with ONNX's code for it. */
    public enum Element {
        FLOAT(1, OnnxJavaType.FLOAT),
        UINT8(2, OnnxJavaType.UINT8),
        INT8(3, OnnxJavaType.INT8),
        INT32(6, OnnxJavaType.INT32),
        INT64(7, OnnxJavaType.INT64);

        private final int code;
        private final OnnxJavaType type;

        Element(int code, OnnxJavaType type) {
            this.code = code;
            this.type = type;
        }

        /** As attributes name it. */
        public int code() {
            return code;
        }

        OnnxJavaType type() {
            return type;
        }

        /** Of a format that ONNX has too. */
        public static Element of(Format format) {
            return switch (format) {
                case F32 -> FLOAT;
                case I8 -> INT8;
                case I32 -> INT32;
                case I64 -> INT64;
                default -> throw new IllegalArgumentException("no code for " + format);
            };
        }
    }

    /**
     * A constant that stands apart from the file.
     *
     * @param element what the tensor's memory is read as
     */
    public record Constant(Element element, Tensor tensor) {}

    /** An attribute of an operator. */
    public sealed interface Attribute {
        /** A whole number. */
        record Whole(String name, long value) implements Attribute {}

        /** Whole numbers. */
        record Wholes(String name, List<Long> value) implements Attribute {}

        /** A real number. */
        record Real(String name, float value) implements Attribute {}

        /** A text. */
        record Text(String name, String value) implements Attribute {}
    }

    /** An argument; axes that are not positive have any size. */
    public String input(String name, Format format, long... shape) {
        graph.message(11, information(name, format, shape));
        return name;
    }

    /** Makes a value a result under another name. */
    public void rename(String value, String result, Format format, long... shape) {
        add("", "Identity", List.of(value), List.of(result));
        output(result, format, shape);
    }

    /** Makes a value a result; axes that are not positive have any size. */
    public void output(String name, Format format, long... shape) {
        graph.message(12, information(name, format, shape));
    }

    /** A weight as it is stored, once for each name. */
    public String constant(String name, Tensor tensor) {
        return constant(name, Element.of(tensor.format()), tensor, tensor.shape());
    }

    /** Bytes without a sign, of a tensor of i8 elements, once for each name. */
    public String unsigned(String name, Tensor bytes) {
        return constant(name, Element.UINT8, bytes, bytes.shape());
    }

    /** Whether a constant of this name is there, so that it need not be made again. */
    public boolean has(String constant) {
        return constants.contains(constant);
    }

    /** Whole numbers along one axis. */
    public String wholes(long... numbers) {
        return constant("wholes" + Arrays.toString(numbers), Tensor.ofLongs(numbers));
    }

    /** A whole number without an axis. */
    public String whole(long number) {
        return constant("whole " + number, Element.INT64, Tensor.ofLongs(number), new long[0]);
    }

    private String constant(String name, Element element, Tensor tensor, long[] shape) {
        if (constants.add(name)) {
            Protobuf stored = new Protobuf();
            for (long size : shape) {
                stored.whole(1, size);
            }
            stored.whole(2, element.code).text(8, name);
            if (tensor.bytes() < LARGE) {
                stored.bytes(9, tensor);
            } else {
                apart.put(name, new Constant(element, new Tensor(
                        tensor.format(), shape, tensor.memory())));
                stored.message(13, new Protobuf().text(1, "location").text(2, "apart"))
                        .whole(14, EXTERNAL);
            }
            graph.message(5, stored);
        }
        return name;
    }

    /** The constants that {@link #toBytes} has not, by name. */
    public Map<String, Constant> apart() {
        return Collections.unmodifiableMap(apart);
    }

    /** Applies an operator of ONNX's own that has one result. */
    public String apply(String operator, List<String> operands, Attribute... attributes) {
        return apply("", operator, 1, operands, attributes).getFirst();
    }

    /** Applies an operator of ONNX Runtime's that has one result. */
    public String contributed(String operator, List<String> operands, Attribute... attributes) {
        return apply(CONTRIBUTED, operator, 1, operands, attributes).getFirst();
    }

    /**
     * Applies an operator.
     *
     * @param domain empty for ONNX's own
     * @return the names of its results
     */
    public List<String> apply(
            String domain,
            String operator,
            int results,
            List<String> operands,
            Attribute... attributes) {
        List<String> names = new ArrayList<>();
        for (int i = 0; i < results; i++) {
            names.add(value());
        }
        add(domain, operator, operands, names, attributes);
        return names;
    }

    /** A name for a value that nothing else has. */
    public String value() {
        return "v" + values++;
    }

    /**
     * Adds an operator whose results have names already.
     *
     * @param operands their names, empty for one that is left out
     * @param results their names, empty for one that nobody needs
     */
    public void add(
            String domain,
            String operator,
            List<String> operands,
            List<String> results,
            Attribute... attributes) {
        Protobuf node = new Protobuf();
        operands.forEach(o -> node.text(1, o));
        results.forEach(r -> node.text(2, r));
        node.text(4, operator);
        for (Attribute attribute : attributes) {
            node.message(5, attribute(attribute));
        }
        if (!domain.isEmpty()) {
            node.text(7, domain);
        }
        graph.message(1, node);
    }

    private static Protobuf attribute(Attribute attribute) {
        Protobuf message = new Protobuf();
        switch (attribute) {
            case Attribute.Whole a -> message.text(1, a.name).whole(3, a.value)
                    .whole(20, ATTRIBUTE_WHOLE);
            case Attribute.Wholes a -> {
                message.text(1, a.name);
                a.value.forEach(v -> message.whole(8, v));
                message.whole(20, ATTRIBUTE_WHOLES);
            }
            case Attribute.Real a -> message.text(1, a.name).real(2, a.value)
                    .whole(20, ATTRIBUTE_FLOAT);
            case Attribute.Text a -> message.text(1, a.name).text(4, a.value)
                    .whole(20, ATTRIBUTE_TEXT);
        }
        return message;
    }

    private static Protobuf information(String name, Format format, long... shape) {
        Protobuf axes = new Protobuf();
        for (int i = 0; i < shape.length; i++) {
            axes.message(1, shape[i] > 0
                    ? new Protobuf().whole(1, shape[i])
                    : new Protobuf().text(2, name + "_" + i));
        }
        Protobuf type = new Protobuf().whole(1, Element.of(format).code).message(2, axes);
        return new Protobuf().text(1, name).message(2, new Protobuf().message(1, type));
    }

    /** The model's file. */
    public byte[] toBytes() {
        return new Protobuf().whole(1, IR_VERSION).text(2, "weir-bench").message(7, graph)
                .message(8, new Protobuf().text(1, "").whole(2, OPERATOR_SET))
                .message(8, new Protobuf().text(1, CONTRIBUTED).whole(2, 1))
                .toBytes();
    }
}
