package dev.weir.bench.model;

/** A language model in some engine, with one sequence. */
public interface LanguageModel extends AutoCloseable {

    /** The engine's name. */
    String name();

    /** Whether it is somebody else's. */
    boolean isPeer();

    /** Goes on by some tokens in one step; logits of the last one are computed at least. */
    void feed(long[] ids);

    /** How many tokens the sequence has. */
    long length();

    /** Forgets all tokens but the first ones. */
    void truncate(long tokens);

    /** Logits of the last token, or probabilities where an engine gives nothing else. */
    float[] logits();

    @Override
    void close();
}
