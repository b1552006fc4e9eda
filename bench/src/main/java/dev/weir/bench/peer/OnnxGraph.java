package dev.weir.bench.peer;

import dev.weir.ir.type.Format;
import dev.weir.runtime.memory.Tensor;
import java.lang.foreign.ValueLayout;
import java.util.Arrays;
import java.util.HashSet;
import java.util.List;
import java.util.Set;

/**
 * An ONNX model in the making: constant weights, operators by name, inputs and outputs. The field
 * numbers are those of onnx.proto3 (https://github.com/onnx/onnx/blob/main/onnx/onnx.proto3).
 */
public final class OnnxGraph {
    private static final int IR_VERSION = 10;
    private static final int OPERATOR_SET = 18;
    private static final int FLOAT = 1;
    private static final int INT64 = 7;
    private static final int ATTRIBUTE_FLOAT = 1;
    private static final int ATTRIBUTE_WHOLE = 2;
    private static final int ATTRIBUTE_TEXT = 3;
    private static final int ATTRIBUTE_WHOLES = 7;

    private final Protobuf graph = new Protobuf().text(2, "bench");
    private final Set<String> constants = new HashSet<>();
    private int values;

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
        graph.message(1, new Protobuf().text(1, value).text(2, result).text(4, "Identity"));
        output(result, format, shape);
    }

    /** A result. */
    private void output(String name, Format format, long... shape) {
        graph.message(12, information(name, format, shape));
    }

    /** A weight as it is stored, once for each name. */
    public String constant(String name, Tensor tensor) {
        return constant(name, tensor, tensor.shape());
    }

    /** A matrix with its axes exchanged, as MatMul has it on the right. */
    public String transposed(String name, Tensor tensor) {
        if (constants.contains(name)) {
            return name;
        }
        long rows = tensor.shape()[0];
        long columns = tensor.elements() / rows;
        Tensor turned = Tensor.zeros(Format.F32, columns, rows);
        for (long i = 0; i < rows; i++) {
            for (long j = 0; j < columns; j++) {
                turned.memory().setAtIndex(ValueLayout.JAVA_FLOAT, j * rows + i,
                        tensor.memory().getAtIndex(
                                ValueLayout.JAVA_FLOAT, i * columns + j));
            }
        }
        return constant(name, turned);
    }

    /** Whole numbers along one axis. */
    public String wholes(long... numbers) {
        return constant("wholes" + Arrays.toString(numbers), Tensor.ofLongs(numbers));
    }

    /** A whole number without an axis. */
    public String whole(long number) {
        return constant("whole " + number, Tensor.ofLongs(number), new long[0]);
    }

    private String constant(String name, Tensor tensor, long[] shape) {
        if (constants.add(name)) {
            Protobuf stored = new Protobuf();
            for (long size : shape) {
                stored.whole(1, size);
            }
            stored.whole(2, code(tensor.format())).text(8, name).bytes(9, tensor);
            graph.message(5, stored);
        }
        return name;
    }

    /** Applies an operator of one result. */
    public String apply(String operator, List<String> operands, Attribute... attributes) {
        return apply("", operator, 1, operands, attributes).getFirst();
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
        Protobuf node = new Protobuf();
        operands.forEach(o -> node.text(1, o));
        String[] names = new String[results];
        for (int i = 0; i < results; i++) {
            names[i] = "v" + values++;
            node.text(2, names[i]);
        }
        node.text(4, operator);
        for (Attribute attribute : attributes) {
            node.message(5, attribute(attribute));
        }
        if (!domain.isEmpty()) {
            node.text(7, domain);
        }
        graph.message(1, node);
        return List.of(names);
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
        Protobuf type = new Protobuf().whole(1, code(format)).message(2, axes);
        return new Protobuf().text(1, name).message(2, new Protobuf().message(1, type));
    }

    private static int code(Format format) {
        return switch (format) {
            case F32 -> FLOAT;
            case I64 -> INT64;
            default -> throw new IllegalArgumentException("no code for " + format);
        };
    }

    /** The model's file. */
    public byte[] toBytes() {
        return new Protobuf().whole(1, IR_VERSION).text(2, "weir-bench").message(7, graph)
                .message(8, new Protobuf().text(1, "").whole(2, OPERATOR_SET))
                .message(8, new Protobuf().text(1, "com.microsoft").whole(2, 1))
                .toBytes();
    }
}
