package dev.weir.bench.model;

import dev.weir.bench.measure.Contestant;
import java.util.Arrays;
import java.util.SplittableRandom;

/**
 * A language model that takes a prompt, or that goes on behind one token by token. Its result are
 * the logits behind a short prompt and two single tokens.
 */
public final class Continuation implements Contestant {
    private static final int CHECK_PROMPT = 6;
    private static final int CHECK_SINGLE = 2;

    private final LanguageModel model;
    private final long[] ids;
    private final int prompt;
    private final int generated;

    /**
     * @param model is taken over and closed
     * @param generated how many tokens behind the prompt are timed; the prompt itself if 0
     */
    public Continuation(LanguageModel model, int vocabulary, int prompt, int generated) {
        this.model = model;
        this.prompt = prompt;
        this.generated = generated;
        ids = ids(vocabulary, prompt + generated);
    }

    private static long[] ids(int vocabulary, int count) {
        return new SplittableRandom(1).longs(count, 3, vocabulary).toArray();
    }

    /**
     * What {@link #result} should be.
     *
     * @param precision of matrices; what they are multiplied with is not rounded
     */
    public static double[] expected(Parameters parameters, Precision precision) {
        PlainModel plain = new PlainModel(parameters.rounded(precision));
        double[] logits = new double[0];
        for (long id : ids(parameters.shape().vocabulary(), CHECK_PROMPT + CHECK_SINGLE)) {
            logits = plain.next(id);
        }
        return logits;
    }

    /** Probabilities by logits. */
    public static double[] probabilities(double[] logits) {
        double most = Arrays.stream(logits).max().orElseThrow();
        double[] e = Arrays.stream(logits).map(l -> Math.exp(l - most)).toArray();
        double sum = Arrays.stream(e).sum();
        return Arrays.stream(e).map(v -> v / sum).toArray();
    }

    @Override
    public String name() {
        return model.name();
    }

    @Override
    public boolean isPeer() {
        return model.isPeer();
    }

    @Override
    public void run() {
        if (generated == 0) {
            model.truncate(0);
            model.feed(Arrays.copyOf(ids, prompt));
            return;
        }
        if (model.length() < prompt) {
            model.truncate(0);
            model.feed(Arrays.copyOf(ids, prompt));
        }
        model.truncate(prompt);
        for (int i = prompt; i < prompt + generated; i++) {
            model.feed(new long[] {ids[i]});
        }
    }

    @Override
    public float[] result() {
        model.truncate(0);
        model.feed(Arrays.copyOf(ids, CHECK_PROMPT));
        for (int i = 0; i < CHECK_SINGLE; i++) {
            model.feed(new long[] {ids[CHECK_PROMPT + i]});
        }
        float[] logits = model.logits();
        model.truncate(0);
        return logits;
    }

    @Override
    public void close() {
        model.close();
    }
}
