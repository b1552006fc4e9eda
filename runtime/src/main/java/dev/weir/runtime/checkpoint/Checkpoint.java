package dev.weir.runtime.checkpoint;

import com.fasterxml.jackson.databind.JsonNode;
import dev.weir.ir.tensor.Parameter;
import dev.weir.ir.type.Format;
import dev.weir.ir.type.MergedAxes;
import dev.weir.runtime.memory.Tensor;
import java.io.IOException;
import java.lang.foreign.Arena;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.TreeMap;
import java.util.function.Consumer;
import java.util.function.IntConsumer;
import java.util.stream.Stream;

/**
 * A checkpoint folder in the stock layout: config.json, one or more safetensors files with or
 * without an index, tokenizer.json. Close it when nobody uses its tensors any more.
 */
public final class Checkpoint implements AutoCloseable {
    /** More blocks of a kind than any model has: a limit for what lies about its sizes. */
    private static final int MOST_INSTANCES = 1_000_000;

    private static final String INDEX = "model.safetensors.index.json";

    private final CheckpointFolder folder;
    private final Arena arena = Arena.ofShared();
    private final Map<String, Tensor> tensors = new LinkedHashMap<>();

    private Checkpoint(Path folder) {
        this.folder = new CheckpointFolder(folder);
    }

    /**
     * Maps all weight files of a folder.
     *
     * @throws CheckpointException if there are none, or one of them is broken or lies elsewhere
     */
    public static Checkpoint open(Path folder) {
        Checkpoint checkpoint = new Checkpoint(folder);
        try {
            checkpoint.map();
            return checkpoint;
        } catch (RuntimeException e) {
            checkpoint.close();
            throw e;
        }
    }

    private void map() {
        Map<String, Path> places = new HashMap<>();
        for (Path file : files()) {
            SafeTensors.map(file, arena).forEach((name, tensor) -> {
                Path other = places.put(name, file);
                if (other != null) {
                    throw new CheckpointException(
                            "the tensor " + name + " is in both " + other + " and " + file);
                }
                tensors.put(name, tensor);
            });
        }
    }

    private List<Path> files() {
        Optional<JsonNode> index = folder.json(INDEX);
        if (index.isPresent()) {
            return indexed(index.get(), folder.path().resolve(INDEX));
        }
        Optional<Path> single = folder.file("model.safetensors");
        if (single.isPresent()) {
            return List.of(single.get());
        }
        try (Stream<Path> list = Files.list(folder.path())) {
            List<Path> files = list.map(f -> f.getFileName().toString())
                    .filter(f -> f.startsWith("model") && f.endsWith(".safetensors"))
                    .sorted()
                    .flatMap(f -> folder.file(f).stream())
                    .toList();
            if (files.isEmpty()) {
                throw new CheckpointException("there are no weights in " + folder.path()
                        + ": expected model.safetensors or " + INDEX);
            }
            return files;
        } catch (IOException e) {
            throw new CheckpointException("cannot read " + folder.path() + ": " + e.getMessage());
        }
    }

    /** The files that an index names, each once. */
    private List<Path> indexed(JsonNode index, Path file) {
        JsonNode map = index.path("weight_map");
        if (!map.isObject() || map.isEmpty()) {
            throw new CheckpointException(file + " has no `weight_map`, or one without tensors: "
                    + "expected {\"weight_map\": {TENSOR: FILE, …}}");
        }
        Map<String, Path> files = new TreeMap<>();
        map.properties().forEach(entry -> {
            if (!entry.getValue().isTextual()) {
                throw new CheckpointException(file + " says that " + entry.getKey() + " is in "
                        + entry.getValue() + ", expected the name of a file");
            }
            String name = entry.getValue().textValue();
            if (!files.containsKey(name)) {
                files.put(name, folder.named(name, file));
            }
        });
        return List.copyOf(files.values());
    }

    public Map<String, Tensor> tensors() {
        return tensors;
    }

