package dev.weir.frontend.resolve;

import dev.weir.frontend.syntax.Declaration;

/** A declaration, and the module whose names it sees. */
public record Symbol(Declaration declaration, ModuleScope module) {}
