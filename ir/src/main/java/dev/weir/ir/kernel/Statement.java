package dev.weir.ir.kernel;

import java.util.List;
import java.util.Optional;

/** A statement of a kernel. Blocks scope the variables and buffers that they introduce. */
public sealed interface Statement {

    /** Introduces a variable; it may be assigned to later if {@code mutable}. */
    record Declare(Variable variable, Expression value, boolean mutable) implements Statement {}

    /** Gives a mutable variable a new value. */
    record Assign(Variable variable, Expression value) implements Statement {}

    /**
     * Stores a value's lanes in neighbouring elements, rounded to the buffer's format.
     *
     * @param index i64, in elements, of the first
     * @param active where present, an i64: lanes from here on are not stored
     */
    record Store(Buffer buffer, Expression index, Expression value, Optional<Expression> active)
            implements Statement {}

    /**
     * Asks for what will be loaded later, so that it is near by then. It changes nothing but time:
     * targets may ignore it, and the element need not exist.
     *
     * @param index i64, in elements
     */
    record Prefetch(Buffer buffer, Expression index) implements Statement {}

    /**
     * Introduces a buffer whose address is read from a table of addresses.
     *
     * @param buffer the new name
     * @param table an i64 buffer of addresses
     * @param index i64, which entry
     */
    record Bind(Buffer buffer, Buffer table, Expression index) implements Statement {}

    /** Runs the body for {@code index} from {@code from}, by {@code step} > 0, below {@code to}. */
    record For(Variable index, Expression from, Expression to, long step, List<Statement> body)
            implements Statement {
        public For {
            body = List.copyOf(body);
        }
    }

    record If(Expression condition, List<Statement> then, List<Statement> otherwise)
            implements Statement {
        public If {
            then = List.copyOf(then);
            otherwise = List.copyOf(otherwise);
        }
    }

    /**
     * Records a fault (the first one stays) and leaves the kernel.
     *
     * @param code which check failed: an index into the program's list of checks
     * @param value what was found, i64
     * @param limit what it had to be below, i64
     */
    record Fault(int code, Expression value, Expression limit) implements Statement {}
}
