package dev.weir.frontend.parse;

import dev.weir.frontend.syntax.Module;
import dev.weir.grammar.WeirLexer;
import dev.weir.grammar.WeirParser;
import dev.weir.ir.diagnostic.Diagnostic;
import dev.weir.ir.diagnostic.Source;
import dev.weir.ir.diagnostic.Span;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.function.Consumer;
import org.antlr.v4.runtime.CharStreams;
import org.antlr.v4.runtime.CommonTokenStream;
import org.antlr.v4.runtime.Token;

/** Turns a source text into a tree; this package is the only one that knows ANTLR. */
public final class Parser {
    /** How many brackets may be open at once; deeper input would exhaust the stack. */
    private static final int DEEPEST = 120;

    /** How many words and signs one source may have that no bracket or `;` separates. */
    private static final int LONGEST_CHAIN = 4000;

    private Parser() {}

    /** The module; where the text has errors, what could be made of it. */
    public static Module parse(Source source, Consumer<Diagnostic> diagnostics) {
        return Parsed.of(source, diagnostics)
                .map(p -> new TreeBuilder(p.offsets, p.tokens, diagnostics).module(p.tree))
                .orElseGet(() -> Module.empty(source));
    }

    /** Every token and comment of a text, as the grammar divides it; nothing if it has errors. */
    public static Optional<ConcreteTree.Node> concrete(
            Source source, Consumer<Diagnostic> diagnostics) {
        List<Diagnostic> errors = new ArrayList<>();
        Optional<Parsed> parsed = Parsed.of(source, errors::add);
        errors.forEach(diagnostics);
        return parsed.filter(p -> errors.isEmpty())
                .map(p -> ConcreteBuilder.module(p.tree, p.tokens));
    }

    /** What ANTLR made of a text. */
    private record Parsed(
            Offsets offsets, CommonTokenStream tokens, WeirParser.ModuleContext tree) {

        static Optional<Parsed> of(Source source, Consumer<Diagnostic> diagnostics) {
            WeirLexer lexer = new WeirLexer(CharStreams.fromString(
                    withoutMark(source.text()), source.name()));
            lexer.removeErrorListeners();
            CommonTokenStream tokens = new CommonTokenStream(lexer);
            tokens.fill();
            Offsets offsets = new Offsets(source);
            if (!isShallow(tokens.getTokens(), offsets, diagnostics)) {
                return Optional.empty();
            }
            Habits.replaceSigns(tokens, offsets, diagnostics);
            tokens.seek(0);
            WeirParser parser = new WeirParser(tokens);
            parser.removeErrorListeners();
            parser.addErrorListener(new SyntaxErrors(offsets, diagnostics));
            return Optional.of(new Parsed(offsets, tokens, parser.module()));
        }
    }

    /** The mark that some editors put before the first line is white space. */
    private static String withoutMark(String text) {
        return text.startsWith("\uFEFF") ? " " + text.substring(1) : text;
    }

    private static boolean isShallow(
            List<Token> tokens, Offsets offsets, Consumer<Diagnostic> diagnostics) {
        int depth = 0;
        int prefixes = 0;
        int operators = 0;
        for (Token token : tokens) {
            if (token.getChannel() != Token.DEFAULT_CHANNEL) {
                continue;
            }
            switch (token.getText()) {
                case "(", "[", "{" -> depth++;
                case ")", "]", "}" -> depth--;
                default -> { }
            }
            operators = switch (token.getText()) {
                case "{", "}", "=" -> 0;
                case "+", "-", "*", "/", "%", "@", "^", "and", "or", "not", "++", "." ->
                        operators + 1;
                default -> operators;
            };
            prefixes = switch (token.getText()) {
                case "-", "not", "^", "if", "else", "fn" -> prefixes + 1;
                case "=", "}" -> 0;
                default -> prefixes;
            };
            if (operators > LONGEST_CHAIN) {
                diagnostics.accept(Diagnostic.error("E0104", offsets.span(token),
                                "this expression is too long")
                        .labelled("the " + operators + "th operator")
                        .helped("give parts of it names of their own, `part = …`, and use the "
                                + "names"));
                return false;
            }
            if (depth > DEEPEST || prefixes > 8 * DEEPEST) {
                diagnostics.accept(Diagnostic.error("E0104", offsets.span(token),
                                "this is nested too deeply")
                        .labelled("more than " + DEEPEST + " levels")
                        .helped("name a part of it and use the name"));
                return false;
            }
        }
        return true;
    }

    /** ANTLR counts characters beyond the 16-bit range once; spans count UTF-16 units. */
    static final class Offsets {
        private final Source source;
        private final int[] units;

        Offsets(Source source) {
            this.source = source;
            String text = source.text();
            int points = text.codePointCount(0, text.length());
            if (points == text.length()) {
                units = new int[0];
            } else {
                units = new int[points + 1];
                for (int point = 0, unit = 0; point < points; point++) {
                    units[point] = unit;
                    unit += Character.charCount(text.codePointAt(unit));
                }
                units[points] = text.length();
            }
        }

        Source source() {
            return source;
        }

        Span span(Token token) {
            if (token.getType() == Token.EOF) {
                int end = source.text().stripTrailing().length();
                return new Span(source, Math.max(0, end - 1), end);
            }
            return span(token.getStartIndex(), token.getStopIndex() + 1);
        }

        Span span(int start, int end) {
            return new Span(source, unit(start), Math.max(unit(start), unit(end)));
        }

        private int unit(int point) {
            return units.length == 0 ? point : units[Math.min(point, units.length - 1)];
        }
    }
}
