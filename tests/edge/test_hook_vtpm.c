/* SPDX-License-Identifier: Apache-2.0 */
/* test_hook_vtpm.c: machines with a real swtpm prove what they are inside the handshake of constellation, as each variant of
 * section 8: the quotes are the TPM's, hardware reports around its key are the simulator's, and the verifying client decides
 * by its policy, by the hardware's own, and by asking whoever knows the key. */
#include "pair.h"

#include <time.h>

#include <openssl/evp.h>
#include <openssl/sha.h>

#include "base/text.h"
#include "sim/sim_sevsnp.h"
#include "sim/sim_tpm.h"
#include "tpm_inside.h"

#define AZURE_KEY    0x81000003u
#define AZURE_REPORT 0x01400001u
#define IDENTITY     "{\"imageId\":\"ami-0123\",\"region\":\"eu-west-1\",\"instanceId\":\"i-0456\"}"
#define GCP_INFO     "{\"zone\":\"europe-west3-b\",\"project_id\":\"p\",\"instance_name\":\"i\"}"

#define MOST_IN_INDEX 2048u /* of a swtpm; Azure's has 2600 bytes, the last of them zeros */

static swtpm tpm; /* shared by all rows: what a row puts into it, it takes out */

static void check(bool ok, const atls_error *err)
{
    if (!ok) {
        char line[700];
        (void)atls_error_line(err, line, sizeof line);
        fail_msg("%s", line);
    }
}

/* ---- a machine ---- */

typedef struct machine {
    sim_snp *snp;
    sim *td;
    uint8_t hcl[MOST_IN_INDEX];
    atls_tpm_options options;
    unsigned n_asked;    /* calls of trust_key */
    char variant[32];    /* as it was asked about */
    bool key_is_trusted; /* what it says */
} machine;

static bool trust_key(void *ctx, const atls_key_question *q, atls_arena *arena, const char **label, atls_error *err)
{
    machine *m = ctx;
    (void)arena;
    m->n_asked++;
    (void)snprintf(m->variant, sizeof m->variant, "%s", q->variant);
    *label = "a cloud's API";
    return (m->key_is_trusted && q->spki.len > 0)
           || atls_fail(err, ATLS_E_KEY_NOT_AUTHENTICATED, "ak_pub", "the cloud does not know this key");
}

/* As the service of Azure's hosts: a quote over the report data of the TDREPORT. */
static bool quote_td(void *ctx, atls_bytes report, atls_arena *arena, atls_bytes *quote, atls_error *err)
{
    machine *m = ctx;
    return sim_quote(m->td, report.ptr + 128, arena, quote, err);
}

static bool quote_other_td(void *ctx, atls_bytes report, atls_arena *arena, atls_bytes *quote, atls_error *err)
{
    machine *m = ctx;
    uint8_t report_data[64];
    memcpy(report_data, report.ptr + 128, 64);
    report_data[0] ^= 1;
    return sim_quote(m->td, report_data, arena, quote, err);
}

/* Azure: the report was made at boot, over runtime data that name the key. */
static void put_hcl(machine *m, pair *p, bool is_tdx)
{
    uint8_t public[600];
    uint8_t report_data[64] = {0};
    uint8_t tdreport[1024] = {0};
    sim_hcl hcl = {0};
    atls_bytes blob;
    const size_t n = inside_read_key(&tpm, AZURE_KEY, public, sizeof public);
    check(sim_hcl_runtime_data(atls_bytes_of(public, n), &p->arena, &hcl.runtime_data, &p->err), &p->err);
    (void)SHA256(hcl.runtime_data.ptr, hcl.runtime_data.len, report_data);
    memcpy(tdreport + 128, report_data, sizeof report_data);
    hcl.report = atls_bytes_of(tdreport, sizeof tdreport);
    if (!is_tdx) {
        check(sim_snp_report(m->snp, report_data, &p->arena, &hcl.report, &p->err), &p->err);
    }
    check(sim_hcl_blob(&hcl, &p->arena, &blob, &p->err), &p->err);
    assert_true(atls_bytes_is_zero(atls_bytes_of(blob.ptr + sizeof m->hcl, blob.len - sizeof m->hcl)));
    memcpy(m->hcl, blob.ptr, sizeof m->hcl);
    inside_put_index(&tpm, AZURE_REPORT, m->hcl, sizeof m->hcl, TPMA_NV_OWNERREAD);
}

/* ---- rows ---- */

typedef enum around { NOTHING, AZURE_SNP, AZURE_TDX, REPORTS } around;

