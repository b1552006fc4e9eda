package dev.weir.cli;

import dev.weir.runtime.generate.Generator;
import dev.weir.runtime.model.Engine;
import java.util.List;
import java.util.SplittableRandom;
import java.util.stream.IntStream;

/** One repetition of a workload: fresh sequences that are fed ids, the same each time. */
final class WorkloadTrial implements Measurement.Trial {
    private static final long SEED = 42;

    private final Generator generator;
    private final List<Engine.Session> sessions;
    private final List<long[]> steps;

    /**
     * @param batch sequences at once
     * @param vocabulary above each id
     */
    WorkloadTrial(Loaded loaded, Workload workload, int batch, long vocabulary) {
        var random = new SplittableRandom(SEED);
        generator = new Generator(loaded.engine(), loaded.signature());
        steps = IntStream.range(0, workload.steps())
                .mapToObj(i -> random.longs(
                        (long) batch * workload.tokensOfStep(), 0, vocabulary).toArray())
                .toList();
        sessions = IntStream.range(0, batch).mapToObj(i -> loaded.engine().start()).toList();
    }

    @Override
    public void run() {
        steps.forEach(ids -> generator.feed(sessions, ids));
    }

    @Override
    public void close() {
        sessions.forEach(Engine.Session::close);
    }
}
