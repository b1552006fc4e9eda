package dev.weir.ir.host;

import static dev.weir.ir.host.WordExpression.binary;
import static dev.weir.ir.host.WordExpression.call;
import static dev.weir.ir.host.WordExpression.local;
import static dev.weir.ir.host.WordExpression.of;
import static dev.weir.ir.host.WordExpression.plus;
import static dev.weir.ir.host.WordExpression.word;

import dev.weir.ir.host.WordExpression.Operator;
import dev.weir.ir.host.WordExpression.Width;
import dev.weir.ir.operation.Operation;
import dev.weir.ir.tensor.Scalar;
import dev.weir.ir.tensor.Value;
import dev.weir.ir.type.Format;
import dev.weir.ir.type.Size;
import java.util.ArrayList;
import java.util.List;

/**
 * Writes the whole-number expressions of a host program as word code. What is decided on the way
 * (an index that is checked, a choice of which only one side may be looked at) becomes statements
 * in front of the expression.
 */
final class HostScalarLowering {
    private static final WordExpression MODEL = local("model");

    private final HostLayout layout;
    private final boolean step;
    private final List<String> checks;
    private int temporaries;

    /**
     * @param step whether the expressions are the step's
     * @param checks what faults say; places that the host checks are put behind the kernels'
     */
    HostScalarLowering(HostLayout layout, boolean step, List<String> checks) {
        this.layout = layout;
        this.step = step;
        this.checks = checks;
    }

    WordExpression temporary(WordExpression value, List<WordStatement> out) {
        String name = "t" + temporaries++;
        out.add(new WordStatement.Assign(name, value));
        return local(name);
    }

    WordExpression size(Size size) {
        return switch (size) {
            case Size.Constant c -> of(c.value());
            case Size.Symbol s -> word(plus(MODEL, layout.size(s.name())));
            case Size.Sum s -> call("plus", MODEL, size(s.left()), size(s.right()));
            case Size.Product p -> call("times", MODEL, size(p.left()), size(p.right()));
            case Size.Quotient q -> binary(Operator.DIVIDE, size(q.left()), size(q.right()));
        };
    }

    /** The address of a tensor's elements. */
    WordExpression address(Value value) {
        return word(plus(MODEL, layout.slot(value, step)));
    }

    WordExpression scalar(Scalar scalar, List<WordStatement> out) {
        return switch (scalar) {
            case Scalar.Whole w -> of(w.value());
            case Scalar.Extent e -> size(e.size());
            case Scalar.Load l -> load(l, out);
            case Scalar.Apply a -> apply(a, out);
            case Scalar.Convert c -> convert(c, out);
            case Scalar.Within w -> within(w, out);
            case Scalar.Real r -> throw new IllegalArgumentException("a float on the host");
            case Scalar.Round r -> throw new IllegalArgumentException("a float on the host");
            case Scalar.Variable v -> throw new IllegalArgumentException("an index on the host");
        };
    }

    private WordExpression load(Scalar.Load load, List<WordStatement> out) {
        if (layout.isVariable(load.source())) {
            return word(plus(MODEL, layout.variableOf(load.source())));
        }
        WordExpression index = of(0);
        for (int axis = 0; axis < load.coordinates().size(); axis++) {
            WordExpression coordinate = scalar(load.coordinates().get(axis), out);
            index = axis == 0 ? coordinate : binary(Operator.ADD, coordinate,
                    binary(Operator.MULTIPLY, index,
                            size(load.source().type().shape().get(axis))));
        }
        Format format = load.source().type().format();
        Width width = switch (format) {
            case I64 -> Width.WORD;
            case I32 -> Width.INTEGER;
            case BOOL -> Width.BYTE;
            default -> throw new IllegalArgumentException("a float on the host");
        };
        WordExpression offset = index.equals(of(0)) ? index
                : binary(Operator.MULTIPLY, index, of(format.bytes()));
        return temporary(new WordExpression.Load(width, offset.equals(of(0))
                ? address(load.source())
                : binary(Operator.ADD, address(load.source()), offset)), out);
    }

    private WordExpression convert(Scalar.Convert convert, List<WordStatement> out) {
        WordExpression operand = scalar(convert.operand(), out);
        return switch (convert.format()) {
            case BOOL -> binary(Operator.NOT_EQUAL, operand, of(0));
            case I32 -> binary(Operator.SHIFT_RIGHT,
                    binary(Operator.SHIFT_LEFT, operand, of(32)), of(32));
            default -> operand;
        };
    }

