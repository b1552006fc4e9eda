package dev.weir.testkit.random;

import dev.weir.ir.kernel.KernelProgram;
import dev.weir.ir.tensor.TensorProgram;
import dev.weir.ir.tensor.Walk;
import java.util.HashSet;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;

/** Counts in how many programs each kind of node, each pass and each form of kernel occurred. */
final class Coverage {
    private final Map<String, Integer> programs = new TreeMap<>();
    private double largestShare;

    private synchronized void count(String what) {
        programs.merge(what, 1, Integer::sum);
    }

    synchronized int programsWith(String what) {
        return programs.getOrDefault(what, 0);
    }

    synchronized void apart(double share) {
        largestShare = Math.max(largestShare, share);
    }

    void note(String what) {
        count(what);
    }

    void program(TensorProgram program) {
        Set<String> seen = new HashSet<>();
        String stage = program.isLifted() ? "lifted " : "unlifted ";
        Walk.nodes(program, node -> seen.add(stage + node.getClass().getSimpleName()));
        seen.forEach(this::count);
    }

    void pass(String name) {
        count("pass " + name);
    }

    void kernels(KernelProgram program) {
        Set<String> seen = new HashSet<>();
        for (KernelProgram.Story story : program.stories()) {
            String form = story.form();
            if (form.startsWith("contraction")) {
                seen.add("form contraction");
                if (form.endsWith("grouped by instance")) {
                    seen.add("form grouped by instance");
                }
            } else if (form.startsWith("elements")) {
                seen.add("form elements");
            } else {
                seen.add("form " + form);
            }
        }
        seen.forEach(this::count);
    }

    @Override
    public synchronized String toString() {
        StringBuilder text = new StringBuilder();
        programs.forEach((what, count) -> text.append(count).append('\t').append(what).append('\n'));
        return text + "largest share of the tolerance used: " + largestShare + "\n";
    }
}
