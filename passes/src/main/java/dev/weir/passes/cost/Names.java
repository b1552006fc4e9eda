package dev.weir.passes.cost;

import dev.weir.ir.kernel.HostStatement;
import dev.weir.ir.tensor.Value;
import java.util.HashMap;
import java.util.IdentityHashMap;
import java.util.Map;

/**
 * How many names each block of memory has, as the executor counts them: what is changed in place
 * has one, and nobody who still reads it.
 */
final class Names {
    private static final class Block {
        private int names = 1;

        Block copy() {
            Block copy = new Block();
            copy.names = names;
            return copy;
        }
    }

    private final Map<Value, Block> blocks = new HashMap<>();

    /** The same names of blocks of their own, for a branch that may not be taken. */
    Names copy() {
        Map<Block, Block> copies = new IdentityHashMap<>();
        Names names = new Names();
        blocks.forEach((value, block) -> names.blocks.put(
                value, copies.computeIfAbsent(block, Block::copy)));
        return names;
    }

    void allocate(Value value) {
        blocks.put(value, new Block());
    }

    void release(Value value) {
        Block block = blocks.remove(value);
        if (block != null) {
            block.names--;
        }
    }

    /** What nobody allocated, the caller's or what was made at load, has more names. */
    void alias(Value target, Value source) {
        Block block = blocks.get(source);
        if (block != null) {
            block.names++;
            blocks.put(target, block);
        }
    }

    /** Whether the memory is handed on without a copy. */
    boolean own(HostStatement.Own own) {
        Block block = blocks.get(own.source());
        if (own.last() && block != null && block.names == 1) {
            blocks.remove(own.source());
            blocks.put(own.target(), block);
            return true;
        }
        allocate(own.target());
        if (own.last()) {
            release(own.source());
        }
        return false;
    }
}