typedef struct row {
    const char *name;
    const char *variant;
    const char *claimed; /* the variant of the certificate; NULL: the same */
    const char *info;
    around around;
    const char *hardware; /* "sev_snp", "tdx": the policy asks for it; NULL: no */
    const char *members;  /* of the policy */
    bool asks;            /* the client has somebody to ask about keys */
    bool trusts;          /* who says yes */
    bool other_quote;     /* td_quote makes one of something else */
    const char *client;   /* "ok", or "CODE field" of the client's refusal */
    const char *server;   /* of the server's own failure; NULL: none */
    atls_tpm_trust trust;
    const char *unchecked; /* id of a check that must be there as skipped; NULL: none */
} row;

#define FAITH       ",\"insecure_allow_unauthenticated_ak\":true"
#define NO_KEY      "KEY_NOT_AUTHENTICATED ak_pub"
#define BY_NOBODY   ATLS_TPM_TRUST_NONE
#define BY_CALLER   ATLS_TPM_TRUST_CALLER
#define BY_HARDWARE ATLS_TPM_TRUST_HARDWARE

/* clang-format off */
static const row rows[] = {
    {"qemu-vtpm, on faith", "qemu-vtpm", NULL, NULL, NOTHING, NULL, FAITH, false, false, false, "ok", NULL, BY_NOBODY, "tpm.key_trust"},
    {"qemu-vtpm, nobody vouches", "qemu-vtpm", NULL, NULL, NOTHING, NULL, "", false, false, false, NO_KEY, NULL, 0, NULL},
    {"qemu-vtpm, the caller vouches", "qemu-vtpm", NULL, NULL, NOTHING, NULL, "", true, true, false, "ok", NULL, BY_CALLER, NULL},
    {"qemu-vtpm, the caller does not know it", "qemu-vtpm", NULL, NULL, NOTHING, NULL, "", true, false, false, NO_KEY, NULL, 0, NULL},
    {"qemu-vtpm, another measurement", "qemu-vtpm", NULL, NULL, NOTHING, NULL, FAITH ",\"bank\":\"sha384\"", false, false, false, "MEASUREMENT_MISMATCH bank", NULL, 0, NULL},
    {"aws-nitro-tpm", "aws-nitro-tpm", NULL, IDENTITY, NOTHING, NULL, "", true, true, false, "ok", NULL, BY_CALLER, NULL},
    {"aws-nitro-tpm, on faith", "aws-nitro-tpm", NULL, IDENTITY, NOTHING, NULL, FAITH, false, false, false, "ok", NULL, BY_NOBODY, "tpm.key_trust"},
    {"gcp-sev-es", "gcp-sev-es", NULL, GCP_INFO, NOTHING, NULL, "", true, true, false, "ok", NULL, BY_CALLER, NULL},
    {"gcp-sev-snp, the API knows the key", "gcp-sev-snp", NULL, GCP_INFO, REPORTS, "sev_snp", "", true, true, false, "ok", NULL, BY_CALLER, NULL},
    {"gcp-sev-snp, the report vouches for no key", "gcp-sev-snp", NULL, GCP_INFO, REPORTS, "sev_snp", "", false, false, false, NO_KEY, NULL, 0, NULL},
    {"gcp-sev-snp, the report is not looked at", "gcp-sev-snp", NULL, GCP_INFO, REPORTS, NULL, "", true, true, false, "ok", NULL, BY_CALLER, "hardware"},
    {"aws-sev-snp", "aws-sev-snp", NULL, NULL, REPORTS, "sev_snp", "", false, false, false, "ok", NULL, BY_HARDWARE, NULL},
    {"aws-sev-snp, the report is not looked at", "aws-sev-snp", NULL, NULL, REPORTS, NULL, "", false, false, false, NO_KEY, NULL, 0, NULL},
    {"azure-sev-snp", "azure-sev-snp", NULL, NULL, AZURE_SNP, "sev_snp", "", false, false, false, "ok", NULL, BY_HARDWARE, NULL},
    {"azure-sev-snp where TDX is asked for", "azure-sev-snp", NULL, NULL, AZURE_SNP, "tdx", "", false, false, false, "TEE_TYPE_MISMATCH hardware", NULL, 0, NULL},
    {"azure-tdx", "azure-tdx", NULL, NULL, AZURE_TDX, "tdx", "", false, false, false, "ok", NULL, BY_HARDWARE, NULL},
    {"azure-tdx where SNP is asked for", "azure-tdx", NULL, NULL, AZURE_TDX, "sev_snp", "", false, false, false, "TEE_TYPE_MISMATCH hardware", NULL, 0, NULL},
    {"no hardware where it is asked for", "qemu-vtpm", NULL, NULL, NOTHING, "sev_snp", "", true, true, false, "KEY_NOT_AUTHENTICATED hardware", NULL, 0, NULL},
    {"a certificate of another variant: the evidence decides", "azure-sev-snp", "qemu-vtpm", NULL, AZURE_SNP, "sev_snp", "", false, false, false, "ok", NULL, BY_HARDWARE, NULL},

    {"a variant that there is not", "azure-snp", "qemu-vtpm", NULL, NOTHING, NULL, "", false, false, false, NULL, "CONFIGURATION attester.tpm.variant", 0, NULL},
    {"instance info that is no object", "aws-nitro-tpm", NULL, "[]", NOTHING, NULL, "", false, false, false, NULL, "CONFIGURATION attester.tpm.instance_info", 0, NULL},
    {"instance info where there is none", "qemu-vtpm", NULL, "{}", NOTHING, NULL, "", false, false, false, NULL, "CONFIGURATION attester.tpm.instance_info", 0, NULL},
    {"aws-sev-snp without reports", "aws-sev-snp", NULL, NULL, NOTHING, NULL, "", false, false, false, NULL, "CONFIGURATION attester.tpm.hardware", 0, NULL},
    {"azure-tdx without quotes", "azure-tdx", NULL, NULL, NOTHING, NULL, "", false, false, false, NULL, "CONFIGURATION attester.tpm.td_quote", 0, NULL},
    {"azure-tdx, a quote of something else", "azure-tdx", NULL, NULL, AZURE_TDX, NULL, "", false, false, true, NULL, "QUOTE attester.tpm.td_quote", 0, NULL},
    {"azure-sev-snp on another machine", "azure-sev-snp", NULL, NULL, NOTHING, NULL, "", false, false, false, NULL, "UNSUPPORTED attester.tpm.variant", 0, NULL},
    {"azure-sev-snp on one of TDX", "azure-sev-snp", NULL, NULL, AZURE_TDX, NULL, "", false, false, false, NULL, "UNSUPPORTED attester.tpm.variant", 0, NULL},
    {"azure-trustedlaunch without a certificate", "azure-trustedlaunch", NULL, NULL, NOTHING, NULL, "", false, false, false, NULL, "CONFIGURATION attester.tpm.certificate", 0, NULL},
};
/* clang-format on */

