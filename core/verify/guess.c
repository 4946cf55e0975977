/* SPDX-License-Identifier: Apache-2.0 */
/* guess.c: the first bytes of every kind of evidence. What fits two is refused: nobody is helped by the wrong picture. */
#include "guess.h"

#include <string.h>

#include "atls/verifier.h"
#include "base/limits.h"
#include "evidence/android/android.h"

#define SNP_REPORT_LEN     1184u
#define SNP_ALGORITHM_AT   0x34u
#define QUOTE_TEE_TYPE_AT  4u
#define MAX_APPLE_LEN      (64u * 1024)
#define QUOTE_TEE_TYPE_TDX 0x81u

static uint32_t u32le(atls_bytes in, size_t at)
{
    const uint8_t *p = in.ptr + at;
    return (uint32_t)p[0] | (uint32_t)p[1] << 8 | (uint32_t)p[2] << 16 | (uint32_t)p[3] << 24;
}

static bool begins(atls_bytes in, const char *bytes, size_t n)
{
    return in.len >= n && memcmp(in.ptr, bytes, n) == 0;
}

/* version as u32, 2 to 5, and SIGNATURE_ALGO 1. A quote has its key type where the version's upper half is, which is
 * 2 for every real one. */
bool atls_looks_like_sev_snp(atls_bytes in)
{
    return in.len >= SNP_REPORT_LEN && u32le(in, 0) >= 2 && u32le(in, 0) <= 5 && u32le(in, SNP_ALGORITHM_AT) == 1;
}

/* version 3 to 5 and a small key type, both u16 little-endian; no text has a NUL there. */
bool atls_looks_like_quote(atls_bytes in)
{
    const bool is_report = (in.len == SNP_REPORT_LEN && in.ptr[2] == 0) || atls_looks_like_sev_snp(in);
    return !is_report && in.len >= 4 && in.ptr[0] >= 3 && in.ptr[0] <= 5 && in.ptr[1] == 0 && in.ptr[2] <= 3
           && in.ptr[3] == 0;
}

/* An array of four whose first member is {1: -35}, with tag 18 or without. */
bool atls_looks_like_nitro(atls_bytes in)
{
    return begins(in, "\x84\x44\xa1\x01\x38\x22", 6) || begins(in, "\xd2\x84\x44\xa1\x01\x38\x22", 7);
}

/* A CBOR map that says what it is: the text "apple-appattest", wherever it stands. */
bool atls_looks_like_apple(atls_bytes in)
{
    static const char name[] = "\x6f"
                               "apple-appattest";
    const size_t n = sizeof name - 1;
    if (in.len < n || in.len > MAX_APPLE_LEN || in.ptr[0] < 0xa3 || in.ptr[0] > 0xb8) {
        return false;
    }
    for (size_t i = 1; i + n <= in.len; i++) {
        if (in.ptr[i] == 0x6f && memcmp(in.ptr + i, name, n) == 0) {
            return true;
        }
    }
    return false;
}

/* CBOR: a map whose first key is 0, a byte string that begins with a key type. Protobuf: field 1, bytes, the same. */
bool atls_looks_like_tpm(atls_bytes in)
{
    const bool is_cbor = in.len > 5 && in.ptr[0] >= 0xa2 && in.ptr[0] <= 0xa8 && in.ptr[1] == 0 && in.ptr[2] >= 0x58
                         && in.ptr[2] <= 0x59;
    const bool is_protobuf = in.len > 5 && in.ptr[0] == 0x0a && in.ptr[1] >= 0x40
                             && (begins(atls_bytes_of(in.ptr + 2, in.len - 2), "\x00", 1)
                                 || begins(atls_bytes_of(in.ptr + 3, in.len - 3), "\x00", 1));
    return is_cbor || is_protobuf;
}

bool atls_looks_like_tpm_json(const atls_json *v)
{
    return v->type == ATLS_JSON_OBJECT
           && (atls_json_find(v, "Attestation") != NULL
               || (atls_json_find(v, "ak_pub") != NULL && atls_json_find(v, "quotes") != NULL));
}

static const char *quote_kind(atls_bytes in)
{
    return in.len > 8 && u32le(in, QUOTE_TEE_TYPE_AT) == QUOTE_TEE_TYPE_TDX ? "tdx" : "sgx";
}

static bool is_tpm_json(atls_bytes in, atls_arena *arena, atls_error *err)
{
    const atls_json *tree = NULL;
    atls_error why = {0};
    if (in.len == 0 || in.ptr[0] != '{') {
        return false;
    }
    if (!atls_json_parse(in, "evidence", arena, &tree, &why)) {
        if (why.code == ATLS_E_MEMORY) {
            *err = why;
        }
        return false;
    }
    return atls_looks_like_tpm_json(tree);
}

bool atls_evidence_kind(atls_bytes evidence, atls_arena *arena, const char **kind, atls_error *err)
{
    const struct {
        const char *kind;
        bool fits;
    } answers[] = {
        {quote_kind(evidence), atls_looks_like_quote(evidence)},
        {"sev_snp", atls_looks_like_sev_snp(evidence)},
        {"nitro", atls_looks_like_nitro(evidence)},
        {"android_key", android_looks_like(evidence, arena) > 0},
        {"apple_app_attest", atls_looks_like_apple(evidence)},
        {"tpm", atls_looks_like_tpm(evidence) || is_tpm_json(evidence, arena, err)},
    };
    *kind = NULL;
    if (err->code != ATLS_OK) {
        return false;
    }
    for (size_t i = 0; i < sizeof answers / sizeof answers[0]; i++) {
        if (answers[i].fits && *kind != NULL) {
            const char *first = *kind;
            *kind = NULL;
            return atls_fail(err, ATLS_E_UNSUPPORTED, "evidence", "it could be %s as well as %s", first,
                             answers[i].kind);
        }
        *kind = answers[i].fits ? answers[i].kind : *kind;
    }
    return *kind != NULL
           || atls_fail(err, ATLS_E_UNSUPPORTED, "evidence", "this is no evidence of a kind that is known");
}
