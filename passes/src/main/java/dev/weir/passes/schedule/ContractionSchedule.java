package dev.weir.passes.schedule;

import static dev.weir.passes.schedule.Build.add;
import static dev.weir.passes.schedule.Build.divide;
import static dev.weir.passes.schedule.Build.equal;
import static dev.weir.passes.schedule.Build.less;
import static dev.weir.passes.schedule.Build.minimum;
import static dev.weir.passes.schedule.Build.multiply;
import static dev.weir.passes.schedule.Build.remainder;
import static dev.weir.passes.schedule.Build.subtract;
import static dev.weir.passes.schedule.Build.whole;

import dev.weir.ir.kernel.Buffer;
import dev.weir.ir.kernel.Expression;
import dev.weir.ir.tensor.Axis;
import dev.weir.ir.tensor.Index;
import dev.weir.ir.tensor.Node;
import dev.weir.ir.tensor.Scalar;
import dev.weir.ir.tensor.Value;
import dev.weir.ir.tensor.Walk;
import dev.weir.ir.type.Format;
import dev.weir.ir.type.Size;
import dev.weir.passes.contract.ByteProducts;
import dev.weir.passes.contract.Contraction;
import dev.weir.passes.contract.Weights;
import dev.weir.passes.contract.Words;
import dev.weir.passes.fuse.Cluster;
import dev.weir.passes.fuse.Epilogue;
import dev.weir.passes.layout.PackedBytes;
import dev.weir.passes.layout.Packing;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/**
 * Writes contractions, with whatever shares their points, as register-blocked kernels.
 *
 * <p>A block is a few rows by a panel of columns (a few vectors). For each reduced index the
 * panel's
 * weights are loaded once, each row's activation is spread over the lanes, and one fused
 * multiply-add a row and vector follows. Every element is the sum over the reduced indices in
 * ascending order, whatever block it falls into: its bits do not depend on how many rows there are.
 *
 * <p>Rows that are sorted by the instance of their weights are done group by group, and a group
 * that
 * has no rows reads no weights.
 */
final class ContractionSchedule {
    /** Rows that one tile takes, where rows are not grouped. */
    private static final int TILE_ROWS = 64;
    /** The share of registers that hold the sums of one row. */
    private static final int SUMS_OF_REGISTERS = 4;
    /** How many panels there are to be at least. */
    private static final int LEAST_PANELS = 8;
    /** Panel, reduced index, column: the axes of packed weights behind the instances. */
    private static final int PANEL_AXES = 3;

    private final Cluster cluster;
    private final ScalarEmitter emitter;
    private final KernelWriter writer;
    private final Packing packing;
    private final List<Contraction> contractions = new ArrayList<>();
    private final Contraction lead;
    private final int lanes;
    private final int vectors;
    private final Map<Contraction, ByteProducts> products = new HashMap<>();
    private final boolean isBytes;
    private final boolean isInWords;
    private final int strips;
    private Optional<GatheredRows> inScratch = Optional.empty();

    ContractionSchedule(Cluster cluster, ScalarEmitter emitter, Packing packing) {
        this.cluster = cluster;
        this.emitter = emitter;
        this.writer = emitter.writer();
        this.packing = packing;
        cluster.nodes().forEach(
                n -> Contraction.of(n, emitter.facts()).ifPresent(contractions::add));
        this.lead = contractions.getFirst();
        this.lanes = emitter.facts().target().lanes();
        this.vectors = emitter.facts().target().columnVectors();
        // Siblings are all made in the same way, or none is.
        contractions.forEach(c -> ByteProducts.of(c).ifPresent(p -> products.put(c, p)));
        isBytes = emitter.facts().target().dotBytes() && !products.isEmpty()
                && products.values().stream().allMatch(p -> Words.of(p.factor()).isPresent());
        isInWords = !isBytes && inWords();
        strips = strips();
    }

    /** Whether each byte of the weights holds several codes, and runs end where words do. */
    private boolean inWords() {
        int step = lead.weights().step();
        ByteProducts coded = products.get(lead);
        long run = coded == null ? lead.weights().run() : coded.run();
        long length = ((Scalar.Whole) lead.weights().last().upper()).value();
        return step > 1 && (run % (Words.BYTES * step) == 0 || run == length)
                && contractions.stream().flatMap(c -> own(c).stream()).allMatch(
                        o -> o.run() == step && o.load().source().type().format() == Format.I8);
    }

