/* SPDX-License-Identifier: Apache-2.0 */
/* fuzz_enrol_challenge.c: atls_enrol_challenge_read, _write, atls_enrol_oid_der, atls_enrol_oid_text. What is read is within its
 * bounds, and is the same after writing and reading it again, where a server might have written it; its OID is the same there
 * and back. */
#include <string.h>

#include "atls/enrol.h"
#include "fuzz.h"

static void check_oid(atls_bytes text, atls_arena *a)
{
    atls_error err = {0};
    atls_bytes der;
    atls_bytes back;
    FUZZ_ASSERT(atls_enrol_oid_der(text, "f", a, &der, &err) && der.len > 0);
    FUZZ_ASSERT(atls_enrol_oid_text(der, "f", a, &back, &err) && atls_bytes_equal(back, text));
}

static void check_again(const atls_enrol_challenge *c, atls_arena *a)
{
    atls_error err = {0};
    atls_bytes json;
    atls_enrol_challenge again;
    if (!atls_enrol_challenge_write(c, a, &json, &err)) {
        FUZZ_ASSERT(err.code == ATLS_E_USAGE && c->nonce.len < ATLS_ENROL_MIN_NONCE_LEN);
        return;
    }
    FUZZ_ASSERT(atls_enrol_challenge_read(json, a, &again, &err));
    FUZZ_ASSERT(again.issued_ms == c->issued_ms && again.has_validity == c->has_validity);
    FUZZ_ASSERT(again.validity_s == c->validity_s && atls_bytes_equal(again.time_zone, c->time_zone));
    FUZZ_ASSERT(atls_bytes_equal(again.nonce, c->nonce) && atls_bytes_equal(again.endpoint, c->endpoint));
    FUZZ_ASSERT(atls_bytes_equal(again.proof_oid, c->proof_oid));
}

/* The same bytes as the content of an OBJECT IDENTIFIER. */
static void check_content(atls_bytes in, atls_arena *a)
{
    atls_error err = {0};
    atls_bytes text;
    atls_bytes back;
    if (!atls_enrol_oid_text(in, "f", a, &text, &err)) {
        FUZZ_ASSERT(err.code == ATLS_E_ENCODING && text.len == 0);
        return;
    }
    FUZZ_ASSERT(atls_enrol_oid_der(text, "f", a, &back, &err) && atls_bytes_equal(back, in));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static uint8_t room[16 * 1024 * 1024];
    atls_arena a;
    atls_error err = {0};
    atls_enrol_challenge c;
    atls_arena_init(&a, room, sizeof room);
    check_content(atls_bytes_of(data, size), &a);
    if (!atls_enrol_challenge_read(atls_bytes_of(data, size), &a, &c, &err)) {
        FUZZ_ASSERT(err.code == ATLS_E_ENROL_CHALLENGE && strncmp(err.field, "challenge", 9) == 0);
        FUZZ_ASSERT(c.nonce.len == 0 && c.endpoint.len == 0 && c.proof_oid.len == 0);
        return 0;
    }
    FUZZ_ASSERT(size <= ATLS_ENROL_MAX_MESSAGE_LEN && c.issued_ms >= 0 && c.validity_s >= 0);
    FUZZ_ASSERT(c.nonce.len >= 1 && c.nonce.len <= ATLS_ENROL_MAX_NONCE_LEN);
    FUZZ_ASSERT(memchr(c.endpoint.ptr, '\n', c.endpoint.len) == NULL);
    FUZZ_ASSERT(!atls_enrol_challenge_check(&c, c.issued_ms - 1, &err));
    err = (atls_error){0};
    FUZZ_ASSERT(atls_enrol_challenge_check(&c, c.issued_ms, &err));
    check_oid(c.proof_oid, &a);
    check_again(&c, &a);
    return 0;
}

size_t fuzz_seed(size_t index, uint8_t *out, size_t cap)
{
    static const fuzz_literal seeds[] = {
        FUZZ_TEXT("{\"issuedAt\":1727740800000,\"validity\":300,\"timeZone\":\"Europe/Vienna\","
                  "\"nonce\":\"ysQwcICHXEGL62aOglZJ3A\",\"attestationEndpoint\":\"https://ca.example:8443/attest?a=b\","
                  "\"proofOID\":\"2.25.266612578647278744056060545794611611433\"}"),
        FUZZ_TEXT("{\"issuedAt\":0,\"validity\":null,\"timeZone\":null,\"nonce\":\"_-8=\","
                  "\"attestationEndpoint\":\"http://[::1]/\",\"proofOID\":\"1.2.840.0\",\"more\":[{}]}"),
        FUZZ_TEXT("\x69\x83\x91\x93\xdb\xc0\xc5\x8f\xb2\xb1\xa1\x85\xbc\xb4\xba\xfa\x8a\xe0\x8e\x29"),
        FUZZ_TEXT("\x2a\x86\x48\x86\xf7\x0d\x01\x09\x0e"),
    };
    return fuzz_seed_of(seeds, sizeof seeds / sizeof seeds[0], index, out, cap);
}
