package dev.weir.testkit;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.weir.codegen.jvm.BytecodeCompiler;
import dev.weir.codegen.jvm.JvmArtefact;
import dev.weir.compiler.Compiler;
import dev.weir.frontend.Configuration;
import dev.weir.frontend.LowerOptions;
import dev.weir.ir.diagnostic.Source;
import dev.weir.ir.kernel.HostStatement;
import dev.weir.ir.kernel.KernelPrinter;
import dev.weir.ir.kernel.KernelProgram;
import dev.weir.ir.kernel.TargetDescription;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.junit.jupiter.api.Test;

/** How many kernels programs become: a fusion that is lost, or code that grows, fails here. */
class ShapeOfCodeTest {
    private static KernelProgram compile(String program, String configuration) {
        return compile(program, configuration, TargetDescription.AVX512);
    }

    private static KernelProgram compile(
            String program, String configuration, TargetDescription target) {
        return Compiler.schedule(
                Compiler.optimise(Compiler.lower(
                        new Source("test.weir", program), TestModel.LIBRARY,
                        new LowerOptions(Optional.empty(), Configuration.parse(configuration),
                                Map.of(), false))),
                target);
    }

    private static String mixtral(int layers, int experts) {
        return """
                {"vocab_size": 512, "hidden_size": 128, "intermediate_size": 160,
                 "num_hidden_layers": %d, "num_attention_heads": 4, "num_key_value_heads": 2,
                 "head_dim": 32, "num_local_experts": %d, "num_experts_per_tok": 2,
                 "torch_dtype": "bfloat16"}
                """.formatted(layers, experts);
    }

    @Test
    void neitherDepthNorExpertsMakeMoreKernels() {
        String program = TestModel.LIBRARY.find("stdlib.models.mixtral").orElseThrow().text();
        KernelProgram small = compile(program, mixtral(4, 4));
        KernelProgram large = compile(program, mixtral(48, 64));
        assertEquals(small.kernels().size(), large.kernels().size());
        assertEquals(small.step().size(), large.step().size());
    }

    /** Blocks that take turns are stacks too. */
    @Test
    void alternatingBlocksMakeNoMoreKernelsInADeeperModel() {
        String program = TestModel.LIBRARY.find("stdlib.models.gemma2").orElseThrow().text();
        String configuration = """
                {"vocab_size": 512, "hidden_size": 128, "intermediate_size": 160,
                 "num_hidden_layers": %d, "num_attention_heads": 4, "num_key_value_heads": 2,
                 "head_dim": 32, "sliding_window": 16}
                """;
        KernelProgram small = compile(program, configuration.formatted(4));
        KernelProgram large = compile(program, configuration.formatted(26));
        assertEquals(small.kernels(), large.kernels());
        assertEquals(small.step().size(), large.step().size());
    }

    /** Which layer it is changes nothing within it: as many scores are computed at once in both. */
    @Test
    void attentionOfBlocksThatTakeTurnsGoesInLanes() {
        KernelProgram program = compile(
                TestModel.LIBRARY.find("stdlib.models.gemma2").orElseThrow().text(), """
                        {"vocab_size": 512, "hidden_size": 128, "intermediate_size": 160,
                         "num_hidden_layers": 4, "num_attention_heads": 4,
                         "num_key_value_heads": 2, "head_dim": 32, "sliding_window": 16}
                        """);
        List<String> attention = program.kernels().stream().map(KernelPrinter::print)
                .filter(kernel -> kernel.contains("fold(maximum")).toList();
        assertEquals(2, attention.size(), "one with a window, one without");
        attention.forEach(kernel -> assertTrue(kernel.contains("fold_each"), kernel));
    }

    private static void owns(List<HostStatement> statements, List<HostStatement.Own> found) {
        for (HostStatement statement : statements) {
            switch (statement) {
                case HostStatement.Own s -> found.add(s);
                case HostStatement.If s -> {
                    owns(s.then(), found);
                    owns(s.otherwise(), found);
                }
                case HostStatement.Loop s -> owns(s.body(), found);
                default -> { }
            }
        }
    }

    private static final String LOOPING = """
            block Turns<D> {
                param w[D, D], halt[D]
                state total[D] = 0
                forward(x[T, D]) -> y[T, D] {
                    y = x
                    for i in 0..4 {
                        y = tanh(w @ y)
                        score[t] = y[t, 0]
                        if score > 0.5 { break }
                    }
                    scan t {
                        total[d] = 0.5 * total[d] + y[t, d]
                        y[t, d] = total[d]
                    }
                }
            }
            model M<D = 16> {
                turns: Turns<D>
                forward(x[T, D]) -> y[T, D] = turns(x)
            }
            """;

