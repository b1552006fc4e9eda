package dev.weir.testkit.random;

import dev.weir.ir.tensor.Node;
import dev.weir.ir.tensor.TensorData;
import dev.weir.ir.tensor.Traced;
import dev.weir.ir.tensor.Watcher;
import java.util.Arrays;
import java.util.List;

/** Sees what decisions depend on, and keeps the smallest distance to a decision's other side. */
final class Margins implements Watcher {
    private double smallest = Double.POSITIVE_INFINITY;

    double smallest() {
        return smallest;
    }

    @Override
    public void traced(Traced traced) {
        TensorData value = traced.value();
        String[] words = traced.path().split(" ");
        if (words[0].equals("threshold")) {
            for (int i = 0; i < value.elements(); i++) {
                smallest = Math.min(smallest,
                        Math.abs(value.real(i) - Double.parseDouble(words[1])));
            }
        } else if (words[0].equals("largest")) {
            int n = (int) value.size(value.rank() - 1);
            int count = Integer.parseInt(words[1]);
            for (int row = 0; row * n < value.elements(); row++) {
                double[] sorted = new double[n];
                for (int i = 0; i < n; i++) {
                    sorted[i] = -value.real(row * n + i);
                }
                Arrays.sort(sorted);
                for (int i = 0; i < count && i + 1 < n; i++) {
                    between(sorted[i + 1] - sorted[i]);
                }
            }
        }
    }

    /** Equal values are equal on all sides: they come from equal or saturated operands. */
    private void between(double margin) {
        if (margin != 0) {
            smallest = Math.min(smallest, margin);
        }
    }

    @Override
    public void tallied(String path, Node.TallyKind kind, List<Long> amounts) {}
}
