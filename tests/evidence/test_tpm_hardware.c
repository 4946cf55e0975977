/* SPDX-License-Identifier: Apache-2.0 */
/* Hardware that vouches for a TPM's key: which report each cloud's instance info holds and what it must say, and the whole verifier
 * over a quote of a simulated TD around the key of a simulated TPM. */
#include <openssl/evp.h>
#include <openssl/sha.h>

#include "evidence/tpm/tpm.h"
#include "sim/sim.h"
#include "sim/sim_sevsnp.h"
#include "tpm_world.h"

/* ---- instance info ---- */

typedef struct shape {
    const char *name;
    const char *text;
    atls_platform platform;
    bool names_key;
    size_t report_len;
    size_t runtime_len;
    const char *variant;
    bool has_cert; /* of the key */
} shape;

static const shape shapes[] = {
    {"aws-sev-snp",
     "{\"ReportSigner\":null,\"CertChain\":null,\"AttestationReport\":\"@1184\",\"Azure\":null,\"GCP\":null}",
     ATLS_PLATFORM_SEV_SNP, true, 1184, 0, "aws-sev-snp", false},
    {"gcp-sev-snp",
     "{\"AttestationReport\":\"@1184\",\"Azure\":null,\"GCP\":{\"zone\":\"z\",\"project_id\":\"p\",\"instance_name\":"
     "\"i\"}}",
     ATLS_PLATFORM_SEV_SNP, false, 1184, 0, "gcp-sev-snp", false},
    {"azure-sev-snp, with the header behind it",
     "{\"AttestationReport\":\"@1204\",\"Azure\":{\"RuntimeData\":\"e30=\",\"MAAToken\":\"\"},\"GCP\":null}",
     ATLS_PLATFORM_SEV_SNP, true, 1184, 2, "azure-sev-snp", false},
    {"azure-sev-snp, as it was",
     "{\"VCEK\":null,\"CertChain\":null,\"AttestationReport\":\"@1204\",\"RuntimeData\":\"e30=\"}",
     ATLS_PLATFORM_SEV_SNP, true, 1184, 2, "azure-sev-snp", false},
    {"a header behind a report that is not Azure's", "{\"AttestationReport\":\"@1204\"}", ATLS_PLATFORM_SEV_SNP, true,
     1204, 0, "aws-sev-snp", false},
    {"azure-tdx", "{\"AttestationReport\":\"@1184\",\"RuntimeData\":\"e30=\"}", ATLS_PLATFORM_TDX, true, 1184, 2,
     "azure-tdx", false},
    {"azure-tdx with a certificate", "{\"AttestationReport\":\"@1184\",\"RuntimeData\":\"e30=\",\"AkCert\":\"AAAA\"}",
     ATLS_PLATFORM_TDX, true, 1184, 2, "azure-tdx", true},
    {"azure-trustedlaunch", "{\"AkCert\":\"AAAA\",\"CA\":\"AAAA\"}", ATLS_PLATFORM_NONE, false, 0, 0,
     "azure-trustedlaunch", true},
    {"gcp-sev-es", "{\"zone\":\"z\",\"project_id\":\"p\",\"instance_name\":\"i\"}", ATLS_PLATFORM_NONE, false, 0, 0,
     "gcp-sev-es", false},
    {"aws-nitro-tpm", "{\"imageId\":\"ami\",\"region\":\"r\"}", ATLS_PLATFORM_NONE, false, 0, 0, "aws-nitro-tpm",
     false},
    {"no JSON", "{", ATLS_PLATFORM_NONE, false, 0, 0, "", false},
    {"no object", "[1]", ATLS_PLATFORM_NONE, false, 0, 0, "", false},
};

/* "@n" becomes n zero bytes as base64 */
static const char *expand(const char *text, char *out, size_t size)
{
    const char *at = strchr(text, '@');
    if (at == NULL) {
        return text;
    }
    char base64[2048];
    static const uint8_t zeros[1204] = {0};
    const int n = (int)strtol(at + 1, NULL, 10);
    (void)EVP_EncodeBlock((unsigned char *)base64, zeros, n);
    (void)snprintf(out, size, "%.*s%s%s", (int)(at - text), text, base64, at + 5);
    return out;
}

