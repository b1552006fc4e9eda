package dev.weir.frontend.lower;

import dev.weir.frontend.resolve.ModuleScope;
import dev.weir.frontend.syntax.Declaration;
import java.util.Map;

/** A block with its generics and settings bound, not yet placed in a model. */
sealed interface Template {

    /**
     * A template of the source.
     *
     * @param bindings what each generic and setting stands for, as seen by who wrote it
     * @param stored names of members as stored, over their own
     */
    record Concrete(
            Declaration.Block declaration,
            ModuleScope module,
            Map<String, Meaning> bindings,
            Map<String, String> stored)
            implements Template {}

    /** {@code none} in a list: no block, which gives nothing and costs nothing. */
    record None() implements Template {}

    /** A generic {@code Expert: Block<D, D>} that is not bound. */
    record Abstract(String name, Declaration.Signature signature, Scope scope)
            implements Template {}
}
