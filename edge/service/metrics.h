/* SPDX-License-Identifier: Apache-2.0 */
/* metrics.h: counters that any thread adds to, and their text for Prometheus.
 *
 * Labels are words of fixed lists, never anything that a client sent: the number of series is bounded. */
#ifndef ATLS_EDGE_SERVICE_METRICS_H
#define ATLS_EDGE_SERVICE_METRICS_H

#include <stdatomic.h>

#include "atls/enroller.h"
#include "base/text.h"

/* Counters without labels, with their names and what they count. */
#define SVC_COUNTERS(X)                                                                                                \
    X(connections, "connections that were accepted")                                                                   \
    X(connections_evicted, "connections closed to make room: idle or slow for longest")                                \
    X(connections_refused, "connections closed at once: too many of one address, or no room")                          \
    X(timeouts, "connections cut because they were too slow")                                                          \
    X(tls_failures, "TLS handshakes that failed")                                                                      \
    X(challenges, "challenges that were issued")                                                                       \
    X(certificates, "certificates that were issued")                                                                   \
    X(refused_rate, "requests refused with 429: the rate of an address")                                               \
    X(refused_queue, "requests refused with 503: the queue was full")                                                  \
    X(refused_challenges, "requests refused with 503: too many outstanding challenges")                                \
    X(refused_size, "requests refused with 413 or 431")                                                                \
    X(refused_draining, "requests refused with 503: the service was ending")                                           \
    X(store_failures, "calls of the store that failed")                                                                \
    X(audit_failures, "lines that could not be written to the audit log: their requests failed")                       \
    X(record_failures, "debug statements that could not be made or written")                                           \
    X(observer_faults, "observers that failed, or wrote what cannot be used")                                          \
    X(lost_responses, "responses whose client had gone")                                                               \
    X(reloads, "new configurations that took effect")                                                                  \
    X(reload_failures, "new configurations that were refused")                                                         \
    X(list_loads, "lists of revoked keys that were taken")                                                             \
    X(list_failures, "attempts to get a list that failed")

typedef enum svc_counter {
#define X(name, help) SVC_N_##name,
    SVC_COUNTERS(X)
#undef X
        SVC_N_COUNTERS
} svc_counter;

#define SVC_N_BUCKETS   12u
#define SVC_N_KINDS     5u  /* of atls_category, NONE included */
#define SVC_N_PLATFORMS 3u  /* unknown, android, apple */
#define SVC_N_STATUSES  24u /* of responses */

/* A histogram of durations. */
typedef struct svc_histogram {
    _Atomic uint64_t buckets[SVC_N_BUCKETS + 1]; /* the last one: beyond all bounds */
    _Atomic uint64_t sum_us;
} svc_histogram;

typedef struct svc_metrics {
    _Atomic uint64_t counters[SVC_N_COUNTERS];
    _Atomic uint64_t outcomes[SVC_N_PLATFORMS][SVC_N_KINDS][ATLS_N_CODES];
    _Atomic uint64_t statuses[SVC_N_STATUSES];
    svc_histogram store;
    svc_histogram attest;
} svc_metrics;

void svc_count(svc_metrics *m, svc_counter c);
uint64_t svc_counted(const svc_metrics *m, svc_counter c);
void svc_count_status(svc_metrics *m, unsigned status);
void svc_count_outcome(svc_metrics *m, const atls_enrol_outcome *o);
void svc_observe(svc_histogram *h, uint64_t us);

/* svc_metrics_put writes everything that is in m. svc_metrics_gauge writes one value of a moment. */
void svc_metrics_put(const svc_metrics *m, atls_buf *b);
void svc_metrics_gauge(atls_buf *b, const char *name, const char *help, double value);

#endif
