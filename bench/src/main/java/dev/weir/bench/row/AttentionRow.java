package dev.weir.bench.row;

import dev.weir.bench.engine.Target;
import dev.weir.bench.engine.WeirContestant;
import dev.weir.bench.engine.WeirModel;
import dev.weir.bench.engine.Weights;
import dev.weir.bench.measure.Comparison;
import dev.weir.bench.measure.Contest;
import dev.weir.bench.measure.Problem;
import dev.weir.bench.measure.Reference;
import dev.weir.bench.measure.Work;
import dev.weir.bench.peer.Peer;
import dev.weir.bench.peer.Torch;
import dev.weir.bench.peer.TorchContestant;
import dev.weir.runtime.memory.Tensor;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import org.bytedeco.pytorch.DoubleOptional;
import org.bytedeco.pytorch.TensorOptional;
import org.bytedeco.pytorch.global.torch;

/**
 * Attention of 4,096 tokens over themselves, 4 heads of 64 channels, in f32, under four masks. The
 * time is compared with that of the same program without a mask. Full and causal attention also
 * with libtorch's fused kernel.
 */
public final class AttentionRow implements Row {
    private static final int TOKENS = 4096;
    private static final int HEADS = 4;
    private static final int CHANNELS = 64;
    /** Side of the tiles by whose number the share of a mask is counted. */
    private static final int TILE = 64;
    private static final double SLACK = 1.25;
    private static final double TOLERANCE = 2e-5;
    private static final String PROGRAM = """
            model Attention<H = %1$d, C = %2$d> {
                forward(q[T, H, C], k[T, H, C], v[T, H, C]) -> z[T, H, C] {
                    score[t, h, s] = (sum[c] q[t, h, c] * k[s, h, c]) / sqrt(C)
                    p[t, h, s] = softmax[s] score[t, h, s]%3$s
                    z[t, h, c] = sum[s] p[t, h, s] * v[s, h, c]
                }
            }
            """;

    /** Which keys a query sees. */
    private interface Visible {
        boolean sees(int t, int s);
    }

    /**
     * A mask.
     *
     * @param text as it stands behind the softmax, with its keyword
     */
    private record Mask(String name, String text, Visible visible) {
        String contestant() {
            return "Weir native, " + name;
        }

        /** Tiles in which anything is visible, as a share of all. */
        double share() {
            int side = TOKENS / TILE;
            int open = 0;
            for (int i = 0; i < side * side; i++) {
                open += isOpen(i / side * TILE, i % side * TILE) ? 1 : 0;
            }
            return (double) open / (side * side);
        }

        private boolean isOpen(int top, int left) {
            for (int i = 0; i < TILE * TILE; i++) {
                if (visible.sees(top + i / TILE, left + i % TILE)) {
                    return true;
                }
            }
            return false;
        }

        /** Pairs of tokens that see each other. */
        long pairs() {
            long pairs = 0;
            for (int t = 0; t < TOKENS; t++) {
                for (int s = 0; s < TOKENS; s++) {
                    pairs += visible.sees(t, s) ? 1 : 0;
                }
            }
            return pairs;
        }
    }

    private static final Mask FULL = new Mask("full", "", (t, s) -> true);
    private static final Mask CAUSAL = new Mask("causal", " where s <= t", (t, s) -> s <= t);
    private static final List<Mask> MASKS = List.of(FULL, CAUSAL,
            new Mask("window 512", " where s <= t and t - s < 512",
                    (t, s) -> s <= t && t - s < 512),
            new Mask("window 512 + sinks + every 8th block",
                    " where s <= t and (t - s < 512 or s < 64 or (s / 64) % 8 == 7)",
                    (t, s) -> s <= t && (t - s < 512 || s < 64 || s / 64 % 8 == 7)));

    @Override
    public String name() {
        return "attention";
    }

    @Override
    public String meaning() {
        return "attention of 4,096 tokens: full, causal, window, window with sinks and strided "
                + "blocks; the aim is 1.25 of the share of open tiles";
    }

    @Override
    public List<Peer> peers() {
        return List.of(Peer.TORCH);
    }

    @Override
    public void run(Laboratory laboratory) {
        try (Weights weights = new Weights()) {
            for (Mask mask : MASKS) {
                measure(laboratory, weights, mask);
            }
        }
    }

