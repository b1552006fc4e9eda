package dev.weir.ir.tensor;

import java.util.ArrayList;
import java.util.List;

/** Where the interpreter is: the moment, and whether it is inside blocks chosen at run time. */
final class Trail {
    private final List<Long> steps = new ArrayList<>();
    private int chosen;

    /** Runs one node of a region, one branch, or one round of a loop. */
    void step(long number, Runnable inside) {
        steps.add(number);
        inside.run();
        steps.removeLast();
    }

    /** Runs a block that is chosen at run time. */
    void chosen(Runnable inside) {
        chosen++;
        inside.run();
        chosen--;
    }

    boolean isChosen() {
        return chosen > 0;
    }

    Moment moment() {
        return new Moment(steps);
    }
}
