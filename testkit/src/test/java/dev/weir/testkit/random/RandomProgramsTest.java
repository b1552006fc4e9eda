package dev.weir.testkit.random;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.weir.ir.kernel.Expression;
import dev.weir.ir.kernel.HostStatement;
import dev.weir.ir.kernel.Statement;
import dev.weir.ir.operation.Operation;
import dev.weir.ir.tensor.Node;
import dev.weir.ir.tensor.Reduction;
import dev.weir.ir.tensor.Scalar;
import dev.weir.passes.pipeline.Passes;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import java.util.stream.Stream;
import net.jqwik.api.AfterFailureMode;
import net.jqwik.api.Arbitrary;
import net.jqwik.api.EdgeCasesMode;
import net.jqwik.api.ForAll;
import net.jqwik.api.GenerationMode;
import net.jqwik.api.Property;
import net.jqwik.api.PropertyDefaults;
import net.jqwik.api.Provide;
import net.jqwik.api.ShrinkingMode;
import net.jqwik.api.lifecycle.AfterContainer;
import net.jqwik.api.lifecycle.BeforeContainer;

/**
 * Random programs mean the same however they are run, see {@link Trial}. Every program runs through
 * the native back end, and two of three through the JVM's too.
 *
 * <p>The seed is fixed, so that a build that passed passes again and that what failed fails again;
 * to search further, run {@code weir-fuzz}. jqwik prints the recipe that it shrank a failure to; the
 * failure itself holds the program.
 */
@PropertyDefaults(
        edgeCases = EdgeCasesMode.NONE,
        generation = GenerationMode.RANDOMIZED,
        shrinking = ShrinkingMode.BOUNDED,
        afterFailure = AfterFailureMode.RANDOM_SEED)
class RandomProgramsTest {
    private static final String SEED = "20250728";
    private static final int PROGRAMS = 600;
    /** In how many programs each thing that is counted has to occur. */
    private static final int LEAST = 10;

    private static final Coverage COVERAGE = new Coverage();
    private static final List<Trial> TRIAL = new ArrayList<>();
    private static int programs;
    private static int dropped;
    private static boolean complete;

    @BeforeContainer
    static void open() {
        TRIAL.add(new Trial(COVERAGE));
    }

    @AfterContainer
    static void close() {
        TRIAL.forEach(Trial::close);
        TRIAL.clear();
        if (complete) {
            assertCovered();
        }
    }

    @Provide
    Arbitrary<Recipe> recipes() {
        return Recipe.arbitrary();
    }

    @Property(seed = SEED, tries = PROGRAMS)
    void meanTheSameHoweverTheyAreRun(@ForAll("recipes") Recipe recipe) {
        int number = programs++;
        complete = false;
        if (!TRIAL.getFirst().run(recipe, number, number % 3 != 1)) {
            dropped++;
        }
        complete = number == PROGRAMS - 1;
    }

    // ------------------------------------------------------------------ coverage

    /** What only the lift pass makes, and what it leaves none of. */
    private static final Set<Class<?>> LIFTED_ONLY = Set.of(
            Node.Grouping.class, Node.Measure.class,
            Node.AppendRows.class, Node.WriteRows.class, Node.Tally.class);
    private static final Set<Class<?>> UNLIFTED_ONLY = Set.of(
            Node.Call.class, Node.Route.class, Node.Gate.class,
            Node.Append.class, Node.Read.class, Node.Write.class);

    private static void assertCovered() {
        System.out.println(COVERAGE + "dropped for want of a margin: " + dropped + " of "
                + programs);
        List<String> expected = new ArrayList<>();
        for (Class<?> kind : Node.class.getPermittedSubclasses()) {
            if (!LIFTED_ONLY.contains(kind)) {
                expected.add("unlifted " + kind.getSimpleName());
            }
            if (!UNLIFTED_ONLY.contains(kind)) {
                expected.add("lifted " + kind.getSimpleName());
            }
        }
        for (String stage : List.of("unlifted ", "lifted ")) {
            expected.addAll(classes(stage + "scalar ", Scalar.class));
            expected.addAll(constants(stage + "load ", Scalar.Bounds.values()));
            expected.addAll(constants(stage + "operation ", Operation.values()));
            expected.addAll(constants(stage + "reduction ", Reduction.Kind.values()));
            expected.addAll(List.of(
                    stage + "Compute along a part", stage + "Scatter along a part",
                    stage + "Loop from a number", stage + "Loop up to a number"));
        }
        expected.addAll(constants("lifted tally ", Node.TallyKind.values()));
        expected.addAll(classes("kernel ", Statement.class));
        expected.addAll(classes("expression ", Expression.class));
        expected.addAll(constants("expression ", Expression.UnaryOperation.values()));
        expected.addAll(constants("expression ", Expression.BinaryOperation.values()));
        expected.addAll(constants("expression ", Expression.Comparison.values()));
        expected.addAll(classes("host ", HostStatement.class));
        expected.addAll(classes("buffer ", HostStatement.Operand.class));
        expected.addAll(List.of("in chunks without a tail", "with a tail as state", "scan"));
        Passes.ALL.forEach(pass -> expected.add("pass " + pass.name()));
        Stream.of("elements", "points", "points, streamed", "points in blocks, streamed online",
                        "contraction", "grouped by instance", "scatter", "scatter, in order",
                        "selection", "grouping", "append to a state", "fill a state",
                        "write to a state", "recurrence")
                .forEach(form -> expected.add("form " + form));
        List<String> rare = expected.stream()
                .filter(what -> COVERAGE.programsWith(what) < LEAST)
                .map(what -> what + " in " + COVERAGE.programsWith(what) + " programs")
                .toList();
        assertEquals(List.of(), rare);
        assertTrue(dropped * 20 <= programs, dropped + " dropped");
        assertTrue(programs - dropped >= 300, programs + " programs");
    }

    private static List<String> classes(String prefix, Class<?> sealed) {
        return Stream.of(sealed.getPermittedSubclasses())
                .map(kind -> prefix + kind.getSimpleName())
                .toList();
    }

    private static List<String> constants(String prefix, Enum<?>[] constants) {
        return Stream.of(constants).map(constant -> prefix + constant.name()).toList();
    }
}
