package dev.weir.codegen.jvm.artefact;

/**
 * What went wrong with weights, arguments or data, in words for whoever called. The model and its
 * sessions can be used on: a step that failed has left them as they were.
 */
public final class ArtefactException extends RuntimeException {
    private static final long serialVersionUID = 1L;

    ArtefactException(String message) {
        super(message);
    }
}
