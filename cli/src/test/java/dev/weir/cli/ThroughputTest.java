package dev.weir.cli;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;

import java.util.List;
import org.junit.jupiter.api.Test;

/** The arithmetic behind the rates, against numbers worked out by hand. */
class ThroughputTest {

    @Test
    void timesAndRatesHaveMeansAndDeviationsOfTheirOwn() {
        // 100 tokens in 0.1, 0.2 and 0.4 seconds: 1000, 500 and 250 tokens a second.
        var throughput = new Throughput(100, List.of(100_000_000L, 200_000_000L, 400_000_000L));
        assertEquals(700e6 / 3, throughput.meanNanos(), 1e-3);
        assertEquals(Math.sqrt(7e16 / 3), throughput.deviationOfNanos(), 1);
        assertEquals(1750.0 / 3, throughput.meanRate(), 1e-9);
        assertEquals(Math.sqrt(437_500.0 / 3), throughput.deviationOfRate(), 1e-9);
    }

    @Test
    void equalTimesDoNotDeviate() {
        var throughput = new Throughput(6, List.of(3_000L, 3_000L, 3_000L));
        assertEquals(2e6, throughput.meanRate());
        assertEquals(0, throughput.deviationOfRate());
        assertEquals(0, throughput.deviationOfNanos());
    }

    @Test
    void oneTimeDoesNotDeviate() {
        var throughput = new Throughput(64, List.of(500_000_000L));
        assertEquals(128, throughput.meanRate());
        assertEquals(0, throughput.deviationOfRate());
    }

    @Test
    void noTimeIsNoRate() {
        assertThrows(IllegalArgumentException.class, () -> new Throughput(1, List.of()));
        assertThrows(IllegalArgumentException.class, () -> new Throughput(1, List.of(5L, 0L)));
    }
}
