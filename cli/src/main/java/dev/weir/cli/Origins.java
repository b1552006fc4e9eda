package dev.weir.cli;

import dev.weir.ir.diagnostic.Source;
import dev.weir.ir.diagnostic.Span;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeSet;

/** Numbers the places of the source from which the lines of a page come. */
final class Origins {
    /** The lines of a place, both inclusive. */
    private record Place(int number, int first, int last) {}

    private final Map<Span, Integer> numbers = new LinkedHashMap<>();
    private final Map<Source, List<Place>> places = new LinkedHashMap<>();

    /** The number of a place; none for what nobody wrote. */
    List<Integer> of(Span span) {
        if (span.source().text().isEmpty()) {
            return List.of();
        }
        return List.of(numbers.computeIfAbsent(span, s -> {
            int number = numbers.size();
            places.computeIfAbsent(s.source(), source -> new ArrayList<>()).add(new Place(
                    number,
                    s.source().position(s.start()).line(),
                    s.source().position(Math.max(s.start(), s.end() - 1)).line()));
            return number;
        }));
    }

    /** The numbers of several places. */
    List<Integer> of(List<Span> spans) {
        Set<Integer> all = new TreeSet<>();
        spans.forEach(span -> all.addAll(of(span)));
        return List.copyOf(all);
    }

    /** The texts that places were asked for, and a first one in any case, line by line. */
    List<Stage.Part> sources(Source first) {
        List<Stage.Part> parts = new ArrayList<>();
        Map<Source, List<Place>> all = new LinkedHashMap<>();
        all.put(first, places.getOrDefault(first, List.of()));
        all.putAll(places);
        all.forEach((source, inside) -> {
            parts.add(new Stage.Part.Heading(source.name()));
            List<List<Integer>> origins = new ArrayList<>();
            List<String> lines = source.text().lines().toList();
            lines.forEach(line -> origins.add(new ArrayList<>()));
            for (Place place : inside) {
                for (int i = place.first; i <= Math.min(place.last, lines.size()); i++) {
                    origins.get(i - 1).add(place.number);
                }
            }
            for (int i = 0; i < lines.size(); i++) {
                parts.add(new Stage.Part.Line(
                        lines.get(i), i + 1, origins.get(i), Stage.Mark.NONE));
            }
        });
        return parts;
    }
}
