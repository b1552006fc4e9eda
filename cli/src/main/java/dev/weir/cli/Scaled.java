package dev.weir.cli;

import java.util.Locale;

/** Amounts for people, in the unit that leaves few digits. */
final class Scaled {
    private Scaled() {}

    static String bytes(double bytes) {
        return of(bytes, 1024, "B", "KiB", "MiB", "GiB", "TiB");
    }

    static String count(double count) {
        return of(count, 1000, "", "K", "M", "G", "T");
    }

    static String seconds(double seconds) {
        return of(seconds * 1e9, 1000, "ns", "µs", "ms", "s");
    }

    static String ratio(double ratio) {
        return String.format(Locale.ROOT, "%.2f×", ratio);
    }

    static String share(double share) {
        return String.format(Locale.ROOT, "%.0f%%", 100 * share);
    }

    private static String of(double amount, double step, String... units) {
        double scaled = amount;
        int unit = 0;
        while (Math.abs(scaled) >= step && unit + 1 < units.length) {
            scaled /= step;
            unit++;
        }
        String digits = unit == 0 && scaled == Math.rint(scaled) ? "%.0f" : "%.2f";
        return (String.format(Locale.ROOT, digits, scaled) + " " + units[unit]).strip();
    }
}
