package dev.weir.frontend.lower;

import dev.weir.ir.type.Format;
import dev.weir.ir.type.Quantisation;
import java.util.Optional;
import java.util.OptionalLong;

/**
 * How elements are kept: in a format, or as codes with scales.
 *
 * @param format what an element is when it is read
 * @param quantisation how it is kept, if not in that format
 */
record Encoding(Format format, Optional<Quantisation> quantisation) {

    static Encoding of(Format format) {
        return new Encoding(format, Optional.empty());
    }

    static Encoding of(Quantisation quantisation) {
        return new Encoding(Format.F32, Optional.of(quantisation));
    }

    /** {@code int8}, {@code int4} or {@code int2}, with one scale for the last axis. */
    static Optional<Encoding> quantised(String word) {
        return Quantisation.bits(word).map(bits ->
                Encoding.of(new Quantisation(bits, OptionalLong.empty(), false)));
    }

    /** What users write. */
    String word() {
        return quantisation.map(Quantisation::toString).orElseGet(format::word);
    }
}
