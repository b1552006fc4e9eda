package dev.weir.runtime.model;

import dev.weir.ir.tensor.Fault;
import dev.weir.ir.tensor.State;
import dev.weir.ir.tensor.StreamAxis;
import java.util.ArrayList;
import java.util.Collections;
import java.util.HashSet;
import java.util.IdentityHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.SequencedMap;
import java.util.Set;
import java.util.concurrent.locks.ReentrantLock;
import java.util.function.Function;
import java.util.function.Supplier;

/**
 * The open sessions of one engine, and the one place that makes it safe for several threads: what
 * changes a session (a step, a fork, going back, closing) has the engine to itself, and who waits
 * longest is next. A kernel is shared among all workers anyway, so steps side by side would gain
 * little; sessions that want to go on at once are better given to one step as a batch.
 */
final class Sessions {
    private final String model;
    /** The stream of each entry; the first is that of a step that names none. */
    private final Map<String, Optional<StreamAxis>> entries;
    private final List<State> states;
    private final ReentrantLock turn = new ReentrantLock(true);
    private final Set<Sequence> open = Collections.newSetFromMap(new IdentityHashMap<>());
    private boolean closed;

    /**
     * @param model its name, for messages
     * @param entries their streams, the one that is taken by itself first
     * @param states all that its sequences remember
     */
    Sessions(
            String model, SequencedMap<String, Optional<StreamAxis>> entries, List<State> states) {
        this.model = model;
        this.entries = entries;
        this.states = states;
    }

    /** Does something while nobody else changes a session of this engine. */
    <T> T alone(Supplier<T> work) {
        if (turn.isHeldByCurrentThread()) {
            throw new IllegalStateException("a step of " + model + " is going on: what watches it "
                    + "cannot step, fork, mark, cut or close sessions");
        }
        turn.lock();
        try {
            return work.get();
        } finally {
            turn.unlock();
        }
    }

    void alone(Runnable work) {
        alone(() -> {
            work.run();
            return true;
        });
    }

    /** A session with what it remembers to begin with. */
    Sequence start(Supplier<Store> empty) {
        return alone(() -> {
            requireOpen();
            return add(empty.get(), Map.of());
        });
    }

    /** The entry that is taken by itself. */
    String main() {
        return entries.keySet().iterator().next();
    }

    Sequence add(Store store, Map<String, Long> positions) {
        Sequence sequence = new Sequence(this, store, positions);
        open.add(sequence);
        return sequence;
    }

    void remove(Sequence sequence) {
        open.remove(sequence);
    }

    private void requireOpen() {
        if (closed) {
            throw new IllegalStateException("the model " + model + " is closed");
        }
    }

    /**
     * Runs a step of some sessions: all of it, or nothing. If it fails, for whatever reason, they
     * remember what they did before it.
     *
     * @param rows how many elements of the stream each gets
     * @param work runs it on what they remember
     * @throws Fault if the model takes whole sequences and one of these has begun
     */
    <R> R step(
            String entry,
            List<Engine.Session> sessions,
            long[] rows,
            Function<List<Store>, R> work) {
        return alone(() -> {
            requireOpen();
            if (!entries.containsKey(entry)) {
                throw new IllegalArgumentException(
                        model + " has no entry " + entry + "; it has " + entries.keySet());
            }
            List<Sequence> sequences = checked(sessions, rows);
            Engine.mayStep(model, entry, entries.get(entry), sessions);
            List<Store> stores = sequences.stream().map(Sequence::store).toList();
            List<Store.Saved> before = new ArrayList<>();
            try {
                stores.forEach(store -> before.add(store.save()));
                R results = work.apply(stores);
                for (int b = 0; b < rows.length; b++) {
                    sequences.get(b).stepped(entry, rows[b]);
                }
                return results;
            } catch (Throwable e) {
                before.forEach(Store.Saved::restore);
                throw e;
            } finally {
                before.forEach(Store.Saved::close);
            }
        });
    }

    private List<Sequence> checked(List<Engine.Session> sessions, long[] rows) {
        if (sessions.size() != rows.length) {
            throw new IllegalArgumentException(
                    sessions.size() + " sessions, and rows for " + rows.length);
        }
        List<Sequence> sequences = new ArrayList<>();
        for (Engine.Session session : sessions) {
            if (!(session instanceof Sequence sequence && sequence.isOf(this))) {
                throw new IllegalArgumentException(
                        "a session of another model cannot take part in a step of " + model);
            }
            sequence.requireOpen();
            sequences.add(sequence);
        }
        if (new HashSet<>(sequences).size() < sequences.size()) {
            throw new IllegalArgumentException("a session takes part in a step once at most");
        }
        return sequences;
    }

    /** Why a sequence cannot be cut to its first elements; empty if it can. */
    Optional<String> mayCut(Sequence sequence, long elements) {
        Optional<String> carried = states.stream()
                .filter(state -> !state.grows())
                .findFirst()
                .map(state -> "what `" + state.name() + "` was then is not kept");
        Optional<String> several = entries.size() == 1 ? Optional.empty()
                : Optional.of("its entries have streams of their own");
        return several.or(() -> entries.get(main()).flatMap(StreamAxis::obstacle)
                .map(o -> "the model takes a whole sequence in one step: " + o))
                .or(() -> carried)
                .or(() -> sequence.store().hasRowForEachElement()
                        ? Optional.empty()
                        : Optional.of("not every element has one row in every state"))
                .map(reason -> "a sequence of " + model + " cannot be cut from "
                        + sequence.position() + " to " + elements + " elements: " + reason
                        + "; set a mark before going on, to be able to go back to it");
    }

    /** Closes all sessions and then the rest of the engine; once. */
    void close(Runnable rest) {
        alone(() -> {
            if (!closed) {
                closed = true;
                open.forEach(Sequence::free);
                open.clear();
                rest.run();
            }
        });
    }
}
