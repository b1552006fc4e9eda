package dev.weir.runtime.memory;

import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.FunctionDescriptor;
import java.lang.foreign.Linker;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.SymbolLookup;
import java.lang.foreign.ValueLayout;
import java.lang.invoke.MethodHandle;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Optional;

/**
 * Memory in large pages (of 2 MiB on x86-64), where the system gives them to those who ask: the
 * transparent huge pages of Linux. A processor reads ahead to the end of a page, and looks each
 * page up. Unlike memory of {@link Arena#allocate}, it is not written until somebody does.
 */
final class LargePages {

    private static final Path SETTINGS = Path.of("/sys/kernel/mm/transparent_hugepage");
    /** {@code PROT_READ | PROT_WRITE} of Linux, on all processors. */
    private static final int READ_AND_WRITE = 3;
    /** {@code MAP_PRIVATE | MAP_ANONYMOUS}. */
    private static final int PRIVATE_AND_ANONYMOUS = 0x22;
    /** {@code MADV_HUGEPAGE}. */
    private static final int HUGE_PAGE = 14;
    private static final long FAILED = -1;

    private static final Optional<LargePages> SYSTEM = ofSystem();

    private final long size;
    private final MethodHandle map;
    private final MethodHandle unmap;
    private final MethodHandle advise;

    @SuppressWarnings("restricted")
    private LargePages(long size) {
        this.size = size;
        map = handle("mmap", FunctionDescriptor.of(ValueLayout.JAVA_LONG,
                ValueLayout.JAVA_LONG, ValueLayout.JAVA_LONG, ValueLayout.JAVA_INT,
                ValueLayout.JAVA_INT, ValueLayout.JAVA_INT, ValueLayout.JAVA_LONG));
        unmap = handle("munmap", FunctionDescriptor.of(ValueLayout.JAVA_INT,
                ValueLayout.JAVA_LONG, ValueLayout.JAVA_LONG));
        advise = handle("madvise", FunctionDescriptor.of(ValueLayout.JAVA_INT,
                ValueLayout.JAVA_LONG, ValueLayout.JAVA_LONG, ValueLayout.JAVA_INT));
    }

    @SuppressWarnings("restricted")
    private static MethodHandle handle(String function, FunctionDescriptor type) {
        Linker linker = Linker.nativeLinker();
        SymbolLookup symbols = linker.defaultLookup();
        return linker.downcallHandle(symbols.findOrThrow(function), type);
    }

    /** Those of this system; none where it has none, gives them to nobody, or is not Linux. */
    private static Optional<LargePages> ofSystem() {
        try {
            if (Files.readString(SETTINGS.resolve("enabled")).contains("[never]")) {
                return Optional.empty();
            }
            String bytes = Files.readString(SETTINGS.resolve("hpage_pmd_size")).strip();
            return Optional.of(new LargePages(Long.parseLong(bytes)));
        } catch (IOException | RuntimeException | UnsatisfiedLinkError none) {
            return Optional.empty();
        }
    }

    /**
     * Zeros that begin at a large page; what follows the last whole one is in small pages. Nothing
     * where a system has no large pages, for less than two of them, and where no memory is left.
     *
     * @param arena gives the memory back when it is closed
     */
    static Optional<MemorySegment> allocate(long bytes, Arena arena) {
        return SYSTEM.filter(s -> bytes / 2 >= s.size).flatMap(s -> s.mapped(bytes, arena));
    }

    @SuppressWarnings("restricted")
    private Optional<MemorySegment> mapped(long bytes, Arena arena) {
        long all = Math.addExact(bytes, size);
        try {
            long address = (long) map.invokeExact(
                    0L, all, READ_AND_WRITE, PRIVATE_AND_ANONYMOUS, -1, 0L);
            if (address == FAILED) {
                return Optional.empty();
            }
            // What lies before the first large page is never touched, so that it takes no memory.
            long begin = Math.ceilDiv(address, size) * size;
            int advised = (int) advise.invokeExact(begin, bytes / size * size, HUGE_PAGE);
            assert advised <= 0;
            return Optional.of(MemorySegment.ofAddress(begin)
                    .reinterpret(bytes, arena, segment -> release(address, all)));
        } catch (Throwable thrown) {
            throw new IllegalStateException("mmap", thrown);
        }
    }

    private void release(long address, long bytes) {
        try {
            int released = (int) unmap.invokeExact(address, bytes);
            assert released == 0;
        } catch (Throwable thrown) {
            throw new IllegalStateException("munmap", thrown);
        }
    }
}
