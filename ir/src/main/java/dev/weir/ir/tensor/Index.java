package dev.weir.ir.tensor;

/**
 * A variable that runs over an axis inside one compute node.
 *
 * @param id unique within a program
 * @param name what the user called it
 */
public record Index(int id, String name) {
    @Override
    public boolean equals(Object other) {
        return other instanceof Index index && index.id == id;
    }

    @Override
    public int hashCode() {
        return Integer.hashCode(id);
    }

    @Override
    public String toString() {
        return name + "." + id;
    }
}
