package dev.weir.frontend.lower;

import dev.weir.frontend.syntax.Expression;
import dev.weir.frontend.syntax.Expression.BinaryOperator;
import dev.weir.ir.diagnostic.Diagnostic;
import dev.weir.ir.diagnostic.Span;
import dev.weir.ir.operation.Operation;
import dev.weir.ir.tensor.Index;
import dev.weir.ir.tensor.Reduction;
import dev.weir.ir.tensor.Scalar;
import dev.weir.ir.tensor.Value;
import dev.weir.ir.type.Format;
import dev.weir.ir.type.Size;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.TreeSet;

/** Arithmetic: on constants of compilation, on elements, and element by element on tensors. */
final class Operations {
    private static final Map<String, Operation> UNARY = Map.ofEntries(
            Map.entry("exp", Operation.EXPONENTIAL),
            Map.entry("log", Operation.LOGARITHM),
            Map.entry("sqrt", Operation.SQUARE_ROOT),
            Map.entry("rsqrt", Operation.RECIPROCAL_SQUARE_ROOT),
            Map.entry("sin", Operation.SINE),
            Map.entry("cos", Operation.COSINE),
            Map.entry("tanh", Operation.TANGENT_HYPERBOLIC),
            Map.entry("erf", Operation.ERROR_FUNCTION),
            Map.entry("sigmoid", Operation.SIGMOID),
            Map.entry("abs", Operation.ABSOLUTE),
            Map.entry("floor", Operation.FLOOR));
    private static final Map<String, Operation> BINARY = Map.of(
            "max", Operation.MAXIMUM,
            "min", Operation.MINIMUM,
            "pow", Operation.POWER,
            "bit_and", Operation.BIT_AND,
            "bit_or", Operation.BIT_OR,
            "bit_xor", Operation.BIT_XOR,
            "shift_left", Operation.SHIFT_LEFT,
            "shift_right", Operation.SHIFT_RIGHT);
    private static final Set<String> WHOLE =
            Set.of("bit_and", "bit_or", "bit_xor", "shift_left", "shift_right");
    private static final Map<String, Format> CONVERSIONS = Map.of(
            "int", Format.I64, "float", Format.F32);

    /** Something done to elements; gets one scalar an operand. */
    @FunctionalInterface
    interface Elementwise {
        Scalar apply(List<Scalar> operands);
    }

    private final Body body;

    Operations(Body body) {
        this.body = body;
    }

    static boolean isBuiltin(String name) {
        return UNARY.containsKey(name) || BINARY.containsKey(name)
                || CONVERSIONS.containsKey(name) || Orders.NAMES.contains(name)
                || ConfigurationLists.NAMES.contains(name)
                || name.equals("softmax") || name.equals("sum")
                || name.equals("mean") || name.equals("prod") || name.equals("any")
                || name.equals("all") || name.equals("logsumexp") || name.equals("argmax");
    }

    static Set<String> builtins() {
        Set<String> all = new TreeSet<>(UNARY.keySet());
        all.addAll(BINARY.keySet());
        all.addAll(Orders.NAMES);
        return all;
    }

