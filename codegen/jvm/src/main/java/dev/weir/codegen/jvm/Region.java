package dev.weir.codegen.jvm;

import dev.weir.ir.kernel.Statement;
import java.util.List;

/**
 * A run of statements of one list that becomes a method of its own. Lists are told apart by
 * identity: equal lists may stand at several places.
 *
 * @param list a list of a kernel's statements
 * @param from the first statement of the run
 * @param to behind the last
 */
record Region(List<Statement> list, int from, int to) {

    static Region whole(List<Statement> list) {
        return new Region(list, 0, list.size());
    }

    List<Statement> statements() {
        return list.subList(from, to);
    }

    int length() {
        return to - from;
    }

    boolean overlaps(Region other) {
        return list == other.list && from < other.to && other.from < to;
    }

    boolean contains(Region other) {
        return list == other.list && from <= other.from && other.to <= to;
    }

    @Override
    public boolean equals(Object other) {
        return other instanceof Region r && r.list == list && r.from == from && r.to == to;
    }

    @Override
    public int hashCode() {
        return (System.identityHashCode(list) * 31 + from) * 31 + to;
    }
}
