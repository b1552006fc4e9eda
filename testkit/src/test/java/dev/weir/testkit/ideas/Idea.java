package dev.weir.testkit.ideas;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import dev.weir.codegen.llvm.LlvmCompiler.Effort;
import dev.weir.compiler.Compiler;
import dev.weir.frontend.Configuration;
import dev.weir.frontend.LowerOptions;
import dev.weir.ir.diagnostic.Source;
import dev.weir.ir.kernel.KernelCompiler;
import dev.weir.ir.tensor.IndexRanges;
import dev.weir.ir.tensor.Parameter;
import dev.weir.ir.tensor.TensorProgram;
import dev.weir.ir.type.Size;
import dev.weir.runtime.ledger.Ledger;
import dev.weir.runtime.memory.Pool;
import dev.weir.runtime.memory.Tensor;
import dev.weir.runtime.model.Engine;
import dev.weir.runtime.model.InterpretedModel;
import dev.weir.runtime.model.Model;
import dev.weir.runtime.model.Signature;
import dev.weir.testkit.RandomWeights;
import dev.weir.testkit.TestModel;
import dev.weir.testkit.TestModel.Target;
import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Random;
import java.util.Set;
import java.util.TreeMap;
import java.util.TreeSet;
import java.util.function.UnaryOperator;
import java.util.regex.Pattern;

/**
 * A program of {@code examples} beside its textbook form, which a test writes out in plain Java.
 *
 * <p>{@link #is} runs the program with random weights and inputs at the small sizes that the
 * example's description states, and at the other sizes of the test: on the interpreter, the JVM and
 * LLVM. It compares with the textbook form the results of one step; of many steps, if the program can
 * be taken in steps; of the program's other forms, interpreted, by LLVM at the one sizes and on the
 * JVM at the others; and the ledger with the work that the textbook form did, and with what the
 * interpreter did element by element. That the comparison can fail is part of it: other numbers in
 * any one parameter have to change the textbook form's result. Where the textbook form compares
 * something with a threshold ({@link Work#isAbove}), other random numbers are looked for until some
 * lie closely above it, and some closely below, and the interpreter has to decide there as it does.
 *
 * <p>A program with several entries runs those of {@link #context} first, on inputs of their own:
 * the textbook form asks for them as {@code entry.argument}, and gives the rows of all entries'
 * results one behind the other.
 */
final class Idea {
    /** What {@code weir bench} measures, behind what the description says. */
    private static final String MEASURED = "idea.weir";
    private static final double BOUND = 2e-4;
    private static final int SEEDS = 5000;
    private static final ObjectMapper JSON = new ObjectMapper();

    /** Rows of the first result, any axes behind the first merged. */
    interface Reference {
        double[][] of(Given given);
    }

    private record Form(String name, String text) {}

    /** An entry that runs over so many elements. */
    private record Part(String entry, int tokens) {}

    private final String name;
    private final List<Form> forms = new ArrayList<>();
    private final List<Map<String, String>> sizes = new ArrayList<>();
    private final List<Part> context = new ArrayList<>();
    private Optional<String> entry = Optional.empty();
    private final Map<String, Double> scales = new LinkedHashMap<>();
    private final JsonNode description;
    private long ids;
    private int tokens = 11;
    private int calls = 1;
    private long seed = 3;
    private boolean whole;

    private Idea(String name) {
        this.name = name;
        Path folder = TestModel.ROOT.resolve("examples").resolve(name);
        forms.add(new Form(MEASURED, TestModel.text(folder.resolve(MEASURED))));
        try {
            description = JSON.readTree(TestModel.text(folder.resolve("example.json")));
            Map<String, String> small = new TreeMap<>();
            description.path("small").properties().forEach(
                    e -> small.put(e.getKey(), e.getValue().asText()));
            sizes.add(small);
            ids = description.path("ids").asLong(0);
        } catch (IOException e) {
            throw new AssertionError(e);
        }
    }

    /** {@code idea.weir} of an example. */
    static Idea example(String name) {
        return new Idea(name);
    }

    /** The second sizes: {@code "D=5 F=7"}. */
    Idea sizes(String settings) {
        sizes.add(settings(settings));
        return this;
    }

