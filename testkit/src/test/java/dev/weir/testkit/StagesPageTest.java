package dev.weir.testkit;

import static dev.weir.testkit.CommandTest.weir;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.weir.passes.analysis.ScheduleStep;
import dev.weir.passes.pipeline.Pass;
import dev.weir.passes.pipeline.Passes;
import dev.weir.testkit.CommandTest.Outcome;
import java.io.ByteArrayInputStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.TreeSet;
import javax.xml.parsers.DocumentBuilderFactory;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.w3c.dom.Document;
import org.w3c.dom.Element;
import org.w3c.dom.NodeList;

/** {@code weir dump --html}: the page is sound, whole and harmless. */
class StagesPageTest {
    @TempDir
    private Path folder;

    /** The page of a model, read as XML: what is not well-formed is refused. */
    private Document page(String... arguments) throws Exception {
        return DocumentBuilderFactory.newInstance().newDocumentBuilder().parse(
                new ByteArrayInputStream(written(arguments).getBytes(StandardCharsets.UTF_8)));
    }

    private String written(String... arguments) throws Exception {
        Path file = folder.resolve("page.html");
        List<String> all = new ArrayList<>(List.of("dump", "--html", file.toString()));
        all.addAll(Arrays.asList(arguments));
        Outcome outcome = weir(all.toArray(String[]::new));
        assertEquals(0, outcome.code(), outcome.err());
        return Files.readString(file);
    }

    private static List<Element> all(Document page, String name) {
        List<Element> found = new ArrayList<>();
        NodeList nodes = page.getElementsByTagName(name);
        for (int i = 0; i < nodes.getLength(); i++) {
            found.add((Element) nodes.item(i));
        }
        return found;
    }

    private static Element column(Document page, String stage) {
        return all(page, "section").stream()
                .filter(e -> e.getAttribute("id").equals("stage-" + stage))
                .findFirst().orElseThrow();
    }

    private static Element row(Document page, String pass) {
        return all(page, "tr").stream()
                .filter(e -> e.getTextContent().startsWith(pass))
                .findFirst().orElseThrow();
    }

    /** The line of a column with a text. */
    private static Element line(Element column, String text) {
        NodeList lines = column.getElementsByTagName("div");
        for (int i = 0; i < lines.getLength(); i++) {
            Element line = (Element) lines.item(i);
            if (line.getAttribute("class").startsWith("line ")
                    || line.getAttribute("class").equals("line")) {
                if (line.getTextContent().contains(text)) {
                    return line;
                }
            }
        }
        throw new AssertionError("no line with " + text);
    }

    private static Set<String> origins(Element element) {
        return new TreeSet<>(Arrays.asList(element.getAttribute("data-o").split(" ")));
    }

    @Test
    void hasAColumnForEachStageAndARowForEachPass() throws Exception {
        Document page = page(TestModel.tinyworld().toString());
        List<String> expected = new ArrayList<>(List.of("stage-source", "stage-tensor"));
        Passes.ALL.forEach(pass -> expected.add("stage-" + pass.name()));
        expected.addAll(List.of("stage-kernels", "stage-code"));
        assertEquals(expected, all(page, "section").stream()
                .map(e -> e.getAttribute("id")).toList());
        for (Pass pass : Passes.ALL) {
            String text = row(page, pass.name()).getTextContent();
            assertTrue(text.contains(pass.purpose()), text);
            assertEquals(pass.optional(), text.contains("--disable " + pass.name()), text);
            assertTrue(text.contains(" ms"), text);
        }
        for (ScheduleStep step : ScheduleStep.values()) {
            assertTrue(row(page, step.text()).getTextContent().contains(step.purpose()));
        }
        for (String stage : List.of("lift", "common-code", "inline")) {
            String dumped = weir("dump", TestModel.tinyworld().toString(), "--stage", stage).out();
            String first = dumped.lines().filter(l -> l.contains("compute")).findFirst()
                    .orElseThrow();
            line(column(page, stage), first);
        }
    }

