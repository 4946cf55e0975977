/* SPDX-License-Identifier: Apache-2.0 */
/* metrics.c: counting, and the text of it. Format: Prometheus text exposition 0.0.4. */
#include "metrics.h"

#include <inttypes.h>

#define PREFIX "atls_enrol_"

static const unsigned statuses[] = {200, 400, 404, 405, 408, 411, 413, 414, 415, 417, 429, 431, 500, 501, 503, 505};
#define N_KNOWN_STATUSES (sizeof statuses / sizeof statuses[0])
_Static_assert(N_KNOWN_STATUSES < SVC_N_STATUSES, "the last place is for all others");

static const struct {
    uint64_t us;
    const char *label;
} bounds[SVC_N_BUCKETS] = {
    {100, "0.0001"}, {250, "0.00025"}, {500, "0.0005"}, {1000, "0.001"}, {2500, "0.0025"}, {5000, "0.005"},
    {10000, "0.01"}, {50000, "0.05"},  {100000, "0.1"}, {500000, "0.5"}, {1000000, "1"},   {5000000, "5"},
};

void svc_count(svc_metrics *m, svc_counter c)
{
    atomic_fetch_add_explicit(&m->counters[c], 1, memory_order_relaxed);
}

static uint64_t get(const _Atomic uint64_t *v)
{
    return atomic_load_explicit(v, memory_order_relaxed);
}

uint64_t svc_counted(const svc_metrics *m, svc_counter c)
{
    return get(&m->counters[c]);
}

void svc_count_status(svc_metrics *m, unsigned status)
{
    size_t i = 0;
    while (i < N_KNOWN_STATUSES && statuses[i] != status) {
        i++;
    }
    atomic_fetch_add_explicit(&m->statuses[i], 1, memory_order_relaxed);
}

void svc_count_outcome(svc_metrics *m, const atls_enrol_outcome *o)
{
    const size_t platform = o->platform == ATLS_PLATFORM_ANDROID ? 1 : o->platform == ATLS_PLATFORM_APPLE ? 2 : 0;
    const size_t kind = (size_t)o->kind < SVC_N_KINDS ? (size_t)o->kind : 0;
    const size_t code = (size_t)o->error.code < ATLS_N_CODES ? (size_t)o->error.code : (size_t)ATLS_E_INTERNAL;
    atomic_fetch_add_explicit(&m->outcomes[platform][kind][code], 1, memory_order_relaxed);
}

void svc_observe(svc_histogram *h, uint64_t us)
{
    size_t i = 0;
    while (i < SVC_N_BUCKETS && us > bounds[i].us) {
        i++;
    }
    atomic_fetch_add_explicit(&h->buckets[i], 1, memory_order_relaxed);
    atomic_fetch_add_explicit(&h->sum_us, us, memory_order_relaxed);
}

/* ---- text ---- */

static void head(atls_buf *b, const char *name, const char *help, const char *type)
{
    atls_buf_format(b, "# HELP " PREFIX "%s %s\n# TYPE " PREFIX "%s %s\n", name, help, name, type);
}

static void put_counters(const svc_metrics *m, atls_buf *b)
{
    static const struct {
        const char *name;
        const char *help;
    } names[] = {
#define X(name, help) {#name "_total", help},
        SVC_COUNTERS(X)
#undef X
    };
    for (size_t i = 0; i < SVC_N_COUNTERS; i++) {
        head(b, names[i].name, names[i].help, "counter");
        atls_buf_format(b, PREFIX "%s %" PRIu64 "\n", names[i].name, get(&m->counters[i]));
    }
}

static void put_outcomes(const svc_metrics *m, atls_buf *b)
{
    static const char *const platforms[SVC_N_PLATFORMS] = {"unknown", "android", "apple"};
    head(b, "requests_total", "certification requests by platform, kind of failure and code", "counter");
    for (size_t p = 0; p < SVC_N_PLATFORMS; p++) {
        for (size_t k = 0; k < SVC_N_KINDS; k++) {
            for (size_t c = 0; c < ATLS_N_CODES; c++) {
                const uint64_t n = get(&m->outcomes[p][k][c]);
                if (n > 0) {
                    atls_buf_format(b, PREFIX "requests_total{platform=\"%s\",kind=\"%s\",code=\"%s\"} %" PRIu64 "\n",
                                    platforms[p], atls_category_name((atls_category)k), atls_code_name((atls_code)c),
                                    n);
                }
            }
        }
    }
}

static void put_statuses(const svc_metrics *m, atls_buf *b)
{
    head(b, "responses_total", "responses by status", "counter");
    for (size_t i = 0; i <= N_KNOWN_STATUSES; i++) {
        const uint64_t n = get(&m->statuses[i]);
        if (n > 0 && i < N_KNOWN_STATUSES) {
            atls_buf_format(b, PREFIX "responses_total{status=\"%u\"} %" PRIu64 "\n", statuses[i], n);
        } else if (n > 0) {
            atls_buf_format(b, PREFIX "responses_total{status=\"other\"} %" PRIu64 "\n", n);
        }
    }
}

static void put_histogram(const svc_histogram *h, const char *name, const char *help, atls_buf *b)
{
    uint64_t n = 0;
    head(b, name, help, "histogram");
    for (size_t i = 0; i < SVC_N_BUCKETS; i++) {
        n += get(&h->buckets[i]);
        atls_buf_format(b, PREFIX "%s_bucket{le=\"%s\"} %" PRIu64 "\n", name, bounds[i].label, n);
    }
    n += get(&h->buckets[SVC_N_BUCKETS]);
    atls_buf_format(b, PREFIX "%s_bucket{le=\"+Inf\"} %" PRIu64 "\n", name, n);
    atls_buf_format(b, PREFIX "%s_sum %.6f\n", name, (double)get(&h->sum_us) / 1e6);
    atls_buf_format(b, PREFIX "%s_count %" PRIu64 "\n", name, n);
}

void svc_metrics_put(const svc_metrics *m, atls_buf *b)
{
    put_counters(m, b);
    put_statuses(m, b);
    put_outcomes(m, b);
    put_histogram(&m->store, "store_seconds", "calls of the store", b);
    put_histogram(&m->attest, "attest_seconds", "certification requests, waiting included", b);
}

void svc_metrics_gauge(atls_buf *b, const char *name, const char *help, double value)
{
    head(b, name, help, "gauge");
    atls_buf_format(b, PREFIX "%s %.15g\n", name, value);
}