    /** Small sizes beside those of the example's description, of what another file has as well. */
    Idea small(String settings) {
        sizes.getFirst().putAll(settings(settings));
        return this;
    }

    private static Map<String, String> settings(String text) {
        Map<String, String> settings = new TreeMap<>();
        for (String setting : text.split(" ")) {
            settings.put(setting.substring(0, setting.indexOf('=')),
                    setting.substring(setting.indexOf('=') + 1));
        }
        return settings;
    }

    /** The random numbers of each parameter whose path ends so are so many times as large. */
    Idea scaled(String parameter, double factor) {
        scales.put(parameter, factor);
        return this;
    }

    Idea tokens(int count) {
        tokens = count;
        return this;
    }

    /** An entry that has taken so many elements before. */
    Idea context(String entry, int tokens) {
        context.add(new Part(entry, tokens));
        return this;
    }

    /** The entry that is compared, where the example measures one of those before it. */
    Idea entry(String name) {
        entry = Optional.of(name);
        return this;
    }

    /** The entry that is compared; of a program with one alone, this. */
    private String entry(List<TensorProgram> programs) {
        return entry.orElseGet(() -> description.path("entry").asText(
                programs.getFirst().entry().name()));
    }

    /**
     * A model without a stream is called so often in one session. The textbook form gets the inputs
     * of the second call as {@code argument#2}, and gives the rows of all calls one behind the
     * other.
     */
    Idea calls(int count) {
        calls = count;
        return this;
    }

    /** What lies above each whole number of the inputs, where the example itself takes none. */
    Idea ids(long most) {
        ids = most;
        return this;
    }

    /** Another seed, where the usual one lets a gate stay shut. */
    Idea seed(long other) {
        seed = other;
        return this;
    }

    /** It takes whole sequences: steps are refused. */
    Idea takesWholeSequences() {
        whole = true;
        return this;
    }

    /** The same written otherwise, with parameters of the same paths. */
    Idea form(String form, UnaryOperator<String> change) {
        String text = change.apply(forms.getFirst().text());
        assertNotEquals(forms.getFirst().text(), text, form + " is the same text");
        forms.add(new Form(form, text));
        return this;
    }

    /** The idea itself in another shape, with a textbook form of its own. */
    Idea written(UnaryOperator<String> change) {
        Form main = forms.getFirst();
        String text = change.apply(main.text());
        assertNotEquals(main.text(), text, "the same text");
        forms.set(0, new Form(main.name(), text));
        return this;
    }

    /** Another form of the idea, in a file of its own beside it. */
    Idea file(String file) {
        forms.set(0, new Form(file, TestModel.text(
                TestModel.ROOT.resolve("examples").resolve(name).resolve(file))));
        return this;
    }

    /** Everything that the class comment says. */
    void is(Reference reference) {
        assertTrue(sizes.size() > 1, "an idea is compared at two sizes");
        if (forms.getFirst().name().equals(MEASURED)) {
            List<String> measured = new ArrayList<>();
            if (description.path("context").isObject()) {
                description.path("context").fieldNames().forEachRemaining(measured::add);
            }
            entry.ifPresent(other -> measured.add(description.path("entry").asText()));
            assertEquals(measured, context.stream().map(Part::entry).toList(),
                    "what is tested before the step, and what " + name + " measures");
        }
        for (int s = 0; s < sizes.size(); s++) {
            for (Form form : forms) {
                Trial trial = new Trial(form, sizes.get(s), seed);
                Given given = trial.given(trial.weights);
                double[][] expected = reference.of(given);
                if (form.equals(forms.getFirst())) {
                    trial.everyParameterMatters(reference, expected);
                    if (s == 0) {
                        trial.decidesCloseToThresholds(reference, given.work().sides());
                    }
                }
                for (Target target : Target.values()) {
                    // To compile costs most of the time: other forms take one generator a size,
                    // and what users get from LLVM the program itself at one size.
                    Target other = s == 0 ? Target.JVM : Target.NATIVE;
                    boolean itself = form.equals(forms.getFirst());
                    if (target != other || itself) {
                        trial.run(target, s == 0 && itself ? Effort.USUAL : Effort.LEAST,
                                expected, itself ? given.work() : new Work());
                    }
                }
            }
        }
    }

