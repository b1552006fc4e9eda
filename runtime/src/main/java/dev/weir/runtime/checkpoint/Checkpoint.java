package dev.weir.runtime.checkpoint;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
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
import java.util.TreeSet;
import java.util.function.IntConsumer;
import java.util.stream.Stream;

/**
 * A checkpoint folder in the stock layout: config.json, one or more safetensors files with or
 * without an index, tokenizer.json. Close it when nobody uses its tensors any more.
 */
public final class Checkpoint implements AutoCloseable {
    /** More blocks of a kind than any model has: a limit for what lies about its sizes. */
    private static final int MOST_INSTANCES = 1_000_000;

    private final Path folder;
    private final Arena arena = Arena.ofShared();
    private final Map<String, Tensor> tensors = new LinkedHashMap<>();

    private Checkpoint(Path folder) {
        this.folder = folder;
    }

    /** Maps all weight files of a folder. */
    public static Checkpoint open(Path folder) {
        Checkpoint checkpoint = new Checkpoint(folder);
        try {
            for (Path file : checkpoint.files()) {
                checkpoint.tensors.putAll(SafeTensors.map(file, checkpoint.arena));
            }
            return checkpoint;
        } catch (RuntimeException e) {
            checkpoint.close();
            throw e;
        }
    }

    private List<Path> files() {
        Path index = folder.resolve("model.safetensors.index.json");
        try {
            if (Files.exists(index)) {
                JsonNode map = new ObjectMapper().readTree(index.toFile()).path("weight_map");
                Set<String> names = new TreeSet<>();
                map.forEach(name -> names.add(name.asText()));
                List<Path> files = new ArrayList<>();
                for (String name : names) {
                    Path file = folder.resolve(name).normalize();
                    if (!file.startsWith(folder.normalize())) {
                        throw new CheckpointException(
                                index + " names a file outside of its folder: " + name);
                    }
                    files.add(file);
                }
                return files;
            }
            Path single = folder.resolve("model.safetensors");
            if (Files.exists(single)) {
                return List.of(single);
            }
            try (Stream<Path> list = Files.list(folder)) {
                List<Path> files = list.filter(SafeTensors::isSafeTensors)
                        .filter(f -> f.getFileName().toString().startsWith("model"))
                        .sorted()
                        .toList();
                if (files.isEmpty()) {
                    throw new CheckpointException("there are no weights in " + folder
                            + ": expected model.safetensors or model.safetensors.index.json");
                }
                return files;
            }
        } catch (IOException e) {
            throw new CheckpointException("cannot read " + folder + ": " + e.getMessage());
        }
    }

    public Map<String, Tensor> tensors() {
        return tensors;
    }

    /**
     * The stored tensor of every instance of every parameter.
     *
     * @throws CheckpointException that lists all missing and misshapen tensors, by both names
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
        Reach reach = new Reach();
        for (Parameter parameter : parameters) {
            done.accept(bound.size());
            List<Tensor> instances = new ArrayList<>();
            for (List<Long> instance : instances(parameter)) {
                find(parameter, instance, reach, faults).ifPresent(instances::add);
            }
            bound.put(parameter, instances);
        }
        reach.check(faults::add);
        if (!faults.isEmpty()) {
            throw new CheckpointException("the weights in " + folder
                    + " do not fit the model:\n  " + String.join("\n  ", faults));
        }
        return bound;
    }

    /** The tensors that no parameter of a model uses. */
    public Set<String> unused(List<Parameter> parameters) {
        Set<String> names = new LinkedHashSet<>(tensors.keySet());
        for (Parameter parameter : parameters) {
            for (List<Long> instance : instances(parameter)) {
                parameter.stored().forEach(
                        s -> names.remove(Parameter.instantiate(s, instance)));
            }
        }
        return names;
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
            Parameter parameter, List<Long> instance, Reach reach, Set<String> faults) {
        String path = Parameter.instantiate(parameter.path(), instance);
        List<String> names = parameter.stored().stream()
                .map(s -> Parameter.instantiate(s, instance))
                .toList();
        long[] own = parameter.storedShape();
        for (String name : names) {
            Tensor stored = tensors.get(name);
            if (stored != null && parameter.layout().isPresent()) {
                return Gather.of(stored, parameter, instance, own,
                                reach.of(name, path, stored),
                                fault -> faults.add(name + " (" + path + ") " + fault))
                        .map(gathered -> convert(gathered, parameter));
            }
            if (stored != null) {
                if (!MergedAxes.fit(own, stored.shape())) {
                    faults.add(name + " (" + path + ") has the shape "
                            + Arrays.toString(stored.shape()) + ", expected "
                            + Arrays.toString(own) + " or the same with axes merged");
                    return Optional.empty();
                }
                return Optional.of(convert(stored, parameter));
            }
        }
        if (parameter.optional()) {
            Tensor filled = Tensor.zeros(floats(parameter), own);
            for (long i = 0; i < filled.elements(); i++) {
                filled.setReal(i, parameter.fill());
            }
            return Optional.of(convert(filled, parameter));
        }
        faults.add("missing: " + String.join(" or ", names) + " (" + path + ")");
        return Optional.empty();
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
