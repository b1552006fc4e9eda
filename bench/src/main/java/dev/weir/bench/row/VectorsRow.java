package dev.weir.bench.row;

import dev.weir.bench.engine.WeirContestant;
import dev.weir.bench.engine.WeirModel;
import dev.weir.bench.engine.Weights;
import dev.weir.bench.measure.Comparison;
import dev.weir.bench.measure.Contest;
import dev.weir.bench.measure.Problem;
import dev.weir.bench.measure.Work;
import dev.weir.bench.peer.Peer;
import dev.weir.codegen.llvm.LlvmCompiler;
import dev.weir.codegen.llvm.Processor;
import dev.weir.ir.kernel.KernelCompiler;
import dev.weir.ir.kernel.TargetDescription;
import dev.weir.runtime.memory.Tensor;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.function.Supplier;

/**
 * The code for lesser processors, run by this one: the same work with features switched off. With
 * half as wide vectors half of the speed is what there is to have.
 */
public final class VectorsRow implements Row {
    private static final int SIDE = 512;
    private static final int TOKENS = 2048;
    private static final int CHANNELS = 64;
    private static final String OWN = "Weir native";
    private static final String V3 = "Weir for x86-64-v3 (AVX2)";
    private static final String NARROW = "Weir for vectors of 128 bits";
    private static final String BASE = "Weir for x86-64 (SSE2, no FMA)";
    private static final String ATTENTION = """
            model Attention {
                forward(q[T, %1$d], k[T, %1$d], v[T, %1$d]) -> y[T, %1$d] {
                    p[t, s] = softmax[s] (sum[d] q[t, d] * k[s, d] / 8.0)
                    y[t, d] = sum[s] p[t, s] * v[s, d]
                }
            }
            """.formatted(CHANNELS);

    @Override
    public String name() {
        return "vectors";
    }

    @Override
    public String meaning() {
        return "the same kernels for processors with narrower vectors, run by this one: a "
                + "contraction of 512³ and attention of 2,048 tokens";
    }

    @Override
    public List<Peer> peers() {
        return List.of();
    }

    @Override
    public void run(Laboratory laboratory) {
        try (Weights weights = new Weights()) {
            Tensor x = weights.get("x", SIDE, SIDE);
            hold(laboratory, weights, "contraction of 512³", ContractionRow.program(SIDE, SIDE),
                    2.0 * SIDE * SIDE * SIDE, SIDE, x);
            Tensor q = weights.get("q", TOKENS, CHANNELS);
            Tensor k = weights.get("k", TOKENS, CHANNELS);
            Tensor v = weights.get("v", TOKENS, CHANNELS);
            hold(laboratory, weights, "attention of 2,048 tokens", ATTENTION,
                    4.0 * TOKENS * TOKENS * CHANNELS, TOKENS, q, k, v);
        }
    }

    private static void hold(
            Laboratory laboratory,
            Weights weights,
            String name,
            String program,
            double operations,
            int rows,
            Tensor... arguments) {
        Contest contest = laboratory.contest(new Problem("vectors", name, laboratory.threads(),
                Work.operations(operations, 0), Optional.empty(), List.of(
                        Comparison.with(V3, OWN, 0.45), Comparison.with(NARROW, OWN, 0.2),
                        Comparison.with(BASE, OWN, 0))));
        compilers().forEach((contestant, compiler) -> contest.with(contestant,
                () -> new WeirContestant(contestant, WeirModel.of(program, compiler.get(),
                        laboratory.threads(), weights), rows, arguments)));
        laboratory.hold(contest);
    }

    private static Map<String, Supplier<KernelCompiler>> compilers() {
        Map<String, Supplier<KernelCompiler>> compilers = new LinkedHashMap<>();
        compilers.put(OWN, LlvmCompiler::new);
        String triple = Processor.host().triple();
        if (Processor.names(triple).contains("x86-64-v3")) {
            compilers.put(V3, () -> new LlvmCompiler(
                    Processor.named(triple, Optional.of("x86-64-v3"))));
        }
        compilers.put(NARROW, () -> new LlvmCompiler(TargetDescription.VECTOR128));
        if (Processor.names(triple).contains("x86-64")) {
            compilers.put(BASE, () -> new LlvmCompiler(
                    Processor.named(triple, Optional.of("x86-64"))));
        }
        return compilers;
    }
}
