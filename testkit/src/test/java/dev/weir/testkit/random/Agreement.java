package dev.weir.testkit.random;

import dev.weir.compiler.Compiler;
import dev.weir.frontend.stream.Streams;
import dev.weir.ir.diagnostic.Source;
import dev.weir.ir.kernel.KernelCompiler;
import dev.weir.ir.kernel.KernelProgram;
import dev.weir.ir.kernel.TargetDescription;
import dev.weir.ir.tensor.Interpreter;
import dev.weir.ir.tensor.Memory;
import dev.weir.ir.tensor.Parameter;
import dev.weir.ir.tensor.Parser;
import dev.weir.ir.tensor.Printer;
import dev.weir.ir.tensor.Scalar;
import dev.weir.ir.tensor.TensorData;
import dev.weir.ir.tensor.TensorProgram;
import dev.weir.ir.tensor.Value;
import dev.weir.ir.tensor.Verifier;
import dev.weir.ir.tensor.Walk;
import dev.weir.ir.tensor.Watcher;
import dev.weir.ir.type.Format;
import dev.weir.ir.type.Size;
import dev.weir.runtime.memory.Tensor;
import dev.weir.runtime.model.Engine;
import dev.weir.runtime.model.Model;
import dev.weir.testkit.HostEngine;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;

/**
 * Runs one program in every way there is and compares the results: each sequence alone through the
 * unlifted program, which is the definition; then the batch through the lifted program, through what
 * each pass makes of it, and through compiled kernels, whole and, where no equation is in the way, in
 * two chunks.
 */
final class Agreement {
    /** Who says whether the stream can be taken in steps. */
    enum Cut {
        /** {@link Streams}. */
        AS_ANALYSED,
        /** The recipe: it carries what went before in a way that the analysis does not know. */
        AS_IT_IS
    }

    /** How far inputs are moved to see whether results stay: two units in the last place. */
    private static final double NUDGE = 2 * Math.ulp(1f);
    /** How far results may then move, as a share of the tolerance. */
    private static final double MOVEMENT = 0.25;

    private final TensorProgram program;
    /** Whether the stream's analysis changed what is computed. */
    private final boolean remembersTails;
    private final boolean exact;
    private final boolean chunks;
    private final double tolerance;
    private final Map<Parameter, TensorData> weights;
    private final List<List<TensorData>> inputs = new ArrayList<>();
    private final int[] rows;
    private final List<TensorData> expected;
    private final Coverage coverage;

    /**
     * @param cut how the stream may be cut
     */
    Agreement(
            TensorProgram program,
            boolean exact,
            Cut cut,
            long length,
            List<Integer> rows,
            long seed,
            Coverage coverage) {
        this.program = cut == Cut.AS_IT_IS ? program : Streams.run(program);
        this.remembersTails = !this.program.entry().equals(program.entry())
                || !this.program.functions().equals(program.functions());
        this.exact = exact;
        this.chunks = this.program.stream().orElseThrow().obstacle().isEmpty();
        this.tolerance = tolerance(length);
        this.coverage = coverage;
        this.rows = rows.stream().mapToInt(i -> i).toArray();
        Data data = new Data(exact, seed);
        this.weights = data.weights(program);
        for (int n : this.rows) {
            inputs.add(data.sequence(program, n));
        }
        this.expected = alone(program, Watcher.NONE);
        if (chunks) {
            coverage.note("in chunks");
            coverage.note(this.program.states().size() > program.states().size()
                    ? "with a tail as state" : "in chunks without a tail");
        }
    }

    /**
     * How far results may be apart, relative to the larger of 1 and their size: units in the last
     * place of f32, more for programs with longer sums and elementary functions.
     */
    static double tolerance(long length) {
        return Math.ulp(1f) * (16 + 2.0 * length);
    }

    /** Whether the program may take its stream in steps. */
    boolean steps() {
        return chunks;
    }

    /** Whether every decision has room for a result that is off by the tolerance. */
    boolean hasMargins(TensorProgram watched) {
        Margins margins = new Margins();
        alone(watched, margins);
        return margins.smallest() > tolerance * Maker.LIMIT * 2;
    }

    /**
     * Whether results hardly move if the inputs do: what goes round a loop may double an error
     * each time, and then no two ways of rounding agree.
     */
    boolean isSteady() {
        List<List<TensorData>> nudged = inputs.stream().map(Agreement::nudged).toList();
        List<TensorData> moved = alone(program, nudged, Watcher.NONE);
        for (int r = 0; r < expected.size(); r++) {
            for (int i = 0; i < expected.get(r).elements(); i++) {
                if (expected.get(r).format().isFloat()
                        && apart(expected.get(r).real(i), moved.get(r).real(i))
                                > tolerance * MOVEMENT) {
                    return false;
                }
            }
        }
        return true;
    }

