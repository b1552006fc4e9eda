package dev.weir.frontend;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.weir.ir.tensor.Interpreter;
import dev.weir.ir.tensor.Memory;
import dev.weir.ir.tensor.Parameter;
import dev.weir.ir.tensor.State;
import dev.weir.ir.tensor.TensorData;
import dev.weir.ir.tensor.TensorProgram;
import dev.weir.ir.tensor.Watcher;
import dev.weir.ir.type.Format;
import dev.weir.ir.type.Size;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import org.junit.jupiter.api.Test;

/** Sketches that can be lowered run, and give the same in one step as token by token. */
class SketchLoweringTest {
    private static final List<Long> TOKENS = List.of(3L, 1L, 4L, 1L, 5L, 9L, 2L, 6L, 5L);

    @Test
    void mixedExpertsRun() {
        TensorProgram program = lower("moe_plus_plus");
        // A router per layer whose list holds four kinds of blocks.
        assertTrue(program.functions().size() <= 8, program.functions().toString());
        assertStepsAgree(program);
    }

    @Test
    void tokensLeaveTheRecursiveNetworkByThemselves() {
        TensorProgram program = lower("recursive");
        State keys = program.states().getFirst();
        assertEquals(List.of(4L), keys.instances());
        assertEquals("network.layer[{0}].attention.keys", keys.name());
        assertStepsAgree(program);
    }

    @Test
    void unlikeLayersAreBranchesOnTheIndex() {
        assertStepsAgree(lower("long_range"));
    }

    @Test
    void imagesAreClassified() {
        TensorProgram program = lower("convolution");
        TensorData image = TensorData.zeros(Format.F32, 3, 8, 8);
        Random random = new Random(7);
        for (int i = 0; i < image.elements(); i++) {
            image.setReal(i, random.nextGaussian());
        }
        TensorData logits = new Interpreter(program, SketchLoweringTest::random)
                .step(new Memory(), List.of(image), Watcher.NONE).getFirst();
        assertEquals(10, logits.elements());
    }

    private static TensorProgram lower(String sketch) {
        return Frontend.lower(
                Library.source(Library.EXAMPLES.resolve("sketches/" + sketch + ".weir")),
                Library::find, LowerOptions.of(Configuration.empty()));
    }

    private static TensorData random(Parameter parameter) {
        TensorData data = TensorData.zeros(parameter.value().type().format(),
                parameter.value().type().shape().stream().map(Size::constant)
                        .mapToLong(s -> s.orElseThrow()).toArray());
        Random random = new Random(parameter.path().hashCode());
        for (int i = 0; i < data.elements(); i++) {
            data.setReal(i, random.nextGaussian());
        }
        return data;
    }

    private static void assertStepsAgree(TensorProgram program) {
        Interpreter interpreter = new Interpreter(program, SketchLoweringTest::random);
        int n = TOKENS.size();
        TensorData whole = run(program, interpreter, new Memory(), 0, n);
        Memory memory = new Memory();
        int columns = (int) whole.size(1);
        for (int t = 0; t < n; t++) {
            TensorData one = run(program, interpreter, memory, t, t + 1);
            for (int i = 0; i < columns; i++) {
                assertEquals(whole.real(t * columns + i), one.real(i), 1e-4,
                        "token " + t + ", column " + i);
            }
        }
    }

    private static TensorData run(
            TensorProgram program, Interpreter interpreter, Memory memory, int from, int to) {
        long[] ids = TOKENS.subList(from, to).stream().mapToLong(Long::longValue).toArray();
        long[] positions = java.util.stream.LongStream.range(from, to).toArray();
        long[] shape = {to - from};
        List<TensorData> arguments = new ArrayList<>();
        arguments.add(TensorData.ofWholes(Format.I64, shape, ids));
        if (program.entry().body().arguments().size() > 1) {
            arguments.add(TensorData.ofWholes(Format.I64, shape, positions));
        }
        return interpreter.step(memory, arguments, Watcher.NONE).getFirst();
    }
}
