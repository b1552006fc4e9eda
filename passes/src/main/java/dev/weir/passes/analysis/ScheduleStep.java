package dev.weir.passes.analysis;

/** The parts of scheduling, in the order in which a program meets them. */
public enum ScheduleStep {
    WEIGHTS_AT_LOAD("weights-at-load", "what depends on weights alone is computed once", true),
    BYTE_PRODUCTS("byte-products", "codes of rows lie in words, so that four products with codes "
            + "of weights are made at once, where the machine can", true),
    CLUSTERING("clustering", "computes that share their points become one kernel", true),
    RECURRENCES("recurrences", "a loop whose points go on by themselves becomes one kernel", true),
    CONTRACTIONS("contractions", "sums of products with weights are register-blocked over panels "
            + "of packed weights", true),
    UNROLL_AND_JAM("unroll-and-jam", "neighbouring points go through the loops of their sums "
            + "together", true),
    KERNELS("kernels", "what is left of scheduling: kernels are written", false),
    LIFETIMES("lifetimes", "memory is released behind its last use", true);

    private final String text;
    private final String purpose;
    private final boolean optional;

    ScheduleStep(String text, String purpose, boolean optional) {
        this.text = text;
        this.purpose = purpose;
        this.optional = optional;
    }

    /** As users write it: {@code --disable clustering}. */
    public String text() {
        return text;
    }

    /** One sentence. */
    public String purpose() {
        return purpose;
    }

    /** Whether a program can be scheduled without it. */
    public boolean optional() {
        return optional;
    }
}
