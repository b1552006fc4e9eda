package dev.weir.passes.schedule;

import static dev.weir.passes.schedule.Build.multiply;
import static dev.weir.passes.schedule.Build.whole;

import dev.weir.ir.kernel.Buffer;
import dev.weir.ir.kernel.Expression;
import dev.weir.ir.kernel.Expression.BinaryOperation;
import dev.weir.ir.kernel.Type;
import dev.weir.ir.kernel.Variable;
import dev.weir.ir.tensor.Scalar;
import dev.weir.passes.contract.ByteProducts;
import dev.weir.passes.contract.Contraction;
import dev.weir.passes.contract.Words;
import dev.weir.passes.layout.PackedBytes;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/**
 * Writes the sums of one register block's runs as whole numbers, four products at a time.
 *
 * <pre>
 *   s = bias · -sum(x in run g);  for each word i of the run { s = dot_bytes(w[i], x[i], s) }
 *   y = fma(s · step[g], scale[g], y)
 * </pre>
 */
final class ByteSums {
    private final ContractionSchedule schedule;
    private final ScalarEmitter emitter;
    private final KernelWriter writer;
    private final List<List<Expression>> places;
    private final Panels panels;
    private final Map<Contraction, ByteProducts> products;
    private final Map<Contraction, Variable[][]> sums;
    private final Contraction lead;
    private final ByteProducts leading;
    private final long length;

    /**
     * @param places of the block's rows, by axis
     * @param panels in use
     * @param sums of the run in use, by row and vector of columns, i32
     */
    ByteSums(
            ContractionSchedule schedule,
            List<List<Expression>> places,
            Panels panels,
            Map<Contraction, ByteProducts> products,
            Map<Contraction, Variable[][]> sums) {
        this.schedule = schedule;
        this.emitter = schedule.emitter();
        this.writer = emitter.writer();
        this.places = places;
        this.panels = panels;
        this.products = products;
        this.sums = sums;
        this.lead = schedule.contractions().getFirst();
        this.leading = products.get(lead);
        this.length = ((Scalar.Whole) lead.weights().last().upper()).value();
    }

    /** Begins a run: its sums are what codes without a sign make too much. */
    void begin(Expression number) {
        Expression place = writer.let(ofRun(number));
        Expression bits = whole(
                new Type(Type.Element.I32, schedule.lanes()), leading.bits() - 1L);
        for (int r = 0; r < places.size(); r++) {
            Expression first = writer.let(Build.shiftLeft(
                    ScalarEmitter.widen(word(r, place), schedule.lanes()), bits));
            for (Contraction contraction : schedule.contractions()) {
                for (Variable sum : sums.get(contraction)[r]) {
                    writer.assign(sum, first);
                }
            }
        }
    }

    /** Where a run of a row begins, its sum before its words. */
    private Expression ofRun(Expression number) {
        return multiply(number, whole(Words.ofRun(leading.run())));
    }

    /** Adds the products of a run of so many neighbours. */
    void add(Expression flat, Expression number, long size) {
        int fours = PackedBytes.fours(leading);
        long all = PackedBytes.words(leading, length);
        Expression first = writer.let(Build.add(multiply(flat, whole(all)),
                multiply(number, whole(PackedBytes.words(leading, leading.run())))));
        Expression codes = writer.let(Build.add(ofRun(number), whole(1)));
        writer.loop(whole(0), whole(PackedBytes.words(leading, size)), 1, step -> {
            Map<Contraction, Expression[]> words = new HashMap<>();
            for (Contraction contraction : schedule.contractions()) {
                Panels.Panel panel = panels.of(contraction, schedule.packing().bytes()
                        .words(contraction, products.get(contraction), width()));
                Expression row = writer.let(Build.add(first, step));
                if (places.size() == 1 && schedule.isDecoded()) {
                    ReadAhead.lines(writer, panel.packed(), writer.let(Build.add(
                            panel.start(), multiply(row, whole(width())))), width());
                }
                words.put(contraction, read(panel, row));
            }
            for (int four = 0; four < fours; four++) {
                four(words, writer.let(Build.add(Build.add(
                        codes, multiply(step, whole(fours))), whole(four))), four);
            }
        });
    }

    /** The products of one word of each row with a four of each word of the weights. */
    private void four(Map<Contraction, Expression[]> words, Expression place, int four) {
        Type vector = new Type(Type.Element.I32, schedule.lanes());
        int down = four * leading.bits();
        long mask = 0x01010101L * ((1 << leading.bits()) - 1);
        Map<Contraction, Expression[]> bytes = new HashMap<>();
        words.forEach((contraction, all) -> {
            Expression[] pieces = new Expression[all.length];
            for (int v = 0; v < all.length; v++) {
                Expression piece = down == 0 ? all[v] : Build.binary(
                        BinaryOperation.SHIFT_RIGHT, all[v], whole(vector, down));
                pieces[v] = leading.bits() == Byte.SIZE ? piece : writer.let(Build.binary(
                        BinaryOperation.AND, piece, whole(vector, (int) mask)));
            }
            bytes.put(contraction, pieces);
        });
        for (int r = 0; r < places.size(); r++) {
            Expression x = writer.let(ScalarEmitter.widen(word(r, place), schedule.lanes()));
            for (Contraction contraction : schedule.contractions()) {
                for (int v = 0; v < schedule.vectors(); v++) {
                    Variable sum = sums.get(contraction)[r][v];
                    writer.assign(sum, new Expression.DotBytes(
                            bytes.get(contraction)[v], x, new Expression.Get(sum)));
                }
            }
        }
    }

    /** A word of a row of the block. */
    private Expression word(int row, Expression place) {
        schedule.bindRow(places.get(row));
        Words words = Words.of(leading.factor()).orElseThrow();
        List<Expression> coordinates = new ArrayList<>();
        words.row().forEach(c -> coordinates.add(emitter.emit(c)));
        coordinates.add(place);
        ScalarEmitter.Place at = emitter.place(words.words(), coordinates);
        return new Expression.Load(at.buffer(), at.index(), 1, Optional.empty());
    }

    private int width() {
        return schedule.lanes() * schedule.vectors();
    }

    private Expression[] read(Panels.Panel panel, Expression number) {
        Buffer buffer = writer.buffer(panel.packed());
        Expression offset = writer.let(multiply(number, whole(width())));
        Expression[] vectors = new Expression[schedule.vectors()];
        for (int v = 0; v < vectors.length; v++) {
            vectors[v] = writer.let(new Expression.Load(buffer,
                    Build.add(Build.add(panel.start(), offset),
                            whole((long) v * schedule.lanes())),
                    schedule.lanes(), Optional.empty()));
        }
        return vectors;
    }
}
