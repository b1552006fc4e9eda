package dev.weir.passes.schedule;

import dev.weir.ir.diagnostic.Span;
import dev.weir.ir.kernel.HostStatement;
import dev.weir.ir.kernel.Kernel;
import dev.weir.ir.kernel.KernelProgram;
import dev.weir.ir.kernel.TargetDescription;
import dev.weir.ir.operation.Operation;
import dev.weir.ir.tensor.Identifiers;
import dev.weir.ir.tensor.Node;
import dev.weir.ir.tensor.Region;
import dev.weir.ir.tensor.Scalar;
import dev.weir.ir.tensor.TensorProgram;
import dev.weir.ir.tensor.Value;
import dev.weir.ir.tensor.Walk;
import dev.weir.ir.type.Format;
import dev.weir.ir.type.Size;
import dev.weir.ir.type.TensorType;
import dev.weir.passes.analysis.Facts;
import dev.weir.passes.analysis.ScheduleStep;
import dev.weir.passes.analysis.WorkOf;
import dev.weir.passes.fuse.Cluster;
import dev.weir.passes.fuse.Clustering;
import dev.weir.passes.fuse.Recurrence;
import dev.weir.passes.layout.Packing;
import dev.weir.passes.layout.RowWords;
import dev.weir.passes.layout.Turning;
import dev.weir.passes.memory.Lifetimes;
import java.util.ArrayList;
import java.util.Collections;
import java.util.EnumMap;
import java.util.HashMap;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.function.Supplier;

/**
 * Turns a lifted program into kernels and the host program that launches them. Kernels of the same
 * structure are one: what differs (addresses, sizes, the number of the layer) is handed over.
 */
public final class Schedule {
    /** More instances of a parameter would be a strange list of blocks. */
    private static final int MOST_INSTANCES = 1 << 12;

    private final TensorProgram program;
    private final Facts facts;
    private final Identifiers identifiers;
    private final Packing packing;
    /** Whether what is scheduled lays out parameters, at load. */
    private boolean isPacking;
    /** Present in the step: what is computed once is not worth a copy of its weights. */
    private Optional<Turning> turning = Optional.empty();
    private final Checks checks = new Checks();
    private final Map<Kernel, String> kernels = new LinkedHashMap<>();
    private final List<KernelProgram.Story> stories = new ArrayList<>();
    private final Map<HostStatement.Launch, KernelProgram.Work> works = new HashMap<>();
    private final Map<Value, String> producers = new HashMap<>();
    private final Map<ScheduleStep, Long> nanos = new EnumMap<>(ScheduleStep.class);

    private Schedule(TensorProgram program, TargetDescription target, Set<String> disabled) {
        this.program = program;
        this.facts = new Facts(program, target, disabled);
        this.identifiers = Identifiers.behind(program);
        this.packing = new Packing(identifiers);
    }

    /** Sees how long the steps took, each without the others. */
    public interface Observer {
        void took(ScheduleStep step, long nanos);
    }

    /**
     * The kernel program of a lifted tensor program.
     *
     * @param disabled names of optional steps to leave out
     */
    public static KernelProgram run(
            TensorProgram program,
            TargetDescription target,
            Set<String> disabled,
            Observer observer) {
        long begin = System.nanoTime();
        Facts facts = new Facts(program, target, disabled);
        TensorProgram laidOut = target.dotBytes() && facts.isOn(ScheduleStep.BYTE_PRODUCTS)
                ? RowWords.run(program, facts) : program;
        Schedule schedule = new Schedule(laidOut, target, disabled);
        long start = System.nanoTime();
        schedule.nanos.put(ScheduleStep.BYTE_PRODUCTS, start - begin);
        KernelProgram kernels = schedule.program();
        long all = System.nanoTime() - begin;
        long inside = schedule.nanos.values().stream().mapToLong(n -> n).sum();
        schedule.nanos.put(ScheduleStep.KERNELS, all - inside);
        schedule.nanos.forEach(observer::took);
        return kernels;
    }

