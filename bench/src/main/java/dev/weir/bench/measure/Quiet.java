package dev.weir.bench.measure;

import com.sun.management.OperatingSystemMXBean;
import java.lang.management.ManagementFactory;

/**
 * Waits until nobody in this process computes: threads of an engine that has had its turn may spin
 * for a while, and would take cores from the next one.
 */
final class Quiet {
    private static final OperatingSystemMXBean SYSTEM =
            ManagementFactory.getPlatformMXBean(OperatingSystemMXBean.class);
    private static final long STEP_MILLIS = 4;
    private static final double MOST_SHARE = 0.25;
    private static final int MOST_STEPS = 250;

    private Quiet() {}

    /**
     * Returns as soon as the process used less than a quarter of a core for some milliseconds.
     *
     * @return whether it became quiet within a second
     */
    static boolean await() {
        for (int i = 0; i < MOST_STEPS; i++) {
            long wall = System.nanoTime();
            long used = SYSTEM.getProcessCpuTime();
            try {
                Thread.sleep(STEP_MILLIS);
            } catch (InterruptedException e) {
                Thread.currentThread().interrupt();
                return false;
            }
            long busy = SYSTEM.getProcessCpuTime() - used;
            if (busy < MOST_SHARE * (System.nanoTime() - wall)) {
                return true;
            }
        }
        return false;
    }
}