    /** A function of the operation table, on elements or element by element. */
    Optional<Meaning> builtin(
            String name, List<Meaning> arguments, Span span, boolean element) {
        if (UNARY.containsKey(name) && arguments.size() == 1) {
            Operation operation = UNARY.get(name);
            Optional<Double> constant = real(arguments.getFirst());
            if (constant.isPresent()) {
                return Optional.of(keepsWhole(operation)
                                && arguments.getFirst() instanceof Meaning.Whole whole
                        ? new Meaning.Whole(Dimension.of(Math.abs(
                                whole.dimension().size().constant().orElseThrow())))
                        : new Meaning.Real(fold(operation, constant.get())));
            }
            if (arguments.getFirst() instanceof Meaning.Unknown
                    || arguments.getFirst() instanceof Meaning.Whole
                            && body.session.isChecking()) {
                return Optional.of(new Meaning.Unknown());
            }
            return Optional.of(elementwise(arguments, span, element, s -> {
                boolean isWhole = keepsWhole(operation) && s.getFirst().format() == Format.I64;
                return Scalar.apply(operation,
                        isWhole ? s.getFirst() : Scalars.convert(s.getFirst(), Format.F32));
            }));
        }
        if (CONVERSIONS.containsKey(name) && arguments.size() == 1) {
            if (name.equals("int") && arguments.getFirst() instanceof Meaning.Unknown u) {
                return Optional.of(u);
            }
            if (name.equals("int") && arguments.getFirst() instanceof Meaning.Real r) {
                return Optional.of(new Meaning.Whole(Dimension.of((long) r.value())));
            }
            if (name.equals("float") && arguments.getFirst() instanceof Meaning.Whole w
                    && w.dimension().size().isConstant()) {
                return Optional.of(
                        new Meaning.Real(w.dimension().size().constant().orElseThrow()));
            }
            return Optional.of(elementwise(arguments, span, element,
                    s -> Scalars.convert(s.getFirst(), CONVERSIONS.get(name))));
        }
        if (BINARY.containsKey(name) && arguments.size() == 2) {
            Optional<Double> left = real(arguments.get(0));
            Optional<Double> right = real(arguments.get(1));
            boolean extremum = name.equals("max") || name.equals("min");
            if (extremum && left.isPresent() && right.isPresent()) {
                boolean first = name.equals("max") == left.get() >= right.get();
                return Optional.of(arguments.get(first ? 0 : 1));
            }
            boolean open = arguments.stream().anyMatch(a -> a instanceof Meaning.Unknown
                    || a instanceof Meaning.Whole && body.session.isChecking());
            if (open && arguments.stream().allMatch(Operations::isConstant)) {
                return Optional.of(new Meaning.Unknown());
            }
            return Optional.of(elementwise(arguments, span, element, s -> {
                boolean real = name.equals("pow")
                        || s.stream().anyMatch(x -> x.format().isFloat());
                if (real && WHOLE.contains(name)) {
                    throw body.session.fail(Diagnostic.error("E0308", span,
                                    "`" + name + "` works on whole numbers, here is a float")
                            .helped("convert it with `int(…)`, which rounds towards zero"));
                }
                if (s.stream().map(Scalar::format).distinct().count() > 1
                        && s.stream().anyMatch(x -> x.format() == Format.BOOL)) {
                    throw body.session.fail(Diagnostic.error("E0308", span,
                                    "`" + name + "` works on two numbers, here is a truth value")
                            .helped("choose a number: `if … { 1 } else { 0 }`"));
                }
                List<Scalar> same = real
                        ? s.stream().map(x -> Scalars.convert(x, Format.F32)).toList() : s;
                return new Scalar.Apply(BINARY.get(name), same);
            }));
        }
        return Optional.empty();
    }

    /** Whether a function of a whole number is one. */
    private static boolean keepsWhole(Operation operation) {
        return operation == Operation.ABSOLUTE;
    }

    private static double fold(Operation operation, double x) {
        return switch (operation) {
            case EXPONENTIAL -> Math.exp(x);
            case LOGARITHM -> Math.log(x);
            case SQUARE_ROOT -> Math.sqrt(x);
            case RECIPROCAL_SQUARE_ROOT -> 1 / Math.sqrt(x);
            case SINE -> Math.sin(x);
            case COSINE -> Math.cos(x);
            case TANGENT_HYPERBOLIC -> Math.tanh(x);
            case SIGMOID -> 1 / (1 + Math.exp(-x));
            case ABSOLUTE -> Math.abs(x);
            case FLOOR -> Math.floor(x);
            default -> Double.NaN;
        };
    }

    private static Optional<Double> real(Meaning meaning) {
        return switch (meaning) {
            case Meaning.Real r -> Optional.of(r.value());
            case Meaning.Whole w -> w.dimension().size().constant().map(Long::doubleValue);
            default -> Optional.empty();
        };
    }

