package dev.weir.frontend.lower;

import dev.weir.frontend.resolve.Names;
import dev.weir.frontend.resolve.Symbol;
import dev.weir.frontend.syntax.BlockList;
import dev.weir.frontend.syntax.Declaration;
import dev.weir.frontend.syntax.Expression;
import dev.weir.ir.diagnostic.Diagnostic;
import dev.weir.ir.diagnostic.Span;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.HashSet;
import java.util.IdentityHashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.stream.LongStream;

/** Binds block templates: which block a name means, and what its generics and settings are. */
final class Templates {
    /**
     * So many equal blocks.
     *
     * @param positions where they stand, unless they stand in a row behind what was before
     */
    record Run(
            Template template, Dimension count, boolean indexed, Optional<Positions> positions) {
        Run(Template template, Dimension count, boolean indexed) {
            this(template, count, indexed, Optional.empty());
        }

        Run with(Template other) {
            return new Run(other, count, indexed, positions);
        }

        /**
         * The same, divided where some are named and others not.
         *
         * @param first where they begin
         */
        List<Run> divided(long first, List<Selector.Elements> named) {
            List<Long> all = places(first);
            Map<List<Boolean>, List<Long>> groups = new LinkedHashMap<>();
            for (long position : all) {
                groups.computeIfAbsent(named.stream().map(e -> e.contains(position)).toList(),
                        g -> new ArrayList<>()).add(position);
            }
            return groups.size() < 2 ? List.of(this) : groups.values().stream()
                    .map(at -> new Run(template, Dimension.of(at.size()), true,
                            Optional.of(new Positions(at)))).toList();
        }

        /**
         * Where they stand in the list.
         *
         * @param first where they begin
         */
        List<Long> places(long first) {
            return positions.map(Positions::list).orElseGet(() -> LongStream
                    .range(first, first + count.size().constant().orElse(1L)).boxed().toList());
        }

        Run shifted(long by) {
            return new Run(template, count, indexed, positions.map(p -> p.shifted(by)));
        }
    }

    /** What stands for no block: in lists, and as the number of a choice. */
    static final String NONE = "none";
    private static final int LONGEST_LIST = 100_000;

    private final Body body;

    Templates(Body body) {
        this.body = body;
    }

    static Template withStored(Template template, Map<String, String> inner) {
        if (inner.isEmpty() || !(template instanceof Template.Concrete c)) {
            return template;
        }
        Map<String, String> stored = new HashMap<>(c.stored());
        stored.putAll(inner);
        return new Template.Concrete(c.declaration(), c.module(), c.bindings(), stored,
                c.origins());
    }

    List<Run> runs(BlockList list, Scope scope) {
        return switch (list) {
            case BlockList.Template t when isNone(t, scope) ->
                    List.of(new Run(new Template.None(), Dimension.of(1), false));
            case BlockList.Template t ->
                    List.of(new Run(resolve(t, scope), Dimension.of(1), false));
            case BlockList.Repeated r -> repeated(r, scope);
            case BlockList.Sequence s -> {
                List<Run> all = new ArrayList<>();
                for (BlockList item : s.items()) {
                    long before = length(all);
                    runs(item, scope).forEach(run -> all.add(run.shifted(before)));
                }
                yield all;
            }
            case BlockList.Either e -> {
                Meaning condition = body.evaluator.constant(e.condition(), scope);
                if (condition instanceof Meaning.Truth t) {
                    yield runs(t.value() ? e.then() : e.otherwise(), scope);
                }
                runs(e.otherwise(), scope);
                yield runs(e.then(), scope);
            }
            case BlockList.Comprehension c -> comprehension(c, scope);
        };
    }

