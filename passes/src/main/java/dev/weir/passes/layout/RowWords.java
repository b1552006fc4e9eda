package dev.weir.passes.layout;

import dev.weir.ir.operation.Operation;
import dev.weir.ir.tensor.Axis;
import dev.weir.ir.tensor.Identifiers;
import dev.weir.ir.tensor.Index;
import dev.weir.ir.tensor.Node;
import dev.weir.ir.tensor.Reduction;
import dev.weir.ir.tensor.Scalar;
import dev.weir.ir.tensor.TensorProgram;
import dev.weir.ir.tensor.Value;
import dev.weir.ir.tensor.Walk;
import dev.weir.ir.type.Format;
import dev.weir.ir.type.Size;
import dev.weir.ir.type.TensorType;
import dev.weir.passes.analysis.Facts;
import dev.weir.passes.analysis.Rewrite;
import dev.weir.passes.contract.ByteProducts;
import dev.weir.passes.contract.Contraction;
import dev.weir.passes.contract.Words;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.TreeSet;

/**
 * Lays the codes of a step's rows out as contractions of bytes read them: four to a word, and
 * before each run of them their negative sum, as {@link Words} has them. The words are made where
 * the codes are, and the contractions read the codes out of them.
 *
 * <pre>
 *   c[t, k] = …;  y[t, j] = sum[k] w[j, k] · c[t, k]
 *       ⇒  c[t, k] = …;  sums[t, g] = sum[k in run g] -c[t, k];  words[t, i] = …
 *          y[t, j] = sum[k] w[j, k] · byte k % 4 of words[t, …]
 * </pre>
 */
public final class RowWords {
    private final Facts facts;
    private final Identifiers identifiers;
    private final Map<Value, Set<Long>> wanted = new HashMap<>();
    private final Map<Row, Value> words = new HashMap<>();

    /** Codes in runs of a length. */
    private record Row(Value codes, long run) {}

    /** What a contraction reads. */
    private record Reading(Scalar.Load load, long run) {
        Row row() {
            return new Row(load.source(), run);
        }
    }

    private RowWords(TensorProgram program, Facts facts) {
        this.facts = facts;
        this.identifiers = Identifiers.behind(program);
    }

    /** A lifted program whose contractions of codes read words, where there are such. */
    public static TensorProgram run(TensorProgram program, Facts facts) {
        RowWords rows = new RowWords(program, facts);
        Walk.nodes(program, node -> rows.reading(node).ifPresent(reading -> rows.wanted
                .computeIfAbsent(reading.load.source(), s -> new TreeSet<>())
                .add(reading.run)));
        return rows.wanted.isEmpty() ? program : Rewrite.computes(program, rows::replace);
    }

    /** The codes that a contraction of bytes multiplies its weights with. */
    private Optional<Reading> reading(Node node) {
        return Contraction.of(node, facts).flatMap(ByteProducts::of)
                .filter(p -> p.factor() instanceof Scalar.Load)
                .map(p -> new Reading((Scalar.Load) p.factor(), p.run()));
    }

    private void replace(Node.Compute compute, List<Node> out) {
        Optional<Reading> read = reading(compute).filter(r -> words.containsKey(r.row()));
        out.add(read.isEmpty() ? compute
                : Rewrite.body(compute, replaced(compute.body(), read.get())));
        for (long run : wanted.getOrDefault(compute.result(), Set.of())) {
            Runs runs = new Runs(compute, run);
            Node.Compute sums = runs.sums();
            out.add(sums);
            out.add(runs.words(sums.result()));
        }
    }

    private Scalar replaced(Scalar scalar, Reading reading) {
        if (!scalar.equals(reading.load)) {
            return Walk.map(scalar, operand -> replaced(operand, reading));
        }
        List<Scalar> at = reading.load.coordinates();
        return new Words(words.get(reading.row()), at.subList(0, at.size() - 1), at.getLast(),
                reading.run).code();
    }

    /** The codes that a compute makes, in runs. */
    private final class Runs {
        private final Node.Compute compute;
        private final long run;
        private final long length;
        private final List<Axis> axes = new ArrayList<>();
        private final List<Scalar> row = new ArrayList<>();

        Runs(Node.Compute compute, long run) {
            this.compute = compute;
            this.run = run;
            this.length = compute.result().type().shape().getLast().constant().orElseThrow();
        }

        Node.Compute sums() {
            Value sums = value(" in runs", (length + run - 1) / run);
            Scalar number = axes(sums);
            Index neighbour = identifiers.index("k");
            Scalar place = plus(times(number, run), Scalar.variable(neighbour));
            return new Node.Compute(sums, List.copyOf(axes), Optional.of(new Reduction(
                    Reduction.Kind.SUM, List.of(Axis.over(neighbour, Size.of(run))),
                    Optional.empty())),
                    Scalar.apply(Operation.MULTIPLY,
                            code(place, length % run == 0), new Scalar.Whole(Format.I32, -1)),
                    compute.span());
        }

        Node.Compute words(Value sums) {
            long each = Words.ofRun(run);
            Value result = value(" in words", Words.ofRow(length, run));
            words.put(new Row(compute.result(), run), result);
            Scalar number = axes(result);
            Scalar of = Scalar.apply(Operation.DIVIDE, number, Scalar.whole(each));
            Scalar at = Scalar.apply(Operation.REMAINDER, number, Scalar.whole(each));
            Scalar first = plus(times(of, run), times(Scalar.apply(Operation.MAXIMUM,
                    plus(at, Scalar.whole(-1)), Scalar.whole(0)), Words.BYTES));
            boolean isFull = length % run == 0 && (each - 1) * Words.BYTES == run;
            List<Scalar> codes = new ArrayList<>();
            for (int i = 0; i < Words.BYTES; i++) {
                codes.add(code(plus(first, Scalar.whole(i)), isFull));
            }
            List<Scalar> sum = new ArrayList<>(row);
            sum.add(of);
            return new Node.Compute(result, List.copyOf(axes), Optional.empty(),
                    Scalar.apply(Operation.SELECT,
                            Scalar.apply(Operation.EQUAL, at, Scalar.whole(0)),
                            Scalar.load(sums, sum), Words.word(codes)),
                    compute.span());
        }

        private Value value(String what, long last) {
            List<Size> shape = new ArrayList<>(compute.result().type().shape());
            shape.set(shape.size() - 1, Size.of(last));
            return identifiers.value(
                    compute.result().name() + what, new TensorType(Format.I32, shape));
        }

        /** Axes of a node of the same rows; gives the index of the last. */
        private Scalar axes(Value result) {
            axes.clear();
            row.clear();
            List<Size> shape = result.type().shape();
            for (int i = 0; i < shape.size(); i++) {
                Index index = identifiers.index("i");
                axes.add(i == shape.size() - 1 ? Axis.over(index, shape.get(i))
                        : new Axis(index, compute.axes().get(i).lower(),
                                compute.axes().get(i).upper()));
                row.add(Scalar.variable(index));
            }
            return row.removeLast();
        }

        private Scalar code(Scalar place, boolean isInside) {
            List<Scalar> at = new ArrayList<>(row);
            at.add(place);
            return isInside ? Scalar.load(compute.result(), at)
                    : Scalar.loadOr(compute.result(), at, new Scalar.Whole(Format.I32, 0));
        }
    }

    private static Scalar plus(Scalar left, Scalar right) {
        return Scalar.apply(Operation.ADD, left, right);
    }

    private static Scalar times(Scalar left, long right) {
        return Scalar.apply(Operation.MULTIPLY, left, Scalar.whole(right));
    }
}
