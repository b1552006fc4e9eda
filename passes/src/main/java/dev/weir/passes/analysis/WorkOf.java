package dev.weir.passes.analysis;

import dev.weir.ir.kernel.KernelProgram;
import dev.weir.ir.operation.Operation;
import dev.weir.ir.tensor.Axis;
import dev.weir.ir.tensor.Index;
import dev.weir.ir.tensor.Node;
import dev.weir.ir.tensor.Reduction;
import dev.weir.ir.tensor.Scalar;
import dev.weir.ir.tensor.Value;
import dev.weir.ir.tensor.Walk;
import dev.weir.ir.type.Format;
import dev.weir.ir.type.Size;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.function.BinaryOperator;

/**
 * What a kernel does, counted from its nodes: operations, and bytes of tensors that go in and out.
 *
 * <p>An operation is one application of {@code Operation}, outside of indices, or one term of a
 * reduction; elementary functions and conditions count as one. Each element of a tensor is read
 * once at most, whatever the number of its readers. Parameters that are read whole are not counted:
 * how many of their instances take part is known at run time only (the ledger counts them). A
 * scatter changes its base in place; if somebody else needs the base, the host program copies it.
 */
public final class WorkOf {
    private final Facts facts;
    private final Set<Value> inside = new HashSet<>();
    private final Map<Index, Size> extents = new HashMap<>();
    private final Map<Value, KernelProgram.Reading> read = new LinkedHashMap<>();
    private Optional<Rounds> rounds = Optional.empty();
    private Size operations = Size.of(0);
    private Size written = Size.of(0);

    private WorkOf(Facts facts) {
        this.facts = facts;
    }

    /**
     * The work of nodes that are one kernel.
     *
     * @param exported the values that leave the kernel
     */
    public static KernelProgram.Work nodes(List<Node> nodes, Set<Value> exported, Facts facts) {
        WorkOf work = new WorkOf(facts);
        nodes.forEach(n -> work.inside.addAll(n.results()));
        nodes.forEach(n -> work.node(n, exported));
        return new KernelProgram.Work(
                work.operations, List.copyOf(work.read.values()), work.written,
                work.means(exported));
    }

    /**
     * Nodes that a kernel runs over and over.
     *
     * @param number of the present round
     * @param count how many rounds there are
     * @param some a size that each round gives another value; empty if there is none
     * @param all the largest value that this size can have
     */
    public record Rounds(Value number, Size count, Optional<Size.Symbol> some, Size all) {
        Size whole(Size size) {
            return switch (size) {
                case Size.Constant c -> c;
                case Size.Symbol s -> some.filter(s::equals).isPresent() ? all : s;
                case Size.Sum s -> Size.sum(whole(s.left()), whole(s.right()));
                case Size.Product p -> Size.product(whole(p.left()), whole(p.right()));
                case Size.Quotient q -> Size.quotient(whole(q.left()), whole(q.right()));
            };
        }
    }

    /**
     * The work of nodes that a kernel runs in rounds. What every round reads, or replaces, is in
     * the nearest cache from the first round on.
     */
    public static KernelProgram.Work rounds(List<Node> nodes, Rounds rounds, Facts facts) {
        WorkOf work = new WorkOf(facts);
        work.rounds = Optional.of(rounds);
        nodes.forEach(n -> work.inside.addAll(n.results()));
        nodes.forEach(n -> work.node(n, Set.of()));
        return new KernelProgram.Work(
                rounds.whole(Size.product(work.operations, rounds.count())),
                work.read.values().stream().map(r -> new KernelProgram.Reading(
                        rounds.whole(r.bytes()), rounds.whole(r.most()))).toList(),
                rounds.whole(work.written), Map.of());
    }

    private Map<Value, Size> means(Set<Value> exported) {
        Map<Value, Size> means = new HashMap<>();
        exported.forEach(v -> facts.mean(v).ifPresent(size -> means.put(v, size)));
        return means;
    }

    /** What differs from round to round counts in each. */
    private Size inEach(Size size, List<Scalar> coordinates) {
        boolean[] differs = {false};
        coordinates.forEach(c -> Walk.loads(c, l -> differs[0] |=
                rounds.map(r -> r.number().equals(l.source())).orElse(false)));
        return differs[0] ? Size.product(size, rounds.orElseThrow().count()) : size;
    }