    private List<Run> repeated(BlockList.Repeated r, Scope scope) {
        Dimension count = body.evaluator.notNegative(
                body.evaluator.dimension(r.count(), scope), r.count().span(),
                "a number of blocks");
        if (count.size().constant().filter(n -> n > LONGEST_LIST).isPresent()) {
            throw tooLong(r.span());
        }
        List<Run> inner = runs(r.block(), scope);
        if (inner.size() == 1 && !inner.getFirst().indexed()) {
            return List.of(new Run(inner.getFirst().template(), count, true));
        }
        Optional<Long> times = count.size().constant();
        List<Run> all = new ArrayList<>();
        for (long i = 0; i < Math.min(times.orElse(1L), LONGEST_LIST); i++) {
            long before = length(all);
            inner.forEach(run -> all.add(run.shifted(before)));
        }
        return all;
    }

    private static boolean isNone(BlockList.Template t, Scope scope) {
        return t.name().equals(NONE) && t.generics().isEmpty() && t.settings().isEmpty()
                && scope.find(NONE).isEmpty();
    }

    private static long length(List<Run> runs) {
        return runs.stream().mapToLong(r -> r.count().size().constant().orElse(1L)).sum();
    }

    private List<Run> comprehension(BlockList.Comprehension c, Scope scope) {
        Dimension from = body.evaluator.dimension(c.range().from(), scope);
        Dimension to = body.evaluator.dimension(c.range().to(), scope);
        Optional<Long> first = from.size().constant();
        Optional<Long> last = to.size().constant();
        if (first.isEmpty() || last.isEmpty()) {
            Scope inner = scope.inner();
            inner.define(c.index(), new Meaning.Unknown());
            return List.of(new Run(
                    runs(c.block(), inner).getFirst().template(), to.minus(from), true));
        }
        if (last.get() - first.get() > LONGEST_LIST) {
            throw tooLong(c.span());
        }
        Map<Template, List<Long>> places = new LinkedHashMap<>();
        Map<BlockList.Template, Template> same = new IdentityHashMap<>();
        for (long i = first.get(); i < last.get(); i++) {
            Scope inner = scope.inner();
            inner.define(c.index(), new Meaning.Whole(Dimension.of(i)));
            BlockList.Template choice = choice(c.block(), inner);
            // Blocks that are written without the index are equal, with their functions.
            Set<String> names = new HashSet<>();
            Unused.names(choice, names);
            Template template = names.contains(c.index())
                    ? resolve(choice, inner)
                    : isNone(choice, scope) ? new Template.None()
                    : same.computeIfAbsent(choice, t -> resolve(t, scope));
            places.computeIfAbsent(template, t -> new ArrayList<>()).add(i - first.get());
        }
        List<Run> runs = new ArrayList<>();
        places.forEach((template, at) -> runs.add(new Run(
                template, Dimension.of(at.size()), true, Optional.of(new Positions(at)))));
        return runs;
    }

    private Failure tooLong(Span span) {
        return body.session.fail(Diagnostic.error("E0910", span,
                        "this list has more than " + LONGEST_LIST + " blocks")
                .helped("write a block that holds several, and repeat that less often"));
    }

    /** The template that a choice comes down to. */
    private BlockList.Template choice(BlockList list, Scope scope) {
        return switch (list) {
            case BlockList.Template t -> t;
            case BlockList.Either e -> {
                Meaning condition = body.evaluator.constant(e.condition(), scope);
                if (condition instanceof Meaning.Unknown && body.session.isChecking()) {
                    yield choice(e.then(), scope);
                }
                if (!(condition instanceof Meaning.Truth t)) {
                    throw body.fail("E0208", e.condition().span(),
                            "this must be known when the model is compiled");
                }
                yield choice(t.value() ? e.then() : e.otherwise(), scope);
            }
            case BlockList.Repeated r -> throw notOne(r.span());
            case BlockList.Sequence q -> throw notOne(q.span());
            case BlockList.Comprehension n -> throw notOne(n.span());
        };
    }

    private Failure notOne(Span span) {
        return body.fail("E0208", span, "a comprehension has one block for each index");
    }