    /** Tokens that stay in a loop, and the outputs of a scan: no round copies what it was handed. */
    @Test
    void whatARoundChangesItChangesInPlace() {
        List<HostStatement.Own> owns = new ArrayList<>();
        owns(compile(LOOPING, "{}").step(), owns);
        assertTrue(owns.size() >= 3, owns.toString());
        assertEquals(List.of(), owns.stream().filter(o -> !o.last()).toList());
    }

    private static String stacked(String members, String turn) {
        return """
                block Turn<D> {
                    param w[D, D]
                    forward(x[D]) -> y[D] = w @ x
                }
                model M<D = 64> {
                    %s
                    forward(x[T, D]) -> y[T, D] {
                        y = x
                        for i in 0..4 { y = y + %s }
                    }
                }
                """.formatted(members, turn);
    }

    /** A parameter with an axis for the layers, and a list of blocks: the same kernels. */
    @Test
    void whatALoopTakesOfAParameterIsContractedLikeABlockOfAList() {
        KernelProgram list = compile(stacked("turns: Turn<D> * 4", "turns[i](y)"), "{}");
        KernelProgram axis = compile(stacked("param w[4, D, D]", "w[i] @ y"), "{}");
        assertEquals(forms(list), forms(axis));
        assertTrue(forms(axis).stream().anyMatch(f -> f.startsWith("contraction")),
                forms(axis).toString());
        assertTrue(forms(compile(stacked("param w[4, D, D]", "w[3] @ y"), "{}")).stream()
                .anyMatch(f -> f.startsWith("contraction")), "at a constant place too");
    }

    /** Rows that each choose a place of their own share no panel. */
    @Test
    void aPlaceForEachRowIsNoContraction() {
        assertTrue(forms(compile("""
                model M<D = 64> {
                    param w[4, D, D]
                    forward(x[T, D]) -> y[T, D] {
                        place[t] = int(abs(x[t, 0])) % 4
                        y[t, d] = sum[e] w[place[t], d, e] * x[t, e]
                    }
                }
                """, "{}")).stream().noneMatch(f -> f.startsWith("contraction")));
    }

    private static final String DERIVED = """
            block Lay<D> {
                %s
                forward(x[D]) -> y[D] {
                    %s
                    y = k @ x
                }
            }

            block Choice<D> {
                param scores[3, D]
                experts: Lay<D> * 3
                forward(x[D]) -> y[D] = route x to experts by top(2, softmax(scores @ x))
            }

            model M<D = 64> {
                layers: Lay<D> * 4
                choice: Choice<D>
                one: Lay<D>
                forward(x[T, D]) -> y[T, D] {
                    y = choice(one(x))
                    for i in 0..4 { y = layers[i](y) }
                }
            }
            """;

    /** In one block, in a list, and in blocks that tokens choose: no more to do in a step. */
    @Test
    void whatDependsOnWeightsAloneIsComputedAtLoad() {
        KernelProgram derived = compile(
                DERIVED.formatted("param w[D, D], v[D, D]", "k = softmax(w) @ v"), "{}");
        KernelProgram given = compile(DERIVED.formatted("param k[D, D]", ""), "{}");
        assertEquals(launches(given.step()), launches(derived.step()));
        assertTrue(launches(derived.initialise()) > launches(given.initialise()));
    }

    /** Also where something in between takes more room than what it is made of. */
    @Test
    void whatWeightsAreMadeIntoMayBeLargerOnTheWay() {
        KernelProgram derived = compile(DERIVED.formatted("param a[D], b[D], w[D, D]",
                "m[d, e] = exp(-abs(a[d] * b[e]))\n        k = w @ m"), "{}");
        KernelProgram given = compile(DERIVED.formatted("param k[D, D]", ""), "{}");
        assertEquals(launches(given.step()), launches(derived.step()));
    }

    private static long launches(List<HostStatement> statements) {
        return statements.stream().mapToLong(s -> switch (s) {
            case HostStatement.Launch l -> 1;
            case HostStatement.If i -> launches(i.then()) + launches(i.otherwise());
            case HostStatement.Loop l -> launches(l.body());
            default -> 0;
        }).sum();
    }

    private static final String MODEL = """
            import stdlib.rotary { rope }

            %s

            model M<D = 64, H = 4, C = 16> {
                mix: Mix<D, H, C>
                forward(x[T, D], pos[T]: int = positions) -> y[T, D] = mix(x, pos)
            }
            """;

