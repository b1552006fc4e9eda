package dev.weir.bench.report;

import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.weir.bench.machine.MachineDescription;
import dev.weir.bench.machine.Roofline;
import dev.weir.bench.measure.Outcome;
import dev.weir.bench.measure.Rounds;
import dev.weir.bench.measure.Statistics;
import dev.weir.bench.peer.Peer;
import dev.weir.bench.row.Laboratory;
import dev.weir.bench.row.Row;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Instant;
import java.time.temporal.ChronoUnit;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;

/**
 * Results for programs: a list of runs, one for each row, each with its machine and peers. Times
 * are in seconds, rates in units a second, shares and ratios plain numbers.
 */
public final class JsonReport {
    private static final ObjectMapper MAPPER = new ObjectMapper();

    private JsonReport() {}

    /** Writes all that was measured of a row. */
    public static void write(
            Path file, MachineDescription machine, Row row, Rounds rounds, Laboratory laboratory) {
        ObjectNode all = MAPPER.createObjectNode();
        ObjectNode node = all.putArray("runs").addObject();
        node.put("row", row.name());
        node.put("time", Instant.now().truncatedTo(ChronoUnit.SECONDS).toString());
        node.set("machine", MAPPER.valueToTree(new TreeMap<>(Map.of(
                "processor", machine.processor(),
                "processors", machine.processors(),
                "features", machine.features(),
                "lastCache", machine.cache(),
                "memory", machine.memory(),
                "system", machine.system(),
                "java", machine.java(),
                "target", machine.target()))));
        ArrayNode rooflines = node.putArray("rooflines");
        new TreeMap<>(laboratory.rooflines()).forEach((threads, roofline) ->
                roofline(rooflines.addObject(), roofline));
        ObjectNode versions = node.putObject("peers");
        for (Peer peer : row.peers()) {
            versions.put(peer.toString(), peer.version());
        }
        node.putObject("rounds").put("count", rounds.rounds())
                .put("turnSeconds", rounds.turnSeconds())
                .put("warmupSeconds", rounds.warmupSeconds());
        ArrayNode results = node.putArray("results");
        laboratory.outcomes().forEach(o -> outcome(results.addObject(), o));
        ArrayNode notes = node.putArray("notes");
        laboratory.notes().forEach(notes::add);
        ArrayNode absences = node.putArray("notTimed");
        laboratory.absences().forEach(a -> absences.addObject()
                .put("problem", a.problem()).put("contestant", a.contestant())
                .put("reason", a.reason()));
        write(file, all);
    }

    /** Writes the runs of several files into one. */
    public static void join(Path file, List<Path> parts) {
        ObjectNode all = MAPPER.createObjectNode();
        ArrayNode runs = all.putArray("runs");
        try {
            for (Path part : parts) {
                MAPPER.readTree(part.toFile()).get("runs").forEach(runs::add);
            }
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
        write(file, all);
    }

    private static void write(Path file, ObjectNode node) {
        try {
            Files.writeString(file,
                    MAPPER.writerWithDefaultPrettyPrinter().writeValueAsString(node) + "\n");
        } catch (IOException e) {
            throw new UncheckedIOException("cannot write " + file, e);
        }
    }

    private static void roofline(ObjectNode node, Roofline roofline) {
        node.put("threads", roofline.threads());
        statistics(node.putObject("flops"), roofline.flops());
        statistics(node.putObject("bandwidth"), roofline.bandwidth());
    }

    private static void outcome(ObjectNode node, Outcome o) {
        node.put("problem", o.problem().name())
                .put("threads", o.problem().threads()).put("contestant", o.contestant())
                .put("peer", o.isPeer());
        statistics(node.putObject("seconds"), o.seconds());
        node.put("rate", o.rate()).put("unit", o.work().unit())
                .put("operations", o.work().operations()).put("bytes", o.work().bytes())
                .put("ofPeak", o.ofPeak()).put("ofBandwidth", o.ofBandwidth());
        o.error().ifPresent(e -> node.put("error", e));
        ArrayNode ratios = node.putArray("ratios");
        o.ratios().forEach(r -> statistics(ratios.addObject().put("to", r.to())
                .put("aim", r.wanted()), r.quotient()));
    }

    private static void statistics(ObjectNode node, Statistics statistics) {
        node.put("median", statistics.median()).put("lowerQuartile", statistics.lower())
                .put("upperQuartile", statistics.upper()).put("least", statistics.least())
                .put("most", statistics.most()).put("count", statistics.count());
    }
}
