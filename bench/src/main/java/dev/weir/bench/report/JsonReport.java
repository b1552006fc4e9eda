package dev.weir.bench.report;

import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.weir.bench.machine.MachineDescription;
import dev.weir.bench.machine.Roofline;
import dev.weir.bench.measure.Outcome;
import dev.weir.bench.measure.Rounds;
import dev.weir.bench.measure.Statistics;
import dev.weir.bench.row.Laboratory;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Instant;
import java.time.temporal.ChronoUnit;
import java.util.Map;
import java.util.TreeMap;

/** Results for programs. Times in seconds, rates in units a second, shares and ratios as numbers. */
public final class JsonReport {
    private static final ObjectMapper MAPPER = new ObjectMapper();

    private JsonReport() {}

    /** Writes all that was measured. */
    public static void write(
            Path file,
            MachineDescription machine,
            Map<String, String> peers,
            Rounds rounds,
            Laboratory laboratory) {
        ObjectNode node = MAPPER.createObjectNode();
        node.put("time", Instant.now().truncatedTo(ChronoUnit.SECONDS).toString());
        node.set("machine", MAPPER.valueToTree(Map.of(
                "processor", machine.processor(),
                "processors", machine.processors(),
                "features", machine.features(),
                "lastCache", machine.cache(),
                "memory", machine.memory(),
                "system", machine.system(),
                "java", machine.java(),
                "target", machine.target())));
        ArrayNode rooflines = node.putArray("rooflines");
        new TreeMap<>(laboratory.rooflines()).forEach((threads, roofline) ->
                roofline(rooflines.addObject(), roofline));
        ObjectNode versions = node.putObject("peers");
        new TreeMap<>(peers).forEach(versions::put);
        node.putObject("rounds").put("count", rounds.rounds())
                .put("turnSeconds", rounds.turnSeconds())
                .put("warmupSeconds", rounds.warmupSeconds());
        ArrayNode rows = node.putArray("results");
        laboratory.outcomes().forEach(o -> outcome(rows.addObject(), o));
        ArrayNode absences = node.putArray("notTimed");
        laboratory.absences().forEach(a -> absences.addObject().put("row", a.row())
                .put("problem", a.problem()).put("contestant", a.contestant())
                .put("reason", a.reason()));
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
        node.put("row", o.problem().row()).put("problem", o.problem().name())
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
