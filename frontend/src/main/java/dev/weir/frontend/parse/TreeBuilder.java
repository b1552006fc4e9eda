package dev.weir.frontend.parse;

import dev.weir.frontend.syntax.Declaration;
import dev.weir.frontend.syntax.Expression;
import dev.weir.frontend.syntax.Module;
import dev.weir.grammar.WeirLexer;
import dev.weir.grammar.WeirParser;
import dev.weir.ir.diagnostic.Diagnostic;
import dev.weir.ir.diagnostic.Span;
import java.util.ArrayList;
import java.util.List;
import java.util.Objects;
import java.util.Optional;
import java.util.Set;
import java.util.function.Consumer;
import org.antlr.v4.runtime.CommonTokenStream;
import org.antlr.v4.runtime.ParserRuleContext;
import org.antlr.v4.runtime.Token;
import org.antlr.v4.runtime.tree.TerminalNode;

/** Makes declarations of parse trees. Trees with errors lose only the parts that have them. */
final class TreeBuilder {
    private final Parser.Offsets offsets;
    private final CommonTokenStream tokens;
    private final Consumer<Diagnostic> diagnostics;
    private final ExpressionBuilder expressions;

    TreeBuilder(
            Parser.Offsets offsets, CommonTokenStream tokens, Consumer<Diagnostic> diagnostics) {
        this.offsets = offsets;
        this.tokens = tokens;
        this.diagnostics = diagnostics;
        this.expressions = new ExpressionBuilder(offsets);
    }

    Module module(WeirParser.ModuleContext tree) {
        List<Module.Import> imports = new ArrayList<>();
        for (WeirParser.ImportingContext i : tree.importing()) {
            if (i.path() == null || isBroken(i)) {
                continue;
            }
            List<Module.Imported> names = new ArrayList<>();
            for (WeirParser.ImportedNameContext n : i.importedName()) {
                String name = n.name(0).getText();
                String alias = n.name().size() > 1 ? n.name(1).getText() : name;
                names.add(new Module.Imported(name, alias, span(n)));
            }
            imports.add(new Module.Import(i.path().getText(), names, span(i)));
        }
        List<Declaration> declarations = new ArrayList<>();
        for (WeirParser.DeclarationContext d : tree.declaration()) {
            declaration(d).ifPresent(declarations::add);
        }
        boolean isSound = !BrokenParts.isBroken(tree);
        return new Module(offsets.source(), imports, declarations,
                isSound ? Set.of() : new BrokenParts(this::span).in(tree),
                isSound ? Set.of() : BrokenParts.lost(tokens, declarations));
    }

    private Optional<Declaration> declaration(WeirParser.DeclarationContext d) {
        if (d.blockDeclaration() != null && d.blockDeclaration().name() != null) {
            WeirParser.BlockDeclarationContext b = d.blockDeclaration();
            return Optional.of(block(
                    b, b.name(), false, b.generics(), b.settings(), b.member()));
        }
        if (d.modelDeclaration() != null && d.modelDeclaration().name() != null) {
            WeirParser.ModelDeclarationContext b = d.modelDeclaration();
            return Optional.of(block(b, b.name(), true, b.generics(), b.settings(), b.member()));
        }
        if (d.derivedModel() != null && d.derivedModel().name() != null
                && d.derivedModel().path() != null) {
            WeirParser.DerivedModelContext m = d.derivedModel();
            List<Declaration.Transformation> transformations = new ArrayList<>();
            m.transformation().forEach(t -> transformations(t, transformations));
            return Optional.of(new Declaration.Derived(m.name().getText(), m.path().getText(),
                    span(m.path()), transformations, documentation(m), span(m.name())));
        }
        WeirParser.FunctionDeclarationContext f = d.functionDeclaration();
        if (f != null && f.name() != null && f.functionResult() != null && f.body() != null
                && f.functionResult().results() != null) {
            return Optional.of(new Declaration.Function(
                    f.name().getText(),
                    generics(f.generics()),
                    functionSignature(f),
                    body(f.body()),
                    documentation(f),
                    span(f.name())));
        }
        return Optional.empty();
    }

