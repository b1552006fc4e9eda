package dev.weir.testkit;

import static dev.weir.testkit.FixtureTest.assertClose;
import static dev.weir.testkit.FixtureTest.flat;
import static dev.weir.testkit.FixtureTest.golden;
import static dev.weir.testkit.FixtureTest.row;
import static org.junit.jupiter.api.Assertions.assertThrows;

import dev.weir.runtime.checkpoint.SafeTensors;
import dev.weir.runtime.memory.Tensor;
import dev.weir.testkit.TestModel.Target;
import java.io.IOException;
import java.lang.foreign.Arena;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/**
 * Layers that share two sets of weights in turns, stored where the configuration says that the
 * first of them stand: with equal sets they give what one set gives.
 */
class SharedBlocksTest {
    private static final String FIRST = "model.layers.1.shared_transformer.";
    private static final String SECOND = "model.layers.3.shared_transformer.";

    @TempDir
    private Path folder;

    /** The fixture with its shared weights twice; each adapter stands with those that it is for. */
    private void store(boolean equal) throws IOException {
        Path fixture = TestModel.fixture("zamba2");
        Files.writeString(folder.resolve("config.json"),
                TestModel.text(fixture.resolve("config.json"))
                        .replace("\"num_mem_blocks\": 1", "\"num_mem_blocks\": 2"));
        try (Arena arena = Arena.ofConfined()) {
            Map<String, Tensor> all = new TreeMap<>();
            SafeTensors.map(fixture.resolve("model.safetensors"), arena).forEach((name, tensor) -> {
                boolean shared = name.startsWith(FIRST);
                if (!shared || !name.contains("adapter_list.1.")) {
                    all.put(name, tensor);
                }
                if (shared && !name.contains("adapter_list.0.")) {
                    boolean other = !equal && name.endsWith("o_proj.weight");
                    all.put(name.replace(FIRST, SECOND),
                            other ? Tensor.zeros(tensor.format(), tensor.shape()) : tensor);
                }
            });
            SafeTensors.write(folder.resolve("model.safetensors"), all);
        }
    }

    private Map<String, Tensor> traced(Target target) throws Exception {
        try (TestModel model = TestModel.stock(folder, "zamba2", target, 2, true)) {
            model.batch(List.of(model.engine().start(), model.engine().start()),
                    List.of(row(golden("zamba2").get("input_ids"), 0),
                            row(golden("zamba2").get("input_ids"), 1)));
            return model.traced();
        }
    }

    @ParameterizedTest
    @EnumSource(Target.class)
    void twoEqualSetsGiveWhatOneGives(Target target) throws Exception {
        store(true);
        assertClose("layer 3", flat(golden("zamba2").get("hidden.3")),
                traced(target).get("layers.3"));
    }

    /** The second set is for the second layer that reads any, and for none before. */
    @Test
    void eachLayerReadsTheSetThatIsItsTurn() throws Exception {
        store(false);
        Map<String, Tensor> other = traced(Target.JVM);
        assertClose("layer 2", flat(golden("zamba2").get("hidden.2")), other.get("layers.2"));
        assertThrows(AssertionError.class, () -> assertClose("layer 3",
                flat(golden("zamba2").get("hidden.3")), other.get("layers.3")));
    }
}
