package dev.weir.cli;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.weir.ir.kernel.TargetDescription;
import dev.weir.passes.cost.CostOf;
import dev.weir.passes.cost.Machine;
import dev.weir.passes.cost.Question;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Deque;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.function.IntFunction;
import org.junit.jupiter.api.Test;

/** What a calibration keeps and says of tries that are made up. */
class CalibrationRoundsTest {
    private static CalibrationSamples samples(
            int threads, List<Double> operations, List<Double> bytes) {
        return new CalibrationSamples(threads, operations, bytes, List.of(2e-7, 1e-7, 3e-7));
    }

    private static CalibrationSamples quiet(int threads) {
        return samples(threads, List.of(99e9 * threads, 100e9 * threads, 98e9 * threads),
                List.of(9e9, 10e9, 9.5e9));
    }

    @Test
    void aQuietMachineIsMeasuredOnceAndBelieved() {
        List<Integer> asked = new ArrayList<>();
        CalibrationRounds measured = CalibrationRounds.of(List.of(1, 2), threads -> {
            asked.add(threads);
            return quiet(threads);
        });
        assertEquals(List.of(1, 2), asked);
        assertEquals(List.of(), measured.doubts());
        assertEquals(List.of(new Machine(1, 100e9, 10e9, 1e-7), new Machine(2, 200e9, 10e9, 1e-7)),
                measured.machines());
    }

    /** Half of the first tries were disturbed, the next were not: nothing is said. */
    @Test
    void aBurstOfOtherWorkIsWaitedFor() {
        CalibrationSamples busy = samples(1, List.of(60e9, 101e9, 50e9), List.of(9e9, 10e9, 9e9));
        Deque<CalibrationSamples> tries =
                new ArrayDeque<>(List.of(busy, quiet(1), quiet(1), quiet(1)));
        CalibrationRounds measured = CalibrationRounds.of(List.of(1), threads -> tries.pop());
        assertEquals(List.of(), measured.doubts());
        assertEquals(2, tries.size(), "one more round was enough");
        assertEquals(101e9, measured.machines().getFirst().operations(), "the best of all");
    }

    @Test
    void triesThatAlwaysLieApartAreTold() {
        int[] calls = new int[1];
        CalibrationRounds measured = CalibrationRounds.of(List.of(1), threads -> {
            calls[0]++;
            return samples(1, List.of(100e9, 50e9, 60e9), List.of(4e9, 10e9, 5e9));
        });
        assertEquals(CalibrationRounds.MOST, calls[0]);
        assertEquals(List.of(
                "with 1 thread, half of 12 tries reached 60.00 G operations a second or less, and "
                        + "the best one 100.00 G",
                "with 1 thread, half of 12 tries reached 5.00 G bytes a second or less, and the "
                        + "best one 10.00 G"), measured.doubts());
        assertEquals(new Machine(1, 100e9, 10e9, 1e-7), measured.machines().getFirst());
        String said = CalibrateCommand.doubted(measured.doubts());
        assertTrue(said.contains("something else ran"), said);
        assertTrue(said.contains("run `weir calibrate` once more"), said);
    }

    /** As was measured once: 91 G operations a second by one thread, 56 G by two. */
    @Test
    void twoThreadsThatDoLessThanOneAreTold() {
        Map<Integer, CalibrationSamples> always = Map.of(
                1, samples(1, List.of(91.22e9), List.of(6.35e9)),
                2, samples(2, List.of(56.10e9), List.of(2.15e9)));
        CalibrationRounds measured = CalibrationRounds.of(
                List.of(1, 2), (IntFunction<CalibrationSamples>) always::get);
        assertEquals(List.of(
                "2 threads reached 56.10 G operations a second, fewer than the 91.22 G of 1",
                "2 threads reached 2.15 G bytes a second, fewer than the 6.35 G of 1"),
                measured.doubts());
    }

    /** What is taken for the time of a launch has to launch. */
    @Test
    void eachRoundIsALaunch() {
        double launches = CostOf.program(Calibration.launching(TargetDescription.AVX512),
                new Question(1, 0, 1, Map.of()), Optional.empty()).total().launches();
        assertTrue(launches >= Calibration.LAUNCHES, launches + " launches");
    }

    /** Two threads of one core may do as much as one, and half of the tries may be a little off. */
    @Test
    void whatIsCloseIsBelieved() {
        CalibrationRounds measured = CalibrationRounds.of(List.of(1, 2), threads ->
                samples(threads, List.of(100e9, 86e9, 86e9), List.of(10e9, 8.6e9, 8.6e9)));
        assertEquals(List.of(), measured.doubts());
    }
}
