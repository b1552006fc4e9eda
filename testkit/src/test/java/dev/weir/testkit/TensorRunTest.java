package dev.weir.testkit;

import static dev.weir.testkit.CommandTest.weir;
import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.weir.ir.type.Format;
import dev.weir.runtime.checkpoint.SafeTensors;
import dev.weir.runtime.memory.Tensor;
import dev.weir.testkit.CommandTest.Outcome;
import java.io.IOException;
import java.lang.foreign.Arena;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.SplittableRandom;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/** {@code weir run --inputs … --outputs …} on models of all kinds, and on batches. */
class TensorRunTest {
    private static final String GRAPH = TestModel.ROOT.resolve("examples/relational_graph")
            .resolve("idea.weir").toString();

    @TempDir
    private Path folder;

    private int runs;

    private Path written(String name, Map<String, Tensor> tensors) throws IOException {
        Path file = folder.resolve(name + ".safetensors");
        SafeTensors.write(file, tensors);
        return file;
    }

    /** What a run that succeeds writes. */
    private Map<String, Tensor> run(List<String> arguments) {
        // What was written before is still read.
        Path out = folder.resolve("out" + ++runs + ".safetensors");
        Outcome outcome = weir(Stream.of(
                Stream.of("run"), arguments.stream(), Stream.of("--outputs", out.toString()))
                .flatMap(a -> a).toArray(String[]::new));
        assertEquals(0, outcome.code(), outcome.err());
        return SafeTensors.map(out, Arena.ofAuto());
    }

    @ParameterizedTest
    @CsvSource({
        "vit, pixel_values, S=32", "convnext, pixel_values, S=32",
        "poolformer, pixel_values, S=32", "bert, input_ids, T=0"
    })
    void encodersGiveTheirGoldens(String fixture, String input, String setting) throws Exception {
        Map<String, Tensor> golden = FixtureTest.golden(fixture);
        Path in = written("in", Map.of(input, golden.get(input)));
        List<String> arguments = new ArrayList<>(List.of(
                TestModel.fixture(fixture).toString(), "--inputs", in.toString()));
        if (setting.startsWith("S")) {
            arguments.addAll(List.of("--set", setting));
        }
        Tensor logits = run(arguments).get("logits");
        assertArrayEquals(golden.get("logits").shape(), logits.shape());
        FixtureTest.assertClose(fixture, golden.get("logits"), logits);
    }

    @Test
    void anEncoderAndADecoderRunOneAfterTheOther() throws Exception {
        Map<String, Tensor> golden = FixtureTest.golden("switch_transformers");
        Path source = written("source", Map.of("input_ids", golden.get("input_ids")));
        Path target = written("target",
                Map.of("input_ids", golden.get("decoder_input_ids")));
        Tensor logits = run(List.of(TestModel.fixture("switch_transformers").toString(),
                "--inputs", "encode=" + source, "--inputs", "forward=" + target))
                .get("forward.logits");
        assertArrayEquals(golden.get("logits").shape(), logits.shape());
        FixtureTest.assertClose("logits", golden.get("logits"), logits);
    }

    private static Tensor ids(long seed, int count) {
        var random = new SplittableRandom(seed);
        Tensor ids = Tensor.zeros(Format.I64, count);
        for (int i = 0; i < count; i++) {
            ids.setWhole(i, random.nextLong(512));
        }
        return ids;
    }

    private static Tensor wholes(long... values) {
        return Tensor.ofLongs(values);
    }

    /** Each sequence's logits are the bytes that it has alone. */
    @Test
    void sequencesOfABatchHaveTheirOwnLengths() throws Exception {
        long[] lengths = {7, 1, 12};
        Tensor all = ids(5, 20);
        String model = TestModel.tinyworld().toString();
        Map<String, Tensor> together = run(List.of(model, "--inputs",
                written("all", Map.of("input_ids", all, "lengths", wholes(lengths))).toString()));
        assertEquals(wholes(lengths), together.get("lengths"));
        long from = 0;
        for (long length : lengths) {
            Tensor alone = run(List.of(model, "--inputs", written("one", Map.of(
                    "input_ids", all.rows(from, from + length))).toString())).get("logits");
            assertEquals(alone, together.get("logits").rows(from, from + length));
            from += length;
        }
        assertEquals(from, together.get("logits").shape()[0]);
    }

