package dev.weir.ir.host;

import java.util.ArrayList;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Set;

/**
 * A function of word code. All parameters and the result are words; who reaches the end returns 0.
 *
 * @param name unique within the program
 * @param parameters unique within the function
 */
public record WordFunction(String name, List<String> parameters, List<WordStatement> body) {
    public WordFunction {
        parameters = List.copyOf(parameters);
        body = List.copyOf(body);
    }

    /** The locals that are no parameters, in the order in which they are first assigned. */
    public List<String> locals() {
        Set<String> locals = new LinkedHashSet<>();
        collect(body, locals);
        parameters.forEach(locals::remove);
        return new ArrayList<>(locals);
    }

    private static void collect(List<WordStatement> statements, Set<String> locals) {
        for (WordStatement statement : statements) {
            switch (statement) {
                case WordStatement.Assign a -> locals.add(a.local());
                case WordStatement.If i -> {
                    collect(i.then(), locals);
                    collect(i.otherwise(), locals);
                }
                case WordStatement.While w -> collect(w.body(), locals);
                case WordStatement.Store s -> { }
                case WordStatement.Return r -> { }
                case WordStatement.Run r -> { }
                case WordStatement.Launch l -> { }
            }
        }
    }
}
