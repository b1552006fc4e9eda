package dev.weir.ir.kernel;

import dev.weir.ir.kernel.HostStatement.Operand;
import dev.weir.ir.tensor.Scalar;
import dev.weir.ir.tensor.Value;
import dev.weir.ir.tensor.Walk;
import java.util.HashSet;
import java.util.List;
import java.util.Set;

/**
 * The tensors that statements read, parameters among them, which may be read through a table of
 * their instances. What a step does not read was needed at load only.
 */
public final class ParameterReads {
    private final Set<Value> found = new HashSet<>();

    private ParameterReads() {}

    /** The values that launches and scalars of the host refer to. */
    public static Set<Value> of(List<HostStatement> statements) {
        ParameterReads reads = new ParameterReads();
        reads.all(statements);
        return reads.found;
    }

    /** The identities of the parameters that steps of some entries read. */
    public static Set<String> ofSteps(List<KernelProgram> entries) {
        Set<String> identities = new HashSet<>();
        for (KernelProgram entry : entries) {
            Set<Value> read = of(entry.step());
            entry.parameters().stream().filter(p -> read.contains(p.value()))
                    .forEach(p -> identities.add(p.identity()));
        }
        return identities;
    }

    private void all(List<HostStatement> statements) {
        statements.forEach(this::one);
    }

    private void one(HostStatement statement) {
        switch (statement) {
            case HostStatement.Launch s -> {
                s.buffers().forEach(this::operand);
                scalars(s.scalars());
                scalar(s.tiles());
            }
            case HostStatement.Alias s -> found.add(s.source());
            case HostStatement.Own s -> found.add(s.source());
            case HostStatement.SetSize s -> scalar(s.value());
            case HostStatement.SetSizeToLargest s -> found.add(s.table());
            case HostStatement.SetScalar s -> scalar(s.value());
            case HostStatement.If s -> {
                scalar(s.condition());
                all(s.then());
                all(s.otherwise());
            }
            case HostStatement.Loop s -> {
                scalar(s.from());
                scalar(s.to());
                s.active().ifPresent(found::add);
                all(s.body());
            }
            case HostStatement.Reserve s -> scalars(s.instances());
            case HostStatement.Extend s -> scalars(s.instances());
            case HostStatement.Advance s -> scalars(s.instances());
            case HostStatement.Trace s -> {
                scalars(s.instances());
                found.add(s.value());
            }
            case HostStatement.Tally s -> {
                scalars(s.instances());
                scalars(s.amounts());
                s.offsets().ifPresent(found::add);
            }
            case HostStatement.Allocate s -> { }
            case HostStatement.Release s -> { }
        }
    }

    private void operand(Operand operand) {
        switch (operand) {
            case Operand.Tensor t -> found.add(t.value());
            case Operand.ParameterTable t -> found.add(t.parameter());
            case Operand.StateTable t -> { }
        }
    }

    private void scalars(List<Scalar> scalars) {
        scalars.forEach(this::scalar);
    }

    private void scalar(Scalar scalar) {
        Walk.loads(scalar, load -> found.add(load.source()));
    }
}
