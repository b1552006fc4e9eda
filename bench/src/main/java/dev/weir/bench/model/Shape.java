package dev.weir.bench.model;

import java.util.Locale;
import java.util.function.LongToDoubleFunction;

/**
 * The sizes of a Llama- or Mixtral-shaped language model with tied embeddings, whose attention has
 * as many heads of keys as of queries.
 *
 * @param type as config.json has it
 * @param inner width inside the feed-forward network, or inside each expert
 * @param experts how many each layer has; 0 for a plain feed-forward network
 * @param active how many of them a token takes
 */
public record Shape(
        String type,
        int vocabulary,
        int width,
        int inner,
        int layers,
        int heads,
        int experts,
        int active,
        double eps,
        double theta) {
    private static final int LONGEST = 4096;

    /** 12 layers of width 768: 110 million parameters. */
    public static final Shape LLAMA =
            new Shape("llama", 32_000, 768, 2048, 12, 12, 0, 0, 1e-6, 10_000);

    /** 8 layers of width 512 with 8 experts, of which 2 work: 119 million parameters. */
    public static final Shape MIXTRAL =
            new Shape("mixtral", 32_000, 512, 960, 8, 8, 8, 2, 1e-5, 1_000_000);

    /** The same with another number of layers. */
    public Shape withLayers(int count) {
        return new Shape(type, vocabulary, width, inner, count, heads, experts, active, eps,
                theta);
    }

    /** Channels of a head. */
    public int channels() {
        return width / heads;
    }

    /** Whether layers have experts. */
    public boolean isMixture() {
        return experts > 0;
    }

    /** Parameters in all. */
    public long parameters() {
        long each = 3L * width * inner;
        long feedForward = isMixture() ? experts * each + (long) experts * width : each;
        return (long) vocabulary * width + width
                + layers * (4L * width * width + feedForward + 2L * width);
    }

    /**
     * Multiplications and additions for some tokens in a row, with logits for each.
     *
     * @param before how many tokens stand before them
     */
    public double operations(long tokens, long before) {
        double each = 6.0 * width * inner;
        double feedForward = isMixture() ? active * each + 2.0 * experts * width : each;
        double perToken = 2.0 * vocabulary * width
                + layers * (8.0 * width * width + feedForward);
        // Queries with keys, and their weights with values; each token sees itself too.
        double pairs = tokens * before + tokens * (tokens + 1) / 2.0;
        return tokens * perToken + layers * pairs * 4 * width;
    }

    /**
     * Bytes of weights that a single token needs.
     *
     * @param row how many a row of a matrix takes, by its elements
     */
    public double tokenBytes(LongToDoubleFunction row) {
        double rows = row.applyAsDouble(width);
        double each = 2 * inner * rows + width * row.applyAsDouble(inner);
        // The router stays f32.
        double feedForward = isMixture() ? active * each + 4.0 * experts * width : each;
        return vocabulary * rows + layers * (4 * width * rows + feedForward);
    }

    /** Bytes of all matrices, by those of a row. */
    public double bytes(LongToDoubleFunction row) {
        Shape all = isMixture() ? new Shape(type, vocabulary, width, inner, layers, heads,
                experts, experts, eps, theta) : this;
        return all.tokenBytes(row);
    }

    /** Bytes of f32 keys and values of so many tokens. */
    public double cacheBytes(long tokens) {
        return 8.0 * layers * width * tokens;
    }

    /** Its config.json, with what different engines ask for. */
    public String configuration() {
        String experts = isMixture()
                ? String.format("\"num_local_experts\": %d, \"num_experts_per_tok\": %d, ",
                        this.experts, active)
                : "";
        return String.format(Locale.ROOT, """
                {"architectures": ["%s"], "model_type": "%s", "hidden_act": "silu", \
                "vocab_size": %d, "hidden_size": %d, "intermediate_size": %d, \
                "num_hidden_layers": %d, "num_attention_heads": %d, "num_key_value_heads": %d, \
                "head_dim": %d, %s"rms_norm_eps": %s, "rope_theta": %s, \
                "rope_parameters": {"rope_theta": %s, "rope_type": "default"}, \
                "max_position_embeddings": %d, "tie_word_embeddings": true, \
                "bos_token_id": 1, "eos_token_id": 2, "dtype": "float32", \
                "torch_dtype": "float32"}
                """, isMixture() ? "MixtralForCausalLM" : "LlamaForCausalLM", type, vocabulary,
                width, inner, layers, heads, heads, channels(), experts, eps, theta, theta,
                LONGEST);
    }
}
