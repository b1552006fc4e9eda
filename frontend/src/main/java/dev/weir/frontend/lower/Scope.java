package dev.weir.frontend.lower;

import dev.weir.frontend.resolve.ModuleScope;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.function.Function;

/** Names and what they stand for, inside out. */
final class Scope {
    /** What keeps a value from being there everywhere. */
    enum Half {
        BRANCH("has a value in one branch only",
                "assign it before the `if`, or in the other branch too"),
        LOOP("has a value inside the loop only, which may have no round",
                "assign it before the loop"),
        JAGGED("has a value inside the `if` only, as its axes are not equally long everywhere",
                "use it where it is made, and hand on what has equally long axes");

        final String what;
        final String help;

        Half(String what, String help) {
            this.what = what;
            this.help = help;
        }
    }

    private final Optional<Scope> outer;
    private final ModuleScope module;
    private final Map<String, Meaning> names = new LinkedHashMap<>();
    private final Map<String, SizeOrigin> origins = new LinkedHashMap<>();
    private final Map<String, Half> halfAssigned = new LinkedHashMap<>();
    /** What becomes of an outer meaning seen from here: inside a gate, its entrants' rows. */
    private Function<Meaning, Meaning> passage = Function.identity();

    private Scope(Optional<Scope> outer, ModuleScope module) {
        this.outer = outer;
        this.module = module;
    }

    static Scope of(ModuleScope module) {
        return new Scope(Optional.empty(), module);
    }

    Scope inner() {
        return new Scope(Optional.of(this), module);
    }

    Scope inner(Function<Meaning, Meaning> changed) {
        Scope scope = inner();
        scope.passage = changed;
        return scope;
    }

    ModuleScope module() {
        return module;
    }

    Optional<Meaning> find(String name) {
        Meaning own = names.get(name);
        if (own != null) {
            return Optional.of(own);
        }
        return outer.flatMap(o -> o.find(name)).map(passage);
    }

    void define(String name, Meaning meaning) {
        names.put(name, meaning);
        halfAssigned.remove(name);
    }

    /** Says where the value of a size is from. */
    void note(String size, SizeOrigin origin) {
        origins.put(size, origin);
    }

    /** Where the value of a size is from, if that is known. */
    Optional<SizeOrigin> origin(String size) {
        return names.containsKey(size) ? Optional.ofNullable(origins.get(size))
                : outer.flatMap(o -> o.origin(size));
    }

    /** The number that a name stands for, if that is known. */
    Optional<Long> number(String size) {
        return find(size).orElse(null) instanceof Meaning.Whole w
                ? w.dimension().size().constant() : Optional.empty();
    }

    /** Names defined in this scope itself. */
    Map<String, Meaning> own() {
        return names;
    }

    void noteHalfAssigned(String name, Half why) {
        halfAssigned.put(name, why);
    }

    /** Why a name has a value in a part of the program only that lies before, if it has. */
    Optional<Half> halfAssigned(String name) {
        return Optional.ofNullable(halfAssigned.get(name))
                .or(() -> outer.flatMap(o -> o.halfAssigned(name)));
    }

    Set<String> visible() {
        Set<String> all = new LinkedHashSet<>(names.keySet());
        outer.ifPresent(o -> all.addAll(o.visible()));
        if (outer.isEmpty()) {
            all.addAll(module.names().keySet());
        }
        return all;
    }
}
