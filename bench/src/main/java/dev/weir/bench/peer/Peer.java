package dev.weir.bench.peer;

import ai.onnxruntime.OrtEnvironment;
import com.github.tjake.jlama.model.AbstractModel;
import com.github.tjake.jlama.tensor.operations.TensorOperationsProvider;
import java.util.function.Supplier;
import org.bytedeco.javacpp.BytePointer;
import org.bytedeco.mkl.global.mkl_rt;

/** Whom Weir is measured beside. To ask for a version loads the engine into the process. */
public enum Peer {
    /** OpenBLAS. */
    OPENBLAS("OpenBLAS", OpenBlas::version),
    /** Intel's MKL. */
    MKL("MKL", Peer::mkl),
    /** PyTorch's library. */
    TORCH("libtorch", Torch::version),
    /** ONNX Runtime for Java. */
    ONNX_RUNTIME("ONNX Runtime", () -> OrtEnvironment.getEnvironment().getVersion()),
    /** Jlama. */
    JLAMA("Jlama", Peer::jlama);

    private static final int TEXT = 256;

    private final String text;
    private final Supplier<String> version;

    Peer(String text, Supplier<String> version) {
        this.text = text;
        this.version = version;
    }

    /** Its version and build, or why it is not there. */
    public String version() {
        try {
            return version.get();
        } catch (RuntimeException | LinkageError e) {
            return "not there: " + e;
        }
    }

    @Override
    public String toString() {
        return text;
    }

    /** As its jar is named: its manifest does not say. */
    private static String jlama() {
        String place = AbstractModel.class.getProtectionDomain().getCodeSource().getLocation()
                .getPath();
        return place.substring(place.lastIndexOf('/') + 1).replaceAll("^jlama-core-|\\.jar$", "")
                + ", products by " + TensorOperationsProvider.get().name();
    }

    private static String mkl() {
        try (BytePointer memory = new BytePointer(TEXT)) {
            memory.zero();
            mkl_rt.MKL_Get_Version_String(memory, TEXT);
            return memory.getString().strip();
        }
    }
}
