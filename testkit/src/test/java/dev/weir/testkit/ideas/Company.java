package dev.weir.testkit.ideas;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import dev.weir.ir.type.Format;
import dev.weir.runtime.ledger.Ledger;
import dev.weir.runtime.memory.Tensor;
import dev.weir.runtime.model.Engine;
import dev.weir.runtime.model.Signature;
import dev.weir.testkit.TestModel;
import dev.weir.testkit.TestModel.Target;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.stream.Collectors;
import java.util.stream.IntStream;

/**
 * Sequences of unlike lengths in one batch: each has the bytes that it has alone, and its gates let
 * in the same elements.
 */
final class Company {
    private final String name;
    private final Map<String, Signature> entries;
    private final Engine engine;

    private Company(String name, TestModel model) {
        this.name = name;
        this.entries = model.programs().stream().collect(
                Collectors.toMap(p -> p.entry().name(), Signature::of));
        this.engine = model.engine();
    }

    /** Some elements of each sequence, by an entry of the program. */
    record Step(String entry, long... rows) {}

    /** Steps of the idea of an example, at its small sizes. */
    static void changesNothing(String example, Step... steps) throws Exception {
        Path folder = TestModel.ROOT.resolve("examples").resolve(example);
        String program = TestModel.text(folder.resolve("idea.weir"));
        for (Map.Entry<String, JsonNode> size : new ObjectMapper().readTree(
                TestModel.text(folder.resolve("example.json"))).path("small").properties()) {
            program = program.replaceAll("\\b" + size.getKey() + " = \\d+",
                    size.getKey() + " = " + size.getValue().asText());
        }
        try (TestModel model = TestModel.random(program, 2, Target.JVM, 2)) {
            new Company(example, model).changesNothing(List.of(steps));
        }
    }

    private void changesNothing(List<Step> steps) {
        int count = steps.getFirst().rows.length;
        List<Integer> all = IntStream.range(0, count).boxed().toList();
        List<List<Tensor>> together = run(steps, all);
        List<Ledger.Gate> gates = engine.ledger().gates();
        assertTrue(gates.stream().anyMatch(g -> 0 < g.entered() && g.entered() < g.all()),
                name + ": no gate keeps something out: " + gates);
        for (int sequence : all) {
            List<List<Tensor>> alone = run(steps, List.of(sequence));
            for (int s = 0; s < steps.size(); s++) {
                assertEquals(alone.get(s).getFirst(), together.get(s).get(sequence), name
                        + ": sequence " + sequence + ", " + steps.get(s).entry);
            }
        }
        assertEquals(gates.stream().map(g -> g.path() + ": " + 2 * g.entered()).toList(),
                engine.ledger().gates().stream().map(g -> g.path() + ": " + g.entered()).toList(),
                "who enters in a batch, and once more one by one");
    }

    /** The first result of each step, for each of some sequences. */
    private List<List<Tensor>> run(List<Step> steps, List<Integer> sequences) {
        List<Engine.Session> sessions = sequences.stream().map(s -> engine.start()).toList();
        List<List<Tensor>> results = new ArrayList<>();
        for (Step step : steps) {
            long[] rows = sequences.stream().mapToLong(s -> step.rows[s]).toArray();
            List<Tensor> arguments = new ArrayList<>();
            for (Signature.Slot argument : entries.get(step.entry).arguments()) {
                arguments.add(argument.isPositions()
                        ? Engine.positions(step.entry, sessions, rows)
                        : random(argument, step, sequences));
            }
            Tensor result = engine.step(step.entry, sessions, rows, arguments, Engine.Tracer.NONE)
                    .getFirst().copy();
            List<Tensor> each = new ArrayList<>();
            long from = 0;
            for (long n : rows) {
                each.add(result.rows(from, from + n));
                from += n;
            }
            results.add(each);
        }
        return results;
    }

    /** A sequence has the same numbers in any company. */
    private static Tensor random(Signature.Slot argument, Step step, List<Integer> sequences) {
        long width = argument.type().shape().getLast().constant().orElseThrow();
        Tensor tensor = Tensor.zeros(Format.F32,
                sequences.stream().mapToLong(s -> step.rows[s]).sum(), width);
        long place = 0;
        for (int sequence : sequences) {
            Random random = new Random(31 * Arrays.hashCode(step.rows) + sequence);
            for (long i = 0; i < step.rows[sequence] * width; i++) {
                tensor.setReal(place++, random.nextGaussian());
            }
        }
        return tensor;
    }
}
