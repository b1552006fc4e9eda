package dev.weir.codegen.llvm;

import dev.weir.ir.host.WordExpression;
import dev.weir.ir.host.WordExpression.Operator;
import dev.weir.ir.host.WordExpression.Width;
import dev.weir.ir.host.WordFunction;
import dev.weir.ir.host.WordProgram;
import dev.weir.ir.host.WordStatement;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;

/**
 * Writes word code as textual LLVM IR: a function of i64 for each of its functions. Memory comes
 * from C's {@code aligned_alloc} and goes to {@code free}.
 */
final class LlvmHostText {
    private static final String PREFIX = "word.";

    private final Map<String, WordFunction> functions = new HashMap<>();
    private final Map<String, String> texts = new HashMap<>();
    private final StringBuilder out = new StringBuilder();

    private LlvmHostText(WordProgram program) {
        program.functions().forEach(f -> functions.put(f.name(), f));
    }

    /**
     * A module's host part; the kernels are defined elsewhere in the module.
     *
     * @param entries functions that are seen from outside, by the names that they have there
     * @param tables functions from outside that give the text at a place, or null
     */
    static String of(
            WordProgram program, Map<String, String> entries, Map<String, List<String>> tables) {
        LlvmHostText text = new LlvmHostText(program);
        program.functions().forEach(f -> text.out.append(text.new Body(f).write()));
        entries.forEach(text::entry);
        tables.forEach(text::table);
        text.out.append("""
                declare ptr @aligned_alloc(i64, i64) #1
                declare void @free(ptr) #1
                declare void @llvm.memcpy.p0.p0.i64(ptr, ptr, i64, i1)
                attributes #1 = { nounwind }
                attributes #2 = { noinline nounwind }
                """);
        return text.out.toString();
    }

    private void entry(String outside, String function) {
        WordFunction called = functions.get(function);
        List<String> parameters = new ArrayList<>();
        for (int i = 0; i < called.parameters().size(); i++) {
            parameters.add("i64 %" + i);
        }
        String list = String.join(", ", parameters);
        out.append("define i64 @").append(outside).append("(").append(list)
                .append(") #1 {\nentry:\n  %r = call i64 @").append(PREFIX).append(function)
                .append("(").append(list).append(")\n  ret i64 %r\n}\n");
    }

    private void table(String outside, List<String> rows) {
        StringBuilder pointers = new StringBuilder();
        for (String row : rows) {
            pointers.append(pointers.isEmpty() ? "" : ", ").append("ptr ").append(text(row));
        }
        String type = "[" + rows.size() + " x ptr]";
        out.append("@table.").append(outside).append(" = internal constant ").append(type)
                .append(" [").append(pointers).append("]\n");
        out.append("""
                define ptr @OUTSIDE(i64 %i) #1 {
                entry:
                  %inside = icmp ult i64 %i, COUNT
                  br i1 %inside, label %yes, label %no
                yes:
                  %place = getelementptr TYPE, ptr @table.OUTSIDE, i64 0, i64 %i
                  %text = load ptr, ptr %place, align 8
                  ret ptr %text
                no:
                  ret ptr null
                }
                """.replace("OUTSIDE", outside).replace("TYPE", type)
                .replace("COUNT", Integer.toString(rows.size())));
    }

    private String text(String text) {
        return texts.computeIfAbsent(text, t -> {
            String name = "@text." + texts.size();
            byte[] bytes = t.getBytes(StandardCharsets.UTF_8);
            StringBuilder escaped = new StringBuilder();
            for (byte b : bytes) {
                boolean plain = b >= ' ' && b < 127 && b != '"' && b != '\\';
                escaped.append(plain ? Character.toString(b) : String.format("\\%02X", b & 0xFF));
            }
            out.append(name).append(" = private unnamed_addr constant [")
                    .append(bytes.length + 1).append(" x i8] c\"").append(escaped)
                    .append("\\00\"\n");
            return name;
        });
    }

    /** One function. */
    private final class Body {
        private final WordFunction function;
        private final StringBuilder body = new StringBuilder();
        private int next;

        Body(WordFunction function) {
            this.function = function;
        }

