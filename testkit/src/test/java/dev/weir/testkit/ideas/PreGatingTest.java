package dev.weir.testkit.ideas;

import static dev.weir.testkit.ideas.Textbook.add;
import static dev.weir.testkit.ideas.Textbook.attention;
import static dev.weir.testkit.ideas.Textbook.largest;
import static dev.weir.testkit.ideas.Textbook.part;
import static dev.weir.testkit.ideas.Textbook.rmsNorm;
import static dev.weir.testkit.ideas.Textbook.softmax;
import static dev.weir.testkit.ideas.Textbook.swiGlu;
import static dev.weir.testkit.ideas.Textbook.times;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.weir.runtime.ledger.Ledger;
import dev.weir.runtime.model.Engine;
import dev.weir.testkit.TestModel;
import dev.weir.testkit.TestModel.Target;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Comparator;
import java.util.List;
import org.junit.jupiter.api.Test;

/** R06: one router in front names the expert of each layer for each token. */
class PreGatingTest {
    @Test
    void isTheTextbooks() {
        Idea.example("pre_gating").sizes("V=9 D=6 H=3 C=2 F=5 N=2 R=2 L=2").tokens(17)
                .form("one by one", text -> Routes.oneByOne(text, "N", "D"))
                .is(PreGatingTest::textbook);
    }

    private static double[][] textbook(Given given) {
        int[] ids = given.ids("input_ids");
        int experts = given.size("N");
        double[][] x = new double[ids.length][];
        double[][] narrow = new double[ids.length][];
        for (int t = 0; t < ids.length; t++) {
            x[t] = given.matrix("table")[ids[t]].clone();
            narrow[t] = times(given.matrix("narrow"), x[t]);
        }
        double[][] routed = attention(given, "router", narrow);
        for (int i = 0; i < given.size("L"); i++) {
            String layer = "layers." + i;
            double[][] mixed = attention(given, layer + ".attention",
                    rmsNorm(given.vector(layer + ".attention_norm.scale"), x));
            for (int t = 0; t < x.length; t++) {
                add(x[t], 1, mixed[t]);
                double[] z = rmsNorm(given.vector(layer + ".norm.scale"), x[t]);
                double[] p = softmax(part(times(given.matrix("choose"), routed[t]),
                        i * experts, (i + 1) * experts));
                int e = largest(p);
                given.work().served(layer + ".network.experts", e, experts);
                add(x[t], p[e], swiGlu(given, layer + ".network.experts." + e, z));
            }
        }
        double[][] logits = new double[x.length][];
        for (int t = 0; t < x.length; t++) {
            logits[t] = times(given.matrix("table"), x[t]);
        }
        return logits;
    }

    /** Requests that ask for the same experts are taken one behind the other. */
    @Test
    void requestsAreOrderedByTheirExperts() {
        Idea.example("pre_gating").file("order.weir").sizes("R=3 N=3 L=1").tokens(19)
                .takesWholeSequences().is(given -> {
                    double[][] routed = given.rows("routed");
                    Integer[] order = new Integer[routed.length];
                    Arrays.setAll(order, t -> t);
                    Comparator<Integer> byExperts = Comparator.comparing(t -> "");
                    for (int i = 0; i < given.size("L"); i++) {
                        double[][] choose = given.cube("choose")[i];
                        byExperts = byExperts.thenComparing(
                                t -> largest(times(choose, routed[t])));
                    }
                    Arrays.sort(order, byExperts);
                    return Arrays.stream(order).map(t -> new double[] {t})
                            .toArray(double[][]::new);
                });
    }

    /** With what it knows ahead the cache misses no more often than one that looks back. */
    @Test
    void whatIsNeededLastLeavesTheCache() {
        Idea.example("pre_gating").file("lookahead.weir").small("N=6 C=3").sizes("N=4 C=2")
                .tokens(40).takesWholeSequences().is(given -> {
                    int[] asked = Arrays.stream(given.ids("asked"))
                            .map(e -> e % given.size("N")).toArray();
                    double[][] missed = missed(asked, given.size("C"), true);
                    double[][] looksBack = missed(asked, given.size("C"), false);
                    assertTrue(sum(missed) < sum(looksBack),
                            sum(missed) + " of " + sum(looksBack));
                    return missed;
                });
    }

