package dev.weir.cli;

import dev.weir.ir.diagnostic.Diagnostic;
import dev.weir.ir.diagnostic.Span;
import dev.weir.ir.diagnostic.WeirException;
import dev.weir.ir.tensor.Node;
import dev.weir.ir.tensor.TensorProgram;
import dev.weir.ir.tensor.Walk;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/**
 * Whether an entry of a model can be a library or jar by itself, which holds one entry: not if it
 * reads a state that only another entry fills, for there it would stay as it is at the beginning.
 */
final class EntryAlone {
    private EntryAlone() {}

    /** Refuses an entry that reads what it does not write and one of the others writes. */
    static void require(TensorProgram entry, List<TensorProgram> others) {
        Map<String, Span> own = writes(entry);
        List<Diagnostic> found = new ArrayList<>();
        for (TensorProgram other : others) {
            Map<String, Span> filled = writes(other);
            reads(entry).forEach((state, span) -> {
                if (!own.containsKey(state) && filled.containsKey(state)) {
                    found.add(diagnostic(entry, other, state, span, filled.get(state)));
                }
            });
        }
        if (!found.isEmpty()) {
            throw new WeirException(found);
        }
    }

    private static Diagnostic diagnostic(
            TensorProgram entry, TensorProgram other, String state, Span read, Span write) {
        String name = entry.entry().name();
        String filler = other.entry().name();
        return Diagnostic.error("E0805", read, "`" + name + "` reads the state `"
                        + state.replaceAll("\\.\\{\\d+[^}]*}", "[…]") + "`, which only `" + filler
                        + "` fills, and a library or jar holds one entry")
                .labelled("read here")
                .with(write, "filled here, by `" + filler + "`")
                .helped("give `" + name + "` what it needs as an argument, or run both: weir run "
                        + "MODEL --inputs " + filler + "=FILE --inputs " + name + "=FILE");
    }

    private static Map<String, Span> writes(TensorProgram program) {
        Map<String, Span> places = new LinkedHashMap<>();
        Walk.nodes(program, node -> {
            switch (node) {
                case Node.Append n -> places.putIfAbsent(n.state(), n.span());
                case Node.Write n -> places.putIfAbsent(n.state(), n.span());
                case Node.AppendRows n -> places.putIfAbsent(n.state(), n.span());
                case Node.WriteRows n -> places.putIfAbsent(n.state(), n.span());
                default -> { }
            }
        });
        return places;
    }

    private static Map<String, Span> reads(TensorProgram program) {
        Map<String, Span> places = new LinkedHashMap<>();
        Walk.nodes(program, node -> {
            if (node instanceof Node.Read read) {
                places.putIfAbsent(read.state(), read.span());
            }
        });
        return places;
    }
}
