package dev.weir.ir.tensor;

import java.util.List;

/**
 * What one block (or function) of the source does, written for the smallest thing that it is about.
 * Every instance of the block runs this one function; {@code instances} say which it is.
 *
 * @param name unique within the program
 * @param path where its instances live, with a placeholder for each list that they lie in:
 *     {@code layers.{0}.experts.{1}}
 * @param instances i64 scalars, one for each placeholder
 * @param body its arguments are the block's arguments, its results the block's results
 */
public record Function(String name, String path, List<Value> instances, Region body) {
    public Function {
        instances = List.copyOf(instances);
    }
}