    /** A form at some sizes. */
    private final class Trial {
        private final Form form;
        private final Map<String, String> settings;
        private final List<TensorProgram> programs;
        /** The entry that is about the idea. */
        private final TensorProgram program;
        private final Map<String, Signature> signatures = new LinkedHashMap<>();
        private final Map<Parameter, List<Tensor>> weights;
        private final Map<String, Tensor> inputs;
        private final long seed;
        /** What the interpreter did, one element after the other. */
        private List<Ledger.Gate> gates = List.of();
        private List<Ledger.Route> routes = List.of();

        Trial(Form form, Map<String, String> settings, long seed) {
            this.form = form;
            this.seed = seed;
            this.settings = new TreeMap<>(settings);
            // A size that the baseline alone has is no setting of the idea.
            this.settings.keySet().removeIf(size -> !form.text().contains(" " + size + " =")
                    && !form.text().contains("<" + size + " ="));
            programs = Compiler.entries(new Source(form.name(), form.text()), TestModel.library(),
                    new LowerOptions(Optional.empty(), Configuration.empty(), this.settings, false));
            String entry = entry(programs);
            program = programs.stream().filter(p -> p.entry().name().equals(entry))
                    .findFirst().orElseThrow();
            programs.forEach(p -> signatures.put(p.entry().name(), Signature.of(p)));
            weights = weights(seed);
            inputs = inputs(seed);
        }

        private Map<String, Tensor> inputs(long seed) {
            Map<String, Tensor> inputs = new LinkedHashMap<>();
            for (Part part : parts()) {
                for (Signature.Slot argument : signatures.get(part.entry()).arguments()) {
                    for (int call = 1; call <= calls && !argument.isPositions(); call++) {
                        String input = input(part, argument, call);
                        inputs.put(input, random(part, argument, input, seed));
                    }
                }
            }
            return inputs;
        }

        /** What ran before, and what the idea is about. */
        private List<Part> parts() {
            List<Part> parts = new ArrayList<>(context);
            parts.add(new Part(program.entry().name(), tokens));
            return parts;
        }

        private String input(Part part, Signature.Slot argument, int call) {
            String name = context.isEmpty()
                    ? argument.name() : part.entry() + "." + argument.name();
            return call == 1 ? name : name + "#" + call;
        }

        private String what() {
            return name + "/" + form.name() + " at " + settings;
        }

        /** The numbers of a parameter depend on its path alone, not on what else there is. */
        private Map<Parameter, List<Tensor>> weights(long seed) {
            Map<Parameter, List<Tensor>> all = new LinkedHashMap<>();
            Map<String, Long> ranges = IndexRanges.of(programs);
            programs.forEach(p -> p.parameters().forEach(parameter ->
                    all.putAll(RandomWeights.of(List.of(parameter),
                            seed + parameter.path().hashCode(), ranges))));
            scales.forEach((end, factor) -> all.forEach((parameter, tensors) -> {
                if (parameter.path().endsWith(end)) {
                    tensors.forEach(t -> scale(t, factor));
                }
            }));
            return all;
        }

        private Tensor random(Part part, Signature.Slot argument, String input, long seed) {
            List<Long> shape = new ArrayList<>();
            if (!argument.isStream()) {
                shape.add(1L);
            }
            for (Size size : argument.type().shape()) {
                shape.add(size.constant().orElse((long) part.tokens()));
            }
            Random random = new Random(seed + input.hashCode());
            Tensor tensor = Tensor.zeros(argument.format(),
                    shape.stream().mapToLong(n -> n).toArray());
            long most = ids > 0 ? ids : Long.parseLong(settings.getOrDefault("V", "16"));
            for (long i = 0; i < tensor.elements(); i++) {
                if (argument.format().isFloat()) {
                    tensor.setReal(i, random.nextGaussian());
                } else {
                    tensor.setWhole(i, random.nextInt((int) most));
                }
            }
            return tensor;
        }

        Given given(Map<Parameter, List<Tensor>> weights) {
            return given(weights, inputs);
        }

        private Given given(
                Map<Parameter, List<Tensor>> weights, Map<String, Tensor> inputs) {
            return new Given(form.text(), settings, weights, inputs);
        }

