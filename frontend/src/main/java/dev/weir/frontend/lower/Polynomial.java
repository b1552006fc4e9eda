package dev.weir.frontend.lower;

import dev.weir.ir.type.Size;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;

/**
 * A size as a sum of products, so that two sizes can be compared: {@code D / 2} and other quotients
 * that do not come out even stay whole.
 *
 * @param terms the factor of each product of names; the empty product is the constant
 */
record Polynomial(Map<List<String>, Long> terms) {

    static Polynomial of(Size size) {
        return switch (size) {
            case Size.Constant c -> constant(c.value());
            case Size.Symbol s -> atom(s.name());
            case Size.Sum s -> of(s.left()).plus(of(s.right()), 1);
            case Size.Product p -> of(p.left()).times(of(p.right()));
            case Size.Quotient q -> {
                Polynomial left = of(q.left());
                Polynomial right = of(q.right());
                yield left.evenly(right);
            }
        };
    }

    private static Polynomial constant(long value) {
        return value == 0 ? new Polynomial(Map.of()) : new Polynomial(Map.of(List.of(), value));
    }

    private static Polynomial atom(String name) {
        return new Polynomial(Map.of(List.of(name), 1L));
    }

    Polynomial plus(Polynomial other, long factor) {
        Map<List<String>, Long> sum = new TreeMap<>(Polynomial::order);
        sum.putAll(terms);
        other.terms.forEach((k, v) -> sum.merge(k, factor * v, Long::sum));
        sum.values().removeIf(v -> v == 0);
        return new Polynomial(sum);
    }

    private Polynomial times(Polynomial other) {
        Map<List<String>, Long> product = new TreeMap<>(Polynomial::order);
        terms.forEach((a, x) -> other.terms.forEach((b, y) -> {
            List<String> names = new ArrayList<>(a);
            names.addAll(b);
            Collections.sort(names);
            product.merge(names, x * y, Long::sum);
        }));
        product.values().removeIf(v -> v == 0);
        return new Polynomial(product);
    }

    private Polynomial evenly(Polynomial divisor) {
        if (divisor.terms.size() == 1) {
            var only = divisor.terms.entrySet().iterator().next();
            Map<List<String>, Long> quotient = new TreeMap<>(Polynomial::order);
            boolean even = only.getValue() != 0;
            for (var term : terms.entrySet()) {
                List<String> rest = new ArrayList<>(term.getKey());
                for (String name : only.getKey()) {
                    even &= rest.remove(name);
                }
                even &= even && term.getValue() % only.getValue() == 0;
                if (!even) {
                    break;
                }
                quotient.put(rest, term.getValue() / only.getValue());
            }
            if (even) {
                return new Polynomial(quotient);
            }
        }
        return atom(bracketed() + " / " + divisor.bracketed());
    }

    /** As an operand of a quotient. */
    private String bracketed() {
        String text = toString();
        return text.matches("\\w+") ? text : "(" + text + ")";
    }

    boolean isZero() {
        return terms.isEmpty();
    }

    /** Not zero whatever the names stand for, as far as different names differ. */
    boolean isNeverZero() {
        return !terms.isEmpty() && terms.keySet().stream()
                .noneMatch(k -> k.stream().anyMatch(n -> n.contains("/") || n.contains(".")));
    }

    private static int order(List<String> a, List<String> b) {
        return String.join("*", a).compareTo(String.join("*", b));
    }

    @Override
    public String toString() {
        if (terms.isEmpty()) {
            return "0";
        }
        Map<List<String>, Long> sorted = new TreeMap<>(Polynomial::order);
        sorted.putAll(terms);
        StringBuilder text = new StringBuilder();
        List<Map.Entry<List<String>, Long>> entries = new ArrayList<>(sorted.entrySet());
        Collections.rotate(entries, sorted.containsKey(List.<String>of()) ? -1 : 0);
        for (var entry : entries) {
            long factor = entry.getValue();
            String names = String.join(" * ", entry.getKey());
            if (!text.isEmpty()) {
                text.append(factor < 0 ? " - " : " + ");
                factor = Math.abs(factor);
            }
            if (names.isEmpty()) {
                text.append(factor);
            } else {
                text.append(factor == 1 ? "" : factor == -1 ? "-" : factor + " * ").append(names);
            }
        }
        return text.toString();
    }
}
