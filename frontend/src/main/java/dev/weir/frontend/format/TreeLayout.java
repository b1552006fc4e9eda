package dev.weir.frontend.format;

import static dev.weir.frontend.format.Layout.SPACE;
import static dev.weir.frontend.format.Layout.text;

import dev.weir.frontend.format.Layout.Anchor;
import dev.weir.frontend.format.Layout.Break;
import dev.weir.frontend.format.Layout.Filled;
import dev.weir.frontend.format.Layout.Group;
import dev.weir.frontend.format.Layout.Hanging;
import dev.weir.frontend.format.Layout.Indent;
import dev.weir.frontend.format.Layout.NewLine;
import dev.weir.frontend.format.Layout.OwnLine;
import dev.weir.frontend.format.Layout.Sequence;
import dev.weir.frontend.format.Layout.Trailing;
import dev.weir.frontend.parse.ConcreteTree;
import dev.weir.frontend.parse.ConcreteTree.Comment;
import dev.weir.frontend.parse.ConcreteTree.Node;
import dev.weir.frontend.parse.ConcreteTree.Word;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Set;

/** The one style: where programs have spaces, and where their lines end or may end. */
final class TreeLayout {
    /** Operands with operators between them; lines may end before these. */
    private static final Set<String> CHAINS = Set.of(
            "disjunction", "conjunction", "comparison", "additive", "multiplicative", "blockList",
            "blockFactor");

    /** What may be {@code if c { a } else { b }}. */
    private static final Set<String> CHOICES = Set.of("statement", "expression", "blockChoice");

    /** Their brackets close on a line of their own, since a body may follow. */
    private static final Set<String> HEADS = Set.of(
            "blockDeclaration", "modelDeclaration", "functionDeclaration", "member", "results");

    /** What has a list in braces; other braces hold one thing on each line. */
    private static final Set<String> BRACED_LISTS = Set.of("importing", "precision");

    private static final Set<String> ASSIGNMENTS = Set.of("=", "+=", "*=", "max=", "min=", "++=");
    private static final Map<String, String> BRACKETS = Map.of(
            "(", ")", "[", "]", "<", ">", "{", "}");
    private static final Set<String> NO_SPACE_BEFORE = Set.of(
            ",", ":", ".", "..", "^", "(", "[", "<");
    private static final Set<String> NO_SPACE_BEHIND = Set.of(".", "..", "^");

    /** Words that begin a new part of what they stand in. */
    private static final Map<String, Set<String>> CLAUSES = Map.of(
            "prefix", Set.of("where", "to", "by"),
            "blockItem", Set.of("for"));

    private TreeLayout() {}

    static Layout module(Node module) {
        List<ConcreteTree> items = module.parts().subList(0, module.parts().size() - 1);
        List<Layout> lines = new ArrayList<>();
        for (int i = 0; i < items.size(); i++) {
            if (i > 0) {
                boolean apart = !areNeighbours(items.get(i - 1), items.get(i));
                lines.add(new NewLine(apart || beginsAfterBlank(items.get(i))));
            }
            lines.add(layout(items.get(i)));
        }
        lines.add(comments(module.parts().getLast().first()));
        return new Sequence(lines);
    }

    /** Imports and functions may follow each other without a blank line. */
    private static boolean areNeighbours(ConcreteTree before, ConcreteTree after) {
        return before instanceof Node b && after instanceof Node a && a.rule().equals(b.rule())
                && Set.of("importing", "functionDeclaration").contains(a.rule());
    }

    private static Layout layout(ConcreteTree tree) {
        return switch (tree) {
            case Word word -> word(word);
            case Node node when CHAINS.contains(node.rule()) -> chain(node);
            case Node node when isChoice(node) -> new Anchor(choice(node));
            case Node node -> new Anchor(sequence(node.rule(), node.parts()));
        };
    }

    private static Layout word(Word word) {
        List<Layout> parts = new ArrayList<>();
        if (!word.before().isEmpty()) {
            parts.add(comments(word));
            parts.add(new NewLine(word.afterBlank()));
        }
        parts.add(text(word.text()));
        word.trailing().ifPresent(c -> parts.add(new Trailing(c.text())));
        return parts.size() == 1 ? parts.getFirst() : new Sequence(parts);
    }