    Meaning unary(Expression.Unary u, Meaning operand) {
        boolean negate = u.operator() == Expression.UnaryOperator.NEGATE;
        return switch (operand) {
            case Meaning.Whole w when negate ->
                    new Meaning.Whole(Dimension.of(0).minus(w.dimension()));
            case Meaning.Real r when negate -> new Meaning.Real(-r.value());
            case Meaning.Truth t when !negate -> new Meaning.Truth(!t.value());
            case Meaning.Unknown x -> new Meaning.Unknown(!negate);
            default -> elementwise(List.of(operand), u.span(), false, s -> {
                boolean isTruth = s.getFirst().format() == Format.BOOL;
                if (isTruth == negate) {
                    throw body.session.fail(Diagnostic.error("E0308", u.operand().span(),
                            negate ? "a truth value cannot be negated with `-`"
                                    : "`not` needs a truth value, here is a number")
                            .helped(negate ? "write `not`" : "compare it: `… != 0`"));
                }
                return Scalar.apply(negate ? Operation.NEGATE : Operation.NOT, s.getFirst());
            });
        };
    }

    Meaning combine(Expression.Binary b, Meaning left, Meaning right, boolean element) {
        Optional<Meaning> folded = foldConstants(b, left, right);
        if (folded.isPresent()) {
            return folded.get();
        }
        if (b.operator() == BinaryOperator.CONCATENATE) {
            throw body.fail("E0208", b.span(), "`++` joins block lists");
        }
        refuseText(b.left(), left, b.right(), right, b.operator());
        refuseText(b.right(), right, b.left(), left, b.operator());
        if (left instanceof Meaning.Truth t && isLogical(b.operator())) {
            return right; // the other value has been dealt with before the right side was read
        }
        if (b.operator() == BinaryOperator.POWER && right instanceof Meaning.Whole w
                && w.dimension().size().constant().filter(n -> n >= 1 && n <= 4).isPresent()) {
            long times = w.dimension().size().constant().orElseThrow();
            return elementwise(List.of(left), b.span(), element, s -> {
                Scalar product = s.getFirst();
                for (long i = 1; i < times; i++) {
                    product = Scalar.apply(Operation.MULTIPLY, product, s.getFirst());
                }
                return product;
            });
        }
        return elementwise(List.of(left, right), b.span(), element, s -> {
            boolean divides = b.operator() == BinaryOperator.DIVIDE
                    || b.operator() == BinaryOperator.REMAINDER;
            boolean whole = s.stream().allMatch(x -> x.format().isInteger());
            if (divides && whole && !(right instanceof Meaning.Unknown) && isZero(s.get(1))) {
                throw byZero(b);
            }
            return apply(b, s.get(0), s.get(1));
        });
    }

    private void refuseText(
            Expression e, Meaning operand, Expression beside, Meaning other,
            BinaryOperator operator) {
        if (operand instanceof Meaning.Text t) {
            boolean equality = operator == BinaryOperator.EQUAL
                    || operator == BinaryOperator.NOT_EQUAL;
            Expression wrong = equality && !(other instanceof Meaning.Text) ? beside : e;
            List<String> fields = new SizeOrigins(body).present(wrong, body.frame.scope());
            if (!fields.isEmpty()) {
                throw body.session.fail(Diagnostic.error("E0703", wrong.span(),
                                String.join(", ", fields) + (wrong == e
                                        ? ", and `" + operator.symbol() + "` does not work on texts"
                                        : ", and it is compared with the text \"" + t.value()
                                                + "\""))
                        .labelled("read here")
                        .helped("look at config.json: a value of another kind belongs there, or "
                                + "this program is not for that checkpoint"));
            }
            throw body.session.fail(Diagnostic.error("E0308", e.span(),
                            "`" + operator.symbol() + "` does not work on the text \"" + t.value()
                                    + "\"")
                    .labelled("its value is a text")
                    .helped("texts, such as fields of config.json, can be compared with texts"));
        }
    }

