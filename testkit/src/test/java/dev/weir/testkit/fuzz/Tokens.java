package dev.weir.testkit.fuzz;

import java.util.List;
import java.util.regex.MatchResult;
import java.util.regex.Pattern;

/** Cuts any text, also one that is no program, into pieces that together are the text. */
final class Tokens {
    private static final Pattern TOKEN = Pattern.compile(
            "\\s+|//[^\\n]*|\\d+\\.\\d+(?:e-?\\d+)?|\\w+|\"[^\"\\n]*\"|\\.\\.|->|\\+\\+=|[-+*/<>=!]="
                    + "|\\+\\+|.",
            Pattern.DOTALL);

    private Tokens() {}

    static List<String> of(String text) {
        return TOKEN.matcher(text).results().map(MatchResult::group).toList();
    }
}
