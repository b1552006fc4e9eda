package dev.weir.frontend.syntax;

import dev.weir.ir.diagnostic.Span;
import java.util.List;
import java.util.Optional;

/** What a module defines by name. */
public sealed interface Declaration {
    String name();

    Span span();

    /** The text of the {@code ///} lines before it. */
    String documentation();

    /** A template: a block, or a model, whose generics all have defaults. */
    record Block(
            String name,
            boolean isModel,
            List<Generic> generics,
            List<Setting> settings,
            List<Expression> conditions,
            List<Parameter> parameters,
            List<State> states,
            List<Instance> instances,
            List<Precision> precisions,
            List<Method> methods,
            String documentation,
            Span span)
            implements Declaration {
        public Block {
            generics = List.copyOf(generics);
            settings = List.copyOf(settings);
            conditions = List.copyOf(conditions);
            parameters = List.copyOf(parameters);
            states = List.copyOf(states);
            instances = List.copyOf(instances);
            precisions = List.copyOf(precisions);
            methods = List.copyOf(methods);
        }

        public Optional<Method> method(String wanted) {
            return methods.stream().filter(m -> m.name().equals(wanted)).findFirst();
        }
    }

    record Function(
            String name,
            List<Generic> generics,
            Signature signature,
            Body body,
            String documentation,
            Span span)
            implements Declaration {
        public Function {
            generics = List.copyOf(generics);
        }
    }

    /** {@code model Fast = Base with { … }}. */
    record Derived(
            String name,
            String base,
            Span baseSpan,
            List<Transformation> transformations,
            String documentation,
            Span span)
            implements Declaration {
        public Derived {
            transformations = List.copyOf(transformations);
        }
    }

    /** What a derived model changes of its base. */
    sealed interface Transformation {
        Span span();

        /** {@code precision { … }}, said after what the base says. */
        record Formats(Precision precision, Span span) implements Transformation {}

        /** {@code drop layers[20..24].attention}. */
        record Drop(Selector selector, Span span) implements Transformation {}

        /** {@code replace layers.feed_forward with SwiGlu<D, 2 * F>}. */
        record Replace(Selector selector, BlockList.Template template, Span span)
                implements Transformation {}

        /** {@code V = 1000}: another default of a generic or setting. */
        record Size(String name, Expression value, Span span) implements Transformation {}
    }

    /** Members of a model by their path: {@code layers[20..24].attention}. */
    record Selector(List<SelectorPart> parts, Span span) {
        public Selector {
            parts = List.copyOf(parts);
        }
    }

    /** A member, and for a list which of its elements; empty for all. */
    record SelectorPart(String name, Optional<Expression.Range> elements) {}

    /**
     * A size, or with {@code kind} a block.
     *
     * @param value the size where none is given
     * @param template the block where none is given
     */
    record Generic(
            String name,
            Optional<Signature> kind,
            Optional<Expression> value,
            Optional<BlockList.Template> template,
            Span span) {}

    /** A value or function that a block is configured with. */
    record Setting(
            String name,
            String type,
            Optional<Signature> function,
            Optional<Expression> value,
            Span span) {}

    record Signature(List<Formal> formals, List<Formal> results, Span span) {
        public Signature {
            formals = List.copyOf(formals);
            results = List.copyOf(results);
        }
    }

    /** An argument or result: {@code pos[T]: int = positions}. */
    record Formal(
            String name,
            List<Expression> axes,
            Optional<String> type,
            Optional<Expression> value,
            Span span) {
        public Formal {
            axes = List.copyOf(axes);
        }
    }

    /**
     * A tensor from the checkpoint.
     *
     * @param indices the names of the axes' indices, where they have one
     * @param binding where its elements stand in what is stored
     */
    record Parameter(
            String name,
            List<Expression> axes,
            List<Optional<String>> indices,
            Optional<String> format,
            Optional<Double> initial,
            boolean optional,
            Optional<Naming> naming,
            Optional<Expression> binding,
            Span span) {
        public Parameter {
            axes = List.copyOf(axes);
            indices = List.copyOf(indices);
        }
    }

    record State(
            String name,
            List<Expression> axes,
            Optional<String> format,
            Optional<Double> initial,
            Optional<Expression> keep,
            Span span) {
        public State {
            axes = List.copyOf(axes);
        }
    }

    record Instance(String name, BlockList blocks, Optional<Naming> naming, Span span) {}

    /**
     * {@code @name("a", "b", gate: "w1")}: stored names, best first, and names inside.
     *
     * @param numbers {@code fn(i) -> 2 * i}: what stands for each {@code {}} of a name, given the
     *     number of a list's element; none where that itself stands there
     */
    record Naming(
            String word,
            List<String> names,
            List<Renaming> inner,
            List<Expression.Lambda> numbers,
            Span span) {
        public Naming {
            names = List.copyOf(names);
            inner = List.copyOf(inner);
            numbers = List.copyOf(numbers);
        }
    }

    record Renaming(String member, String stored) {}

    record Precision(List<PrecisionItem> items, Span span) {
        public Precision {
            items = List.copyOf(items);
        }
    }

    /** {@code *.experts: int4(group: 128)}. */
    record PrecisionItem(Selector selector, Expression format, Span span) {}

    record Method(String name, Signature signature, Body body, Span span) {}

    /** Statements, or one expression that is the result. */
    record Body(List<Statement> statements, Optional<Expression> expression, Span span) {
        public Body {
            statements = List.copyOf(statements);
        }
    }
}