    private void transformations(
            WeirParser.TransformationContext t, List<Declaration.Transformation> all) {
        switch (t) {
            case WeirParser.FormatsTransformationContext f when f.precision() != null ->
                    all.add(new Declaration.Transformation.Formats(
                            precision(f.precision()), span(f)));
            case WeirParser.DropTransformationContext d -> d.selector().forEach(s ->
                    all.add(new Declaration.Transformation.Drop(selector(s), span(s))));
            case WeirParser.ReplaceTransformationContext r
                    when r.selector() != null && r.blockTerm() != null ->
                    all.add(new Declaration.Transformation.Replace(
                            selector(r.selector()), expressions.template(r.blockTerm()),
                            span(r)));
            case WeirParser.SizeTransformationContext z
                    when z.name() != null && z.expression() != null ->
                    all.add(new Declaration.Transformation.Size(
                            z.name().getText(), expressions.expression(z.expression()),
                            span(z)));
            default -> { } // a syntax error, which has been reported
        }
    }

    private Declaration.Selector selector(WeirParser.SelectorContext s) {
        List<Declaration.SelectorPart> parts = new ArrayList<>();
        for (WeirParser.SelectorPartContext part : s.selectorPart()) {
            Optional<Expression.Range> elements = part.subscripts() == null ? Optional.empty()
                    : expressions.subscripts(part.subscripts()).stream().findFirst()
                            .map(x -> new Expression.Range(
                                    x.from(), x.to().orElse(x.from()), span(part.subscripts())));
            parts.add(new Declaration.SelectorPart(
                    part.name() == null ? "*" : part.name().getText(), elements));
        }
        return new Declaration.Selector(parts, span(s));
    }

    /** A function's lone {@code -> bool} names a type, {@code -> y[D]} a result. */
    private Declaration.Signature functionSignature(WeirParser.FunctionDeclarationContext f) {
        Declaration.Signature plain = signature(f.formals(), f.functionResult().results());
        return new Declaration.Signature(
                plain.formals(), plain.results().stream().map(TreeBuilder::typeOnly).toList(),
                plain.span());
    }

    private static Declaration.Formal typeOnly(Declaration.Formal result) {
        boolean isType = result.axes().isEmpty() && result.type().isEmpty()
                && List.of("bool", "int", "float").contains(result.name());
        return isType
                ? new Declaration.Formal(
                        "result", List.of(), Optional.of(result.name()), Optional.empty(),
                        result.span())
                : result;
    }

    private Declaration.Block block(
            ParserRuleContext whole,
            WeirParser.NameContext name,
            boolean isModel,
            WeirParser.GenericsContext generics,
            WeirParser.SettingsContext settings,
            List<WeirParser.MemberContext> members) {
        List<Expression> conditions = new ArrayList<>();
        List<Declaration.Parameter> parameters = new ArrayList<>();
        List<Declaration.State> states = new ArrayList<>();
        List<Declaration.Instance> instances = new ArrayList<>();
        List<Declaration.Precision> precisions = new ArrayList<>();
        List<Declaration.Method> methods = new ArrayList<>();
        for (WeirParser.MemberContext member : members) {
            switch (member) {
                case WeirParser.ConditionMemberContext c ->
                        conditions.add(expressions.expression(c.expression()));
                case WeirParser.ParameterMemberContext p ->
                        p.parameter().forEach(x -> parameter(x).ifPresent(parameters::add));
                case WeirParser.StateMemberContext s ->
                        s.stateItem().forEach(x -> state(x).ifPresent(states::add));
                case WeirParser.PrecisionMemberContext p ->
                        precisions.add(precision(p.precision()));
                case WeirParser.InstanceMemberContext i -> {
                    if (i.name() != null && i.blockList() != null
                            && !i.blockList().blockFactor().isEmpty()) {
                        instances.add(new Declaration.Instance(
                                i.name().getText(),
                                expressions.blockList(i.blockList()),
                                expressions.naming(i.naming()),
                                span(i.name())));
                    }
                }
                case WeirParser.MethodMemberContext m -> {
                    if (m.name() != null && m.results() != null && m.body() != null) {
                        methods.add(new Declaration.Method(
                                m.name().getText(),
                                signature(m.formals(), m.results()),
                                body(m.body()),
                                span(m.name())));
                    }
                }
                default -> { } // a member with a syntax error, which has been reported
            }
        }
        return new Declaration.Block(
                name.getText(), isModel, generics(generics), settings(settings), conditions,
                parameters, states, instances, precisions, methods, documentation(whole),
                span(name));
    }