        String write() {
            List<String> parameters = new ArrayList<>();
            for (String parameter : function.parameters()) {
                parameters.add("i64 %p." + parameter);
                line("%v." + parameter + " = alloca i64");
                line("store i64 %p." + parameter + ", ptr %v." + parameter);
            }
            for (String local : function.locals()) {
                line("%v." + local + " = alloca i64");
                line("store i64 0, ptr %v." + local);
            }
            statements(function.body());
            line("ret i64 0");
            return "define internal i64 @" + PREFIX + function.name() + "("
                    + String.join(", ", parameters) + ") #1 {\nentry:\n" + body + "}\n";
        }

        private void line(String text) {
            body.append("  ").append(text).append('\n');
        }

        private String emit(String instruction) {
            String name = "%t" + next++;
            line(name + " = " + instruction);
            return name;
        }

        private String label(String word) {
            return word + next++;
        }

        private void begin(String label) {
            body.append(label).append(":\n");
        }

        private String variable(String local) {
            if (!function.parameters().contains(local) && !function.locals().contains(local)) {
                throw new IllegalArgumentException(function.name() + " has no local " + local);
            }
            return "%v." + local;
        }

        private void statements(List<WordStatement> statements) {
            statements.forEach(this::statement);
        }

        private void statement(WordStatement statement) {
            switch (statement) {
                case WordStatement.Assign s ->
                        line("store i64 " + value(s.value()) + ", ptr " + variable(s.local()));
                case WordStatement.Store s -> {
                    String address = pointer(s.address());
                    String value = value(s.value());
                    String narrow = s.width() == Width.WORD
                            ? value : emit("trunc i64 " + value + " to " + type(s.width()));
                    line("store " + type(s.width()) + " " + narrow + ", ptr " + address
                            + ", align " + s.width().bytes());
                }
                case WordStatement.If s -> {
                    String then = label("then");
                    String otherwise = label("else");
                    String join = label("join");
                    choose(s.condition(), then, otherwise);
                    begin(then);
                    statements(s.then());
                    line("br label %" + join);
                    begin(otherwise);
                    statements(s.otherwise());
                    line("br label %" + join);
                    begin(join);
                }
                case WordStatement.While s -> {
                    String head = label("head");
                    String inside = label("body");
                    String done = label("done");
                    line("br label %" + head);
                    begin(head);
                    choose(s.condition(), inside, done);
                    begin(inside);
                    statements(s.body());
                    line("br label %" + head);
                    begin(done);
                }
                case WordStatement.Return s -> {
                    line("ret i64 " + value(s.value()));
                    // What follows is unreachable, but needs a block to stand in.
                    begin(label("after"));
                }
                case WordStatement.Run s -> value(s.call());
                case WordStatement.Launch s -> line("call void @" + s.kernel() + "(i64 0, i64 "
                        + value(s.tiles()) + ", i64 " + value(s.arguments()) + ", i64 "
                        + value(s.scratch()) + ") #2");
            }
        }

        private void choose(WordExpression condition, String then, String otherwise) {
            String holds = emit("icmp ne i64 " + value(condition) + ", 0");
            line("br i1 " + holds + ", label %" + then + ", label %" + otherwise);
        }

        private static String type(Width width) {
            return "i" + 8 * width.bytes();
        }

        private String pointer(WordExpression address) {
            return emit("inttoptr i64 " + value(address) + " to ptr");
        }

        private String value(WordExpression expression) {
            return switch (expression) {
                case WordExpression.Constant c -> Long.toString(c.value());
                case WordExpression.Local l -> emit("load i64, ptr " + variable(l.name()));
                case WordExpression.Text t ->
                        emit("ptrtoint ptr " + text(t.text()) + " to i64");
                case WordExpression.Load l -> {
                    String loaded = emit("load " + type(l.width()) + ", ptr "
                            + pointer(l.address()) + ", align " + l.width().bytes());
                    yield switch (l.width()) {
                        case WORD -> loaded;
                        case INTEGER -> emit("sext i32 " + loaded + " to i64");
                        case BYTE -> emit("zext i8 " + loaded + " to i64");
                    };
                }
                case WordExpression.Call c -> call(c);
                case WordExpression.Binary b ->
                        binary(b.operator(), value(b.left()), value(b.right()));
            };
        }