    private static boolean isLogical(BinaryOperator operator) {
        return operator == BinaryOperator.AND || operator == BinaryOperator.OR;
    }

    private Optional<Meaning> foldConstants(Expression.Binary b, Meaning left, Meaning right) {
        if (left instanceof Meaning.Whole x && right instanceof Meaning.Whole y) {
            return Optional.of(whole(b, x.dimension(), y.dimension()));
        }
        if (left instanceof Meaning.Truth x && right instanceof Meaning.Truth y) {
            return switch (b.operator()) {
                case AND -> Optional.of(new Meaning.Truth(x.value() && y.value()));
                case OR -> Optional.of(new Meaning.Truth(x.value() || y.value()));
                case EQUAL -> Optional.of(new Meaning.Truth(x.value() == y.value()));
                case NOT_EQUAL -> Optional.of(new Meaning.Truth(x.value() != y.value()));
                default -> Optional.empty();
            };
        }
        if (left instanceof Meaning.Text x && right instanceof Meaning.Text y) {
            boolean same = x.value().equals(y.value());
            return switch (b.operator()) {
                case EQUAL -> Optional.of(new Meaning.Truth(same));
                case NOT_EQUAL -> Optional.of(new Meaning.Truth(!same));
                default -> Optional.empty();
            };
        }
        boolean open = isConstant(left) && isConstant(right)
                && (left instanceof Meaning.Unknown || right instanceof Meaning.Unknown);
        if (open) {
            return Optional.of(new Meaning.Unknown(isTruth(b.operator())));
        }
        Optional<Double> x = real(left);
        Optional<Double> y = real(right);
        if (x.isPresent() && y.isPresent()) {
            return real(b.operator(), x.get(), y.get());
        }
        return isConstant(left) && isConstant(right) && body.session.isChecking()
                ? Optional.of(new Meaning.Unknown(isTruth(b.operator()))) : Optional.empty();
    }

    private static boolean isTruth(BinaryOperator operator) {
        return switch (operator) {
            case AND, OR, EQUAL, NOT_EQUAL, LESS, LESS_EQUAL, GREATER, GREATER_EQUAL -> true;
            case ADD, SUBTRACT, MULTIPLY, DIVIDE, REMAINDER, POWER, CONTRACT, CONCATENATE -> false;
        };
    }

    static boolean isConstant(Meaning m) {
        return m instanceof Meaning.Whole || m instanceof Meaning.Real
                || m instanceof Meaning.Truth || m instanceof Meaning.Text
                || m instanceof Meaning.Unknown;
    }

    private static Optional<Meaning> real(BinaryOperator operator, double x, double y) {
        return switch (operator) {
            case ADD -> Optional.of(new Meaning.Real(x + y));
            case SUBTRACT -> Optional.of(new Meaning.Real(x - y));
            case MULTIPLY -> Optional.of(new Meaning.Real(x * y));
            case DIVIDE -> Optional.of(new Meaning.Real(x / y));
            case REMAINDER -> Optional.of(new Meaning.Real(x - Math.floor(x / y) * y));
            case POWER -> Optional.of(new Meaning.Real(Math.pow(x, y)));
            case EQUAL -> Optional.of(new Meaning.Truth(x == y));
            case NOT_EQUAL -> Optional.of(new Meaning.Truth(x != y));
            case LESS -> Optional.of(new Meaning.Truth(x < y));
            case LESS_EQUAL -> Optional.of(new Meaning.Truth(x <= y));
            case GREATER -> Optional.of(new Meaning.Truth(x > y));
            case GREATER_EQUAL -> Optional.of(new Meaning.Truth(x >= y));
            default -> Optional.empty();
        };
    }

