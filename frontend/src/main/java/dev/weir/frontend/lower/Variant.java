package dev.weir.frontend.lower;

import dev.weir.frontend.resolve.ModuleScope;
import dev.weir.frontend.resolve.Names;
import dev.weir.frontend.resolve.Symbol;
import dev.weir.frontend.syntax.Declaration;
import dev.weir.frontend.syntax.Declaration.Transformation;
import dev.weir.frontend.syntax.Expression;
import dev.weir.ir.diagnostic.Diagnostic;
import dev.weir.ir.diagnostic.Span;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;

/**
 * What {@code model A = B with { … }} changes of its base: sizes and formats are changed in a copy
 * of the declaration, blocks are dropped and replaced where the paths say. The base's paths stay.
 */
final class Variant {
    /** Blocks that are left out, with the elements of lists as numbers. */
    private record Drop(Selector path, Span span) {
        List<Selector.Part> parts() {
            return path.parts();
        }
    }

    /** A block in the place of another, with the module whose names it is written in. */
    record Replacement(
            Selector path, Transformation.Replace source, ModuleScope module) {}

    private final Session session;
    private final List<Drop> drops = new ArrayList<>();
    private final List<Replacement> replacements = new ArrayList<>();
    private final Set<Span> used = new HashSet<>();
    private final Map<Span, String> setters = new HashMap<>();

    Variant(Session session) {
        this.session = session;
    }

    /** The base of a derived model, changed as far as its declaration says all. */
    static Symbol declaration(Symbol model, Session session) {
        if (!(model.declaration() instanceof Declaration.Derived d)) {
            return model;
        }
        Symbol base = declaration(base(model, d, session), session);
        Declaration.Block block = (Declaration.Block) base.declaration();
        List<Declaration.Generic> generics = new ArrayList<>(block.generics());
        List<Declaration.Setting> settings = new ArrayList<>(block.settings());
        List<Declaration.Precision> precisions = new ArrayList<>(block.precisions());
        for (Transformation t : d.transformations()) {
            switch (t) {
                case Transformation.Formats f -> precisions.add(f.precision());
                case Transformation.Size size -> {
                    resize(block, size, generics, settings, session);
                    session.variant().setters.put(size.value().span(), d.name());
                }
                case Transformation.Drop x -> { }
                case Transformation.Replace x -> { }
            }
        }
        return new Symbol(new Declaration.Block(d.name(), true, generics, settings,
                block.conditions(), block.parameters(), block.states(), block.instances(),
                precisions, block.methods(), d.documentation(), d.span()), base.module());
    }

    /** The derived model that sets a generic or setting to this value, if one does. */
    Optional<String> setter(Expression value) {
        return Optional.ofNullable(setters.get(value.span()));
    }

    private static Symbol base(Symbol model, Declaration.Derived d, Session session) {
        Symbol at = model;
        Set<Declaration> seen = new HashSet<>();
        while (at.declaration() instanceof Declaration.Derived derived) {
            if (!seen.add(derived)) {
                throw session.fail(Diagnostic.error("E0202", d.span(),
                                "`" + d.name() + "` is derived from itself")
                        .helped("name a model with a body as the base"));
            }
            Optional<Symbol> next = at.module().find(derived.base());
            if (next.isEmpty()) {
                break;
            }
            at = next.get();
        }
        if (model.module().isUnclear(d.base())) {
            throw new Failure();
        }
        return model.module().find(d.base())
                .filter(s -> s.declaration() instanceof Declaration.Derived
                        || s.declaration() instanceof Declaration.Block b && b.isModel())
                .orElseThrow(() -> session.fail(Diagnostic.error("E0203", d.baseSpan(),
                                "there is no model `" + d.base() + "`")
                        .helped(Names.suggest(d.base(), model.module().names().keySet())
                                .map(s -> "did you mean `" + s + "`?")
                                .orElse("define it, or import it"))));
    }

    private static void resize(
            Declaration.Block block,
            Transformation.Size size,
            List<Declaration.Generic> generics,
            List<Declaration.Setting> settings,
            Session session) {
        boolean[] found = {false};
        generics.replaceAll(g -> {
            boolean same = g.name().equals(size.name()) && g.kind().isEmpty();
            found[0] |= same;
            return same ? new Declaration.Generic(g.name(), g.kind(), Optional.of(size.value()),
                    g.template(), g.span()) : g;
        });
        settings.replaceAll(x -> {
            boolean same = x.name().equals(size.name());
            found[0] |= same;
            return same ? new Declaration.Setting(
                    x.name(), x.type(), x.function(), Optional.of(size.value()), x.span()) : x;
        });
        if (!found[0]) {
            List<String> names = new ArrayList<>();
            block.generics().forEach(g -> names.add(g.name()));
            block.settings().forEach(x -> names.add(x.name()));
            session.report(Diagnostic.error("E0703", size.span(),
                            "`" + block.name() + "` has no generic `" + size.name() + "` to set")
                    .with(block.span(), "the base")
                    .helped("it has " + String.join(", ", names)));
        }
    }

