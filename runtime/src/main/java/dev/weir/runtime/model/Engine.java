package dev.weir.runtime.model;

import dev.weir.ir.tensor.Fault;
import dev.weir.ir.tensor.StreamAxis;
import dev.weir.runtime.ledger.Ledger;
import dev.weir.runtime.memory.Tensor;
import java.util.Arrays;
import java.util.List;
import java.util.Optional;

/** A loaded model that can be stepped: compiled, or interpreted. */
public interface Engine extends AutoCloseable {

    /** One sequence and what it remembers. */
    interface Session extends AutoCloseable {
        /** How many elements of the stream it has seen: the position of the next one. */
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

    Session start();

    /**
     * Runs a step for several sequences at once.
     *
     * @param sessions those that take part; they remember what they see
     * @param rows how many elements of the stream each gets
     * @param arguments in the model's order; the rows of all sequences one behind the other
     * @throws Fault if the data does not fit, or the model takes whole sequences and one of these
     *     has begun
     * @return the results in the model's order, rows likewise
     */
    List<Tensor> step(
            List<Session> sessions, long[] rows, List<Tensor> arguments, Tracer tracer);

    /** What ran so far. */
    Ledger ledger();

    @Override
    void close();

    /**
     * Refuses a second step where it would not give what one step gives.
     *
     * @throws Fault that names the equation in the way
     */
    static void mayStep(String model, Optional<StreamAxis> stream, List<Session> sessions) {
        Optional<String> obstacle = stream.flatMap(StreamAxis::obstacle);
        Optional<Session> begun = sessions.stream().filter(s -> s.position() > 0).findFirst();
        if (obstacle.isPresent() && begun.isPresent()) {
            throw new Fault("a sequence of " + model + " has had its first "
                    + begun.get().position() + " elements already, and this model takes a whole "
                    + "sequence in one step: " + obstacle.get() + "; give all elements at once, "
                    + "or let the equation read what went before through `state`");
        }
    }

    /** The positions of the next rows of each sequence, one behind the other. */
    static Tensor positions(List<Session> sessions, long[] rows) {
        long[] positions = new long[(int) Arrays.stream(rows).sum()];
        int at = 0;
        for (int b = 0; b < rows.length; b++) {
            for (long t = 0; t < rows[b]; t++) {
                positions[at++] = sessions.get(b).position() + t;
            }
        }
        return Tensor.ofLongs(positions);
    }
}
