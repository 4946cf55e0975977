/* SPDX-License-Identifier: Apache-2.0 */
/* test_tpm_keys.c: attestation keys of every kind that we accept, in a real swtpm, over every bank: the attester quotes, the
 * verifier judges. RSAPSS passes only where the policy says so. */
#include "tap.h"

#include <openssl/sha.h>

#include "atls/atls.h"
#include "base/text.h"
#include "tpm_inside.h"

#define KEY 0x81010007u

static swtpm tpm;

typedef struct row {
    const char *name;
    inside_kind kind;
    atls_tpm_bank banks[4];
    const char *bank; /* of the policy */
    size_t len;       /* of its registers */
    const char *members;
    size_t flip; /* byte from the end of the evidence, 0: none */
    const char *expected;
    const char *ak_kind;
} row;

#define S1                                                                                                             \
    {                                                                                                                  \
        TPM2_ALG_SHA1, 0xffffff                                                                                        \
    }
#define S256                                                                                                           \
    {                                                                                                                  \
        TPM2_ALG_SHA256, 0xffffff                                                                                      \
    }
#define S384                                                                                                           \
    {                                                                                                                  \
        TPM2_ALG_SHA384, 0xffffff                                                                                      \
    }
#define S512                                                                                                           \
    {                                                                                                                  \
        TPM2_ALG_SHA512, 0xffffff                                                                                      \
    }
#define ALLOWED   ",\"allow_rsapss\":true"
#define NO_SCHEME "EVIDENCE_SIGNATURE quotes[0].raw_sig"

/* clang-format off */
static const row rows[] = {
    {"P-256", INSIDE_ECC, {S256}, "sha256", 32, "", 0, "ok", "p256"},
    {"P-384, SHA-384", INSIDE_P384, {S384}, "sha384", 48, "", 0, "ok", "p384"},
    {"P-384, the SHA-256 bank", INSIDE_P384, {S256}, "sha256", 32, "", 0, "ok", "p384"},
    {"P-256, the SHA-512 bank", INSIDE_ECC, {S512}, "sha512", 64, "", 0, "ok", "p256"},
    {"P-256, all banks", INSIDE_ECC, {S1, S256, S384, S512}, "sha384", 48, "", 0, "ok", "p256"},
    {"RSA", INSIDE_RSA, {S256}, "sha256", 32, "", 0, "ok", "rsa"},
    {"RSA, the SHA-384 bank", INSIDE_RSA, {S384, S256}, "sha384", 48, "", 0, "ok", "rsa"},
    {"RSA, the policy's bank was not quoted", INSIDE_RSA, {S256}, "sha384", 48, "", 0, "MEASUREMENT_MISMATCH bank", "rsa"},
    {"RSAPSS", INSIDE_RSAPSS, {S256}, "sha256", 32, ALLOWED, 0, "ok", "rsa"},
    {"RSAPSS, all banks", INSIDE_RSAPSS, {S1, S256, S384, S512}, "sha512", 64, ALLOWED, 0, "ok", "rsa"},
    {"RSAPSS, and the policy does not say so", INSIDE_RSAPSS, {S256}, "sha256", 32, "", 0, NO_SCHEME, "rsa"},
    {"RSAPSS, another signature", INSIDE_RSAPSS, {S256}, "sha256", 32, ALLOWED, 900, NO_SCHEME, "rsa"},
    {"RSA where RSAPSS is taken, too", INSIDE_RSA, {S256}, "sha256", 32, ALLOWED, 0, "ok", "rsa"},
};
/* clang-format on */

static void must(bool ok, const atls_error *err)
{
    if (!ok) {
        char line[640];
        (void)atls_error_line(err, line, sizeof line);
        fail_msg("%s", line);
    }
}

static atls_bytes make(const row *r, atls_arena *a, uint8_t value[32])
{
    atls_error err = {0};
    atls_evidence made;
    uint8_t report_data[64];
    atls_tpm_options o = {.tcti = tpm.tcti, .key = ATLS_TPM_KEY_HANDLE, .key_handle = KEY, .event_log_path = ""};
    memset(report_data, 0x5c, sizeof report_data);
    memcpy(value, report_data, 32);
    for (size_t i = 0; i < 4 && r->banks[i].pcrs != 0; i++) {
        o.banks[o.n_banks++] = r->banks[i];
    }
    must(atls_attest_tpm(&o, report_data, a, &made, &err), &err);
    if (r->flip > 0) {
        uint8_t *copy = atls_arena_raw(a, made.quote.len, &err);
        assert_non_null(copy);
        memcpy(copy, made.quote.ptr, made.quote.len);
        copy[made.quote.len - r->flip] ^= 1;
        made.quote.ptr = copy;
    }
    return made.quote;
}

/* Nothing was measured into PCR 0 of this machine; the key is pinned. */
static const char *policy_of(const row *r, atls_arena *a)
{
    atls_error err = {0};
    uint8_t public[600];
    uint8_t digest[32];
    char pin[65];
    char zeros[129] = "";
    const size_t n = inside_read_key(&tpm, KEY, public, sizeof public);
    (void)SHA256(public, n, digest);
    atls_hex_encode(atls_bytes_of(digest, sizeof digest), pin);
    memset(zeros, '0', 2 * r->len);
    const char *text =
        atls_text_format(a, &err, "{\"type\":\"tpm\",\"bank\":\"%s\",\"pcrs\":{\"0\":\"%s\"},\"ak\":\"%s\"%s}", r->bank,
                         zeros, pin, r->members);
    assert_non_null(text);
    return text;
}

static void test_row(void **state)
{
    const row *r = *state;
    atls_arena a;
    atls_error err = {0};
    atls_policy *policy = NULL;
    atls_verifier *verifier = NULL;
    atls_result result;
    char line[160];
    if (tpm.pid == 0) {
        skip();
    }
    must(atls_arena_new(&a, (size_t)8 * 1024 * 1024, &err), &err);
    const TPM2B_PUBLIC template = inside_template(r->kind);
    inside_put_key(&tpm, KEY, &template);
    atls_appraisal in = {.event_log = atls_bytes_empty(),
                         .binding = {.grade = ATLS_GRADE_REPORT_DATA, .profile = "", .value_len = 32},
                         .now = 1781524800};
    in.evidence = make(r, &a, in.binding.value);
    must(atls_policy_parse(atls_bytes_str(policy_of(r, &a)), &policy, &err)
             && atls_verifier_new(policy, &verifier, &err),
         &err);
    inside_take_key(&tpm, KEY);
    const bool ok = atls_verifier_appraise(verifier, &in, &a, &result, &err);
    (void)snprintf(line, sizeof line, "%s%s%s", ok ? "ok" : atls_code_name(err.code), ok ? "" : " ", err.field);
    assert_string_equal(line, r->expected);
    if (ok) {
        assert_string_equal(result.claims.tpm.ak_kind, r->ak_kind);
        assert_string_equal(result.claims.tpm.bank, r->bank);
        assert_int_equal(result.claims.tpm.trust, ATLS_TPM_TRUST_PINNED);
    }
    atls_verifier_free(verifier);
    atls_policy_free(policy);
    atls_arena_free(&a);
}

int main(void)
{
    tap_list l = {0};
    (void)setenv("TSS2_LOG", "all+none", 0);
    if (!swtpm_start(&tpm)) {
        printf("# swtpm is not here: no keys are tested\n");
    }
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        tap_add(&l, rows[i].name, test_row, &rows[i]);
    }
    const int failed = tap_run("edge/tpm_keys", &l);
    swtpm_stop(&tpm);
    return failed;
}