    @ParameterizedTest
    @CsvSource(delimiter = '|', value = {
        "7 1 11   | has 20 elements of the stream, those of all lengths are 19",
        "-1 21    | lengths holds -1, expected the elements of a sequence",
        "9223372036854775807 9223372036854775807 22 | those of all lengths are 18446744073709551636"
    })
    void lengthsThatDoNotFitAreRefused(String lengths, String message) throws Exception {
        long[] values = Arrays.stream(lengths.strip().split(" ")).mapToLong(Long::parseLong)
                .toArray();
        Path in = written("in", Map.of("input_ids", ids(5, 20), "lengths", wholes(values)));
        Outcome outcome = weir("run", TestModel.tinyworld().toString(), "--inputs", in.toString(),
                "--outputs", folder.resolve("out.safetensors").toString());
        assertEquals(1, outcome.code(), outcome.err());
        assertTrue(outcome.err().contains(message), outcome.err());
    }

    /** Positions are not made before the lengths are known to be those of the file. */
    @ParameterizedTest
    @ValueSource(longs = {1L << 31, 1L << 40})
    void positionsAreNotMadeForLengthsThatDoNotFit(long length) throws Exception {
        Path program = Files.writeString(folder.resolve("placed.weir"), """
                model Placed<D = 3> {
                    forward(pos[T]: int = positions, x[T, D]) -> y[T, D] {
                        y[t, d] = x[t, d] + float(pos[t])
                    }
                }
                """);
        Tensor x = Tensor.zeros(Format.F32, 5, 3);
        Path in = written("in", Map.of("x", x, "lengths", wholes(length, 3)));
        Path none = written("none", Map.of("lengths", wholes(length, 3)));
        Path out = folder.resolve("out.safetensors");
        Outcome outcome = weir("run", program.toString(), "--inputs", in.toString(),
                "--outputs", out.toString());
        assertTrue(outcome.err().contains("x has 5 elements of the stream, those of all lengths"),
                outcome.err());
        Outcome nothing = weir("run", program.toString(), "--inputs", none.toString(),
                "--outputs", out.toString());
        assertTrue(nothing.err().contains("has lengths and no stream that they are of"),
                nothing.err());
        assertEquals(List.of(1, 1), List.of(outcome.code(), nothing.code()));
    }

    /** A graph with random edges and weights, and what {@code idea.weir} says of one of its nodes. */
    private static final class Graph {
        private static final double EPSILON = 1e-6;

        private final int nodes;
        private final int kinds;
        private final int width;
        private final Tensor edges;
        private final Tensor x;
        private final Map<String, Tensor> weights;
        private final List<List<Integer>> incoming = new ArrayList<>();
        private final Map<Integer, double[]> first = new LinkedHashMap<>();

        Graph(long seed, int nodes, int edges, int kinds, int width, Map<String, Tensor> weights) {
            this.nodes = nodes;
            this.kinds = kinds;
            this.width = width;
            this.weights = weights;
            var random = new SplittableRandom(seed);
            this.edges = Tensor.zeros(Format.I64, edges);
            this.x = Tensor.zeros(Format.F32, nodes, width);
            for (int i = 0; i < x.elements(); i++) {
                x.setReal(i, random.nextGaussian());
            }
            for (int n = 0; n < nodes; n++) {
                incoming.add(new ArrayList<>());
            }
            for (int e = 0; e < edges; e++) {
                long kind = random.nextLong(kinds);
                int target = random.nextInt(nodes);
                this.edges.setWhole(e, (kind * nodes + target) * nodes + random.nextLong(nodes));
                incoming.get(target).add(e);
            }
        }

        static Map<String, Tensor> weights(long seed, int layers, int kinds, int width) {
            var random = new SplittableRandom(seed);
            Map<String, Tensor> weights = new LinkedHashMap<>();
            for (int l = 0; l < layers; l++) {
                weights.put("norms." + l + ".weight", Tensor.zeros(Format.F32, width));
                weights.put("layers." + l + ".attend", Tensor.zeros(Format.F32, kinds, width));
                weights.put("layers." + l + ".own", Tensor.zeros(Format.F32, width, width));
                for (int k = 0; k < kinds; k++) {
                    weights.put("layers." + l + ".map.kinds." + k + ".w",
                            Tensor.zeros(Format.F32, width, width));
                }
            }
            weights.values().forEach(tensor -> {
                for (int i = 0; i < tensor.elements(); i++) {
                    tensor.setReal(i, random.nextGaussian() / Math.sqrt(width));
                }
            });
            return weights;
        }

        /** A node's numbers after two layers. */
        double[] after(int node) {
            return layer(1, node, n -> first.computeIfAbsent(n,
                    m -> layer(0, m, k -> row(x, k))));
        }

