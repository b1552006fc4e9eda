package dev.weir.runtime.model;

import dev.weir.ir.tensor.Fault;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/** One sequence of an engine: where it stands, what it remembers, and the marks that were set. */
final class Sequence implements Engine.Session {
    private final Sessions sessions;
    private final Store store;
    /** Those that hold, in the order in which they were set. */
    private final List<Point> marks = new ArrayList<>();
    /** In the stream of each entry that has been taken. */
    private volatile Map<String, Long> positions;
    private boolean open = true;

    Sequence(Sessions sessions, Store store, Map<String, Long> positions) {
        this.sessions = sessions;
        this.store = store;
        this.positions = Map.copyOf(positions);
    }

    /** What the sequence was at one position. */
    private final class Point implements Engine.Mark {
        private final Map<String, Long> at = positions;
        private final Store.Saved saved = store.save();

        private boolean isOf(Sequence sequence) {
            return sequence == Sequence.this;
        }

        @Override
        public long position() {
            return Sequence.position(at, sessions.main());
        }

        @Override
        public void close() {
            sessions.alone(() -> {
                if (marks.remove(this)) {
                    saved.close();
                }
            });
        }
    }

    boolean isOf(Sessions owner) {
        return owner == sessions;
    }

    Store store() {
        return store;
    }

    void requireOpen() {
        if (!open) {
            throw new IllegalStateException("this session is closed");
        }
    }

    /** Notes that a step is over. */
    void stepped(String entry, long elements) {
        store.stepped(elements);
        Map<String, Long> next = new HashMap<>(positions);
        next.merge(entry, elements, Long::sum);
        positions = Map.copyOf(next);
    }

    @Override
    public long position() {
        return position(sessions.main());
    }

    @Override
    public long position(String entry) {
        return position(positions, entry);
    }

    private static long position(Map<String, Long> positions, String entry) {
        return positions.getOrDefault(entry, 0L);
    }

    @Override
    public Engine.Session fork() {
        return sessions.alone(() -> {
            requireOpen();
            return sessions.add(store.copy(), positions);
        });
    }

    @Override
    public Engine.Mark mark() {
        return sessions.alone(() -> {
            requireOpen();
            Point point = new Point();
            marks.add(point);
            return point;
        });
    }

    @Override
    public void rollback(Engine.Mark mark) {
        sessions.alone(() -> {
            requireOpen();
            if (!(mark instanceof Point point && point.isOf(this))) {
                throw new IllegalArgumentException("this mark was set in another session");
            }
            if (!marks.contains(point)) {
                throw new IllegalStateException("this mark at " + point.position()
                        + " elements holds no more: it was closed, or the session went back to "
                        + "before it");
            }
            goBack(point);
        });
    }

    @Override
    public void truncate(long elements) {
        sessions.alone(() -> {
            requireOpen();
            if (elements < 0 || elements > position()) {
                throw new IllegalArgumentException("a session of " + position()
                        + " elements cannot be truncated to " + elements);
            }
            if (elements < position()) {
                cut(elements);
            }
        });
    }

    private void cut(long elements) {
        Optional<Point> there = marks.stream().filter(m -> m.position() == elements).findFirst();
        if (there.isPresent()) {
            goBack(there.get());
            return;
        }
        if (elements == 0) {
            store.clear();
        } else {
            sessions.mayCut(this, elements).ifPresent(reason -> {
                throw new Fault(reason);
            });
            store.truncate(elements);
        }
        positions = elements == 0 ? Map.of() : Map.of(sessions.main(), elements);
        drop(marks.stream().filter(m -> m.position() > elements).toList());
    }

    private void goBack(Point point) {
        point.saved.restore();
        positions = point.at;
        drop(List.copyOf(marks.subList(marks.indexOf(point) + 1, marks.size())));
    }

    private void drop(List<Point> gone) {
        marks.removeAll(gone);
        gone.forEach(point -> point.saved.close());
    }

    @Override
    public void close() {
        sessions.alone(() -> {
            sessions.remove(this);
            free();
        });
    }

    /** Gives its memory back; nothing if that was done. */
    void free() {
        if (open) {
            open = false;
            drop(List.copyOf(marks));
            store.close();
        }
    }
}
