package dev.weir.testkit;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.weir.ir.tensor.Fault;
import dev.weir.ir.type.Format;
import dev.weir.runtime.memory.Tensor;
import dev.weir.runtime.model.Engine;
import dev.weir.testkit.TestModel.Target;
import java.util.List;
import java.util.Random;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.EnumSource;

/**
 * What can be taken in steps gives the same bytes however it is cut, and what cannot refuses a
 * second step.
 */
class StreamsTest {
    private static final int ROWS = 23;

    /** Bodies of a block over {@code x[T, D]} that can be stepped. */
    private enum Stepped {
        LOOK_BACK("y[t, d] = x[t, d] + 2.0 * (x[t - 1, d] or 0) - (x[t - 3, d] or 0)"),
        FILLED_WITH_ONE("y[t, d] = x[t, d] + (x[t - 2, d] or 1)"),
        SHORT_CONVOLUTION("y[t, d] = sum[u in 0..4] kernel[u, d] * (x[t - u, d] or 0)"),
        DILATED("y[t, d] = sum[u in 0..3] kernel[u, d] * (x[t + 3 * u - 6, d] or 0)"),
        LARGEST_OF_THE_LAST("y[t, d] = max[u in 0..3] (x[t - u, d] or -1e30)"),
        MEAN_OF_THE_LAST("y[t, d] = mean[u in 0..3] (x[t - u, d] or skip)"),
        ALSO_BESIDE("y[t, d] = sum[u in 0..3] (x[t - u, d + u - 1] or 0)"),
        OF_WHAT_WAS_COMPUTED("""
                z = silu(x)
                w[t, d] = z[t, d] - (z[t - 1, d] or 0)
                y[t, d] = w[t, d] + (w[t - 2, d] or 0) * (z[t - 1, d] or 0.5)
                """),
        OF_TRUTHS_AND_NUMBERS("""
                up[t] = x[t, 0] > 0.0
                k[t] = if up[t] { 3 } else { 5 }
                y[t, d] = if (up[t - 1] or false) { x[t, d] } else { -x[t, d] * (k[t - 2] or 7) }
                """),
        IN_A_LOOP("""
                y = x
                for i in 0..3 { y[t, d] = y[t, d] + 0.5 * (y[t - 1 , d] or 0) }
                """),
        SHARED_BLOCKS("y = shift(shift(x)) + shift(x)"),
        A_LIST_OF_BLOCKS("""
                y = x
                for i in 0..3 { y = shifts[i](y) }
                y = y + shifts[1](x)
                """),
        A_FUNCTION("y = before(before(x)) + before(x)"),
        ENTRANTS("""
                y = x
                score[t] = x[t, 0]
                if score > 0.0 { y[t, d] = x[t, d] - (x[t - 1, d] or 0.25) }
                """),
        OF_A_MATRIX_FOR_EACH("""
                z[t, e, f] = x[t, e] * x[t, f]
                y[t, d] = x[t, d] + (sum[e, u in 0..2] (z[t - u, d, e] or 0))
                """),
        A_RECURRENCE("""
                scan t {
                    last[d] = 0.5 * last[d] + x[t, d]
                    y[t, d] = last[d] + x[t, d]
                }
                """),
        A_RECURRENCE_OF_MATRICES("""
                scan t {
                    fast[d, e] = 0.5 * fast[d, e] + x[t, d] * kernel[0, e]
                    o[t, d] = sum[e] fast[d, e] * x[t, e]
                }
                y = o + x
                """),
        A_RECURRENCE_THAT_DECIDES("""
                scan t {
                    if x[t, 0] > 0.0 {
                        last[d] = last[d] + x[t, d]
                        y[t, d] = last[d]
                    } else {
                        y[t, d] = -last[d]
                    }
                }
                """),
        A_RECURRENCE_WITH_A_BLOCK("""
                scan t {
                    now[d] = x[t, d]
                    next = cell(now)
                    y[t, d] = next[d]
                }
                """),
        A_RECURRENCE_OF_CHOSEN_CELLS("""
                scan t {
                    now[d] = x[t, d]
                    next = route now to cells by top(2, softmax(now[0..4]), normalize: true)
                    y[t, d] = next[d]
                }
                """),
        CHOSEN_BLOCKS_WITH_A_HISTORY("""
                e[j in 0..2] = 2 - j
                y[t, d] = sum[j] (float(j) + 0.5) * mixed[e[j]](x, pos)[t, d]
                """),
        A_RECURRENCE_THAT_LOOKS_BACK("""
                scan t {
                    last[d] = 0.5 * last[d] + (x[t - 2, d] or 0)
                    y[t, d] = last[d]
                }
                """),
        A_RECURRENCE_IN_A_LOOP("""
                y = x
                for i in 0..2 {
                    scan t {
                        last[d] = 0.5 * last[d] + y[t, d]
                        z[t, d] = last[d]
                    }
                    y = z
                }
                """),
        A_RECURRENCE_OF_ENTRANTS("""
                y = x
                score[t] = x[t, 0]
                if score > 0.0 {
                    scan t {
                        last[d] = 0.5 * last[d] + x[t, d]
                        y[t, d] = last[d]
                    }
                }
                """),
        A_HISTORY_THAT_GROWS_IN_ORDER("""
                scan t {
                    row[r in 0..1, d] = x[t, d]
                    seen ++= row
                    y[t, d] = max[s] seen[s, d]
                }
                """),
        PREFIXES("""
                a[t, d] = cumsum[t] x[t, d]
                b[t, d] = cummax[t] x[t, d] where x[t, 0] > 0.0
                c[t] = cumprod[t] (1.0 + 0.125 * x[t, 0])
                y[t, d] = a[t, d] + max(b[t, d], -9.0) * c[t] + (cumsum[d] x[t, d])
                """),
        A_VALUE_CARRIED_BY_A_SCAN("""
                y = x
                for i in 0..2 {
                    m[d in 0..D] = 0.5
                    scan t {
                        m[d] = 0.5 * m[d] + y[t, d]
                        z[t, d] = m[d]
                    }
                    y = z
                }
                """),
        A_WINDOW_THAT_FORGETS("""
                brief ++= x
                then ++= pos
                y[t, d] = (sum[s] brief[s, d] where then[s] <= pos[t] and pos[t] - then[s] < 3)
                    + (max[s] brief[s, d] where then[s] <= pos[t] and then[s] >= pos[t] - 1)
                """),
        ATTENTION_OVER_A_WINDOW("""
                brief ++= x
                then ++= pos
                p[t, s] = softmax[s] (sum[d] x[t, d] * brief[s, d])
                    where then[s] <= pos[t] and then[s] > pos[t] - 3
                y[t, d] = sum[s] p[t, s] * brief[s, d]
                """),
        A_SCAN_THAT_FORGETS("""
                scan t {
                    row[i in 0..1, d] = x[t, d]
                    queue ++= row
                    y[t, d] = sum[s] queue[s, d]
                }
                """),
        A_HISTORY_OF_ENTRANTS("""
                y = x
                score[t] = x[t, 0]
                if score > 0.0 {
                    seen ++= x
                    at ++= pos
                    y[t, d] = (max[s] seen[s, d] where at[s] <= pos[t])
                }
                """),
        HISTORY_IN_A_NARROW_FORMAT("""
                short ++= x / 3.0
                at ++= pos
                y[t, d] = (sum[s] short[s, d] where at[s] <= pos[t])
                """),
        A_NARROW_RECURRENCE("""
                scan t {
                    thin[d] = 0.3 * thin[d] + x[t, d]
                    y[t, d] = thin[d]
                }
                """),
        ANOTHER_METHOD("y = memory.read(x, memory.keep(x, pos))"),
        A_METHOD_OF_A_LIST("""
                y = x
                for i in 0..4 {
                    z = memories[i % 2].keep(y, pos)
                    y = y + memories[i % 2].read(y, z)
                }
                """),
        A_LIST_OF_UNLIKE_BLOCKS("""
                y = x
                for i in 0..3 {
                    y = y + mixed[i](y, pos)
                }
                """),
        A_SLOT_THAT_A_COMPARISON_CHOSE("""
                seen ++= x
                at ++= pos
                best[t] = argmax[s] seen[s, 0] where at[s] <= pos[t]
                y[t, d] = seen[best[t], d] - (seen[0, d] or 0)
                """),
        AN_EXIT_THAT_FILLS_CACHES("""
                y = x
                for i in 0..3 {
                    y = exits[i](y, pos)
                    score[t] = y[t, 0]
                    if score > 0.25 { break }
                    leaving { kept = exits[i].fill(y, pos) }
                }
                """),
        AN_EXIT_FROM_WINDOWS("""
                y = x
                for i in 0..3 {
                    leaving {
                        y[t, d] = y[t, d] + 0.125
                        kept = brief_exits[i].fill(y, pos)
                    }
                    y = brief_exits[i](y, pos)
                    score[t] = y[t, 0] + y[t, 1]
                    if score > 0.5 { break }
                }
                """),
        CALLED_TWICE("""
                z = memory.read(x, memory.keep(x, pos))
                y = memory.read(z, memory.keep(z, pos))
                """),
        SHARED_BETWEEN_ROUNDS("""
                z = memory.keep(x, pos) using first
                y = x
                for i in 0..3 { y = y + memories[1].read(y, z) using first }
                """),
        SHARED_BY_PAIRS("""
                y = x
                for i in 0..2 { z = memory.keep(x + float(i), pos) using pair[i] }
                for i in 0..4 { y = y + memory.read(y, pos) using pair[i / 2] }
                """),
        A_MEMBER_OF_ANOTHER_BLOCK("y[t, d] = shift.scale[d] * x[t, d] + shifts[1].scale[d]"),
        ATTENTION_OVER_STATE("""
                seen ++= x
                at ++= pos
                a[t, s] = sum[d] x[t, d] * seen[s, d]
                p[t, s] = softmax[s] a[t, s] where at[s] <= pos[t]
                z[t, d] = sum[s] p[t, s] * seen[s, d]
                y[t, d] = z[t, d] + (z[t - 1, d] or 0)
                """);

