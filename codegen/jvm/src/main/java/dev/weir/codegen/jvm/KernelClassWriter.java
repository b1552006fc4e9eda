package dev.weir.codegen.jvm;

import dev.weir.ir.kernel.Buffer;
import dev.weir.ir.kernel.Kernel;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Deque;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import org.objectweb.asm.ClassWriter;
import org.objectweb.asm.Label;
import org.objectweb.asm.MethodTooLargeException;
import org.objectweb.asm.MethodVisitor;
import org.objectweb.asm.Opcodes;

/**
 * Writes the class of one kernel: {@code run}, which goes over the tiles, a static method for the
 * body of a tile, and further methods as the plan has them.
 */
final class KernelClassWriter {

    static final String SUPPORT = "dev/weir/codegen/jvm/KernelSupport";

    private static final String INTERFACE = "dev/weir/ir/kernel/CompiledKernel";
    private static final String OBJECT = "java/lang/Object";

    /** A finished class; {@code largest} is the size of its largest method in bytes. */
    record Result(byte[] bytes, int methods, int largest) {}

    private final Kernel kernel;
    private final String name;
    private final MethodPlan plan;
    private final boolean maskedNarrow;
    private final boolean maskedWide;
    private final Map<Region, String> methods = new HashMap<>();
    private final Deque<Region> waiting = new ArrayDeque<>();
    private final LaneConstants constants;

    private KernelClassWriter(
            Kernel kernel, MethodPlan plan, boolean maskedNarrow, boolean maskedWide) {
        this.kernel = kernel;
        this.name = "dev/weir/codegen/jvm/Kernel$" + kernel.name();
        this.plan = plan;
        this.constants = new LaneConstants(name);
        this.maskedNarrow = maskedNarrow;
        this.maskedWide = maskedWide;
    }

    /**
     * Writes the class, again and again with more methods until all are small enough or nothing is
     * left to take out.
     *
     * @param maskedNarrow whether there are masked instructions for 8 and 16-bit elements
     * @param maskedWide whether there are masked instructions for 32 and 64-bit elements
     */
    static Result write(Kernel source, boolean maskedNarrow, boolean maskedWide) {
        Kernel kernel = SharedLoads.in(source);
        MethodPlan plan = new MethodPlan(kernel);
        while (true) {
            var writer = new KernelClassWriter(kernel, plan, maskedNarrow, maskedWide);
            List<MethodWriter> written = new ArrayList<>();
            Optional<byte[]> bytes = writer.bytes(written);
            boolean again = false;
            int largest = 0;
            for (MethodWriter method : written) {
                largest = Math.max(largest, method.size());
                if (method.size() > MethodPlan.LIMIT) {
                    again |= plan.split(method.region(), method.size(), method.sizes());
                }
            }
            if (!again) {
                return new Result(
                        bytes.orElseThrow(() -> new IllegalArgumentException(
                                "kernel " + kernel.name() + " is too large for a JVM method")),
                        written.size(),
                        largest);
            }
        }
    }

    /** The class, or nothing if a method is larger than a class file can hold. */
    private Optional<byte[]> bytes(List<MethodWriter> written) {
        ClassWriter writer = new ClassWriter(ClassWriter.COMPUTE_FRAMES) {
            @Override
            protected String getCommonSuperClass(String left, String right) {
                // Slots that change their class between blocks are dead in between.
                return OBJECT;
            }
        };
        writer.visit(Opcodes.V25, Opcodes.ACC_FINAL | Opcodes.ACC_SUPER, name, null, OBJECT,
                new String[] {INTERFACE});
        constructor(writer);
        Region tile = Region.whole(kernel.body());
        run(writer, tile);
        while (!waiting.isEmpty()) {
            Region region = waiting.remove();
            MethodVisitor visitor = writer.visitMethod(Opcodes.ACC_STATIC, methods.get(region),
                    descriptor(Usage.of(region.statements())), null, null);
            MethodWriter method = new MethodWriter(this, region, visitor);
            method.write();
            written.add(method);
        }
        constants.write(writer);
        writer.visitEnd();
        try {
            return Optional.of(writer.toByteArray());
        } catch (MethodTooLargeException tooLarge) {
            return Optional.empty();
        }
    }

    private static void constructor(ClassWriter writer) {
        MethodVisitor visitor = writer.visitMethod(0, "<init>", "()V", null, null);
        visitor.visitCode();
        visitor.visitVarInsn(Opcodes.ALOAD, 0);
        visitor.visitMethodInsn(Opcodes.INVOKESPECIAL, OBJECT, "<init>", "()V", false);
        visitor.visitInsn(Opcodes.RETURN);
        visitor.visitMaxs(0, 0);
        visitor.visitEnd();
    }

    /** {@code for (tile = begin; tile < end; tile++) body(arguments, scratch, tile)}. */
    private void run(ClassWriter writer, Region body) {
        MethodVisitor visitor =
                writer.visitMethod(Opcodes.ACC_PUBLIC, "run", "(JJJJ)V", null, null);
        Usage usage = Usage.of(body.statements());
        Label head = new Label();
        Label done = new Label();
        visitor.visitCode();
        visitor.visitLabel(head);
        visitor.visitVarInsn(Opcodes.LLOAD, 1);
        visitor.visitVarInsn(Opcodes.LLOAD, 3);
        visitor.visitInsn(Opcodes.LCMP);
        visitor.visitJumpInsn(Opcodes.IFGE, done);
        visitor.visitVarInsn(Opcodes.LLOAD, 5);
        visitor.visitVarInsn(Opcodes.LLOAD, 7);
        if (plan.captured(usage).contains(kernel.tile())) {
            visitor.visitVarInsn(Opcodes.LLOAD, 1);
        }
        visitor.visitMethodInsn(
                Opcodes.INVOKESTATIC, name, method(body), descriptor(usage), false);
        if (usage.faults) {
            visitor.visitJumpInsn(Opcodes.IFNE, done);
        }
        visitor.visitVarInsn(Opcodes.LLOAD, 1);
        visitor.visitInsn(Opcodes.LCONST_1);
        visitor.visitInsn(Opcodes.LADD);
        visitor.visitVarInsn(Opcodes.LSTORE, 1);
        visitor.visitJumpInsn(Opcodes.GOTO, head);
        visitor.visitLabel(done);
        visitor.visitInsn(Opcodes.RETURN);
        visitor.visitMaxs(0, 0);
        visitor.visitEnd();
    }

    /** The name of a run's method, which is written if it is not yet. */
    String method(Region region) {
        String known = methods.get(region);
        if (known == null) {
            known = methods.isEmpty() ? "tile" : "part" + methods.size();
            methods.put(region, known);
            waiting.add(region);
        }
        return known;
    }

    String descriptor(Usage usage) {
        return MethodPlan.signature(plan.captured(usage), outerBuffers(usage).size())
                + (usage.faults ? "Z" : "V");
    }

    /** Buffers bound outside a run; the others' addresses are found from the arguments. */
    List<Buffer> outerBuffers(Usage usage) {
        Set<Buffer> free = usage.freeBuffers();
        kernel.buffers().forEach(free::remove);
        kernel.scratch().forEach(s -> free.remove(s.buffer()));
        return List.copyOf(free);
    }

    Kernel kernel() {
        return kernel;
    }

    LaneConstants constants() {
        return constants;
    }

    String name() {
        return name;
    }

    MethodPlan plan() {
        return plan;
    }

    boolean maskedNarrow() {
        return maskedNarrow;
    }

    boolean maskedWide() {
        return maskedWide;
    }
}
