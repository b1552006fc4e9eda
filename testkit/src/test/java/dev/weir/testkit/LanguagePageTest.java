package dev.weir.testkit;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.weir.frontend.Frontend;
import dev.weir.ir.diagnostic.Diagnostic;
import dev.weir.ir.diagnostic.Source;
import dev.weir.ir.tensor.TensorProgram;
import dev.weir.ir.tensor.Value;
import dev.weir.ir.type.Format;
import dev.weir.runtime.memory.Tensor;
import dev.weir.runtime.model.Engine;
import dev.weir.testkit.TestModel.Target;
import java.util.ArrayList;
import java.util.Comparator;
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
        List<Diagnostic> diagnostics = Frontend.check(
                new Source("example.weir", example), TestModel.LIBRARY).diagnostics();
        assertEquals(List.of(), diagnostics);
        List<Tensor> expected;
        try (TestModel oracle = TestModel.random(example, 7, Target.INTERPRETER, 1)) {
            expected = run(oracle);
        }
        for (Target target : List.of(Target.JVM, Target.NATIVE)) {
            try (TestModel model = TestModel.random(example, 7, target, 2)) {
                List<Tensor> actual = run(model);
                assertEquals(expected.size(), actual.size());
                for (int i = 0; i < expected.size(); i++) {
                    FixtureTest.assertClose(
                            target + ", result " + i, expected.get(i), actual.get(i));
                }
            }
        }
    }

    /** All results: of entries that take a sequence as a whole once, of others in a few steps. */
    private static List<Tensor> run(TestModel model) {
        Engine.Session session = model.engine().start();
        List<TensorProgram> entries = model.programs().stream()
                .sorted(Comparator.comparing(p -> !isWhole(p))).toList();
        List<Tensor> results = new ArrayList<>();
        for (int step = 0; step < STEPS.length; step++) {
            long[] rows = {STEPS[step]};
            for (TensorProgram program : entries) {
                if (step > 0 && isWhole(program)) {
                    continue;
                }
                List<Tensor> arguments = new ArrayList<>();
                for (Value argument : program.entry().body().arguments()) {
                    arguments.add(argument.name().equals("positions")
                            ? Engine.positions(List.of(session), rows)
                            : input(argument, STEPS[step], step));
                }
                results.addAll(model.engine().step(program.entry().name(),
                        List.of(session), rows, arguments, Engine.Tracer.NONE));
            }
        }
        return results;
    }

    private static boolean isWhole(TensorProgram program) {
        return program.stream().orElseThrow().obstacle().isPresent();
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
