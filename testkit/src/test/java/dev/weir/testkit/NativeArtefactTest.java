package dev.weir.testkit;

import static dev.weir.testkit.CommandTest.weir;
import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import dev.weir.ir.type.Format;
import dev.weir.runtime.checkpoint.SafeTensors;
import dev.weir.runtime.memory.Tensor;
import dev.weir.testkit.CommandTest.Outcome;
import dev.weir.testkit.TestModel.Target;
import java.io.File;
import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.stream.Collectors;
import java.util.stream.LongStream;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** {@code weir compile --target native}: a C program runs the library; other machines get theirs. */
class NativeArtefactTest {
    /** Two sequences in one step, with faults before; then the first again in chunks, and greedy. */
    private static final String PROGRAM = """
            #include "NAME.h"
            #include <stdio.h>
            #include <stdlib.h>
            #include <string.h>

            static NAME_model *model;

            static void say(int status) {
                char text[300];
                NAME_message(model, text, sizeof text);
                printf("%d %s\\n", status, text);
            }

            static int64_t read_ids(const char *text, int64_t *ids) {
                int64_t n = 0;
                for (const char *c = text; *c; c++) {
                    if (c == text || c[-1] == ',') ids[n++] = strtol(c, NULL, 10);
                }
                return n;
            }

            static void *read_file(const char *name, long *size) {
                FILE *file = fopen(name, "rb");
                if (!file) exit(9);
                fseek(file, 0, SEEK_END);
                *size = ftell(file);
                rewind(file);
                void *bytes = aligned_alloc(64, (*size + 128) / 64 * 64);
                if (fread(bytes, 1, *size, file) != (size_t) *size) exit(9);
                fclose(file);
                return bytes;
            }

            int main(int count, char **arguments) {
                static int64_t ids[100], bad[] = {1, 2, 1000000};
                long size;
                char *weights = read_file(arguments[1], &size);
                if (count > 5) {
                    const void **table = malloc(NAME_UPPER_WEIGHTS * sizeof *table);
                    char *at = weights;
                    for (int64_t i = 0; i < NAME_UPPER_WEIGHTS; i++) {
                        table[i] = at;
                        at += (NAME_weight_bytes(i) + 63) / 64 * 64;
                        if (!NAME_weight_name(i) || !NAME_weight_format(i)) exit(8);
                    }
                    if (at - weights != size || NAME_weight_name(NAME_UPPER_WEIGHTS)
                            || NAME_weight_bytes(NAME_UPPER_WEIGHTS)) exit(7);
                    model = NAME_create(table);
                    memset(table, 0, NAME_UPPER_WEIGHTS * sizeof *table);
                } else {
                    model = NAME_create_packed(weights);
                }
                NAME_session *early = NAME_session_new(model);
                int64_t one = 1, rows[2];
                say(NAME_step(model, &early, 1, &one, ids));
                NAME_session_free(early);
                if (NAME_initialise(model)) exit(6);
                FILE *out = fopen(arguments[4], "wb");
                NAME_session *sessions[2] = {NAME_session_new(model), NAME_session_new(model)};
                int64_t three[] = {3, 0};
                say(NAME_step(model, sessions, 2, three, bad));
                NAME_session *twice[] = {sessions[0], sessions[0]};
                say(NAME_step(model, twice, 2, three, bad));
                int64_t negative = -1;
                say(NAME_step(model, sessions, 1, &negative, bad));
                rows[0] = read_ids(arguments[2], ids);
                rows[1] = read_ids(arguments[3], ids + rows[0]);
                if (NAME_step(model, sessions, 2, rows, ids)) exit(5);
                fwrite(NAME_logits(model), 4, NAME_logits_elements(model), out);
                long vocabulary = NAME_logits_elements(model) / (rows[0] + rows[1]);
                NAME_session_free(sessions[0]);
                say(NAME_step(model, sessions, 2, three, ids));
                NAME_session_free(sessions[1]);

                NAME_session *session = NAME_session_new(model);
                const float *last = NULL;
                for (int64_t from = 0; from < rows[0]; from += 5) {
                    int64_t n = rows[0] - from < 5 ? rows[0] - from : 5;
                    if (NAME_step(model, &session, 1, three, bad) != NAME_UPPER_DATA) exit(4);
                    if (NAME_step(model, &session, 1, &n, ids + from)) exit(3);
                    fwrite(NAME_logits(model), 4, NAME_logits_elements(model), out);
                    last = NAME_logits(model) + NAME_logits_elements(model) - vocabulary;
                }
                fclose(out);
                printf("position %d\\ngreedy", (int) NAME_session_position(session));
                for (int i = 0; i < 16; i++) {
                    int64_t best = 0;
                    for (int64_t j = 1; j < vocabulary; j++) {
                        if (last[j] > last[best]) best = j;
                    }
                    printf(" %d", (int) best);
                    if (NAME_step(model, &session, 1, &one, &best)) exit(2);
                    last = NAME_logits(model);
                }
                printf("\\n");
                NAME_session_free(0);
                NAME_destroy(0);
                NAME_destroy(model);
                free(weights);
                return 0;
            }
            """;

