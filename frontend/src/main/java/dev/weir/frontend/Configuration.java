package dev.weir.frontend;

import com.fasterxml.jackson.core.JsonFactory;
import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.core.StreamReadFeature;
import com.fasterxml.jackson.core.exc.StreamConstraintsException;
import com.fasterxml.jackson.databind.DeserializationFeature;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.exc.MismatchedInputException;
import dev.weir.ir.diagnostic.Diagnostic;
import dev.weir.ir.diagnostic.Source;
import dev.weir.ir.diagnostic.Span;
import dev.weir.ir.diagnostic.WeirException;
import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/** A checkpoint's {@code config.json}, and a record of what was read from it. */
public final class Configuration {
    private static final ObjectMapper MAPPER = new ObjectMapper(JsonFactory.builder()
            .enable(StreamReadFeature.STRICT_DUPLICATE_DETECTION)
            .build())
            .enable(DeserializationFeature.FAIL_ON_TRAILING_TOKENS);
    private static final Pattern TWICE = Pattern.compile("Duplicate field '(.*)'.*");

    private final Optional<JsonNode> root;
    private final Map<String, String> read = new TreeMap<>();

    private Configuration(Optional<JsonNode> root) {
        this.root = root;
    }

    /** No configuration: every field is absent. */
    public static Configuration empty() {
        return new Configuration(Optional.of(MAPPER.createObjectNode()));
    }

    /** Every field has a value that nobody knows yet: for checking a model without checkpoint. */
    public static Configuration unknown() {
        return new Configuration(Optional.empty());
    }

    /**
     * @param text JSON, one object
     * @throws WeirException if it is not
     */
    public static Configuration parse(String text) {
        Source source = new Source("config.json", text);
        try {
            JsonNode node = MAPPER.readTree(text);
            if (node == null || !node.isObject()) {
                throw new WeirException(Diagnostic.error("E0701", new Span(source, 0, 0),
                        "the configuration is not a JSON object"));
            }
            return new Configuration(Optional.of(node));
        } catch (JsonProcessingException | StackOverflowError malformed) {
            int offset = malformed instanceof JsonProcessingException json
                    && json.getLocation() != null
                    ? (int) Math.max(0, json.getLocation().getCharOffset()) : 0;
            int at = Math.min(offset, text.length());
            Matcher twice = TWICE.matcher(reason(malformed));
            throw new WeirException(twice.matches()
                    ? Diagnostic.error("E0701", quoted(source, twice.group(1), at),
                                    "the configuration has `" + twice.group(1) + "` twice")
                            .labelled("here again")
                            .helped("leave one of them")
                    : Diagnostic.error("E0701", new Span(source, at, at),
                                    "the configuration is not valid JSON")
                            .labelled(reason(malformed)));
        }
    }

    /** A name in quotation marks that ends before a place; the place if it is written otherwise. */
    private static Span quoted(Source source, String name, int before) {
        int start = source.text().lastIndexOf('"' + name + '"', before);
        return start < 0 ? new Span(source, before, before)
                : new Span(source, start, start + name.length() + 2);
    }

    /** The first clause of what the reader says; behind it are places in its own words. */
    private static String reason(Throwable malformed) {
        return switch (malformed) {
            case MismatchedInputException trailing -> "something stands behind the object";
            case StreamConstraintsException limit ->
                    limit.getOriginalMessage().startsWith("Document nesting")
                            ? "nested too deeply" : "a number or a text that is too long";
            case JsonProcessingException json ->
                    json.getOriginalMessage().split(" \\(|: enable |\\R")[0];
            default -> "nested too deeply";
        };
    }

    public boolean isKnown() {
        return root.isPresent();
    }

    /**
     * The field at a dotted path, in which a number is a place in a list; absent fields and {@code
     * null} are the same.
     */
    public Optional<JsonNode> field(String path) {
        JsonNode node = root.orElseGet(MAPPER::createObjectNode);
        for (String name : path.split("\\.")) {
            node = node.isArray() && name.matches("\\d{1,9}")
                    ? node.path(Integer.parseInt(name))
                    : node.path(name);
        }
        boolean absent = node.isMissingNode() || node.isNull();
        read.put(path, absent ? "null" : node.toString());
        return absent ? Optional.empty() : Optional.of(node);
    }

    /**
     * The part of a dotted path that is no object, so that what is behind it cannot be there:
     * {@code a} where {@code a.b} is wanted of {@code {"a": 1}}.
     */
    public Optional<String> obstacle(String path) {
        JsonNode node = root.orElseGet(MAPPER::createObjectNode);
        StringBuilder walked = new StringBuilder();
        for (String name : path.split("\\.")) {
            boolean isPlace = name.matches("\\d{1,9}");
            boolean leadsOn = isPlace ? node.isContainerNode() : node.isObject();
            if (!leadsOn && !node.isNull() && !node.isMissingNode()) {
                return Optional.of(walked.toString());
            }
            walked.append(walked.isEmpty() ? "" : ".").append(name);
            node = node.isArray() ? node.path(Integer.parseInt(name)) : node.path(name);
        }
        return Optional.empty();
    }

    /** The fields that were asked for, with their values as JSON. */
    public Map<String, String> read() {
        return Map.copyOf(read);
    }
}
