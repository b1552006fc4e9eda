package dev.weir.runtime.execute;

import java.util.concurrent.atomic.AtomicLong;
import java.util.concurrent.atomic.AtomicReference;
import java.util.concurrent.locks.LockSupport;

/**
 * A fixed number of threads that share the tiles of one kernel after the other. The calling thread
 * works too. What a tile computes never depends on who runs it.
 *
 * <p>A kernel of a single token takes some ten microseconds, and to wake a thread takes as long or
 * longer. So those that have just worked look out for more for a moment before they sleep, and who
 * has run a kernel's last tiles waits for tiles only, not for threads that found none. More threads
 * than processors sleep at once: a thread that looked out would keep another from its work.
 */
public final class WorkerPool implements AutoCloseable {
    /** How long a thread looks out: longer than what lies between two kernels of a step. */
    private static final long LOOK_OUT_NANOS = 100_000;
    /** How often it looks before it asks for the time. */
    private static final int LOOKS = 64;

    /**
     * How many pieces there are for each thread. Tiles need not take the same time (a group of rows
     * that chose the same weights is as large as data has it), so that few pieces would leave
     * threads without work; but each begins anew to read what memory has fetched ahead.
     */
    private static final int LEAST_PIECES = 4;
    private static final int MOST_PIECES = 16;
    /** Pieces are not made shorter than this for the sake of balance. */
    private static final double PIECE_NANOS = 50_000;

    /** Runs tiles {@code begin} up to {@code end} as worker number {@code worker}. */
    public interface Work {
        void run(int worker, long begin, long end);
    }

    /** A kernel's tiles; whoever comes late finds none and touches nothing of it. */
    private static final class Job {
        private final Work work;
        private final long tiles;
        private final long grain;
        private final AtomicLong next = new AtomicLong();
        private final AtomicLong left;
        private final AtomicReference<Throwable> failure = new AtomicReference<>();
        private volatile Thread waiting;

        Job(Work work, long tiles, int pieces) {
            this.work = work;
            this.tiles = tiles;
            this.grain = Math.max(1, tiles / pieces);
            this.left = new AtomicLong(tiles);
        }

        void help(int worker) {
            for (long begin = next.getAndAdd(grain); begin < tiles;
                    begin = next.getAndAdd(grain)) {
                run(worker, begin, Math.min(tiles, begin + grain));
            }
        }

        private void run(int worker, long begin, long end) {
            try {
                work.run(worker, begin, end);
            } catch (Throwable t) {
                failure.compareAndSet(null, t);
            } finally {
                done(end - begin);
            }
        }

        private void done(long count) {
            if (left.addAndGet(-count) == 0) {
                LockSupport.unpark(waiting);
            }
        }

        boolean isDone() {
            return left.get() == 0;
        }

        /** Waits in any case: who left earlier would free memory that others still write. */
        void await(long nanos) {
            if (lookOut(nanos, this::isDone)) {
                return;
            }
            waiting = Thread.currentThread();
            boolean interrupted = false;
            while (!isDone()) {
                LockSupport.park(this);
                interrupted |= Thread.interrupted();
            }
            if (interrupted) {
                Thread.currentThread().interrupt();
            }
        }
    }

    /** A thread and what it gets to do. */
    private final class Worker implements Runnable {
        private final int number;
        private final AtomicReference<Job> inbox = new AtomicReference<>();
        private final Thread thread;
        private volatile boolean asleep;

        Worker(int number) {
            this.number = number;
            this.thread = Thread.ofPlatform().daemon().name("weir-worker-" + number)
                    .unstarted(this);
        }

        void take(Job job) {
            inbox.set(job);
            if (asleep) {
                LockSupport.unpark(thread);
            }
        }

        @Override
        public void run() {
            while (!closed) {
                Job job = inbox.getAndSet(null);
                if (job != null) {
                    job.help(number);
                } else if (!lookOut(lookOutNanos, this::isWanted)) {
                    asleep = true;
                    while (!isWanted()) {
                        LockSupport.park(this);
                    }
                    asleep = false;
                }
            }
        }

        private boolean isWanted() {
            return inbox.get() != null || closed;
        }
    }

    private interface Condition {
        boolean holds();
    }

    /** Whether a condition holds before so much time has passed. */
    private static boolean lookOut(long nanos, Condition condition) {
        if (nanos == 0) {
            return condition.holds();
        }
        long end = System.nanoTime() + nanos;
        do {
            for (int i = 0; i < LOOKS; i++) {
                if (condition.holds()) {
                    return true;
                }
                Thread.onSpinWait();
            }
        } while (System.nanoTime() < end);
        return false;
    }

    private final Worker[] workers;
    private final long lookOutNanos;
    private volatile boolean closed;

    /**
     * @param size how many threads work in all, the calling one included; at least 1
     */
    public WorkerPool(int size) {
        lookOutNanos = size > Runtime.getRuntime().availableProcessors() ? 0 : LOOK_OUT_NANOS;
        workers = new Worker[size - 1];
        for (int i = 0; i < workers.length; i++) {
            workers[i] = new Worker(i + 1);
        }
        for (Worker worker : workers) {
            worker.thread.start();
        }
    }

    public int size() {
        return workers.length + 1;
    }

    /** Runs all tiles, on all threads if {@code shared}, and returns when they are done. */
    public void run(long tiles, boolean shared, Work work) {
        run(tiles, shared, 0, work);
    }

    /**
     * The same.
     *
     * @param nanos how long one thread would take, as far as that is known
     */
    public void run(long tiles, boolean shared, double nanos, Work work) {
        if (!shared || workers.length == 0 || tiles < 2) {
            work.run(0, 0, tiles);
            return;
        }
        int pieces = size() * (int) Math.clamp(
                nanos / PIECE_NANOS / size(), LEAST_PIECES, MOST_PIECES);
        Job job = new Job(work, tiles, pieces);
        for (Worker worker : workers) {
            worker.take(job);
        }
        job.help(0);
        job.await(lookOutNanos);
        Throwable failure = job.failure.get();
        if (failure != null) {
            throw new IllegalStateException("a kernel failed", failure);
        }
    }

    @Override
    public void close() {
        closed = true;
        for (Worker worker : workers) {
            LockSupport.unpark(worker.thread);
        }
    }
}
