package dev.weir.ir.kernel;

import static dev.weir.ir.kernel.KernelBuilder.add;
import static dev.weir.ir.kernel.KernelBuilder.binary;
import static dev.weir.ir.kernel.KernelBuilder.load;
import static dev.weir.ir.kernel.KernelBuilder.multiply;
import static dev.weir.ir.kernel.KernelBuilder.real;
import static dev.weir.ir.kernel.KernelBuilder.spread;
import static dev.weir.ir.kernel.KernelBuilder.whole;

import dev.weir.ir.kernel.Expression.BinaryOperation;
import dev.weir.ir.kernel.Expression.Compare;
import dev.weir.ir.kernel.Expression.Comparison;
import dev.weir.ir.kernel.Expression.Fold;
import dev.weir.ir.kernel.Expression.FusedMultiplyAdd;
import dev.weir.ir.kernel.Expression.Get;
import dev.weir.ir.kernel.Expression.Select;
import dev.weir.ir.type.Format;
import java.util.ArrayList;
import java.util.List;

/** Kernels about statements: loops, branches, variables, tables, scratch, faults, sheer size. */
final class ControlSamples {

    private ControlSamples() {}

    static List<Kernel> all() {
        List<Kernel> kernels = new ArrayList<>(List.of(
                contraction(4, 2, 4), contraction(8, 2, 16), branches(), table(), scratch(),
                faultAtTile(), faultInNest(), shared(), softmax(), empty(), prefetches(), loadedAgain(1),
                loadedAgain(4), chosenTwice(1), chosenTwice(4), shortLoop()));
        kernels.add(manyBlocks());
        kernels.add(manyInLoop());
        kernels.add(chain());
        kernels.add(faultsInLargeBlocks());
        return kernels;
    }

    /** Loads from one place, between which something changes, or nothing. */
    private static Kernel loadedAgain(int lanes) {
        var k = new KernelBuilder("loaded_again_" + lanes);
        Buffer a = k.buffer("in", Format.F32);
        Buffer first = k.buffer("first", Format.F32);
        Buffer second = k.buffer("second", Format.F32);
        Buffer third = k.buffer("third", Format.F32);
        Buffer places = k.scratch("places", Format.I64, 16);
        k.loop(whole(0), whole(16), 4, i -> {
            Get j = k.var(i);
            Get sum = k.var(add(load(a, j, lanes), load(a, j, lanes)));
            k.assign(j, add(j, whole(4)));
            k.assign(sum, add(sum, load(a, j, lanes)));
            k.assign(sum, multiply(sum, add(load(a, j, lanes), load(a, i, lanes))));
            k.store(first, i, sum);
            k.assign(sum, add(load(first, i, lanes), load(first, i, lanes)));
            k.store(first, i, add(sum, load(first, i, lanes)));
            k.store(second, i, add(load(first, i, lanes), load(first, i, lanes)));
            k.store(places, i, binary(BinaryOperation.SUBTRACT, whole(12), i));
            k.assign(sum, load(a, load(places, i, 1), lanes));
            k.store(places, i, i);
            k.store(third, i, add(sum, add(load(a, load(places, i, 1), lanes),
                    load(a, load(places, i, 1), lanes))));
        });
        return k.build();
    }

    /** The same load on both sides of a choice, and behind it. */
    private static Kernel chosenTwice(int lanes) {
        var k = new KernelBuilder("chosen_twice_" + lanes);
        Buffer a = k.buffer("in", Format.F32);
        Buffer out = k.buffer("out", Format.F32);
        k.loop(whole(0), whole(16), 4, i -> {
            Expression near = load(a, i, lanes);
            Expression isSmall = new Compare(Comparison.LESS, near, spread(real(0), lanes));
            Get once = k.let(new Select(isSmall, add(near, near), load(a, add(i, i), lanes)));
            Get twice = k.let(new Select(isSmall, load(a, add(i, i), lanes), near));
            k.store(out, i, add(once, multiply(twice, load(a, i, lanes))));
        });
        return k.build();
    }

    /** Rounds that are written by themselves, of which the last goes past the end. */
    private static Kernel shortLoop() {
        var k = new KernelBuilder("short_loop");
        Buffer a = k.buffer("in", Format.F32);
        Buffer out = k.buffer("out", Format.F32);
        k.loop(whole(1), whole(9), 3, i -> k.store(out, i, load(a, i, 4)));
        return k.build();
    }

    /** Asks for elements that are there, that are far away, and that are before all others. */
    private static Kernel prefetches() {
        var k = new KernelBuilder("prefetches");
        Buffer a = k.buffer("in_a", Format.F32);
        Buffer c = k.buffer("result", Format.F32);
        k.loop(whole(0), whole(16), 1, i -> {
            k.add(new Statement.Prefetch(a, i));
            k.add(new Statement.Prefetch(a, multiply(i, whole(1L << 40))));
            k.add(new Statement.Prefetch(a, multiply(i, whole(-1L << 20))));
            k.store(c, i, load(a, i, 1));
        });
        return k.build();
    }

