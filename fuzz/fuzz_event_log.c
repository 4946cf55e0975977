/* SPDX-License-Identifier: Apache-2.0 */
/* fuzz_event_log.c: dstack_log_decode (JSON), dstack_log_registers, dstack_log_replay. A log replays to its own
 * registers unless a digest or preimage lies; what replayed, printed again with blank digests, is the same log. */
#include <string.h>

#include "base/json.h"
#include "evidence/dstack/dstack.h"
#include "fuzz.h"
#include "sim/sim.h"

static const atls_crypto *crypto(atls_error *err)
{
    static atls_crypto *c;
    FUZZ_ASSERT(c != NULL || atls_crypto_new(&c, err));
    return c;
}

static void put_event(atls_jw *w, const atls_event *e)
{
    FUZZ_ASSERT(e->imr <= 3 && (e->imr == 3) == (e->type == DSTACK_RUNTIME_EVENT));
    atls_jw_open(w, NULL, '{');
    atls_jw_uint(w, "imr", e->imr);
    atls_jw_uint(w, "event_type", e->type);
    atls_jw_hex(w, "digest", atls_bytes_of(e->digest, e->imr == 3 ? 0 : 48));
    atls_jw_string(w, "event", e->name);
    atls_jw_hex(w, "event_payload", e->payload);
    atls_jw_uint(w, "version", e->version);
    atls_jw_close(w, '}');
}

static void print_and_compare(const dstack_log *log, uint8_t rtmr[4][48], atls_arena *a, atls_error *err)
{
    atls_buf buf;
    atls_jw w;
    atls_bytes text;
    dstack_log again;
    uint8_t other[4][48];
    atls_buf_init(&buf, a, err);
    atls_jw_init(&w, &buf);
    atls_jw_open(&w, NULL, '[');
    for (size_t i = 0; i < log->n_events; i++) {
        put_event(&w, &log->events[i]);
    }
    atls_jw_close(&w, ']');
    FUZZ_ASSERT(atls_buf_done(&buf, &text) && dstack_log_decode(text, a, &again, err));
    FUZZ_ASSERT(again.n_events == log->n_events && dstack_log_registers(crypto(err), &again, other, a, err));
    FUZZ_ASSERT(memcmp(rtmr, other, sizeof other) == 0);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static uint8_t block[16 * 1024 * 1024];
    atls_arena a;
    atls_error err = {0};
    dstack_log log;
    uint8_t rtmr[4][48];
    atls_trace trace;
    atls_eventlog_claims claims;
    atls_arena_init(&a, block, sizeof block);
    if (size > 64 * 1024 || !dstack_log_decode(atls_bytes_of(data, size), &a, &log, &err)) {
        FUZZ_ASSERT(size > 64 * 1024 || (err.code == ATLS_E_EVENT_LOG_PARSE && log.n_events == 0));
        return 0;
    }
    FUZZ_ASSERT(atls_trace_init(&trace, &a, &err) && dstack_log_registers(crypto(&err), &log, rtmr, &a, &err));
    if (!dstack_log_replay(crypto(&err), &log, (const uint8_t(*)[48])rtmr, &a, &claims, &trace, &err)) {
        FUZZ_ASSERT(err.code == ATLS_E_EVENT_LOG_PARSE && !claims.present);
    } else if (!log.is_ccel) {
        print_and_compare(&log, rtmr, &a, &err);
    }
    return 0;
}

size_t fuzz_seed(size_t index, uint8_t *out, size_t cap)
{
    static const char *const settings[][2] = {{NULL}, {"log.version=2"}, {"log.digests=blank"}};
    sim_options options = {.settings = settings[index % 3]};
    sim *room;
    atls_error err = {0};
    atls_arena a;
    atls_bytes text;
    FUZZ_ASSERT(sim_new(&options, &room, &err) && atls_arena_new(&a, FUZZ_MAX_SEED, &err));
    FUZZ_ASSERT(sim_emit(room, "New TLS Certificate", atls_bytes_str("00ff"), &err));
    FUZZ_ASSERT(sim_event_log(room, &a, &text, &err) && text.len <= cap);
    memcpy(out, text.ptr, text.len);
    atls_arena_free(&a);
    sim_free(room);
    return index < 3 ? text.len : 0;
}
