package dev.weir.frontend.lower;

import dev.weir.frontend.resolve.Symbol;
import dev.weir.frontend.syntax.BlockList;
import dev.weir.frontend.syntax.Declaration;
import dev.weir.frontend.syntax.Expression;
import dev.weir.ir.diagnostic.Diagnostic;
import dev.weir.ir.diagnostic.Span;
import dev.weir.ir.tensor.Parameter;
import dev.weir.ir.tensor.Scalar;
import dev.weir.ir.tensor.State;
import dev.weir.ir.tensor.Value;
import dev.weir.ir.type.Format;
import dev.weir.ir.type.Size;
import dev.weir.ir.type.TensorType;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.HashSet;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.function.Function;
import java.util.Set;

/** A block at its place in the model, or a function: the names that its body sees. */
final class Frame {
    private static final String THERE = "f32, bf16, f16, f8e4m3, f8e5m2, int and bool are there; "
            + "parameters may be int8, int4 and int2 too";

    private static final double MOST_ELEMENTS = 1L << 48;

    private final Session session;
    private final Optional<Template.Concrete> template;
    private final Place place;
    private final Precision precision;
    private final Scope scope;
    private final List<Value> instances = new ArrayList<>();
    private final Map<String, Meaning.Tensor> parameters = new HashMap<>();
    private final Map<String, StateUse> stateUses = new HashMap<>();

    private Frame(
            Session session,
            Optional<Template.Concrete> template,
            Place place,
            Precision precision,
            Scope scope) {
        this.session = session;
        this.template = template;
        this.place = place;
        this.precision = precision;
        this.scope = scope;
        for (int i = 0; i < place.counts().size(); i++) {
            instances.add(session.value("instance" + i, TensorType.scalar(Format.I64)));
        }
    }

    /** The frame of a function of the source, which lives nowhere in the model. */
    static Frame ofFunction(Session session, Scope scope, Precision precision) {
        return new Frame(session, Optional.empty(), Place.root(), precision, scope);
    }

    /** The frame of a block: generics under their own names, members, and their templates. */
    static Frame ofBlock(
            Session session, Template.Concrete template, Place place, Precision around) {
        Scope scope = Scope.of(template.module());
        template.bindings().forEach((name, meaning) -> scope.define(name,
                meaning instanceof Meaning.Whole w
                        ? new Meaning.Whole(w.dimension().renamed(name)) : meaning));
        template.origins().forEach(scope::note);
        session.open(scope);
        try {
            return ofBlock(session, template, place, around, scope);
        } finally {
            session.close();
        }
    }

    private static Frame ofBlock(
            Session session, Template.Concrete template, Place place, Precision around,
            Scope scope) {
        Declaration.Block block = template.declaration();
        Frame naming = new Frame(session, Optional.of(template), place, around, scope);
        Body constants = new Body(session, naming);
        Frame frame = new Frame(session, Optional.of(template), place,
                new Encodings(session, scope, constants).of(block, around), scope);
        frame.checkConditions(constants);
        frame.checkKept(constants);
        for (Declaration.Parameter p : block.parameters()) {
            scope.define(p.name(), new Meaning.ParameterReference(p));
        }
        for (Declaration.State s : block.states()) {
            scope.define(s.name(), new Meaning.StateReference(s));
        }
        for (Declaration.Instance instance : block.instances()) {
            Meaning blocks;
            try {
                blocks = frame.blocks(instance, constants);
            } catch (Failure reported) {
                blocks = new Meaning.Poison();
            }
            scope.define(instance.name(), blocks);
        }
        return frame;
    }

    /**
     * The frame of a model, with what it changes of a base taken up.
     *
     * @param chosen as it is declared, where {@code template} holds the changed base
     */
    static Frame ofModel(Session session, Symbol chosen, Template.Concrete template) {
        Scope sizes = Scope.of(template.module());
        template.bindings().forEach(sizes::define);
        session.variant().add(chosen, new Body(
                session, ofFunction(session, sizes, Precision.none())), sizes);
        return ofBlock(session, template, Place.root(), Precision.none());
    }

