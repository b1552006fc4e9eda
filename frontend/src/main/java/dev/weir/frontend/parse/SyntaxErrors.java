package dev.weir.frontend.parse;

import dev.weir.grammar.WeirLexer;
import dev.weir.grammar.WeirParser;
import dev.weir.ir.diagnostic.Diagnostic;
import dev.weir.ir.diagnostic.Span;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import java.util.function.Consumer;
import org.antlr.v4.runtime.BaseErrorListener;
import org.antlr.v4.runtime.Parser;
import org.antlr.v4.runtime.RecognitionException;
import org.antlr.v4.runtime.Recognizer;
import org.antlr.v4.runtime.Token;
import org.antlr.v4.runtime.misc.IntervalSet;

/** Says what is wrong with a text that does not follow the grammar, and what would be right. */
final class SyntaxErrors extends BaseErrorListener {
    private static final int MOST = 20;
    private static final Set<String> RESERVED = Set.of(
            "block", "model", "fn", "param", "state", "where", "if", "else", "for", "in", "while",
            "scan", "break", "route", "import", "and", "or", "not", "true", "false", "infinity");
    private static final Set<String> REDUCERS = Set.of(
            "sum", "prod", "max", "min", "mean", "any", "all", "argmax", "logsumexp", "softmax",
            "cumsum", "cumprod", "cummax");

    private final dev.weir.frontend.parse.Parser.Offsets offsets;
    private final Consumer<Diagnostic> diagnostics;
    private int reported;

    SyntaxErrors(dev.weir.frontend.parse.Parser.Offsets offsets, Consumer<Diagnostic> sink) {
        this.offsets = offsets;
        this.diagnostics = sink;
    }

    @Override
    public void syntaxError(
            Recognizer<?, ?> recognizer,
            Object offending,
            int line,
            int column,
            String message,
            RecognitionException cause) {
        if (reported++ >= MOST || !(offending instanceof Token token)
                || !(recognizer instanceof Parser parser)) {
            return;
        }
        boolean isLeftOver = reported > 1 && token.getText().equals("}")
                && parser.getContext().getRuleIndex() == WeirParser.RULE_module;
        if (!isLeftOver) {
            diagnostics.accept(describe(parser, token, offsets.span(token)));
        }
    }

    private static Diagnostic describe(Parser parser, Token token, Span span) {
        String text = token.getText();
        String previous = previous(parser, token);
        if (token.getType() == Token.EOF) {
            return Diagnostic.error("E0101", span, "the file ends in the middle of something")
                    .labelled("expected " + expected(parser))
                    .helped("a closing `}`, `)` or `]` may be missing further up");
        }
        if (token.getType() == WeirLexer.UNKNOWN) {
            boolean quote = text.equals("\"");
            return Diagnostic.error("E0102", span, quote
                            ? "this text is not closed on its line"
                            : "`" + text + "` is no sign of the language")
                    .helped(switch (text) {
                        case "\"" -> "close it with another `\"`";
                        case ";" -> "statements need no `;` between them";
                        case "&", "|" -> "write `and`, `or`; on integers `bit_and(a, b)`, "
                                + "`bit_or(a, b)`";
                        case "!" -> "write `not`";
                        default -> "remove it";
                    });
        }
        if (text.equals("where") && expectsName(parser)) {
            return Diagnostic.error("E0101", span, "`where` filters what a reduction takes, and "
                            + "stands behind one")
                    .labelled("here is no reduction before it")
                    .helped("write `sum[i] x[i] where i > 0`, or choose for each element: "
                            + "`if d > 0 { x[d] } else { 0.0 }`");
        }
        if ((REDUCERS.contains(text) || RESERVED.contains(text)) && expectsName(parser)) {
            return Diagnostic.error("E0103", span, "`" + text + "` is a word of the language and "
                            + "cannot be a name")
                    .labelled("a name is expected here")
                    .helped("choose another name, for example `" + text + "_`");
        }
        if (REDUCERS.contains(previous)) {
            return Diagnostic.error("E0101", span, "`" + previous + "` needs its indices in "
                            + "brackets, or an argument in parentheses")
                    .labelled("found `" + text + "`")
                    .helped("write `" + previous + "[i] x[i]` or `" + previous + "(x)`");
        }
        String rule = parser.getRuleNames()[parser.getContext().getRuleIndex()];
        if (text.equals("(") && rule.equals("module")) {
            return Diagnostic.error("E0101", span, "a file holds imports, blocks, models and "
                    + "functions only").labelled("found `(`");
        }
        Diagnostic wrong = Diagnostic.error("E0101", span, "`" + text + "` does not fit here");
        // Having looked ahead, the parser knows only what it expected further up.
        boolean lookedAhead = parser.getCurrentToken() != token;
        return lookedAhead ? wrong : wrong.labelled("expected " + expected(parser));
    }

    private static String previous(Parser parser, Token token) {
        for (int i = token.getTokenIndex() - 1; i >= 0; i--) {
            Token before = parser.getTokenStream().get(i);
            if (before.getChannel() == Token.DEFAULT_CHANNEL) {
                return before.getText();
            }
        }
        return "";
    }

    private static boolean expectsName(Parser parser) {
        return expectedTokens(parser).contains(WeirLexer.NAME);
    }

    private static IntervalSet expectedTokens(Parser parser) {
        try {
            return parser.getExpectedTokens();
        } catch (IllegalArgumentException invalidState) {
            return new IntervalSet();
        }
    }

    private static String expected(Parser parser) {
        IntervalSet tokens = expectedTokens(parser);
        boolean name = tokens.contains(WeirLexer.NAME);
        boolean value = name && tokens.contains(WeirLexer.INTEGER);
        List<String> words = new ArrayList<>();
        if (value) {
            words.add("a value");
        } else if (name) {
            words.add("a name");
        }
        for (int type : tokens.toArray()) {
            String literal = parser.getVocabulary().getLiteralName(type);
            if (literal == null) {
                continue;
            }
            String word = literal.substring(1, literal.length() - 1);
            boolean isWord = Character.isLetter(word.charAt(0));
            if (value && (isWord || word.equals("(") || word.equals("[") || word.equals("-"))) {
                continue;
            }
            if (name && isWord && !RESERVED.contains(word)) {
                continue;
            }
            words.add("`" + word + "`");
        }
        if (words.isEmpty()) {
            return "something else";
        }
        if (words.size() > 6) {
            words = new ArrayList<>(words.subList(0, 6));
            words.add("…");
        }
        if (words.size() == 1) {
            return words.getFirst();
        }
        return String.join(", ", words.subList(0, words.size() - 1)) + " or " + words.getLast();
    }

}
