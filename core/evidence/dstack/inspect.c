/* SPDX-License-Identifier: Apache-2.0 */
/* inspect.c: shows a log and a response as JSON, believing nothing. */
#include "atls/verifier.h"
#include "base/json.h"
#include "log.h"

/* A runtime event's digest is shown next to what it should be, because a difference is what one looks for. */
static bool put_event(const atls_crypto *c, const dstack_log *log, size_t i, atls_jw *w, atls_arena *a, atls_error *err)
{
    const atls_event *e = &log->events[i];
    atls_jw_open(w, NULL, '{');
    atls_jw_uint(w, "imr", e->imr);
    atls_jw_uint(w, "event_type", e->type);
    if (log->has_digest[i]) {
        atls_jw_hex(w, "digest", atls_bytes_of(e->digest, sizeof e->digest));
    } else {
        atls_jw_null(w, "digest");
    }
    if (dstack_log_is_runtime(log, e)) {
        uint8_t digest[DSTACK_DIGEST_LEN];
        if (!dstack_event_digest(c, e->version, e->name, e->payload, a, digest, err)) {
            return false;
        }
        atls_jw_hex(w, "recomputed_digest", atls_bytes_of(digest, sizeof digest));
        atls_jw_uint(w, "version", e->version);
    }
    atls_jw_string(w, "event", e->name);
    atls_jw_hex(w, "event_payload", e->payload);
    atls_jw_close(w, '}');
    return true;
}

bool dstack_log_inspect(const atls_crypto *c, const dstack_log *log, atls_jw *w, atls_arena *a, atls_error *err)
{
    uint8_t rtmr[4][48];
    if (!dstack_log_registers(c, log, rtmr, a, err)) {
        return false;
    }
    atls_jw_str(w, "form", log->is_ccel ? "ccel" : "dstack");
    atls_jw_open(w, "replayed_rtmrs", '[');
    for (size_t i = 0; i < 4; i++) {
        atls_jw_hex(w, NULL, atls_bytes_of(rtmr[i], sizeof rtmr[i]));
    }
    atls_jw_close(w, ']');
    atls_jw_open(w, "events", '[');
    for (size_t i = 0; i < log->n_events; i++) {
        if (!put_event(c, log, i, w, a, err)) {
            return false;
        }
    }
    atls_jw_close(w, ']');
    return true;
}

bool dstack_response_inspect(const atls_crypto *c, const atls_dstack_response *r, atls_jw *w, atls_arena *a,
                             atls_error *err)
{
    dstack_log log;
    atls_jw_uint(w, "quote_len", r->quote.len);
    atls_jw_string(w, "vm_config", r->vm_config);
    if (r->event_log.len == 0) {
        atls_jw_null(w, "event_log");
        return true;
    }
    if (!dstack_log_decode(r->event_log, a, &log, err)) {
        return false;
    }
    atls_jw_open(w, "event_log", '{');
    if (!dstack_log_inspect(c, &log, w, a, err)) {
        return false;
    }
    atls_jw_close(w, '}');
    return true;
}
