package dev.weir.bench.row;

import dev.weir.bench.engine.Target;
import dev.weir.bench.engine.Unchecked;
import dev.weir.bench.engine.WeirContestant;
import dev.weir.bench.engine.WeirModel;
import dev.weir.bench.engine.Weights;
import dev.weir.bench.measure.Comparison;
import dev.weir.bench.measure.Contest;
import dev.weir.bench.measure.Problem;
import dev.weir.bench.measure.Work;
import dev.weir.bench.peer.Peer;
import dev.weir.runtime.memory.Tensor;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.Random;

/** What it costs that an index from data is checked: the same kernels with and without checks. */
public final class ChecksRow implements Row {
    /**
     * Something that reads where data says.
     *
     * @param body of a model with a table of 32,000 rows of 768 numbers
     * @param width of a row of {@code x} and of {@code y}
     * @param elements how many are read
     */
    private record Access(String name, String body, int rows, int width, double elements) {}

    private static final int TABLE = 32_000;
    private static final List<Access> ACCESSES = List.of(
            new Access("rows of 768 numbers", "y[t, d] = x[t, d] + (sum[e] table[place[t], e])",
                    16_384, 1, 16_384.0 * 768),
            new Access("rows of 16 numbers", "y[t, d] = sum[u] x[place[u], d] * x[t, d]",
                    1_024, 16, 1_024.0 * 1_024 * 16),
            new Access("single numbers", "y[t, d] = sum[u] x[place[u], d] * x[t, d]",
                    2_048, 1, 2_048.0 * 2_048));
    private static final String PROGRAM = """
            model Access<D = %d> {
                param table[32000, 768]
                forward(x[T, D], place[T]: int) -> y[T, D] {
                    %s
                }
            }
            """;

    @Override
    public String name() {
        return "checks";
    }

    @Override
    public String meaning() {
        return "indices from data with their checks, beside the same kernels without";
    }

    @Override
    public List<Peer> peers() {
        return List.of();
    }

    @Override
    public void run(Laboratory laboratory) {
        for (Access access : ACCESSES) {
            for (Target target : Target.values()) {
                measure(laboratory, access, target);
            }
        }
    }

    private static void measure(Laboratory laboratory, Access access, Target target) {
        try (Weights weights = new Weights()) {
            weights.get("table", TABLE, 768);
            Tensor[] arguments = {weights.get("x", access.rows, access.width),
                places(access.rows, Math.min(access.rows, TABLE))};
            Contest contest = laboratory.contest(new Problem(
                    "checks", access.name + ", " + target, laboratory.threads(),
                    Work.bytes(0, 4 * access.elements), Optional.empty(),
                    List.of(Comparison.with("checked", "unchecked", 0))));
            for (boolean checked : new boolean[] {true, false}) {
                String name = checked ? "checked" : "unchecked";
                contest.with(name, () -> new WeirContestant(name,
                        WeirModel.of(PROGRAM.formatted(access.width, access.body),
                                target.compiler(), laboratory.threads(), weights,
                                checked ? p -> p : Unchecked::of),
                        access.rows, arguments));
            }
            laboratory.hold(contest);
        }
    }

    private static Tensor places(int rows, int below) {
        Random random = new Random(below);
        List<Long> places = new ArrayList<>();
        for (int t = 0; t < rows; t++) {
            places.add((long) random.nextInt(below));
        }
        return Tensor.ofLongs(places.stream().mapToLong(Long::longValue).toArray());
    }
}
