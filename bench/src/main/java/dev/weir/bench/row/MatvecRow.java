package dev.weir.bench.row;

import dev.weir.bench.engine.Target;
import dev.weir.bench.engine.WeirContestant;
import dev.weir.bench.engine.WeirModel;
import dev.weir.bench.engine.Weights;
import dev.weir.bench.machine.Limit;
import dev.weir.bench.measure.Comparison;
import dev.weir.bench.measure.Contest;
import dev.weir.bench.measure.Problem;
import dev.weir.bench.measure.Work;
import dev.weir.bench.peer.Peer;
import dev.weir.bench.peer.Torch;
import dev.weir.bench.peer.TorchContestant;
import dev.weir.ir.type.Format;
import dev.weir.runtime.memory.Tensor;
import java.util.List;
import java.util.Optional;
import org.bytedeco.pytorch.global.torch;

/**
 * One token's matrix-vector product with 256 MiB of weights, beside the bare reading of as many
 * bytes. Formats that the language does not have yet have no line here.
 */
public final class MatvecRow implements Row {
    private static final long WIDTH = 4096;
    private static final long BYTES = 256L << 20;
    private static final List<Format> FORMATS = List.of(Format.F32, Format.BF16);
    private static final String PROGRAM = """
            model Product {
                precision { weights: %3$s }
                param w[%1$d, %2$d]
                forward(x[T, %2$d]) -> y[T, %1$d] = w @ x
            }
            """;

    @Override
    public String name() {
        return "matvec";
    }

    @Override
    public String meaning() {
        return "one token's matrix-vector product, 256 MiB of weights, f32 and bf16, beside the "
                + "bare reading of as many bytes";
    }

    @Override
    public List<Peer> peers() {
        return List.of(Peer.TORCH);
    }

    @Override
    public void run(Laboratory laboratory) {
        for (Format format : FORMATS) {
            try (Weights weights = new Weights()) {
                measure(laboratory, weights, format);
            }
        }
    }

    private static void measure(Laboratory laboratory, Weights weights, Format format) {
        int threads = laboratory.threads();
        long rows = BYTES / format.bytes() / WIDTH;
        Tensor x = weights.get("x", 1, WIDTH);
        Tensor w = weights.get("w", format, rows, WIDTH);
        double bytes = w.bytes() + 4.0 * (WIDTH + rows);
        Contest contest = laboratory.contest(new Problem("matvec", format.word(), threads,
                Work.bytes(2.0 * rows * WIDTH, bytes),
                Optional.of(References.of(x, rows, (row, sum) -> multiply(w, row, sum))),
                List.of(Comparison.with("Weir native", Limit.READING, 0.9),
                        Comparison.with("Weir jvm", "Weir native", 0.9),
                        Comparison.with("libtorch", Limit.READING, 0))));
        contest.with(Limit.READING, Work.bytes(0, bytes), Optional.empty(),
                () -> Limit.reading(bytes, threads));
        for (Target target : Target.values()) {
            String name = "Weir " + target;
            contest.with(name, () -> new WeirContestant(name, WeirModel.of(
                    PROGRAM.formatted(rows, WIDTH, format.word()), target.compiler(), threads,
                    weights), 1, x));
        }
        if (format == Format.F32) {
            contest.with("libtorch", () -> {
                var matrix = Torch.of(w);
                var vector = Torch.of(x);
                return new TorchContestant("libtorch", threads,
                        () -> torch.linear(vector, matrix), () -> { });
            });
        }
        laboratory.hold(contest);
    }

    private static void multiply(Tensor w, float[] x, double[] sum) {
        for (int row = 0; row < sum.length; row++) {
            double y = 0;
            for (int k = 0; k < x.length; k++) {
                y += w.real((long) row * x.length + k) * x[k];
            }
            sum[row] += y;
        }
    }
}
