package dev.weir.cli;

import dev.weir.codegen.jvm.BytecodeCompiler;
import dev.weir.codegen.llvm.LlvmCompiler;
import dev.weir.compiler.Compiler;
import dev.weir.frontend.Configuration;
import dev.weir.frontend.LowerOptions;
import dev.weir.frontend.SourceProvider;
import dev.weir.ir.kernel.KernelCompiler;
import dev.weir.ir.kernel.KernelProgram;
import dev.weir.ir.kernel.TargetDescription;
import dev.weir.ir.tensor.TensorProgram;
import dev.weir.passes.analysis.ScheduleStep;
import dev.weir.passes.pipeline.Pass;
import dev.weir.passes.pipeline.Passes;
import dev.weir.passes.pipeline.Pipeline;
import dev.weir.passes.schedule.Schedule;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.stream.Stream;
import java.util.TreeMap;
import picocli.CommandLine;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;
import picocli.CommandLine.Spec;

/** The options that name a model and how it is compiled; the same for all commands. */
final class ModelOptions {
    /** No machine has more processors; more would be a slip of the finger. */
    private static final int MOST_THREADS = 4096;

    /** What runs the model. */
    enum Target {
        NATIVE,
        JVM,
        INTERPRETER;

        @Override
        public String toString() {
            return name().toLowerCase(Locale.ROOT);
        }
    }

    @Parameters(index = "0", paramLabel = "MODEL",
            description = "a .weir file, a folder with one, a checkpoint folder, or a "
                    + "dumped .tensor or .kernels program")
    Path model;

    @Option(names = "--model", paramLabel = "NAME",
            description = "which model of the file; the last one by default")
    Optional<String> name = Optional.empty();

    @Option(names = "--weights", paramLabel = "DIR",
            description = "checkpoint folder; beside the program by default")
    Optional<Path> weights = Optional.empty();

    @Option(names = "--entry", paramLabel = "NAME",
            description = "which of the model's methods (default: forward, or the only one)")
    Optional<String> entry = Optional.empty();

    @Option(names = "--set", paramLabel = "NAME=VALUE",
            description = "override a size or setting of the model")
    Map<String, String> settings = new TreeMap<>();

    @Option(names = "--target", paramLabel = "TARGET", defaultValue = "native",
            description = "${COMPLETION-CANDIDATES} (default: ${DEFAULT-VALUE})")
    Target target = Target.NATIVE;

    @Option(names = "--no-cache",
            description = "compile anew, and keep no native code for the next time")
    boolean noCache;

    @Option(names = "--disable", paramLabel = "PASS", split = ",",
            description = "leave an optional pass out")
    List<String> disabled = List.of();

    @Option(names = "--time-passes", description = "say how long each pass took")
    boolean times;

    @Spec(Spec.Target.MIXEE)
    private CommandSpec command;

    private ModelFiles files;
    private Optional<String> configuration;

    ModelFiles files() {
        if (files == null) {
            files = ModelFiles.find(model, weights);
        }
        return files;
    }

    /** The model as an unlifted program; a dumped tensor program is taken as it is. */
    TensorProgram lower(boolean trace) {
        ModelFiles found = files();
        if (isKernelDump()) {
            throw new UserException(model + " holds kernels, which cannot be turned back"
                    + "\nhelp: run it, or dump its kernels or code");
        }
        if (isDump()) {
            TensorProgram program = Dumps.tensors(found.source());
            if (program.isLifted() && target == Target.INTERPRETER) {
                throw new UserException(model + " is lifted, and the interpreter runs what is not"
                        + "\nhelp: dump it with --stage tensor");
            }
            return program;
        }
        return Compiler.lower(found.source(), found.library(), lowerOptions(trace));
    }

    /** All entries of the model, or the one that is named; a dump has one. */
    List<TensorProgram> entries(boolean trace) {
        return entries(trace, files().library());
    }

    private List<TensorProgram> entries(boolean trace, SourceProvider library) {
        return isDump() || isKernelDump() ? List.of(lower(trace))
                : Compiler.entries(files().source(), library, lowerOptions(trace));
    }

    /** Whether programs that were made before may be taken, and these be kept. */
    boolean keepsPrograms() {
        return !isDump() && !isKernelDump() && !times;
    }

    /** All that decides what {@link #scheduleEntries} gives, but imports, compiler and machine. */
    List<String> origin(boolean trace) {
        List<String> texts = new ArrayList<>(List.of(
                files().source().name(), files().source().text(), Boolean.toString(trace)));
        for (Optional<String> given : List.of(configuration(), name, entry)) {
            texts.add(given.isPresent() ? "given" : "not given");
            given.ifPresent(texts::add);
        }
        texts.add("settings " + settings.size());
        settings.forEach((setting, value) -> texts.addAll(List.of(setting, value)));
        texts.addAll(disabled);
        return texts;
    }

    private LowerOptions lowerOptions(boolean trace) {
        return new LowerOptions(name, entry,
                configuration().map(Configuration::parse).orElseGet(Configuration::empty),
                settings, trace);
    }

