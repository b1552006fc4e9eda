package dev.weir.testkit.fuzz;

import java.io.PrintStream;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;
import java.util.concurrent.atomic.AtomicLong;
import java.util.function.Supplier;

/**
 * Many trials on some threads, until there are enough or time is up. Which trial has which number
 * depends on neither.
 */
final class Campaign {
    private static final long PROGRESS_NANOS = Duration.ofSeconds(20).toNanos();

    /**
     * How far it goes.
     *
     * @param first the number of the first trial
     * @param count how many trials there are at most
     * @param patience how long one trial may take
     * @param duration how long all may take; a trial that has begun may end
     */
    record Extent(long first, long count, int threads, Duration patience, Duration duration) {}

    private final Extent extent;
    private final Supplier<Subject> subjects;
    private final PrintStream out;
    private final AtomicLong next;
    private final long begin = System.nanoTime();
    private long made;
    private long shown = begin;
    private final Map<String, Integer> failures = new TreeMap<>();
    private final List<String> summaries = new ArrayList<>();

    private Campaign(Extent extent, Supplier<Subject> subjects, PrintStream out) {
        this.extent = extent;
        this.subjects = subjects;
        this.out = out;
        this.next = new AtomicLong(extent.first());
    }

    /** How many trials failed, by the kind of the failure. */
    static Map<String, Integer> run(Extent extent, Supplier<Subject> subjects, PrintStream out)
            throws InterruptedException {
        return new Campaign(extent, subjects, out).run();
    }

    private Map<String, Integer> run() throws InterruptedException {
        List<Thread> threads = new ArrayList<>();
        for (int i = 0; i < extent.threads(); i++) {
            threads.add(Thread.ofPlatform().daemon().start(this::work));
        }
        for (Thread thread : threads) {
            thread.join();
        }
        summaries.forEach(out::println);
        failures.forEach((kind, count) -> out.println(count + " times: " + kind));
        out.println(state());
        return failures;
    }

    private void work() {
        Subject subject = subjects.get();
        Watchdog watchdog = new Watchdog(subject, extent.patience());
        try {
            while (true) {
                long number = next.getAndIncrement();
                if (number - extent.first() >= extent.count() || isOver()) {
                    break;
                }
                done(number, watchdog.attempt(number));
                if (watchdog.isAbandoned()) {
                    subject = subjects.get();
                    watchdog = new Watchdog(subject, extent.patience());
                }
            }
        } catch (InterruptedException stop) {
            Thread.currentThread().interrupt();
        } finally {
            watchdog.close();
            ended(subject.summary());
        }
    }

    private boolean isOver() {
        return System.nanoTime() - begin >= extent.duration().toNanos();
    }

    private synchronized void done(long number, Optional<Failure> failure) {
        made++;
        failure.ifPresent(f -> {
            if (failures.merge(f.kind(), 1, Integer::sum) == 1) {
                out.println("\nFAILED number " + number + ": " + f.kind() + "\n" + f.report());
            }
        });
        if (System.nanoTime() - shown >= PROGRESS_NANOS) {
            shown = System.nanoTime();
            out.println(state());
        }
    }

    private synchronized void ended(String summary) {
        if (!summary.isEmpty()) {
            summaries.add(summary);
        }
    }

    private String state() {
        int failed = failures.values().stream().mapToInt(n -> n).sum();
        return made + " tried, " + failed + " failed, next " + next.get() + ", "
                + Duration.ofNanos(System.nanoTime() - begin).toSeconds() + " s";
    }
}
