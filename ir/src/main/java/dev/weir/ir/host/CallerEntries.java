package dev.weir.ir.host;

import static dev.weir.ir.host.WordExpression.binary;
import static dev.weir.ir.host.WordExpression.call;
import static dev.weir.ir.host.WordExpression.local;
import static dev.weir.ir.host.WordExpression.of;
import static dev.weir.ir.host.WordExpression.plus;

import dev.weir.ir.host.WordExpression.Operator;
import dev.weir.ir.host.WordExpression.Width;
import dev.weir.ir.kernel.KernelProgram;
import dev.weir.ir.tensor.Fault;
import dev.weir.ir.tensor.Parameter;
import dev.weir.ir.tensor.StreamAxis;
import dev.weir.ir.type.Size;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.IntStream;

/**
 * Entries for callers without a library of their own, as C programs are: a step with an argument
 * for each of the model's, weights from one block of memory, and messages.
 */
public final class CallerEntries {
    /** Each instance of a parameter begins at a multiple of so many bytes in packed weights. */
    public static final long PACKED_ALIGNMENT = 64;

    private static final WordExpression MODEL = local("model");

    private CallerEntries() {}

    /**
     * {@code take_step(model, sessions, count, rows, a0, …)}, {@code create_packed(weights)},
     * {@code weight_bytes(number)} and {@code message(model, buffer, size)}, with what they call.
     */
    public static List<WordFunction> functions(
            KernelProgram program, HostLowering.Lowered lowered) {
        List<WordFunction> functions =
                new ArrayList<>(HostLowering.support("messages", program));
        functions.add(checks(lowered));
        functions.add(new WordFunction("put_obstacle", List.of("model"), List.of(put(
                program.stream().flatMap(StreamAxis::obstacle).orElse("")))));
        functions.add(step(program));
        functions.add(packed(program));
        functions.add(weightBytes(program));
        return functions;
    }

    private static WordStatement put(String text) {
        return new WordStatement.Run(new WordExpression.Call(
                "put", List.of(MODEL, new WordExpression.Text(text))));
    }

    private static WordStatement run(String function) {
        return new WordStatement.Run(new WordExpression.Call(function, List.of(MODEL)));
    }

    private static WordFunction checks(HostLowering.Lowered lowered) {
        List<WordStatement> body = new ArrayList<>();
        for (int i = 0; i < lowered.checks().size(); i++) {
            List<WordStatement> parts = Fault.parts(lowered.checks().get(i)).stream()
                    .map(part -> Fault.isValue(part) ? run("put_value")
                            : Fault.isLimit(part) ? run("put_limit") : put(part)).toList();
            body.add(new WordStatement.If(
                    binary(Operator.EQUAL, call("fault_check", MODEL), of(i)),
                    parts, List.of()));
        }
        return new WordFunction("put_check", List.of("model"), body);
    }

    private static WordFunction step(KernelProgram program) {
        long given = new HostLayout(program).constants().get("GIVEN");
        List<String> names = IntStream.range(0, HostLowering.given(program).size())
                .mapToObj(i -> "a" + i).toList();
        List<String> parameters =
                new ArrayList<>(List.of("model", "sessions", "count", "rows"));
        parameters.addAll(names);
        List<WordStatement> body = new ArrayList<>();
        for (int i = 0; i < names.size(); i++) {
            body.add(new WordStatement.Store(
                    Width.WORD, plus(MODEL, given + 8L * i), local(names.get(i))));
        }
        body.add(new WordStatement.Return(call("step", MODEL, local("sessions"),
                local("count"), local("rows"), plus(MODEL, given))));
        return new WordFunction("take_step", parameters, body);
    }

    /** Bytes of one instance of a parameter. */
    public static long bytes(Parameter parameter) {
        List<Size> shape = parameter.value().type().shape();
        return shape.subList(parameter.instanceAxes(), shape.size()).stream()
                .mapToLong(s -> s.constant().orElseThrow())
                .reduce(parameter.value().type().format().bytes(), Math::multiplyExact);
    }

    private static WordFunction packed(KernelProgram program) {
        long entries = program.parameters().stream()
                .mapToLong(HostLowering::instances).sum();
        List<WordStatement> body = new ArrayList<>();
        body.add(new WordStatement.Assign("table", call("allocate", of(8 * entries + 64))));
        body.add(new WordStatement.If(binary(Operator.EQUAL, local("table"), of(0)),
                List.of(new WordStatement.Return(of(0))), List.of()));
        body.add(new WordStatement.Assign("entry", local("table")));
        for (Parameter parameter : program.parameters()) {
            long spacing = Math.ceilDiv(bytes(parameter), PACKED_ALIGNMENT) * PACKED_ALIGNMENT;
            body.add(new WordStatement.Assign("end",
                    plus(local("entry"), 8 * HostLowering.instances(parameter))));
            body.add(new WordStatement.While(
                    binary(Operator.LESS, local("entry"), local("end")),
                    List.of(
                            new WordStatement.Store(
                                    Width.WORD, local("entry"), local("weights")),
                            new WordStatement.Assign(
                                    "weights", plus(local("weights"), spacing)),
                            new WordStatement.Assign("entry", plus(local("entry"), 8)))));
        }
        body.add(new WordStatement.Assign("model", call("create", local("table"))));
        body.add(new WordStatement.Run(
                new WordExpression.Call("free", List.of(local("table")))));
        body.add(new WordStatement.Return(MODEL));
        return new WordFunction("create_packed", List.of("weights"), body);
    }

    private static WordFunction weightBytes(KernelProgram program) {
        List<WordStatement> body = new ArrayList<>();
        body.add(new WordStatement.If(binary(Operator.LESS, local("number"), of(0)),
                List.of(new WordStatement.Return(of(0))), List.of()));
        long end = 0;
        for (Parameter parameter : program.parameters()) {
            end += HostLowering.instances(parameter);
            body.add(new WordStatement.If(binary(Operator.LESS, local("number"), of(end)),
                    List.of(new WordStatement.Return(of(bytes(parameter)))), List.of()));
        }
        return new WordFunction("weight_bytes", List.of("number"), body);
    }
}
