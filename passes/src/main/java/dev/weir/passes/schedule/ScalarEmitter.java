package dev.weir.passes.schedule;

import static dev.weir.passes.schedule.Build.add;
import static dev.weir.passes.schedule.Build.and;
import static dev.weir.passes.schedule.Build.binary;
import static dev.weir.passes.schedule.Build.compare;
import static dev.weir.passes.schedule.Build.convert;
import static dev.weir.passes.schedule.Build.multiply;
import static dev.weir.passes.schedule.Build.not;
import static dev.weir.passes.schedule.Build.real;
import static dev.weir.passes.schedule.Build.select;
import static dev.weir.passes.schedule.Build.subtract;
import static dev.weir.passes.schedule.Build.whole;

import dev.weir.ir.kernel.Buffer;
import dev.weir.ir.kernel.Expression;
import dev.weir.ir.kernel.Expression.BinaryOperation;
import dev.weir.ir.kernel.Expression.Comparison;
import dev.weir.ir.kernel.Expression.UnaryOperation;
import dev.weir.ir.kernel.HostStatement.Operand;
import dev.weir.ir.kernel.Type;
import dev.weir.ir.kernel.Type.Element;
import dev.weir.ir.kernel.Variable;
import dev.weir.ir.operation.Operation;
import dev.weir.ir.tensor.Axis;
import dev.weir.ir.tensor.Fault;
import dev.weir.ir.tensor.Index;
import dev.weir.ir.tensor.Parameter;
import dev.weir.ir.tensor.Scalar;
import dev.weir.ir.tensor.State;
import dev.weir.ir.tensor.Value;
import dev.weir.ir.tensor.Walk;
import dev.weir.ir.type.Format;
import dev.weir.ir.type.Size;
import dev.weir.passes.analysis.Facts;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;

/**
 * Writes scalar expressions of the tensor IR as kernel code, for one element or for the lanes of a
 * vector along one index.
 */
final class ScalarEmitter {
    private final Facts facts;
    private final KernelWriter writer;
    private final MathExpansion math;
    private final Map<Index, Expression> indices = new HashMap<>();
    private final Map<Index, Axis> axes = new HashMap<>();
    private final Map<Value, Local> locals = new HashMap<>();
    private final Set<Value> changing = new HashSet<>();
    private final Reductions reductions;
    private boolean isInterior;

    /**
     * Neighbouring values of an index that are computed at once.
     *
     * @param active how many lanes count, where not all do
     */
    record Lanes(Index index, int count, Optional<Expression> active) {}

    ScalarEmitter(Facts facts, KernelWriter writer) {
        this.facts = facts;
        this.writer = writer;
        this.math = new MathExpansion(writer);
        this.reductions = new Reductions(this, writer);
    }

    KernelWriter writer() {
        return writer;
    }

    Facts facts() {
        return facts;
    }

    /** Gives an index its present value (of the first lane, along a vector). */
    void bind(Axis axis, Expression value) {
        indices.put(axis.index(), value);
        axes.put(axis.index(), axis);
    }

    void keep(Value value, Local local) {
        locals.put(value, local);
    }

    /** That the kernel itself changes a value's memory: what is read of it is read each time. */
    void setChanging(Value value) {
        changing.add(value);
    }

    /** Writes what runs only where all that is read with a guard is known to lie inside. */
    void interior(Runnable body) {
        isInterior = true;
        body.run();
        isInterior = false;
    }

    Optional<Local> local(Value value) {
        return Optional.ofNullable(locals.get(value));
    }

    /** The value of an expression for one element. */
    Expression emit(Scalar scalar) {
        return emit(scalar, Optional.empty());
    }

    /** The value of an expression for all lanes, or one scalar if it is the same in all. */
    Expression emit(Scalar scalar, Optional<Lanes> lanes) {
        Optional<Lanes> needed = lanes.filter(l -> varies(scalar, l.index()));
        return switch (scalar) {
            case Scalar.Real r -> new Expression.Real(type(r.format()), r.value());
            case Scalar.Whole w -> new Expression.Whole(type(w.format()), w.value());
            case Scalar.Variable v -> index(v.index());
            case Scalar.Extent e -> extent(e.size());
            case Scalar.Convert c -> convert(element(c.format()), emit(c.operand(), needed));
            case Scalar.Round r ->
                    new Expression.RoundTo(r.stored(), emit(r.operand(), needed));
            case Scalar.Within w -> within(emit(w.index()), emit(w.extent()), w.place());
            case Scalar.Load l -> load(l, needed);
            case Scalar.Apply a -> apply(a, needed);
        };
    }

