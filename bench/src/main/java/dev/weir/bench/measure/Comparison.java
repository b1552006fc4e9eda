package dev.weir.bench.measure;

import java.util.Optional;

/**
 * Who is to be compared with whom.
 *
 * @param own name of a contestant
 * @param other name of the one that it is compared with; the fastest peer if empty
 * @param wanted least quotient that is aimed at: {@code other}'s time by {@code own}'s; 0
 *     if nothing is aimed at
 */
public record Comparison(String own, Optional<String> other, double wanted) {

    /** With whichever peer turns out to be the fastest. */
    public static Comparison withFastestPeer(String own, double wanted) {
        return new Comparison(own, Optional.empty(), wanted);
    }

    /** With another contestant. */
    public static Comparison with(String own, String other, double wanted) {
        return new Comparison(own, Optional.of(other), wanted);
    }
}
