package dev.weir.passes.schedule;

import static dev.weir.passes.schedule.Build.add;
import static dev.weir.passes.schedule.Build.divide;
import static dev.weir.passes.schedule.Build.multiply;
import static dev.weir.passes.schedule.Build.subtract;
import static dev.weir.passes.schedule.Build.whole;

import dev.weir.ir.kernel.Expression;
import dev.weir.ir.kernel.Statement;
import dev.weir.ir.tensor.Value;

/**
 * What blocks of rows read ahead while they multiply: the panel behind their own, each block an
 * equal part of it. Otherwise the first block of each panel would wait for memory, and the others,
 * which find the panel in a cache, would leave memory idle.
 *
 * @param first row of those that use a panel
 * @param rows how many use it
 * @param size of a block of rows
 */
record ReadAhead(Expression first, Expression rows, int size) {

    /** Bytes of a cache line, on all machines that ask for lines. */
    private static final int LINE = 64;
    /** How many bytes ahead one row asks. */
    private static final long FAR = 6 * 1024;

    /**
     * Asks for lines of a panel that one row uses by itself. Processors read ahead what is read in
     * order, but not far enough where each line takes long to decode.
     *
     * @param at where the row is in what is packed
     * @param elements that it takes at a time
     */
    static void lines(KernelWriter writer, Value packed, Expression at, long elements) {
        long bytes = packed.type().format().bytes();
        for (long line = 0; line < elements * bytes; line += LINE) {
            writer.add(new Statement.Prefetch(writer.buffer(packed),
                    add(at, whole((FAR + line) / bytes))));
        }
    }

    Block block(KernelWriter writer, Expression row) {
        return new Block(
                writer.let(divide(subtract(row, first), whole(size))),
                writer.let(divide(rows, whole(size))));
    }

    /** One of {@code count} blocks. */
    record Block(Expression number, Expression count) {

        /**
         * The block's part of the next panel.
         *
         * @param next where the next panel begins
         * @param panel elements of a panel
         * @param step elements that a step of the block uses of its own panel
         * @param before how many steps come before those to be written
         */
        Place place(KernelWriter writer, Expression next, Expression panel, long step,
                Expression before) {
            Expression each = writer.let(divide(whole(step), count));
            Expression part = multiply(number, multiply(divide(panel, whole(step)), each));
            return new Place(
                    writer.let(add(add(next, part), multiply(before, each))), each);
        }
    }

    /** As much as {@code each} elements with each step. */
    record Place(Expression start, Expression each) {
        Expression at(Expression step) {
            return add(start, multiply(step, each));
        }
    }
}
