package dev.weir.cli;

import dev.weir.cli.Stage.Mark;
import dev.weir.cli.Stage.Part;
import dev.weir.ir.kernel.Kernel;
import dev.weir.ir.kernel.KernelCompiler;
import dev.weir.ir.kernel.KernelPrinter;
import dev.weir.ir.kernel.KernelProgram;
import dev.weir.ir.kernel.KernelProgramPrinter;
import dev.weir.ir.tensor.Node;
import dev.weir.ir.tensor.Printer;
import dev.weir.ir.tensor.TensorProgram;
import dev.weir.ir.tensor.Walk;
import dev.weir.passes.analysis.ScheduleStep;
import dev.weir.passes.pipeline.Pass;
import dev.weir.passes.pipeline.Passes;
import java.util.ArrayList;
import java.util.EnumMap;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;
import java.util.TreeSet;
import java.util.stream.Collectors;

/**
 * A model at every stage, and what each pass did.
 *
 * @param model its name
 * @param stages from the source to the code
 * @param passes each pass and each step of scheduling, in order
 */
record Stages(String model, List<Stage> stages, List<Row> passes) {
    /** Where fewer lines stayed, a pass wrote the program anew, and marks say nothing. */
    private static final double KEPT_LEAST = 0.5;

    /**
     * What one pass did.
     *
     * @param name as {@code --disable} takes it
     * @param time in nanoseconds; empty if it did not run
     * @param before how many nodes there were
     * @param change what became of them, by their kind; empty for nothing
     * @param added lines of the program that were not there before
     * @param removed lines that are there no more
     */
    record Row(
            String name,
            String purpose,
            boolean optional,
            Optional<Long> time,
            String before,
            String change,
            int added,
            int removed) {}

    /** Sends a model through the compiler. */
    static Stages of(ModelOptions options, KernelCompiler compiler) {
        Origins origins = new Origins();
        TensorProgram program = options.lower(false);
        Map<String, TensorProgram> programs = new HashMap<>();
        Map<String, Long> times = new HashMap<>();
        TensorProgram optimised = options.optimise(program, (pass, result, nanos) -> {
            programs.put(pass.name(), result);
            times.put(pass.name(), nanos);
        });
        Map<ScheduleStep, Long> steps = new EnumMap<>(ScheduleStep.class);
        KernelProgram kernels = options.schedule(optimised, compiler.target(), steps::put);

        List<Stage> stages = new ArrayList<>();
        List<Row> rows = new ArrayList<>();
        stages.add(tensor("tensor", "for one token or one sequence, as it was written",
                program, origins, true));
        TensorProgram before = program;
        int last = 0;
        for (Pass pass : Passes.ALL) {
            TensorProgram after = programs.getOrDefault(pass.name(), before);
            Stage stage = tensor(pass.name(), pass.purpose(), after, origins, false);
            if (texts(stages.get(last)).equals(texts(stage))) {
                stages.add(stage);
            } else {
                Stage[] marked = marked(stages.get(last), stage);
                stages.set(last, marked[0]);
                last = stages.size();
                stages.add(marked[1]);
            }
            rows.add(row(pass, Optional.ofNullable(times.get(pass.name())),
                    before, after));
            before = after;
        }
        for (ScheduleStep step : ScheduleStep.values()) {
            rows.add(new Row(step.text(), step.purpose(), step.optional(),
                    Optional.ofNullable(steps.get(step)), "", step == ScheduleStep.KERNELS
                            ? kernels.kernels().size() + " kernels: " + forms(kernels) : "", 0, 0));
        }
        stages.add(new Stage("kernels", "what is compiled, and the host program that calls it",
                kernels(kernels, origins), true));
        stages.add(new Stage("code", "what " + options.target + " gets of each kernel",
                code(kernels, compiler, origins), true));
        stages.addFirst(new Stage("source", "as it was written",
                origins.sources(options.files().source()), true));
        return new Stages(program.name(), List.copyOf(stages), List.copyOf(rows));
    }

    // ------------------------------------------------------------------ tensor programs

    private static Stage tensor(String name, String note, TensorProgram program,
            Origins origins, boolean changed) {
        return new Stage(name, note, Printer.lines(program).stream()
                .<Part>map(line -> new Part.Line(line.text(), 0,
                        line.node().map(Node::span).map(origins::of).orElse(List.of()),
                        Mark.NONE))
                .toList(), changed);
    }

    private static List<String> texts(Stage stage) {
        return stage.parts().stream().map(part -> ((Part.Line) part).text()).toList();
    }

