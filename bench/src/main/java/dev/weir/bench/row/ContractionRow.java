package dev.weir.bench.row;

import dev.weir.bench.engine.Target;
import dev.weir.bench.engine.Weights;
import dev.weir.bench.engine.WeirContestant;
import dev.weir.bench.engine.WeirModel;
import dev.weir.bench.measure.Comparison;
import dev.weir.bench.measure.Contest;
import dev.weir.bench.measure.Contestant;
import dev.weir.bench.measure.Problem;
import dev.weir.bench.measure.Reference;
import dev.weir.bench.measure.Work;
import dev.weir.bench.peer.MklContraction;
import dev.weir.bench.peer.OpenBlasContraction;
import dev.weir.bench.peer.Peer;
import dev.weir.runtime.memory.Tensor;
import java.util.Arrays;
import java.util.List;
import java.util.Optional;
import java.util.SplittableRandom;

/**
 * {@code y[m, n] = sum[k] x[m, k] * w[n, k]} in f32 with weights that stay. Weir packs them at
 * load, and so does MKL where it is called packed; OpenBLAS has no such thing.
 */
public final class ContractionRow implements Row {
    private static final String PROGRAM = """
            model Contraction {
                param w[%1$d, %2$d]
                forward(x[T, %2$d]) -> y[T, %1$d] = w @ x
            }
            """;
    private static final int SAMPLES = 2000;
    private static final List<String> CONTESTANTS =
            List.of("Weir native", "Weir jvm", "OpenBLAS", "MKL", "MKL packed");

    /** Sizes of a product: m rows of x, n rows of w, k of both. */
    record Sizes(int m, int n, int k) {
        @Override
        public String toString() {
            return m + "×" + n + "×" + k;
        }
    }

    static final List<Sizes> SIZES = List.of(
            new Sizes(256, 4096, 1024), new Sizes(512, 512, 512),
            new Sizes(64, 11008, 4096), new Sizes(1000, 1000, 1000));

    @Override
    public String name() {
        return "contraction";
    }

    @Override
    public String meaning() {
        return "f32 matrix product M×N×K with weights packed at load, beside OpenBLAS and MKL";
    }

    @Override
    public List<Peer> peers() {
        return List.of(Peer.OPENBLAS, Peer.MKL);
    }

    @Override
    public void run(Laboratory laboratory) {
        for (Sizes sizes : SIZES) {
            try (Weights weights = new Weights()) {
                laboratory.hold(contest(laboratory, sizes, weights, laboratory.threads()));
            }
        }
    }

    /** The program whose weights have n rows of k. */
    static String program(int n, int k) {
        return PROGRAM.formatted(n, k);
    }

    /** All contestants, each with so many threads. */
    static Contest contest(Laboratory laboratory, Sizes sizes, Weights weights, int threads) {
        Tensor x = weights.get("x", sizes.m, sizes.k);
        Tensor w = weights.get("w", sizes.n, sizes.k);
        double operations = 2.0 * sizes.m * sizes.n * sizes.k;
        double bytes = 4.0 * ((double) sizes.m * sizes.k + (double) sizes.n * sizes.k
                + (double) sizes.m * sizes.n);
        Problem problem = new Problem("contraction", sizes.toString(), threads,
                Work.operations(operations, bytes), Optional.of(reference(x, w)),
                List.of(Comparison.withFastestPeer("Weir native", 0.95),
                        Comparison.with("Weir jvm", "Weir native", 0.65)));
        Contest contest = laboratory.contest(problem);
        for (String name : CONTESTANTS) {
            contest.with(name, () -> contestant(name, sizes, weights, threads));
        }
        return contest;
    }

    /**
     * One of the row's contestants.
     *
     * @param sizes {@code MxNxK}
     */
    public static Contestant contestant(
            String name, String sizes, Weights weights, int threads) {
        int[] parts = Arrays.stream(sizes.split("x")).mapToInt(Integer::parseInt).toArray();
        return contestant(name, new Sizes(parts[0], parts[1], parts[2]), weights, threads);
    }

    private static Contestant contestant(
            String name, Sizes sizes, Weights weights, int threads) {
        Tensor x = weights.get("x", sizes.m, sizes.k);
        Tensor w = weights.get("w", sizes.n, sizes.k);
        return switch (name) {
            case "Weir native" -> weir(name, Target.NATIVE, sizes, weights, threads, x);
            case "Weir jvm" -> weir(name, Target.JVM, sizes, weights, threads, x);
            case "OpenBLAS" -> new OpenBlasContraction(x, w, threads);
            case "MKL" -> new MklContraction(x, w, threads, false);
            case "MKL packed" -> new MklContraction(x, w, threads, true);
            default -> throw new IllegalArgumentException("there is no contestant " + name);
        };
    }

    private static Contestant weir(
            String name, Target target, Sizes sizes, Weights weights, int threads, Tensor x) {
        return new WeirContestant(name, WeirModel.of(
                program(sizes.n, sizes.k), target.compiler(), threads, weights), sizes.m, x);
    }

    /** Some elements, by the definition. */
    private static Reference reference(Tensor x, Tensor w) {
        long m = x.shape()[0];
        long n = w.shape()[0];
        long k = w.shape()[1];
        int[] places = new int[SAMPLES];
        double[] expected = new double[SAMPLES];
        var random = new SplittableRandom(1);
        for (int i = 0; i < SAMPLES; i++) {
            long row = random.nextLong(m);
            long column = random.nextLong(n);
            places[i] = Math.toIntExact(row * n + column);
            for (long j = 0; j < k; j++) {
                expected[i] += x.real(row * k + j) * w.real(column * k + j);
            }
        }
        return new Reference(places, expected, 1e-5);
    }
}
