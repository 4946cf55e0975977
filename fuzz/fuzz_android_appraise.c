/* SPDX-License-Identifier: Apache-2.0 */
/* fuzz_android_appraise.c: the whole appraisal of chains of phones, signatures taken as good (stub_signature.c). A yes is never
 * given to what the policy does not name: root, app, challenge, levels and boot state are looked at again, by other means. */
#include "android_seed.h"

typedef struct world {
    sim_android *phone;
    atls_arena arena;
    atls_arena work; /* of one appraisal */
    atls_bytes chain;
    atls_policy *policy;
    atls_verifier *verifier;
} world;

static void open_world(world *w)
{
    atls_error err = {0};
    atls_bytes text;
    FUZZ_ASSERT(atls_arena_new(&w->arena, (size_t)4 * 1024 * 1024, &err)
                && atls_arena_new(&w->work, (size_t)4 * 1024 * 1024, &err));
    w->phone = fuzz_android_phone(0, &w->arena, &w->chain);
    FUZZ_ASSERT(sim_android_policy(w->phone, &w->arena, &text, &err) && atls_policy_parse(text, &w->policy, &err)
                && atls_verifier_new(w->policy, &w->verifier, &err));
}

static void check_record(const atls_android_key_description *d)
{
    const atls_android_integer *created = d->hardwareEnforced.creationDateTime.present
                                              ? &d->hardwareEnforced.creationDateTime
                                              : &d->softwareEnforced.creationDateTime;
    const atls_android_root_of_trust *r = &d->hardwareEnforced.rootOfTrust;
    FUZZ_ASSERT(atls_bytes_equal(d->attestationChallenge, atls_bytes_of(fuzz_android_challenge, 16)));
    FUZZ_ASSERT(d->attestationSecurityLevel != ATLS_ANDROID_SOFTWARE
                && d->keymasterSecurityLevel != ATLS_ANDROID_SOFTWARE);
    FUZZ_ASSERT(r->present && r->deviceLocked && r->verifiedBootState == 0);
    FUZZ_ASSERT(created->present && created->value <= (uint64_t)SIM_NOW * 1000
                && created->value >= (uint64_t)(SIM_NOW - 300) * 1000);
}

static void check_yes(world *w, atls_bytes chain, const atls_result *r)
{
    const atls_android_claims *c = &r->claims.android;
    android_evidence e;
    android_evidence honest;
    atls_error err = {0};
    FUZZ_ASSERT(r->verdict == ATLS_VERDICT_ACCEPTED && c->present && c->mode == ATLS_ANDROID_MODE_HARDWARE);
    FUZZ_ASSERT(android_chain_decode(chain, &w->work, &e, &err)
                && android_chain_decode(w->chain, &w->work, &honest, &err));
    FUZZ_ASSERT(e.n >= 3 && e.n_described == 1 && e.described == 0 && r->simulated_or_test_root);
    FUZZ_ASSERT(atls_bytes_equal(e.certs[e.n - 1].spki, honest.certs[honest.n - 1].spki));
    FUZZ_ASSERT(atls_bytes_equal_str(c->package_name, SIM_ANDROID_PACKAGE));
    for (size_t i = 0; i < e.n; i++) {
        FUZZ_ASSERT(e.certs[i].not_before <= SIM_NOW && SIM_NOW <= e.certs[i].not_after);
    }
    check_record(&e.description);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static world w; /* the policy is the same for every input */
    atls_error err = {0};
    atls_result r;
    if (w.verifier == NULL) {
        open_world(&w);
    }
    const atls_appraisal in = {
        .evidence = atls_bytes_of(data, size),
        .event_log = atls_bytes_empty(),
        .binding = {.grade = ATLS_GRADE_REPORT_DATA,
                    .profile = "",
                    .challenge = atls_bytes_of(fuzz_android_challenge, sizeof fuzz_android_challenge)},
        .now = SIM_NOW,
        .endorse = sim_android_endorse,
        .endorse_ctx = w.phone,
    };
    if (atls_verifier_appraise(w.verifier, &in, &w.work, &r, &err)) {
        check_yes(&w, in.evidence, &r);
    } else {
        FUZZ_ASSERT(r.verdict != ATLS_VERDICT_ACCEPTED && err.code != ATLS_OK && !r.claims.android.present);
    }
    atls_arena_reset(&w.work);
    return 0;
}

size_t fuzz_seed(size_t index, uint8_t *out, size_t cap)
{
    return fuzz_android_seed(index, false, out, cap);
}
