package dev.weir.frontend;

import dev.weir.ir.diagnostic.Diagnostic.NamedSize;
import java.util.List;

/**
 * A parameter's shape as its block declares it.
 *
 * @param axes in the names of the program, {@code [F, D]}
 * @param sizes what the names stand for, and where that is from
 */
public record NamedShape(String axes, List<NamedSize> sizes) {
    public NamedShape {
        sizes = List.copyOf(sizes);
    }
}
