package dev.weir.testkit.random;

import static org.junit.jupiter.api.Assertions.assertEquals;

import dev.weir.testkit.random.Recipe.Step;
import java.util.List;
import java.util.Random;
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
        assertEquals(new Recipe(true, 0, List.of(1), 0, steps),
                failing.smallest(recipe -> fails(recipe, planted)));
    }

    private static boolean fails(Recipe recipe, Kind planted) {
        return Maker.make(recipe, false).kinds().contains(planted);
    }
}
