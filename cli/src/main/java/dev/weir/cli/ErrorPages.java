package dev.weir.cli;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.net.URI;
import java.net.URISyntaxException;
import java.nio.file.FileSystem;
import java.nio.file.FileSystems;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.stream.IntStream;
import java.util.stream.Stream;

/**
 * The pages of {@code docs/errors}, which the build copies onto the class path.
 *
 * @param pages in the order of their codes
 */
record ErrorPages(List<Page> pages) {
    private static final String FOLDER = "/weir/errors";

    /**
     * What is to say about one code.
     *
     * @param code such as {@code E0301}
     * @param title what it is about, in a few words
     * @param body the rest of the page, in Markdown
     */
    record Page(String code, String title, String body) {

        /** Reads {@code # CODE: TITLE} and what follows. */
        static Page parse(String text) {
            String[] parts = text.split("\n", 2);
            String[] heading = parts[0].replaceFirst("^# ", "").split(": ", 2);
            return new Page(heading[0], heading[1], parts[1].strip());
        }
    }

    static ErrorPages load() {
        try {
            URI folder = ErrorPages.class.getResource(FOLDER).toURI();
            if (!folder.getScheme().equals("jar")) {
                return in(Path.of(folder));
            }
            try (FileSystem jar = FileSystems.newFileSystem(folder, Map.of())) {
                return in(jar.getPath(FOLDER));
            }
        } catch (IOException | URISyntaxException e) {
            throw new IllegalStateException("the pages of the errors cannot be read", e);
        }
    }

    private static ErrorPages in(Path folder) throws IOException {
        try (Stream<Path> files = Files.list(folder)) {
            return new ErrorPages(files.filter(f -> f.toString().endsWith(".md")).sorted()
                    .map(ErrorPages::read).map(Page::parse).toList());
        }
    }

    private static String read(Path file) {
        try {
            return Files.readString(file);
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    /** The pages of a code in upper or lower case; without its letter it may have several. */
    List<Page> find(String code) {
        String wanted = code.toUpperCase(Locale.ROOT);
        return pages.stream().filter(p -> part(p, wanted).equals(wanted)).toList();
    }

    /** The pages of codes that a wrong one begins, or differs from in one place. */
    List<Page> near(String code) {
        String wanted = code.toUpperCase(Locale.ROOT);
        return pages.stream()
                .filter(p -> part(p, wanted).startsWith(wanted)
                        || differences(part(p, wanted), wanted) == 1)
                .toList();
    }

    /** As much of a page's code as was given: all of it, or what is behind its letter. */
    private static String part(Page page, String wanted) {
        boolean hasLetter = !wanted.isEmpty() && Character.isLetter(wanted.charAt(0));
        return hasLetter ? page.code() : page.code().substring(1);
    }

    private static long differences(String code, String other) {
        return code.length() != other.length() ? code.length()
                : IntStream.range(0, code.length())
                        .filter(i -> code.charAt(i) != other.charAt(i)).count();
    }
}
