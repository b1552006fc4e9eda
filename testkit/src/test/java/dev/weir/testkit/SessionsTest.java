package dev.weir.testkit;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.weir.ir.tensor.Fault;
import dev.weir.ir.type.Format;
import dev.weir.runtime.memory.Tensor;
import dev.weir.runtime.model.Engine;
import dev.weir.testkit.TestModel.Target;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.function.Function;
import java.util.stream.LongStream;
import java.util.stream.Stream;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.MethodSource;

/**
 * A session that went back, or was copied, goes on to the same bytes as one to which nothing else
 * ever happened; on every target.
 */
class SessionsTest {
    /** What a block may remember of {@code x[T, D]}. */
    enum Kept {
        ROWS("keys[S, D], when[S]: int", """
                keys ++= x
                when ++= pos
                score[t, s] = sum[d] x[t, d] * keys[s, d]
                p[t, s] = softmax[s] score[t, s] where when[s] <= pos[t]
                y[t, d] = sum[s] p[t, s] * keys[s, d]
                """),
        ROWS_OF_SOME("keys[S, D], when[S]: int", """
                y = x
                score[t] = x[t, 0]
                if score > 0.0 {
                    keys ++= x
                    when ++= pos
                    y[t, d] = (max[s] keys[s, d] where when[s] <= pos[t])
                }
                """),
        LAST_ROWS("keys[S, D], when[S]: int keep last 3", """
                keys ++= x
                when ++= pos
                score[t, s] = sum[d] x[t, d] * keys[s, d]
                p[t, s] = softmax[s] score[t, s] where when[s] <= pos[t] and when[s] > pos[t] - 3
                y[t, d] = sum[s] p[t, s] * keys[s, d]
                """),
        PAIRS_OF_ROWS_OF_SOME("keys[S, D]", """
                scan t {
                    if x[t, 0] > 0.0 {
                        pair[r in 0..2, d] = x[t, d] + float(r)
                        keys ++= pair
                        y[t, d] = max[s] keys[s, d]
                    } else {
                        y[t, d] = x[t, d]
                    }
                }
                """),
        CARRIED("last[D] = 0.25", """
                scan t {
                    last[d] = 0.5 * last[d] + x[t, d]
                    z[t, d] = last[d]
                }
                y[t, d] = z[t, d] + 2.0 * (x[t - 1, d] or 0)
                """),
        ROWS_AND_CARRIED("keys[S, D], when[S]: int, last[D] = 0.25", """
                scan t {
                    last[d] = 0.5 * last[d] + x[t, d]
                    z[t, d] = last[d]
                }
                keys ++= z
                when ++= pos
                y[t, d] = (max[s] keys[s, d] where when[s] <= pos[t])
                """);

        private final String states;
        private final String body;

        Kept(String states, String body) {
            this.states = states;
            this.body = body;
        }

        boolean carries() {
            return states.contains("last[D]");
        }

        /** Ids up to 15 are known; 16 is a fault behind all that is remembered. */
        String source() {
            return """
                    block Part<D> {
                        state %s
                        forward(x[T, D], pos[T]: int) -> y[T, D] {
                    %s
                        }
                    }

                    model M<D = 6> {
                        param first[8, D]
                        param second[16, D]
                        parts: Part<D> * 2
                        forward(k[T]: int, pos[T]: int = positions) -> y[T, D] {
                            x[t, d] = first[k[t] %% 8, d]
                            z = parts[1](parts[0](x, pos), pos)
                            y[t, d] = z[t, d] + second[k[t], d]
                        }
                    }
                    """.formatted(states, body);
        }
    }

    static Stream<Arguments> everywhere() {
        return Arrays.stream(Kept.values()).flatMap(kept ->
                Arrays.stream(Target.values()).map(target -> Arguments.of(kept, target)));
    }

    private static TestModel open(Kept kept, Target target) {
        return TestModel.random(kept.source(), 5, target, 2);
    }

    /** Ids that differ from seed to seed. */
    private static long[] ids(int count, long seed) {
        return LongStream.range(0, count).map(i -> (i * i * 5 + i * 3 + seed * 7) % 16).toArray();
    }

    private static long[] with(long[] ids, int place, long id) {
        long[] changed = ids.clone();
        changed[place] = id;
        return changed;
    }

    /** What a session gives at the end of several steps, without anything in between. */
    private static Tensor last(TestModel model, long[]... steps) {
        Engine.Session session = model.engine().start();
        Tensor result = null;
        for (long[] step : steps) {
            result = model.feed(session, step);
        }
        session.close();
        return result;
    }

