package dev.weir.runtime.checkpoint;

import com.fasterxml.jackson.core.JsonFactory;
import com.fasterxml.jackson.core.StreamReadConstraints;
import com.fasterxml.jackson.core.StreamReadFeature;
import com.fasterxml.jackson.databind.DeserializationFeature;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.weir.ir.type.Format;
import dev.weir.runtime.memory.Tensor;
import java.io.IOException;
import java.io.OutputStream;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.ByteOrder;
import java.nio.channels.Channels;
import java.nio.channels.FileChannel;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.TreeMap;
import java.util.stream.Collectors;
import java.util.stream.Stream;

/**
 * The safetensors format: an 8-byte little-endian header length, a JSON header that gives each
 * tensor's dtype, shape and byte range, then the data. Files are mapped, not read. Everything that
 * a header claims is checked before it is used, and each byte of the data has to belong to a
 * tensor: what stands elsewhere, nobody would look at.
 *
 * <p>Source: the format's description in the safetensors project.
 */
public final class SafeTensors {
    /** What the reference implementation allows. */
    private static final long LARGEST_HEADER = 100_000_000;

    private static final ObjectMapper JSON = new ObjectMapper(JsonFactory.builder()
            .enable(StreamReadFeature.STRICT_DUPLICATE_DETECTION)
            .streamReadConstraints(StreamReadConstraints.builder().maxNestingDepth(16).build())
            .build()).enable(DeserializationFeature.FAIL_ON_TRAILING_TOKENS);

    private SafeTensors() {}

    /**
     * Maps a file.
     *
     * @param arena whose life bounds the tensors'
     * @return the tensors by name, in the header's order
     * @throws CheckpointException if the file is not a sound safetensors file
     */
    public static Map<String, Tensor> map(Path file, Arena arena) {
        CheckpointFolder.requireFile(file);
        try (FileChannel channel = FileChannel.open(file, StandardOpenOption.READ)) {
            long size = channel.size();
            if (size < 8) {
                throw broken(file, "it has " + size + " bytes, and a header length takes 8");
            }
            if (ByteOrder.nativeOrder() != ByteOrder.LITTLE_ENDIAN) {
                throw broken(file, "this machine is big-endian, the format little-endian");
            }
            MemorySegment all = channel.map(FileChannel.MapMode.READ_ONLY, 0, size, arena);
            long header = all.get(ValueLayout.JAVA_LONG_UNALIGNED, 0);
            if (header < 2 || header > LARGEST_HEADER || header > size - 8) {
                throw broken(file, "its header claims " + Long.toUnsignedString(header)
                        + " bytes of a file of " + size);
            }
            byte[] text = all.asSlice(8, header).toArray(ValueLayout.JAVA_BYTE);
            JsonNode json = JSON.readTree(text);
            if (json == null || !json.isObject()) {
                throw broken(file, "its header is not a JSON object");
            }
            return tensors(file, json, all.asSlice(8 + header));
        } catch (com.fasterxml.jackson.core.JacksonException e) {
            throw broken(file, "its header is not sound JSON: " + e.getOriginalMessage());
        } catch (IOException e) {
            throw new CheckpointException("cannot read " + file + ": " + reason(e));
        }
    }

    private static Map<String, Tensor> tensors(
            Path file, JsonNode json, MemorySegment data) {
        Map<String, Tensor> tensors = new LinkedHashMap<>();
        TreeMap<Long, Long> ranges = new TreeMap<>();
        json.properties().forEach(entry -> {
            if (!entry.getKey().equals("__metadata__")) {
                Tensor tensor = tensor(file, entry.getKey(), entry.getValue(), data);
                long begin = tensor.memory().address() - data.address();
                if (tensor.bytes() > 0 && ranges.put(begin, begin + tensor.bytes()) != null) {
                    throw broken(file, "two tensors begin at byte " + begin);
                }
                tensors.put(entry.getKey(), tensor);
            }
        });
        long end = 0;
        for (Map.Entry<Long, Long> range : ranges.entrySet()) {
            if (range.getKey() < end) {
                throw broken(file, "tensors overlap at byte " + range.getKey());
            }
            requireNoHole(file, end, range.getKey());
            end = range.getValue();
        }
        requireNoHole(file, end, data.byteSize());
        return tensors;
    }

    private static void requireNoHole(Path file, long from, long to) {
        if (from < to) {
            throw broken(file, "bytes " + from + " to " + to
                    + " of its data belong to no tensor");
        }
    }

