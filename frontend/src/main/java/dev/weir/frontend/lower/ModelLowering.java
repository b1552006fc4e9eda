package dev.weir.frontend.lower;

import dev.weir.frontend.LowerOptions;
import dev.weir.frontend.NamedShape;
import dev.weir.frontend.resolve.Symbol;
import dev.weir.frontend.stream.Streams;
import dev.weir.frontend.syntax.Declaration;
import dev.weir.frontend.syntax.Expression;
import dev.weir.ir.diagnostic.Diagnostic;
import dev.weir.ir.tensor.Function;
import dev.weir.ir.tensor.Parameter;
import dev.weir.ir.tensor.Region;
import dev.weir.ir.tensor.StreamAxis;
import dev.weir.ir.tensor.TensorProgram;
import dev.weir.ir.tensor.Value;
import dev.weir.ir.tensor.Walk;
import dev.weir.ir.type.Format;
import dev.weir.ir.type.Size;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Collection;
import java.util.Deque;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.stream.Collectors;
import java.util.stream.Stream;

/** Lowers a model with its generics bound to numbers: to one entry and a function a block. */
public final class ModelLowering {
    private final LowerOptions options;
    private final Session session;

    private ModelLowering(LowerOptions options, List<Diagnostic> diagnostics) {
        this.options = options;
        this.session = new Session(false, options.trace(), options.configuration(), diagnostics);
    }

    /**
     * The entries of a model; empty if there were errors, which have been added.
     *
     * @param all whether all are asked for, or the one that the options name
     * @param shapes takes how the parameters are declared, by their paths
     */
    public static Optional<List<TensorProgram>> lower(
            Symbol model, LowerOptions options, boolean all, List<Diagnostic> diagnostics,
            Map<String, NamedShape> shapes) {
        try {
            ModelLowering lowering = new ModelLowering(options, diagnostics);
            Optional<List<TensorProgram>> programs = lowering.lower(model, all);
            shapes.putAll(lowering.session.shapes());
            return programs;
        } catch (Failure reported) {
            return Optional.empty();
        }
    }

    /** What a method of the model has become. */
    private record Entry(
            Declaration.Method method, Function function, Optional<StreamAxis> stream) {}

    /** Whether a model can be lowered for all that has been found so far. */
    public static boolean isPossible(List<Diagnostic> diagnostics) {
        return Session.isSound(diagnostics);
    }

    private Optional<List<TensorProgram>> lower(Symbol chosen, boolean all) {
        Symbol model = Variant.declaration(chosen, session);
        Declaration.Block block = (Declaration.Block) model.declaration();
        Template.Concrete template =
                new ModelBindings(session, model, options.settings()).bound();
        Frame frame = Frame.ofModel(session, chosen, template);
        List<Entry> entries = new ArrayList<>();
        for (Declaration.Method method : methods(block, all)) {
            entries.add(entry(frame, method));
        }
        if (session.isSound()) {
            session.reportUnusedSelectors();
            session.reportUnusedRoundings();
            session.variant().reportUnused();
        }
        if (session.hasErrors()) {
            return Optional.empty();
        }
        List<TensorProgram> programs = new ArrayList<>();
        Set<String> states = new HashSet<>();
        for (Entry e : entries) {
            TensorProgram program = program(block, e, states);
            program.states().forEach(s -> states.add(s.name()));
            programs.add(program);
        }
        return Optional.of(programs);
    }

    /** The methods that are asked for; the one that is meant where none is named comes first. */
    private List<Declaration.Method> methods(Declaration.Block block, boolean all) {
        List<Declaration.Method> methods = new ArrayList<>(block.methods());
        if (methods.isEmpty()) {
            throw session.fail(Diagnostic.error("E0204", block.span(),
                    "`" + block.name() + "` has no `forward`"));
        }
        Optional<Declaration.Method> main = options.entry().map(name -> block.method(name)
                        .orElseThrow(() -> noEntry(block, "`" + block.name()
                                + "` has no entry `" + name + "`")))
                .or(() -> block.method(BlockCalls.FORWARD))
                .or(() -> methods.size() == 1 ? Optional.of(methods.getFirst())
                        : Optional.empty());
        if (main.isPresent() && (!all || options.entry().isPresent())) {
            return List.of(main.get());
        }
        if (!all) {
            throw noEntry(block, "`" + block.name() + "` has several entries, and none is called "
                    + "`forward`");
        }
        main.ifPresent(m -> {
            methods.remove(m);
            methods.addFirst(m);
        });
        return methods;
    }

    private Failure noEntry(Declaration.Block block, String message) {
        return session.fail(Diagnostic.error("E0707", block.span(), message)
                .helped("name one with --entry: " + block.methods().stream()
                        .map(Declaration.Method::name).collect(Collectors.joining(", "))));
    }

