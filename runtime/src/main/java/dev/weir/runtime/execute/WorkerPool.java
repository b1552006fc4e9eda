package dev.weir.runtime.execute;

import java.util.concurrent.CountDownLatch;
import java.util.concurrent.atomic.AtomicLong;
import java.util.concurrent.atomic.AtomicReference;
import java.util.concurrent.locks.LockSupport;

/**
 * A fixed number of threads that share the tiles of one kernel after the other. The calling thread
 * works too; the others sleep between kernels. What a tile computes never depends on who runs it.
 */
public final class WorkerPool implements AutoCloseable {

    /** Runs tiles {@code begin} up to {@code end} as worker number {@code worker}. */
    public interface Work {
        void run(int worker, long begin, long end);
    }

    private record Job(
            Work work, long tiles, long grain, AtomicLong next, CountDownLatch done,
            AtomicReference<Throwable> failure) {

        void help(int worker) {
            try {
                for (long begin = next.getAndAdd(grain); begin < tiles;
                        begin = next.getAndAdd(grain)) {
                    work.run(worker, begin, Math.min(tiles, begin + grain));
                }
            } catch (Throwable t) {
                failure.compareAndSet(null, t);
            } finally {
                done.countDown();
            }
        }
    }

    private final Thread[] threads;
    private final AtomicReference<Job>[] inboxes;
    private volatile boolean closed;

    /**
     * @param size how many threads work in all, the calling one included; at least 1
     */
    @SuppressWarnings({"unchecked", "rawtypes"})
    public WorkerPool(int size) {
        threads = new Thread[size - 1];
        inboxes = new AtomicReference[size - 1];
        for (int i = 0; i < threads.length; i++) {
            int worker = i + 1;
            AtomicReference<Job> inbox = new AtomicReference<>();
            inboxes[i] = inbox;
            threads[i] = Thread.ofPlatform()
                    .daemon()
                    .name("weir-worker-" + worker)
                    .start(() -> serve(worker, inbox));
        }
    }

    public int size() {
        return threads.length + 1;
    }

    private void serve(int worker, AtomicReference<Job> inbox) {
        while (!closed) {
            Job job = inbox.getAndSet(null);
            if (job == null) {
                LockSupport.park(this);
            } else {
                job.help(worker);
            }
        }
    }

    /** Runs all tiles, on all threads if {@code shared}, and returns when they are done. */
    public void run(long tiles, boolean shared, Work work) {
        if (!shared || threads.length == 0 || tiles < 2) {
            work.run(0, 0, tiles);
            return;
        }
        long grain = Math.max(1, tiles / (4L * size()));
        Job job = new Job(work, tiles, grain, new AtomicLong(),
                new CountDownLatch(size()), new AtomicReference<>());
        for (int i = 0; i < threads.length; i++) {
            inboxes[i].set(job);
            LockSupport.unpark(threads[i]);
        }
        job.help(0);
        finish(job.done);
        Throwable failure = job.failure.get();
        if (failure != null) {
            throw new IllegalStateException("a kernel failed", failure);
        }
    }

    /** Waits in any case: who left earlier would free memory that others still write. */
    private static void finish(CountDownLatch done) {
        boolean interrupted = false;
        while (done.getCount() > 0) {
            try {
                done.await();
            } catch (InterruptedException e) {
                interrupted = true;
            }
        }
        if (interrupted) {
            Thread.currentThread().interrupt();
        }
    }

    @Override
    public void close() {
        closed = true;
        for (Thread thread : threads) {
            LockSupport.unpark(thread);
        }
    }
}
