package dev.weir.frontend.syntax;

import dev.weir.ir.diagnostic.Source;
import dev.weir.ir.diagnostic.Span;
import java.util.List;
import java.util.Set;

/**
 * One source file.
 *
 * @param broken the names of declarations and methods in which there is an error of syntax; what
 *     has been made of them is not to be judged. An error inside a method leaves its block whole
 * @param lost names that are declared where nothing could be made of the text
 */
public record Module(
        Source source,
        List<Import> imports,
        List<Declaration> declarations,
        Set<Span> broken,
        Set<String> lost) {
    public Module {
        imports = List.copyOf(imports);
        declarations = List.copyOf(declarations);
        broken = Set.copyOf(broken);
        lost = Set.copyOf(lost);
    }

    /** A file of which nothing could be made. */
    public static Module empty(Source source) {
        return new Module(source, List.of(), List.of(), Set.of(), Set.of());
    }

    /** {@code import library.part { Block as A }}; no names for all that it defines. */
    public record Import(String path, List<Imported> names, Span span) {
        public Import {
            names = List.copyOf(names);
        }
    }

    public record Imported(String name, String alias, Span span) {}
}
