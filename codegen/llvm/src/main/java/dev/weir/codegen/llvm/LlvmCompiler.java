package dev.weir.codegen.llvm;

import static org.bytedeco.llvm.global.LLVM.LLVMAssemblyFile;
import static org.bytedeco.llvm.global.LLVM.LLVMCodeGenLevelDefault;
import static org.bytedeco.llvm.global.LLVM.LLVMCodeGenLevelNone;
import static org.bytedeco.llvm.global.LLVM.LLVMCodeModelDefault;
import static org.bytedeco.llvm.global.LLVM.LLVMContextCreate;
import static org.bytedeco.llvm.global.LLVM.LLVMContextDispose;
import static org.bytedeco.llvm.global.LLVM.LLVMCreateMemoryBufferWithMemoryRangeCopy;
import static org.bytedeco.llvm.global.LLVM.LLVMCreatePassBuilderOptions;
import static org.bytedeco.llvm.global.LLVM.LLVMCreateTargetDataLayout;
import static org.bytedeco.llvm.global.LLVM.LLVMCreateTargetMachine;
import static org.bytedeco.llvm.global.LLVM.LLVMDisposeMemoryBuffer;
import static org.bytedeco.llvm.global.LLVM.LLVMDisposeMessage;
import static org.bytedeco.llvm.global.LLVM.LLVMDisposeModule;
import static org.bytedeco.llvm.global.LLVM.LLVMDisposePassBuilderOptions;
import static org.bytedeco.llvm.global.LLVM.LLVMDisposeTargetData;
import static org.bytedeco.llvm.global.LLVM.LLVMDisposeTargetMachine;
import static org.bytedeco.llvm.global.LLVM.LLVMGetBufferSize;
import static org.bytedeco.llvm.global.LLVM.LLVMGetBufferStart;
import static org.bytedeco.llvm.global.LLVM.LLVMGetErrorMessage;
import static org.bytedeco.llvm.global.LLVM.LLVMGetTargetFromTriple;
import static org.bytedeco.llvm.global.LLVM.LLVMByteOrder;
import static org.bytedeco.llvm.global.LLVM.LLVMInitializeAllAsmPrinters;
import static org.bytedeco.llvm.global.LLVM.LLVMInitializeAllTargetInfos;
import static org.bytedeco.llvm.global.LLVM.LLVMInitializeAllTargetMCs;
import static org.bytedeco.llvm.global.LLVM.LLVMInitializeAllTargets;
import static org.bytedeco.llvm.global.LLVM.LLVMInitializeNativeAsmPrinter;
import static org.bytedeco.llvm.global.LLVM.LLVMInitializeNativeTarget;
import static org.bytedeco.llvm.global.LLVM.LLVMLittleEndian;
import static org.bytedeco.llvm.global.LLVM.LLVMObjectFile;
import static org.bytedeco.llvm.global.LLVM.LLVMOrcCreateLLJIT;
import static org.bytedeco.llvm.global.LLVM.LLVMOrcDisposeLLJIT;
import static org.bytedeco.llvm.global.LLVM.LLVMOrcLLJITAddObjectFile;
import static org.bytedeco.llvm.global.LLVM.LLVMOrcLLJITGetMainJITDylib;
import static org.bytedeco.llvm.global.LLVM.LLVMOrcLLJITLookup;
import static org.bytedeco.llvm.global.LLVM.LLVMParseIRInContext;
import static org.bytedeco.llvm.global.LLVM.LLVMPassBuilderOptionsSetLoopInterleaving;
import static org.bytedeco.llvm.global.LLVM.LLVMPassBuilderOptionsSetLoopVectorization;
import static org.bytedeco.llvm.global.LLVM.LLVMPassBuilderOptionsSetSLPVectorization;
import static org.bytedeco.llvm.global.LLVM.LLVMPointerSize;
import static org.bytedeco.llvm.global.LLVM.LLVMRelocPIC;
import static org.bytedeco.llvm.global.LLVM.LLVMRunPasses;
import static org.bytedeco.llvm.global.LLVM.LLVMSetModuleDataLayout;
import static org.bytedeco.llvm.global.LLVM.LLVMSetTarget;
import static org.bytedeco.llvm.global.LLVM.LLVMTargetMachineEmitToMemoryBuffer;

