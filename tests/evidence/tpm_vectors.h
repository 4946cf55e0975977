/* SPDX-License-Identifier: Apache-2.0 */
/* tpm_vectors.h: genuine TPM evidence through the whole verifier: what the programs about it share. */
#ifndef ATLS_TESTS_TPM_VECTORS_H
#define ATLS_TESTS_TPM_VECTORS_H

#include "atls/atls.h"
#include "base/json.h"
#include "base/text.h"
#include "evidence/tpm/tpm.h"
#include "vectors.h"
#include "verify/again.h"

#define ARENA_SIZE ((size_t)48 * 1024 * 1024)

static atls_crypto *crypto; /* the program's, while its tests run */

typedef struct run {
    atls_arena arena;
    atls_error err;
    atls_bytes evidence;
    atls_bytes certs[8];
    size_t n_certs;
    atls_endorsements endorsements;
    atls_result result;
} run;

static inline void open_run(run *r)
{
    *r = (run){.err = {.code = ATLS_OK}};
    assert_true(atls_arena_new(&r->arena, ARENA_SIZE, &r->err));
}

static inline atls_bytes file(run *r, const char *path)
{
    atls_bytes out = atls_bytes_empty();
    assert_true(vectors_read(path, &r->arena, &out));
    return out;
}

static inline atls_time at(const char *text)
{
    atls_time t = ATLS_TIME_UNSET;
    assert_true(atls_time_parse(atls_bytes_str(text), &t));
    return t;
}

static inline bool endorse(void *ctx, const atls_endorsement_request *request, atls_arena *arena,
                           atls_endorsements *out, atls_error *err)
{
    run *r = ctx;
    (void)arena;
    (void)err;
    assert_int_equal(request->platform, ATLS_PLATFORM_TPM);
    *out = r->endorsements;
    return true;
}

static inline bool appraise(run *r, const char *policy_text, const char *value_hex, const char *now)
{
    atls_policy *policy;
    atls_verifier *verifier;
    atls_bytes value;
    atls_appraisal in = {.evidence = r->evidence, .event_log = atls_bytes_empty(), .now = at(now)};
    in.endorse = endorse;
    in.endorse_ctx = r;
    in.binding.profile = "";
    if (value_hex[0] != '\0') {
        assert_true(atls_hex_decode(atls_bytes_str(value_hex), "", &r->arena, &value, &r->err));
        in.binding.grade = ATLS_GRADE_REPORT_DATA;
        in.binding.value_len = (uint8_t)value.len;
        memcpy(in.binding.value, value.ptr, value.len);
    }
    if (!atls_policy_parse(atls_bytes_str(policy_text), &policy, &r->err)) {
        char line[512];
        (void)atls_error_line(&r->err, line, sizeof line);
        fail_msg("policy: %s", line);
    }
    assert_true(atls_verifier_new(policy, &verifier, &r->err));
    const bool ok = again_appraise(verifier, &in, &r->arena, &r->result, &r->err);
    atls_verifier_free(verifier);
    atls_policy_free(policy);
    return ok;
}

static inline void expect(run *r, bool ok, const char *code, const char *field)
{
    char line[512];
    (void)atls_error_line(&r->err, line, sizeof line);
    if (ok != (strcmp(code, "OK") == 0) || strcmp(atls_code_name(r->err.code), code) != 0
        || strcmp(r->err.field, field) != 0) {
        fail_msg("wanted %s %s, got %s", code, field, line);
    }
}

static inline const atls_check *find_check(const run *r, const char *id)
{
    for (size_t i = 0; i < r->result.n_checks; i++) {
        if (strcmp(r->result.checks[i].id, id) == 0) {
            return &r->result.checks[i];
        }
    }
    fail_msg("no check %s", id);
    return NULL;
}

/* ---- changes ---- */

static inline atls_bytes copy(run *r, atls_bytes in)
{
    atls_bytes out;
    assert_true(atls_arena_copy(&r->arena, in, &out, &r->err));
    return out;
}

/* xors one byte behind the n-th occurrence of a text */
static inline atls_bytes flip_after(run *r, atls_bytes in, const void *text, size_t len, size_t nth, size_t offset)
{
    uint8_t *out = atls_arena_raw(&r->arena, in.len, &r->err);
    assert_non_null(out);
    memcpy(out, in.ptr, in.len);
    for (size_t i = 0; i + len + offset < in.len; i++) {
        if (memcmp(in.ptr + i, text, len) == 0 && nth-- == 0) {
            out[i + len + offset] ^= 1;
            return atls_bytes_of(out, in.len);
        }
    }
    fail_msg("what should be changed is not there");
    return in;
}

/* ---- programs ---- */

/* run_vectors runs the tests that add lists; where their manifest is not, one that says so and skips. */
static inline int run_vectors(const char *group, const char *manifest, const char *absent, void (*add)(tap_list *l))
{
    tap_list l = {0};
    atls_arena a;
    atls_bytes text;
    atls_error err = {.code = ATLS_OK};
    if (!atls_arena_new(&a, 1024u * 1024, &err) || !atls_crypto_new(&crypto, &err)) {
        return 1;
    }
    if (vectors_read(manifest, &a, &text)) {
        add(&l);
    } else {
        tap_add(&l, absent, vectors_absent, NULL);
    }
    const int failed = tap_run(group, &l);
    atls_crypto_free(crypto);
    atls_arena_free(&a);
    return failed;
}

#endif
