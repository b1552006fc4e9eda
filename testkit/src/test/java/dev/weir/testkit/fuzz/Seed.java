package dev.weir.testkit.fuzz;

import java.util.Random;

/** Gives each trial a source of chance of its own, so that none depends on those before it. */
record Seed(long value) {
    /** Neighbouring numbers begin far apart. */
    private static final long STRIDE = 0x9e3779b97f4a7c15L;

    Random of(long number) {
        return new Random(value + number * STRIDE);
    }
}
