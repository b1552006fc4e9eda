package dev.weir.frontend.syntax;

import dev.weir.ir.diagnostic.Source;
import dev.weir.ir.diagnostic.Span;
import java.util.List;

/** One source file. */
public record Module(Source source, List<Import> imports, List<Declaration> declarations) {
    public Module {
        imports = List.copyOf(imports);
        declarations = List.copyOf(declarations);
    }

    /** {@code import library.part { Block as A }}; no names for all that it defines. */
    public record Import(String path, List<Imported> names, Span span) {
        public Import {
            names = List.copyOf(names);
        }
    }

    public record Imported(String name, String alias, Span span) {}
}
