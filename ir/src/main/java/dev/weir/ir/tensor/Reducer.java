package dev.weir.ir.tensor;

import dev.weir.ir.operation.Operation;
import dev.weir.ir.type.Format;
import java.util.function.Consumer;

/** Evaluates the reduction of a compute node at one point of its index space. */
final class Reducer {
    private final Reduction reduction;
    private final Points points;
    private final Format format;
    private final ScalarEvaluator.WholeCode filter;
    private final ScalarEvaluator.RealCode realBody;
    private final ScalarEvaluator.WholeCode wholeBody;

    Reducer(ScalarEvaluator evaluator, Node.Compute node) {
        reduction = node.reduction().orElseThrow();
        points = new Points(evaluator, reduction.axes());
        format = node.body().format();
        filter = reduction.filter().map(evaluator::whole).orElse(x -> 1);
        realBody = format.isFloat() ? term(evaluator, node.body()) : x -> 0;
        wholeBody = format.isFloat() ? x -> 0 : evaluator.whole(node.body());
    }

    /** A product in a sum is not rounded: the sum may be made of fused multiply-adds. */
    private ScalarEvaluator.RealCode term(ScalarEvaluator evaluator, Scalar body) {
        if (reduction.kind() == Reduction.Kind.SUM
                && body instanceof Scalar.Apply apply
                && apply.operation() == Operation.MULTIPLY) {
            ScalarEvaluator.RealCode left = evaluator.real(apply.operands().get(0));
            ScalarEvaluator.RealCode right = evaluator.real(apply.operands().get(1));
            return x -> left.at(x) * right.at(x);
        }
        return evaluator.real(body);
    }

    void store(long[] indices, TensorData result, int place) {
        if (reduction.kind() == Reduction.Kind.ARGUMENT_MAXIMUM) {
            result.setWhole(place, argument(indices));
        } else if (format.isFloat()) {
            double[] sum = {((Scalar.Real) reduction.kind().identity(format)).value()};
            each(indices, x -> sum[0] = combine(reduction.kind(), sum[0], realBody.at(x)));
            result.setReal(place, format.round(sum[0]));
        } else {
            long[] sum = {((Scalar.Whole) reduction.kind().identity(format)).value()};
            each(indices, x -> sum[0] = combine(reduction.kind(), sum[0], wholeBody.at(x)));
            result.setWhole(place, sum[0]);
        }
    }

    private void each(long[] indices, Consumer<long[]> action) {
        points.forEach(indices, x -> {
            if (filter.at(x) != 0) {
                action.accept(x);
            }
        });
    }

    private long argument(long[] indices) {
        long[] best = {-1};
        double[] real = {0};
        long[] whole = {0};
        each(indices, x -> {
            boolean better = format.isFloat()
                    ? best[0] < 0 || realBody.at(x) > real[0]
                    : best[0] < 0 || wholeBody.at(x) > whole[0];
            if (better) {
                best[0] = x[points.slot(0)];
                real[0] = realBody.at(x);
                whole[0] = wholeBody.at(x);
            }
        });
        if (best[0] < 0) {
            throw new Fault(Fault.LARGEST_OF_NONE);
        }
        return best[0];
    }

    static double combine(Reduction.Kind kind, double sum, double term) {
        return switch (kind) {
            case SUM -> sum + term;
            case PRODUCT -> sum * term;
            case MAXIMUM -> Math.max(sum, term);
            case MINIMUM -> Math.min(sum, term);
            case ANY, ALL, ARGUMENT_MAXIMUM ->
                    throw new IllegalArgumentException(kind.word() + " of floats");
        };
    }

    static long combine(Reduction.Kind kind, long sum, long term) {
        return switch (kind) {
            case SUM -> sum + term;
            case PRODUCT -> sum * term;
            case MAXIMUM -> Math.max(sum, term);
            case MINIMUM -> Math.min(sum, term);
            case ANY -> sum | term;
            case ALL -> sum & term;
            case ARGUMENT_MAXIMUM -> throw new IllegalArgumentException(kind.word());
        };
    }
}