    private void checkConditions(Body constants) {
        for (Expression condition : template.orElseThrow().declaration().conditions()) {
            try {
                Meaning holds = constants.evaluator.constant(condition, scope);
                if (!(holds instanceof Meaning.Truth) && !(holds instanceof Meaning.Unknown)) {
                    session.report(Diagnostic.error("E0401", condition.span(),
                                    "`where` states a condition, here is a number")
                            .helped("compare it with something: `… > 0`"));
                }
                if (holds instanceof Meaning.Truth truth && !truth.value()) {
                    session.report(Diagnostic.error("E0311", condition.span(),
                                    "`" + template.orElseThrow().declaration().name()
                                            + "` needs `" + condition.span().text() + "`")
                            .labelled("does not hold" + with(condition, constants))
                            .helped(unmet(condition, constants)));
                }
            } catch (Failure reported) {
                // the condition itself is at fault and has been reported
            }
        }
    }

    /** What a condition is about: its sizes, and the fields of the configuration that it reads. */
    private String with(Expression condition, Body constants) {
        Set<String> names = new LinkedHashSet<>();
        Trees.names(condition, names);
        List<String> parts = new ArrayList<>();
        names.forEach(name -> scope.number(name).ifPresent(n -> parts.add(name + " = " + n)));
        new SizeOrigins(constants).fields(condition, scope).forEach(path -> parts.add(path
                + session.configuration().field(path).map(v -> " = " + v).orElse(" absent")));
        return parts.isEmpty() ? "" : " with " + String.join(", ", parts);
    }

    private String unmet(Expression condition, Body constants) {
        Set<String> fields = new SizeOrigins(constants).fields(condition, scope);
        return fields.isEmpty() ? "change the sizes that it is used with"
                : "the program is not written for a checkpoint whose config.json says so: "
                        + "use a program that is, or another checkpoint";
    }

    Scope scope() {
        return scope;
    }

    Place place() {
        return place;
    }

    Precision precision() {
        return precision;
    }

    List<Value> instances() {
        return instances;
    }

    Optional<Template.Concrete> template() {
        return template;
    }

    private Meaning.Blocks blocks(Declaration.Instance instance, Body constants) {
        Templates templates = new Templates(constants);
        List<String> names = instance.naming()
                .map(Declaration.Naming::names).filter(n -> !n.isEmpty())
                .orElseGet(() -> List.of(storedName(instance.name())));
        Map<String, String> inner = new HashMap<>();
        instance.naming().ifPresent(n ->
                n.inner().forEach(r -> inner.put(r.member(), r.stored())));
        Place member = place.then(new Place.Member(instance.name())).storedAs(names);
        boolean isList = !(instance.blocks() instanceof BlockList.Template);
        List<Templates.Run> runs =
                held(replaced(instance, isList, templates.runs(instance.blocks(), scope)));
        List<Meaning.Stretch> stretches = new ArrayList<>();
        Dimension first = Dimension.of(0);
        for (Templates.Run run : runs) {
            Template block = Templates.withStored(run.template(), inner);
            Place at = member;
            if (isList && run.indexed()) {
                long before = first.size().constant().orElse(0L);
                Positions positions = run.positions().orElse(new Positions(List.of(before)));
                at = named(instance, member, run, before, constants).then(
                        new Place.ListElement(
                                run.count().size().constant().orElse(1L), positions));
            } else if (isList) {
                String position = Polynomial.of(first.size()).toString();
                at = named(instance, member, run, first.size().constant().orElse(0L), constants)
                        .then(new Place.Member(position));
            }
            stretches.add(new Meaning.Stretch(
                    block, run.positions().map(p -> Dimension.of(p.first())).orElse(first),
                    run.count(), run.indexed(), run.positions(), at));
            first = first.plus(run.count());
        }
        if (stretches.isEmpty()) {
            throw session.fail(Diagnostic.error("E0208", instance.span(),
                    "`" + instance.name() + "` holds no block"));
        }
        return new Meaning.Blocks(instance.name(), stretches, isList, instance.span());
    }

    /** Where elements of a list are stored: with their numbers, or with what is said of these. */
    private Place named(
            Declaration.Instance instance, Place member, Templates.Run run, long first,
            Body constants) {
        List<Expression.Lambda> said = instance.naming()
                .map(Declaration.Naming::numbers).orElse(List.of());
        if (said.isEmpty() || session.isChecking()) {
            said.forEach(f -> number(f, new Meaning.Unknown(), constants));
            return run.indexed()
                    ? member.element(member.nextPlaceholder(
                            run.positions().orElse(new Positions(List.of(first))).shift()))
                    : member.element(String.valueOf(first));
        }
        List<Long> places = run.places(first);
        return member.element(said.stream().map(f -> {
            List<String> numbers = places.stream().map(p -> number(
                    f, new Meaning.Whole(Dimension.of(p)), constants)).toList();
            return run.indexed() ? member.nextPlaceholder(":" + String.join(",", numbers))
                    : numbers.getFirst();
        }).toList());
    }

