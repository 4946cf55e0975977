/* SPDX-License-Identifier: Apache-2.0 */
/* fuzz_apple_appraise.c: the whole appraisal of attestations, signatures taken as good (stub_signature.c). A yes is never given to
 * what the policy does not name: app, stage, counter, nonce, key and receipt are looked at again, by other means. */
#include <openssl/sha.h>

#include "apple_seed.h"

typedef struct world {
    atls_arena work; /* of one appraisal */
    atls_policy *policy;
    atls_verifier *verifier;
} world;

static void open_world(world *w)
{
    atls_error err = {0};
    atls_bytes text;
    sim_apple *room = fuzz_apple_room(0);
    FUZZ_ASSERT(atls_arena_new(&w->work, (size_t)2 * 1024 * 1024, &err));
    FUZZ_ASSERT(sim_apple_policy(room, &w->work, &text, &err) && atls_policy_parse(text, &w->policy, &err)
                && atls_verifier_new(w->policy, &w->verifier, &err));
    atls_arena_reset(&w->work);
    sim_apple_free(room);
}

static void check_nonce(const apple_attestation *d, const atls_apple_claims *c)
{
    static uint8_t joined[APPLE_MAX_OBJECT_LEN + 32];
    uint8_t digest[32];
    memcpy(joined, d->auth_data_raw.ptr, d->auth_data_raw.len);
    (void)SHA256((const uint8_t *)fuzz_apple_client_data, sizeof fuzz_apple_client_data - 1, digest);
    memcpy(joined + d->auth_data_raw.len, digest, sizeof digest);
    FUZZ_ASSERT(d->receipt.payload.is_renewed || memcmp(d->receipt.payload.client_hash.ptr, digest, 32) == 0);
    (void)SHA256(joined, d->auth_data_raw.len + sizeof digest, digest);
    FUZZ_ASSERT(memcmp(digest, c->nonce, sizeof digest) == 0);
}

static void check_yes(atls_bytes in, const atls_result *r)
{
    static uint8_t room[1024 * 1024];
    const atls_apple_claims *c = &r->claims.apple;
    const int64_t now_ms = SIM_NOW * INT64_C(1000);
    uint8_t digest[32];
    apple_attestation d;
    atls_arena a;
    atls_error err = {0};
    atls_arena_init(&a, room, sizeof room);
    FUZZ_ASSERT(r->verdict == ATLS_VERDICT_ACCEPTED && c->present && c->is_matched && !c->is_sandbox);
    FUZZ_ASSERT(apple_attestation_decode(in, &a, &d, &err) && d.has_auth_data && d.has_receipt);
    (void)SHA256((const uint8_t *)SIM_APPLE_APP_ID, sizeof SIM_APPLE_APP_ID - 1, digest);
    FUZZ_ASSERT(memcmp(d.auth_data.rp_id_hash.ptr, digest, 32) == 0 && d.auth_data.sign_count == 0);
    FUZZ_ASSERT(memcmp(d.auth_data.aaguid.ptr, "appattest\0\0\0\0\0\0", 16) == 0);
    FUZZ_ASSERT(memcmp(d.auth_data.point, c->public_key, sizeof c->public_key) == 0);
    (void)SHA256(c->public_key, sizeof c->public_key, digest);
    FUZZ_ASSERT(d.auth_data.credential_id.len == 32 && memcmp(d.auth_data.credential_id.ptr, digest, 32) == 0);
    check_nonce(&d, c);
    FUZZ_ASSERT(atls_bytes_equal_str(c->receipt.app_id, SIM_APPLE_APP_ID));
    FUZZ_ASSERT(c->receipt.creation_ms <= now_ms && c->receipt.creation_ms >= now_ms - 300000);
    FUZZ_ASSERT(memcmp(c->receipt.spki_sha256, c->spki_sha256, 32) == 0);
    FUZZ_ASSERT(c->leaf_not_before <= SIM_NOW && SIM_NOW <= c->leaf_not_after && r->simulated_or_test_root);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static world w; /* the policy is the same for every input */
    atls_error err = {0};
    atls_result r;
    atls_appraisal in = {.now = SIM_NOW};
    if (w.verifier == NULL) {
        open_world(&w);
    }
    in.evidence = atls_bytes_of(data, size);
    in.event_log = atls_bytes_empty();
    in.binding = (atls_binding){
        .grade = ATLS_GRADE_KEY_FRESH, .profile = "", .challenge = atls_bytes_str(fuzz_apple_client_data)};
    if (atls_verifier_appraise(w.verifier, &in, &w.work, &r, &err)) {
        check_yes(in.evidence, &r);
    } else {
        FUZZ_ASSERT(r.verdict != ATLS_VERDICT_ACCEPTED && err.code != ATLS_OK && !r.claims.apple.present);
        FUZZ_ASSERT(atls_apple_error_class(&err)[0] != '\0');
    }
    atls_arena_reset(&w.work);
    return 0;
}

size_t fuzz_seed(size_t index, uint8_t *out, size_t cap)
{
    return fuzz_apple_seed(index, FUZZ_APPLE_OBJECT, out, cap);
}
