/* SPDX-License-Identifier: Apache-2.0 */
/* fuzz_enrolled_appraise.c: the whole appraisal of enrolled keys, signatures taken as good (stub_signature.c), and with it
 * enrolled_decode. A yes is never given to what the policy does not name: app, level, key and dates are looked at again, by
 * OpenSSL's reader. */
#include <openssl/err.h>
#include <openssl/x509v3.h>

#include "atls/atls.h"
#include "base/text.h"
#include "enrol/authority.h"
#include "fuzz.h"

#define POLICY                                                                                                         \
    "{\"type\":\"enrolled_key\",\"applications\":[\"" AUTHORITY_APP                                                    \
    "\"],\"min_security_level\":\"TRUSTED_ENVIRONMENT\"}"

typedef struct world {
    authority a;
    atls_arena arena;
    atls_arena work; /* of one appraisal */
    atls_bytes root;
    atls_policy *policy;
    atls_verifier *verifier;
    uint8_t key[32];
} world;

static world *open_world(void)
{
    static world w; /* the authority is the same for every input of a run */
    atls_error err = {0};
    if (w.verifier != NULL) {
        return &w;
    }
    authority_open(&w.a);
    FUZZ_ASSERT(atls_arena_new(&w.arena, (size_t)1024 * 1024, &err)
                && atls_arena_new(&w.work, (size_t)2 * 1024 * 1024, &err));
    w.root = authority_cert(&w.a.root, &w.arena);
    authority_spki_sha256(w.a.phone_key, w.key);
    FUZZ_ASSERT(atls_policy_parse_with_roots(atls_bytes_str(POLICY), &w.root, 1, &w.policy, &err)
                && atls_verifier_new(w.policy, &w.verifier, &err));
    return &w;
}

static void check_yes(const world *w, atls_bytes evidence, const atls_result *r)
{
    const atls_enrolled_claims *c = &r->claims.enrolled;
    const unsigned char *p = evidence.ptr;
    uint8_t *spki = NULL;
    uint8_t hash[32];
    FUZZ_ASSERT(r->verdict == ATLS_VERDICT_ACCEPTED && r->grade == ATLS_GRADE_KEY && c->present && c->has_extension);
    FUZZ_ASSERT(atls_bytes_equal_str(c->app, AUTHORITY_APP) && strcmp(c->security_level, "SOFTWARE") != 0);
    FUZZ_ASSERT(c->not_before <= AUTHORITY_NOW && c->not_after >= AUTHORITY_NOW
                && c->earliest_expiration >= AUTHORITY_NOW && c->earliest_expiration <= c->not_after);
    FUZZ_ASSERT(memcmp(c->spki_sha256, w->key, sizeof w->key) == 0);
    X509 *x = d2i_X509(NULL, &p, (long)evidence.len);
    ERR_clear_error();
    if (x == NULL) {
        return; /* OpenSSL wants more of names than we do */
    }
    const int len = i2d_X509_PUBKEY(X509_get_X509_PUBKEY(x), &spki);
    FUZZ_ASSERT(len > 0 && EVP_Digest(spki, (size_t)len, hash, NULL, EVP_sha256(), NULL) == 1);
    FUZZ_ASSERT(memcmp(hash, w->key, sizeof hash) == 0);
    FUZZ_ASSERT((X509_get_extended_key_usage(x) & XKU_SSL_CLIENT) != 0 && X509_check_ca(x) == 0);
    OPENSSL_free(spki);
    X509_free(x);
    ERR_clear_error();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    world *w = open_world();
    atls_error err = {0};
    atls_result r;
    atls_appraisal in = {.now = AUTHORITY_NOW};
    in.evidence = atls_bytes_of(data, size);
    in.event_log = atls_bytes_empty();
    in.binding = (atls_binding){.grade = ATLS_GRADE_KEY, .profile = "atls/1", .value_len = 32};
    memcpy(in.binding.value, w->key, sizeof w->key);
    if (atls_verifier_appraise(w->verifier, &in, &w->work, &r, &err)) {
        check_yes(w, in.evidence, &r);
    } else {
        FUZZ_ASSERT(r.verdict != ATLS_VERDICT_ACCEPTED && err.code != ATLS_OK && !r.claims.enrolled.present);
    }
    atls_arena_reset(&w->work);
    return 0;
}

/* Honest; without its root; an iPhone's; without the extension. */
size_t fuzz_seed(size_t index, uint8_t *out, size_t cap)
{
    world *w = open_world();
    cert_plan phone = w->a.phone;
    if (index > 3) {
        return 0;
    }
    if (index == 2) {
        phone.attested.platform = ATLS_PLATFORM_APPLE;
        phone.attested.security_level = "SECURE_ENCLAVE";
    }
    phone.has_attested = index != 3;
    const atls_bytes ders[] = {authority_cert(&phone, &w->arena), authority_cert(&w->a.ca, &w->arena), w->root};
    size_t n = 0;
    for (size_t i = 0; i < (index == 1 ? 2u : 3u); i++) {
        FUZZ_ASSERT(n + ders[i].len <= cap);
        memcpy(out + n, ders[i].ptr, ders[i].len);
        n += ders[i].len;
    }
    return n;
}