    /** Whether a cluster is to be scheduled this way. */
    static boolean applies(Cluster cluster, ScalarEmitter emitter) {
        return cluster.nodes().stream().anyMatch(n -> Contraction.of(n, emitter.facts())
                .filter(c -> c.compute().axes().size() == cluster.prefix())
                .isPresent());
    }

    private int width() {
        return lanes * vectors;
    }

    /** As many columns as lie side by side in what is packed. */
    int panelWidth() {
        return strips * width();
    }

    private long stripCount() {
        return (lead.columnCount() + width() - 1) / width();
    }

    /**
     * How many strips are side by side in a panel. Rows in blocks take a strip at a time; one row
     * by itself takes a panel: a sum waits for the one before it, so that a strip would leave
     * multipliers idle where weights take less to read than to decode. Small products keep as many
     * panels as threads need. Who else reads the weights does not matter: they are packed once.
     */
    private int strips() {
        if (isBytes) {
            return 1;
        }
        int bytes = contractions.stream()
                .flatMap(c -> own(c).stream())
                .mapToInt(o -> o.load().source().type().format().bytes())
                .max().orElseThrow();
        int registers = emitter.facts().target().vectorRegisters();
        int strips = Math.min(registers / SUMS_OF_REGISTERS / vectors, Float.BYTES / bytes);
        while (strips > 1 && stripCount() / strips < LEAST_PANELS) {
            strips /= 2;
        }
        return Math.max(1, strips);
    }

    /** How many accumulators fit, beside a panel's weights and one activation. */
    private int rowBlock() {
        int free = emitter.facts().target().vectorRegisters() - vectors - 1;
        int most = free / (vectors * contractions.size());
        int block = emitter.facts().target().rowBlock();
        while (block > 1 && block > most) {
            block /= 2;
        }
        return Math.max(1, block);
    }

    PointSchedule.Plan write() {
        long count = stripCount();
        Size rows = PointSchedule.product(rowShape());
        Expression stripCount = whole(count);
        if (lead.group().isPresent()) {
            Contraction.Group group = lead.group().get();
            long groups = group.grouping().groups();
            Expression number = writer.let(divide(writer.tile(), stripCount));
            Expression strip = writer.let(remainder(writer.tile(), stripCount));
            Expression shift = emitter.emit(group.shift());
            Expression zero = whole(0);
            Expression all = emitter.extent(rows);
            Expression from = writer.let(clamp(subtract(
                    offset(group, number), shift), zero, all));
            Expression to = writer.let(clamp(subtract(
                    offset(group, writer.let(add(number, whole(1)))), shift), zero, all));
            writer.when(less(from, to), () -> rows(from, to, strip, Optional.of(number)));
            return new PointSchedule.Plan(
                    Scalar.whole(groups * count), form() + ", grouped by instance");
        }
        if (GatheredRows.isFor(lead)) {
            return gathered(rows, stripCount);
        }
        Size chunks = chunks(rows, TILE_ROWS);
        Expression chunkCount = emitter.extent(chunks);
        Expression strip = writer.let(divide(writer.tile(), chunkCount));
        Expression from = writer.let(
                multiply(remainder(writer.tile(), chunkCount), whole(TILE_ROWS)));
        Expression to = writer.let(
                minimum(add(from, whole(TILE_ROWS)), emitter.extent(rows)));
        rows(from, to, strip, Optional.empty());
        return new PointSchedule.Plan(
                Scalar.extent(Size.product(chunks, Size.of(count))), form());
    }

    /** A tile is some rows and all panels, since gathering the rows is done once. */
    private PointSchedule.Plan gathered(Size rows, Expression stripCount) {
        Expression from = writer.let(multiply(writer.tile(), whole(GatheredRows.TILE_ROWS)));
        Expression to = writer.let(
                minimum(add(from, whole(GatheredRows.TILE_ROWS)), emitter.extent(rows)));
        GatheredRows gathered = GatheredRows.write(
                emitter, lead, from, to, row -> bindRow(rowPlaces(row)));
        inScratch = Optional.of(gathered);
        writer.loop(whole(0), stripCount, 1, strip -> rows(from, to, strip, Optional.empty()));
        return new PointSchedule.Plan(
                Scalar.extent(chunks(rows, GatheredRows.TILE_ROWS)), form() + ", rows gathered");
    }