    private Meaning whole(Expression.Binary b, Dimension x, Dimension y) {
        Optional<Long> left = x.size().constant();
        Optional<Long> right = y.size().constant();
        boolean known = left.isPresent() && right.isPresent();
        switch (b.operator()) {
            case DIVIDE, REMAINDER -> {
                if (right.isPresent() && right.get() == 0) {
                    throw byZero(b);
                }
            }
            default -> { }
        }
        try {
            return switch (b.operator()) {
                case ADD -> new Meaning.Whole(x.plus(y));
                case SUBTRACT -> new Meaning.Whole(x.minus(y));
                case MULTIPLY -> new Meaning.Whole(x.times(y));
                case DIVIDE -> new Meaning.Whole(x.dividedBy(y));
                case REMAINDER -> new Meaning.Whole(x.remainder(y));
                case POWER -> known ? power(b, left.get(), right.get()) : new Meaning.Unknown();
                case EQUAL, NOT_EQUAL -> known || x.isSame(y)
                        ? new Meaning.Truth(x.isSame(y) == (b.operator() == BinaryOperator.EQUAL))
                        : open(b, x, y);
                case LESS -> known ? new Meaning.Truth(left.get() < right.get()) : open(b, x, y);
                case LESS_EQUAL ->
                        known ? new Meaning.Truth(left.get() <= right.get()) : open(b, x, y);
                case GREATER -> known ? new Meaning.Truth(left.get() > right.get()) : open(b, x, y);
                case GREATER_EQUAL ->
                        known ? new Meaning.Truth(left.get() >= right.get()) : open(b, x, y);
                case CONTRACT, CONCATENATE, AND, OR -> throw body.session.fail(
                        Diagnostic.error("E0308", b.span(),
                                "`" + b.operator().symbol() + "` does not work on numbers"));
            };
        } catch (ArithmeticException | Size.Overflow overflow) {
            throw body.fail("E0308", b.span(), "this number is too large");
        }
    }

    private Failure byZero(Expression.Binary b) {
        String divisor = b.right().span().text();
        return body.session.fail(divisor.equals("0")
                ? Diagnostic.error("E0316", b.right().span(), "this divides by zero")
                        .helped("there is no such whole number")
                : Diagnostic.error("E0316", b.right().span(),
                                "`" + b.span().text() + "` divides by `" + divisor
                                        + "`, which is 0")
                        .helped("look at the sizes that it is made of; where there may be none "
                                + "of something, ask first: `if " + divisor + " > 0 { … }`"));
    }

    private Meaning power(Expression.Binary b, long base, long exponent) {
        double result = Math.pow(base, exponent);
        if (exponent < 0) {
            return new Meaning.Real(result);
        }
        if (result > 1L << 53) {
            throw body.fail("E0308", b.span(), "this number is too large");
        }
        return new Meaning.Whole(Dimension.of((long) result));
    }

    /** A comparison of sizes that are known at run time only, or when generics are bound. */
    private Meaning open(Expression.Binary b, Dimension x, Dimension y) {
        if (body.session.isChecking()) {
            return new Meaning.Unknown(true);
        }
        return new Meaning.Element(
                apply(b, Scalar.extent(x.size()), Scalar.extent(y.size())));
    }

