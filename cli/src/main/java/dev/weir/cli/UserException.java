package dev.weir.cli;

/** Something in what the user asked for is wrong; the message says what and what to do. */
final class UserException extends RuntimeException {
    private static final long serialVersionUID = 1L;

    UserException(String message) {
        super(message);
    }
}
