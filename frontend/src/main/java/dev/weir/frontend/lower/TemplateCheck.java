package dev.weir.frontend.lower;

import dev.weir.frontend.Configuration;
import dev.weir.frontend.resolve.ModuleScope;
import dev.weir.frontend.resolve.Symbol;
import dev.weir.frontend.syntax.BlockList;
import dev.weir.frontend.syntax.Declaration;
import dev.weir.frontend.syntax.Expression;
import dev.weir.ir.diagnostic.Diagnostic;
import dev.weir.ir.diagnostic.Span;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.stream.Stream;

/**
 * Checks a module's declarations as templates: with generics as names instead of numbers. What
 * depends on a number is left to the lowering of a model.
 */
public final class TemplateCheck {
    private final ModuleScope module;
    private final List<Diagnostic> diagnostics;
    private final List<Diagnostic> derived = new ArrayList<>();

    private TemplateCheck(ModuleScope module, List<Diagnostic> diagnostics) {
        this.module = module;
        this.diagnostics = diagnostics;
    }

    public static void check(ModuleScope module, List<Diagnostic> diagnostics) {
        TemplateCheck check = new TemplateCheck(module, diagnostics);
        for (Declaration declaration : module.module().declarations()) {
            if (check.isBroken(declaration.span())) {
                continue;
            }
            try {
                switch (declaration) {
                    case Declaration.Block b -> check.block(b);
                    case Declaration.Function f -> check.function(f);
                    case Declaration.Derived d -> check.derived(d);
                }
            } catch (Failure reported) {
                // the diagnostic is there; go on with the next declaration
            } catch (StackOverflowError tooDeep) {
                diagnostics.add(Diagnostic.error("E0104", declaration.span(),
                                "`" + declaration.name() + "` is nested too deeply")
                        .helped("name a part of an expression and use the name"));
            }
        }
        diagnostics.addAll(check.derived);
    }

    /** Whether an error of syntax keeps a declaration or a method from being judged. */
    private boolean isBroken(Span name) {
        return module.module().broken().contains(name);
    }

    private Session session() {
        return new Session(true, false, Configuration.unknown(), diagnostics);
    }

    /**
     * What a derived model names is there, and what stands in the place of another fits where that
     * is called.
     */
    private void derived(Declaration.Derived d) {
        List<Diagnostic> found = new ArrayList<>();
        try {
            derived(d, new Session(true, false, Configuration.unknown(), found));
        } catch (Failure reported) {
            // the diagnostic is there
        }
        for (Diagnostic one : found) {
            boolean isOfBase = Stream.concat(diagnostics.stream(), derived.stream()).anyMatch(
                    known -> known.code().equals(one.code())
                            && known.primary().equals(one.primary()));
            boolean isHere = d.span().contains(one.primary())
                    || d.baseSpan().contains(one.primary()) || d.transformations().stream()
                    .anyMatch(t -> t.span().contains(one.primary()));
            if (isHere) {
                derived.add(one);
            } else if (!isOfBase) {
                derived.add(one.with(d.span(), "found for the model that is derived here"));
            }
        }
    }

    private void derived(Declaration.Derived d, Session session) {
        Symbol model = new Symbol(d, module);
        Symbol changed = Variant.declaration(model, session);
        Frame root = Frame.ofModel(session, model, template(
                (Declaration.Block) changed.declaration(), changed.module(), session));
        Set<Place> checked = new HashSet<>();
        methods(root, checked, session);
        session.variant().paths().forEach((span, path) -> {
            if (!find(root, path.parts(), checked, session)) {
                session.variant().reportNothing(span, "names no block of the base");
            }
        });
    }

    /** Whether a path names blocks from a frame down; checks the blocks on the way there. */
    private boolean find(
            Frame frame, List<Selector.Part> path, Set<Place> checked, Session session) {
        methods(frame, checked, session);
        Selector.Part part = path.getFirst();
        boolean found = false;
        for (Declaration.Instance member : frame.template().orElseThrow()
                .declaration().instances()) {
            Optional<Meaning> held = !part.names(member.name())
                    ? Optional.empty() : frame.scope().find(member.name());
            found |= held.filter(h -> path.size() == 1 || !(h instanceof Meaning.Blocks))
                    .isPresent();
            if (!found && held.orElse(null) instanceof Meaning.Blocks blocks) {
                for (Meaning.Stretch stretch : blocks.stretches()) {
                    found |= switch (stretch.template()) {
                        case Template.Concrete c -> find(
                                Frame.ofBlock(session, c, stretch.place(), frame.precision()),
                                path.subList(1, path.size()), checked, session);
                        case Template.Abstract any -> true;
                        case Template.None none -> false;
                    };
                }
            }
        }
        return found;
    }

