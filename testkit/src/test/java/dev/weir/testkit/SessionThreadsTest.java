package dev.weir.testkit;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.weir.runtime.generate.Sampler;
import dev.weir.runtime.memory.Tensor;
import dev.weir.runtime.model.Engine;
import dev.weir.testkit.TestModel.Target;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.concurrent.Callable;
import java.util.concurrent.CyclicBarrier;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/** Sessions in threads of their own give what they give one after the other. */
class SessionThreadsTest {
    private static final int THREADS = 16;

    private static long[] prompt(int number) {
        long[] ids = new long[3 + 7 * number % 41];
        Arrays.setAll(ids, i -> (i * 37L + 101L * number + 11) % 512);
        return ids;
    }

    /** A prompt, tokens one by one, and another try of the last of them; all logits. */
    private static List<Tensor> generated(TestModel model, int number) {
        List<Tensor> logits = new ArrayList<>();
        try (Engine.Session session = model.engine().start()) {
            logits.add(model.feed(session, prompt(number)));
            while (logits.size() < 6) {
                logits.add(model.feed(session, next(logits.getLast())));
            }
            try (Engine.Session fork = session.fork()) {
                logits.add(model.feed(fork, number, number + 1, number + 2));
            }
            session.truncate(session.position() - 3);
            logits.add(model.feed(session, number));
        }
        return logits;
    }

    private static long next(Tensor logits) {
        return Sampler.greedy().next(logits, logits.shape()[0] - 1);
    }

    private static <T> List<T> together(List<Callable<T>> works) throws Exception {
        CyclicBarrier begin = new CyclicBarrier(works.size());
        try (ExecutorService threads = Executors.newFixedThreadPool(works.size())) {
            List<Future<T>> futures = works.stream()
                    .map(work -> threads.submit(() -> {
                        begin.await();
                        return work.call();
                    }))
                    .toList();
            List<T> results = new ArrayList<>();
            for (Future<T> future : futures) {
                results.add(future.get());
            }
            return results;
        }
    }

    @ParameterizedTest
    @EnumSource(value = Target.class, names = {"JVM", "NATIVE"})
    void sixteenThreadsGiveTheBytesOfOne(Target target) throws Exception {
        TestModel model = TestModel.of(
                TestModel.text(TestModel.tinyworld().resolve("tinyworld.weir")),
                TestModel.tinyworld(), target, 2, false);
        long loaded = model.compiled().bytesInUse();
        List<List<Tensor>> alone = new ArrayList<>();
        for (int number = 0; number < THREADS; number++) {
            alone.add(generated(model, number));
        }
        assertEquals(loaded, model.compiled().bytesInUse());
        long held = model.compiled().bytesHeld();
        long launches = model.engine().ledger().launches();
        for (int round = 1; round < 3; round++) {
            List<Callable<List<Tensor>>> works = new ArrayList<>();
            for (int number = 0; number < THREADS; number++) {
                int own = number;
                works.add(() -> generated(model, own));
            }
            assertEquals(alone, together(works));
            assertEquals(loaded, model.compiled().bytesInUse(), "all sessions are closed");
            assertEquals((1 + round) * launches, model.engine().ledger().launches());
        }
        assertTrue(model.compiled().bytesHeld() < 4 * held,
                "small blocks stay for the next sessions; " + held + " before");
        model.close();
        assertEquals(0, model.compiled().bytesHeld());
        assertEquals(0, model.compiled().bytesInUse());
    }

    /** The interpreter's sessions too, with states that are carried over. */
    @ParameterizedTest
    @EnumSource(Target.class)
    void carriedStatesAreNobodyElses(Target target) throws Exception {
        try (TestModel model = TestModel.random(
                SessionsTest.Kept.ROWS_AND_CARRIED.source(), 5, target, 2)) {
            List<Callable<List<Tensor>>> works = new ArrayList<>();
            for (int number = 0; number < 6; number++) {
                int own = number;
                works.add(() -> carried(model, own));
            }
            List<List<Tensor>> alone = new ArrayList<>();
            for (Callable<List<Tensor>> work : works) {
                alone.add(work.call());
            }
            assertEquals(alone, together(works));
        }
    }

    private static List<Tensor> carried(TestModel model, int number) {
        List<Tensor> results = new ArrayList<>();
        try (Engine.Session session = model.engine().start()) {
            results.add(model.feed(session, number, 2, 3, number + 1));
            Engine.Mark mark = session.mark();
            for (int step = 0; step < 8; step++) {
                results.add(model.feed(session, (number + step) % 16, step));
                if (step % 3 == 2) {
                    session.rollback(mark);
                }
            }
        }
        return results;
    }
}