        private final String body;

        Stepped(String body) {
            this.body = body;
        }

    }

    private static String source(String body) {
        return """
                block Shift<D> {
                    param scale[D]
                    forward(x[T, D]) -> y[T, D] {
                        y[t, d] = scale[d] * x[t, d] - (x[t - 1, d] or 0)
                    }
                }

                block Memory<D> {
                    state keys[S, D], when[S]: int

                    keep(x[T, D], pos[T]: int) -> kept[T]: int {
                        keys ++= x
                        when ++= pos
                        kept = pos
                    }

                    read(x[T, D], pos[T]: int) -> y[T, D] {
                        score[t, s] = sum[d] x[t, d] * keys[s, d]
                        p[t, s] = softmax[s] score[t, s] where when[s] <= pos[t]
                        y[t, d] = sum[s] p[t, s] * keys[s, d]
                    }
                }

                block Exit<D> {
                    state keys[S, D], when[S]: int
                    forward(x[T, D], pos[T]: int) -> y[T, D] {
                        keys ++= x
                        when ++= pos
                        p[t, s] = softmax[s] (sum[d] x[t, d] * keys[s, d]) where when[s] <= pos[t]
                        y[t, d] = 0.5 * x[t, d] + sum[s] p[t, s] * keys[s, d]
                    }
                    fill(x[T, D], pos[T]: int) -> kept[T]: int {
                        keys ++= 0.5 * x
                        when ++= pos
                        kept = pos
                    }
                }

                block BriefExit<D> {
                    state keys[S, D], when[S]: int keep last 3
                    forward(x[T, D], pos[T]: int) -> y[T, D] {
                        keys ++= x
                        when ++= pos
                        y[t, d] = 0.5 * x[t, d] + (sum[s] keys[s, d]
                            where when[s] <= pos[t] and pos[t] - when[s] < 3)
                    }
                    fill(x[T, D], pos[T]: int) -> kept[T]: int {
                        keys ++= -x
                        when ++= pos
                        kept = pos
                    }
                }

                block Local<D> {
                    memory: Memory<D>
                    forward(x[T, D], pos[T]: int) -> y[T, D] {
                        y = memory.read(x, memory.keep(x, pos))
                    }
                }

                block Global<D> {
                    memory: Memory<D>
                    forward(x[T, D], pos[T]: int) -> y[T, D] {
                        y = 0.5 * memory.read(x, memory.keep(x, pos))
                    }
                }

                block Cell<D> {
                    state h[D] = 0
                    forward(x[D]) -> y[D] {
                        h = 0.5 * h + x
                        y = h + x
                    }
                }

                block Counter<D> {
                    state seen: int = 0
                    forward(x[D]) -> y[D] {
                        seen = seen + 1
                        y = float(seen) * x
                    }
                }

                fn before(x[T, D]) -> y[T, D] { y[t, d] = x[t - 1, d] or 0.5 }

                fn half(x[D]) -> y[D] = 0.5 * x

                block Part<D> {
                    param kernel[4, D]
                    state seen[S, D], at[S]: int, last[D] = 0, fast[D, D] = 0
                    state short[S, D]: bf16, thin[D]: f16 = 0
                    state brief[B, D], then[B]: int keep last 3, queue[Q, D] keep last 2
                    mixed: [if i %% 2 == 0 { Local<D> } else { Global<D> } for i in 0..3]
                    memory: Memory<D>
                    memories: Memory<D> * 2
                    exits: Exit<D> * 3
                    brief_exits: BriefExit<D> * 3
                    cell: Cell<D>
                    cells: Cell<D> * 2 ++ [Counter<D>, Cell<D>]
                    shift: Shift<D>
                    shifts: Shift<D> * 3
                    forward(x[T, D], pos[T]: int) -> y[T, D] {
                %s
                    }
                }

                model M<D = 6> {
                    parts: Part<D> * 2
                    forward(x[T, D], pos[T]: int = positions) -> y[T, D] {
                        y = parts[1](parts[0](x, pos), pos)
                    }
                }
                """.formatted(body);
    }

