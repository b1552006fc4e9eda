package dev.weir.testkit.fuzz;

import java.util.Optional;

/** What is tried again and again; each thread of a {@link Campaign} has its own. */
public interface Subject extends AutoCloseable {

    /** The trial of a number, always the same one; any exception is a failure too. */
    Optional<Failure> attempt(long number);

    /** The input of a trial, for a failure of which nothing else is known. */
    String describe(long number);

    /** A line about all that was tried so far; empty for nothing. */
    default String summary() {
        return "";
    }

    @Override
    default void close() {}
}
