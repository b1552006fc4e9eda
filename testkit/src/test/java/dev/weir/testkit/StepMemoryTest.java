package dev.weir.testkit;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import dev.weir.ir.type.Format;
import dev.weir.passes.cost.CostOf;
import dev.weir.passes.cost.Question;
import dev.weir.passes.memory.MemoryPlan;
import dev.weir.runtime.checkpoint.SafeTensors;
import dev.weir.runtime.memory.MemoryLimitException;
import dev.weir.runtime.memory.Pool;
import dev.weir.runtime.memory.Tensor;
import dev.weir.runtime.model.Engine;
import dev.weir.testkit.TestModel.Target;
import java.io.IOException;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Random;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** Tensors of a step lie side by side, and what a model holds comes near what its plan says. */
class StepMemoryTest {
    private static final long MEBIBYTE = 1 << 20;
    private static final long KIBIBYTE = 1 << 10;

    /** What a step takes and gives back, in order: an index takes, the same again gives back. */
    private static List<Integer> script(Random random, int blocks) {
        List<Integer> script = new ArrayList<>();
        List<Integer> live = new ArrayList<>();
        for (int next = 0; next < blocks || !live.isEmpty(); ) {
            if (next < blocks && (live.size() < 3 || random.nextInt(3) > 0)) {
                live.add(next);
                script.add(next++);
            } else {
                script.add(live.remove(random.nextInt(live.size())));
            }
        }
        return script;
    }

    /** Runs it, and checks that nobody writes where another one lies. Returns the most at once. */
    private static long run(Pool pool, List<Integer> script, long[] sizes) {
        Map<Integer, MemorySegment> live = new java.util.HashMap<>();
        long now = 0;
        long most = 0;
        for (int block : script) {
            MemorySegment taken = live.remove(block);
            if (taken == null) {
                taken = pool.takeForStep(sizes[block]);
                assertTrue(taken.byteSize() >= sizes[block] + Pool.SLACK);
                assertEquals(0, taken.address() % 64);
                taken.asSlice(0, sizes[block]).fill((byte) block);
                live.put(block, taken);
                now += taken.byteSize();
                most = Math.max(most, now);
            } else {
                byte first = taken.get(ValueLayout.JAVA_BYTE, 0);
                assertEquals((byte) block, first, "the first byte of block " + block);
                assertEquals(-1, taken.asSlice(1, sizes[block] - 1)
                        .mismatch(taken.asSlice(0, sizes[block] - 1)), "block " + block);
                now -= taken.byteSize();
                pool.give(taken);
            }
            assertEquals(now, pool.inUse());
        }
        return most;
    }

    /** Blocks of a few large pages, of one part of a page more and less, and small ones. */
    @Test
    void largeBlocks() throws IOException {
        long before = virtualBytes();
        try (Pool pool = new Pool()) {
            List<MemorySegment> blocks = new ArrayList<>();
            for (long pages : new long[] {2, 3, 64}) {
                for (long bytes : new long[] {-65, -64, 0, 1, 5000}) {
                    blocks.add(pool.take(pages * 2 * MEBIBYTE + bytes));
                }
            }
            for (int i = 0; i < blocks.size(); i++) {
                assertEquals(0, blocks.get(i).address() % 64);
                blocks.get(i).fill((byte) (i + 1));
            }
            for (int i = 0; i < blocks.size(); i++) {
                MemorySegment block = blocks.get(i);
                assertEquals((byte) (i + 1), block.get(ValueLayout.JAVA_BYTE, 0));
                assertEquals(-1, block.asSlice(1).mismatch(
                        block.asSlice(0, block.byteSize() - 1)), "block " + i);
            }
            assertEquals(pool.held(), pool.inUse());
            blocks.forEach(pool::drop);
            assertEquals(0, pool.held());
            assumeTrue(before > 0);
            assertTrue(virtualBytes() - before < 400 * MEBIBYTE, "what is dropped is unmapped");
        }
    }

