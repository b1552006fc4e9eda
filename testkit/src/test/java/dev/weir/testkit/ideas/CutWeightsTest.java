package dev.weir.testkit.ideas;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;

import dev.weir.compiler.Compiler;
import dev.weir.frontend.Configuration;
import dev.weir.frontend.LowerOptions;
import dev.weir.ir.diagnostic.Source;
import dev.weir.ir.tensor.Parameter;
import dev.weir.runtime.checkpoint.Checkpoint;
import dev.weir.runtime.checkpoint.SafeTensors;
import dev.weir.runtime.memory.Tensor;
import dev.weir.testkit.RandomWeights;
import dev.weir.testkit.TestModel;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Ideas that cut the weights of a dense model: its checkpoint is theirs, but for the routers. */
class CutWeightsTest {
    @TempDir
    private Path folder;

    /** R15: experts are slices of the dense network's hidden units, the shared one first. */
    @Test
    void expertsAreCutFromADenseNetwork() throws IOException {
        String sizes = "I=2 J=2 Z=1 E=1 D=2 H=1 C=1 F=3 N=2 M=2 L=1";
        Map<String, Tensor> dense = dense("routed_blocks", sizes);
        Map<String, Tensor> cut = cut("routed_blocks", sizes, dense);
        for (int m = 0; m < 2; m++) {
            String network = "groups.0.blocks." + m + ".network.";
            Tensor gate = dense.get(network + "gate_proj.weight");
            Tensor down = dense.get(network + "down_proj.weight");
            for (int e = 0; e < 3; e++) {
                String expert = network + (e == 0 ? "shared.0" : "experts." + (e - 1));
                for (int f = 0; f < 3; f++) {
                    for (int d = 0; d < 2; d++) {
                        assertEquals(gate.real((e * 3 + f) * 2 + d),
                                cut.get(expert + ".gate").real(f * 2 + d));
                        assertEquals(down.real(d * 9 + e * 3 + f),
                                cut.get(expert + ".down").real(d * 3 + f));
                    }
                }
            }
        }
    }

    /** R18: the tile of two pathways is what goes from the channels of one to the other's. */
    @Test
    void pathwaysAreCutFromOneConvolution() throws IOException {
        String sizes = "C=1 P=2 I=3 J=3 N=3 L=2";
        Map<String, Tensor> dense = dense("channel_pathways", sizes);
        Map<String, Tensor> cut = cut("channel_pathways", sizes, dense);
        Tensor weight = dense.get("layers.1.weight");
        for (int e = 0; e < 6; e++) {
            for (int c = 0; c < 6; c++) {
                Tensor tile = cut.get("layers.1.parts." + (e / 2 * 3 + c / 2) + ".weight");
                for (int i = 0; i < 9; i++) {
                    assertEquals(weight.real((e * 6 + c) * 9 + i),
                            tile.real((e % 2 * 2 + c % 2) * 9 + i));
                }
            }
        }
    }

    private static List<Parameter> parameters(
            String example, String program, String sizes) {
        String text = TestModel.text(
                TestModel.ROOT.resolve("examples").resolve(example).resolve(program));
        Map<String, String> own = new TreeMap<>();
        for (String setting : sizes.split(" ")) {
            String[] parts = setting.split("=");
            if (text.contains(" " + parts[0] + " =") || text.contains("<" + parts[0] + " =")) {
                own.put(parts[0], parts[1]);
            }
        }
        return Compiler.entries(new Source(program, text), TestModel.library(), new LowerOptions(
                Optional.empty(), Configuration.empty(), own, false)).getFirst().parameters();
    }

    /** The baseline's checkpoint. */
    private static Map<String, Tensor> dense(String example, String sizes) {
        return named(parameters(example, "baseline.weir", sizes));
    }

    private static Map<String, Tensor> named(List<Parameter> parameters) {
        Map<String, Tensor> tensors = new TreeMap<>();
        RandomWeights.of(parameters, 3).forEach((parameter, instances) -> {
            for (int i = 0; i < instances.size(); i++) {
                tensors.put(Parameter.instantiate(parameter.stored().getFirst(),
                        parameter.instances().get(i)), instances.get(i));
            }
        });
        return tensors;
    }

    /** What the idea reads of the baseline's checkpoint, to which its routers were added. */
    private Map<String, Tensor> cut(
            String example, String sizes, Map<String, Tensor> dense)
            throws IOException {
        List<Parameter> own = parameters(example, "idea.weir", sizes);
        Map<String, Tensor> all = named(own.stream().filter(p -> p.layout().isEmpty()).toList());
        all.keySet().removeIf(name -> !name.contains("router"));
        assertFalse(all.isEmpty(), example + " has no router");
        all.putAll(dense);
        Files.writeString(folder.resolve("config.json"), "{}");
        SafeTensors.write(folder.resolve("model.safetensors"), all);
        Map<String, Tensor> cut = new TreeMap<>();
        try (Checkpoint checkpoint = Checkpoint.open(folder)) {
            checkpoint.bind(own).forEach((parameter, instances) -> {
                for (int i = 0; i < instances.size(); i++) {
                    cut.put(Parameter.instantiate(parameter.path(),
                            parameter.instances().get(i)), instances.get(i).copy());
                }
            });
        }
        return cut;
    }
}
