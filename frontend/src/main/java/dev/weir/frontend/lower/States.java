package dev.weir.frontend.lower;

import dev.weir.frontend.syntax.Declaration;
import dev.weir.frontend.syntax.Expression;
import dev.weir.ir.diagnostic.Diagnostic;
import dev.weir.ir.diagnostic.Span;
import dev.weir.ir.tensor.Node;
import dev.weir.ir.tensor.Parameter.Part;
import dev.weir.ir.tensor.Scalar;
import dev.weir.ir.tensor.State;
import dev.weir.ir.tensor.Value;
import dev.weir.ir.type.Format;
import dev.weir.ir.type.Size;
import dev.weir.ir.type.TensorType;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.function.Function;

/** What a block remembers: its shapes, its formats, and how it gets into the program. */
final class States {
    private final Frame frame;
    private final Session session;
    private final Map<String, Use> uses = new HashMap<>();

    States(Frame frame, Session session) {
        this.frame = frame;
        this.session = session;
    }

    /** Where a state was first used, and the loops around that. */
    private record Use(List<Span> rounds, Span use) {}

    /**
     * A state's own shape; the first axis of a growing one is its slots, as many as there are where
     * the method stands.
     */
    List<Dimension> shape(Declaration.State declared, Body body) {
        return shape(declared, body, body.appended(declared.name()));
    }

    private List<Dimension> shape(
            Declaration.State declared, Body body, List<String> appended) {
        List<Dimension> shape = new ArrayList<>();
        for (int i = 0; i < declared.axes().size(); i++) {
            Expression axis = declared.axes().get(i);
            boolean grows = i == 0 && axis instanceof Expression.Name n
                    && frame.scope().find(n.name()).isEmpty();
            if (grows) {
                String name = ((Expression.Name) axis).name();
                Size.Symbol symbol = session.slots(
                        Place.join(frame.place().ofStates().path(), name)
                                + (appended.isEmpty() ? "" : " " + appended));
                shape.add(new Dimension(symbol, Size.symbol(name)));
            } else {
                shape.addAll(body.evaluator.dimensions(List.of(axis), frame.scope()));
            }
        }
        return shape;
    }

    boolean grows(Declaration.State declared) {
        return !declared.axes().isEmpty()
                && declared.axes().getFirst() instanceof Expression.Name n
                && !frame.scope().find(n.name())
                        .filter(m -> m instanceof Meaning.Whole).isPresent();
    }

    /** How many slots are kept: what one state says of its slots holds for all that share them. */
    private Optional<Long> kept(Declaration.State declared, Body body) {
        return all().stream()
                .filter(other -> other.keep().isPresent() && grows(declared) && grows(other)
                        && slotsName(other).equals(slotsName(declared)))
                .findFirst().flatMap(other -> kept(other.keep().orElseThrow(), body));
    }

    private Optional<Long> kept(Expression keep, Body body) {
        return body.evaluator.dimensions(List.of(keep), frame.scope()).getFirst().size().constant();
    }

    private List<Declaration.State> all() {
        return frame.template().orElseThrow().declaration().states();
    }

