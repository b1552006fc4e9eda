package dev.weir.frontend.parse;

import dev.weir.frontend.syntax.BlockList;
import dev.weir.frontend.syntax.Declaration;
import dev.weir.frontend.syntax.Expression;
import dev.weir.frontend.syntax.Expression.BinaryOperator;
import dev.weir.frontend.syntax.Statement;
import dev.weir.grammar.WeirParser;
import dev.weir.ir.diagnostic.Span;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Optional;
import java.util.stream.Collectors;
import java.util.stream.IntStream;
import org.antlr.v4.runtime.ParserRuleContext;
import org.antlr.v4.runtime.Token;
import org.antlr.v4.runtime.tree.ErrorNode;
import org.antlr.v4.runtime.tree.ParseTree;

/** Makes expressions, statements and block lists of parse trees. */
final class ExpressionBuilder {
    private final Parser.Offsets offsets;

    ExpressionBuilder(Parser.Offsets offsets) {
        this.offsets = offsets;
    }

    static Span span(Parser.Offsets offsets, ParserRuleContext tree) {
        Token stop = tree.getStop() == null
                || tree.getStop().getTokenIndex() < tree.getStart().getTokenIndex()
                ? tree.getStart() : tree.getStop();
        return offsets.span(tree.getStart()).to(offsets.span(stop));
    }

    private Span span(ParserRuleContext tree) {
        return span(offsets, tree);
    }

    Optional<Expression> optional(WeirParser.ExpressionContext e) {
        return e == null ? Optional.empty() : Optional.of(expression(e));
    }

    Expression expression(WeirParser.ExpressionContext e) {
        return switch (e) {
            case WeirParser.ChoiceContext c when c.expression().size() == 3 ->
                    new Expression.Choice(expression(c.expression(0)),
                            expression(c.expression(1)), expression(c.expression(2)), span(c));
            case WeirParser.ChoiceChainContext c when c.expression().size() == 3 ->
                    new Expression.Choice(expression(c.expression(0)),
                            expression(c.expression(1)), expression(c.expression(2)), span(c));
            case WeirParser.PlainExpressionContext p when p.disjunction() != null ->
                    disjunction(p.disjunction());
            default -> new Expression.Missing(span(e));
        };
    }

    private Expression disjunction(WeirParser.DisjunctionContext d) {
        // To the right, so that `config.a or config.b or 1` falls back step by step.
        int last = d.conjunction().size() - 1;
        Expression right = last < 0 ? new Expression.Missing(span(d))
                : conjunction(d.conjunction(last));
        for (int i = last - 1; i >= 0; i--) {
            right = binary(BinaryOperator.OR, conjunction(d.conjunction(i)), right,
                    span(d.conjunction(i)).to(span(d.conjunction(last))));
        }
        return right;
    }

    private Expression conjunction(WeirParser.ConjunctionContext c) {
        Expression left = new Expression.Missing(span(c));
        for (int i = 0; i < c.negation().size(); i++) {
            Expression right = negation(c.negation(i));
            left = i == 0 ? right : binary(BinaryOperator.AND, left, right,
                    span(c.negation(0)).to(span(c.negation(i))));
        }
        return left;
    }

    private Expression negation(WeirParser.NegationContext n) {
        if (n.negation() != null) {
            return new Expression.Unary(
                    Expression.UnaryOperator.NOT, negation(n.negation()), span(n));
        }
        WeirParser.ComparisonContext c = n.comparison();
        if (c == null || c.additive().isEmpty()) {
            return new Expression.Missing(span(n));
        }
        Expression left = additive(c.additive(0));
        if (c.additive().size() < 2 || c.comparator() == null) {
            return left;
        }
        return binary(operator(c.comparator().getText()), left, additive(c.additive(1)),
                span(c.additive(0)).to(span(c.additive(1))));
    }

    private static BinaryOperator operator(String symbol) {
        for (BinaryOperator operator : BinaryOperator.values()) {
            if (operator.symbol().equals(symbol)) {
                return operator;
            }
        }
        return BinaryOperator.EQUAL;
    }

    /**
     * @param span with the parentheses that the operands may stand in
     */
    private static Expression binary(
            BinaryOperator operator, Expression a, Expression b, Span span) {
        return new Expression.Binary(operator, a, b, span);
    }

    Expression additive(WeirParser.AdditiveContext a) {
        if (a == null || a.multiplicative().isEmpty()) {
            return new Expression.Missing(a == null ? Span.NONE : span(a));
        }
        Expression left = multiplicative(a.multiplicative(0));
        for (int i = 1; i < a.multiplicative().size(); i++) {
            left = binary(operator(a.getChild(2 * i - 1).getText()), left,
                    multiplicative(a.multiplicative(i)),
                    span(a.multiplicative(0)).to(span(a.multiplicative(i))));
        }
        return left;
    }

