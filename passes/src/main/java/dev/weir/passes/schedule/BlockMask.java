package dev.weir.passes.schedule;


import dev.weir.ir.kernel.Expression;
import dev.weir.ir.kernel.Variable;
import dev.weir.ir.tensor.Axis;
import dev.weir.ir.tensor.Index;
import dev.weir.ir.tensor.Scalar;
import dev.weir.ir.tensor.Walk;
import dev.weir.passes.analysis.Substitution;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.function.Consumer;

/**
 * What can be said of a condition for all points of a block at once: whether it can hold between
 * any point and any place of a tile, whether it must ({@link Intervals}), and else what it says of
 * the tile's places, which points then ask in lanes ({@link MaskInLanes}).
 *
 * <p>All this is of points that look up the same, such as the sequence that they belong to and
 * where it begins.
 */
final class BlockMask {
    private final ScalarEmitter emitter;
    private final KernelWriter writer;
    private final Axis place;
    private final Axis point;
    /** The block's first point, which looks up what all of them do. */
    private final Axis first;
    private final Set<Scalar> looksUp = new LinkedHashSet<>();
    private final Optional<Intervals> intervals;
    private final Optional<MaskInLanes> inLanes;
    private Variable may;
    private Variable must;
    private Variable isInLanes;

    private BlockMask(
            ScalarEmitter emitter, Axis place, Axis point, Scalar condition, long tileLength) {
        this.emitter = emitter;
        this.writer = emitter.writer();
        this.place = place;
        this.point = point;
        this.first = new Axis(
                new Index(Integer.MIN_VALUE, "first"), point.lower(), point.upper());
        Walk.loads(condition, load -> {
            if (Walk.mentions(load, List.of(place.index()))) {
                load.coordinates().forEach(this::findLookups);
            } else if (load.coordinates().stream().anyMatch(this::isLookedUp)) {
                findLookups(load);
            }
        });
        Scalar shared = ofFirst(condition);
        this.intervals = Intervals.of(emitter, List.of(place, point), shared);
        this.inLanes = MaskInLanes.of(emitter, place, point.index(), shared, tileLength);
    }

    /** For a condition of which something can be said for a block. */
    static Optional<BlockMask> of(
            ScalarEmitter emitter, Axis place, Axis point, Scalar condition, long tileLength) {
        BlockMask mask = new BlockMask(emitter, place, point, condition, tileLength);
        return mask.intervals.isPresent() || mask.inLanes.isPresent()
                ? Optional.of(mask) : Optional.empty();
    }

    /** Finds what is looked up for a point alone, and may be whether or not it is wanted. */
    private void findLookups(Scalar scalar) {
        if (!(scalar instanceof Scalar.Load)
                || Walk.mentions(scalar, List.of(place.index()))) {
            Walk.operands(scalar).forEach(this::findLookups);
        } else if (Walk.mentions(scalar, List.of(point.index()))
                && Vectors.harmless(scalar, emitter.facts())) {
            looksUp.add(scalar);
        }
    }

    /** Whether a coordinate is a point's because of what is looked up for it. */
    private boolean isLookedUp(Scalar coordinate) {
        boolean[] does = {false};
        Walk.loads(coordinate, load -> does[0] |= Walk.mentions(load, List.of(point.index())));
        return does[0];
    }

    private Scalar ofFirst(Scalar scalar) {
        return looksUp.contains(scalar)
                ? Substitution.apply(
                        scalar, Map.of(point.index(), Scalar.variable(first.index())))
                : Walk.map(scalar, this::ofFirst);
    }

    /** What all points have to look up alike. */
    List<Scalar> looksUp() {
        return List.copyOf(looksUp);
    }

    /** Before the first tile. */
    void start() {
        intervals.ifPresent(Intervals::start);
        inLanes.ifPresent(MaskInLanes::start);
    }

    /**
     * Asks for a tile.
     *
     * @param isShared whether all points look up the same
     * @param places those of the tile that are on the axis of any point; may be none
     */
    void ask(
            Expression isShared, Intervals.Stretch points, Expression tile,
            Intervals.Stretch places) {
        may = writer.mutable(Build.truth(true));
        must = writer.mutable(Build.truth(false));
        isInLanes = writer.mutable(Build.truth(false));
        writer.when(Build.and(isShared, Build.less(places.from(), places.to())), () -> {
            emitter.bind(first, points.from());
            intervals.ifPresent(i -> {
                Intervals.Answer answer = i.ask(List.of(places, points));
                writer.assign(may, answer.may());
                writer.assign(must, answer.must());
            });
            inLanes.ifPresent(lanes -> writer.when(
                    Build.and(new Expression.Get(may), Build.not(new Expression.Get(must))),
                    () -> writer.assign(isInLanes, lanes.findPlaces(tile, places))));
        });
    }

    /** Whether any point of the block may take part anywhere in the tile. */
    Expression may() {
        return new Expression.Get(may);
    }

    /** Whether all points take part at all places of the tile that are theirs. */
    Expression must() {
        return new Expression.Get(must);
    }

    /**
     * Asks for the present point.
     *
     * @param lanes does so a vector at a time
     * @param otherwise if that cannot be done
     */
    void askPoint(Consumer<MaskInLanes> lanes, Runnable otherwise) {
        inLanes.ifPresentOrElse(
                mask -> writer.when(
                        Build.and(new Expression.Get(isInLanes), mask.findPoint()),
                        () -> lanes.accept(mask), otherwise),
                otherwise);
    }
}
