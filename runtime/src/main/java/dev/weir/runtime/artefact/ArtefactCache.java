package dev.weir.runtime.artefact;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.charset.StandardCharsets;
import java.nio.file.DirectoryStream;
import java.nio.file.FileSystems;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.nio.file.StandardOpenOption;
import java.nio.file.attribute.FileTime;
import java.nio.file.attribute.PosixFilePermissions;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Comparator;
import java.util.HexFormat;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.regex.Pattern;

/**
 * Files in a folder, named by what they were made from. Several processes may use the folder at
 * once, and may be killed at any moment: an entry appears whole or not at all, and one that is
 * damaged is dropped when somebody asks for it. Those that were not asked for the longest go first
 * when the folder is full.
 *
 * <p>An entry is its content and, behind it, eight bytes of a mark and the content's SHA-256; what
 * loads a library or an object does not look behind its end.
 */
public final class ArtefactCache {
    /** Room for some hundred models. */
    public static final long ROOM = 1L << 30;

    private static final byte[] MARK = "WEIRART1".getBytes(StandardCharsets.US_ASCII);
    private static final int TRAILER = MARK.length + 32;
    private static final Pattern ENTRY = Pattern.compile("[0-9a-f]{64}\\.[a-z]+");
    private static final String UNFINISHED = "unfinished-";
    /** Nobody writes an entry for so long: whoever began it was killed. */
    private static final Duration ABANDONED = Duration.ofHours(1);

    private final Path folder;
    private final long room;

    /**
     * @param folder made when something is stored
     * @param room most bytes of all entries together; the newest stays in any case
     */
    public ArtefactCache(Path folder, long room) {
        this.folder = folder;
        this.room = room;
    }

    /**
     * Where a user's artefacts lie: {@code $XDG_CACHE_HOME/weir} if that is an absolute path, as
     * the XDG base directory specification asks for, otherwise {@code ~/.cache/weir}.
     */
    public static Path usual(Map<String, String> environment, String home) {
        return Optional.ofNullable(environment.get("XDG_CACHE_HOME"))
                .map(Path::of)
                .filter(Path::isAbsolute)
                .orElseGet(() -> Path.of(home, ".cache"))
                .resolve("weir");
    }

    /**
     * The name of what is made from some texts.
     *
     * @param kind letters that say what it is: {@code so}, {@code o}
     */
    public static String key(String kind, String... texts) {
        MessageDigest digest = sha256();
        for (String text : texts) {
            byte[] bytes = text.getBytes(StandardCharsets.UTF_8);
            // Lengths keep two texts apart from two others that read the same in a row.
            digest.update(ByteBuffer.allocate(8).putLong(bytes.length).flip());
            digest.update(bytes);
        }
        return HexFormat.of().formatHex(digest.digest()) + "." + kind;
    }

    /** The file of an entry, its content whole; empty if there is none. */
    public Optional<Path> find(String key) {
        return content(key).map(content -> folder.resolve(key));
    }

    /** The content of an entry; empty if there is none. A damaged one is dropped. */
    public Optional<byte[]> content(String key) {
        Path file = folder.resolve(key);
        try {
            if (!Files.isRegularFile(file)) {
                return Optional.empty();
            }
            byte[] all = Files.readAllBytes(file);
            if (!isWhole(all)) {
                drop(key);
                return Optional.empty();
            }
            Files.setLastModifiedTime(file, FileTime.from(Instant.now()));
            return Optional.of(Arrays.copyOf(all, all.length - TRAILER));
        } catch (IOException e) {
            return Optional.empty();
        }
    }

    private static boolean isWhole(byte[] all) {
        int end = all.length - TRAILER;
        return end >= 0
                && Arrays.equals(MARK, Arrays.copyOfRange(all, end, end + MARK.length))
                && MessageDigest.isEqual(
                        sum(all, end), Arrays.copyOfRange(all, end + MARK.length, all.length));
    }

    /**
     * Stores an entry, in the place of what has its name.
     *
     * @return its file
     * @throws IOException if the folder cannot be written
     */
    public Path store(String key, byte[] content) throws IOException {
        make(folder);
        Path unfinished = Files.createTempFile(folder, UNFINISHED, "");
        Path file = folder.resolve(key);
        try {
            try (FileChannel channel = FileChannel.open(unfinished, StandardOpenOption.WRITE)) {
                ByteBuffer bytes = ByteBuffer.allocate(content.length + TRAILER)
                        .put(content).put(MARK).put(sum(content, content.length)).flip();
                while (bytes.hasRemaining()) {
                    channel.write(bytes);
                }
                channel.force(true);
            }
            Files.move(unfinished, file,
                    StandardCopyOption.ATOMIC_MOVE, StandardCopyOption.REPLACE_EXISTING);
        } finally {
            Files.deleteIfExists(unfinished);
        }
        makeRoom(file);
        return file;
    }

    private static void make(Path folder) throws IOException {
        if (Files.isDirectory(folder)) {
            return;
        }
        if (FileSystems.getDefault().supportedFileAttributeViews().contains("posix")) {
            // What lies here is run: nobody else may put something in.
            Files.createDirectories(folder, PosixFilePermissions.asFileAttribute(
                    PosixFilePermissions.fromString("rwx------")));
        } else {
            Files.createDirectories(folder);
        }
    }

    /** Removes an entry, if it is there. */
    public void drop(String key) {
        try {
            Files.deleteIfExists(folder.resolve(key));
        } catch (IOException e) {
            // It stays damaged, and is made anew each time.
        }
    }

    private record Entry(Path file, long bytes, Instant used) {}

    /** Other processes do the same: what is gone already is no mistake. */
    private void makeRoom(Path newest) {
        List<Entry> entries = new ArrayList<>();
        try (DirectoryStream<Path> files = Files.newDirectoryStream(folder)) {
            for (Path file : files) {
                String name = file.getFileName().toString();
                Instant used = Files.getLastModifiedTime(file).toInstant();
                if (ENTRY.matcher(name).matches()) {
                    entries.add(new Entry(file, Files.size(file), used));
                } else if (name.startsWith(UNFINISHED)
                        && used.isBefore(Instant.now().minus(ABANDONED))) {
                    Files.deleteIfExists(file);
                }
            }
            long bytes = entries.stream().mapToLong(Entry::bytes).sum();
            entries.sort(Comparator.comparing(Entry::used));
            for (Entry entry : entries) {
                if (bytes > room && !entry.file.equals(newest)) {
                    Files.deleteIfExists(entry.file);
                    bytes -= entry.bytes;
                }
            }
        } catch (IOException e) {
            // The next one that is stored tries again.
        }
    }

    private static byte[] sum(byte[] bytes, int length) {
        MessageDigest digest = sha256();
        digest.update(bytes, 0, length);
        return digest.digest();
    }

    private static MessageDigest sha256() {
        try {
            return MessageDigest.getInstance("SHA-256");
        } catch (NoSuchAlgorithmException e) {
            throw new IllegalStateException("every Java platform has SHA-256", e);
        }
    }
}
