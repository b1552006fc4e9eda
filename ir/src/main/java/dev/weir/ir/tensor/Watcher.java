package dev.weir.ir.tensor;

import java.util.List;

/** Is shown what happens in a run: traced values, and what the gates let through. */
public interface Watcher {
    /** Sees nothing. */
    Watcher NONE = new Watcher() {
        @Override
        public void traced(Traced traced) {}

        @Override
        public void tallied(String path, Node.TallyKind kind, List<Long> amounts) {}
    };

    void traced(Traced traced);

    /** Amounts as {@link Node.TallyKind} says. */
    void tallied(String path, Node.TallyKind kind, List<Long> amounts);
}
