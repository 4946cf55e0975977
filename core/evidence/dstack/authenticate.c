/* SPDX-License-Identifier: Apache-2.0 */
/* authenticate.c: an event log becomes claims, once its replay gives the registers of an authenticated quote.
 *
 * The replay alone proves digests, not what a log says they are digests of. So the digest of every runtime event is
 * computed again from its name and payload, and what the log itself says is only compared with that (R1). */
#include <stdio.h>
#include <string.h>

#include "log.h"

#define N_RTMRS 4

/* ---- digests (R1, R8, R19) ---- */

static bool recompute(const atls_crypto *c, dstack_log *log, size_t i, atls_arena *a, atls_error *err)
{
    atls_event *e = &log->events[i];
    atls_bytes preimage;
    uint8_t digest[DSTACK_DIGEST_LEN];
    char field[48];
    if (!dstack_log_preimage(e->version, e->name, e->payload, a, &preimage, err)
        || !atls_digest(c, ATLS_SHA384, &preimage, 1, digest, err)) {
        return false;
    }
    atls_bytes ours = atls_bytes_of(digest, sizeof digest);
    atls_bytes theirs = atls_bytes_of(e->digest, sizeof e->digest);
    if (log->has_digest[i] && !atls_bytes_equal(ours, theirs)) {
        snprintf(field, sizeof field, "event_log[%zu].digest", i);
        return atls_fail_bytes(err, ATLS_E_EVENT_LOG_PARSE, field, ours, theirs,
                               "the digest is not that of the name and payload");
    }
    if (log->preimages[i].len != 0 && !atls_bytes_equal(log->preimages[i], preimage)) {
        snprintf(field, sizeof field, "event_log[%zu].preimage", i);
        return atls_fail_bytes(err, ATLS_E_EVENT_LOG_PARSE, field, preimage, log->preimages[i],
                               "the preimage is not made of the name and payload");
    }
    memcpy(e->digest, digest, sizeof digest);
    log->has_digest[i] = true;
    return true;
}

static bool recompute_all(const atls_crypto *c, dstack_log *log, atls_arena *a, atls_error *err)
{
    for (size_t i = 0; i < log->n_events; i++) {
        if (dstack_log_is_runtime(log, &log->events[i]) && !recompute(c, log, i, a, err)) {
            return false;
        }
    }
    return true;
}

/* The appraisal may have failed already and goes on only to list what else is wrong, so err may hold another failure:
 * this check is listed with its own. */
static bool check_digests(const atls_crypto *c, dstack_log *log, atls_arena *a, atls_trace *trace, atls_error *err)
{
    static const char id[] = "dstack.event_digests";
    atls_error own = {.code = ATLS_OK};
    if (recompute_all(c, log, a, &own)) {
        return atls_trace_pass(trace, id, "event_log", NULL, err);
    }
    if (err->code == ATLS_OK) {
        *err = own;
    }
    return atls_trace_fail(trace, id, &own);
}

/* ---- replay ---- */

static bool extend(const atls_crypto *c, uint8_t rtmr[static DSTACK_DIGEST_LEN],
                   const uint8_t digest[static DSTACK_DIGEST_LEN], atls_error *err)
{
    const atls_bytes parts[2] = {atls_bytes_of(rtmr, DSTACK_DIGEST_LEN), atls_bytes_of(digest, DSTACK_DIGEST_LEN)};
    uint8_t next[DSTACK_DIGEST_LEN];
    if (!atls_digest(c, ATLS_SHA384, parts, 2, next, err)) {
        return false;
    }
    memcpy(rtmr, next, sizeof next);
    return true;
}

bool dstack_log_registers(const atls_crypto *c, const dstack_log *log, uint8_t rtmr[4][48], atls_arena *a,
                          atls_error *err)
{
    memset(rtmr, 0, N_RTMRS * sizeof rtmr[0]);
    for (size_t i = 0; i < log->n_events; i++) {
        const atls_event *e = &log->events[i];
        uint8_t digest[DSTACK_DIGEST_LEN];
        if (log->is_ccel && e->type == DSTACK_EV_NO_ACTION) {
            continue;
        }
        memcpy(digest, e->digest, sizeof digest);
        if (!log->has_digest[i] && !dstack_event_digest(c, e->version, e->name, e->payload, a, digest, err)) {
            return false;
        }
        if (!extend(c, rtmr[e->imr], digest, err)) {
            return false;
        }
    }
    return true;
}

