package dev.weir.cli;

import dev.weir.runtime.tokenize.Tokenizer;
import java.util.ArrayList;
import java.util.List;
import java.util.function.Consumer;

/** Shows text as its tokens arrive; holds back what may still be half of a character. */
final class TextStream {
    private final Tokenizer tokenizer;
    private final List<Long> ids;
    private final Consumer<String> out;
    private String shown = "";

    TextStream(Tokenizer tokenizer, List<Long> prompt, Consumer<String> out) {
        this.tokenizer = tokenizer;
        this.ids = new ArrayList<>(prompt);
        this.out = out;
    }

    /** Shows the prompt. */
    void begin() {
        show(tokenizer.decode(ids));
    }

    void next(long id) {
        ids.add(id);
        String text = tokenizer.decode(ids);
        if (!text.endsWith("\uFFFD")) {
            show(text);
        }
    }

    private void show(String text) {
        if (text.startsWith(shown)) {
            out.accept(text.substring(shown.length()));
            shown = text;
        }
    }

    /** Shows what was held back; gives the whole text. */
    String finish() {
        String text = tokenizer.decode(ids);
        show(text);
        return text;
    }
}
