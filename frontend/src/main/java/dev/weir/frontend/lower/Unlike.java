package dev.weir.frontend.lower;

import dev.weir.frontend.syntax.Expression;
import dev.weir.frontend.syntax.Statement;
import dev.weir.ir.type.Size;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;

/** Finds loops over lists of blocks that take or give unlike shapes. */
final class Unlike {
    private static final String OPEN = "call's ";

    private final Body body;

    Unlike(Body body) {
        this.body = body;
    }

    /** Whether a loop calls elements, by its number, of a list whose blocks have unlike shapes. */
    boolean areCalled(Statement.For loop, Scope scope) {
        return Trees.calls(loop.body()).stream().anyMatch(c -> areCalled(c, loop.index(), scope));
    }

    private boolean areCalled(Expression.Call call, String index, Scope scope) {
        if (!(call.function() instanceof Expression.Access a)
                || !(a.base() instanceof Expression.Name list)
                || !(scope.find(list.name()).orElse(null) instanceof Meaning.Blocks blocks)) {
            return false;
        }
        Set<String> names = new HashSet<>();
        a.subscripts().forEach(s -> Trees.names(s.from(), names));
        return names.contains(index) && differ(blocks.stretches());
    }

    private boolean differ(List<Meaning.Stretch> stretches) {
        Signatures signatures = new Signatures(body);
        List<List<List<Size>>> shapes = stretches.stream()
                .map(s -> signatures.of(s.template()).map(shape -> numbered(shape.all())))
                .flatMap(Optional::stream).toList();
        return shapes.stream().skip(1).anyMatch(other -> differ(shapes.getFirst(), other));
    }

    /** Shapes in which sizes that a call fixes are called by the order in which they occur. */
    private static List<List<Size>> numbered(List<List<Dimension>> shapes) {
        Map<String, Size> numbers = new HashMap<>();
        List<List<Size>> numbered = new ArrayList<>();
        for (List<Dimension> shape : shapes) {
            List<Size> sizes = new ArrayList<>();
            for (Dimension axis : shape) {
                if (axis.size() instanceof Size.Symbol open && Signatures.isImplicit(axis)) {
                    numbers.putIfAbsent(open.name(), Size.symbol(OPEN + numbers.size()));
                }
                sizes.add(axis.size().substitute(numbers));
            }
            numbered.add(sizes);
        }
        return numbered;
    }

    private static boolean differ(List<List<Size>> one, List<List<Size>> other) {
        for (int i = 0; i < Math.min(one.size(), other.size()); i++) {
            List<Size> a = one.get(i);
            List<Size> b = other.get(i);
            boolean differ = a.size() != b.size();
            for (int axis = 0; !differ && axis < a.size(); axis++) {
                differ = differ(a.get(axis), b.get(axis));
            }
            if (differ) {
                return true;
            }
        }
        return false;
    }

    /** What a call fixes is the same only if it is said in the same way. */
    private static boolean differ(Size a, Size b) {
        Polynomial difference = Polynomial.of(a).plus(Polynomial.of(b), -1);
        boolean open = a.symbols().stream().anyMatch(s -> s.startsWith(OPEN));
        return difference.isNeverZero() || open && !difference.isZero();
    }
}
