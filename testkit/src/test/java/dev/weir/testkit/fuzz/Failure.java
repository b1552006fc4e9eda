package dev.weir.testkit.fuzz;

import java.io.PrintWriter;
import java.io.StringWriter;

/**
 * What must not happen, and did.
 *
 * @param kind the same for failures that seem to have one cause; only the first of them is printed
 * @param report what is needed to see it again
 */
public record Failure(String kind, String report) {

    /** An error that escaped; of one kind with others of its class that come from its place. */
    static Failure of(Throwable error, String subject) {
        StackTraceElement[] frames = error.getStackTrace();
        String place = frames.length == 0 ? "" : " " + frames[0];
        if (error instanceof StackOverflowError || error instanceof OutOfMemoryError) {
            place = "";
        }
        StringWriter trace = new StringWriter();
        error.printStackTrace(new PrintWriter(trace));
        String shown = trace.toString().lines().limit(40)
                .reduce("", (all, line) -> all + line + "\n");
        return new Failure(error.getClass().getName() + place, shown + subject);
    }
}
