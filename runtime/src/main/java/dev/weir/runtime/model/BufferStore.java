package dev.weir.runtime.model;

import dev.weir.ir.tensor.State;
import dev.weir.ir.type.Format;
import dev.weir.runtime.memory.Pool;
import dev.weir.runtime.memory.Tensor;
import java.lang.foreign.MemorySegment;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.Iterator;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.stream.Stream;

/**
 * What one sequence remembers, in blocks of a pool: one for each instance of a growing state, and
 * one for all carried states together, so that a copy of them is one copy.
 */
public final class BufferStore implements Store {
    /** Each instance of a carried state begins at a multiple of so many bytes. */
    private static final long ALIGNMENT = 64;

    private final List<State> states;
    private final Pool pool;
    /** By the name of the state, in the order of the program. */
    private final Map<String, List<Rows>> growing = new LinkedHashMap<>();
    private final Map<String, List<MemorySegment>> places = new HashMap<>();
    private final Optional<MemorySegment> carried;
    /** A copy of what is carried that nobody needs now: steps need one each time. */
    private Optional<MemorySegment> spare = Optional.empty();
    private long elements;
    private boolean everyElement = true;

    /**
     * The states of a sequence that has not begun.
     *
     * @throws dev.weir.runtime.memory.MemoryLimitException if the pool has no room for them
     */
    public BufferStore(List<State> states, Pool pool) {
        this.states = states;
        this.pool = pool;
        long bytes = carriedBytes(states);
        this.carried = bytes == 0 ? Optional.empty() : Optional.of(pool.take(bytes));
        try {
            states.stream().filter(State::grows).forEach(this::grow);
        } catch (Throwable e) {
            close();
            throw e;
        }
        place();
        initialise();
    }

    private void grow(State state) {
        List<Rows> all = new ArrayList<>();
        growing.put(state.name(), all);
        while (all.size() < instances(state)) {
            all.add(new Rows(state, rowBytes(state), pool));
        }
    }

    /** Gives carried states their places in the common block, in the program's order. */
    private void place() {
        long at = 0;
        for (State state : states) {
            List<MemorySegment> own = new ArrayList<>();
            while (!state.grows() && own.size() < instances(state)) {
                own.add(carried.orElseThrow().asSlice(at, rowBytes(state)));
                at += spaced(state);
            }
            places.put(state.name(), own);
        }
    }

    private void initialise() {
        carried.ifPresent(block -> block.fill((byte) 0));
        for (State state : states) {
            if (!state.grows() && state.initial() != 0) {
                places.get(state.name()).forEach(place -> fill(state, place));
            }
        }
    }

    private static void fill(State state, MemorySegment place) {
        Format format = state.value().type().format();
        long count = rowBytes(state) / format.bytes();
        Tensor view = new Tensor(format, new long[] {count}, place);
        for (long i = 0; i < count; i++) {
            view.setReal(i, state.initial());
        }
    }

    private static int instances(State state) {
        return Math.toIntExact(state.instances().stream().reduce(1L, Math::multiplyExact));
    }

    /** Bytes of one slot of a growing state, or of all of a carried one. */
    private static long rowBytes(State state) {
        long elements = state.ownShape().stream()
                .skip(state.grows() ? 1 : 0)
                .mapToLong(s -> s.constant().orElseThrow())
                .reduce(1, Math::multiplyExact);
        return Math.multiplyExact(elements, (long) state.value().type().format().bytes());
    }

    /** Bytes from one instance of a carried state to the next: vector loads may pass its end. */
    private static long spaced(State state) {
        return Math.ceilDiv(rowBytes(state) + Pool.SLACK, ALIGNMENT) * ALIGNMENT;
    }

    private static long carriedBytes(List<State> states) {
        return states.stream()
                .filter(state -> !state.grows())
                .mapToLong(state -> Math.multiplyExact(spaced(state), (long) instances(state)))
                .reduce(0, Math::addExact);
    }

    private Stream<Rows> growing() {
        return growing.values().stream().flatMap(List::stream);
    }

    private Rows rows(State state, int instance) {
        return growing.get(state.name()).get(instance);
    }

    long address(State state, int instance) {
        return state.grows()
                ? rows(state, instance).address()
                : places.get(state.name()).get(instance).address();
    }

    /** Slots in use; 0 for a carried state. */
    long length(State state, int instance) {
        return state.grows() ? rows(state, instance).length() : 0;
    }

    /** Makes room for so many more slots; the address may change, and the length if some drop. */
    void reserve(State state, int instance, long more) {
        rows(state, instance).reserve(more);
    }

    /** Takes so many more slots into use, unless this step has done so. */
    void extend(State state, int instance, long more) {
        if (rows(state, instance).extend()) {
            reserve(state, instance, more);
            advance(state, instance, more);
        }
    }

    /** Takes slots into use. */
    void advance(State state, int instance, long more) {
        Rows rows = rows(state, instance);
        if (more > 0 && rows.length() != elements) {
            everyElement = false;
        }
        rows.advance(more);
    }

    @Override
    public void stepped(long more) {
        elements += more;
        growing().forEach(Rows::stepped);
        if (growing().anyMatch(rows -> rows.length() != 0 && rows.length() != elements)) {
            everyElement = false;
        }
    }

    @Override
    public boolean hasRowForEachElement() {
        return everyElement;
    }

    @Override
    public Store copy() {
        BufferStore copy = new BufferStore(states, pool);
        try {
            growing.forEach((name, all) -> {
                for (int i = 0; i < all.size(); i++) {
                    copy.growing.get(name).get(i).copy(all.get(i));
                }
            });
        } catch (Throwable e) {
            copy.close();
            throw e;
        }
        carried.ifPresent(block -> copy.carried.orElseThrow().copyFrom(block));
        copy.elements = elements;
        copy.everyElement = everyElement;
        return copy;
    }

    @Override
    public Saved save() {
        return new Kept();
    }

    /** The places of growing states, and a copy of what is carried. */
    private final class Kept implements Saved {
        /** First, because it may fail. */
        private final Optional<MemorySegment> copy = carried.map(block -> {
            MemorySegment memory = spare.orElseGet(() -> pool.take(block.byteSize() - Pool.SLACK));
            spare = Optional.empty();
            return memory.copyFrom(block);
        });
        private final List<Rows.Place> rows = growing().map(Rows::save).toList();
        private final long elementsThen = elements;
        private final boolean everyElementThen = everyElement;

        @Override
        public void restore() {
            Iterator<Rows.Place> place = rows.iterator();
            growing().forEach(r -> r.restore(place.next()));
            elements = elementsThen;
            everyElement = everyElementThen;
            copy.ifPresent(then -> carried.orElseThrow().copyFrom(then));
        }

        @Override
        public void close() {
            Iterator<Rows.Place> place = rows.iterator();
            growing().forEach(r -> r.release(place.next()));
            if (spare.isEmpty()) {
                spare = copy;
            } else {
                copy.ifPresent(pool::giveUp);
            }
        }
    }

    @Override
    public void truncate(long first) {
        growing().forEach(rows -> rows.truncate(first));
        elements = first;
    }

    @Override
    public void clear() {
        truncate(0);
        everyElement = true;
        initialise();
    }

    @Override
    public void close() {
        growing().forEach(Rows::free);
        carried.ifPresent(pool::giveUp);
        spare.ifPresent(pool::giveUp);
    }
}
