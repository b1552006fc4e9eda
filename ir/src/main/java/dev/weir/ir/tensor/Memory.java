package dev.weir.ir.tensor;

import java.util.ArrayList;
import java.util.Collections;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.stream.Collectors;
import java.util.stream.IntStream;

/**
 * What the states of a program hold, for the interpreter: one entry an instance and sequence. What
 * is in it never changes, it is only replaced, so that copies share it.
 */
public final class Memory {
    private record Key(String state, List<Long> instances, long sequence) {}

    private final Map<Key, List<TensorData>> rows = new HashMap<>();
    private final Map<Key, TensorData> carried = new HashMap<>();
    /** What has got a slot for each element of the present step, and the slots without a row. */
    private final Map<Key, Set<Integer>> missing = new HashMap<>();
    private long elements;
    private boolean everyElement = true;

    /** Another memory that holds the same. */
    public Memory copy() {
        Memory copy = new Memory();
        rows.forEach((key, all) -> copy.rows.put(key, new ArrayList<>(all)));
        copy.carried.putAll(carried);
        copy.elements = elements;
        copy.everyElement = everyElement;
        return copy;
    }

    /** Notes that a step of its one sequence is over, which took so many elements. */
    public void stepped(long more) {
        elements += more;
        missing.clear();
        if (rows.values().stream().anyMatch(all -> !all.isEmpty() && all.size() != elements)) {
            everyElement = false;
        }
    }

    /**
     * Whether, in each step of its one sequence, each growing state was given as many rows as the
     * step had elements, all at once, or none at all so far.
     */
    public boolean hasRowForEachElement() {
        return everyElement;
    }

    /** Drops the rows of growing states behind the first ones. */
    public void truncate(long first) {
        rows.values().stream()
                .filter(all -> all.size() > first)
                .forEach(all -> all.subList((int) first, all.size()).clear());
        elements = first;
    }

    List<TensorData> rows(State state, List<Long> instances, long sequence) {
        return rows.computeIfAbsent(
                new Key(state.name(), instances, sequence), k -> new ArrayList<>());
    }

    /** Behind the rows that are there, of which those go first that nobody can rely on. */
    void append(State state, List<Long> instances, long sequence, List<TensorData> more) {
        List<TensorData> all = rows(state, instances, sequence);
        if (!more.isEmpty()) {
            all.subList(0, (int) state.dropped(all.size())).clear();
            everyElement &= all.size() == elements;
        }
        all.addAll(more);
    }

    /**
     * Puts rows at the slots of some of a step's elements. Who comes first gives each element a
     * slot; the rest comes later in the step.
     *
     * @param count how many elements the step has
     * @param places of the elements that the rows are of
     */
    void fill(
            State state, List<Long> instances, long sequence, int count, List<Integer> places,
            List<TensorData> more) {
        if (count == 0 || more.isEmpty()) {
            return;
        }
        List<TensorData> all = rows(state, instances, sequence);
        Key key = new Key(state.name(), instances, sequence);
        Set<Integer> open = missing.computeIfAbsent(key, k -> {
            append(state, instances, sequence, Collections.nCopies(count, more.getFirst()));
            return IntStream.range(0, count).boxed().collect(Collectors.toSet());
        });
        for (int i = 0; i < more.size(); i++) {
            if (!open.remove(places.get(i))) {
                throw new Fault("element " + places.get(i) + " has a row in " + state.name()
                        + " already");
            }
            all.set(all.size() - count + places.get(i), more.get(i));
        }
    }

    TensorData carried(State state, List<Long> instances, long sequence) {
        return carried.computeIfAbsent(new Key(state.name(), instances, sequence), k -> {
            long[] shape = state.ownShape().stream()
                    .mapToLong(s -> s.constant().orElseThrow())
                    .toArray();
            TensorData fresh = TensorData.zeros(state.value().type().format(), shape);
            for (int i = 0; i < fresh.elements(); i++) {
                if (fresh.format().isFloat()) {
                    fresh.setReal(i, state.initial());
                } else {
                    fresh.setWhole(i, (long) state.initial());
                }
            }
            return fresh;
        });
    }

    void carry(State state, List<Long> instances, long sequence, TensorData value) {
        carried.put(new Key(state.name(), instances, sequence), value);
    }
}
