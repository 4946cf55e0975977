/* SPDX-License-Identifier: Apache-2.0 */
/* test_native_prover.c: what a session's own attester may give, and what of it leaves. */
#include "native_peer.h"

#include "base/limits.h"

typedef struct prover_row {
    const char *name;
    size_t quote_len;  /* 0: the honest one; SIZE_MAX: none */
    bool fails;        /* says no, whatever it gives */
    bool raw_log;      /* the boot log alone, in its binary form */
    const char *field; /* of INTERNAL; NULL: evidence leaves */
} prover_row;

static const prover_row rows[] = {
    {"an honest attester", 0, false, false, NULL},
    {"a quote of no bytes", SIZE_MAX, false, false, "evidence.quote"},
    {"a quote that is too long", ATLS_MAX_QUOTE_LEN + 1, false, false, "evidence.quote"},
    {"a failure without a word", SIZE_MAX, true, false, "attest"},
    {"a failure that comes with a quote", 0, true, false, "attest"},
    {"a log that has no type in this protocol", 0, false, true, NULL},
};

typedef struct prover {
    sim *sim;
    const prover_row *row;
} prover;

static bool attest(void *ctx, const uint8_t report_data[64], atls_arena *arena, atls_evidence *out, atls_error *err)
{
    const prover *p = ctx;
    const prover_row *w = p->row;
    assert_true(sim_attest(p->sim, report_data, arena, out, err));
    if (w->quote_len != 0) {
        const size_t len = w->quote_len == SIZE_MAX ? 0 : w->quote_len;
        out->quote = atls_bytes_of(atls_arena_alloc(arena, len, err), len);
    }
    if (w->raw_log) {
        assert_true(sim_ccel(p->sim, arena, &out->event_log, err));
    }
    return !w->fails;
}

static void run(const prover_row *w, native_victim victim)
{
    rig r;
    prover own;
    rig_open(&r);
    native_set_up(&r, victim);
    own = (prover){.sim = r.sim, .row = w};
    r.client_options.attest = r.server_options.attest = attest;
    r.client_options.attest_ctx = r.server_options.attest_ctx = &own;
    native_peer *p = native_peer_open(&r, victim, NULL);
    native_peer_play(p);
    if (w->field != NULL) {
        native_expect_refused(p, ATLS_E_INTERNAL, w->field);
        native_expect_told(p);
        assert_true(p->evidence.len < ATLS_NATIVE_MAX_DONE_LEN); /* what came in its place is the refusal */
    } else {
        atls_native_evidence e;
        native_expect_talk(p);
        assert_true(atls_native_read_evidence(native_body(p->evidence), &e, &r.err));
        assert_true(e.has_companion == !w->raw_log);
    }
    native_peer_close(p);
    rig_close(&r);
}

static void test_prover(void **state)
{
    run(*state, SERVER_PROVES);
    run(*state, SERVER_BOTH);
    run(*state, CLIENT_PROVES);
    run(*state, CLIENT_BOTH);
}

int main(void)
{
    tap_list l = {0};
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        tap_add(&l, rows[i].name, test_prover, &rows[i]);
    }
    return tap_run("native_prover", &l);
}