    private static Layout comments(Word word) {
        List<Layout> parts = new ArrayList<>();
        for (Comment comment : word.before()) {
            parts.add(new OwnLine(comment.text(), comment.afterBlank()));
        }
        return new Sequence(parts);
    }

    private static Layout chain(Node node) {
        List<ConcreteTree> parts = node.parts();
        List<Layout> operands = new ArrayList<>(List.of(layout(parts.getFirst())));
        for (int i = 1; i < parts.size(); i += 2) {
            operands.add(Layout.of(layout(parts.get(i)), SPACE, layout(parts.get(i + 1))));
        }
        return new Anchor(new Indent(new Filled(operands)));
    }

    /** The parts of one rule; lines may end where a clause begins. */
    private static Layout sequence(String rule, List<ConcreteTree> parts) {
        List<List<ConcreteTree>> clauses = split(rule, parts, rule.equals("member"));
        if (clauses.size() == 1) {
            return plain(rule, parts);
        }
        return new Indent(new Filled(clauses.stream().map(c -> plain(rule, c)).toList()));
    }

    private static List<List<ConcreteTree>> split(
            String rule, List<ConcreteTree> parts, boolean behindCommas) {
        List<List<ConcreteTree>> clauses = new ArrayList<>();
        int start = 0;
        for (int i = 0; i < parts.size(); i++) {
            boolean begins = beginsClause(rule, parts.get(i))
                    || behindCommas && i > 0 && isWord(parts.get(i - 1), ",");
            if (begins && i > start) {
                clauses.add(parts.subList(start, i));
                start = i;
            }
            i = opens(parts.get(i)) ? closing(parts, i) : i;
        }
        clauses.add(parts.subList(start, parts.size()));
        return clauses;
    }

    private static boolean beginsClause(String rule, ConcreteTree part) {
        return switch (part) {
            case Word word -> CLAUSES.getOrDefault(rule, Set.of()).contains(word.text());
            case Node node -> node.rule().equals("naming");
        };
    }

    private static Layout plain(String rule, List<ConcreteTree> parts) {
        List<Layout> line = new ArrayList<>();
        for (int i = 0; i < parts.size(); i++) {
            ConcreteTree part = parts.get(i);
            if (i > 0 && !touches(rule, parts.get(i - 1), part)) {
                line.add(SPACE);
            }
            if (opens(part)) {
                int close = closing(parts, i);
                line.add(bracketed(rule, parts.subList(i, close + 1)));
                i = close;
            } else {
                line.add(layout(part));
            }
            if (part instanceof Word word && ASSIGNMENTS.contains(word.text())) {
                line.add(new Hanging(plain(rule, parts.subList(i + 1, parts.size()))));
                break;
            }
        }
        return line.size() == 1 ? line.getFirst() : new Sequence(line);
    }

    /** Whether no space stands between two parts of a rule. */
    private static boolean touches(String rule, ConcreteTree before, ConcreteTree part) {
        if (part instanceof Word word && NO_SPACE_BEFORE.contains(word.text())) {
            return true;
        }
        return before instanceof Word word && (NO_SPACE_BEHIND.contains(word.text())
                || word.is("@") && rule.equals("naming")
                || word.is("-") && Set.of("prefix", "literal").contains(rule));
    }

    private static boolean opens(ConcreteTree part) {
        return part instanceof Word word && BRACKETS.containsKey(word.text());
    }

    private static int closing(List<ConcreteTree> parts, int open) {
        String bracket = BRACKETS.get(parts.get(open).first().text());
        int i = open + 1;
        while (!isWord(parts.get(i), bracket)) {
            i++;
        }
        return i;
    }

    private static Layout bracketed(String rule, List<ConcreteTree> parts) {
        Word open = parts.getFirst().first();
        Word close = parts.getLast().first();
        List<ConcreteTree> inner = parts.subList(1, parts.size() - 1);
        if (inner.isEmpty() && close.before().isEmpty()) {
            return Layout.of(layout(open), layout(close));
        }
        boolean isBody = inner.isEmpty() || open.is("{") && !BRACED_LISTS.contains(rule);
        return isBody ? body(open, inner, close, new NewLine(false))
                : list(rule, open, inner, close);
    }

