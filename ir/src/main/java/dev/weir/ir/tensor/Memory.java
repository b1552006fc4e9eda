package dev.weir.ir.tensor;

import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;

/** What the states of a program hold, for the interpreter: one entry an instance and sequence. */
public final class Memory {
    private record Key(String state, List<Long> instances, long sequence) {}

    private final Map<Key, List<TensorData>> rows = new HashMap<>();
    private final Map<Key, TensorData> carried = new HashMap<>();

    List<TensorData> rows(State state, List<Long> instances, long sequence) {
        return rows.computeIfAbsent(
                new Key(state.name(), instances, sequence), k -> new ArrayList<>());
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