    /** What stands in the stored name of an element of a list. */
    private String number(Expression.Lambda said, Meaning element, Body constants) {
        Scope inner = scope.inner();
        said.names().forEach(name -> inner.define(name, element));
        Meaning number = constants.evaluator.constant(said.body(), inner);
        Optional<Long> known = number instanceof Meaning.Whole w
                ? w.dimension().size().constant().filter(n -> n >= 0) : Optional.empty();
        if (known.isEmpty() && !(number instanceof Meaning.Unknown)) {
            throw session.fail(Diagnostic.error("E0211", said.body().span(),
                            "in a stored name stands a whole number that is not negative")
                    .labelled("this is none")
                    .helped("write a function of the element's number: `fn(i) -> 2 * i`"));
        }
        return known.map(String::valueOf).orElse("");
    }

    /** Without the runs of no block, such as `A * 0` before others; no list is without any run. */
    private static List<Templates.Run> held(List<Templates.Run> runs) {
        List<Templates.Run> held = runs.stream()
                .filter(r -> !r.count().size().equals(Size.of(0))).toList();
        return held.isEmpty() ? runs.stream().limit(1).toList() : held;
    }

    /**
     * The blocks of a member, with what a derived model has in their place; where only some of them
     * are named, by that, by a format or by what is left out, they are told apart.
     */
    private List<Templates.Run> replaced(
            Declaration.Instance instance, boolean isList, List<Templates.Run> runs) {
        List<Selector.Elements> named = new ArrayList<>(
                session.variant().replacedElements(place, instance.name()));
        named.addAll(precision.elements(place.path(), instance.name()));
        named.addAll(session.variant().droppedElements(place, instance.name()));
        checkElements(instance, runs, named);
        List<Templates.Run> result = new ArrayList<>();
        long first = 0;
        for (Templates.Run run : runs) {
            // A template's list of unknown length stands for one of the elements that are named.
            boolean isOpen = session.isChecking() && run.count().size().constant().isEmpty();
            long from = isOpen && !named.isEmpty() ? named.getFirst().first() : first;
            for (Templates.Run one : named.isEmpty() || isOpen
                    ? List.of(run) : run.divided(first, named)) {
                Optional<Long> position = !isList ? Optional.empty() : Optional.of(
                        one.positions().map(Positions::first).orElse(from));
                result.add(replacement(instance, position)
                        .filter(other -> !(one.template() instanceof Template.None))
                        .map(one::with).orElse(one));
            }
            first += run.count().size().constant().orElse(1L);
        }
        return result;
    }

    /** Elements that are named are there, as far as it is known how many there are. */
    private void checkElements(
            Declaration.Instance instance,
            List<Templates.Run> runs,
            List<Selector.Elements> named) {
        Optional<Long> count = runs.stream().map(Templates.Run::count).reduce(Dimension::plus)
                .flatMap(all -> all.size().constant());
        for (Selector.Elements elements : named) {
            if (count.filter(elements::leave).isPresent()) {
                session.report(Diagnostic.error("E0603", elements.span(),
                                "`" + instance.name() + "` has no such elements")
                        .labelled("its elements are 0.." + count.get())
                        .with(instance.span(), "the list"));
            }
        }
    }

    private Optional<Template> replacement(
            Declaration.Instance instance, Optional<Long> position) {
        return session.variant().replacement(place, instance.name(), position).map(found -> {
            Scope names = Scope.of(found.module());
            for (String name : scope.own().keySet()) {
                scope.find(name).ifPresent(m -> names.define(name, m));
            }
            return new Templates(new Body(session, this))
                    .resolve(found.source().template(), names);
        });
    }

    private String storedName(String member) {
        return template.map(t -> t.stored().getOrDefault(member, member)).orElse(member);
    }

    /** A parameter as a tensor of the present instance. */
    Meaning.Tensor parameter(Declaration.Parameter declared, Body body) {
        return parameter(declared, body,
                instances.stream().map(i -> Scalar.load(i, List.of())).toList());
    }

