package dev.weir.ir.tensor;

import dev.weir.ir.type.Size;
import dev.weir.ir.type.TensorType;

/** Hands out the identifiers of new values, indices and size symbols of one program. */
public final class Identifiers {
    private int next;

    /**
     * @param next the first identifier to hand out
     */
    public Identifiers(int next) {
        this.next = next;
    }

    /** Identifiers that no value or index of the program has. */
    public static Identifiers behind(TensorProgram program) {
        return new Identifiers(Walk.largestIdentifier(program) + 1);
    }

    public Value value(String name, TensorType type) {
        return new Value(next++, name, type);
    }

    public Index index(String name) {
        return new Index(next++, name);
    }

    public Size.Symbol symbol(String name) {
        return new Size.Symbol(name + "." + next++);
    }
}
