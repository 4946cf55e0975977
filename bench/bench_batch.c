/* SPDX-License-Identifier: Apache-2.0 */
/* bench_batch: how many requests for evidence are answered in a second, with one quote for all that wait and with one
 * quote each. The quote generator is a stand-in that sleeps for 40 ms, one call at a time, as real platforms do; what is
 * measured is the queue, and the time is that of the wall, since nearly all of it is spent waiting. */
#include "bench.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "edge/attester/queue.h"

#define QUOTE_MS      40
#define N_OUTSTANDING 1000
#define RUN_MS        2000

typedef struct run {
    atls_attester *attester;
    atls_ticket *tickets[N_OUTSTANDING];
    uint64_t n_asked;
    uint64_t n_answered;
} run;

static uint64_t wall_ns(void)
{
    struct timespec t;
    if (clock_gettime(CLOCK_MONOTONIC, &t) != 0) {
        bench_die("no clock");
    }
    return (uint64_t)t.tv_sec * 1000000000u + (uint64_t)t.tv_nsec;
}

static bool sleep_and_quote(void *ctx, const uint8_t report_data[64], atls_arena *arena, atls_evidence *out,
                            atls_error *err)
{
    (void)ctx;
    const struct timespec t = {.tv_nsec = QUOTE_MS * 1000000L};
    (void)nanosleep(&t, NULL);
    return atls_arena_copy(arena, atls_bytes_of(report_data, 64), &out->quote, err);
}

static void ask(run *r, size_t i)
{
    atls_error err = {0};
    uint8_t leaf[64] = {0};
    memcpy(leaf, &r->n_asked, sizeof r->n_asked);
    r->n_asked++;
    if (!atls_ticket_new(r->attester, ATLS_TICKET_LEAF, leaf, &r->tickets[i], &err)) {
        bench_die(err.message);
    }
}

/* Whoever is answered asks again, as one session ends and the next comes. */
static void collect(run *r)
{
    for (size_t i = 0; i < N_OUTSTANDING; i++) {
        atls_error err = {0};
        const atls_attested *got;
        switch (atls_ticket_poll(r->tickets[i], &got, &err)) {
        case ATLS_TICKET_FAILED:
            bench_die(err.message);
        case ATLS_TICKET_WAITING:
            break;
        case ATLS_TICKET_READY:
            r->n_answered++;
            atls_ticket_free(r->tickets[i]);
            ask(r, i);
            break;
        }
    }
}

/* Answers in a second. */
static double measure(uint32_t max_batch)
{
    static run r;
    atls_error err = {0};
    const atls_attester_options o = {.attest = sleep_and_quote, .max_batch = max_batch};
    r = (run){0};
    if (!atls_attester_new(&o, &r.attester, &err)) {
        bench_die(err.message);
    }
    const uint64_t t0 = wall_ns();
    for (size_t i = 0; i < N_OUTSTANDING; i++) {
        ask(&r, i);
    }
    uint64_t t1 = t0;
    while (t1 - t0 < RUN_MS * UINT64_C(1000000)) {
        const struct timespec pause = {.tv_nsec = 1000000};
        (void)nanosleep(&pause, NULL);
        collect(&r);
        t1 = wall_ns();
    }
    const atls_attester_counts counts = atls_attester_count(r.attester);
    const double rate = (double)r.n_answered * 1e9 / (double)(t1 - t0);
    printf("%-52s %10.0f /s   %u quotes, %.0f sessions a quote\n", max_batch == 1 ? "one quote a session" : "batched",
           rate, (unsigned)counts.quotes, (double)r.n_answered / (double)counts.quotes);
    for (size_t i = 0; i < N_OUTSTANDING; i++) {
        atls_ticket_free(r.tickets[i]);
    }
    atls_attester_free(r.attester);
    return rate;
}

int main(void)
{
    bench_machine();
    printf("answered requests by the clock on the wall, %d outstanding, a quote takes %d ms\n", N_OUTSTANDING,
           QUOTE_MS);
    const double alone = measure(1);
    const double batched = measure(0);
    printf("%-52s %10.0f\n", "ratio", alone > 0 ? batched / alone : 0);
    return 0;
}