    private static List<TensorData> nudged(List<TensorData> sequence) {
        return sequence.stream().map(data -> {
            if (!data.format().isFloat()) {
                return data;
            }
            TensorData moved = TensorData.zeros(data.format(), data.shape());
            for (int i = 0; i < data.elements(); i++) {
                moved.setReal(i, data.real(i) * (1 + (i % 2 == 0 ? NUDGE : -NUDGE)));
            }
            return moved;
        }).toList();
    }

    private static double apart(double want, double have) {
        return Math.abs(want - have) / Math.max(1, Math.abs(want));
    }

    private List<TensorData> alone(TensorProgram unlifted, Watcher watcher) {
        return alone(unlifted, inputs, watcher);
    }

    private List<TensorData> alone(
            TensorProgram unlifted, List<List<TensorData>> sequences, Watcher watcher) {
        List<List<TensorData>> results = new ArrayList<>();
        Interpreter interpreter = new Interpreter(
                unlifted, p -> weights.get(like(p)));
        for (List<TensorData> sequence : sequences) {
            results.add(interpreter.step(new Memory(), sequence, watcher));
        }
        List<TensorData> joined = new ArrayList<>();
        List<Value> values = unlifted.entry().body().results();
        for (int r = 0; r < values.size(); r++) {
            int place = r;
            List<TensorData> parts = results.stream().map(s -> s.get(place)).toList();
            joined.add(isStream(values.get(r)) ? Data.join(parts) : Data.stack(parts));
        }
        return joined;
    }

    /** The same parameter of the program that was given the weights. */
    private Parameter like(Parameter parameter) {
        return program.parameters().stream()
                .filter(p -> p.path().equals(parameter.path()))
                .findFirst()
                .orElseThrow();
    }

    private static boolean isStream(Value value) {
        return !value.type().shape().isEmpty()
                && value.type().shape().getFirst() instanceof Size.Symbol;
    }

    // ------------------------------------------------------------------ ways to run

    /** Through the passes, one after the other, in the interpreter. Gives the optimised program. */
    TensorProgram passes() {
        String[] before = {Printer.print(program)};
        check(program, before[0], "unlifted");
        if (remembersTails) {
            compareExactly(alone(program, Watcher.NONE));
        }
        coverage.program(program);
        return Compiler.optimise(program, Set.of(), (pass, result, nanos) -> {
            String text = Printer.print(result);
            if (!text.equals(before[0])) {
                check(result, text, pass.name());
                coverage.pass(pass.name());
                before[0] = text;
                if (pass.name().equals("lift")) {
                    coverage.program(result);
                }
                compare("the interpreter behind " + pass.name(), interpreted(result));
            }
        });
    }

    private static void check(TensorProgram program, String text, String stage) {
        List<String> problems = Verifier.verify(program);
        if (!problems.isEmpty()) {
            throw new AssertionError("behind " + stage + ": " + problems);
        }
        String again = Printer.print(Parser.parse(new Source(stage, text)));
        if (!text.equals(again)) {
            throw new AssertionError("behind " + stage + " the text does not read back");
        }
    }

    private List<TensorData> interpreted(TensorProgram lifted) {
        long[] counts = new long[rows.length];
        List<TensorData> arguments = new ArrayList<>();
        for (int a = 0; a < inputs.getFirst().size(); a++) {
            int place = a;
            arguments.add(Data.join(inputs.stream().map(s -> s.get(place)).toList()));
        }
        for (int b = 0; b < rows.length; b++) {
            counts[b] = rows[b];
        }
        return new Interpreter(lifted, p -> weights.get(like(p)))
                .step(new Memory(), arguments, counts, Watcher.NONE);
    }

    /** Through kernels, in one step and, where that has to make no difference, in two. */
    void compiled(TensorProgram optimised, String name, KernelCompiler compiler, int threads) {
        KernelProgram kernels = Compiler.schedule(optimised, compiler.target());
        coverage.kernels(kernels);
        try (Model model = new Model(kernels, compiler, Data.stored(weights), threads)) {
            compare(name, steps(model, 1));
            if (chunks) {
                compare(name + " in two chunks", steps(model, 2));
            }
        }
    }

    /** Through a compiled host program, in one step and, where it makes no difference, in two. */
    void artefact(TensorProgram optimised, String name, TargetDescription target)
            throws Exception {
        KernelProgram kernels = Compiler.schedule(optimised, target);
        try (Engine engine = name.equals("a jar")
                ? HostEngine.ofBytecode(kernels, target, Data.stored(weights))
                : HostEngine.ofNative(kernels, target, Data.stored(weights))) {
            compare(name, steps(engine, 1));
            if (chunks) {
                compare(name + " in two chunks", steps(engine, 2));
            }
        }
    }

