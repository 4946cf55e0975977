// SPDX-License-Identifier: Apache-2.0
// Meter: runs one appraisal often enough for the compiler of the JVM to have seen everything, then measures it: CPU time of all
// Java threads. Prints samples as microseconds, one a line, then "note" with the mean of the whole process (collector and compiler, too),
// then "peak KiB".
//
// The JDK's factory hands out the same object for a certificate that it has read before, and the object remembers that its signature
// was verified with this key: the same evidence again costs nearly no signatures of certificates. With -Dcompare.fresh=true that memory
// is emptied before each appraisal, as if all certificates were new (needs --add-opens java.base/sun.security.provider=ALL-UNNAMED).
import com.sun.management.OperatingSystemMXBean;
import java.lang.management.ManagementFactory;
import java.lang.management.ThreadMXBean;
import java.lang.reflect.Field;
import java.lang.reflect.Method;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.concurrent.Callable;

final class Meter {
    private static final int FIRST_AT_LEAST = 300;
    private static final int FIRST_AT_MOST = 3000;
    private static final long FIRST_MS = 15000;
    private static final ThreadMXBean THREADS = ManagementFactory.getThreadMXBean();

    private Meter() {}

    private interface Forget {
        void run() throws Exception;
    }

    private static Forget forget() throws Exception {
        if (!Boolean.getBoolean("compare.fresh")) {
            return () -> {};
        }
        final Field field = Class.forName("sun.security.provider.X509Factory").getDeclaredField("certCache");
        field.setAccessible(true);
        final Object cache = field.get(null);
        final Method clear = Class.forName("sun.security.util.Cache").getDeclaredMethod("clear");
        clear.setAccessible(true);
        return () -> clear.invoke(cache);
    }

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
        final Forget forget = forget();
        final long end = System.currentTimeMillis() + FIRST_MS;
        for (int i = 0; i < FIRST_AT_LEAST || (i < FIRST_AT_MOST && System.currentTimeMillis() < end); i++) {
            forget.run();
            once.call();
        }
        final long[] used = new long[samples];
        for (int i = 0; i < samples; i++) {
            forget.run();
            final long empty = cpuTime();
            final long before = cpuTime();
            once.call();
            final long after = cpuTime();
            used[i] = Math.max(0, (after - before) - (before - empty)); // without the looking
        }
        final long whole = process.getProcessCpuTime();
        for (int i = 0; i < samples; i++) {
            forget.run();
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
