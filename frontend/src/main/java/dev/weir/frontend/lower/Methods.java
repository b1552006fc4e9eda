package dev.weir.frontend.lower;

import dev.weir.frontend.syntax.Declaration;
import dev.weir.frontend.syntax.Expression;
import dev.weir.ir.diagnostic.Diagnostic;
import dev.weir.ir.tensor.Region;
import dev.weir.ir.tensor.Value;
import dev.weir.ir.type.Format;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Set;

/** Lowers a method from its signature to its results. */
final class Methods {
    private final Body body;

    Methods(Body body) {
        this.body = body;
    }

    /** The region of a method; arguments that the scope already knows are constants. */
    Region lower(Declaration.Signature signature, Declaration.Body source, Scope scope) {
        List<Value> arguments = new ArrayList<>();
        for (Declaration.Formal formal : signature.formals()) {
            if (scope.find(formal.name()).filter(m -> isBoundConstant(m, formal)).isPresent()) {
                continue;
            }
            List<Dimension> shape = body.evaluator.dimensions(formal.axes(), scope);
            Format format = Formats.declared(formal.type());
            checkType(formal);
            Value value = body.newValue(argumentName(formal), format, shape);
            arguments.add(value);
            boolean isTwice = scope.own().containsKey(formal.name());
            if (isTwice) {
                body.session.report(Diagnostic.error("E0201", formal.span(),
                        "`" + formal.name() + "` is there twice"));
            }
            scope.define(formal.name(), isTwice ? new Meaning.Poison()
                    : body.stored(value, shape, formal.span()));
        }
        Set<String> results = new HashSet<>();
        for (Declaration.Formal result : signature.results()) {
            checkType(result);
            if (!results.add(result.name())) {
                body.session.report(Diagnostic.error("E0201", result.span(),
                        "two results are called `" + result.name() + "`"));
            }
            body.statements.declare(result.name(), new Statements.Declared(
                    body.evaluator.dimensions(result.axes(), scope),
                    Formats.declared(result.type()), result.span()));
        }
        Scope inner = scope.inner();
        boolean isExpression = source.expression().isPresent();
        if (isExpression) {
            body.statements.results(signature, source.expression().get(), inner);
        } else {
            body.willAppend(source.statements());
            body.statements.all(source.statements(), inner);
            body.frame.states().checkAppended(body, signature.span());
        }
        List<Value> given = new ArrayList<>();
        for (Declaration.Formal result : signature.results()) {
            given.add(result(result, inner));
        }
        return new Region(arguments, body.closeRegion(), given);
    }

    /** {@code pos[T]: int = positions} comes from the runtime, which knows it by that name. */
    private static String argumentName(Declaration.Formal formal) {
        return isPositions(formal) ? "positions" : formal.name();
    }

    static boolean isPositions(Declaration.Formal formal) {
        return formal.value().orElse(null) instanceof Expression.Name n
                && n.name().equals("positions");
    }

    private static boolean isBoundConstant(Meaning meaning, Declaration.Formal formal) {
        return formal.axes().isEmpty() && (meaning instanceof Meaning.Real
                || meaning instanceof Meaning.Whole || meaning instanceof Meaning.Truth
                || meaning instanceof Meaning.Unknown || meaning instanceof Meaning.Closure
                || meaning instanceof Meaning.FunctionReference);
    }

    private void checkType(Declaration.Formal formal) {
        if (formal.type().isEmpty() || Formats.calculated(formal.type().get()).isPresent()) {
            return;
        }
        String word = formal.type().get();
        boolean isFormat = Formats.named(word).isPresent() || Formats.isPlanned(word);
        body.session.report(isFormat
                ? Diagnostic.error("E0601", formal.span(),
                                "`" + word + "` is a format in which numbers are kept, and no type")
                        .helped("arguments and results are float, int or bool; how weights, states "
                                + "and named values are kept stands in `precision { … }`")
                : Diagnostic.error("E0601", formal.span(), "there is no type `" + word + "`")
                        .helped("types are float, int and bool"));
    }

    private Value result(Declaration.Formal formal, Scope scope) {
        Statements.Declared declared = body.statements.declared(formal.name()).orElseThrow();
        Meaning meaning = scope.find(formal.name())
                .filter(m -> scope.own().containsKey(formal.name())
                        || m instanceof Meaning.Tensor)
                .orElse(null);
        if (meaning == null) {
            Diagnostic missing = Diagnostic.error("E0204", formal.span(),
                    "the result `" + formal.name() + "` gets no value");
            body.session.report(missing.helped(scope.halfAssigned(formal.name())
                    .map(half -> "it " + half.what + ": " + half.help)
                    .orElse("assign it: `" + formal.name() + " = …`")));
        }
        if (meaning == null || meaning instanceof Meaning.Poison) {
            return body.newValue(formal.name(), declared.format(), declared.shape());
        }
        Meaning.Tensor tensor = body.evaluator.tensor(meaning, formal.span());
        body.statements.checkDeclared(formal.name(), declared, tensor, tensor.span());
        return body.materialise(tensor, formal.name(), formal.span());
    }
}