static uint8_t pcr4[32]; /* what was measured into it */

static void write_policy(pair *p, const machine *m, const row *r, char *out, size_t size)
{
    char hex[65];
    char root[65];
    uint8_t digest[32];
    const bool is_snp = r->hardware != NULL && strcmp(r->hardware, "sev_snp") == 0;
    const atls_bytes der = is_snp ? sim_snp_certificate(m->snp, "ark") : sim_root(m->td);
    (void)p;
    (void)SHA256(der.ptr, der.len, digest);
    atls_hex_encode(atls_bytes_of(digest, sizeof digest), root);
    atls_hex_encode(atls_bytes_of(pcr4, sizeof pcr4), hex);
    const int n = snprintf(
        out, size, "{\"type\":\"tpm\",\"min_grade\":\"key_fresh\",\"attested_only\":true,\"pcrs\":{\"4\":\"%s%s\"}%s",
        hex, strstr(r->members, "sha384") != NULL ? "00000000000000000000000000000000" : "", r->members);
    if (r->hardware != NULL) {
        (void)snprintf(out + n, size - (size_t)n, ",\"hardware\":{\"type\":\"%s\",\"trusted_roots\":[\"%s\"]}}",
                       r->hardware, root);
    } else {
        (void)snprintf(out + n, size - (size_t)n, "}");
    }
}

static bool endorse(void *ctx, const atls_endorsement_request *request, atls_arena *a, atls_endorsements *out,
                    atls_error *err)
{
    machine *m = ctx;
    if (request->platform == ATLS_PLATFORM_SEV_SNP) {
        return sim_snp_endorse(m->snp, request, a, out, err);
    }
    if (request->platform == ATLS_PLATFORM_TPM) {
        *out = (atls_endorsements){.platform = ATLS_PLATFORM_TPM};
        return true;
    }
    return sim_endorse(m->td, request, a, out, err);
}

