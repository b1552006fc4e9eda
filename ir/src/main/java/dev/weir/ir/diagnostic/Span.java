package dev.weir.ir.diagnostic;

/**
 * A stretch of a source text: the characters from {@code start} up to but not including {@code
 * end}.
 *
 * @param source where the stretch lies
 * @param start offset of the first character
 * @param end offset behind the last character
 */
public record Span(Source source, int start, int end) {

    /** Stands for what no user wrote: a node made by a pass or built in a test. */
    public static final Span NONE = new Span(new Source("<generated>", ""), 0, 0);

    public Span {
        if (start < 0 || end < start) {
            throw new IllegalArgumentException("span " + start + ".." + end);
        }
    }

    public Span to(Span other) {
        return new Span(source, Math.min(start, other.start), Math.max(end, other.end));
    }

    /** Whether another stretch lies in this one. */
    public boolean contains(Span other) {
        return source.equals(other.source) && start <= other.start && other.end <= end;
    }

    public String text() {
        return source.text().substring(start, Math.min(end, source.text().length()));
    }

    /** {@code file:line:column}, as editors understand it. */
    public String location() {
        return source.name() + position();
    }

    /** The same without folders: a name of what stands there, however the file was reached. */
    public String place() {
        String name = source.name();
        return name.substring(1 + Math.max(name.lastIndexOf('/'), name.lastIndexOf('\\')))
                + position();
    }

    private String position() {
        Source.Position position = source.position(start);
        return ":" + position.line() + ":" + position.column();
    }
}