    private static Tensor input(int rows, long seed) {
        Random random = new Random(seed);
        Tensor x = Tensor.zeros(Format.F32, rows, 6);
        for (long i = 0; i < x.elements(); i++) {
            x.setReal(i, random.nextInt(-8, 9) / 8.0);
        }
        return x;
    }

    private static Tensor step(TestModel model, List<Engine.Session> sessions, Tensor... parts) {
        long[] rows = new long[parts.length];
        long total = 0;
        for (int b = 0; b < parts.length; b++) {
            rows[b] = parts[b].shape()[0];
            total += rows[b];
        }
        Tensor all = Tensor.zeros(Format.F32, total, 6);
        long at = 0;
        for (Tensor part : parts) {
            for (long i = 0; i < part.elements(); i++) {
                all.setReal(at++, part.real(i));
            }
        }
        return model.engine().step(sessions, rows,
                List.of(all, Engine.positions(sessions, rows)), Engine.Tracer.NONE).getFirst();
    }

    @ParameterizedTest
    @EnumSource(Stepped.class)
    void stepsGiveTheSameBytesAsOneStep(Stepped program) throws Exception {
        String source = source(program.body);
        Tensor x = input(ROWS, 1);
        Tensor other = input(9, 2);
        Tensor expected;
        try (TestModel oracle = TestModel.random(source, 5, Target.INTERPRETER, 1)) {
            assertEquals("", oracle.program().stream().orElseThrow().obstacle().orElse(""));
            expected = step(oracle, List.of(oracle.engine().start()), x);
        }
        for (Target target : Target.values()) {
            try (TestModel model = TestModel.random(source, 5, target, 2)) {
                Tensor whole = step(model, List.of(model.engine().start()), x);
                FixtureTest.assertClose(program + " on " + target, expected, whole);
                Tensor otherWhole = step(model, List.of(model.engine().start()), other);
                for (int length : new int[] {1, 2, 3, 5, 22}) {
                    String how = program + " on " + target + " in steps of " + length;
                    Engine.Session session = model.engine().start();
                    Engine.Session beside = model.engine().start();
                    for (int from = 0; from < ROWS; from += length) {
                        int to = Math.min(ROWS, from + length);
                        Tensor part = other.rows(Math.min(9, from / 2), Math.min(9, to / 2));
                        Tensor both = step(model, List.of(session, beside),
                                x.rows(from, to), part);
                        assertEquals(whole.rows(from, to), both.rows(0, to - from), how);
                        assertEquals(
                                otherWhole.rows(Math.min(9, from / 2), Math.min(9, to / 2)),
                                both.rows(to - from, both.shape()[0]), how + ", beside");
                    }
                }
            }
        }
    }

