package dev.weir.frontend.lower;

import dev.weir.frontend.syntax.Statement;
import dev.weir.ir.diagnostic.Diagnostic;
import dev.weir.ir.diagnostic.Span;
import dev.weir.ir.tensor.Function;
import dev.weir.ir.tensor.Node;
import dev.weir.ir.tensor.Region;
import dev.weir.ir.tensor.Walk;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Set;

/**
 * What those do that have left a loop, in each round that is left to the others:
 *
 * <pre>
 *   for i in … { body; leaving { rest } }   ⇒   for i in … { if left { rest }; if active { body } }
 * </pre>
 *
 * <p>Where each token leaves by itself, the two are gates on the stream. A state to which both
 * append holds every token's row, in the stream's order, whichever of the two it came from.
 */
final class Leavers {
    private final Body body;
    private final Span loop;
    private final List<Statement.Leaving> leaving = new ArrayList<>();
    private final List<Statement> others = new ArrayList<>();

    Leavers(Body body, Control.Head loop) {
        this.body = body;
        this.loop = loop.span();
        for (Statement statement : loop.body()) {
            if (statement instanceof Statement.Leaving l) {
                leaving.add(l);
            } else {
                others.add(statement);
            }
        }
        leaving.stream().filter(l -> loop.scans().isPresent() || Trees.breaks(l.body()))
                .findFirst().ifPresent(l -> {
                    throw body.session.fail(Diagnostic.error("E0906", l.span(),
                                    loop.scans().isPresent()
                                            ? "`leaving` belongs to a `for` or `while`, not to a "
                                                    + "`scan`"
                                            : "who has left cannot leave again")
                            .with(loop.span(), "this loop"));
                });
    }

    boolean areSome() {
        return !leaving.isEmpty();
    }

    /** What those do that have left. */
    List<Statement> statements() {
        return leaving.stream().flatMap(l -> l.body().stream()).toList();
    }

    /** What the others do. */
    List<Statement> others() {
        return List.copyOf(others);
    }

    /** Refuses {@code leaving} in a loop that nothing leaves. */
    void requireBreak() {
        if (areSome()) {
            throw body.session.fail(Diagnostic.error("E0906", leaving.getFirst().span(),
                            "nothing leaves this loop, so this is never done")
                    .with(loop, "there is no `break` in it"));
        }
    }

    /** The gates of both, which know the states that they fill together. */
    List<Node> together(List<Node> nodes) {
        List<Node.Gate> gates = nodes.stream().filter(n -> n instanceof Node.Gate)
                .map(n -> (Node.Gate) n).toList();
        if (statements().isEmpty() || gates.size() != 2) {
            return nodes;
        }
        Set<String> both = new LinkedHashSet<>(appended(gates.getFirst().body(), false));
        both.retainAll(appended(gates.getLast().body(), false));
        for (Node.Gate gate : gates) {
            Set<String> inner = appended(gate.body(), true);
            inner.retainAll(both);
            if (!inner.isEmpty()) {
                throw body.session.fail(Diagnostic.error("E0906", gate.span(),
                                "`" + inner.iterator().next().replaceAll("\\{[^}]*}", "*")
                                        + "` gets rows here only for some "
                                        + "of the elements that are still in the loop")
                        .with(leaving.getFirst().span(), "and here for all that have left")
                        .helped("append before the first `break` and outside of conditions"));
            }
        }
        List<Node> result = new ArrayList<>();
        for (Node node : nodes) {
            result.add(!(node instanceof Node.Gate g) ? node : new Node.Gate(g.results(),
                    g.condition(), g.entrants(), g.captured(), g.before(), g.body(),
                    List.copyOf(both), g.path(), g.span()));
        }
        return result;
    }

    /**
     * The states to which a region appends, also in what it calls.
     *
     * @param inGates only what is appended behind further conditions
     */
    private Set<String> appended(Region region, boolean inGates) {
        Set<String> states = new LinkedHashSet<>();
        collect(region, !inGates, states, new HashSet<>());
        return states;
    }

    private void collect(Region region, boolean counts, Set<String> states, Set<String> seen) {
        for (Node node : region.nodes()) {
            if (node instanceof Node.Append append && counts) {
                states.add(append.state());
            }
            boolean gated = node instanceof Node.Gate || node instanceof Node.If;
            Walk.regions(node).forEach(r -> collect(r, counts || gated, states, seen));
            for (String name : Walk.functions(node)) {
                if (seen.add(name + counts)) {
                    body.session.program().functions.values().stream()
                            .filter(f -> f.name().equals(name)).map(Function::body)
                            .forEach(b -> collect(b, counts, states, seen));
                }
            }
        }
    }
}
