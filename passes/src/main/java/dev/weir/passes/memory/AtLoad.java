package dev.weir.passes.memory;

import dev.weir.ir.kernel.HostStatement;
import dev.weir.ir.kernel.HostStatement.Operand;
import dev.weir.ir.kernel.KernelProgram;
import dev.weir.ir.kernel.ParameterReads;
import dev.weir.ir.tensor.Parameter;
import dev.weir.ir.tensor.Value;
import dev.weir.ir.type.Size;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeSet;

/** What a model has in memory when it is loaded: its weights, and what is made of them. */
public final class AtLoad {
    private AtLoad() {}

    /**
     * The parameters of all entries. Two that may be stored under the same name are one: whether a
     * checkpoint has both is not known, and this is about the least.
     */
    public static List<MemoryPlan.Stored> stored(List<KernelProgram> entries) {
        Map<String, Parameter> parameters = new LinkedHashMap<>();
        Set<String> read = ParameterReads.ofSteps(entries);
        entries.forEach(e -> e.parameters().forEach(
                p -> parameters.putIfAbsent(p.identity(), p)));
        List<MemoryPlan.Stored> stored = new ArrayList<>();
        Map<String, Integer> places = new HashMap<>();
        for (Parameter parameter : parameters.values()) {
            long bytes = bytes(parameter.value());
            boolean isRead = read.contains(parameter.identity());
            String name = parameter.stored().getLast() + " " + parameter.part() + bytes;
            Integer place = parameter.layout().isPresent() ? null : places.get(name);
            if (place == null) {
                places.put(name, stored.size());
                stored.add(new MemoryPlan.Stored(parameter.identity(), bytes, isRead));
            } else if (isRead) {
                stored.set(place, new MemoryPlan.Stored(
                        stored.get(place).path(), bytes, true));
            }
        }
        return stored;
    }

    /** What the entries make at load, each for itself, and do not release. */
    public static List<MemoryPlan.Made> made(List<KernelProgram> entries) {
        List<MemoryPlan.Made> made = new ArrayList<>();
        entries.forEach(e -> made(e, made));
        return made;
    }

    private static void made(KernelProgram entry, List<MemoryPlan.Made> made) {
        Map<Value, Set<String>> sources = new HashMap<>();
        entry.parameters().forEach(p -> sources.put(p.value(), Set.of(p.identity())));
        Set<Value> kept = new LinkedHashSet<>();
        for (HostStatement statement : entry.initialise()) {
            switch (statement) {
                case HostStatement.Allocate s -> kept.add(s.value());
                case HostStatement.Release s -> kept.remove(s.value());
                case HostStatement.Launch s -> launched(s, sources);
                default -> { }
            }
        }
        kept.forEach(v -> made.add(new MemoryPlan.Made(
                v.name(), List.copyOf(sources.getOrDefault(v, Set.of())), bytes(v))));
    }

    /** What a launch writes is made of what it reads: of all its operands, to be safe. */
    private static void launched(HostStatement.Launch launch, Map<Value, Set<String>> sources) {
        Set<String> all = new TreeSet<>();
        List<Value> operands = new ArrayList<>();
        for (Operand operand : launch.buffers()) {
            switch (operand) {
                case Operand.Tensor t -> operands.add(t.value());
                case Operand.ParameterTable t -> operands.add(t.parameter());
                case Operand.StateTable t -> { }
            }
        }
        operands.forEach(v -> all.addAll(sources.getOrDefault(v, Set.of())));
        operands.forEach(v -> sources.putIfAbsent(v, all));
    }

    private static long bytes(Value value) {
        long bytes = value.type().format().bytes();
        for (Size size : value.type().shape()) {
            bytes = Math.multiplyExact(bytes, size.constant().orElseThrow());
        }
        return bytes;
    }
}
