package dev.weir.bench.model;

import dev.weir.bench.engine.Weights;
import dev.weir.runtime.memory.Tensor;
import java.util.ArrayList;
import java.util.List;

/** A model by its definition, token by token, in f64: slow, and easy to read. */
final class PlainModel {
    private final Parameters parameters;
    private final Shape shape;
    private final List<List<double[]>> keys = new ArrayList<>();
    private final List<List<double[]>> values = new ArrayList<>();

    PlainModel(Parameters parameters) {
        this.parameters = parameters;
        this.shape = parameters.shape();
        for (int i = 0; i < shape.layers(); i++) {
            keys.add(new ArrayList<>());
            values.add(new ArrayList<>());
        }
    }

    /** The logits behind one more token. */
    double[] next(long id) {
        int width = shape.width();
        double[] x = new double[width];
        for (int d = 0; d < width; d++) {
            x[d] = parameters.embedding().real(id * width + d);
        }
        for (int i = 0; i < shape.layers(); i++) {
            layer(i, x);
        }
        return multiply(parameters.embedding(), normalised(x, parameters.norm()));
    }

    private void layer(int i, double[] x) {
        Parameters.Layer layer = parameters.layers().get(i);
        double[] inside = normalised(x, layer.norm());
        int position = keys.get(i).size();
        double[] query = turned(multiply(layer.query(), inside), position);
        keys.get(i).add(turned(multiply(layer.key(), inside), position));
        values.get(i).add(multiply(layer.value(), inside));
        double[] read = multiply(layer.output(), attend(i, query));
        for (int d = 0; d < x.length; d++) {
            x[d] += read[d];
        }
        double[] normal = normalised(x, layer.secondNorm());
        float[] row = new float[normal.length];
        for (int d = 0; d < row.length; d++) {
            row[d] = (float) normal[d];
        }
        switch (layer.mixer()) {
            case Parameters.Mixer.Plain m -> m.net().add(row, 1, x);
            case Parameters.Mixer.Mixture m -> m.experts().add(row, x);
        }
    }

    private double[] attend(int layer, double[] query) {
        int channels = shape.channels();
        double[] z = new double[query.length];
        for (int h = 0; h < shape.heads(); h++) {
            double total = 0;
            for (int s = 0; s < keys.get(layer).size(); s++) {
                double score = 0;
                for (int c = h * channels; c < (h + 1) * channels; c++) {
                    score += query[c] * keys.get(layer).get(s)[c];
                }
                double e = Math.exp(score / Math.sqrt(channels));
                total += e;
                for (int c = h * channels; c < (h + 1) * channels; c++) {
                    z[c] += e * values.get(layer).get(s)[c];
                }
            }
            for (int c = h * channels; c < (h + 1) * channels; c++) {
                z[c] /= total;
            }
        }
        return z;
    }

    /** Pairs channel c of a head with channel c + C/2, as published checkpoints do. */
    private double[] turned(double[] x, int position) {
        int channels = shape.channels();
        int half = channels / 2;
        double[] y = new double[x.length];
        for (int h = 0; h < x.length; h += channels) {
            for (int c = 0; c < half; c++) {
                double angle = position * Math.pow(shape.theta(), -2.0 * c / channels);
                y[h + c] = x[h + c] * Math.cos(angle) - x[h + c + half] * Math.sin(angle);
                y[h + c + half] = x[h + c + half] * Math.cos(angle) + x[h + c] * Math.sin(angle);
            }
        }
        return y;
    }

    private double[] normalised(double[] x, Tensor scale) {
        double squares = 0;
        for (double v : x) {
            squares += v * v;
        }
        double factor = 1 / Math.sqrt(squares / x.length + shape.eps());
        double[] y = new double[x.length];
        for (int d = 0; d < x.length; d++) {
            y[d] = scale.real(d) * x[d] * factor;
        }
        return y;
    }

    private static double[] multiply(Tensor matrix, double[] x) {
        int rows = Math.toIntExact(matrix.shape()[0]);
        double[] y = new double[rows];
        for (int i = 0; i < rows; i++) {
            float[] row = Weights.floats(matrix, (long) i * x.length, x.length);
            for (int k = 0; k < x.length; k++) {
                y[i] += row[k] * x[k];
            }
        }
        return y;
    }
}