static void test_shape(void **state)
{
    const shape *s = *state;
    char text[4096];
    atls_arena a;
    atls_error err = {.code = ATLS_OK};
    const atls_bytes empty = atls_bytes_empty();
    tpm_evidence e = {.variant = "", .ak_cert = empty, .hardware = {.report = empty, .runtime_data = empty}};
    assert_true(atls_arena_new(&a, 1024u * 1024, &err));
    e.instance_info = atls_bytes_str(expand(s->text, text, sizeof text));
    assert_true(tpm_instance_read(&e, &a, &err));
    assert_int_equal(e.hardware.platform, s->platform);
    assert_int_equal(e.hardware.report.len, s->report_len);
    assert_int_equal(e.hardware.runtime_data.len, s->runtime_len);
    assert_string_equal(e.variant, s->variant);
    assert_int_equal(e.ak_cert.len > 0, s->has_cert);
    assert_true(s->platform == ATLS_PLATFORM_NONE || e.hardware.names_key == s->names_key);
    atls_arena_free(&a);
}

/* ---- a TD around a TPM ---- */

typedef enum rule { AZURE, AWS, OTHER_DATA, OTHER_KEY } rule;

typedef struct pair {
    tpm_world w;
    sim *td;
    sim_snp *snp;
    char *report; /* settings */
    char *runtime_data;
    const char *settings[6];
} pair;

static bool endorse_both(void *ctx, const atls_endorsement_request *request, atls_arena *a, atls_endorsements *out,
                         atls_error *err)
{
    pair *p = ctx;
    return request->platform == ATLS_PLATFORM_TPM       ? sim_tpm_endorse(p->w.machine, request, a, out, err)
           : request->platform == ATLS_PLATFORM_SEV_SNP ? sim_snp_endorse(p->snp, request, a, out, err)
                                                        : sim_endorse(p->td, request, a, out, err);
}

static void put_runtime_data(const sim_tpm *machine, bool other, char *out, size_t size)
{
    char n[400];
    uint8_t modulus[256];
    const atls_bytes ak = sim_tpm_ak_pub(machine);
    memcpy(modulus, ak.ptr + ak.len - 256, 256);
    modulus[100] ^= other ? 1 : 0;
    (void)EVP_EncodeBlock((unsigned char *)n, modulus, 256);
    for (char *c = n; *c != '\0'; c++) {
        *c = *c == '+' ? '-' : *c == '/' ? '_' : *c == '=' ? '\0' : *c;
    }
    (void)snprintf(out, size,
                   "{\"keys\":[{\"kid\":\"HCLEkPub\",\"kty\":\"RSA\",\"e\":\"AQAB\",\"n\":\"AQAB\"},"
                   "{\"kid\":\"HCLAkPub\",\"kty\":\"RSA\",\"e\":\"AQAB\",\"n\":\"%s\"}]}",
                   n);
}

/* What the TD puts into its report, by each cloud's rule. */
static void make_report_data(rule which, const char *runtime_data, atls_bytes spki, uint8_t out[64])
{
    memset(out, 0, 64);
    if (which == AWS) {
        (void)SHA512(spki.ptr, spki.len, out);
    } else {
        (void)SHA256((const uint8_t *)runtime_data, strlen(runtime_data), out);
    }
    out[63] ^= which == OTHER_DATA ? 1 : 0;
}

static void open_pair(pair *p, rule which, bool is_snp)
{
    const char *const none[] = {NULL};
    const sim_options td_options = {.kind = SIM_TDX_V4};
    sim_tpm *machine;
    atls_arena a;
    atls_error err = {.code = ATLS_OK};
    uint8_t report_data[64];
    atls_bytes quote;
    tpm_public ak;
    tpm_key key;
    *p = (pair){.report = malloc(65536), .runtime_data = malloc(2048)};
    assert_true(p->report != NULL && p->runtime_data != NULL && atls_arena_new(&a, TPM_WORLD_ARENA, &err));
    assert_true(sim_tpm_new(&(sim_tpm_options){.settings = none}, &machine, &err) && sim_new(&td_options, &p->td, &err)
                && sim_snp_new(&(sim_snp_options){.version = 3}, &p->snp, &err));
    put_runtime_data(machine, which == OTHER_KEY, p->runtime_data, 2048);
    assert_true(tpm_public_decode(sim_tpm_ak_pub(machine), "", &ak, &err) && tpm_key_make(&ak, &a, &key, &err));
    make_report_data(which, p->runtime_data, key.spki, report_data);
    assert_true(is_snp ? sim_snp_report(p->snp, report_data, &a, &quote, &err)
                       : sim_quote(p->td, report_data, &a, &quote, &err));
    (void)snprintf(p->report, 65536, "hardware.report=%s", atls_hex_text(quote, &a, &err));
    char *setting = malloc(4096);
    assert_non_null(setting);
    (void)snprintf(setting, 4096, "hardware.runtime_data=%s", which == AWS ? "" : p->runtime_data);
    free(p->runtime_data);
    p->runtime_data = setting;
    sim_tpm_free(machine);
    atls_arena_free(&a);
}

