package dev.weir.testkit;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.weir.cli.Weir;
import dev.weir.codegen.llvm.LlvmCompiler;
import dev.weir.ir.kernel.KernelCompiler;
import java.io.ByteArrayOutputStream;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.junit.jupiter.api.Test;

/**
 * What {@code docs/architecture.md} shows of one token's way is what the command prints: each piece
 * between two {@code …} stands in the output, in this order. What differs from machine to machine
 * is compared on machines with 16 lanes, as the one of the tour has; the text of single kernels and
 * code is left to the reader.
 */
class TourTest {
    private static final Pattern BLOCK = Pattern.compile("```\\w*\\n(.*?)```", Pattern.DOTALL);
    private static final Pattern COMMAND = Pattern.compile(
            "`(\\./weir dump examples/tinyworld )?--stage (?<stage>[a-z-]+)(?<kernel> --kernel)?"
                    + "|`\\./weir (?<explain>explain) examples/tinyworld`");

    private static String weir(String... arguments) {
        ByteArrayOutputStream out = new ByteArrayOutputStream();
        int code = Weir.run(
                new PrintStream(out, true, StandardCharsets.UTF_8), System.err, arguments);
        assertEquals(0, code);
        return out.toString(StandardCharsets.UTF_8);
    }

    private static int lanes() {
        try (KernelCompiler compiler = new LlvmCompiler()) {
            return compiler.target().lanes();
        }
    }

    /** Without line breaks and without the numbers of values, which any new construct shifts. */
    private static String flat(String text) {
        return text.replaceAll("\\s+", " ").replaceAll("(%|\\$|[A-Z]\\d*\\.|\\bk)\\d+", "$1#").strip();
    }

    @Test
    void theTourShowsRealDumps() {
        String document = TestModel.text(TestModel.ROOT.resolve("docs/architecture.md"));
        String tour = document.substring(document.indexOf("## One token's way"));
        String model = TestModel.tinyworld().toString();
        int compared = 0;
        Matcher block = BLOCK.matcher(tour);
        while (block.find()) {
            Matcher command = COMMAND.matcher(tour.substring(0, block.start()));
            String stage = "";
            while (command.find()) {
                boolean machine = command.group("kernel") != null
                        || "code".equals(command.group("stage"));
                stage = command.group("explain") != null ? "explain"
                        : machine ? "" : command.group("stage");
            }
            boolean differs = stage.equals("explain") || stage.equals("kernels");
            if (stage.isEmpty() || stage.equals("source") || differs && lanes() != 16) {
                continue;
            }
            String printed = flat(stage.equals("explain")
                    ? weir("explain", model)
                    : weir("dump", model, "--stage", stage));
            int at = 0;
            for (String piece : block.group(1).split("…")) {
                int found = printed.indexOf(flat(piece), at);
                assertTrue(found >= 0, "stage " + stage + " does not print: " + piece);
                at = found;
                compared++;
            }
        }
        assertTrue(compared > 20, "the tour has " + compared + " pieces");
    }
}
