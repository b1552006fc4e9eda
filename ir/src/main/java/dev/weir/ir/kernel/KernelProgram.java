package dev.weir.ir.kernel;

import dev.weir.ir.diagnostic.Span;
import dev.weir.ir.tensor.Parameter;
import dev.weir.ir.tensor.State;
import dev.weir.ir.tensor.StreamAxis;
import dev.weir.ir.tensor.TensorProgram;
import dev.weir.ir.tensor.Value;
import dev.weir.ir.type.Size;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/**
 * A whole model as kernels and the host program that calls them.
 *
 * @param name the model's name
 * @param entry the method that a step runs
 * @param parameters what comes from the checkpoint
 * @param states what sequences remember
 * @param stream the axis along which a sequence lies; empty for a model without one
 * @param frames the batch's run-time tables
 * @param arguments tensors that the caller supplies for a step
 * @param results tensors that a step leaves
 * @param resultNames the results as the user named them
 * @param kernels each once, whatever the number of places that launch it
 * @param initialise what is computed once, from the parameters alone; its tensors stay
 * @param step what is computed in each step
 * @param checks what the fault codes of kernels mean, in the user's words
 * @param stories where each kernel comes from, in the order of {@code kernels}
 * @param works what each launch does, in its own run-time sizes
 */
public record KernelProgram(
        String name,
        String entry,
        List<Parameter> parameters,
        List<State> states,
        Optional<StreamAxis> stream,
        TensorProgram.Frames frames,
        List<Value> arguments,
        List<Value> results,
        List<String> resultNames,
        List<Kernel> kernels,
        List<HostStatement> initialise,
        List<HostStatement> step,
        List<String> checks,
        List<Story> stories,
        Map<HostStatement.Launch, Work> works) {

    /**
     * What {@code explain} tells of a kernel.
     *
     * @param kernel its name
     * @param form how it is scheduled
     * @param values the values that it computes, by the user's names
     * @param spans the source text that went into it
     * @param work what one launch does, in run-time sizes
     * @param decisions what was fused, what was not, and why
     */
    public record Story(
            String kernel,
            String form,
            List<String> values,
            List<Span> spans,
            Work work,
            List<String> decisions) {
        public Story {
            values = List.copyOf(values);
            spans = List.copyOf(spans);
            decisions = List.copyOf(decisions);
        }
    }

    /**
     * The work of one launch, in run-time sizes.
     *
     * @param operations applications of an operation, and terms of reductions
     * @param readings tensors that go in, without parameters that are read whole
     * @param written bytes of tensors that come out
     * @param means of tables of whole numbers that come out, where sizes alone say what their
     *     elements are on average: the lengths of sequences, say
     */
    public record Work(
            Size operations, List<Reading> readings, Size written, Map<Value, Size> means) {
        public Work {
            readings = List.copyOf(readings);
            means = Map.copyOf(means);
        }

        /** Bytes that go in, by the first count of each tensor. */
        public Size read() {
            return readings.stream().map(Reading::bytes).reduce(Size.of(0), Size::sum);
        }
    }

    /**
     * A tensor that goes into a launch: all of it, or what stands at the places where it is read.
     * The fewer of the two are read; which these are is known when sizes are.
     *
     * @param bytes what is likely, for those who take one count
     * @param most the other count
     */
    public record Reading(Size bytes, Size most) {}

    public KernelProgram {
        parameters = List.copyOf(parameters);
        states = List.copyOf(states);
        arguments = List.copyOf(arguments);
        results = List.copyOf(results);
        resultNames = List.copyOf(resultNames);
        kernels = List.copyOf(kernels);
        initialise = List.copyOf(initialise);
        step = List.copyOf(step);
        checks = List.copyOf(checks);
        stories = List.copyOf(stories);
        works = Map.copyOf(works);
    }
}
