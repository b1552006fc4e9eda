package dev.weir.codegen.llvm;

import dev.weir.ir.host.CallerEntries;
import dev.weir.ir.host.HostLowering;
import dev.weir.ir.host.HostSlot;
import dev.weir.ir.host.WordFunction;
import dev.weir.ir.host.WordProgram;
import dev.weir.ir.kernel.KernelProgram;
import dev.weir.ir.kernel.TargetDescription;
import dev.weir.ir.tensor.Parameter;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/**
 * A model as one LLVM module with the functions that its C header declares. Nothing else of it is
 * seen from outside, so several models can be linked into one program.
 */
public final class NativeArtefact {
    private final KernelProgram program;
    private final HostLowering.Lowered lowered;
    private final String prefix;

    /**
     * @param prefix of all names in C; an identifier
     */
    public NativeArtefact(KernelProgram program, String prefix) {
        this.program = program;
        this.lowered = HostLowering.lower(program);
        this.prefix = prefix;
    }

    /**
     * The module's text.
     *
     * @param target that the kernels are made for
     */
    public String module(TargetDescription target) {
        List<WordFunction> functions = new ArrayList<>(lowered.code().functions());
        functions.addAll(CallerEntries.functions(program, lowered));
        List<HostSlot> results = HostSlot.results(program);
        for (int i = 0; i < results.size(); i++) {
            functions.addAll(HostLowering.result(i));
        }
        String kernels = LlvmText.of(program.kernels(), target)
                .replace("define void @", "define internal void @");
        return kernels + LlvmHostText.of(
                new WordProgram(program.name(), program.kernels(), functions),
                entries(results), Map.of(
                        prefix + "_weight_name", names(),
                        prefix + "_weight_format", formats()));
    }

    private Map<String, String> entries(List<HostSlot> results) {
        Map<String, String> entries = new LinkedHashMap<>();
        for (String name : List.of("create", "create_packed", "initialise", "destroy",
                "session_new", "session_free", "session_position", "weight_bytes",
                "message")) {
            entries.put(prefix + "_" + name, name);
        }
        entries.put(prefix + "_step", "take_step");
        for (int i = 0; i < results.size(); i++) {
            String name = prefix + "_" + NativeHeader.results(program).get(i);
            entries.put(name, "result" + i);
            entries.put(name + "_elements", "result" + i + "_elements");
        }
        return entries;
    }

    private List<String> names() {
        List<String> names = new ArrayList<>();
        for (Parameter parameter : program.parameters()) {
            for (List<Long> instance : parameter.instances()) {
                names.add(String.join("|", parameter.stored().stream()
                        .map(s -> Parameter.instantiate(s, instance)).toList()));
            }
        }
        return names;
    }

    private List<String> formats() {
        List<String> formats = new ArrayList<>();
        for (Parameter parameter : program.parameters()) {
            parameter.instances().forEach(
                    i -> formats.add(parameter.value().type().format().word()));
        }
        return formats;
    }
}
