package dev.weir.testkit;

import static dev.weir.testkit.CommandTest.weir;
import static org.junit.jupiter.api.Assertions.assertEquals;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import dev.weir.testkit.CommandTest.Outcome;
import java.io.IOException;
import java.util.List;
import org.junit.jupiter.api.Test;

/** A15: what lies between the layers of a residual block, and why the block is not one kernel. */
class FusedLayersTest {
    private static final String REASON = "the contraction keeps its register blocks";

    @Test
    void layerByLayerWholeImagesLieBetweenLayers() throws IOException {
        assertEquals(12, launches("baseline.weir"), "three for each of four blocks");
        JsonNode kernels = answer("explain", "baseline.weir").path("kernels");
        assertWritten(kernels, "a", 64 * 64 * 64);
        assertWritten(kernels, "h", 64 * 64 * 256);
        assertApart(kernels, "h", "kept apart from k0_a, which computes a: " + REASON);
        assertApart(kernels, "y", "kept apart from k1_h, which computes h: " + REASON);
    }

    @Test
    void bandByBandBandsOfFourRowsLieBetweenLayers() throws IOException {
        assertEquals(256, launches("idea.weir"), "four for each of 16 bands, in four blocks");
        JsonNode kernels = answer("explain", "idea.weir").path("kernels");
        assertWritten(kernels, "a", 4 * 64 * 64);
        assertWritten(kernels, "h", 4 * 64 * 256);
        assertApart(kernels, "h", "kept apart from k0_a, which computes a: " + REASON);
        assertApart(kernels, "z", "kept apart from k1_h, which computes h: " + REASON);
    }

    private static JsonNode answer(String command, String file) throws IOException {
        Outcome outcome = weir(command,
                TestModel.ROOT.resolve("examples/block_fusion").resolve(file).toString(),
                "--json");
        assertEquals(0, outcome.code(), outcome.err());
        return new ObjectMapper().readTree(outcome.out());
    }

    private static int launches(String file) throws IOException {
        return answer("cost", file).path("total").path("launches").asInt();
    }

    /** The kernel that computes a value. */
    private static JsonNode computing(JsonNode kernels, String value) {
        return kernels.valueStream()
                .filter(k -> k.path("values").valueStream().anyMatch(v -> v.asText().equals(value)))
                .findFirst().orElseThrow();
    }

    /** What one launch writes for one image, in numbers of four bytes. */
    private static void assertWritten(JsonNode kernels, String value, long numbers) {
        assertEquals(String.format("%,d · B", 4 * numbers),
                computing(kernels, value).path("bytesWritten").asText(), value);
    }

    private static void assertApart(JsonNode kernels, String value, String reason) {
        assertEquals(List.of(reason), computing(kernels, value).path("decisions").valueStream()
                .map(JsonNode::asText).filter(d -> d.startsWith("kept apart")).toList(), value);
    }
}
