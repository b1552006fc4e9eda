package dev.weir.frontend.resolve;

import dev.weir.frontend.syntax.Module;
import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.Optional;

/** The names that a module's declarations see: its own, what it imports, and the prelude. */
public final class ModuleScope {
    private final Module module;
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

    public Map<String, Symbol> names() {
        return Collections.unmodifiableMap(names);
    }

    Symbol define(String name, Symbol symbol) {
        return names.put(name, symbol);
    }
}
