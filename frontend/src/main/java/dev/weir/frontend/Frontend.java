package dev.weir.frontend;

import dev.weir.frontend.format.Formatter;
import dev.weir.frontend.lower.KnownSizes;
import dev.weir.frontend.lower.ModelLowering;
import dev.weir.frontend.lower.TemplateCheck;
import dev.weir.frontend.parse.Parser;
import dev.weir.frontend.resolve.ModuleScope;
import dev.weir.frontend.resolve.Modules;
import dev.weir.frontend.resolve.Symbol;
import dev.weir.frontend.syntax.Declaration;
import dev.weir.frontend.syntax.Module;
import dev.weir.grammar.WeirParser;
import dev.weir.ir.diagnostic.Diagnostic;
import dev.weir.ir.diagnostic.Severity;
import dev.weir.ir.diagnostic.Source;
import dev.weir.ir.diagnostic.Span;
import dev.weir.ir.diagnostic.WeirException;
import dev.weir.ir.tensor.TensorProgram;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.TreeMap;

/** From source to tensor IR: parse, format, resolve, check, lower. Pure: no files, no console. */
public final class Frontend {
    /** A class of the grammar that sources are parsed by, whose place says which one that is. */
    public static final Class<?> GRAMMAR = WeirParser.class;

    private Frontend() {}

    /** Everything that can be said about a file without a configuration, in one run. */
    public static CheckResult check(Source source, SourceProvider sources) {
        List<Diagnostic> diagnostics = new ArrayList<>();
        guarded(source, diagnostics, () -> checked(source, sources, diagnostics));
        return new CheckResult(ordered(diagnostics));
    }

    /**
     * Everything that can be said about a file, in one run: its models are lowered too, as far as
     * their generics have values.
     *
     * @param configuration of the checkpoint that lies beside the file, if one does
     */
    public static CheckResult check(
            Source source, SourceProvider sources, Optional<Configuration> configuration) {
        List<Diagnostic> diagnostics = new ArrayList<>();
        guarded(source, diagnostics, () -> {
            ModuleScope module = checked(source, sources, diagnostics).orElseThrow();
            if (ModelLowering.isPossible(diagnostics)) {
                for (Symbol model : own(module)) {
                    diagnostics.addAll(lowered(model, configuration));
                }
            }
            return Optional.empty();
        });
        return new CheckResult(ordered(diagnostics));
    }

    /** What a model's lowering finds; nothing where only a configuration could tell. */
    private static List<Diagnostic> lowered(
            Symbol model, Optional<Configuration> configuration) {
        List<Diagnostic> found = new ArrayList<>();
        ModelLowering.lower(
                model, LowerOptions.of(configuration.orElseGet(Configuration::empty)), true,
                found, new TreeMap<>());
        List<Diagnostic> told = found.stream()
                .filter(d -> d.severity() == Severity.ERROR || LOWERED.contains(d.code()))
                .toList();
        boolean isOpen = configuration.isEmpty()
                && told.stream().anyMatch(d -> OPEN.contains(d.code()));
        return isOpen ? List.of() : told;
    }

    /** Warnings that lowering alone can give; others have been given before. */
    private static final Set<String> LOWERED = Set.of("W0204");

    /** What is said of a model that cannot be lowered without a configuration or settings. */
    private static final Set<String> OPEN = Set.of("E0702", "E0703");

    private static Optional<ModuleScope> checked(
            Source source, SourceProvider sources, List<Diagnostic> diagnostics) {
        ModuleScope module = Modules.load(source, sources, diagnostics::add);
        TemplateCheck.check(module, diagnostics);
        return Optional.of(module);
    }

    /** A source in the one style; what does not follow the grammar is left alone. */
    public static FormatResult format(Source source) {
        List<Diagnostic> diagnostics = new ArrayList<>();
        Optional<String> text = guarded(
                source, diagnostics, () -> Formatter.format(source, diagnostics::add));
        return new FormatResult(text, ordered(diagnostics));
    }

    /** The names of the models that a file defines, in its order. */
    public static List<String> models(Source source) {
        List<Diagnostic> ignored = new ArrayList<>();
        return guarded(source, ignored, () -> Optional.of(Parser.parse(source, ignored::add)))
                .map(Frontend::models).orElse(List.of());
    }

    private static List<String> models(Module module) {
        return module.declarations().stream()
                .filter(d -> d instanceof Declaration.Block b && b.isModel()
                        || d instanceof Declaration.Derived)
                .map(Declaration::name).toList();
    }

    /**
     * A model as tensor IR, not yet lifted: the entry that the options name. A file that defines no
     * model but imports one lowers the imported one.
     *
     * @throws WeirException with every error that was found
     */
    public static TensorProgram lower(
            Source source, SourceProvider sources, LowerOptions options) {
        return lowered(source, sources, options, false).getFirst();
    }

