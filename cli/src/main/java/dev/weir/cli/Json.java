package dev.weir.cli;

import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.weir.ir.diagnostic.Diagnostic;
import dev.weir.ir.diagnostic.Source;
import dev.weir.ir.diagnostic.Span;
import dev.weir.runtime.ledger.Ledger;
import java.util.List;

/** What commands write with {@code --json}. */
final class Json {
    static final ObjectMapper MAPPER = new ObjectMapper();

    private Json() {}

    static ArrayNode diagnostics(List<Diagnostic> diagnostics) {
        ArrayNode list = MAPPER.createArrayNode();
        for (Diagnostic d : diagnostics) {
            ObjectNode node = list.addObject();
            node.put("code", d.code());
            node.put("severity", d.severity().word());
            node.put("message", d.message());
            node.set("span", span(d.primary()));
            node.put("label", d.label());
            ArrayNode related = node.putArray("related");
            d.related().forEach(r -> related.addObject()
                    .put("label", r.label())
                    .set("span", span(r.span())));
            ArrayNode sizes = node.putArray("sizes");
            d.sizes().forEach(s -> sizes.addObject()
                    .put("name", s.name()).put("value", s.value()).put("origin", s.origin()));
            d.help().ifPresent(h -> node.put("help", h));
        }
        return list;
    }

    private static ObjectNode span(Span span) {
        Source.Position start = span.source().position(span.start());
        Source.Position end = span.source().position(span.end());
        return MAPPER.createObjectNode()
                .put("file", span.source().name())
                .put("line", start.line())
                .put("column", start.column())
                .put("endLine", end.line())
                .put("endColumn", end.column());
    }

    static ObjectNode ledger(Ledger ledger) {
        ObjectNode node = MAPPER.createObjectNode();
        ArrayNode gates = node.putArray("gates");
        ledger.gates().forEach(g -> gates.addObject()
                .put("path", g.path()).put("entered", g.entered()).put("all", g.all()));
        ArrayNode routes = node.putArray("routes");
        ledger.routes().forEach(r -> {
            ArrayNode served = routes.addObject().put("path", r.path()).putArray("served");
            r.served().forEach(served::add);
        });
        ObjectNode loops = node.putObject("loops");
        ledger.loops().forEach(loops::put);
        node.put("launches", ledger.launches());
        node.put("weightBytes", ledger.weightBytes());
        return node;
    }
}
