package dev.weir.codegen.jvm.artefact;

import dev.weir.ir.type.Format;
import dev.weir.ir.type.MergedAxes;
import dev.weir.ir.type.Quantisation;
import java.io.IOException;
import java.lang.foreign.Arena;
import java.math.BigDecimal;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;

/** Finds what a model's parameters are in a checkpoint, by the description in the artefact. */
final class Weights {
    private final Map<String, Stored> tensors;
    private final Arena arena;
    private final Set<String> faults = new LinkedHashSet<>();
    private final List<Stored> bound = new ArrayList<>();
    /** Up to where tensors are read along each of their axes, where equations say it. */
    private final Map<String, long[]> reached = new LinkedHashMap<>();

    private Weights(Map<String, Stored> tensors, Arena arena) {
        this.tensors = tensors;
        this.arena = arena;
    }

    /**
     * The tensor of every instance of every parameter, in the order of the program.
     *
     * @param description of the model, from the artefact
     * @throws ArtefactException that lists all that is missing or misshapen
     */
    static List<Stored> bind(Map<String, Object> description, Path place, Arena arena) {
        sameConfiguration(description, place);
        Weights weights = new Weights(Stored.all(place, arena), arena);
        Json.list(description.get("parameters"), "parameters").forEach(
                p -> weights.parameter(Json.object(p, "a parameter")));
        if (weights.faults.isEmpty()) {
            weights.requireWhole();
        }
        if (!weights.faults.isEmpty()) {
            throw new ArtefactException("the weights in " + place + " do not fit the model:\n  "
                    + String.join("\n  ", weights.faults));
        }
        return weights.bound;
    }

    /** What was read of config.json when the model was compiled has become part of the code. */
    private static void sameConfiguration(Map<String, Object> description, Path place) {
        Path file = place.resolve("config.json");
        if (!Files.isRegularFile(file)) {
            return;
        }
        Object config;
        try {
            config = Json.parse(Files.readString(file));
        } catch (IOException e) {
            throw new ArtefactException("cannot read " + file + ": " + e.getMessage());
        }
        List<String> others = new ArrayList<>();
        Json.object(description.get("configuration"), "configuration").forEach((path, then) -> {
            Object now = config;
            for (String name : path.split("\\.")) {
                now = now instanceof Map<?, ?> map && map.containsKey(name) ? map.get(name)
                        : now instanceof List<?> list && name.matches("\\d{1,9}")
                                && Integer.parseInt(name) < list.size()
                                ? list.get(Integer.parseInt(name)) : Optional.empty();
            }
            if (!then.equals(now)) {
                others.add(path + " is " + shown(now) + ", compiled for " + shown(then));
            }
        });
        if (!others.isEmpty()) {
            throw new ArtefactException(file + " describes another model than the one that was "
                    + "compiled:\n  " + String.join("\n  ", others)
                    + "\ncompile the model again with this config.json");
        }
    }

    private static String shown(Object value) {
        return value.equals(Optional.empty()) ? "absent"
                : value instanceof BigDecimal number ? number.toPlainString() : value.toString();
    }

    private void parameter(Map<String, Object> parameter) {
        boolean isPart = parameter.containsKey("part");
        Format format = isPart ? Format.F32 : Format.valueOf(parameter.get("format").toString());
        long[] instances = Json.sizes(parameter.get("instances"), "instances");
        long[] shape = Json.sizes(parameter.get("shape"), "shape");
        List<?> names = Json.list(parameter.get("stored"), "stored");
        for (int i = 0; i < names.size(); i++) {
            instance(parameter, format, place(instances, i), shape,
                    Json.list(names.get(i), "stored").stream().map(Object::toString).toList())
                    .map(stored -> isPart ? part(parameter, stored) : stored)
                    .ifPresent(bound::add);
        }
    }

    /** What the model keeps of a tensor that it keeps quantised. */
    private Stored part(Map<String, Object> parameter, Stored floats) {
        Map<String, Object> part = Json.object(parameter.get("part"), "part");
        long[] lengths = Json.sizes(part.get("lengths"), "lengths");
        return floats.quantised(Quantisation.parse(part.get("of").toString()).orElseThrow(),
                part.get("kind").toString(), lengths[0], lengths[1],
                Format.valueOf(parameter.get("format").toString()), arena);
    }

