package dev.weir.frontend.lower;

import dev.weir.frontend.syntax.Expression.Reducer;
import dev.weir.ir.diagnostic.Diagnostic;
import dev.weir.ir.operation.Operation;
import dev.weir.ir.tensor.Axis;
import dev.weir.ir.tensor.Index;
import dev.weir.ir.tensor.Node;
import dev.weir.ir.tensor.Reduction;
import dev.weir.ir.tensor.Region;
import dev.weir.ir.tensor.Scalar;
import dev.weir.ir.tensor.Value;
import dev.weir.ir.type.Format;
import dev.weir.ir.type.TensorType;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;

/**
 * Lowers prefix reductions: a loop over the places of the index that carries what there is so far.
 *
 * <pre>
 *   c[t, d] = cumsum[t] x[t, d]   ⇒   for t in 0..T { so_far[d] = so_far[d] + x[t, d];
 *                                                     c[t, d] = so_far[d] }
 * </pre>
 */
final class Prefixes {
    private final Body body;

    Prefixes(Body body) {
        this.body = body;
    }

    /** The element at the indices that are free, the reduction's own among them. */
    Scalar combine(Reductions.Parts p) {
        if (p.indices().size() != 1) {
            throw body.session.fail(Diagnostic.error("E0312", p.span(),
                            "`" + p.reducer().word() + "` goes along one index, here are "
                                    + p.indices().size())
                    .helped("write one after the other"));
        }
        Index along = p.indices().getFirst();
        if (body.bounds.hasRangesByData(Scalar.variable(along))) {
            body.session.unsupported("E0908", p.span(),
                    "a prefix along a range that depends on data",
                    "give `" + along.name() + "` the range of the whole axis");
        }
        Set<Index> used = new LinkedHashSet<>(Scalars.indices(p.body()));
        p.filter().ifPresent(f -> used.addAll(Scalars.indices(f)));
        used.remove(along);
        List<Index> others = new ArrayList<>(used);
        Map<Index, Scalar> renamed = new HashMap<>();
        List<Index> fresh = others.stream().map(i -> copy(i, renamed)).toList();
        Value index = body.session.value(along.name(), TensorType.scalar(Format.I64));
        renamed.put(along, Scalar.load(index, List.of()));
        Value all = loop(p, along, index, fresh, renamed);
        List<Scalar> at = new ArrayList<>(List.of(Scalar.variable(along)));
        others.forEach(i -> at.add(Scalar.variable(i)));
        return Scalar.load(all, at);
    }

    private Index copy(Index index, Map<Index, Scalar> renamed) {
        Index fresh = body.index(index.name(), body.extent(index));
        renamed.put(index, Scalar.variable(fresh));
        return fresh;
    }

    private Value loop(
            Reductions.Parts p,
            Index along,
            Value index,
            List<Index> others,
            Map<Index, Scalar> renamed) {
        Operation operation = switch (p.reducer()) {
            case CUMSUM -> Operation.ADD;
            case CUMPROD -> Operation.MULTIPLY;
            default -> Operation.MAXIMUM;
        };
        Format format = p.body().format();
        Scalar identity = kind(p.reducer()).identity(format);
        List<Dimension> shape = others.stream().map(body::extent).toList();
        List<Dimension> allShape = new ArrayList<>(List.of(body.extent(along)));
        allShape.addAll(shape);
        Value none = body.constant("so_far", identity, shape, p.span());
        Value blank = body.constant(p.reducer().word(), Scalars.zero(format), allShape, p.span());
        Value before = body.session.value("so_far", none.type());
        Value partly = body.session.value(blank.name(), blank.type());
        body.openRegion();
        List<Scalar> own = others.stream().map(Scalar::variable).toList();
        Scalar term = Scalars.substitute(p.body(), renamed);
        Optional<Scalar> filter = p.filter().map(f -> Scalars.substitute(f, renamed));
        Scalar taken = filter.map(f -> Scalar.apply(Operation.SELECT, f, term, identity))
                .orElse(term);
        Value next = body.compute("so_far", others, Optional.empty(),
                Scalar.apply(operation, Scalar.load(before, own), taken), p.span());
        Value written = body.session.value(blank.name(), blank.type());
        List<Index> places = shape.stream().map(d -> body.index("i", d)).toList();
        List<Scalar> target = new ArrayList<>(List.of(Scalar.load(index, List.of())));
        places.forEach(i -> target.add(Scalar.variable(i)));
        List<Axis> axes = places.stream().map(body::axis).toList();
        body.emit(new Node.Scatter(written, partly, axes, target, Optional.empty(), false,
                Scalar.load(next, places.stream().map(Scalar::variable).toList()), p.span()));
        List<Node> nodes = body.closeRegion();
        Value last = body.session.value("so_far", none.type());
        Value all = body.session.value(blank.name(), blank.type());
        String path = Place.join(body.frame.place().path(),
                p.reducer().word() + "_" + along.name());
        body.emit(new Node.Loop(List.of(last, all), index, Scalar.whole(0),
                Scalar.extent(body.extent(along).size()), List.of(none, blank), Optional.empty(),
                new Region(List.of(before, partly), nodes, List.of(next, written)), path,
                p.span()));
        return all;
    }

    private static Reduction.Kind kind(Reducer reducer) {
        return switch (reducer) {
            case CUMSUM -> Reduction.Kind.SUM;
            case CUMPROD -> Reduction.Kind.PRODUCT;
            default -> Reduction.Kind.MAXIMUM;
        };
    }
}
