package dev.weir.testkit.random;

import dev.weir.codegen.llvm.LlvmCompiler;
import dev.weir.ir.kernel.KernelCompiler;
import dev.weir.ir.kernel.TargetDescription;
import dev.weir.ir.tensor.Printer;
import dev.weir.ir.tensor.TensorProgram;
import java.util.List;

/**
 * Makes the programs of recipes and runs each in every way, see {@link Agreement}: two of three as
 * users run them, one of three on narrower vectors with code that LLVM hardly optimised; by turns on
 * one thread or two.
 */
public final class Trial implements AutoCloseable {
    /** The terms of sums in programs of which nothing is known. */
    private static final long LONG_SUMS = 1000;
    /** A batch, and short sequences, in which everything may decide the same way. */
    private static final List<List<Integer>> BATCHES =
            List.of(List.of(9, 0, 5), List.of(3), List.of(4), List.of(3), List.of(17));

    private final KernelCompiler usual;
    private final KernelCompiler narrow;
    private final KernelCompiler jvm = new BytecodeOnce();
    private final Coverage coverage;

    Trial(Coverage coverage) {
        this.coverage = coverage;
        LlvmCompiler wide = new LlvmCompiler();
        this.usual = new NativeOnce(wide);
        this.narrow = new NativeOnce(new LlvmCompiler(
                wide.target().lanes() > TargetDescription.AVX2.lanes()
                        ? TargetDescription.AVX2
                        : wide.target(),
                LlvmCompiler.Effort.LEAST));
    }

    /** One that does not ask what occurred. */
    public static Trial uncounted() {
        return new Trial(new Coverage());
    }

    /**
     * @param turn chooses the vectors and the number of threads
     * @param onJvm whether it runs through the back end for the JVM too
     * @return whether it was compared: a decision may have no room for the tolerance
     * @throws AssertionError if two ways differ, or one fails; with recipe and program
     */
    public boolean run(Recipe recipe, long turn, boolean onJvm) {
        coverage.next();
        Maker.Made made = Maker.make(recipe, false);
        TensorProgram program = made.program();
        try {
            Agreement agreement = new Agreement(program, recipe.exact(),
                    cut(made), made.length(), recipe.rows(), recipe.data(), coverage);
            if (!recipe.exact() && !hasRoom(agreement, recipe, made)) {
                return false;
            }
            if (made.chunks() && !agreement.steps()) {
                throw new AssertionError("it cannot be stepped");
            }
            coverage.note(recipe.exact() ? "exact" : "inexact");
            if (made.kinds().contains(Kind.SCAN)) {
                coverage.note("scan");
            }
            TensorProgram optimised = agreement.passes();
            int threads = 1 + (int) (turn / 3 % 2);
            if (turn % 3 == 2) {
                agreement.compiled(optimised, "narrow native", narrow, threads);
            } else {
                agreement.compiled(optimised, "native", usual, threads);
            }
            if (onJvm) {
                agreement.compiled(optimised, "JVM", jvm, 1);
            }
            return true;
        } catch (RuntimeException | AssertionError failure) {
            throw new AssertionError(failure.getMessage() + "\n" + text(recipe), failure);
        }
    }

    /** The machine of the kernels that most programs become. */
    public TargetDescription target() {
        return usual.target();
    }

    /**
     * Compares what a program that no recipe made gives in each way, in some batches of
     * fractions and within a tolerance for long sums. Where a decision hangs on the last bit two ways may differ rightly.
     *
     * @throws AssertionError if two ways differ
     */
    public void compare(TensorProgram program) {
        for (int seed = 0; seed < BATCHES.size(); seed++) {
            Agreement agreement = new Agreement(program, false, Agreement.Cut.AS_ANALYSED,
                    LONG_SUMS, BATCHES.get(seed), seed, coverage);
            TensorProgram optimised = agreement.passes();
            agreement.compiled(optimised, "native", usual, 2);
            agreement.compiled(optimised, "narrow native", narrow, 1);
            agreement.compiled(optimised, "JVM", jvm, 1);
        }
    }

    /** As {@link #run}, through compiled host programs: those of a jar, and of a library. */
    boolean runArtefacts(Recipe recipe, TargetDescription jar) throws Exception {
        Maker.Made made = Maker.make(recipe, false);
        if (made.kinds().contains(Kind.FILL)) {
            return false; // E0804: artefacts do not have it
        }
        try {
            Agreement agreement = new Agreement(made.program(), recipe.exact(), cut(made),
                    made.length(), recipe.rows(), recipe.data(), coverage);
            if (!recipe.exact() && !hasRoom(agreement, recipe, made)) {
                return false;
            }
            TensorProgram optimised = agreement.passes();
            agreement.artefact(optimised, "a jar", jar);
            agreement.artefact(optimised, "a library", usual.target());
            return true;
        } catch (RuntimeException | AssertionError failure) {
            throw new AssertionError(failure.getMessage() + "\n" + text(recipe), failure);
        }
    }

    /** A recipe with all that belongs to it, and its program. */
    public static String text(Recipe recipe) {
        return recipe + "\nrows " + recipe.rows() + " data " + recipe.data()
                + " exact " + recipe.exact() + "\n"
                + Printer.print(Maker.make(recipe, false).program());
    }

    /** Whether another rounding neither turns a decision nor grows from one round to the next. */
    private static boolean hasRoom(Agreement agreement, Recipe recipe, Maker.Made made) {
        boolean goesRound = made.kinds().contains(Kind.SCAN) || made.kinds().contains(Kind.LOOP);
        return agreement.hasMargins(Maker.make(recipe, true).program())
                && (!goesRound || agreement.isSteady());
    }

    private static Agreement.Cut cut(Maker.Made made) {
        return made.chunks() && made.kinds().contains(Kind.CARRY)
                ? Agreement.Cut.AS_IT_IS : Agreement.Cut.AS_ANALYSED;
    }

    @Override
    public void close() {
        usual.close();
        narrow.close();
        jvm.close();
    }
}
