package dev.weir.bench;

import dev.weir.bench.engine.KernelTimes;
import dev.weir.bench.engine.Target;
import dev.weir.bench.engine.WeirModel;
import dev.weir.bench.engine.Weights;
import dev.weir.bench.model.Parameters;
import dev.weir.bench.model.Precision;
import dev.weir.bench.model.Shape;
import dev.weir.ir.diagnostic.Source;
import dev.weir.ir.kernel.KernelProgram;
import dev.weir.ir.tensor.Value;
import dev.weir.ir.type.Format;
import dev.weir.ir.type.Size;
import dev.weir.runtime.ledger.Ledger;
import dev.weir.runtime.memory.Tensor;
import dev.weir.runtime.model.Engine;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.HashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.Callable;
import picocli.CommandLine;
import picocli.CommandLine.Command;
import picocli.CommandLine.Option;

/**
 * {@code weir-bench kernels}: where the time of a step goes, kernel by kernel, with random weights
 * and inputs. Rates use the work that {@code weir explain} prints, and the bytes of weights that
 * the ledger counts.
 */
@Command(name = "kernels", mixinStandardHelpOptions = true,
        description = "Show the time of a step by kernel: launches, share, GFLOP/s, GB/s.")
final class Kernels implements Callable<Integer> {
    @CommandLine.Spec
    private CommandLine.Model.CommandSpec command;

    @CommandLine.Parameters(index = "0", paramLabel = "MODEL",
            description = "llama or mixtral (110 million parameters), a folder with a "
                    + "config.json, or a .weir file")
    private String model;

    @Option(names = {"-n", "--rows"}, paramLabel = "N", defaultValue = "256",
            description = "rows of the stream in a step (default: ${DEFAULT-VALUE})")
    private int rows;

    @Option(names = "--behind", paramLabel = "N", defaultValue = "0",
            description = "rows that the sequence has before, in one step "
                    + "(default: ${DEFAULT-VALUE})")
    private int behind;

    @Option(names = "--steps", paramLabel = "N", defaultValue = "10",
            description = "steps that are timed, each from the same place "
                    + "(default: ${DEFAULT-VALUE})")
    private int steps;

    @Option(names = "--warmup", paramLabel = "SECONDS", defaultValue = "2",
            description = "how long steps are done before (default: ${DEFAULT-VALUE})")
    private double warmup;

    @Option(names = {"-t", "--threads"}, paramLabel = "N",
            description = "threads (default: all processors)")
    private int threads = Runtime.getRuntime().availableProcessors();

    @Option(names = "--target", paramLabel = "TARGET", defaultValue = "native",
            description = "native or jvm (default: ${DEFAULT-VALUE})")
    private String target;

    @Option(names = "--precision", paramLabel = "FORMAT",
            description = "how llama and mixtral keep their matrices, \"int4(group: 32)\" say "
                    + "(default: f32)")
    private Optional<String> precision = Optional.empty();

    @Option(names = "--round", description = "what matrices are multiplied with is rounded to "
            + "int8 (with --precision)")
    private boolean rounds;

    /** A line of the listing. */
    private record Line(
            String name,
            String form,
            double launches,
            KernelTimes.Time time,
            Optional<Double> operations,
            double bytes) {}

    @Override
    public Integer call() throws IOException {
        KernelTimes times = new KernelTimes(
                Target.valueOf(target.toUpperCase(Locale.ROOT)).compiler());
        try (Weights weights = new Weights(); WeirModel loaded = load(times, weights)) {
            Tensor[] inputs = inputs(loaded.program(), weights, rows);
            Tensor[] before = inputs(loaded.program(), weights, behind);
            long end = System.nanoTime() + Math.round(warmup * 1e9);
            do {
                step(loaded, before, inputs, times);
            } while (System.nanoTime() < end);
            Map<String, KernelTimes.Time> sums = new HashMap<>();
            loaded.model().resetLedger();
            long nanos = 0;
            for (int i = 0; i < steps; i++) {
                nanos += step(loaded, before, inputs, times);
                times.times().forEach((name, time) -> sums.merge(name, time,
                        KernelTimes.Time::plus));
            }
            show(loaded, sums, nanos);
        }
        return 0;
    }

    private WeirModel load(KernelTimes times, Weights weights) throws IOException {
        Optional<Shape> shape = List.of(Shape.LLAMA, Shape.MIXTRAL).stream()
                .filter(s -> s.type().equals(model)).findFirst();
        if (shape.isPresent()) {
            Parameters.random(shape.get(), weights);
            Precision kept = precision.map(this::weights).orElse(Precision.F32);
            return WeirModel.of((rounds ? kept.withRounding() : kept).program(shape.get()),
                    shape.get().configuration(), times, threads, weights);
        }
        Path path = Path.of(model);
        if (!Files.exists(path)) {
            throw wrong("there is no model " + model + ": name llama, mixtral, a folder with a "
                    + "config.json, or a .weir file");
        }
        if (Files.isDirectory(path)) {
            String configuration = Files.readString(path.resolve("config.json"));
            String type = new com.fasterxml.jackson.databind.ObjectMapper()
                    .readTree(configuration).path("model_type").asText();
            return stock(type, configuration, times, weights);
        }
        return WeirModel.of(new Source(model, Files.readString(path)), "{}", times, threads,
                weights);
    }

