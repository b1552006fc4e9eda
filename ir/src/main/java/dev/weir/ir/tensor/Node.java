package dev.weir.ir.tensor;

import dev.weir.ir.diagnostic.Span;
import dev.weir.ir.type.Size;
import java.util.List;
import java.util.Optional;

/**
 * One step of a program. Nothing here is named after an architecture: an attention is computes, a
 * mixture of experts is a {@link Route}.
 *
 * <p>A program comes <em>unlifted</em> from the frontend, written for one sequence and one token,
 * with {@link Call}, {@link Route}, {@link Gate} and scalar {@link If}. The lift pass replaces
 * these by computes over all entrants at once; what it leaves is called <em>lifted</em>.
 */
public sealed interface Node {

    /** The values that this node defines. */
    List<Value> results();

    /** The source text that the node comes from, or {@link Span#NONE}. */
    default Span span() {
        return Span.NONE;
    }

    /**
     * A tensor defined by what one element is.
     *
     * @param result its shape has one size for each axis
     * @param axes one index for each axis of the result, outermost first; a range may be narrower
     *     than the axis, and elements outside it are then never read
     * @param reduction brings the values of the body together over further indices
     * @param body one element, or one term of the reduction
     */
    record Compute(
            Value result,
            List<Axis> axes,
            Optional<Reduction> reduction,
            Scalar body,
            Span span)
            implements Node {
        public Compute {
            axes = List.copyOf(axes);
            if (axes.size() != result.type().rank()) {
                throw new IllegalArgumentException(
                        "compute " + result.name() + ": " + result.type() + " with "
                                + axes.size() + " axes");
            }
        }

        @Override
        public List<Value> results() {
            return List.of(result);
        }
    }

    /**
     * A copy of {@code base} in which the elements at {@code target} are replaced by, or combined
     * with, the body, in ascending order of the indices.
     *
     * @param combine how the body meets what is there; empty to replace it
     * @param checked whether a target outside the tensor is possible, and a fault
     */
    record Scatter(
            Value result,
            Value base,
            List<Axis> axes,
            List<Scalar> target,
            Optional<Reduction.Kind> combine,
            boolean checked,
            Scalar body,
            Span span)
            implements Node {
        public Scatter {
            axes = List.copyOf(axes);
            target = List.copyOf(target);
        }

        @Override
        public List<Value> results() {
            return List.of(result);
        }
    }

    /**
     * The {@code count} largest elements along the last axis, largest first, and where they stand;
     * of equal elements the one with the lower index comes first, NaN counts as the smallest.
     *
     * @param values {@code [..., count]}, in the operand's format
     * @param indices {@code i64[..., count]}
     */
    record TopK(Value values, Value indices, Value operand, long count, Span span)
            implements Node {
        @Override
        public List<Value> results() {
            return List.of(values, indices);
        }
    }

    /**
     * The indices at which a boolean vector holds, ascending.
     *
     * @param indices {@code i64[count]}
     * @param condition {@code bool[n]}
     * @param count the size that this node gives a value
     */
    record Selection(Value indices, Value condition, Size.Symbol count, Span span)
            implements Node {
        @Override
        public List<Value> results() {
            return List.of(indices);
        }
    }

    /**
     * Brings equal keys together: a stable counting sort.
     *
     * @param order {@code i64[n]}: the elements' old places, by ascending key
     * @param members {@code i64[n]}: the keys in that order
     * @param offsets {@code i64[groups + 1]}: where each group begins in {@code order}
     * @param keys {@code i64[n]}, each in {@code 0..groups}; anything else is a fault
     */
    record Grouping(
            Value order, Value members, Value offsets, Value keys, long groups, Span span)
            implements Node {
        @Override
        public List<Value> results() {
            return List.of(order, members, offsets);
        }
    }

    /**
     * Gives a run-time size its value: the largest element of a table, or 0 if it has none.
     *
     * @param size the size that this node gives a value
     * @param table {@code i64[…]}, no element negative
     */
    record Measure(Size.Symbol size, Value table) implements Node {
        @Override
        public List<Value> results() {
            return List.of();
        }
    }

