/* SPDX-License-Identifier: Apache-2.0 */
/* jobs.c: what workers do: a challenge, or a certification request from its bytes to its answer. Whatever happens, there is an answer,
 * a line in the audit log before it, and a line for people. */
#include <openssl/rand.h>
#include <stdlib.h>
#include <string.h>

#include "internal.h"

static const char internal_failure[] = "{\"type\":\"Failure\",\"kind\":\"INTERNAL\",\"explanation\":null}";

static void answer(svc_job *job, unsigned status, atls_bytes body)
{
    job->response = malloc(body.len + 1);
    job->status = job->response == NULL ? 500 : status;
    job->response_len = job->response == NULL ? 0 : body.len;
    if (job->response != NULL) {
        memcpy(job->response, body.ptr, body.len);
    }
}

/* ---- a challenge ---- */

static bool remember(atls_service *s, const svc_config *c, atls_bytes nonce, int64_t now_ms, bool *is_full,
                     atls_error *err)
{
    const int64_t expires_ms = now_ms + ((int64_t)c->validity_s - c->challenge_offset_s) * 1000;
    const uint64_t begun = svc_tick_us();
    const bool ok = atls_challenges_insert(s->store, nonce, now_ms, expires_ms, is_full, err);
    svc_observe(&s->metrics.store, svc_tick_us() - begun);
    if (ok) {
        atomic_fetch_add(&s->stored.since, 1);
    } else if (!*is_full) {
        svc_count(&s->metrics, SVC_N_store_failures);
    }
    return ok;
}

/* All replicas' challenges, as counted a moment ago, and ours since then. */
static bool is_full(atls_service *s, const svc_config *c)
{
    (void)pthread_mutex_lock(&s->lock);
    const uint64_t counted = s->stored.outstanding;
    (void)pthread_mutex_unlock(&s->lock);
    return counted + atomic_load(&s->stored.since) >= c->max_challenges;
}

static bool write_challenge(const svc_config *c, atls_bytes nonce, int64_t now_ms, atls_arena *arena, atls_bytes *out,
                            atls_error *err)
{
    const atls_enrol_challenge challenge = {
        .issued_ms = now_ms - c->challenge_offset_s * 1000,
        .has_validity = true,
        .validity_s = (int64_t)c->validity_s,
        .time_zone = atls_bytes_str(c->time_zone),
        .nonce = nonce,
        .endpoint = atls_bytes_str(c->endpoint),
        .proof_oid = atls_bytes_str(c->proof_oid),
    };
    return atls_enrol_challenge_write(&challenge, arena, out, err);
}

static bool make_challenge(atls_service *s, const svc_config *c, atls_arena *arena, bool *full, atls_bytes *out,
                           atls_error *err)
{
    uint8_t random[ATLS_ENROL_MAX_NONCE_LEN];
    const atls_bytes nonce = atls_bytes_of(random, (size_t)c->nonce_len);
    const int64_t now_ms = svc_now_ms(s);
    *full = is_full(s, c);
    if (*full) {
        return atls_fail(err, ATLS_E_LIMIT, "limits.challenges", "too many challenges are outstanding");
    }
    if (now_ms <= 0) {
        return atls_fail(err, ATLS_E_INTERNAL, "clock", "nobody knows the time");
    }
    if (RAND_priv_bytes(random, (int)nonce.len) != 1) {
        return atls_fail(err, ATLS_E_INTERNAL, "nonce", "there is no randomness");
    }
    /* What cannot be written is not remembered. */
    return write_challenge(c, nonce, now_ms, arena, out, err) && remember(s, c, nonce, now_ms, full, err);
}

static void run_challenge(atls_service *s, svc_job *job, atls_arena *arena)
{
    bool full = false;
    atls_error err = {0};
    atls_bytes body = atls_bytes_empty();
    svc_engine *e = svc_engine_take(s);
    if (make_challenge(s, &e->generation->config, arena, &full, &body, &err)) {
        answer(job, 200, body);
        svc_count(&s->metrics, SVC_N_challenges);
    } else {
        job->status = 503;
        job->retry_s = full ? 5 : 1;
        svc_count(&s->metrics, SVC_N_refused_challenges);
        svc_log_error(s, SVC_WARNING, "a challenge was refused", &err);
    }
    svc_engine_drop(e);
}

/* ---- a certification request ---- */

/* The store, with a stop watch. */
static bool consume(void *ctx, atls_bytes nonce, int64_t now_ms, atls_consumed *out, atls_error *err)
{
    atls_service *s = ctx;
    const uint64_t begun = svc_tick_us();
    const bool ok = atls_challenges_consume(s->store, nonce, now_ms, out, err);
    svc_observe(&s->metrics.store, svc_tick_us() - begun);
    if (!ok) {
        svc_count(&s->metrics, SVC_N_store_failures);
    }
    return ok;
}

