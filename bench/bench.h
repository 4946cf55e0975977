/* SPDX-License-Identifier: Apache-2.0 */
/* bench.h: a number without its machine is a rumour. Timing, statistics and the line of provenance. */
#ifndef ATLS_BENCH_H
#define ATLS_BENCH_H

#include <stddef.h>
#include <stdint.h>

/* Nanoseconds of CPU time of this process: everything measured here is computation, and neighbours do not count. */
uint64_t bench_now(void);

typedef struct bench_stats {
    double min;
    double median;
    double p90;
} bench_stats;

/* Sorts samples in place. */
bench_stats bench_summarise(uint64_t *samples, size_t n);

/* Prints CPU, compiler, OpenSSL and build type once. */
void bench_machine(void);

/* Prints "name   median us  min us  p90 us   ratio". floor_ns <= 0: no ratio. */
void bench_row(const char *name, bench_stats s, double floor_ns);

/* Prints a message and ends the program: a benchmark that measures a failure measures nothing. */
_Noreturn void bench_die(const char *what);

#endif