/* All four are compared, so that the list of checks shows which part of the log is wrong. */
static bool compare_registers(uint8_t replayed[N_RTMRS][48], const uint8_t quoted[N_RTMRS][48], atls_arena *a,
                              atls_trace *trace, atls_error *err)
{
    static const char *const ids[N_RTMRS] = {"dstack.replay.rtmr0", "dstack.replay.rtmr1", "dstack.replay.rtmr2",
                                             "dstack.replay.rtmr3"};
    bool ok = true;
    for (size_t i = 0; i < N_RTMRS; i++) {
        atls_bytes expected = atls_bytes_of(quoted[i], DSTACK_DIGEST_LEN);
        atls_bytes actual = atls_bytes_of(replayed[i], DSTACK_DIGEST_LEN);
        const char *expected_hex = atls_hex_text(expected, a, err);
        const char *actual_hex = atls_hex_text(actual, a, err);
        if (expected_hex == NULL || actual_hex == NULL) {
            return false;
        }
        /* the field is the end of the id: "rtmr0" */
        bool same = atls_trace_compare(trace, atls_bytes_equal(expected, actual), ids[i], ATLS_E_RTMR_MISMATCH,
                                       ids[i] + sizeof "dstack.replay." - 1, expected_hex, actual_hex,
                                       "the event log does not replay to the quoted register", err);
        ok = ok && same;
    }
    return ok;
}

/* ---- claims (R3, R5, R6) ---- */

static bool is_named(const dstack_log *log, size_t i, const char *name)
{
    return dstack_log_is_runtime(log, &log->events[i]) && atls_bytes_equal_str(log->events[i].name, name);
}

static size_t find_ready(const dstack_log *log)
{
    size_t i = 0;
    while (i < log->n_events && !is_named(log, i, DSTACK_READY_EVENT)) {
        i++;
    }
    return i;
}

/* Only the guest's own code speaks before system-ready, and it says each thing once; what was said twice is not
 * believed. */
static void read_boot_claim(const dstack_log *log, size_t ready, const char *name, atls_bytes *value, uint8_t *n)
{
    for (size_t i = 0; i < ready; i++) {
        if (!is_named(log, i, name)) {
            continue;
        }
        *value = *n == 0 ? log->events[i].payload : atls_bytes_empty();
        *n = *n < UINT8_MAX ? (uint8_t)(*n + 1) : *n;
    }
}

static void make_claims(const dstack_log *log, atls_eventlog_claims *out)
{
    atls_bytes none = atls_bytes_empty();
    *out = (atls_eventlog_claims){.present = true,
                                  .is_ccel = log->is_ccel,
                                  .events = log->events,
                                  .n_events = log->n_events,
                                  .app_id = none,
                                  .compose_hash = none,
                                  .instance_id = none,
                                  .os_image_hash = none,
                                  .key_provider = none,
                                  .certificate = none};
    size_t ready = find_ready(log);
    if (ready == log->n_events) {
        return;
    }
    out->system_ready = true;
    read_boot_claim(log, ready, "app-id", &out->app_id, &out->n_app_id);
    read_boot_claim(log, ready, "compose-hash", &out->compose_hash, &out->n_compose_hash);
    read_boot_claim(log, ready, "instance-id", &out->instance_id, &out->n_instance_id);
    read_boot_claim(log, ready, "os-image-hash", &out->os_image_hash, &out->n_os_image_hash);
    read_boot_claim(log, ready, "key-provider", &out->key_provider, &out->n_key_provider);
    for (size_t i = ready + 1; i < log->n_events; i++) {
        if (is_named(log, i, DSTACK_CERTIFICATE_EVENT)) {
            out->certificate = log->events[i].payload;
        }
    }
}

bool dstack_log_replay(const atls_crypto *c, dstack_log *log, const uint8_t rtmr[4][48], atls_arena *a,
                       atls_eventlog_claims *out, atls_trace *trace, atls_error *err)
{
    uint8_t replayed[N_RTMRS][48];
    *out = (atls_eventlog_claims){0};
    if (!check_digests(c, log, a, trace, err) || !dstack_log_registers(c, log, replayed, a, err)
        || !compare_registers(replayed, rtmr, a, trace, err)) {
        return false;
    }
    make_claims(log, out);
    return true;
}
