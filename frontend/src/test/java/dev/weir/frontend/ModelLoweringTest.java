package dev.weir.frontend;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.weir.ir.diagnostic.Source;
import dev.weir.ir.tensor.Function;
import dev.weir.ir.tensor.Node;
import dev.weir.ir.tensor.Parameter;
import dev.weir.ir.tensor.Region;
import dev.weir.ir.tensor.StreamAxis;
import dev.weir.ir.tensor.TensorProgram;
import dev.weir.ir.type.Format;
import dev.weir.ir.type.Size;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.junit.jupiter.api.Test;

/** The library's models become programs whose size does not depend on the model's. */
class ModelLoweringTest {

    private static TensorProgram lower(String file, Configuration configuration,
            Map<String, String> settings, boolean trace) {
        return Frontend.lower(Library.source(Library.ROOT.resolve(file)), Library::find,
                new LowerOptions(Optional.empty(), configuration, settings, trace));
    }

    private static final String MIXTRAL =
            "stdlib/src/main/resources/weir/stdlib/models/mixtral.weir";
    private static final String LLAMA = "stdlib/src/main/resources/weir/stdlib/models/llama.weir";
    private static final String TINYWORLD = "examples/tinyworld/tinyworld.weir";

    private static List<Node> nodes(TensorProgram program) {
        List<Node> all = new ArrayList<>();
        collect(program.entry().body(), all);
        program.functions().forEach(f -> collect(f.body(), all));
        return all;
    }

    private static void collect(Region region, List<Node> all) {
        for (Node node : region.nodes()) {
            all.add(node);
            switch (node) {
                case Node.Loop l -> collect(l.body(), all);
                case Node.Gate g -> collect(g.body(), all);
                case Node.If i -> {
                    collect(i.then(), all);
                    collect(i.otherwise(), all);
                }
                default -> { }
            }
        }
    }

    private static <N> long count(TensorProgram program, Class<N> kind) {
        return nodes(program).stream().filter(kind::isInstance).count();
    }

    private static Parameter parameter(TensorProgram program, String path) {
        return program.parameters().stream().filter(p -> p.path().equals(path)).findFirst()
                .orElseThrow(() -> new AssertionError(path + " is not among "
                        + program.parameters().stream().map(Parameter::path).toList()));
    }

    @Test
    void mixtralIsOneLoopAndOneRoute() {
        TensorProgram program = lower(MIXTRAL, Library.configuration("mixtral"), Map.of(), false);
        assertEquals(1, count(program, Node.Loop.class));
        assertEquals(1, count(program, Node.Route.class));
        assertEquals(1, count(program, Node.TopK.class));
        assertEquals(3, count(program, Node.Append.class));
        assertEquals(Optional.of(new Size.Symbol("T")),
                program.stream().map(StreamAxis::size));
        assertEquals(List.of("logits"), program.resultNames());
        assertEquals(List.of("input_ids", "positions"),
                program.entry().body().arguments().stream().map(v -> v.name()).toList());
        assertEquals("64", program.configuration().get("hidden_size"));
    }

    @Test
    void expertsAreStackedUnderTheirStoredNames() {
        TensorProgram program = lower(MIXTRAL, Library.configuration("mixtral"), Map.of(), false);
        Parameter gate = parameter(program, "layers.{0}.moe.experts.{1}.gate");
        assertEquals(
                List.of("model.layers.{0}.block_sparse_moe.experts.{1}.w1.weight"),
                gate.stored());
        assertEquals(2, gate.instanceAxes());
        assertEquals(List.of(Size.of(3), Size.of(4), Size.of(36), Size.of(64)),
                gate.value().type().shape());
        assertEquals(Format.F32, gate.value().type().format());
        assertEquals(List.of("model.layers.{0}.self_attn.q_proj.weight"),
                parameter(program, "layers.{0}.attention.wq").stored());
        assertEquals(List.of("lm_head.weight", "model.embed_tokens.weight"),
                parameter(program, "head.table").stored());
    }

    @Test
    void numbersOfAListStandWhereItsNameSays() {
        Source named = new Source("named.weir", """
                block One<D> {
                    param w[D]
                    forward(x[D]) -> y[D] = w * x
                }

                block Two<D, E = int(0.5 * D)> {
                    param w[e: E] = stored("kept")[e + E]
                    forward(x[D]) -> y[D] { y[d] = x[d] * w[d % E] }
                }

                model Named<D = 4> {
                    ones: One<D> * 3 @name("block.{}.first")
                    both: [One<D>, Two<D>] @name("one_{}")
                    forward(x[T, D]) -> y[T, D] {
                        y = both[1](both[0](x))
                        for i in 0..3 { y = ones[i](y) }
                    }
                }
                """);
        TensorProgram program = Frontend.lower(
                named, Library::find, LowerOptions.of(Configuration.empty()));
        assertEquals(List.of("block.{0}.first.w"), parameter(program, "ones.{0}.w").stored());
        assertEquals(List.of("one_0.w"), parameter(program, "both.0.w").stored());
        assertEquals(List.of(Size.of(2)), parameter(program, "both.1.w").value().type().shape());
    }

    @Test
    void tinyworldTakesItsSizesAndPrecisionFromItsOwnFiles() {
        Configuration configuration = Configuration.parse(
                Library.read(Library.EXAMPLES.resolve("tinyworld/config.json")));
        TensorProgram program = lower(TINYWORLD, configuration, Map.of(), false);
        assertEquals(Format.BF16, parameter(program, "layers.{0}.norm.scale").value().type()
                .format());
        assertEquals(1, count(program, Node.Route.class));
    }

    @Test
    void llamaIsOneLoopWithoutRoute() {
        TensorProgram program = lower(LLAMA, Library.configuration("llama"), Map.of(), false);
        assertEquals(1, count(program, Node.Loop.class));
        assertEquals(0, count(program, Node.Route.class));
        assertEquals(List.of("model.layers.{0}.mlp.gate_proj.weight"),
                parameter(program, "layers.{0}.mlp.gate").stored());
    }

    @Test
    void nothingGrowsWithLayersAndExperts() {
        TensorProgram small = lower(MIXTRAL, Library.configuration("mixtral"), Map.of(), false);
        TensorProgram large = lower(MIXTRAL, Library.configuration("mixtral"),
                Map.of("L", "48", "N", "64"), false);
        assertEquals(nodes(small).size(), nodes(large).size());
        assertEquals(small.functions().stream().map(Function::name).toList(),
                large.functions().stream().map(Function::name).toList());
        assertEquals(small.parameters().size(), large.parameters().size());
        assertEquals(List.of(48L), large.states().getFirst().instances());
    }

    @Test
    void tracesCarryThePathsOfBlocksAndEquations() {
        TensorProgram program = lower(MIXTRAL, Library.configuration("mixtral"), Map.of(), true);
        List<String> paths = nodes(program).stream()
                .filter(n -> n instanceof Node.Trace).map(n -> ((Node.Trace) n).path()).toList();
        assertTrue(paths.contains("layers.{0}"), paths.toString());
        assertTrue(paths.contains("layers.{0}.moe.logits"), paths.toString());
        assertTrue(paths.contains("embed"), paths.toString());
    }
}
