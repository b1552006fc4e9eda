package dev.weir.codegen.jvm;

import dev.weir.ir.host.WordExpression;
import dev.weir.ir.host.WordExpression.Operator;
import dev.weir.ir.host.WordExpression.Width;
import dev.weir.ir.host.WordFunction;
import dev.weir.ir.host.WordProgram;
import dev.weir.ir.host.WordStatement;
import dev.weir.ir.kernel.Kernel;
import dev.weir.ir.kernel.Type;
import java.util.HashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.regex.Pattern;
import org.objectweb.asm.ClassWriter;
import org.objectweb.asm.Label;
import org.objectweb.asm.MethodVisitor;
import org.objectweb.asm.Opcodes;

/**
 * Writes the class of a host program: a method for each function of word code, whose words are
 * longs, and a static field for each kernel. Its constructor takes the memory that it works on.
 */
final class HostClassWriter {
    private static final String OBJECT = "java/lang/Object";
    private static final String MEMORY = "dev/weir/codegen/jvm/artefact/HostMemory";
    private static final String INTERFACE = "dev/weir/codegen/jvm/artefact/HostProgram";
    private static final String KERNEL = "dev/weir/ir/kernel/CompiledKernel";
    private static final String SEGMENT = "java/lang/foreign/MemorySegment";
    private static final String LAYOUT = "java/lang/foreign/ValueLayout";

    private final WordProgram program;
    private final String name;
    private final String kernelPrefix;
    private final Map<String, WordFunction> functions = new HashMap<>();

    private HostClassWriter(WordProgram program, String name, String kernelPrefix) {
        this.program = program;
        this.name = name;
        this.kernelPrefix = kernelPrefix;
        program.functions().forEach(f -> functions.put(f.name(), f));
    }

    /**
     * The class.
     *
     * @param name of the class, with slashes
     * @param kernelPrefix what the classes of the kernels are called, without the kernel's name
     */
    static byte[] write(WordProgram program, String name, String kernelPrefix) {
        return new HostClassWriter(program, name, kernelPrefix).bytes();
    }

    private byte[] bytes() {
        ClassWriter writer = new ClassWriter(ClassWriter.COMPUTE_FRAMES) {
            @Override
            protected String getCommonSuperClass(String left, String right) {
                return OBJECT;
            }
        };
        writer.visit(Opcodes.V25, Opcodes.ACC_PUBLIC | Opcodes.ACC_FINAL | Opcodes.ACC_SUPER,
                name, null, OBJECT, new String[] {INTERFACE});
        writer.visitField(Opcodes.ACC_PRIVATE | Opcodes.ACC_FINAL, "memory",
                JvmTypes.reference(MEMORY), null, null).visitEnd();
        constructor(writer);
        kernels(writer);
        for (WordFunction function : program.functions()) {
            new Method(function, writer.visitMethod(
                    Opcodes.ACC_PUBLIC, method(function.name()),
                    descriptor(function.parameters().size()), null, null)).write();
        }
        writer.visitEnd();
        return writer.toByteArray();
    }

    private static String descriptor(int words) {
        return "(" + "J".repeat(words) + ")J";
    }

    /** {@code session_new} becomes {@code sessionNew}. */
    private static String method(String function) {
        return Pattern.compile("_([a-z])").matcher(function)
                .replaceAll(match -> match.group(1).toUpperCase(Locale.ROOT));
    }

    private void constructor(ClassWriter writer) {
        MethodVisitor visitor = writer.visitMethod(Opcodes.ACC_PUBLIC, "<init>",
                "(" + JvmTypes.reference(MEMORY) + ")V", null, null);
        visitor.visitCode();
        visitor.visitVarInsn(Opcodes.ALOAD, 0);
        visitor.visitMethodInsn(Opcodes.INVOKESPECIAL, OBJECT, "<init>", "()V", false);
        visitor.visitVarInsn(Opcodes.ALOAD, 0);
        visitor.visitVarInsn(Opcodes.ALOAD, 1);
        visitor.visitFieldInsn(
                Opcodes.PUTFIELD, name, "memory", JvmTypes.reference(MEMORY));
        visitor.visitInsn(Opcodes.RETURN);
        visitor.visitMaxs(0, 0);
        visitor.visitEnd();
    }

