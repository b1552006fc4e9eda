package dev.weir.testkit;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.weir.runtime.artefact.ArtefactCache;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.nio.file.attribute.FileTime;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Random;
import java.util.concurrent.TimeUnit;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** What is kept on disk is whole or not there, whoever writes, is killed, or damages it. */
class ArtefactCacheTest {
    private static final int KEYS = 3;

    @TempDir
    private Path folder;

    private ArtefactCache cache() {
        return new ArtefactCache(folder.resolve("weir"), ArtefactCache.ROOM);
    }

    private static String key(int number) {
        return ArtefactCache.key("so", "entry " + number);
    }

    /** Each key has one content, as with names that are sums of what things are made from. */
    private static byte[] content(int number) {
        byte[] bytes = new byte[100_000 + number];
        new Random(number).nextBytes(bytes);
        return bytes;
    }

    @Test
    void whatIsStoredIsFound() throws IOException {
        assertEquals(Optional.empty(), cache().find(key(1)));
        Path file = cache().store(key(1), content(1));
        assertEquals(Optional.of(file), cache().find(key(1)));
        assertArrayEquals(content(1), cache().content(key(1)).orElseThrow());
        assertEquals(Optional.empty(), cache().find(key(2)));
    }

    @Test
    void textsDoNotRunIntoEachOther() {
        assertEquals(ArtefactCache.key("so", "ab", "c"), ArtefactCache.key("so", "ab", "c"));
        assertNotEquals(ArtefactCache.key("so", "ab", "c"), ArtefactCache.key("so", "a", "bc"));
        assertNotEquals(ArtefactCache.key("so", "a"), ArtefactCache.key("o", "a"));
    }

    @Test
    void aTruncatedEntryIsDropped() throws IOException {
        for (int length : new int[] {0, 1, 39, 40, 41, 50_000, 100_000, 100_040}) {
            Path file = cache().store(key(1), content(1));
            byte[] all = Files.readAllBytes(file);
            Files.write(file, Arrays.copyOf(all, length));
            assertEquals(Optional.empty(), cache().find(key(1)), "of " + length + " bytes");
            assertFalse(Files.exists(file), "of " + length + " bytes");
        }
    }

    @Test
    void aCorruptedEntryIsDropped() throws IOException {
        byte[] all = Files.readAllBytes(cache().store(key(1), content(1)));
        for (int at : new int[] {0, 1, 50_000, 100_000, 100_001, all.length - 1}) {
            Path file = cache().store(key(1), content(1));
            byte[] damaged = all.clone();
            damaged[at] ^= 4;
            Files.write(file, damaged);
            assertEquals(Optional.empty(), cache().content(key(1)), "at " + at);
            assertFalse(Files.exists(file), "at " + at);
            // Something behind the end is damage too.
            Files.write(cache().store(key(1), content(1)), new byte[] {1},
                    StandardOpenOption.APPEND);
            assertEquals(Optional.empty(), cache().content(key(1)), "at the end");
        }
    }

    @Test
    void whatWasNotAskedForTheLongestGoesFirst() throws IOException {
        ArtefactCache small = new ArtefactCache(folder.resolve("weir"), 250_000);
        Instant now = Instant.now();
        for (int number = 1; number <= 2; number++) {
            Files.setLastModifiedTime(small.store(key(number), content(number)),
                    FileTime.from(now.minus(Duration.ofDays(5 - number))));
        }
        assertTrue(small.find(key(1)).isPresent(), "used now");
        small.store(key(3), content(3));
        assertTrue(small.find(key(1)).isPresent());
        assertEquals(Optional.empty(), small.find(key(2)));
        assertTrue(small.find(key(3)).isPresent());
        // One that is larger than all room stays while it is the newest.
        ArtefactCache tiny = new ArtefactCache(folder.resolve("weir"), 10);
        tiny.store(key(2), content(2));
        try (Stream<Path> files = Files.list(folder.resolve("weir"))) {
            assertEquals(List.of(key(2)),
                    files.map(file -> file.getFileName().toString()).toList());
        }
    }

