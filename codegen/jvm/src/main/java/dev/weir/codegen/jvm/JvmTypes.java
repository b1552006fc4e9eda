package dev.weir.codegen.jvm;

import dev.weir.ir.kernel.Type;
import dev.weir.ir.kernel.Type.Element;
import org.objectweb.asm.Opcodes;

/** What types of the kernel IR are on the JVM: primitives, vectors and vector masks. */
final class JvmTypes {

    static final String PACKAGE = "jdk/incubator/vector/";
    static final String VECTOR = PACKAGE + "Vector";
    static final String MASK = PACKAGE + "VectorMask";
    static final String SPECIES = PACKAGE + "VectorSpecies";
    static final String SHUFFLE = PACKAGE + "VectorShuffle";
    static final String OPERATORS = PACKAGE + "VectorOperators";

    private JvmTypes() {}

    /** The class of vectors with such lanes; bool lanes are held as masks instead. */
    static String vector(Element element) {
        return PACKAGE + switch (element) {
            case F64 -> "DoubleVector";
            case F32 -> "FloatVector";
            case I64 -> "LongVector";
            case I32 -> "IntVector";
            case BOOL -> "VectorMask";
        };
    }

    static String descriptor(Type type) {
        return type.isScalar()
                ? String.valueOf(scalar(type.element()))
                : reference(vector(type.element()));
    }

    /** The descriptor of a scalar; a bool is an int 0 or 1 between instructions. */
    static char scalar(Element element) {
        return switch (element) {
            case F64 -> 'D';
            case F32 -> 'F';
            case I64 -> 'J';
            case I32 -> 'I';
            case BOOL -> 'Z';
        };
    }

    /** The letter by which the Vector API names conversions: {@code F2I}. */
    static char letter(Element element) {
        return switch (element) {
            case F64 -> 'D';
            case F32 -> 'F';
            case I64 -> 'L';
            case I32, BOOL -> 'I';
        };
    }

    static String reference(String name) {
        return "L" + name + ";";
    }

    static int width(Element element) {
        return switch (element) {
            case F64, I64 -> 64;
            case F32, I32 -> 32;
            case BOOL -> 8;
        };
    }

    /**
     * The static field of a vector class that holds the shape of so many lanes.
     *
     * @throws IllegalArgumentException if the Vector API has no such shape
     */
    static String speciesField(String what, int width, int lanes) {
        int bits = width * lanes;
        if (lanes < 2 || bits != 64 && bits != 128 && bits != 256 && bits != 512) {
            throw new IllegalArgumentException(
                    "the JVM has no vectors of " + bits + " bits: " + what + "x" + lanes);
        }
        return "SPECIES_" + bits;
    }

    static int slots(Type type) {
        return type.isScalar() && width(type.element()) == 64 ? 2 : 1;
    }

    static int load(Type type) {
        if (!type.isScalar()) {
            return Opcodes.ALOAD;
        }
        return switch (type.element()) {
            case F64 -> Opcodes.DLOAD;
            case F32 -> Opcodes.FLOAD;
            case I64 -> Opcodes.LLOAD;
            case I32, BOOL -> Opcodes.ILOAD;
        };
    }

    static int store(Type type) {
        return load(type) - Opcodes.ILOAD + Opcodes.ISTORE;
    }
}
