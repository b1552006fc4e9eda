package dev.weir.ir.host;

import dev.weir.ir.kernel.Kernel;
import java.util.List;
import java.util.Map;

/**
 * A kernel program whose host program is word code: functions over words and memory that back ends
 * write beside the kernels. Everything that a model keeps lies in memory behind one address.
 *
 * @param name the model's name
 * @param kernels what {@link WordStatement.Launch} names
 * @param functions those of {@link #ENTRIES} among them
 */
public record WordProgram(String name, List<Kernel> kernels, List<WordFunction> functions) {
    /**
     * What a back end provides, with the number of words that it takes: {@code allocate(bytes)}
     * gives memory aligned to 64, or 0 if there is none; {@code free(address)} takes it back;
     * {@code copy(to, from, bytes)} copies what does not overlap.
     */
    public static final Map<String, Integer> EXTERNALS =
            Map.of("allocate", 1, "free", 1, "copy", 3);

    /** What is called from outside. */
    public static final List<String> ENTRIES = List.of(
            "create", "initialise", "destroy", "session_new", "session_free", "session_position",
            "step", "result", "result_elements", "status", "fault_check", "fault_value",
            "fault_limit");

    public WordProgram {
        kernels = List.copyOf(kernels);
        functions = List.copyOf(functions);
    }
}
