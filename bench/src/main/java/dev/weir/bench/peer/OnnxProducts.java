package dev.weir.bench.peer;

import dev.weir.ir.type.Format;
import dev.weir.ir.type.Quantisation;
import dev.weir.runtime.memory.Tensor;
import java.util.List;
import java.util.stream.LongStream;

/**
 * How the matrices of an ONNX graph are kept and multiplied. A matrix has a row for each element of
 * the product's result, as checkpoints store it.
 */
public sealed interface OnnxProducts {

    /**
     * Adds the product of a matrix and each row of {@code x}.
     *
     * @param name of the matrix, once for each
     */
    String multiply(OnnxGraph graph, String name, Tensor matrix, String x);

    /**
     * Adds the taking of rows, in f32.
     *
     * @param name of the matrix, which may be multiplied with too
     * @param ids which rows
     */
    String rows(OnnxGraph graph, String name, Tensor matrix, String ids);

    /** Bytes that a row of so many elements takes as this keeps it. */
    double rowBytes(long length);

    /** All in f32: {@code MatMul}, whose constant side the engine packs. */
    record Floats() implements OnnxProducts {
        @Override
        public String multiply(OnnxGraph graph, String name, Tensor matrix, String x) {
            String turned = name + " turned";
            return graph.apply("MatMul", List.of(x, graph.has(turned)
                    ? turned : graph.constant(turned, transposed(matrix))));
        }

        @Override
        public String rows(OnnxGraph graph, String name, Tensor matrix, String ids) {
            return graph.apply("Gather", List.of(graph.constant(name, matrix), ids));
        }

        @Override
        public double rowBytes(long length) {
            return (double) Format.F32.bytes() * length;
        }
    }

    /**
     * Weights as codes of 4 or 8 bits with an f32 scale for each block of a row, as ONNX Runtime's
     * exporter for language models keeps them: {@code MatMulNBits}.
     *
     * @param rounding with groups, which have to divide all rows
     * @param accuracy level of the operator: 0 multiplies in f32, 4 rounds what is multiplied to
     *     int8, with a scale for each block
     */
    record Blocks(Quantisation rounding, int accuracy) implements OnnxProducts {
        @Override
        public String multiply(OnnxGraph graph, String name, Tensor matrix, String x) {
            long rows = matrix.shape()[0];
            long length = matrix.elements() / rows;
            long group = rounding.group(length);
            long blocks = rounding.groups(length);
            Codes codes = codes(graph, name, matrix);
            return graph.contributed("MatMulNBits", List.of(x,
                    graph.unsigned(name + " codes", reshaped(codes.codes,
                            rows, blocks, rounding.codeBytes(group))),
                    graph.constant(name + " scales", reshaped(codes.scales, rows * blocks))),
                    whole("K", length), whole("N", rows), whole("bits", rounding.bits()),
                    whole("block_size", group), whole("accuracy_level", accuracy));
        }

        @Override
        public String rows(OnnxGraph graph, String name, Tensor matrix, String ids) {
            long rows = matrix.shape()[0];
            long length = matrix.elements() / rows;
            Codes codes = codes(graph, name, matrix);
            return graph.contributed("GatherBlockQuantized", List.of(
                    graph.unsigned(name + " rows of codes",
                            reshaped(codes.codes, rows, rounding.codeBytes(length))),
                    ids,
                    graph.constant(name + " rows of scales",
                            reshaped(codes.scales, rows, rounding.groups(length)))),
                    whole("bits", rounding.bits()), whole("gather_axis", 0),
                    whole("quantize_axis", 1), whole("block_size", rounding.group(length)));
        }

        private static OnnxGraph.Attribute whole(String name, long value) {
            return new OnnxGraph.Attribute.Whole(name, value);
        }

        private Codes codes(OnnxGraph graph, String name, Tensor matrix) {
            long length = matrix.elements() / matrix.shape()[0];
            if (length % rounding.group(length) != 0) {
                throw new IllegalArgumentException(
                        "rows of " + length + " in groups of " + rounding.group(length));
            }
            Codes codes = Codes.of(rounding, matrix);
            // Its codes count from their middle: the sign bit of each is the other way round.
            int signs = rounding.bits() == Byte.SIZE ? 0x80 : 0x88;
            for (long i = 0; i < codes.codes.elements(); i++) {
                codes.codes.setWhole(i, (byte) (codes.codes.whole(i) ^ signs));
            }
            return codes;
        }