    /**
     * As {@link #lower}, all entries of a model; they have the same states and parameters. The one
     * that is meant where none is named comes first.
     *
     * @throws WeirException with every error that was found
     */
    public static List<TensorProgram> entries(
            Source source, SourceProvider sources, LowerOptions options) {
        return lowered(source, sources, options, true);
    }

    /**
     * How the parameters of a model are declared, by their paths: for messages about stored tensors
     * that do not fit. Parameters of equal paths have equal shapes.
     *
     * @throws WeirException with every error that was found
     */
    public static Map<String, NamedShape> parameterShapes(
            Source source, SourceProvider sources, LowerOptions options) {
        Map<String, NamedShape> shapes = new TreeMap<>();
        lowered(source, sources, options, true, shapes);
        return shapes;
    }

    private static List<TensorProgram> lowered(
            Source source, SourceProvider sources, LowerOptions options, boolean all) {
        return lowered(source, sources, options, all, new TreeMap<>());
    }

    private static List<TensorProgram> lowered(
            Source source, SourceProvider sources, LowerOptions options, boolean all,
            Map<String, NamedShape> shapes) {
        List<Diagnostic> diagnostics = new ArrayList<>();
        Optional<List<TensorProgram>> programs = guarded(source, diagnostics, () -> {
            ModuleScope module = checked(source, sources, diagnostics).orElseThrow();
            boolean isSound = ModelLowering.isPossible(diagnostics);
            Optional<Symbol> model = model(
                    source, module, options, isSound ? diagnostics : new ArrayList<>());
            if (!isSound) {
                model.ifPresent(m -> {
                    List<Diagnostic> told =
                            KnownSizes.told(m, options, List.copyOf(diagnostics));
                    diagnostics.clear();
                    diagnostics.addAll(told);
                });
                return Optional.empty();
            }
            List<Diagnostic> found = new ArrayList<>();
            Optional<List<TensorProgram>> lowered =
                    model.flatMap(m -> ModelLowering.lower(m, options, all, found, shapes));
            diagnostics.addAll(found);
            return lowered;
        });
        if (programs.isEmpty() || hasErrors(diagnostics)) {
            throw new WeirException(ordered(diagnostics).stream()
                    .filter(d -> d.severity() == Severity.ERROR).toList());
        }
        return programs.get();
    }

    private static boolean hasErrors(List<Diagnostic> diagnostics) {
        return diagnostics.stream().anyMatch(d -> d.severity() == Severity.ERROR);
    }

    private static Optional<Symbol> model(
            Source source,
            ModuleScope module,
            LowerOptions options,
            List<Diagnostic> diagnostics) {
        List<Symbol> own = own(module);
        List<Symbol> all = own.isEmpty()
                ? module.names().values().stream().filter(Frontend::isModel).toList() : own;
        Optional<Symbol> found = options.model().isPresent()
                ? module.find(options.model().get()).filter(Frontend::isModel)
                : all.isEmpty() ? Optional.empty() : Optional.of(all.getLast());
        if (found.isEmpty()) {
            Diagnostic missing = Diagnostic.error("E0704", new Span(source, 0, 0),
                    options.model().map(m -> "there is no model `" + m + "`")
                            .orElse("this file defines no model"));
            diagnostics.add(all.isEmpty() ? missing : missing.helped("it has "
                    + String.join(", ", all.stream().map(s -> s.declaration().name()).toList())));
            return found;
        }
        return found;
    }

    private static List<Symbol> own(ModuleScope module) {
        return module.module().declarations().stream()
                .map(d -> module.find(d.name()).orElseThrow())
                .filter(Frontend::isModel).toList();
    }

    private static boolean isModel(Symbol symbol) {
        return symbol.declaration() instanceof Declaration.Block b && b.isModel()
                || symbol.declaration() instanceof Declaration.Derived;
    }

    private interface Phase<R> {
        Optional<R> run();
    }

    /** Input that is too deep even for the limits of the parser gives a diagnostic. */
    private static <R> Optional<R> guarded(
            Source source, List<Diagnostic> diagnostics, Phase<R> phase) {
        try {
            return phase.run();
        } catch (StackOverflowError tooDeep) {
            diagnostics.add(Diagnostic.error("E0104", new Span(source, 0, 0),
                            "this is nested too deeply")
                    .helped("name a part of an expression and use the name"));
            return Optional.empty();
        }
    }

    private static List<Diagnostic> ordered(List<Diagnostic> diagnostics) {
        return diagnostics.stream().distinct()
                .sorted(Comparator.comparing((Diagnostic d) -> d.primary().source().name())
                        .thenComparing(d -> d.primary().start())).toList();
    }
}
