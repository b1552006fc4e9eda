package dev.weir.testkit.ideas;

import dev.weir.ir.tensor.Parameter;
import dev.weir.runtime.memory.Tensor;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * What a textbook form is given: the program's sizes, weights and inputs under the names that they
 * have in the program, as plain arrays. It says what it did to {@link #work}.
 */
final class Given {
    private final String text;
    private final Map<String, String> sizes;
    private final Map<Parameter, List<Tensor>> weights;
    private final Map<String, Tensor> inputs;
    private final Work work = new Work();

    Given(
            String text,
            Map<String, String> sizes,
            Map<Parameter, List<Tensor>> weights,
            Map<String, Tensor> inputs) {
        this.text = text;
        this.sizes = sizes;
        this.weights = weights;
        this.inputs = inputs;
    }

    /** What the reference did and left out; compared with the ledger of the compiled program. */
    Work work() {
        return work;
    }

    /** The program. */
    String text() {
        return text;
    }

    /** The value of a generic of the model: as the test sets it, otherwise its default. */
    int size(String name) {
        if (sizes.containsKey(name)) {
            return Integer.parseInt(sizes.get(name));
        }
        Matcher matcher = Pattern.compile("[<\\s]" + name + " = (\\d+)[,>]").matcher(text);
        if (!matcher.find()) {
            throw new IllegalArgumentException("the program has no size " + name);
        }
        return Integer.parseInt(matcher.group(1));
    }

    /** One instance of a parameter: {@code layers.1.experts.0.gate}. */
    private Tensor weight(String path) {
        for (Map.Entry<Parameter, List<Tensor>> entry : weights.entrySet()) {
            List<List<Long>> instances = entry.getKey().instances();
            for (int i = 0; i < instances.size(); i++) {
                if (Parameter.instantiate(entry.getKey().path(), instances.get(i)).equals(path)) {
                    return entry.getValue().get(i);
                }
            }
        }
        throw new IllegalArgumentException(path + " is not among "
                + weights.keySet().stream().map(Parameter::path).toList());
    }

    /** All elements of a parameter. */
    double[] vector(String path) {
        return flat(weight(path));
    }

    double scalar(String path) {
        return vector(path)[0];
    }

    /** A parameter by its last axis; leading ones are merged. */
    double[][] matrix(String path) {
        return rows(weight(path));
    }

    /** A parameter of three axes. */
    double[][][] cube(String path) {
        Tensor tensor = weight(path);
        return blocks(rows(tensor), (int) tensor.shape()[tensor.shape().length - 2]);
    }

    /** A float input, one row for each element of its first axis; the others but the last merge. */
    double[][] rows(String input) {
        return rows(input(input));
    }

    /** The rows that all entries are given under one name, those of an earlier one first. */
    double[][] stream(String argument) {
        if (inputs.containsKey(argument)) {
            return rows(argument);
        }
        return inputs.keySet().stream().filter(input -> input.endsWith("." + argument))
                .flatMap(input -> Arrays.stream(rows(input))).toArray(double[][]::new);
    }

    /** A float input without a stream. */
    double[] values(String input) {
        return flat(input(input));
    }

    int[] ids(String input) {
        Tensor tensor = input(input);
        int[] ids = new int[(int) tensor.elements()];
        Arrays.setAll(ids, i -> (int) tensor.whole(i));
        return ids;
    }

    private Tensor input(String name) {
        Tensor tensor = inputs.get(name);
        if (tensor == null) {
            throw new IllegalArgumentException(name + " is not among " + inputs.keySet());
        }
        return tensor;
    }

    private static double[] flat(Tensor tensor) {
        double[] all = new double[(int) tensor.elements()];
        Arrays.setAll(all, tensor::real);
        return all;
    }

    private static double[][] rows(Tensor tensor) {
        double[] all = flat(tensor);
        int width = tensor.shape().length == 0
                ? 1 : (int) tensor.shape()[tensor.shape().length - 1];
        double[][] rows = new double[all.length / width][];
        Arrays.setAll(rows, r -> Arrays.copyOfRange(all, r * width, (r + 1) * width));
        return rows;
    }

    /** Rows in blocks of so many. */
    static double[][][] blocks(double[][] rows, int height) {
        double[][][] blocks = new double[rows.length / height][][];
        Arrays.setAll(blocks, b -> Arrays.copyOfRange(rows, b * height, (b + 1) * height));
        return blocks;
    }
}
