package dev.weir.testkit;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.weir.runtime.memory.MemoryLimitException;
import dev.weir.runtime.memory.Pool;
import dev.weir.runtime.memory.Tensor;
import dev.weir.runtime.model.Engine;
import dev.weir.runtime.model.Model;
import dev.weir.testkit.TestModel.Target;
import java.lang.foreign.MemorySegment;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.LongStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/** A model takes no more memory than it may, says so, and can be used on. */
class MemoryLimitTest {
    private static final long MEBIBYTE = 1 << 20;

    /** A row of 4 KiB for each token, and as much that is carried. */
    private static final String WIDE = """
            model M<D = 1024> {
                param table[16, D]
                state rows[S, D], at[S]: int, last[D] = 0
                forward(k[T]: int, pos[T]: int = positions) -> y[T] {
                    x[t, d] = table[k[t], d]
                    scan t {
                        last[d] = 0.5 * last[d] + x[t, d]
                        z[t, d] = last[d]
                    }
                    rows ++= z
                    at ++= pos
                    y[t] = sum[d] (max[s] rows[s, d] where at[s] <= pos[t])
                }
            }
            """;

    private static TestModel open(Target target, long limit) {
        return TestModel.limited(WIDE, 3, target, 2, limit);
    }

    private static long[] ids(int count, long seed) {
        return LongStream.range(0, count).map(i -> (i * 5 + seed) % 16).toArray();
    }

    @ParameterizedTest
    @EnumSource(value = Target.class, names = {"JVM", "NATIVE"})
    void whatIsOverTheLimitIsRefusedAndTheRestGoesOn(Target target) throws Exception {
        long limit = 24 * MEBIBYTE;
        try (TestModel free = open(target, Pool.UNLIMITED); TestModel model = open(target, limit)) {
            Engine.Session first = model.engine().start();
            Engine.Session second = model.engine().start();
            model.feed(first, ids(1200, 1));
            // Its rows alone take 40 MB.
            MemoryLimitException refused = assertThrows(
                    MemoryLimitException.class, () -> model.feed(second, ids(10_000, 2)));
            assertTrue(refused.getMessage().contains("limit of 25,165,824 bytes"),
                    refused.getMessage());
            long steps = 0;
            while (true) {
                try {
                    model.feed(second, ids(200, 3));
                    steps++;
                } catch (MemoryLimitException full) {
                    break;
                } finally {
                    assertTrue(model.compiled().bytesHeld() <= limit);
                }
            }
            assertTrue(steps > 2, "only " + steps + " of 0.8 MB");
            assertEquals(200 * steps, second.position());
            Engine.Session expected = free.engine().start();
            for (long step = 0; step < steps; step++) {
                free.feed(expected, ids(200, 3));
            }
            Tensor next = free.feed(expected, ids(200, 3));
            first.close();
            assertEquals(next, model.feed(second, ids(200, 3)), "the other one has made room");
        }
    }

    /** A fork that does not fit takes nothing. */
    @ParameterizedTest
    @EnumSource(value = Target.class, names = {"JVM", "NATIVE"})
    void forksAndMarksKeepToTheLimit(Target target) throws Exception {
        long limit = 24 * MEBIBYTE;
        try (TestModel model = open(target, limit)) {
            Engine.Session session = model.engine().start();
            model.feed(session, ids(300, 1));
            long used = model.compiled().bytesInUse();
            List<AutoCloseable> taken = new ArrayList<>();
            assertThrows(MemoryLimitException.class, () -> {
                while (taken.size() < 1000) {
                    taken.add(session.fork());
                }
            });
            assertTrue(taken.size() > 2 && taken.size() < 30, taken.size() + " forks");
            long full = model.compiled().bytesInUse();
            assertThrows(MemoryLimitException.class, session::fork);
            assertEquals(full, model.compiled().bytesInUse());
            assertTrue(model.compiled().bytesHeld() <= limit);
            taken.removeFirst().close();
            assertThrows(MemoryLimitException.class, () -> {
                while (taken.size() < 10_000) {
                    taken.add(session.mark());
                }
            });
            for (AutoCloseable one : taken) {
                one.close();
            }
            // One copy of what is carried stays with each session for its steps.
            assertEquals(used, model.compiled().bytesInUse());
            session.truncate(0);
            assertEquals(5, model.feed(session, ids(5, 1)).elements());
        }
    }

    @ParameterizedTest
    @EnumSource(value = Target.class, names = {"JVM", "NATIVE"})
    void whatIsClosedReturns(Target target) throws Exception {
        TestModel model = open(target, Pool.UNLIMITED);
        Model engine = model.compiled();
        long loaded = engine.bytesInUse();
        Engine.Session session = model.engine().start();
        Engine.Session other = model.engine().start();
        model.feed(session, ids(600, 1));
        session.mark();
        Engine.Session fork = session.fork();
        assertTrue(engine.bytesInUse() > loaded + 2 * 600 * 4096, "two times 600 rows of 4 KiB");
        session.close();
        fork.close();
        other.close();
        assertEquals(loaded, engine.bytesInUse());
        engine.trim();
        assertTrue(engine.bytesHeld() < loaded + 2 * MEBIBYTE,
                engine.bytesHeld() + " with only small blocks left");
        assertEquals(2, model.feed(model.engine().start(), ids(2, 1)).elements());
        model.close();
        assertEquals(0, engine.bytesHeld());
    }

    @ParameterizedTest
    @EnumSource(value = Target.class, names = {"JVM", "NATIVE"})
    void aLoadThatIsOverTheLimitIsRefused(Target target) {
        assertThrows(MemoryLimitException.class, () -> open(target, 100));
    }

    @Test
    void aPoolFreesWhatIsNotInUseBeforeItRefuses() {
        try (Pool pool = new Pool(8 * MEBIBYTE, 2 * MEBIBYTE)) {
            MemorySegment kept = pool.take(2 * MEBIBYTE);
            MemorySegment given = pool.take(4 * MEBIBYTE);
            assertFalse(pool.hasRoomFor(3 * MEBIBYTE));
            assertThrows(MemoryLimitException.class, () -> pool.take(3 * MEBIBYTE));
            pool.give(given);
            assertTrue(pool.hasRoomFor(3 * MEBIBYTE));
            assertTrue(pool.held() > 6 * MEBIBYTE);
            MemorySegment other = pool.take(3 * MEBIBYTE);
            assertTrue(pool.held() < 7 * MEBIBYTE);
            assertEquals(kept.byteSize() + other.byteSize(), pool.inUse());
            assertEquals(pool.inUse(), pool.held());
            pool.giveUp(other);
            assertEquals(kept.byteSize(), pool.held());
            MemorySegment small = pool.take(MEBIBYTE);
            pool.giveUp(small);
            assertEquals(kept.byteSize() + small.byteSize(), pool.held(), "stays to be used again");
            assertEquals(small, pool.take(MEBIBYTE));
            assertThrows(MemoryLimitException.class, () -> pool.take(Long.MAX_VALUE / 2));
            kept.fill((byte) 1);
        }
    }
}