    private Precision weights(String format) {
        try {
            return Precision.weights(format);
        } catch (IllegalArgumentException e) {
            throw wrong("--precision " + format + " is no rounding of weights: try int8, "
                    + "\"int4(group: 32)\" or bf16");
        }
    }

    private CommandLine.ParameterException wrong(String message) {
        return new CommandLine.ParameterException(command.commandLine(), message);
    }

    private WeirModel stock(
            String type, String configuration, KernelTimes times, Weights weights) {
        Source source = WeirModel.LIBRARY.find("stdlib.models." + type).orElseThrow(() ->
                wrong("the library has no model_type " + type + ", which " + model
                        + "/config.json names"));
        return WeirModel.of(source, configuration, times, threads, weights);
    }

    /** Random reals; whole numbers stay 0, which is an index into anything. */
    private static Tensor[] inputs(KernelProgram program, Weights weights, int count) {
        List<Tensor> inputs = new ArrayList<>();
        for (Value argument : program.arguments()) {
            if (!argument.name().equals("positions")) {
                long[] shape = argument.type().shape().stream()
                        .mapToLong(s -> s.constant().orElse((long) count)).toArray();
                Format format = argument.type().format();
                inputs.add(format.isFloat() && count > 0
                        ? weights.get(argument.name() + count, format, shape)
                        : Tensor.zeros(format, shape));
            }
        }
        return inputs.toArray(Tensor[]::new);
    }

    /** One step from the same place each time; only its own kernels count. */
    private long step(WeirModel loaded, Tensor[] before, Tensor[] inputs, KernelTimes times) {
        try (Engine.Session session = loaded.model().start()) {
            if (behind > 0) {
                loaded.step(session, result -> true, behind, before);
                // States grow by more than a row at a time: room for these is there.
                loaded.step(session, result -> true, rows, inputs);
                session.truncate(behind);
                loaded.model().resetLedger();
            }
            times.reset();
            long start = System.nanoTime();
            loaded.step(session, result -> true, rows, inputs);
            return System.nanoTime() - start;
        }
    }

    private void show(WeirModel loaded, Map<String, KernelTimes.Time> times, long nanos) {
        Map<String, Ledger.Kernel> ran = loaded.model().ledger().kernels();
        // A prefix clears the ledger before each step, so that it holds the last step only.
        double counted = behind > 0 ? 1 : steps;
        List<Line> lines = new ArrayList<>();
        for (KernelProgram.Story story : loaded.program().stories()) {
            Ledger.Kernel kernel = ran.get(story.kernel());
            if (kernel != null && times.containsKey(story.kernel())) {
                double launches = kernel.launches() / counted;
                Optional<Double> operations = amount(story.work().operations());
                double bytes = launches * (amount(story.work().read()).orElse(0.0)
                        + amount(story.work().written()).orElse(0.0))
                        + kernel.weightBytes() / counted;
                lines.add(new Line(story.kernel(), story.form(), launches,
                        times.get(story.kernel()), operations.map(o -> o * launches), bytes));
            }
        }
        lines.sort(Comparator.comparingLong((Line l) -> l.time().wallNanos()).reversed());
        print(lines, nanos);
    }

    private void print(List<Line> lines, long nanos) {
        double step = (double) nanos / steps;
        System.out.printf(Locale.ROOT, "%s, %d rows behind %d, %s, %d threads: %.3f ms a step%n%n"
                        + "| kernel | launches | ms | share | threads busy | GFLOP/s | GB/s "
                        + "| form |%n|---|---|---|---|---|---|---|---|%n",
                model, rows, behind, target, threads, step / 1e6);
        double inside = 0;
        for (Line line : lines) {
            double wall = (double) line.time().wallNanos() / steps;
            inside += wall;
            System.out.printf(Locale.ROOT,
                    "| %s | %.0f | %.3f | %.1f%% | %.2f | %s | %.1f | %s |%n",
                    line.name(), line.launches(), wall / 1e6, 100 * wall / step,
                    (double) line.time().threadNanos() / line.time().wallNanos(),
                    line.operations().map(o -> String.format(Locale.ROOT, "%.1f", o / wall))
                            .orElse("–"),
                    line.bytes() / wall, line.form());
        }
        System.out.printf(Locale.ROOT, "| outside of kernels | | %.3f | %.1f%% | | | | |%n",
                (step - inside) / 1e6, 100 * (step - inside) / step);
    }

    /** What an amount is for one sequence; empty if it depends on the data. */
    private Optional<Double> amount(Size size) {
        Map<String, Long> symbols = new HashMap<>();
        for (String symbol : size.symbols()) {
            if (symbol.equals("N")) {
                symbols.put(symbol, (long) rows);
            } else if (symbol.equals("B")) {
                symbols.put(symbol, 1L);
            } else if (symbol.equals("slots") || symbol.startsWith("|")
                    || symbol.startsWith("most")) {
                // Ranges of run-time size are, in these programs, those over what a sequence has.
                symbols.put(symbol, (long) rows + behind);
            } else {
                return Optional.empty();
            }
        }
        return Optional.of((double) size.evaluate(symbols));
    }
}
