/* SPDX-License-Identifier: Apache-2.0 */
/* Genuine TPM evidence of Azure (tpm/manifest.json, constellation/azure_tdx_hcl.bin): the key is vouched for by a hardware report. */
#include "tpm_vectors.h"

/* ---- azure_snp: the parts ---- */

static void read_azure(run *r, tpm_hcl *hcl, tpm_public *ak)
{
    uint8_t *modulus = atls_arena_raw(&r->arena, 256, &r->err);
    const atls_json *top;
    assert_non_null(modulus);
    assert_true(tpm_hcl_decode(file(r, "tpm/azure_snp.hcl.bin"), hcl, &r->err));
    assert_false(hcl->is_tdx);
    assert_int_equal(hcl->report.len, 1184);
    assert_int_equal(hcl->runtime_data.len, 1110);
    assert_true(atls_json_parse(hcl->runtime_data, "", &r->arena, &top, &r->err));
    atls_bytes n = atls_json_find(atls_json_find(top, "keys")->child, "n")->text;
    char text[345] = {0};
    assert_int_equal(n.len, 342);
    for (size_t i = 0; i < 342; i++) {
        text[i] = n.ptr[i] == '-' ? '+' : n.ptr[i] == '_' ? '/' : (char)n.ptr[i];
    }
    memcpy(text + 342, "==", 2);
    atls_bytes decoded;
    assert_true(atls_base64_decode(atls_bytes_str(text), false, "", &r->arena, &decoded, &r->err));
    assert_int_equal(decoded.len, 256);
    const atls_bytes empty = atls_bytes_empty();
    *ak = (tpm_public){.raw = empty,
                       .type = TPM_ALG_RSA,
                       .name_alg = TPM_ALG_SHA256,
                       .attributes = 0x00050072,
                       .scheme = TPM_ALG_RSASSA,
                       .scheme_hash = TPM_ALG_SHA256,
                       .exponent = 65537,
                       .modulus = decoded,
                       .x = empty,
                       .y = empty};
}

/* Runtime data is what the report vouches for; its key signed the quote; the bare signature needs its own door. */
static void test_azure(void **state)
{
    run r;
    tpm_hcl hcl;
    tpm_public ak;
    tpm_key key;
    tpm_attest attest;
    uint8_t digest[32];
    (void)state;
    open_run(&r);
    read_azure(&r, &hcl, &ak);
    assert_true(tpm_runtime_key(hcl.runtime_data, &ak, &r.arena, &r.err));
    assert_true(atls_digest(crypto, ATLS_SHA256, &hcl.runtime_data, 1, digest, &r.err));
    assert_memory_equal(hcl.report.ptr + 0x50, digest, 32);
    assert_true(atls_bytes_is_zero(atls_bytes_of(hcl.report.ptr + 0x70, 32)));
    const atls_bytes message = file(&r, "tpm/azure_snp.quote.attest");
    const atls_bytes bare = file(&r, "tpm/azure_snp.quote.rsassa");
    tpm_signature s;
    assert_false(tpm_signature_decode(bare, "signature", &s, &r.err));
    atls_error_clear(&r.err);
    s = tpm_signature_bare(bare);
    assert_true(tpm_key_make(&ak, &r.arena, &key, &r.err));
    assert_true(tpm_quote_verify(crypto, &key, &s, message, "signature", &r.err));
    assert_true(tpm_attest_decode(message, "quote", &attest, &r.err));
    assert_true(atls_bytes_equal_str(attest.extra_data, "challenge"));
    atls_bytes changed = copy(&r, message);
    changed = flip_after(&r, changed, "\xff\x54", 2, 0, 50);
    assert_false(tpm_quote_verify(crypto, &key, &s, changed, "signature", &r.err));
    assert_int_equal(r.err.code, ATLS_E_EVIDENCE_SIGNATURE);
    atls_arena_free(&r.arena);
}

/* ---- azure_snp: the whole of it ---- */