    private static Size chunks(Size rows, int each) {
        return Size.quotient(Size.sum(rows, Size.of(each - 1)), Size.of(each));
    }

    private String form() {
        return "contraction" + (isBytes ? " of bytes" : "")
                + ", blocks of " + rowBlock() + " rows and " + width() + " columns"
                + (contractions.size() > 1 ? ", " + contractions.size() + " side by side" : "");
    }

    private static Expression clamp(Expression value, Expression low, Expression high) {
        return Build.binary(
                Expression.BinaryOperation.MAXIMUM,
                low,
                Build.binary(Expression.BinaryOperation.MINIMUM, value, high));
    }

    private Expression offset(Contraction.Group group, Expression number) {
        Buffer offsets = writer.buffer(group.grouping().offsets());
        return writer.let(new Expression.Load(offsets, number, 1, Optional.empty()));
    }

    private List<Size> rowShape() {
        return lead.compute().result().type().shape().subList(0, lead.rows().size());
    }

    // ------------------------------------------------------------------ rows of one strip

    private void rows(
            Expression from, Expression to, Expression strip, Optional<Expression> group) {
        Expression column = writer.let(multiply(strip, whole(width())));
        Panels panels = panels(strip, group);
        if (strips == 1) {
            blocks(from, to, column, panels, group);
            return;
        }
        // Of the tiles of a panel, the first does it for one row, and the others nothing.
        writer.when(equal(subtract(to, from), whole(1)),
                () -> writer.when(equal(remainder(strip, whole(strips)), whole(0)),
                        () -> block(from, 1, strips * vectors, column, panels, Optional.empty())),
                () -> blocks(from, to, column, panels, group));
    }

    private void blocks(
            Expression from,
            Expression to,
            Expression column,
            Panels panels,
            Optional<Expression> group) {
        Optional<ReadAhead> ahead = readAhead(from, to, group);
        int most = rowBlock();
        Expression begin = from;
        int block = most;
        while (block > 1) {
            int size = block;
            Expression start = begin;
            Expression end = writer.let(add(start, multiply(
                    divide(subtract(to, start), whole(size)), whole(size))));
            writer.loop(start, end, size, row -> block(row, size, vectors, column, panels,
                    ahead.filter(a -> size == most).map(a -> a.block(writer, row))));
            begin = end;
            block = block > 4 ? block / 2 : 1;
        }
        writer.loop(begin, to, 1,
                row -> block(row, 1, vectors, column, panels, Optional.empty()));
    }

    /** Strips of a panel share cache lines, and gathered rows all panels. */
    private Optional<ReadAhead> readAhead(
            Expression from, Expression to, Optional<Expression> group) {
        boolean prefetches = emitter.facts().target().prefetches();
        if (!prefetches || strips > 1 || inScratch.isPresent()) {
            return Optional.empty();
        }
        Expression first = group.isPresent() ? from : whole(0);
        Expression rows = group.isPresent()
                ? subtract(to, from) : emitter.extent(PointSchedule.product(rowShape()));
        return Optional.of(new ReadAhead(first, rows, rowBlock()));
    }

    /** Where a strip begins in what is packed. */
    private Panels panels(Expression strip, Optional<Expression> group) {
        Panels panels = new Panels();
        for (Contraction contraction : contractions) {
            for (Value packed : packed(contraction)) {
                panels.add(contraction, packed,
                        () -> start(contraction, packed, strip, group));
            }
        }
        return panels;
    }

    /** What a contraction reads of its weights. */
    private List<Value> packed(Contraction contraction) {
        ByteProducts coded = products.get(contraction);
        List<Value> packed = new ArrayList<>();
        for (Weights.Operand operand : contraction.weights().operands()) {
            boolean isCode = isBytes && operand.equals(PackedBytes.operand(contraction, coded));
            packed.add(isCode
                    ? packing.bytes().words(contraction, coded, width())
                    : packed(contraction, operand));
        }
        return packed;
    }

