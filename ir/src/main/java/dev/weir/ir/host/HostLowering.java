package dev.weir.ir.host;

import static dev.weir.ir.host.WordExpression.binary;
import static dev.weir.ir.host.WordExpression.call;
import static dev.weir.ir.host.WordExpression.local;
import static dev.weir.ir.host.WordExpression.of;
import static dev.weir.ir.host.WordExpression.plus;
import static dev.weir.ir.host.WordExpression.word;

import dev.weir.ir.host.WordExpression.Operator;
import dev.weir.ir.host.WordExpression.Width;
import dev.weir.ir.diagnostic.Diagnostic;
import dev.weir.ir.diagnostic.Span;
import dev.weir.ir.diagnostic.WeirException;
import dev.weir.ir.kernel.HostStatement;
import dev.weir.ir.kernel.HostStatement.Operand;
import dev.weir.ir.kernel.KernelProgram;
import dev.weir.ir.tensor.Parameter;
import dev.weir.ir.tensor.Scalar;
import dev.weir.ir.tensor.State;
import dev.weir.ir.tensor.Value;
import dev.weir.ir.type.Float8;
import dev.weir.ir.type.Format;
import dev.weir.ir.type.TensorType;
import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;

/**
 * Turns the host program of a kernel program into word code.
 *
 * <pre>
 *   allocate %5 : f32['N', 8]      status = name_block(model, model + 2096, times(…, 32))
 *   release %4                     release(model, model + 2080)
 *   loop %7 from 0 to 4 { … }      while t0 &lt; 4 { word[model + 2048] = t0 … }
 * </pre>
 *
 * <p>Lists of statements become functions of a few dozen statements, so that no back end gets a
 * function that is too large for it. Traces and tallies are for whoever develops a model, and are
 * left out.
 */
public final class HostLowering {
    /** Statements of the host program in one function. */
    private static final int MOST_STATEMENTS = 12;
    private static final WordExpression MODEL = local("model");
    private static final WordExpression STATUS = word(plus(MODEL, HostLayout.STATUS));

    private final KernelProgram program;
    private final HostLayout layout;
    private final Map<Value, State> states = new HashMap<>();
    private final List<String> checks;
    private final List<WordFunction> functions = new ArrayList<>();
    private boolean step;
    private HostScalarLowering scalars;
    private int blocks;

    private HostLowering(KernelProgram program) {
        this.program = program;
        this.layout = new HostLayout(program);
        this.checks = new ArrayList<>(program.checks());
        program.states().forEach(s -> states.put(s.value(), s));
    }

    /**
     * A model as functions.
     *
     * @param code kernels and functions
     * @param checks what {@code fault_check} is a number of, with {@link HostStatus#DATA}: the
     *     kernels' first, then places whose index the host checks
     */
    public record Lowered(WordProgram code, List<String> checks) {
        public Lowered {
            checks = List.copyOf(checks);
        }
    }

    /** The host program of a model, and the kernels that it launches. */
    public static Lowered lower(KernelProgram program) {
        HostLowering lowering = new HostLowering(program);
        lowering.program();
        return new Lowered(
                new WordProgram(program.name(), program.kernels(), lowering.functions),
                lowering.checks);
    }

    /** Functions of the support code of this name, for the same layout. */
    public static List<WordFunction> support(String resource, KernelProgram program) {
        return WordParser.parse(text(resource), new HostLayout(program).constants());
    }

