package dev.weir.cli;

import static org.junit.jupiter.api.Assertions.assertEquals;

import dev.weir.cli.LineDiff.Edit;
import dev.weir.cli.LineDiff.Kind;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import org.junit.jupiter.api.Test;

/** What lines changed. */
class LineDiffTest {

    private static String shown(String before, String after) {
        StringBuilder text = new StringBuilder();
        for (Edit edit : LineDiff.of(List.of(before.split(" ")), List.of(after.split(" ")))) {
            text.append(switch (edit.kind()) {
                case KEPT -> " ";
                case REMOVED -> " -";
                case ADDED -> " +";
            }).append(edit.line());
        }
        return text.toString().strip();
    }

    @Test
    void keepsWhatBothHaveInOrder() {
        assertEquals("a b c", shown("a b c", "a b c"));
        assertEquals("a -b +x c", shown("a b c", "a x c"));
        assertEquals("a { +x +} +{ y }", shown("a { y }", "a { x } { y }"));
        assertEquals("-a b c +a", shown("a b c", "b c a"));
    }

    /** Lines that occur more than once cannot be anchors. */
    @Test
    void comparesRepeatedLinesInFull() {
        assertEquals("x y x +x y", shown("x y x y", "x y x x y"));
        assertEquals("-x y x", shown("x y x", "y x"));
    }

    @Test
    void showsChangesWithLinesAroundThem() {
        List<String> before = new ArrayList<>();
        for (int i = 1; i <= 20; i++) {
            before.add("line " + i);
        }
        List<String> after = new ArrayList<>(before);
        after.set(2, "changed");
        after.remove(17);
        assertEquals("""
                @@ -2 +2 @@
                 line 2
                -line 3
                +changed
                 line 4
                @@ -17 +17 @@
                 line 17
                -line 18
                 line 19
                """, LineDiff.unified(before, after, 1));
        assertEquals("", LineDiff.unified(before, before, 3));
    }

    @Test
    void bothTextsCanBeReadFromTheEdits() {
        Random random = new Random(1);
        for (int i = 0; i < 2000; i++) {
            List<String> before = lines(random);
            List<String> after = lines(random);
            List<Edit> edits = LineDiff.of(before, after);
            assertEquals(before, side(edits, Kind.ADDED));
            assertEquals(after, side(edits, Kind.REMOVED));
        }
    }

    private static List<String> lines(Random random) {
        List<String> lines = new ArrayList<>();
        int kinds = 1 + random.nextInt(20);
        for (int i = random.nextInt(15); i > 0; i--) {
            lines.add("" + random.nextInt(kinds));
        }
        return lines;
    }

    private static List<String> side(List<Edit> edits, Kind other) {
        return edits.stream().filter(e -> e.kind() != other).map(Edit::line).toList();
    }
}
