package dev.weir.testkit.ideas;

import static dev.weir.testkit.ideas.Textbook.add;
import static dev.weir.testkit.ideas.Textbook.dot;
import static dev.weir.testkit.ideas.Textbook.plus;
import static dev.weir.testkit.ideas.Textbook.rmsNorm;
import static dev.weir.testkit.ideas.Textbook.softmax;
import static dev.weir.testkit.ideas.Textbook.swiGlu;
import static dev.weir.testkit.ideas.Textbook.times;

import org.junit.jupiter.api.Test;

/** R16: causal attention among all tokens; every weight is the one of the token's modality. */
class ModalityExpertsTest {
    @Test
    void isTheTextbooks() {
        Idea.example("modality_experts").sizes("D=6 H=3 C=2 F=5 L=1")
                .form("one by one", text -> Routes.oneByOne(text, "M", "E"))
                .is(ModalityExpertsTest::textbook);
    }

    private static double[][] textbook(Given given) {
        double[][] x = Textbook.copy(given.rows("x"));
        int[] modality = given.ids("modality");
        int heads = given.size("H");
        int width = given.size("C");
        for (int i = 0; i < given.size("L"); i++) {
            double[][][] asked = new double[3][x.length][];
            for (int t = 0; t < x.length; t++) {
                double[] h = rmsNorm(given.vector(of(i, "norm", modality[t]) + ".scale"), x[t]);
                asked[0][t] = times(given.matrix(of(i, "query", modality[t]) + ".weight"), h);
                asked[1][t] = times(given.matrix(of(i, "key", modality[t]) + ".weight"), h);
                asked[2][t] = times(given.matrix(of(i, "value", modality[t]) + ".weight"), h);
                for (String name : new String[] {"norm", "query", "network"}) {
                    given.work().served("layers." + i + "." + name + ".experts", modality[t], 3);
                }
            }
            for (int t = 0; t < x.length; t++) {
                double[] z = new double[0];
                for (int h = 0; h < heads; h++) {
                    double[] score = new double[t + 1];
                    for (int s = 0; s <= t; s++) {
                        score[s] = dot(head(asked[0][t], h, width), head(asked[1][s], h, width))
                                / Math.sqrt(width);
                    }
                    double[] p = softmax(score);
                    double[] read = new double[width];
                    for (int s = 0; s <= t; s++) {
                        add(read, p[s], head(asked[2][s], h, width));
                    }
                    z = Textbook.joined(z, read);
                }
                double[] a = plus(x[t],
                        times(given.matrix(of(i, "out", modality[t]) + ".weight"), z));
                double[] normed = rmsNorm(
                        given.vector(of(i, "network_norm", modality[t]) + ".scale"), a);
                x[t] = plus(a, swiGlu(given, of(i, "network", modality[t]), normed));
            }
        }
        return x;
    }

    private static String of(int layer, String name, int modality) {
        return "layers." + layer + "." + name + ".experts." + modality;
    }

    private static double[] head(double[] all, int head, int width) {
        return Textbook.part(all, head * width, (head + 1) * width);
    }
}
