package dev.weir.cli;

import dev.weir.ir.type.Size;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.stream.Collectors;

/** A size as a sum of products, for people: {@code 16,384 · N + 512}. */
final class Amount {
    private Amount() {}

    static String of(Size size) {
        Map<String, Long> terms = new TreeMap<>(Comparator.reverseOrder());
        expand(size).forEach((symbols, factor) -> terms.put(String.join(" · ", symbols), factor));
        String text = terms.entrySet().stream()
                .filter(e -> e.getValue() != 0)
                .map(e -> String.format("%,d", e.getValue())
                        + (e.getKey().isEmpty() ? "" : " · " + e.getKey()))
                .collect(Collectors.joining(" + "));
        return text.isEmpty() ? "0" : text;
    }

    /** Factors by their symbols, in alphabetical order. */
    private static Map<List<String>, Long> expand(Size size) {
        return switch (size) {
            case Size.Constant c -> Map.of(List.of(), c.value());
            case Size.Symbol s -> Map.of(List.of(s.name()), 1L);
            case Size.Quotient q -> Map.of(List.of(q.toString()), 1L);
            case Size.Sum s -> {
                Map<List<String>, Long> sum = new HashMap<>(expand(s.left()));
                expand(s.right()).forEach((k, v) -> sum.merge(k, v, Long::sum));
                yield sum;
            }
            case Size.Product p -> {
                Map<List<String>, Long> product = new HashMap<>();
                expand(p.left()).forEach((a, x) -> expand(p.right()).forEach((b, y) -> {
                    List<String> symbols = new ArrayList<>(a);
                    symbols.addAll(b);
                    symbols.sort(null);
                    product.merge(symbols, x * y, Long::sum);
                }));
                yield product;
            }
        };
    }
}
