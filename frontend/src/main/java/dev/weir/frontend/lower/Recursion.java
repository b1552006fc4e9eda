package dev.weir.frontend.lower;

import dev.weir.frontend.resolve.ModuleScope;
import dev.weir.frontend.resolve.Symbol;
import dev.weir.frontend.syntax.BlockList;
import dev.weir.frontend.syntax.Declaration;
import dev.weir.frontend.syntax.Expression;
import dev.weir.frontend.syntax.Statement;
import dev.weir.ir.diagnostic.Diagnostic;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Optional;
import java.util.Set;

/**
 * Finds blocks that call themselves whatever their generics are: by calls that no condition and no
 * loop guards, of members whose template no condition chooses. All other recursion may end, which
 * only the lowering of a model can tell.
 */
final class Recursion {
    /** A call of a member, and the block that the member surely is. */
    private record Step(Expression.Call call, Declaration.Block block, ModuleScope module) {}

    private Recursion() {}

    /** What is wrong with a block, if it surely contains itself. */
    static Optional<Diagnostic> in(Declaration.Block block, ModuleScope module) {
        for (Step step : steps(block, module)) {
            if (reaches(step, block, new HashSet<>())) {
                Diagnostic found = Diagnostic.error("E0207", step.call().span(),
                                "blocks contain one another without end")
                        .labelled("this calls `" + step.block().name() + "`, and nothing ends it")
                        .helped("a block that holds itself needs a case that does not");
                return Optional.of(step.block().equals(block) ? found
                        : found.with(step.block().span(),
                                "which comes back to `" + block.name() + "`"));
            }
        }
        return Optional.empty();
    }

    private static boolean reaches(
            Step step, Declaration.Block wanted, Set<Declaration.Block> seen) {
        return step.block().equals(wanted) || seen.add(step.block())
                && steps(step.block(), step.module()).stream()
                        .anyMatch(next -> reaches(next, wanted, seen));
    }

    private static List<Step> steps(Declaration.Block block, ModuleScope module) {
        List<Step> steps = new ArrayList<>();
        for (Declaration.Method method : block.methods()) {
            List<Expression.Call> calls = new ArrayList<>();
            for (Statement statement : method.body().statements()) {
                if (statement instanceof Statement.Assign assign) {
                    calls(assign.value(), calls);
                }
            }
            method.body().expression().ifPresent(e -> calls(e, calls));
            calls.forEach(call -> member(call, block)
                    .flatMap(list -> sure(list, block, module))
                    .ifPresent(symbol -> steps.add(new Step(call,
                            (Declaration.Block) symbol.declaration(), symbol.module()))));
        }
        return steps;
    }

    /** The calls that happen wherever an expression is evaluated, in its order. */
    private static void calls(Expression e, List<Expression.Call> calls) {
        if (e instanceof Expression.Choice choice) {
            calls(choice.condition(), calls);
            return;
        }
        if (e instanceof Expression.Lambda) {
            return;
        }
        if (e instanceof Expression.Call call) {
            calls.add(call);
        }
        Trees.children(e).forEach(child -> calls(child, calls));
    }

    /** The member that a call names: {@code part(x)} or {@code parts[0](x)}. */
    private static Optional<BlockList> member(Expression.Call call, Declaration.Block block) {
        Expression named = call.function() instanceof Expression.Access access
                ? access.base() : call.function();
        return named instanceof Expression.Name name
                ? block.instances().stream().filter(i -> i.name().equals(name.name()))
                        .map(Declaration.Instance::blocks).findFirst()
                : Optional.empty();
    }

    /** The block that every element of a list is. */
    private static Optional<Symbol> sure(
            BlockList list, Declaration.Block owner, ModuleScope module) {
        return switch (list) {
            case BlockList.Template t -> owner.generics().stream()
                    .anyMatch(g -> g.name().equals(t.name()))
                    ? Optional.empty()
                    : module.find(t.name())
                            .filter(s -> s.declaration() instanceof Declaration.Block);
            case BlockList.Repeated r -> sure(r.block(), owner, module);
            case BlockList.Comprehension c -> sure(c.block(), owner, module);
            case BlockList.Sequence s -> Optional.empty();
            case BlockList.Either e -> Optional.empty();
        };
    }
}