    @ParameterizedTest
    @MethodSource("everywhere")
    void aForkGoesItsOwnWay(Kept kept, Target target) throws Exception {
        try (TestModel model = open(kept, target)) {
            Engine.Session session = model.engine().start();
            model.feed(session, ids(70, 1));
            Engine.Session fork = session.fork();
            assertEquals(70, fork.position());
            Tensor left = model.feed(session, ids(5, 2));
            Tensor right = model.feed(fork, ids(9, 3));
            assertEquals(last(model, ids(70, 1), ids(5, 2)), left);
            assertEquals(last(model, ids(70, 1), ids(9, 3)), right);
            session.close();
            Tensor later = model.feed(fork, ids(80, 4));
            assertEquals(last(model, ids(70, 1), ids(9, 3), ids(80, 4)), later);
        }
    }

    /** The second of three sessions has a wrong id; the others have no share in it. */
    @ParameterizedTest
    @MethodSource("everywhere")
    void aFaultLeavesAllSessionsAsTheyWere(Kept kept, Target target) throws Exception {
        try (TestModel model = open(kept, target)) {
            List<Engine.Session> sessions = Stream.generate(model.engine()::start)
                    .limit(3).toList();
            List<long[]> begin = List.of(ids(6, 1), ids(60, 2), ids(1, 3));
            List<long[]> wrong = List.of(ids(4, 4), with(ids(9, 5), 7, 16), ids(2, 6));
            List<long[]> right = List.of(ids(4, 4), ids(9, 5), ids(2, 6));
            Fault first = assertThrows(Fault.class, () -> model.batch(sessions, wrong));
            assertTrue(first.getMessage().contains("index 16"), first.getMessage());
            assertEquals(List.of(0L, 0L, 0L),
                    sessions.stream().map(Engine.Session::position).toList());
            model.batch(sessions, begin);
            for (int again = 0; again < 2; again++) {
                assertThrows(Fault.class, () -> model.batch(sessions, wrong));
                assertEquals(List.of(6L, 60L, 1L),
                        sessions.stream().map(Engine.Session::position).toList());
            }
            Tensor together = model.batch(sessions, right);
            long at = 0;
            for (int b = 0; b < 3; b++) {
                long next = at + right.get(b).length;
                assertEquals(last(model, begin.get(b), right.get(b)), together.rows(at, next));
                at = next;
            }
        }
    }

    @ParameterizedTest
    @MethodSource("everywhere")
    void aSessionGoesBackToItsMarks(Kept kept, Target target) throws Exception {
        try (TestModel model = open(kept, target)) {
            Engine.Session session = model.engine().start();
            Engine.Mark begin = session.mark();
            model.feed(session, ids(5, 1));
            Engine.Mark five = session.mark();
            assertEquals(5, five.position());
            for (long seed = 2; seed < 4; seed++) {
                model.feed(session, ids(64, seed));
                Engine.Mark later = session.mark();
                model.feed(session, ids(3, seed));
                session.rollback(five);
                assertEquals(5, session.position());
                assertThrows(IllegalStateException.class, () -> session.rollback(later));
                later.close();
            }
            assertEquals(last(model, ids(5, 1), ids(7, 4)), model.feed(session, ids(7, 4)));
            Engine.Session fork = session.fork();
            assertThrows(IllegalArgumentException.class, () -> fork.rollback(five));
            session.rollback(begin);
            assertEquals(last(model, ids(4, 5)), model.feed(session, ids(4, 5)));
            assertThrows(IllegalStateException.class, () -> session.rollback(five));
            begin.close();
            begin.close();
            assertThrows(IllegalStateException.class, () -> session.rollback(begin));
        }
    }

    /**
     * Token by token, far enough that states outgrow their room, or what they keep of their last
     * rows moves; each time after a fault, and twice from a mark on.
     */
    @ParameterizedTest
    @MethodSource("everywhere")
    void marksAndFaultsOutlastManySteps(Kept kept, Target target) throws Exception {
        int steps = target == Target.INTERPRETER ? 20 : 150;
        try (TestModel model = open(kept, target)) {
            Engine.Session plain = model.engine().start();
            Engine.Session session = model.engine().start();
            model.feed(plain, ids(20, 1));
            model.feed(session, ids(20, 1));
            Engine.Mark mark = session.mark();
            long[] next = ids(steps, 2);
            List<Tensor> expected = Arrays.stream(next).mapToObj(id -> model.feed(plain, id))
                    .toList();
            for (int round = 0; round < 2; round++) {
                for (int step = 0; step < steps; step++) {
                    long id = next[step];
                    assertThrows(Fault.class, () -> model.feed(session, id, 3, 16));
                    assertEquals(expected.get(step), model.feed(session, id));
                }
                session.rollback(mark);
            }
        }
    }

