package dev.weir.testkit;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.weir.frontend.Frontend;
import dev.weir.ir.diagnostic.Diagnostic;
import dev.weir.ir.diagnostic.Source;
import dev.weir.ir.tensor.Value;
import dev.weir.ir.type.Format;
import dev.weir.runtime.memory.Tensor;
import dev.weir.runtime.model.Engine;
import dev.weir.testkit.TestModel.Target;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import java.util.regex.Pattern;
import java.util.stream.Stream;
import org.junit.jupiter.api.DynamicTest;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestFactory;

/** The examples of the language's page are right, and mean the same on all targets. */
class LanguagePageTest {
    private static final Pattern EXAMPLE = Pattern.compile("(?s)```weir\\n(.*?)```");
    private static final int[] STEPS = {5, 1, 3};

    private static List<String> examples() {
        String page = TestModel.text(TestModel.ROOT.resolve("docs/language.md"));
        return EXAMPLE.matcher(page).results().map(m -> m.group(1)).toList();
    }

    @Test
    void thePageHasExamples() {
        assertTrue(examples().size() >= 8, "examples: " + examples().size());
    }

    @TestFactory
    Stream<DynamicTest> everyExampleRuns() {
        List<String> all = examples();
        return all.stream().map(e -> DynamicTest.dynamicTest(
                "example " + (all.indexOf(e) + 1), () -> runs(e)));
    }

    private static void runs(String example) throws Exception {
        List<Diagnostic> found = Frontend.check(
                new Source("example.weir", example), TestModel.LIBRARY).diagnostics();
        assertEquals(List.of(), found);
        Tensor expected;
        try (TestModel oracle = TestModel.random(example, 7, Target.INTERPRETER, 1)) {
            expected = run(oracle);
        }
        for (Target target : List.of(Target.JVM, Target.NATIVE)) {
            try (TestModel model = TestModel.random(example, 7, target, 2)) {
                FixtureTest.assertClose(target + "", expected, run(model));
            }
        }
    }

    /** The last of a few steps, if the model can be stepped; of the first one otherwise. */
    private static Tensor run(TestModel model) {
        boolean once = model.program().stream().orElseThrow().obstacle().isPresent();
        Engine.Session session = model.engine().start();
        Tensor last = null;
        for (int step = 0; step < (once ? 1 : STEPS.length); step++) {
            long[] rows = {STEPS[step]};
            List<Tensor> arguments = new ArrayList<>();
            for (Value argument : model.program().entry().body().arguments()) {
                arguments.add(argument.name().equals("positions")
                        ? Engine.positions(List.of(session), rows)
                        : input(argument, STEPS[step], step));
            }
            last = model.engine().step(
                    List.of(session), rows, arguments, Engine.Tracer.NONE).getFirst();
        }
        return last;
    }

    private static Tensor input(Value argument, int rows, long seed) {
        Random random = new Random(seed);
        long[] shape = argument.type().shape().stream()
                .mapToLong(s -> s.constant().orElse((long) rows)).toArray();
        Tensor x = Tensor.zeros(argument.type().format(), shape);
        for (long i = 0; i < x.elements(); i++) {
            if (argument.type().format() == Format.I64) {
                x.setWhole(i, random.nextInt(5));
            } else {
                x.setReal(i, random.nextGaussian());
            }
        }
        return x;
    }
}
