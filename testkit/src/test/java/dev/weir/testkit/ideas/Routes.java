package dev.weir.testkit.ideas;

import java.util.ArrayList;
import java.util.List;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/** Programs whose route is written out: a loop over the blocks, each for those that chose it. */
final class Routes {
    private static final Pattern ROUTE = Pattern.compile("route (\\w+) to (\\w+) by top\\(");
    private static final Pattern SHORT_BODY = Pattern.compile("( *forward\\(.*\\) -> .*\\]) = $");

    private Routes() {}

    /**
     * The only route of a program, one block after the other. From
     *
     * <pre>y = route x to experts by top(K, p, weights: w, normalize: true)</pre>
     *
     * <p>comes a loop over {@code experts} with an {@code if} around each call, weighted by hand.
     *
     * @param count how many blocks the list has
     * @param width of what they give
     */
    static String oneByOne(String text, String count, String width) {
        Matcher route = ROUTE.matcher(text);
        if (!route.find()) {
            throw new IllegalArgumentException("there is no route");
        }
        int end = closing(text, route.end());
        List<String> arguments = arguments(text.substring(route.end(), end));
        String scores = arguments.get(1);
        String weights = "route_scores";
        boolean normalized = false;
        for (String named : arguments.subList(2, arguments.size())) {
            String value = named.substring(named.indexOf(": ") + 2);
            weights = named.startsWith("weights: ") ? value : weights;
            normalized |= named.startsWith("normalize: ") && value.equals("true");
        }
        String loop = """
                        route_scores = %s
                        _, route_chosen = top(%s, route_scores)
                        route_total = sum[j] %s[route_chosen[j]]
                        routed[o in 0..%s] = 0.0
                        for e in 0..%s {
                            if any[j] (route_chosen[j] == e) {
                                routed = routed + %s[e]%s * %s[e](%s)
                            }
                        }
                """.formatted(scores, arguments.getFirst(), weights, width, count, weights,
                normalized ? " / route_total" : "", route.group(2), route.group(1));
        if (!normalized) {
            loop = loop.replaceFirst(" *route_total = .*\n", "");
        }
        int line = text.lastIndexOf('\n', route.start()) + 1;
        String before = text.substring(line, route.start());
        Matcher body = SHORT_BODY.matcher(before);
        if (body.matches()) {
            return text.substring(0, line) + body.group(1) + " {\n" + loop
                    + "        y = routed\n    }" + text.substring(end + 1);
        }
        return text.substring(0, line) + loop + before + "routed" + text.substring(end + 1);
    }

    /** Where the bracket closes that was opened in front of a place. */
    private static int closing(String text, int from) {
        int depth = 1;
        for (int i = from; ; i++) {
            depth += text.charAt(i) == '(' ? 1 : text.charAt(i) == ')' ? -1 : 0;
            if (depth == 0) {
                return i;
            }
        }
    }

    /** What stands between commas that are in no brackets. */
    private static List<String> arguments(String text) {
        List<String> arguments = new ArrayList<>();
        int depth = 0;
        int from = 0;
        for (int i = 0; i < text.length(); i++) {
            char c = text.charAt(i);
            depth += c == '(' || c == '[' ? 1 : c == ')' || c == ']' ? -1 : 0;
            if (c == ',' && depth == 0) {
                arguments.add(text.substring(from, i).strip());
                from = i + 1;
            }
        }
        arguments.add(text.substring(from).strip());
        return arguments;
    }
}