static void open_machine(machine *m, pair *p, const row *r)
{
    *m = (machine){.key_is_trusted = r->trusts};
    check(sim_snp_new(&(sim_snp_options){.version = 3}, &m->snp, &p->err), &p->err);
    check(sim_new(&(sim_options){0}, &m->td, &p->err), &p->err);
    m->options = (atls_tpm_options){.tcti = tpm.tcti,
                                    .key = ATLS_TPM_KEY_HANDLE,
                                    .key_handle = AZURE_KEY,
                                    .event_log_path = "",
                                    .variant = r->variant,
                                    .instance_info = r->info};
    if (r->around == AZURE_SNP || r->around == AZURE_TDX) {
        put_hcl(m, p, r->around == AZURE_TDX);
    }
    if (r->around == REPORTS) {
        m->options.hardware = sim_snp_attest;
        m->options.hardware_ctx = m->snp;
    }
    if (r->around == AZURE_TDX) {
        m->options.td_quote = r->other_quote ? quote_other_td : quote_td;
        m->options.td_quote_ctx = m;
    }
}

static void close_machine(machine *m, const row *r)
{
    if (r->around == AZURE_SNP || r->around == AZURE_TDX) {
        inside_take_index(&tpm, AZURE_REPORT);
    }
    sim_snp_free(m->snp);
    sim_free(m->td);
}

static void open_ends(pair *p, machine *m, const row *r)
{
    char policy[1200];
    size_t n = 0;
    const atls_variant *vtpm = atls_variants_vtpm(&n);
    pair_open(p);
    open_machine(m, p, r);
    write_policy(p, m, r, policy, sizeof policy);
    check(atls_policy_parse(atls_bytes_str(policy), &p->policy, &p->err), &p->err);
    check(atls_verifier_new(p->policy, &p->verifier, &p->err), &p->err);
    for (size_t i = 0; i < n; i++) {
        p->client.hook.accepts[i] = &vtpm[i];
    }
    p->client.hook.n_accepts = n;
    p->client.hook.verifier = p->verifier;
    p->client.hook.endorse = endorse;
    p->client.hook.endorse_ctx = m;
    p->client.hook.trust_key = r->asks ? trust_key : NULL;
    p->client.hook.trust_key_ctx = m;
    p->server.hook.issues = atls_variant_named(r->claimed != NULL ? r->claimed : r->variant);
    assert_non_null(p->server.hook.issues);
    p->server.hook.attest = atls_attest_tpm;
    p->server.hook.attest_ctx = &m->options;
}

static void expect_line(const pair_end *e, const char *wanted)
{
    const atls_result *result;
    atls_error err = {0};
    char line[160];
    assert_false(atls_hook_result(e->ssl, &result, &err));
    (void)snprintf(line, sizeof line, "%s %s", atls_code_name(err.code), err.field);
    assert_string_equal(line, wanted);
}

static bool is_skipped(const atls_result *r, const char *id)
{
    for (size_t i = 0; i < r->n_checks; i++) {
        if (strcmp(r->checks[i].id, id) == 0) {
            return r->checks[i].verdict == ATLS_CHECK_SKIPPED && r->checks[i].why[0] != '\0';
        }
    }
    return false;
}

static void expect_accepted(pair *p, const machine *m, const row *r)
{
    const atls_result *result;
    atls_error err = {0};
    pair_expect_done(&p->client);
    pair_expect_done(&p->server);
    pair_expect_accepted(&p->client);
    assert_true(atls_hook_result(p->client.ssl, &result, &err));
    assert_int_equal(result->grade, ATLS_GRADE_KEY_FRESH);
    assert_int_equal(result->claims.tpm.trust, r->trust);
    assert_string_equal(result->claims.tpm.form, "constellation");
    assert_int_equal(m->n_asked, r->trust == BY_CALLER ? 1 : 0);
    assert_true(r->unchecked == NULL || is_skipped(result, r->unchecked));
    assert_int_equal(result->claims.sev_snp.present, r->hardware != NULL && strcmp(r->hardware, "sev_snp") == 0);
    assert_int_equal(result->claims.dcap.is_tdx, r->hardware != NULL && strcmp(r->hardware, "tdx") == 0);
    if (strcmp(r->variant, "qemu-vtpm") != 0) {
        assert_string_equal(result->claims.tpm.variant, r->variant);
    }
    if (m->n_asked > 0 && strcmp(r->variant, "qemu-vtpm") != 0) {
        assert_string_equal(m->variant, r->variant);
    }
    pair_say(&p->server, &p->client);
    assert_int_equal(p->client.code, SSL_ERROR_NONE);
}

static void test_row(void **state)
{
    const row *r = *state;
    pair p;
    machine m;
    if (tpm.pid == 0) {
        skip();
    }
    open_ends(&p, &m, r);
    pair_start(&p);
    if (r->server != NULL) {
        expect_line(&p.server, r->server);
        assert_int_not_equal(p.client.code, SSL_ERROR_NONE);
    } else if (strcmp(r->client, "ok") == 0) {
        expect_accepted(&p, &m, r);
    } else {
        expect_line(&p.client, r->client);
        assert_int_equal(p.server.alert, SSL_AD_BAD_CERTIFICATE);
    }
    close_machine(&m, r);
    pair_close(&p);
}

