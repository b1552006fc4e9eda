package dev.weir.frontend;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import dev.weir.ir.tensor.Parameter;
import dev.weir.ir.tensor.TensorData;
import dev.weir.ir.type.Format;
import dev.weir.ir.type.Size;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.LongStream;

/** Just enough of the safetensors format for tests. */
final class Safetensors {
    private final ByteBuffer bytes;
    private final JsonNode header;
    private final int start;

    Safetensors(Path file) {
        try {
            bytes = ByteBuffer.wrap(Files.readAllBytes(file)).order(ByteOrder.LITTLE_ENDIAN);
            int length = (int) bytes.getLong(0);
            header = new ObjectMapper().readTree(
                    new String(bytes.array(), 8, length, StandardCharsets.UTF_8));
            start = 8 + length;
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    boolean has(String name) {
        return header.has(name);
    }

    TensorData read(String name) {
        JsonNode entry = header.get(name);
        List<Long> sizes = new ArrayList<>();
        entry.get("shape").forEach(s -> sizes.add(s.longValue()));
        long[] shape = sizes.stream().mapToLong(Long::longValue).toArray();
        int at = start + entry.get("data_offsets").get(0).intValue();
        Format format = Format.named(entry.get("dtype").textValue().toLowerCase())
                .orElseThrow();
        TensorData tensor = TensorData.zeros(format, shape);
        for (int i = 0; i < tensor.elements(); i++) {
            int offset = at + i * format.bytes();
            switch (format) {
                case F32 -> tensor.setReal(i, bytes.getFloat(offset));
                case BF16 -> tensor.setReal(i, Format.bf16ToFloat(bytes.getShort(offset)));
                case I64 -> tensor.setWhole(i, bytes.getLong(offset));
                default -> throw new IllegalArgumentException(format.word());
            }
        }
        return tensor;
    }

    /** All instances of a parameter, stacked. */
    TensorData stacked(Parameter parameter) {
        long[] shape = parameter.value().type().shape().stream()
                .map(Size::constant).mapToLong(s -> s.orElseThrow()).toArray();
        TensorData whole = TensorData.zeros(parameter.value().type().format(), shape);
        long count = LongStream.of(shape).limit(parameter.instanceAxes())
                .reduce(1, (a, b) -> a * b);
        int each = Math.toIntExact(whole.elements() / count);
        for (int n = 0; n < count; n++) {
            List<Long> instances = new ArrayList<>();
            long rest = n;
            for (int axis = parameter.instanceAxes() - 1; axis >= 0; axis--) {
                instances.addFirst(rest % shape[axis]);
                rest /= shape[axis];
            }
            String name = parameter.stored().stream()
                    .map(p -> Parameter.instantiate(p, instances)).filter(this::has).findFirst()
                    .orElseThrow(() -> new AssertionError("no " + parameter.stored()));
            TensorData part = read(name);
            for (int i = 0; i < each; i++) {
                whole.setReal(n * each + i, part.real(i));
            }
        }
        return whole;
    }
}