    @TempDir
    private Path folder;

    private static boolean hasCompiler() {
        return Stream.of(System.getenv("PATH").split(File.pathSeparator))
                .anyMatch(place -> Files.isExecutable(Path.of(place, "cc")));
    }

    private void compile(String... more) {
        List<String> command = new ArrayList<>(List.of(
                "compile", "--target", "native", "-o", folder.toString()));
        command.addAll(Arrays.asList(more));
        Outcome outcome = weir(command.toArray(String[]::new));
        assertEquals(0, outcome.code(), outcome.err());
        boolean isSlow = command.contains("x86-64")
                || command.contains("x86_64-unknown-linux-gnu");
        assertEquals(isSlow, outcome.err().contains("each is a call of fmaf"), outcome.err());
        assertTrue(isSlow || outcome.err().isEmpty(), outcome.err());
    }

    private String shell(String... command) throws Exception {
        Process process = new ProcessBuilder(command).directory(folder.toFile())
                .redirectErrorStream(true).start();
        String said = new String(process.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
        assertEquals(0, process.waitFor(), String.join(" ", command) + "\n" + said);
        return said;
    }

    private static String ids(Tensor ids, int row) {
        long n = ids.shape()[1];
        return LongStream.range(0, n).mapToObj(i -> Long.toString(ids.whole(row * n + i)))
                .collect(Collectors.joining(","));
    }

    @ParameterizedTest
    @CsvSource({
        "mixtral, mixtral, libmixtral.so, ''", "gpt_oss, gptoss, gptoss.o, ''",
        "deepseek_v3, deepseekv3, deepseekv3.o, ''",
        "llama_bf16, llama, libllama.so, generic"
    })
    void aCProgramGetsTheGoldenLogits(
            String fixture, String name, String link, String processor) throws Exception {
        assumeTrue(hasCompiler(), "there is no C compiler `cc` on the PATH");
        Path model = TestModel.fixture(fixture);
        if (processor.isEmpty()) {
            compile(model.toString(), "--pack");
        } else {
            compile(model.toString(), "--pack", "--processor", "x86-64");
        }
        Files.writeString(folder.resolve("program.c"), PROGRAM
                .replace("NAME_UPPER", name.toUpperCase(Locale.ROOT)).replace("NAME", name));
        shell("cc", "-std=c11", "-Wall", "-Wextra", "-Wno-sign-compare", "-Werror", "program.c",
                link, "-lm", "-Wl,-rpath,$ORIGIN", "-o", "program");

        Map<String, Tensor> golden =
                SafeTensors.map(model.resolve("golden.safetensors"), Arena.ofAuto());
        Tensor ids = golden.get("input_ids");
        int rows = (int) ids.shape()[1];
        int vocabulary = (int) golden.get("logits").shape()[2];
        String expected = """
                5 the model is not initialised
                1 index 1000000 is outside axis 0 of table, which has %d elements
                5 a session takes part in a step once at most; places 0 and 1 hold the same
                5 -1 rows in a step, and there may be 0 to 2147483648
                5 the session at place 0 is none, or was freed, or is another model's
                position %d
                greedy%s
                """.formatted(vocabulary, rows, LongStream.range(0, 16)
                        .mapToObj(i -> " " + golden.get("greedy").whole(i))
                        .collect(Collectors.joining()));
        assertEquals(expected, shell("./program", name + ".weights", ids(ids, 0), ids(ids, 1),
                "logits"));
        byte[] logits = Files.readAllBytes(folder.resolve("logits"));
        int both = 2 * rows * vocabulary * 4;
        Tensor found = new Tensor(Format.F32, new long[] {2L * rows * vocabulary},
                MemorySegment.ofArray(Arrays.copyOf(logits, both)));
        FixtureTest.assertClose("two sequences", golden.get("logits"), found);
        assertArrayEquals(Arrays.copyOf(logits, both / 2),
                Arrays.copyOfRange(logits, both, logits.length), "the same bytes in chunks");
        if (processor.isEmpty()) {
            assertSameBytes(fixture, ids, found);
        }
        // From single pointers as from one block.
        Files.delete(folder.resolve("logits"));
        assertEquals(expected, shell("./program", name + ".weights", ids(ids, 0), ids(ids, 1),
                "logits", "pointers"));
        assertArrayEquals(logits, Files.readAllBytes(folder.resolve("logits")));
    }

    /** The library computes what {@code weir run} does, to the last bit. */
    private static void assertSameBytes(String fixture, Tensor ids, Tensor found)
            throws Exception {
        String type = fixture.startsWith("llama") ? "llama" : fixture;
        long[][] rows = new long[2][(int) ids.shape()[1]];
        for (int row = 0; row < 2; row++) {
            for (int i = 0; i < rows[row].length; i++) {
                rows[row][i] = ids.whole((long) row * rows[row].length + i);
            }
        }
        try (TestModel walked = TestModel.stock(
                TestModel.fixture(fixture), type, Target.NATIVE, 1, false)) {
            Tensor logits = walked.batch(
                    List.of(walked.engine().start(), walked.engine().start()), List.of(rows));
            assertEquals(-1, found.memory().mismatch(
                    logits.memory().asSlice(0, logits.bytes())), "the same bytes");
        }
    }

    private ByteBuffer file(String name) throws IOException {
        return ByteBuffer.wrap(Files.readAllBytes(folder.resolve(name)))
                .order(ByteOrder.LITTLE_ENDIAN);
    }

    /** Source: the ELF header in the System V ABI; machines: 183 is AArch64, 243 RISC-V. */
    @ParameterizedTest
    @CsvSource({
        "aarch64-unknown-linux-gnu, 183", "riscv64-unknown-linux-gnu, 243",
        "x86_64-unknown-linux-gnu, 62"
    })
    void otherMachinesGetTheirObjects(String triple, int machine) throws Exception {
        compile(TestModel.tinyworld().toString(), "--triple", triple);
        ByteBuffer object = file("tinyworld.o");
        ByteBuffer library = file("libtinyworld.so");
        for (ByteBuffer elf : List.of(object, library)) {
            assertEquals(0x464C457F, elf.getInt(0), "the magic number");
            assertEquals(2, elf.get(4), "64 bits");
            assertEquals(machine, elf.getShort(18));
        }
        assertEquals(1, object.getShort(16), "relocatable");
        assertEquals(3, library.getShort(16), "a shared library");
        String names = new String(library.array(), StandardCharsets.ISO_8859_1);
        for (String function : List.of("create", "initialise", "session_new", "step", "logits",
                "session_free", "destroy", "message")) {
            assertTrue(names.contains("\0tinyworld_" + function + "\0"), function);
        }
        assertTrue(!names.contains("\0k0_"), "kernels are nobody else's");
        String header = Files.readString(folder.resolve("tinyworld.h"));
        assertTrue(header.contains(triple), header);
        assertTrue(header.contains("f32[rows, 512]"), header);
        assertTrue(!header.contains("${"), header);
    }

    /** Without a linker for its files there is an object, and it is said how to go on. */
    @Test
    void aSystemThatCannotBeLinkedForGetsAnObject() {
        Outcome outcome = weir("compile", TestModel.tinyworld().toString(), "--target", "native",
                "--triple", "aarch64-apple-darwin", "-o", folder.toString());
        assertEquals(0, outcome.code());
        assertTrue(outcome.err().contains("link tinyworld.o"), outcome.err());
        assertTrue(Files.exists(folder.resolve("tinyworld.o")));
        assertTrue(!Files.exists(folder.resolve("libtinyworld.so")));
    }

    @ParameterizedTest
    @CsvSource({
        "--triple, nonsense, E0801", "--triple, i686-unknown-linux-gnu, E0802",
        "--triple, s390x-unknown-linux-gnu, E0802", "--processor, made-up, E0803"
    })
    void machinesThatCannotBeCompiledForAreDiagnostics(String option, String value, String code) {
        Outcome outcome = weir("compile", TestModel.tinyworld().toString(), "--target", "native",
                option, value, "-o", folder.toString());
        assertEquals(1, outcome.code(), outcome.err());
        assertTrue(outcome.err().contains("error[" + code + "]"), outcome.err());
        assertTrue(outcome.err().contains(value), outcome.err());
    }

    @ParameterizedTest
    @CsvSource({
        "--package, com.example", "--triple, x --target jvm", "--processor, y --target jvm"
    })
    void optionsOfTheOtherTargetAreRefused(String option, String value) {
        List<String> command = new ArrayList<>(List.of(
                "compile", TestModel.tinyworld().toString(), "-o", folder.toString(), option));
        command.addAll(Arrays.asList(value.split(" ")));
        Outcome outcome = weir(command.toArray(String[]::new));
        assertEquals(2, outcome.code(), outcome.err());
        assertTrue(outcome.err().contains(option + " goes with"), outcome.err());
    }

    /** {@code -lm} means the mathematical functions, also beside a model {@code M}. */
    @Test
    void noLibraryHidesOneOfTheSystem() throws Exception {
        Path model = Files.writeString(folder.resolve("short.weir"),
                "model M<D = 2> { forward(x[T, D]) -> y[T, D] = exp(x) }\n");
        compile(model.toString());
        assertTrue(Files.readString(folder.resolve("model_m.h")).contains("model_m_step"));
        assertTrue(Files.exists(folder.resolve("model_m.o")));
        assertTrue(!Files.exists(folder.resolve("libm.so")));
    }

    /** {@code #include <string.h>} means C's own, also with {@code -I} for a model's folder. */
    @Test
    void noHeaderHidesOneOfTheSystem() throws Exception {
        Path model = Files.writeString(folder.resolve("short.weir"),
                "model String<D = 2> { forward(x[T, D]) -> y[T, D] = exp(x) }\n");
        compile(model.toString());
        assertTrue(Files.readString(folder.resolve("model_string.h")).contains("_string_step"));
        assertTrue(!Files.exists(folder.resolve("string.h")));
    }

    /** Of several entries one is compiled, and the others are named. */
    @Test
    void entriesThatAreLeftOutAreNamed() throws Exception {
        Path model = Files.writeString(folder.resolve("short.weir"), """
                model Both<D = 2> {
                    state s[D] = 0
                    first(x[T, D]) -> y[T, D] { scan t { s[d] = s[d] + x[t, d]  y[t, d] = s[d] } }
                    forward(x[T, D]) -> y[T, D] { scan t { s[d] = x[t, d]  y[t, d] = s[d] } }
                }
                """);
        Outcome outcome = weir("compile", model.toString(), "-o", folder.toString());
        assertEquals(0, outcome.code(), outcome.err());
        assertTrue(outcome.err().startsWith(
                "warning: what is compiled has the entry forward only: first is left out"),
                outcome.err());
        Outcome named = weir("compile", model.toString(), "-o", folder.toString(),
                "--entry", "first");
        assertEquals(0, named.code(), named.err());
        assertEquals("", named.err());
    }

    /** Whatever a model calls its arguments and results, the header and the class compile. */
    @Test
    void namesThatMeanSomethingElsewhereAreNoMatter() throws Exception {
        Path model = Files.writeString(folder.resolve("names.weir"), """
                model Names<D = 2> {
                    forward(rows[T, D], switch[T, D]) -> (step[T, D], hashCode[T, D], x[T], x_elements[T]) {
                        step[t, d] = rows[t, d] + switch[t, d]
                        hashCode[t, d] = rows[t, d] - switch[t, d]
                        x[t] = rows[t, 0]
                        x_elements[t] = switch[t, 1]
                    }
                }
                """);
        compile(model.toString());
        Outcome jar = weir("compile", model.toString(), "--target", "jvm", "-o",
                folder.resolve("names.jar").toString());
        assertEquals(0, jar.code(), jar.err());
        String header = Files.readString(folder.resolve("names.h"));
        assertTrue(header.contains("*names_step_(const"), header);
        assertTrue(header.contains("*names_x_elements_(const"), header);
        assumeTrue(hasCompiler(), "there is no C compiler `cc` on the PATH");
        Files.writeString(folder.resolve("names.c"), "#include \"names.h\"\nint main(void) "
                + "{ return names_create_packed(0) == 0; }\n");
        shell("cc", "-std=c99", "-pedantic", "-Wall", "-Wextra", "-Werror", "names.c", "names.o",
                "-lm", "-o", "names");
        assertEquals("", shell("./names"));
    }
}
