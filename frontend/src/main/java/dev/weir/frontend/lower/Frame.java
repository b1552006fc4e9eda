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
    private final States states;

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
        this.states = new States(this, session);
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
        frame.states.checkKept(constants);
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
        parameter.part().ifPresent(p -> session.keepsWeights(value));
        return value;
    }

    Optional<Format> format(Optional<String> word, Span span) {
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

    /** Refuses what has more elements than any machine can hold. */
    void checkSize(String kind, String name, List<Dimension> shape, Span span) {
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

    /** What the block remembers. */
    States states() {
        return states;
    }

    /** Whether the block has a method of this name, which its own methods cannot call. */
    boolean hasMethod(String name) {
        return template.isPresent() && template.get().declaration().methods().stream()
                .anyMatch(m -> m.name().equals(name));
    }
}