    private <T> T timed(ScheduleStep step, Supplier<T> work) {
        long start = System.nanoTime();
        T result = work.get();
        nanos.merge(step, System.nanoTime() - start, Long::sum);
        return result;
    }

    private List<Cluster> clusters(Region region) {
        return timed(ScheduleStep.CLUSTERING,
                () -> Pruning.run(Clustering.run(region, facts), region));
    }

    private List<HostStatement> released(List<HostStatement> statements, Set<Value> kept) {
        return released(statements, kept, List.of());
    }

    /**
     * @param given names from outside that end here
     */
    private List<HostStatement> released(
            List<HostStatement> statements, Set<Value> kept, List<Value> given) {
        return timed(ScheduleStep.LIFETIMES, () -> {
            if (facts.isOn(ScheduleStep.LIFETIMES)) {
                return Lifetimes.release(statements, kept, new LinkedHashSet<>(given));
            }
            List<HostStatement> all = new ArrayList<>(statements);
            given.forEach(v -> all.add(new HostStatement.Release(v)));
            return all;
        });
    }

    private KernelProgram program() {
        WeightsOnly.Split split = timed(ScheduleStep.WEIGHTS_AT_LOAD,
                () -> WeightsOnly.split(program, facts));
        Region body = split.step();
        facts.setMadeAtLoad(split.values());
        turning = Optional.of(new Turning(packing, facts,
                (scalar, axis) -> Vectors.possible(scalar, axis, facts)));
        List<HostStatement> step = region(body, Set.copyOf(body.results()));
        turning = Optional.empty();
        facts.setMadeAtLoad(List.of());
        Region once = new Region(List.of(), split.initialise(), split.values());
        List<HostStatement> computed = region(once, new HashSet<>(split.values()));
        List<HostStatement> initialise = new ArrayList<>(packs(true));
        initialise.addAll(computed);
        initialise.addAll(packs(false));
        List<Kernel> all = new ArrayList<>();
        kernels.forEach((kernel, name) -> all.add(named(kernel, name)));
        return new KernelProgram(
                program.name(),
                program.entry().name(),
                program.parameters(),
                program.states(),
                program.stream(),
                program.frames().orElseThrow(),
                body.arguments(),
                body.results(),
                program.resultNames(),
                all,
                initialise,
                step,
                checks.texts(),
                stories,
                works);
    }

    /** Lays out parameters, or what has been made of them. */
    private List<HostStatement> packs(boolean parameters) {
        List<Node> packs = packing.computes().stream()
                .filter(n -> Walk.reads(n).stream()
                        .allMatch(v -> facts.parameter(v).isPresent()) == parameters)
                .map(n -> (Node) n)
                .toList();
        List<Value> packed = packs.stream().map(n -> n.results().getFirst()).toList();
        isPacking = true;
        List<HostStatement> statements =
                region(new Region(List.of(), packs, packed), new HashSet<>(packed));
        isPacking = false;
        return statements;
    }

    private static Kernel named(Kernel kernel, String name) {
        return new Kernel(name, kernel.buffers(), kernel.scalars(), kernel.scratch(),
                kernel.tile(), kernel.body());
    }

    /**
     * @param kept values whose memory outlives the region
     */
    private List<HostStatement> region(Region region, Set<Value> kept) {
        List<HostStatement> statements = new ArrayList<>();
        for (Cluster cluster : clusters(region)) {
            cluster(cluster, statements);
        }
        return released(statements, kept);
    }

