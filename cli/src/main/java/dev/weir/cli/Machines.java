package dev.weir.cli;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.weir.passes.cost.Machine;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/**
 * What {@code weir calibrate} measured of the machine, and the file in which it is kept: {@code
 * weir/machine.json} in the user's configuration folder.
 */
final class Machines {
    private Machines() {}

    /** {@code $XDG_CONFIG_HOME}, or {@code .config} at home (XDG Base Directory Specification). */
    static Path file(Map<String, String> environment, String home) {
        Path folder = Optional.ofNullable(environment.get("XDG_CONFIG_HOME"))
                .filter(named -> Path.of(named).isAbsolute())
                .map(Path::of)
                .orElse(Path.of(home, ".config"));
        return folder.resolve("weir").resolve("machine.json");
    }

    static Path file() {
        return file(System.getenv(), System.getProperty("user.home"));
    }

    static ObjectNode asJson(List<Machine> machines) {
        ObjectNode node = Json.MAPPER.createObjectNode();
        ArrayNode list = node.putArray("machines");
        machines.forEach(m -> list.addObject()
                .put("threads", m.threads())
                .put("operationsPerSecond", m.operations())
                .put("bytesPerSecond", m.bytes())
                .put("launchSeconds", m.launch()));
        return node;
    }

    static void write(Path file, List<Machine> machines) {
        try {
            Files.createDirectories(file.getParent());
        } catch (IOException e) {
            throw new UserException("cannot make the folder " + file.getParent() + ": "
                    + e.getMessage());
        }
        Texts.write(file, asJson(machines).toPrettyString() + "\n");
    }

    /** All that were measured; none without a calibration. */
    static List<Machine> read(Path file) {
        if (!Files.exists(file)) {
            return List.of();
        }
        List<Machine> machines = new ArrayList<>();
        for (JsonNode node : ModelFiles.json(file).path("machines")) {
            Machine machine = new Machine(
                    node.path("threads").asInt(),
                    node.path("operationsPerSecond").asDouble(),
                    node.path("bytesPerSecond").asDouble(),
                    node.path("launchSeconds").asDouble());
            if (machine.threads() < 1 || !(machine.operations() > 0) || !(machine.bytes() > 0)
                    || !(machine.launch() >= 0)) {
                throw new UserException(file + " is not what `weir calibrate` writes: " + node
                        + "\nhelp: run `weir calibrate` again");
            }
            machines.add(machine);
        }
        return machines;
    }

    /** With so many threads; nothing if that was not measured. */
    static Optional<Machine> of(int threads) {
        return read(file()).stream().filter(m -> m.threads() == threads).findFirst();
    }
}