    /** Things in braces, each on lines of its own unless {@code end} lets them share one. */
    private static Layout body(Word open, List<ConcreteTree> items, Word close, Layout end) {
        List<Layout> lines = new ArrayList<>(List.of(end));
        for (int i = 0; i < items.size(); i++) {
            if (i > 0) {
                lines.add(new NewLine(beginsAfterBlank(items.get(i))));
            }
            lines.add(layout(items.get(i)));
        }
        lines.add(comments(close));
        return Layout.of(layout(open), new Indent(new Sequence(lines)), end, layout(close.bare()));
    }

    /**
     * Things in brackets with commas between them. A comma behind the last one puts each on a line
     * of its own.
     */
    private static Layout list(String rule, Word open, List<ConcreteTree> inner, Word close) {
        List<List<ConcreteTree>> items = split(rule, inner, true);
        if (rule.equals("primary") && open.is("(") && items.size() == 1) {
            return Layout.of(layout(open), plain(rule, inner), layout(close));
        }
        boolean exploded = isWord(inner.getLast(), ",");
        boolean isLoop = inner.stream().anyMatch(p -> isWord(p, "for"));
        Layout end = new Break(open.is("{") ? " " : "");
        Layout content = exploded ? lines(rule, items)
                : new Filled(items.stream().map(i -> plain(rule, i)).toList());
        boolean closesBelow = exploded || isLoop || open.is("{") || HEADS.contains(rule)
                || !close.before().isEmpty();
        return new Anchor(new Group(Layout.of(
                layout(open),
                new Indent(Layout.of(end, content, comments(close))),
                closesBelow ? end : text(""),
                layout(close.bare()))));
    }

    private static Layout lines(String rule, List<List<ConcreteTree>> items) {
        List<Layout> lines = new ArrayList<>();
        for (List<ConcreteTree> item : items) {
            if (!lines.isEmpty()) {
                lines.add(new NewLine(beginsAfterBlank(item.getFirst())));
            }
            lines.add(plain(rule, item));
        }
        return new Sequence(lines);
    }

    private static boolean isChoice(ConcreteTree tree) {
        return tree instanceof Node node && CHOICES.contains(node.rule())
                && isWord(node.parts().getFirst(), "if");
    }

    /**
     * {@code if c { a } else { b }}: all branches share a line, or none does; in an expression that
     * may be the last line of the condition.
     */
    private static Layout choice(Node node) {
        List<ConcreteTree> parts = node.parts();
        Layout condition = Layout.of(layout(parts.get(0)), SPACE, layout(parts.get(1)), SPACE);
        Layout branches = branches(parts.subList(2, parts.size()));
        return node.rule().equals("expression")
                ? Layout.of(condition, new Group(branches))
                : new Group(Layout.of(condition, branches));
    }

    private static Layout branches(List<ConcreteTree> parts) {
        ConcreteTree first = parts.getFirst();
        if (first instanceof Node node && isChoice(node)) {
            return Layout.of(
                    layout(node.parts().get(0)), SPACE, layout(node.parts().get(1)), SPACE,
                    branches(node.parts().subList(2, node.parts().size())));
        }
        if (!isWord(first, "{")) {
            return layout(first);
        }
        int close = closing(parts, 0);
        Layout branch = branch(parts.subList(0, close + 1));
        return close + 1 == parts.size() ? branch : Layout.of(
                branch, SPACE, layout(parts.get(close + 1)), SPACE,
                branches(parts.subList(close + 2, parts.size())));
    }

    private static Layout branch(List<ConcreteTree> parts) {
        List<ConcreteTree> items = parts.subList(1, parts.size() - 1);
        boolean isSimple = items.size() == 1 && !hasBody(items.getFirst());
        return items.isEmpty() ? bracketed("statement", parts)
                : body(parts.getFirst().first(), items, parts.getLast().first(),
                        isSimple ? new Break(" ") : new NewLine(false));
    }

    private static boolean hasBody(ConcreteTree tree) {
        return tree instanceof Node node && node.rule().equals("statement")
                && node.parts().stream().anyMatch(p -> isWord(p, "{"));
    }

    private static boolean beginsAfterBlank(ConcreteTree tree) {
        return tree.first().beginsAfterBlank();
    }

    private static boolean isWord(ConcreteTree tree, String text) {
        return tree instanceof Word word && word.is(text);
    }
}
