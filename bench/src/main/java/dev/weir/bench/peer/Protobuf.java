package dev.weir.bench.peer;

import dev.weir.runtime.memory.Tensor;
import java.io.ByteArrayOutputStream;
import java.nio.charset.StandardCharsets;

/**
 * Writes messages in the wire format of protocol buffers: each field is a tag, which is its number
 * and kind, and a varint or a length and so many bytes
 * (https://protobuf.dev/programming-guides/encoding/).
 */
final class Protobuf {
    private static final int VARINT = 0;
    private static final int LENGTH = 2;
    private static final int FIXED32 = 5;
    private final ByteArrayOutputStream out = new ByteArrayOutputStream();

    /** A whole number. */
    Protobuf whole(int field, long value) {
        tag(field, VARINT);
        varint(value);
        return this;
    }

    /** A number of 32 bits. */
    Protobuf real(int field, float value) {
        tag(field, FIXED32);
        int bits = Float.floatToRawIntBits(value);
        for (int i = 0; i < Integer.SIZE; i += Byte.SIZE) {
            out.write(bits >>> i);
        }
        return this;
    }

    /** A text. */
    Protobuf text(int field, String value) {
        return bytes(field, value.getBytes(StandardCharsets.UTF_8));
    }

    /** A message inside this one. */
    Protobuf message(int field, Protobuf value) {
        return bytes(field, value.out.toByteArray());
    }

    /** Some bytes. */
    Protobuf bytes(int field, byte[] value) {
        tag(field, LENGTH);
        varint(value.length);
        out.writeBytes(value);
        return this;
    }

    /** The bytes of a tensor. */
    Protobuf bytes(int field, Tensor tensor) {
        byte[] bytes = new byte[Math.toIntExact(tensor.bytes())];
        tensor.memory().asSlice(0, bytes.length).asByteBuffer().get(bytes);
        return bytes(field, bytes);
    }

    byte[] toBytes() {
        return out.toByteArray();
    }

    private void tag(int field, int kind) {
        varint((long) field << 3 | kind);
    }

    private void varint(long value) {
        long rest = value;
        while ((rest & ~0x7FL) != 0) {
            out.write((int) (rest & 0x7F | 0x80));
            rest >>>= 7;
        }
        out.write((int) rest);
    }
}
