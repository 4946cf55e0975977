/* SPDX-License-Identifier: Apache-2.0 */
#include "bench.h"

#include <openssl/crypto.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#ifndef BENCH_BUILD_TYPE
#define BENCH_BUILD_TYPE "unknown"
#endif

uint64_t bench_now(void)
{
    struct timespec t;
    if (clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t) != 0) {
        bench_die("no clock of this process");
    }
    return (uint64_t)t.tv_sec * 1000000000u + (uint64_t)t.tv_nsec;
}

static int compare(const void *a, const void *b)
{
    const uint64_t x = *(const uint64_t *)a;
    const uint64_t y = *(const uint64_t *)b;
    return x < y ? -1 : x > y;
}

bench_stats bench_summarise(uint64_t *samples, size_t n)
{
    qsort(samples, n, sizeof *samples, compare);
    return (bench_stats){(double)samples[0], (double)samples[n / 2], (double)samples[n * 9 / 10]};
}

void bench_machine(void)
{
    char cpu[160] = "unknown CPU";
    FILE *f = fopen("/proc/cpuinfo", "r");
    char line[256];
    while (f != NULL && fgets(line, sizeof line, f) != NULL) {
        const char *colon = strchr(line, ':');
        if (strncmp(line, "model name", 10) == 0 && colon != NULL) {
            snprintf(cpu, sizeof cpu, "%.*s", (int)strcspn(colon + 2, "\n"), colon + 2);
            break;
        }
    }
    if (f != NULL) {
        fclose(f);
    }
    printf("# %s; compiler %s; %s; %s build; CPU time of this process\n", cpu, __VERSION__,
           OpenSSL_version(OPENSSL_VERSION), BENCH_BUILD_TYPE);
    printf("%-58s %10s %10s %10s %8s\n", "", "median us", "min us", "p90 us", "ratio");
}

void bench_row(const char *name, bench_stats s, double floor_ns)
{
    printf("%-58s %10.1f %10.1f %10.1f", name, s.median / 1000, s.min / 1000, s.p90 / 1000);
    if (floor_ns > 0) {
        printf(" %8.2f", s.median / floor_ns);
    }
    printf("\n");
}

void bench_die(const char *what)
{
    fprintf(stderr, "bench: %s\n", what);
    (void)fflush(stdout);
    _Exit(1); /* other threads may be at work: what exit() takes apart they still use */
}
