package dev.weir.ir.kernel;

import dev.weir.ir.tensor.Node;
import dev.weir.ir.tensor.Scalar;
import dev.weir.ir.tensor.Value;
import dev.weir.ir.type.Size;
import java.util.List;
import java.util.Optional;

/**
 * A step of the host program: what runs between kernels. Tensors are named by their {@link Value}s;
 * scalars of the host are expressions over run-time sizes, host variables and elements of finished
 * tensors.
 */
public sealed interface HostStatement {

    /** Takes memory for a tensor; its shape's symbols have values by now. Content undefined. */
    record Allocate(Value value) implements HostStatement {}

    /** Forgets a name; the memory is given back with its last name. */
    record Release(Value value) implements HostStatement {}

    /** Lets {@code target} be another name for the memory of {@code source}. */
    record Alias(Value target, Value source) implements HostStatement {}

    /**
     * Gives {@code target} memory of its own with the content of {@code source}.
     *
     * @param last whether {@code source} is forgotten by this; if nobody else has a name for its
     *     memory, it is handed on without a copy
     */
    record Own(Value target, Value source, boolean last) implements HostStatement {}

    /**
     * Runs a kernel over {@code tiles} tiles; nothing happens if there are none.
     *
     * @param kernel its name
     * @param buffers what its buffers are, in order
     * @param scalars what its scalars are, in order
     * @param weights the parameters that it reads, for the ledger
     */
    record Launch(
            String kernel,
            List<Operand> buffers,
            List<Scalar> scalars,
            Scalar tiles,
            List<WeightUse> weights)
            implements HostStatement {
        public Launch {
            buffers = List.copyOf(buffers);
            scalars = List.copyOf(scalars);
            weights = List.copyOf(weights);
        }
    }

    /** What a kernel gets for one of its buffers. */
    sealed interface Operand {
        /** The memory of a tensor. */
        record Tensor(Value value) implements Operand {}

        /** The addresses of all instances of a parameter, an i64 each. */
        record ParameterTable(Value parameter) implements Operand {}

        /** The addresses of a state's buffers, an i64 for each instance and sequence. */
        record StateTable(Value state) implements Operand {}
    }

    /**
     * What a launch reads of a parameter: {@code bytes} for each of its instances that take part.
     * With {@code groups}, those are as many as the offsets table has stretches with rows of the
     * launch; otherwise it is one.
     *
     * @param part the rows of the launch, if they are not all that the table divides
     * @param picked how often data picks such bytes out of the parameter, if it does
     */
    record WeightUse(
            Value parameter,
            long bytes,
            Optional<Value> groups,
            Optional<Part> part,
            Optional<Picked> picked) {}

    /**
     * What data picks out of a parameter, as much as all of it at most.
     *
     * @param count how many picks there are, the same ones counted again
     * @param most bytes of all that can be picked
     */
    record Picked(Scalar count, long most) {}

    /** Some of the rows that a table of offsets divides: {@code count} from {@code first} on. */
    record Part(Scalar first, Scalar count) {}

    /** Gives a run-time size a value. */
    record SetSize(Size.Symbol size, Scalar value) implements HostStatement {}

    /** Gives a run-time size the largest element of an i64 tensor, or 0 if it has none. */
    record SetSizeToLargest(Size.Symbol size, Value table) implements HostStatement {}

    /** Gives a host variable (a value of rank 0) its value. */
    record SetScalar(Value variable, Scalar value) implements HostStatement {}

    /** Runs one of two lists of statements. */
    record If(Scalar condition, List<HostStatement> then, List<HostStatement> otherwise)
            implements HostStatement {
        public If {
            then = List.copyOf(then);
            otherwise = List.copyOf(otherwise);
        }
    }

    /**
     * Runs the body for {@code index} from {@code from} below {@code to}.
     *
     * @param active where present, a boolean tensor: before each iteration, the loop ends if none
     *     of its elements holds
     */
    record Loop(
            Value index, Scalar from, Scalar to, Optional<Value> active, List<HostStatement> body)
            implements HostStatement {
        public Loop {
            body = List.copyOf(body);
        }
    }

    /** Makes room in a growing state for the rows that the offsets table announces. */
    record Reserve(Value state, List<Scalar> instances, Value offsets) implements HostStatement {
        public Reserve {
            instances = List.copyOf(instances);
        }
    }

    /**
     * Gives a growing state a slot for each element that the offsets table announces, unless this
     * step has done so.
     */
    record Extend(Value state, List<Scalar> instances, Value offsets) implements HostStatement {
        public Extend {
            instances = List.copyOf(instances);
        }
    }

    /** Makes those rows part of the state. */
    record Advance(Value state, List<Scalar> instances, Value offsets) implements HostStatement {
        public Advance {
            instances = List.copyOf(instances);
        }
    }

    /** Shows a tensor to whoever watches. */
    record Trace(String path, List<Scalar> instances, Value value) implements HostStatement {
        public Trace {
            instances = List.copyOf(instances);
        }
    }

    /** Counts for the ledger, as {@link Node.Tally}. */
    record Tally(
            String path,
            List<Scalar> instances,
            Node.TallyKind kind,
            List<Scalar> amounts,
            Optional<Value> offsets)
            implements HostStatement {
        public Tally {
            instances = List.copyOf(instances);
            amounts = List.copyOf(amounts);
        }
    }
}
