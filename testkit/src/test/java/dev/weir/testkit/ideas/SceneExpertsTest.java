package dev.weir.testkit.ideas;

import static dev.weir.testkit.ideas.Textbook.add;
import static dev.weir.testkit.ideas.Textbook.largest;
import static dev.weir.testkit.ideas.Textbook.relu;
import static dev.weir.testkit.ideas.Textbook.softmax;
import static dev.weir.testkit.ideas.Textbook.times;

import org.junit.jupiter.api.Test;

/** R11: a coarse hash grid says which of four experts, each with a hash grid, a point gets. */
class SceneExpertsTest {
    private static final int[] LEVELS = {2, 3, 4, 6};
    private static final double[] COARSE = {4, 8, 8, 16};

    @Test
    void isTheTextbooks() {
        Idea.example("scene_experts").sizes("N=11 E=1 F=3 Out=2").tokens(41).seed(8)
                .form("one by one", text -> Routes.oneByOne(text, "4", "Out"))
                .is(SceneExpertsTest::textbook);
    }

    private static double[][] textbook(Given given) {
        double[][] points = given.rows("p");
        double[][] y = new double[points.length][];
        for (int t = 0; t < points.length; t++) {
            double[] point = Textbook.each(points[t], Textbook::sigmoid);
            double[] h = grid(given, "scene.gate_grid", point, 2, 4);
            double[] score = new double[4];
            for (int n = 0; n < 4; n++) {
                score[n] = Textbook.dot(flat(given.cube("scene.gate")[n]), h);
            }
            double[] p = softmax(score);
            int e = largest(p);
            given.work().served("scene.experts", e, 4);
            String expert = "scene.experts." + e;
            double[] features = grid(given, expert + ".grid", point, LEVELS[e], COARSE[e]);
            double[] hidden = new double[given.size("F")];
            for (int f = 0; f < hidden.length; f++) {
                hidden[f] = relu(Textbook.dot(
                        flat(given.cube(expert + ".hidden")[f]), features));
            }
            y[t] = Textbook.scaled(p[e], times(given.matrix(expert + ".out"), hidden));
        }
        return y;
    }

    private static double[] flat(double[][] rows) {
        double[] all = new double[0];
        for (double[] row : rows) {
            all = Textbook.joined(all, row);
        }
        return all;
    }

    /** Features of all levels, one behind the other. */
    private static double[] grid(
            Given given, String path, double[] point, int levels, double coarse) {
        double[] all = new double[0];
        for (int l = 0; l < levels; l++) {
            double[][] table = given.cube(path + ".table")[l];
            double resolution = coarse * Math.pow(1.5, l);
            double[] y = new double[table[0].length];
            for (int dx = 0; dx < 2; dx++) {
                for (int dy = 0; dy < 2; dy++) {
                    for (int dz = 0; dz < 2; dz++) {
                        long hash = corner(point[0], resolution, dx)
                                ^ corner(point[1], resolution, dy) * 2654435761L
                                ^ corner(point[2], resolution, dz) * 805459861L;
                        double weight = share(point[0], resolution, dx)
                                * share(point[1], resolution, dy)
                                * share(point[2], resolution, dz);
                        add(y, weight, table[(int) Math.floorMod(hash, table.length)]);
                    }
                }
            }
            all = Textbook.joined(all, y);
        }
        return all;
    }

    private static long corner(double at, double resolution, int side) {
        return (long) Math.floor(at * resolution) + side;
    }

    private static double share(double at, double resolution, int side) {
        double inside = at * resolution - Math.floor(at * resolution);
        return side == 1 ? inside : 1 - inside;
    }
}
