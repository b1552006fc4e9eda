package dev.weir.ir.tensor;

import dev.weir.ir.type.Format;
import dev.weir.ir.type.Quantisation;
import dev.weir.ir.type.Size;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Optional;
import java.util.regex.Pattern;

/**
 * A tensor that comes from the checkpoint. The instances of a block list are stacked: the value's
 * leading axes choose the instance ({@code layers.{0}.experts.{1}.gate} has two), the others are
 * those that the block declares.
 *
 * @param value what loads refer to; its shape is constant
 * @param instanceAxes how many leading axes choose an instance
 * @param path the parameter's path in the model, with {@code {0}}, {@code {1}} for instances
 * @param stored the names under which one instance may be stored, best first, with the same
 *     placeholders; the stored tensor has the same elements in the same order, whatever axes it
 *     merges
 * @param optional whether a checkpoint may lack it, in which case it is all {@code fill}
 * @param fill the value of an absent optional parameter
 * @param layout where its elements stand in the stored tensor, unless that has just these elements
 * @param part which part of a quantised tensor it is, if it is one; {@code path}, {@code stored},
 *     {@code layout} and {@code fill} are about the tensor that is quantised
 */
public record Parameter(
        Value value,
        int instanceAxes,
        String path,
        List<String> stored,
        boolean optional,
        double fill,
        Optional<Layout> layout,
        Optional<Part> part) {
    public Parameter {
        stored = List.copyOf(stored);
    }

    /**
     * A part of what is kept quantised: the stored floats are rounded when they are loaded.
     *
     * @param of how they are rounded
     * @param kind what this parameter holds of the result
     * @param length elements of the last axis of the tensor that is quantised
     */
    public record Part(Quantisation of, Kind kind, long length) {
        /** What a quantised tensor is made of; the last axis is another in each. */
        public enum Kind {
            /** The codes, i8 or several to a byte: {@code codeBytes(length)} of them. */
            CODES,
            /** The scales, f16: {@code groups(length)} of them. */
            SCALES,
            /** The zero points, i8, one for each scale. */
            ZEROS;

            /** The name in textual IR: {@code codes}. */
            public String word() {
                return name().toLowerCase(Locale.ROOT);
            }
        }

        /** The format of this part. */
        public Format format() {
            return kind == Kind.SCALES ? Format.F16 : Format.I8;
        }

        /** The extent of its last axis. */
        public long extent() {
            return kind == Kind.CODES ? of.codeBytes(length) : of.groups(length);
        }
    }

    /** The path with what it is a part as, which no other parameter has. */
    public String identity() {
        return path + part.map(p -> "." + p.kind().word()).orElse("");
    }

    /** The shape of one instance, as it is stored and as its layout is about. */
    public long[] storedShape() {
        List<Size> shape = value.type().shape();
        long[] own = shape.subList(instanceAxes, shape.size()).stream()
                .mapToLong(s -> s.constant().orElseThrow())
                .toArray();
        part.ifPresent(p -> own[own.length - 1] = p.length());
        return own;
    }

    /**
     * An equation for the elements of a parameter: {@code gate[n, f, d] = stored[n, d, 2 * f]}.
     *
     * @param indices one for each axis of the parameter's value, instances first
     * @param coordinates one for each axis of the stored tensor: whole numbers and arithmetic on
     *     the indices
     */
    public record Layout(List<Index> indices, List<Scalar> coordinates) {
        public Layout {
            indices = List.copyOf(indices);
            coordinates = List.copyOf(coordinates);
        }

        /** Where the element at {@code place} stands in the stored tensor. */
        public long[] at(long[] place) {
            return coordinates.stream().mapToLong(c -> at(c, place)).toArray();
        }

        /**
         * Whether the place along an axis of the stored tensor depends on where in an instance an
         * element is.
         *
         * @param instances how many of the indices choose an instance
         */
        public boolean dependsOnOwn(int axis, int instances) {
            return Walk.mentions(
                    coordinates.get(axis), indices.subList(instances, indices.size()));
        }

        private long at(Scalar scalar, long[] place) {
            return switch (scalar) {
                case Scalar.Whole whole -> whole.value();
                case Scalar.Variable variable -> place[indices.indexOf(variable.index())];
                case Scalar.Extent extent -> extent.size().constant().orElseThrow();
                case Scalar.Apply apply -> {
                    long left = at(apply.operands().get(0), place);
                    long right = apply.operands().size() > 1
                            ? at(apply.operands().get(1), place) : 0;
                    yield switch (apply.operation()) {
                        case ADD -> left + right;
                        case SUBTRACT -> left - right;
                        case MULTIPLY -> left * right;
                        case DIVIDE -> Math.floorDiv(left, right);
                        case REMAINDER -> Math.floorMod(left, right);
                        case NEGATE -> -left;
                        default -> throw unknown(apply);
                    };
                }
                case Scalar.Real real -> throw unknown(real);
                case Scalar.Load load -> throw unknown(load);
                case Scalar.Convert convert -> throw unknown(convert);
                case Scalar.Round round -> throw unknown(round);
                case Scalar.Within within -> throw unknown(within);
            };
        }

        private static IllegalArgumentException unknown(Scalar scalar) {
            return new IllegalArgumentException("not part of a layout: " + scalar);
        }

        /** Whether {@link #at} can be evaluated everywhere. */
        public boolean isReadable() {
            return coordinates.stream().allMatch(c -> admits(c) && mentionsIndicesOnly(c));
        }

        private boolean mentionsIndicesOnly(Scalar scalar) {
            return scalar instanceof Scalar.Variable variable
                    ? indices.contains(variable.index())
                    : Walk.operands(scalar).stream().allMatch(this::mentionsIndicesOnly);
        }

        /** Whether an expression over indices may be a coordinate. */
        public static boolean admits(Scalar scalar) {
            return switch (scalar) {
                case Scalar.Whole whole -> true;
                case Scalar.Variable variable -> true;
                case Scalar.Extent extent -> extent.size().isConstant();
                case Scalar.Apply apply -> switch (apply.operation()) {
                    case ADD, SUBTRACT, MULTIPLY, NEGATE ->
                            apply.operands().stream().allMatch(Layout::admits);
                    case DIVIDE, REMAINDER -> admits(apply.operands().getFirst())
                            && apply.operands().getLast() instanceof Scalar.Whole divisor
                            && divisor.value() > 0;
                    default -> false;
                };
                case Scalar.Real real -> false;
                case Scalar.Load load -> false;
                case Scalar.Convert convert -> false;
                case Scalar.Round round -> false;
                case Scalar.Within within -> false;
            };
        }
    }

    /** The indices of every instance, in order; one without indices for a single one. */
    public List<List<Long>> instances() {
        List<List<Long>> all = List.of(List.of());
        for (int axis = 0; axis < instanceAxes; axis++) {
            long count = value.type().shape().get(axis).constant().orElseThrow();
            List<List<Long>> longer = new ArrayList<>();
            for (List<Long> prefix : all) {
                for (long i = 0; i < count; i++) {
                    List<Long> next = new ArrayList<>(prefix);
                    next.add(i);
                    longer.add(next);
                }
            }
            all = longer;
        }
        return all;
    }

    private static final Pattern PLACEHOLDER =
            Pattern.compile("\\{(\\d+)(?:\\+(\\d+)|:([\\d,]+))?}");

    /**
     * The stored name or path of one instance: {@code {0}} stands for the first index, {@code
     * {0+3}} for the first index of a stretch that begins at the list's fourth element, {@code
     * {0:0,2,5}} for the first index of blocks that stand at these places of the list.
     */
    public static String instantiate(String pattern, List<Long> instances) {
        return PLACEHOLDER.matcher(pattern).replaceAll(match -> {
            long instance = instances.get(Integer.parseInt(match.group(1)));
            if (match.group(3) != null) {
                return match.group(3).split(",")[(int) instance];
            }
            long offset = match.group(2) == null ? 0 : Long.parseLong(match.group(2));
            return Long.toString(instance + offset);
        });
    }
}