/* ---- more than one of it ---- */

/* Both are machines with a TPM, and both prove it; the evidence is made by attesters with threads of their own. */
static void test_mutual(void **state)
{
    const row *r = &rows[0];
    pair p;
    machine m;
    atls_attester *attester = NULL;
    (void)state;
    if (tpm.pid == 0) {
        skip();
    }
    open_ends(&p, &m, r);
    const atls_attester_options o = {
        .attest = atls_attest_tpm, .attest_ctx = &m.options, .platform = ATLS_PLATFORM_TPM};
    check(atls_attester_new(&o, &attester, &p.err), &p.err);
    p.server.hook.attest = NULL;
    p.server.hook.attester = attester;
    memcpy(p.server.hook.accepts, p.client.hook.accepts, sizeof p.server.hook.accepts);
    p.server.hook.n_accepts = p.client.hook.n_accepts;
    p.server.hook.verifier = p.verifier;
    p.server.hook.endorse = endorse;
    p.server.hook.endorse_ctx = &m;
    p.client.hook.issues = atls_variant_named("qemu-vtpm");
    p.client.hook.attester = attester;
    pair_ssl(&p);
    for (int i = 0; i < 1000 && (i == 0 || p.server.code != SSL_ERROR_NONE || p.client.code != SSL_ERROR_NONE); i++) {
        const struct timespec pause = {.tv_nsec = 10000000};
        (void)nanosleep(&pause, NULL);
        pair_run(&p);
    }
    pair_expect_done(&p.client);
    pair_expect_done(&p.server);
    pair_expect_accepted(&p.client);
    pair_expect_accepted(&p.server);
    close_machine(&m, r);
    SSL_free(p.client.ssl);
    SSL_free(p.server.ssl);
    p.client.ssl = p.server.ssl = NULL;
    atls_attester_free(attester);
    pair_close(&p);
}

/* Evidence in our own form stands in no certificate. */
static void test_own_form(void **state)
{
    pair p;
    machine m;
    (void)state;
    if (tpm.pid == 0) {
        skip();
    }
    open_ends(&p, &m, &rows[0]);
    m.options.variant = NULL;
    pair_start(&p);
    expect_line(&p.server, "CONFIGURATION attest");
    close_machine(&m, &rows[0]);
    pair_close(&p);
}

/* The public options: a name that is none, one that nothing makes, and each that there is. */
static void test_options(void **state)
{
    static const char *const names[] = {"qemu-tdx",      "qemu-vtpm",  "aws-nitro-tpm",
                                        "aws-sev-snp",   "gcp-sev-es", "gcp-sev-snp",
                                        "azure-sev-snp", "azure-tdx",  "azure-trustedlaunch"};
    (void)state;
    for (size_t i = 0; i < sizeof names / sizeof names[0] + 2; i++) {
        const bool known = i < sizeof names / sizeof names[0];
        const bool makes = i <= sizeof names / sizeof names[0];
        const atls_hook_client_options client = {.insecure_unverified = true,
                                                 .attest = makes ? pair_attest : NULL,
                                                 .variant = known   ? names[i]
                                                            : makes ? "dummy"
                                                                    : "qemu-vtpm"};
        atls_error err = {0};
        SSL_CTX *ctx = SSL_CTX_new(TLS_method());
        assert_int_equal(atls_hook_client(ctx, &client, &err), known);
        pair_expect_error(&err, known ? ATLS_OK : ATLS_E_CONFIGURATION, known ? "" : "variant");
        SSL_CTX_free(ctx);
    }
}

int main(void)
{
    static const uint8_t measured[32] = {0x6d, 0x65, 0x61};
    uint8_t both[64] = {0};
    tap_list l = {0};
    if (swtpm_start(&tpm)) {
        const TPM2B_PUBLIC template = inside_template(INSIDE_RSA);
        inside_put_key(&tpm, AZURE_KEY, &template);
        inside_extend(&tpm, 4, measured);
        memcpy(both + 32, measured, sizeof measured);
        (void)SHA256(both, sizeof both, pcr4);
    }
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        tap_add(&l, rows[i].name, test_row, &rows[i]);
    }
    tap_add(&l, "both are machines with a TPM", test_mutual, NULL);
    tap_add(&l, "our own form in a certificate", test_own_form, NULL);
    tap_add(&l, "the names of the variants", test_options, NULL);
    const int failed = tap_run("edge/hook_vtpm", &l);
    swtpm_stop(&tpm);
    return failed;
}
