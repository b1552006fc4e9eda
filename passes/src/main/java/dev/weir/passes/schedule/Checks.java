package dev.weir.passes.schedule;

import java.util.ArrayList;
import java.util.List;

/** The checks that kernels make on data, as texts for the user; a fault names one by its place. */
final class Checks {
    private final List<String> texts = new ArrayList<>();

    int code(String text) {
        int known = texts.indexOf(text);
        if (known >= 0) {
            return known;
        }
        texts.add(text);
        return texts.size() - 1;
    }

    List<String> texts() {
        return texts;
    }
}
