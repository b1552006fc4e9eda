package dev.weir.passes.pipeline;

import dev.weir.ir.tensor.TensorProgram;
import java.util.List;
import java.util.function.UnaryOperator;

/**
 * One step over lifted tensor programs.
 *
 * @param name as users write it: {@code --disable common-code}
 * @param purpose one sentence
 * @param optional whether a program compiles without it
 * @param after the passes that have to run before it, each with the reason
 * @param run gives the changed program
 */
public record Pass(
        String name,
        String purpose,
        boolean optional,
        List<Order> after,
        UnaryOperator<TensorProgram> run) {

    /** A pass that has to run earlier, and why. */
    public record Order(String pass, String reason) {}

    public Pass {
        after = List.copyOf(after);
    }
}