    /** The text of the configuration, read once: what a program is kept for is what made it. */
    private Optional<String> configuration() {
        if (configuration == null) {
            configuration = files().configurationText();
        }
        return configuration;
    }

    /** Whether MODEL is what {@code weir dump} wrote. */
    private boolean isDump() {
        return model.toString().endsWith(".tensor");
    }

    /** Whether MODEL is a dump of the stage {@code kernels}. */
    boolean isKernelDump() {
        return model.toString().endsWith(".kernels");
    }

    /** All entries as kernels; a dumped kernel program is taken as it is. */
    List<KernelProgram> scheduleEntries(boolean trace, KernelCompiler compiler) {
        return scheduleEntries(trace, compiler, files().library());
    }

    /** The same with imports from somewhere. */
    List<KernelProgram> scheduleEntries(
            boolean trace, KernelCompiler compiler, SourceProvider library) {
        return isKernelDump() ? List.of(schedule(trace, compiler))
                : entries(trace, library).stream()
                        .map(e -> schedule(optimise(e), compiler.target())).toList();
    }

    /** The model as kernels; a dumped kernel program is taken as it is. */
    KernelProgram schedule(boolean trace, KernelCompiler compiler) {
        if (!isKernelDump()) {
            return schedule(optimise(lower(trace)), compiler.target());
        }
        return Dumps.kernels(files().source());
    }

    /** A lifted program as kernels for a machine. */
    KernelProgram schedule(TensorProgram lifted, TargetDescription machine) {
        return schedule(lifted, machine, (step, nanos) -> { });
    }

    /**
     * @param observer is told how long each step took
     */
    KernelProgram schedule(
            TensorProgram lifted, TargetDescription machine, Schedule.Observer observer) {
        return Compiler.schedule(lifted, machine, Set.copyOf(disabled), (step, nanos) -> {
            time(step.text(), nanos);
            observer.took(step, nanos);
        });
    }

    TensorProgram optimise(TensorProgram program) {
        return optimise(program, (pass, result, nanos) -> { });
    }

    /**
     * @param observer sees what each pass leaves
     */
    TensorProgram optimise(TensorProgram program, Pipeline.Observer observer) {
        List<String> optional = Stream.concat(
                Passes.ALL.stream().filter(Pass::optional).map(Pass::name),
                Arrays.stream(ScheduleStep.values())
                        .filter(ScheduleStep::optional).map(ScheduleStep::text)).toList();
        for (String pass : disabled) {
            if (!optional.contains(pass)) {
                throw wrong("--disable: there is no optional pass " + pass
                        + "; those that can be left out are " + String.join(", ", optional));
            }
        }
        return Compiler.optimise(program, Set.copyOf(disabled), (pass, result, nanos) -> {
            time(pass.name(), nanos);
            observer.after(pass, result, nanos);
        });
    }

    private void time(String pass, long nanos) {
        if (times) {
            command.commandLine().getErr().printf(
                    Locale.ROOT, "%-18s %8.3f ms%n", pass, nanos / 1e6);
            command.commandLine().getErr().flush();
        }
    }

    /** What is wrong with the command line, whatever the model. */
    private CommandLine.ParameterException wrong(String problem) {
        return new CommandLine.ParameterException(command.commandLine(), problem);
    }

    /** The same options for another model, whose weights lie beside it. */
    ModelOptions of(Path other) {
        ModelOptions same = new ModelOptions();
        same.model = other;
        same.settings = settings;
        same.target = target;
        same.noCache = noCache;
        same.disabled = disabled;
        same.times = times;
        same.command = command;
        return same;
    }

    /** The same model with all its entries, whichever is named. */
    ModelOptions withAllEntries() {
        ModelOptions all = of(model);
        all.name = name;
        all.weights = weights;
        return all;
    }

    /** Refuses a command line. */
    void require(boolean holds, String problem) {
        if (!holds) {
            throw wrong(problem);
        }
    }

    void requireThreads(int threads) {
        require(threads >= 1 && threads <= MOST_THREADS, "--threads has to be at least 1 and at "
                + "most " + MOST_THREADS + ", here it is " + threads);
    }

    /** Refuses the interpreter where kernels are wanted. */
    void requireKernels() {
        if (target == Target.INTERPRETER) {
            compiler();
        }
    }

    /** The back end of the chosen target; the interpreter has none. */
    KernelCompiler compiler() {
        return switch (target) {
            case NATIVE -> new LlvmCompiler();
            case JVM -> new BytecodeCompiler();
            case INTERPRETER -> throw wrong(
                    "the interpreter has no kernels: use --target native or jvm");
        };
    }

    /** Says what is odd about the model's files. */
    void warning(String text) {
        ((Weir) command.root().userObject()).warning(text);
    }

    /** As {@link #compiler}; native code that was made before is used again. */
    KernelCompiler cachedCompiler() {
        return target == Target.NATIVE && !noCache
                ? CachedCompiler.usual(this::warning)
                : compiler();
    }

    /** The machine that kernels are shown for, whatever the target. */
    TargetDescription machine() {
        try (KernelCompiler compiler = new BytecodeCompiler()) {
            return compiler.target();
        }
    }
}
