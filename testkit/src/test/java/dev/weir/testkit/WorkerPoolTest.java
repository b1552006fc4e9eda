package dev.weir.testkit;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertSame;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.weir.runtime.execute.WorkerPool;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicIntegerArray;
import java.util.concurrent.atomic.AtomicLong;
import java.util.concurrent.locks.LockSupport;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** Threads that share the tiles of kernels. */
class WorkerPoolTest {

    /** One kernel right behind the other, and behind pauses in which threads fall asleep. */
    @ParameterizedTest
    @ValueSource(ints = {1, 2, 3, 7})
    void eachTileIsDoneOnce(int threads) {
        try (WorkerPool pool = new WorkerPool(threads)) {
            for (int round = 0; round < 2000; round++) {
                int tiles = 1 + round % 37;
                var done = new AtomicIntegerArray(tiles);
                pool.run(tiles, true, round * 1e4, (worker, begin, end) -> {
                    assertTrue(worker < threads);
                    for (long tile = begin; tile < end; tile++) {
                        done.incrementAndGet((int) tile);
                    }
                });
                for (int tile = 0; tile < tiles; tile++) {
                    assertEquals(1, done.get(tile), "tile " + tile + " of round " + round);
                }
                if (round % 100 == 0) {
                    LockSupport.parkNanos(2_000_000);
                }
            }
        }
    }

    /** Who went on earlier would free memory that other threads still write. */
    @Test
    void anInterruptedThreadWaitsForAllTiles() {
        try (WorkerPool pool = new WorkerPool(3)) {
            AtomicLong done = new AtomicLong();
            Thread.currentThread().interrupt();
            pool.run(90, true, (worker, begin, end) -> {
                LockSupport.parkNanos(100_000);
                done.addAndGet(end - begin);
            });
            assertEquals(90, done.get());
            assertTrue(Thread.interrupted(), "whoever interrupted is not forgotten");
        }
    }

    @Test
    void aTileThatFailsIsToldWhenAllOthersAreDone() {
        try (WorkerPool pool = new WorkerPool(2)) {
            for (int round = 0; round < 50; round++) {
                AtomicInteger ended = new AtomicInteger();
                var problem = new IllegalArgumentException("tile 5");
                var told = assertThrows(IllegalStateException.class, () ->
                        pool.run(8, true, (worker, begin, end) -> {
                            if (begin <= 5 && 5 < end) {
                                ended.addAndGet((int) (end - begin));
                                throw problem;
                            }
                            ended.addAndGet((int) (end - begin));
                        }));
                assertSame(problem, told.getCause());
                assertEquals(8, ended.get());
            }
        }
    }

    @Test
    void aClosedPoolStillWorks() {
        AtomicInteger tiles = new AtomicInteger();
        WorkerPool pool = new WorkerPool(2);
        pool.run(4, true, (worker, begin, end) -> tiles.addAndGet((int) (end - begin)));
        pool.close();
        pool.run(4, true, (worker, begin, end) -> tiles.addAndGet((int) (end - begin)));
        assertEquals(8, tiles.get(), "without its threads the calling one does all");
    }
}
