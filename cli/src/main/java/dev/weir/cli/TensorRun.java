package dev.weir.cli;

import dev.weir.ir.type.Format;
import dev.weir.ir.type.Size;
import dev.weir.runtime.checkpoint.SafeTensors;
import dev.weir.runtime.memory.Tensor;
import dev.weir.runtime.model.Engine;
import dev.weir.runtime.model.Signature;
import java.lang.foreign.Arena;
import java.math.BigInteger;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/**
 * Runs a model on tensors from files, as one batch from the beginning of its sequences: one step,
 * or one of each of several entries after the other.
 */
final class TensorRun {
    /**
     * A step to run.
     *
     * @param inputs a file with its arguments
     */
    record Call(String entry, Path inputs) {}

    /** Which sequences the tensors of a file belong to. */
    private enum Layout {
        /** One sequence. */
        SINGLE,
        /** Each tensor has an axis of sequences in front. */
        EQUAL_LENGTHS,
        /** Streams stand one behind the other; all else has an axis of sequences in front. */
        OWN_LENGTHS
    }

    /** The tensor that says how long the sequences are, {@code [sequences]}. */
    private static final String LENGTHS = "lengths";

    private final Loaded loaded;
    private final Call call;
    private final Signature signature;
    private final List<Signature.Slot> arguments;
    private final Map<String, Tensor> given;
    private final Layout layout;

    private TensorRun(Loaded loaded, Call call, Arena arena) {
        this.loaded = loaded;
        this.call = call;
        this.signature = loaded.signatures().get(call.entry());
        this.arguments = signature.arguments();
        this.given = SafeTensors.map(call.inputs(), arena);
        this.layout = layout();
    }

    /** Runs the calls in their order, and writes what all of them gave. */
    static void run(Loaded loaded, List<Call> calls, Path outputs) {
        try (Arena arena = Arena.ofConfined()) {
            List<TensorRun> runs = calls.stream()
                    .map(c -> new TensorRun(loaded, c, arena)).toList();
            long sequences = runs.getFirst().sequences();
            List<Engine.Session> sessions = new ArrayList<>();
            for (int b = 0; b < sequences; b++) {
                sessions.add(loaded.engine().start());
            }
            Map<String, Tensor> written = new LinkedHashMap<>();
            for (TensorRun run : runs) {
                if (run.sequences() != sequences) {
                    throw new UserException(run.call.inputs() + " has " + run.sequences()
                            + " sequences, " + runs.getFirst().call.inputs() + " has "
                            + sequences);
                }
                String prefix = calls.size() == 1 ? "" : run.call.entry() + ".";
                run.step(sessions).forEach((name, tensor) ->
                        written.put(unused(prefix + name, written), tensor.copy()));
                if (run.layout == Layout.OWN_LENGTHS) {
                    written.put(unused(prefix + LENGTHS, written), run.given.get(LENGTHS).copy());
                }
            }
            SafeTensors.write(outputs, written);
            sessions.forEach(Engine.Session::close);
        }
    }

    private long sequences() {
        return switch (layout) {
            case SINGLE -> 1;
            case EQUAL_LENGTHS -> first().shape()[0];
            case OWN_LENGTHS -> given.get(LENGTHS).elements();
        };
    }

    private Map<String, Tensor> step(List<Engine.Session> sessions) {
        long[] rows = rows(sessions.size());
        List<Tensor> flat = new ArrayList<>();
        for (Signature.Slot argument : arguments) {
            flat.add(argument.isPositions() && !given.containsKey(argument.name())
                    ? Engine.positions(call.entry(), sessions, rows)
                    : flat(argument, input(argument), rows));
        }
        Map<String, Tensor> traced = new LinkedHashMap<>();
        List<Tensor> results = loaded.engine().step(call.entry(), sessions, rows, flat,
                (path, value) -> traced.put(unused(path, traced), value.copy()));
        Map<String, Tensor> written = new LinkedHashMap<>(traced);
        for (int r = 0; r < results.size(); r++) {
            Signature.Slot slot = signature.results().get(r);
            Tensor last = shaped(slot, results.get(r), sessions.size());
            Tensor first = written.put(slot.name(), last);
            // A result is also a traced equation, of which it is the last value.
            if (traced.containsKey(slot.name() + "#2")) {
                written.put(slot.name() + "#1", first);
            }
        }
        return written;
    }

    /** A path that is shown several times has its further values under {@code path#2} and on. */
    private static String unused(String path, Map<String, Tensor> traced) {
        String name = path;
        for (int i = 2; traced.containsKey(name); i++) {
            name = path + "#" + i;
        }
        return name;
    }

    private Tensor input(Signature.Slot argument) {
        Tensor tensor = given.get(argument.name());
        if (tensor == null) {
            throw new UserException(call.inputs() + " has no tensor " + argument.name()
                    + ": expected " + argument.type()
                    + ", with one more axis in front for a batch");
        }
        return tensor;
    }

    private Tensor first() {
        return input(arguments.getFirst());
    }

    private Layout layout() {
        Tensor lengths = given.get(LENGTHS);
        if (lengths != null && arguments.stream().noneMatch(a -> a.name().equals(LENGTHS))) {
            if (lengths.shape().length != 1 || lengths.format().isFloat()) {
                throw new UserException(call.inputs() + ": lengths is " + lengths.format()
                        + Arrays.toString(lengths.shape())
                        + ", expected one whole number for each sequence");
            }
            return Layout.OWN_LENGTHS;
        }
        int own = arguments.getFirst().type().rank();
        int rank = first().shape().length;
        if (rank != own && rank != own + 1) {
            throw new UserException("the input " + arguments.getFirst().name() + " has "
                    + rank + " axes, expected " + own + ", or one more for a batch");
        }
        return rank == own ? Layout.SINGLE : Layout.EQUAL_LENGTHS;
    }

