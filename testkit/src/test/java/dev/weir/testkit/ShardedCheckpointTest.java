package dev.weir.testkit;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.weir.runtime.checkpoint.SafeTensors;
import dev.weir.runtime.memory.Tensor;
import dev.weir.runtime.model.Engine;
import dev.weir.testkit.TestModel.Target;
import java.io.IOException;
import java.lang.foreign.Arena;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.stream.Collectors;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/** A checkpoint in several files, with the index that says which tensor is in which. */
class ShardedCheckpointTest {
    private static final int SHARDS = 3;

    @TempDir
    private Path folder;

    private static String shard(int number) {
        return "model-%05d-of-%05d.safetensors".formatted(number + 1, SHARDS);
    }

    @BeforeEach
    void split() throws IOException {
        Path whole = TestModel.fixture("mixtral");
        Files.copy(whole.resolve("config.json"), folder.resolve("config.json"));
        Map<String, String> places = new TreeMap<>();
        try (Arena arena = Arena.ofConfined()) {
            Map<String, Tensor> all =
                    SafeTensors.map(whole.resolve("model.safetensors"), arena);
            List<Map<String, Tensor>> parts = new ArrayList<>();
            for (int i = 0; i < SHARDS; i++) {
                parts.add(new TreeMap<>());
            }
            for (String name : new TreeMap<>(all).keySet()) {
                int number = places.size() % SHARDS;
                parts.get(number).put(name, all.get(name));
                places.put(name, shard(number));
            }
            for (int i = 0; i < SHARDS; i++) {
                SafeTensors.write(folder.resolve(shard(i)), parts.get(i));
            }
        }
        Files.writeString(folder.resolve("model.safetensors.index.json"), places.entrySet()
                .stream().map(e -> "\"" + e.getKey() + "\": \"" + e.getValue() + "\"")
                .collect(Collectors.joining(",\n", "{\"weight_map\": {\n", "}}\n")));
    }

    private static List<Long> greedy(Path folder, Target target) throws Exception {
        try (TestModel model = TestModel.stock(folder, "mixtral", target, 2, false)) {
            Engine.Session session = model.engine().start();
            return model.greedy(session, model.feed(session, 5, 17, 3), 12);
        }
    }

    @ParameterizedTest
    @EnumSource(Target.class)
    void shardsAreOneCheckpoint(Target target) throws Exception {
        assertEquals(greedy(TestModel.fixture("mixtral"), target), greedy(folder, target));
    }

    @Test
    void aMissingShardIsNamed() throws Exception {
        Files.delete(folder.resolve(shard(1)));
        Exception missing = assertThrows(Exception.class, () -> greedy(folder, Target.NATIVE));
        assertTrue(missing.getMessage().contains(shard(1)), missing.getMessage());
    }
}