#define AZURE_PCR0         "f3a7e99a5f819a034386bce753a48a73cfdaa0bea0ecfc124bedbf5a8c4799be"
#define AZURE_POLICY(more) "{\"type\":\"tpm\",\"pcrs\":{\"0\":\"" AZURE_PCR0 "\"}" more "}"
#define AZURE_TIME         "2025-01-01T00:00:00Z"
#define AZURE_CHALLENGE    "6368616c6c656e6765"

/* What evidence e borrows from; not to be moved. */
typedef struct azure_parts {
    uint8_t public[280];
    uint8_t signature[262];
    tpm_bank bank;
    tpm_evidence e;
} azure_parts;

static void read_azure_bank(run *r, tpm_bank *bank)
{
    const atls_json *values;
    uint64_t i = 0;
    *bank = (tpm_bank){.alg = TPM_ALG_SHA256};
    assert_true(atls_json_parse(file(r, "tpm/azure_snp.pcrs_sha256.json"), "", &r->arena, &values, &r->err));
    for (const atls_json *v = values->child; v != NULL; v = v->next, i++) {
        atls_bytes value;
        assert_true(atls_hex_decode(v->text, "", &r->arena, &value, &r->err));
        assert_true(tpm_pcr_add(bank, i, value, &r->err));
    }
}

/* A document of Constellation's shape has no bare signature, so it is made from the parts with its header. */
static void make_azure(run *r, const tpm_hcl *hcl, const tpm_public *ak, azure_parts *p)
{
    *p = (azure_parts){
        .public = {0x00, 0x01, 0x00, 0x0b, 0x00, 0x05, 0x00, 0x72, 0x00, 0x00, 0x00, 0x10,
                   0x00, 0x14, 0x00, 0x0b, 0x08, 0x00, 0x00, 0x00, 0x00, 0x00, 0x01, 0x00},
        .signature = {0x00, 0x14, 0x00, 0x0b, 0x01, 0x00},
    };
    memcpy(p->public + 24, ak->modulus.ptr, 256);
    memcpy(p->signature + 6, file(r, "tpm/azure_snp.quote.rsassa").ptr, 256);
    read_azure_bank(r, &p->bank);
    p->e = (tpm_evidence){.ak_pub = atls_bytes_of(p->public, sizeof p->public), .n_quotes = 1};
    p->e.quotes[0] = (tpm_quote){.message = file(r, "tpm/azure_snp.quote.attest"),
                                 .signature = atls_bytes_of(p->signature, sizeof p->signature),
                                 .banks = &p->bank,
                                 .n_banks = 1};
    p->e.event_log = p->e.ak_cert = atls_bytes_empty();
    p->e.hardware =
        (tpm_hardware){.platform = ATLS_PLATFORM_SEV_SNP, .report = hcl->report, .runtime_data = hcl->runtime_data};
    p->e.hardware.certs[0] = file(r, "tpm/azure_snp.vcek.der");
    p->e.hardware.n_certs = 1;
    assert_true(tpm_write(&p->e, &r->arena, &r->evidence, &r->err));
}

/* By itself nothing authenticates the key: refused, or let through by the one word that says so. */
static void expect_azure_key_unknown(run *r)
{
    expect(r, appraise(r, AZURE_POLICY(""), AZURE_CHALLENGE, AZURE_TIME), "KEY_NOT_AUTHENTICATED", "ak_pub");
    atls_error_clear(&r->err);
    expect(r, appraise(r, AZURE_POLICY(",\"insecure_allow_unauthenticated_ak\":true"), AZURE_CHALLENGE, AZURE_TIME),
           "OK", "");
    assert_true(r->result.insecure && r->result.claims.tpm.trust == ATLS_TPM_TRUST_NONE);
    assert_int_equal(find_check(r, "tpm.key_trust")->verdict, ATLS_CHECK_SKIPPED);
    atls_error_clear(&r->err);
}

