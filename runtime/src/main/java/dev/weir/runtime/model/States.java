package dev.weir.runtime.model;

import dev.weir.ir.tensor.State;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/** What all entries of a model remember. */
final class States {
    private States() {}

    /** Each state once, under its name: entries that use the same one share it. */
    static List<State> all(List<List<State>> entries) {
        Map<String, State> all = new LinkedHashMap<>();
        entries.forEach(states -> states.forEach(s -> all.putIfAbsent(s.name(), s)));
        return List.copyOf(all.values());
    }
}