    /** Checks the methods of a block at its place, once. */
    private static void methods(Frame frame, Set<Place> checked, Session session) {
        if (!checked.add(frame.place())) {
            return;
        }
        for (Declaration.Method method : frame.template().orElseThrow().declaration().methods()) {
            Template.Concrete template = frame.template().orElseThrow();
            if (template.module().module().broken().contains(method.span())) {
                continue;
            }
            Body body = new Body(session, frame);
            Scope inside = frame.scope().inner();
            openSizes(method.signature(), inside);
            inside.own().keySet().forEach(session::reserve);
            new Methods(body).lower(method.signature(), method.body(), inside);
        }
    }

    /** A block with its generics as names. */
    private static Template.Concrete template(
            Declaration.Block block, ModuleScope module, Session session) {
        Map<String, Meaning> bindings = new LinkedHashMap<>();
        Scope scope = Scope.of(module);
        Body constants = new Body(session, Frame.ofFunction(session, scope, Precision.none()));
        for (Declaration.Generic generic : block.generics()) {
            Meaning meaning;
            if (generic.kind().isPresent()) {
                meaning = new Meaning.TemplateReference(
                        new Template.Abstract(generic.name(), generic.kind().get(), scope));
                generic.template().ifPresent(t ->
                        judged(() -> new Templates(constants).resolve(t, scope)));
            } else {
                generic.value().ifPresent(v -> judged(() -> size(
                        generic, v, constants.evaluator.constant(v, scope), session)));
                meaning = new Meaning.Whole(Dimension.symbol(generic.name()));
            }
            if (bindings.put(generic.name(), meaning) != null) {
                session.report(Diagnostic.error("E0201", generic.span(),
                        "`" + generic.name() + "` is there twice"));
            }
            scope.define(generic.name(), meaning);
            session.reserve(generic.name());
        }
        for (Declaration.Setting setting : block.settings()) {
            setting.value().ifPresent(v -> judged(() -> setting(
                    setting, v, constants.evaluator.constant(v, scope), session)));
            Meaning meaning = setting.function().isPresent()
                    ? new Meaning.AbstractFunction(setting.function().get())
                    : setting.type().equals("int")
                            ? new Meaning.Whole(Dimension.symbol(setting.name()))
                            : new Meaning.Unknown(setting.type().equals("bool"));
            bindings.put(setting.name(), meaning);
            scope.define(setting.name(), meaning);
        }
        return new Template.Concrete(block, module, bindings, Map.of(), Map.of());
    }

    /** Says whether what stands as the value of a size can be one. */
    private static void size(
            Declaration.Generic generic, Expression given, Meaning value, Session session) {
        if (value instanceof Meaning.Real || value instanceof Meaning.Truth
                || value instanceof Meaning.Text) {
            session.report(ModelBindings.unfit(generic.name(), given, generic.span(), "a size",
                    value, ModelBindings.SIZES, session));
        }
    }

    private static void setting(
            Declaration.Setting setting, Expression given, Meaning value, Session session) {
        if (!ModelBindings.fits(setting, value)) {
            session.report(ModelBindings.unfit(setting.name(), given, setting.span(),
                    ModelBindings.kind(setting), value, ModelBindings.advice(setting), session));
        }
    }

    /** Looks for faults; one does not keep from looking at what comes behind it. */
    private static void judged(Runnable part) {
        try {
            part.run();
        } catch (Failure reported) {
            // the diagnostic is there
        }
    }

    private void block(Declaration.Block block) {
        Session session = session();
        Set<String> doubled = members(block, session);
        Template.Concrete template = template(block, module, session);
        Frame frame = Frame.ofBlock(session, template, Place.root(), Precision.none());
        doubled.forEach(name -> frame.scope().define(name, new Meaning.Poison()));
        frame.declareParameters(new Body(session, frame));
        if (block.methods().isEmpty()) {
            session.report(Diagnostic.error("E0204", block.span(),
                            "`" + block.name() + "` has no `forward`")
                    .helped("say what it computes: `forward(x[D]) -> y[D] { … }`"));
        }
        methods(frame, new HashSet<>(), session);
        if (block.methods().stream().noneMatch(m -> isBroken(m.span()))) {
            diagnostics.addAll(Unused.in(block));
        }
        Recursion.in(block, module).ifPresent(session::report);
    }