    private List<TensorData> steps(Engine engine, int parts) {
        List<Engine.Session> sessions = new ArrayList<>();
        for (int b = 0; b < rows.length; b++) {
            sessions.add(engine.start());
        }
        List<List<List<TensorData>>> bySequence = new ArrayList<>();
        List<TensorData> results = new ArrayList<>();
        for (int part = 0; part < parts; part++) {
            long[] counts = new long[rows.length];
            for (int b = 0; b < rows.length; b++) {
                counts[b] = to(b, part, parts) - to(b, part - 1, parts);
            }
            List<Tensor> arguments = new ArrayList<>();
            for (int a = 0; a < inputs.getFirst().size(); a++) {
                List<TensorData> pieces = new ArrayList<>();
                for (int b = 0; b < rows.length; b++) {
                    pieces.add(Data.rows(inputs.get(b).get(a),
                            to(b, part - 1, parts), to(b, part, parts)));
                }
                arguments.add(Tensor.of(Data.join(pieces)));
            }
            results = engine.step(sessions, counts, arguments, Engine.Tracer.NONE).stream()
                    .map(Tensor::toData)
                    .toList();
            bySequence.add(split(results, counts));
        }
        sessions.forEach(Engine.Session::close);
        return parts == 1 ? results : together(bySequence, results);
    }

    /** Where a part of a sequence ends: the first of two parts is the smaller one. */
    private int to(int sequence, int part, int parts) {
        return part < 0 ? 0 : part == parts - 1 ? rows[sequence] : rows[sequence] / 3;
    }

    private List<List<TensorData>> split(List<TensorData> results, long[] counts) {
        List<List<TensorData>> split = new ArrayList<>();
        int from = 0;
        for (long count : counts) {
            int first = from;
            int last = first + (int) count;
            List<TensorData> own = new ArrayList<>();
            for (int r = 0; r < results.size(); r++) {
                own.add(isStream(program.entry().body().results().get(r))
                        ? Data.rows(results.get(r), first, last)
                        : results.get(r));
            }
            split.add(own);
            from = last;
        }
        return split;
    }

    private List<TensorData> together(
            List<List<List<TensorData>>> parts, List<TensorData> latest) {
        List<TensorData> all = new ArrayList<>();
        for (int r = 0; r < latest.size(); r++) {
            if (!isStream(program.entry().body().results().get(r))) {
                all.add(latest.get(r));
                continue;
            }
            List<TensorData> pieces = new ArrayList<>();
            for (int b = 0; b < rows.length; b++) {
                for (List<List<TensorData>> part : parts) {
                    pieces.add(part.get(b).get(r));
                }
            }
            all.add(Data.join(pieces));
        }
        return all;
    }

    // ------------------------------------------------------------------ comparison

    private void compare(String how, List<TensorData> found) {
        for (int r = 0; r < expected.size(); r++) {
            TensorData want = expected.get(r);
            TensorData have = found.get(r);
            if (!java.util.Arrays.equals(want.shape(), have.shape())) {
                throw new AssertionError(how + ", result " + r + ": "
                        + java.util.Arrays.toString(have.shape()) + " where "
                        + java.util.Arrays.toString(want.shape()) + " is expected");
            }
            double allowed = switch (roundedTo(r)) {
                case BF16 -> Math.max(tolerance, 1.0 / 128);
                case F16 -> Math.max(tolerance, 1.0 / 1024);
                default -> tolerance;
            };
            for (int i = 0; i < want.elements(); i++) {
                boolean agrees = want.format().isFloat()
                        ? agrees(want.real(i), have.real(i), allowed)
                        : want.whole(i) == have.whole(i);
                if (!agrees) {
                    throw new AssertionError(how + ", result " + r + " ("
                            + program.resultNames().get(r) + "), element " + i + " of "
                            + java.util.Arrays.toString(want.shape()) + ": "
                            + (want.format().isFloat()
                                    ? have.real(i) + " where " + want.real(i)
                                    : have.whole(i) + " where " + want.whole(i))
                            + " is expected");
                }
            }
        }
    }

    /** The narrowest format that a result went through: neighbours of it are both right. */
    private Format roundedTo(int result) {
        Value value = program.entry().body().results().get(result);
        return program.entry().body().nodes().stream()
                .filter(node -> node.results().contains(value))
                .flatMap(node -> Walk.scalars(node).stream())
                .map(Agreement::roundedTo)
                .flatMap(Optional::stream)
                .findFirst()
                .orElse(value.type().format());
    }

    private static Optional<Format> roundedTo(Scalar scalar) {
        return scalar instanceof Scalar.Round round
                ? Optional.of(round.stored())
                : Walk.operands(scalar).stream().map(Agreement::roundedTo)
                        .flatMap(Optional::stream).findFirst();
    }

    /** What is remembered for the next step changes nothing in this one. */
    private void compareExactly(List<TensorData> found) {
        for (int r = 0; r < expected.size(); r++) {
            if (!Tensor.of(expected.get(r)).equals(Tensor.of(found.get(r)))) {
                throw new AssertionError("with tails as state, result " + r + " differs");
            }
        }
    }

    private boolean agrees(double want, double have, double allowed) {
        if (exact || Double.isNaN(want) || Double.isInfinite(want)) {
            return Double.compare(want, have) == 0;
        }
        coverage.apart(apart(want, have) / allowed);
        return apart(want, have) <= allowed;
    }
}
