/* SPDX-License-Identifier: Apache-2.0 */
/* fuzz_phone_session.c: what phones show in sessions of atls/1 (android_session_decode, apple_session_decode), and its appraisal,
 * signatures taken as good (stub_signature.c). What can be read can be written again, to the same bytes; the form is no evidence
 * outside; and a yes is given to the session's own report alone. */
#include <string.h>

#include "evidence/android/android.h"
#include "evidence/apple/apple.h"
#include "fuzz.h"
#include "sim/sim_android.h"
#include "sim/sim_apple.h"

static const uint8_t report[64] = {7, 1};

typedef struct world {
    atls_arena arena;
    atls_arena work; /* of one input */
    sim_android *android;
    sim_apple *apple;
    atls_policy *policies[2];
    atls_verifier *verifiers[2]; /* Android's, Apple's */
} world;

static bool rebuild_android(atls_arena *a, atls_bytes in)
{
    android_evidence e;
    atls_bytes ders[ANDROID_MAX_CERTIFICATES];
    atls_bytes again;
    atls_error err = {0};
    if (!android_session_decode(in, a, &e, &err)) {
        FUZZ_ASSERT(err.code != ATLS_OK);
        return false;
    }
    FUZZ_ASSERT(e.is_session && e.n >= 1 && e.n <= ANDROID_MAX_CERTIFICATES);
    for (size_t i = 0; i < e.n; i++) {
        ders[i] = e.certs[i].der;
    }
    if (e.session_signature.len > 0) { /* the writer takes no empty one, which no key verifies */
        FUZZ_ASSERT(atls_phone_android(ders, e.n, e.session_signature, a, &again, &err));
        FUZZ_ASSERT(again.len == in.len && memcmp(again.ptr, in.ptr, in.len) == 0);
    }
    return atls_bytes_equal(e.description.attestationChallenge, atls_bytes_of(report, sizeof report));
}

static bool decode_apple(atls_arena *a, atls_bytes in)
{
    apple_attestation d;
    atls_error err = {0};
    if (!apple_session_decode(in, a, &d, &err)) {
        FUZZ_ASSERT(err.code != ATLS_OK);
        return false;
    }
    FUZZ_ASSERT(d.is_session && in.ptr[0] == 0xa2 && in.ptr[1] == 0);
    FUZZ_ASSERT(d.session_assertion.auth_data.len == APPLE_AUTH_DATA_LEN);
    return d.has_auth_data && d.session_assertion.sign_count > d.auth_data.sign_count
           && atls_bytes_equal(d.session_assertion.rp_id_hash, d.auth_data.rp_id_hash);
}

static bool appraise(world *w, size_t which, atls_bytes in, bool in_session)
{
    atls_result r;
    atls_error err = {0};
    atls_appraisal call = {
        .evidence = in,
        .event_log = atls_bytes_empty(),
        .binding = {.grade = ATLS_GRADE_SESSION, .profile = in_session ? "atls/1" : "dstack"},
        .now = SIM_NOW,
        .endorse = which == 0 ? sim_android_endorse : NULL,
        .endorse_ctx = w->android,
    };
    memcpy(call.binding.value, report, sizeof report);
    const bool yes = atls_verifier_appraise(w->verifiers[which], &call, &w->work, &r, &err);
    FUZZ_ASSERT(yes ? r.claims.is_bound && r.claims.is_session_signed : err.code != ATLS_OK);
    return yes;
}

static void open_world(world *w)
{
    atls_error err = {0};
    atls_bytes texts[2];
    atls_evidence e;
    FUZZ_ASSERT(atls_arena_new(&w->arena, (size_t)1024 * 1024, &err)
                && atls_arena_new(&w->work, (size_t)4 * 1024 * 1024, &err));
    FUZZ_ASSERT(sim_android_new(&(sim_android_options){.seed = NULL}, &w->android, &err)
                && sim_android_policy(w->android, &w->arena, &texts[0], &err));
    FUZZ_ASSERT(sim_apple_new(&(sim_apple_options){.seed = NULL}, &w->apple, &err)
                && sim_apple_policy(w->apple, &w->arena, &texts[1], &err));
    for (size_t i = 0; i < 2; i++) {
        FUZZ_ASSERT(atls_policy_parse(texts[i], &w->policies[i], &err)
                    && atls_verifier_new(w->policies[i], &w->verifiers[i], &err));
    }
    FUZZ_ASSERT(sim_android_attest(w->android, report, &w->arena, &e, &err) && appraise(w, 0, e.quote, true));
    FUZZ_ASSERT(sim_apple_attest(w->apple, report, &w->arena, &e, &err) && appraise(w, 1, e.quote, true));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static world w; /* the policies are the same for every input */
    const atls_bytes in = atls_bytes_of(data, size);
    if (w.verifiers[0] == NULL) {
        open_world(&w);
    }
    FUZZ_ASSERT(!appraise(&w, 0, in, false) && !appraise(&w, 1, in, false));
    atls_arena_reset(&w.work);
    FUZZ_ASSERT(!appraise(&w, 0, in, true) || rebuild_android(&w.work, in));
    atls_arena_reset(&w.work);
    FUZZ_ASSERT(!appraise(&w, 1, in, true) || decode_apple(&w.work, in));
    atls_arena_reset(&w.work);
    (void)rebuild_android(&w.work, in);
    (void)decode_apple(&w.work, in);
    atls_arena_reset(&w.work);
    return 0;
}

size_t fuzz_seed(size_t index, uint8_t *out, size_t cap)
{
    atls_arena a;
    atls_evidence e;
    sim_android *android = NULL;
    sim_apple *apple = NULL;
    atls_error err = {0};
    if (index > 1) {
        return 0;
    }
    FUZZ_ASSERT(atls_arena_new(&a, (size_t)1024 * 1024, &err));
    if (index == 0) {
        FUZZ_ASSERT(sim_android_new(&(sim_android_options){.seed = NULL}, &android, &err)
                    && sim_android_attest(android, report, &a, &e, &err));
    } else {
        FUZZ_ASSERT(sim_apple_new(&(sim_apple_options){.seed = NULL}, &apple, &err)
                    && sim_apple_attest(apple, report, &a, &e, &err));
    }
    FUZZ_ASSERT(e.quote.len > 0 && e.quote.len <= cap);
    memcpy(out, e.quote.ptr, e.quote.len);
    const size_t n = e.quote.len;
    sim_android_free(android);
    sim_apple_free(apple);
    atls_arena_free(&a);
    return n;
}
