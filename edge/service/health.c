/* SPDX-License-Identifier: Apache-2.0 */
/* health.c: how the service is, for people and load balancers, and the values of a moment for metrics. */
#include <string.h>

#include "base/json.h"
#include "internal.h"
#include "policy.h"

typedef struct looked {
    int64_t now_ms;
    bool store_ok;
    uint64_t outstanding;
    char reload_error[256];
    char list_error[256];
    atls_ca_facts ca;
    bool list_ok; /* Android is not configured, or there is a list that policies accept */
    bool ca_ok;
    bool is_draining;
    bool audit_ok; /* there is none, or lines can be written as far as is known */
    uint64_t audit_seq;
    uint8_t audit_digest[ATLS_AUDIT_DIGEST_LEN];
} looked;

/* A disk that was full may have room again, which only a request finds out: after so long they may come again. */
#define AUDIT_FAILURE_MS 10000u

/* As section 9 of the specification of Android has it: until it is stale, and a while longer. */
static bool list_serves(const svc_engine *e, atls_time now)
{
    const atls_policy *p = e->generation->android;
    if (p == NULL) {
        return true;
    }
    if (e->list == NULL) {
        return false;
    }
    const uint32_t stale = p->android.has_max_stale ? p->android.max_stale_s : ATLS_ANDROID_DEFAULT_MAX_STALE_S;
    return now <= e->list->status.expires + (atls_time)stale;
}

static void look_at_audit(atls_service *s, looked *out)
{
    const uint64_t failed_ms = atomic_load(&s->audit_failed_ms);
    const bool is_recent = failed_ms != 0 && svc_tick_us() / 1000 < failed_ms + AUDIT_FAILURE_MS;
    out->audit_ok = s->audit == NULL || (atls_audit_head(s->audit, &out->audit_seq, out->audit_digest) && !is_recent);
}

static void look(atls_service *s, svc_engine *e, looked *out)
{
    *out = (looked){.now_ms = svc_now_ms(s), .is_draining = atomic_load(&s->is_draining)};
    (void)pthread_mutex_lock(&s->lock);
    out->store_ok = s->stored.is_reachable;
    out->outstanding = s->stored.outstanding + atomic_load(&s->stored.since);
    memcpy(out->reload_error, s->reload_error, sizeof out->reload_error);
    memcpy(out->list_error, s->list_error, sizeof out->list_error);
    (void)pthread_mutex_unlock(&s->lock);
    atls_ca_describe(e->generation->ca, (atls_time)(out->now_ms / 1000), &out->ca);
    out->list_ok = list_serves(e, (atls_time)(out->now_ms / 1000));
    out->ca_ok = out->ca.not_after > out->now_ms / 1000;
    look_at_audit(s, out);
}

static void put_list(atls_jw *w, const svc_engine *e, const looked *l)
{
    atls_jw_open(w, "status_list", '{');
    atls_jw_bool(w, "usable", l->list_ok);
    if (e->list != NULL) {
        atls_jw_hex(w, "sha256", atls_bytes_of(e->list->sha256, sizeof e->list->sha256));
        atls_jw_uint(w, "entries", e->list->n_entries);
        atls_jw_time(w, "fetched", e->list->status.fetched);
        atls_jw_time(w, "expires", e->list->status.expires);
        const int64_t age = l->now_ms / 1000 - e->list->status.fetched;
        atls_jw_uint(w, "age_s", age > 0 ? (uint64_t)age : 0);
        atls_jw_bool(w, "stale", l->now_ms / 1000 > e->list->status.expires);
    }
    if (l->list_error[0] != '\0') {
        atls_jw_str(w, "error", l->list_error);
    }
    atls_jw_close(w, '}');
}

/* The head, so that somebody else can write it down, and miss lines that are cut off the file. */
static void put_audit(atls_jw *w, const atls_service *s, const looked *l)
{
    atls_jw_open(w, "audit", '{');
    atls_jw_bool(w, "kept", s->audit != NULL);
    if (s->audit != NULL) {
        atls_jw_bool(w, "usable", l->audit_ok);
        atls_jw_uint(w, "seq", l->audit_seq);
        atls_jw_hex(w, "digest", atls_bytes_of(l->audit_digest, sizeof l->audit_digest));
    }
    atls_jw_close(w, '}');
}

