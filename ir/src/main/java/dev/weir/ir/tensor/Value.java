package dev.weir.ir.tensor;

import dev.weir.ir.type.TensorType;

/**
 * What a node, a region argument, a parameter or a state defines, once. Two values are the same if
 * their identifiers are.
 *
 * @param id unique within a program
 * @param name what the user called it, for dumps and messages
 * @param type format and shape
 */
public record Value(int id, String name, TensorType type) {
    @Override
    public boolean equals(Object other) {
        return other instanceof Value value && value.id == id;
    }

    @Override
    public int hashCode() {
        return Integer.hashCode(id);
    }

    @Override
    public String toString() {
        return "%" + id;
    }
}
