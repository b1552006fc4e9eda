package dev.weir.testkit.random;

import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.Random;
import java.util.function.Predicate;
import java.util.stream.Collectors;
import net.jqwik.api.Arbitraries;
import net.jqwik.api.Arbitrary;
import net.jqwik.api.Shrinkable;

/**
 * The choices that make a random program. Every recipe gives a valid program, because choices are
 * taken modulo what there is to choose from, and a step that cannot stand where it is becomes a
 * pointwise one: so shrinking may drop or move any step and lower any number.
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
     * @param inner the steps of a function or region that it makes
     */
    public record Step(Kind kind, int a, int b, int c, List<Step> inner) {
        @Override
        public String toString() {
            return "(" + kind + " " + a + " " + b + " " + c
                    + (inner.isEmpty() ? "" : " " + inner) + ")";
        }
    }

    /** Lengths around the vector sizes, and a sequence without new rows; the simplest first. */
    static final List<Integer> ROWS = List.of(1, 0, 2, 3, 5, 7, 8, 9, 11, 15, 16, 17);

    /** Where the steps of an entry stand. */
    static final Kind.Place TOP = new Kind.Place(true, true, false);

    private static final int NUMBERS = 1000;

    /** Random recipes, which shrink as {@link SmallerRecipe} says. */
    public static Arbitrary<Recipe> arbitrary() {
        return Arbitraries.fromGenerator(random -> new SmallerRecipe(random(random)));
    }

    /** A recipe, half of all an exact one. */
    public static Recipe random(Random random) {
        List<Integer> rows = new ArrayList<>();
        int sequences = 1 + random.nextInt(3);
        for (int i = 0; i < sequences; i++) {
            rows.add(ROWS.get(random.nextInt(ROWS.size())));
        }
        return new Recipe(random.nextBoolean(), random.nextInt(NUMBERS), rows,
                random.nextInt(NUMBERS),
                steps(random, 1 + random.nextInt(5), 3, TOP));
    }

    /** The kinds of its steps: what is wrong with two recipes is one thing if these are equal. */
    public String kinds() {
        return kinds(steps);
    }

    private static String kinds(List<Step> steps) {
        return steps.stream()
                .map(s -> s.kind() + (s.inner().isEmpty() ? "" : " (" + kinds(s.inner()) + ")"))
                .collect(Collectors.joining(", "));
    }

    /**
     * The smallest recipe to which this one shrinks such that it still fails.
     *
     * @throws AssertionError if shrinking does not go down, and so might not end
     */
    public Recipe smallest(Predicate<Recipe> fails) {
        Shrinkable<Recipe> smallest = new SmallerRecipe(this);
        while (true) {
            Optional<Shrinkable<Recipe>> smaller =
                    smallest.shrink().filter(s -> fails.test(s.value())).findFirst();
            if (smaller.isEmpty()) {
                return smallest.value();
            }
            if (smaller.get().distance().compareTo(smallest.distance()) >= 0) {
                throw new AssertionError(smaller.get() + " is not smaller than " + smallest);
            }
            smallest = smaller.get();
        }
    }

    private static List<Step> steps(Random random, int count, int depth, Kind.Place place) {
        List<Step> steps = new ArrayList<>();
        for (int i = 0; i < count; i++) {
            Kind kind = kind(random, place);
            List<Step> inner = depth == 1 || !kind.hasInner()
                    ? List.of()
                    : steps(random, random.nextInt(depth + 1), depth - 1, place.inside(kind));
            steps.add(new Step(kind, random.nextInt(NUMBERS), random.nextInt(NUMBERS),
                    random.nextInt(NUMBERS), inner));
        }
        return steps;
    }

    private static Kind kind(Random random, Kind.Place place) {
        int all = 0;
        for (Kind kind : Kind.values()) {
            all += kind.weight(place);
        }
        int number = random.nextInt(all);
        for (Kind kind : Kind.values()) {
            number -= kind.weight(place);
            if (number < 0) {
                return kind;
            }
        }
        throw new AssertionError("no kind is possible");
    }
}
