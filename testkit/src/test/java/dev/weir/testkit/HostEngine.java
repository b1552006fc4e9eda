package dev.weir.testkit;

import dev.weir.codegen.jvm.JvmArtefact;
import dev.weir.codegen.llvm.LlvmCompiler;
import dev.weir.codegen.llvm.NativeArtefact;
import dev.weir.codegen.llvm.NativeHeader;
import dev.weir.codegen.llvm.ObjectLinker;
import dev.weir.codegen.llvm.Processor;
import dev.weir.ir.host.HostLowering;
import dev.weir.ir.host.HostSlot;
import dev.weir.ir.kernel.KernelProgram;
import dev.weir.ir.kernel.TargetDescription;
import dev.weir.ir.tensor.Fault;
import dev.weir.ir.tensor.Parameter;
import dev.weir.runtime.ledger.Ledger;
import dev.weir.runtime.memory.Tensor;
import dev.weir.runtime.model.Engine;
import java.lang.foreign.Arena;
import java.lang.foreign.FunctionDescriptor;
import java.lang.foreign.Linker;
import java.lang.foreign.MemoryLayout;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.SymbolLookup;
import java.lang.foreign.ValueLayout;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;
import java.util.function.Function;
import java.util.stream.Stream;

/**
 * A model with its compiled host program, as an artefact has it, but in this process: the same
 * tests can then run the host program that is walked and the one that is compiled. Sessions can be
 * stepped and closed, and nothing else.
 */
public final class HostEngine implements Engine {
    private static final long MESSAGE = 512;

    /** Calls of functions by their names in word code. */
    private interface Calls {
        long call(String function, long... words);
    }

    private final KernelProgram program;
    private final Calls calls;
    private final boolean isNative;
    private final List<AutoCloseable> resources;
    private final long model;
    /** Kernels know weights by address only. */
    private final List<List<Tensor>> weights;

    private HostEngine(
            KernelProgram program,
            Map<Parameter, List<Tensor>> weights,
            Calls calls,
            boolean isNative,
            List<AutoCloseable> resources) {
        this.program = program;
        this.calls = calls;
        this.isNative = isNative;
        this.resources = resources;
        this.weights = program.parameters().stream().map(weights::get).toList();
        List<Tensor> all = this.weights.stream().flatMap(List::stream).toList();
        try (Arena arena = Arena.ofConfined()) {
            MemorySegment table = arena.allocate(8L * all.size() + 8, 8);
            for (int i = 0; i < all.size(); i++) {
                table.setAtIndex(ValueLayout.JAVA_LONG, i, all.get(i).memory().address());
            }
            model = calls.call("create", table.address());
        }
        require(calls.call("initialise", model));
    }

    /** Through LLVM, as a shared library. */
    @SuppressWarnings("restricted")
    public static HostEngine ofNative(
            KernelProgram program, TargetDescription target, Map<Parameter, List<Tensor>> weights)
            throws Exception {
        byte[] object;
        try (LlvmCompiler compiler = LlvmCompiler.forObjects(Processor.host())) {
            object = compiler.object(
                    new NativeArtefact(program, "model").module(target));
        }
        if (!(ObjectLinker.link(object, "libmodel.so", false)
                instanceof ObjectLinker.Outcome.Library library)) {
            throw new AssertionError("LLD comes with LLVM's natives");
        }
        Path file = Files.createTempFile("model", ".so");
        Arena arena = Arena.ofShared();
        try {
            Files.write(file, library.bytes());
            SymbolLookup symbols = SymbolLookup.libraryLookup(file, arena);
            return new HostEngine(program, weights, (function, words) -> {
                MemoryLayout[] layouts = new MemoryLayout[words.length];
                Arrays.fill(layouts, ValueLayout.JAVA_LONG);
                try {
                    return (long) Linker.nativeLinker().downcallHandle(
                            symbols.find("model_" + function).orElseThrow(),
                            FunctionDescriptor.of(ValueLayout.JAVA_LONG, layouts))
                            .asSpreader(long[].class, words.length).invoke(words);
                } catch (Throwable e) {
                    throw new IllegalStateException(function, e);
                }
            }, true, List.of(arena));
        } finally {
            // What is mapped stays.
            Files.delete(file);
        }
    }

    /** The classes of an artefact, defined by nobody else. */
    private static final class Classes extends ClassLoader {
        private final Map<String, byte[]> classes;

        Classes(Map<String, byte[]> classes) {
            super(HostEngine.class.getClassLoader());
            this.classes = classes;
        }

        @Override
        protected Class<?> findClass(String name) throws ClassNotFoundException {
            byte[] bytes = classes.get(name.replace('.', '/'));
            if (bytes == null) {
                throw new ClassNotFoundException(name);
            }
            return defineClass(name, bytes, 0, bytes.length);
        }
    }

