package dev.weir.cli;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;

import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;

/** What is timed and what is not, with a clock that moves when it is told to. */
class MeasurementTest {
    private final List<String> events = new ArrayList<>();
    private long now = 1_000;
    private int trials;

    /** Takes 7 to get ready, 100 and ten more for each before it to run, 9 to be freed. */
    private class Trial implements Measurement.Trial {
        final int number = trials++;

        Trial() {
            now += 7;
            events.add("ready " + number);
        }

        @Override
        public void run() {
            now += 100 + 10 * number;
            events.add("run " + number);
        }

        @Override
        public void close() {
            now += 9;
            events.add("freed " + number);
        }
    }

    /** What each repetition takes that is counted, after those that are not. */
    private List<Long> counted(long warmup, long... durations) {
        return new Measurement(() -> now, warmup, 2).of(() -> new Trial() {
            @Override
            public void run() {
                now += durations[number];
            }
        }, 1).nanos();
    }

    @Test
    void onlyRunningIsTimed() {
        Throughput throughput = new Measurement(() -> now, 0, 3).of(Trial::new, 12);
        assertEquals(new Throughput(12, List.of(100L, 110L, 120L)), throughput);
        assertEquals(3, trials);
    }

    @Test
    void warmingUpTakesItsTime() {
        assertEquals(List.of(8L, 9L), counted(70, 10, 10, 10, 10, 10, 10, 10, 8, 9));
    }

    @Test
    void warmingUpGoesOnWhileItGetsFaster() {
        assertEquals(List.of(24L, 26L), counted(50, 90, 50, 25, 25, 24, 23, 26, 25, 24, 26));
    }

    @Test
    void warmingUpForeverIsNotWaitedFor() {
        assertEquals(List.of(40L, 30L), counted(30, 200, 100, 40, 30), "300 is ten times 30");
        trials = 0;
        assertEquals(List.of(90L, 80L), counted(1, 1_000, 90, 80), "once is enough");
    }

    /** 16 of getting ready and being freed beside each: 260 are ten times 26. */
    @Test
    void gettingReadyIsNotWaitedForEither() {
        assertEquals(List.of(2L, 3L),
                counted(26, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 2, 3));
    }

    @Test
    void eachTrialIsFreedBeforeTheNext() {
        new Measurement(() -> now, 0, 2).of(Trial::new, 1);
        assertEquals(
                List.of("ready 0", "run 0", "freed 0", "ready 1", "run 1", "freed 1"), events);
    }

    @Test
    void aClockThatStandsStillGivesOneNanosecond() {
        Throughput throughput = new Measurement(() -> 5, 0, 2).of(Trial::new, 3);
        assertEquals(List.of(1L, 1L), throughput.nanos());
    }

    @Test
    void aTrialThatFailsIsFreed() {
        Measurement.Trial failing = new Measurement.Trial() {
            @Override
            public void run() {
                throw new UserException("no");
            }

            @Override
            public void close() {
                events.add("freed");
            }
        };
        var measurement = new Measurement(() -> now, 0, 1);
        assertThrows(UserException.class, () -> measurement.of(() -> failing, 1));
        assertEquals(List.of("freed"), events);
    }
}