    /** Of this process, as Linux says; 0 elsewhere. */
    private static long virtualBytes() throws IOException {
        Path status = Path.of("/proc/self/status");
        return !Files.exists(status) ? 0 : Files.readAllLines(status).stream()
                .filter(line -> line.startsWith("VmSize:"))
                .mapToLong(line -> Long.parseLong(line.replaceAll("[^0-9]", "")) * KIBIBYTE)
                .sum();
    }

    @ParameterizedTest
    @ValueSource(ints = {1, 2, 3, 4, 5, 6, 7, 8})
    void theSameStepAgainTakesOnePieceOfMemory(int seed) {
        Random random = new Random(seed);
        List<Integer> script = script(random, 60);
        long[] sizes = random.longs(60, 64 * KIBIBYTE, 300 * KIBIBYTE).toArray();
        try (Pool pool = new Pool()) {
            pool.beginStep(0);
            long most = run(pool, script, sizes);
            long needed = pool.endStep();
            assertTrue(needed >= most, needed + " side by side, " + most + " at once");
            assertTrue(needed < most * 3 / 2, needed + " side by side, " + most + " at once");
            assertEquals(0, pool.held(), "single blocks are freed");
            for (int again = 0; again < 3; again++) {
                pool.beginStep(needed);
                run(pool, script, sizes);
                assertEquals(needed, pool.endStep(), "the same places");
                assertEquals(needed + Pool.SLACK, pool.held(), "one piece");
            }
            pool.trim();
            assertEquals(0, pool.held());
        }
    }

    @Test
    void whatManyStepsDoNotNeedIsGivenBack() {
        try (Pool pool = new Pool()) {
            pool.beginStep(8 * MEBIBYTE);
            pool.give(pool.takeForStep(7 * MEBIBYTE));
            pool.endStep();
            int steps = 0;
            while (pool.held() > 8 * MEBIBYTE) {
                pool.beginStep(MEBIBYTE);
                pool.give(pool.takeForStep(MEBIBYTE));
                pool.endStep();
                steps++;
                assertTrue(steps < 1000, "it stays for good");
            }
            assertTrue(steps > 10, "a prompt between some tokens finds it: " + steps);
            pool.beginStep(MEBIBYTE + KIBIBYTE);
            pool.give(pool.takeForStep(MEBIBYTE));
            pool.endStep();
            assertTrue(pool.held() < 2 * MEBIBYTE, pool.held() + "");
        }
    }

    /** What the last steps needed is no reason to refuse something else. */
    @Test
    void roomForStepsGivesWayToTheLimit() {
        try (Pool pool = new Pool(10 * MEBIBYTE)) {
            pool.beginStep(4 * MEBIBYTE);
            MemorySegment tensor = pool.takeForStep(2 * MEBIBYTE);
            assertThrows(MemoryLimitException.class, () -> pool.takeForStep(9 * MEBIBYTE));
            assertThrows(MemoryLimitException.class, () -> pool.take(7 * MEBIBYTE));
            pool.give(tensor);
            pool.endStep();
            assertTrue(pool.hasRoomFor(9 * MEBIBYTE));
            MemorySegment kept = pool.take(9 * MEBIBYTE);
            assertTrue(pool.held() <= 10 * MEBIBYTE);
            pool.beginStep(4 * MEBIBYTE);
            pool.give(pool.takeForStep(MEBIBYTE / 2));
            pool.endStep();
            pool.drop(kept);
            assertTrue(pool.held() < MEBIBYTE, pool.held() + "");
        }
    }

    private static final String WIDE = """
            block Layer<D, F> {
                param up[F, D], gate[F, D], down[D, F]
                forward(x[D]) -> y[D] {
                    a = tanh(gate @ x)
                    b = up @ x
                    h[f] = a[f] * b[f]
                    y = x + down @ h
                }
            }
            model M<D = 96, F = 640, L = 3, V = 700> {
                layers: Layer<D, F> * L
                param head[V, D]
                forward(x[T, D]) -> logits[T, V] {
                    y = x
                    for i in 0..L { y = layers[i](y) }
                    logits = head @ y
                }
            }
            """;

