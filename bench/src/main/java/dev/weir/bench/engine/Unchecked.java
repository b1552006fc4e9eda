package dev.weir.bench.engine;

import dev.weir.ir.kernel.Kernel;
import dev.weir.ir.kernel.KernelProgram;
import dev.weir.ir.kernel.Statement;
import java.util.ArrayList;
import java.util.List;

/** Leaves out what makes kernels fault: only to measure what the checks of indices cost. */
public final class Unchecked {
    private Unchecked() {}

    /** The same program, of which no kernel looks whether an index is inside. */
    public static KernelProgram of(KernelProgram program) {
        return new KernelProgram(
                program.name(), program.entry(), program.parameters(), program.states(),
                program.stream(), program.frames(), program.arguments(), program.results(),
                program.resultNames(), program.kernels().stream().map(Unchecked::of).toList(),
                program.initialise(), program.step(), program.checks(), program.stories(),
                program.works());
    }

    private static Kernel of(Kernel kernel) {
        return new Kernel(kernel.name(), kernel.buffers(), kernel.scalars(), kernel.scratch(),
                kernel.tile(), of(kernel.body()));
    }

    private static List<Statement> of(List<Statement> statements) {
        List<Statement> kept = new ArrayList<>();
        for (Statement statement : statements) {
            switch (statement) {
                case Statement.Fault fault -> { }
                case Statement.If s -> {
                    List<Statement> then = of(s.then());
                    List<Statement> otherwise = of(s.otherwise());
                    if (!then.isEmpty() || !otherwise.isEmpty()) {
                        kept.add(new Statement.If(s.condition(), then, otherwise));
                    }
                }
                case Statement.For s -> kept.add(new Statement.For(
                        s.index(), s.from(), s.to(), s.step(), of(s.body())));
                default -> kept.add(statement);
            }
        }
        return kept;
    }
}
