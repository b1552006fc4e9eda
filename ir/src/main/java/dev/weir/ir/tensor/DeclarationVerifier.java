package dev.weir.ir.tensor;

import dev.weir.ir.type.Size;
import java.util.ArrayList;
import java.util.List;

/** Tells what is wrong with parameters and states, whatever program they belong to. */
public final class DeclarationVerifier {
    private DeclarationVerifier() {}

    /** A sentence for each thing that is wrong. */
    public static List<String> problems(Parameter parameter) {
        List<String> problems = new ArrayList<>();
        if (!parameter.value().type().shape().stream().allMatch(Size::isConstant)) {
            problems.add("parameter " + parameter.path() + " has a run-time size");
        }
        if (parameter.instanceAxes() > parameter.value().type().rank()) {
            problems.add("parameter " + parameter.path() + " has fewer axes than instances");
        }
        boolean readable = parameter.layout().map(layout ->
                layout.indices().size() == parameter.value().type().rank()
                        && layout.isReadable())
                .orElse(true);
        if (!readable) {
            problems.add("parameter " + parameter.path() + " has a layout that cannot be read");
        }
        return problems;
    }

    /** A sentence for each thing that is wrong. */
    public static List<String> problems(State state) {
        List<String> problems = new ArrayList<>();
        if (state.slots().isPresent() != state.lengths().isPresent()) {
            problems.add("state " + state.name() + " has slots without lengths, or lengths alone");
        }
        int leading = state.instances().size() + 1;
        if (state.value().type().rank() < leading + (state.grows() ? 1 : 0)) {
            problems.add("state " + state.name() + " has too few axes");
        } else if (state.ownShape().stream().skip(state.grows() ? 1 : 0)
                .anyMatch(size -> !size.isConstant())) {
            problems.add("state " + state.name() + " has a run-time size");
        }
        if (state.instances().stream().anyMatch(n -> n < 0)) {
            problems.add("state " + state.name() + " has a negative number of instances");
        }
        return problems;
    }
}
