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
import dev.weir.ir.type.Quantisation;
import dev.weir.runtime.memory.Tensor;
import java.util.Arrays;
import java.util.List;
import java.util.Optional;
import org.bytedeco.pytorch.global.torch;

/**
 * One token's matrix-vector product with 256 MiB of weights, as they are kept, beside the bare
 * reading of as many bytes, and beside products whose weights a core's own cache holds: what
 * unpacking alone takes.
 */
public final class MatvecRow implements Row {
    private static final long WIDTH = 4096;
    private static final long BYTES = 256L << 20;
    /** Columns of what a core's own cache holds: fewer codes would be packed in narrower panels. */
    private static final long CACHED_CODES = 1024;
    private static final long CACHED_FLOATS = 512;
    private static final String UNPACKING = "unpacking, from a cache";
    private static final List<String> FORMATS = List.of(
            "f32", "bf16", "int8", "int8(group: 32)", "int4(group: 32)", "int4(group: 128)");
    private static final String PROGRAM = """
            model Product {
                precision { weights: %3$s }
                param w[%1$d, %2$d]
                forward(x[T, %2$d]) -> y[T, %1$d] = w @ x
            }
            """;

    /** Products one behind the other, none of which can be left out. */
    private static final String CACHED_PROGRAM = """
            model Products {
                precision { weights: %3$s }
                param cached[%1$d, %1$d]
                forward(x[T, %1$d]) -> y[T, %1$d] {
                    y = x
                    for i in 0..%2$d { y = x + 0.001 * (cached @ y) }
                }
            }
            """;

    @Override
    public String name() {
        return "matvec";
    }

    @Override
    public String meaning() {
        return "one token's matrix-vector product, 256 MiB of weights, f32, bf16, int8 and "
                + "int4, beside the bare reading of as many bytes and unpacking from a cache";
    }

    @Override
    public List<Peer> peers() {
        return List.of(Peer.TORCH);
    }

    @Override
    public void run(Laboratory laboratory) {
        for (String format : FORMATS) {
            try (Weights weights = new Weights()) {
                measure(laboratory, weights, format);
            }
        }
    }

    private static void measure(Laboratory laboratory, Weights weights, String text) {
        int threads = laboratory.threads();
        Optional<Quantisation> quantisation = Quantisation.parse(text);
        Format format = Format.named(text).orElse(Format.F32);
        long rowBytes = rowBytes(quantisation, format, WIDTH);
        long rows = BYTES / rowBytes;
        Tensor x = weights.get("x", 1, WIDTH);
        Tensor w = weights.get("w", format, rows, WIDTH);
        double bytes = rows * rowBytes + 4.0 * (WIDTH + rows);
        Contest contest = laboratory.contest(new Problem("matvec", text, threads,
                Work.bytes(2.0 * rows * WIDTH, bytes),
                Optional.of(References.of(x, rows, (row, sum) -> multiply(w, quantisation, row, sum))),
                List.of(Comparison.with("Weir native", Limit.READING, 0.9),
                        Comparison.with("Weir native", UNPACKING, 0),
                        Comparison.with("Weir jvm", "Weir native", 0.9),
                        Comparison.with("libtorch", Limit.READING, 0))));
        contest.with(Limit.READING, Work.bytes(0, bytes), Optional.empty(),
                () -> Limit.reading(bytes, threads));
        contest.with(UNPACKING, Work.bytes(0, bytes), Optional.empty(),
                () -> unpacking(weights, text, bytes / threads));
        for (Target target : Target.values()) {
            String name = "Weir " + target;
            contest.with(name, () -> new WeirContestant(name, WeirModel.of(
                    PROGRAM.formatted(rows, WIDTH, text), target.compiler(), threads,
                    weights), 1, x));
        }
        if (text.equals("f32")) {
            contest.with("libtorch", () -> {
                var matrix = Torch.of(w);
                var vector = Torch.of(x);
                return new TorchContestant("libtorch", threads,
                        () -> torch.linear(vector, matrix), () -> { });
            });
        }
        laboratory.hold(contest);
    }

    private static long rowBytes(Optional<Quantisation> quantisation, Format format, long width) {
        return quantisation
                .map(q -> q.codeBytes(width) + Format.F16.bytes() * q.groups(width))
                .orElse(format.bytes() * width);
    }

    /** One thread's share of the bytes, over and over again the same ones. */
    private static WeirContestant unpacking(Weights weights, String text, double bytes) {
        Optional<Quantisation> quantisation = Quantisation.parse(text);
        Format format = Format.named(text).orElse(Format.F32);
        long width = quantisation.isPresent() ? CACHED_CODES : CACHED_FLOATS;
        long times = Math.max(1, Math.round(
                bytes / (rowBytes(quantisation, format, width) * width)));
        return new WeirContestant(UNPACKING, WeirModel.of(
                CACHED_PROGRAM.formatted(width, times, text), Target.NATIVE.compiler(), 1,
                weights), 1, weights.get("cached.x", 1, width));
    }

    private static void multiply(
            Tensor w, Optional<Quantisation> quantisation, float[] x, double[] sum) {
        double[] values = new double[x.length];
        for (int row = 0; row < sum.length; row++) {
            for (int k = 0; k < x.length; k++) {
                values[k] = w.real((long) row * x.length + k);
            }
            quantisation.ifPresent(q -> round(q, values));
            for (int k = 0; k < x.length; k++) {
                sum[row] += values[k] * x[k];
            }
        }
    }

    private static void round(Quantisation quantisation, double[] row) {
        int size = (int) quantisation.group(row.length);
        for (int from = 0; from < row.length; from += size) {
            int to = Math.min(row.length, from + size);
            Quantisation.Group group = quantisation.round(Arrays.copyOfRange(row, from, to));
            for (int k = from; k < to; k++) {
                row[k] = group.value(k - from);
            }
        }
    }
}
