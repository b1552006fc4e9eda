package dev.weir.codegen.jvm;

import dev.weir.ir.kernel.CompiledKernel;
import dev.weir.ir.kernel.Kernel;
import dev.weir.ir.kernel.KernelCompiler;
import dev.weir.ir.kernel.TargetDescription;
import java.io.PrintWriter;
import java.io.StringWriter;
import java.lang.invoke.MethodHandles;
import java.lang.invoke.MethodType;
import java.util.List;
import jdk.incubator.vector.FloatVector;
import org.objectweb.asm.ClassReader;
import org.objectweb.asm.util.Textifier;
import org.objectweb.asm.util.TraceClassVisitor;

/**
 * Makes JVM bytecode that uses the Vector API: a hidden class for each kernel, freed with the
 * kernel. It needs no native code, but {@code --add-modules jdk.incubator.vector}.
 *
 * <p>{@code -XX:Tier3DelayOn=1000000} is recommended. While its queue for C2 is long, HotSpot first
 * compiles a method at tier 2 and, later, anew at tier 3; where vectors make the code too large for
 * tier 3, as they easily do, it never goes on to tier 4 and the kernel stays some fifty times too
 * slow. The option keeps it from going by tier 2.
 *
 * <p>So are {@code -XX:PerMethodRecompilationCutoff=100000} and
 * {@code -XX:PerMethodTrapLimit=100000}. HotSpot adds up how often the thousands of methods that a
 * kernel inlines were compiled anew, and why; beyond these limits it compiles the kernel without
 * assumptions, and vectors become objects. The file {@code jvm.options} has all flags.
 */
public final class BytecodeCompiler implements KernelCompiler {

    /**
     * Figures of a kernel's class.
     *
     * @param classBytes size of the class
     * @param methods number of methods that hold the kernel's statements
     * @param largestMethod bytes of code of the largest of them; beyond 8000 HotSpot interprets it
     */
    public record Report(int classBytes, int methods, int largestMethod) {}

    static final TargetDescription LANES16 = TargetDescription.AVX512.withoutPrefetch();
    static final TargetDescription LANES8 = TargetDescription.AVX2.withoutPrefetch();
    static final TargetDescription LANES4 = TargetDescription.VECTOR128.withoutPrefetch();

    private final TargetDescription target;
    private final boolean maskedNarrow;
    private final boolean maskedWide;

    /** Compiles for the widest vectors that this JVM uses. */
    public BytecodeCompiler() {
        this(hostTarget());
    }

    /** Compiles for vectors no wider than {@code target}'s. */
    public BytecodeCompiler(TargetDescription target) {
        this.target = target;
        // AVX-512 masks every width, AVX2 32 and 64 bits.
        int lanes = FloatVector.SPECIES_PREFERRED.length();
        maskedNarrow = lanes >= LANES16.lanes();
        maskedWide = lanes >= LANES8.lanes();
    }

    private static TargetDescription hostTarget() {
        int lanes = FloatVector.SPECIES_PREFERRED.length();
        if (lanes >= LANES16.lanes()) {
            return LANES16;
        }
        return lanes >= LANES8.lanes() ? LANES8 : LANES4;
    }

    @Override
    public TargetDescription target() {
        return target;
    }

    @Override
    public List<CompiledKernel> compile(List<Kernel> kernels) {
        return kernels.stream().map(this::compile).toList();
    }

    private CompiledKernel compile(Kernel kernel) {
        byte[] bytes = write(kernel).bytes();
        try {
            MethodHandles.Lookup hidden =
                    MethodHandles.lookup().defineHiddenClass(bytes, true);
            return (CompiledKernel) hidden
                    .findConstructor(hidden.lookupClass(), MethodType.methodType(void.class))
                    .invoke();
        } catch (Throwable thrown) {
            throw new IllegalStateException("kernel " + kernel.name(), thrown);
        }
    }

    private KernelClassWriter.Result write(Kernel kernel) {
        return KernelClassWriter.write(kernel, maskedNarrow, maskedWide);
    }

    /** Figures of the class that a kernel becomes. */
    public Report report(Kernel kernel) {
        KernelClassWriter.Result result = write(kernel);
        return new Report(result.bytes().length, result.methods(), result.largest());
    }

    @Override
    public String listing(Kernel kernel) {
        StringWriter text = new StringWriter();
        new ClassReader(write(kernel).bytes()).accept(
                new TraceClassVisitor(null, new Textifier(), new PrintWriter(text)), 0);
        return text.toString();
    }

    /** The classes go with the last reference to them. */
    @Override
    public void close() {}
}
