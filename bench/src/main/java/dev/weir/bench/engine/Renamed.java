package dev.weir.bench.engine;

import dev.weir.bench.measure.Contestant;

/** A contestant under another name, where the same takes part twice. */
public record Renamed(String name, Contestant contestant) implements Contestant {
    @Override
    public boolean isPeer() {
        return contestant.isPeer();
    }

    @Override
    public void run() {
        contestant.run();
    }

    @Override
    public float[] result() {
        return contestant.result();
    }

    @Override
    public void close() {
        contestant.close();
    }
}
