package dev.weir.passes.contract;

import dev.weir.ir.operation.Operation;
import dev.weir.ir.tensor.Axis;
import dev.weir.ir.tensor.Scalar;
import dev.weir.ir.tensor.Walk;
import dev.weir.ir.type.Format;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;

/**
 * A contraction of codes with codes: its sums are whole numbers but for the scales, which
 * neighbours along the last reduced axis have in common.
 *
 * <pre>
 *   sum[k] convert(code[j, k]) · scale[j, k / 32]  ·  convert(factor[t, k]) · step[t, k / 64]
 *       =  sum[g] scale[j, g] · step[t, g / 2] · (sum[k in group g] code[j, k] · factor[t, k])
 * </pre>
 *
 * @param code of one weight, i32: what its bits say, with their sign
 * @param bits of a code of the weights
 * @param factor what of the activations varies from neighbour to neighbour, an i32
 * @param steps the other factors of the activations
 * @param run how many neighbours have the same scales on both sides
 */
public record ByteProducts(
        Scalar code, int bits, Scalar factor, List<Scalar> steps, long run) {
    /** More products of an unsigned byte and a signed one may not fit into 32 bits. */
    private static final long LONGEST = 1 << 16;
    /** How many codes go into a word of the weights for each of the factor's four. */
    static final int WORD = 4;

    /** How a contraction's sums can be made of products of bytes, if they can. */
    public static Optional<ByteProducts> of(Contraction contraction) {
        Weights weights = contraction.weights();
        Axis last = weights.last();
        List<Scalar> own = new ArrayList<>(Walk.factors(weights.value()));
        own.removeIf(f -> weights.operands().stream()
                .filter(o -> Walk.contains(f, o.load()))
                .allMatch(o -> o.isShared(weights.step())));
        List<Scalar> varying = new ArrayList<>();
        List<Scalar> steps = new ArrayList<>();
        long run = weights.run();
        for (Scalar factor : Walk.factors(contraction.activations())) {
            Optional<Long> shared = shared(factor, last);
            if (shared.isPresent()) {
                steps.add(factor);
                run = Math.min(run, shared.get());
            } else {
                varying.add(factor);
            }
        }
        if (own.size() != 1 || varying.size() != 1
                || !(own.getFirst() instanceof Scalar.Convert code)
                || !(varying.getFirst() instanceof Scalar.Convert factor)) {
            return Optional.empty();
        }
        long extent = Weights.extent(last);
        long shortest = run;
        int bits = bits(code.operand());
        boolean isEven = steps.stream().allMatch(s -> shared(s, last).orElseThrow() % shortest == 0)
                && (weights.run() % run == 0 || weights.run() == extent);
        boolean fits = run == extent || run % (WORD * Byte.SIZE / Math.max(1, bits)) == 0;
        return bits > 0 && isEven && fits && run <= LONGEST && isCode(factor.operand(), last)
                ? Optional.of(new ByteProducts(
                        code.operand(), bits, factor.operand(), steps, run))
                : Optional.empty();
    }

    /**
     * Whether the sums of both contractions can be made of such products, of as many bits in as
     * long runs, or those of neither: only then are they made side by side. Otherwise a sum would
     * be rounded or not as its neighbour is, or as what a target can do keeps them apart.
     */
    public static boolean areAlike(Contraction a, Contraction b) {
        return kind(a).equals(kind(b));
    }

    private static Optional<List<Long>> kind(Contraction contraction) {
        return of(contraction).map(p -> List.of((long) p.bits, p.run));
    }

    /** How many products of codes f32 sums up without rounding. */
    public long exact() {
        // Codes of the activations have 7 bits beside the sign, and f32 holds 24.
        return 1L << 24 - 7 - (bits - 1);
    }

    /** How many bits a code of weights has: all of a byte, or those between two shifts; or 0. */
    private static int bits(Scalar code) {
        if (code instanceof Scalar.Load load && load.source().type().format() == Format.I8) {
            return Byte.SIZE;
        }
        boolean isCut = code instanceof Scalar.Apply down
                && down.operation() == Operation.SHIFT_RIGHT && down.format() == Format.I32
                && down.operands().get(0) instanceof Scalar.Apply up
                && up.operation() == Operation.SHIFT_LEFT
                && down.operands().get(1) instanceof Scalar.Whole unused
                && unused.value() >= Integer.SIZE - Byte.SIZE && unused.value() < Integer.SIZE;
        int bits = isCut ? Integer.SIZE - (int) ((Scalar.Whole)
                ((Scalar.Apply) code).operands().get(1)).value() : 0;
        return bits > 0 && Byte.SIZE % bits == 0 ? bits : 0;
    }

    /** Whether a factor is a byte of a row, or of its words. */
    private static boolean isCode(Scalar factor, Axis last) {
        return Words.of(factor).filter(w -> w.place().equals(Scalar.variable(last.index())))
                .isPresent()
                || factor instanceof Scalar.Load load
                && load.source().type().format() == Format.I8
                && load.bounds() == Scalar.Bounds.PROVED
                && load.coordinates().getLast().equals(Scalar.variable(last.index()))
                && load.coordinates().subList(0, load.coordinates().size() - 1).stream()
                        .noneMatch(c -> Walk.mentions(c, List.of(last.index())));
    }

    /** How many neighbours along an axis read the same; empty if each reads another element. */
    private static Optional<Long> shared(Scalar factor, Axis axis) {
        if (!Walk.mentions(factor, List.of(axis.index()))) {
            return Optional.of(Weights.extent(axis));
        }
        return factor instanceof Scalar.Load load
                && load.coordinates().getLast() instanceof Scalar.Apply division
                && division.operation() == Operation.DIVIDE
                && division.operands().get(0).equals(Scalar.variable(axis.index()))
                && division.operands().get(1) instanceof Scalar.Whole by
                && load.coordinates().subList(0, load.coordinates().size() - 1).stream()
                        .noneMatch(c -> Walk.mentions(c, List.of(axis.index())))
                ? Optional.of(by.value()) : Optional.empty();
    }
}
