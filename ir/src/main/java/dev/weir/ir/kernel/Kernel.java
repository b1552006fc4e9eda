package dev.weir.ir.kernel;

import java.util.List;

/**
 * A function over memory that runs for a range of tiles; disjoint ranges may run at the same time.
 *
 * <p>Compiled, it is called as {@code kernel(begin, end, arguments, scratch)} with four 64-bit
 * words: the tiles to do, the address of the arguments (a 64-bit word each: first the addresses of
 * {@link #buffers}, then the values of {@link #scalars}, then the address of the fault record) and
 * the address of {@link #scratchBytes} bytes, aligned to 64, that belong to this call alone. The
 * fault record is four i64: 0 or 1 for set, code, value, limit.
 *
 * @param name unique within the program; a legal C identifier
 * @param buffers memory that the caller hands over
 * @param scalars i64 values that the caller hands over
 * @param scratch memory for the duration of one call, each with its size in elements
 * @param tile i64, the present tile
 * @param body what is done for one tile
 */
public record Kernel(
        String name,
        List<Buffer> buffers,
        List<Variable> scalars,
        List<Scratch> scratch,
        Variable tile,
        List<Statement> body) {

    /** Memory of a kernel's own. Its content is undefined at the start of a tile. */
    public record Scratch(Buffer buffer, long elements) {}

    public Kernel {
        buffers = List.copyOf(buffers);
        scalars = List.copyOf(scalars);
        scratch = List.copyOf(scratch);
        body = List.copyOf(body);
    }

    /** Where a scratch buffer begins, in bytes; each begins at a multiple of 64. */
    public long scratchOffset(Buffer wanted) {
        long offset = 0;
        for (Scratch s : scratch) {
            if (s.buffer.equals(wanted)) {
                return offset;
            }
            offset += padded(s);
        }
        throw new IllegalArgumentException("no scratch " + wanted.name());
    }

    public long scratchBytes() {
        return scratch.stream().mapToLong(Kernel::padded).sum();
    }

    private static long padded(Scratch s) {
        return (s.elements * s.buffer.format().bytes() + 63) / 64 * 64;
    }
}