    private List<Declaration.Generic> generics(WeirParser.GenericsContext generics) {
        List<Declaration.Generic> all = new ArrayList<>();
        if (generics == null) {
            return all;
        }
        for (WeirParser.GenericContext g : generics.generic()) {
            if (g.name() == null) {
                continue;
            }
            Optional<Declaration.Signature> kind = switch (g.blockKind()) {
                case null -> Optional.empty();
                case WeirParser.SimpleKindContext k when !k.axis().isEmpty() ->
                        Optional.of(simpleKind(k));
                case WeirParser.SignatureKindContext k when k.results() != null ->
                        Optional.of(signature(k.formals(), k.results()));
                default -> Optional.empty(); // a syntax error, which has been reported
            };
            all.add(new Declaration.Generic(
                    g.name().getText(), kind, expressions.optional(g.expression()),
                    Optional.ofNullable(g.blockTerm()).map(expressions::template), span(g)));
        }
        return all;
    }

    /** {@code Block<D, E>} is short for {@code Block(x[D]) -> y[E]}. */
    private Declaration.Signature simpleKind(WeirParser.SimpleKindContext k) {
        List<Expression> axes = k.axis().stream().map(a -> expressions.additive(a.additive()))
                .toList();
        Span span = span(k);
        Declaration.Formal in = new Declaration.Formal(
                "x", List.of(axes.getFirst()), Optional.empty(), Optional.empty(), span);
        Declaration.Formal out = new Declaration.Formal(
                "y", List.of(axes.getLast()), Optional.empty(), Optional.empty(), span);
        if (axes.size() > 2) {
            diagnostics.accept(Diagnostic.error("E0105", span, "`Block<…>` takes one size for "
                            + "what goes in and one for what comes out")
                    .helped("for more, write the signature: `Block(x[T, D]) -> y[T, D]`"));
        }
        return new Declaration.Signature(List.of(in), List.of(out), span);
    }

    private List<Declaration.Setting> settings(WeirParser.SettingsContext settings) {
        List<Declaration.Setting> all = new ArrayList<>();
        if (settings == null) {
            return all;
        }
        for (WeirParser.SettingContext s : settings.setting()) {
            switch (s.settingType()) {
                case null -> { }
                case WeirParser.FunctionTypeContext f -> {
                    if (f.name() != null) {
                        Declaration.Formal result = new Declaration.Formal(
                                "result", List.of(), Optional.of(f.name().getText()),
                                Optional.empty(), span(f.name()));
                        all.add(new Declaration.Setting(
                                s.name().getText(), "fn",
                                Optional.of(new Declaration.Signature(
                                        formals(f.formals()), List.of(result), span(f))),
                                expressions.optional(s.expression()), span(s)));
                    }
                }
                case WeirParser.ValueTypeContext v ->
                        all.add(new Declaration.Setting(
                                s.name().getText(), v.getText(), Optional.empty(),
                                expressions.optional(s.expression()), span(s)));
                default -> { }
            }
        }
        return all;
    }

    private Declaration.Signature signature(
            WeirParser.FormalsContext formals, WeirParser.ResultsContext results) {
        List<Declaration.Formal> out = new ArrayList<>();
        for (WeirParser.ResultContext r : results.result()) {
            if (r.name(0) != null) {
                out.add(new Declaration.Formal(
                        r.name(0).getText(), axes(r.axis()),
                        r.name().size() > 1
                                ? Optional.of(r.name(1).getText()) : Optional.empty(),
                        Optional.empty(), span(r)));
            }
        }
        Span span = formals == null ? span(results) : span(formals).to(span(results));
        return new Declaration.Signature(formals(formals), out, span);
    }