    private static long[] place(long[] sizes, long number) {
        long[] place = new long[sizes.length];
        long rest = number;
        for (int axis = sizes.length - 1; axis >= 0; axis--) {
            place[axis] = rest % sizes[axis];
            rest /= sizes[axis];
        }
        return place;
    }

    private Optional<Stored> instance(
            Map<String, Object> parameter,
            Format format,
            long[] instance,
            long[] shape,
            List<String> names) {
        for (String name : names) {
            Stored stored = tensors.get(name);
            if (stored == null) {
                continue;
            }
            if (kind(stored.format()) != kind(format)) {
                faults.add(name + " holds " + kind(stored.format()) + " numbers ("
                        + stored.format().word() + "), expected " + kind(format) + " ones");
                return Optional.empty();
            }
            if (parameter.get("layout") instanceof List<?> layout) {
                return gather(name, stored, layout, format, instance, shape);
            }
            if (!MergedAxes.fit(shape, stored.shape())) {
                faults.add(name + " has the shape " + Arrays.toString(stored.shape())
                        + ", expected " + Arrays.toString(shape)
                        + " or the same with axes merged");
                return Optional.empty();
            }
            return parameter.containsKey("part")
                    ? Optional.of(stored) : stored.in(format, arena);
        }
        if (parameter.get("fill") instanceof BigDecimal fill) {
            Stored filled = Stored.zeros(format, shape, arena);
            for (long i = 0; i < filled.elements(); i++) {
                filled.set(i, fill.doubleValue());
            }
            return Optional.of(filled);
        }
        faults.add("missing: " + String.join(" or ", names) + (parameter.containsKey("layout")
                ? "" : ", of the shape " + Arrays.toString(shape)));
        return Optional.empty();
    }

    /** What is never converted into each other. */
    private static String kind(Format format) {
        return format.isFloat() ? "floating" : format.isInteger() ? "whole" : "truth";
    }

    /** Reads elements from where the model's equation says that they stand. */
    private Optional<Stored> gather(
            String name,
            Stored stored,
            List<?> layout,
            Format format,
            long[] instance,
            long[] shape) {
        Stored result = Stored.zeros(format, shape, arena);
        long[] place = Arrays.copyOf(instance, instance.length + shape.length);
        long[] ends = reached.computeIfAbsent(name, n -> new long[stored.shape().length]);
        for (long element = 0; element < result.elements(); element++) {
            System.arraycopy(place(shape, element), 0, place, instance.length, shape.length);
            long index = 0;
            boolean inside = layout.size() == stored.shape().length;
            for (int axis = 0; inside && axis < layout.size(); axis++) {
                long at = Postfix.evaluate(Json.list(layout.get(axis), "layout"), place);
                inside = at >= 0 && at < stored.shape()[axis];
                ends[axis] = Math.max(ends[axis], at + 1);
                index = index * stored.shape()[axis] + at;
            }
            if (!inside) {
                faults.add(name + " has the shape " + Arrays.toString(stored.shape())
                        + ", and the model reads outside of it");
                return Optional.empty();
            }
            result.take(element, stored, index);
        }
        for (int axis = 0; axis < layout.size(); axis++) {
            if (!isOwn(Json.list(layout.get(axis), "layout"), instance.length)) {
                ends[axis] = stored.shape()[axis];
            }
        }
        return Optional.of(result);
    }

    /** Whether an axis is read by where an element is, not by which block it is of alone. */
    private static boolean isOwn(List<?> coordinate, int instances) {
        return coordinate.stream().map(Object::toString).filter(word -> word.startsWith("i"))
                .anyMatch(word -> Integer.parseInt(word.substring(1)) >= instances);
    }

    /** What is larger than all that is read of it has another model's sizes. */
    private void requireWhole() {
        reached.forEach((name, ends) -> {
            long[] shape = tensors.get(name).shape();
            if (!Arrays.equals(shape, ends)) {
                faults.add(name + " has the shape " + Arrays.toString(shape) + ", expected "
                        + Arrays.toString(ends) + ", which is all that the model reads of it");
            }
        });
    }
}
