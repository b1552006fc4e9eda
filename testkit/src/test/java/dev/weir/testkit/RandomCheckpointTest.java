package dev.weir.testkit;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.weir.compiler.Compiler;
import dev.weir.frontend.Configuration;
import dev.weir.frontend.LowerOptions;
import dev.weir.ir.diagnostic.Source;
import dev.weir.ir.tensor.IndexRanges;
import dev.weir.ir.tensor.Parameter;
import dev.weir.ir.tensor.TensorProgram;
import dev.weir.ir.tensor.Value;
import dev.weir.ir.type.Format;
import dev.weir.ir.type.Size;
import dev.weir.ir.type.TensorType;
import dev.weir.runtime.checkpoint.RandomCheckpoint;
import dev.weir.runtime.memory.Tensor;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.TreeSet;
import java.util.stream.Collectors;
import java.util.stream.LongStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/** Random weights fit their parameters, and a seed always gives the same. */
class RandomCheckpointTest {

    private static Parameter parameter(
            String path, Format format, int instanceAxes, long... shape) {
        List<Size> sizes = LongStream.of(shape).mapToObj(Size::of).toList();
        var value = new Value(path.hashCode(), path, new TensorType(format, sizes));
        return new Parameter(
                value, instanceAxes, path, List.of(path), false, 0, Optional.empty(), Optional.empty());
    }

    private static List<Tensor> bound(long seed, Parameter parameter, Parameter... before) {
        List<Parameter> all = new ArrayList<>(List.of(before));
        all.add(parameter);
        try (RandomCheckpoint checkpoint = new RandomCheckpoint(seed)) {
            return checkpoint.bind(all).get(parameter).stream().map(Tensor::copy).toList();
        }
    }

    /** A packed copy is read then, and the memory is the larger part of a model's. */
    @Test
    void whatNobodyReadsAnyMoreIsFreedByItself() {
        Parameter first = parameter("first", Format.F32, 1, 2, 5);
        Parameter second = parameter("second", Format.F32, 0, 5);
        try (RandomCheckpoint checkpoint = new RandomCheckpoint(1)) {
            var bound = checkpoint.bind(List.of(first, second));
            double kept = bound.get(second).getFirst().real(3);
            checkpoint.release(first);
            checkpoint.release(first);
            for (Tensor instance : bound.get(first)) {
                assertThrows(IllegalStateException.class, () -> instance.real(0));
            }
            assertEquals(kept, bound.get(second).getFirst().real(3));
        }
    }

    @ParameterizedTest
    @EnumSource(Format.class)
    void instancesHaveTheParametersFormatAndOwnShape(Format format) {
        List<Tensor> tensors = bound(1, parameter("layers.{0}.w", format, 1, 3, 40, 12));
        assertEquals(3, tensors.size());
        for (Tensor tensor : tensors) {
            assertEquals(format, tensor.format());
            assertEquals(40 * 12, tensor.elements());
            double squares = 0;
            for (long i = 0; i < tensor.elements(); i++) {
                squares += tensor.real(i) * tensor.real(i);
                assertTrue(Math.abs(tensor.real(i)) <= 0.501, "at most sqrt(3 / 12)");
            }
            double variance = squares / tensor.elements();
            assertTrue(format.isFloat() ? Math.abs(variance * 12 - 1) < 0.25 : variance == 0,
                    () -> format + " has the variance " + variance);
        }
    }

    @Test
    void aSeedAndAPathDecideWhateverElseThereIs() {
        Parameter w = parameter("layers.{0}.w", Format.BF16, 1, 2, 8, 8);
        Parameter v = parameter("layers.{0}.v", Format.BF16, 1, 2, 8, 8);
        assertEquals(bound(1, w), bound(1, w, v));
        assertNotEquals(bound(1, w), bound(2, w));
        assertNotEquals(bound(1, w), bound(1, v));
        assertNotEquals(bound(1, w).getFirst(), bound(1, w).getLast());
    }

    /** Places lie within what they are places of; 0 is one whatever the program makes of it. */
    @Test
    void wholeNumbersAreWhatTheProgramUsesThemFor() {
        TensorProgram program = Compiler.entries(new Source("test.weir", """
                block Listed<D> {
                    param near[20]: int, far[20]: int, turned[20]: int, late[20]: int
                    forward(x[T, D], y[9]) -> z[T, 20] {
                        z[t, k] = x[t, near[k]] + x[t, far[k]] + y[far[k]] + x[t, turned[k] % D]
                            + x[late[k], 0]
                    }
                }

                model M<D = 5> {
                    listed: Listed<D> * 2
                    forward(x[T, D], y[9]) -> z[T, 20] = listed[0](x, y) + listed[1](x, y)
                }
                """), TestModel.library(), LowerOptions.of(Configuration.empty())).getFirst();
        Map<String, Long> ranges = IndexRanges.of(List.of(program));
        assertEquals(Map.of("listed.{0}.near", 5L, "listed.{0}.far", 5L, "listed.{0}.late", 1L),
                ranges);
        try (RandomCheckpoint checkpoint = new RandomCheckpoint(1, ranges)) {
            checkpoint.bind(program.parameters()).forEach((parameter, tensors) -> {
                assertEquals(2, tensors.size());
                for (Tensor tensor : tensors) {
                    Set<Long> found = new TreeSet<>();
                    for (long i = 0; i < tensor.elements(); i++) {
                        found.add(tensor.whole(i));
                    }
                    long range = ranges.getOrDefault(parameter.path(), 1L);
                    assertEquals(LongStream.range(0, range).boxed().collect(Collectors.toSet()),
                            found, parameter.path());
                }
            });
        }
    }

    @Test
    void aNumberAloneHasNoAxes() {
        assertEquals(1, bound(1, parameter("scale", Format.F32, 0)).getFirst().elements());
    }
}