    private List<Declaration.Formal> formals(WeirParser.FormalsContext formals) {
        List<Declaration.Formal> all = new ArrayList<>();
        if (formals == null) {
            return all;
        }
        for (WeirParser.FormalContext f : formals.formal()) {
            if (f.name(0) != null) {
                all.add(new Declaration.Formal(
                        f.name(0).getText(), axes(f.axis()),
                        f.name().size() > 1
                                ? Optional.of(f.name(1).getText()) : Optional.empty(),
                        expressions.optional(f.expression()), span(f)));
            }
        }
        return all;
    }

    private List<Expression> axes(List<WeirParser.AxisContext> axes) {
        return axes.stream().map(a -> expressions.additive(a.additive())).toList();
    }

    private Optional<Declaration.Parameter> parameter(WeirParser.ParameterContext p) {
        if (p.name(0) == null) {
            return Optional.empty();
        }
        List<Expression> axes = p.parameterAxis().stream()
                .filter(a -> a.axis() != null)
                .map(a -> expressions.additive(a.axis().additive())).toList();
        List<Optional<String>> indices = p.parameterAxis().stream()
                .filter(a -> a.axis() != null)
                .map(a -> Optional.ofNullable(a.name()).map(n -> n.getText())).toList();
        Optional<Double> initial = p.literal() == null
                ? Optional.empty()
                : Optional.of(expressions.number(p.literal()));
        boolean optional = has(p, "optional");
        return Optional.of(new Declaration.Parameter(
                p.name(0).getText(), axes, indices,
                p.name().size() > 1 ? Optional.of(p.name(1).getText()) : Optional.empty(),
                initial, optional, expressions.naming(p.naming()),
                expressions.optional(p.expression()), span(p)));
    }

    private Optional<Declaration.State> state(WeirParser.StateItemContext s) {
        if (s.name(0) == null) {
            return Optional.empty();
        }
        boolean keeps = has(s, "keep");
        List<Expression> axes = new ArrayList<>(axes(s.axis()));
        Optional<Expression> keep = keeps && !axes.isEmpty()
                ? Optional.of(axes.removeLast()) : Optional.empty();
        return Optional.of(new Declaration.State(
                s.name(0).getText(), axes,
                s.name().size() > 1 ? Optional.of(s.name(1).getText()) : Optional.empty(),
                s.literal() == null
                        ? Optional.empty() : Optional.of(expressions.number(s.literal())),
                keep, span(s)));
    }

    private Declaration.Precision precision(WeirParser.PrecisionContext p) {
        List<Declaration.PrecisionItem> items = p.precisionItem().stream()
                .filter(i -> i.selector() != null && i.expression() != null)
                .map(i -> new Declaration.PrecisionItem(
                        selector(i.selector()), expressions.expression(i.expression()), span(i)))
                .toList();
        return new Declaration.Precision(items, span(p));
    }

    private Declaration.Body body(WeirParser.BodyContext body) {
        return new Declaration.Body(
                expressions.statements(body.statement()),
                expressions.optional(body.expression()), span(body));
    }

    private String documentation(ParserRuleContext tree) {
        List<Token> hidden = tokens.getHiddenTokensToLeft(tree.getStart().getTokenIndex());
        return Objects.requireNonNullElse(hidden, List.<Token>of()).stream()
                .filter(t -> t.getType() == WeirLexer.DOC)
                .map(t -> t.getText().substring(3).strip())
                .reduce((a, b) -> a + "\n" + b).orElse("");
    }

    private static boolean has(ParserRuleContext tree, String word) {
        return tree.children.stream()
                .anyMatch(c -> c instanceof TerminalNode && c.getText().equals(word));
    }

    private static boolean isBroken(ParserRuleContext tree) {
        return tree.exception != null;
    }

    private Span span(ParserRuleContext tree) {
        return ExpressionBuilder.span(offsets, tree);
    }
}