    /** Through bytecode, in classes that nothing else uses. */
    public static HostEngine ofBytecode(
            KernelProgram program, TargetDescription target, Map<Parameter, List<Tensor>> weights)
            throws Exception {
        Classes loader = new Classes(JvmArtefact.classes(
                "artefact", Map.of(target, HostLowering.lower(program).code())));
        String home = "artefact.weir.codegen.jvm.";
        Class<?> memoryType = loader.loadClass(home + "artefact.HostMemory");
        Object memory = memoryType.getConstructor().newInstance();
        Object code = loader.loadClass(home + "Program" + target.lanes())
                .getConstructor(memoryType).newInstance(memory);
        return new HostEngine(program, weights, (function, words) -> {
            Class<?>[] types = new Class<?>[words.length];
            Arrays.fill(types, long.class);
            String[] parts = function.split("_");
            String name = parts[0] + Stream.of(parts).skip(1)
                    .map(p -> p.substring(0, 1).toUpperCase(java.util.Locale.ROOT)
                            + p.substring(1)).reduce("", String::concat);
            try {
                return (long) code.getClass().getMethod(name, types)
                        .invoke(code, Arrays.stream(words).boxed().toArray());
            } catch (ReflectiveOperationException e) {
                throw new IllegalStateException(function, e);
            }
        }, false, List.of((AutoCloseable) memory));
    }

    private void require(long status) {
        // C promises 32 bits of a status.
        if ((int) status == 0) {
            return;
        }
        if (!isNative) {
            throw new Fault("status " + status + ", check " + calls.call("fault_check", model)
                    + ", value " + calls.call("fault_value", model) + ", limit "
                    + calls.call("fault_limit", model));
        }
        try (Arena arena = Arena.ofConfined()) {
            MemorySegment text = arena.allocate(MESSAGE);
            calls.call("message", model, text.address(), MESSAGE);
            throw new Fault(text.getString(0, StandardCharsets.UTF_8));
        }
    }

    private final class Started implements Session {
        private final long address;

        Started(long address) {
            this.address = address;
        }

        @Override
        public long position(String entry) {
            return position();
        }

        @Override
        public long position() {
            return calls.call("session_position", address);
        }

        @Override
        public Session fork() {
            throw new UnsupportedOperationException("artefacts do not fork");
        }

        @Override
        public Mark mark() {
            throw new UnsupportedOperationException("artefacts have no marks");
        }

        @Override
        public void rollback(Mark mark) {
            throw new UnsupportedOperationException("artefacts have no marks");
        }

        @Override
        public void truncate(long elements) {
            throw new UnsupportedOperationException("artefacts do not cut");
        }

        @Override
        public void close() {
            calls.call("session_free", address);
        }
    }

    @Override
    public Session start() {
        return new Started(calls.call("session_new", model));
    }

    @Override
    public List<String> entries() {
        return List.of(program.entry());
    }

    @Override
    public <R> R step(
            String entry, List<Session> sessions, long[] rows, List<Tensor> arguments,
            Tracer tracer, Function<List<Tensor>, R> read) {
        List<Tensor> given = new ArrayList<>();
        for (int i = 0; i < arguments.size(); i++) {
            if (HostLowering.given(program).contains(program.arguments().get(i))) {
                given.add(arguments.get(i));
            }
        }
        try (Arena arena = Arena.ofConfined()) {
            long table = words(arena, sessions.stream()
                    .mapToLong(s -> ((Started) s).address).toArray());
            long counts = words(arena, rows);
            long[] addresses = given.stream().mapToLong(t -> t.memory().address()).toArray();
            if (isNative) {
                long[] all = new long[4 + addresses.length];
                all[0] = model;
                all[1] = table;
                all[2] = rows.length;
                all[3] = counts;
                System.arraycopy(addresses, 0, all, 4, addresses.length);
                require(calls.call("step", all));
            } else {
                require(calls.call("step",
                        model, table, rows.length, counts, words(arena, addresses)));
            }
        }
        List<Tensor> results = new ArrayList<>();
        List<HostSlot> slots = HostSlot.results(program);
        for (int i = 0; i < slots.size(); i++) {
            results.add(result(slots.get(i), i, rows));
        }
        return read.apply(results);
    }

    private static long words(Arena arena, long[] values) {
        MemorySegment words = arena.allocate(8L * values.length + 8, 8);
        MemorySegment.copy(MemorySegment.ofArray(values), 0, words, 0, 8L * values.length);
        return words.address();
    }

    @SuppressWarnings("restricted")
    private Tensor result(HostSlot slot, int number, long[] rows) {
        String name = NativeHeader.results(program).get(number);
        long address = isNative ? calls.call(name, model) : calls.call("result", model, number);
        long elements = isNative
                ? calls.call(name + "_elements", model)
                : calls.call("result_elements", model, number);
        Map<String, Long> sizes = new TreeMap<>();
        sizes.put(program.frames().sequences().name(), (long) rows.length);
        sizes.put(program.frames().rows().name(), Arrays.stream(rows).sum());
        long[] shape = new long[1 + slot.shape().size()];
        shape[0] = slot.isStream() ? Arrays.stream(rows).sum() : rows.length;
        for (int axis = 1; axis < shape.length; axis++) {
            shape[axis] = slot.shape().get(axis - 1).evaluate(sizes);
        }
        if (Tensor.count(shape) != elements) {
            throw new AssertionError(slot + " has " + elements + " elements, expected "
                    + Arrays.toString(shape));
        }
        return new Tensor(slot.format(), shape, MemorySegment.ofAddress(address)
                .reinterpret(elements * slot.format().bytes())).copy();
    }

    @Override
    public Ledger ledger() {
        throw new UnsupportedOperationException("artefacts count nothing");
    }

    @Override
    public void close() {
        calls.call("destroy", model);
        for (AutoCloseable resource : resources) {
            try {
                resource.close();
            } catch (Exception e) {
                throw new IllegalStateException(e);
            }
        }
        Optional.of(weights).ifPresent(java.lang.ref.Reference::reachabilityFence);
    }
}