    /** Beyond the plan: two threads' scratch, tables, and what is rounded up. */
    @ParameterizedTest
    @ValueSource(ints = {300, 1000})
    void aModelHoldsLittleMoreThanItsPlanSays(int tokens) throws Exception {
        try (TestModel model = TestModel.random(WIDE, 1, Target.JVM, 2)) {
            MemoryPlan plan = CostOf.memory(model.allKernels(), model.kernels(),
                    new Question(tokens, 0, 1, Map.of()));
            double planned = plan.madeBytes() + plan.bound();
            for (int step = 0; step < 3; step++) {
                Engine.Session session = model.engine().start();
                model.batch(List.of(session), new long[] {tokens},
                        List.of(Tensor.zeros(Format.F32, tokens, 96)));
                session.close();
            }
            long held = model.compiled().bytesHeld();
            assertTrue(held >= planned, held + " held, " + planned + " planned");
            assertTrue(held < 1.06 * planned + 2 * plan.scratch() + 64 * KIBIBYTE,
                    held + " held, " + planned + " planned");
        }
    }

    /** Whatever the order of lengths, the last one's memory is all that stays. */
    @Test
    void manyLengthsLeaveTheMemoryOfTheLongest() throws Exception {
        try (TestModel model = TestModel.random(WIDE, 1, Target.JVM, 1)) {
            long loaded = model.compiled().bytesHeld();
            for (int tokens : new int[] {1, 40, 200, 90, 333, 500, 17, 410, 512, 64, 300}) {
                Engine.Session session = model.engine().start();
                model.batch(List.of(session), new long[] {tokens},
                        List.of(Tensor.zeros(Format.F32, tokens, 96)));
                session.close();
            }
            double bound = CostOf.memory(model.allKernels(), model.kernels(),
                    new Question(512, 0, 1, Map.of())).bound();
            long held = model.compiled().bytesHeld() - loaded;
            assertTrue(held < 1.3 * bound, held + " held, " + bound + " is the longest's bound");
        }
    }

    /** Of a matrix whose packed copy is read, no page of the file stays in memory. */
    @Test
    void weightsThatOnlyTheLoadReadsLeaveMemory(@TempDir Path folder) throws Exception {
        assumeTrue(Files.isReadable(Path.of("/proc/self/smaps")));
        long size = 1536;
        Tensor w = Tensor.zeros(Format.F32, size, size);
        for (long i = 0; i < w.elements(); i++) {
            w.setReal(i, (i * 31 % 17 - 8) / 100.0);
        }
        Path file = folder.resolve("model.safetensors");
        SafeTensors.write(file, Map.of("w", w));
        Files.writeString(folder.resolve("config.json"), "{}");
        try (TestModel model = TestModel.of("""
                model M<D = 1536> {
                    param w[D, D]
                    forward(x[T, D]) -> y[T, D] = w @ x
                }
                """, folder, Target.JVM, 1, false)) {
            long resident = resident(file);
            assertTrue(resident < w.bytes() / 8, resident + " bytes of the file's " + w.bytes());
            Tensor x = Tensor.zeros(Format.F32, 1, size);
            x.setReal(5, 1);
            Tensor y = model.batch(
                    List.of(model.engine().start()), new long[] {1}, List.of(x));
            assertEquals(w.real(7 * size + 5), y.real(7), 1e-6);
        }
    }

    /** Bytes of a mapped file that are in this process's memory. */
    private static long resident(Path file) throws IOException {
        long bytes = 0;
        boolean mine = false;
        boolean found = false;
        for (String line : Files.readAllLines(Path.of("/proc/self/smaps"))) {
            if (line.matches("[0-9a-f]+-[0-9a-f]+ .*")) {
                mine = line.endsWith(file.toRealPath().toString());
                found |= mine;
            } else if (mine && line.startsWith("Rss:")) {
                bytes += 1024 * Long.parseLong(line.replaceAll("[^0-9]", ""));
            }
        }
        assertTrue(found, "the file is mapped");
        return bytes;
    }
}