    /** Rows are dropped wherever the step began that appended them. */
    @ParameterizedTest
    @EnumSource(Target.class)
    void rowsOfEachElementAreCutAnywhere(Target target) throws Exception {
        try (TestModel model = open(Kept.ROWS, target)) {
            Engine.Session session = model.engine().start();
            model.feed(session, ids(90, 1));
            model.feed(session, ids(7, 2));
            Engine.Mark behind = session.mark();
            session.truncate(97);
            session.truncate(71);
            assertEquals(71, session.position());
            assertThrows(IllegalStateException.class, () -> session.rollback(behind));
            assertEquals(last(model, Arrays.copyOf(ids(90, 1), 71), ids(3, 3)),
                    model.feed(session, ids(3, 3)));
            for (long elements : new long[] {-1, 75}) {
                assertThrows(IllegalArgumentException.class, () -> session.truncate(elements));
            }
            session.truncate(0);
            assertEquals(last(model, ids(8, 4)), model.feed(session, ids(8, 4)));
        }
    }

    /** Marks are places to cut at, and so is the beginning, whatever is remembered. */
    @ParameterizedTest
    @MethodSource("everywhere")
    void allElseIsCutAtMarksOnly(Kept kept, Target target) throws Exception {
        try (TestModel model = open(kept, target)) {
            Engine.Session session = model.engine().start();
            model.feed(session, ids(5, 1));
            session.mark();
            model.feed(session, ids(8, 2));
            if (kept != Kept.ROWS) {
                Fault refused = assertThrows(Fault.class, () -> session.truncate(7));
                String reason = kept.carries() ? "last" : "not every element has one row";
                assertTrue(refused.getMessage().contains(reason)
                        && refused.getMessage().contains("from 13 to 7"), refused.getMessage());
                assertEquals(13, session.position());
            }
            session.truncate(5);
            assertEquals(last(model, ids(5, 1), ids(6, 3)), model.feed(session, ids(6, 3)));
            session.truncate(0);
            assertEquals(last(model, ids(6, 3)), model.feed(session, ids(6, 3)));
        }
    }

    /** Where a state gets rows by chance as many as there are elements, they are not theirs. */
    @ParameterizedTest
    @EnumSource(Target.class)
    void asManyRowsAsElementsAreNotEnough(Target target) throws Exception {
        try (TestModel model = open(Kept.PAIRS_OF_ROWS_OF_SOME, target)) {
            long enters = LongStream.range(0, 8).filter(id -> enters(model, id)).findFirst()
                    .orElseThrow();
            long stays = LongStream.range(0, 8).filter(id -> !enters(model, id)).findFirst()
                    .orElseThrow();
            Engine.Session session = model.engine().start();
            model.feed(session, stays, enters, enters, stays);
            assertThrows(Fault.class, () -> session.truncate(2));
        }
    }

    /** Whether an element leaves rows; two of them cannot be cut between the rows. */
    private static boolean enters(TestModel model, long id) {
        Engine.Session session = model.engine().start();
        model.feed(session, id, id);
        try {
            session.truncate(1);
            return false;
        } catch (Fault twoRowsEach) {
            return true;
        }
    }

    @ParameterizedTest
    @EnumSource(Target.class)
    void whatIsClosedOrStrangeIsRefused(Target target) throws Exception {
        TestModel model = open(Kept.ROWS_AND_CARRIED, target);
        Engine.Session session = model.engine().start();
        Engine.Session closed = model.engine().start();
        closed.close();
        closed.close();
        long[] ids = ids(3, 1);
        assertThrows(IllegalStateException.class, () -> model.feed(closed, ids));
        assertThrows(IllegalStateException.class, closed::fork);
        assertThrows(IllegalStateException.class, closed::mark);
        assertThrows(IllegalStateException.class, () -> closed.truncate(0));
        assertThrows(IllegalArgumentException.class,
                () -> model.batch(List.of(session, session), List.of(ids, ids)));
        try (TestModel other = open(Kept.ROWS_AND_CARRIED, target)) {
            Engine.Session strange = other.engine().start();
            assertThrows(IllegalArgumentException.class, () -> model.feed(strange, ids));
        }
        assertEquals(last(model, ids), model.feed(session, ids));
        model.close();
        assertThrows(IllegalStateException.class, () -> model.feed(session, ids));
        assertThrows(IllegalStateException.class, model.engine()::start);
        session.close();
    }