    /** A parameter as a tensor of given instances of this block. */
    Meaning.Tensor parameter(
            Declaration.Parameter declared, Body body, List<Scalar> instances) {
        Meaning.Tensor known = parameters.get(declared.name());
        if (known != null) {
            return known;
        }
        List<Dimension> shape = body.evaluator.dimensions(declared.axes(), scope);
        checkSize("parameter", declared.name(), shape, declared.span());
        String path = Place.join(place.parameterPath(), declared.name());
        session.shapes().computeIfAbsent(path, p -> SizeOrigins.shape(shape, scope));
        Encoding selected = precision.weights(path, shape.size(), session::useSelector);
        Encoding encoding = declared.format().flatMap(Encoding::quantised)
                .or(() -> format(declared.format(), declared.span()).map(Encoding::of))
                .orElse(selected);
        List<Size> whole = new ArrayList<>();
        List<Scalar> prefix = new ArrayList<>();
        for (int i = 0; i < instances.size(); i++) {
            if (place.areLists().get(i)) {
                whole.add(Size.of(place.counts().get(i)));
                prefix.add(instances.get(i));
            }
        }
        shape.forEach(d -> whole.add(d.size()));
        Optional<Stored> stored = declared.binding().map(
                b -> new Stored(body, declared, prefix.size(), shape));
        Function<Optional<Parameter.Part>, Value> declare = part -> declare(new Parameter(
                part.map(p -> session.value(declared.name() + " " + p.kind().word(),
                                Quantised.type(p, whole)))
                        .orElseGet(() -> session.value(declared.name(),
                                new TensorType(encoding.format(), whole))),
                prefix.size(), path,
                stored.map(x -> x.names(place)).orElseGet(() -> storedNames(declared)),
                declared.optional(),
                declared.optional() ? declared.initial().orElse(0.0) : 0.0,
                stored.map(Stored::layout), part));
        Meaning.Tensor tensor;
        if (encoding.quantisation().isPresent() && Quantised.applies(shape, session)) {
            Quantised quantised = new Quantised(encoding.quantisation().get(),
                    shape.getLast().size().constant().orElseThrow(), declare);
            tensor = new Meaning.Tensor(shape, encoding.format(),
                    coordinates -> quantised.at(prefix, coordinates),
                    Optional.empty(), declared.span());
        } else {
            Value value = declare.apply(Optional.empty());
            tensor = new Meaning.Tensor(shape, encoding.format(),
                    coordinates -> {
                        List<Scalar> all = new ArrayList<>(prefix);
                        all.addAll(coordinates);
                        return Scalar.load(value, all);
                    },
                    prefix.isEmpty() ? Optional.of(value) : Optional.empty(), declared.span());
        }
        parameters.put(declared.name(), tensor);
        return tensor;
    }

    /** The value of a parameter, or of the one that is known under its path. */
    private Value declare(Parameter parameter) {
        Map<String, Parameter> known = session.program().parameters;
        if (session.isChecking()) {
            return Optional.ofNullable(known.get(parameter.identity())).orElse(parameter).value();
        }
        known.putIfAbsent(parameter.identity(), parameter);
        Value value = known.get(parameter.identity()).value();
        parameter.part().ifPresent(p -> session.keepsPart(value));
        return value;
    }

    private Optional<Format> format(Optional<String> word, Span span) {
        if (word.filter(Formats::isPlanned).isPresent()) {
            session.report(Encodings.unsupported(span, "format `" + word.get() + "`", THERE));
        } else if (word.isPresent() && Formats.named(word.get()).isEmpty()) {
            session.report(Diagnostic.error("E0601", span,
                            "there is no format `" + word.get() + "`")
                    .helped(THERE));
        }
        return word.flatMap(Formats::named);
    }

    private List<String> storedNames(Declaration.Parameter declared) {
        List<String> names = Optional.ofNullable(
                        template.orElseThrow().stored().get(declared.name()))
                .map(List::of)
                .or(() -> declared.naming().map(Declaration.Naming::names)
                        .filter(n -> !n.isEmpty()))
                .orElse(List.of(declared.name()));
        return place.storedAs(names).stored();
    }

    /** Every parameter, so that a checkpoint is asked for those of unused members too. */
    void declareParameters(Body body) {
        for (Declaration.Parameter p : template.orElseThrow().declaration().parameters()) {
            try {
                parameter(p, body);
            } catch (Failure reported) {
                parameters.remove(p.name());
            }
        }
    }