    private static String text(String resource) {
        try (InputStream in = HostLowering.class.getResourceAsStream(resource + ".words")) {
            return new String(in.readAllBytes(), StandardCharsets.UTF_8);
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    private void program() {
        functions.addAll(WordParser.parse(text("support"), layout.constants()));
        bind();
        region(false, "initialise_body", program.initialise(), List.of());
        sessionStates();
        frame();
        region(true, "step_body", program.step(), List.of());
        results();
    }

    private void function(String name, List<WordStatement> body, String... parameters) {
        functions.add(new WordFunction(name, List.of(parameters), body));
    }

    private void begin(boolean inStep) {
        step = inStep;
        scalars = new HostScalarLowering(layout, inStep, checks);
    }

    private WordExpression slot(Value value) {
        return plus(MODEL, layout.slot(value, step));
    }

    /** Leaves the function if a call fails. */
    private static WordStatement unlessFailed(WordExpression call) {
        return new WordStatement.If(
                binary(Operator.NOT_EQUAL, call, of(0)),
                List.of(new WordStatement.Return(STATUS)), List.of());
    }

    private static WordStatement unlessFailed() {
        return unlessFailed(STATUS);
    }

    private static WordStatement run(String function, WordExpression... arguments) {
        return new WordStatement.Run(new WordExpression.Call(function, List.of(arguments)));
    }

    private static WordStatement set(WordExpression address, WordExpression value) {
        return new WordStatement.Store(Width.WORD, address, value);
    }

    private WordExpression bytes(TensorType type) {
        WordExpression elements = scalars.size(type.elements());
        return elements instanceof WordExpression.Constant c
                ? of(Math.multiplyExact(c.value(), (long) type.format().bytes()))
                : call("times", MODEL, elements, of(type.format().bytes()));
    }

    // ---------------------------------------------------------------- parameters and states

    private void bind() {
        List<WordStatement> body = new ArrayList<>();
        long entry = 0;
        for (Parameter parameter : program.parameters()) {
            long instances = instances(parameter);
            WordExpression first = plus(local("weights"), 8 * entry);
            if (parameter.instanceAxes() == 0) {
                body.add(set(plus(MODEL, layout.slot(parameter.value(), false)), word(first)));
            } else {
                body.add(unlessFailed(call("parameter_table", MODEL,
                        plus(MODEL, layout.parameterTable(parameter.value())), first,
                        of(instances))));
            }
            entry += instances;
        }
        function("bind", body, "model", "weights");
    }

    /** How many stored tensors make up a parameter. */
    public static long instances(Parameter parameter) {
        return parameter.value().type().shape().subList(0, parameter.instanceAxes()).stream()
                .mapToLong(s -> s.constant().orElseThrow())
                .reduce(1, Math::multiplyExact);
    }

    private void sessionStates() {
        List<WordStatement> body = new ArrayList<>();
        for (State state : program.states()) {
            for (long i = 0; i < HostLayout.instances(state); i++) {
                if (state.grows()) {
                    body.add(unlessFailed(call("rows_new", MODEL, plus(local("session"),
                            layout.rowsOf(state.value()) + HostLayout.ROWS * i),
                            of(HostLayout.rowBytes(state)))));
                }
            }
            if (!state.grows() && state.initial() != 0) {
                long spacing = HostLayout.spacing(state);
                body.add(run("fill", binary(Operator.ADD,
                                word(plus(local("session"), 16)),
                                of(64 + layout.carriedOf(state.value()))),
                        of(spacing * HostLayout.instances(state) / 8),
                        of(pattern(state.value().type().format(), state.initial()))));
            }
        }
        function("session_states", body, "model", "session");
    }

    /** A word full of elements with one value. */
    private static long pattern(Format format, double value) {
        return switch (format) {
            case F64 -> Double.doubleToRawLongBits(value);
            case I64 -> (long) value;
            default -> {
                long element = switch (format) {
                    case F32 -> Float.floatToRawIntBits((float) value) & 0xFFFF_FFFFL;
                    case BF16 -> Format.floatToBf16((float) value) & 0xFFFFL;
                    case F16 -> Float.floatToFloat16((float) value) & 0xFFFFL;
                    case F8E4M3 -> Float8.floatToE4m3((float) value) & 0xFFL;
                    case F8E5M2 -> Float8.floatToE5m2((float) value) & 0xFFL;
                    case I32 -> (int) (long) value & 0xFFFF_FFFFL;
                    case I8, BOOL -> (long) value & 0xFF;
                    case F64, I64 -> throw new IllegalStateException(format.word());
                };
                long word = 0;
                for (int bit = 0; bit < Long.SIZE; bit += 8 * format.bytes()) {
                    word |= element << bit;
                }
                yield word;
            }
        };
    }

    // ---------------------------------------------------------------- a step

    private static boolean isPositions(Value argument) {
        return argument.name().equals("positions") && argument.type().format() == Format.I64;
    }

    /** The arguments that a caller gives; positions the session knows. */
    public static List<Value> given(KernelProgram program) {
        return program.arguments().stream().filter(a -> !isPositions(a)).toList();
    }

    private void frame() {
        begin(true);
        List<WordStatement> body = new ArrayList<>();
        body.add(set(plus(MODEL, layout.size(program.frames().sequences().name())),
                word(plus(MODEL, HostLayout.SEQUENCES))));
        body.add(set(plus(MODEL, layout.size(program.frames().rows().name())),
                call("sum", local("rows"), word(plus(MODEL, HostLayout.SEQUENCES)))));
        layout.shadowed().forEach(value -> body.add(
                run("alias", MODEL, slot(value), plus(MODEL, layout.slot(value, false)))));
        List<Value> tables = new ArrayList<>(
                List.of(program.frames().offsets(), program.frames().segment()));
        program.arguments().stream().filter(HostLowering::isPositions).forEach(tables::add);
        for (Value table : tables) {
            body.add(unlessFailed(
                    call("name_block", MODEL, slot(table), bytes(table.type()))));
        }
        body.add(run("frame", MODEL, local("rows"), word(slot(tables.get(0))),
                word(slot(tables.get(1))),
                tables.size() > 2 ? word(slot(tables.get(2))) : of(0)));
        List<Value> given = given(program);
        for (int i = 0; i < given.size(); i++) {
            body.add(unlessFailed(call("given", MODEL, slot(given.get(i)),
                    word(plus(local("arguments"), 8L * i)), bytes(given.get(i).type()))));
        }
        for (State state : program.states()) {
            WordExpression table = plus(MODEL, layout.stateTable(state.value()));
            WordExpression instances = of(HostLayout.instances(state));
            body.add(unlessFailed(state.grows()
                    ? call("growing_tables", MODEL, table, of(layout.rowsOf(state.value())),
                            of(HostLayout.rowBytes(state)), instances)
                    : call("carried_tables", MODEL, table, of(layout.carriedOf(state.value())),
                            of(HostLayout.spacing(state)), instances)));
        }
        function("step_frame", body, "model", "rows", "arguments");
    }

    private void results() {
        begin(true);
        List<WordStatement> body = new ArrayList<>();
        for (int i = 0; i < program.results().size(); i++) {
            Value result = program.results().get(i);
            body.add(set(plus(MODEL, layout.result(i)), slot(result)));
            body.add(set(plus(MODEL, layout.result(i) + 8),
                    scalars.size(result.type().elements())));
        }
        body.add(new WordStatement.Return(STATUS));
        function("step_results", body, "model");
    }

    /** Two functions {@code result0(model)} and {@code result0_elements(model)}. */
    public static List<WordFunction> result(int number) {
        return List.of(
                new WordFunction("result" + number, List.of("model"), List.of(
                        new WordStatement.Return(call("result", MODEL, of(number))))),
                new WordFunction("result" + number + "_elements", List.of("model"), List.of(
                        new WordStatement.Return(call("result_elements", MODEL, of(number))))));
    }

    // ---------------------------------------------------------------- statements

    /** A function for a list of statements, which calls others for its parts if it is long. */
    private void region(
            boolean inStep, String name, List<HostStatement> list, List<WordStatement> first) {
        List<WordStatement> body = new ArrayList<>(first);
        if (list.size() <= MOST_STATEMENTS) {
            begin(inStep);
            list.forEach(s -> statement(s, body));
        } else {
            for (int from = 0; from < list.size(); from += MOST_STATEMENTS) {
                String part = "part" + blocks++;
                region(inStep, part, list.subList(
                        from, Math.min(list.size(), from + MOST_STATEMENTS)), List.of());
                body.add(unlessFailed(call(part, MODEL)));
            }
        }
        function(name, body, "model");
    }

    /** A call of a list of statements that has a function of its own. */
    private WordStatement block(List<HostStatement> list) {
        HostScalarLowering outer = scalars;
        String name = "part" + blocks++;
        region(step, name, list, List.of());
        scalars = outer;
        return unlessFailed(call(name, MODEL));
    }

    private void statement(HostStatement statement, List<WordStatement> out) {
        switch (statement) {
            case HostStatement.Allocate s -> out.add(unlessFailed(
                    call("name_block", MODEL, slot(s.value()), bytes(s.value().type()))));
            case HostStatement.Release s -> {
                if (isReleasable(s.value())) {
                    out.add(run("release", MODEL, slot(s.value())));
                }
            }
            case HostStatement.Alias s ->
                    out.add(run("alias", MODEL, slot(s.target()), slot(s.source())));
            case HostStatement.Own s -> out.add(unlessFailed(call("own", MODEL,
                    slot(s.target()), slot(s.source()), bytes(s.target().type()),
                    of(s.last() && isReleasable(s.source()) ? 1 : 0))));
            case HostStatement.Launch s -> launch(s, out);
            case HostStatement.SetSize s -> {
                out.add(set(plus(MODEL, layout.size(s.size().name())),
                        scalars.scalar(s.value(), out)));
                out.add(unlessFailed());
            }
            case HostStatement.SetSizeToLargest s -> {
                WordExpression size = plus(MODEL, layout.size(s.size().name()));
                out.add(set(size, layout.isVariable(s.table())
                        ? word(plus(MODEL, layout.variableOf(s.table())))
                        : call("largest", scalars.address(s.table()),
                                scalars.size(s.table().type().elements()))));
            }
            case HostStatement.SetScalar s -> {
                out.add(set(plus(MODEL, layout.variableOf(s.variable())),
                        scalars.scalar(s.value(), out)));
                out.add(unlessFailed());
            }
            case HostStatement.If s -> {
                WordExpression condition =
                        scalars.temporary(scalars.scalar(s.condition(), out), out);
                out.add(unlessFailed());
                out.add(new WordStatement.If(condition,
                        s.then().isEmpty() ? List.of() : List.of(block(s.then())),
                        s.otherwise().isEmpty() ? List.of() : List.of(block(s.otherwise()))));
            }
            case HostStatement.Loop s -> loop(s, out);
            case HostStatement.Reserve s -> grow(s.state(), s.instances(), s.offsets(), 0, out);
            case HostStatement.Extend s -> throw new WeirException(Diagnostic.error("E0804",
                            Span.NONE, "what elements that have left a loop still append cannot "
                                    + "be part of a compiled library or jar yet")
                    .helped("run it with `weir run`, or leave `leaving` out"));
            case HostStatement.Advance s -> grow(s.state(), s.instances(), s.offsets(), 1, out);
            case HostStatement.Trace s -> { }
            case HostStatement.Tally s -> { }
        }
    }

    /** What was made at load stays, whatever a step says. */
    private boolean isReleasable(Value value) {
        return !step || layout.isNamedInStep(value);
    }

    private void loop(HostStatement.Loop loop, List<WordStatement> out) {
        WordExpression to = scalars.temporary(scalars.scalar(loop.to(), out), out);
        WordExpression index = scalars.temporary(scalars.scalar(loop.from(), out), out);
        String name = ((WordExpression.Local) index).name();
        out.add(unlessFailed());
        List<WordStatement> round = new ArrayList<>();
        round.add(set(plus(MODEL, layout.variableOf(loop.index())), index));
        round.add(block(loop.body()));
        round.add(new WordStatement.Assign(name, plus(index, 1)));
        List<WordStatement> body = new ArrayList<>();
        if (loop.active().isPresent()) {
            Value active = loop.active().get();
            WordExpression some = layout.isVariable(active)
                    ? word(plus(MODEL, layout.variableOf(active)))
                    : call("any", scalars.address(active), bytes(active.type()));
            body.add(new WordStatement.If(some, round,
                    List.of(new WordStatement.Assign(name, to))));
        } else {
            body.addAll(round);
        }
        out.add(new WordStatement.While(binary(Operator.LESS, index, to), body));
    }

    private void grow(
            Value value, List<Scalar> at, Value offsets, int advance, List<WordStatement> out) {
        State state = states.get(value);
        WordExpression instance = of(0);
        for (int i = 0; i < at.size(); i++) {
            WordExpression next = scalars.scalar(at.get(i), out);
            instance = i == 0 ? next : binary(Operator.ADD, next, binary(
                    Operator.MULTIPLY, instance, of(state.instances().get(i))));
        }
        out.add(unlessFailed(call("grow", MODEL, plus(MODEL, layout.stateTable(value)),
                of(layout.rowsOf(value)), of(HostLayout.rowBytes(state)),
                of(state.keep().orElse(0L)), instance, scalars.address(offsets), of(advance))));
    }

    private void launch(HostStatement.Launch launch, List<WordStatement> out) {
        WordExpression tiles = scalars.temporary(scalars.scalar(launch.tiles(), out), out);
        out.add(unlessFailed());
        List<WordStatement> body = new ArrayList<>();
        List<WordExpression> words = new ArrayList<>();
        launch.buffers().forEach(b -> words.add(operand(b)));
        launch.scalars().forEach(s -> words.add(scalars.scalar(s, body)));
        words.add(plus(MODEL, HostLayout.KERNEL_FAULT));
        WordExpression arguments = word(plus(MODEL, HostLayout.ARGUMENTS));
        for (int i = 0; i < words.size(); i++) {
            body.add(set(plus(arguments, 8L * i), words.get(i)));
        }
        body.add(unlessFailed());
        body.add(set(plus(MODEL, HostLayout.KERNEL_FAULT), of(0)));
        body.add(new WordStatement.Launch(launch.kernel(), tiles, arguments,
                word(plus(MODEL, HostLayout.SCRATCH))));
        body.add(new WordStatement.If(word(plus(MODEL, HostLayout.KERNEL_FAULT)),
                List.of(new WordStatement.Return(call("kernel_failed", MODEL))), List.of()));
        out.add(new WordStatement.If(
                binary(Operator.GREATER, tiles, of(0)), body, List.of()));
    }

    private WordExpression operand(Operand operand) {
        return switch (operand) {
            case Operand.Tensor t -> scalars.address(t.value());
            case Operand.ParameterTable p ->
                    word(plus(MODEL, layout.parameterTable(p.parameter())));
            case Operand.StateTable s -> word(plus(MODEL, layout.stateTable(s.state())));
        };
    }
}
