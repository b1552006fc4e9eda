package dev.weir.runtime.model;

import dev.weir.ir.tensor.Fault;
import dev.weir.ir.tensor.StreamAxis;
import dev.weir.runtime.ledger.Ledger;
import dev.weir.runtime.memory.Tensor;
import java.util.Arrays;
import java.util.List;
import java.util.Optional;
import java.util.function.Function;
import java.util.function.ToLongFunction;

/**
 * A loaded model that can be stepped: compiled, or interpreted. Several threads may use it and its
 * sessions; they take turns, step by step, and what a session gives does not depend on the others.
 */
public interface Engine extends AutoCloseable {

    /**
     * One sequence and what it remembers. It can be copied, and it can go back: to a mark whatever
     * the model, and to any element where each has left rows of its own that can be dropped.
     */
    interface Session extends AutoCloseable {
        /** How many elements of the stream it has seen: the position of the next one. */
        long position();

        /** As {@link #position()}, of the stream of an entry; each has its own. */
        long position(String entry);

        /**
         * Another session that remembers the same, without the marks. From here on neither sees
         * what the other does.
         */
        Session fork();

        /** Marks the present place, so that the session can go back to it, any number of times. */
        Mark mark();

        /**
         * Goes back to a mark: the session remembers what it did when the mark was set. Marks that
         * were set later hold no more.
         *
         * @throws IllegalStateException if the mark holds no more
         */
        void rollback(Mark mark);

        /**
         * Goes back to its first elements, as if it had seen no others. Marks behind them hold no
         * more.
         *
         * <p>That is possible to the beginning, to a place where a mark is set, and to any place
         * where all that the model remembers are rows, one for each element. A state that is
         * carried over from step to step cannot be un-run.
         *
         * @param elements how many it keeps, at most {@link #position}
         * @throws Fault that says what is in the way; the session stays as it is
         */
        void truncate(long elements);

        /** Frees what it remembers, with all marks. Closing the engine closes all its sessions. */
        @Override
        void close();
    }

    /**
     * A place of a session to which it can go back. It keeps a copy of carried states, and of
     * growing ones only their lengths. It ends with its session, or earlier when it is closed.
     */
    interface Mark extends AutoCloseable {
        /** How many elements the session had seen. */
        long position();

        @Override
        void close();
    }

    /** Sees the traced values of a run, under their paths. */
    interface Tracer {
        /** Sees nothing. */
        Tracer NONE = (path, value) -> { };

        void traced(String path, Tensor value);
    }

    /**
     * The ways to step the model, which share its weights and what its sessions remember; the one
     * that {@link #step(List, long[], List, Tracer)} takes comes first.
     */
    List<String> entries();

    /** A session that has seen nothing. */
    Session start();

    /**
     * Runs a step for several sequences at once: for all of them, or for none. If it fails, for
     * whatever reason, each session remembers what it did before the step, and can go on.
     *
     * @param sessions those that take part; they remember what they see
     * @param rows how many elements of the stream each gets
     * @param arguments in the model's order; the rows of all sequences one behind the other
     * @throws Fault if the data does not fit, or the model takes whole sequences and one of these
     *     has begun
     * @throws dev.weir.runtime.memory.MemoryLimitException if it takes more memory than is allowed
     * @return the results in the model's order, rows likewise
     */
    default List<Tensor> step(
            List<Session> sessions, long[] rows, List<Tensor> arguments, Tracer tracer) {
        return step(entries().getFirst(), sessions, rows, arguments, tracer);
    }

    /**
     * As {@link #step(List, long[], List, Tracer)}, by one of the {@link #entries}.
     *
     * @throws IllegalArgumentException if there is no such entry
     */
    default List<Tensor> step(
            String entry, List<Session> sessions, long[] rows, List<Tensor> arguments,
            Tracer tracer) {
        return step(entry, sessions, rows, arguments, tracer,
                results -> results.stream().map(Tensor::copy).toList());
    }

    /**
     * As {@link #step(String, List, long[], List, Tracer)}, but the results are read where they
     * were computed and not copied: a prompt's logits are many.
     *
     * @param read gets the results in the model's order, once, as part of the step: if it throws,
     *     the step has failed. Their memory is the engine's, and cannot be read any more when it
     *     returns. It cannot step, fork, mark, cut or close sessions of this engine.
     * @return what it gives
     */
    <R> R step(
            String entry, List<Session> sessions, long[] rows, List<Tensor> arguments,
            Tracer tracer, Function<List<Tensor>, R> read);

    /** What ran so far. */
    Ledger ledger();

    @Override
    void close();

    /**
     * Refuses a second step where it would not give what one step gives.
     *
     * @throws Fault that names the equation in the way
     */
    static void mayStep(
            String model, String entry, Optional<StreamAxis> stream, List<Session> sessions) {
        Optional<String> obstacle = stream.flatMap(StreamAxis::obstacle);
        Optional<Session> begun =
                sessions.stream().filter(s -> s.position(entry) > 0).findFirst();
        if (obstacle.isPresent() && begun.isPresent()) {
            throw new Fault("a sequence of " + model + " has had its first "
                    + begun.get().position(entry)
                    + " elements already, and this model takes a whole sequence in one step: "
                    + obstacle.get() + "; give all elements at once, "
                    + "or let the equation read what went before through `state`");
        }
    }

    /** The positions of the next rows of each sequence, one behind the other. */
    static Tensor positions(List<Session> sessions, long[] rows) {
        return positions(sessions, rows, Session::position);
    }

    /** As {@link #positions(List, long[])}, in the stream of an entry. */
    static Tensor positions(String entry, List<Session> sessions, long[] rows) {
        return positions(sessions, rows, s -> s.position(entry));
    }

    private static Tensor positions(
            List<Session> sessions, long[] rows, ToLongFunction<Session> next) {
        long[] positions = new long[(int) Arrays.stream(rows).sum()];
        int at = 0;
        for (int b = 0; b < rows.length; b++) {
            for (long t = 0; t < rows[b]; t++) {
                positions[at++] = next.applyAsLong(sessions.get(b)) + t;
            }
        }
        return Tensor.ofLongs(positions);
    }
}