    private Expression multiplicative(WeirParser.MultiplicativeContext m) {
        if (m.prefix().isEmpty()) {
            return new Expression.Missing(span(m));
        }
        Expression left = prefix(m.prefix(0));
        for (int i = 1; i < m.prefix().size(); i++) {
            left = binary(operator(m.getChild(2 * i - 1).getText()), left, prefix(m.prefix(i)),
                    span(m.prefix(0)).to(span(m.prefix(i))));
        }
        return left;
    }

    private Expression prefix(WeirParser.PrefixContext p) {
        return switch (p) {
            case WeirParser.NegativeContext n when n.prefix() != null ->
                    new Expression.Unary(
                            Expression.UnaryOperator.NEGATE, prefix(n.prefix()), span(n));
            case WeirParser.ReductionContext r when r.multiplicative() != null ->
                    new Expression.Reduction(
                            reducer(r.reducer()),
                            r.binding().stream().filter(b -> b.name() != null)
                                    .map(b -> new Expression.Binding(
                                            b.name().getText(),
                                            b.range() == null
                                                    ? Optional.empty()
                                                    : Optional.of(range(b.range())),
                                            span(b)))
                                    .toList(),
                            multiplicative(r.multiplicative()),
                            optional(r.expression()), span(r));
            case WeirParser.RouteContext r when r.postfix().size() == 2 && r.name() != null -> {
                Expression operand = postfix(r.postfix(0));
                List<Expression> operands = operand instanceof Expression.Tuple tuple
                        ? tuple.items() : List.of(operand);
                yield new Expression.Route(operands, postfix(r.postfix(1)), r.name().getText(),
                        arguments(r.arguments()), span(r));
            }
            case WeirParser.PlainPrefixContext q when q.power() != null -> power(q.power());
            default -> new Expression.Missing(span(p));
        };
    }

    private static Expression.Reducer reducer(WeirParser.ReducerContext r) {
        return Expression.Reducer.valueOf(r.getText().toUpperCase(Locale.ROOT));
    }

    Expression.Range range(WeirParser.RangeContext r) {
        return new Expression.Range(additive(r.additive(0)), additive(r.additive(1)), span(r));
    }

    private Expression power(WeirParser.PowerContext p) {
        if (p.postfix() == null) {
            return new Expression.Missing(span(p));
        }
        Expression base = postfix(p.postfix());
        return p.prefix() == null
                ? base : binary(BinaryOperator.POWER, base, prefix(p.prefix()),
                        span(p.postfix()).to(span(p.prefix())));
    }

    Expression postfix(WeirParser.PostfixContext p) {
        if (p.primary() == null) {
            return new Expression.Missing(span(p));
        }
        Expression base = primary(p.primary());
        for (WeirParser.SuffixContext suffix : p.suffix()) {
            Span span = base.span().to(span(suffix));
            base = switch (suffix) {
                case WeirParser.SubscriptSuffixContext s when s.subscripts() != null ->
                        new Expression.Access(base, subscripts(s.subscripts()),
                                s.fallback() == null
                                        ? Optional.empty()
                                        : Optional.of(fallback(s.fallback())), span);
                case WeirParser.CallSuffixContext c ->
                        new Expression.Call(
                                base, arguments(c.arguments()), Optional.empty(), span);
                case WeirParser.MemberSuffixContext m when m.name() != null ->
                        new Expression.Member(base, m.name().getText(), span);
                case WeirParser.UsingSuffixContext u when u.name() != null -> {
                    Expression state = new Expression.Name(u.name().getText(), span(u.name()));
                    if (u.subscripts() != null) {
                        state = new Expression.Access(
                                state, subscripts(u.subscripts()), Optional.empty(), span(u));
                    }
                    yield base instanceof Expression.Call call
                            ? new Expression.Call(
                                    call.function(), call.arguments(), Optional.of(state), span)
                            : new Expression.Call(base, List.of(), Optional.of(state), span);
                }
                default -> new Expression.Missing(span);
            };
        }
        return base;
    }

    private Expression.Fallback fallback(WeirParser.FallbackContext f) {
        return new Expression.Fallback(
                f.literal() == null ? Optional.empty() : Optional.of(literal(f.literal())),
                span(f));
    }

    List<Expression.Subscript> subscripts(WeirParser.SubscriptsContext s) {
        return s.subscript().stream()
                .filter(x -> !x.additive().isEmpty() || x.range() != null)
                .map(this::subscript).toList();
    }

    private Expression.Subscript subscript(WeirParser.SubscriptContext x) {
        if (x.range() != null) {
            return new Expression.Subscript(
                    new Expression.Name(x.name().getText(), span(x.name())), Optional.empty(),
                    Optional.of(range(x.range())));
        }
        return new Expression.Subscript(
                additive(x.additive(0)),
                x.additive().size() > 1
                        ? Optional.of(additive(x.additive(1))) : Optional.empty(),
                Optional.empty());
    }

