package dev.weir.testkit.ideas;

import static dev.weir.testkit.ideas.Textbook.add;
import static dev.weir.testkit.ideas.Textbook.rmsNorm;
import static dev.weir.testkit.ideas.Textbook.sigmoid;
import static dev.weir.testkit.ideas.Textbook.softmax;
import static dev.weir.testkit.ideas.Textbook.swiGlu;
import static dev.weir.testkit.ideas.Textbook.times;
import static dev.weir.testkit.ideas.Textbook.top;

import java.util.Arrays;
import org.junit.jupiter.api.Test;

/** G09: a token leaves behind the first layer whose gate trusts the head that stands there. */
class JointExitsTest {
    @Test
    void isTheTextbooks() {
        Idea.example("joint_exits").sizes("D=5 F=3 V=4 L=3").tokens(19)
                .form("with a flag for a break", text -> text
                        .replace("for i in 0..L {", """
                                there[t in 0..T] = 1.0
                                for i in 0..L {
                                    if there > 0.5 {""")
                        .replace("if sure > 0.5 { break }",
                                "there[t] = if sure[t] > 0.5 { 0.0 } else { 1.0 } }"))
                .is(JointExitsTest::textbook);
    }

    private static double[][] textbook(Given given) {
        double[][] x = given.rows("x");
        double[][] logits = new double[x.length][];
        int[] left = new int[x.length];
        for (int t = 0; t < x.length; t++) {
            double[] y = x[t].clone();
            for (int i = 0; i < given.size("L"); i++) {
                add(y, 1, swiGlu(given, "layers." + i,
                        rmsNorm(given.vector("norms." + i + ".scale"), y)));
                logits[t] = times(given.matrix("exits." + i + ".head"), y);
                double[] p = softmax(logits[t]);
                double entropy = 0;
                for (double v : p) {
                    entropy -= v * Math.log(v + 1e-9);
                }
                int[] best = top(2, p);
                double[] trust = given.vector("exits." + i + ".trust");
                double score = trust[0] * p[best[0]] + trust[1] * (p[best[0]] - p[best[1]])
                        + trust[2] * entropy + given.scalar("exits." + i + ".threshold");
                left[t] = i;
                boolean trusts = given.work().isAbove("sure", sigmoid(score), 0.5);
                given.work().came("gate0", trusts);
                if (trusts) {
                    break;
                }
            }
        }
        // A round runs as long as somebody is there, and those who have left do not enter.
        for (int i = 0; i <= Arrays.stream(left).max().orElseThrow(); i++) {
            for (int last : left) {
                given.work().came("gate1", i <= last);
            }
        }
        return logits;
    }
}
