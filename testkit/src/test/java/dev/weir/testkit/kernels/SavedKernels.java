package dev.weir.testkit.kernels;

import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * A kernel program as text, in pieces that can be compared.
 *
 * @param kernels the lines of each kernel by its name, without the line that names it
 * @param host all other lines, in which values, indices, sizes and kernels are numbered in the
 *     order in which they occur, so that another numbering of the same is the same
 */
record SavedKernels(Map<String, List<String>> kernels, List<String> host) {
    private static final Pattern KERNEL = Pattern.compile("kernel (\\w+) \\{");
    /** A value, an index, a size made by a pass, or a kernel that is launched. */
    private static final Pattern NUMBERED =
            Pattern.compile("(?<=[%$])\\d+|(?<=\\.)\\d+(?=')|(?<=launch \")\\w+(?=\")");

    static SavedKernels parse(String text) {
        Map<String, List<String>> kernels = new LinkedHashMap<>();
        List<String> host = new ArrayList<>();
        List<String> lines = text.lines().toList();
        for (int i = 0; i < lines.size(); i++) {
            Matcher kernel = KERNEL.matcher(lines.get(i));
            if (kernel.matches()) {
                List<String> body = new ArrayList<>();
                for (i++; i < lines.size() && !lines.get(i).equals("}"); i++) {
                    body.add(lines.get(i).strip());
                }
                kernels.put(kernel.group(1), List.copyOf(body));
            } else {
                host.add(lines.get(i));
            }
        }
        return new SavedKernels(kernels, numbered(host, kernels));
    }

    private static List<String> numbered(List<String> lines, Map<String, List<String>> kernels) {
        // Kernels are what they do: equal ones get one number, whatever they are called.
        Map<Object, String> known = new LinkedHashMap<>();
        List<String> numbered = new ArrayList<>();
        for (String line : lines) {
            numbered.add(NUMBERED.matcher(line).replaceAll(found -> {
                String name = found.group();
                boolean isKernel = kernels.containsKey(name);
                Object what = isKernel ? kernels.get(name) : name;
                return Matcher.quoteReplacement(known.computeIfAbsent(what, w ->
                        (isKernel ? "kernel " : "") + known.size()));
            }));
        }
        return List.copyOf(numbered);
    }

    /** Lines that do something, without declarations, braces and ends. */
    static long statements(List<String> lines) {
        return lines.stream()
                .map(String::strip)
                .filter(line -> !line.matches("(buffer|scalar|scratch|tile|parameter|state|frames"
                        + "|arguments|check|kernel_program|do|initialise|step|yield|refused)\\b.*"
                        + "|}.*"))
                .count();
    }
}