/* Vouched for, as the verifier says once the report passed its policy. */
static void expect_azure_vouched(run *r, const tpm_evidence *e)
{
    const atls_vouched vouched = {.platform = ATLS_PLATFORM_SEV_SNP, .root_is_production = true};
    atls_policy *p;
    atls_claims claims = {0};
    atls_trace trace;
    assert_true(atls_policy_parse(atls_bytes_str(AZURE_POLICY("")), &p, &r->err));
    assert_true(atls_trace_init(&trace, &r->arena, &r->err));
    const atls_authority auth = {.crypto = crypto,
                                 .policy = p,
                                 .endorsements = &r->endorsements,
                                 .vouched = &vouched,
                                 .event_log = atls_bytes_empty(),
                                 .now = at(AZURE_TIME)};
    assert_true(tpm_authenticate(e, &auth, &r->arena, &claims, &trace, &r->err));
    assert_int_equal(claims.tpm.trust, ATLS_TPM_TRUST_HARDWARE);
    assert_true(claims.root_is_production);
    atls_policy_free(p);
}

/* The nonce is not 32 bytes, so that the binding cannot be: everything before it passes, with the hardware in its place. */
static void test_azure_document(void **state)
{
    run r;
    tpm_hcl hcl;
    tpm_public ak;
    azure_parts parts;
    tpm_evidence again;
    tpm_hardware_claim claim;
    (void)state;
    open_run(&r);
    read_azure(&r, &hcl, &ak);
    make_azure(&r, &hcl, &ak, &parts);
    expect_azure_key_unknown(&r);

    assert_true(tpm_decode(r.evidence, &r.arena, &again, &r.err));
    assert_true(tpm_hardware_claim_make(&again, crypto, &r.arena, &claim, &r.err));
    assert_true(claim.authenticates_key && claim.platform == ATLS_PLATFORM_SEV_SNP && claim.n_certs == 1);
    assert_memory_equal(claim.report_data, hcl.report.ptr + 0x50, 64);
    expect_azure_vouched(&r, &again);

    /* a key that the runtime data does not name */
    parts.public[200] ^= 1;
    assert_true(tpm_write(&parts.e, &r.arena, &r.evidence, &r.err));
    assert_true(tpm_decode(r.evidence, &r.arena, &again, &r.err));
    assert_false(tpm_hardware_claim_make(&again, crypto, &r.arena, &claim, &r.err));
    assert_int_equal(r.err.code, ATLS_E_KEY_NOT_AUTHENTICATED);
    assert_string_equal(r.err.field, "hardware.runtime_data.HCLAkPub.n");
    atls_arena_free(&r.arena);
}

static void test_azure_tdx_hcl(void **state)
{
    run r;
    tpm_hcl hcl;
    (void)state;
    open_run(&r);
    const atls_bytes in = file(&r, "constellation/azure_tdx_hcl.bin");
    assert_true(tpm_hcl_decode(in, &hcl, &r.err));
    assert_true(hcl.is_tdx);
    assert_int_equal(hcl.report.len, 1024);
    assert_ptr_equal(hcl.report.ptr, in.ptr + 32);
    assert_ptr_equal(hcl.runtime_data.ptr, in.ptr + 1236);
    for (size_t len = 0; len < 1236 + hcl.runtime_data.len; len++) {
        tpm_hcl cut;
        atls_error err = {.code = ATLS_OK};
        assert_false(tpm_hcl_decode(atls_bytes_of(in.ptr, len), &cut, &err));
        assert_int_equal(err.code, ATLS_E_EVIDENCE_FORMAT);
    }
    atls_arena_free(&r.arena);
}

static void add_tests(tap_list *l)
{
    tap_add(l, "azure_snp: the parts", test_azure, NULL);
    tap_add(l, "azure_snp: hardware vouches", test_azure_document, NULL);
    tap_add(l, "azure_tdx_hcl", test_azure_tdx_hcl, NULL);
}

int main(void)
{
    return run_vectors("tpm azure", "tpm/manifest.json", "no vectors of TPMs here", add_tests);
}