static void close_pair(pair *p)
{
    tpm_world_close(&p->w);
    sim_free(p->td);
    sim_snp_free(p->snp);
    free(p->report);
    free(p->runtime_data);
}

static void hardware_policy(pair *p, char *out, size_t size)
{
    uint8_t digest[32];
    char hex[65];
    const atls_bytes root = sim_root(p->td);
    (void)SHA256(root.ptr, root.len, digest);
    atls_hex_encode(atls_bytes_of(digest, sizeof digest), hex);
    (void)snprintf(out, size, ",\"hardware\":{\"type\":\"tdx\",\"trusted_roots\":[\"%s\"]}", hex);
}

typedef struct td_row {
    const char *name;
    rule which;
    const char *extra; /* one more setting */
    const char *code;
    const char *field;
    atls_tpm_trust trust;
} td_row;

static const td_row td_rows[] = {
    {"TDX vouches, as on Azure", AZURE, "cert=none", "OK", "", ATLS_TPM_TRUST_HARDWARE},
    {"TDX vouches by the key alone, as on AWS", AWS, "cert=none", "OK", "", ATLS_TPM_TRUST_HARDWARE},
    {"TDX and a certificate", AZURE, "certs=along", "OK", "", ATLS_TPM_TRUST_CERTIFICATE},
    {"TDX over other data", OTHER_DATA, "cert=none", "REPORT_DATA_MISMATCH", "hardware.quote.body.reportdata", 0},
    {"TDX over another key", OTHER_KEY, "cert=none", "KEY_NOT_AUTHENTICATED", "hardware.runtime_data.HCLAkPub.n", 0},
    {"TDX over an RSA key, the quote's is another", AZURE, "ak.type=p256", "KEY_NOT_AUTHENTICATED",
     "hardware.runtime_data.HCLAkPub", 0},
};

static void test_td(void **state)
{
    const td_row *row = *state;
    pair p;
    char policy[256];
    open_pair(&p, row->which, false);
    const char *const settings[] = {"hardware.kind=tdx", p.report, p.runtime_data, row->extra, NULL};
    hardware_policy(&p, policy, sizeof policy);
    tpm_world_open(&p.w, settings, SIM_TPM_CBOR, policy);
    p.w.in.endorse = endorse_both;
    p.w.in.endorse_ctx = &p;
    const bool ok = tpm_world_appraise(&p.w);
    tpm_world_expect(&p.w, ok, row->code, row->field);
    if (ok) {
        assert_int_equal(p.w.result.claims.tpm.trust, row->trust);
        assert_true(p.w.result.claims.dcap.is_tdx && p.w.result.claims.tpm.hardware_binds_key);
        assert_string_equal(p.w.result.claims.tpm.hardware, "tdx");
    }
    close_pair(&p);
}

/* ---- an SNP guest around a TPM ---- */

typedef struct snp_row {
    const char *name;
    rule which;
    const char *members; /* of the hardware's policy */
    const char *code;
    const char *field;
} snp_row;

#define A32 "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"
static const snp_row snp_rows[] = {
    {"SNP vouches, as on Azure", AZURE, "", "OK", ""},
    {"SNP vouches by the key alone, as on AWS", AWS, "", "OK", ""},
    {"SNP over other data", OTHER_DATA, "", "REPORT_DATA_MISMATCH", "hardware.report.report_data"},
    {"SNP over another key", OTHER_KEY, "", "KEY_NOT_AUTHENTICATED", "hardware.runtime_data.HCLAkPub.n"},
    {"SNP that its own policy refuses", AZURE, ",\"measurement\":\"" A32 A32 A32 "\"", "MEASUREMENT_MISMATCH",
     "hardware.report.measurement"},
};

static void test_snp(void **state)
{
    const snp_row *row = *state;
    pair p;
    char policy[512];
    char hex[65];
    uint8_t digest[32];
    open_pair(&p, row->which, true);
    const atls_bytes root = sim_snp_certificate(p.snp, "ark");
    (void)SHA256(root.ptr, root.len, digest);
    atls_hex_encode(atls_bytes_of(digest, sizeof digest), hex);
    (void)snprintf(policy, sizeof policy, ",\"hardware\":{\"type\":\"sev_snp\",\"trusted_roots\":[\"%s\"]%s}", hex,
                   row->members);
    const char *const settings[] = {"hardware.kind=sev-snp", p.report, p.runtime_data, "cert=none", NULL};
    tpm_world_open(&p.w, settings, SIM_TPM_CBOR, policy);
    p.w.in.endorse = endorse_both;
    p.w.in.endorse_ctx = &p;
    const bool ok = tpm_world_appraise(&p.w);
    tpm_world_expect(&p.w, ok, row->code, row->field);
    if (ok) {
        assert_int_equal(p.w.result.claims.tpm.trust, ATLS_TPM_TRUST_HARDWARE);
        assert_true(p.w.result.claims.sev_snp.present && !p.w.result.claims.root_is_production);
    }
    close_pair(&p);
}

