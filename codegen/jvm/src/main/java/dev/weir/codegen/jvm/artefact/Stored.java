package dev.weir.codegen.jvm.artefact;

import dev.weir.ir.type.Float8;
import dev.weir.ir.type.Format;
import dev.weir.ir.type.Quantisation;
import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.channels.FileChannel;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.InvalidPathException;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.TreeSet;
import java.util.stream.Stream;

/**
 * A tensor in a safetensors file: an 8-byte little-endian header length, a JSON header with each
 * tensor's dtype, shape and byte range, then the data, row-major. Files are mapped, not read, and
 * nothing that a header claims is believed.
 *
 * @param memory all of its bytes
 */
record Stored(Format format, long[] shape, MemorySegment memory) {
    /** What the reference implementation allows. */
    private static final long LARGEST_HEADER = 100_000_000;

    private static final String INDEX = "model.safetensors.index.json";

    /**
     * All tensors, by name.
     *
     * @param place a safetensors file, or a checkpoint folder with {@code model.safetensors} or
     *     with several files and their index
     * @param arena whose life bounds theirs
     * @throws ArtefactException if something is wrong with one of the files
     */
    static Map<String, Stored> all(Path place, Arena arena) {
        Map<String, Stored> tensors = new HashMap<>();
        for (Path file : files(place)) {
            tensors.putAll(map(file, arena));
        }
        return tensors;
    }

    private static List<Path> files(Path place) {
        if (Files.isRegularFile(place)) {
            return List.of(place);
        }
        Path index = place.resolve(INDEX);
        Path single = place.resolve("model.safetensors");
        try {
            if (Files.exists(index)) {
                Object names = Json.object(Json.parse(Files.readString(index)), index.toString())
                        .get("weight_map");
                List<Path> files = new ArrayList<>();
                for (Object name : new TreeSet<>(
                        Json.object(names, "weight_map in " + index).values())) {
                    files.add(named(place, name.toString(), index));
                }
                return files;
            }
            if (Files.exists(single) || !Files.isDirectory(place)) {
                return List.of(single);
            }
            try (Stream<Path> list = Files.list(place)) {
                List<Path> files = list
                        .filter(f -> f.getFileName().toString().matches("model.*\\.safetensors"))
                        .sorted()
                        .toList();
                return files.isEmpty() ? List.of(single) : files;
            }
        } catch (IOException e) {
            throw new ArtefactException("cannot read " + place + ": " + e.getMessage());
        }
    }

    private static Path named(Path place, String name, Path index) {
        try {
            Path file = place.resolve(name).normalize();
            if (!file.startsWith(place.normalize())) {
                throw new ArtefactException(
                        index + " names a file outside of its folder: " + name);
            }
            return file;
        } catch (InvalidPathException e) {
            throw new ArtefactException(
                    index + " names a file, and that is no name of one: " + e.getReason());
        }
    }

    private static Map<String, Stored> map(Path file, Arena arena) {
        if (Files.exists(file) && !Files.isRegularFile(file)) {
            throw new ArtefactException(file + " is no file, such as a folder or a pipe");
        }
        try (FileChannel channel = FileChannel.open(file, StandardOpenOption.READ)) {
            long size = channel.size();
            MemorySegment all = channel.map(FileChannel.MapMode.READ_ONLY, 0, size, arena);
            long header = size < 8 ? -1 : all.get(ValueLayout.JAVA_LONG_UNALIGNED, 0);
            if (header < 2 || header > LARGEST_HEADER || header > size - 8) {
                throw broken(file, "its header does not fit into its " + size + " bytes");
            }
            String text = new String(all.asSlice(8, header).toArray(ValueLayout.JAVA_BYTE),
                    StandardCharsets.UTF_8);
            MemorySegment data = all.asSlice(8 + header);
            Map<String, Stored> tensors = new HashMap<>();
            Json.object(Json.parse(text), "the header of " + file).forEach((name, value) -> {
                if (!name.equals("__metadata__")) {
                    tensors.put(name, tensor(file, name, value, data));
                }
            });
            return tensors;
        } catch (IOException e) {
            throw new ArtefactException("cannot read " + file + ": "
                    + (Files.exists(file) ? e.getMessage() : "there is no such file")
                    + "; weights are a safetensors file, or a folder with model.safetensors");
        } catch (ArtefactException e) {
            throw e.getMessage().startsWith("expected ")
                    ? broken(file, "its header is not sound JSON: " + e.getMessage()) : e;
        }
    }

    private static Stored tensor(Path file, String name, Object value, MemorySegment data) {
        String what = "tensor " + name + " in " + file;
        Map<String, Object> entry = Json.object(value, what);
        Format format = Format.named(String.valueOf(entry.get("dtype"))
                .toLowerCase(Locale.ROOT).replace("f8_", "f8")).orElseThrow(() -> broken(file,
                "tensor " + name + " has the unknown dtype " + entry.get("dtype")));
        long[] shape = Json.sizes(entry.get("shape"), what);
        long[] range = Json.sizes(entry.get("data_offsets"), what);
        try {
            long bytes = format.bytes();
            for (long size : shape) {
                bytes = Math.multiplyExact(bytes, size);
            }
            if (range.length == 2 && range[0] <= range[1] && range[1] <= data.byteSize()
                    && range[1] - range[0] == bytes) {
                return new Stored(format, shape, data.asSlice(range[0], bytes));
            }
        } catch (ArithmeticException tooLarge) {
            // Said below.
        }
        throw broken(file, "tensor " + name + " stands at bytes " + Arrays.toString(range)
                + " of " + data.byteSize() + ", and its shape is " + Arrays.toString(shape));
    }

