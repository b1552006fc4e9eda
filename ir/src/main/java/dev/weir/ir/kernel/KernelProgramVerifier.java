package dev.weir.ir.kernel;

import dev.weir.ir.kernel.HostStatement.Operand;
import dev.weir.ir.tensor.DeclarationVerifier;
import dev.weir.ir.tensor.HostScalarVerifier;
import dev.weir.ir.tensor.Parameter;
import dev.weir.ir.tensor.Scalar;
import dev.weir.ir.tensor.State;
import dev.weir.ir.tensor.Value;
import dev.weir.ir.type.Format;
import dev.weir.ir.type.Size;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;

/**
 * Tells what is wrong with a kernel program that could not have come from the scheduler: kernels
 * that contradict themselves, memory that nobody allocated, buffers of another format than the
 * kernel's. Whether kernels stay inside their memory is not told.
 */
public final class KernelProgramVerifier {
    private final KernelProgram program;
    private final List<String> problems = new ArrayList<>();
    private final Map<String, Kernel> kernels = new HashMap<>();
    private final Map<Value, Parameter> parameters = new HashMap<>();
    private final Map<Value, State> states = new HashMap<>();
    /** What has memory or a value at the present statement. */
    private Set<Value> known = new HashSet<>();
    private Set<String> sizes = new HashSet<>();
    private String place = "";

    private KernelProgramVerifier(KernelProgram program) {
        this.program = program;
    }

    /** What is wrong, a sentence each; empty for a program that is right. */
    public static List<String> verify(KernelProgram program) {
        KernelProgramVerifier verifier = new KernelProgramVerifier(program);
        verifier.program();
        return verifier.problems.stream().distinct().toList();
    }

    private void require(boolean holds, String problem) {
        if (!holds) {
            problems.add(place + ": " + problem);
        }
    }

    private void program() {
        place = "program " + program.name();
        require(program.resultNames().size() == program.results().size(),
                program.resultNames().size() + " names for " + program.results().size()
                        + " results");
        for (Kernel kernel : program.kernels()) {
            require(kernels.put(kernel.name(), kernel) == null,
                    "two kernels " + kernel.name());
            problems.addAll(KernelVerifier.problems(kernel));
            checks(kernel, kernel.body());
        }
        program.parameters().forEach(this::parameter);
        program.states().forEach(this::state);
        statements(program.initialise());
        frames();
        statements(program.step());
        place = "the end of the step";
        program.results().forEach(this::use);
    }

    private void checks(Kernel kernel, List<Statement> statements) {
        for (Statement statement : statements) {
            switch (statement) {
                case Statement.For f -> checks(kernel, f.body());
                case Statement.If i -> {
                    checks(kernel, i.then());
                    checks(kernel, i.otherwise());
                }
                case Statement.Fault f -> require(
                        f.code() >= 0 && f.code() < program.checks().size(),
                        "kernel " + kernel.name() + " speaks of check " + f.code()
                                + ", of which there are " + program.checks().size());
                case Statement.Declare d -> { }
                case Statement.Assign a -> { }
                case Statement.Store s -> { }
                case Statement.Prefetch p -> { }
                case Statement.Bind b -> { }
            }
        }
    }

    private void parameter(Parameter parameter) {
        DeclarationVerifier.problems(parameter).forEach(problem -> require(false, problem));
        parameters.put(parameter.value(), parameter);
        if (parameter.instanceAxes() == 0) {
            known.add(parameter.value());
        }
    }

    private void state(State state) {
        DeclarationVerifier.problems(state).forEach(problem -> require(false, problem));
        states.put(state.value(), state);
        state.lengths().ifPresent(known::add);
    }

    private void frames() {
        known.add(program.frames().segment());
        known.add(program.frames().offsets());
        sizes.add(program.frames().sequences().name());
        sizes.add(program.frames().rows().name());
        known.addAll(program.arguments());
    }

    private void statements(List<HostStatement> statements) {
        statements.forEach(this::statement);
    }