    private static Tensor tensor(Path file, String name, JsonNode json, MemorySegment data) {
        JsonNode dtype = json.path("dtype");
        JsonNode shapeNode = json.path("shape");
        JsonNode range = json.path("data_offsets");
        if (!dtype.isTextual() || !shapeNode.isArray() || !range.isArray() || range.size() != 2) {
            throw broken(file, "tensor " + name + " lacks dtype, shape or data_offsets");
        }
        Format format = Stream.of(Format.values())
                .filter(f -> word(f).equals(dtype.textValue())).findFirst()
                .orElseThrow(() -> broken(file, "tensor " + name + " has the unknown dtype "
                        + dtype.textValue() + "; known are " + Stream.of(Format.values())
                                .map(SafeTensors::word).collect(Collectors.joining(", "))));
        long[] shape = new long[shapeNode.size()];
        long bytes = format.bytes();
        try {
            for (int i = 0; i < shape.length; i++) {
                shape[i] = natural(shapeNode.get(i));
                if (shape[i] < 0) {
                    throw broken(file, "tensor " + name + " has the size " + shapeNode.get(i)
                            + ", expected a whole number from 0");
                }
                bytes = Math.multiplyExact(bytes, shape[i]);
            }
        } catch (ArithmeticException e) {
            throw broken(file, "tensor " + name + " has more elements than memory has bytes");
        }
        long begin = natural(range.get(0));
        long end = natural(range.get(1));
        if (begin < 0 || end < begin || end > data.byteSize() || end - begin != bytes) {
            throw broken(file, "tensor " + name + " stands at bytes " + range.get(0) + " to "
                    + range.get(1) + " of " + data.byteSize() + ", and its shape takes " + bytes);
        }
        return new Tensor(format, shape, data.asSlice(begin, bytes));
    }

    /** What a header calls a format. */
    private static String word(Format format) {
        return switch (format) {
            case F8E4M3 -> "F8_E4M3";
            case F8E5M2 -> "F8_E5M2";
            case F64, F32, BF16, F16, I64, I32, I8, BOOL -> format.name();
        };
    }

    /** A whole number from 0; -1 for anything else, and for what has more than 64 bits. */
    private static long natural(JsonNode node) {
        return node.isIntegralNumber() && node.canConvertToLong()
                ? Math.max(-1, node.longValue()) : -1;
    }

    /** Writes tensors, in the map's order. */
    public static void write(Path file, Map<String, Tensor> tensors) {
        ObjectNode header = JSON.createObjectNode();
        long offset = 0;
        for (Map.Entry<String, Tensor> entry : tensors.entrySet()) {
            Tensor tensor = entry.getValue();
            ObjectNode node = header.putObject(entry.getKey());
            node.put("dtype", word(tensor.format()));
            ArrayNode shape = node.putArray("shape");
            for (long size : tensor.shape()) {
                shape.add(size);
            }
            node.putArray("data_offsets").add(offset).add(offset + tensor.bytes());
            offset += tensor.bytes();
        }
        byte[] text = header.toString().getBytes(StandardCharsets.UTF_8);
        int padding = (8 - text.length % 8) % 8;
        try (FileChannel channel = FileChannel.open(file, StandardOpenOption.CREATE,
                        StandardOpenOption.WRITE, StandardOpenOption.TRUNCATE_EXISTING);
                OutputStream out = Channels.newOutputStream(channel)) {
            byte[] length = new byte[8];
            for (int i = 0; i < 8; i++) {
                length[i] = (byte) ((long) (text.length + padding) >>> (8 * i));
            }
            out.write(length);
            out.write(text);
            out.write(" ".repeat(padding).getBytes(StandardCharsets.UTF_8));
            for (Tensor tensor : tensors.values()) {
                channel.write(tensor.memory().asSlice(0, tensor.bytes()).asByteBuffer());
            }
        } catch (IOException e) {
            throw new CheckpointException("cannot write " + file + ": " + reason(e));
        }
    }

    private static String reason(IOException e) {
        return e instanceof java.nio.file.NoSuchFileException ? "there is no such file"
                : e instanceof java.nio.file.AccessDeniedException ? "access is denied"
                : e.getMessage();
    }

    private static CheckpointException broken(Path file, String why) {
        return new CheckpointException(file + " is not a sound safetensors file: " + why);
    }
}