    private void cluster(Cluster cluster, List<HostStatement> out) {
        Node node = cluster.nodes().getFirst();
        switch (node) {
            case Node.Compute n when Facts.isHostScalar(n) ->
                    out.add(new HostStatement.SetScalar(n.result(), n.body()));
            case Node.Compute n -> compute(cluster, out);
            case Node.TopK n -> compute(cluster, out);
            case Node.Scatter n -> {
                out.add(new HostStatement.Own(n.result(), n.base(), false));
                launch(cluster, out, "scatter", e -> new IrregularSchedule(e).scatter(n));
            }
            case Node.Selection n -> selection(cluster, n, out);
            case Node.Grouping n -> {
                n.results().forEach(v -> out.add(new HostStatement.Allocate(v)));
                launch(cluster, out, "grouping", e -> new IrregularSchedule(e).grouping(n));
            }
            case Node.Measure n ->
                    out.add(new HostStatement.SetSizeToLargest(n.size(), n.table()));
            case Node.If n -> branch(n, out);
            case Node.Loop n -> timed(ScheduleStep.RECURRENCES, () -> Recurrence.of(n, facts))
                    .ifPresentOrElse(r -> recurrence(r, out), () -> loop(n, out));
            case Node.AppendRows n -> {
                Value state = facts.state(n.state()).value();
                if (n.among().isPresent()) {
                    out.add(new HostStatement.Extend(
                            state, n.instances(), n.among().get().offsets()));
                    launch(cluster, out, "fill", e -> new IrregularSchedule(e).fillRows(n));
                    return;
                }
                out.add(new HostStatement.Reserve(state, n.instances(), n.offsets()));
                launch(cluster, out, "append", e -> new IrregularSchedule(e).appendRows(n));
                out.add(new HostStatement.Advance(state, n.instances(), n.offsets()));
            }
            case Node.WriteRows n ->
                    launch(cluster, out, "write", e -> new IrregularSchedule(e).writeRows(n));
            case Node.Trace n ->
                    out.add(new HostStatement.Trace(n.path(), n.instances(), n.value()));
            case Node.Tally n -> out.add(new HostStatement.Tally(
                    n.path(), n.instances(), n.kind(), n.amounts(), n.offsets()));
            case Node.Call n -> throw unlifted();
            case Node.Route n -> throw unlifted();
            case Node.Gate n -> throw unlifted();
            case Node.Append n -> throw unlifted();
            case Node.Read n -> throw unlifted();
            case Node.Write n -> throw unlifted();
        }
    }

    private static IllegalArgumentException unlifted() {
        return new IllegalArgumentException("the program is not lifted");
    }

    // ------------------------------------------------------------------ kernels

    private void compute(Cluster cluster, List<HostStatement> out) {
        for (Node node : cluster.nodes()) {
            for (Value value : node.results()) {
                if (cluster.exported().contains(value)) {
                    out.add(new HostStatement.Allocate(value));
                }
            }
        }
        String name = cluster.nodes().getLast().results().getFirst().name();
        List<HostStatement.WeightUse> uses = new ArrayList<>();
        launch(cluster, out, name, work(cluster), emitter -> {
            if (ContractionSchedule.applies(cluster, emitter)) {
                ContractionSchedule schedule =
                        new ContractionSchedule(cluster, emitter, packing);
                PointSchedule.Plan plan = timed(ScheduleStep.CONTRACTIONS, schedule::write);
                uses.addAll(WeightUses.of(cluster, schedule.contractions(), facts));
                return plan;
            }
            uses.addAll(uses(cluster));
            Cluster turned = turning.map(t -> t.of(cluster)).orElse(cluster);
            return new PointSchedule(turned, emitter).write();
        }, uses);
    }

    private List<HostStatement.WeightUse> uses(Cluster cluster) {
        // Who reads the packed copy reads the parameter.
        return isPacking ? List.of() : WeightUses.of(cluster, facts);
    }

    /** Writes the body of a kernel. */
    private interface Body {
        PointSchedule.Plan write(ScalarEmitter emitter);
    }

    private void launch(Cluster cluster, List<HostStatement> out, String name, Body body) {
        launch(cluster, out, name, work(cluster), body, uses(cluster));
    }

