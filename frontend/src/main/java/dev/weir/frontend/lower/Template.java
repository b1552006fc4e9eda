package dev.weir.frontend.lower;

import dev.weir.frontend.resolve.ModuleScope;
import dev.weir.frontend.syntax.Declaration;
import java.util.Map;
import java.util.Objects;

/** A block with its generics and settings bound, not yet placed in a model. */
sealed interface Template {

    /**
     * A template of the source.
     *
     * @param bindings what each generic and setting stands for, as seen by who wrote it
     * @param stored names of members as stored, over their own
     * @param origins where sizes have their values from, as far as that is known
     */
    record Concrete(
            Declaration.Block declaration,
            ModuleScope module,
            Map<String, Meaning> bindings,
            Map<String, String> stored,
            Map<String, SizeOrigin> origins)
            implements Template {

        /** Where sizes have their values from makes no other block. */
        @Override
        public boolean equals(Object other) {
            return other instanceof Concrete c && declaration.equals(c.declaration)
                    && module.equals(c.module) && bindings.equals(c.bindings)
                    && stored.equals(c.stored);
        }

        @Override
        public int hashCode() {
            return Objects.hash(declaration, module, bindings, stored);
        }
    }

    /** {@code none} in a list: no block, which gives nothing and costs nothing. */
    record None() implements Template {}

    /** A generic {@code Expert: Block<D, D>} that is not bound. */
    record Abstract(String name, Declaration.Signature signature, Scope scope)
            implements Template {}
}
