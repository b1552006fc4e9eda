package dev.weir.frontend.resolve;

import dev.weir.frontend.SourceProvider;
import dev.weir.frontend.parse.Parser;
import dev.weir.frontend.syntax.Declaration;
import dev.weir.frontend.syntax.Module;
import dev.weir.ir.diagnostic.Diagnostic;
import dev.weir.ir.diagnostic.Source;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.SequencedMap;
import java.util.Set;
import java.util.function.Consumer;

/** Reads a module with all that it imports, each module once. */
public final class Modules {
    /** What every module sees without an import. */
    private static final String PRELUDE = "stdlib.prelude";

    private final SourceProvider sources;
    private final Consumer<Diagnostic> diagnostics;
    private final Map<String, ModuleScope> loaded = new HashMap<>();
    /** Where the modules stand that are being read, outermost first, with how they are imported. */
    private final SequencedMap<String, String> open = new LinkedHashMap<>();

    private Modules(SourceProvider sources, Consumer<Diagnostic> diagnostics) {
        this.sources = sources;
        this.diagnostics = diagnostics;
    }

    public static ModuleScope load(
            Source root, SourceProvider sources, Consumer<Diagnostic> diagnostics) {
        return new Modules(sources, diagnostics).read(root, "");
    }

    private Optional<ModuleScope> find(String path) {
        ModuleScope known = loaded.get(path);
        if (known != null) {
            return Optional.of(known);
        }
        Optional<ModuleScope> found = sources.find(path).map(source ->
                Optional.ofNullable(loaded.get(source.name()))
                        .orElseGet(() -> read(source, path)));
        found.ifPresent(scope -> loaded.put(path, scope));
        return found;
    }

    private ModuleScope read(Source source, String path) {
        open.put(source.name(), path);
        ModuleScope scope = scope(source, path);
        open.remove(source.name());
        return scope;
    }

    private ModuleScope scope(Source source, String path) {
        Module module = Parser.parse(source, diagnostics);
        ModuleScope scope = new ModuleScope(module);
        loaded.put(source.name(), scope);
        loaded.put(path, scope);
        if (!path.equals(PRELUDE)) {
            find(PRELUDE).ifPresent(prelude -> addOwn(prelude, scope));
        }
        Set<String> own = new LinkedHashSet<>();
        for (Declaration declaration : module.declarations()) {
            Symbol before = scope.define(declaration.name(), new Symbol(declaration, scope));
            if (!own.add(declaration.name()) && before != null) {
                diagnostics.accept(Diagnostic.error("E0201", declaration.span(),
                                "`" + declaration.name() + "` is defined twice")
                        .with(before.declaration().span(), "first defined here")
                        .helped("rename one of them"));
            }
        }
        for (Module.Import wanted : module.imports()) {
            bring(wanted, scope, own);
        }
        return scope;
    }

    private static void addOwn(ModuleScope from, ModuleScope to) {
        for (Declaration declaration : from.module().declarations()) {
            to.define(declaration.name(), new Symbol(declaration, from));
        }
    }

    private void bring(Module.Import wanted, ModuleScope scope, Set<String> own) {
        Optional<ModuleScope> found = find(wanted.path());
        if (found.isEmpty()) {
            wanted.names().forEach(name -> scope.lose(name.alias()));
            diagnostics.accept(Diagnostic.error("E0202", wanted.span(),
                            "there is no module `" + wanted.path() + "`")
                    .helped("library modules are `stdlib.…`; other paths name files beside this "
                            + "one"));
            return;
        }
        String source = found.get().module().source().name();
        if (open.containsKey(source)) {
            wanted.names().forEach(name -> scope.lose(name.alias()));
            diagnostics.accept(circle(wanted, source));
            return;
        }
        if (wanted.names().isEmpty()) {
            for (Declaration declaration : found.get().module().declarations()) {
                if (!own.contains(declaration.name())) {
                    scope.define(declaration.name(), new Symbol(declaration, found.get()));
                }
            }
            return;
        }
        for (Module.Imported name : wanted.names()) {
            Optional<Symbol> symbol = found.get().find(name.name());
            if (symbol.isEmpty() && found.get().isUnclear(name.name())) {
                scope.lose(name.alias());
            } else if (symbol.isEmpty()) {
                scope.lose(name.alias());
                diagnostics.accept(Diagnostic.error("E0202", name.span(),
                                "module `" + wanted.path() + "` has no `" + name.name() + "`")
                        .helped(Names.suggest(name.name(), found.get().names().keySet())
                                .map(s -> "did you mean `" + s + "`?")
                                .orElse("it defines " + String.join(", ",
                                        found.get().module().declarations().stream()
                                                .map(Declaration::name).toList()))));
            } else if (own.contains(name.alias())) {
                diagnostics.accept(Diagnostic.error("E0201", name.span(),
                                "`" + name.alias() + "` is imported, and defined in this file")
                        .with(scope.find(name.alias()).orElseThrow().declaration().span(),
                                "defined here")
                        .helped("import it under another name: `" + name.name() + " as Other`"));
            } else {
                scope.define(name.alias(), symbol.get());
            }
        }
    }

    /** What to say of an import that leads back to a module that is still being read. */
    private Diagnostic circle(Module.Import wanted, String source) {
        List<String> way = new ArrayList<>(open.sequencedKeySet());
        List<String> circle = way.subList(way.indexOf(source), way.size());
        Diagnostic found = Diagnostic.error("E0212", wanted.span(), circle.size() == 1
                ? "this file imports itself"
                : "these files import one another: " + String.join(" → ", circle) + " → "
                        + source);
        return found.helped(circle.size() == 1 ? "leave the import out"
                : "put what several of them need into a file of its own, which imports none of "
                        + "them");
    }
}
