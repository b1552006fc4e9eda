package dev.weir.codegen.jvm.artefact;

/** One sequence of a compiled model, and what it remembers. */
public final class ArtefactSession implements AutoCloseable {
    private final ArtefactModel model;
    private final long address;
    private boolean open = true;

    ArtefactSession(ArtefactModel model, long address) {
        this.model = model;
        this.address = address;
    }

    long address() {
        return address;
    }

    long addressIn(ArtefactModel wanted) {
        if (wanted != model) {
            throw new ArtefactException("a session of another model cannot take part in a step");
        }
        requireOpen();
        return address;
    }

    private void requireOpen() {
        if (!open) {
            throw new IllegalStateException("this session is closed");
        }
    }

    /** The model that it belongs to. */
    public ArtefactModel model() {
        return model;
    }

    /** How many elements of the stream it has seen: the position of the next one. */
    public long position() {
        requireOpen();
        return model.position(this);
    }

    /** Frees what it remembers; closing the model does, too. */
    @Override
    public void close() {
        if (open) {
            open = false;
            model.free(this);
        }
    }
}