    @Test
    void leadsFromALineOfTheSourceToItsKernel() throws Exception {
        Document page = page(TestModel.tinyworld().toString());
        Set<String> softmax = origins(line(column(page, "source"), "softmax[s] score"));
        for (String stage : List.of("tensor", "lift", "inline")) {
            Set<String> reached = origins(line(column(page, stage), "\"exp\""));
            reached.retainAll(softmax);
            assertFalse(reached.isEmpty(), stage);
        }
        Element kernel = all(page, "details").stream()
                .filter(e -> e.getAttribute("class").equals("kernel"))
                .filter(e -> e.getTextContent().contains("points in blocks, streamed online"))
                .findFirst().orElseThrow();
        assertTrue(origins(kernel).stream().anyMatch(softmax::contains));
        assertTrue(kernel.getTextContent().contains("fused:"), "why it is one kernel");
        Set<String> norm = origins(line(column(page, "source"), "norm(x)"));
        assertFalse(origins(kernel).stream().anyMatch(norm::contains));
    }

    @Test
    void marksWhatAPassChanged() throws Exception {
        Document page = page(TestModel.tinyworld().toString());
        for (String pass : List.of("split-elementary", "common-code", "inline")) {
            NodeList lines = column(page, pass).getElementsByTagName("div");
            int marked = 0;
            for (int i = 0; i < lines.getLength(); i++) {
                String mark = ((Element) lines.item(i)).getAttribute("class");
                marked += mark.equals("line new") || mark.equals("line passing") ? 1 : 0;
            }
            String text = row(page, pass).getTextContent();
            assertTrue(text.contains("+" + marked + " \u2212"), marked + " in " + text);
        }
        line(column(page, "split-elementary"), "\"cosine\"");
        assertEquals("line", line(column(page, "demand"), "parameter ").getAttribute("class"));
    }

    @Test
    void saysWhatWasLeftOutAndWhatChangedNothing() throws Exception {
        Document page = page(TestModel.tinyworld().toString(), "--disable", "common-code");
        assertTrue(row(page, "common-code").getTextContent().contains("left out"));
        assertTrue(column(page, "common-code").hasAttribute("hidden"));
        assertFalse(column(page, "inline").hasAttribute("hidden"));
    }

    @Test
    void showsHostileNamesAndNeverObeysThem() throws Exception {
        String hostile = "</title></pre><script>alert(1)</script>&amp; ' \u0001 \u202e \ud83d\ude00 "
                + "]]> <!--";
        Path program = Files.writeString(folder.resolve("hostile.tensor"), """
                program "HOSTILE" stream 'T' results ("HOSTILE")
                entry "main" path "HOSTILE" instances () arguments (%0 "HOSTILE" : f32['T', 4]) {
                  %1 "HOSTILE" : f32['T', 4] = compute [$2 "HOSTILE" in 0 i64 .. extent 'T', \
                $3 "d" in 0 i64 .. 4 i64] add(%0[$2, $3], 1.0 f32)
                  yield (%1)
                }
                """.replace("HOSTILE", hostile));
        Document page = page(program.toString());
        assertEquals(1, all(page, "script").size());
        String shown = hostile.replace("\u0001", "\\u0001").replace("\u202e", "\\u202E");
        assertTrue(all(page, "title").getFirst().getTextContent().contains(shown));
        assertTrue(line(column(page, "lift"), "compute").getTextContent().contains(shown));
    }

    @Test
    void needsNothingFromOutside() throws Exception {
        String page = written(TestModel.tinyworld().toString());
        for (String outside : List.of("http:", "https:", "//www", " src=", "url(", "@import",
                " href=")) {
            assertFalse(page.contains(outside), outside);
        }
        assertTrue(page.contains("default-src 'none'"));
    }

    @Test
    void refusesWhatContradictsItAndSaysWhatItCannotWrite() {
        String model = TestModel.tinyworld().toString();
        Outcome both = weir("dump", model, "--html", "page.html", "--stage", "lift");
        assertEquals(2, both.code());
        assertTrue(both.err().contains("leave --stage"), both.err());
        Outcome nowhere = weir("dump", model, "--html", folder.resolve("no/page.html").toString());
        assertEquals(1, nowhere.code());
        assertTrue(nowhere.err().contains("cannot write"), nowhere.err());
        assertEquals(Optional.empty(), nowhere.out().lines().findFirst());
    }
}
