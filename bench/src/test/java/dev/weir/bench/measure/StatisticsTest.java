package dev.weir.bench.measure;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;

import java.util.List;
import org.junit.jupiter.api.Test;

class StatisticsTest {
    @Test
    void oddAndEvenCountsHaveAMedian() {
        assertEquals(3, Statistics.of(List.of(5.0, 1.0, 3.0)).median());
        assertEquals(2.5, Statistics.of(List.of(4.0, 1.0, 3.0, 2.0)).median());
        assertEquals(7, Statistics.of(List.of(7.0)).median());
    }

    @Test
    void quartilesLieBetweenNumbers() {
        Statistics five = Statistics.of(List.of(1.0, 2.0, 3.0, 4.0, 50.0));
        assertEquals(2, five.lower());
        assertEquals(4, five.upper());
        assertEquals(2.0 / 3, five.spread(), 1e-12);
        assertEquals(1.75, Statistics.of(List.of(1.0, 2.0, 3.0, 4.0)).lower());
    }

    @Test
    void aRatioIsTakenRoundByRound() {
        // The third round was slow for both.
        Statistics ratio = Statistics.ratio(List.of(1.0, 1.0, 10.0), List.of(2.0, 2.0, 20.0));
        assertEquals(2, ratio.median());
        assertEquals(0, ratio.spread());
    }

    @Test
    void roundsHaveToFit() {
        assertThrows(IllegalArgumentException.class, () -> Statistics.of(List.of()));
        assertThrows(IllegalArgumentException.class,
                () -> Statistics.ratio(List.of(1.0), List.of(1.0, 2.0)));
    }
}
