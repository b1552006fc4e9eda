package dev.weir.codegen.jvm;

import static dev.weir.codegen.jvm.JvmTypes.MASK;
import static dev.weir.codegen.jvm.JvmTypes.SHUFFLE;
import static dev.weir.codegen.jvm.JvmTypes.SPECIES;
import static dev.weir.codegen.jvm.JvmTypes.reference;

import dev.weir.ir.kernel.Type;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.function.IntPredicate;
import java.util.function.IntUnaryOperator;
import java.util.stream.IntStream;
import org.objectweb.asm.ClassWriter;
import org.objectweb.asm.MethodVisitor;
import org.objectweb.asm.Opcodes;

/**
 * The shuffles and masks of a class. They are constants of it, so that HotSpot knows which lanes go
 * where.
 */
final class LaneConstants {

    private record Shuffle(Type type, List<Integer> lanes) {}

    private record Mask(Type type, long lanes) {}

    private final String owner;
    private final Map<Shuffle, String> shuffles = new LinkedHashMap<>();
    private final Map<Mask, String> masks = new LinkedHashMap<>();

    LaneConstants(String owner) {
        this.owner = owner;
    }

    String owner() {
        return owner;
    }

    /**
     * The field with a shuffle.
     *
     * @param source where a lane's value comes from, by its number
     */
    String shuffle(Type type, IntUnaryOperator source) {
        Shuffle shuffle = new Shuffle(
                type, IntStream.range(0, type.lanes()).map(source).boxed().toList());
        return shuffles.computeIfAbsent(shuffle, s -> "SHUFFLE_" + shuffles.size());
    }

    /** The field with the mask of some lanes, by their numbers. */
    String mask(Type type, IntPredicate isSet) {
        long lanes = IntStream.range(0, type.lanes()).filter(isSet)
                .mapToLong(lane -> 1L << lane).sum();
        return masks.computeIfAbsent(
                new Mask(type, lanes), m -> "MASK_" + masks.size());
    }

    /** Writes the fields and the method that fills them. */
    void write(ClassWriter writer) {
        if (shuffles.isEmpty() && masks.isEmpty()) {
            return;
        }
        MethodVisitor visitor =
                writer.visitMethod(Opcodes.ACC_STATIC, "<clinit>", "()V", null, null);
        visitor.visitCode();
        Code code = new Code(visitor, this);
        shuffles.forEach((shuffle, field) -> {
            code.species(shuffle.type);
            code.integer(shuffle.lanes.size());
            visitor.visitIntInsn(Opcodes.NEWARRAY, Opcodes.T_INT);
            for (int lane = 0; lane < shuffle.lanes.size(); lane++) {
                code.op(Opcodes.DUP);
                code.integer(lane);
                code.integer(shuffle.lanes.get(lane));
                code.op(Opcodes.IASTORE);
            }
            code.integer(0);
            code.invokeStatic(SHUFFLE, "fromArray",
                    "(" + reference(SPECIES) + "[II)" + reference(SHUFFLE));
            field(writer, visitor, field, SHUFFLE);
        });
        masks.forEach((mask, field) -> {
            code.species(mask.type);
            code.constant(mask.lanes);
            code.invokeStatic(MASK, "fromLong",
                    "(" + reference(SPECIES) + "J)" + reference(MASK));
            field(writer, visitor, field, MASK);
        });
        visitor.visitInsn(Opcodes.RETURN);
        visitor.visitMaxs(0, 0);
        visitor.visitEnd();
    }

    private void field(ClassWriter writer, MethodVisitor visitor, String field, String type) {
        writer.visitField(Opcodes.ACC_STATIC | Opcodes.ACC_FINAL, field, reference(type), null,
                null).visitEnd();
        visitor.visitFieldInsn(Opcodes.PUTSTATIC, owner, field, reference(type));
    }
}