    /**
     * The stored tensor of every instance of every parameter.
     *
     * @throws CheckpointException that lists all missing and misshapen tensors, by both names, and
     *     those that have no place in the model
     */
    public Map<Parameter, List<Tensor>> bind(List<Parameter> parameters) {
        return bind(parameters, count -> { });
    }

    /**
     * As {@link #bind(List)}, which may take a while where formats are converted.
     *
     * @param done is told before each parameter how many are bound
     */
    public Map<Parameter, List<Tensor>> bind(List<Parameter> parameters, IntConsumer done) {
        Map<Parameter, List<Tensor>> bound = new HashMap<>();
        Set<String> faults = new LinkedHashSet<>();
        Coverage coverage = new Coverage();
        for (Parameter parameter : parameters) {
            done.accept(bound.size());
            List<Tensor> instances = new ArrayList<>();
            for (List<Long> instance : instances(parameter)) {
                find(parameter, instance, coverage, faults).ifPresent(instances::add);
            }
            bound.put(parameter, instances);
        }
        coverage.report(tensors, faults);
        if (!faults.isEmpty()) {
            unused(parameters).forEach(name -> faults.add("no place in the model: " + name
                    + ", of the shape " + Arrays.toString(tensors.get(name).shape())));
            throw new CheckpointException("the weights in " + folder.path()
                    + " do not fit the model:\n  " + String.join("\n  ", faults));
        }
        return bound;
    }

    /** The tensors that no parameter of a model uses. */
    public Set<String> unused(List<Parameter> parameters) {
        Set<String> names = new LinkedHashSet<>(tensors.keySet());
        for (Parameter parameter : parameters) {
            for (List<Long> instance : instances(parameter)) {
                names.removeAll(names(parameter, instance));
            }
        }
        return names;
    }

    /** The tensors that a model uses and that hold NaN or infinite numbers, and how many. */
    public List<NotFinite> notFinite(List<Parameter> parameters) {
        Map<String, String> paths = new LinkedHashMap<>();
        for (Parameter parameter : parameters) {
            for (List<Long> instance : instances(parameter)) {
                stored(names(parameter, instance)).ifPresent(name -> paths.putIfAbsent(
                        name, Parameter.instantiate(parameter.path(), instance)));
            }
        }
        return paths.entrySet().stream()
                .filter(e -> tensors.get(e.getKey()).format().isFloat())
                .map(e -> notFinite(e.getKey(), e.getValue()))
                .filter(found -> !found.isEmpty())
                .toList();
    }

    /** The file's pages leave this process's memory again: they may not all be needed at once. */
    private NotFinite notFinite(String name, String path) {
        Tensor tensor = tensors.get(name);
        NotFinite found = NotFinite.of(name, path, tensor);
        if (tensor.memory().isMapped()) {
            tensor.memory().unload();
        }
        return found;
    }

    /**
     * Parameters that are stored under several of their names, with different numbers: which name
     * is read is a choice then. {@code [read, not read]} for each.
     */
    public List<List<String>> contradicting(List<Parameter> parameters) {
        Set<List<String>> pairs = new LinkedHashSet<>();
        for (Parameter parameter : parameters) {
            for (List<Long> instance : instances(parameter)) {
                List<String> names = names(parameter, instance).stream()
                        .filter(tensors::containsKey).toList();
                names.stream().skip(1)
                        .filter(other -> !tensors.get(other).equals(tensors.get(names.getFirst())))
                        .forEach(other -> pairs.add(List.of(names.getFirst(), other)));
            }
        }
        return List.copyOf(pairs);
    }

    /** The names that an instance may have here, best first. */
    private static List<String> names(Parameter parameter, List<Long> instance) {
        return parameter.stored().stream()
                .map(s -> Parameter.instantiate(s, instance))
                .toList();
    }

    private Optional<String> stored(List<String> names) {
        return names.stream().filter(tensors::containsKey).findFirst();
    }

