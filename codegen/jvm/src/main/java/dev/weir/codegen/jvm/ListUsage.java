package dev.weir.codegen.jvm;

import dev.weir.ir.kernel.Buffer;
import dev.weir.ir.kernel.Kernel;
import dev.weir.ir.kernel.Statement;
import dev.weir.ir.kernel.Variable;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;

/** What each statement of a list uses, for telling which runs of them can stand alone. */
final class ListUsage {

    private final List<Usage> usages;
    /** For each statement what it uses from outside itself. */
    private final List<Set<Object>> used;
    /** The last statement of the list that uses a variable or buffer. */
    private final Map<Object, Integer> last = new HashMap<>();
    /** What every method finds by itself. */
    private final Set<Object> everywhere = new HashSet<>();

    ListUsage(List<Statement> list, Kernel kernel) {
        usages = list.stream().map(s -> Usage.of(List.of(s))).toList();
        used = usages.stream().map(ListUsage::free).toList();
        for (int i = 0; i < used.size(); i++) {
            for (Object name : used.get(i)) {
                last.put(name, i);
            }
        }
        everywhere.addAll(kernel.scalars());
        everywhere.addAll(kernel.buffers());
        kernel.scratch().forEach(s -> everywhere.add(s.buffer()));
    }

    private static Set<Object> free(Usage usage) {
        Set<Object> free = new HashSet<>(usage.freeVariables());
        free.addAll(usage.freeBuffers());
        return free;
    }

    /** An empty run before a statement. */
    Run runFrom(int from) {
        return new Run(from);
    }

    /** A run of statements that grows at its end. */
    final class Run {

        private int to;
        private final Set<Object> introduced = new HashSet<>();
        private final Set<Object> captured = new HashSet<>();
        private int lastUse = -1;
        private int slots;
        private int vectors;

        private Run(int from) {
            this.to = from;
        }

        /** Takes in the next statement; false if it assigns a variable from outside. */
        boolean grow() {
            for (Object name : used.get(to)) {
                if (!introduced.contains(name) && !everywhere.contains(name)
                        && captured.add(name)) {
                    count(name);
                }
            }
            Usage usage = usages.get(to++);
            for (Variable variable : usage.assigned) {
                if (!usage.declared.contains(variable) && !introduced.contains(variable)) {
                    return false;
                }
            }
            usage.declared.forEach(this::introduce);
            usage.bound.forEach(this::introduce);
            return true;
        }

        private void introduce(Object name) {
            introduced.add(name);
            lastUse = Math.max(lastUse, last.getOrDefault(name, -1));
        }

        private void count(Object name) {
            if (name instanceof Variable v) {
                slots += JvmTypes.slots(v.type());
                vectors += v.type().isScalar() ? 0 : 1;
            } else if (name instanceof Buffer) {
                slots += 2;
            }
        }

        /** Whether nothing that it introduces is used behind it. */
        boolean isClosed() {
            return lastUse < to;
        }

        /** Slots of the arguments that a method would need. */
        int slots() {
            return slots;
        }

        /** How many of these are vectors, which have to be boxed. */
        int vectors() {
            return vectors;
        }
    }
}
