package dev.weir.frontend.parse;

import dev.weir.grammar.WeirLexer;
import dev.weir.grammar.WeirParser;
import dev.weir.ir.diagnostic.Diagnostic;
import dev.weir.ir.diagnostic.Span;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
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
    private int lastLine;

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
        if (reported >= MOST || !(offending instanceof Token token)
                || !(recognizer instanceof Parser parser)) {
            return;
        }
        boolean isLeftOver = reported > 0 && token.getText().equals("}")
                && parser.getContext().getRuleIndex() == WeirParser.RULE_module;
        // What else does not fit on a line is most often a consequence.
        boolean isConsequence = line == lastLine;
        lastLine = line;
        if (!isLeftOver && !isConsequence) {
            reported++;
            diagnostics.accept(describe(parser, token, offsets.span(token)));
        }
    }

    private static Diagnostic describe(Parser parser, Token token, Span span) {
        String text = token.getText();
        String previous = neighbour(parser, token, -1, 1);
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
                        case "&", "|" -> "write `and`, `or`; on integers `bit_and(a, b)`, "
                                + "`bit_or(a, b)`";
                        case "?" -> "choose with `if a { b } else { c }`";
                        case "'" -> "texts stand in `\"`";
                        default -> "remove it";
                    });
        }
        int rule = parser.getContext().getRuleIndex();
        Optional<Diagnostic> habit = Habits.at(token, span,
                List.of(previous, neighbour(parser, token, -1, 2)),
                neighbour(parser, token, 1, 1), rule);
        if (habit.isPresent()) {
            return habit.get();
        }
        if (text.equals("where") && expectsName(parser)) {
            return Diagnostic.error("E0101", span, "`where` filters what a reduction takes, and "
                            + "stands behind one")
                    .labelled("here is no reduction before it")
                    .helped("write `sum[i] x[i] where i > 0`, or choose for each element: "
                            + "`if d > 0 { x[d] } else { 0.0 }`");
        }
        boolean begins = text.equals("block") || text.equals("model") || text.equals("import");
        if (begins && !previous.equals(".") && !previous.isEmpty()) {
            return Diagnostic.error("E0101", span,
                            "what stands before `" + text + "` is not closed")
                    .labelled("this can only begin a declaration")
                    .helped("a `}` is missing further up");
        }
        boolean isChoice = text.equals("if") && expectedTokens(parser).contains(WeirLexer.INTEGER);
        if (isChoice) {
            return Diagnostic.error("E0101", span, "a choice inside an expression stands in "
                            + "parentheses")
                    .helped("write `(if … { a } else { b })`");
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
        if (text.equals("(") && rule == WeirParser.RULE_module) {
            return Diagnostic.error("E0101", span, "a file holds imports, blocks, models and "
                    + "functions only").labelled("found `(`");
        }
        Diagnostic wrong = Diagnostic.error("E0101", span, "`" + text + "` does not fit here");
        // Having looked ahead, the parser knows only what it expected further up.
        boolean lookedAhead = parser.getCurrentToken() != token;
        return lookedAhead ? wrong : wrong.labelled("expected " + expected(parser));
    }

    /** The token so many places before or behind one; nothing where the text ends. */
    private static String neighbour(Parser parser, Token token, int direction, int places) {
        int left = places;
        int size = parser.getTokenStream().size();
        for (int i = token.getTokenIndex() + direction; i >= 0 && i < size; i += direction) {
            Token other = parser.getTokenStream().get(i);
            if (other.getChannel() == Token.DEFAULT_CHANNEL && --left == 0) {
                return other.getType() == Token.EOF ? "" : other.getText();
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