        /** The textbook form is cheap: it looks for numbers that are worth to be interpreted. */
        void decidesCloseToThresholds(Reference reference, Set<String> sides) {
            Set<String> missing = new TreeSet<>(sides);
            for (long other = seed + 1; !missing.isEmpty(); other++) {
                assertTrue(other <= seed + SEEDS, what() + ": no random numbers lie closely "
                        + missing + "; scale some parameters, or take more tokens");
                Given given = given(weights(other), inputs(other));
                double[][] expected = reference.of(given);
                if (missing.removeAll(given.work().close())) {
                    new Trial(form, settings, other)
                            .run(Target.INTERPRETER, Effort.LEAST, expected, given.work());
                }
            }
        }

        /** Decisions are steps, so that one other value may happen to change nothing. */
        void everyParameterMatters(Reference reference, double[][] expected) {
            // Entries share parameters by path; a list may be empty at some sizes.
            for (String path : weights.keySet().stream().filter(p -> !weights.get(p).isEmpty())
                    .map(Parameter::path).distinct().toList()) {
                boolean same = true;
                for (int other = 1; same && other <= 8; other++) {
                    Map<Parameter, List<Tensor>> changed = new LinkedHashMap<>(weights);
                    weights(seed + other).forEach((parameter, numbers) -> {
                        if (parameter.path().equals(path)) {
                            changed.put(parameter, numbers);
                        }
                    });
                    same = areClose(expected, reference.of(given(changed)));
                }
                assertTrue(!same, what() + ": whatever " + path
                        + " is, the textbook form gives the same");
            }
        }

        void run(Target target, Effort effort, double[][] expected, Work work) {
            if (target == Target.INTERPRETER) {
                try (Engine engine = new InterpretedModel(programs, weights)) {
                    compare(target, engine, expected, new Work());
                }
                return;
            }
            try (KernelCompiler compiler = TestModel.compiler(target, effort);
                    Model model = new Model(programs.stream().map(p -> Compiler.schedule(
                            Compiler.optimise(p), compiler.target())).toList(),
                            compiler, weights, 2, Pool.UNLIMITED)) {
                compare(target, model, expected, work);
            }
        }

        private void compare(Target target, Engine engine, double[][] expected, Work work) {
            Engine.Session once = engine.start();
            int before = context(target, engine, once, expected);
            Part part = parts().getLast();
            int row = before;
            for (int call = 1; call <= calls; call++) {
                Tensor result = step(engine, once, part, 0, tokens, call);
                assertClose(target, expected, result, row);
                row += (int) (result.elements() / expected[row].length);
            }
            compare(what() + " on " + target, work, engine.ledger());
            if (target == Target.INTERPRETER) {
                gates = engine.ledger().gates();
                routes = engine.ledger().routes();
            } else {
                counts(target, engine.ledger());
            }
            boolean steps = program.stream().isPresent()
                    && program.stream().get().obstacle().isEmpty();
            assertEquals(program.stream().isPresent() && !whole, steps,
                    what() + (steps ? " can be taken in steps" : " cannot be taken in steps: "
                            + program.stream().flatMap(s -> s.obstacle())));
            if (steps) {
                // One element, then three, then the others one by one.
                Engine.Session session = engine.start();
                context(target, engine, session, expected);
                int from = 0;
                while (from < tokens) {
                    int to = Math.min(tokens, from == 1 ? 4 : from + 1);
                    assertClose(target, expected, step(engine, session, part, from, to, 1),
                            before + from);
                    from = to;
                }
            }
        }

        /** All that a compiled program counts has to be what the interpreter counted. */
        private void counts(Target target, Ledger ledger) {
            for (Ledger.Gate gate : ledger.gates()) {
                List<Ledger.Gate> same = gates.stream()
                        .filter(g -> isInstance(g.path(), gate.path())).toList();
                assertEquals(same.stream().mapToLong(Ledger.Gate::entered).sum(), gate.entered(),
                        what() + " on " + target + ": " + gate);
                // Elements that left a loop of their own come to its gates while others go on.
                assertTrue(same.stream().mapToLong(Ledger.Gate::all).sum() <= gate.all(),
                        what() + " on " + target + ": " + gate);
            }
            for (Ledger.Route route : ledger.routes()) {
                long[] served = new long[route.served().size()];
                routes.stream().filter(r -> isInstance(r.path(), route.path())).forEach(r ->
                        Arrays.setAll(served, i -> served[i] + r.served().get(i)));
                assertEquals(new Ledger.Route(route.path(), Arrays.stream(served).boxed().toList()),
                        route, what() + " on " + target);
            }
        }

