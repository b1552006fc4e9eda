package dev.weir.passes.pipeline;

import dev.weir.passes.fuse.Inline;
import dev.weir.passes.lift.Lift;
import dev.weir.passes.pipeline.Pass.Order;
import dev.weir.passes.simplify.CommonCode;
import dev.weir.passes.simplify.DerivedWeights;
import dev.weir.passes.simplify.Demand;
import dev.weir.passes.simplify.FactorSums;
import dev.weir.passes.simplify.SplitElementary;
import java.util.HashSet;
import java.util.List;
import java.util.Set;

/** The one table of tensor passes, in the order in which they run. */
public final class Passes {
    private Passes() {}

    public static final List<Pass> ALL = checked(List.of(
            new Pass("lift", "all sequences and tokens at once; gates and routes become frames",
                    false, List.of(), Lift::run),
            new Pass("split-elementary", "an elementary function is evaluated once for each of "
                    + "its own points", true,
                    List.of(new Order("lift", "the axes are known only then")),
                    SplitElementary::run),
            new Pass("factor-sums", "a common divisor leaves a sum", true,
                    List.of(new Order("lift", "the sums are over lifted values")),
                    FactorSums::run),
            new Pass("demand", "what every reader masks is computed behind the mask only", true,
                    List.of(new Order("factor-sums", "it removes readers")), Demand::run),
            new Pass("common-code", "equal things are computed once, invariant ones before the "
                    + "loop", true,
                    List.of(new Order("split-elementary", "what was split off is often common")),
                    CommonCode::run),
            new Pass("derived-weights", "what depends on weights and an instance alone is "
                    + "computed for each instance, at load", true,
                    List.of(new Order("common-code", "equal ones are found there")),
                    DerivedWeights::run),
            new Pass("inline", "computes without a sum move into their readers", true,
                    List.of(
                            new Order("factor-sums", "it looks for quotients by name"),
                            new Order("common-code", "inlined copies are no longer equal")),
                    Inline::run)));

    /** Fails at start-up if the table contradicts itself. */
    private static List<Pass> checked(List<Pass> passes) {
        Set<String> seen = new HashSet<>();
        for (Pass pass : passes) {
            for (Order order : pass.after()) {
                if (!seen.contains(order.pass())) {
                    throw new IllegalStateException(pass.name() + " has to run after "
                            + order.pass() + ": " + order.reason());
                }
            }
            seen.add(pass.name());
        }
        return passes;
    }
}