    /** Names of members are told apart; gives those that are there twice. */
    private static Set<String> members(Declaration.Block block, Session session) {
        Map<String, Span> seen = new LinkedHashMap<>();
        Set<String> doubled = new HashSet<>();
        block.parameters().forEach(p -> once(p.name(), p.span(), seen, doubled, session));
        block.states().forEach(s -> once(s.name(), s.span(), seen, doubled, session));
        block.instances().forEach(i -> once(i.name(), i.span(), seen, doubled, session));
        block.methods().forEach(m -> once(m.name(), m.span(), seen, doubled, session));
        block.parameters().forEach(p -> p.naming().ifPresent(n -> {
            annotation(n, session);
            if (n.names().stream().anyMatch(String::isEmpty)) {
                session.report(Diagnostic.error("E0211", n.span(),
                                "`" + p.name() + "` is stored under an empty name")
                        .helped("give the name in the checkpoint: `@name(\"model.norm.weight\")`"));
            }
        }));
        block.instances().forEach(i -> i.naming().ifPresent(n -> {
            annotation(n, session);
            if (!(i.blocks() instanceof BlockList.Template)) {
                functions(n, session);
            }
        }));
        block.parameters().forEach(p -> p.naming().ifPresent(n -> numbered(n, session)));
        block.instances().stream().filter(i -> i.blocks() instanceof BlockList.Template)
                .forEach(i -> i.naming().ifPresent(n -> numbered(n, session)));
        return doubled;
    }

    private static void annotation(Declaration.Naming naming, Session session) {
        if (!naming.word().equals("name")) {
            session.report(Diagnostic.error("E0211", naming.span(),
                            "there is no annotation `@" + naming.word() + "`")
                    .helped("`@name(\"…\")` says under which name a checkpoint stores something"));
        }
    }

    /** Each function says what stands for one {@code {}}. */
    private static void functions(Declaration.Naming naming, Session session) {
        for (Expression.Lambda number : naming.numbers()) {
            boolean fits = number.names().size() == 1 && !naming.names().isEmpty()
                    && naming.names().stream().allMatch(
                    n -> n.split("\\{}", -1).length - 1 == naming.numbers().size());
            if (!fits) {
                session.report(Diagnostic.error("E0211", number.span(),
                                "each `{}` of a stored name has one function of one number")
                        .helped("`parts: Part * N @name(\"parts.{}\", fn(i) -> 2 * i)`"));
                return;
            }
        }
    }

    /** Only the elements of a list have numbers. */
    private static void numbered(Declaration.Naming naming, Session session) {
        if (!naming.numbers().isEmpty()
                || naming.names().stream().anyMatch(n -> n.contains("{}"))) {
            session.report(Diagnostic.error("E0211", naming.span(),
                            "`{}` stands for the number of a list's element, and this is no list")
                    .helped("name the list so: `parts: Part * N @name(\"part_{}\")`"));
        }
    }

    private static void once(
            String name,
            Span span,
            Map<String, Span> seen,
            Set<String> doubled,
            Session session) {
        Span before = seen.putIfAbsent(name, span);
        if (before != null) {
            doubled.add(name);
            session.report(Diagnostic.error("E0201", span, "`" + name + "` is defined twice")
                    .with(before, "first defined here"));
        }
    }

    /** Sizes that only a call fixes stand for themselves. */
    static void openSizes(Declaration.Signature signature, Scope scope) {
        for (Declaration.Formal formal : signature.formals()) {
            for (Expression axis : formal.axes()) {
                if (axis instanceof Expression.Name n && scope.find(n.name()).isEmpty()) {
                    scope.define(n.name(), new Meaning.Whole(Dimension.symbol(n.name())));
                }
            }
        }
    }

    private void function(Declaration.Function f) {
        Session session = session();
        Scope scope = Scope.of(module);
        for (Declaration.Generic generic : f.generics()) {
            scope.define(generic.name(), new Meaning.Whole(Dimension.symbol(generic.name())));
        }
        openSizes(f.signature(), scope);
        scope.own().keySet().forEach(session::reserve);
        Body body = new Body(session, Frame.ofFunction(session, scope, Precision.none()));
        for (Declaration.Formal formal : f.signature().formals()) {
            formal.value().ifPresent(v -> body.evaluator.constant(v, scope));
        }
        new Methods(body).lower(f.signature(), f.body(), scope.inner());
    }
}