    List<Expression.Argument> arguments(WeirParser.ArgumentsContext a) {
        if (a == null) {
            return List.of();
        }
        return a.argument().stream()
                .filter(x -> x.expression() != null)
                .map(x -> new Expression.Argument(
                        x.name() == null ? Optional.empty() : Optional.of(x.name().getText()),
                        expression(x.expression())))
                .toList();
    }

    private Expression primary(WeirParser.PrimaryContext p) {
        return switch (p) {
            case WeirParser.LiteralPrimaryContext l -> literal(l.literal());
            case WeirParser.TextPrimaryContext t ->
                    new Expression.Text(
                            t.getText().substring(1, t.getText().length() - 1), span(t));
            case WeirParser.NamePrimaryContext n ->
                    new Expression.Name(n.getText(), span(n));
            case WeirParser.ReducerCallContext r ->
                    new Expression.Call(
                            new Expression.Name(r.reducer().getText(), span(r.reducer())),
                            arguments(r.arguments()), Optional.empty(), span(r));
            case WeirParser.LambdaContext l when l.expression() != null ->
                    new Expression.Lambda(
                            l.name().stream().map(ParseTree::getText).toList(),
                            expression(l.expression()), span(l));
            case WeirParser.ParenthesisContext t -> t.expression().size() == 1
                    ? expression(t.expression(0))
                    : new Expression.Tuple(
                            t.expression().stream().map(this::expression).toList(), span(t));
            case WeirParser.SelectionContext s when s.expression() != null ->
                    new Expression.Selection(
                            s.name().getText(), expression(s.expression()), span(s));
            default -> new Expression.Missing(span(p));
        };
    }

    private Expression literal(WeirParser.LiteralContext l) {
        String text = text(l);
        if (text.endsWith("true") || text.endsWith("false")) {
            return new Expression.Truth(text.endsWith("true"), span(l));
        }
        if (l.INTEGER() != null && text.matches("-?\\d+")) {
            try {
                long whole = Long.parseLong(text);
                return new Expression.Literal(whole, whole, true, span(l));
            } catch (NumberFormatException tooLarge) {
                return new Expression.Literal(Double.parseDouble(text), 0, false, span(l));
            }
        }
        return new Expression.Literal(number(l), 0, false, span(l));
    }

    /** A number as Java reads it, without what the parser has skipped or made up. */
    private static String text(WeirParser.LiteralContext l) {
        return IntStream.range(0, l.getChildCount()).mapToObj(l::getChild)
                .filter(child -> !(child instanceof ErrorNode))
                .map(ParseTree::getText).collect(Collectors.joining()).replace("_", "");
    }

    double number(WeirParser.LiteralContext l) {
        String text = text(l);
        return switch (text) {
            case "true" -> 1;
            case "false" -> 0;
            case "infinity" -> Double.POSITIVE_INFINITY;
            case "-infinity" -> Double.NEGATIVE_INFINITY;
            // Without digits it is a syntax error, which has been reported.
            default -> text.matches(".*\\d.*") ? Double.parseDouble(text) : 0;
        };
    }

    Optional<Declaration.Naming> naming(WeirParser.NamingContext n) {
        if (n == null) {
            return Optional.empty();
        }
        List<String> names = new ArrayList<>();
        List<Declaration.Renaming> inner = new ArrayList<>();
        List<Expression.Lambda> numbers = new ArrayList<>();
        for (Expression.Argument argument : arguments(n.arguments())) {
            if (argument.value() instanceof Expression.Lambda number
                    && argument.name().isEmpty()) {
                numbers.add(number);
            }
            if (argument.value() instanceof Expression.Text text) {
                if (argument.name().isPresent()) {
                    inner.add(new Declaration.Renaming(argument.name().get(), text.value()));
                } else {
                    names.add(text.value());
                }
            }
        }
        return Optional.of(new Declaration.Naming(
                n.name() == null ? "" : n.name().getText(), names, inner, numbers, span(n)));
    }

    BlockList blockList(WeirParser.BlockListContext list) {
        List<BlockList> items = list.blockFactor().stream().map(this::blockFactor).toList();
        return items.size() == 1 ? items.getFirst() : new BlockList.Sequence(items, span(list));
    }

    private BlockList blockFactor(WeirParser.BlockFactorContext factor) {
        BlockList item = switch (factor.blockItem()) {
            case WeirParser.TemplateItemContext t when t.blockTerm() != null ->
                    template(t.blockTerm());
            case WeirParser.BracketItemContext b ->
                    new BlockList.Sequence(
                            b.blockList().stream().map(this::blockList).toList(), span(b));
            case WeirParser.ComprehensionItemContext c
                    when c.range() != null && c.blockChoice() != null ->
                    new BlockList.Comprehension(blockChoice(c.blockChoice()),
                            c.name().getText(), range(c.range()), span(c));
            case null, default -> new BlockList.Sequence(List.of(), span(factor));
        };
        return factor.postfix() == null
                ? item : new BlockList.Repeated(item, postfix(factor.postfix()), span(factor));
    }

