package dev.weir.bench.row;

import dev.weir.bench.engine.ColdStart;
import dev.weir.bench.measure.Contest;
import dev.weir.bench.measure.Problem;
import dev.weir.bench.measure.Work;
import dev.weir.bench.model.Shape;
import dev.weir.bench.peer.Peer;
import java.util.List;
import java.util.Optional;

/**
 * How long a model of 110 million parameters takes from its program to machine code in a process
 * that has just begun, the start of the Java machine included. Weights are not loaded.
 */
public final class CompileRow implements Row {
    @Override
    public String name() {
        return "compile";
    }

    @Override
    public String meaning() {
        return "from program to machine code in a fresh process, models of 110 million "
                + "parameters; the aim is 3 s, and 0.3 s for code that was kept";
    }

    @Override
    public List<Peer> peers() {
        return List.of();
    }

    @Override
    public void run(Laboratory laboratory) {
        for (Shape shape : List.of(Shape.LLAMA, Shape.MIXTRAL)) {
            for (ColdStart.Part part : ColdStart.Part.values()) {
                Contest contest = laboratory.contest(new Problem("compile",
                        shape.type() + ", " + part, laboratory.threads(),
                        new Work(0, 0, 1, "times a second"), Optional.empty(), List.of()));
                contest.with(part.contestant(), () -> new ColdStart(shape, part));
                laboratory.hold(contest);
            }
        }
    }
}
