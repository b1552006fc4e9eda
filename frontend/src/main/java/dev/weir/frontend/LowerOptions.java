package dev.weir.frontend;

import java.util.Map;
import java.util.Optional;

/**
 * What a model is lowered with.
 *
 * @param model its name; empty for the last one in the file
 * @param configuration what {@code config.*} means
 * @param settings values for the model's generics, by name, over their defaults
 * @param trace whether every named value is shown to whoever watches the run
 */
public record LowerOptions(
        Optional<String> model,
        Configuration configuration,
        Map<String, String> settings,
        boolean trace) {
    public LowerOptions {
        settings = Map.copyOf(settings);
    }

    public static LowerOptions of(Configuration configuration) {
        return new LowerOptions(Optional.empty(), configuration, Map.of(), false);
    }
}
