package dev.weir.testkit.random;

/** What a step of a recipe can be, with where it can stand and how often it is drawn there. */
enum Kind {
    POINTWISE(5, Needs.NOTHING),
    ELEMENTARY(12, Needs.NOTHING),
    WHOLE(8, Needs.NOTHING),
    LOGIC(5, Needs.NOTHING),
    REDUCE(8, Needs.NOTHING),
    CONTRACT(3, Needs.NOTHING),
    CODES(3, Needs.NOTHING),
    SOFTMAX(3, Needs.NOTHING),
    DERIVED(18, Needs.NOTHING),
    GATHER(3, Needs.NOTHING),
    CONDITION(2, Needs.NOTHING),
    SELECT(2, Needs.NOTHING),
    TOP_K(2, Needs.NOTHING),
    TRACE(2, Needs.NOTHING),
    SCATTER(3, Needs.NOTHING),
    NARROW(3, Needs.NOTHING),
    RANGE(6, Needs.NOTHING),
    LOOP(4, Needs.NO_LOOP),
    SHIFT(5, Needs.STREAM),
    STREAM_REDUCE(2, Needs.STREAM),
    ATTEND(6, Needs.STREAM),
    STREAM_GATHER(2, Needs.STREAM),
    TOTAL(2, Needs.STREAM),
    SELECTED(6, Needs.STREAM),
    CALL(10, Needs.STREAM),
    GATE(4, Needs.STREAM),
    APPEND(3, Needs.MEMORY),
    FILL(3, Needs.MEMORY),
    CARRY(3, Needs.MEMORY),
    SCAN(4, Needs.MEMORY),
    IF(12, Needs.NOTHING),
    ROUTE(12, Needs.NOTHING),
    /** Of a function of what the present one is about: a token, or all rows. */
    NESTED_CALL(4, Needs.NOTHING);

    /** What a place has to offer. */
    private enum Needs {
        NOTHING,
        /** No loop around it. */
        NO_LOOP,
        /** A stream, or the entrants of a gate. */
        STREAM,
        /** A stream, and no loop that sequences leave at different times. */
        MEMORY
    }

    /** A place where a step can stand. */
    record Place(boolean stream, boolean memory, boolean loop) {
        /** The place inside a step of a kind. */
        Place inside(Kind kind) {
            return switch (kind) {
                case CALL -> new Place(false, false, false);
                case NESTED_CALL, ROUTE -> new Place(stream, false, false);
                case LOOP -> new Place(stream, memory, true);
                case SCAN -> new Place(false, false, true);
                default -> this;
            };
        }
    }

    private final int weight;
    private final Needs needs;

    Kind(int weight, Needs needs) {
        this.weight = weight;
        this.needs = needs;
    }

    /** How often it is drawn at a place, in proportion to the others. */
    int weight(Place place) {
        boolean possible = switch (needs) {
            case NOTHING -> true;
            case NO_LOOP -> !place.loop;
            case STREAM -> place.stream;
            case MEMORY -> place.stream && place.memory;
        };
        // Decisions for all rows together are dear to run, and rarer than those for a token.
        boolean whole = place.stream && (this == IF || this == ROUTE);
        // Only where there are instances is there something to derive for each.
        boolean one = this == DERIVED && place.stream && !place.loop;
        return !possible ? 0 : one ? 1 : whole ? weight / 3 : weight;
    }

    /** Whether the steps inside of one of this kind mean something. */
    boolean hasInner() {
        return switch (this) {
            case LOOP, CALL, GATE, IF, ROUTE, NESTED_CALL, SCAN -> true;
            default -> false;
        };
    }
}