        /** Whether a path is another one with a number for each star. */
        private static boolean isInstance(String path, String pattern) {
            return path.matches(Pattern.quote(pattern).replace("*", "\\E[0-9]+\\Q"));
        }

        /** Runs the entries before the idea's, each in one step; how many rows they gave. */
        private int context(
                Target target, Engine engine, Engine.Session session, double[][] expected) {
            int row = 0;
            for (Part part : context) {
                Tensor result = step(engine, session, part, 0, part.tokens(), 1);
                assertClose(target, expected, result, row);
                row += (int) (result.elements() / expected[row].length);
            }
            return row;
        }

        /** The first result of a step with some of the rows. */
        private Tensor step(
                Engine engine, Engine.Session session, Part part, int from, int to, int call) {
            long[] rows = {to - from};
            List<Tensor> arguments = new ArrayList<>();
            boolean streams = false;
            for (Signature.Slot argument : signatures.get(part.entry()).arguments()) {
                streams |= argument.isStream();
                Tensor given = inputs.get(input(part, argument, call));
                arguments.add(argument.isPositions()
                        ? Engine.positions(part.entry(), List.of(session), rows)
                        : argument.isStream() ? given.rows(from, to) : given);
            }
            return engine.step(part.entry(), List.of(session), streams ? rows : new long[] {1},
                    arguments, Engine.Tracer.NONE).getFirst().copy();
        }

        private void assertClose(Target target, double[][] expected, Tensor actual, int from) {
            int width = expected[from].length;
            long count = actual.elements() / width;
            if (program.stream().isEmpty() && context.isEmpty() && calls == 1) {
                assertEquals(expected.length, count, what());
            }
            for (int r = 0; r < count; r++) {
                for (int i = 0; i < width; i++) {
                    double number = actual.real((long) r * width + i);
                    assertTrue(isClose(expected[from + r][i], number), what() + " on " + target
                            + ", row " + (from + r) + ", element " + i + ": the textbook form gives "
                            + expected[from + r][i] + ", the program " + number);
                }
            }
        }

        private void compare(String what, Work work, Ledger ledger) {
            for (Map.Entry<String, long[]> gate : work.gates().entrySet()) {
                Ledger.Gate found = ledger.gates().stream()
                        .filter(g -> g.path().equals(gate.getKey())).findFirst()
                        .orElseThrow(() -> new AssertionError(what + ": " + gate.getKey()
                                + " is not among " + ledger.gates()));
                assertEquals(Arrays.toString(gate.getValue()),
                        Arrays.toString(new long[] {found.entered(), found.all()}),
                        what + ": entrants and all of " + gate.getKey());
            }
            for (Map.Entry<String, long[]> route : work.routes().entrySet()) {
                Ledger.Route found = ledger.routes().stream()
                        .filter(r -> r.path().equals(route.getKey())).findFirst()
                        .orElseThrow(() -> new AssertionError(what + ": " + route.getKey()
                                + " is not among " + ledger.routes()));
                assertArrayEquals(route.getValue(),
                        found.served().stream().mapToLong(n -> n).toArray(),
                        what + ": elements served by each block of " + route.getKey());
            }
        }
    }

    private static void scale(Tensor tensor, double factor) {
        for (long i = 0; i < tensor.elements(); i++) {
            tensor.setReal(i, factor * tensor.real(i));
        }
    }

    private static boolean areClose(double[][] expected, double[][] actual) {
        boolean close = true;
        for (int r = 0; r < expected.length; r++) {
            for (int i = 0; i < expected[r].length; i++) {
                close &= isClose(expected[r][i], actual[r][i]);
            }
        }
        return close;
    }

    private static boolean isClose(double expected, double actual) {
        return Math.abs(expected - actual) <= BOUND * Math.max(1, Math.abs(expected));
    }
}