        private double[] layer(int number, int node, java.util.function.IntFunction<double[]> at) {
            double[] y = times("layers." + number + ".own", normal(number, at.apply(node)));
            double total = 0;
            double[] sum = new double[width];
            for (int e : incoming.get(node)) {
                long edge = edges.whole(e);
                int kind = (int) (edge / nodes / nodes);
                double[] message = times("layers." + number + ".map.kinds." + kind + ".w",
                        normal(number, at.apply((int) (edge % nodes))));
                double score = 0;
                for (int d = 0; d < width; d++) {
                    score += message[d] * weights.get("layers." + number + ".attend")
                            .real((long) kind * width + d);
                }
                total += Math.exp(score);
                for (int d = 0; d < width; d++) {
                    sum[d] += Math.exp(score) * message[d];
                }
            }
            double[] before = at.apply(node);
            for (int d = 0; d < width; d++) {
                y[d] = before[d] + Math.max(0, y[d] + (total == 0 ? 0 : sum[d] / total));
            }
            return y;
        }

        private double[] normal(int number, double[] values) {
            double mean = Arrays.stream(values).map(v -> v * v).sum() / width;
            double[] y = new double[width];
            for (int d = 0; d < width; d++) {
                y[d] = weights.get("norms." + number + ".weight").real(d) * values[d]
                        / Math.sqrt(mean + EPSILON);
            }
            return y;
        }

        private double[] times(String name, double[] values) {
            Tensor w = weights.get(name);
            double[] y = new double[width];
            for (int o = 0; o < width; o++) {
                for (int i = 0; i < width; i++) {
                    y[o] += w.real((long) o * width + i) * values[i];
                }
            }
            return y;
        }

        private double[] row(Tensor tensor, int row) {
            double[] values = new double[width];
            Arrays.setAll(values, d -> tensor.real((long) row * width + d));
            return values;
        }

        /** The numbers of some nodes are those of a run, whose first node stands in a row. */
        void assertIs(Tensor y, int from, int every) {
            for (int node = 0; node < nodes; node += every) {
                double[] expected = after(node);
                for (int d = 0; d < width; d++) {
                    assertEquals(expected[d], y.real((long) (from + node) * width + d), 1e-4,
                            "node " + node + ", number " + d);
                }
            }
        }
    }

    private String folder(Map<String, Tensor> weights) throws IOException {
        Path model = Files.createDirectories(folder.resolve("model"));
        SafeTensors.write(model.resolve("model.safetensors"), weights);
        Files.writeString(model.resolve("config.json"), "{}");
        return model.toString();
    }

    /** 2^20 edges of 16 kinds among 65,536 nodes, of which 214 are computed by hand. */
    @Test
    void aGraphOfAMillionEdgesRuns() throws Exception {
        Map<String, Tensor> weights = Graph.weights(1, 2, 16, 64);
        Graph graph = new Graph(2, 1 << 16, 1 << 20, 16, 64, weights);
        Tensor y = run(List.of(GRAPH, "--set", "N=65536", "--weights", folder(weights),
                "--inputs", written("graph", Map.of("edges", graph.edges, "x", graph.x))
                        .toString())).get("y");
        assertArrayEquals(new long[] {1 << 16, 64}, y.shape());
        graph.assertIs(y, 0, 307);
    }

    /** What does not go along the stream has a row for each sequence. */
    @Test
    void graphsOfABatchHaveTheirOwnEdges() throws Exception {
        Map<String, Tensor> weights = Graph.weights(1, 2, 3, 8);
        List<Graph> graphs = List.of(new Graph(3, 20, 50, 3, 8, weights),
                new Graph(4, 20, 0, 3, 8, weights), new Graph(5, 20, 131, 3, 8, weights));
        Tensor edges = Tensor.zeros(Format.I64, 181);
        Tensor x = Tensor.zeros(Format.F32, 3, 20, 8);
        long at = 0;
        for (int g = 0; g < 3; g++) {
            for (int e = 0; e < graphs.get(g).edges.elements(); e++) {
                edges.setWhole(at++, graphs.get(g).edges.whole(e));
            }
            for (int i = 0; i < 160; i++) {
                x.setReal(g * 160L + i, graphs.get(g).x.real(i));
            }
        }
        Tensor y = run(List.of(GRAPH, "--set", "N=20", "--set", "R=3", "--set", "D=8",
                "--weights", folder(weights), "--inputs", written("graphs", Map.of(
                        "edges", edges, "x", x, "lengths", wholes(50, 0, 131))).toString()))
                .get("y");
        assertArrayEquals(new long[] {3, 20, 8}, y.shape());
        for (int g = 0; g < 3; g++) {
            graphs.get(g).assertIs(y, 20 * g, 1);
        }
    }
}