    /** Two stages that differ, with marks at what is gone from the first and new in the other. */
    private static Stage[] marked(Stage before, Stage after) {
        List<String> left = texts(before);
        List<String> right = texts(after);
        List<LineDiff.Edit> edits = LineDiff.of(left, right);
        long kept = edits.stream().filter(e -> e.kind() == LineDiff.Kind.KEPT).count();
        Stage changed = new Stage(after.name(), after.note(), after.parts(), true);
        if (kept < KEPT_LEAST * Math.min(left.size(), right.size())) {
            return new Stage[] {before, changed};
        }
        List<Part> gone = new ArrayList<>(before.parts());
        List<Part> added = new ArrayList<>(after.parts());
        int i = 0;
        int j = 0;
        for (LineDiff.Edit edit : edits) {
            switch (edit.kind()) {
                case KEPT -> {
                    i++;
                    j++;
                }
                case REMOVED -> gone.set(i, with((Part.Line) gone.get(i++), Mark.GONE));
                case ADDED -> added.set(j, with((Part.Line) added.get(j++), Mark.NEW));
            }
        }
        return new Stage[] {
            new Stage(before.name(), before.note(), gone, before.changed()),
            new Stage(after.name(), after.note(), added, true)
        };
    }

    private static Part.Line with(Part.Line line, Mark mark) {
        boolean both = line.mark() == Mark.NEW && mark == Mark.GONE;
        return new Part.Line(
                line.text(), line.number(), line.origins(), both ? Mark.PASSING : mark);
    }

    private static Row row(Pass pass, Optional<Long> time,
            TensorProgram before, TensorProgram after) {
        List<LineDiff.Edit> edits = LineDiff.of(
                Printer.print(before).lines().toList(), Printer.print(after).lines().toList());
        Map<String, Integer> had = nodes(before);
        Map<String, Integer> has = nodes(after);
        TreeSet<String> kinds = new TreeSet<>(had.keySet());
        kinds.addAll(has.keySet());
        String change = kinds.stream()
                .map(kind -> new Object[] {
                    kind, has.getOrDefault(kind, 0) - had.getOrDefault(kind, 0)})
                .filter(pair -> (int) pair[1] != 0)
                .map(pair -> pair[0] + " " + ((int) pair[1] > 0 ? "+" : "\u2212")
                        + Math.abs((int) pair[1]))
                .collect(Collectors.joining(", "));
        return new Row(pass.name(), pass.purpose(), pass.optional(), time,
                sum(had) + " \u2192 " + sum(has), change,
                count(edits, LineDiff.Kind.ADDED), count(edits, LineDiff.Kind.REMOVED));
    }

    private static Map<String, Integer> nodes(TensorProgram program) {
        Map<String, Integer> counts = new TreeMap<>();
        Walk.nodes(program, node ->
                counts.merge(node.getClass().getSimpleName(), 1, Integer::sum));
        return counts;
    }

    private static int sum(Map<String, Integer> counts) {
        return counts.values().stream().mapToInt(n -> n).sum();
    }

    private static int count(List<LineDiff.Edit> edits, LineDiff.Kind kind) {
        return (int) edits.stream().filter(e -> e.kind() == kind).count();
    }

    // ------------------------------------------------------------------ kernels

    private static String forms(KernelProgram program) {
        Map<String, Integer> forms = new TreeMap<>();
        program.stories().forEach(story -> forms.merge(story.form(), 1, Integer::sum));
        return forms.entrySet().stream().map(e -> e.getValue() + " " + e.getKey())
                .collect(Collectors.joining("; "));
    }

    private static List<Part> kernels(KernelProgram program, Origins origins) {
        List<Part> parts = new ArrayList<>();
        parts.add(new Part.Heading("kernels"));
        for (Kernel kernel : program.kernels()) {
            parts.add(folded(program, kernel, KernelPrinter.print(kernel), origins, true));
        }
        parts.add(new Part.Heading("host program"));
        Map<String, List<Integer>> launched = new HashMap<>();
        for (KernelProgram.Story story : program.stories()) {
            launched.put(story.kernel(), origins.of(story.spans()));
        }
        for (String line : KernelProgramPrinter.hostLines(program)) {
            String[] words = line.strip().split("\"", 3);
            parts.add(new Part.Line(line, 0, words.length == 3 && words[0].equals("launch ")
                    ? launched.getOrDefault(words[1], List.of()) : List.of(), Mark.NONE));
        }
        return parts;
    }

    private static List<Part> code(
            KernelProgram program, KernelCompiler compiler, Origins origins) {
        return program.kernels().stream()
                .map(kernel -> folded(
                        program, kernel, compiler.listing(kernel), origins, false))
                .toList();
    }

    private static Part folded(KernelProgram program, Kernel kernel, String text,
            Origins origins, boolean explained) {
        return program.stories().stream()
                .filter(story -> story.kernel().equals(kernel.name()))
                .findFirst()
                .<Part>map(story -> new Part.Folded(kernel.name(), story.form(),
                        explained ? facts(story) : List.of(), text,
                        origins.of(story.spans())))
                .orElse(new Part.Folded(kernel.name(), "", List.of(), text, List.of()));
    }

    private static List<String> facts(KernelProgram.Story story) {
        List<String> facts = new ArrayList<>();
        if (!story.values().isEmpty()) {
            facts.add("computes " + String.join(", ", story.values()));
        }
        facts.add(Amount.of(story.work().operations()) + " operations; "
                + Amount.of(story.work().read()) + " bytes read, "
                + Amount.of(story.work().written()) + " written");
        facts.addAll(story.decisions());
        return facts;
    }
}