    @ParameterizedTest
    @EnumSource(Target.class)
    void whoWatchesAStepCanBreakItOffButNotReachIntoIt(Target target) throws Exception {
        try (TestModel model = TestModel.traced(Kept.ROWS_AND_CARRIED.source(), 5, target)) {
            Engine.Session session = model.engine().start();
            model.feed(session, ids(5, 1));
            long[] rows = {3};
            List<Tensor> next = List.of(
                    Tensor.ofLongs(ids(3, 2)), Engine.positions(List.of(session), rows));
            assertThrows(UnsupportedOperationException.class, () -> model.engine().step(
                    List.of(session), rows, next, (path, value) -> {
                        assertThrows(IllegalStateException.class, session::close);
                        assertThrows(IllegalStateException.class, session::fork);
                        throw new UnsupportedOperationException("enough");
                    }));
            assertEquals(5, session.position());
            assertEquals(last(model, ids(5, 1), ids(4, 3)), model.feed(session, ids(4, 3)));
        }
    }

    /** What has fewer elements than are read is refused, instead of reading behind its end. */
    @ParameterizedTest
    @EnumSource(Target.class)
    void argumentsOfOtherSizesAreRefused(Target target) throws Exception {
        try (TestModel model = TestModel.random("""
                model Pixels<D = 64> {
                    forward(x[D, D]) -> y[D] {
                        y[d] = sum[e] x[d, e]
                    }
                }
                """, 1, target, 1)) {
            List<Engine.Session> one = List.of(model.engine().start());
            long[] row = {1};
            for (Tensor wrong : List.of(
                    Tensor.zeros(Format.F32, new long[] {1, 32, 32}),
                    Tensor.zeros(Format.F32, new long[] {2, 64, 64}),
                    Tensor.zeros(Format.F16, new long[] {1, 64, 64}))) {
                assertThrows(IllegalArgumentException.class,
                        () -> model.batch(one, row, List.of(wrong)));
            }
            assertThrows(IllegalArgumentException.class,
                    () -> model.batch(one, row, List.of()));
            assertEquals(64, model.batch(one, row, List.of(
                    Tensor.zeros(Format.F32, new long[] {1, 64, 64}))).elements());
        }
    }

    /** Who reads results during a step sees what is given to others, and nothing afterwards. */
    @ParameterizedTest
    @EnumSource(Target.class)
    void resultsAreReadDuringTheStepOnly(Target target) throws Exception {
        try (TestModel model = TestModel.random(SUMMING, 1, target, 1)) {
            Engine engine = model.engine();
            List<Tensor> seen = new ArrayList<>();
            Tensor copy = summed(engine, engine.start(), 3, results -> {
                seen.addAll(results);
                return results.getFirst().copy();
            });
            assertEquals(engine.step(List.of(engine.start()), new long[] {3},
                    List.of(numbers(3)), Engine.Tracer.NONE).getFirst(), copy);
            if (target != Target.INTERPRETER) {
                assertThrows(IllegalStateException.class, () -> seen.getFirst().real(0));
            }
        }
    }

    /** A reader that fails has failed the step: the session goes on as if it had not been. */
    @ParameterizedTest
    @EnumSource(Target.class)
    void aReaderThatFailsLeavesSessionsAsTheyWere(Target target) throws Exception {
        try (TestModel model = TestModel.random(SUMMING, 1, target, 1)) {
            Engine engine = model.engine();
            Engine.Session session = engine.start();
            summed(engine, session, 2, results -> true);
            assertThrows(ArithmeticException.class, () -> summed(engine, session, 2, results -> {
                throw new ArithmeticException("a reader's own");
            }));
            assertEquals(2, session.position());
            Engine.Session other = engine.start();
            summed(engine, other, 2, results -> true);
            Tensor expected = summed(engine, other, 1, results -> results.getFirst().copy());
            Tensor actual = summed(engine, session, 1, results -> results.getFirst().copy());
            assertEquals(expected, actual);
        }
    }

    private static final String SUMMING = """
            model M {
                state total[2] = 0
                forward(x[T, 2]) -> y[T, 2] {
                    scan t {
                        total[d] = total[d] + x[t, d]
                        y[t, d] = total[d]
                    }
                }
            }
            """;

    private static <R> R summed(
            Engine engine, Engine.Session session, int rows, Function<List<Tensor>, R> read) {
        return engine.step(engine.entries().getFirst(), List.of(session), new long[] {rows},
                List.of(numbers(rows)), Engine.Tracer.NONE, read);
    }

    private static Tensor numbers(int rows) {
        Tensor x = Tensor.zeros(Format.F32, rows, 2);
        LongStream.range(0, x.elements()).forEach(i -> x.setReal(i, i + 1));
        return x;
    }
}
