package dev.weir.bench.model;

import dev.weir.bench.engine.WeirModel;
import dev.weir.ir.diagnostic.Source;
import dev.weir.ir.type.Format;
import dev.weir.ir.type.Quantisation;
import dev.weir.runtime.memory.Tensor;
import java.util.Optional;
import java.util.stream.LongStream;

/**
 * How the matrices of a model are kept. Its normalisations and the router of its experts stay f32:
 * where a router is rounded, tokens go to other experts, and nothing can be compared.
 *
 * @param rounding of matrices, if they are not f32
 * @param rounds whether what they are multiplied with is rounded too, to int8
 */
public record Precision(Optional<Quantisation> rounding, boolean rounds) {
    /** All in f32. */
    public static final Precision F32 = new Precision(Optional.empty(), false);

    /**
     * Of weights only.
     *
     * @param rounding as {@code precision} has it
     */
    public static Precision weights(String rounding) {
        return new Precision(Optional.of(Quantisation.parse(rounding).orElseThrow(() ->
                new IllegalArgumentException("no rounding of weights: " + rounding))), false);
    }

    /** The same weights, multiplied with int8. */
    public Precision withRounding() {
        return new Precision(rounding, true);
    }

    /** The weights' format, as {@code precision} has it. */
    public String word() {
        return rounding.map(Quantisation::toString).orElse("f32");
    }

    /** The library's program for a model, with this precision. */
    public Source program(Shape shape) {
        String module = "stdlib.models." + shape.type();
        if (equals(F32)) {
            return WeirModel.LIBRARY.find(module).orElseThrow();
        }
        String name = shape.isMixture() ? "Mixtral" : "Llama";
        return new Source("bench.weir", """
                import %s { %s }

                model Rounded = %s with {
                    precision { weights: %s, *.scale: f32%s%s }
                }
                """.formatted(module, name, name, word(),
                shape.isMixture() ? ", *.router: f32" : "",
                rounds ? ", activations: int8" : ""));
    }

    /** Bytes that a row of so many elements takes in Weir, whose scales are f16. */
    public double rowBytes(long length) {
        return rounding.map(q -> (double) q.codeBytes(length)
                        + Format.F16.bytes() * q.groups(length))
                .orElse((double) Format.F32.bytes() * length);
    }

    /** A matrix with the values that are left of its own. */
    Tensor rounded(Tensor matrix) {
        if (rounding.isEmpty()) {
            return matrix;
        }
        Tensor left = Tensor.zeros(Format.F32, matrix.shape());
        int length = Math.toIntExact(matrix.shape()[matrix.shape().length - 1]);
        LongStream.range(0, matrix.elements() / length).parallel().forEach(r -> {
            double[] row = new double[length];
            for (int k = 0; k < length; k++) {
                row[k] = matrix.real(r * length + k);
            }
            float[] values = rounding.get().values(row);
            for (int k = 0; k < length; k++) {
                left.setReal(r * length + k, values[k]);
            }
        });
        return left;
    }
}