/* ---- a report beside the key, as on GCP ---- */

/* The report holds the value, and the quotes the hash of the value and all of the instance info, the report among it. */
typedef struct gcp_row {
    const char *name;
    size_t flip; /* bit of the report data; 512: none */
    const char *members;
    const char *code;
    const char *field;
} gcp_row;

static const gcp_row gcp_rows[] = {
    {"GCP: made for the same value", 512, ",\"insecure_allow_unauthenticated_ak\":true", "OK", ""},
    {"GCP: the report vouches for no key", 512, "", "KEY_NOT_AUTHENTICATED", "ak_pub"},
    {"GCP: made for another value", 0, "", "REPORT_DATA_MISMATCH", "hardware.report.report_data"},
    {"GCP: the last bit of the value", 255, "", "REPORT_DATA_MISMATCH", "hardware.report.report_data"},
    {"GCP: more behind the value", 511, "", "REPORT_DATA_MISMATCH", "hardware.report.report_data"},
};

static void test_gcp(void **state)
{
    const gcp_row *row = *state;
    pair p;
    char policy[512];
    char hex[65];
    uint8_t report_data[64] = {0};
    uint8_t digest[32];
    atls_bytes report;
    char base64[1600];
    open_pair(&p, AWS, true);
    memset(report_data, 0x42, 32); /* what tpm_world asks for */
    if (row->flip < 512) {
        report_data[row->flip / 8] ^= (uint8_t)(0x80u >> row->flip % 8);
    }
    atls_arena a;
    atls_error err = {.code = ATLS_OK};
    assert_true(atls_arena_new(&a, 1024u * 1024, &err) && sim_snp_report(p.snp, report_data, &a, &report, &err));
    (void)EVP_EncodeBlock((unsigned char *)base64, report.ptr, (int)report.len);
    (void)snprintf(p.report, 65536, "instance_info={\"AttestationReport\":\"%s\",\"GCP\":{\"zone\":\"z\"}}", base64);
    const atls_bytes root = sim_snp_certificate(p.snp, "ark");
    (void)SHA256(root.ptr, root.len, digest);
    atls_hex_encode(atls_bytes_of(digest, sizeof digest), hex);
    (void)snprintf(policy, sizeof policy, ",\"hardware\":{\"type\":\"sev_snp\",\"trusted_roots\":[\"%s\"]}%s", hex,
                   row->members);
    const char *const settings[] = {p.report, "cert=none", NULL};
    tpm_world_open(&p.w, settings, SIM_TPM_CONSTELLATION, policy);
    p.w.in.endorse = endorse_both;
    p.w.in.endorse_ctx = &p;
    tpm_world_expect(&p.w, tpm_world_appraise(&p.w), row->code, row->field);
    atls_arena_free(&a);
    close_pair(&p);
}

/* Without the member hardware nobody looks at the report, and then it vouches for nothing. */
static void test_not_asked(void **state)
{
    pair p;
    (void)state;
    open_pair(&p, AZURE, false);
    const char *const settings[] = {"hardware.kind=tdx", p.report, p.runtime_data, "cert=none", NULL};
    tpm_world_open(&p.w, settings, SIM_TPM_CBOR, "");
    tpm_world_expect(&p.w, tpm_world_appraise(&p.w), "KEY_NOT_AUTHENTICATED", "ak_pub");
    close_pair(&p);
}

int main(void)
{
    tap_list l = {0};
    for (size_t i = 0; i < sizeof shapes / sizeof shapes[0]; i++) {
        tap_add(&l, shapes[i].name, test_shape, &shapes[i]);
    }
    for (size_t i = 0; i < sizeof td_rows / sizeof td_rows[0]; i++) {
        tap_add(&l, td_rows[i].name, test_td, &td_rows[i]);
    }
    for (size_t i = 0; i < sizeof snp_rows / sizeof snp_rows[0]; i++) {
        tap_add(&l, snp_rows[i].name, test_snp, &snp_rows[i]);
    }
    for (size_t i = 0; i < sizeof gcp_rows / sizeof gcp_rows[0]; i++) {
        tap_add(&l, gcp_rows[i].name, test_gcp, &gcp_rows[i]);
    }
    tap_add(&l, "hardware that the policy does not ask for", test_not_asked, NULL);
    return tap_run("tpm hardware", &l);
}