    private void statement(HostStatement statement) {
        place = statement.getClass().getSimpleName().toLowerCase(java.util.Locale.ROOT);
        switch (statement) {
            case HostStatement.Allocate s -> define(s.value());
            case HostStatement.Release s -> known.remove(s.value());
            case HostStatement.Alias s -> {
                use(s.source());
                sameBytes(s.source(), s.target());
                define(s.target());
            }
            case HostStatement.Own s -> {
                use(s.source());
                sameBytes(s.source(), s.target());
                define(s.target());
                if (s.last()) {
                    known.remove(s.source());
                }
            }
            case HostStatement.Launch s -> launch(s);
            case HostStatement.SetSize s -> {
                whole(s.value());
                sizes.add(s.size().name());
            }
            case HostStatement.SetSizeToLargest s -> {
                use(s.table());
                require(s.table().type().format() == Format.I64, "the table is not i64");
                sizes.add(s.size().name());
            }
            case HostStatement.SetScalar s -> {
                require(s.variable().type().rank() == 0, s.variable().name() + " has axes");
                host(s.value(), s.variable().type().format());
                known.add(s.variable());
            }
            case HostStatement.If s -> branch(s);
            case HostStatement.Loop s -> loop(s);
            case HostStatement.Reserve s -> grow(s.state(), s.instances(), s.offsets());
            case HostStatement.Extend s -> grow(s.state(), s.instances(), s.offsets());
            case HostStatement.Advance s -> grow(s.state(), s.instances(), s.offsets());
            case HostStatement.Trace s -> {
                s.instances().forEach(this::whole);
                use(s.value());
            }
            case HostStatement.Tally s -> {
                s.instances().forEach(this::whole);
                s.amounts().forEach(this::whole);
                s.offsets().ifPresent(this::use);
            }
        }
    }

    private void branch(HostStatement.If branch) {
        host(branch.condition(), Format.BOOL);
        Set<Value> before = new HashSet<>(known);
        Set<String> sizesBefore = new HashSet<>(sizes);
        statements(branch.then());
        Set<Value> then = known;
        Set<String> sizesThen = sizes;
        known = before;
        sizes = sizesBefore;
        statements(branch.otherwise());
        known.retainAll(then);
        sizes.retainAll(sizesThen);
    }

    /** The second round sees what the first left, and behind the loop there may have been none. */
    private void loop(HostStatement.Loop loop) {
        whole(loop.from());
        whole(loop.to());
        loop.active().ifPresent(this::use);
        for (int round = 0; round < 2; round++) {
            Set<Value> before = new HashSet<>(known);
            Set<String> sizesBefore = new HashSet<>(sizes);
            known.add(loop.index());
            statements(loop.body());
            known.retainAll(before);
            sizes.retainAll(sizesBefore);
        }
    }

    private void grow(Value state, List<Scalar> instances, Value offsets) {
        Optional<State> found = Optional.ofNullable(states.get(state)).filter(State::grows);
        require(found.isPresent(), state.name() + " is no state that grows");
        found.ifPresent(s -> require(s.instances().size() == instances.size(),
                instances.size() + " instances for state " + s.name()));
        instances.forEach(this::whole);
        use(offsets);
        require(offsets.type().format() == Format.I64, "the offsets are not i64");
    }

    private void launch(HostStatement.Launch launch) {
        place = "launch of " + launch.kernel();
        Kernel kernel = kernels.get(launch.kernel());
        require(kernel != null && kernel.buffers().size() == launch.buffers().size()
                && kernel.scalars().size() == launch.scalars().size(),
                "the kernel takes other arguments");
        whole(launch.tiles());
        launch.scalars().forEach(this::whole);
        for (int i = 0; kernel != null && i < launch.buffers().size(); i++) {
            operand(launch.buffers().get(i), kernel.buffers().get(i));
        }
        for (HostStatement.WeightUse use : launch.weights()) {
            use.groups().ifPresent(this::use);
            use.part().ifPresent(part -> {
                whole(part.first());
                whole(part.count());
            });
            use.picked().ifPresent(picked -> whole(picked.count()));
        }
    }

    private void operand(Operand operand, Buffer buffer) {
        Format format = switch (operand) {
            case Operand.Tensor t -> {
                use(t.value());
                yield t.value().type().format();
            }
            case Operand.ParameterTable p -> {
                require(parameters.containsKey(p.parameter())
                                && parameters.get(p.parameter()).instanceAxes() > 0,
                        p.parameter().name() + " is no parameter with instances");
                yield Format.I64;
            }
            case Operand.StateTable s -> {
                require(states.containsKey(s.state()), s.state().name() + " is no state");
                yield Format.I64;
            }
        };
        require(format == buffer.format(), "buffer " + buffer.name() + " is "
                + buffer.format().word() + ", and gets " + format.word());
    }

    private void sameBytes(Value source, Value target) {
        require(source.type().format() == target.type().format(), target.name() + " is "
                + target.type() + ", and " + source.name() + " is " + source.type());
    }

    private void define(Value value) {
        value.type().shape().forEach(this::use);
        known.add(value);
    }

    private void use(Value value) {
        require(known.contains(value), "there is no " + value + " " + value.name() + " here");
    }

    private void use(Size size) {
        for (String symbol : size.symbols()) {
            require(sizes.contains(symbol), "size " + symbol + " has no value here");
        }
    }

    private void whole(Scalar scalar) {
        host(scalar, Format.I64);
    }

    private void host(Scalar scalar, Format format) {
        HostScalarVerifier.problems(scalar, format, this::use, this::use)
                .forEach(problem -> require(false, problem));
    }
}
