package dev.weir.codegen.jvm;

import static dev.weir.codegen.jvm.JvmTypes.MASK;
import static dev.weir.codegen.jvm.JvmTypes.SPECIES;
import static dev.weir.codegen.jvm.JvmTypes.reference;

import dev.weir.ir.kernel.Buffer;
import dev.weir.ir.kernel.Expression;
import dev.weir.ir.kernel.Expression.Get;
import dev.weir.ir.kernel.Expression.Load;
import dev.weir.ir.kernel.Statement.Store;
import dev.weir.ir.kernel.Type;
import dev.weir.ir.kernel.Type.Element;
import dev.weir.ir.type.Format;
import java.util.Optional;
import org.objectweb.asm.Label;
import org.objectweb.asm.Opcodes;

/**
 * Writes loads and stores. Vectors of 8 and 16-bit elements are moved as such and widened to i32
 * lanes. Where HotSpot has no masked instruction it would read the inactive lanes, too, and drop
 * them, which may touch memory that is not there; such accesses go element by element, and so do
 * those for which the Vector API has no shape.
 */
final class MemoryWriter {

    private static final String SEGMENT = "java/lang/foreign/MemorySegment";
    private static final String LAYOUT = "java/lang/foreign/ValueLayout";
    private static final String FORMAT = "dev/weir/ir/type/Format";
    private static final String FLOAT8 = "dev/weir/ir/type/Float8";
    private static final String ORDER = "java/nio/ByteOrder";

    private final Code code;
    private final ExpressionWriter expressions;
    private final MethodWriter method;
    private final VectorWriter vectors;
    /** Whether masked accesses to narrow and to 32 and 64-bit elements are safe. */
    private final boolean maskedNarrow;
    private final boolean maskedWide;

    MemoryWriter(
            Code code,
            ExpressionWriter expressions,
            MethodWriter method,
            boolean maskedNarrow,
            boolean maskedWide) {
        this.code = code;
        this.expressions = expressions;
        this.method = method;
        this.vectors = new VectorWriter(code, expressions);
        this.maskedNarrow = maskedNarrow;
        this.maskedWide = maskedWide;
    }

    void load(Load load, Element wanted) {
        if (load.lanes() == 1) {
            loadScalar(load);
            return;
        }
        Format format = load.buffer().format();
        Type type = load.type();
        if (arrays(format, load.lanes(), load.active())) {
            address(load.buffer(), () -> expressions.emit(load.index()));
            int address = keep();
            lanesFromArray(format, type, address, load.active());
        } else {
            address(load.buffer(), () -> expressions.emit(load.index()));
            int address = keep();
            Optional<Integer> active = load.active().map(a -> {
                expressions.emit(a);
                return keep();
            });
            lanes(format, load.lanes(), address, active);
        }
        if (format == Format.BOOL) {
            vectors.maskOfInts(type);
            expressions.castMask(type, Element.I32, wanted);
        } else {
            widen(format, type);
        }
    }

    void store(Store store) {
        Type type = store.value().type();
        if (type.isScalar()) {
            storeScalar(store);
            return;
        }
        Format format = store.buffer().format();
        address(store.buffer(), () -> expressions.write(store.index()));
        int address = keep();
        Optional<Integer> active = store.active().map(a -> {
            expressions.write(a);
            return keep();
        });
        expressions.write(store.value());
        if (format == Format.BOOL) {
            vectors.fromMask(type.withElement(Element.I32));
        } else {
            narrow(format, type);
        }
        if (arrays(format, type.lanes(), store.active())) {
            lanesToArray(format, type.lanes(), address, active);
        } else {
            lanesOut(format, type.lanes(), address, active);
        }
    }

    private boolean arrays(Format format, int lanes, Optional<Expression> active) {
        boolean narrow = format.bytes() < 4;
        if (narrow && format.bytes() * lanes < 8) {
            return true;
        }
        return active.isPresent() && !(narrow ? maskedNarrow : maskedWide);
    }

    /** Pushes an element's address. */
    private void address(Buffer buffer, Runnable index) {
        code.load(Type.I64, method.base(buffer));
        index.run();
        int shift = Integer.numberOfTrailingZeros(buffer.format().bytes());
        if (shift > 0) {
            code.integer(shift);
            code.op(Opcodes.LSHL);
        }
        code.op(Opcodes.LADD);
    }

    private int keep() {
        int slot = code.allocate(Type.I64);
        code.store(Type.I64, slot);
        return slot;
    }

    // Vectors.

    private static String raw(Format format) {
        return JvmTypes.PACKAGE + switch (format) {
            case F64 -> "DoubleVector";
            case F32 -> "FloatVector";
            case BF16, F16 -> "ShortVector";
            case I64 -> "LongVector";
            case I32 -> "IntVector";
            case F8E4M3, F8E5M2, I8, BOOL -> "ByteVector";
        };
    }

