package dev.weir.ir.host;

import java.util.List;

/** A statement of word code. */
public sealed interface WordStatement {

    /** Gives a local a value. Locals belong to the whole function; they begin as 0. */
    record Assign(String local, WordExpression value) implements WordStatement {}

    /** Writes the lowest bytes of a value to an address, which is a multiple of their number. */
    record Store(
            WordExpression.Width width, WordExpression address, WordExpression value)
            implements WordStatement {}

    /** Runs one of two lists: the second one if the condition is 0. */
    record If(
            WordExpression condition, List<WordStatement> then, List<WordStatement> otherwise)
            implements WordStatement {
        public If {
            then = List.copyOf(then);
            otherwise = List.copyOf(otherwise);
        }
    }

    /** Runs the body as long as the condition is not 0. */
    record While(WordExpression condition, List<WordStatement> body) implements WordStatement {
        public While {
            body = List.copyOf(body);
        }
    }

    /** Leaves the function. */
    record Return(WordExpression value) implements WordStatement {}

    /** Calls a function for what it does. */
    record Run(WordExpression.Call call) implements WordStatement {}

    /**
     * Runs tiles 0 up to {@code tiles} of a kernel.
     *
     * @param kernel its name
     * @param arguments address of its argument words
     * @param scratch address of its scratch memory
     */
    record Launch(
            String kernel, WordExpression tiles, WordExpression arguments, WordExpression scratch)
            implements WordStatement {}
}
