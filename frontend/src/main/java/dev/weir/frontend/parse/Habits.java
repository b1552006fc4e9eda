package dev.weir.frontend.parse;

import dev.weir.grammar.WeirLexer;
import dev.weir.grammar.WeirParser;
import dev.weir.ir.diagnostic.Diagnostic;
import dev.weir.ir.diagnostic.Span;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.function.Consumer;
import org.antlr.v4.runtime.CommonToken;
import org.antlr.v4.runtime.CommonTokenStream;
import org.antlr.v4.runtime.Token;

/** What people write who know other languages, and what it is called here. */
final class Habits {
    /** Words that introduce a name elsewhere. */
    private static final Set<String> NAMING = Set.of("let", "var", "val", "const", "mut", "auto");

    /** Words that begin a declaration elsewhere. */
    private static final Map<String, String> DECLARING = Map.of(
            "def", "a method stands in a block, `forward(x[D]) -> y[D] { … }`, a function is "
                    + "`fn f(x: float) -> float = …`",
            "function", "write `fn f(x: float) -> float = …`",
            "func", "write `fn f(x: float) -> float = …`",
            "class", "write `block Name<D> { … }`, or `model Name { … }`",
            "struct", "write `block Name<D> { … }`, or `model Name { … }`",
            "module", "a file is a module, named by its path",
            "from", "write `import folder.file { Name }`",
            "use", "write `import folder.file { Name }`",
            "let", "a number that is used in many places is the default of a generic: "
                    + "`model Name<D = 64> { … }`");

    private Habits() {}

    // ------------------------------------------------------------------ signs

    /**
     * Says of signs of other languages what is written here, and puts that in their place, so that
     * the rest of the text can be judged.
     */
    static void replaceSigns(
            CommonTokenStream tokens,
            dev.weir.frontend.parse.Parser.Offsets offsets,
            Consumer<Diagnostic> diagnostics) {
        List<Token> all = tokens.getTokens();
        for (int i = 0; i < all.size(); i++) {
            Token token = all.get(i);
            Token next = i + 1 < all.size() ? all.get(i + 1) : token;
            boolean isSign = token.getType() == WeirLexer.UNKNOWN;
            boolean isDoubled = next.getStartIndex() == token.getStopIndex() + 1
                    && next.getText().equals(token.getText());
            String text = token.getText();
            if (isSign && isDoubled && (text.equals("&") || text.equals("|"))) {
                String word = text.equals("&") ? "and" : "or";
                diagnostics.accept(sign(offsets.span(
                        token.getStartIndex(), next.getStopIndex() + 1),
                        "write `" + word + "`"));
                become(token, word);
                hide(next);
            } else if (isSign && text.equals("!")) {
                diagnostics.accept(sign(offsets.span(token), "write `not`"));
                become(token, "not");
            } else if (isSign && text.equals(";")) {
                diagnostics.accept(
                        sign(offsets.span(token), "statements need no `;` between them"));
                hide(token);
            } else if (isSign && text.equals("#")) {
                diagnostics.accept(sign(offsets.span(token), "comments begin with `//`"));
                int line = token.getLine();
                for (int j = i; j < all.size() && all.get(j).getLine() == line
                        && all.get(j).getType() != Token.EOF; j++) {
                    hide(all.get(j));
                }
            } else if (text.equals("/") && next.getText().startsWith("*")
                    && next.getStartIndex() == token.getStopIndex() + 1) {
                diagnostics.accept(sign(offsets.span(
                        token.getStartIndex(), next.getStartIndex() + 1),
                        "comments begin with `//` and end with the line"));
                int j = i;
                while (j + 1 < all.size() && all.get(j + 1).getType() != Token.EOF
                        && !(all.get(j).getText().equals("*")
                                && all.get(j + 1).getText().equals("/"))) {
                    hide(all.get(j++));
                }
                hide(all.get(j));
                if (all.get(j + 1).getType() != Token.EOF) {
                    hide(all.get(j + 1));
                }
                i = j + 1;
            } else if (text.equals("*") && isDoubled) {
                diagnostics.accept(sign(offsets.span(
                        token.getStartIndex(), next.getStopIndex() + 1),
                        "a power is `x ^ 2`"));
                become(token, "^");
                hide(next);
            }
        }
    }

    /** A sign of another language, and what is written instead. */
    private static Diagnostic sign(Span span, String help) {
        return Diagnostic.error("E0102", span, "`" + span.text() + "` is no sign of the language")
                .helped(help);
    }

    private static void become(Token token, String word) {
        for (int type = 1; type <= WeirLexer.VOCABULARY.getMaxTokenType(); type++) {
            if (("'" + word + "'").equals(WeirLexer.VOCABULARY.getLiteralName(type))) {
                ((CommonToken) token).setType(type);
                return;
            }
        }
        throw new IllegalArgumentException(word);
    }

    private static void hide(Token token) {
        ((CommonToken) token).setChannel(Token.HIDDEN_CHANNEL);
    }

    // ------------------------------------------------------------------ words

