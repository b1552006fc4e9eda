package dev.weir.codegen.jvm.artefact;

import dev.weir.ir.tensor.Fault;
import dev.weir.ir.type.Format;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.function.BiFunction;

/**
 * A compiled model with its weights: what the class that is written for a model is a typed face of.
 * Steps of one model take turns; several models run side by side.
 */
public final class ArtefactModel implements AutoCloseable {
    private static final int DATA = 1;
    private static final int MEMORY = 2;
    private static final int SIZES = 3;
    private static final int DIVISION = 4;
    private static final int CALL = 5;
    private static final int WHOLE = 6;

    private final Map<String, Object> description;
    private final List<Slot> arguments;
    private final List<Slot> results;
    private final int lanes;
    private final HostMemory memory = new HostMemory();
    /** The mapped files, and copies of tensors that are stored otherwise. */
    private final Arena weights = Arena.ofShared();
    private final HostProgram program;
    private final long model;
    private boolean open = true;

    /** An argument or a result: elements for one row of the stream, or for one sequence. */
    private record Slot(String name, Format format, boolean stream, long width) {}

    private ArtefactModel(
            Map<String, Object> description,
            Path place,
            int lanes,
            BiFunction<Integer, HostMemory, HostProgram> programs) {
        this.description = description;
        this.arguments = slots("arguments");
        this.results = slots("results");
        this.lanes = lanes;
        this.program = programs.apply(lanes, memory);
        try {
            List<Stored> bound = Weights.bind(description, place, weights);
            MemorySegment table = weights.allocate(Math.max(8, 8L * bound.size()), 8);
            for (int i = 0; i < bound.size(); i++) {
                table.setAtIndex(ValueLayout.JAVA_LONG, i, bound.get(i).memory().address());
            }
            model = program.create(table.address());
            if (model == 0) {
                throw new ArtefactException("there is not enough memory for the model");
            }
            require(program.initialise(model));
        } catch (Throwable e) {
            free();
            throw e;
        }
    }

    /**
     * Loads weights and prepares them.
     *
     * @param description JSON that was written with the code
     * @param place a checkpoint folder, or one safetensors file; mapped, and in use until the model
     *     is closed
     * @param programs the host programs for so many f32 lanes: 16, 8, 4, and 1 without vectors
     * @throws ArtefactException if the weights do not fit; all that is wrong is listed
     */
    public static ArtefactModel load(
            String description,
            Path place,
            BiFunction<Integer, HostMemory, HostProgram> programs) {
        int widest = Lanes.widest();
        int lanes = widest >= 16 ? 16 : widest >= 8 ? 8 : widest >= 4 ? 4 : 1;
        return new ArtefactModel(Json.object(Json.parse(description), "the description"),
                place, lanes, programs);
    }

    private List<Slot> slots(String kind) {
        List<Slot> slots = new ArrayList<>();
        for (Object entry : Json.list(description.get(kind), kind)) {
            Map<String, Object> slot = Json.object(entry, kind);
            slots.add(new Slot(slot.get("name").toString(),
                    Format.valueOf(slot.get("format").toString()),
                    Boolean.TRUE.equals(slot.get("stream")),
                    Json.sizes(List.of(slot.get("width")), kind)[0]));
        }
        return slots;
    }

    /** f32 lanes of the vectors in use; 1 if there are none. */
    public int lanes() {
        return lanes;
    }

    private void requireOpen() {
        if (!open) {
            throw new IllegalStateException("this model is closed");
        }
    }

    /** A sequence that has seen nothing. */
    public synchronized ArtefactSession start() {
        requireOpen();
        long session = program.sessionNew(model);
        if (session == 0) {
            require(program.status(model));
        }
        return new ArtefactSession(this, session);
    }

    synchronized long position(ArtefactSession session) {
        requireOpen();
        return program.sessionPosition(session.address());
    }