    private static final String LIBRARY_FORM = """
            block Mix<D, H, C> {
                param wq[H, C, D], wk[H, C, D], wv[H, C, D], wo[D, H, C]
                state keys[S, H, C], values[S, H, C], at[S]: int
                forward(x[T, D], pos[T]: int) -> y[T, D] {
                    query = rope(wq @ x, pos)
                    keys ++= rope(wk @ x, pos)
                    values ++= wv @ x
                    at ++= pos
                    score[t, h, s] = (sum[c] query[t, h, c] * keys[s, h, c]) / sqrt(C)
                    p[t, h, s] = softmax[s] score[t, h, s] where at[s] <= pos[t]
                    z[t, h, c] = sum[s] p[t, h, s] * values[s, h, c]
                    y[t, d] = sum[h, c] wo[d, h, c] * z[t, h, c]
                }
            }
            """;

    /** Other names, factors the other way round, the softmax written out by hand. */
    private static final String RESTATED = """
            block Mix<D, H, C> {
                param a[H, C, D], b[H, C, D], v[H, C, D], o[D, H, C]
                state past[S, H, C], content[S, H, C], when[S]: int
                forward(x[T, D], now[T]: int) -> y[T, D] {
                    past ++= rope(b @ x, now)
                    content ++= v @ x
                    when ++= now
                    asked = rope(a @ x, now)
                    m[t, g, n] = (sum[e] past[n, g, e] * asked[t, g, e]) * (1.0 / sqrt(C))
                    top[t, g] = max[n] m[t, g, n] where when[n] <= now[t]
                    w[t, g, n] = if when[n] <= now[t] { exp(m[t, g, n] - top[t, g]) } else { 0.0 }
                    total[t, g] = sum[n] w[t, g, n]
                    seen[t, g, e] = sum[n] content[n, g, e] * (w[t, g, n] / total[t, g])
                    y[t, d] = sum[g, e] seen[t, g, e] * o[d, g, e]
                }
            }
            """;

    @Test
    void restatingTheMixerGivesTheSameNumberOfKernels() {
        KernelProgram library = compile(MODEL.formatted(LIBRARY_FORM), "{}");
        KernelProgram restated = compile(MODEL.formatted(RESTATED), "{}");
        assertEquals(forms(library), forms(restated));
        assertTrue(library.stories().stream().anyMatch(
                s -> s.form().equals("points in blocks, streamed online")), "masked attention is one kernel");
    }

    /** The axes of what stands between the equations in another order. */
    @Test
    void otherOrdersOfAxesGiveTheSameNumberOfKernels() {
        KernelProgram library = compile(MODEL.formatted(LIBRARY_FORM), "{}");
        String headsFirst = LIBRARY_FORM
                .replace("score[t, h, s]", "score[h, t, s]")
                .replace("p[t, h, s]", "p[h, t, s]")
                .replace("z[t, h, c]", "z[h, c, t]");
        assertEquals(forms(library), forms(compile(MODEL.formatted(headsFirst), "{}")));
        String slotsFirst = LIBRARY_FORM
                .replace("score[t, h, s]", "score[t, s, h]")
                .replace("p[t, h, s]", "p[t, s, h]");
        assertEquals(library.kernels().size(),
                compile(MODEL.formatted(slotsFirst), "{}").kernels().size());
    }

    /** Heads repeated for groups of queries: what only says where to read costs nothing. */
    @Test
    void repeatedHeadsGiveTheSameKernels() {
        KernelProgram library = compile(MODEL.formatted(LIBRARY_FORM), "{}");
        String repeated = LIBRARY_FORM
                .replace("score[t, h, s] = ", """
                        more_keys[s, g in 0..2 * H, c] = keys[s, g / 2, c]
                        more_values[s, g in 0..2 * H, c] = values[s, g / 2, c]
                        score[t, h, s] = """)
                .replace("* keys[s, h, c]", "* more_keys[s, 2 * h, c]")
                .replace("* values[s, h, c]", "* more_values[s, 2 * h + 1, c]");
        assertEquals(forms(library), forms(compile(MODEL.formatted(repeated), "{}")));
    }

    private static final String ROUTED = """
            import stdlib.feed_forward { SwiGlu }

            block Routed<D, F, N, K> {
                param router[N, D]
                experts: SwiGlu<D, F> * N
                forward(x[D]) -> y[D] {
                    %s
                }
            }

            model M<D = 64, F = 48, N = 8, K = 2> {
                net: Routed<D, F, N, K>
                forward(x[T, D]) -> y[T, D] = net(x)
            }
            """;