    private BlockList blockChoice(WeirParser.BlockChoiceContext choice) {
        return switch (choice) {
            case WeirParser.PlainChoiceContext p when p.blockTerm() != null ->
                    template(p.blockTerm());
            case WeirParser.EitherChoiceContext e when e.blockChoice().size() == 2 ->
                    new BlockList.Either(expression(e.expression()),
                            blockChoice(e.blockChoice(0)), blockChoice(e.blockChoice(1)), span(e));
            default -> new BlockList.Sequence(List.of(), span(choice));
        };
    }

    BlockList.Template template(WeirParser.BlockTermContext t) {
        List<BlockList.GenericArgument> generics = new ArrayList<>();
        for (WeirParser.GenericArgumentContext g : t.genericArgument()) {
            switch (g) {
                case WeirParser.SizeArgumentContext s ->
                        generics.add(new BlockList.GenericArgument(
                                Optional.of(additive(s.additive())), Optional.empty(),
                                Optional.empty(), span(s)));
                case WeirParser.TemplateArgumentContext a when a.blockTerm() != null -> {
                    BlockList.Template inner = template(a.blockTerm());
                    Expression name = new Expression.Name(inner.name(), inner.span());
                    generics.add(new BlockList.GenericArgument(
                            !inner.generics().isEmpty() ? Optional.empty()
                                    : Optional.of(inner.settings().isEmpty() ? name
                                            : new Expression.Call(name, inner.settings(),
                                                    Optional.empty(), inner.span())),
                            Optional.of(inner), naming(a.naming()), span(a)));
                }
                default -> { }
            }
        }
        return new BlockList.Template(
                t.name() == null ? "" : t.name().getText(), generics,
                arguments(t.arguments()), span(t));
    }

    List<Statement> statements(List<WeirParser.StatementContext> statements) {
        List<Statement> all = new ArrayList<>();
        for (WeirParser.StatementContext statement : statements) {
            statement(statement).ifPresent(all::add);
        }
        return all;
    }

    private Optional<Statement> statement(WeirParser.StatementContext s) {
        return switch (s) {
            case WeirParser.AssignContext a
                    when a.assignment() != null && a.expression() != null ->
                    Optional.of(new Statement.Assign(
                            a.target().stream().filter(t -> t.name() != null)
                                    .map(this::target).toList(),
                            assignment(a.assignment().getText()),
                            expression(a.expression()), span(a)));
            case WeirParser.IfStatementContext i when i.expression() != null ->
                    Optional.of(new Statement.If(
                            expression(i.expression()), statements(i.statement()),
                            i.elseBranch() == null
                                    ? List.of() : statements(i.elseBranch().statement()),
                            span(i)));
            case WeirParser.ForStatementContext f
                    when f.range() != null && f.range().additive().size() == 2 -> {
                boolean labelled = f.name().size() > 1;
                yield Optional.of(new Statement.For(
                        labelled ? Optional.of(f.name(0).getText()) : Optional.empty(),
                        f.name(labelled ? 1 : 0).getText(), range(f.range()),
                        statements(f.statement()), span(f)));
            }
            case WeirParser.WhileStatementContext w when w.expression() != null ->
                    Optional.of(new Statement.While(
                            expression(w.expression()),
                            w.postfix() == null
                                    ? Optional.empty() : Optional.of(postfix(w.postfix())),
                            statements(w.statement()), span(w)));
            case WeirParser.ScanStatementContext c when !c.name().isEmpty() ->
                    Optional.of(new Statement.Scan(
                            c.name(0).getText(), c.name().size() > 1,
                            statements(c.statement()), span(c)));
            case WeirParser.BreakStatementContext b ->
                    Optional.of(new Statement.Break(
                            b.name() == null
                                    ? Optional.empty() : Optional.of(b.name().getText()),
                            span(b)));
            case WeirParser.LeavingStatementContext l ->
                    Optional.of(new Statement.Leaving(statements(l.statement()), span(l)));
            default -> Optional.empty();
        };
    }

    private static Statement.Operator assignment(String symbol) {
        for (Statement.Operator operator : Statement.Operator.values()) {
            if (operator.symbol().equals(symbol)) {
                return operator;
            }
        }
        return Statement.Operator.SET;
    }

    private Statement.Target target(WeirParser.TargetContext t) {
        return new Statement.Target(
                t.name().getText(),
                t.subscripts() == null
                        ? Optional.empty() : Optional.of(subscripts(t.subscripts())),
                span(t));
    }
}