    private void rawSpecies(Format format, int lanes) {
        code.species(raw(format),
                JvmTypes.speciesField(format.word(), format.bytes() * 8, lanes));
    }

    /** Pushes lanes as they are in memory, narrow ones as i32 lanes. */
    private void lanes(Format format, int lanes, int address, Optional<Integer> active) {
        rawSpecies(format, lanes);
        where(address);
        active.ifPresent(a -> mask(format, lanes, a));
        code.invokeStatic(raw(format), "fromMemorySegment",
                "(" + reference(SPECIES) + whereDescriptor(active) + ")"
                        + reference(raw(format)));
        if (format.bytes() < 4) {
            code.operator("Conversion", format.bytes() == 1 ? "B2I" : "ZERO_EXTEND_S2I");
            code.species(new Type(Element.I32, lanes));
            vectors.shape(JvmTypes.vector(Element.I32));
        }
    }

    /** With lanes on the stack, narrow ones as i32 lanes. */
    private void lanesOut(Format format, int lanes, int address, Optional<Integer> active) {
        if (format.bytes() < 4) {
            code.operator("Conversion", format.bytes() == 1 ? "I2B" : "I2S");
            rawSpecies(format, lanes);
            vectors.shape(raw(format));
        }
        where(address);
        active.ifPresent(a -> mask(format, lanes, a));
        code.invoke(raw(format), "intoMemorySegment", "(" + whereDescriptor(active) + ")V");
    }

    private void where(int address) {
        code.memory();
        code.load(Type.I64, address);
        code.byteOrder();
    }

    private static String whereDescriptor(Optional<Integer> active) {
        return reference(SEGMENT) + "J" + reference(ORDER)
                + (active.isPresent() ? reference(MASK) : "");
    }

    private void mask(Format format, int lanes, int active) {
        rawSpecies(format, lanes);
        code.load(Type.I64, active);
        code.integer(lanes);
        code.support("bits", "(JI)J");
        code.invokeStatic(MASK, "fromLong", "(" + reference(SPECIES) + "J)" + reference(MASK));
    }

    private void lanesFromArray(
            Format format, Type type, int address, Optional<Expression> active) {
        boolean wide = format.bytes() == 8;
        Element carrier = wide ? Element.I64 : Element.I32;
        code.species(type.withElement(carrier));
        code.load(Type.I64, address);
        code.integer(type.lanes());
        if (active.isPresent()) {
            expressions.emit(active.get());
        } else {
            code.wide(type.lanes());
        }
        String array = wide ? "[J" : "[I";
        code.support("load" + format.bytes() * 8, "(JIJ)" + array);
        code.integer(0);
        String vector = JvmTypes.vector(carrier);
        code.invokeStatic(vector, "fromArray",
                "(" + reference(SPECIES) + array + "I)" + reference(vector));
        if (format == Format.F32 || format == Format.F64) {
            vectors.bitcast(type.element());
        }
    }

    private void lanesToArray(Format format, int lanes, int address, Optional<Integer> active) {
        boolean wide = format.bytes() == 8;
        String array = wide ? "[J" : "[I";
        if (format == Format.F32 || format == Format.F64) {
            vectors.bitcast(wide ? Element.I64 : Element.I32);
        }
        // vector -> array, vector, array, 0
        code.integer(lanes);
        code.visitor.visitIntInsn(Opcodes.NEWARRAY, wide ? Opcodes.T_LONG : Opcodes.T_INT);
        code.op(Opcodes.DUP_X1);
        code.integer(0);
        code.invoke(JvmTypes.vector(wide ? Element.I64 : Element.I32), "intoArray",
                "(" + array + "I)V");
        code.load(Type.I64, address);
        if (active.isPresent()) {
            code.load(Type.I64, active.get());
        } else {
            code.wide(lanes);
        }
        code.support("store" + format.bytes() * 8, "(" + array + "JJ)V");
    }

    // Widening and rounding, of scalars and vectors.

    /** What a load gives on the stack becomes a value of {@code type}. */
    void widen(Format format, Type type) {
        if (!format.isNarrowFloat()) {
            return;
        }
        if (!type.isScalar()) {
            Get bits = expressions.hold(type.withElement(Element.I32));
            expressions.expand(Expansions.widen(format, bits), Element.I32);
            return;
        }
        switch (format) {
            case BF16 -> code.invokeStatic(FORMAT, "bf16ToFloat", "(S)F");
            case F8E4M3 -> code.invokeStatic(FLOAT8, "e4m3ToFloat", "(B)F");
            case F8E5M2 -> code.invokeStatic(FLOAT8, "e5m2ToFloat", "(B)F");
            default -> code.invokeStatic("java/lang/Float", "float16ToFloat", "(S)F");
        }
    }