        private String call(WordExpression.Call call) {
            List<String> words = call.arguments().stream().map(this::value).toList();
            Integer expected = functions.containsKey(call.function())
                    ? Integer.valueOf(functions.get(call.function()).parameters().size())
                    : WordProgram.EXTERNALS.get(call.function());
            if (expected == null || expected != words.size()) {
                throw new IllegalArgumentException(function.name() + " calls "
                        + call.function() + " with " + words.size() + " words");
            }
            return switch (call.function()) {
                case "allocate" -> {
                    // C wants a multiple of the alignment.
                    String padded = emit("add i64 " + words.getFirst() + ", 63");
                    String whole = emit("and i64 " + padded + ", -64");
                    yield emit("ptrtoint ptr "
                            + emit("call ptr @aligned_alloc(i64 64, i64 " + whole + ")")
                            + " to i64");
                }
                case "free" -> {
                    String address = emit("inttoptr i64 " + words.getFirst() + " to ptr");
                    line("call void @free(ptr " + address + ")");
                    yield "0";
                }
                case "copy" -> {
                    String to = emit("inttoptr i64 " + words.get(0) + " to ptr");
                    String from = emit("inttoptr i64 " + words.get(1) + " to ptr");
                    line("call void @llvm.memcpy.p0.p0.i64(ptr " + to + ", ptr " + from
                            + ", i64 " + words.get(2) + ", i1 false)");
                    yield "0";
                }
                default -> emit("call i64 @" + PREFIX + call.function() + "("
                        + String.join(", ", words.stream().map(w -> "i64 " + w).toList()) + ")");
            };
        }

        private String binary(Operator operator, String left, String right) {
            String operands = left + ", " + right;
            return switch (operator) {
                case ADD -> emit("add i64 " + operands);
                case SUBTRACT -> emit("sub i64 " + operands);
                case MULTIPLY -> emit("mul i64 " + operands);
                case DIVIDE -> divide(left, right, true);
                case REMAINDER -> divide(left, right, false);
                case AND -> emit("and i64 " + operands);
                case OR -> emit("or i64 " + operands);
                case EXCLUSIVE_OR -> emit("xor i64 " + operands);
                case SHIFT_LEFT -> emit(
                        "shl i64 " + left + ", " + emit("and i64 " + right + ", 63"));
                case SHIFT_RIGHT -> emit(
                        "ashr i64 " + left + ", " + emit("and i64 " + right + ", 63"));
                case MINIMUM -> select(emit("icmp slt i64 " + operands), left, right);
                case MAXIMUM -> select(emit("icmp sgt i64 " + operands), left, right);
                case EQUAL -> truth("eq", operands);
                case NOT_EQUAL -> truth("ne", operands);
                case LESS -> truth("slt", operands);
                case LESS_EQUAL -> truth("sle", operands);
                case GREATER -> truth("sgt", operands);
                case GREATER_EQUAL -> truth("sge", operands);
            };
        }

        private String truth(String comparison, String operands) {
            String holds = emit("icmp " + comparison + " i64 " + operands);
            return emit("zext i1 " + holds + " to i64");
        }

        private String select(String condition, String then, String otherwise) {
            return emit("select i1 " + condition + ", i64 " + then + ", i64 " + otherwise);
        }

        /** Rounded towards minus infinity; neither 0 nor -1 reaches the processor's division. */
        private String divide(String left, String right, boolean quotient) {
            String zero = emit("icmp eq i64 " + right + ", 0");
            String minus = emit("icmp eq i64 " + right + ", -1");
            String either = emit("or i1 " + zero + ", " + minus);
            String safe = select(either, "1", right);
            String whole = emit("sdiv i64 " + left + ", " + safe);
            String rest = emit("srem i64 " + left + ", " + safe);
            String some = emit("icmp ne i64 " + rest + ", 0");
            String signs = emit("icmp slt i64 " + emit("xor i64 " + rest + ", " + safe) + ", 0");
            String below = emit("and i1 " + some + ", " + signs);
            if (!quotient) {
                String moved = select(below, emit("add i64 " + rest + ", " + safe), rest);
                return select(either, "0", moved);
            }
            String moved = select(below, emit("sub i64 " + whole + ", 1"), whole);
            return select(zero, "0", select(minus, emit("sub i64 0, " + left), moved));
        }
    }
}
