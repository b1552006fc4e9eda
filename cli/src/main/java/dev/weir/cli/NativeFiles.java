package dev.weir.cli;

import dev.weir.codegen.llvm.LlvmCompiler;
import dev.weir.codegen.llvm.NativeArtefact;
import dev.weir.codegen.llvm.NativeHeader;
import dev.weir.codegen.llvm.ObjectLinker;
import dev.weir.codegen.llvm.Processor;
import dev.weir.ir.host.CallerEntries;
import dev.weir.ir.host.HostSlot;
import dev.weir.ir.kernel.KernelProgram;
import dev.weir.ir.tensor.Parameter;
import dev.weir.runtime.memory.Tensor;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Set;
import java.util.function.Function;

/** Writes a model as an object file, a shared library and a C header. */
final class NativeFiles {
    private final Processor processor;
    private final boolean foreign;

    /**
     * @param foreign whether the code is for another machine than this
     */
    NativeFiles(Processor processor, boolean foreign) {
        this.processor = processor;
        this.foreign = foreign;
    }

    /** What was written, and what could not be. */
    record Written(List<String> files, List<String> notes) {}

    /** Libraries that every C program may be linked with: a model called so would hide one. */
    private static final Set<String> OF_THE_SYSTEM =
            Set.of("c", "m", "dl", "rt", "pthread", "util", "resolv", "crypt", "gcc", "gcc_s");

    /** Headers of C that a program may include: a model called so would hide one. */
    private static final Set<String> HEADERS = Set.of("assert", "complex", "ctype", "errno",
            "fenv", "float", "inttypes", "iso646", "limits", "locale", "math", "setjmp", "signal",
            "stdalign", "stdarg", "stdatomic", "stdbool", "stddef", "stdint", "stdio", "stdlib",
            "stdnoreturn", "string", "tgmath", "threads", "time", "uchar", "unistd", "wchar",
            "wctype");

    /** The prefix of a model's names in C, and its files' name. */
    static String prefix(String model) {
        String small = NativeHeader.identifier(model).toLowerCase(Locale.ROOT);
        boolean isFree = !OF_THE_SYSTEM.contains(small) && !HEADERS.contains(small);
        return Character.isLetter(small.charAt(0)) && isFree ? small : "model_" + small;
    }

    Written write(KernelProgram program, LlvmCompiler compiler, Path folder) {
        JarArtefact.requireConstantShapes(HostSlot.given(program));
        String prefix = prefix(program.name());
        byte[] object = compiler.object(
                new NativeArtefact(program, prefix).module(processor.target()));
        List<String> files = new ArrayList<>(List.of(prefix + ".h", prefix + ".o"));
        List<String> notes = new ArrayList<>();
        if (processor.lacksFusedMultiplyAdd()) {
            notes.add("processors " + processor.name() + " cannot multiply and add at once, as "
                    + "sums of products do here: each is a call of fmaf, some thirty times slower"
                    + "\nhelp: name what the processor is at least, --processor x86-64-v3 say");
        }
        try {
            Files.createDirectories(folder);
            Files.writeString(folder.resolve(prefix + ".h"),
                    NativeHeader.of(program, prefix, processor));
            Files.write(folder.resolve(prefix + ".o"), object);
            String library = "lib" + prefix + ".so";
            if (!processor.triple().contains("linux")) {
                notes.add("a shared library was not linked: that is done for Linux only"
                        + "\nhelp: link " + prefix + ".o with the tools of " + processor.triple());
                return new Written(files, notes);
            }
            switch (ObjectLinker.link(object, library, foreign)) {
                case ObjectLinker.Outcome.Library l -> {
                    // The file may be mapped by a program that runs: a new one takes its place.
                    Files.deleteIfExists(folder.resolve(library));
                    Files.write(folder.resolve(library), l.bytes());
                    files.add(library);
                }
                case ObjectLinker.Outcome.None n -> notes.add("a shared library was not linked: "
                        + String.join("; ", n.reasons()) + "\nhelp: link " + prefix
                        + ".o into your program, or by: cc -shared -o " + library + " "
                        + prefix + ".o -lm");
            }
            return new Written(files, notes);
        } catch (IOException e) {
            throw new UserException("cannot write to " + folder + ": " + e.getMessage());
        }
    }

    /** Writes all weights in their order, as a model is made of them by {@code create_packed}. */
    static String pack(
            KernelProgram program, Function<Parameter, List<Tensor>> weights, Path folder) {
        String name = prefix(program.name()) + ".weights";
        try (FileChannel channel = FileChannel.open(folder.resolve(name),
                StandardOpenOption.CREATE, StandardOpenOption.WRITE,
                StandardOpenOption.TRUNCATE_EXISTING)) {
            for (Parameter parameter : program.parameters()) {
                for (Tensor tensor : weights.apply(parameter)) {
                    write(channel, tensor);
                    long over = channel.position() % CallerEntries.PACKED_ALIGNMENT;
                    if (over > 0) {
                        channel.write(ByteBuffer.allocate(
                                (int) (CallerEntries.PACKED_ALIGNMENT - over)));
                    }
                }
            }
        } catch (IOException e) {
            throw new UserException("cannot write " + folder.resolve(name) + ": "
                    + e.getMessage());
        }
        return name;
    }

    private static void write(FileChannel channel, Tensor tensor) throws IOException {
        long piece = 1 << 30;
        for (long from = 0; from < tensor.bytes(); from += piece) {
            ByteBuffer bytes = tensor.memory()
                    .asSlice(from, Math.min(piece, tensor.bytes() - from)).asByteBuffer();
            while (bytes.hasRemaining()) {
                channel.write(bytes);
            }
        }
    }
}
