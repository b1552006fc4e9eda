package dev.weir.ir.type;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.Optional;
import java.util.OptionalLong;
import org.junit.jupiter.api.Test;

class QuantisationTest {
    private static Quantisation of(int bits, boolean zeroPoint) {
        return new Quantisation(bits, OptionalLong.empty(), zeroPoint);
    }

    @Test
    void symmetricCodesAreMultiplesOfWhatTheLargestNeeds() {
        Quantisation.Group group = of(4, false).round(new double[] {-3.5, 0, 0.24, 0.26, 1.75});
        assertEquals(0.5f, group.scale());
        assertEquals(0, group.zero());
        assertArrayEquals(new int[] {-7, 0, 0, 1, 4}, group.codes());
        assertEquals(-3.5f, group.value(0));
    }

    @Test
    void zeroPointsShiftTheCodesOverWhatIsThere() {
        double[] values = new double[16];
        for (int i = 0; i < 16; i++) {
            values[i] = 0.25 * i;
        }
        Quantisation.Group group = of(4, true).round(values);
        assertEquals(0.25f, group.scale());
        for (int i = 0; i < 16; i++) {
            assertEquals(values[i], group.value(i));
        }
        Quantisation.Group below = of(8, true).round(new double[] {-2.55, -1, 0});
        assertEquals(127, below.zero());
        assertEquals(0f, below.value(2));
        assertArrayEquals(new int[] {-128, 27, 127}, below.codes());
    }

    @Test
    void zerosStayZerosAndWhatIsNoNumberStaysNone() {
        assertEquals(0f, of(8, false).round(new double[] {0, -0.0}).value(1));
        assertEquals(0f, of(8, true).round(new double[] {0, 0}).value(0));
        assertTrue(Float.isNaN(of(4, false).round(new double[] {1, Double.NaN}).value(0)));
    }

    @Test
    void rowsArePackedInWholeBytes() {
        Quantisation four = new Quantisation(4, OptionalLong.of(32), false);
        assertEquals(19, four.codeBytes(37));
        assertEquals(2, four.groups(37));
        assertEquals(8, four.group(8));
        assertEquals(1, of(2, false).groups(1000));
        assertEquals(250, of(2, false).codeBytes(1000));
    }

    @Test
    void whatIsWrittenCanBeRead() {
        for (String text : new String[] {
            "int8", "int4(group: 32)", "int2(zero_point: true)",
            "int4(group: 128, zero_point: true)"}) {
            assertEquals(Optional.of(text), Quantisation.parse(text).map(Quantisation::toString));
        }
        for (String text : new String[] {
            "int3", "int4(group: 0)", "int8(", "int4(group: 99999999999999999999)"}) {
            assertEquals(Optional.empty(), Quantisation.parse(text));
        }
    }
}