    @Test
    void restatingARoutedBlockGivesTheSameKernels() {
        KernelProgram library = compile(ROUTED.formatted("""
                logits = router @ x
                y = route x to experts by top(K, softmax(logits), normalize: true)
                """), "{}");
        KernelProgram restated = compile(ROUTED.formatted("""
                l[n] = sum[i] x[i] * router[n, i]
                best = max[n] l[n]
                e[n] = exp(l[n] - best)
                all_of_it = sum[n] e[n]
                q[n] = e[n] / all_of_it
                y = route x to experts by top(K, q, normalize: true)
                """), "{}");
        assertEquals(forms(library), forms(restated));
    }

    /** A choice written as an index and a product is a route too. */
    @Test
    void aBlockChosenByHandGivesTheKernelsOfARoute() {
        KernelProgram route = compile(ROUTED.formatted("""
                p = softmax(router @ x)
                y = route x to experts by top(1, p)
                """), "{}");
        KernelProgram byHand = compile(ROUTED.formatted("""
                p = softmax(router @ x)
                e[j in 0..1] = argmax[n] p[n]
                y[d] = sum[j] p[e[j]] * experts[e[j]](x)[d]
                """), "{}");
        assertEquals(route.kernels().size(), byHand.kernels().size());
    }

    /** Who else reads weights, and how many others go side by side, makes no second copy. */
    @Test
    void weightsOfSeveralProductsArePackedOnce() {
        for (String format : List.of("f32", "bf16", "int8", "int4(group: 32)")) {
            KernelProgram program = compile("""
                    model M<D = 64, F = 4096> {
                        param w[F, D], v[F, D]
                        precision { weights: %s }
                        forward(x[T, D]) -> (a[T, F], b[T, F]) {
                            a = w @ x
                            z[t, d in 0..D] = sum[f] a[t, f] * float(d)
                            b = silu(w @ z) * (v @ z)
                        }
                    }
                    """.formatted(format), "{}");
            List<String> packed = program.initialise().stream()
                    .filter(s -> s instanceof HostStatement.Allocate)
                    .map(s -> ((HostStatement.Allocate) s).value().name())
                    .filter(name -> name.contains("in panels")).toList();
            assertEquals(packed.stream().distinct().toList(), packed, format);
            assertEquals(format.startsWith("int") ? 4 : 2, packed.size(), packed.toString());
            // Bytes that hold several codes stand four to a word.
            assertEquals(format.startsWith("int4") ? 2 : 0,
                    packed.stream().filter(name -> name.endsWith("of words")).count(), format);
        }
    }

    /** Blocks of rows ask for the next panel while they multiply; single rows need not. */
    @Test
    void blocksOfRowsReadAhead() {
        assertEquals(1, prefetches(TargetDescription.AVX512, "f32"));
    }

    /** A row of words of four strips is eight lines; where nothing is decoded, nobody asks. */
    @Test
    void oneRowAsksForWhatItDecodes() {
        assertEquals(8, prefetches(TargetDescription.AVX512, "int4(group: 32)"));
    }

    /** What a place is computed of would stand between sums that are held in registers. */
    @Test
    void javaMachinesCannotReadAhead() {
        for (String format : List.of("f32", "int4(group: 32)")) {
            assertEquals(0, prefetches(new BytecodeCompiler().target(), format));
            JvmArtefact.TARGETS.forEach(
                    target -> assertEquals(0, prefetches(target, format), target.name()));
        }
    }

    private static int prefetches(TargetDescription target, String format) {
        KernelProgram program = compile("""
                model M<D = 64, F = 4096> {
                    param w[F, D]
                    precision { weights: %s }
                    forward(x[T, D]) -> y[T, F] = w @ x
                }
                """.formatted(format), "{}", target);
        String text = program.kernels().stream().map(KernelPrinter::print)
                .filter(k -> k.contains("fma(")).findFirst().orElseThrow();
        return text.split("prefetch ", -1).length - 1;
    }

    private static java.util.List<String> forms(KernelProgram program) {
        return program.stories().stream().map(KernelProgram.Story::form).sorted().toList();
    }

    @Test
    void aGatedFeedForwardNetIsTwoKernels() {
        KernelProgram program = compile("""
                import stdlib.feed_forward { SwiGlu }
                model M<D = 64, F = 96> {
                    net: SwiGlu<D, F>
                    forward(x[T, D]) -> y[T, D] = net(x)
                }
                """, "{}");
        long launched = program.step().stream()
                .filter(s -> s instanceof dev.weir.ir.kernel.HostStatement.Launch).count();
        assertEquals(2, launched, "gate, up and product in one kernel, down in the other");
    }
}
