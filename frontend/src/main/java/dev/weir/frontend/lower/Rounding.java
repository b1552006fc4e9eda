package dev.weir.frontend.lower;

import dev.weir.ir.diagnostic.Span;
import dev.weir.ir.operation.Operation;
import dev.weir.ir.tensor.Index;
import dev.weir.ir.tensor.Node;
import dev.weir.ir.tensor.Parameter.Part;
import dev.weir.ir.tensor.Reduction;
import dev.weir.ir.tensor.Scalar;
import dev.weir.ir.tensor.Value;
import dev.weir.ir.type.Format;
import dev.weir.ir.type.Quantisation;
import java.util.ArrayList;
import java.util.EnumMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/**
 * Rounds rows that a step computes to codes and scales, by the rule that {@link Quantisation} has
 * for stored floats; here it is arithmetic in f32 like any other.
 *
 * <pre>
 *   scale[…, g]  =  max[j] |x[…, g · group + j]| / limit
 *   code[…, k]   =  nearest(clamp(x[…, k] / scale[…, k / group], -limit, limit))
 * </pre>
 *
 * <p>With zero points a group's scale is what its range needs, which 0 is always part of.
 */
final class Rounding {
    /** Adding it to a number below 2^22 leaves no room for fractions: ties go to even. */
    private static final double NO_FRACTIONS = 0x1.8p23;

    private final Body body;
    private final Quantisation quantisation;
    private final Value rows;
    private final List<Dimension> lead;
    private final long length;
    private final Format scale;
    private final String name;
    private final Span span;
    private final Map<Part.Kind, Value> parts = new EnumMap<>(Part.Kind.class);

    /**
     * @param rows f32, whose last axis has a constant extent
     * @param scale the format of the scales
     * @param name of the rows, for those of their parts
     */
    Rounding(
            Body body,
            Quantisation quantisation,
            Meaning.Tensor rows,
            Format scale,
            String name,
            Span span) {
        this.body = body;
        this.quantisation = quantisation;
        this.rows = body.materialise(rows, name, span);
        this.lead = rows.shape().subList(0, rows.rank() - 1);
        this.length = rows.shape().getLast().size().constant().orElseThrow();
        this.scale = scale;
        this.name = name;
        this.span = span;
    }

    /** One of the values that the rows become, which is computed once. */
    Value part(Part.Kind kind) {
        Value known = parts.get(kind);
        if (known == null) {
            known = switch (kind) {
                case CODES -> codes();
                case SCALES -> scales();
                case ZEROS -> zeros();
            };
            parts.put(kind, known);
        }
        return known;
    }

    private interface Element {
        Scalar at(List<Scalar> row, Scalar last);
    }

    private Value compute(Part.Kind kind, Element element) {
        Part part = new Part(quantisation, kind, length);
        List<Dimension> shape = new ArrayList<>(lead);
        shape.add(Dimension.of(part.extent()));
        List<Index> indices = body.indices(shape);
        List<Scalar> at = indices.stream().map(Scalar::variable).toList();
        Format format = kind == Part.Kind.SCALES ? scale : part.format();
        Value result = body.newValue(name + " " + kind.word(), format, shape);
        body.emit(new Node.Compute(result, indices.stream().map(body::axis).toList(),
                Optional.empty(),
                element.at(at.subList(0, lead.size()), at.getLast()), span));
        return result;
    }

    // ------------------------------------------------------------------ groups

    private Value scales() {
        if (!quantisation.zeroPoint()) {
            Value largest = extreme(Reduction.Kind.MAXIMUM, Operation.ABSOLUTE);
            return compute(Part.Kind.SCALES, (row, group) -> divide(
                    load(largest, row, group), Scalar.real(quantisation.limit())));
        }
        Value high = extreme(Reduction.Kind.MAXIMUM, Operation.MAXIMUM);
        Value low = low();
        return compute(Part.Kind.SCALES, (row, group) -> divide(
                Scalar.apply(Operation.SUBTRACT,
                        load(high, row, group), load(low, row, group)),
                Scalar.real(2 * quantisation.limit() + 1)));
    }

    private Value low() {
        return extreme(Reduction.Kind.MINIMUM, Operation.MINIMUM);
    }

    private Value zeros() {
        Value low = low();
        Value scales = part(Part.Kind.SCALES);
        return compute(Part.Kind.ZEROS, (row, group) -> whole(Scalar.apply(Operation.ADD,
                nearest(divide(Scalar.apply(Operation.NEGATE, load(low, row, group)),
                        load(scales, row, group))),
                Scalar.real(least()))));
    }

