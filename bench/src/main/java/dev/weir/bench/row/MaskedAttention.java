package dev.weir.bench.row;

import dev.weir.bench.engine.Target;
import dev.weir.bench.engine.WeirContestant;
import dev.weir.bench.engine.WeirModel;
import dev.weir.bench.engine.Weights;
import dev.weir.bench.measure.Reference;
import dev.weir.bench.measure.Work;
import dev.weir.ir.type.Format;
import dev.weir.runtime.memory.Tensor;
import java.util.stream.IntStream;

/** Attention of tokens over themselves in f32, under a mask. */
final class MaskedAttention {
    static final int HEADS = 4;
    static final int CHANNELS = 64;
    private static final double TOLERANCE = 2e-5;
    private static final String PROGRAM = """
            model Attention<H = %1$d, C = %2$d> {
                forward(q[T, H, C], k[T, H, C], v[T, H, C], document[T]: int) -> z[T, H, C] {
                    score[t, h, s] = (sum[c] q[t, h, c] * k[s, h, c]) / sqrt(C)
                    p[t, h, s] = softmax[s] score[t, h, s]%3$s
                    z[t, h, c] = sum[s] p[t, h, s] * v[s, h, c]
                }
            }
            """;

    private final Weights weights;
    private final Tensor[] inputs;
    private final int[] document;

    /**
     * @param document to which document each token belongs
     */
    MaskedAttention(Weights weights, int[] document) {
        this.weights = weights;
        this.document = document.clone();
        int tokens = document.length;
        Tensor documents = Tensor.zeros(Format.I64, tokens);
        IntStream.range(0, tokens).forEach(t -> documents.setWhole(t, document[t]));
        this.inputs = new Tensor[] {
            weights.get("q", tokens, HEADS, CHANNELS),
            weights.get("k", tokens, HEADS, CHANNELS),
            weights.get("v", tokens, HEADS, CHANNELS),
            documents};
    }

    Tensor queries() {
        return inputs[0];
    }

    Tensor keys() {
        return inputs[1];
    }

    Tensor values() {
        return inputs[2];
    }

    double shareOfTiles(AttentionMask mask) {
        return mask.shareOfTiles(document);
    }

    Work work(AttentionMask mask) {
        return Work.operations(4.0 * mask.pairs(document) * HEADS * CHANNELS,
                16.0 * document.length * HEADS * CHANNELS);
    }

    WeirContestant weir(AttentionMask mask, Target target, String name, int threads) {
        String where = mask.condition().isEmpty() ? "" : " where " + mask.condition();
        return new WeirContestant(name, WeirModel.of(
                PROGRAM.formatted(HEADS, CHANNELS, where), target.compiler(), threads,
                weights), document.length, inputs);
    }

    /** A few tokens, by the definition. */
    Reference reference(AttentionMask mask) {
        int[] tokens = {0, 1, document.length / 3, document.length - 1};
        int row = HEADS * CHANNELS;
        int[] places = new int[tokens.length * row];
        double[] expected = new double[places.length];
        for (int i = 0; i < tokens.length; i++) {
            for (int h = 0; h < HEADS; h++) {
                double[] z = attend(mask, tokens[i], h);
                for (int c = 0; c < CHANNELS; c++) {
                    places[i * row + h * CHANNELS + c] = tokens[i] * row + h * CHANNELS + c;
                    expected[i * row + h * CHANNELS + c] = z[c];
                }
            }
        }
        return new Reference(places, expected, TOLERANCE);
    }

    private double[] attend(AttentionMask mask, int t, int h) {
        double[] z = new double[CHANNELS];
        double total = 0;
        for (int s = 0; s < document.length; s++) {
            if (mask.visible().sees(t, s, document)) {
                double score = 0;
                for (int c = 0; c < CHANNELS; c++) {
                    score += queries().real(place(t, h, c)) * keys().real(place(s, h, c));
                }
                double e = Math.exp(score / Math.sqrt(CHANNELS));
                total += e;
                for (int c = 0; c < CHANNELS; c++) {
                    z[c] += e * values().real(place(s, h, c));
                }
            }
        }
        for (int c = 0; c < CHANNELS && total > 0; c++) {
            z[c] /= total;
        }
        return z;
    }

    private static long place(int t, int h, int c) {
        return ((long) t * HEADS + h) * CHANNELS + c;
    }
}
