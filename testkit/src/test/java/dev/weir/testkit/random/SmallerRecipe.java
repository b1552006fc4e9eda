package dev.weir.testkit.random;

import dev.weir.testkit.random.Recipe.Step;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.IntStream;
import java.util.stream.Stream;
import net.jqwik.api.Shrinkable;
import net.jqwik.api.ShrinkingDistance;

/**
 * A recipe with the recipes that are one change smaller: a step less, a step's inner steps in its
 * place, a simpler kind, a sequence less or a shorter one, a lower number.
 *
 * @param value the recipe
 */
record SmallerRecipe(Recipe value) implements Shrinkable<Recipe> {

    @Override
    public Stream<Shrinkable<Recipe>> shrink() {
        Stream<Recipe> steps = smaller(value.steps())
                .filter(s -> !s.isEmpty())
                .map(s -> with(value.exact(), value.width(), value.rows(), value.data(), s));
        Stream<Recipe> rows = smallerRows(value.rows())
                .map(r -> with(value.exact(), value.width(), r, value.data(), value.steps()));
        Stream<Recipe> exact = value.exact()
                ? Stream.empty()
                : Stream.of(with(
                        true, value.width(), value.rows(), value.data(), value.steps()));
        Stream<Recipe> widths = lower(value.width()).mapToObj(
                w -> with(value.exact(), w, value.rows(), value.data(), value.steps()));
        Stream<Recipe> data = lower(value.data()).mapToObj(
                d -> with(value.exact(), value.width(), value.rows(), d, value.steps()));
        return Stream.of(steps, rows, exact, widths, data)
                .flatMap(s -> s)
                .map(SmallerRecipe::new);
    }

    private static Recipe with(
            boolean exact, int width, List<Integer> rows, int data, List<Step> steps) {
        return new Recipe(exact, width, rows, data, steps);
    }

    /** Lists with one change; those that drop the most first. */
    private static Stream<List<Step>> smaller(List<Step> steps) {
        Stream<List<Step>> dropped = places(steps).map(i -> replaced(steps, i, List.of()));
        Stream<List<Step>> opened = places(steps)
                .filter(i -> !steps.get(i).inner().isEmpty())
                .map(i -> replaced(steps, i, steps.get(i).inner()));
        Stream<List<Step>> changed = places(steps).flatMap(i -> smaller(steps.get(i))
                .map(step -> replaced(steps, i, List.of(step))));
        return Stream.of(dropped, opened, changed).flatMap(s -> s);
    }

    private static Stream<Integer> places(List<Step> steps) {
        return IntStream.range(0, steps.size()).boxed();
    }

    private static <T> List<T> replaced(List<T> all, int place, List<T> by) {
        List<T> result = new ArrayList<>(all);
        result.remove(place);
        result.addAll(place, by);
        return List.copyOf(result);
    }

    private static Stream<Step> smaller(Step step) {
        Stream<Step> inner = smaller(step.inner())
                .map(s -> new Step(step.kind(), step.a(), step.b(), step.c(), s));
        Stream<Step> kind = step.kind() == Kind.POINTWISE
                ? Stream.empty()
                : Stream.of(new Step(Kind.POINTWISE, step.a(), step.b(), step.c(), List.of()));
        Stream<Step> a = lower(step.a())
                .mapToObj(n -> new Step(step.kind(), n, step.b(), step.c(), step.inner()));
        Stream<Step> b = lower(step.b())
                .mapToObj(n -> new Step(step.kind(), step.a(), n, step.c(), step.inner()));
        Stream<Step> c = lower(step.c())
                .mapToObj(n -> new Step(step.kind(), step.a(), step.b(), n, step.inner()));
        return Stream.of(inner, kind, a, b, c).flatMap(s -> s);
    }

    private static Stream<List<Integer>> smallerRows(List<Integer> rows) {
        Stream<List<Integer>> fewer = rows.size() == 1
                ? Stream.empty()
                : IntStream.range(0, rows.size()).mapToObj(i -> replaced(rows, i, List.of()));
        Stream<List<Integer>> shorter = IntStream.range(0, rows.size()).boxed()
                .flatMap(i -> lower(Recipe.ROWS.indexOf(rows.get(i)))
                        .mapToObj(n -> replaced(rows, i, List.of(Recipe.ROWS.get(n)))));
        return Stream.concat(fewer, shorter);
    }

    /** Small numbers, because choices are taken modulo small ones, then half, then one less. */
    private static IntStream lower(int number) {
        return IntStream.concat(IntStream.range(0, 6), IntStream.of(number / 2, number - 1))
                .filter(n -> n >= 0 && n < number)
                .distinct();
    }

    @Override
    public ShrinkingDistance distance() {
        long lengths = value.rows().stream().mapToLong(Recipe.ROWS::indexOf).sum();
        return ShrinkingDistance.of(
                steps(value.steps()),
                value.rows().size(),
                value.exact() ? 0 : 1,
                complexity(value.steps()) + lengths + value.width() + value.data());
    }

    private static long steps(List<Step> steps) {
        return steps.stream().mapToLong(s -> 1 + steps(s.inner())).sum();
    }

    private static long complexity(List<Step> steps) {
        return steps.stream()
                .mapToLong(s -> s.kind().ordinal() + s.a() + s.b() + s.c()
                        + complexity(s.inner()))
                .sum();
    }
}