import dev.weir.ir.diagnostic.Diagnostic;
import dev.weir.ir.diagnostic.Source;
import dev.weir.ir.diagnostic.Span;
import dev.weir.ir.diagnostic.WeirException;
import dev.weir.ir.kernel.CompiledKernel;
import dev.weir.ir.kernel.Kernel;
import dev.weir.ir.kernel.KernelCompiler;
import dev.weir.ir.kernel.TargetDescription;
import java.lang.foreign.MemorySegment;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import org.bytedeco.javacpp.BytePointer;
import org.bytedeco.javacpp.Pointer;
import org.bytedeco.llvm.LLVM.LLVMContextRef;
import org.bytedeco.llvm.LLVM.LLVMErrorRef;
import org.bytedeco.llvm.LLVM.LLVMMemoryBufferRef;
import org.bytedeco.llvm.LLVM.LLVMModuleRef;
import org.bytedeco.llvm.LLVM.LLVMOrcLLJITRef;
import org.bytedeco.llvm.LLVM.LLVMPassBuilderOptionsRef;
import org.bytedeco.llvm.LLVM.LLVMTargetDataRef;
import org.bytedeco.llvm.LLVM.LLVMTargetMachineRef;
import org.bytedeco.llvm.LLVM.LLVMTargetRef;

/**
 * Makes machine code for this processor through LLVM. Every call of {@link #compile} makes a module
 * of its own; {@link #free} and {@link #close} free the code of all, so that none of these kernels
 * may be called afterwards.
 */
public final class LlvmCompiler implements KernelCompiler {

    /** How much LLVM does for fast code. */
    public enum Effort {
        /** What users get. */
        USUAL("default<O2>", LLVMCodeGenLevelDefault),
        /** As little as there is: a tenth of the time, by other ways through LLVM. For tests. */
        LEAST("default<O0>", LLVMCodeGenLevelNone);

        private final String passes;
        private final int level;

        Effort(String passes, int level) {
            this.passes = passes;
            this.level = level;
        }
    }

    private final TargetDescription target;
    private final Processor processor;
    private final Effort effort;
    private final LLVMTargetMachineRef machine;
    private final List<LLVMOrcLLJITRef> sessions = new ArrayList<>();
    private boolean closed;

    /** Compiles for this processor with the widest vectors that it has. */
    public LlvmCompiler() {
        this(Processor.host());
    }

    /**
     * Compiles for a processor whose code this one runs too.
     *
     * @throws IllegalStateException if LLVM does not know it
     */
    public LlvmCompiler(Processor processor) {
        this(processor, processor.target(), Effort.USUAL, false);
    }

    /**
     * Compiles for this processor as if its vectors were no wider than {@code target}'s.
     *
     * @throws IllegalStateException if LLVM does not know this processor
     */
    public LlvmCompiler(TargetDescription target) {
        this(target, Effort.USUAL);
    }

    /** As {@link #LlvmCompiler(TargetDescription)}, with less effort. */
    public LlvmCompiler(TargetDescription target, Effort effort) {
        this(Processor.host(), target, effort, false);
    }

    /**
     * Compiles to object files for any machine that LLVM knows; nothing of it can be run here.
     *
     * @throws WeirException if LLVM does not know it, or its addresses are not those of artefacts
     */
    public static LlvmCompiler forObjects(Processor processor) {
        LLVMInitializeAllTargetInfos();
        LLVMInitializeAllTargets();
        LLVMInitializeAllTargetMCs();
        LLVMInitializeAllAsmPrinters();
        LlvmCompiler compiler = new LlvmCompiler(
                processor, processor.target(), Effort.USUAL, true);
        try {
            compiler.requireWords();
            return compiler;
        } catch (WeirException e) {
            compiler.close();
            throw e;
        }
    }

    private static Span place(Processor processor) {
        return new Span(new Source("--triple", processor.triple()), 0,
                processor.triple().length());
    }

