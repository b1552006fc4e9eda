package dev.weir.cli;

import dev.weir.passes.cost.Question;
import java.util.Collection;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.stream.Collectors;

/**
 * Which of a model's entries a measured or predicted step runs, and which ran before it.
 *
 * @param name of the one that the step runs
 * @param all the model's
 */
record StepEntry(String name, List<String> all) {

    /**
     * The entry that is named, else the one that is taken by itself. A model that has one alone is
     * stepped by it whatever is named, so that it can stand beside a model with several.
     *
     * @param entries the one that is taken by itself first
     */
    static StepEntry of(Collection<String> entries, Optional<String> named) {
        List<String> all = List.copyOf(entries);
        if (all.size() == 1) {
            return new StepEntry(all.getFirst(), all);
        }
        String name = named.orElse(all.getFirst());
        if (!all.contains(name) || named.isEmpty() && !name.equals("forward")) {
            throw new UserException("the model has the entries " + String.join(", ", all)
                    + (named.isEmpty() ? ", and none is called forward" : ", and none is called "
                            + name) + "\nhelp: name one with --entry");
        }
        return new StepEntry(name, all);
    }

    /**
     * Refuses names that none of the models has.
     *
     * @param models the entries of each
     */
    static void requireKnown(
            Optional<String> named,
            List<Question.Context> context,
            List<? extends Collection<String>> models) {
        Set<String> known = new LinkedHashSet<>();
        models.forEach(known::addAll);
        Set<String> asked = new LinkedHashSet<>();
        named.ifPresent(asked::add);
        context.forEach(c -> c.entry().ifPresent(asked::add));
        asked.removeAll(known);
        if (!asked.isEmpty()) {
            throw new UserException("there is no entry " + String.join(", ", asked) + "; "
                    + (models.size() == 1 ? "the model has " : "the models have ")
                    + String.join(", ", known));
        }
    }

    /** By which entry of this model something before the step was taken. */
    String of(Question.Context context) {
        return context.entry(all, name);
    }

    /** The question in words. */
    static String text(Question question) {
        return "a step of " + question.tokens() + (question.tokens() == 1 ? " token" : " tokens")
                + " behind " + question.context().stream()
                        .map(c -> c.tokens() + c.entry().map(e -> " of " + e).orElse(""))
                        .reduce((a, b) -> a + " and " + b).orElse("0");
    }

    /** How llama-bench names what a test comes behind: {@code  @ d128}. */
    static String depth(List<Question.Context> context) {
        List<Question.Context> some = context.stream().filter(c -> c.tokens() > 0).toList();
        return some.isEmpty() ? "" : " @ " + some.stream()
                .map(c -> c.entry().map(e -> e + " ").orElse("d") + c.tokens())
                .collect(Collectors.joining(", "));
    }
}