    /** Whether an expression differs between lanes: by its index, or by a local of the lanes. */
    private boolean varies(Scalar scalar, Index index) {
        return Walk.mentions(scalar, List.of(index));
    }

    /** As {@link #emit}, with a scalar spread over the lanes. */
    Expression spread(Scalar scalar, Optional<Lanes> lanes) {
        Expression value = emit(scalar, lanes);
        return lanes.isPresent() ? widen(value, lanes.get().count()) : value;
    }

    static Expression widen(Expression value, int lanes) {
        return value.type().lanes() == lanes ? value : new Expression.Broadcast(value, lanes);
    }

    static Type type(Format format) {
        return new Type(element(format), 1);
    }

    static Element element(Format format) {
        return new Buffer("", format).register();
    }

    private Expression index(Index index) {
        Expression value = indices.get(index);
        if (value == null) {
            throw new IllegalStateException("index " + index + " is not in scope");
        }
        return value;
    }

    /** A run-time size: a constant, or handed over by the host. */
    Expression extent(Size size) {
        return size.constant().map(Build::whole)
                .orElseGet(() -> writer.scalar(Scalar.extent(size)));
    }

    // ------------------------------------------------------------------ loads

    private Expression load(Scalar.Load load, Optional<Lanes> lanes) {
        Local local = locals.get(load.source());
        if (local instanceof Local.InVariable inVariable) {
            return inVariable.value();
        }
        if (local instanceof Local.Inline inline) {
            return reductions.inline(inline, load.coordinates());
        }
        if (facts.isHostScalar(load.source())) {
            Expression value = writer.scalar(load);
            return convert(element(load.source().type().format()), value);
        }
        if (load.bounds() == Scalar.Bounds.GUARDED && !isInterior) {
            return guarded(load, lanes);
        }
        List<Expression> coordinates = new ArrayList<>();
        for (int axis = 0; axis < load.coordinates().size(); axis++) {
            Expression coordinate = emit(load.coordinates().get(axis));
            if (isUnchecked(load, axis)) {
                coordinate = within(coordinate, extent(load.source().type().shape().get(axis)),
                        "axis " + axis + " of " + load.source().name());
            }
            coordinates.add(coordinate);
        }
        Place place = locate(load.source(), coordinates);
        if (lanes.isPresent()) {
            return new Expression.Load(
                    place.buffer, place.index, lanes.get().count(), lanes.get().active());
        }
        Expression element = new Expression.Load(place.buffer, place.index, 1, Optional.empty());
        if (local instanceof Local.InScratch) {
            // Scratch memory changes while the kernel runs: what is read here is read now.
            return element;
        }
        return load.bounds() == Scalar.Bounds.CHECKED || local instanceof Local.InPlace
                        || changing.contains(load.source())
                ? writer.let(element)
                : writer.hoist(element);
    }

    /** Where an element stands: where the kernel keeps it, or as {@link #place} says. */
    private Place locate(Value source, List<Expression> coordinates) {
        return switch (locals.get(source)) {
            case Local.InScratch scratch ->
                    new Place(scratch.buffer(), scratchIndex(scratch, coordinates));
            case Local.InPlace inPlace -> {
                List<Expression> at = new ArrayList<>(inPlace.leading());
                at.addAll(coordinates.subList(1, coordinates.size()));
                yield place(inPlace.memory(), at);
            }
            case null, default -> place(source, coordinates);
        };
    }

    /** A buffer and an element in it. */
    record Place(Buffer buffer, Expression index) {}