    synchronized void free(ArtefactSession session) {
        if (open) {
            program.sessionFree(session.address());
        }
    }

    /**
     * Runs a step of several sequences: for all of them, or, if it fails, for none.
     *
     * @param rows how many elements of the stream each gets
     * @param given one Java array for each argument, the rows of all sequences one behind the
     *     other: {@code long[]} for i64, {@code int[]} for i32, {@code double[]} for f64, {@code
     *     boolean[]} for bool, {@code float[]} for the others, rounded to nearest
     * @return an array for each result, likewise
     * @throws ArtefactException if the data does not fit the model
     */
    public synchronized Object[] step(
            List<ArtefactSession> sessions, long[] rows, Object... given) {
        requireOpen();
        if (sessions.size() != rows.length) {
            throw new ArtefactException(
                    sessions.size() + " sessions, and rows for " + rows.length);
        }
        long total = 0;
        for (long count : rows) {
            total += count;
        }
        try (Arena arena = Arena.ofConfined()) {
            MemorySegment table = arena.allocate(8L * Math.max(1, sessions.size()), 8);
            MemorySegment counts = arena.allocate(8L * Math.max(1, rows.length), 8);
            for (int b = 0; b < rows.length; b++) {
                table.setAtIndex(
                        ValueLayout.JAVA_LONG, b, sessions.get(b).addressIn(this));
                counts.setAtIndex(ValueLayout.JAVA_LONG, b, rows[b]);
            }
            MemorySegment places = arena.allocate(8L * Math.max(1, arguments.size()), 8);
            for (int i = 0; i < arguments.size(); i++) {
                Slot slot = arguments.get(i);
                Stored argument = ArrayTransfer.stored(slot.format, given[i], arena);
                long expected = slot.width * (slot.stream ? total : rows.length);
                if (argument.shape()[0] != expected) {
                    throw new ArtefactException(slot.name + " has " + argument.shape()[0]
                            + " elements, expected " + expected + ": " + slot.width
                            + (slot.stream ? " for each of " + total + " rows"
                                    : " for each of " + rows.length + " sequences"));
                }
                places.setAtIndex(ValueLayout.JAVA_LONG, i, argument.memory().address());
            }
            require(program.step(model, table.address(), rows.length, counts.address(),
                    places.address()));
        }
        Object[] left = new Object[results.size()];
        for (int i = 0; i < left.length; i++) {
            left[i] = ArrayTransfer.array(results.get(i).format, program.result(model, i),
                    program.resultElements(model, i));
        }
        return left;
    }

    private void require(long status) {
        if (status != 0) {
            throw new ArtefactException(message((int) status));
        }
    }

    private String message(int status) {
        int check = (int) program.faultCheck(model);
        long value = program.faultValue(model);
        long limit = program.faultLimit(model);
        return switch (status) {
            case DATA -> data(check, value, limit);
            case MEMORY -> "there is not enough memory for another " + value + " bytes";
            case SIZES -> "the sizes " + value + " and " + limit
                    + " are too large to compute with";
            case DIVISION -> "a whole number is divided by zero";
            case CALL -> switch (check) {
                case 2 -> "session " + value + " is closed";
                case 3 -> "a session takes part in a step once at most";
                case 4 -> value + " rows in a step, and there may be 0 to " + limit;
                default -> "the step was called wrongly";
            };
            case WHOLE -> "a sequence has had its first " + value + " elements already, and this "
                    + "model takes a whole sequence in one step: " + description.get("obstacle");
            default -> "the step failed with status " + status;
        };
    }

    private String data(int check, long value, long limit) {
        return Fault.message(
                Json.list(description.get("checks"), "checks").get(check).toString(), value, limit);
    }

    /** Frees the model with all its sessions, and unmaps its weights. */
    @Override
    public synchronized void close() {
        if (open) {
            free();
        }
    }

    private void free() {
        open = false;
        memory.close();
        weights.close();
    }
}
