package dev.weir.frontend.parse;

import dev.weir.frontend.parse.ConcreteTree.Comment;
import dev.weir.frontend.parse.ConcreteTree.Node;
import dev.weir.frontend.parse.ConcreteTree.Word;
import dev.weir.grammar.WeirLexer;
import dev.weir.grammar.WeirParser;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import org.antlr.v4.runtime.CommonTokenStream;
import org.antlr.v4.runtime.ParserRuleContext;
import org.antlr.v4.runtime.Token;
import org.antlr.v4.runtime.tree.ParseTree;
import org.antlr.v4.runtime.tree.TerminalNode;

/** Makes concrete trees of parse trees without errors, and gives each comment to a token. */
final class ConcreteBuilder {
    /** Rules whose parts stand in the rule around them, so that brackets meet what they enclose. */
    private static final Set<String> LISTS = Set.of(
            "generics", "settings", "formals", "arguments", "subscripts", "suffix", "body",
            "elseBranch");

    private final Map<Integer, Word> words = new HashMap<>();

    private ConcreteBuilder(List<Token> tokens) {
        Optional<Token> last = Optional.empty();
        List<Token> hidden = new ArrayList<>();
        for (Token token : tokens) {
            if (token.getChannel() != Token.DEFAULT_CHANNEL) {
                hidden.add(token);
                continue;
            }
            Trivia trivia = Trivia.of(hidden, last.isPresent());
            last.ifPresent(l -> words.computeIfPresent(
                    l.getTokenIndex(), (i, word) -> trailed(word, trivia.trailing())));
            words.put(token.getTokenIndex(), new Word(
                    token.getType() == Token.EOF ? "" : token.getText(),
                    trivia.own(), trivia.endsBlank(), Optional.empty()));
            last = Optional.of(token);
            hidden.clear();
        }
    }

    static Node module(WeirParser.ModuleContext tree, CommonTokenStream tokens) {
        ConcreteBuilder builder = new ConcreteBuilder(tokens.getTokens());
        return new Node("module", builder.parts(tree));
    }

    private static Word trailed(Word word, Optional<Comment> comment) {
        return new Word(word.text(), word.before(), word.afterBlank(), comment);
    }

    private List<ConcreteTree> parts(ParserRuleContext context) {
        List<ConcreteTree> parts = new ArrayList<>();
        for (ParseTree child : context.children) {
            if (child instanceof TerminalNode terminal) {
                parts.add(words.get(terminal.getSymbol().getTokenIndex()));
            } else if (child instanceof ParserRuleContext rule && rule.children != null) {
                parts.addAll(trees(rule));
            }
        }
        return parts;
    }

    private List<ConcreteTree> trees(ParserRuleContext context) {
        List<ConcreteTree> parts = parts(context);
        String rule = WeirParser.ruleNames[context.getRuleIndex()];
        boolean dissolves = parts.size() == 1 || LISTS.contains(rule);
        return dissolves ? parts : List.of(new Node(rule, parts));
    }

    /** What stands between two tokens. */
    private record Trivia(Optional<Comment> trailing, List<Comment> own, boolean endsBlank) {

        static Trivia of(List<Token> hidden, boolean followsToken) {
            Optional<Comment> trailing = Optional.empty();
            List<Comment> own = new ArrayList<>();
            long breaks = 0;
            boolean sameLine = followsToken;
            for (Token token : hidden) {
                if (token.getType() == WeirLexer.SPACE) {
                    breaks = token.getText().chars().filter(c -> c == '\n').count();
                    sameLine &= breaks == 0;
                    continue;
                }
                Comment comment = new Comment(token.getText().stripTrailing(), breaks > 1);
                if (sameLine) {
                    trailing = Optional.of(comment);
                } else {
                    own.add(comment);
                }
                sameLine = false;
                breaks = 0;
            }
            return new Trivia(trailing, own, breaks > 1);
        }
    }
}
