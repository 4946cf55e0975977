// SPDX-License-Identifier: Apache-2.0
// Meter: runs one appraisal often enough for the compiler of the JVM to have seen everything, then measures it: CPU time of all
// Java threads. Prints samples as microseconds, one a line, then "note" with the mean of the whole process (collector and compiler, too),
// then "peak KiB".
import com.sun.management.OperatingSystemMXBean;
import java.lang.management.ManagementFactory;
import java.lang.management.ThreadMXBean;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.concurrent.Callable;

final class Meter {
    private static final int FIRST = 3000;
    private static final ThreadMXBean THREADS = ManagementFactory.getThreadMXBean();

    private Meter() {}

    private static long cpuTime() {
        long sum = 0;
        for (long id : THREADS.getAllThreadIds()) {
            sum += Math.max(0, THREADS.getThreadCpuTime(id)); // -1: it has ended since
        }
        return sum;
    }

    private static long peak() throws Exception {
        for (String line : Files.readAllLines(Path.of("/proc/self/status"))) {
            if (line.startsWith("VmHWM:")) {
                return Long.parseLong(line.replaceAll("[^0-9]", ""));
            }
        }
        return 0;
    }

    /** once throws where the verdict is not an acceptance. */
    static void run(Callable<?> once, int samples) throws Exception {
        final OperatingSystemMXBean process = ManagementFactory.getPlatformMXBean(OperatingSystemMXBean.class);
        for (int i = 0; i < FIRST; i++) {
            once.call();
        }
        final long[] used = new long[samples];
        for (int i = 0; i < samples; i++) {
            final long empty = cpuTime();
            final long before = cpuTime();
            once.call();
            final long after = cpuTime();
            used[i] = Math.max(0, (after - before) - (before - empty)); // without the looking
        }
        final long whole = process.getProcessCpuTime();
        for (int i = 0; i < samples; i++) {
            once.call();
        }
        final long mean = (process.getProcessCpuTime() - whole) / samples;
        for (long ns : used) {
            System.out.printf("%.1f%n", ns / 1000.0);
        }
        System.out.printf("note mean of the whole process, with its collector: %d us%n", mean / 1000);
        System.out.println("peak " + peak());
        System.exit(0); // whatever threads of theirs are left
    }
}
