package dev.weir.bench.jmh;

import dev.weir.bench.engine.Weights;
import dev.weir.bench.measure.Contestant;
import dev.weir.bench.row.ContractionRow;
import java.util.concurrent.TimeUnit;
import org.openjdk.jmh.annotations.Benchmark;
import org.openjdk.jmh.annotations.BenchmarkMode;
import org.openjdk.jmh.annotations.Fork;
import org.openjdk.jmh.annotations.Measurement;
import org.openjdk.jmh.annotations.Mode;
import org.openjdk.jmh.annotations.OutputTimeUnit;
import org.openjdk.jmh.annotations.Param;
import org.openjdk.jmh.annotations.Scope;
import org.openjdk.jmh.annotations.Setup;
import org.openjdk.jmh.annotations.State;
import org.openjdk.jmh.annotations.TearDown;
import org.openjdk.jmh.annotations.Warmup;

/**
 * The contraction row's problems under JMH, each contestant in a process of its own: for work on
 * one kernel, with JMH's profilers. Ratios come from the row, which takes contestants in turn.
 */
@State(Scope.Benchmark)
@BenchmarkMode(Mode.AverageTime)
@OutputTimeUnit(TimeUnit.MICROSECONDS)
@Fork(1)
@Warmup(iterations = 3, time = 1)
@Measurement(iterations = 5, time = 1)
public class ContractionBenchmark {
    /** M×N×K. */
    @Param({"256x4096x1024", "512x512x512", "64x11008x4096", "1000x1000x1000"})
    public String sizes;

    /** Who. */
    @Param({"Weir native", "Weir jvm", "OpenBLAS", "MKL", "MKL packed"})
    public String contestant;

    /** Threads of the contestant; JMH's own stay at one. */
    @Param("2")
    public int workers;

    private Weights weights;
    private Contestant made;

    /** Makes the contestant. */
    @Setup
    public void make() {
        weights = new Weights();
        made = ContractionRow.contestant(contestant, sizes, weights, workers);
    }

    /** Frees it. */
    @TearDown
    public void free() {
        made.close();
        weights.close();
    }

    /** One product. */
    @Benchmark
    public void product() {
        made.run();
    }
}
