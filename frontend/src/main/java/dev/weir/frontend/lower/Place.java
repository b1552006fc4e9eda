package dev.weir.frontend.lower;

import java.util.ArrayList;
import java.util.List;

/**
 * Where a block lives in a model: the members that lead to it, a placeholder for each list and for
 * each loop that gives it a state of its own.
 *
 * @param steps from the model down
 * @param stored the prefixes under which a checkpoint may name its tensors, best first
 */
record Place(List<Step> steps, List<String> stored) {
    private static final String NUMBER = "{}";

    Place {
        steps = List.copyOf(steps);
        stored = List.copyOf(stored);
    }

    /** One part of a path. */
    sealed interface Step {}

    /** A member. */
    record Member(String name) implements Step {}

    /**
     * An element of a list.
     *
     * @param positions where its instances stand; the first only, if the others follow it
     */
    record ListElement(long count, Positions positions) implements Step {}

    /** An iteration of a loop around the call. */
    record Iteration(long count) implements Step {}

    /** One of several calls of a block that has state. */
    record Site(int number) implements Step {}

    /**
     * The state that a call names with {@code using}: it belongs to the block that calls, whichever
     * instance is called.
     *
     * @param owner how many steps lead to the block that calls
     */
    record Shared(String name, int owner) implements Step {}

    static Place root() {
        return new Place(List.of(), List.of(""));
    }

    Place then(Step step) {
        List<Step> longer = new ArrayList<>(steps);
        longer.add(step);
        return new Place(longer, stored);
    }

    Place storedAs(List<String> names) {
        List<String> longer = new ArrayList<>();
        for (String prefix : stored) {
            for (String name : names) {
                longer.add(join(prefix, name));
            }
        }
        return new Place(steps, longer);
    }

    /**
     * An element of a list that stands here: its number is in the name where {@code {}} says so,
     * otherwise behind it.
     */
    Place element(String number) {
        return new Place(steps, stored.stream().map(s -> s.contains(NUMBER)
                ? s.replace(NUMBER, number) : join(s, number)).toList());
    }

    /** An element of a list that stands here, with a number for each {@code {}} in its name. */
    Place element(List<String> numbers) {
        return new Place(steps, stored.stream().map(s -> {
            String name = s;
            for (String number : numbers) {
                int at = name.indexOf(NUMBER);
                if (at < 0) {
                    break; // reported where the name stands
                }
                name = name.substring(0, at) + number + name.substring(at + NUMBER.length());
            }
            return name;
        }).toList());
    }

    /** The same stored under names that do not tell the elements of the innermost list apart. */
    Place stacked() {
        long lists = steps.stream().filter(s -> s instanceof ListElement).count();
        String last = "\\.?\\{" + (lists - 1) + "[^}]*}";
        return new Place(steps, stored.stream().map(s -> s.replaceFirst(last, "")).toList());
    }

    /** Where the instances of the innermost list's element stand. */
    Positions positions() {
        return steps.stream().mapMulti((Step s, java.util.function.Consumer<Positions> out) -> {
            if (s instanceof ListElement e) {
                out.accept(e.positions());
            }
        }).reduce(new Positions(List.of(0L)), (a, b) -> b);
    }

    /** The next list element's placeholder in stored names. */
    String nextPlaceholder(String shift) {
        long lists = steps.stream().filter(s -> s instanceof ListElement).count();
        return "{" + lists + shift + "}";
    }

    static String join(String prefix, String name) {
        return prefix.isEmpty() ? name : name.isEmpty() ? prefix : prefix + "." + name;
    }

    /** How many there are of each kind of instance. */
    List<Long> counts() {
        return steps.stream().mapMulti((Step s, java.util.function.Consumer<Long> out) -> {
            switch (s) {
                case ListElement e -> out.accept(e.count());
                case Iteration i -> out.accept(i.count());
                case Member m -> { }
                case Site t -> { }
                case Shared h -> { }
            }
        }).toList();
    }

    /** For each step, whether states below this place belong to it. */
    private List<Boolean> ownStates() {
        List<Boolean> own = new ArrayList<>();
        for (Step step : steps) {
            if (step instanceof Shared s) {
                for (int i = s.owner(); i < own.size(); i++) {
                    own.set(i, false);
                }
            }
            own.add(true);
        }
        return own;
    }

    /** For each instance, whether states tell its instances apart. */
    List<Boolean> areOfStates() {
        List<Boolean> own = ownStates();
        List<Boolean> instances = new ArrayList<>();
        for (int i = 0; i < steps.size(); i++) {
            if (steps.get(i) instanceof ListElement || steps.get(i) instanceof Iteration) {
                instances.add(own.get(i));
            }
        }
        return instances;
    }

    /** Where states below this place are kept. */
    Place ofStates() {
        List<Boolean> own = ownStates();
        List<Step> kept = new ArrayList<>();
        for (int i = 0; i < steps.size(); i++) {
            if (own.get(i)) {
                kept.add(steps.get(i));
            }
        }
        return new Place(kept, stored);
    }

    /** For each instance, whether it is a list element rather than an iteration. */
    List<Boolean> areLists() {
        return steps.stream()
                .filter(s -> s instanceof ListElement || s instanceof Iteration)
                .map(s -> s instanceof ListElement).toList();
    }

    /** The path with a placeholder for every instance. */
    String path() {
        StringBuilder text = new StringBuilder();
        int instance = 0;
        for (Step step : steps) {
            switch (step) {
                case Member m -> text.append(text.isEmpty() ? "" : ".").append(m.name());
                case ListElement e -> text.append(".{").append(instance++)
                        .append(e.positions().shift()).append("}");
                case Iteration i -> text.append("[{").append(instance++).append("}]");
                case Site s -> text.append("#").append(s.number());
                case Shared h -> text.append(text.isEmpty() ? "" : ".").append("using.")
                        .append(h.name());
            }
        }
        return text.toString();
    }

    /** The path that parameters have: the same for every call. */
    String parameterPath() {
        StringBuilder text = new StringBuilder();
        int list = 0;
        for (Step step : steps) {
            switch (step) {
                case Member m -> text.append(text.isEmpty() ? "" : ".").append(m.name());
                case ListElement e -> text.append(".{").append(list++)
                        .append(e.positions().shift()).append("}");
                case Iteration i -> { }
                case Site s -> { }
                case Shared h -> { }
            }
        }
        return text.toString();
    }
}
