package dev.weir.ir.tensor;

import dev.weir.ir.type.Size;
import java.util.Optional;

/**
 * The axis along which a model takes its input: all at once, or a part of it in each step.
 *
 * @param size of the axis in one step
 * @param obstacle why the axis cannot be taken in several steps, in the user's words: the equation
 *     that looks at other elements than its own; empty if steps give what one step gives
 */
public record StreamAxis(Size.Symbol size, Optional<String> obstacle) {}
