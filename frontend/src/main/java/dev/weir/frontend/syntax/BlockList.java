package dev.weir.frontend.syntax;

import dev.weir.ir.diagnostic.Span;
import java.util.List;
import java.util.Optional;

/** What an instance member holds: one block, or a list of them. */
public sealed interface BlockList {
    Span span();

    /** {@code Network<D, F>(eps: 1)}. */
    record Template(
            String name,
            List<GenericArgument> generics,
            List<Expression.Argument> settings,
            Span span)
            implements BlockList {
        public Template {
            generics = List.copyOf(generics);
            settings = List.copyOf(settings);
        }
    }

    /** {@code Expert * N}. */
    record Repeated(BlockList block, Expression count, Span span) implements BlockList {}

    /** {@code a ++ b} or {@code [a, b]}. */
    record Sequence(List<BlockList> items, Span span) implements BlockList {
        public Sequence {
            items = List.copyOf(items);
        }
    }

    /** {@code [if i % 2 == 0 { A } else { B } for i in 0..L]}. */
    record Comprehension(BlockList block, String index, Expression.Range range, Span span)
            implements BlockList {}

    record Either(Expression condition, BlockList then, BlockList otherwise, Span span)
            implements BlockList {}

    /** A size, or a template (a name may be either, alone or with arguments). */
    record GenericArgument(
            Optional<Expression> size,
            Optional<Template> template,
            Optional<Declaration.Naming> naming,
            Span span) {}
}