    /** Where an element of a tensor, parameter or state stands in memory. */
    Place place(Value source, List<Expression> coordinates) {
        Optional<Parameter> parameter = facts.parameter(source);
        Optional<State> state = facts.state(source);
        List<Size> shape = source.type().shape();
        if (state.isPresent()) {
            int leading = state.get().instances().size() + 1;
            List<Size> table = new ArrayList<>(shape.subList(0, leading));
            Expression entry = flatten(table, coordinates.subList(0, leading));
            Buffer buffer = writer.bind(
                    new Operand.StateTable(source), source.type().format(), entry);
            return new Place(buffer, flatten(
                    shape.subList(leading, shape.size()),
                    coordinates.subList(leading, coordinates.size())));
        }
        if (parameter.isPresent() && parameter.get().instanceAxes() > 0) {
            int leading = parameter.get().instanceAxes();
            Expression entry = flatten(
                    shape.subList(0, leading), coordinates.subList(0, leading));
            Buffer buffer = writer.bind(
                    new Operand.ParameterTable(source), source.type().format(), entry);
            return new Place(buffer, flatten(
                    shape.subList(leading, shape.size()),
                    coordinates.subList(leading, coordinates.size())));
        }
        return new Place(writer.buffer(source), flatten(shape, coordinates));
    }

    private Expression flatten(List<Size> shape, List<Expression> coordinates) {
        Expression index = whole(0);
        for (int axis = 0; axis < coordinates.size(); axis++) {
            // The first axis's own extent never matters: a growing state has none.
            index = axis == 0
                    ? coordinates.get(0)
                    : add(multiply(index, extent(shape.get(axis))), coordinates.get(axis));
        }
        return index;
    }

    private Expression scratchIndex(Local.InScratch scratch, List<Expression> coordinates) {
        Expression index = scratch.point();
        for (int axis = 0; axis < scratch.extents().size(); axis++) {
            Expression at = coordinates.get(scratch.prefix() + axis);
            if (axis == scratch.streamed()) {
                at = subtract(at, scratch.tileStart());
            }
            index = add(multiply(index, whole(scratch.extents().get(axis))), at);
        }
        return index;
    }

    /** Whether a coordinate is an index whose range is just the axis. */
    private boolean isInside(Scalar.Load load, int axis) {
        Size size = load.source().type().shape().get(axis);
        return switch (load.coordinates().get(axis)) {
            case Scalar.Variable v -> {
                Axis range = axes.get(v.index());
                yield range != null && range.covers(size);
            }
            case Scalar.Whole w -> w.value() >= 0
                    && size.constant().map(n -> w.value() < n).orElse(false);
            default -> false;
        };
    }

    /** Whether a coordinate of a checked load is neither inside by its range nor checked itself. */
    private boolean isUnchecked(Scalar.Load load, int axis) {
        return load.bounds() == Scalar.Bounds.CHECKED && !isInside(load, axis)
                && !Walk.checks(load.coordinates().get(axis));
    }

    /** The index, once it is known to be inside. */
    Expression within(Expression index, Expression extent, String place) {
        Expression value = writer.hoist(index);
        Expression limit = writer.hoist(extent);
        int code = writer.check(Scalar.Within.check(place));
        Expression outside = binary(
                BinaryOperation.OR,
                compare(Comparison.LESS, value, whole(0)),
                compare(Comparison.GREATER_EQUAL, value, limit));
        writer.when(outside, () -> writer.fault(code, value, limit));
        return value;
    }

    private Expression guarded(Scalar.Load load, Optional<Lanes> lanes) {
        List<Expression> coordinates = new ArrayList<>();
        Expression inside = null;
        for (int axis = 0; axis < load.coordinates().size(); axis++) {
            Expression coordinate = writer.let(emit(load.coordinates().get(axis)));
            coordinates.add(coordinate);
            if (!isInside(load, axis) && !isSlotAxis(load.source(), axis)) {
                Expression in = and(
                        compare(Comparison.GREATER_EQUAL, coordinate, whole(0)),
                        compare(Comparison.LESS, coordinate,
                                extent(load.source().type().shape().get(axis))));
                inside = inside == null ? in : and(inside, in);
            }
        }
        if (inside == null) {
            return writer.let(element(load, coordinates, lanes));
        }
        Expression condition = writer.let(inside);
        Variable result = writer.mutable(widen(
                emit(load.otherwise().orElseThrow()), lanes.map(Lanes::count).orElse(1)));
        writer.when(condition,
                () -> writer.assign(result, element(load, coordinates, lanes)));
        return new Expression.Get(result);
    }

    private Expression element(
            Scalar.Load load, List<Expression> coordinates, Optional<Lanes> lanes) {
        Place place = locate(load.source(), coordinates);
        return new Expression.Load(place.buffer, place.index,
                lanes.map(Lanes::count).orElse(1), lanes.flatMap(Lanes::active));
    }