    /** The indices of every instance, in order; one without indices for a single one. */
    static List<List<Long>> instances(Parameter parameter) {
        double count = parameter.value().type().shape().subList(0, parameter.instanceAxes())
                .stream().mapToDouble(s -> s.constant().orElseThrow()).reduce(1, (a, b) -> a * b);
        if (count > MOST_INSTANCES) {
            throw new CheckpointException("the model has more than " + MOST_INSTANCES
                    + " tensors " + parameter.path());
        }
        return parameter.instances();
    }

    private Optional<Tensor> find(
            Parameter parameter, List<Long> instance, Coverage coverage, Set<String> faults) {
        String path = Parameter.instantiate(parameter.path(), instance);
        List<String> names = names(parameter, instance);
        Optional<String> name = stored(names);
        long[] own = parameter.storedShape();
        if (name.isPresent()) {
            Tensor stored = tensors.get(name.get());
            return fitting(stored, parameter, instance,
                            ends -> coverage.add(name.get(), path, stored, parameter, ends),
                            fault -> faults.add(name.get() + " (" + path + ") " + fault))
                    .map(tensor -> convert(tensor, parameter));
        }
        if (parameter.optional()) {
            Tensor filled = Tensor.zeros(floats(parameter), own);
            for (long i = 0; i < filled.elements(); i++) {
                filled.setReal(i, parameter.fill());
            }
            return Optional.of(convert(filled, parameter));
        }
        faults.add("missing: " + String.join(" or ", names) + " (" + path + ")"
                + (parameter.layout().isPresent() ? ""
                        : ", of the shape " + Arrays.toString(own)));
        return Optional.empty();
    }

    /**
     * What an instance reads of a stored tensor.
     *
     * @param reach gets the coordinates behind the last ones that a layout reads
     * @param fault gets what is wrong with the stored tensor, if something is
     */
    private static Optional<Tensor> fitting(
            Tensor stored,
            Parameter parameter,
            List<Long> instance,
            Consumer<long[]> reach,
            Consumer<String> fault) {
        Kind kind = Kind.of(stored.format());
        Kind wanted = Kind.of(floats(parameter));
        if (kind != wanted) {
            fault.accept("holds " + kind.words + " (" + stored.format().word() + "), expected "
                    + wanted.words);
            return Optional.empty();
        }
        long[] own = parameter.storedShape();
        if (parameter.layout().isPresent()) {
            return Gather.of(stored, parameter, instance, own, reach, fault);
        }
        if (!MergedAxes.fit(own, stored.shape())) {
            fault.accept("has the shape " + Arrays.toString(stored.shape()) + ", expected "
                    + Arrays.toString(own) + " or the same with axes merged");
            return Optional.empty();
        }
        return Optional.of(stored);
    }

    /** What is never converted into each other: one that holds the other is a mistake. */
    private enum Kind {
        FLOATS("floats"),
        WHOLE("whole numbers"),
        TRUTHS("truth values");

        private final String words;

        Kind(String words) {
            this.words = words;
        }

        private static Kind of(Format format) {
            return format.isFloat() ? FLOATS : format == Format.BOOL ? TRUTHS : WHOLE;
        }
    }

    /** The format of a parameter's elements before they are rounded further. */
    static Format floats(Parameter parameter) {
        return parameter.part().isPresent() ? Format.F32 : parameter.value().type().format();
    }

    /** The tensor in the format that the model wants, copied only if it is stored in another. */
    private static Tensor convert(Tensor stored, Parameter parameter) {
        if (parameter.part().isPresent()) {
            return Quantiser.part(parameter, stored);
        }
        if (stored.format() == parameter.value().type().format()) {
            return stored;
        }
        Tensor converted = Tensor.zeros(parameter.value().type().format(), stored.shape());
        for (long i = 0; i < stored.elements(); i++) {
            converted.setReal(i, stored.real(i));
        }
        return converted;
    }

    @Override
    public void close() {
        arena.close();
    }
}