    private void kernels(ClassWriter writer) {
        MethodVisitor visitor =
                writer.visitMethod(Opcodes.ACC_STATIC, "<clinit>", "()V", null, null);
        visitor.visitCode();
        for (Kernel kernel : program.kernels()) {
            String type = kernelPrefix + kernel.name();
            writer.visitField(Opcodes.ACC_PRIVATE | Opcodes.ACC_STATIC | Opcodes.ACC_FINAL,
                    kernel.name(), JvmTypes.reference(KERNEL), null, null).visitEnd();
            visitor.visitTypeInsn(Opcodes.NEW, type);
            visitor.visitInsn(Opcodes.DUP);
            visitor.visitMethodInsn(Opcodes.INVOKESPECIAL, type, "<init>", "()V", false);
            visitor.visitFieldInsn(
                    Opcodes.PUTSTATIC, name, kernel.name(), JvmTypes.reference(KERNEL));
        }
        visitor.visitInsn(Opcodes.RETURN);
        visitor.visitMaxs(0, 0);
        visitor.visitEnd();
    }

    /** One function. */
    private final class Method {
        private final WordFunction function;
        private final Code code;
        private final Map<String, Integer> slots = new HashMap<>();

        Method(WordFunction function, MethodVisitor visitor) {
            this.function = function;
            this.code = new Code(visitor, new LaneConstants(name));
        }

        void write() {
            code.visitor.visitCode();
            // The object itself.
            code.allocate(Type.I32);
            function.parameters().forEach(p -> slots.put(p, code.allocate(Type.I64)));
            for (String local : function.locals()) {
                slots.put(local, code.allocate(Type.I64));
                code.wide(0);
                code.store(Type.I64, slots.get(local));
            }
            statements(function.body());
            code.wide(0);
            code.op(Opcodes.LRETURN);
            code.visitor.visitMaxs(0, 0);
            code.visitor.visitEnd();
        }

        private int slot(String local) {
            Integer slot = slots.get(local);
            if (slot == null) {
                throw new IllegalArgumentException(
                        function.name() + " has no local " + local);
            }
            return slot;
        }

        private void statements(List<WordStatement> statements) {
            statements.forEach(this::statement);
        }

        private void statement(WordStatement statement) {
            switch (statement) {
                case WordStatement.Assign s -> {
                    value(s.value());
                    code.store(Type.I64, slot(s.local()));
                }
                case WordStatement.Store s -> store(s);
                case WordStatement.If s -> {
                    Label otherwise = new Label();
                    Label end = new Label();
                    jumpUnless(s.condition(), otherwise);
                    statements(s.then());
                    code.jump(Opcodes.GOTO, end);
                    code.place(otherwise);
                    statements(s.otherwise());
                    code.place(end);
                }
                case WordStatement.While s -> {
                    Label head = new Label();
                    Label end = new Label();
                    code.place(head);
                    jumpUnless(s.condition(), end);
                    statements(s.body());
                    code.jump(Opcodes.GOTO, head);
                    code.place(end);
                }
                case WordStatement.Return s -> {
                    value(s.value());
                    code.op(Opcodes.LRETURN);
                }
                case WordStatement.Run s -> {
                    value(s.call());
                    code.op(Opcodes.POP2);
                }
                case WordStatement.Launch s -> {
                    code.getStatic(name, s.kernel(), JvmTypes.reference(KERNEL));
                    code.wide(0);
                    value(s.tiles());
                    value(s.arguments());
                    value(s.scratch());
                    code.invokeInterface(KERNEL, "run", "(JJJJ)V");
                }
            }
        }

        private static String layout(Width width) {
            return switch (width) {
                case BYTE -> "JAVA_BYTE";
                case INTEGER -> "JAVA_INT";
                case WORD -> "JAVA_LONG";
            };
        }

        private static String layoutType(Width width) {
            return LAYOUT + switch (width) {
                case BYTE -> "$OfByte";
                case INTEGER -> "$OfInt";
                case WORD -> "$OfLong";
            };
        }

        private static String letter(Width width) {
            return switch (width) {
                case BYTE -> "B";
                case INTEGER -> "I";
                case WORD -> "J";
            };
        }

        private void store(WordStatement.Store store) {
            code.memory();
            code.getStatic(LAYOUT, layout(store.width()),
                    JvmTypes.reference(layoutType(store.width())));
            value(store.address());
            value(store.value());
            if (store.width() != Width.WORD) {
                code.op(Opcodes.L2I);
            }
            if (store.width() == Width.BYTE) {
                code.op(Opcodes.I2B);
            }
            code.invokeInterface(SEGMENT, "set", "(" + JvmTypes.reference(
                    layoutType(store.width())) + "J" + letter(store.width()) + ")V");
        }