    /** The largest or smallest of each group, of magnitudes, or of the numbers and 0. */
    private Value extreme(Reduction.Kind kind, Operation operation) {
        long size = quantisation.group(length);
        List<Dimension> shape = new ArrayList<>(lead);
        shape.add(Dimension.of(quantisation.groups(length)));
        List<Index> indices = body.indices(shape);
        List<Scalar> at = indices.stream().map(Scalar::variable).toList();
        Index neighbour = body.index("k", Dimension.of(size));
        Scalar place = size >= length ? Scalar.variable(neighbour)
                : Scalar.apply(Operation.ADD,
                        Scalar.apply(Operation.MULTIPLY, at.getLast(), Scalar.whole(size)),
                        Scalar.variable(neighbour));
        List<Scalar> coordinates = new ArrayList<>(at.subList(0, lead.size()));
        coordinates.add(place);
        Scalar x = length % size == 0 ? Scalar.load(rows, coordinates)
                : Scalar.loadOr(rows, coordinates, Scalar.real(0));
        Scalar term = operation.arity() == 1 ? Scalar.apply(operation, x)
                : Scalar.apply(operation, x, Scalar.real(0));
        return body.compute(name + " " + operation.word(), indices,
                Optional.of(new Reduction(
                        kind, List.of(body.axis(neighbour)), Optional.empty())),
                term, span);
    }

    // ------------------------------------------------------------------ codes

    private Value codes() {
        part(Part.Kind.SCALES);
        if (quantisation.zeroPoint()) {
            part(Part.Kind.ZEROS);
        }
        int perByte = quantisation.codesPerByte();
        return compute(Part.Kind.CODES, (row, last) -> {
            if (perByte == 1) {
                return code(row, last);
            }
            Scalar word = null;
            for (int i = 0; i < perByte; i++) {
                Scalar place = Scalar.apply(Operation.ADD, Scalar.apply(
                        Operation.MULTIPLY, last, Scalar.whole(perByte)), Scalar.whole(i));
                Scalar bits = Scalar.apply(Operation.SHIFT_LEFT, Scalar.apply(
                                Operation.BIT_AND, inside(row, place),
                                new Scalar.Whole(Format.I32, (1 << quantisation.bits()) - 1)),
                        new Scalar.Whole(Format.I32, (long) i * quantisation.bits()));
                word = word == null ? bits : Scalar.apply(Operation.BIT_OR, word, bits);
            }
            return word;
        });
    }

    /** The code of a place that may lie behind the row's end, where it is 0. */
    private Scalar inside(List<Scalar> row, Scalar place) {
        if (length % quantisation.codesPerByte() == 0) {
            return code(row, place);
        }
        Scalar last = Scalar.whole(length - 1);
        return Scalar.apply(Operation.SELECT,
                Scalar.apply(Operation.LESS_EQUAL, place, last),
                code(row, Scalar.apply(Operation.MINIMUM, place, last)),
                new Scalar.Whole(Format.I32, 0));
    }

    private Scalar code(List<Scalar> row, Scalar place) {
        long size = quantisation.group(length);
        Scalar group = size >= length ? Scalar.whole(0)
                : Scalar.apply(Operation.DIVIDE, place, Scalar.whole(size));
        Scalar steps = divide(load(rows, row, place), load(part(Part.Kind.SCALES), row, group));
        if (!quantisation.zeroPoint()) {
            return whole(nearest(steps));
        }
        return whole(Scalar.apply(Operation.ADD, nearest(steps), new Scalar.Convert(
                Format.F32, load(part(Part.Kind.ZEROS), row, group))));
    }

    private int least() {
        return quantisation.zeroPoint() ? -quantisation.limit() - 1 : -quantisation.limit();
    }

    /** The nearest whole number, ties to even; what no code is near may be any that is too far. */
    private Scalar nearest(Scalar steps) {
        double far = 4.0 * (quantisation.limit() + 1);
        Scalar near = Scalar.apply(Operation.MINIMUM,
                Scalar.apply(Operation.MAXIMUM, steps, Scalar.real(-far)), Scalar.real(far));
        return Scalar.apply(Operation.SUBTRACT,
                Scalar.apply(Operation.ADD, near, Scalar.real(NO_FRACTIONS)),
                Scalar.real(NO_FRACTIONS));
    }

    /** A code as a whole number; 0 for NaN. */
    private Scalar whole(Scalar code) {
        return new Scalar.Convert(Format.I32, Scalar.apply(Operation.MINIMUM,
                Scalar.apply(Operation.MAXIMUM, code, Scalar.real(least())),
                Scalar.real(quantisation.limit())));
    }

    private static Scalar divide(Scalar dividend, Scalar divisor) {
        return Scalar.apply(Operation.DIVIDE, dividend, divisor);
    }

    private static Scalar load(Value source, List<Scalar> row, Scalar last) {
        List<Scalar> coordinates = new ArrayList<>(row);
        coordinates.add(last);
        return Scalar.load(source, coordinates);
    }
}
