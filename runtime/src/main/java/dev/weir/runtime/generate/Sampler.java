package dev.weir.runtime.generate;

import dev.weir.runtime.memory.Tensor;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.random.RandomGenerator;
import java.util.random.RandomGeneratorFactory;

/** Chooses the next token from a row of logits. */
public final class Sampler {
    private final double temperature;
    private final int topK;
    private final double topP;
    private final RandomGenerator random;

    /**
     * @param temperature 0 always takes the largest logit; of equal ones that with the lower id
     * @param topK only so many of the largest are eligible; 0 for all
     * @param topP only the fewest that have this much probability together; 1 for all
     */
    public Sampler(double temperature, int topK, double topP, long seed) {
        this.temperature = temperature;
        this.topK = topK;
        this.topP = topP;
        this.random = RandomGeneratorFactory.of("L64X128MixRandom").create(seed);
    }

    public static Sampler greedy() {
        return new Sampler(0, 0, 1, 0);
    }

    /**
     * @param logits {@code [rows, vocabulary]}
     */
    public long next(Tensor logits, long row) {
        long vocabulary = logits.shape()[1];
        long begin = row * vocabulary;
        if (temperature <= 0) {
            long best = 0;
            for (long i = 1; i < vocabulary; i++) {
                if (logits.real(begin + i) > logits.real(begin + best)) {
                    best = i;
                }
            }
            return best;
        }
        List<Long> order = new ArrayList<>();
        for (long i = 0; i < vocabulary; i++) {
            order.add(i);
        }
        order.sort(Comparator.comparingDouble((Long i) -> -logits.real(begin + i))
                .thenComparing(i -> i));
        int eligible = topK > 0 ? Math.min(topK, order.size()) : order.size();
        double[] weights = new double[eligible];
        double largest = logits.real(begin + order.getFirst());
        double sum = 0;
        for (int i = 0; i < eligible; i++) {
            weights[i] = Math.exp((logits.real(begin + order.get(i)) - largest) / temperature);
            sum += weights[i];
        }
        double kept = 0;
        int count = 0;
        while (count < eligible && (count == 0 || kept < topP * sum)) {
            kept += weights[count++];
        }
        double at = random.nextDouble() * kept;
        for (int i = 0; i < count; i++) {
            at -= weights[i];
            if (at < 0) {
                return order.get(i);
            }
        }
        return order.get(count - 1);
    }
}
