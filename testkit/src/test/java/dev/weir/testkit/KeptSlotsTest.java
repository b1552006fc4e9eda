package dev.weir.testkit;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.weir.ir.tensor.State;
import dev.weir.ir.tensor.Value;
import dev.weir.ir.type.Format;
import dev.weir.ir.type.Size;
import dev.weir.ir.type.TensorType;
import dev.weir.runtime.memory.Pool;
import dev.weir.runtime.model.BatchState;
import dev.weir.runtime.model.BufferStore;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.List;
import java.util.Optional;
import org.junit.jupiter.api.Test;

/** States that keep their last slots stay small, and what they keep is what came last. */
class KeptSlotsTest {
    private static final int ROW = 5;
    private static final int KEEP = 3;

    private static State state() {
        Size.Symbol slots = new Size.Symbol("S");
        return new State("rows", List.of(),
                new Value(0, "rows", new TensorType(
                        Format.F32, List.of(Size.symbol("B"), slots, Size.of(ROW)))),
                Optional.of(slots),
                Optional.of(new Value(1, "lengths",
                        new TensorType(Format.I64, List.of(Size.symbol("B"))))),
                Optional.of((long) KEEP), 0);
    }

    @Test
    void aThousandStepsUseTheRoomOfAFew() {
        State state = state();
        long lowest = Long.MAX_VALUE;
        long highest = 0;
        try (Pool pool = new Pool()) {
            BatchState batch = new BatchState(List.of(new BufferStore(List.of(state), pool)));
            int next = 0;
            for (int step = 0; step < 1000; step++) {
                int more = step % 4;
                batch.reserve(state, 0, 0, more);
                long length = batch.length(state, 0, 0);
                MemorySegment rows = memory(batch.address(state, 0, 0), length + more);
                for (int i = 0; i < more; i++) {
                    rows.setAtIndex(ValueLayout.JAVA_FLOAT, (length + i) * ROW, next++);
                }
                batch.advance(state, 0, 0, more);
                long held = batch.length(state, 0, 0);
                assertTrue(held <= KEEP + 3, "slots in step " + step + ": " + held);
                assertTrue(held >= Math.min(next, KEEP - 1 + more), "slots in step " + step);
                for (int i = 0; i < held; i++) {
                    assertEquals(next - held + i, rows.getAtIndex(
                            ValueLayout.JAVA_FLOAT, (long) i * ROW));
                }
                lowest = Math.min(lowest, rows.address());
                highest = Math.max(highest, rows.address() + rows.byteSize());
            }
        }
        // The pool rounds up.
        assertTrue(highest - lowest <= 64 * ROW * 4 * 5 / 4, "room: " + (highest - lowest));
    }

    private static MemorySegment memory(long address, long slots) {
        return MemorySegment.ofAddress(address).reinterpret(slots * ROW * 4);
    }
}
