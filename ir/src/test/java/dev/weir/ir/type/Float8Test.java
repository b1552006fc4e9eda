package dev.weir.ir.type;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.function.Function;
import org.junit.jupiter.api.Test;

/** One-byte floats against the tables of the OFP8 specification, and against all neighbours. */
class Float8Test {

    @Test
    void e4m3HasTheNumbersOfTheSpecification() {
        assertEquals(448f, Float8.e4m3ToFloat((byte) 0x7E));
        assertEquals(0x1p-6f, Float8.e4m3ToFloat((byte) 0x08));
        assertEquals(0x1.cp-7f, Float8.e4m3ToFloat((byte) 0x07));
        assertEquals(0x1p-9f, Float8.e4m3ToFloat((byte) 0x01));
        assertEquals(-1f, Float8.e4m3ToFloat((byte) 0xB8));
        assertTrue(Float.isNaN(Float8.e4m3ToFloat((byte) 0xFF)));
    }

    @Test
    void e5m2HasTheNumbersOfTheSpecification() {
        assertEquals(57344f, Float8.e5m2ToFloat((byte) 0x7B));
        assertEquals(0x1p-14f, Float8.e5m2ToFloat((byte) 0x04));
        assertEquals(0x1p-16f, Float8.e5m2ToFloat((byte) 0x01));
        assertEquals(Float.NEGATIVE_INFINITY, Float8.e5m2ToFloat((byte) 0xFC));
        assertTrue(Float.isNaN(Float8.e5m2ToFloat((byte) 0x7E)));
    }

    @Test
    void whatIsTooLargeBecomesTheLargestNumber() {
        assertEquals((byte) 0x7E, Float8.floatToE4m3(Float.POSITIVE_INFINITY));
        assertEquals((byte) 0xFE, Float8.floatToE4m3(-1e9f));
        assertEquals((byte) 0x7B, Float8.floatToE5m2(65000));
        assertTrue(Float.isNaN(Float8.e4m3ToFloat(Float8.floatToE4m3(Float.NaN))));
    }

    @Test
    void everyNumberIsRoundedToItsNearest() {
        nearest(0x7E, Float8::e4m3ToFloat, Float8::floatToE4m3);
        nearest(0x7B, Float8::e5m2ToFloat, Float8::floatToE5m2);
    }

    /** At each number, halfway to the next, and just beside that. */
    private static void nearest(
            int largest, Function<Byte, Float> widen, Function<Float, Byte> narrow) {
        for (int bits = 0; bits < largest; bits++) {
            float low = widen.apply((byte) bits);
            float high = widen.apply((byte) (bits + 1));
            float half = (low + high) / 2;
            assertEquals((byte) bits, narrow.apply(low));
            assertEquals((byte) (bits | 0x80), narrow.apply(-low));
            assertEquals((byte) (bits + (bits & 1)), narrow.apply(half));
            assertEquals((byte) bits, narrow.apply(Math.nextDown(half)));
            assertEquals((byte) (bits + 1), narrow.apply(Math.nextUp(half)));
        }
    }
}