    /** A value on the stack becomes what is stored; narrow lanes are in i32 lanes then. */
    void narrow(Format format, Type type) {
        if (format == Format.I8 && type.isScalar()) {
            code.op(Opcodes.I2B);
            return;
        }
        if (!format.isNarrowFloat()) {
            return;
        }
        if (!type.isScalar()) {
            Get value = expressions.hold(type);
            expressions.expand(Expansions.narrow(format, value), Element.I32);
            return;
        }
        switch (format) {
            case BF16 -> code.invokeStatic(FORMAT, "floatToBf16", "(F)S");
            case F8E4M3 -> code.invokeStatic(FLOAT8, "floatToE4m3", "(F)B");
            case F8E5M2 -> code.invokeStatic(FLOAT8, "floatToE5m2", "(F)B");
            default -> code.invokeStatic("java/lang/Float", "floatToFloat16", "(F)S");
        }
    }

    // Scalars.

    private void loadScalar(Load load) {
        if (load.active().isEmpty()) {
            read(load);
            return;
        }
        Label none = new Label();
        Label end = new Label();
        // Evaluated before the branch, for the sake of nodes shared with what follows.
        address(load.buffer(), () -> expressions.emit(load.index()));
        int address = keep();
        expressions.emit(load.active().get());
        code.wide(0);
        code.op(Opcodes.LCMP);
        code.jump(Opcodes.IFLE, none);
        code.memory();
        layout(load.buffer().format());
        code.load(Type.I64, address);
        get(load.buffer().format());
        code.jump(Opcodes.GOTO, end);
        code.place(none);
        switch (load.type().element()) {
            case F64 -> code.constant(0.0);
            case F32 -> code.constant(0.0f);
            case I64 -> code.wide(0);
            case I32, BOOL -> code.integer(0);
        }
        code.place(end);
    }

    private void read(Load load) {
        code.memory();
        layout(load.buffer().format());
        address(load.buffer(), () -> expressions.emit(load.index()));
        get(load.buffer().format());
    }

    private void get(Format format) {
        code.invokeInterface(SEGMENT, "get",
                "(" + reference(layoutClass(format)) + "J)" + letter(format));
        if (format == Format.BOOL) {
            Label zero = new Label();
            Label end = new Label();
            code.jump(Opcodes.IFEQ, zero);
            code.integer(1);
            code.jump(Opcodes.GOTO, end);
            code.place(zero);
            code.integer(0);
            code.place(end);
        }
        widen(format, Type.F32);
    }

    private void storeScalar(Store store) {
        Format format = store.buffer().format();
        Label end = new Label();
        if (store.active().isPresent()) {
            expressions.write(store.active().get());
            code.wide(0);
            code.op(Opcodes.LCMP);
            code.jump(Opcodes.IFLE, end);
        }
        code.memory();
        layout(format);
        address(store.buffer(), () -> expressions.write(store.index()));
        expressions.write(store.value());
        narrow(format, store.value().type());
        code.invokeInterface(SEGMENT, "set",
                "(" + reference(layoutClass(format)) + "J" + letter(format) + ")V");
        code.place(end);
    }

    /** Pushes the 64-bit word at so many bytes behind the address in a local. */
    void word(int base, long offset) {
        code.memory();
        layout(Format.I64);
        code.load(Type.I64, base);
        code.wide(offset);
        code.op(Opcodes.LADD);
        get(Format.I64);
    }

    private void layout(Format format) {
        String name = switch (format) {
            case F64 -> "JAVA_DOUBLE_UNALIGNED";
            case F32 -> "JAVA_FLOAT_UNALIGNED";
            case BF16, F16 -> "JAVA_SHORT_UNALIGNED";
            case I64 -> "JAVA_LONG_UNALIGNED";
            case I32 -> "JAVA_INT_UNALIGNED";
            case F8E4M3, F8E5M2, I8, BOOL -> "JAVA_BYTE";
        };
        code.getStatic(LAYOUT, name, reference(layoutClass(format)));
    }

    private static String layoutClass(Format format) {
        return LAYOUT + switch (format) {
            case F64 -> "$OfDouble";
            case F32 -> "$OfFloat";
            case BF16, F16 -> "$OfShort";
            case I64 -> "$OfLong";
            case I32 -> "$OfInt";
            case F8E4M3, F8E5M2, I8, BOOL -> "$OfByte";
        };
    }

    private static char letter(Format format) {
        return switch (format) {
            case F64 -> 'D';
            case F32 -> 'F';
            case BF16, F16 -> 'S';
            case I64 -> 'J';
            case I32 -> 'I';
            case F8E4M3, F8E5M2, I8, BOOL -> 'B';
        };
    }
}
