package dev.weir.frontend;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.weir.grammar.WeirLexer;
import dev.weir.grammar.WeirParser;
import java.io.IOException;
import java.lang.reflect.Modifier;
import java.nio.file.Files;
import java.util.Arrays;
import java.util.List;
import java.util.Set;
import java.util.TreeSet;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.antlr.v4.runtime.CharStreams;
import org.antlr.v4.runtime.CommonTokenStream;
import org.antlr.v4.runtime.ParserRuleContext;
import org.antlr.v4.runtime.Token;
import org.antlr.v4.runtime.tree.ParseTree;
import org.junit.jupiter.api.Test;

/** Whatever the grammar has, an example on the language's page shows; the examples are run elsewhere. */
class LanguagePageCoverageTest {
    private static final Pattern EXAMPLE = Pattern.compile("```weir\n(.*?)```", Pattern.DOTALL);

    private static final Pattern FUNCTIONS =
            Pattern.compile("\\*\\*Functions\\*\\*: `([^`]*)`");

    /** What no program should show. */
    private static final Set<String> NOTHING_TO_SHOW = Set.of("UNKNOWN", "COMMENT", "SPACE");

    private final Set<String> shown = new TreeSet<>();

    @Test
    void everyConstructIsShown() throws IOException {
        String page = Files.readString(Library.ROOT.resolve("docs/language.md"));
        List<String> examples = EXAMPLE.matcher(page).results().map(m -> m.group(1)).toList();
        examples.forEach(this::look);

        Set<String> missing = new TreeSet<>();
        for (Class<?> rule : WeirParser.class.getDeclaredClasses()) {
            boolean isMade = ParserRuleContext.class.isAssignableFrom(rule)
                    && Arrays.stream(WeirParser.class.getDeclaredClasses())
                            .noneMatch(other -> other.getSuperclass() == rule)
                    && !Modifier.isAbstract(rule.getModifiers());
            if (isMade && !shown.contains(rule.getSimpleName())) {
                missing.add(rule.getSimpleName());
            }
        }
        for (int type = 1; type <= WeirLexer.VOCABULARY.getMaxTokenType(); type++) {
            String name = WeirLexer.VOCABULARY.getDisplayName(type);
            if (!NOTHING_TO_SHOW.contains(name) && !shown.contains(name)) {
                missing.add(name);
            }
        }
        assertEquals(Set.of(), missing, "constructs that no example shows");
        assertEquals(List.of(), functions(page).stream()
                .filter(f -> examples.stream().noneMatch(e -> e.contains(f + "("))).toList());
    }

    /** The functions that the page lists. */
    private static List<String> functions(String page) {
        Matcher list = FUNCTIONS.matcher(page);
        assertTrue(list.find());
        return List.of(list.group(1).split("\\s+"));
    }

    private void look(String example) {
        CommonTokenStream tokens = new CommonTokenStream(
                new WeirLexer(CharStreams.fromString(example)));
        tokens.fill();
        for (Token token : tokens.getTokens()) {
            shown.add(WeirLexer.VOCABULARY.getDisplayName(token.getType()));
        }
        look(new WeirParser(tokens).module());
    }

    private void look(ParseTree tree) {
        if (tree instanceof ParserRuleContext) {
            shown.add(tree.getClass().getSimpleName());
        }
        for (int i = 0; i < tree.getChildCount(); i++) {
            look(tree.getChild(i));
        }
    }
}