    private Scalar apply(Expression.Binary b, Scalar left, Scalar right) {
        BinaryOperator operator = b.operator();
        boolean logical = isLogical(operator);
        boolean equality = operator == BinaryOperator.EQUAL
                || operator == BinaryOperator.NOT_EQUAL;
        checkOperand(b.left(), left, b, logical, equality);
        checkOperand(b.right(), right, b, logical, equality);
        if (equality && (left.format() == Format.BOOL) != (right.format() == Format.BOOL)) {
            throw body.fail("E0308", b.span(), "a truth value and a number cannot be compared");
        }
        boolean real = left.format().isFloat() || right.format().isFloat()
                || operator == BinaryOperator.POWER;
        Scalar x = real ? Scalars.convert(left, Format.F32) : left;
        Scalar y = real ? Scalars.convert(right, Format.F32) : right;
        return Scalar.apply(switch (operator) {
            case ADD -> Operation.ADD;
            case SUBTRACT -> Operation.SUBTRACT;
            case MULTIPLY -> Operation.MULTIPLY;
            case DIVIDE -> Operation.DIVIDE;
            case REMAINDER -> Operation.REMAINDER;
            case POWER -> Operation.POWER;
            case EQUAL -> Operation.EQUAL;
            case NOT_EQUAL -> Operation.NOT_EQUAL;
            case LESS -> Operation.LESS;
            case LESS_EQUAL -> Operation.LESS_EQUAL;
            case GREATER -> Operation.GREATER;
            case GREATER_EQUAL -> Operation.GREATER_EQUAL;
            case AND -> Operation.AND;
            case OR -> Operation.OR;
            case CONTRACT, CONCATENATE -> throw body.fail("E0303", b.span(),
                    "`" + operator.symbol() + "` works on whole tensors");
        }, x, y);
    }

    private static boolean isZero(Scalar scalar) {
        return scalar instanceof Scalar.Extent e && e.size().equals(Size.of(0))
                || Scalars.wholeConstant(scalar).filter(n -> n == 0).isPresent();
    }

    private void checkOperand(
            Expression operand, Scalar scalar, Expression.Binary b, boolean logical, boolean any) {
        boolean isTruth = scalar.format() == Format.BOOL;
        if (!any && isTruth != logical) {
            throw body.session.fail(Diagnostic.error("E0308", operand.span(), logical
                            ? "`" + b.operator().symbol() + "` joins truth values, here is a number"
                            : "`" + b.operator().symbol() + "` works on numbers, here is a truth "
                                    + "value")
                    .helped(logical ? "compare it with something"
                            : "choose a number with `(if … { 1 } else { 0 })`"));
        }
    }

    Meaning select(
            Expression.Choice c, Meaning condition, Meaning then, Meaning otherwise,
            boolean element) {
        Meaning test = condition instanceof Meaning.Unknown
                ? new Meaning.Element(Scalar.truth(true)) : condition;
        return elementwise(List.of(test, then, otherwise), c.span(), element, s -> {
            if (s.get(0).format() != Format.BOOL) {
                throw body.fail("E0401", c.condition().span(),
                        "a condition is a truth value, here is a number");
            }
            boolean real = s.get(1).format().isFloat() || s.get(2).format().isFloat();
            if (!real && s.get(1).format() != s.get(2).format()) {
                throw body.fail("E0308", c.span(),
                        "the branches give a truth value and a number");
            }
            return Scalar.apply(Operation.SELECT, s.get(0),
                    real ? Scalars.convert(s.get(1), Format.F32) : s.get(1),
                    real ? Scalars.convert(s.get(2), Format.F32) : s.get(2));
        });
    }

    /** Applies an operation to elements; to tensors element by element, lifted over absent axes. */
    Meaning elementwise(
            List<Meaning> operands, Span span, boolean element, Elementwise operation) {
        if (element || operands.stream().allMatch(Evaluator::isElementary)) {
            return new Meaning.Element(operation.apply(
                    operands.stream().map(o -> body.evaluator.scalar(o, span)).toList()));
        }
        List<Meaning.Tensor> tensors = operands.stream()
                .map(o -> body.evaluator.tensor(o, span)).toList();
        Meaning.Tensor longest = tensors.getFirst();
        for (Meaning.Tensor tensor : tensors) {
            longest = tensor.rank() > longest.rank() ? tensor : longest;
        }
        List<List<Integer>> places = new ArrayList<>();
        for (Meaning.Tensor tensor : tensors) {
            places.add(align(longest, tensor, span));
        }
        Format format = sample(tensors, operation);
        return new Meaning.Tensor(longest.shape(), format, coordinates -> {
            List<Scalar> elements = new ArrayList<>();
            for (int i = 0; i < tensors.size(); i++) {
                elements.add(tensors.get(i).reader().at(
                        places.get(i).stream().map(coordinates::get).toList()));
            }
            return operation.apply(elements);
        }, Optional.empty(), span);
    }