    /** The slots in use are tested apart, against the state's length. */
    private boolean isSlotAxis(Value source, int axis) {
        return facts.state(source)
                .map(s -> s.grows() && axis == s.instances().size() + 1)
                .orElse(false);
    }

    // ------------------------------------------------------------------ operations

    private Expression apply(Scalar.Apply apply, Optional<Lanes> lanes) {
        return switch (apply.operation()) {
            case SELECT -> choose(apply, lanes);
            case AND, OR -> logical(apply, lanes);
            default -> operate(apply, lanes);
        };
    }

    private Expression operate(Scalar.Apply apply, Optional<Lanes> lanes) {
        List<Expression> operands = new ArrayList<>();
        apply.operands().forEach(o -> operands.add(spread(o, lanes)));
        return operate(apply, operands);
    }

    /** An operation of the table on operands that are there already. */
    Expression operate(Scalar.Apply apply, List<Expression> operands) {
        Expression x = operands.get(0);
        Expression y = operands.size() > 1 ? operands.get(1) : x;
        boolean isFloat = x.type().element().isFloat();
        return switch (apply.operation()) {
            case ADD -> add(x, y);
            case SUBTRACT -> subtract(x, y);
            case MULTIPLY -> multiply(x, y);
            case DIVIDE -> isFloat
                    ? binary(BinaryOperation.DIVIDE, x, y)
                    : floorDivide(apply, x, y, true);
            case REMAINDER -> isFloat ? remainder(x, y) : floorDivide(apply, x, y, false);
            case MINIMUM -> binary(BinaryOperation.MINIMUM, x, y);
            case MAXIMUM -> binary(BinaryOperation.MAXIMUM, x, y);
            case NEGATE -> new Expression.Unary(UnaryOperation.NEGATE, x);
            case ABSOLUTE -> new Expression.Unary(UnaryOperation.ABSOLUTE, x);
            case FLOOR -> new Expression.Unary(UnaryOperation.FLOOR, x);
            case SQUARE_ROOT -> new Expression.Unary(UnaryOperation.SQUARE_ROOT, x);
            case RECIPROCAL_SQUARE_ROOT -> binary(
                    BinaryOperation.DIVIDE,
                    real(x.type(), 1),
                    new Expression.Unary(UnaryOperation.SQUARE_ROOT, x));
            case EXPONENTIAL -> math.exponential(writer.let(x));
            case SIGMOID -> math.sigmoid(writer.let(x));
            case LOGARITHM -> math.logarithm(x);
            case SINE -> math.sine(x);
            case COSINE -> math.cosine(x);
            case TANGENT_HYPERBOLIC -> math.tangentHyperbolic(x);
            case ERROR_FUNCTION -> math.errorFunction(x);
            case POWER -> math.power(writer.let(x), writer.let(y));
            case EQUAL -> compare(Comparison.EQUAL, x, y);
            case NOT_EQUAL -> compare(Comparison.NOT_EQUAL, x, y);
            case LESS -> compare(Comparison.LESS, x, y);
            case LESS_EQUAL -> compare(Comparison.LESS_EQUAL, x, y);
            case GREATER -> compare(Comparison.GREATER, x, y);
            case GREATER_EQUAL -> compare(Comparison.GREATER_EQUAL, x, y);
            case NOT -> not(x);
            case BIT_AND -> binary(BinaryOperation.AND, x, y);
            case BIT_OR -> binary(BinaryOperation.OR, x, y);
            case BIT_XOR -> binary(BinaryOperation.EXCLUSIVE_OR, x, y);
            case SHIFT_LEFT -> Build.shiftLeft(x, y);
            case SHIFT_RIGHT -> binary(BinaryOperation.SHIFT_RIGHT, x, y);
            case AND, OR, SELECT -> throw new IllegalStateException(apply.operation().word());
        };
    }

    private Expression remainder(Expression x, Expression y) {
        Expression left = writer.let(x);
        Expression right = writer.let(y);
        Expression floor = new Expression.Unary(
                UnaryOperation.FLOOR, binary(BinaryOperation.DIVIDE, left, right));
        return subtract(left, multiply(floor, right));
    }