    /** A register block of a matrix product: mutable vectors in nested loops. */
    static Kernel contraction(int rows, int columns, int lanes) {
        var k = new KernelBuilder("contraction_" + rows + "_" + columns + "_" + lanes);
        Buffer a = k.buffer("in_a", Format.F32);
        Buffer b = k.buffer("in_b", Format.BF16);
        Buffer c = k.buffer("result", Format.F32);
        int width = columns * lanes;
        long depth = 19;
        k.loop(whole(0), whole(2), 1, block -> {
            Get[][] sums = new Get[rows][columns];
            for (Get[] row : sums) {
                for (int i = 0; i < columns; i++) {
                    row[i] = k.var(spread(real(0), lanes));
                }
            }
            k.loop(whole(0), whole(depth), 1, d -> {
                Get[] vectors = new Get[columns];
                for (int i = 0; i < columns; i++) {
                    Expression at = add(multiply(add(multiply(block, whole(depth)), d),
                            whole(width)), whole((long) i * lanes));
                    vectors[i] = k.let(load(b, at, lanes));
                }
                for (int r = 0; r < rows; r++) {
                    Expression at = add(multiply(d, whole(rows)), whole(r));
                    Get row = k.let(spread(load(a, at, 1), lanes));
                    for (int i = 0; i < columns; i++) {
                        k.assign(sums[r][i], new FusedMultiplyAdd(row, vectors[i], sums[r][i]));
                    }
                }
            });
            for (int r = 0; r < rows; r++) {
                for (int i = 0; i < columns; i++) {
                    Expression at = add(multiply(add(multiply(block, whole(rows)), whole(r)),
                            whole(width)), whole((long) i * lanes));
                    k.store(c, at, sums[r][i]);
                }
            }
        });
        return k.build();
    }

    private static Kernel branches() {
        var k = new KernelBuilder("branches");
        Buffer a = k.buffer("a", Format.F32);
        Buffer out = k.buffer("out", Format.F32);
        Get limit = k.scalar("limit");
        Get largest = k.var(real(Double.NEGATIVE_INFINITY));
        Get count = k.var(whole(0));
        k.loop(whole(0), limit, 1, i -> {
            Get x = k.let(load(a, i, 1));
            k.branch(new Compare(Comparison.GREATER, x, largest),
                    () -> k.assign(largest, x),
                    () -> k.branch(new Compare(Comparison.NOT_EQUAL, x, x),
                            () -> k.assign(count, add(count, whole(1))),
                            () -> { }));
            k.store(out, i, new Select(new Compare(Comparison.LESS, x, real(0)), largest,
                    new Expression.Convert(Type.Element.F32, count)));
        });
        return k.build();
    }

    private static Kernel table() {
        var k = new KernelBuilder("table");
        Buffer table = k.buffer("table", Format.I64);
        Buffer out = k.buffer("out", Format.F32);
        k.loop(whole(0), whole(2), 1, i -> {
            Buffer bound = k.bind(Format.BF16, table, i);
            k.loop(whole(0), whole(64), 8, j -> k.loop(whole(0), whole(2), 1, h ->
                    k.store(out, add(multiply(i, whole(64)), j), load(bound, add(j, h), 8))));
        });
        return k.build();
    }

    private static Kernel scratch() {
        var k = new KernelBuilder("scratch");
        Buffer a = k.buffer("in", Format.F32);
        Buffer out = k.buffer("out", Format.F32);
        Buffer first = k.scratch("first", Format.BF16, 37);
        Buffer second = k.scratch("second", Format.F32, 48);
        k.loop(whole(0), whole(37), 1, i -> k.store(first, i, load(a, add(i, k.tile()), 1)));
        k.loop(whole(0), whole(48), 16, i -> k.store(second, i, multiply(
                load(first, i, 16, binary(BinaryOperation.SUBTRACT, whole(37), i)),
                spread(real(3), 16))));
        k.loop(whole(0), whole(48), 4, i ->
                k.store(out, add(multiply(k.tile(), whole(48)), i), load(second, i, 4)));
        return k.build();
    }

    /** Tiles behind the fault must not run, nor the statements behind it. */
    private static Kernel faultAtTile() {
        var k = new KernelBuilder("fault_at_tile");
        Buffer out = k.buffer("out", Format.I64);
        Get limit = k.scalar("limit");
        k.store(out, k.tile(), whole(1));
        k.branch(new Compare(Comparison.GREATER, k.tile(), whole(1)),
                () -> k.fault(7, multiply(k.tile(), whole(11)), limit),
                () -> k.store(out, add(k.tile(), whole(8)), whole(2)));
        k.store(out, add(k.tile(), whole(16)), whole(3));
        return k.build();
    }

    private static Kernel faultInNest() {
        var k = new KernelBuilder("fault_in_nest");
        Buffer out = k.buffer("out", Format.I64);
        k.loop(whole(0), whole(4), 1, i -> {
            k.loop(whole(0), whole(4), 1, j -> {
                Get at = k.let(add(multiply(i, whole(4)), j));
                k.store(out, at, at);
                k.branch(new Compare(Comparison.EQUAL, at, whole(9)),
                        () -> k.fault(3, at, whole(9)), () -> { });
            });
            k.store(out, add(i, whole(32)), i);
        });
        return k.build();
    }

