package dev.weir.cli;

import com.fasterxml.jackson.databind.JsonNode;
import dev.weir.passes.cost.Cost;
import dev.weir.passes.cost.Question;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;
import java.util.function.Function;
import java.util.function.ToDoubleFunction;
import java.util.stream.Collectors;
import java.util.stream.Stream;

/**
 * A folder with an idea from a paper beside its baseline: {@code baseline.weir}, {@code idea.weir},
 * a page, and {@code example.json}, which says what is compared.
 *
 * @param row the idea's number in the list of systems
 * @param claim what its paper says, in words
 * @param compare what the ratio of baseline and idea is about
 * @param entry that the step runs, of a model with several; the one taken by itself if empty
 * @param tokens of the step that is measured
 * @param context what the sequence has seen before it
 * @param share of the elements that gates let in, for a prediction without a run
 * @param rounds of loops that are left early, likewise
 * @param ids above each whole number of the inputs; as many as there are logits if empty
 */
record Example(
        Path folder,
        String row,
        String title,
        String claim,
        Quantity compare,
        Optional<String> entry,
        long tokens,
        List<Question.Context> context,
        double share,
        Map<String, Double> rounds,
        Optional<Long> ids) {
    private static final String DESCRIPTION = "example.json";
    /** What a description can say; the last two are for the tests. */
    private static final List<String> KNOWN = List.of("row", "title", "claim", "compare", "entry",
            "tokens", "context", "open", "rounds", "ids", "small", "ledger");

    /** What the ratio of two models can be about. */
    enum Quantity {
        TIME(c -> c.total().seconds(), true),
        OPERATIONS(c -> c.total().operations(), false),
        WEIGHTS(c -> c.total().weights(), false),
        PARAMETERS(Cost::parameters, false),
        CACHE(Cost::cache, false);

        private final ToDoubleFunction<Cost> predicted;
        private final boolean needsMachine;

        Quantity(ToDoubleFunction<Cost> predicted, boolean needsMachine) {
            this.predicted = predicted;
            this.needsMachine = needsMachine;
        }

        /** Whether it is counted, and not measured. */
        boolean isCounted() {
            return !needsMachine;
        }

        /** Whether there is any of it; times are not known before. */
        boolean isIn(Cost cost) {
            return needsMachine || predicted.applyAsDouble(cost) > 0;
        }

        /** Of the baseline over the idea; nothing for a time without a calibration. */
        Optional<Double> predicted(Comparison comparison, Function<Comparison.Side, Cost> cost) {
            return needsMachine && comparison.machine().isEmpty()
                    ? Optional.empty()
                    : Optional.of(predicted.applyAsDouble(cost.apply(comparison.left()))
                            / predicted.applyAsDouble(cost.apply(comparison.right())));
        }

        @Override
        public String toString() {
            return name().toLowerCase(Locale.ROOT);
        }
    }

    Path baseline() {
        return folder.resolve("baseline.weir");
    }

    Path idea() {
        return folder.resolve("idea.weir");
    }

    /** Where this stands. */
    Path file() {
        return folder.resolve(DESCRIPTION);
    }

    static boolean isOne(Path folder) {
        return Files.isRegularFile(folder.resolve(DESCRIPTION));
    }

    static Example read(Path folder) {
        Path file = folder.resolve(DESCRIPTION);
        JsonNode node = ModelFiles.json(file);
        Example example = new Example(
                folder,
                text(file, node, "row"),
                text(file, node, "title"),
                text(file, node, "claim"),
                quantity(file, text(file, node, "compare")),
                node.has("entry") ? Optional.of(text(file, node, "entry")) : Optional.empty(),
                number(file, node, "tokens", 1, 128),
                context(file, node),
                share(file, node),
                rounds(file, node.path("rounds")),
                node.has("ids")
                        ? Optional.of(number(file, node, "ids", 1, 1)) : Optional.empty());
        node.fieldNames().forEachRemaining(name -> {
            if (!KNOWN.contains(name)) {
                throw new UserException(file + " says \"" + name + "\", which means nothing; what "
                        + "can be said is " + String.join(", ", KNOWN));
            }
        });
        ExampleLedger.requireSense(file, node);
        for (Path program : List.of(example.baseline(), example.idea())) {
            if (!Files.isRegularFile(program)) {
                throw new UserException("an example has a " + program.getFileName() + ", and "
                        + folder + " has none");
            }
        }
        return example;
    }

    private static String text(Path file, JsonNode node, String name) {
        JsonNode value = node.path(name);
        if (!value.isTextual()) {
            throw new UserException(file + " does not say its \"" + name + "\""
                    + "\nhelp: `weir new --example NAME` writes one that is whole");
        }
        return value.asText();
    }

    /** A number, of the entry that is measured, or a number for each entry that ran before. */
    private static List<Question.Context> context(Path file, JsonNode node) {
        JsonNode context = node.path("context");
        if (!context.isObject()) {
            return List.of(new Question.Context(
                    Optional.empty(), number(file, node, "context", 0, 0)));
        }
        return context.propertyStream().map(e -> new Question.Context(
                Optional.of(e.getKey()), number(file, context, e.getKey(), 0, 0))).toList();
    }

    private static Map<String, Double> rounds(Path file, JsonNode node) {
        Map<String, Double> rounds = new TreeMap<>();
        if (!node.isMissingNode() && !node.isObject()) {
            throw new UserException(file + ": \"rounds\" has to be an object, a number for each "
                    + "loop, here it is " + node);
        }
        node.properties().forEach(e -> {
            if (!e.getValue().isNumber() || e.getValue().asDouble() < 0) {
                throw new UserException(file + ": \"rounds\" of " + e.getKey()
                        + " has to be a number of at least 0, here it is " + e.getValue());
            }
            rounds.put(e.getKey(), e.getValue().asDouble());
        });
        return rounds;
    }

    private static Quantity quantity(Path file, String name) {
        return Arrays.stream(Quantity.values())
                .filter(q -> q.toString().equals(name))
                .findFirst()
                .orElseThrow(() -> new UserException(file + " compares \"" + name
                        + "\", and what can be compared is " + Arrays.stream(Quantity.values())
                                .map(Quantity::toString).collect(Collectors.joining(", "))));
    }

    /** Of the elements that gates let in, if it is not all. */
    private static double share(Path file, JsonNode node) {
        JsonNode open = node.path("open");
        if (!open.isMissingNode()
                && !(open.isNumber() && open.asDouble() >= 0 && open.asDouble() <= 1)) {
            throw new UserException(file + ": \"open\" has to be a number from 0 to 1, here it is "
                    + open);
        }
        return open.asDouble(1);
    }

    private static long number(Path file, JsonNode node, String name, long least, long absent) {
        JsonNode given = node.path(name);
        if (!given.isMissingNode() && !given.isIntegralNumber()) {
            throw new UserException(file + ": \"" + name
                    + "\" has to be a whole number, here it is " + given);
        }
        long number = given.asLong(absent);
        if (number < least || number > BenchCommand.MOST_TOKENS) {
            throw new UserException(file + ": \"" + name + "\" has to be at least " + least
                    + " and at most " + BenchCommand.MOST_TOKENS + ", here it is " + number);
        }
        return number;
    }

    /** Those in a folder, by row. */
    static List<Example> in(Path folder) {
        List<Example> found = new ArrayList<>();
        try (Stream<Path> inside = Files.list(folder)) {
            inside.filter(Example::isOne).sorted().map(Example::read).forEach(found::add);
        } catch (IOException e) {
            throw new UserException("cannot read " + folder + ": " + e.getMessage());
        }
        if (found.isEmpty()) {
            throw new UserException("no folder in " + folder + " has an " + DESCRIPTION
                    + "\nhelp: `weir new --example NAME` makes one");
        }
        found.sort((a, b) -> a.row.equals(b.row)
                ? a.folder.compareTo(b.folder) : a.row.compareTo(b.row));
        return found;
    }
}
