package dev.weir.frontend.lower;

import dev.weir.frontend.resolve.Symbol;
import dev.weir.frontend.syntax.Declaration;
import dev.weir.frontend.syntax.Expression;
import dev.weir.ir.diagnostic.Span;
import dev.weir.ir.tensor.Index;
import dev.weir.ir.tensor.Scalar;
import dev.weir.ir.tensor.Value;
import dev.weir.ir.type.Format;
import java.util.List;
import java.util.Optional;

/** What a name or an expression stands for while a body is lowered. */
sealed interface Meaning {

    /** A whole number known when the model is compiled: a size. */
    record Whole(Dimension dimension) implements Meaning {}

    record Real(double value) implements Meaning {}

    record Truth(boolean value) implements Meaning {}

    record Text(String value) implements Meaning {}

    /**
     * A constant of compilation whose value is not known yet; for checks of templates.
     *
     * @param isTruth whether it is known to be a truth value
     */
    record Unknown(boolean isTruth) implements Meaning {
        Unknown() {
            this(false);
        }
    }

    /** Something whose fault has been reported. */
    record Poison() implements Meaning {}

    /** One element: an expression over the indices in scope. */
    record Element(Scalar scalar) implements Meaning {}

    record IndexVariable(Index index, Span span) implements Meaning {}

    /**
     * A tensor, computed where it is read.
     *
     * @param value where it is stored, if it is
     */
    record Tensor(
            List<Dimension> shape, Format format, Reader reader, Optional<Value> value, Span span)
            implements Meaning {
        public Tensor {
            shape = List.copyOf(shape);
        }

        int rank() {
            return shape.size();
        }
    }

    /** Gives a tensor's element. */
    @FunctionalInterface
    interface Reader {
        Scalar at(List<Scalar> coordinates);
    }

    /** A state of the present block. */
    record StateReference(Declaration.State declaration) implements Meaning {}

    /** A parameter of the present block; becomes a tensor where it is used. */
    record ParameterReference(Declaration.Parameter declaration) implements Meaning {}

    /** A member instance, or a list of them. */
    record Blocks(String name, List<Stretch> stretches, boolean isList, Span span)
            implements Meaning {
        public Blocks {
            stretches = List.copyOf(stretches);
        }

        Dimension count() {
            return stretches.stream().map(Stretch::count).reduce(Dimension::plus).orElseThrow();
        }
    }

    /** A method of a block, or of one chosen from a list. */
    record Method(Meaning owner, String name) implements Meaning {}

    /** One block chosen from a list. */
    record Chosen(Blocks blocks, Meaning index, Span span) implements Meaning {}

    /**
     * Equal blocks of a list.
     *
     * @param first where they begin
     * @param positions where they stand, if that is known and a list of several
     */
    record Stretch(
            Template template,
            Dimension first,
            Dimension count,
            boolean indexed,
            Optional<Positions> positions,
            Place place) {

        /** The positions of blocks that stand side by side are found from the first. */
        Positions places() {
            long from = first.size().constant().orElse(0L);
            return positions.orElseGet(() -> new Positions(java.util.stream.LongStream
                    .range(from, from + count.size().constant().orElse(1L)).boxed().toList()));
        }
    }

    /** A function of the source. */
    record FunctionReference(Symbol symbol, Declaration.Function declaration) implements Meaning {}

    /** {@code fn(q, k) -> …} with the names around it. */
    record Closure(Expression.Lambda lambda, Scope scope) implements Meaning {}

    /** A function setting of a template that is not bound: only its signature is known. */
    record AbstractFunction(Declaration.Signature signature) implements Meaning {}

    /** An operation that the language has by itself. */
    record Builtin(String name) implements Meaning {}

    /** A block template with its generics. */
    record TemplateReference(Template template) implements Meaning {}

    /** Several results of a call. */
    record Several(List<Meaning> items) implements Meaning {
        public Several {
            items = List.copyOf(items);
        }
    }

    /**
     * {@code config}, or an object inside it.
     *
     * @param isCount whether the number of items is meant, {@code count(config.list)}
     */
    record ConfigurationField(String path, boolean isCount) implements Meaning {
        ConfigurationField(String path) {
            this(path, false);
        }
    }
}
