package dev.weir.bench.row;

import dev.weir.bench.engine.Target;
import dev.weir.bench.engine.WeirContestant;
import dev.weir.bench.engine.WeirModel;
import dev.weir.bench.engine.Weights;
import dev.weir.bench.measure.Comparison;
import dev.weir.bench.measure.Contest;
import dev.weir.bench.measure.Problem;
import dev.weir.bench.measure.Reference;
import dev.weir.bench.measure.Work;
import dev.weir.bench.peer.Peer;
import dev.weir.bench.peer.Torch;
import dev.weir.bench.peer.TorchContestant;
import dev.weir.runtime.memory.Tensor;
import java.util.List;
import java.util.Optional;
import java.util.SplittableRandom;
import org.bytedeco.pytorch.TensorOptional;
import org.bytedeco.pytorch.global.torch;

/**
 * The library's convolutions of one image in f32, channels last, of sizes that residual networks,
 * vision transformers and ConvNeXt have. Beside it libtorch's {@code conv2d} over the same memory,
 * which it sees as its format "channels last".
 */
public final class ConvolutionRow implements Row {
    private static final double TOLERANCE = 1e-5;
    /** Elements of the result that are compared with the definition. */
    private static final int SAMPLES = 200;

    /**
     * A convolution.
     *
     * @param in channels
     * @param out channels
     * @param side of the filter
     * @param stride from one place to the next
     * @param border pixels of 0 around the image
     * @param image pixels on each side
     * @param depthwise whether each channel has a filter of its own, and sees no other
     */
    private record Shape(
            int in, int out, int side, int stride, int border, int image, boolean depthwise) {
        int places() {
            return (image + 2 * border - side) / stride + 1;
        }

        int terms() {
            return side * side * (depthwise ? 1 : in);
        }

        String text() {
            return (depthwise ? "depthwise " : "") + side + "×" + side
                    + (stride > 1 ? "/" + stride : "") + ", " + in
                    + (depthwise ? "" : "→" + out) + ", " + image + "²";
        }

        String program() {
            String block = depthwise
                    ? "DepthwiseConvolution<%d, %d>".formatted(in, side)
                    : "OverlappingPatches<%d, %d, %d, %d, %d>".formatted(
                            in, out, side, stride, border);
            return """
                    import stdlib.vision { %s }

                    model Convolution {
                        net: %s
                        forward(x[%d, %3$d, %d]) -> y[%d, %5$d, %d] = net(x)
                    }
                    """.formatted(block.substring(0, block.indexOf('<')), block, image, in,
                    places(), out);
        }

        Work work() {
            double results = (double) places() * places() * out;
            return Work.operations(2 * results * terms(),
                    4 * (results + (double) image * image * in + (double) out * terms()));
        }
    }

    private static final List<Shape> SHAPES = List.of(
            new Shape(64, 64, 3, 1, 1, 56, false),
            new Shape(128, 128, 3, 1, 1, 28, false),
            new Shape(256, 256, 3, 1, 1, 14, false),
            new Shape(256, 64, 1, 1, 0, 56, false),
            new Shape(3, 64, 7, 2, 3, 224, false),
            new Shape(3, 768, 16, 16, 0, 224, false),
            new Shape(3, 96, 4, 4, 0, 224, false),
            new Shape(96, 192, 2, 2, 0, 56, false),
            new Shape(96, 96, 7, 1, 3, 56, true),
            new Shape(256, 256, 3, 1, 1, 28, true));

    @Override
    public String name() {
        return "convolution";
    }

    @Override
    public String meaning() {
        return "convolutions of one image, from patches to depthwise, beside libtorch; the aim is "
                + "half of the FMA peak";
    }

    @Override
    public List<Peer> peers() {
        return List.of(Peer.TORCH);
    }

    @Override
    public void run(Laboratory laboratory) {
        for (Shape shape : SHAPES) {
            try (Weights weights = new Weights()) {
                measure(laboratory, weights, shape);
            }
        }
    }

    private static void measure(Laboratory laboratory, Weights weights, Shape shape) {
        int threads = laboratory.threads();
        Tensor x = weights.get("x", 1, shape.image, shape.image, shape.in);
        Contest contest = laboratory.contest(new Problem("convolution", shape.text(), threads,
                shape.work(), Optional.of(reference(shape, weights, x)),
                List.of(Comparison.with("Weir native", "libtorch", 1),
                        Comparison.with("Weir jvm", "Weir native", 0.65))));
        for (Target target : Target.values()) {
            String name = "Weir " + target;
            contest.with(name, () -> new WeirContestant(name, WeirModel.of(
                    shape.program(), target.compiler(), threads, weights), 1, x));
        }
        contest.with("libtorch", () -> torch(shape, weights, x, threads));
        laboratory.hold(contest);
    }

    private static Tensor filter(Shape shape, Weights weights) {
        return shape.depthwise
                ? weights.get("net.weight", shape.out, shape.side, shape.side)
                : weights.get("net.weight", shape.out, shape.in, shape.side, shape.side);
    }

    private static TorchContestant torch(
            Shape shape, Weights weights, Tensor x, int threads) {
        var image = Torch.of(x).permute(0, 3, 1, 2);
        var filter = Torch.of(filter(shape, weights)).reshape(
                shape.out, shape.depthwise ? 1 : shape.in, shape.side, shape.side);
        var bias = new TensorOptional(Torch.of(weights.get("net.bias", shape.out)));
        long[] stride = {shape.stride, shape.stride};
        long[] border = {shape.border, shape.border};
        return new TorchContestant("libtorch", threads, () -> torch.conv2d(image, filter, bias,
                stride, border, new long[] {1, 1}, shape.depthwise ? shape.in : 1)
                .permute(0, 2, 3, 1), () -> { });
    }

    /** Some elements, by the definition. */
    private static Reference reference(Shape shape, Weights weights, Tensor x) {
        Tensor filter = filter(shape, weights);
        Tensor bias = weights.get("net.bias", shape.out);
        int[] places = new int[SAMPLES];
        double[] expected = new double[SAMPLES];
        var random = new SplittableRandom(1);
        for (int n = 0; n < SAMPLES; n++) {
            // The corners, whose filters reach over the border, and others.
            int i = n == 0 ? 0 : n == 1 ? shape.places() - 1 : random.nextInt(shape.places());
            int j = n == 0 ? 0 : n == 1 ? shape.places() - 1 : random.nextInt(shape.places());
            int d = random.nextInt(shape.out);
            places[n] = (i * shape.places() + j) * shape.out + d;
            expected[n] = bias.real(d) + sum(shape, filter, x, i, j, d);
        }
        return new Reference(places, expected, TOLERANCE);
    }

    private static double sum(Shape shape, Tensor filter, Tensor x, int i, int j, int d) {
        double sum = 0;
        int channels = shape.depthwise ? 1 : shape.in;
        for (int u = 0; u < shape.side; u++) {
            for (int v = 0; v < shape.side; v++) {
                int row = shape.stride * i + u - shape.border;
                int column = shape.stride * j + v - shape.border;
                if (row < 0 || row >= shape.image || column < 0 || column >= shape.image) {
                    continue;
                }
                for (int c = 0; c < channels; c++) {
                    long at = (((long) d * channels + c) * shape.side + u) * shape.side + v;
                    long from = ((long) row * shape.image + column) * shape.in
                            + (shape.depthwise ? d : c);
                    sum += filter.real(at) * x.real(from);
                }
            }
        }
        return sum;
    }
}
