package dev.weir.frontend.lower;

import dev.weir.frontend.resolve.Symbol;
import dev.weir.frontend.syntax.Declaration;
import dev.weir.frontend.syntax.Expression;
import dev.weir.ir.diagnostic.Diagnostic;
import dev.weir.ir.diagnostic.Span;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.function.Supplier;

/**
 * Gives the generics and settings of a model their values: from the settings of the run, from
 * config.json, or from the program. A value of the wrong kind is told with where it comes from.
 */
final class ModelBindings {
    static final String SIZES = "a size is a whole number, and not negative";

    private final Session session;
    private final Declaration.Block block;
    private final Map<String, String> given;
    private final Scope scope;
    private final Body constants;
    private final Map<String, Meaning> bindings = new LinkedHashMap<>();
    private final Map<String, SizeOrigin> origins = new LinkedHashMap<>();

    /**
     * @param given values that the run sets, by name
     */
    ModelBindings(Session session, Symbol model, Map<String, String> given) {
        this.session = session;
        this.block = (Declaration.Block) model.declaration();
        this.given = given;
        this.scope = Scope.of(model.module());
        this.constants = new Body(session, Frame.ofFunction(session, scope, Precision.none()));
    }

    /** The model with what its generics and settings stand for. */
    Template.Concrete bound() {
        session.open(scope);
        try {
            given.keySet().forEach(this::known);
            for (Declaration.Generic generic : block.generics()) {
                bind(generic.name(), generic.value(), () -> generic(generic));
            }
            for (Declaration.Setting setting : block.settings()) {
                bind(setting.name(), setting.value(), () -> setting(setting));
            }
        } finally {
            session.close();
        }
        if (session.hasErrors()) {
            throw new Failure();
        }
        return new Template.Concrete(block, scope.module(), bindings, Map.of(), origins);
    }

    /** What has no value is reported once, and not wherever it is used. */
    private void bind(String name, Optional<Expression> standard, Supplier<Meaning> found) {
        Meaning value;
        try {
            value = found.get();
        } catch (Failure reported) {
            value = new Meaning.Poison();
        }
        bindings.put(name, value);
        scope.define(name, value);
        if (value instanceof Meaning.Whole) {
            SizeOrigin origin = given.containsKey(name)
                    ? new SizeOrigin("from --set " + name + "=" + given.get(name))
                    : origin(standard.orElseThrow());
            origins.put(name, origin);
            scope.note(name, origin);
        }
    }

    private SizeOrigin origin(Expression value) {
        return session.variant().setter(value)
                .map(derived -> new SizeOrigins(constants).of(
                        value, scope, "set by `" + derived + "`"))
                .orElseGet(() -> new SizeOrigins(constants).of(value, scope, SizeOrigins.DEFAULT));
    }

    private void known(String name) {
        boolean known = block.generics().stream().anyMatch(g -> g.name().equals(name))
                || block.settings().stream().anyMatch(s -> s.name().equals(name));
        if (!known) {
            List<String> names = block.generics().stream()
                    .map(Declaration.Generic::name).toList();
            session.report(Diagnostic.error("E0703", block.span(),
                            "`" + block.name() + "` has no generic `" + name + "` to set")
                    .helped("it has " + String.join(", ", names)));
        }
    }

    private Meaning generic(Declaration.Generic generic) {
        if (generic.template().isPresent()) {
            return new Meaning.TemplateReference(
                    new Templates(constants).resolve(generic.template().get(), scope));
        }
        Meaning value = value(generic.name(), generic.value(), generic.span(), "E0703");
        if (value instanceof Meaning.TemplateReference) {
            return value;
        }
        Optional<Long> size = value instanceof Meaning.Whole whole
                ? whole.dimension().size().constant() : Optional.empty();
        if (size.isEmpty() || size.get() < 0) {
            throw wrong(generic.name(), generic.value(), generic.span(), "a size", value,
                    SIZES);
        }
        return value;
    }

    /** Whether a value is of the kind that a setting declares, as far as that is known. */
    static boolean fits(Declaration.Setting setting, Meaning value) {
        return value instanceof Meaning.Unknown || setting.function().isPresent()
                || switch (setting.type()) {
                    case "float" -> value instanceof Meaning.Real || value instanceof Meaning.Whole;
                    case "int" -> value instanceof Meaning.Whole;
                    case "bool" -> value instanceof Meaning.Truth;
                    default -> true;
                };
    }

    static String kind(Declaration.Setting setting) {
        return setting.type().equals("int") ? "an int" : "a " + setting.type();
    }

    static String advice(Declaration.Setting setting) {
        return "give it " + switch (setting.type()) {
            case "float" -> "a number";
            case "int" -> "a whole number";
            default -> "true or false";
        };
    }

    /** What to say of a value of the wrong kind that the program gives. */
    static Diagnostic unfit(
            String name, Expression given, Span declared, String wanted, Meaning value,
            String help, Session session) {
        return Diagnostic.error("E0703",
                        session.variant().setter(given).isPresent() ? given.span() : declared,
                        "`" + name + "` is " + wanted + ", and it is " + described(value))
                .helped(help);
    }

    private Meaning setting(Declaration.Setting setting) {
        Meaning value = value(setting.name(), setting.value(), setting.span(), "E0209");
        if (!fits(setting, value)) {
            throw wrong(setting.name(), setting.value(), setting.span(),
                    kind(setting), value, advice(setting));
        }
        return value;
    }

    private Meaning value(
            String name, Optional<Expression> standard, Span span, String missing) {
        if (given.containsKey(name)) {
            return parsed(given.get(name));
        }
        Expression expression = standard.orElseThrow(() -> session.fail(
                Diagnostic.error(missing, span,
                                "`" + name + "` has no default and no value was given")
                        .helped("give it one: --set " + name
                                + "=…, or a default from `config.…`")));
        return constants.evaluator.constant(expression, scope);
    }

    private static Meaning parsed(String text) {
        if (text.matches("-?\\d{1,18}")) {
            return new Meaning.Whole(Dimension.of(Long.parseLong(text)));
        }
        if (text.equals("true") || text.equals("false")) {
            return new Meaning.Truth(text.equals("true"));
        }
        try {
            return new Meaning.Real(Double.parseDouble(text));
        } catch (NumberFormatException notANumber) {
            return new Meaning.Text(text);
        }
    }

    private Failure wrong(
            String name, Optional<Expression> standard, Span span, String wanted, Meaning value,
            String help) {
        if (!given.containsKey(name)
                && standard.flatMap(s -> constants.evaluator.field(s, scope)).isEmpty()) {
            return session.fail(
                    unfit(name, standard.orElseThrow(), span, wanted, value, help, session));
        }
        Optional<String> field = standard.flatMap(s -> constants.evaluator.field(s, scope));
        String origin = given.containsKey(name) ? "--set gives it"
                : "`" + field.orElseThrow() + "` in config.json is";
        String shown = given.containsKey(name) ? given.get(name)
                : field.flatMap(session.configuration()::field).map(Object::toString)
                        .orElseGet(() -> described(value));
        return session.fail(Diagnostic.error("E0703", span,
                        "`" + name + "` is " + wanted + ", and " + origin + " " + shown)
                .helped(help));
    }

    private static String described(Meaning value) {
        return switch (value) {
            case Meaning.Whole w -> w.dimension().describe();
            case Meaning.Real r -> String.valueOf(r.value());
            case Meaning.Truth t -> String.valueOf(t.value());
            case Meaning.Text t -> "\"" + t.value() + "\"";
            default -> "not known when the model is compiled";
        };
    }
}