    private void requireWords() {
        LLVMTargetDataRef layout = LLVMCreateTargetDataLayout(machine);
        int bytes = LLVMPointerSize(layout);
        boolean little = LLVMByteOrder(layout) == LLVMLittleEndian;
        LLVMDisposeTargetData(layout);
        if (bytes != Long.BYTES || !little) {
            throw new WeirException(Diagnostic.error("E0802", place(processor),
                    "machines `" + processor.triple() + "` have addresses of " + 8 * bytes
                            + " bits, " + (little ? "little" : "big") + "-endian, and artefacts "
                            + "need 64 bits, little-endian"));
        }
    }

    private LlvmCompiler(
            Processor processor, TargetDescription target, Effort effort, boolean foreign) {
        this.target = target;
        this.effort = effort;
        this.processor = processor;
        String features = processor.features();
        if (target.lanes() < TargetDescription.AVX512.lanes() && features.contains("+avx512f")) {
            features += ",-avx512f";
        }
        if (!foreign) {
            LLVMInitializeNativeTarget();
            LLVMInitializeNativeAsmPrinter();
        }
        try (BytePointer name = new BytePointer(processor.triple());
                BytePointer message = new BytePointer((Pointer) null);
                LLVMTargetRef reference = new LLVMTargetRef()) {
            if (LLVMGetTargetFromTriple(name, reference, message) != 0) {
                String text = message.getString();
                LLVMDisposeMessage(message);
                throw new WeirException(Diagnostic.error("E0801", place(processor),
                        "LLVM knows no machine `" + processor.triple() + "`: " + text)
                        .helped("a triple is architecture, vendor and system, such as "
                                + "aarch64-unknown-linux-gnu"));
            }
            machine = LLVMCreateTargetMachine(reference, processor.triple(), processor.name(),
                    features, effort.level, LLVMRelocPIC, LLVMCodeModelDefault);
        }
    }

    /** Which LLVM this is; it need not be loaded to tell. */
    public static String version() {
        return Optional.ofNullable(
                org.bytedeco.llvm.presets.LLVM.class.getPackage().getImplementationVersion())
                .orElse("of unknown version");
    }

    @Override
    public TargetDescription target() {
        return target;
    }

    @Override
    public String listing(Kernel kernel) {
        return LlvmText.of(List.of(kernel), target);
    }

    /** The assembly of a kernel, after optimisation. */
    public synchronized String assembly(Kernel kernel) {
        return new String(
                bytes(translate(listing(kernel), LLVMAssemblyFile)), StandardCharsets.UTF_8);
    }

    private static byte[] bytes(LLVMMemoryBufferRef buffer) {
        try {
            byte[] bytes = new byte[Math.toIntExact(LLVMGetBufferSize(buffer))];
            LLVMGetBufferStart(buffer).get(bytes);
            return bytes;
        } finally {
            LLVMDisposeMemoryBuffer(buffer);
        }
    }

    @Override
    public synchronized List<CompiledKernel> compile(List<Kernel> kernels) {
        requireOpen();
        return link(kernels,
                List.of(translate(LlvmText.of(kernels, target), LLVMObjectFile)));
    }

    /** The object file of a module with one function for each kernel. */
    public synchronized byte[] object(List<Kernel> kernels) {
        requireOpen();
        return bytes(translate(LlvmText.of(kernels, target), LLVMObjectFile));
    }

    /** The object file of a module in LLVM's textual form. */
    public synchronized byte[] object(String text) {
        requireOpen();
        return bytes(translate(text, LLVMObjectFile));
    }

    /** Makes kernels executable that are in object files, one or more in each. */
    public synchronized List<CompiledKernel> load(List<Kernel> kernels, List<byte[]> objects) {
        requireOpen();
        List<LLVMMemoryBufferRef> buffers = new ArrayList<>();
        for (byte[] object : objects) {
            try (BytePointer content = new BytePointer(object);
                    BytePointer name = new BytePointer("kernels")) {
                buffers.add(LLVMCreateMemoryBufferWithMemoryRangeCopy(
                        content, object.length, name));
            }
        }
        return link(kernels, buffers);
    }