    /** Says what is wrong with what states keep. */
    void checkKept(Body constants) {
        Map<String, Declaration.State> first = new HashMap<>();
        for (Declaration.State state : all()) {
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
        if (frame.template().isEmpty() || session.hasErrors()) {
            return;
        }
        Set<String> everywhere = new HashSet<>();
        frame.template().get().declaration().methods().forEach(
                m -> Trees.appended(m.body().statements(), everywhere));
        Map<String, Declaration.State> first = new HashMap<>();
        for (Declaration.State state : all()) {
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

    // ------------------------------------------------------------------ reading and writing

    /** What an element of a state is when it is read. */
    Format format(Declaration.State declared, Body body) {
        return encoding(declared, shape(declared, body)).format();
    }

    /** A state as it is now. */
    Meaning.Tensor read(Declaration.State declared, Body body, Span span) {
        List<Dimension> shape = shape(declared, body);
        return tensor(declared, shape, span, part -> {
            State state = state(declared, part, body, span);
            Value result = body.newValue(
                    name(declared, part), state.value().type().format(), shaped(shape, part));
            body.emit(new Node.Read(result, state.name(), body.stateInstances(), span));
            return result;
        });
    }

    /** Replaces what a state of constant shape holds. */
    void write(Declaration.State declared, Meaning.Tensor tensor, Body body, Span span) {
        State state = state(declared, Optional.empty(), body, span);
        body.emit(new Node.Write(state.name(), body.stateInstances(), body.inFormat(
                tensor, state.value().type().format(), declared.name(), span), span));
    }

    /** Appends rows to a growing state, and gives it as it is then. */
    Meaning.Tensor append(
            Declaration.State declared, Meaning.Tensor rows, Body body, Span span) {
        List<Dimension> shape = shape(declared, body);
        Encoding encoding = encoding(declared, shape);
        Optional<Rounding> rounded = encoding.quantisation().map(
                q -> new Rounding(
                        body, q, rows, Format.F16, declared.name(), span));
        return tensor(declared, shape, span, part -> {
            State state = state(declared, part, body, span);
            Format format = state.value().type().format();
            Value added = part.map(p -> rounded.orElseThrow().part(p.kind()))
                    .orElseGet(() -> body.inFormat(rows, format, declared.name(), span));
            Value result = body.newValue(name(declared, part), format, shaped(shape, part));
            body.emit(new Node.Append(
                    result, state.name(), body.stateInstances(), added, span));
            return result;
        });
    }

    /** A state as a tensor, of the value that it is, or of those that hold its parts. */
    private Meaning.Tensor tensor(
            Declaration.State declared,
            List<Dimension> shape,
            Span span,
            Function<Optional<Part>, Value> values) {
        Encoding encoding = encoding(declared, shape);
        if (encoding.quantisation().isEmpty()) {
            Value value = values.apply(Optional.empty());
            return new Meaning.Tensor(shape, value.type().format(),
                    coordinates -> Scalar.load(value, coordinates), Optional.of(value), span);
        }
        Quantised quantised = new Quantised(encoding.quantisation().get(),
                shape.getLast().size().constant().orElseThrow(), part -> {
                    Value value = values.apply(part);
                    session.keepsPart(value);
                    return value;
                });
        return new Meaning.Tensor(shape, encoding.format(),
                coordinates -> quantised.at(List.of(), coordinates), Optional.empty(), span);
    }

    private static String name(Declaration.State declared, Optional<Part> part) {
        return declared.name() + part.map(p -> " " + p.kind().word()).orElse("");
    }

    private static List<Dimension> shaped(List<Dimension> shape, Optional<Part> part) {
        List<Dimension> shaped = new ArrayList<>(shape);
        part.ifPresent(p -> shaped.set(shaped.size() - 1, Dimension.of(p.extent())));
        return shaped;
    }

    /**
     * How a state is kept. What is said of all caches quantises growing states of rows; what is
     * carried over, and single numbers, are kept in f32 then.
     */
    private Encoding encoding(Declaration.State declared, List<Dimension> shape) {
        String path = Place.join(frame.place().ofStates().path(), declared.name());
        Encoding selected = frame.precision().cache(path, session::useSelector);
        Encoding wanted = declared.format().flatMap(Encoding::quantised)
                .or(() -> frame.format(declared.format(), declared.span()).map(Encoding::of))
                .orElse(selected);
        boolean hasRows = grows(declared) && shape.size() > 1
                && shape.getLast().size().constant().isPresent();
        if (session.isChecking() || wanted.quantisation().isPresent() && !hasRows) {
            boolean isNamed = declared.format().flatMap(Encoding::quantised).isPresent()
                    || frame.precision().namesState(path);
            if (isNamed && !session.isChecking()) {
                session.report(Encodings.unsupported(declared.span(),
                        "`" + declared.name() + "` as `" + wanted.word() + "`",
                        "states that grow by rows of a known length can be quantised: `state "
                                + declared.name() + "[S, 64]`"));
            }
            return Encoding.of(wanted.format());
        }
        // Blocks that share a state agree with the first that used it.
        return session.program().encodings.computeIfAbsent(path, p -> wanted);
    }

    /** Puts a state into the program; each round of a loop around its use has one of its own. */
    private State state(
            Declaration.State declared, Optional<Part> part, Body body, Span use) {
        Place kept = frame.place().ofStates();
        List<Long> counts = new ArrayList<>(kept.counts());
        StringBuilder name = new StringBuilder(Place.join(kept.path(), declared.name()));
        part.ifPresent(p -> name.append('.').append(p.kind().word()));
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
        Use first = uses.computeIfAbsent(declared.name(), n -> new Use(around, use));
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
        List<Dimension> own = shape(declared, body, List.of());
        frame.checkSize("state", declared.name(), own, declared.span());
        Format format = part.map(Part::format).orElse(encoding(declared, own).format());
        List<Size> shape = new ArrayList<>();
        List<Size> lengths = new ArrayList<>();
        for (long count : counts) {
            shape.add(Size.of(count));
            lengths.add(Size.of(count));
        }
        shape.add(Size.symbol("B"));
        lengths.add(Size.symbol("B"));
        shaped(own, part).forEach(d -> shape.add(d.size()));
        boolean grows = grows(declared);
        State state = new State(path, counts,
                session.value(name(declared, part), new TensorType(format, shape)),
                grows ? Optional.of((Size.Symbol) own.getFirst().size()) : Optional.empty(),
                grows
                        ? Optional.of(session.value(name(declared, part) + "_lengths",
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
