package dev.weir.passes.pipeline;

import dev.weir.ir.tensor.TensorProgram;
import java.util.Set;

/** Runs the passes of {@link Passes} and shows each result to an observer. */
public final class Pipeline {
    private Pipeline() {}

    /** Sees the program after each pass. */
    public interface Observer {
        void after(Pass pass, TensorProgram program, long nanos);
    }

    /**
     * @param disabled names of optional passes to leave out
     */
    public static TensorProgram run(
            TensorProgram program, Set<String> disabled, Observer observer) {
        TensorProgram current = program;
        for (Pass pass : Passes.ALL) {
            boolean lifted = pass.name().equals("lift") && current.isLifted();
            if (lifted || pass.optional() && disabled.contains(pass.name())) {
                continue;
            }
            long start = System.nanoTime();
            current = pass.run().apply(current);
            observer.after(pass, current, System.nanoTime() - start);
        }
        return current;
    }
}
