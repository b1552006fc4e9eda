package dev.weir.cli;

/**
 * What {@code weir bench} measures, under the names that llama-bench gave it: {@code pp128} is a
 * prompt of 128 tokens in one step, {@code tg64} is 64 steps of one token. Both begin with nothing.
 *
 * @param tokens of one sequence; at least 1
 */
record Workload(Kind kind, int tokens) {
    enum Kind {
        PROMPT("pp"),
        GENERATION("tg");

        private final String prefix;

        Kind(String prefix) {
            this.prefix = prefix;
        }
    }

    static Workload prompt(int tokens) {
        return new Workload(Kind.PROMPT, tokens);
    }

    static Workload generation(int tokens) {
        return new Workload(Kind.GENERATION, tokens);
    }

    String text() {
        return kind.prefix + tokens;
    }

    boolean isGeneration() {
        return kind == Kind.GENERATION;
    }

    /** How many steps it takes. */
    int steps() {
        return isGeneration() ? tokens : 1;
    }

    /** How many tokens a sequence gets in each step. */
    int tokensOfStep() {
        return tokens / steps();
    }
}