    /** Frees the code of all kernels so far; the compiler can be used further. */
    public synchronized void free() {
        for (LLVMOrcLLJITRef session : sessions) {
            check(LLVMOrcDisposeLLJIT(session));
        }
        sessions.clear();
    }

    private void requireOpen() {
        if (closed) {
            throw new IllegalStateException("closed");
        }
    }

    /** LLVM takes the objects over. */
    private List<CompiledKernel> link(List<Kernel> kernels, List<LLVMMemoryBufferRef> objects) {
        LLVMOrcLLJITRef session = new LLVMOrcLLJITRef();
        check(LLVMOrcCreateLLJIT(session, null));
        sessions.add(session);
        for (LLVMMemoryBufferRef object : objects) {
            check(LLVMOrcLLJITAddObjectFile(
                    session, LLVMOrcLLJITGetMainJITDylib(session), object));
        }
        List<CompiledKernel> compiled = new ArrayList<>();
        long[] address = new long[1];
        for (Kernel kernel : kernels) {
            check(LLVMOrcLLJITLookup(session, address, kernel.name()));
            compiled.add(new NativeKernel(MemorySegment.ofAddress(address[0])));
        }
        return compiled;
    }

    /** Parses, optimises and translates a module to an object file or to assembly. */
    private LLVMMemoryBufferRef translate(String text, int kind) {
        LLVMContextRef context = LLVMContextCreate();
        try {
            LLVMModuleRef module = parse(context, text);
            try {
                optimise(module);
                LLVMMemoryBufferRef buffer = new LLVMMemoryBufferRef();
                try (BytePointer message = new BytePointer((Pointer) null)) {
                    check(LLVMTargetMachineEmitToMemoryBuffer(
                            machine, module, kind, message, buffer) != 0, message);
                }
                return buffer;
            } finally {
                LLVMDisposeModule(module);
            }
        } finally {
            LLVMContextDispose(context);
        }
    }

    private LLVMModuleRef parse(LLVMContextRef context, String text) {
        byte[] bytes = text.getBytes(StandardCharsets.UTF_8);
        try (BytePointer source = new BytePointer(bytes);
                BytePointer name = new BytePointer("kernels");
                BytePointer message = new BytePointer((Pointer) null)) {
            // The parser takes the buffer over.
            LLVMMemoryBufferRef buffer =
                    LLVMCreateMemoryBufferWithMemoryRangeCopy(source, bytes.length, name);
            LLVMModuleRef module = new LLVMModuleRef();
            check(LLVMParseIRInContext(context, buffer, module, message) != 0, message);
            LLVMSetTarget(module, processor.triple());
            LLVMTargetDataRef layout = LLVMCreateTargetDataLayout(machine);
            LLVMSetModuleDataLayout(module, layout);
            LLVMDisposeTargetData(layout);
            return module;
        }
    }

    /** Kernels come vectorised; LLVM's own vectorisers would find little and take time. */
    private void optimise(LLVMModuleRef module) {
        LLVMPassBuilderOptionsRef options = LLVMCreatePassBuilderOptions();
        try {
            LLVMPassBuilderOptionsSetLoopVectorization(options, 0);
            LLVMPassBuilderOptionsSetLoopInterleaving(options, 0);
            LLVMPassBuilderOptionsSetSLPVectorization(options, 0);
            check(LLVMRunPasses(module, effort.passes, machine, options));
        } finally {
            LLVMDisposePassBuilderOptions(options);
        }
    }

    @Override
    public synchronized void close() {
        if (closed) {
            return;
        }
        closed = true;
        free();
        LLVMDisposeTargetMachine(machine);
    }

    private static void check(LLVMErrorRef error) {
        if (error != null && !error.isNull()) {
            throw new IllegalStateException("LLVM: " + LLVMGetErrorMessage(error).getString());
        }
    }

    private static void check(boolean failed, BytePointer message) {
        if (failed) {
            String text = message.getString();
            LLVMDisposeMessage(message);
            throw new IllegalStateException("LLVM: " + text);
        }
    }
}