    Template resolve(BlockList.Template t, Scope scope) {
        Optional<Meaning> local = scope.find(t.name());
        if (local.isPresent()) {
            return switch (local.get()) {
                case Meaning.TemplateReference r -> {
                    if (!t.generics().isEmpty() || !t.settings().isEmpty()) {
                        throw body.fail("E0205", t.span(), "`" + t.name()
                                + "` is a block whose generics are bound already");
                    }
                    yield r.template();
                }
                case Meaning.Blocks b -> throw body.session.fail(
                        Diagnostic.error("E0206", t.span(), "`" + t.name()
                                        + "` is an instance; copies are made of templates")
                                .with(b.span(), "this is one instance, with its own weights")
                                .helped("write the template's name (upper case), or use the same "
                                        + "instance again to share its weights"));
                case Meaning.Poison p -> throw new Failure();
                default -> throw body.fail("E0208", t.span(),
                        "`" + t.name() + "` is not a block");
            };
        }
        if (isNone(t, scope)) {
            throw body.session.fail(Diagnostic.error("E0208", t.span(),
                            "`none` is no block, and one is needed here")
                    .helped("lists and choices may hold `none`; a derived model leaves a block "
                            + "out with `drop`"));
        }
        if (scope.module().isUnclear(t.name())) {
            throw new Failure();
        }
        Optional<Symbol> symbol = scope.module().find(t.name());
        if (symbol.isEmpty()) {
            throw body.session.fail(Diagnostic.error("E0203", t.span(),
                            "there is no block `" + t.name() + "`")
                    .helped(Names.suggest(t.name(), scope.visible())
                            .map(s -> "did you mean `" + s + "`?")
                            .orElse("define it, or import it")));
        }
        if (!(symbol.get().declaration() instanceof Declaration.Block block)) {
            throw body.session.fail(Diagnostic.error("E0208", t.span(),
                            "`" + t.name() + "` is not a block")
                    .with(symbol.get().declaration().span(), "defined here"));
        }
        return bind(block, symbol.get(), t, scope);
    }

    private Template bind(
            Declaration.Block block, Symbol symbol, BlockList.Template t, Scope scope) {
        Map<String, Meaning> bindings = new LinkedHashMap<>();
        Map<String, SizeOrigin> origins = new LinkedHashMap<>();
        Scope inside = Scope.of(symbol.module());
        if (t.generics().size() > block.generics().size()) {
            throw wrongNumber(block, t);
        }
        for (int i = 0; i < block.generics().size(); i++) {
            Declaration.Generic generic = block.generics().get(i);
            Meaning meaning;
            if (i < t.generics().size()) {
                meaning = argument(generic, t.generics().get(i), scope);
            } else if (generic.value().isPresent()) {
                meaning = body.evaluator.constant(generic.value().get(), inside);
            } else if (generic.template().isPresent()) {
                meaning = new Meaning.TemplateReference(
                        resolve(generic.template().get(), inside));
            } else {
                throw wrongNumber(block, t);
            }
            checkKind(generic, meaning, inside,
                    i < t.generics().size() ? t.generics().get(i).span() : t.span());
            bindings.put(generic.name(), meaning);
            inside.define(generic.name(), meaning);
            Optional<SizeOrigin> origin = i < t.generics().size()
                    ? t.generics().get(i).size().map(size -> new SizeOrigins(body).of(size, scope,
                            body.frame.template().map(owner -> "stated in `"
                                    + owner.declaration().name() + "`").orElse("stated here")))
                    : generic.value().map(size ->
                            new SizeOrigins(body).of(size, inside, SizeOrigins.DEFAULT));
            origin.ifPresent(o -> {
                origins.put(generic.name(), o);
                inside.note(generic.name(), o);
            });
        }
        settings(block.settings(), block.name(), t.settings(), t.span(), scope, inside, bindings);
        return new Template.Concrete(block, symbol.module(), bindings, Map.of(), origins);
    }