        private void value(WordExpression expression) {
            switch (expression) {
                case WordExpression.Constant c -> code.wide(c.value());
                case WordExpression.Local l -> code.load(Type.I64, slot(l.name()));
                case WordExpression.Load l -> {
                    code.memory();
                    code.getStatic(LAYOUT, layout(l.width()),
                            JvmTypes.reference(layoutType(l.width())));
                    value(l.address());
                    code.invokeInterface(SEGMENT, "get", "(" + JvmTypes.reference(
                            layoutType(l.width())) + "J)" + letter(l.width()));
                    if (l.width() == Width.BYTE) {
                        code.integer(0xFF);
                        code.op(Opcodes.IAND);
                    }
                    if (l.width() != Width.WORD) {
                        code.op(Opcodes.I2L);
                    }
                }
                case WordExpression.Binary b -> binary(b);
                case WordExpression.Call c -> call(c);
                case WordExpression.Text t -> throw new IllegalArgumentException(
                        "texts have no addresses on the JVM");
            }
        }

        private void call(WordExpression.Call call) {
            Integer words = WordProgram.EXTERNALS.get(call.function());
            code.visitor.visitVarInsn(Opcodes.ALOAD, 0);
            if (words != null) {
                code.visitor.visitFieldInsn(
                        Opcodes.GETFIELD, name, "memory", JvmTypes.reference(MEMORY));
            } else if (functions.containsKey(call.function())) {
                words = functions.get(call.function()).parameters().size();
            }
            if (words == null || words != call.arguments().size()) {
                throw new IllegalArgumentException(function.name() + " calls "
                        + call.function() + " with " + call.arguments().size() + " words");
            }
            call.arguments().forEach(this::value);
            code.invoke(WordProgram.EXTERNALS.containsKey(call.function()) ? MEMORY : name,
                    method(call.function()), descriptor(words));
        }

        private void binary(WordExpression.Binary binary) {
            if (isComparison(binary.operator())) {
                Label not = new Label();
                Label end = new Label();
                jumpUnless(binary, not);
                code.wide(1);
                code.jump(Opcodes.GOTO, end);
                code.place(not);
                code.wide(0);
                code.place(end);
                return;
            }
            value(binary.left());
            value(binary.right());
            switch (binary.operator()) {
                case ADD -> code.op(Opcodes.LADD);
                case SUBTRACT -> code.op(Opcodes.LSUB);
                case MULTIPLY -> code.op(Opcodes.LMUL);
                case DIVIDE -> code.invokeStatic(MEMORY, "divide", "(JJ)J");
                case REMAINDER -> code.invokeStatic(MEMORY, "remainder", "(JJ)J");
                case AND -> code.op(Opcodes.LAND);
                case OR -> code.op(Opcodes.LOR);
                case EXCLUSIVE_OR -> code.op(Opcodes.LXOR);
                case SHIFT_LEFT -> {
                    code.op(Opcodes.L2I);
                    code.op(Opcodes.LSHL);
                }
                case SHIFT_RIGHT -> {
                    code.op(Opcodes.L2I);
                    code.op(Opcodes.LSHR);
                }
                case MINIMUM -> code.invokeStatic("java/lang/Math", "min", "(JJ)J");
                case MAXIMUM -> code.invokeStatic("java/lang/Math", "max", "(JJ)J");
                case EQUAL, NOT_EQUAL, LESS, LESS_EQUAL, GREATER, GREATER_EQUAL ->
                        throw new IllegalStateException("written above");
            }
        }

        private static boolean isComparison(Operator operator) {
            return switch (operator) {
                case EQUAL, NOT_EQUAL, LESS, LESS_EQUAL, GREATER, GREATER_EQUAL -> true;
                case ADD, SUBTRACT, MULTIPLY, DIVIDE, REMAINDER, AND, OR, EXCLUSIVE_OR,
                        SHIFT_LEFT, SHIFT_RIGHT, MINIMUM, MAXIMUM -> false;
            };
        }

        private void jumpUnless(WordExpression condition, Label otherwise) {
            if (condition instanceof WordExpression.Binary b && isComparison(b.operator())) {
                value(b.left());
                value(b.right());
                code.op(Opcodes.LCMP);
                code.jump(switch (b.operator()) {
                    case EQUAL -> Opcodes.IFNE;
                    case NOT_EQUAL -> Opcodes.IFEQ;
                    case LESS -> Opcodes.IFGE;
                    case LESS_EQUAL -> Opcodes.IFGT;
                    case GREATER -> Opcodes.IFLE;
                    default -> Opcodes.IFLT;
                }, otherwise);
                return;
            }
            value(condition);
            code.wide(0);
            code.op(Opcodes.LCMP);
            code.jump(Opcodes.IFEQ, otherwise);
        }
    }
}
