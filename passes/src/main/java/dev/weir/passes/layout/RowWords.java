package dev.weir.passes.layout;

import dev.weir.ir.tensor.Axis;
import dev.weir.ir.tensor.Identifiers;
import dev.weir.ir.tensor.Index;
import dev.weir.ir.tensor.Node;
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
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;

/**
 * Lays the codes of a step's rows out as contractions of bytes read them, four to a word. The words
 * are made where the codes are, and the contractions read the codes out of them.
 *
 * <pre>
 *   c[t, k] = …;  y[t, j] = sum[k] w[j, k] · c[t, k]
 *       ⇒  c[t, k] = …;  words[t, i] = c[t, 4 i], …, c[t, 4 i + 3]
 *          y[t, j] = sum[k] w[j, k] · byte k % 4 of words[t, k / 4]
 * </pre>
 */
public final class RowWords {
    private final Facts facts;
    private final Identifiers identifiers;
    private final Set<Value> wanted = new HashSet<>();
    private final Map<Value, Value> words = new HashMap<>();

    private RowWords(TensorProgram program, Facts facts) {
        this.facts = facts;
        this.identifiers = Identifiers.behind(program);
    }

    /** A lifted program whose contractions of codes read words, where there are such. */
    public static TensorProgram run(TensorProgram program, Facts facts) {
        RowWords rows = new RowWords(program, facts);
        Walk.nodes(program, node -> rows.codes(node).ifPresent(
                load -> rows.wanted.add(load.source())));
        return rows.wanted.isEmpty() ? program : Rewrite.computes(program, rows::replace);
    }

    /** The codes that a contraction of bytes multiplies its weights with. */
    private Optional<Scalar.Load> codes(Node node) {
        return Contraction.of(node, facts).flatMap(ByteProducts::of)
                .map(ByteProducts::factor)
                .filter(f -> f instanceof Scalar.Load)
                .map(f -> (Scalar.Load) f);
    }

    private void replace(Node.Compute compute, List<Node> out) {
        Optional<Scalar.Load> read = codes(compute).filter(l -> words.containsKey(l.source()));
        out.add(read.isEmpty() ? compute
                : Rewrite.body(compute, replaced(compute.body(), read.get())));
        if (wanted.contains(compute.result())) {
            out.add(words(compute));
        }
    }

    private Scalar replaced(Scalar scalar, Scalar.Load load) {
        if (!scalar.equals(load)) {
            return Walk.map(scalar, operand -> replaced(operand, load));
        }
        List<Scalar> at = load.coordinates();
        return new Words(words.get(load.source()), at.subList(0, at.size() - 1), at.getLast())
                .code();
    }

    private Node.Compute words(Node.Compute compute) {
        Value codes = compute.result();
        List<Size> shape = new ArrayList<>(codes.type().shape());
        long length = shape.getLast().constant().orElseThrow();
        shape.set(shape.size() - 1, Size.of(Words.count(length)));
        Value result = identifiers.value(
                codes.name() + " in words", new TensorType(Format.I32, shape));
        List<Axis> axes = new ArrayList<>();
        List<Scalar> row = new ArrayList<>();
        for (int i = 0; i < shape.size(); i++) {
            Index index = identifiers.index("i");
            boolean isLast = i == shape.size() - 1;
            axes.add(isLast ? Axis.over(index, shape.get(i))
                    : new Axis(index, compute.axes().get(i).lower(),
                            compute.axes().get(i).upper()));
            row.add(Scalar.variable(index));
        }
        Scalar number = row.removeLast();
        boolean isFull = Words.count(length) * Integer.BYTES == length;
        words.put(codes, result);
        return new Node.Compute(result, axes, Optional.empty(),
                Words.word(number, place -> {
                    List<Scalar> at = new ArrayList<>(row);
                    at.add(place);
                    return isFull ? Scalar.load(codes, at)
                            : Scalar.loadOr(codes, at, new Scalar.Whole(Format.I32, 0));
                }), compute.span());
    }
}