    private Failure wrongNumber(Declaration.Block block, BlockList.Template t) {
        String names = String.join(", ",
                block.generics().stream().map(Declaration.Generic::name).toList());
        return body.session.fail(Diagnostic.error("E0205", t.span(),
                        "`" + block.name() + "` takes " + block.generics().size()
                                + (block.generics().size() == 1 ? " generic" : " generics")
                                + ", here "
                                + (t.generics().size() == 1
                                        ? "is 1" : "are " + t.generics().size()))
                .with(block.span(), "they are <" + names + ">")
                .helped("write `" + block.name() + "<" + names + ">` with your own sizes"));
    }

    private Meaning argument(
            Declaration.Generic generic, BlockList.GenericArgument argument, Scope scope) {
        if (generic.kind().isPresent()) {
            if (argument.template().isEmpty()) {
                throw body.session.fail(Diagnostic.error("E0208", argument.span(),
                                "`" + generic.name() + "` is a block, here is a size")
                        .with(generic.span(), "declared here"));
            }
            Map<String, String> stored = new HashMap<>();
            argument.naming().ifPresent(n ->
                    n.inner().forEach(r -> stored.put(r.member(), r.stored())));
            return new Meaning.TemplateReference(
                    withStored(resolve(argument.template().get(), scope), stored));
        }
        if (argument.size().isEmpty()) {
            throw body.session.fail(Diagnostic.error("E0208", argument.span(),
                            "`" + generic.name() + "` is a size, here is a block")
                    .with(generic.span(), "declared here"));
        }
        Meaning size = body.evaluator.constant(argument.size().get(), scope);
        if (!(size instanceof Meaning.Whole) && !(size instanceof Meaning.Unknown)) {
            throw body.fail("E0208", argument.span(),
                    "`" + argument.size().get().span().text() + "` is not a size");
        }
        return size;
    }

    /** Whether a template given for a generic takes and gives what the generic promises. */
    private void checkKind(
            Declaration.Generic generic, Meaning meaning, Scope inside, Span span) {
        if (generic.kind().isEmpty() || !(meaning instanceof Meaning.TemplateReference given)) {
            return;
        }
        Signatures signatures = new Signatures(body);
        Optional<Signatures.Shape> has = signatures.of(given.template());
        if (has.isEmpty()) {
            throw body.fail("E0208", span, "this block has no `forward`");
        }
        Scope promised = inside.inner();
        List<List<Dimension>> wanted = signatures.shapes(generic.kind().get(), promised);
        List<List<Dimension>> found = has.get().all();
        boolean fits = wanted.size() == found.size();
        for (int i = 0; fits && i < wanted.size(); i++) {
            fits = wanted.get(i).size() == found.get(i).size();
            for (int j = 0; fits && j < wanted.get(i).size(); j++) {
                Dimension a = wanted.get(i).get(j);
                Dimension b = found.get(i).get(j);
                boolean isOpen = Signatures.isImplicit(a) || Signatures.isImplicit(b);
                fits = isOpen || !a.differs(b);
            }
        }
        if (!fits) {
            throw body.session.fail(Diagnostic.error("E0304", span,
                            "this block does not fit `" + generic.name() + "`")
                    .labelled("takes and gives " + Signatures.describe(found))
                    .with(generic.span(), "wanted: " + Signatures.describe(wanted)));
        }
    }

