package dev.weir.testkit.random;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.weir.testkit.random.Recipe.Step;
import java.util.List;
import java.util.Optional;
import java.util.Random;
import net.jqwik.api.Shrinkable;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/** What a failure shrinks to. */
class ShrinkingTest {

    /**
     * What is wrong about one kind of step shrinks to a program of nothing but this step, with
     * the least of everything.
     */
    @ParameterizedTest
    @EnumSource(Kind.class)
    void leavesNothingThatAFailureDoesNotNeed(Kind planted) {
        Random random = new Random(planted.ordinal());
        Recipe failing = Recipe.random(random);
        while (!fails(failing, planted)) {
            failing = Recipe.random(random);
        }
        List<Step> steps = List.of(new Step(planted, 0, 0, 0, List.of()));
        assertEquals(new Recipe(true, 0, List.of(1), 0, steps), smallest(failing, planted));
    }

    private static Recipe smallest(Recipe failing, Kind planted) {
        Shrinkable<Recipe> smallest = new SmallerRecipe(failing);
        Optional<Shrinkable<Recipe>> smaller = Optional.of(smallest);
        while (smaller.isPresent()) {
            smallest = smaller.get();
            smaller = smallest.shrink().filter(s -> fails(s.value(), planted)).findFirst();
            assertTrue(smaller.isEmpty()
                    || smaller.get().distance().compareTo(smallest.distance()) < 0);
        }
        return smallest.value();
    }

    private static boolean fails(Recipe recipe, Kind planted) {
        return Maker.make(recipe, false).kinds().contains(planted);
    }
}
