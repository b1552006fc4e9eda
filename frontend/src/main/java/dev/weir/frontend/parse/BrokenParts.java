package dev.weir.frontend.parse;

import dev.weir.frontend.syntax.Declaration;
import dev.weir.grammar.WeirLexer;
import dev.weir.grammar.WeirParser;
import dev.weir.ir.diagnostic.Span;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import java.util.function.Function;
import java.util.stream.Collectors;
import org.antlr.v4.runtime.CommonTokenStream;
import org.antlr.v4.runtime.ParserRuleContext;
import org.antlr.v4.runtime.Token;
import org.antlr.v4.runtime.tree.ErrorNode;
import org.antlr.v4.runtime.tree.ParseTree;

/** Which parts of a text with errors of syntax are not to be judged by what was made of them. */
final class BrokenParts {
    private static final Set<String> INTRODUCING = Set.of("block", "model", "fn", "import", "as");

    private final Function<ParserRuleContext, Span> spans;
    private final Set<Span> broken = new HashSet<>();

    BrokenParts(Function<ParserRuleContext, Span> spans) {
        this.spans = spans;
    }

    /** Names of declarations and methods with an error; of blocks, unless it is in a method. */
    Set<Span> in(WeirParser.ModuleContext tree) {
        for (WeirParser.DeclarationContext d : tree.declaration()) {
            WeirParser.BlockDeclarationContext block = d.blockDeclaration();
            WeirParser.ModelDeclarationContext model = d.modelDeclaration();
            if (block != null && block.name() != null) {
                block(d, block, block.name());
            } else if (model != null && model.name() != null) {
                block(d, model, model.name());
            } else if (d.derivedModel() != null && d.derivedModel().name() != null) {
                note(d, d.derivedModel().name());
            } else if (d.functionDeclaration() != null
                    && d.functionDeclaration().name() != null) {
                note(d, d.functionDeclaration().name());
            }
        }
        return broken;
    }

    private void block(
            ParserRuleContext declaration, ParserRuleContext block, ParserRuleContext name) {
        boolean whole = declaration.exception != null || block.exception != null;
        for (ParseTree part : block.children) {
            if (part instanceof WeirParser.MethodMemberContext method && method.name() != null
                    && method.results() != null && !isBroken(method.results())
                    && (method.formals() == null || !isBroken(method.formals()))
                    && method.body() != null && isClosed(method.body())) {
                note(method, method.name());
            } else {
                whole |= isBroken(part);
            }
        }
        if (whole) {
            broken.add(spans.apply(name));
        }
    }

    private void note(ParserRuleContext part, ParserRuleContext name) {
        if (isBroken(part)) {
            broken.add(spans.apply(name));
        }
    }

    /** Whether a body ends where it should; what is behind it is its own otherwise. */
    private static boolean isClosed(WeirParser.BodyContext body) {
        return body.getChildCount() > 0
                && !(body.getChild(body.getChildCount() - 1) instanceof ErrorNode);
    }

    static boolean isBroken(ParseTree tree) {
        if (tree instanceof ErrorNode
                || tree instanceof ParserRuleContext rule && rule.exception != null) {
            return true;
        }
        for (int i = 0; i < tree.getChildCount(); i++) {
            if (isBroken(tree.getChild(i))) {
                return true;
            }
        }
        return false;
    }

    /** Names that stand behind a word that introduces names, and that nothing was made of. */
    static Set<String> lost(CommonTokenStream tokens, List<Declaration> declarations) {
        List<Token> all = tokens.getTokens().stream()
                .filter(t -> t.getChannel() == Token.DEFAULT_CHANNEL).toList();
        Set<String> found = new HashSet<>();
        boolean imports = false;
        for (int i = 0; i < all.size(); i++) {
            String word = all.get(i).getText();
            imports = word.equals("import") || imports
                    && !Set.of("block", "model", "fn").contains(word);
            boolean introduced = i > 0 && INTRODUCING.contains(all.get(i - 1).getText());
            if (all.get(i).getType() == WeirLexer.NAME && (introduced || imports)) {
                found.add(word);
            }
        }
        found.removeAll(declarations.stream().map(Declaration::name)
                .collect(Collectors.toSet()));
        return found;
    }
}
