package dev.weir.testkit.kernels;

import dev.weir.cli.LineDiff;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/**
 * What became of the kernels of one model for one machine. A kernel that only has another name, and
 * a host program whose values have other numbers, are the same.
 *
 * @param before the program before
 * @param after the program after
 * @param renamed how many kernels only have another name
 * @param changed names of kernels before and after that differ, by what they compute
 * @param removed names of kernels that are there no more
 * @param added names of kernels that were not there
 */
record KernelComparison(
        SavedKernels before,
        SavedKernels after,
        int renamed,
        Map<String, String> changed,
        List<String> removed,
        List<String> added) {
    private static final int AROUND = 3;

    static KernelComparison of(SavedKernels before, SavedKernels after) {
        Map<String, List<String>> left = new LinkedHashMap<>(before.kernels());
        Map<String, List<String>> right = new LinkedHashMap<>(after.kernels());
        int renamed = 0;
        // First those that kept their name, so that of equal kernels each finds its own.
        left.keySet().removeIf(name -> right.remove(name, before.kernels().get(name)));
        for (String name : List.copyOf(left.keySet())) {
            String other = with(right, left.get(name));
            if (!other.isEmpty()) {
                left.remove(name);
                right.remove(other);
                renamed++;
            }
        }
        Map<String, String> changed = new LinkedHashMap<>();
        for (String name : List.copyOf(left.keySet())) {
            right.keySet().stream()
                    .filter(other -> purpose(other).equals(purpose(name)))
                    .findFirst()
                    .ifPresent(other -> {
                        changed.put(name, other);
                        left.remove(name);
                        right.remove(other);
                    });
        }
        return new KernelComparison(before, after, renamed, changed,
                List.copyOf(left.keySet()), List.copyOf(right.keySet()));
    }

    private static String with(Map<String, List<String>> kernels, List<String> body) {
        return kernels.entrySet().stream()
                .filter(entry -> entry.getValue().equals(body))
                .map(Map.Entry::getKey)
                .findFirst().orElse("");
    }

    /** A kernel's name without its number: what it computes. */
    private static String purpose(String name) {
        return name.replaceFirst("^k\\d+_", "");
    }

    boolean isSame() {
        return changed.isEmpty() && removed.isEmpty() && added.isEmpty() && hostIsSame();
    }

    private boolean hostIsSame() {
        return before.host().equals(after.host());
    }

    /** A line, and one for each kernel that is not the same. */
    List<String> summary() {
        if (isSame()) {
            return List.of(renamed == 0 ? "same" : "same, " + renamed + " under another name");
        }
        List<String> lines = new ArrayList<>();
        lines.add(before.kernels().size() + " \u2192 " + after.kernels().size() + " kernels: "
                + changed.size() + " changed, " + added.size() + " added, " + removed.size()
                + " removed; host program " + counts(before.host(), after.host())
                + (hostIsSame() ? ", the same" : ""));
        changed.forEach((name, other) -> lines.add("changed " + name
                + (name.equals(other) ? "" : ", now " + other) + ": "
                + counts(before.kernels().get(name), after.kernels().get(other))));
        removed.forEach(name -> lines.add("removed " + name + ": "
                + SavedKernels.statements(before.kernels().get(name)) + " statements"));
        added.forEach(name -> lines.add("added " + name + ": "
                + SavedKernels.statements(after.kernels().get(name)) + " statements"));
        return lines;
    }

    private static String counts(List<String> before, List<String> after) {
        return SavedKernels.statements(before) + " \u2192 " + SavedKernels.statements(after)
                + " statements";
    }

    /** The lines that differ, with some around them. */
    String unified() {
        StringBuilder text = new StringBuilder();
        changed.forEach((name, other) -> text.append("--- ").append(name).append("\n+++ ")
                .append(other).append('\n').append(LineDiff.unified(
                        before.kernels().get(name), after.kernels().get(other), AROUND)));
        for (String name : removed) {
            text.append("--- ").append(name).append('\n').append(
                    LineDiff.unified(before.kernels().get(name), List.of(), AROUND));
        }
        for (String name : added) {
            text.append("+++ ").append(name).append('\n').append(
                    LineDiff.unified(List.of(), after.kernels().get(name), AROUND));
        }
        if (!hostIsSame()) {
            text.append("--- host program\n+++ host program\n")
                    .append(LineDiff.unified(before.host(), after.host(), AROUND));
        }
        return text.toString();
    }
}