    private WordExpression within(Scalar.Within within, List<WordStatement> out) {
        WordExpression index = temporary(scalar(within.index(), out), out);
        WordExpression extent = temporary(scalar(within.extent(), out), out);
        String text = Scalar.Within.check(within.place());
        int check = checks.indexOf(text);
        if (check < 0) {
            check = checks.size();
            checks.add(text);
        }
        out.add(new WordStatement.If(
                binary(Operator.OR, binary(Operator.LESS, index, of(0)),
                        binary(Operator.GREATER_EQUAL, index, extent)),
                List.of(new WordStatement.Return(call("fail", MODEL,
                        of(HostStatus.DATA.number()), of(check), index, extent))),
                List.of()));
        return index;
    }

    /** The right side of `and`, `or` and both of a choice are looked at only if they count. */
    private WordExpression apply(Scalar.Apply apply, List<WordStatement> out) {
        List<Scalar> operands = apply.operands();
        WordExpression first = scalar(operands.getFirst(), out);
        if (apply.operation() == Operation.SELECT) {
            return choice(first, operands.get(1), operands.get(2), out);
        }
        if (apply.operation() == Operation.AND) {
            return choice(first, operands.get(1), Scalar.truth(false), out);
        }
        if (apply.operation() == Operation.OR) {
            return choice(first, Scalar.truth(true), operands.get(1), out);
        }
        if (operands.size() == 1) {
            return switch (apply.operation()) {
                case NEGATE -> binary(Operator.SUBTRACT, of(0), first);
                case ABSOLUTE -> {
                    WordExpression value = temporary(first, out);
                    yield binary(Operator.MAXIMUM, value,
                            binary(Operator.SUBTRACT, of(0), value));
                }
                case NOT -> binary(Operator.SUBTRACT, of(1), first);
                default -> throw new IllegalArgumentException(
                        apply.operation().word() + " on the host");
            };
        }
        WordExpression second = scalar(operands.get(1), out);
        Operator operator = operator(apply.operation());
        if ((operator == Operator.DIVIDE || operator == Operator.REMAINDER)
                && !(second instanceof WordExpression.Constant c && c.value() != 0)) {
            second = temporary(second, out);
            out.add(new WordStatement.If(binary(Operator.EQUAL, second, of(0)),
                    List.of(new WordStatement.Return(call("fail", MODEL,
                            of(HostStatus.DIVISION.number()), of(0), of(0), of(0)))),
                    List.of()));
        }
        return binary(operator, first, second);
    }

    private WordExpression choice(
            WordExpression condition, Scalar then, Scalar otherwise, List<WordStatement> out) {
        String name = "t" + temporaries++;
        List<WordStatement> yes = new ArrayList<>();
        List<WordStatement> no = new ArrayList<>();
        yes.add(new WordStatement.Assign(name, scalar(then, yes)));
        no.add(new WordStatement.Assign(name, scalar(otherwise, no)));
        out.add(new WordStatement.If(condition, yes, no));
        return local(name);
    }

    private static Operator operator(Operation operation) {
        return switch (operation) {
            case ADD -> Operator.ADD;
            case SUBTRACT -> Operator.SUBTRACT;
            case MULTIPLY -> Operator.MULTIPLY;
            case DIVIDE -> Operator.DIVIDE;
            case REMAINDER -> Operator.REMAINDER;
            case MINIMUM -> Operator.MINIMUM;
            case MAXIMUM -> Operator.MAXIMUM;
            case EQUAL -> Operator.EQUAL;
            case NOT_EQUAL -> Operator.NOT_EQUAL;
            case LESS -> Operator.LESS;
            case LESS_EQUAL -> Operator.LESS_EQUAL;
            case GREATER -> Operator.GREATER;
            case GREATER_EQUAL -> Operator.GREATER_EQUAL;
            case BIT_AND -> Operator.AND;
            case BIT_OR -> Operator.OR;
            case BIT_XOR -> Operator.EXCLUSIVE_OR;
            case SHIFT_LEFT -> Operator.SHIFT_LEFT;
            case SHIFT_RIGHT -> Operator.SHIFT_RIGHT;
            default -> throw new IllegalArgumentException(operation.word() + " on the host");
        };
    }
}
