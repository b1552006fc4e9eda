package dev.weir.frontend.lower;

import dev.weir.frontend.LowerOptions;
import dev.weir.frontend.resolve.ModuleScope;
import dev.weir.frontend.resolve.Symbol;
import dev.weir.frontend.syntax.Declaration;
import dev.weir.ir.diagnostic.Diagnostic;
import dev.weir.ir.diagnostic.Span;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/**
 * What the sizes stand for that are named by messages about templates: a check knows no values, but
 * who asks for a model with a configuration is told those that its blocks get.
 */
public final class KnownSizes {
    /** A block's name where it is declared, and what its first use in the model makes of it. */
    private final Map<Span, Scope> scopes = new HashMap<>();
    private final List<Diagnostic> found = new ArrayList<>();
    private final Session session;

    private KnownSizes(LowerOptions options) {
        this.session = new Session(false, false, options.configuration(), found);
    }

    /**
     * The messages of a check, with the sizes that they name in blocks of the model; and what is
     * wrong with the values of the model's own.
     */
    public static List<Diagnostic> told(
            Symbol model, LowerOptions options, List<Diagnostic> messages) {
        KnownSizes known = new KnownSizes(options);
        List<Diagnostic> all = new ArrayList<>(messages);
        try {
            Symbol changed = Variant.declaration(model, known.session);
            Template.Concrete template;
            try {
                template = new ModelBindings(known.session, changed, options.settings()).bound();
            } finally {
                all.addAll(known.found);
            }
            known.visit(Frame.ofModel(known.session, model, template));
        } catch (Failure noSizes) {
            // what is wrong with the sizes is among the messages
        }
        return all.stream().map(d -> known.scopes.entrySet().stream()
                .filter(e -> isBefore(e.getKey(), d.primary()))
                .max((a, b) -> Integer.compare(a.getKey().start(), b.getKey().start()))
                .filter(e -> isInside(e.getValue().module(), e.getKey(), d.primary()))
                .map(e -> SizeOrigins.told(d, e.getValue())).orElse(d)).toList();
    }

    private void visit(Frame frame) {
        Template.Concrete template = frame.template().orElseThrow();
        Optional<Span> name = template.declaration().methods().stream().findFirst()
                .flatMap(m -> owner(template.module(), m.span()));
        if (name.isEmpty() || scopes.putIfAbsent(name.get(), frame.scope()) != null) {
            return;
        }
        for (Declaration.Instance member : template.declaration().instances()) {
            if (frame.scope().find(member.name()).orElse(null) instanceof Meaning.Blocks blocks) {
                blocks.stretches().forEach(s -> visit(s, frame));
            }
        }
    }

    private void visit(Meaning.Stretch stretch, Frame around) {
        if (stretch.template() instanceof Template.Concrete inner) {
            try {
                visit(Frame.ofBlock(session, inner, stretch.place(), around.precision()));
            } catch (Failure reported) {
                // the others still have their sizes
            }
        }
    }

    /** The name of the declaration that a place lies in: the last one before it. */
    private static Optional<Span> owner(ModuleScope module, Span place) {
        return module.module().declarations().stream().map(Declaration::span)
                .filter(name -> isBefore(name, place))
                .max((a, b) -> Integer.compare(a.start(), b.start()));
    }

    private static boolean isInside(ModuleScope module, Span name, Span place) {
        return owner(module, place).equals(Optional.of(name));
    }

    private static boolean isBefore(Span name, Span place) {
        return name.source().equals(place.source()) && name.start() <= place.start();
    }
}