static void put_configuration(atls_jw *w, const svc_generation *g, const looked *l)
{
    atls_jw_open(w, "configuration", '{');
    atls_jw_uint(w, "number", g->number);
    atls_jw_hex(w, "policy_sha256", atls_bytes_of(g->policy_sha256, sizeof g->policy_sha256));
    atls_jw_bool(w, "android", g->android != NULL);
    atls_jw_bool(w, "apple", g->apple != NULL);
    atls_jw_open(w, "weakened_by", '[');
    for (size_t i = 0; i < g->config.n_warnings; i++) {
        atls_jw_str(w, NULL, g->config.warnings[i]);
    }
    atls_jw_close(w, ']');
    if (l->reload_error[0] != '\0') {
        atls_jw_str(w, "reload_error", l->reload_error);
    }
    atls_jw_close(w, '}');
}

bool svc_health_put(atls_service *s, atls_buf *b)
{
    looked l;
    atls_jw w;
    svc_engine *e = svc_engine_take(s);
    look(s, e, &l);
    const bool ok = l.store_ok && l.list_ok && l.ca_ok && l.audit_ok && !l.is_draining;
    atls_jw_init(&w, b);
    atls_jw_open(&w, NULL, '{');
    atls_jw_uint(&w, "version", 1);
    atls_jw_str(&w, "status", ok ? "ok" : l.is_draining ? "draining" : "failing");
    put_configuration(&w, e->generation, &l);
    atls_jw_open(&w, "store", '{');
    atls_jw_str(&w, "kind", atls_challenges_kind(s->store));
    atls_jw_bool(&w, "reachable", l.store_ok);
    atls_jw_uint(&w, "outstanding", l.outstanding);
    atls_jw_close(&w, '}');
    put_list(&w, e, &l);
    atls_jw_open(&w, "ca", '{');
    atls_jw_bool(&w, "usable", l.ca_ok);
    atls_jw_time(&w, "not_after", l.ca.not_after);
    atls_jw_hex(&w, "profile_sha256", atls_bytes_of(l.ca.profile_sha256, sizeof l.ca.profile_sha256));
    atls_jw_close(&w, '}');
    put_audit(&w, s, &l);
    atls_jw_close(&w, '}');
    atls_buf_str(b, "\n");
    svc_engine_drop(e);
    return ok;
}

void svc_gauges_put(atls_service *s, atls_buf *b)
{
    looked l;
    svc_engine *e = svc_engine_take(s);
    look(s, e, &l);
    svc_metrics_gauge(b, "store_reachable", "whether the store answered a moment ago", l.store_ok ? 1 : 0);
    svc_metrics_gauge(b, "challenges_outstanding", "issued, and neither used nor expired", (double)l.outstanding);
    svc_metrics_gauge(b, "connections_open", "on the public addresses", (double)svc_server_connections(s->server));
    svc_metrics_gauge(b, "queue_depth", "requests that wait for a worker", (double)svc_pool_queued(s->pool));
    svc_metrics_gauge(b, "ca_days_left", "until the first certificate of the CA's chain ends", (double)l.ca.days_left);
    svc_metrics_gauge(b, "configuration_number", "counted from 1 since the start", (double)e->generation->number);
    svc_metrics_gauge(b, "configuration_is_latest", "whether the last reload succeeded",
                      l.reload_error[0] == '\0' ? 1 : 0);
    svc_metrics_gauge(b, "weakened_by", "sentences that a start warns with", (double)e->generation->config.n_warnings);
    svc_metrics_gauge(b, "status_list_usable", "whether Android phones can enrol", l.list_ok ? 1 : 0);
    if (s->audit != NULL) {
        svc_metrics_gauge(b, "audit_usable", "whether lines can be written", l.audit_ok ? 1 : 0);
        svc_metrics_gauge(b, "audit_seq", "of the last line of the audit log; never smaller", (double)l.audit_seq);
    }
    if (e->list != NULL) {
        svc_metrics_gauge(b, "status_list_age_seconds", "since the list was fetched",
                          (double)l.now_ms / 1000 - (double)e->list->status.fetched);
        svc_metrics_gauge(b, "status_list_entries", "of the list", (double)e->list->n_entries);
    }
    svc_metrics_gauge(b, "uptime_seconds", "since the start", (double)svc_tick_us() / 1e6 - (double)s->begun_ms / 1e3);
    svc_engine_drop(e);
}
