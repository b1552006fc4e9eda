package dev.weir.ir.tensor;

import dev.weir.ir.type.Format;
import dev.weir.ir.type.Size;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import java.util.function.Consumer;

/** Checks the whole-number expressions that the host evaluates between kernels. */
public final class HostScalarVerifier {
    private HostScalarVerifier() {}

    /**
     * A sentence for each thing that is wrong.
     *
     * @param format what the expression has to be
     * @param values is shown every value that is loaded
     * @param sizes is shown every size that is asked for
     */
    public static List<String> problems(
            Scalar scalar, Format format, Consumer<Value> values, Consumer<Size> sizes) {
        List<String> problems = new ArrayList<>();
        new ScalarVerifier(new ScalarVerifier.Scope() {
            @Override
            public void use(Value value) {
                values.accept(value);
            }

            @Override
            public void use(Size size) {
                sizes.accept(size);
            }
        }, Set.of(), problems::add).expect(scalar, format, "a number of the host");
        if (hasFloats(scalar)) {
            problems.add("the host computes with whole numbers: " + Printer.scalar(scalar));
        }
        return problems;
    }

    private static boolean hasFloats(Scalar scalar) {
        return scalar.format().isFloat()
                || Walk.operands(scalar).stream().anyMatch(HostScalarVerifier::hasFloats);
    }
}
