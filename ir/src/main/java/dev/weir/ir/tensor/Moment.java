package dev.weir.ir.tensor;

import java.util.List;

/**
 * When in a step something happens, as far as the program decides it: for each region around it the
 * number of the node, for each branch which one, for each loop the round. Rows that run through the
 * same code have the same moments, so what they show belongs together; moments are ordered as a run
 * for all rows at once meets them.
 */
public record Moment(List<Long> steps) implements Comparable<Moment> {
    public Moment {
        steps = List.copyOf(steps);
    }

    @Override
    public int compareTo(Moment other) {
        int common = Math.min(steps.size(), other.steps.size());
        for (int i = 0; i < common; i++) {
            int order = Long.compare(steps.get(i), other.steps.get(i));
            if (order != 0) {
                return order;
            }
        }
        return Integer.compare(steps.size(), other.steps.size());
    }
}