    /** Where a strip of the packed weights begins, for the instance in use. */
    private Expression start(
            Contraction contraction,
            Value packed,
            Expression strip,
            Optional<Expression> group) {
        List<Size> shape = packed.type().shape();
        Expression index = whole(0);
        int instances = shape.size() - PANEL_AXES;
        for (int i = 0; i < instances; i++) {
            Scalar instance = contraction.weights().instances().get(i);
            Expression at = group.isPresent()
                    ? atGroup(instance, contraction.group().orElseThrow(), group.get())
                    : emitter.emit(instance);
            index = add(multiply(index, emitter.extent(shape.get(i))), at);
        }
        index = add(multiply(index, emitter.extent(shape.get(instances))),
                divide(strip, whole(strips)));
        Expression panel = multiply(index, multiply(
                emitter.extent(shape.get(instances + 1)), whole(panelWidth())));
        return writer.let(strips == 1 ? panel
                : add(panel, multiply(remainder(strip, whole(strips)), whole(width()))));
    }

    /** An instance number with the group's number in place of the load that would give it. */
    private Expression atGroup(
            Scalar instance, Contraction.Group group, Expression number) {
        if (instance.equals(group.member())) {
            return number;
        }
        boolean[] mentioned = {false};
        Walk.loads(instance, load -> mentioned[0] |= load.equals(group.member()));
        if (!mentioned[0]) {
            return emitter.emit(instance);
        }
        if (instance instanceof Scalar.Apply apply) {
            List<Expression> operands = apply.operands().stream()
                    .map(o -> atGroup(o, group, number))
                    .toList();
            return switch (apply.operation()) {
                case ADD -> add(operands.get(0), operands.get(1));
                case SUBTRACT -> subtract(operands.get(0), operands.get(1));
                case MULTIPLY -> multiply(operands.get(0), operands.get(1));
                default -> throw new IllegalStateException("instance " + instance);
            };
        }
        return emitter.emit(instance);
    }

    private void block(
            Expression firstRow,
            int size,
            int columns,
            Expression column,
            Panels panels,
            Optional<ReadAhead.Block> ahead) {
        List<List<Expression>> places = new ArrayList<>();
        List<Expression> starts = new ArrayList<>();
        for (int r = 0; r < size; r++) {
            Expression row = writer.let(add(firstRow, whole(r)));
            places.add(rowPlaces(row));
            inScratch.ifPresent(rows -> starts.add(rows.start(row)));
        }
        Map<Contraction, Expression[][]> sums =
                new ContractionSums(this, places, starts, columns, panels, ahead).write();
        for (int r = 0; r < size; r++) {
            epilogue(places.get(r), r, column, sums);
        }
    }

    private List<Expression> rowPlaces(Expression row) {
        List<Expression> places = new ArrayList<>();
        List<Size> shape = rowShape();
        Expression rest = row;
        for (int axis = shape.size() - 1; axis > 0; axis--) {
            Expression extent = emitter.extent(shape.get(axis));
            places.addFirst(writer.let(remainder(rest, extent)));
            rest = writer.let(divide(rest, extent));
        }
        // A contraction with columns only has one row, and no place for it.
        if (!shape.isEmpty()) {
            places.addFirst(rest);
        }
        return places;
    }

    void bindRow(List<Expression> place) {
        for (int i = 0; i < place.size(); i++) {
            emitter.bind(lead.rows().get(i), place.get(i));
        }
    }

    // ------------------------------------------------------------------ results

    /** Finishes one row of the block: the other nodes of the cluster, then the stores. */
    private void epilogue(
            List<Expression> place,
            int r,
            Expression column,
            Map<Contraction, Expression[][]> sums) {
        long block = (long) sums.get(lead)[r].length * lanes;
        for (int v = 0; (long) v * lanes < block; v++) {
            Expression first = writer.let(add(column, whole((long) v * lanes)));
            long columns = lead.columnCount();
            // The last block may reach past the last column.
            Optional<Expression> active = columns % block == 0
                    ? Optional.empty()
                    : Optional.of(writer.let(subtract(whole(columns), first)));
            int vector = v;
            Runnable finish = () -> {
                for (Node node : cluster.nodes()) {
                    finish((Node.Compute) node, place, first, active, sums, r, vector);
                }
            };
            if (active.isPresent() && columns % block <= (long) v * lanes) {
                writer.when(less(first, whole(columns)), finish);
            } else {
                finish.run();
            }
        }
    }

