package dev.weir.testkit.ideas;

import static dev.weir.testkit.ideas.Textbook.convolution;
import static dev.weir.testkit.ideas.Textbook.each;
import static dev.weir.testkit.ideas.Textbook.joined;
import static dev.weir.testkit.ideas.Textbook.largest;
import static dev.weir.testkit.ideas.Textbook.pointwise;
import static dev.weir.testkit.ideas.Textbook.pooled;
import static dev.weir.testkit.ideas.Textbook.times;

import org.junit.jupiter.api.Test;

/** R18: the whole convolution, of which all channels but those of the best pathway become 0. */
class ChannelPathwaysTest {
    private static final String GATE = "if idea.weir:27:17";

    @Test
    void isTheTextbooks() {
        Idea.example("channel_pathways").sizes("C=3 P=2 I=3 J=5 N=2 L=3")
                .form("the part called at its number", s ->
                        s.substring(0, s.indexOf("        y[i in 0..I, j in 0..J, p in")) + """
                        y = parts[chosen * N + before](x)
                        """ + s.substring(s.indexOf("    }\n}\n\n/// A convnet")))
                .is(ChannelPathwaysTest::textbook);
    }

    private static double[][] textbook(Given given) {
        double[][][] image = channels(given.rows("image"), given.size("J"));
        int count = given.size("N");
        int chosen = largest(times(given.matrix("stem_router"), pooled(image)));
        double[][][] x = only(given, chosen, pointwise(given.matrix("stem"), image));
        for (int l = 0; l < given.size("L"); l++) {
            String layer = "layers." + l;
            int before = chosen;
            double[][] router = new double[count][];
            for (int n = 0; n < count; n++) {
                router[n] = new double[0];
                for (double[] part : given.cube(layer + ".router")[n]) {
                    router[n] = joined(router[n], part);
                }
            }
            chosen = largest(times(router, pooled(x)));
            x = only(given, chosen, convolution(shared(given, layer), x));
            for (double[][] channel : x) {
                for (int i = 0; i < channel.length; i++) {
                    channel[i] = each(channel[i], Textbook::relu);
                }
            }
            for (int n = 0; n < count; n++) {
                for (int m = 0; m < count; m++) {
                    given.work().came(GATE, n == chosen && m == before);
                }
            }
        }
        return new double[][] {pooled(x)};
    }

    /** The weight of a layer from its tiles, as rows of a filter: one channel behind the other. */
    private static double[][] shared(Given given, String layer) {
        int width = given.size("P");
        int all = width * given.size("N");
        double[][] weight = new double[all * all * 3][];
        for (int e = 0; e < all; e++) {
            for (int c = 0; c < all; c++) {
                int tile = e / width * given.size("N") + c / width;
                double[][] rows = given.matrix(layer + ".parts." + tile + ".weight");
                for (int u = 0; u < 3; u++) {
                    weight[(e * all + c) * 3 + u] =
                            rows[(e % width * width + c % width) * 3 + u];
                }
            }
        }
        return weight;
    }

    /** Without the channels of the other pathways. */
    private static double[][][] only(Given given, int chosen, double[][][] x) {
        for (int e = 0; e < x.length; e++) {
            if (e / given.size("P") != chosen) {
                x[e] = new double[x[e].length][x[e][0].length];
            }
        }
        return x;
    }

    /** Pixels with their channels as images of one channel each. */
    private static double[][][] channels(double[][] pixels, int columns) {
        double[][][] x = new double[pixels[0].length][pixels.length / columns][columns];
        for (int p = 0; p < pixels.length; p++) {
            for (int c = 0; c < x.length; c++) {
                x[c][p / columns][p % columns] = pixels[p][c];
            }
        }
        return x;
    }
}