    /** Where a state was first used, and the loops around that. */
    private record StateUse(List<Span> rounds, Span use) {}

    /**
     * A state's own shape; the first axis of a growing one is its slots, as many as there are where
     * the method stands.
     */
    List<Dimension> stateShape(Declaration.State declared, Body body) {
        return stateShape(declared, body, body.appended(declared.name()));
    }

    private List<Dimension> stateShape(
            Declaration.State declared, Body body, List<String> appended) {
        List<Dimension> shape = new ArrayList<>();
        for (int i = 0; i < declared.axes().size(); i++) {
            Expression axis = declared.axes().get(i);
            boolean grows = i == 0 && axis instanceof Expression.Name n
                    && scope.find(n.name()).isEmpty();
            if (grows) {
                String name = ((Expression.Name) axis).name();
                Size.Symbol symbol = session.slots(
                        Place.join(place.ofStates().path(), name)
                                + (appended.isEmpty() ? "" : " " + appended));
                shape.add(new Dimension(symbol, Size.symbol(name)));
            } else {
                shape.addAll(body.evaluator.dimensions(List.of(axis), scope));
            }
        }
        return shape;
    }

    /** Refuses what has more elements than any machine can hold. */
    private void checkSize(String kind, String name, List<Dimension> shape, Span span) {
        double elements = shape.stream().mapToDouble(d -> d.size().constant().orElse(1L))
                .reduce(1, (a, b) -> a * b);
        if (elements > MOST_ELEMENTS) {
            throw session.fail(Diagnostic.error("E0318", span,
                            "the " + kind + " `" + name + "` has " + String.format(
                                    Locale.ROOT, "%.1e", elements) + " elements, more than any "
                                    + "machine holds")
                    .labelled("its axes are " + Signatures.shape(shape))
                    .helped("look at the sizes in config.json, in --set and in the program"));
        }
    }

    /** Whether the block has a method of this name, which its own methods cannot call. */
    boolean hasMethod(String name) {
        return template.isPresent() && template.get().declaration().methods().stream()
                .anyMatch(m -> m.name().equals(name));
    }

    boolean grows(Declaration.State declared) {
        return !declared.axes().isEmpty()
                && declared.axes().getFirst() instanceof Expression.Name n
                && !scope.find(n.name()).filter(m -> m instanceof Meaning.Whole).isPresent();
    }

    /** How many slots are kept: what one state says of its slots holds for all that share them. */
    private Optional<Long> kept(Declaration.State declared, Body body) {
        return states().stream()
                .filter(other -> other.keep().isPresent() && grows(declared) && grows(other)
                        && slotsName(other).equals(slotsName(declared)))
                .findFirst().flatMap(other -> kept(other.keep().orElseThrow(), body));
    }

    private Optional<Long> kept(Expression keep, Body body) {
        return body.evaluator.dimensions(List.of(keep), scope).getFirst().size().constant();
    }

    private List<Declaration.State> states() {
        return template.orElseThrow().declaration().states();
    }

    /** Says what is wrong with what states keep. */
    private void checkKept(Body constants) {
        Map<String, Declaration.State> first = new HashMap<>();
        for (Declaration.State state : states()) {
            if (state.keep().isEmpty()) {
                continue;
            }
            Expression keep = state.keep().get();
            Optional<Long> size = kept(keep, constants);
            if (!grows(state)) {
                session.report(Diagnostic.error("E0506", keep.span(),
                                "`" + state.name() + "` does not grow, so it forgets nothing")
                        .with(state.span(), "its size is fixed")
                        .helped("leave `keep last` out"));
                continue;
            }
            if (size.filter(n -> n < 1).isPresent()) {
                session.report(Diagnostic.error("E0506", keep.span(),
                                "a state keeps the row that comes, so at least 1, here "
                                        + size.get())
                        .with(state.span(), "declared here"));
            }
            Declaration.State other = first.putIfAbsent(slotsName(state), state);
            if (other != null && !kept(other.keep().orElseThrow(), constants).equals(size)) {
                session.report(Diagnostic.error("E0506", keep.span(),
                                "`" + state.name() + "` and `" + other.name()
                                        + "` share their slots, but do not keep equally many")
                        .with(other.keep().orElseThrow().span(), "here another number")
                        .helped("say it once; it holds for all states with the axis `"
                                + slotsName(state) + "`"));
            }
        }
    }

