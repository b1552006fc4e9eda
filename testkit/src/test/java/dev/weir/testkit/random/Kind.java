package dev.weir.testkit.random;

/** What a step of a recipe can be, with where it can stand. */
enum Kind {
    POINTWISE, REDUCE, CONTRACT, SOFTMAX, GATHER, CONDITION, SELECT, TOP_K, TRACE, SCATTER, NARROW,
    LOOP,
    /** Where there is a stream, or the entrants of a gate. */
    SHIFT, STREAM_REDUCE, ATTEND, STREAM_GATHER, TOTAL, CALL, GATE,
    /** Where there is a stream, and no loop that sequences leave at different times. */
    APPEND, CARRY,
    /** Inside functions. */
    IF, ROUTE, NESTED_CALL
}