    private void launch(
            Cluster cluster,
            List<HostStatement> out,
            String label,
            KernelProgram.Work work,
            Body body,
            List<HostStatement.WeightUse> uses) {
        KernelWriter writer = new KernelWriter(checks);
        ScalarEmitter emitter = new ScalarEmitter(facts, writer);
        PointSchedule.Plan plan = body.write(emitter);
        nanos.merge(ScheduleStep.UNROLL_AND_JAM, writer.jamming(), Long::sum);
        KernelWriter.Written written = writer.finish("kernel");
        String name = kernels.computeIfAbsent(
                written.kernel(), k -> "k" + kernels.size() + "_" + identifier(label));
        cluster.nodes().forEach(n -> n.results().forEach(v -> producers.put(v, name)));
        if (stories.stream().noneMatch(s -> s.kernel().equals(name))) {
            stories.add(story(name, plan, cluster, work));
        }
        var launch = new HostStatement.Launch(
                name, written.operands(), written.scalars(), plan.tiles(), uses);
        works.put(launch, work);
        out.add(launch);
    }

    private static String identifier(String label) {
        return label.replaceAll("[^A-Za-z0-9]+", "_");
    }

    private KernelProgram.Work work(Cluster cluster) {
        Set<Value> written = isFused(cluster)
                ? cluster.exported()
                : Set.copyOf(cluster.nodes().getFirst().results());
        return WorkOf.nodes(cluster.nodes(), written, facts);
    }

    private KernelProgram.Story story(
            String name,
            PointSchedule.Plan plan,
            Cluster cluster,
            KernelProgram.Work work) {
        List<String> values = new ArrayList<>();
        List<String> kept = new ArrayList<>();
        Set<Span> spans = new LinkedHashSet<>();
        for (Node node : cluster.nodes()) {
            for (Value value : node.results()) {
                values.add(value.name());
                if (isFused(cluster) && !cluster.exported().contains(value)) {
                    kept.add(value.name());
                }
            }
            if (!node.span().equals(Span.NONE)) {
                spans.add(node.span());
            }
        }
        List<String> decisions = new ArrayList<>();
        if (!kept.isEmpty()) {
            decisions.add("fused: " + String.join(", ", kept)
                    + (kept.size() == 1 ? " stays" : " stay") + " in registers or scratch");
        }
        cluster.fused().forEach(f -> decisions.add("fused: " + f));
        cluster.apart().forEach(a -> decisions.add("kept apart from "
                + producers.getOrDefault(a.value(), "another kernel") + ", which computes "
                + a.value().name() + ": " + a.reason()));
        return new KernelProgram.Story(
                name, plan.form(), values, List.copyOf(spans), work, decisions);
    }

    /** Whether the cluster is made of nodes that can share a kernel. */
    private static boolean isFused(Cluster cluster) {
        Node node = cluster.nodes().getFirst();
        return node instanceof Node.Compute || node instanceof Node.TopK;
    }

    private void selection(Cluster cluster, Node.Selection node, List<HostStatement> out) {
        Value all = identifiers.value("all " + node.indices().name(), node.condition().type()
                .format() == Format.BOOL
                ? new TensorType(Format.I64, node.condition().type().shape())
                : node.indices().type());
        Value count = identifiers.value(
                "count", new TensorType(Format.I64, List.of(Size.of(1))));
        out.add(new HostStatement.Allocate(all));
        out.add(new HostStatement.Allocate(count));
        launch(cluster, out, "selection",
                e -> new IrregularSchedule(e).selection(node, all, count));
        out.add(new HostStatement.SetSize(
                node.count(), Scalar.load(count, List.of(Scalar.whole(0)))));
        out.add(new HostStatement.Alias(node.indices(), all));
    }

    // ------------------------------------------------------------------ control flow

    private void branch(Node.If node, List<HostStatement> out) {
        out.add(new HostStatement.If(
                Scalar.load(node.condition(), List.of()),
                arm(node, node.then()),
                arm(node, node.otherwise())));
    }

    private List<HostStatement> arm(Node.If node, Region region) {
        List<HostStatement> statements = new ArrayList<>();
        for (Cluster cluster : clusters(region)) {
            cluster(cluster, statements);
        }
        for (int r = 0; r < node.results().size(); r++) {
            statements.add(new HostStatement.Alias(
                    node.results().get(r), region.results().get(r)));
        }
        return released(statements, Set.copyOf(node.results()));
    }