    @Test
    void whatOthersPutThereStays() throws IOException {
        Files.createDirectories(folder.resolve("weir"));
        Path other = Files.writeString(folder.resolve("weir").resolve("notes.txt"), "mine");
        Path fresh = Files.writeString(folder.resolve("weir").resolve("unfinished-1"), "half");
        Path old = Files.writeString(folder.resolve("weir").resolve("unfinished-2"), "half");
        Files.setLastModifiedTime(old, FileTime.from(Instant.now().minus(Duration.ofHours(2))));
        new ArtefactCache(folder.resolve("weir"), 10).store(key(1), content(1));
        assertTrue(Files.exists(other));
        assertTrue(Files.exists(fresh), "somebody may still write it");
        assertFalse(Files.exists(old), "whoever began it was killed");
    }

    @Test
    void theUsualPlaceIsTheOneOfTheSpecification() {
        assertEquals(Path.of("/x/weir"),
                ArtefactCache.usual(Map.of("XDG_CACHE_HOME", "/x"), "/home/me"));
        assertEquals(Path.of("/home/me/.cache/weir"), ArtefactCache.usual(Map.of(), "/home/me"));
        assertEquals(Path.of("/home/me/.cache/weir"),
                ArtefactCache.usual(Map.of("XDG_CACHE_HOME", "not/absolute"), "/home/me"));
    }

    /** Stores, damages and reads entries of a folder until it is killed or has done it so often. */
    static final class Crowd {
        public static void main(String[] arguments) throws IOException {
            Path folder = Path.of(arguments[0]);
            // As little room as makes entries go while others read them.
            ArtefactCache cache = new ArtefactCache(folder, 220_000);
            Random random = new Random(Long.parseLong(arguments[1]));
            int found = 0;
            for (int round = 0; round < Integer.parseInt(arguments[2]); round++) {
                int number = random.nextInt(KEYS);
                switch (random.nextInt(4)) {
                    case 0 -> cache.store(key(number), content(number));
                    case 1 -> damage(folder.resolve(key(number)), random);
                    default -> {
                        Optional<byte[]> content = cache.content(key(number));
                        if (content.isPresent()) {
                            found++;
                            assertArrayEquals(content(number), content.get());
                        }
                    }
                }
            }
            System.out.println(found);
        }

        private static void damage(Path file, Random random) throws IOException {
            if (random.nextInt(5) == 0 && Files.exists(file)) {
                try {
                    Files.write(file, new byte[] {(byte) random.nextInt()},
                            StandardOpenOption.WRITE);
                } catch (java.nio.file.NoSuchFileException e) {
                    // Another process was faster.
                }
            }
        }
    }

    private Process crowd(int seed, int rounds) throws IOException {
        return new ProcessBuilder(
                Path.of(System.getProperty("java.home"), "bin", "java").toString(),
                "-cp", System.getProperty("java.class.path"), Crowd.class.getName(),
                folder.resolve("weir").toString(), Integer.toString(seed),
                Integer.toString(rounds))
                .redirectError(folder.resolve("messages" + seed).toFile()).start();
    }

    @Test
    void severalProcessesAtOnceSeeWholeEntriesOnly() throws Exception {
        List<Process> processes = new ArrayList<>();
        for (int seed = 0; seed < 3; seed++) {
            processes.add(crowd(seed, 600));
        }
        for (int seed = 0; seed < processes.size(); seed++) {
            Process process = processes.get(seed);
            String found = new String(process.getInputStream().readAllBytes()).strip();
            assertTrue(process.waitFor(2, TimeUnit.MINUTES));
            assertEquals(0, process.exitValue(),
                    Files.readString(folder.resolve("messages" + seed)));
            assertTrue(Integer.parseInt(found) > 20, "it found " + found);
        }
    }

    @Test
    void aKillLeavesNothingHalf() throws Exception {
        for (int seed = 0; seed < 5; seed++) {
            Process process = crowd(seed, 1_000_000_000);
            try {
                // It is under way when it has stored something.
                while (process.isAlive() && !Files.isDirectory(folder.resolve("weir"))) {
                    Thread.sleep(5);
                }
                Thread.sleep(20 + 7L * seed);
            } finally {
                process.destroyForcibly().waitFor();
            }
            assertEquals("", Files.readString(folder.resolve("messages" + seed)));
            for (int number = 0; number < KEYS; number++) {
                byte[] whole = content(number);
                cache().content(key(number)).ifPresent(found -> assertArrayEquals(whole, found));
                cache().store(key(number), whole);
                assertArrayEquals(whole, cache().content(key(number)).orElseThrow());
            }
        }
    }
}
