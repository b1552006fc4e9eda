package dev.weir.ir.tensor;

import dev.weir.ir.type.Format;
import java.util.List;
import java.util.Locale;
import java.util.Optional;

/**
 * How the values of a body are brought together over some axes.
 *
 * @param kind what is done with the values
 * @param axes the reduced axes, outermost first
 * @param filter where present, only the points at which it holds take part
 */
public record Reduction(Kind kind, List<Axis> axes, Optional<Scalar> filter) {
    public Reduction {
        axes = List.copyOf(axes);
        if (kind == Kind.ARGUMENT_MAXIMUM && axes.size() != 1) {
            throw new IllegalArgumentException("argument_maximum reduces one axis");
        }
    }

    /** The associative ways to combine values, with what an empty range gives. */
    public enum Kind {
        /** Empty: 0. On floats, products may be added with fused multiply-add. */
        SUM,
        /** Empty: 1. */
        PRODUCT,
        /** Empty: minus infinity, or the smallest integer. */
        MAXIMUM,
        /** Empty: infinity, or the largest integer. */
        MINIMUM,
        /** Empty: false. Operands are booleans. */
        ANY,
        /** Empty: true. Operands are booleans. */
        ALL,
        /** The lowest index that has the largest value, i64. Empty: a fault. */
        ARGUMENT_MAXIMUM;

        public String word() {
            return name().toLowerCase(Locale.ROOT);
        }

        /** What an empty range gives, as an expression of this format. */
        public Scalar identity(Format format) {
            return switch (this) {
                case SUM -> constant(format, 0);
                case PRODUCT -> constant(format, 1);
                case MAXIMUM -> format.isFloat()
                        ? new Scalar.Real(format, Double.NEGATIVE_INFINITY)
                        : new Scalar.Whole(format, smallest(format));
                case MINIMUM -> format.isFloat()
                        ? new Scalar.Real(format, Double.POSITIVE_INFINITY)
                        : new Scalar.Whole(format, ~smallest(format));
                case ANY -> Scalar.truth(false);
                case ALL -> Scalar.truth(true);
                case ARGUMENT_MAXIMUM -> Scalar.whole(-1);
            };
        }

        private static long smallest(Format format) {
            return format == Format.I32 ? Integer.MIN_VALUE : Long.MIN_VALUE;
        }

        private static Scalar constant(Format format, int value) {
            return format.isFloat()
                    ? new Scalar.Real(format, value)
                    : new Scalar.Whole(format, value);
        }
    }
}