    @ParameterizedTest
    @CsvSource(delimiter = '|', textBlock = """
            y[t, d] = x[t, d] - (mean[u] x[u, d])          | reduces over the stream
            y[t, d] = x[t + 1, d] or 0                     | come later
            y[t, d] = sum[u in 0..3] (x[t + u - 1, d] or 0) | come later
            y[t, d] = x[T - 1 - t, d]                      | other places of the stream
            y[t, d] = x[0, d] + x[t, d]                    | other places of the stream
            y[t, d] = x[t, d] * T                          | length of the stream
            y[t, d] = x[t, d] * t                          | uses the place `t`
            z[t, u] = x[t, 0] * x[u, 0]; y[t, d] = z[t, t] | each other
            y[t, d] = sum[u] x[u, d] where u <= t          | reduces over the stream
            last[d] = 0.5 * last[d] + x[0, d]; y[t, d] = x[t, d] + last[d] | reads a state once a step
            last[d] = 0.5 * last[d] + 1; y[t, d] = x[t, d] + last[d] | reads a state once a step
            last[d] = x[0, d]; y = x                       | other places of the stream
            last[d] = 1.5 + d; y = x                        | changes a state once a step
            y = x; scan t { z[t, d] = x[t, d]; scan u { last[d] = last[d] + x[u, d]; y[u, d] = last[d] } } | whole stream inside
            scan t { seen ++= x; y[t, d] = max[s] seen[s, d] }                   | whole stream inside
            seen ++= x; y[t, d] = x[t, d] + (max[s] seen[s, d])                  | later elements of the step
            seen ++= x; y[t, d] = sum[i in 0..3] (seen[i, d] or 0)               | later elements of the step
            seen ++= x; n[t] = pos[t] + 3; y[t, d] = sum[i in 0..n[t]] (seen[i, d] or 0) | later elements of the step
            seen ++= x; n[t] = pos[t] + 1; y[t, d] = seen[n[t], d] or 0          | by its number
            brief ++= x; then ++= pos; n[t] = min(pos[t] + 1, 3); y[t, d] = sum[s in 0..n[t]] brief[s, d] | later elements of the step
            seen ++= x; scan t { last[d] = last[d] + x[t, d]; y[t, d] = last[d] + (max[s] seen[s, d]) } | later elements of the step
            seen ++= x; a[t, s] = x[t, 0] * seen[s, 1]; y[t, d] = sum[s] a[t, s] * seen[s, d] | later elements of the step
            seen ++= x; p[t, s] = softmax[s] (x[t, 0] * seen[s, 0]); y[t, d] = sum[s] p[t, s] * seen[s, d] | later elements of the step
            scan t reversed { last[d] = 0.5 * last[d] + x[t, d]; y[t, d] = last[d] } | length of the stream
            m[d in 0..D] = 0.0; scan t { m[d] = m[d] + x[t, d]; z[t, d] = m[d] }; y[t, d] = z[t, d] + m[d] | has left once a step
            scan t { last[d] = last[d] + x[t, d] * t; y[t, d] = last[d] } | uses the place `t`
            scan t { last[d] = last[d] + x[t, d]; y[t, d] = last[d] }; y[t, d] = y[t, d] + last[d] | reads a state once
            k = argmax[t] x[t, 0]; y[t, d] = x[t, d] * k   | reduces over the stream
            seen ++= x; seen ++= x; y[t, d] = x[t, d]      | changes elsewhere too
            y = x; for i in 0..3 { y = log(y) using one }  | changes elsewhere too
            y = x; for i in 0..4 { y = log(y) using one[i / 2] } | changes elsewhere too
            y = log(x) using one; y = log(y) using one     | changes elsewhere too
            brief ++= x; then ++= pos; y[t, d] = max[s] brief[s, d] where then[s] <= pos[t] | may have dropped
            brief ++= x; then ++= pos; y[t, d] = max[s] brief[s, d] where then[s] <= pos[t] and pos[t] - then[s] < 4 | may have dropped
            brief ++= x; then ++= pos; y[t, d] = max[s] brief[s, d] where pos[t] - then[s] < 3 or then[s] <= pos[t] | may have dropped
            scan t { last[d] = 0.5 * last[d] + x[t, d] }; scan t { y[t, d] = x[t, d] + last[d] } | changes elsewhere too
            scan t { last[d] = last[d] + x[t, d]; y[t, d] = last[d] }; scan t { last[d] = 0.5 * last[d]; y[t, d] = last[d] } | changes elsewhere too
            z[t, d] = x[t, d] + last[d]; scan t { last[d] = 0.5 * last[d] + z[t, d]; y[t, d] = last[d] } | reads a state once
            y = log.read(x); y = log(y)                    | before this step's rows
            """)
    void aSecondStepOfAWholeSequenceIsRefused(String body, String reason) throws Exception {
        String source = """
                block Log<D> {
                    state rows[S, D]
                    forward(x[T, D]) -> y[T, D] {
                        rows ++= x
                        y = x
                    }

                    read(x[T, D]) -> y[T, D] {
                        y[t, d] = x[t, d] + (rows[0, d] or 0)
                    }
                }

                model M<D = 6> {
                    log: Log<D>
                    state last[D] = 0, seen[S, D], brief[B, D], then[B]: int keep last 3
                    forward(x[T, D], pos[T]: int = positions) -> y[T, D] {
                        %s
                    }
                }
                """.formatted(body.replace("; ", "\n        "));
        for (Target target : Target.values()) {
            try (TestModel model = TestModel.random(source, 5, target, 1)) {
                Engine.Session session = model.engine().start();
                Tensor x = input(4, 1);
                step(model, List.of(session), x);
                Fault refused = assertThrows(
                        Fault.class, () -> step(model, List.of(session), x));
                assertTrue(refused.getMessage().contains(reason), refused.getMessage());
                assertTrue(refused.getMessage().contains("test.weir:"), refused.getMessage());
                step(model, List.of(model.engine().start()), x);
            }
        }
    }
}