    private static void measure(Laboratory laboratory, Weights weights, Mask mask) {
        int threads = laboratory.threads();
        Tensor[] inputs = {
            weights.get("q", TOKENS, HEADS, CHANNELS),
            weights.get("k", TOKENS, HEADS, CHANNELS),
            weights.get("v", TOKENS, HEADS, CHANNELS)};
        boolean fused = mask == FULL || mask == CAUSAL;
        String name = String.format("%s (%.1f%% of tiles)", mask.name, 100 * mask.share());
        Contest contest = laboratory.contest(new Problem("attention", name, threads,
                work(mask), Optional.of(reference(mask, inputs)),
                comparisons(mask)));
        contest.with(mask.contestant(), () -> weir(mask, Target.NATIVE, mask.contestant(),
                threads, weights, inputs));
        if (mask != FULL) {
            contest.with(FULL.contestant(), work(FULL), Optional.of(reference(FULL, inputs)),
                    () -> weir(FULL, Target.NATIVE, FULL.contestant(), threads, weights, inputs));
        }
        contest.with("Weir jvm", () -> weir(mask, Target.JVM, "Weir jvm", threads, weights,
                inputs));
        if (fused) {
            contest.with("libtorch", () -> torch(mask == CAUSAL, threads, inputs));
        }
        laboratory.hold(contest);
    }

    private static List<Comparison> comparisons(Mask mask) {
        List<Comparison> comparisons = new ArrayList<>(List.of(
                Comparison.with(mask.contestant(), "libtorch", 1),
                Comparison.with("Weir jvm", mask.contestant(), 0.65)));
        if (mask != FULL) {
            comparisons.addFirst(Comparison.with(
                    mask.contestant(), FULL.contestant(), 1 / (SLACK * mask.share())));
        }
        return comparisons;
    }

    private static Work work(Mask mask) {
        return Work.operations(4.0 * mask.pairs() * HEADS * CHANNELS,
                16.0 * TOKENS * HEADS * CHANNELS);
    }

    private static WeirContestant weir(
            Mask mask,
            Target target,
            String name,
            int threads,
            Weights weights,
            Tensor[] inputs) {
        return new WeirContestant(name, WeirModel.of(
                PROGRAM.formatted(HEADS, CHANNELS, mask.text), target.compiler(), threads,
                weights), TOKENS, inputs);
    }

    private static TorchContestant torch(boolean causal, int threads, Tensor[] inputs) {
        var q = heads(inputs[0]);
        var k = heads(inputs[1]);
        var v = heads(inputs[2]);
        return new TorchContestant("libtorch", threads, () ->
                torch.scaled_dot_product_attention(q, k, v, new TensorOptional(), 0, causal,
                        new DoubleOptional(), false).transpose(1, 2), () -> { });
    }

    /** One sequence, heads before tokens, as libtorch wants them: another view of the memory. */
    private static org.bytedeco.pytorch.Tensor heads(Tensor tensor) {
        return Torch.of(tensor).unsqueeze(0).transpose(1, 2);
    }

    /** A few tokens, by the definition. */
    private static Reference reference(Mask mask, Tensor[] inputs) {
        int[] tokens = {0, 1, TOKENS / 3, TOKENS - 1};
        int row = HEADS * CHANNELS;
        int[] places = new int[tokens.length * row];
        double[] expected = new double[places.length];
        for (int i = 0; i < tokens.length; i++) {
            for (int h = 0; h < HEADS; h++) {
                double[] z = attend(mask, inputs, tokens[i], h);
                for (int c = 0; c < CHANNELS; c++) {
                    places[i * row + h * CHANNELS + c] = tokens[i] * row + h * CHANNELS + c;
                    expected[i * row + h * CHANNELS + c] = z[c];
                }
            }
        }
        return new Reference(places, expected, TOLERANCE);
    }

    private static double[] attend(Mask mask, Tensor[] inputs, int t, int h) {
        double[] z = new double[CHANNELS];
        double total = 0;
        for (int s = 0; s < TOKENS; s++) {
            if (mask.visible.sees(t, s)) {
                double score = 0;
                for (int c = 0; c < CHANNELS; c++) {
                    score += inputs[0].real(place(t, h, c)) * inputs[1].real(place(s, h, c));
                }
                double e = Math.exp(score / Math.sqrt(CHANNELS));
                total += e;
                for (int c = 0; c < CHANNELS; c++) {
                    z[c] += e * inputs[2].real(place(s, h, c));
                }
            }
        }
        for (int c = 0; c < CHANNELS; c++) {
            z[c] /= total;
        }
        return z;
    }

    private static long place(int t, int h, int c) {
        return ((long) t * HEADS + h) * CHANNELS + c;
    }
}