    private Entry entry(Frame frame, Declaration.Method method) {
        String name = session.functionName(method.name());
        Body body = new Body(session, frame);
        frame.declareParameters(body);
        Scope scope = frame.scope().inner();
        TemplateCheck.openSizes(method.signature(), scope);
        scope.own().keySet().forEach(session::reserve);
        session.open(scope);
        Region region = new Methods(body).lower(method.signature(), method.body(), scope);
        session.close();
        Optional<StreamAxis> stream = method.signature().formals().stream()
                .filter(f -> !f.axes().isEmpty()).findFirst()
                .map(f -> f.axes().getFirst())
                .filter(a -> a instanceof Expression.Name n && scope.own().containsKey(n.name()))
                .map(a -> new StreamAxis(
                        new Size.Symbol(((Expression.Name) a).name()), Optional.empty()));
        if (!session.hasErrors()) {
            checkEntry(method.signature(), region, stream.map(StreamAxis::size));
        }
        return new Entry(method, new Function(name, "", List.of(), region), stream);
    }

    private TensorProgram program(Declaration.Block block, Entry e, Set<String> taken) {
        Session.Program program = session.program();
        Function entry = Pruning.run(e.function());
        List<Function> functions = called(entry,
                program.functions.values().stream().map(Pruning::run).toList());
        return Streams.run(new TensorProgram(
                block.name(),
                needed(program.parameters.values(), functions, entry),
                List.copyOf(program.states.values()),
                functions,
                entry,
                e.stream(),
                e.method().signature().results().stream()
                        .map(Declaration.Formal::name).toList(),
                Optional.empty(),
                options.configuration().read()), taken);
    }

    /** The functions that an entry calls, directly or not, in their order. */
    private static List<Function> called(Function entry, List<Function> all) {
        Map<String, Function> byName = new HashMap<>();
        all.forEach(f -> byName.put(f.name(), f));
        Set<String> names = new HashSet<>();
        Deque<Function> open = new ArrayDeque<>(List.of(entry));
        while (!open.isEmpty()) {
            Walk.nodes(open.pop().body(), node -> Walk.functions(node).forEach(name -> {
                if (names.add(name)) {
                    open.push(byName.get(name));
                }
            }));
        }
        return all.stream().filter(f -> names.contains(f.name())).toList();
    }

    /** The stream is the first axis of what has it, and the only size that a step decides. */
    private void checkEntry(
            Declaration.Signature signature, Region region, Optional<Size.Symbol> stream) {
        if (signature.formals().isEmpty()) {
            session.report(Diagnostic.error("E0705", signature.span(),
                            "an entry of a model takes no tensor, so nothing says how many "
                                    + "sequences there are")
                    .helped("give it an argument"));
        }
        for (int i = 0; i < region.arguments().size(); i++) {
            checkAxes(signature.formals().get(i), region.arguments().get(i), stream);
        }
        for (int i = 0; i < region.results().size(); i++) {
            checkAxes(signature.results().get(i), region.results().get(i), stream);
        }
    }

    private void checkAxes(
            Declaration.Formal formal, Value value, Optional<Size.Symbol> stream) {
        List<Size> shape = value.type().shape();
        boolean counts = value.type().format() == Format.I64 && shape.size() == 1
                && stream.isPresent() && shape.getFirst().equals(stream.get());
        if (Methods.isPositions(formal) && !counts) {
            session.report(Diagnostic.error("E0705", formal.span(),
                            "`positions` are whole numbers along the stream, `" + formal.name()
                                    + "` is " + value.type())
                    .helped(stream.map(s -> "declare it as `" + formal.name() + "[" + s.name()
                                    + "]: int = positions`")
                            .orElse("this model has no stream")));
        }
        for (int axis = 0; axis < shape.size(); axis++) {
            Size size = shape.get(axis);
            boolean isStream = stream.isPresent() && size.equals(stream.get());
            if (size.isConstant() || isStream && axis == 0) {
                continue;
            }
            session.report(Diagnostic.error("E0705", formal.span(), isStream
                            ? "`" + formal.name() + "` has the stream `" + size + "` as axis "
                                    + axis + "; a model's arguments and results have it first"
                            : "the size `" + size + "` of `" + formal.name()
                                    + "` is known only at run time, and it is not the stream")
                    .labelled("axes " + shape.stream().map(Size::toString)
                            .collect(Collectors.joining(", ", "[", "]")))
                    .helped(isStream
                            ? "turn it round: `" + formal.name() + "[" + size + ", …]`"
                            : stream.map(s -> "make it a generic with a default, or use `" + s
                                            + "`")
                                    .orElse("the stream is the first axis of the first argument; "
                                            + "other sizes are generics with a default")));
            return;
        }
    }

    /** The parameters without those that may be absent and that nobody reads. */
    private static List<Parameter> needed(
            Collection<Parameter> parameters, List<Function> functions, Function entry) {
        Set<Value> read = new HashSet<>();
        Stream.concat(functions.stream(), Stream.of(entry)).forEach(function -> {
            read.addAll(function.body().results());
            Walk.nodes(function.body(), node -> {
                read.addAll(Walk.reads(node));
                Walk.regions(node).forEach(r -> read.addAll(r.results()));
            });
        });
        return parameters.stream()
                .filter(p -> !p.optional() || read.contains(p.value()))
                .toList();
    }
}
