package dev.weir.frontend;

import static org.junit.jupiter.api.Assertions.assertEquals;

import dev.weir.ir.tensor.Interpreter;
import dev.weir.ir.tensor.Memory;
import dev.weir.ir.tensor.TensorData;
import dev.weir.ir.tensor.TensorProgram;
import dev.weir.ir.tensor.Watcher;
import dev.weir.ir.type.Format;
import java.nio.file.Path;
import java.util.List;
import java.util.stream.LongStream;
import org.junit.jupiter.api.Test;

/** What the interpreter makes of lowered models, against an independent implementation. */
class GoldenTest {
    private static final Path TINYWORLD = Library.EXAMPLES.resolve("tinyworld");

    @Test
    void tinyworldGivesTheGoldenLogits() {
        check(TINYWORLD.resolve("tinyworld.weir"), TINYWORLD, "prompt.0", "logits.0", 6);
    }

    /** The first tokens of a prompt in one step, then one by one. */
    static void check(Path program, Path folder, String ids, String logits, int length) {
        TensorProgram lowered = Frontend.lower(Library.source(program), Library::find,
                LowerOptions.of(Configuration.parse(Library.read(folder.resolve("config.json")))));
        Safetensors weights = new Safetensors(folder.resolve("model.safetensors"));
        Safetensors golden = new Safetensors(folder.resolve("golden.safetensors"));
        Interpreter interpreter = new Interpreter(lowered, weights::stacked);
        TensorData prompt = golden.read(ids);
        TensorData expected = golden.read(logits);
        Memory memory = new Memory();
        int columns = Math.toIntExact(expected.size(expected.rank() - 1));
        int[][] chunks = {{0, length - 2}, {length - 2, length - 1}, {length - 1, length}};
        for (int[] chunk : chunks) {
            long[] tokens = LongStream.range(chunk[0], chunk[1])
                    .map(t -> prompt.whole((int) t)).toArray();
            long[] positions = LongStream.range(chunk[0], chunk[1]).toArray();
            long[] shape = {tokens.length};
            TensorData found = interpreter.step(memory,
                    List.of(TensorData.ofWholes(Format.I64, shape, tokens),
                            TensorData.ofWholes(Format.I64, shape, positions)),
                    Watcher.NONE).getFirst();
            for (int i = 0; i < found.elements(); i++) {
                double wanted = expected.real(chunk[0] * columns + i);
                assertEquals(wanted, found.real(i), 1e-4 * Math.max(1, Math.abs(wanted)),
                        "token " + (chunk[0] + i / columns) + ", id " + i % columns);
            }
        }
    }
}
