package dev.weir.testkit.random;

import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import net.jqwik.api.Arbitraries;
import net.jqwik.api.Arbitrary;
import net.jqwik.api.Combinators;

/**
 * The choices that make a random program. Every recipe gives a valid program, because choices are
 * taken modulo what there is to choose from: so shrinking may drop any step and lower any number.
 *
 * @param exact whether data are whole numbers small enough for f32 to be exact
 * @param width chooses the size of a token
 * @param rows how many rows each sequence of the batch has
 * @param data seeds weights and inputs
 * @param steps what is computed, in order
 */
public record Recipe(boolean exact, int width, List<Integer> rows, int data, List<Step> steps) {

    /**
     * One choice of what to compute.
     *
     * @param kind which {@link Kind}, modulo those that are possible where the step stands
     * @param inner the steps of a function or region that it makes
     */
    public record Step(int kind, int a, int b, int c, List<Step> inner) {
        @Override
        public String toString() {
            return "(" + kind + " " + a + " " + b + " " + c
                    + (inner.isEmpty() ? "" : " " + inner) + ")";
        }
    }

    /** Lengths around the vector sizes, and a sequence without new rows. */
    private static final List<Integer> ROWS = List.of(1, 0, 2, 3, 5, 7, 8, 9, 11, 15, 16, 17);

    public static Arbitrary<Recipe> arbitrary() {
        Arbitrary<Integer> number = Arbitraries.integers().between(0, 999).withoutEdgeCases();
        Arbitrary<Step> leaf = step(number, Arbitraries.just(List.of()));
        Arbitrary<Step> inner = step(number, leaf.list().ofMaxSize(3));
        Arbitrary<Step> outer = step(number, inner.list().ofMaxSize(4));
        return Combinators.combine(
                        Arbitraries.of(true, false),
                        number,
                        Arbitraries.of(ROWS).list().ofMinSize(1).ofMaxSize(3),
                        number,
                        outer.list().ofMinSize(1).ofMaxSize(6))
                .as(Recipe::new);
    }

    private static Arbitrary<Step> step(Arbitrary<Integer> number, Arbitrary<List<Step>> inner) {
        return Combinators.combine(number, number, number, number, inner).as(Step::new);
    }

    /** The recipe of a seed, for long searches outside of the build. */
    public static Recipe random(long seed) {
        Random random = new Random(seed * 0x9E3779B97F4A7C15L);
        List<Integer> rows = new ArrayList<>();
        int sequences = 1 + random.nextInt(3);
        for (int i = 0; i < sequences; i++) {
            rows.add(ROWS.get(random.nextInt(ROWS.size())));
        }
        return new Recipe(random.nextBoolean(), random.nextInt(1000), rows,
                random.nextInt(1000), steps(random, 2 + random.nextInt(4), 3));
    }

    private static List<Step> steps(Random random, int count, int depth) {
        List<Step> steps = new ArrayList<>();
        for (int i = 0; i < count; i++) {
            List<Step> inner = depth == 1
                    ? List.of()
                    : steps(random, random.nextInt(depth + 1), depth - 1);
            steps.add(new Step(random.nextInt(1000), random.nextInt(1000),
                    random.nextInt(1000), random.nextInt(1000), inner));
        }
        return steps;
    }
}