    private void recurrence(Recurrence recurrence, List<HostStatement> out) {
        Node.Loop loop = recurrence.loop();
        Scalar rounds = Scalar.apply(Operation.MAXIMUM, Scalar.whole(0),
                Scalar.apply(Operation.SUBTRACT, loop.to(), loop.from()));
        recurrence.tallies().forEach(t -> out.add(new HostStatement.Tally(
                t.path(), t.instances(), t.kind(), List.of(rounds), t.offsets())));
        for (int i = 0; i < recurrence.carried().size(); i++) {
            Value initial = loop.initial().get(i);
            Value result = loop.results().get(i);
            if (recurrence.carried().get(i) instanceof Recurrence.Carried.Kept) {
                out.add(new HostStatement.Alias(loop.body().arguments().get(i), initial));
                out.add(new HostStatement.Alias(result, initial));
            } else {
                out.add(new HostStatement.Own(result, initial, false));
            }
        }
        String name = loop.path().substring(loop.path().lastIndexOf('.') + 1);
        Cluster cluster = new Cluster(recurrence.nodes(), recurrence.prefix(),
                new HashSet<>(loop.body().results()),
                List.of("all rounds of " + name + " are one launch"), List.of());
        launch(cluster, out, name, WorkOf.rounds(recurrence.nodes(), rounds(recurrence), facts),
                emitter -> new RecurrenceSchedule(recurrence, emitter).write(),
                usesOfRounds(cluster, loop));
    }

    /** What every round reads of another instance counts in each. */
    private List<HostStatement.WeightUse> usesOfRounds(Cluster cluster, Node.Loop loop) {
        if (!(loop.from() instanceof Scalar.Whole from && loop.to() instanceof Scalar.Whole to)) {
            return uses(cluster);
        }
        Set<Value> differing = new HashSet<>();
        cluster.nodes().forEach(n -> Walk.scalars(n).forEach(s -> Walk.loads(s, load -> {
            load.coordinates().forEach(c -> Walk.loads(c, l -> {
                if (l.source().equals(loop.index())) {
                    differing.add(load.source());
                }
            }));
        })));
        int rounds = (int) Math.clamp(to.value() - from.value(), 0, MOST_INSTANCES);
        return uses(cluster).stream()
                .flatMap(use -> Collections.nCopies(
                        differing.contains(use.parameter()) ? rounds : 1, use).stream())
                .toList();
    }

    private static WorkOf.Rounds rounds(Recurrence recurrence) {
        Node.Loop loop = recurrence.loop();
        Size count = switch (loop.to()) {
            case Scalar.Extent e -> e.size();
            case Scalar.Whole w -> Size.of(w.value());
            default -> Size.symbol("|" + loop.index().name() + "|");
        };
        Size from = loop.from() instanceof Scalar.Whole w ? Size.of(w.value()) : Size.of(0);
        return new WorkOf.Rounds(loop.index(), Size.difference(count, from),
                recurrence.rows().map(Recurrence.Rows::count),
                recurrence.shape().getFirst());
    }

    private void loop(Node.Loop node, List<HostStatement> out) {
        List<Value> arguments = node.body().arguments();
        for (int i = 0; i < arguments.size(); i++) {
            out.add(new HostStatement.Alias(arguments.get(i), node.initial().get(i)));
        }
        List<HostStatement> body = new ArrayList<>();
        for (Cluster cluster : clusters(node.body())) {
            cluster(cluster, body);
        }
        List<Value> next = new ArrayList<>();
        for (Value result : node.body().results()) {
            Value name = identifiers.value(result.name(), result.type());
            next.add(name);
            body.add(new HostStatement.Alias(name, result));
        }
        body = new ArrayList<>(released(body, Set.copyOf(next), arguments));
        for (int i = 0; i < arguments.size(); i++) {
            body.add(new HostStatement.Alias(arguments.get(i), next.get(i)));
            body.add(new HostStatement.Release(next.get(i)));
        }
        out.add(new HostStatement.Loop(
                node.index(), node.from(), node.to(),
                node.active().map(arguments::get), body));
        for (int i = 0; i < arguments.size(); i++) {
            out.add(new HostStatement.Alias(node.results().get(i), arguments.get(i)));
        }
    }
}
