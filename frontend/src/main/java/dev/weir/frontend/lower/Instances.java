package dev.weir.frontend.lower;

import dev.weir.frontend.resolve.Symbol;
import dev.weir.frontend.syntax.Declaration;
import dev.weir.ir.diagnostic.Span;
import dev.weir.ir.tensor.Function;
import dev.weir.ir.tensor.Region;
import java.util.Map;
import java.util.stream.Collectors;

/**
 * Makes the IR function of a block at its place, or of a function at its sizes, once for all calls
 * that need the same one.
 */
final class Instances {
    private final Session session;

    Instances(Session session) {
        this.session = session;
    }

    /** The function that all instances at a place run. */
    String block(
            Template.Concrete template,
            String method,
            Place place,
            Map<String, Dimension> implicit,
            Precision precision,
            Span span) {
        boolean isForward = method.equals(BlockCalls.FORWARD);
        String path = isForward ? place.path() : Place.join(place.path(), method);
        String key = path + sizes(implicit);
        Function known = session.program().functions.get(key);
        if (known != null) {
            return known.name();
        }
        session.enter(span);
        try {
            Frame frame = Frame.ofBlock(session, template, place, precision);
            Body body = new Body(session, frame);
            frame.declareParameters(body);
            Scope scope = frame.scope().inner();
            implicit.forEach((name, size) ->
                    scope.define(name, new Meaning.Whole(size.renamed(name))));
            session.hand(implicit, scope);
            Declaration.Method source =
                    template.declaration().method(method).orElseThrow(Failure::new);
            Region region = lower(source.signature(), source.body(), body, scope);
            String name = session.functionName(path.isEmpty() ? BlockCalls.FORWARD : path);
            session.program().functions.put(key,
                    new Function(name, place.path(), frame.instances(), region));
            return name;
        } finally {
            session.leave();
        }
    }

    /** A function with axes, at the sizes of a call. */
    String function(
            Symbol symbol,
            Declaration.Function declaration,
            Map<String, Dimension> implicit,
            Map<String, Meaning> constants,
            Precision precision,
            Span span) {
        String key = "fn " + declaration.span().location() + sizes(implicit) + constants
                + precision;
        Function known = session.program().functions.get(key);
        if (known != null) {
            return known.name();
        }
        session.enter(span);
        try {
            Scope scope = Scope.of(symbol.module());
            implicit.forEach((name, size) ->
                    scope.define(name, new Meaning.Whole(size.renamed(name))));
            constants.forEach(scope::define);
            session.hand(implicit, scope);
            Frame frame = Frame.ofFunction(session, scope, precision);
            Body body = new Body(session, frame);
            Region region = lower(
                    declaration.signature(), declaration.body(), body, scope.inner());
            String name = session.functionName(declaration.name());
            session.program().functions.put(key,
                    new Function(name, "", frame.instances(), region));
            return name;
        } finally {
            session.leave();
        }
    }

    private Region lower(
            Declaration.Signature signature, Declaration.Body source, Body body, Scope scope) {
        session.open(scope);
        try {
            return new Methods(body).lower(signature, source, scope);
        } finally {
            session.close();
        }
    }

    private static String sizes(Map<String, Dimension> implicit) {
        return implicit.entrySet().stream()
                .map(e -> e.getKey() + "=" + e.getValue().size())
                .collect(Collectors.joining(",", "<", ">"));
    }
}