    private Format sample(List<Meaning.Tensor> tensors, Elementwise operation) {
        body.openRegion();
        try {
            return operation.apply(
                    tensors.stream().map(t -> Scalars.zero(t.format().compute())).toList())
                    .format();
        } finally {
            body.closeRegion();
        }
    }

    private List<Integer> align(Meaning.Tensor longest, Meaning.Tensor shorter, Span span) {
        return Alignment.of(longest.shape(), shorter.shape())
                .orElseThrow(() -> body.session.fail(Diagnostic.error("E0310", span,
                                "axes " + Signatures.shape(longest.shape()) + " and "
                                        + Signatures.shape(shorter.shape())
                                        + " do not go together")
                        .labelled(Alignment.difference(longest.shape(), shorter.shape()))
                        .with(longest.span(), "this has " + Signatures.shape(longest.shape()))
                        .with(shorter.span(), "this has " + Signatures.shape(shorter.shape()))
                        .helped("axes are matched by size; write an equation with indices to say "
                                + "which belong together")));
    }

    /** {@code w @ x}: the last axis of each is summed over; x's other axes come first. */
    Meaning contract(
            Expression.Binary b, Meaning.Tensor left, Meaning.Tensor right, String name) {
        if (left.rank() == 0 || right.rank() == 0) {
            throw body.fail("E0309", b.span(), "`@` needs an axis on both sides");
        }
        Dimension a = left.shape().getLast();
        Dimension c = right.shape().getLast();
        if (a.differs(c)) {
            throw body.session.fail(Diagnostic.error("E0309", b.span(),
                            "`@` sums over the last axes, which differ: " + a.describe() + " and "
                                    + c.describe())
                    .with(left.span(), "this has " + Signatures.shape(left.shape()))
                    .with(right.span(), "this has " + Signatures.shape(right.shape()))
                    .helped("write the sum out to say which axes meet: `sum[i] a[i] * b[i]`"));
        }
        Meaning.Tensor w = readable(left, b.left().span());
        Meaning.Tensor x = readable(right, b.right().span());
        List<Index> indices = new ArrayList<>();
        List<Scalar> ofLeft = new ArrayList<>();
        List<Scalar> ofRight = new ArrayList<>();
        List<Dimension> shape = new ArrayList<>();
        for (Dimension d : right.shape().subList(0, right.rank() - 1)) {
            indices.add(body.index("i" + indices.size(), d));
            shape.add(d);
            ofRight.add(Scalar.variable(indices.getLast()));
        }
        for (Dimension d : left.shape().subList(0, left.rank() - 1)) {
            indices.add(body.index("i" + indices.size(), d));
            shape.add(d);
            ofLeft.add(Scalar.variable(indices.getLast()));
        }
        Index summed = body.index("k", a);
        ofLeft.add(Scalar.variable(summed));
        ofRight.add(Scalar.variable(summed));
        Scalar product = Scalar.apply(Operation.MULTIPLY,
                Scalars.convert(w.reader().at(ofLeft), Format.F32),
                Scalars.convert(x.reader().at(ofRight), Format.F32));
        Value result = body.compute(name, indices,
                Optional.of(new Reduction(Reduction.Kind.SUM, List.of(body.axis(summed)),
                        Optional.empty())), product, b.span());
        return body.stored(result, shape, b.span());
    }

    /** A tensor whose elements are read; anything else is computed first. */
    Meaning.Tensor readable(Meaning.Tensor tensor, Span span) {
        List<Scalar> probe = tensor.shape().stream()
                .map(d -> Scalar.variable(body.index("p", d))).toList();
        body.openRegion();
        boolean isLoad = body.session.isRead(tensor.reader().at(probe));
        body.closeRegion();
        return isLoad ? tensor
                : body.stored(body.materialise(tensor, "operand", span), tensor.shape(),
                        tensor.span());
    }
}