    private void node(Node node, Set<Value> exported) {
        for (Axis axis : Walk.axes(node)) {
            extents.put(axis.index(), extent(axis));
        }
        Walk.scalars(node).forEach(s -> Walk.loads(s, this::stretch));
        Walk.scalars(node).forEach(s -> Walk.loads(s, this::load));
        if (!(node instanceof Node.Scatter)) {
            Walk.operands(node).forEach(v -> read(v, whole(v), whole(v)));
            node.results().stream().filter(exported::contains).forEach(v ->
                    written = Size.sum(written, bytes(v, v.type().elements())));
        }
        switch (node) {
            case Node.Compute n -> {
                Size points = points(n.axes());
                if (n.reduction().isPresent()) {
                    points = Size.product(points, points(n.reduction().get().axes()));
                    long each = terms(n.body(), n.reduction().get()) + 1
                            + n.reduction().get().filter().map(WorkOf::applications).orElse(0L);
                    add(points, each);
                } else {
                    add(points, applications(n.body()));
                }
            }
            case Node.Scatter n -> {
                Size points = points(n.axes());
                add(points, applications(n.body()) + n.combine().stream().count());
                written = Size.sum(written, inEach(bytes(n.result(), points), n.target()));
            }
            case Node.TopK n -> add(n.operand().type().elements(), n.count());
            case Node.AppendRows n -> written = Size.sum(written, whole(n.rows()));
            case Node.WriteRows n -> written = Size.sum(written, whole(n.rows()));
            default -> { }
        }
    }

    private void add(Size points, long each) {
        operations = Size.sum(operations, Size.product(points, Size.of(each)));
    }

    /**
     * Operations of one term of a reduction. Codes are decoded for many rows at once, and what
     * neighbours have in common, their scale, is applied to their sum: neither is counted.
     */
    private static long terms(Scalar body, Reduction reduction) {
        List<Scalar> factors = Walk.factors(body);
        boolean isCoded = factors.stream().anyMatch(WorkOf::isCode);
        if (!isCoded || reduction.axes().isEmpty()) {
            return applications(body);
        }
        List<Scalar> own = factors.stream()
                .filter(f -> isCode(f) || varies(f, reduction.axes().getLast().index())).toList();
        return own.stream().filter(f -> !isCode(f)).mapToLong(WorkOf::applications).sum()
                + Math.max(0, own.size() - 1);
    }

    private static boolean isCode(Scalar scalar) {
        return scalar instanceof Scalar.Convert convert
                && convert.operand().format() == Format.I32;
    }

    /** Whether each neighbour along an axis has another one, as far as coordinates say so. */
    private static boolean varies(Scalar factor, Index index) {
        return factor instanceof Scalar.Variable variable
                ? variable.index().equals(index)
                : !(factor instanceof Scalar.Apply apply
                        && apply.operation() == Operation.DIVIDE && !apply.format().isFloat())
                && Walk.operands(factor).stream().anyMatch(o -> varies(o, index));
    }

    private static long applications(Scalar scalar) {
        if (scalar instanceof Scalar.Load load) {
            return load.otherwise().map(WorkOf::applications).orElse(0L);
        }
        return (scalar instanceof Scalar.Apply ? 1 : 0)
                + Walk.operands(scalar).stream().mapToLong(WorkOf::applications).sum();
    }

    private void load(Scalar.Load load) {
        Value value = load.source();
        if (inside.contains(value) || facts.isHostScalar(value)) {
            return;
        }
        if (facts.parameter(value).isPresent()) {
            // What is read of parameters counts as weights.
            return;
        }
        Size points = points(load);
        if (facts.state(value).isPresent()) {
            boolean grows = facts.state(value).get().lengths().isPresent();
            List<Size> shape = value.type().shape();
            Size row = shape.subList(facts.tableAxes(value) + (grows ? 1 : 0), shape.size())
                    .stream().reduce(Size.of(1), Size::product);
            Size rows = grows ? facts.state(value).get().slots().orElseThrow() : facts.sequences();
            Size all = bytes(value, Size.product(rows, row));
            read(value, all, all);
        } else if (load.coordinates().stream().allMatch(c -> c instanceof Scalar.Variable)) {
            read(value, bytes(value, points), bytes(value, points));
        } else {
            read(value, whole(value), inEach(bytes(value, points), load.coordinates()));
        }
    }

    /** How many values the indices have together that say which element a load of a node reads. */
    public static Size points(Scalar.Load load, Node node, Facts facts) {
        WorkOf work = new WorkOf(facts);
        for (Axis axis : Walk.axes(node)) {
            work.extents.put(axis.index(), work.extent(axis));
        }
        return work.points(load);
    }

    private Size points(Scalar.Load load) {
        Set<Index> mentioned = new HashSet<>();
        load.coordinates().forEach(c -> variables(c, mentioned));
        return mentioned.stream()
                .map(i -> extents.getOrDefault(i, Size.of(1)))
                .reduce(Size.of(1), Size::product);
    }