    /**
     * What is said of a habit at a token that the grammar does not expect.
     *
     * @param before the token before it, and the one before that
     * @param after what follows it
     * @param rule what was being read
     */
    static Optional<Diagnostic> at(
            Token token, Span span, List<String> before, String after, int rule) {
        String text = token.getText();
        String last = before.get(0);
        String second = before.get(1);
        if (rule == WeirParser.RULE_module) {
            String word = DECLARING.containsKey(text) ? text : last;
            return Optional.ofNullable(DECLARING.get(word)).map(help -> wrong(span,
                    "a file holds imports, blocks, models and functions")
                    .labelled("`" + word + "` is none of them").helped(help));
        }
        if (NAMING.contains(last)) {
            return Optional.of(wrong(span, "`" + last + "` is no word of the language")
                    .helped("a value gets its name by being assigned: `" + text + " = …`"));
        }
        if (last.equals("return")) {
            return Optional.of(wrong(span, "a method gives its results by their names")
                    .helped("assign to what stands behind `->`: `y = …`"));
        }
        boolean isElif = text.equals("elif") || last.equals("elif");
        if (isElif) {
            return Optional.of(wrong(span, "`elif` is no word of the language")
                    .helped("write `else if`"));
        }
        if (text.equals("fn") && rule != WeirParser.RULE_formal) {
            return Optional.of(wrong(span, "a method has no `fn` before its name")
                    .helped("write `" + (after.isEmpty() ? "forward" : after)
                            + "(x[D]) -> y[D] { … }`; functions stand outside of blocks"));
        }
        if (text.equals("[") && (second.equals(":") || last.equals(":"))) {
            return Optional.of(wrong(span, "axes stand behind the name, not behind the type")
                    .helped("write `name[T, D]`, which is of floats, or `name[T]: int`"));
        }
        if (text.equals("[") && (rule == WeirParser.RULE_blockDeclaration
                || rule == WeirParser.RULE_modelDeclaration)) {
            return Optional.of(wrong(span, "generics stand in `<…>`")
                    .helped("write `" + last + "<D>`"));
        }
        if (text.equals("=") && (rule == WeirParser.RULE_arguments
                || rule == WeirParser.RULE_suffix || rule == WeirParser.RULE_reducer)) {
            return Optional.of(wrong(span, "an argument is named with `:`")
                    .helped("write `" + last + ": " + after + "`"));
        }
        if (text.equals(">") && second.equals("<")) {
            return Optional.of(wrong(span, "a block is called by the name of a member")
                    .helped("give the block one, `part: Name<" + last + ">`, and call it: "
                            + "`part(x)`"));
        }
        if (text.equals("=") && rule == WeirParser.RULE_setting) {
            return Optional.of(wrong(span, "sizes and blocks that a block is made with stand in "
                            + "`<…>`")
                    .helped("write `<" + last + " = " + after + ">`; in parentheses are settings, "
                            + "`(" + last + ": float = 1.0)`"));
        }
        if (text.equals(",") && rule == WeirParser.RULE_member) {
            return Optional.of(wrong(span, "several results stand in parentheses")
                    .helped("write `-> (y[T, D], z[T])`"));
        }
        boolean inBlock = rule == WeirParser.RULE_member
                || rule == WeirParser.RULE_blockDeclaration
                || rule == WeirParser.RULE_modelDeclaration;
        if (inBlock && token.getType() == WeirLexer.NAME && !last.equals("}")
                && !second.equals("param") && !second.equals("state")) {
            return Optional.of(wrong(span, "`" + last + " " + text + "` begins no part of a block")
                    .labelled("expected `(`, `:` or another word before it")
                    .helped("parts are `param w[D]`, `state s[D] = 0`, `where D > 0`, "
                            + "`precision { … }`, members `name: Block<D>` and methods "
                            + "`name(x[D]) -> y[D]`"));
        }
        if (text.equals("[") && last.equals("->")) {
            return Optional.of(wrong(span, "a result has a name")
                    .helped("write `-> y[T, D]`, and give `y` a value"));
        }
        boolean isAssigned = after.equals("=") && rule != WeirParser.RULE_subscript;
        if (isAssigned && (text.equals("-") || text.equals("/") || text.equals("%"))) {
            return Optional.of(wrong(span, "there is no `" + text + "=`")
                    .helped("write it out: `y = y " + text + " …`; there are `+=`, `*=`, `max=`, "
                            + "`min=` and, for what grows, `++=`"));
        }
        boolean isWalrus = text.equals(":") && after.equals("=")
                || text.equals("=") && last.equals(":");
        if (isWalrus) {
            return Optional.of(wrong(span, "there is no `:=`").helped("write `=`"));
        }
        if (text.equals(":") && (last.equals("[") || last.equals(",")
                || rule == WeirParser.RULE_subscript || rule == WeirParser.RULE_suffix)) {
            return Optional.of(wrong(span, "a part of an axis is written with `..`")
                    .helped("write `x[0..2]`; for all of an axis give it an index, `y[t] = x[t, 0]`"
                            + ", or leave it out behind"));
        }
        if (last.equals("..") && text.equals("=")) {
            return Optional.of(wrong(span, "a range ends before its end")
                    .helped("write `0..n + 1` to have `n` in it"));
        }
        if (text.equals("{") && rule == WeirParser.RULE_range) {
            return Optional.of(wrong(span, "a loop counts through a range")
                    .helped("write `for i in 0..L { … }`; `layers[i]` is a block of a list"));
        }
        return Optional.empty();
    }

    private static Diagnostic wrong(Span span, String message) {
        return Diagnostic.error("E0101", span, message);
    }
}