        @Override
        public double rowBytes(long length) {
            return rounding.codeBytes(length)
                    + (double) Format.F32.bytes() * rounding.groups(length);
        }
    }

    /**
     * Weights as int8 with an f32 scale for each row, and what is multiplied with them rounded in
     * each step to 8 bits with one scale and zero point for all of it: the operators that {@code
     * quantize_dynamic(per_channel=True)} writes, which the engine joins.
     */
    record Dynamic(Quantisation rounding) implements OnnxProducts {
        @Override
        public String multiply(OnnxGraph graph, String name, Tensor matrix, String x) {
            Codes codes = Codes.of(rounding, matrix);
            List<String> rounded = graph.apply("", "DynamicQuantizeLinear", 3, List.of(x));
            String sum = graph.apply("MatMulInteger", List.of(rounded.get(0),
                    graph.constant(name + " turned", transposed(codes.codes)), rounded.get(2)));
            String scale = graph.apply("Mul", List.of(rounded.get(1),
                    graph.constant(name + " scales", codes.scales)));
            return graph.apply("Mul", List.of(scale, toFloat(graph, sum)));
        }

        @Override
        public String rows(OnnxGraph graph, String name, Tensor matrix, String ids) {
            Codes codes = Codes.of(rounding, matrix);
            String taken = graph.apply("Gather",
                    List.of(graph.constant(name + " codes", codes.codes), ids));
            String scales = graph.apply("Gather", List.of(graph.constant(name + " row scales",
                    reshaped(codes.scales, matrix.shape()[0], 1)), ids));
            return graph.apply("Mul", List.of(toFloat(graph, taken), scales));
        }

        private static String toFloat(OnnxGraph graph, String x) {
            return graph.apply("Cast", List.of(x),
                    new OnnxGraph.Attribute.Whole("to", OnnxGraph.Element.FLOAT.code()));
        }

        @Override
        public double rowBytes(long length) {
            return length + (double) Format.F32.bytes();
        }
    }

    /**
     * A matrix, rounded.
     *
     * @param codes i8, several to a byte if they are narrower
     * @param scales f32, row by row
     */
    record Codes(Tensor codes, Tensor scales) {
        static Codes of(Quantisation rounding, Tensor matrix) {
            long rows = matrix.shape()[0];
            int length = Math.toIntExact(matrix.elements() / rows);
            long bytes = rounding.codeBytes(length);
            long groups = rounding.groups(length);
            Tensor codes = Tensor.zeros(Format.I8, rows, bytes);
            Tensor scales = Tensor.zeros(Format.F32, rows * groups);
            LongStream.range(0, rows).parallel().forEach(r -> {
                double[] row = new double[length];
                for (int k = 0; k < length; k++) {
                    row[k] = matrix.real(r * length + k);
                }
                byte[] own = rounding.codes(row);
                for (int i = 0; i < own.length; i++) {
                    codes.setWhole(r * bytes + i, own[i]);
                }
                float[] factors = rounding.scales(row);
                for (int g = 0; g < factors.length; g++) {
                    scales.setReal(r * groups + g, factors[g]);
                }
            });
            return new Codes(codes, scales);
        }
    }

    /** A matrix with its axes exchanged, as operators have it on the right. */
    private static Tensor transposed(Tensor matrix) {
        long rows = matrix.shape()[0];
        long columns = matrix.elements() / rows;
        Tensor turned = Tensor.zeros(matrix.format(), columns, rows);
        LongStream.range(0, columns).parallel().forEach(j -> {
            for (long i = 0; i < rows; i++) {
                if (matrix.format().isFloat()) {
                    turned.setReal(j * rows + i, matrix.real(i * columns + j));
                } else {
                    turned.setWhole(j * rows + i, matrix.whole(i * columns + j));
                }
            }
        });
        return turned;
    }

    private static Tensor reshaped(Tensor tensor, long... shape) {
        return new Tensor(tensor.format(), shape, tensor.memory());
    }
}
