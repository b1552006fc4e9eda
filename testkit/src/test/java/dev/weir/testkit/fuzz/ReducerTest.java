package dev.weir.testkit.fuzz;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.weir.frontend.Frontend;
import dev.weir.ir.diagnostic.Source;
import dev.weir.ir.diagnostic.WeirException;
import dev.weir.ir.tensor.Node;
import dev.weir.ir.tensor.Parser;
import dev.weir.ir.tensor.TensorProgram;
import dev.weir.ir.tensor.Verifier;
import dev.weir.ir.tensor.Walk;
import dev.weir.testkit.TestModel;
import dev.weir.testkit.random.Recipe;
import dev.weir.testkit.random.Trial;
import java.util.Optional;
import java.util.Random;
import java.util.concurrent.atomic.AtomicInteger;
import org.junit.jupiter.api.Test;

/** What a failing text shrinks to. */
class ReducerTest {

    private static boolean hasTopK(String text) {
        try {
            TensorProgram program = Parser.parse(new Source("test.tensor", text));
            AtomicInteger found = new AtomicInteger();
            Walk.nodes(program, node -> {
                if (node instanceof Node.TopK) {
                    found.incrementAndGet();
                }
            });
            return found.get() > 0 && Verifier.verify(program).isEmpty();
        } catch (WeirException malformed) {
            return false;
        }
    }

    /** A node of one kind in a sound program needs a few lines. */
    @Test
    void leavesOfADumpWhatFailsAndWhatItNeeds() {
        Random random = new Random(1);
        String text;
        do {
            String all = Trial.text(Recipe.random(random));
            text = all.substring(all.indexOf("program "));
        } while (!hasTopK(text) || text.lines().count() < 14);
        String smallest = Reducer.reduce(text, ReducerTest::hasTopK, () -> false);
        assertTrue(hasTopK(smallest));
        assertTrue(smallest.lines().filter(l -> !l.isBlank()).count() <= 6, smallest);
    }

    @Test
    void leavesOfASourceWhatFailsAndWhatItNeeds() {
        String text = TestModel.library().find("stdlib.attention").orElseThrow().text();
        String smallest = Reducer.reduce(text,
                t -> t.contains("softmax[") && Frontend.format(new Source("test.weir", t))
                        .text().isPresent(), () -> false);
        assertTrue(smallest.contains("softmax[") && smallest.length() < 100, smallest);
    }

    @Test
    void putsPartsInThePlaceOfTheWholeAndLowersNumbers() {
        assertEquals("g(1)", Reducer.reduce("f(h(2, g(77)), 5)", t -> t.matches(
                "([a-z]\\(.*)?g\\([1-9]\\d*\\).*") && closes(t), () -> false));
    }

    private static boolean closes(String text) {
        return text.chars().filter(c -> c == '(').count()
                == text.chars().filter(c -> c == ')').count();
    }

    @Test
    void stopsWhenTimeIsUp() {
        assertEquals("a b c", Reducer.reduce("a b c", t -> true, () -> true));
    }

    /** Diagnostics are no failure, nor is a dump that contradicts itself. */
    @Test
    void whatIsRefusedDoesNotFail() {
        try (Reduction dumps = new Reduction(true, "{}")) {
            assertEquals(Optional.empty(), dumps.kind("program"));
            String all = Trial.text(Recipe.random(new Random(3)));
            String program = all.substring(all.indexOf("program "));
            assertEquals(Optional.empty(), dumps.kind(program));
        }
        try (Reduction sources = new Reduction(false, "{}")) {
            assertEquals(Optional.empty(), sources.kind("model {"));
            // Instances in two lists, one in the other.
            assertEquals(Optional.empty(), sources.kind("""
                    block Inner<D> { param w[D, D] forward(x[D]) -> y[D] = w @ x }
                    block Outer<D> {
                        inner: Inner<D> * 3
                        forward(x[D]) -> y[D] { y = x  for i in 0..3 { y = y + inner[i](y) } }
                    }
                    model M<D = 16> {
                        outer: Outer<D> * 2
                        forward(x[T, D]) -> y[T, D] { y = x  for i in 0..2 { y = outer[i](y) } }
                    }
                    """));
            assertEquals(Optional.empty(), sources.kind(
                    "model M { forward(x[T]: f32) -> y[T] { y[t] = 2 * x[t] } }"));
        }
    }
}