    /** How many elements of its stream each sequence gets. */
    private long[] rows(int sequences) {
        long[] rows = new long[sequences];
        if (layout != Layout.OWN_LENGTHS) {
            Arrays.fill(rows, rowsOfEach());
            return rows;
        }
        Arrays.setAll(rows, i -> given.get(LENGTHS).whole(i));
        for (long length : rows) {
            if (length < 0) {
                throw new UserException(call.inputs() + ": lengths holds " + length
                        + ", expected the elements of a sequence");
            }
        }
        // Before anything is made that is as long: positions stand for no tensor of the file.
        List<Signature.Slot> streams = arguments.stream()
                .filter(a -> a.isStream() && given.containsKey(a.name())).toList();
        if (streams.isEmpty()) {
            throw new UserException(call.inputs() + " has lengths and no stream that they are of");
        }
        streams.forEach(stream -> requireRows(stream, leadingSize(stream), rows));
        return rows;
    }

    private long rowsOfEach() {
        for (Signature.Slot argument : arguments) {
            if (argument.isStream() && given.containsKey(argument.name())) {
                return given.get(argument.name()).shape()[leading(argument)];
            }
        }
        return 1;
    }

    /** Elements of a stream that stand one sequence behind the other. */
    private long leadingSize(Signature.Slot stream) {
        Tensor tensor = given.get(stream.name());
        if (tensor.shape().length == 0) {
            throw misshapen(stream, tensor);
        }
        return tensor.shape()[0];
    }

    /** How many axes of sequences a tensor of the file has in front. */
    private int leading(Signature.Slot slot) {
        return switch (layout) {
            case SINGLE -> 0;
            case EQUAL_LENGTHS -> 1;
            case OWN_LENGTHS -> slot.isStream() ? 0 : 1;
        };
    }

    private Tensor flat(Signature.Slot argument, Tensor tensor, long[] rows) {
        long sequences = rows.length;
        long[] shape = tensor.shape();
        List<Size> own = argument.type().shape();
        int lead = leading(argument);
        if (shape.length != own.size() + lead || lead == 1 && shape[0] != sequences) {
            throw misshapen(argument, tensor);
        }
        for (int axis = 0; axis < own.size(); axis++) {
            long size = shape[axis + lead];
            if (own.get(axis).constant().map(c -> c != size).orElse(false)) {
                throw misshapen(argument, tensor);
            }
        }
        if (argument.isStream()) {
            requireRows(argument, shape[lead], rows);
        }
        long[] merged = argument.isStream()
                ? Arrays.copyOfRange(shape, lead, shape.length)
                : lead == 1 ? shape.clone() : prepend(1, shape);
        if (argument.isStream() && lead == 1) {
            merged[0] *= sequences;
        }
        return converted(argument, new Tensor(tensor.format(), merged, tensor.memory()));
    }

    private void requireRows(Signature.Slot argument, long found, long[] rows) {
        if (layout == Layout.OWN_LENGTHS) {
            // Those of a hostile file may be as large as numbers are.
            var all = Arrays.stream(rows).mapToObj(BigInteger::valueOf)
                    .reduce(BigInteger.ZERO, BigInteger::add);
            if (!all.equals(BigInteger.valueOf(found))) {
                throw new UserException("the input " + argument.name() + " has " + found
                        + " elements of the stream, those of all lengths are " + all);
            }
        } else if (rows.length > 0 && found != rows[0]) {
            throw new UserException("the input " + argument.name() + " has " + found
                    + " elements of the stream where " + arguments.stream()
                            .filter(Signature.Slot::isStream).findFirst().orElseThrow().name()
                    + " has " + rows[0] + "; all that go along the stream have equally many");
        }
    }

    private static UserException misshapen(Signature.Slot argument, Tensor tensor) {
        return new UserException("the input " + argument.name() + " has the shape "
                + Arrays.toString(tensor.shape()) + ", expected " + argument.type()
                + ", or the same with one more axis in front for a batch");
    }

    private static long[] prepend(long size, long[] shape) {
        long[] longer = new long[shape.length + 1];
        longer[0] = size;
        System.arraycopy(shape, 0, longer, 1, shape.length);
        return longer;
    }

    /** A copy in the format that the model wants, in memory that kernels may read past. */
    private static Tensor converted(Signature.Slot argument, Tensor tensor) {
        Format format = argument.format();
        Tensor copy = Tensor.zeros(format, tensor.shape());
        for (long i = 0; i < tensor.elements(); i++) {
            if (format.isFloat()) {
                copy.setReal(i, tensor.real(i));
            } else if (tensor.format().isFloat() && tensor.real(i) != Math.rint(tensor.real(i))) {
                throw new UserException("the input " + argument.name() + " holds "
                        + tensor.real(i) + ", expected whole numbers (" + argument.type() + ")");
            } else {
                copy.setWhole(i, tensor.format().isFloat()
                        ? (long) tensor.real(i) : tensor.whole(i));
            }
        }
        return copy;
    }

    private Tensor shaped(Signature.Slot value, Tensor result, long sequences) {
        long[] shape = result.shape();
        if (!value.isStream()) {
            return layout == Layout.SINGLE
                    ? new Tensor(result.format(), Arrays.copyOfRange(shape, 1, shape.length),
                            result.memory())
                    : result;
        }
        if (layout != Layout.EQUAL_LENGTHS) {
            return result;
        }
        long[] split = prepend(sequences, shape);
        split[1] = sequences == 0 ? 0 : shape[0] / sequences;
        return new Tensor(result.format(), split, result.memory());
    }
}
