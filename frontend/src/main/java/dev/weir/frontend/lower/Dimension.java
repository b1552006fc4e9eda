package dev.weir.frontend.lower;

import dev.weir.ir.type.Size;
import java.util.Optional;

/**
 * A size twice: as the IR gets it, and in the names of the block that is being read, in which users
 * think and in which axes are told apart even where their numbers agree.
 *
 * @param size constants where generics are bound
 * @param named in the names of the source
 * @param jagged what is in use of {@code size} elements, if that depends on other axes or on data
 */
record Dimension(Size size, Size named, Optional<Jagged> jagged) {
    /** What users are told of the size that a selection has. */
    static final String SELECTED = "selected";

    Dimension(Size size, Size named) {
        this(size, named, Optional.empty());
    }

    static Dimension of(long value) {
        return new Dimension(Size.of(value), Size.of(value));
    }

    static Dimension symbol(String name) {
        return new Dimension(Size.symbol(name), Size.symbol(name));
    }

    Dimension renamed(String name) {
        return new Dimension(size, Size.symbol(name), jagged);
    }

    Dimension plus(Dimension other) {
        return new Dimension(Size.sum(size, other.size), Size.sum(named, other.named));
    }

    Dimension minus(Dimension other) {
        return new Dimension(
                Size.difference(size, other.size), Size.difference(named, other.named));
    }

    Dimension times(Dimension other) {
        return new Dimension(Size.product(size, other.size), Size.product(named, other.named));
    }

    Dimension dividedBy(Dimension other) {
        return new Dimension(Size.quotient(size, other.size), Size.quotient(named, other.named));
    }

    Dimension remainder(Dimension other) {
        return minus(dividedBy(other).times(other));
    }

    boolean isSame(Dimension other) {
        return difference(other).isZero();
    }

    boolean isSameByName(Dimension other) {
        return Polynomial.of(named).plus(Polynomial.of(other.named), -1).isZero();
    }

    boolean differs(Dimension other) {
        return difference(other).isNeverZero();
    }

    private Polynomial difference(Dimension other) {
        return Polynomial.of(size).plus(Polynomial.of(other.size), -1);
    }

    /** {@code D}, or {@code D (128)} where more is known than the name. */
    String describe() {
        String name = Polynomial.of(named).toString();
        String value = Polynomial.of(size).toString();
        return name.equals(value) || name.equals(SELECTED)
                ? "`" + name + "`" : "`" + name + "` (" + value + ")";
    }
}
