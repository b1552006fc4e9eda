package dev.weir.cli;

import com.fasterxml.jackson.databind.JsonNode;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.function.Predicate;
import java.util.stream.Collectors;

/**
 * The parts of an example's description that its tests read: {@code small} sizes, and what the
 * {@code ledger} has to show. The command itself has no use for them, and refuses what the tests
 * would stumble over.
 */
final class ExampleLedger {
    private static final Form NAMES = new Form("a list of names",
            n -> n.isArray() && isEach(n, JsonNode::isTextual));
    private static final Form COUNTS = new Form("an object with a whole number of at least 1 for "
            + "each path", n -> n.isObject() && isEach(n, c -> c.isIntegralNumber()
                    && c.asLong() >= 1));
    private static final Form AMOUNTS = new Form("a list of " + amounts(),
            n -> n.isArray() && isEach(n, a -> isAmount(a.asText())));
    private static final Form SHARES = new Form("an object with the share of the baseline's, at "
            + "least 0, for some of " + amounts(),
            n -> n.isObject() && isEach(n, ExampleLedger::isShare)
                    && n.propertyStream().allMatch(e -> isAmount(e.getKey())));
    private static final Form TEXT = new Form("a text", JsonNode::isTextual);
    /** What a ledger can say. */
    private static final List<Map.Entry<String, Form>> LEDGER = List.of(
            Map.entry("gates", NAMES),
            Map.entry("routes", COUNTS),
            Map.entry("rounds", COUNTS),
            Map.entry("weights", TEXT),
            Map.entry("fewer", AMOUNTS),
            Map.entry("equal", AMOUNTS),
            Map.entry("linear", AMOUNTS),
            Map.entry("left", SHARES),
            Map.entry("shut", SHARES),
            Map.entry("once", SHARES),
            Map.entry("tiles", new Form("the share of tiles, a number of at least 0",
                    ExampleLedger::isShare)),
            Map.entry("read", new Form("a number of at least 0", ExampleLedger::isShare)),
            Map.entry("nothing", TEXT),
            Map.entry("because", TEXT));

    /** What something has to be, in words and as a test. */
    private record Form(String text, Predicate<JsonNode> holds) {}

    private ExampleLedger() {}

    static void requireSense(Path file, JsonNode node) {
        require(file, node, "small", new Form(
                "an object with a number or a text for each size",
                n -> n.isObject() && isEach(n, s -> s.isTextual() || s.isNumber())));
        require(file, node, "ledger", new Form("an object", JsonNode::isObject));
        JsonNode ledger = node.path("ledger");
        ledger.fieldNames().forEachRemaining(name -> {
            if (LEDGER.stream().noneMatch(e -> e.getKey().equals(name))) {
                throw new UserException(file + ": \"ledger\" says \"" + name
                        + "\", which means nothing; what can be said is " + LEDGER.stream()
                                .map(Map.Entry::getKey).collect(Collectors.joining(", ")));
            }
        });
        LEDGER.forEach(e -> require(file, ledger, e.getKey(), e.getValue()));
    }

    private static void require(Path file, JsonNode node, String name, Form form) {
        JsonNode value = node.path(name);
        if (!value.isMissingNode() && !form.holds.test(value)) {
            throw new UserException(file + ": \"" + name + "\" has to be " + form.text
                    + ", here it is " + value);
        }
    }

    private static boolean isEach(JsonNode values, Predicate<JsonNode> holds) {
        return values.valueStream().allMatch(holds);
    }

    private static boolean isShare(JsonNode value) {
        return value.isNumber() && value.asDouble() >= 0;
    }

    private static boolean isAmount(String name) {
        return Arrays.stream(Example.Quantity.values())
                .anyMatch(q -> q.isCounted() && q.toString().equals(name));
    }

    private static String amounts() {
        return Arrays.stream(Example.Quantity.values()).filter(Example.Quantity::isCounted)
                .map(Example.Quantity::toString).collect(Collectors.joining(", "));
    }
}
