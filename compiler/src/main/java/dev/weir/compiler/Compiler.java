package dev.weir.compiler;

import dev.weir.frontend.Frontend;
import dev.weir.frontend.LowerOptions;
import dev.weir.frontend.SourceProvider;
import dev.weir.ir.diagnostic.Source;
import dev.weir.ir.kernel.KernelProgram;
import dev.weir.ir.kernel.TargetDescription;
import dev.weir.ir.tensor.TensorProgram;
import dev.weir.passes.pipeline.Pipeline;
import dev.weir.passes.schedule.Schedule;
import java.util.List;
import java.util.Set;

/**
 * The pure core put together: each arrow of the pipeline is one method here. No files, no console.
 *
 * <pre>
 *   source ──lower──▶ tensor program ──optimise──▶ lifted ──schedule──▶ kernel program ──▶ a back
 * end
 * </pre>
 */
public final class Compiler {
    private Compiler() {}

    /** Checks and lowers a model. */
    public static TensorProgram lower(
            Source source, SourceProvider sources, LowerOptions options) {
        return Frontend.lower(source, sources, options);
    }

    /** Checks and lowers all entries of a model; the one that is meant by itself comes first. */
    public static List<TensorProgram> entries(
            Source source, SourceProvider sources, LowerOptions options) {
        return Frontend.entries(source, sources, options);
    }

    /** Lifts a program and runs all passes over it. */
    public static TensorProgram optimise(TensorProgram program) {
        return optimise(program, Set.of(), (pass, result, nanos) -> { });
    }

    /** As {@link #optimise(TensorProgram)}, without some passes, and observed. */
    public static TensorProgram optimise(
            TensorProgram program, Set<String> disabled, Pipeline.Observer observer) {
        return Pipeline.run(program, disabled, observer);
    }

    /** Fuses a lifted program into kernels for a machine, with the host program around them. */
    public static KernelProgram schedule(TensorProgram program, TargetDescription target) {
        return schedule(program, target, Set.of(), (step, nanos) -> { });
    }

    /** As {@link #schedule(TensorProgram, TargetDescription)}, without some steps, and observed. */
    public static KernelProgram schedule(
            TensorProgram program,
            TargetDescription target,
            Set<String> disabled,
            Schedule.Observer observer) {
        return Schedule.run(program, target, disabled, observer);
    }
}