    /**
     * Runs a function, once for each point of the lifted axes. Unlifted programs only.
     *
     * @param instances which instance of the block runs, one i64 expression a placeholder; they may
     *     load scalar values
     * @param lifts the axes along which the call is applied, outermost first; results have them as
     *     leading axes
     */
    record Call(
            List<Value> results,
            String function,
            List<Scalar> instances,
            List<Value> arguments,
            List<Lift> lifts,
            Span span)
            implements Node {
        public Call {
            results = List.copyOf(results);
            instances = List.copyOf(instances);
            arguments = List.copyOf(arguments);
            lifts = List.copyOf(lifts);
        }
    }

    /**
     * One axis along which a call is applied.
     *
     * @param size of the axis
     * @param carried for each argument, whether it has the axis (as its next leading one) or is
     *     the same at every point of it
     */
    record Lift(Size size, List<Boolean> carried) {
        public Lift {
            carried = List.copyOf(carried);
        }
    }

    /**
     * Calls one of several blocks at run-time indices and sums what they give, by ascending index:
     * {@code result = sum[j] weights[j] * block(selection[j])(arguments)}. Unlifted programs only.
     *
     * @param selection {@code i64[k]}, distinct, each in {@code 0..n} for n blocks in all
     * @param weights {@code f32[k]}
     * @param alternatives which function serves which stretch of the indices
     * @param instances the instances of the block that owns the list
     */
    record Route(
            Value result,
            Value selection,
            Value weights,
            List<Alternative> alternatives,
            List<Scalar> instances,
            List<Value> arguments,
            String path,
            Span span)
            implements Node {
        public Route {
            alternatives = List.copyOf(alternatives);
            instances = List.copyOf(instances);
            arguments = List.copyOf(arguments);
        }

        @Override
        public List<Value> results() {
            return List.of(result);
        }
    }

    /**
     * A stretch of a block list.
     *
     * @param function runs them; {@code indexed} ones take their place in the stretch as one more
     *     instance; empty if nothing runs and nothing is added
     * @param first index of the first block
     * @param count how many there are
     * @param indexed whether the stretch is a list of instances or one instance
     * @param start which instance of the function the first block is
     */
    record Alternative(String function, long first, long count, boolean indexed, long start) {
        /** A choice of no block. */
        public static Alternative none(long first, long count) {
            return new Alternative("", first, count, false, 0);
        }

        public boolean isNone() {
            return function.isEmpty();
        }
    }

    /** Runs one of two regions; their results become the node's. */
    record If(
            List<Value> results, Value condition, Region then, Region otherwise, Span span)
            implements Node {
        public If {
            results = List.copyOf(results);
        }
    }

    /**
     * Runs a region on those elements of an axis for which a condition holds. Unlifted programs
     * only.
     *
     * @param results one for each result of the body: {@code before} with the entrants' rows
     *     replaced
     * @param condition {@code bool[n]}
     * @param entrants the size of the axis inside the body
     * @param captured values whose first axis is the gated one; the body's arguments are the same
     *     values with the entrants' rows only
     * @param before what those that do not enter keep, one for each result
     * @param body its results have the entrants as their first axis
     * @param completes the growing states that this gate and another one of the same step, whose
     *     entrants are those that do not enter here, fill together: each appended row gets the slot
     *     of its element, as if all elements had been appended at once
     * @param path names the gate in the ledger
     */
    record Gate(
            List<Value> results,
            Value condition,
            Size.Symbol entrants,
            List<Value> captured,
            List<Value> before,
            Region body,
            List<String> completes,
            String path,
            Span span)
            implements Node {
        public Gate {
            completes = List.copyOf(completes);
            results = List.copyOf(results);
            captured = List.copyOf(captured);
            before = List.copyOf(before);
        }
    }

