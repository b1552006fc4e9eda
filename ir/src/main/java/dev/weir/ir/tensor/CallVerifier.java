package dev.weir.ir.tensor;

import dev.weir.ir.type.Format;
import dev.weir.ir.type.Size;
import dev.weir.ir.type.TensorType;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;

/** Checks calls and routes against the functions that they name. */
final class CallVerifier {
    private final TensorProgram program;
    private final ScalarVerifier.Problems problems;

    CallVerifier(TensorProgram program, ScalarVerifier.Problems problems) {
        this.program = program;
        this.problems = problems;
    }

    private void require(boolean holds, String problem) {
        if (!holds) {
            problems.report(problem);
        }
    }

    private Optional<Function> function(String name, int instances, int arguments, int results) {
        Optional<Function> function =
                program.functions().stream().filter(f -> f.name().equals(name)).findFirst();
        require(function.isPresent(), "there is no function " + name);
        return function.filter(f -> {
            boolean fits = f.instances().size() == instances
                    && f.body().arguments().size() == arguments
                    && f.body().results().size() == results;
            require(fits, "function " + name + " is called with " + instances + " instances, "
                    + arguments + " arguments and " + results + " results");
            return fits;
        });
    }

    void call(Node.Call node) {
        for (Node.Lift lift : node.lifts()) {
            if (lift.carried().size() != node.arguments().size()) {
                problems.report(
                        "a lift speaks of " + lift.carried().size() + " arguments");
                return;
            }
        }
        Optional<Function> function = function(node.function(), node.instances().size(),
                node.arguments().size(), node.results().size());
        if (function.isEmpty()) {
            return;
        }
        Region body = function.get().body();
        for (int a = 0; a < node.arguments().size(); a++) {
            List<Size> leading = new ArrayList<>();
            for (Node.Lift lift : node.lifts()) {
                if (lift.carried().get(a)) {
                    leading.add(lift.size());
                }
            }
            fits(node.arguments().get(a), body.arguments().get(a).type(), leading);
        }
        List<Size> sizes = node.lifts().stream().map(Node.Lift::size).toList();
        for (int r = 0; r < node.results().size(); r++) {
            fits(node.results().get(r), body.results().get(r).type(), sizes);
        }
    }

    /** That a value has a function's type behind the lifted axes; symbols stand for any size. */
    private void fits(Value value, TensorType inner, List<Size> leading) {
        List<Size> shape = new ArrayList<>(leading);
        shape.addAll(inner.shape());
        TensorType type = value.type();
        boolean fits = type.format() == inner.format() && type.rank() == shape.size();
        for (int axis = 0; fits && axis < shape.size(); axis++) {
            Size wanted = shape.get(axis);
            Size found = type.shape().get(axis);
            fits = axis < leading.size()
                    ? wanted.equals(found)
                    : !wanted.isConstant() || !found.isConstant() || wanted.equals(found);
        }
        require(fits, value.name() + " is " + type + " where " + new TensorType(
                inner.format(), shape) + " is expected");
    }

    void route(Node.Route node) {
        TensorType selection = node.selection().type();
        require(selection.format() == Format.I64 && selection.rank() == 1,
                "the selection is " + selection);
        require(node.weights().type().format() == Format.F32
                        && node.weights().type().shape().equals(selection.shape()),
                "the weights are " + node.weights().type());
        long next = 0;
        for (Node.Alternative alternative : node.alternatives()) {
            require(alternative.first() == next && alternative.count() > 0,
                    "the alternatives do not follow each other");
            next = alternative.first() + alternative.count();
            if (alternative.isNone()) {
                continue;
            }
            int instances = node.instances().size() + (alternative.indexed() ? 1 : 0);
            function(alternative.function(), instances, node.arguments().size(), 1)
                    .ifPresent(function -> {
                        List<Value> formal = function.body().arguments();
                        for (int a = 0; a < formal.size(); a++) {
                            fits(node.arguments().get(a), formal.get(a).type(), List.of());
                        }
                        fits(node.result(), function.body().results().getFirst().type(),
                                List.of());
                    });
        }
        require(next > 0, "a route without alternatives");
    }
}
