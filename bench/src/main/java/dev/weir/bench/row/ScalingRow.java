package dev.weir.bench.row;

import dev.weir.bench.engine.Renamed;
import dev.weir.bench.engine.Target;
import dev.weir.bench.engine.WeirContestant;
import dev.weir.bench.engine.WeirModel;
import dev.weir.bench.engine.Weights;
import dev.weir.bench.machine.Roofline;
import dev.weir.bench.measure.Contest;
import dev.weir.bench.measure.Outcome;
import dev.weir.bench.measure.Problem;
import dev.weir.bench.measure.Work;
import dev.weir.bench.model.Continuation;
import dev.weir.bench.model.Experts;
import dev.weir.bench.model.FeedForward;
import dev.weir.bench.model.Parameters;
import dev.weir.bench.model.Precision;
import dev.weir.bench.model.Shape;
import dev.weir.bench.model.WeirLanguageModel;
import dev.weir.bench.peer.Peer;
import dev.weir.runtime.memory.Tensor;
import java.util.Arrays;
import java.util.List;
import java.util.Locale;
import java.util.Optional;

/**
 * How time grows with tokens, experts and layers. The slope is the logarithm of the quotient of two
 * times by that of their sizes; the ideal one is that of the least times that the machine allows,
 * by its FMA peak and its read bandwidth.
 */
public final class ScalingRow implements Row {
    private static final long WIDTH = 512;
    private static final long INNER = 1024;
    private static final int ACTIVE = 2;
    private static final int EXPERT_TOKENS = 64;
    private static final int PROMPT = 64;
    private static final int[] TOKENS = {1, 4, 16, 64, 256, 1024, 4096};
    private static final int[] EXPERTS = {4, 8, 16, 32, 64};
    private static final int[] LAYERS = {2, 6, 12, 24, 48};
    private static final String BLOCK = """
            import stdlib.feed_forward { SwiGlu }

            model Block {
                net: SwiGlu<%1$d, %2$d>
                forward(x[T, %1$d]) -> y[T, %1$d] = net(x)
            }
            """;
    private static final String MIXTURE = """
            import stdlib.feed_forward { SwiGlu }
            import stdlib.mixture { Moe }

            model Mixture {
                net: Moe<%1$d, %3$d, %4$d, SwiGlu<%1$d, %2$d>>
                forward(x[T, %1$d]) -> y[T, %1$d] = net(x)
            }
            """;

    @Override
    public String name() {
        return "scaling";
    }

    @Override
    public String meaning() {
        return "how time grows: tokens 1 to 4096 of a SwiGLU block, experts 4 to 64, layers 2 to "
                + "48 of a small Llama, with the slope beside the ideal one";
    }

    @Override
    public List<Peer> peers() {
        return List.of();
    }

    @Override
    public void run(Laboratory laboratory) {
        tokens(laboratory);
        experts(laboratory);
        layers(laboratory);
    }

    private static void tokens(Laboratory laboratory) {
        try (Weights weights = new Weights()) {
            FeedForward net = FeedForward.of(weights, "net.", WIDTH, INNER);
            Contest contest = contest(laboratory, "tokens, SwiGLU 512→1024");
            for (int tokens : TOKENS) {
                Tensor x = weights.get("x" + tokens, tokens, WIDTH);
                Work work = Work.operations(tokens * net.operations(),
                        net.bytes() + 8.0 * tokens * WIDTH);
                contest.with("", work, Optional.of(References.of(x, WIDTH,
                        (row, sum) -> net.add(row, 1, sum))),
                        () -> renamed(tokens, new WeirContestant("", WeirModel.of(
                                BLOCK.formatted(WIDTH, INNER), Target.NATIVE.compiler(),
                                laboratory.threads(), weights), tokens, x)));
            }
            slopes(laboratory, laboratory.hold(contest), TOKENS);
        }
    }

    private static void experts(Laboratory laboratory) {
        Contest contest = contest(laboratory,
                "experts, top 2 of them, 512→1024, " + EXPERT_TOKENS + " tokens");
        try (Weights weights = new Weights()) {
            Tensor x = weights.get("x", EXPERT_TOKENS, WIDTH);
            for (int i = 0; i < x.elements(); i++) {
                x.setReal(i, x.real(i) * Math.sqrt(WIDTH));
            }
            Weights[] own = new Weights[EXPERTS.length];
            for (int i = 0; i < own.length; i++) {
                int count = EXPERTS[i];
                own[i] = new Weights();
                Weights mine = own[i];
                Experts experts = Experts.of(mine, "net.", count, ACTIVE, WIDTH, INNER);
                long used = Arrays.stream(experts.load(x)).filter(n -> n > 0).count();
                FeedForward net = experts.nets().getFirst();
                Work work = Work.operations(EXPERT_TOKENS * ACTIVE * net.operations(),
                        used * net.bytes());
                contest.with("", work, Optional.of(References.of(x, WIDTH, experts::add)),
                        () -> renamed(count, new WeirContestant("", WeirModel.of(
                                MIXTURE.formatted(WIDTH, INNER, count, ACTIVE),
                                Target.NATIVE.compiler(), laboratory.threads(), mine),
                                EXPERT_TOKENS, x)));
            }
            slopes(laboratory, laboratory.hold(contest), EXPERTS);
            Arrays.stream(own).forEach(Weights::close);
        }
    }

    private static void layers(Laboratory laboratory) {
        Shape small = new Shape("llama", 1024, 512, 1408, 1, 8, 0, 0, 1e-6, 10_000);
        Contest contest = contest(laboratory,
                "layers, Llama of width 512, prompt of " + PROMPT);
        try (Weights weights = new Weights()) {
            for (int count : LAYERS) {
                Shape shape = small.withLayers(count);
                Parameters.random(shape, weights);
                contest.with("", Work.tokens(PROMPT, shape.operations(PROMPT, 0),
                        4.0 * shape.parameters()), Optional.empty(),
                        () -> renamed(count, new Continuation(new WeirLanguageModel("", shape,
                                Precision.F32, Target.NATIVE.compiler(), laboratory.threads(), weights),
                                shape.vocabulary(), PROMPT, 0)));
            }
            slopes(laboratory, laboratory.hold(contest), LAYERS);
        }
    }

    private static Contest contest(Laboratory laboratory, String name) {
        return laboratory.contest(new Problem("scaling", name, laboratory.threads(),
                new Work(0, 0, 1, "times a second"), Optional.empty(), List.of()));
    }

    private static Renamed renamed(int size, dev.weir.bench.measure.Contestant contestant) {
        return new Renamed("Weir native, " + size, contestant);
    }

    private static void slopes(Laboratory laboratory, Contest.Result result, int[] sizes) {
        Roofline roofline = laboratory.roofline(laboratory.threads());
        List<Outcome> outcomes = result.outcomes();
        for (int i = 1; i < Math.min(sizes.length, outcomes.size()); i++) {
            double steps = Math.log((double) sizes[i] / sizes[i - 1]);
            Outcome before = outcomes.get(i - 1);
            Outcome after = outcomes.get(i);
            laboratory.note(String.format(Locale.ROOT,
                    "%s: from %d to %d the slope is %.2f, the ideal one %.2f",
                    after.problem().name(), sizes[i - 1], sizes[i],
                    Math.log(after.seconds().median() / before.seconds().median()) / steps,
                    Math.log(least(after.work(), roofline) / least(before.work(), roofline))
                            / steps));
        }
    }

    private static double least(Work work, Roofline roofline) {
        return Math.max(work.operations() / roofline.flops().most(),
                work.bytes() / roofline.bandwidth().most());
    }
}