    /** Whole-number division that floors; machines truncate. */
    private Expression floorDivide(
            Scalar.Apply apply, Expression x, Expression y, boolean quotient) {
        Scalar divisor = apply.operands().get(1);
        if (!(divisor instanceof Scalar.Whole w && w.value() != 0) && !isSize(divisor)) {
            Expression tested = writer.let(y);
            int code = writer.check(Fault.DIVISION_BY_ZERO);
            writer.when(compare(Comparison.EQUAL, tested, whole(tested.type(), 0)),
                    () -> writer.fault(code, whole(0), whole(0)));
            y = tested;
        }
        if (isNotNegative(apply.operands().get(0)) && isNotNegative(divisor)) {
            return quotient ? Build.divide(x, y) : Build.remainder(x, y);
        }
        Expression left = writer.let(x);
        Expression right = writer.let(y);
        Expression zero = whole(left.type(), 0);
        Expression rest = writer.let(binary(BinaryOperation.REMAINDER, left, right));
        Expression wrongSide = and(
                compare(Comparison.NOT_EQUAL, rest, zero),
                compare(Comparison.LESS,
                        binary(BinaryOperation.EXCLUSIVE_OR, rest, right), zero));
        if (!quotient) {
            return select(wrongSide, add(rest, right), rest);
        }
        Expression truncated = writer.let(binary(BinaryOperation.DIVIDE, left, right));
        return select(
                wrongSide, subtract(truncated, whole(left.type(), 1)), truncated);
    }

    private static boolean isSize(Scalar scalar) {
        return scalar instanceof Scalar.Extent;
    }

    private boolean isNotNegative(Scalar scalar) {
        return switch (scalar) {
            case Scalar.Whole w -> w.value() >= 0;
            case Scalar.Extent e -> true;
            case Scalar.Variable v -> axes.containsKey(v.index())
                    && isNotNegative(axes.get(v.index()).lower());
            case Scalar.Apply a -> switch (a.operation()) {
                case ADD, MULTIPLY, DIVIDE, REMAINDER, MAXIMUM, MINIMUM ->
                        a.operands().stream().allMatch(this::isNotNegative);
                default -> false;
            };
            case Scalar.Load l -> false;
            case Scalar.Real r -> false;
            case Scalar.Convert c -> false;
            case Scalar.Round r -> false;
            case Scalar.Within w -> false;
        };
    }

    private Expression choose(Scalar.Apply apply, Optional<Lanes> lanes) {
        Scalar condition = apply.operands().get(0);
        Scalar then = apply.operands().get(1);
        Scalar otherwise = apply.operands().get(2);
        boolean vectorCondition = lanes.isPresent() && varies(condition, lanes.get().index());
        boolean eager = isHarmless(then) && isHarmless(otherwise);
        if (vectorCondition || eager) {
            return select(
                    spread(condition, lanes), spread(then, lanes), spread(otherwise, lanes));
        }
        Expression test = emit(condition);
        Type type = type(apply.format());
        int count = lanes.map(Lanes::count).orElse(1);
        Variable result = writer.mutable(type.element().isFloat()
                ? real(type.withLanes(count), 0)
                : whole(type.withLanes(count), 0));
        writer.when(
                test,
                () -> writer.assign(result, spread(then, lanes)),
                () -> writer.assign(result, spread(otherwise, lanes)));
        return new Expression.Get(result);
    }

    /** Whether an expression may be evaluated where its value is not wanted, and costs little. */
    private boolean isHarmless(Scalar scalar) {
        if (scalar instanceof Scalar.Load load
                && locals.get(load.source()) instanceof Local.Inline) {
            return false;
        }
        if (scalar instanceof Scalar.Load load
                && locals.get(load.source()) instanceof Local.InVariable) {
            return true;
        }
        return (Walk.operands(scalar).isEmpty() || Walk.operands(scalar).stream().allMatch(
                this::isHarmless))
                && Vectors.harmless(scalar, facts);
    }

    private Expression logical(Scalar.Apply apply, Optional<Lanes> lanes) {
        BinaryOperation operation = apply.operation() == Operation.AND
                ? BinaryOperation.AND
                : BinaryOperation.OR;
        Scalar left = apply.operands().get(0);
        Scalar right = apply.operands().get(1);
        if (lanes.isPresent() || isHarmless(right)) {
            return binary(operation, spread(left, lanes), spread(right, lanes));
        }
        Variable result = writer.mutable(emit(left));
        Expression go = new Expression.Get(result);
        writer.when(operation == BinaryOperation.AND ? go : not(go),
                () -> writer.assign(result, emit(right)));
        return new Expression.Get(result);
    }

    Reductions reductions() {
        return reductions;
    }
}
