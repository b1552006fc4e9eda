package dev.weir.ir.host;

import dev.weir.ir.kernel.KernelProgram;
import dev.weir.ir.tensor.Value;
import dev.weir.ir.type.Format;
import dev.weir.ir.type.Size;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.Collectors;

/**
 * An argument or a result of a compiled model as its callers see it.
 *
 * @param name as the user called it
 * @param format of an element
 * @param isStream whether there is one for each row of the stream; otherwise for each sequence
 * @param shape of one of them
 */
public record HostSlot(String name, Format format, boolean isStream, List<Size> shape) {
    public HostSlot {
        shape = List.copyOf(shape);
    }

    /** What the caller gives; positions the model's sessions know. */
    public static List<HostSlot> given(KernelProgram program) {
        return HostLowering.given(program).stream().map(v -> of(program, v, v.name())).toList();
    }

    public static List<HostSlot> results(KernelProgram program) {
        List<HostSlot> slots = new ArrayList<>();
        for (int i = 0; i < program.results().size(); i++) {
            slots.add(of(program, program.results().get(i), program.resultNames().get(i)));
        }
        return slots;
    }

    /** A lifted value has one axis more: the rows of all streams, or the sequences. */
    private static HostSlot of(KernelProgram program, Value value, String name) {
        List<Size> shape = value.type().shape();
        return new HostSlot(name, value.type().format(),
                shape.getFirst().equals(program.frames().rows()), shape.subList(1, shape.size()));
    }

    /** Whether every axis has a size that is known before any step. */
    public boolean isConstant() {
        return shape.stream().allMatch(Size::isConstant);
    }

    /** Elements of one of them, where that is known. */
    public long width() {
        return shape.stream().mapToLong(s -> s.constant().orElseThrow())
                .reduce(1, Math::multiplyExact);
    }

    /** {@code [rows, 512]}, with what the first axis counts. */
    public String shapeText() {
        return shape.stream().map(size -> ", " + size)
                .collect(Collectors.joining("", isStream ? "[rows" : "[sequences", "]"));
    }
}
