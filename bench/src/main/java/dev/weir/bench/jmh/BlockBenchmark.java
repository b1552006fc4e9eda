package dev.weir.bench.jmh;

import dev.weir.bench.engine.Target;
import dev.weir.bench.engine.WeirContestant;
import dev.weir.bench.engine.WeirModel;
import dev.weir.bench.engine.Weights;
import dev.weir.runtime.memory.Tensor;
import java.util.Locale;
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
 * Blocks of the library under JMH, a step of one sequence at a time: for work on what a block is
 * made of, with JMH's profilers. Ratios come from the rows, which take contestants in turn.
 */
@State(Scope.Benchmark)
@BenchmarkMode(Mode.AverageTime)
@OutputTimeUnit(TimeUnit.MICROSECONDS)
@Fork(1)
@Warmup(iterations = 3, time = 1)
@Measurement(iterations = 5, time = 1)
public class BlockBenchmark {

    /** A block with its sizes. */
    public enum Block {
        /** 1024→2816. */
        SWIGLU(1024, "import stdlib.feed_forward { SwiGlu }", "SwiGlu<1024, 2816>"),
        /** 16 experts of which 2 work, 512→1024. */
        EXPERTS(512, "import stdlib.feed_forward { SwiGlu }\nimport stdlib.mixture { Moe }",
                "Moe<512, 16, 2, SwiGlu<512, 1024>>"),
        /** The mean square of 4,096 numbers, and a division by its root. */
        NORMALISATION(4096, "import stdlib.normalisation { RmsNorm }", "RmsNorm<4096>");

        private final long width;
        private final String imports;
        private final String type;

        Block(long width, String imports, String type) {
            this.width = width;
            this.imports = imports;
            this.type = type;
        }

        private String program() {
            return """
                    %s

                    model Alone {
                        net: %s
                        forward(x[T, %d]) -> y[T, %d] = net(x)
                    }
                    """.formatted(imports, type, width, width);
        }
    }

    /** Which. */
    @Param
    public Block block;

    /** Tokens of a step. */
    @Param({"1", "16", "256"})
    public int rows;

    /** {@code native} or {@code jvm}. */
    @Param({"native", "jvm"})
    public String target;

    /** Threads of the engine; JMH's own stay at one. */
    @Param("2")
    public int workers;

    private Weights weights;
    private WeirContestant made;

    /** Compiles and loads. */
    @Setup
    public void make() {
        weights = new Weights();
        Tensor x = weights.get("x", rows, block.width);
        made = new WeirContestant(target, WeirModel.of(block.program(),
                Target.valueOf(target.toUpperCase(Locale.ROOT)).compiler(), workers, weights),
                rows, x);
    }

    /** Frees it. */
    @TearDown
    public void free() {
        made.close();
        weights.close();
    }

    /** One step. */
    @Benchmark
    public void step() {
        made.run();
    }
}
