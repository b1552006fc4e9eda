package dev.weir.runtime.model;

import dev.weir.ir.tensor.Interpreter;
import dev.weir.ir.tensor.Memory;
import dev.weir.ir.tensor.Moment;
import dev.weir.ir.tensor.Node;
import dev.weir.ir.tensor.Parameter;
import dev.weir.ir.tensor.StreamAxis;
import dev.weir.ir.tensor.TensorData;
import dev.weir.ir.tensor.TensorProgram;
import dev.weir.ir.tensor.Traced;
import dev.weir.ir.tensor.Value;
import dev.weir.ir.tensor.Watcher;
import dev.weir.ir.type.Size;
import dev.weir.runtime.ledger.Ledger;
import dev.weir.runtime.memory.Tensor;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.SequencedMap;
import java.util.TreeMap;
import java.util.function.Function;

/** A model run by the interpreter, one sequence after the other: slow, and what the others mean. */
public final class InterpretedModel implements Engine {
    /** One entry, with what it runs on. */
    private record Entry(TensorProgram program, Interpreter interpreter) {}

    private final SequencedMap<String, Entry> entries = new LinkedHashMap<>();
    private final Sessions sessions;
    private final Ledger ledger = new Ledger();

    /**
     * @param program not lifted
     */
    public InterpretedModel(TensorProgram program, Map<Parameter, List<Tensor>> weights) {
        this(List.of(program), weights);
    }

    /**
     * With all entries of a model.
     *
     * @param programs not lifted; the one that a step takes by itself first
     */
    public InterpretedModel(
            List<TensorProgram> programs, Map<Parameter, List<Tensor>> weights) {
        for (TensorProgram program : programs) {
            entries.put(program.entry().name(), new Entry(program,
                    new Interpreter(program, p -> stacked(p, weights.get(p)))));
        }
        SequencedMap<String, Optional<StreamAxis>> streams = new LinkedHashMap<>();
        entries.forEach((name, entry) -> streams.put(name, entry.program().stream()));
        this.sessions = new Sessions(programs.getFirst().name(), streams,
                States.all(programs.stream().map(TensorProgram::states).toList()));
    }

    @Override
    public List<String> entries() {
        return List.copyOf(entries.keySet());
    }

    /** All instances of a parameter in one tensor. */
    public static TensorData stacked(Parameter parameter, List<Tensor> instances) {
        long[] shape = parameter.value().type().shape().stream()
                .mapToLong(s -> s.constant().orElseThrow())
                .toArray();
        TensorData data = TensorData.zeros(parameter.value().type().format(), shape);
        int at = 0;
        for (Tensor instance : instances) {
            for (long i = 0; i < instance.elements(); i++) {
                if (data.format().isFloat()) {
                    data.setReal(at++, instance.real(i));
                } else {
                    data.setWhole(at++, instance.whole(i));
                }
            }
        }
        return data;
    }

    @Override
    public Session start() {
        return sessions.start(() -> new InterpretedStore(new Memory()));
    }

    @Override
    public <R> R step(
            String entry, List<Session> taking, long[] rows, List<Tensor> arguments,
            Tracer tracer, Function<List<Tensor>, R> read) {
        if (entries.containsKey(entry)) {
            Signature.of(entries.get(entry).program()).requireFits(arguments, rows);
        }
        return sessions.step(entry, taking, rows, stores -> read.apply(run(
                entries.get(entry),
                stores.stream().map(s -> ((InterpretedStore) s).memory()).toList(),
                rows, arguments, tracer)));
    }

    private List<Tensor> run(
            Entry entry, List<Memory> memories, long[] rows, List<Tensor> arguments,
            Tracer tracer) {
        TensorProgram program = entry.program();
        Map<Moment, List<Traced>> shown = new TreeMap<>();
        Watcher watcher = new Watcher() {
            @Override
            public void traced(Traced traced) {
                if (tracer != Tracer.NONE && !traced.chosen()) {
                    shown.computeIfAbsent(traced.moment(), m -> new ArrayList<>()).add(traced);
                }
            }

            @Override
            public void tallied(String path, Node.TallyKind kind, List<Long> amounts) {
                ledger.tally(path, kind, amounts);
            }
        };
        List<List<TensorData>> parts = new ArrayList<>();
        long from = 0;
        for (int b = 0; b < rows.length; b++) {
            List<TensorData> own = new ArrayList<>();
            for (int a = 0; a < arguments.size(); a++) {
                own.add(part(program, program.entry().body().arguments().get(a),
                        arguments.get(a), b, from, rows[b]));
            }
            parts.add(entry.interpreter().step(memories.get(b), own, watcher));
            from += rows[b];
        }
        shown.values().forEach(moment -> tracer.traced(moment.getFirst().path(), Tensor.of(
                TensorData.stacked(moment.stream().map(Traced::rows).toList()))));
        List<Tensor> results = new ArrayList<>();
        List<Value> names = program.entry().body().results();
        for (int r = 0; r < names.size(); r++) {
            int result = r;
            results.add(joined(parts.stream().map(p -> p.get(result)).toList(),
                    isStream(program, names.get(r))));
        }
        return results;
    }

    private static boolean isStream(TensorProgram program, Value value) {
        List<Size> shape = value.type().shape();
        return !shape.isEmpty()
                && program.stream().map(s -> s.size().equals(shape.getFirst())).orElse(false);
    }

    private static TensorData part(
            TensorProgram program, Value argument, Tensor all, int sequence, long from,
            long rows) {
        if (isStream(program, argument)) {
            return all.rows(from, from + rows).toData();
        }
        TensorData one = all.rows(sequence, sequence + 1).toData();
        return one.slice(0);
    }

    private static Tensor joined(List<TensorData> parts, boolean stream) {
        return Tensor.of(TensorData.stacked(
                stream ? parts : parts.stream().map(TensorData::asRow).toList()));
    }

    @Override
    public Ledger ledger() {
        return ledger;
    }

    @Override
    public void close() {
        sessions.close(() -> { });
    }
}
