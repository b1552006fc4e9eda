package dev.weir.bench.peer;

import dev.weir.runtime.memory.Tensor;
import java.nio.ByteOrder;
import org.bytedeco.javacpp.FloatPointer;
import org.bytedeco.javacpp.LongPointer;

/** Weir's tensors as JavaCPP has them: the same memory. */
final class Pointers {
    private Pointers() {}

    /** Of an f32 tensor; it must stay reachable as long as the pointer is used. */
    static FloatPointer floats(Tensor tensor) {
        return new FloatPointer(tensor.memory().asSlice(0, tensor.bytes()).asByteBuffer()
                .order(ByteOrder.nativeOrder()).asFloatBuffer());
    }

    /** Of a tensor of i64. */
    static LongPointer longs(Tensor tensor) {
        return new LongPointer(tensor.memory().asSlice(0, tensor.bytes()).asByteBuffer()
                .order(ByteOrder.nativeOrder()).asLongBuffer());
    }
}
