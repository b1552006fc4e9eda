package dev.weir.frontend.lower;

import dev.weir.frontend.syntax.BlockList;
import dev.weir.frontend.syntax.Declaration;
import dev.weir.frontend.syntax.Expression;
import dev.weir.ir.diagnostic.Diagnostic;
import dev.weir.ir.diagnostic.Span;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Set;

/** Warns of what a block declares and nothing uses. A leading underscore says that it is meant. */
final class Unused {
    private Unused() {}

    static List<Diagnostic> in(Declaration.Block block) {
        Set<String> used = new HashSet<>();
        block.conditions().forEach(c -> Trees.names(c, used));
        block.instances().forEach(i -> names(i.blocks(), used));
        block.instances().forEach(i -> i.naming().ifPresent(
                n -> n.numbers().forEach(f -> Trees.names(f, used))));
        block.parameters().forEach(p -> {
            p.axes().forEach(a -> Trees.names(a, used));
            p.binding().ifPresent(b -> Trees.names(b, used));
        });
        block.states().forEach(s -> {
            s.axes().forEach(a -> Trees.names(a, used));
            s.keep().ifPresent(k -> Trees.names(k, used));
        });
        block.precisions().forEach(p -> p.items().forEach(i -> Trees.names(i.format(), used)));
        for (Declaration.Method method : block.methods()) {
            method.signature().formals().forEach(f -> f.axes().forEach(a -> Trees.names(a, used)));
            method.signature().results().forEach(f -> f.axes().forEach(a -> Trees.names(a, used)));
            Trees.names(method.body().statements(), used);
            method.body().expression().ifPresent(e -> Trees.names(e, used));
        }
        for (Declaration.Generic generic : block.generics()) {
            generic.value().ifPresent(v -> Trees.names(v, used));
            generic.template().ifPresent(t -> names(t, used));
            generic.kind().ifPresent(k -> k.formals()
                    .forEach(f -> f.axes().forEach(a -> Trees.names(a, used))));
        }
        block.settings().forEach(x -> x.value().ifPresent(v -> Trees.names(v, used)));
        List<Diagnostic> found = new ArrayList<>();
        block.parameters().forEach(p -> warn("parameter", p.name(), p.span(), used, found));
        block.states().forEach(s -> warn("state", s.name(), s.span(), used, found));
        block.instances().forEach(i -> warn("instance", i.name(), i.span(), used, found));
        block.settings().forEach(s -> warn("setting", s.name(), s.span(), used, found));
        block.generics().forEach(g -> warn("generic", g.name(), g.span(), used, found));
        return found;
    }

    private static void warn(
            String kind, String name, Span span, Set<String> used, List<Diagnostic> found) {
        if (!used.contains(name) && !name.startsWith("_")) {
            found.add(Diagnostic.warning("W0201", span, "the " + kind + " `" + name
                            + "` is never used")
                    .helped("use it, remove it, or call it `_" + name + "`"
                            + (kind.equals("parameter") || kind.equals("instance")
                                    ? "; in the checkpoint it keeps its name with `@name(\""
                                            + name + "\")`" : "")));
        }
    }

    static void names(BlockList list, Set<String> used) {
        switch (list) {
            case BlockList.Template t -> {
                used.add(t.name());
                for (BlockList.GenericArgument g : t.generics()) {
                    g.size().ifPresent(s -> Trees.names(s, used));
                    g.template().ifPresent(x -> names(x, used));
                }
                for (Expression.Argument a : t.settings()) {
                    Trees.names(a.value(), used);
                }
            }
            case BlockList.Repeated r -> {
                names(r.block(), used);
                Trees.names(r.count(), used);
            }
            case BlockList.Sequence s -> s.items().forEach(i -> names(i, used));
            case BlockList.Comprehension c -> {
                names(c.block(), used);
                Trees.names(c.range().from(), used);
                Trees.names(c.range().to(), used);
            }
            case BlockList.Either e -> {
                Trees.names(e.condition(), used);
                names(e.then(), used);
                names(e.otherwise(), used);
            }
        }
    }
}
