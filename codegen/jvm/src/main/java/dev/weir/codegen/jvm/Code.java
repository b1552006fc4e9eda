package dev.weir.codegen.jvm;

import dev.weir.ir.kernel.Type;
import dev.weir.ir.kernel.Type.Element;
import java.nio.ByteOrder;
import java.util.function.IntPredicate;
import java.util.function.IntUnaryOperator;
import org.objectweb.asm.Label;
import org.objectweb.asm.MethodVisitor;
import org.objectweb.asm.Opcodes;

/** A method under construction: its instructions and which local slots are taken. */
final class Code {

    private static final String SEGMENT = "java/lang/foreign/MemorySegment";
    private static final String ORDER = "java/nio/ByteOrder";

    final MethodVisitor visitor;
    private final LaneConstants constants;
    private int next;

    Code(MethodVisitor visitor, LaneConstants constants) {
        this.visitor = visitor;
        this.constants = constants;
    }

    int allocate(Type type) {
        int slot = next;
        next += JvmTypes.slots(type);
        return slot;
    }

    /** A point to go back to when the locals allocated since are dead. */
    int mark() {
        return next;
    }

    void release(int mark) {
        next = mark;
    }

    void load(Type type, int slot) {
        visitor.visitVarInsn(JvmTypes.load(type), slot);
    }

    void store(Type type, int slot) {
        visitor.visitVarInsn(JvmTypes.store(type), slot);
    }

    void op(int opcode) {
        visitor.visitInsn(opcode);
    }

    void jump(int opcode, Label label) {
        visitor.visitJumpInsn(opcode, label);
    }

    void place(Label label) {
        visitor.visitLabel(label);
    }

    void integer(int value) {
        if (value >= -1 && value <= 5) {
            op(Opcodes.ICONST_0 + value);
        } else if (value == (byte) value) {
            visitor.visitIntInsn(Opcodes.BIPUSH, value);
        } else if (value == (short) value) {
            visitor.visitIntInsn(Opcodes.SIPUSH, value);
        } else {
            visitor.visitLdcInsn(value);
        }
    }

    void wide(long value) {
        if (value == 0 || value == 1) {
            op(Opcodes.LCONST_0 + (int) value);
        } else if (value == (short) value) {
            integer((int) value);
            op(Opcodes.I2L);
        } else {
            visitor.visitLdcInsn(value);
        }
    }

    void constant(Object value) {
        visitor.visitLdcInsn(value);
    }

    void invokeStatic(String type, String name, String descriptor) {
        visitor.visitMethodInsn(Opcodes.INVOKESTATIC, type, name, descriptor, false);
    }

    void invoke(String type, String name, String descriptor) {
        visitor.visitMethodInsn(Opcodes.INVOKEVIRTUAL, type, name, descriptor, false);
    }

    void invokeInterface(String type, String name, String descriptor) {
        visitor.visitMethodInsn(Opcodes.INVOKEINTERFACE, type, name, descriptor, true);
    }

    void support(String name, String descriptor) {
        invokeStatic(KernelClassWriter.SUPPORT, name, descriptor);
    }

    /** Pushes a 1 that HotSpot does not know. */
    void unknownOne() {
        getStatic(KernelClassWriter.SUPPORT, "one", "J");
    }

    void getStatic(String type, String name, String descriptor) {
        visitor.visitFieldInsn(Opcodes.GETSTATIC, type, name, descriptor);
    }

    /** Pushes the segment that is all of memory. */
    void memory() {
        getStatic(KernelClassWriter.SUPPORT, "MEMORY", JvmTypes.reference(SEGMENT));
    }

    /**
     * Keeps the loads before this before those after it, where that is free. HotSpot unrolls a
     * loop up to sixteen times and arranges all loads of these rounds anew; processors read ahead
     * what is read in order. As a method of our own it would stay a call in code that is compiled
     * early, and vectors are boxed at calls.
     */
    void loadsStayInOrder() {
        Label done = new Label();
        getStatic(KernelClassWriter.SUPPORT, "BARRIERS_ARE_FREE", "Z");
        jump(Opcodes.IFEQ, done);
        invokeStatic("java/lang/invoke/VarHandle", "loadLoadFence", "()V");
        place(done);
    }

    void byteOrder() {
        boolean little = ByteOrder.nativeOrder() == ByteOrder.LITTLE_ENDIAN;
        getStatic(ORDER, little ? "LITTLE_ENDIAN" : "BIG_ENDIAN", JvmTypes.reference(ORDER));
    }

    /** Pushes the species of a vector type; of a mask, the species of i32 lanes. */
    void species(Type type) {
        Element element = type.element() == Element.BOOL ? Element.I32 : type.element();
        String field = JvmTypes.speciesField(
                element.word(), JvmTypes.width(element), type.lanes());
        species(JvmTypes.vector(element), field);
    }

    void species(String vector, String field) {
        getStatic(vector, field, JvmTypes.reference(JvmTypes.SPECIES));
    }

    /** Pushes a member of {@code VectorOperators}. */
    void operator(String kind, String name) {
        getStatic(JvmTypes.OPERATORS, name,
                JvmTypes.reference(JvmTypes.OPERATORS + "$" + kind));
    }

    /** Pushes a constant shuffle: where each lane's value comes from, by its number. */
    void shuffle(Type type, IntUnaryOperator source) {
        getStatic(constants.owner(), constants.shuffle(type, source),
                JvmTypes.reference(JvmTypes.SHUFFLE));
    }

    /** Pushes a constant mask of some lanes, by their numbers. */
    void mask(Type type, IntPredicate isSet) {
        getStatic(constants.owner(), constants.mask(type, isSet),
                JvmTypes.reference(JvmTypes.MASK));
    }

    void cast(String type) {
        visitor.visitTypeInsn(Opcodes.CHECKCAST, type);
    }
}
