package dev.weir.bench.row;

import dev.weir.bench.engine.Target;
import dev.weir.bench.engine.Weights;
import dev.weir.bench.measure.Comparison;
import dev.weir.bench.measure.Contest;
import dev.weir.bench.measure.Problem;
import dev.weir.bench.peer.Peer;
import java.util.List;
import java.util.Optional;

/**
 * Whether the time of attention follows the tiles that its mask leaves: masks of 2,048 tokens in
 * five documents, 4 heads of 64 channels, each beside the same program without a mask.
 */
public final class MasksRow implements Row {
    private static final int TOKENS = 2048;
    private static final int[] ENDS = {300, 850, 1100, 1900, TOKENS};
    private static final List<AttentionMask> MASKS = List.of(
            AttentionRow.CAUSAL,
            mask("s < t", (t, s, d) -> s < t),
            mask("s >= t", (t, s, d) -> s >= t),
            mask("not (s > t)", (t, s, d) -> s <= t),
            mask("s <= t and t - s < 128", (t, s, d) -> s <= t && t - s < 128),
            mask("s <= t and t - s < 512", (t, s, d) -> s <= t && t - s < 512),
            mask("t - s < 256 and s - t < 256", (t, s, d) -> t - s < 256 && s - t < 256),
            mask("abs(t - s) < 256", (t, s, d) -> Math.abs(t - s) < 256),
            mask("s >= t - 700 and s <= t - 500", (t, s, d) -> s >= t - 700 && s <= t - 500),
            mask("s <= t and (t - s < 128 or s < 4)",
                    (t, s, d) -> s <= t && (t - s < 128 || s < 4)),
            mask("s <= t and (t - s < 128 or s < 16 or s / 64 % 8 == 0)",
                    (t, s, d) -> s <= t && (t - s < 128 || s < 16 || s / 64 % 8 == 0)),
            mask("s <= t and s / 64 % 4 == 3", (t, s, d) -> s <= t && s / 64 % 4 == 3),
            mask("s / 256 == t / 256", (t, s, d) -> s / 256 == t / 256),
            mask("s / 300 == t / 300 and s <= t", (t, s, d) -> s / 300 == t / 300 && s <= t),
            mask("s == t", (t, s, d) -> s == t),
            mask("document[s] == document[t]", (t, s, d) -> d[s] == d[t]),
            mask("document[s] == document[t] and s <= t", (t, s, d) -> d[s] == d[t] && s <= t),
            mask("document[s] == document[t] and abs(t - s) < 100",
                    (t, s, d) -> d[s] == d[t] && Math.abs(t - s) < 100),
            mask("document[s] <= document[t] and s >= 64",
                    (t, s, d) -> d[s] <= d[t] && s >= 64),
            mask("t % 2 == 0 and s <= t", (t, s, d) -> t % 2 == 0 && s <= t),
            mask("s <= 2 * t and 2 * s >= t", (t, s, d) -> s <= 2 * t && 2 * s >= t));

    private static AttentionMask mask(String condition, AttentionMask.Visible visible) {
        return new AttentionMask(condition, condition, visible);
    }

    @Override
    public String name() {
        return "masks";
    }

    @Override
    public String meaning() {
        return "attention of 2,048 tokens under " + MASKS.size() + " masks, beside full "
                + "attention; the aim is 1.25 of the share of open tiles, by query";
    }

    @Override
    public List<Peer> peers() {
        return List.of();
    }

    @Override
    public void run(Laboratory laboratory) {
        try (Weights weights = new Weights()) {
            MaskedAttention attention = new MaskedAttention(weights, documents());
            for (AttentionMask mask : MASKS) {
                measure(laboratory, attention, mask);
            }
        }
    }

    private static int[] documents() {
        int[] document = new int[TOKENS];
        for (int t = 0, number = 0; t < TOKENS; t++) {
            number += t == ENDS[number] ? 1 : 0;
            document[t] = number;
        }
        return document;
    }

    private static void measure(
            Laboratory laboratory, MaskedAttention attention, AttentionMask mask) {
        int threads = laboratory.threads();
        double share = attention.shareOfTiles(mask);
        Contest contest = laboratory.contest(new Problem("masks",
                String.format("%s (%.1f%% of tiles)", mask.condition(), 100 * share), threads,
                attention.work(mask), Optional.of(attention.reference(mask)),
                List.of(Comparison.with("Weir native", "Weir native, full",
                        1 / (AttentionRow.SLACK * share)))));
        contest.with("Weir native",
                () -> attention.weir(mask, Target.NATIVE, "Weir native", threads));
        contest.with("Weir native, full", attention.work(AttentionRow.FULL),
                Optional.of(attention.reference(AttentionRow.FULL)),
                () -> attention.weir(
                        AttentionRow.FULL, Target.NATIVE, "Weir native, full", threads));
        laboratory.hold(contest);
    }
}
