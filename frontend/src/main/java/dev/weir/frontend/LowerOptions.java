package dev.weir.frontend;

import java.util.Map;
import java.util.Optional;

/**
 * What a model is lowered with.
 *
 * @param model its name; empty for the last one in the file
 * @param entry the method that a step runs, where one program is asked for; empty for the only one,
 *     or {@code forward}
 * @param configuration what {@code config.*} means
 * @param settings values for the model's generics, by name, over their defaults
 * @param trace whether every named value is shown to whoever watches the run
 */
public record LowerOptions(
        Optional<String> model,
        Optional<String> entry,
        Configuration configuration,
        Map<String, String> settings,
        boolean trace) {
    public LowerOptions {
        settings = Map.copyOf(settings);
    }

    /** For the entry that a model has by itself. */
    public LowerOptions(
            Optional<String> model,
            Configuration configuration,
            Map<String, String> settings,
            boolean trace) {
        this(model, Optional.empty(), configuration, settings, trace);
    }

    public static LowerOptions of(Configuration configuration) {
        return new LowerOptions(Optional.empty(), configuration, Map.of(), false);
    }
}