    /** Takes up what the declaration does not say: what is dropped and replaced, base first. */
    void add(Symbol model, Body constants, Scope scope) {
        if (!(model.declaration() instanceof Declaration.Derived d)) {
            return;
        }
        add(base(model, d, session), constants, scope);
        for (Transformation t : d.transformations()) {
            switch (t) {
                case Transformation.Drop x -> drops.add(new Drop(
                        Selector.of(x.selector(), constants, scope), x.span()));
                case Transformation.Replace x -> replacements.add(new Replacement(
                        Selector.of(x.selector(), constants, scope), x, model.module()));
                case Transformation.Formats x -> { }
                case Transformation.Size x -> { }
            }
        }
    }

    /**
     * What stands in the place of a member of the block at a place.
     *
     * @param position where in the member the block stands, if this is a list
     */
    Optional<Replacement> replacement(Place place, String member, Optional<Long> position) {
        List<Selector.Step> path = new ArrayList<>(Selector.steps(place.path()));
        path.add(new Selector.Step(member, position));
        Optional<Replacement> found = replacements.reversed().stream()
                .filter(r -> r.path().isPath(path)).findFirst();
        found.ifPresent(r -> used.add(r.source().span()));
        return found;
    }

    /** The elements of a list of the block at a place that something else stands for, or in. */
    List<Selector.Elements> replacedElements(Place place, String list) {
        List<Selector.Step> owner = Selector.steps(place.path());
        return replacements.stream()
                .flatMap(r -> r.path().elementsOf(owner, list, false).stream()).toList();
    }

    /** The elements of a list of the block at a place that are left out. */
    List<Selector.Elements> droppedElements(Place place, String list) {
        List<Selector.Step> owner = Selector.steps(place.path());
        return drops.stream()
                .flatMap(d -> d.path().elementsOf(owner, list, false).stream()).toList();
    }

    /** What the transformations name, each with its place in the source. */
    Map<Span, Selector> paths() {
        Map<Span, Selector> paths = new LinkedHashMap<>();
        drops.forEach(d -> paths.put(d.span(), d.path()));
        replacements.forEach(r -> paths.put(r.source().span(), r.path()));
        return paths;
    }

    /** Whether the blocks at a place are left out; lists are divided so that all of them are. */
    boolean isDropped(Place place) {
        List<Drop> naming = drops.stream().filter(drop -> isDropped(drop, place)).toList();
        naming.forEach(drop -> used.add(drop.span()));
        return !naming.isEmpty();
    }

    private static boolean isDropped(Drop drop, Place place) {
        int part = -1;
        for (Place.Step step : place.steps()) {
            boolean isOn = switch (step) {
                case Place.Member m when isNumber(m.name()) ->
                        part >= 0 && isAmong(drop.parts().get(part), Long.parseLong(m.name()));
                case Place.Member m -> ++part < drop.parts().size()
                        && drop.parts().get(part).name().equals(m.name());
                case Place.ListElement e ->
                        isAmong(drop.parts().get(part), e.positions().first());
                case Place.Iteration i -> true;
                case Place.Site t -> true;
                case Place.Shared h -> true;
            };
            if (!isOn) {
                return false;
            }
        }
        return part == drop.parts().size() - 1;
    }

    private static boolean isNumber(String name) {
        return name.chars().allMatch(Character::isDigit);
    }

    private static boolean isAmong(Selector.Part part, long position) {
        return part.elements().map(e -> e.contains(position)).orElse(true);
    }

    /** Says which transformations have found nothing. */
    void reportUnused() {
        drops.forEach(d -> reportUnused(d.span()));
        replacements.forEach(r -> reportUnused(r.source().span()));
    }

    private void reportUnused(Span span) {
        if (!used.contains(span)) {
            reportNothing(span, "names no block of the base that is called");
        }
    }

    void reportNothing(Span span, String what) {
        session.report(Diagnostic.error("E0603", span, "`" + span.text() + "` " + what)
                .helped("paths go from the model through its members: `layers[2..4].norm`"));
    }
}
