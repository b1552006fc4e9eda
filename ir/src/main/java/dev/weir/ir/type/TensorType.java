package dev.weir.ir.type;

import java.util.List;
import java.util.stream.Collectors;

/**
 * The format of the elements and the size of each axis, outermost first.
 *
 * @param format of one stored element
 * @param shape one size an axis; empty for a scalar
 */
public record TensorType(Format format, List<Size> shape) {
    public TensorType {
        shape = List.copyOf(shape);
    }

    public static TensorType scalar(Format format) {
        return new TensorType(format, List.of());
    }

    public int rank() {
        return shape.size();
    }

    /** How many elements there are, as a size. */
    public Size elements() {
        Size product = Size.of(1);
        for (Size size : shape) {
            product = Size.product(product, size);
        }
        return product;
    }

    /** The type of one place of the first axis. */
    public TensorType withoutFirstAxis() {
        return new TensorType(format, shape.subList(1, shape.size()));
    }

    @Override
    public String toString() {
        return format.word()
                + shape.stream().map(Size::toString).collect(Collectors.joining(", ", "[", "]"));
    }
}
