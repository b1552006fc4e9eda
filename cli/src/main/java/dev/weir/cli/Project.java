package dev.weir.cli;

import java.io.IOException;
import java.io.InputStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.FileAlreadyExistsException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;
import java.util.regex.Pattern;
import java.util.stream.Collectors;
import java.util.stream.Stream;

/**
 * What {@code weir new} makes: a program, its sizes, and what to do with them.
 *
 * @param folder where it will lie; its name is the program's
 */
record Project(Path folder) {
    static final int LONGEST_NAME = 64;

    /** Also a name that a program can import. */
    private static final Pattern NAME =
            Pattern.compile("[A-Za-z][A-Za-z0-9_]{0," + (LONGEST_NAME - 1) + "}");

    /** The project in a folder; nothing if the folder's name can name no program. */
    static Optional<Project> named(Path folder) {
        return Optional.ofNullable(folder.getFileName())
                .filter(name -> NAME.matcher(name.toString()).matches())
                .map(name -> new Project(folder));
    }

    private String name() {
        return folder.getFileName().toString();
    }

    /**
     * {@code tiny_story} becomes {@code TinyStoryModel}: with the ending, no name is that of a
     * block which the program imports or has itself.
     */
    String model() {
        return words().endsWith("Model") ? words() : words() + "Model";
    }

    private String words() {
        return Stream.of(name().split("_")).filter(word -> !word.isEmpty())
                .map(word -> word.substring(0, 1).toUpperCase(Locale.ROOT) + word.substring(1))
                .collect(Collectors.joining());
    }

    /** The text of each file, by its name. */
    Map<String, String> files() {
        return new TreeMap<>(Map.of(
                name() + ".weir", text("program.weir").replace("TemplateModel", model()),
                "config.json", text("config.json"),
                "README.md", text("README.md").replace("NAME", name())));
    }

    /** The same for an idea beside its baseline. */
    Map<String, String> exampleFiles() {
        Map<String, String> files = new TreeMap<>();
        for (String name : List.of(
                "baseline.weir", "idea.weir", "example.json", "README.md")) {
            files.put(name, text("example/" + name)
                    .replace("TemplateModel", model()).replace("NAME", name()));
        }
        return files;
    }

    /**
     * Writes the test that holds the idea against its textbook form, if the folder is one of Weir's
     * own examples: where it lies. One that is there stays as it is.
     */
    Optional<Path> writeTest() {
        Path root = folder.resolveSibling("..").normalize();
        Path tests = root.resolve("testkit/src/test/java/dev/weir/testkit/ideas");
        Path test = tests.resolve(words() + "Test.java");
        if (!folder.getParent().endsWith("examples") || !Files.isDirectory(tests)
                || Files.exists(test)) {
            return Optional.empty();
        }
        Texts.write(test, text("example/IdeaTest.java")
                .replace("TemplateTest", words() + "Test").replace("NAME", name()));
        return Optional.of(root.relativize(test));
    }

    private static String text(String template) {
        try (InputStream in = Project.class.getResourceAsStream("/weir/new/" + template)) {
            return new String(in.readAllBytes(), StandardCharsets.UTF_8);
        } catch (IOException e) {
            throw new IllegalStateException("no template " + template, e);
        }
    }

    /** Makes the folder; one that is there has to be empty. */
    void write(Map<String, String> files) {
        try {
            Files.createDirectories(folder);
            try (Stream<Path> inside = Files.list(folder)) {
                if (inside.findAny().isPresent()) {
                    throw new UserException("the folder " + folder + " is there, and not empty"
                            + "\nhelp: take another name; nothing was changed");
                }
            }
        } catch (FileAlreadyExistsException e) {
            throw new UserException("cannot make the folder " + folder + ": " + e.getMessage()
                    + " is there, and no folder");
        } catch (IOException e) {
            throw new UserException("cannot make the folder " + folder + ": " + e.getMessage());
        }
        files.forEach((name, text) -> Texts.write(folder.resolve(name), text));
    }
}
