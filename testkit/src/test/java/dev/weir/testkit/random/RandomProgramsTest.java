package dev.weir.testkit.random;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.weir.codegen.jvm.BytecodeCompiler;
import dev.weir.codegen.llvm.LlvmCompiler;
import dev.weir.ir.kernel.Expression;
import dev.weir.ir.kernel.HostStatement;
import dev.weir.ir.kernel.KernelCompiler;
import dev.weir.ir.kernel.Statement;
import dev.weir.ir.kernel.TargetDescription;
import dev.weir.ir.operation.Operation;
import dev.weir.ir.tensor.Node;
import dev.weir.ir.tensor.Printer;
import dev.weir.ir.tensor.Reduction;
import dev.weir.ir.tensor.Scalar;
import dev.weir.ir.tensor.TensorProgram;
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
 * Random programs mean the same however they are run, see {@link Agreement}. Every program runs
 * through the native back end, on this machine's vectors or on narrower ones by turns, and
 * two of three through the JVM's too.
 *
 * <p>The seed is fixed, so that a build that passed passes again and that what failed fails again;
 * to search further, change {@link #SEED} or {@link #PROGRAMS}. jqwik prints the recipe that it
 * shrank a failure to; the failure itself holds the program.
 */
@PropertyDefaults(
        edgeCases = EdgeCasesMode.NONE,
        generation = GenerationMode.RANDOMIZED,
        shrinking = ShrinkingMode.BOUNDED,
        afterFailure = AfterFailureMode.RANDOM_SEED)
class RandomProgramsTest {
    private static final String SEED = "20250728";
    private static final int PROGRAMS = 1000;
    /** In how many programs each thing that is counted has to occur. */
    private static final int LEAST = 20;

    private static final Coverage COVERAGE = new Coverage();
    private static final List<KernelCompiler> NATIVE = new ArrayList<>();
    private static final KernelCompiler JVM = new BytecodeCompiler();
    private static int programs;
    private static int dropped;
    private static boolean complete;

    @BeforeContainer
    static void open() {
        NATIVE.add(new LlvmCompiler());
        NATIVE.add(new LlvmCompiler(
                NATIVE.getFirst().target().lanes() > TargetDescription.AVX2.lanes()
                        ? TargetDescription.AVX2
                        : NATIVE.getFirst().target()));
    }

    @AfterContainer
    static void close() {
        NATIVE.forEach(KernelCompiler::close);
        NATIVE.clear();
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
        COVERAGE.next();
        Maker.Made made = Maker.make(recipe, false);
        TensorProgram program = made.program();
        try {
            Agreement agreement = new Agreement(program, recipe.exact(),
                    cut(made), made.length(), recipe.rows(), recipe.data(), COVERAGE);
            if (!recipe.exact() && !agreement.hasMargins(Maker.make(recipe, true).program())) {
                dropped++;
                complete = number == PROGRAMS - 1;
                return;
            }
            assertTrue(!made.chunks() || agreement.steps(), "it can be stepped");
            COVERAGE.note(recipe.exact() ? "exact" : "inexact");
            if (made.kinds().contains(Kind.SCAN)) {
                COVERAGE.note("scan");
            }
            TensorProgram optimised = agreement.passes();
            agreement.compiled(optimised, "native", NATIVE.get(number % 2), 1 + number / 2 % 2);
            if (number % 3 != 2) {
                agreement.compiled(optimised, "JVM", JVM, 1);
            }
        } catch (RuntimeException | AssertionError failure) {
            throw new AssertionError(failure.getMessage() + "\n" + recipe + "\nrows "
                    + recipe.rows() + " data " + recipe.data() + " exact " + recipe.exact() + "\n"
                    + Printer.print(program), failure);
        }
        complete = number == PROGRAMS - 1;
    }

    private static Agreement.Cut cut(Maker.Made made) {
        return made.chunks() && made.kinds().contains(Kind.CARRY)
                ? Agreement.Cut.AS_IT_IS : Agreement.Cut.AS_ANALYSED;
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
        Stream.of("elements", "points", "points, streamed", "points, streamed online",
                        "contraction", "grouped by instance", "scatter", "scatter, in order",
                        "selection", "grouping", "append to a state", "write to a state")
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