    /** Says which states a method has not appended to together, though they share their slots. */
    void checkAppended(Body body, Span span) {
        if (template.isEmpty() || session.hasErrors()) {
            return;
        }
        Set<String> everywhere = new HashSet<>();
        template.get().declaration().methods().forEach(
                m -> Trees.appended(m.body().statements(), everywhere));
        Map<String, Declaration.State> first = new HashMap<>();
        for (Declaration.State state : states()) {
            if (!grows(state) || !everywhere.contains(state.name())) {
                continue;
            }
            Declaration.State other = first.putIfAbsent(slotsName(state), state);
            if (other != null
                    && !body.appended(other.name()).equals(body.appended(state.name()))) {
                session.report(Diagnostic.error("E0509", span,
                                "`" + other.name() + "` and `" + state.name()
                                        + "` share the slots `" + slotsName(state)
                                        + "`, but do not get the same rows here")
                        .with(other.span(), "the one").with(state.span(), "the other")
                        .helped("append to both side by side, equally many rows, or give them "
                                + "axes of different names"));
            }
        }
    }

    private static String slotsName(Declaration.State declared) {
        return ((Expression.Name) declared.axes().getFirst()).name();
    }

    /** Puts a state into the program; each round of a loop around its use has one of its own. */
    State state(Declaration.State declared, Body body, Span use) {
        Place kept = place.ofStates();
        List<Long> counts = new ArrayList<>(kept.counts());
        StringBuilder name = new StringBuilder(Place.join(kept.path(), declared.name()));
        List<Body.Around> rounds = body.rounds();
        for (Body.Around loop : rounds) {
            if (loop.end().isEmpty() && !session.isChecking()) {
                session.report(Diagnostic.error("E0504", use,
                                "`" + declared.name() + "` is remembered for each round of a loop "
                                        + "whose length is not known")
                        .with(loop.span(), "this loop")
                        .helped("state a maximum: `while … max 8`"));
            }
            name.append("[{").append(counts.size()).append("}]");
            counts.add(loop.end().orElse(1L));
        }
        List<Span> around = rounds.stream().map(Body.Around::span).toList();
        StateUse first = stateUses.computeIfAbsent(
                declared.name(), n -> new StateUse(around, use));
        if (!first.rounds().equals(around)) {
            throw session.fail(Diagnostic.error("E0507", use,
                            "`" + declared.name() + "` is used in different loops, and each round "
                                    + "of a loop has a state of its own")
                    .labelled(around.isEmpty() ? "here no round is meant" : "here this loop's")
                    .with(first.use(), first.rounds().isEmpty()
                            ? "here no round is meant" : "here another loop's")
                    .helped("take what the loop needs out of the state before it, or declare a "
                            + "state for each use"));
        }
        String path = name.toString();
        List<Dimension> own = stateShape(declared, body, List.of());
        checkSize("state", declared.name(), own, declared.span());
        Format selected = precision.cache(path, session::useSelector).format();
        Format format = format(declared.format(), declared.span()).orElse(selected);
        List<Size> shape = new ArrayList<>();
        List<Size> lengths = new ArrayList<>();
        for (long count : counts) {
            shape.add(Size.of(count));
            lengths.add(Size.of(count));
        }
        shape.add(Size.symbol("B"));
        lengths.add(Size.symbol("B"));
        own.forEach(d -> shape.add(d.size()));
        boolean grows = grows(declared);
        State state = new State(path, counts,
                session.value(declared.name(), new TensorType(format, shape)),
                grows ? Optional.of((Size.Symbol) own.getFirst().size()) : Optional.empty(),
                grows
                        ? Optional.of(session.value(declared.name() + "_lengths",
                                new TensorType(Format.I64, lengths)))
                        : Optional.empty(),
                kept(declared, body),
                declared.initial().orElse(0.0));
        State known = session.program().states.get(path);
        if (known != null && !known.ownShape().equals(state.ownShape())) {
            throw session.fail(Diagnostic.error("E0508", use,
                            "`" + declared.name() + "` has the shape " + state.ownShape()
                                    + " here, and " + known.ownShape() + " where it was first "
                                    + "used")
                    .with(declared.span(), "declared here")
                    .helped("blocks that share a state declare it alike"));
        }
        if (known != null) {
            return known;
        }
        if (!session.isChecking()) {
            session.program().states.put(path, state);
        }
        return state;
    }
}
