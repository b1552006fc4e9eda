package dev.weir.bench.row;

import dev.weir.bench.engine.Target;
import dev.weir.bench.engine.Weights;
import dev.weir.bench.measure.Comparison;
import dev.weir.bench.measure.Contest;
import dev.weir.bench.measure.Problem;
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
    static final double SLACK = 1.25;
    static final AttentionMask FULL = new AttentionMask("full", "", (t, s, d) -> true);
    static final AttentionMask CAUSAL =
            new AttentionMask("causal", "s <= t", (t, s, d) -> s <= t);
    private static final List<AttentionMask> MASKS = List.of(FULL, CAUSAL,
            new AttentionMask("window 512", "s <= t and t - s < 512",
                    (t, s, d) -> s <= t && t - s < 512),
            new AttentionMask("window 512 + sinks + every 8th block",
                    "s <= t and (t - s < 512 or s < 64 or (s / 64) % 8 == 7)",
                    (t, s, d) -> s <= t && (t - s < 512 || s < 64 || s / 64 % 8 == 7)));

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
            MaskedAttention attention = new MaskedAttention(weights, new int[TOKENS]);
            for (AttentionMask mask : MASKS) {
                measure(laboratory, attention, mask);
            }
        }
    }

    private static void measure(
            Laboratory laboratory, MaskedAttention attention, AttentionMask mask) {
        int threads = laboratory.threads();
        String contestant = contestant(mask);
        double share = attention.shareOfTiles(mask);
        Contest contest = laboratory.contest(new Problem("attention",
                String.format("%s (%.1f%% of tiles)", mask.name(), 100 * share), threads,
                attention.work(mask), Optional.of(attention.reference(mask)),
                comparisons(mask, share)));
        contest.with(contestant, () -> attention.weir(mask, Target.NATIVE, contestant, threads));
        if (mask != FULL) {
            contest.with(contestant(FULL), attention.work(FULL),
                    Optional.of(attention.reference(FULL)),
                    () -> attention.weir(FULL, Target.NATIVE, contestant(FULL), threads));
        }
        contest.with("Weir jvm", () -> attention.weir(mask, Target.JVM, "Weir jvm", threads));
        if (mask == FULL || mask == CAUSAL) {
            contest.with("libtorch", () -> torch(mask == CAUSAL, threads, attention));
        }
        laboratory.hold(contest);
    }

    private static String contestant(AttentionMask mask) {
        return "Weir native, " + mask.name();
    }

    private static List<Comparison> comparisons(AttentionMask mask, double share) {
        List<Comparison> comparisons = new ArrayList<>(List.of(
                Comparison.with(contestant(mask), "libtorch", 1),
                Comparison.with("Weir jvm", contestant(mask), 0.65)));
        if (mask != FULL) {
            comparisons.addFirst(Comparison.with(
                    contestant(mask), contestant(FULL), 1 / (SLACK * share)));
        }
        return comparisons;
    }

    private static TorchContestant torch(
            boolean causal, int threads, MaskedAttention attention) {
        var q = heads(attention.queries());
        var k = heads(attention.keys());
        var v = heads(attention.values());
        return new TorchContestant("libtorch", threads, () ->
                torch.scaled_dot_product_attention(q, k, v, new TensorOptional(), 0, causal,
                        new DoubleOptional(), false).transpose(1, 2), () -> { });
    }

    /** One sequence, heads before tokens, as libtorch wants them: another view of the memory. */
    private static org.bytedeco.pytorch.Tensor heads(Tensor tensor) {
        return Torch.of(tensor).unsqueeze(0).transpose(1, 2);
    }
}
