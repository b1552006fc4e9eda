package dev.weir.cli;

import static org.junit.jupiter.api.Assertions.assertEquals;

import java.util.Map;
import org.junit.jupiter.api.Test;

/** When there are colours and a line of progress, and when not. */
class TerminalTest {
    private static final Terminal ALL = new Terminal(true, true, true);

    private static Terminal with(String name, String value) {
        return Terminal.of(true, true, Map.of("TERM", "xterm", name, value));
    }

    @Test
    void whereNoTerminalLooksOnTextIsPlain() {
        assertEquals(Terminal.NONE, Terminal.of(false, false, Map.of()));
        assertEquals(Terminal.NONE, Terminal.of(true, false, Map.of("TERM", "xterm")));
        assertEquals(ALL, Terminal.of(true, true, Map.of("TERM", "xterm")));
    }

    @Test
    void helpThatGoesIntoAFileIsPlain() {
        assertEquals(new Terminal(true, false, true), Terminal.of(false, true, Map.of()));
    }

    @Test
    void usersSwitchOffWhatTheyDislike() {
        assertEquals(new Terminal(false, false, true), with("NO_COLOR", "1"));
        assertEquals(new Terminal(true, true, false), with("NO_PROGRESS", "1"));
        assertEquals(ALL, with("NO_COLOR", ""));
        assertEquals(ALL, with("NO_PROGRESS", ""));
        assertEquals(Terminal.NONE, Terminal.of(true, true, Map.of("TERM", "dumb")));
    }
}