    /** Binds settings by position or name; what is left takes its default. */
    void settings(
            List<Declaration.Setting> declared,
            String owner,
            List<Expression.Argument> given,
            Span span,
            Scope scope,
            Scope inside,
            Map<String, Meaning> bindings) {
        Set<String> taken = new HashSet<>();
        Map<String, Meaning> values = new HashMap<>();
        int position = 0;
        for (Expression.Argument argument : given) {
            int at = position;
            Optional<Declaration.Setting> setting = argument.name()
                    .map(n -> declared.stream().filter(d -> d.name().equals(n)).findFirst())
                    .orElseGet(() -> at < declared.size()
                            ? Optional.of(declared.get(at)) : Optional.empty());
            position += argument.name().isPresent() ? 0 : 1;
            if (setting.isEmpty() || !taken.add(setting.get().name())) {
                throw body.session.fail(Diagnostic.error("E0209", argument.value().span(),
                                "`" + owner + "` has no place for this setting")
                        .helped(declared.isEmpty() ? "it takes none"
                                : "it takes " + String.join(", ", declared.stream()
                                        .map(Declaration.Setting::name).toList())));
            }
            values.put(setting.get().name(), body.evaluator.constant(argument.value(), scope));
        }
        for (Declaration.Setting setting : declared) {
            Meaning value = values.get(setting.name());
            if (value == null) {
                if (setting.value().isEmpty()) {
                    throw body.session.fail(Diagnostic.error("E0209", span,
                                    "`" + owner + "` needs `" + setting.name() + "`")
                            .with(setting.span(), "it has no default"));
                }
                value = body.evaluator.constant(setting.value().get(), inside);
            }
            value = typed(setting, value, span);
            bindings.put(setting.name(), value);
            inside.define(setting.name(), value);
        }
    }

    /** A setting's value, as its type wants it: a whole number may stand for a float. */
    private Meaning typed(Declaration.Setting setting, Meaning value, Span span) {
        if (!ModelBindings.fits(setting, value)) {
            throw body.session.fail(Diagnostic.error("E0308", span,
                            "the setting `" + setting.name() + "` is " + setting.type()
                                    + ", here it gets " + switch (value) {
                                        case Meaning.Real r -> r.value();
                                        case Meaning.Whole w -> w.dimension().size();
                                        case Meaning.Truth t -> t.value();
                                        case Meaning.Text t -> "`" + t.value() + "`";
                                        default -> "something else";
                                    })
                    .with(setting.span(), "declared here"));
        }
        return value;
    }

    /** Whether a block, or one inside it, remembers anything. */
    static boolean hasState(Template template) {
        return hasState(template, new HashSet<>());
    }

    private static boolean hasState(Template template, Set<Declaration.Block> seen) {
        if (!(template instanceof Template.Concrete c) || !seen.add(c.declaration())) {
            return false;
        }
        if (!c.declaration().states().isEmpty()) {
            return true;
        }
        for (Meaning binding : c.bindings().values()) {
            if (binding instanceof Meaning.TemplateReference r && hasState(r.template(), seen)) {
                return true;
            }
        }
        for (Declaration.Instance instance : c.declaration().instances()) {
            if (hasState(instance.blocks(), c, seen)) {
                return true;
            }
        }
        return false;
    }

    private static boolean hasState(
            BlockList list, Template.Concrete owner, Set<Declaration.Block> seen) {
        return switch (list) {
            case BlockList.Template t -> {
                boolean own = owner.module().find(t.name())
                        .filter(s -> s.declaration() instanceof Declaration.Block)
                        .map(s -> hasState(new Template.Concrete(
                                (Declaration.Block) s.declaration(), s.module(), Map.of(),
                                Map.of(), Map.of()), seen))
                        .orElse(false);
                yield own || t.generics().stream()
                        .anyMatch(g -> g.template().isPresent()
                                && hasState(g.template().get(), owner, seen));
            }
            case BlockList.Repeated r -> hasState(r.block(), owner, seen);
            case BlockList.Sequence s ->
                    s.items().stream().anyMatch(i -> hasState(i, owner, seen));
            case BlockList.Comprehension c -> hasState(c.block(), owner, seen);
            case BlockList.Either e ->
                    hasState(e.then(), owner, seen) || hasState(e.otherwise(), owner, seen);
        };
    }
}
