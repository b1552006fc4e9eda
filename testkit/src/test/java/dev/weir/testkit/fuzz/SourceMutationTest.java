package dev.weir.testkit.fuzz;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.ByteArrayOutputStream;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.junit.jupiter.api.Test;

/** Programs that are wrong at random: never a crash, a hang or a stack trace. */
class SourceMutationTest {
    /** Long enough for a machine that has other things to do. */
    private static final Duration PATIENCE = Duration.ofMinutes(2);

    @Test
    void onlyDiagnosticsComeOfAChangedProgram() throws InterruptedException {
        Corpus corpus = Corpus.read();
        ByteArrayOutputStream said = new ByteArrayOutputStream();
        Map<String, Integer> failures = Campaign.run(
                new Campaign.Extent(0, 2000, 2, PATIENCE, Duration.ofHours(1)),
                () -> new Sources(corpus, new Seed(20250728)),
                new PrintStream(said, true, StandardCharsets.UTF_8));
        assertEquals(Map.of(), failures, said.toString(StandardCharsets.UTF_8));
        assertTrue(said.toString(StandardCharsets.UTF_8).contains("2000 tried"));
    }

    @Test
    void failuresAreCountedByKindAndTheFirstIsShown() throws InterruptedException {
        ByteArrayOutputStream said = new ByteArrayOutputStream();
        Map<String, Integer> failures = Campaign.run(
                new Campaign.Extent(
                        10, 6, 1, Duration.ofMillis(500), Duration.ofHours(1)),
                Odd::new, new PrintStream(said, true, StandardCharsets.UTF_8));
        assertEquals(List.of(2, 1), List.copyOf(failures.values()), failures.toString());
        String text = said.toString(StandardCharsets.UTF_8);
        assertTrue(text.contains("FAILED number 11") && text.contains("the input 11"), text);
        assertTrue(text.contains("no end after") && text.contains("the input 15"), text);
        assertTrue(!text.contains("the input 13"), text);
        assertTrue(text.contains("6 tried, 3 failed"), text);
    }

    /** Fails for 11 and 13, and does not end for 15. */
    private static final class Odd implements Subject {
        @Override
        public Optional<Failure> attempt(long number) {
            if (number == 15) {
                while (!Thread.currentThread().isInterrupted()) {
                    Thread.onSpinWait();
                }
            }
            if (number % 2 == 1) {
                throw new IllegalStateException("odd");
            }
            return Optional.empty();
        }

        @Override
        public String describe(long number) {
            return "the input " + number;
        }
    }
}