    /**
     * Runs a region for {@code index} from {@code from} up to but not including {@code to}.
     *
     * @param index i64 scalar, visible in the body
     * @param initial what the body's arguments are in the first iteration; afterwards they are the
     *     body's results
     * @param active which carried value, a boolean tensor, ends the loop as soon as none of its
     *     elements holds; empty to run all iterations
     * @param path names the loop in the ledger
     */
    record Loop(
            List<Value> results,
            Value index,
            Scalar from,
            Scalar to,
            List<Value> initial,
            Optional<Integer> active,
            Region body,
            String path,
            Span span)
            implements Node {
        public Loop {
            results = List.copyOf(results);
            initial = List.copyOf(initial);
        }
    }

    /**
     * Appends rows to a growing state of the present sequence, then reads all of it.
     *
     * @param result {@code [slots, …]}: the state after the append
     * @param state the state's name
     * @param rows {@code [n, …]}
     */
    record Append(Value result, String state, List<Scalar> instances, Value rows, Span span)
            implements Node {
        public Append {
            instances = List.copyOf(instances);
        }

        @Override
        public List<Value> results() {
            return List.of(result);
        }
    }

    /** What a state of the present sequence holds: a growing one, all that has been appended. */
    record Read(Value result, String state, List<Scalar> instances, Span span) implements Node {
        public Read {
            instances = List.copyOf(instances);
        }

        @Override
        public List<Value> results() {
            return List.of(result);
        }
    }

    /** Replaces what a carried state of the present sequence holds. */
    record Write(String state, List<Scalar> instances, Value value, Span span) implements Node {
        public Write {
            instances = List.copyOf(instances);
        }

        @Override
        public List<Value> results() {
            return List.of();
        }
    }

    /**
     * Appends the rows of a frame, each to the growing state of its own sequence. Lifted programs
     * only.
     *
     * @param rows {@code [n, …]}, the rows of one sequence together and in order
     * @param segment {@code i64[n]}: each row's sequence
     * @param offsets {@code i64[sequences + 1]}: where each sequence's rows begin
     * @param among says of which elements the rows are; empty if of all that a sequence has
     */
    record AppendRows(
            String state,
            List<Scalar> instances,
            Value rows,
            Value segment,
            Value offsets,
            Optional<Among> among,
            Span span)
            implements Node {
        public AppendRows {
            instances = List.copyOf(instances);
        }

        @Override
        public List<Value> results() {
            return List.of();
        }
    }

    /**
     * Rows for some of the elements of a step, where others of the step bring the rest: the state
     * gets a slot for each element, once, and the rows are put at those of their elements.
     *
     * @param places {@code i64[n]}: which of its sequence's elements each row is of
     * @param offsets {@code i64[sequences + 1]}: where each sequence's elements begin
     */
    record Among(Value places, Value offsets) {}

    /**
     * Replaces the carried states of the sequences that {@code segment} names, a row each. Lifted
     * programs only.
     */
    record WriteRows(
            String state, List<Scalar> instances, Value rows, Value segment, Span span)
            implements Node {
        public WriteRows {
            instances = List.copyOf(instances);
        }

        @Override
        public List<Value> results() {
            return List.of();
        }
    }

    /** Shows a value to whoever watches the run, under its path in the model. */
    record Trace(String path, List<Scalar> instances, Value value) implements Node {
        public Trace {
            instances = List.copyOf(instances);
        }

        @Override
        public List<Value> results() {
            return List.of();
        }
    }

    /** Counts, for the ledger, how many of the elements at a gate entered. Lifted programs only. */
    record Tally(
            String path,
            List<Scalar> instances,
            TallyKind kind,
            List<Scalar> amounts,
            Optional<Value> offsets)
            implements Node {
        public Tally {
            instances = List.copyOf(instances);
            amounts = List.copyOf(amounts);
        }

        @Override
        public List<Value> results() {
            return List.of();
        }
    }

    /** What a tally counts. */
    enum TallyKind {
        /** Two amounts: how many entered, how many there were. */
        GATE,
        /** How many elements each block of a list served: the differences of {@code offsets}. */
        ROUTE,
        /** Iterations of a loop: one more, or as many as the one amount says. */
        ITERATION
    }
}