    private static double sum(double[][] rows) {
        return Arrays.stream(rows).mapToDouble(row -> row[0]).sum();
    }

    /** The cache drops what is asked for again last, or what was asked for longest ago. */
    private static double[][] missed(int[] asked, int slots, boolean looksAhead) {
        List<Integer> held = new ArrayList<>();
        double[][] missed = new double[asked.length][1];
        for (int t = 0; t < asked.length; t++) {
            int now = t;
            if (held.remove((Integer) asked[t])) {
                held.add(asked[t]);
                continue;
            }
            missed[t][0] = 1;
            if (held.size() == slots) {
                held.remove(looksAhead
                        ? held.stream().max(Comparator.<Integer>comparingInt(
                                e -> next(asked, now, e)).thenComparing(e -> -e)).orElseThrow()
                        : held.getFirst());
            }
            held.add(asked[t]);
        }
        return missed;
    }

    private static int next(int[] asked, int from, int expert) {
        int u = from + 1;
        while (u < asked.length && asked[u] != expert) {
            u++;
        }
        return u;
    }

    /**
     * Batches of requests in the order of their experts read the weights of fewer experts: the
     * difference in bytes is that of the experts, to the byte.
     */
    @Test
    void batchesInTheOrderOfExpertsReadFewerWeights() throws Exception {
        String program = TestModel.text(
                TestModel.ROOT.resolve("examples/pre_gating/idea.weir")).replace(
                "V = 512, D = 256, H = 4, C = 64, F = 256, N = 8, R = 32, L = 4",
                "V = 32, D = 8, H = 2, C = 4, F = 6, N = 4, R = 4, L = 2");
        try (TestModel model = TestModel.random(program, 3, Target.NATIVE, 1)) {
            Integer[] order = new Integer[32];
            String[] experts = new String[32];
            for (int id = 0; id < 32; id++) {
                order[id] = id;
                long[] before = served(model);
                model.feed(model.engine().start(), id);
                long[] after = served(model);
                experts[id] = "";
                for (int i = 0; i < after.length; i++) {
                    experts[id] += after[i] - (before.length == 0 ? 0 : before[i]);
                }
            }
            long[] mixed = batches(model, order);
            Arrays.sort(order, Comparator.comparing(id -> experts[id]));
            long[] ordered = batches(model, order);
            long expert = 3 * 8 * 6 * 4;
            assertTrue(ordered[0] < mixed[0], ordered[0] + " of " + mixed[0]);
            assertEquals((mixed[0] - ordered[0]) * expert, mixed[1] - ordered[1]);
        }
    }

    /** Of four batches of eight requests: how many experts work, and the bytes of weights read. */
    private static long[] batches(TestModel model, Integer[] order) {
        long distinct = 0;
        long bytes = model.engine().ledger().weightBytes();
        for (int from = 0; from < order.length; from += 8) {
            long[] before = served(model);
            List<Engine.Session> sessions = new ArrayList<>();
            List<long[]> ids = new ArrayList<>();
            for (int i = from; i < from + 8; i++) {
                sessions.add(model.engine().start());
                ids.add(new long[] {order[i]});
            }
            model.batch(sessions, ids);
            long[] after = served(model);
            for (int i = 0; i < after.length; i++) {
                distinct += after[i] > before[i] ? 1 : 0;
            }
        }
        return new long[] {distinct, model.engine().ledger().weightBytes() - bytes};
    }

    /** How many tokens each expert of each layer has served so far. */
    private static long[] served(TestModel model) {
        return model.engine().ledger().routes().stream()
                .sorted(Comparator.comparing(Ledger.Route::path))
                .flatMapToLong(route -> route.served().stream().mapToLong(n -> n)).toArray();
    }
}