    /**
     * How many coordinates the data has that say this one, if any does, and the host knows.
     *
     * @param inside what the kernel keeps to itself: sizes that only this has are not known
     */
    public static Optional<Size> picks(Scalar coordinate, Set<Value> inside, Facts facts) {
        List<Value> tables = new ArrayList<>();
        Walk.loads(coordinate, l -> {
            if (!l.source().type().shape().isEmpty()) {
                tables.add(l.source());
            }
        });
        return tables.stream().findFirst()
                .filter(t -> !inside.contains(t) || facts.isOfFrames(t.type().elements()))
                .map(t -> t.type().elements());
    }

    /**
     * An axis that goes through a stretch of rows, {@code rows[offsets[b] + k]}: in the mean as
     * long as there are rows for each stretch.
     */
    private void stretch(Scalar.Load load) {
        if (!load.coordinates().isEmpty()
                && load.coordinates().getFirst() instanceof Scalar.Apply at
                && at.operation() == Operation.ADD
                && at.operands().get(0) instanceof Scalar.Load begin
                && at.operands().get(1) instanceof Scalar.Variable v
                && extents.get(v.index()) instanceof Size.Symbol s && s.name().startsWith("|")
                && begin.source().type().rank() == 1
                && !begin.source().equals(facts.offsets())) {
            extents.put(v.index(), Size.quotient(
                    load.source().type().shape().getFirst(),
                    Size.difference(begin.source().type().shape().getFirst(), Size.of(1))));
        }
    }

    /** What a value's other loads touch comes on top; the value is read once at most. */
    private void read(Value value, Size bytes, Size most) {
        if (!inside.contains(value)) {
            read.merge(value, new KernelProgram.Reading(bytes, most), (a, b) ->
                    new KernelProgram.Reading(a.bytes(), a.most().equals(b.most())
                            ? a.most() : Size.sum(a.most(), b.most())));
        }
    }

    private static void variables(Scalar scalar, Set<Index> found) {
        if (scalar instanceof Scalar.Variable variable) {
            found.add(variable.index());
        }
        Walk.operands(scalar).forEach(s -> variables(s, found));
    }

    private Size points(List<Axis> axes) {
        return axes.stream().map(a -> extents.getOrDefault(a.index(), extent(a)))
                .reduce(Size.of(1), Size::product);
    }

    private Size extent(Axis axis) {
        if (axis.upper() instanceof Scalar.Extent extent) {
            return extent.size();
        }
        if (axis.upper() instanceof Scalar.Whole upper
                && axis.lower() instanceof Scalar.Whole lower) {
            return Size.of(Math.max(0, upper.value() - lower.value()));
        }
        Optional<Size> upper = mean(axis.upper());
        Optional<Size> lower = mean(axis.lower());
        return upper.isPresent() && lower.isPresent()
                ? Size.difference(upper.get(), lower.get())
                : axis.upper() instanceof Scalar.Load load && load.source().type().rank() > 0
                        ? Size.symbol(length(load.source()))
                        : Size.symbol("|" + axis.index().name() + "|");
    }

    /** The name of what a table of lengths has in the mean: who asks for costs may know it. */
    public static String length(Value table) {
        return "|%" + table.id() + "|";
    }

    /**
     * What an end of a range is in the mean over the points, as far as indices and sizes say it: in
     * {@code 0..t + 1}, half of t's own range and one. Rows count from where their sequence begins.
     */
    private Optional<Size> mean(Scalar end) {
        return facts.mean(end).or(() -> switch (end) {
            case Scalar.Variable v -> Optional.ofNullable(extents.get(v.index()))
                    .map(size -> Size.quotient(size, Size.of(2)));
            case Scalar.Apply a when a.operation() == Operation.ADD -> both(a, Size::sum);
            case Scalar.Apply a when a.operation() == Operation.MULTIPLY ->
                    both(a, Size::product);
            case Scalar.Apply a when a.operation() == Operation.DIVIDE -> both(a, Size::quotient);
            case Scalar.Apply a when a.operation() == Operation.SUBTRACT
                            && a.operands().get(1) instanceof Scalar.Load load
                            && load.source().equals(facts.offsets()) ->
                    mean(a.operands().get(0));
            default -> Optional.empty();
        });
    }

    private Optional<Size> both(Scalar.Apply apply, BinaryOperator<Size> combination) {
        return mean(apply.operands().get(0)).flatMap(left ->
                mean(apply.operands().get(1)).map(right -> combination.apply(left, right)));
    }

    private static Size whole(Value value) {
        return bytes(value, value.type().elements());
    }

    private static Size bytes(Value value, Size elements) {
        return Size.product(elements, Size.of(value.type().format().bytes()));
    }
}
