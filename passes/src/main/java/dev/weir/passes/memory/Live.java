package dev.weir.passes.memory;

import dev.weir.ir.kernel.HostStatement;
import dev.weir.ir.tensor.Value;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.HashMap;
import java.util.IdentityHashMap;
import java.util.List;
import java.util.Map;

/**
 * The blocks of memory that a host program has at a place, with the names that each has, as the
 * executor counts them: what is changed in place has one, and nobody who still reads it. It also
 * knows the most bytes that were alive at once up to this place, and where that was.
 */
public final class Live {
    private static final class Block {
        private final Value value;
        private final double bytes;
        private int names = 1;

        Block(Value value, double bytes) {
            this.value = value;
            this.bytes = bytes;
        }

        Block copy() {
            Block copy = new Block(value, bytes);
            copy.names = names;
            return copy;
        }
    }

    /** A tensor that is alive, under the name that it was allocated by. */
    public record Tensor(Value value, double bytes) {}

    /**
     * The most bytes that were alive at once.
     *
     * @param place the kernel whose launch they are for, or what else takes memory
     * @param tensors the largest first
     */
    public record Most(double bytes, String place, List<Tensor> tensors) {}

    /** Shared by the copies for arms of branches: the most is that of all ways. */
    private static final class Record {
        private double bytes;
        private List<Tensor> tensors = List.of();
        private String place = "";
    }

    private final Map<Value, Block> blocks = new HashMap<>();
    private final Record most;
    private double now;

    /** Before the first statement. */
    public Live() {
        this(new Record());
    }

    private Live(Record most) {
        this.most = most;
    }

    /** The same names of blocks of their own, for a branch that may not be taken. */
    public Live copy() {
        Map<Block, Block> copies = new IdentityHashMap<>();
        Live live = new Live(most);
        blocks.forEach((value, block) -> live.blocks.put(
                value, copies.computeIfAbsent(block, Block::copy)));
        live.now = now;
        return live;
    }

    /** A tensor gets memory. */
    public void allocate(Value value, double bytes) {
        blocks.put(value, new Block(value, bytes));
        now += bytes;
        if (now > most.bytes) {
            most.bytes = now;
            most.place = "";
            most.tensors = blocks.values().stream().distinct()
                    .map(b -> new Tensor(b.value, b.bytes))
                    .sorted(Comparator.comparingDouble(Tensor::bytes).reversed()
                            .thenComparing(t -> t.value().id()))
                    .toList();
        }
    }

    /** What has been allocated is used by something of this name. */
    public void reached(String place) {
        if (most.place.isEmpty()) {
            most.place = place;
        }
    }

    /** A name ends, and the memory with its last one. */
    public void release(Value value) {
        Block block = blocks.remove(value);
        if (block != null && --block.names == 0) {
            now -= block.bytes;
        }
    }

    /** What nobody allocated, the caller's or what was made at load, has more names. */
    public void alias(Value target, Value source) {
        Block block = blocks.get(source);
        if (block != null) {
            block.names++;
            blocks.put(target, block);
        }
    }

    /**
     * Gives a tensor memory of its own.
     *
     * @param bytes of the copy, if there has to be one
     * @return whether the memory is handed on without a copy
     */
    public boolean own(HostStatement.Own own, double bytes) {
        Block block = blocks.get(own.source());
        if (own.last() && block != null && block.names == 1) {
            blocks.remove(own.source());
            blocks.put(own.target(), block);
            return true;
        }
        allocate(own.target(), bytes);
        reached("the copy of " + own.source().name());
        if (own.last()) {
            release(own.source());
        }
        return false;
    }

    /** Bytes that are alive at this place. */
    public double bytes() {
        return now;
    }

    /** The most so far, on whichever way through the branches. */
    public Most most() {
        return new Most(most.bytes, most.place, new ArrayList<>(most.tensors));
    }
}
