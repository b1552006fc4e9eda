package dev.weir.testkit.fuzz;

import java.time.Duration;
import java.util.Arrays;
import java.util.Optional;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.FutureTask;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import java.util.stream.Collectors;

/**
 * Makes the trials of a {@link Subject} on a thread of its own and waits for each of them just so
 * long. A thread that does not come back cannot be stopped: it is left behind, and so is this.
 */
final class Watchdog implements AutoCloseable {
    private final Subject subject;
    private final Duration patience;
    private final LinkedBlockingQueue<FutureTask<Optional<Failure>>> tasks =
            new LinkedBlockingQueue<>();
    private final Thread worker = new Thread(this::work, "trials");
    private boolean abandoned;

    Watchdog(Subject subject, Duration patience) {
        this.subject = subject;
        this.patience = patience;
        worker.setDaemon(true);
        worker.start();
    }

    private void work() {
        try {
            while (true) {
                tasks.take().run();
            }
        } catch (InterruptedException end) {
            Thread.currentThread().interrupt();
        }
    }

    /** Whether a trial did not end, so that no other can be made. */
    boolean isAbandoned() {
        return abandoned;
    }

    Optional<Failure> attempt(long number) throws InterruptedException {
        FutureTask<Optional<Failure>> task = new FutureTask<>(() -> subject.attempt(number));
        tasks.add(task);
        try {
            return task.get(patience.toMillis(), TimeUnit.MILLISECONDS);
        } catch (ExecutionException failed) {
            return Optional.of(Failure.of(failed.getCause(), subject.describe(number)));
        } catch (TimeoutException hang) {
            abandoned = true;
            String where = Arrays.stream(worker.getStackTrace()).limit(60)
                    .map(frame -> "\tat " + frame + "\n").collect(Collectors.joining());
            worker.interrupt();
            return Optional.of(new Failure("no end after " + patience.toSeconds() + " s",
                    where + subject.describe(number)));
        }
    }

    @Override
    public void close() {
        if (!abandoned) {
            worker.interrupt();
            subject.close();
        }
    }
}
