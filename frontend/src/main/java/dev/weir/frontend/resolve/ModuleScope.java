package dev.weir.frontend.resolve;

import dev.weir.frontend.syntax.Module;
import java.util.Collections;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.Optional;
import java.util.Set;

/** The names that a module's declarations see: its own, what it imports, and the prelude. */
public final class ModuleScope {
    private final Module module;
    private final Set<String> lost = new HashSet<>();
    private final Map<String, Symbol> names = new LinkedHashMap<>();

    ModuleScope(Module module) {
        this.module = module;
    }

    public Module module() {
        return module;
    }

    public Optional<Symbol> find(String name) {
        return Optional.ofNullable(names.get(name));
    }

    /**
     * Whether an error of syntax, or of an import, leaves open what a name stands for; that error
     * has been reported, so nothing more is to be said about the name.
     */
    public boolean isUnclear(String name) {
        return find(name).map(s -> s.module().module().broken().contains(s.declaration().span()))
                .orElse(module.lost().contains(name) || lost.contains(name));
    }

    public Map<String, Symbol> names() {
        return Collections.unmodifiableMap(names);
    }

    /** Notes a name that an import should have brought. */
    void lose(String name) {
        lost.add(name);
    }

    Symbol define(String name, Symbol symbol) {
        return names.put(name, symbol);
    }
}
