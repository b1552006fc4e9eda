package dev.weir.testkit.fuzz;

import dev.weir.testkit.random.Recipe;
import dev.weir.testkit.random.Trial;
import java.time.Duration;
import java.util.Optional;

/**
 * Random programs on the interpreter, the JVM and LLVM, under the rules of the build's thousand. What
 * fails is shrunk.
 */
final class Programs implements Subject {
    private static final Duration SHRINKING = Duration.ofSeconds(60);

    private final Trial trial = Trial.uncounted();
    private final Seed seed;
    private int compared;
    private int dropped;

    Programs(Seed seed) {
        this.seed = seed;
    }

    private Recipe recipe(long number) {
        return Recipe.random(seed.of(number));
    }

    @Override
    public Optional<Failure> attempt(long number) {
        Recipe recipe = recipe(number);
        Optional<Throwable> error = error(recipe, number);
        return error.map(e -> {
            long end = System.nanoTime() + SHRINKING.toNanos();
            Recipe smallest = recipe.smallest(
                    r -> System.nanoTime() < end && error(r, number).isPresent());
            Throwable shrunk = error(smallest, number).orElse(e);
            Failure failure = Failure.of(
                    shrunk.getCause() == null ? shrunk : shrunk.getCause(),
                    "shrunk to " + Trial.text(smallest) + "\nfrom " + Trial.text(recipe));
            return new Failure(failure.kind() + ", of " + smallest.kinds(), failure.report());
        });
    }

    private Optional<Throwable> error(Recipe recipe, long number) {
        try {
            if (trial.run(recipe, number, true)) {
                compared++;
            } else {
                dropped++;
            }
            return Optional.empty();
        } catch (RuntimeException | Error e) {
            return Optional.of(e);
        }
    }

    @Override
    public String describe(long number) {
        return Trial.text(recipe(number));
    }

    @Override
    public String summary() {
        return compared + " agree, " + dropped + " dropped for want of a margin";
    }

    @Override
    public void close() {
        trial.close();
    }
}