static void run_steps(atls_service *s, const svc_engine *e, const svc_job *job, atls_arena *arena,
                      atls_enrol_outcome *out)
{
    const int64_t now_ms = svc_now_ms(s);
    const atls_enrol_request request = {
        .csr = job->body_len == 0 ? atls_bytes_empty() : atls_bytes_of(job->body, job->body_len),
        .now = (atls_time)(now_ms / 1000),
        .now_ms = (uint32_t)(now_ms % 1000),
        .consume = consume,
        .consume_ctx = s,
        .issue = atls_ca_issue,
        .issue_ctx = e->generation->ca,
        .observers = s->options.observers,
        .record = svc_config_when(&e->generation->config),
    };
    atls_error err = {0};
    *out = (atls_enrol_outcome){.step = ATLS_ENROL_STEP_NONE, .kind = ATLS_CATEGORY_INTERNAL};
    if (!atls_enroller_run(e->enroller, &request, arena, out, &err)) {
        *out = (atls_enrol_outcome){.step = ATLS_ENROL_STEP_NONE,
                                    .class_name = "PreAttestation.OperationalError",
                                    .reason = "",
                                    .kind = ATLS_CATEGORY_INTERNAL,
                                    .error = err,
                                    .app = atls_bytes_empty(),
                                    .response = atls_bytes_empty(),
                                    .record = atls_bytes_empty()};
    }
}

static bool audit(atls_service *s, const svc_engine *e, const svc_job *job, const atls_enrol_outcome *o,
                  atls_error *err)
{
    uint8_t serial[ATLS_CA_SERIAL_LEN];
    if (s->audit == NULL) {
        return true;
    }
    atls_audit_entry line = {
        .time_ms = svc_now_ms(s),
        .request = job->id,
        .nonce_sha256 = o->has_nonce ? o->nonce_sha256 : NULL,
        .platform = o->platform,
        .app = o->is_success || o->has_key ? o->app : atls_bytes_empty(),
        .key_sha256 = o->has_key ? o->key_sha256 : NULL,
        .is_accepted = o->is_success,
        .class_name = o->class_name,
        .reason = o->reason,
        .code = o->error.code,
        .kind = o->kind,
        .serial = atls_bytes_empty(),
        .policy_sha256 = e->generation->policy_sha256,
        .list_sha256 = e->list == NULL ? NULL : e->list->sha256,
        .latency_us = svc_tick_us() - job->begun_us,
    };
    if (o->is_success) {
        if (!atls_ca_serial(e->generation->ca, o->nonce_sha256, serial, err)) {
            return false;
        }
        line.serial = atls_bytes_of(serial, sizeof serial);
    }
    const bool ok = atls_audit_append(s->audit, &line, err);
    atomic_store(&s->audit_failed_ms, ok ? 0 : svc_tick_us() / 1000 + 1);
    return ok;
}

static void say(const atls_service *s, const svc_job *job, const atls_enrol_outcome *o)
{
    if (o->is_success) {
        svc_log(s, SVC_INFO, "%s issued: %s, %.*s", job->id, atls_platform_name(o->platform),
                (int)(o->app.len > 200 ? 200 : o->app.len), (const char *)o->app.ptr);
        return;
    }
    char line[512];
    (void)atls_error_line(&o->error, line, sizeof line);
    svc_log(s, o->kind == ATLS_CATEGORY_INTERNAL ? SVC_WARNING : SVC_INFO, "%s refused (%s): %s", job->id,
            atls_category_name(o->kind), line);
}

static void run_attest(atls_service *s, svc_job *job, atls_arena *arena)
{
    atls_enrol_outcome o;
    atls_error err = {0};
    svc_engine *e = svc_engine_take(s);
    run_steps(s, e, job, arena, &o);
    for (unsigned i = 0; i < o.observer_faults; i++) {
        svc_count(&s->metrics, SVC_N_observer_faults);
    }
    if (!audit(s, e, job, &o, &err)) {
        /* What is not written down did not happen: the certificate stays here. */
        svc_count(&s->metrics, SVC_N_audit_failures);
        svc_log_error(s, SVC_ERROR, "the audit log cannot be written", &err);
        o.is_success = false;
        o.kind = ATLS_CATEGORY_INTERNAL;
        o.error = err;
        o.response = atls_bytes_empty();
    }
    svc_count_outcome(&s->metrics, &o);
    if (o.is_success) {
        svc_count(&s->metrics, SVC_N_certificates);
    }
    say(s, job, &o);
    svc_record_write(s, &e->generation->config, job->id, &o, arena);
    answer(job, 200, o.response.len > 0 ? o.response : atls_bytes_str(internal_failure));
    svc_observe(&s->metrics.attest, svc_tick_us() - job->begun_us);
    svc_engine_drop(e);
}

void svc_run_job(void *ctx, svc_job *job, atls_arena *arena)
{
    if (job->kind == SVC_JOB_CHALLENGE) {
        run_challenge(ctx, job, arena);
    } else {
        run_attest(ctx, job, arena);
    }
}