    private void finish(
            Node.Compute node,
            List<Expression> place,
            Expression first,
            Optional<Expression> active,
            Map<Contraction, Expression[][]> sums,
            int r,
            int v) {
        List<Axis> rows = node.axes().subList(0, lead.rows().size());
        for (int i = 0; i < rows.size(); i++) {
            emitter.bind(rows.get(i), place.get(i));
        }
        Optional<Contraction> contraction = contractions.stream()
                .filter(c -> c.compute().equals(node))
                .findFirst();
        List<Axis> columns = node.axes().subList(lead.rows().size(), node.axes().size());
        Expression value = contraction.isPresent()
                ? sums.get(contraction.get())[r][v]
                : new ColumnEmitter(emitter, columns, first, active, lanes)
                        .emit(node.body());
        Expression stored = writer.let(Reductions.stored(
                node, ScalarEmitter.widen(value, lanes)));
        emitter.keep(node.result(), new Local.InVariable(stored));
        if (cluster.exported().contains(node.result())) {
            Expression row = whole(0);
            for (int i = 0; i < place.size(); i++) {
                row = i == 0
                        ? place.get(0)
                        : add(multiply(row, emitter.extent(rowShape().get(i))), place.get(i));
            }
            writer.store(
                    writer.buffer(node.result()),
                    add(multiply(row, whole(lead.columnCount())), first),
                    stored,
                    active);
        }
    }

    // What the sums of a block are written with.

    List<Contraction> contractions() {
        return contractions;
    }

    ScalarEmitter emitter() {
        return emitter;
    }

    int lanes() {
        return lanes;
    }

    int vectors() {
        return vectors;
    }

    /** The rows' activations, where they are gathered. */
    Optional<GatheredRows> inScratch() {
        return inScratch;
    }

    Packing packing() {
        return packing;
    }

    /** What makes each contraction one of codes with codes; empty if they are not. */
    Map<Contraction, ByteProducts> products() {
        return products;
    }

    /** Whether products of codes are made four at a time. */
    boolean isBytes() {
        return isBytes;
    }

    /**
     * Whether a column's codes are read four bytes to a word: one load, where each byte would have
     * to be widened.
     */
    boolean isInWords() {
        return isInWords;
    }

    /** Whether one row is to ask for weights: they take longer to decode than a line to come. */
    boolean isDecoded() {
        return emitter.facts().target().prefetches() && (isBytes || strips > 1);
    }

    /** What a contraction reads that its runs do not have in common. */
    List<Weights.Operand> own(Contraction contraction) {
        int step = lead.weights().step();
        return contraction.weights().operands().stream().filter(o -> !o.isShared(step)).toList();
    }

    Value packed(Contraction contraction, Weights.Operand operand) {
        return isInWords && !operand.isShared(lead.weights().step())
                ? packing.words(contraction, operand, panelWidth())
                : packing.of(contraction, operand, panelWidth());
    }

    /** Writes expressions over the columns of a block, which lie side by side in memory. */
    private record ColumnEmitter(
            ScalarEmitter emitter,
            List<Axis> columns,
            Expression first,
            Optional<Expression> active,
            int lanes) {

        Expression emit(Scalar scalar) {
            List<Index> indices = columns.stream().map(Axis::index).toList();
            if (!Walk.mentions(scalar, indices)) {
                return ScalarEmitter.widen(emitter.emit(scalar), lanes);
            }
            return switch (scalar) {
                case Scalar.Load load -> load(load);
                case Scalar.Apply apply -> emitter.operate(
                        apply, apply.operands().stream().map(this::emit).toList());
                case Scalar.Round round ->
                        new Expression.RoundTo(round.stored(), emit(round.operand()));
                default -> throw new IllegalStateException("not an epilogue: " + scalar);
            };
        }

        private Expression load(Scalar.Load load) {
            Optional<Local> local = emitter.local(load.source());
            if (local.isPresent() && local.get() instanceof Local.InVariable variable) {
                return variable.value();
            }
            if (!Epilogue.sideBySide(load, columns)) {
                throw new IllegalStateException("columns are not side by side: " + load);
            }
            List<Expression> coordinates = new ArrayList<>();
            int leading = load.coordinates().size() - columns.size();
            for (int i = 0; i < leading; i++) {
                coordinates.add(emitter.emit(load.coordinates().get(i)));
            }
            for (int i = 0; i < columns.size() - 1; i++) {
                coordinates.add(whole(0));
            }
            coordinates.add(first);
            ScalarEmitter.Place place = emitter.place(load.source(), coordinates);
            return new Expression.Load(place.buffer(), place.index(), lanes, active);
        }
    }
}