    /** A node reached in 2^40 ways must be evaluated once. */
    private static Kernel shared() {
        var k = new KernelBuilder("shared");
        Buffer a = k.buffer("a", Format.F32);
        Buffer out = k.buffer("out", Format.F32);
        Expression scalar = load(a, whole(5), 1);
        Expression vector = load(a, whole(3), 8);
        Expression mask = new Compare(Comparison.LESS, vector, spread(real(1), 8));
        for (int i = 0; i < 40; i++) {
            scalar = new Select(new Compare(Comparison.LESS, scalar, real(1)),
                    multiply(scalar, scalar), add(scalar, scalar));
            vector = multiply(vector, vector);
            mask = binary(BinaryOperation.EXCLUSIVE_OR, mask,
                    binary(BinaryOperation.AND, mask, mask));
        }
        k.store(out, whole(0), scalar);
        k.store(out, whole(16), new Select(mask, vector, spread(scalar, 8)));
        return k.build();
    }

    /** Running maximum and sum, as attention has them. */
    private static Kernel softmax() {
        var k = new KernelBuilder("softmax");
        Buffer a = k.buffer("in", Format.F32);
        Buffer out = k.buffer("out", Format.F32);
        Get top = k.var(spread(real(Double.NEGATIVE_INFINITY), 16));
        Get sum = k.var(spread(real(0), 16));
        k.loop(whole(0), whole(160), 16, i -> {
            Get x = k.let(load(a, i, 16));
            Get higher = k.let(binary(BinaryOperation.MAXIMUM, top, x));
            k.assign(sum, new FusedMultiplyAdd(sum, binary(BinaryOperation.SUBTRACT, top, higher),
                    x));
            k.assign(top, higher);
        });
        k.store(out, whole(0), new Fold(BinaryOperation.MAXIMUM, top));
        k.store(out, whole(1), new Fold(BinaryOperation.ADD, sum));
        return k.build();
    }

    private static Kernel empty() {
        return new KernelBuilder("empty").build();
    }

    /** Too large for one method on the JVM: independent blocks one behind the other. */
    static Kernel manyBlocks() {
        var k = new KernelBuilder("many_blocks");
        Buffer a = k.buffer("in", Format.F32);
        Buffer out = k.buffer("out", Format.F32);
        for (int n = 0; n < 120; n++) {
            long from = n;
            Get factor = k.let(spread(real(n), 16));
            Get sum = k.var(load(a, whole(from), 16));
            k.loop(whole(0), whole(5), 1, i -> k.assign(sum, new FusedMultiplyAdd(
                    sum, factor, load(a, add(i, add(k.tile(), whole(from))), 16))));
            k.store(out, add(multiply(k.tile(), whole(4096)), whole(16L * n)), sum);
        }
        return k.build();
    }

    /** The same inside a loop whose accumulators live across all of it. */
    static Kernel manyInLoop() {
        var k = new KernelBuilder("many_in_loop");
        Buffer a = k.buffer("in", Format.F32);
        Buffer out = k.buffer("out", Format.F32);
        Get total = k.var(spread(real(0), 16));
        k.loop(whole(0), whole(3), 1, i -> {
            for (int n = 0; n < 300; n++) {
                Get x = k.let(load(a, add(i, whole(n)), 16));
                k.store(out, whole(16L * n), multiply(x, x));
                if (n % 50 == 0) {
                    k.assign(total, binary(BinaryOperation.MAXIMUM, total, x));
                }
            }
        });
        k.store(out, whole(8192), total);
        return k.build();
    }

    /** Straight-line code of which every value is needed until the end. */
    static Kernel chain() {
        var k = new KernelBuilder("chain");
        Buffer a = k.buffer("in", Format.F32);
        Buffer out = k.buffer("out", Format.F32);
        List<Get> values = new ArrayList<>();
        for (int n = 0; n < 450; n++) {
            Expression x = load(a, whole(n), 1);
            for (int back = 1; back <= Math.min(3, n); back++) {
                x = new FusedMultiplyAdd(x, real(0.25), values.get(n - back));
            }
            values.add(k.let(x));
        }
        for (int n = 0; n < 450; n += 10) {
            k.store(out, whole(n), add(values.get(n), values.get(449 - n)));
        }
        return k.build();
    }

    private static Kernel faultsInLargeBlocks() {
        var k = new KernelBuilder("faults_in_large_blocks");
        Buffer a = k.buffer("in", Format.F32);
        Buffer out = k.buffer("out", Format.F32);
        for (int n = 0; n < 200; n++) {
            long at = n;
            Get x = k.let(load(a, whole(at), 16));
            k.store(out, whole(16L * n), add(x, spread(real(n), 16)));
            k.branch(new Compare(Comparison.GREATER, add(k.tile(), whole(n)), whole(151)),
                    () -> k.fault(1, k.tile(), whole(at)), () -> { });
        }
        return k.build();
    }
}