    private static ArtefactException broken(Path file, String why) {
        return new ArtefactException(file + " is not a sound safetensors file: " + why);
    }

    long elements() {
        return Arrays.stream(shape).reduce(1, Math::multiplyExact);
    }

    double real(long index) {
        return switch (format) {
            case F64 -> memory.get(ValueLayout.JAVA_DOUBLE_UNALIGNED, 8 * index);
            case F32 -> memory.get(ValueLayout.JAVA_FLOAT_UNALIGNED, 4 * index);
            case BF16 -> Format.bf16ToFloat(
                    memory.get(ValueLayout.JAVA_SHORT_UNALIGNED, 2 * index));
            case F16 -> Float.float16ToFloat(
                    memory.get(ValueLayout.JAVA_SHORT_UNALIGNED, 2 * index));
            case F8E4M3 -> Float8.e4m3ToFloat(memory.get(ValueLayout.JAVA_BYTE, index));
            case F8E5M2 -> Float8.e5m2ToFloat(memory.get(ValueLayout.JAVA_BYTE, index));
            case I64, I32, I8, BOOL -> whole(index);
        };
    }

    long whole(long index) {
        return switch (format) {
            case I64 -> memory.get(ValueLayout.JAVA_LONG_UNALIGNED, 8 * index);
            case I32 -> memory.get(ValueLayout.JAVA_INT_UNALIGNED, 4 * index);
            case I8, BOOL -> memory.get(ValueLayout.JAVA_BYTE, index);
            case F64, F32, BF16, F16, F8E4M3, F8E5M2 -> (long) real(index);
        };
    }

    /** Rounds a number to the format, to nearest with ties to even, or cuts it to an integer. */
    void set(long index, double value) {
        switch (format) {
            case F64 -> memory.set(ValueLayout.JAVA_DOUBLE_UNALIGNED, 8 * index, value);
            case F32 -> memory.set(ValueLayout.JAVA_FLOAT_UNALIGNED, 4 * index, (float) value);
            case BF16 -> memory.set(ValueLayout.JAVA_SHORT_UNALIGNED, 2 * index,
                    Format.floatToBf16((float) value));
            case F16 -> memory.set(ValueLayout.JAVA_SHORT_UNALIGNED, 2 * index,
                    Float.floatToFloat16((float) value));
            case I64 -> memory.set(ValueLayout.JAVA_LONG_UNALIGNED, 8 * index, (long) value);
            case I32 -> memory.set(
                    ValueLayout.JAVA_INT_UNALIGNED, 4 * index, (int) (long) value);
            case F8E4M3 -> memory.set(
                    ValueLayout.JAVA_BYTE, index, Float8.floatToE4m3((float) value));
            case F8E5M2 -> memory.set(
                    ValueLayout.JAVA_BYTE, index, Float8.floatToE5m2((float) value));
            case I8 -> memory.set(ValueLayout.JAVA_BYTE, index, (byte) (long) value);
            case BOOL -> memory.set(ValueLayout.JAVA_BYTE, index, (byte) (value != 0 ? 1 : 0));
        }
    }

    /** Takes an element over from a tensor of another format. */
    void take(long index, Stored other, long from) {
        if (format == Format.I64 && other.format == Format.I64) {
            memory.set(ValueLayout.JAVA_LONG_UNALIGNED, 8 * index, other.whole(from));
        } else {
            set(index, other.real(from));
        }
    }

    Optional<Stored> in(Format wanted, Arena arena) {
        if (wanted == format) {
            return Optional.of(this);
        }
        Stored converted = zeros(wanted, shape, arena);
        for (long i = 0; i < elements(); i++) {
            converted.take(i, this, i);
        }
        return Optional.of(converted);
    }

    /**
     * The codes, scales or zero points of floats.
     *
     * @param kind the name of a kind of parts
     * @param length elements of a row
     * @param extent elements of a row of the result
     */
    Stored quantised(
            Quantisation of, String kind, long length, long extent, Format wanted, Arena arena) {
        long rows = length == 0 ? 0 : elements() / length;
        Stored result = zeros(wanted, new long[] {rows, extent}, arena);
        double[] row = new double[Math.toIntExact(length)];
        for (long number = 0; number < rows; number++) {
            for (int i = 0; i < row.length; i++) {
                row[i] = real(number * length + i);
            }
            result.row(number * extent, of, kind, row);
        }
        return result;
    }

    private void row(long first, Quantisation of, String kind, double[] row) {
        if (kind.equals("SCALES")) {
            float[] scales = of.scales(row);
            for (int i = 0; i < scales.length; i++) {
                set(first + i, scales[i]);
            }
            return;
        }
        byte[] bytes = kind.equals("CODES") ? of.codes(row) : of.zeros(row);
        for (int i = 0; i < bytes.length; i++) {
            set(first + i, bytes[i]);
        }
    }

    /** Vector loads may pass the end of a tensor. */
    static Stored zeros(Format format, long[] shape, Arena arena) {
        long elements = Arrays.stream(shape).reduce(1, Math::multiplyExact);
        return new Stored(format, shape, arena.allocate(elements * format.bytes() + 64, 64));
    }
}
