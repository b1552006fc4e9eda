package dev.weir.testkit.ideas;

import static dev.weir.testkit.ideas.Textbook.add;
import static dev.weir.testkit.ideas.Textbook.attention;
import static dev.weir.testkit.ideas.Textbook.largest;
import static dev.weir.testkit.ideas.Textbook.rmsNorm;
import static dev.weir.testkit.ideas.Textbook.softmax;
import static dev.weir.testkit.ideas.Textbook.swiGlu;
import static dev.weir.testkit.ideas.Textbook.times;

import java.util.Arrays;
import java.util.List;
import org.junit.jupiter.api.Test;

/** R22: h = x + attention(x), y = h + (big, small or no network)(h), as a router says. */
class SizedNetworksTest {
    @Test
    void isTheTextbooks() {
        Idea.example("sized_networks").sizes("V=9 D=6 H=3 G=3 C=2 Big=7 Small=3 L=2").tokens(17)
                .form("one by one", text -> Routes.oneByOne(text, "3", "D"))
                .is(SizedNetworksTest::textbook);
    }

    /** The best of all routes, found by trying them: the loss of each token. */
    @Test
    void theOracleTriesAllRoutes() {
        Idea.example("sized_networks").file("oracle.weir").small("Routes=9")
                .sizes("V=9 D=6 H=3 G=3 C=2 Big=7 Small=3 L=1 Routes=3")
                .is(SizedNetworksTest::oracle);
    }

    private static double[][] oracle(Given given) {
        int layers = given.size("L");
        int[] next = given.ids("next_ids");
        double[][] loss = new double[next.length][1];
        Arrays.setAll(loss, t -> new double[] {Double.POSITIVE_INFINITY});
        for (int route = 0; route < Math.pow(3, layers); route++) {
            int[] sizes = new int[layers];
            for (int i = 0, rest = route; i < layers; i++, rest /= 3) {
                sizes[i] = rest % 3;
            }
            double[][] logits = logits(
                    given, (layer, z) -> sizes[layer], List.of("big", "small"));
            for (int t = 0; t < next.length; t++) {
                double found = -Math.log(softmax(logits[t])[next[t]]);
                loss[t][0] = Math.min(loss[t][0], found);
            }
        }
        return loss;
    }

    private static double[][] textbook(Given given) {
        return logits(given, (i, z) -> {
            String network = "layers." + i + ".network";
            int size = largest(times(given.matrix(network + ".router"), z));
            given.work().served(network + ".networks", size, 3);
            return size;
        }, List.of("network.networks.0", "network.networks.1"));
    }

    /** Which network a token takes in a layer, of what its normalised state is. */
    private interface Router {
        int size(int layer, double[] z);
    }

    private static double[][] logits(Given given, Router router, List<String> networks) {
        int[] ids = given.ids("input_ids");
        double[][] x = new double[ids.length][];
        for (int t = 0; t < ids.length; t++) {
            x[t] = given.matrix("table")[ids[t]].clone();
        }
        for (int i = 0; i < given.size("L"); i++) {
            String layer = "layers." + i;
            double[][] normed = new double[x.length][];
            for (int t = 0; t < x.length; t++) {
                normed[t] = rmsNorm(given.vector(layer + ".attention_norm.scale"), x[t]);
            }
            double[][] mixed = attention(given, layer + ".attention", normed);
            for (int t = 0; t < x.length; t++) {
                add(x[t], 1, mixed[t]);
                double[] z = rmsNorm(given.vector(layer + ".norm.scale"), x[t]);
                int size = router.size(i, z);
                if (size < 2) {
                    add(x[t], 1, swiGlu(given, layer + "." + networks.get(size), z));
                }
            }
        }
        double[][] logits = new double[x.length][];
        for (int t = 0; t < x.length; t++) {
            logits[t] = times(given.matrix("table"), x[t]);
        }
        return logits;
    }
}
