/* SPDX-License-Identifier: Apache-2.0 */
/* Genuine SEV-SNP reports, one and all of the manifest: decoded they say what it says, and through the whole verifier they
 * get the verdict that it gives, honest or with one of its changes. Skips where the vectors are absent. */
#include "atls/verifier.h"
#include "base/json.h"
#include "evidence/sevsnp/sevsnp.h"
#include "evidence/vectors.h"
#include "verify/again.h"

#define FOLDER    "sev-snp/"
#define MAX_FILES 4

static atls_arena arena;

static void fail_on(const char *what, const atls_error *err)
{
    char line[640];
    (void)atls_error_line(err, line, sizeof line);
    fail_msg("%s: %s", what, line);
}

/* ---- what the manifest says of each report ---- */

static atls_bytes text_of(const atls_json *o, const char *name)
{
    const atls_json *v = atls_json_find(o, name);
    return v == NULL ? atls_bytes_empty() : v->type == ATLS_JSON_STRING ? v->text : v->raw;
}

static void same_hex(const atls_json *fields, const char *name, const uint8_t *bytes, size_t n)
{
    char hex[160];
    atls_hex_encode(atls_bytes_of(bytes, n), hex);
    if (!atls_bytes_equal_str(text_of(fields, name), hex)) {
        fail_msg("%s is %s", name, hex);
    }
}

static void same_number(const atls_json *fields, const char *name, uint64_t value)
{
    char text[32];
    atls_bytes wanted = text_of(fields, name);
    bool is_hex = wanted.len > 1 && wanted.ptr[1] == 'x';
    snprintf(text, sizeof text, is_hex ? "0x%llx" : "%llu", (unsigned long long)value);
    if (!atls_bytes_equal_str(wanted, text)) {
        fail_msg("%s is %s", name, text);
    }
}

static void compare_fields(const atls_json *fields, const sevsnp_report *r)
{
    const atls_snp_report *b = &r->body;
    const uint8_t fms[3] = {b->cpuid_family, b->cpuid_model, b->cpuid_stepping};
    same_number(fields, "version", b->version);
    same_number(fields, "guest_svn", b->guest_svn);
    same_number(fields, "policy", b->policy);
    same_number(fields, "vmpl", b->vmpl);
    same_number(fields, "plat", b->platform_info);
    same_number(fields, "key_info", r->key_info);
    same_hex(fields, "current_tcb", b->current_tcb.raw, 8);
    same_hex(fields, "reported_tcb", b->reported_tcb.raw, 8);
    same_hex(fields, "committed_tcb", b->committed_tcb.raw, 8);
    same_hex(fields, "launch_tcb", b->launch_tcb.raw, 8);
    same_hex(fields, "fms", fms, 3);
    same_hex(fields, "chip_id", b->chip_id, 64);
    same_hex(fields, "measurement", b->measurement, 48);
    same_hex(fields, "report_data", b->report_data, 64);
    same_hex(fields, "host_data", b->host_data, 32);
    same_hex(fields, "id_key_digest", b->id_key_digest, 48);
}

static void decoded_as_said(void **state)
{
    (void)state;
    atls_bytes file;
    const atls_json *manifest;
    size_t n = 0;
    atls_error err = {0};
    atls_arena_reset(&arena);
    assert_true(vectors_read(FOLDER "manifest.json", &arena, &file));
    assert_true(atls_json_parse(file, "manifest", &arena, &manifest, &err));
    for (const atls_json *c = atls_json_find(manifest, "cases")->child; c != NULL; c = c->next) {
        const atls_json *fields = atls_json_find(c, "fields");
        sevsnp_report report;
        char path[128];
        if (fields == NULL) {
            continue;
        }
        atls_bytes name = text_of(c, "name");
        snprintf(path, sizeof path, FOLDER "%.*s.report.bin", (int)name.len, (const char *)name.ptr);
        assert_true(vectors_read(path, &arena, &file));
        if (file.len == 1204) {
            atls_bytes runtime;
            assert_true(sevsnp_azure_report(file, &file, &runtime, &err));
        }
        if (!sevsnp_report_decode(file, &report, &err)) {
            fail_on(path, &err);
        }
        compare_fields(fields, &report);
        n++;
    }
    assert_int_equal(n, 6);
}

/* ---- verdicts ---- */

typedef struct row {
    const char *name;
    const char *report;
    const char *files[MAX_FILES]; /* certificates, PEM or DER */
    const char *time;
    const char *policy; /* members besides the type */
    atls_code code;
    const char *field;
    bool azure;      /* the report is in Azure's framing */
    bool in_table;   /* certificates travel in the report's table */
    int flip_report; /* bit 7 of this byte, 0: none */
    int flip_file_0; /* byte of the first certificate file, 0: none */
} row;

#define MILAN      "ask_ark_milan.pem"
#define MILAN_VLEK "ask_ark_milan_vlek.pem"
#define GENOA      "ask_ark_genoa.pem"
#define V2         "milan_v2.report.bin", {"milan_v2.vcek.der", MILAN}, "2024-01-01T00:00:00Z"
#define DEBUG      "milan_v2_debug.report.bin", {"milan_v2_debug.vcek.der", MILAN}, "2022-09-25T00:00:00Z"
#define AWS                                                                                                            \
    "milan_v3_vlek_aws.report.bin",                                                                                    \
    {                                                                                                                  \
        "milan_v3_vlek_aws.vlek.pem", MILAN_VLEK                                                                       \
    }
#define AZURE "milan_v2_azure_trailing.report.bin", {"milan_v2_azure_trailing.vcek.pem", MILAN}, "2024-01-01T00:00:00Z"
#define V5    "genoa_v5.report.bin", {"genoa_v5.vcek.der", GENOA}, "2026-03-01T00:00:00Z"
#define V2_MEASUREMENT                                                                                                 \
    "7a1e5c266c0108dbc9bb94fa926951320940915d0aafb42464bd88b579ea158d3e1a0dc39b2c60bd95b9c480cd81841f"
#define V2_CHIP                                                                                                        \
    "d49554ec717f4e5b0fe6b143bcf0405bd7ae304727edf46603f2a76aef6a3abc15d7af38db757039029f0efacfd08e244324884738c72b08" \
    "2e2f87a44d541eb6"

/* clang-format off */
static const row rows[] = {
    {"milan v2", V2, "", ATLS_OK, .field = ""},
    {"milan v2: its measurement and machine", V2, ",\"measurement\":\"" V2_MEASUREMENT "\",\"machines\":\"" V2_CHIP "\"", ATLS_OK, .field = ""},
    {"milan v2: in a table", V2, "", ATLS_OK, .field = "", .in_table = true},
    {"milan v2: a bit of the report", V2, "", ATLS_E_EVIDENCE_SIGNATURE, .field = "report.signature", .flip_report = 21},
    {"milan v2: a byte of the VCEK", V2, "", ATLS_E_CERTIFICATE_CHAIN, .field = NULL, .flip_file_0 = 40},
    {"milan v2: a byte of the VCEK's key", V2, "", ATLS_E_CERTIFICATE_CHAIN, .field = NULL, .flip_file_0 = 430},
    {"milan v2: genoa's chain", "milan_v2.report.bin", {"milan_v2.vcek.der", GENOA}, "2024-01-01T00:00:00Z", "",
     ATLS_E_CERTIFICATE_CHAIN, .field = "vcek.issuer"},
    {"milan v2: another chip's VCEK", "milan_v2.report.bin", {"milan_v2_debug.vcek.der", MILAN}, "2024-01-01T00:00:00Z", "",
     ATLS_E_EVIDENCE_SIGNATURE, .field = "report.signature"},
    {"milan v2: both VCEKs, the right one is taken", "milan_v2.report.bin", {"milan_v2_debug.vcek.der", GENOA, "milan_v2.vcek.der", MILAN},
     "2024-01-01T00:00:00Z", "", ATLS_OK, .field = ""},
    {"milan v2: a VLEK for a VCEK's report", "milan_v2.report.bin", {"milan_v3_vlek_aws.vlek.pem", MILAN_VLEK}, "2025-06-01T00:00:00Z",
     "", ATLS_E_CERTIFICATE_MISMATCH, .field = "report.key_info.signing_key"},
    {"milan v2: before its VCEK", "milan_v2.report.bin", {"milan_v2.vcek.der", MILAN}, "2020-01-01T00:00:00Z", "",
     ATLS_E_NOT_YET_VALID, .field = "ark.not_before"},
    {"milan v2: after its VCEK", "milan_v2.report.bin", {"milan_v2.vcek.der", MILAN}, "2035-01-01T00:00:00Z", "",
     ATLS_E_EXPIRED, .field = "vcek.not_after"},
    {"milan v2: no certificates", "milan_v2.report.bin", {NULL}, "2024-01-01T00:00:00Z", "", ATLS_E_ENDORSEMENTS_MISSING,
     .field = "endorsements.vcek"},
    {"milan v2: no chain", "milan_v2.report.bin", {"milan_v2.vcek.der"}, "2024-01-01T00:00:00Z", "", ATLS_E_ENDORSEMENTS_MISSING,
     .field = "endorsements.ask"},
    {"milan v2: a list is required", V2, ",\"revocation\":\"require\"", ATLS_E_ENDORSEMENTS_MISSING, .field = "endorsements.crl"},
    {"milan v2: a higher TCB is asked for", V2, ",\"min_tcb\":{\"microcode\":116}", ATLS_E_TCB_TOO_LOW, .field = "report.reported_tcb"},
    {"milan v2: its own TCB is asked for", V2, ",\"min_tcb\":{\"bootloader\":3,\"snp\":8,\"microcode\":115}", ATLS_OK, .field = ""},
    {"milan v2: committed is current", V2, ",\"require_committed_equals_current\":true", ATLS_OK, .field = ""},

    {"milan v2: its root, named by the policy", V2,
     ",\"trusted_roots\":[\"69d063b45344d26a2e94e1f4210de49ef555308287d4c174445c95639a540bcd\"]", ATLS_OK, .field = ""},
    {"milan v2: another root of AMD's, named by the policy", V2,
     ",\"trusted_roots\":[\"4c6598d19c18719c5dfd4a7d335f674e5bfe1d8f800cea2cf270c10d103db2f1\"]", ATLS_E_CERTIFICATE_CHAIN, .field = "ark"},

    {"debug: refused", DEBUG, "", ATLS_E_GUEST_POLICY, .field = "report.policy.debug"},
    {"debug: allowed", DEBUG, ",\"insecure_allow_debug\":true", ATLS_OK, .field = ""},

    {"aws: provisional firmware", AWS, "2025-06-01T00:00:00Z", "", ATLS_OK, .field = ""},
    {"aws: its cloud", AWS, "2025-06-01T00:00:00Z", ",\"csp_id\":[\"nobody\",\"CN=cc-eu-west-1.amazonaws.com\"]", ATLS_OK, .field = ""},
    {"aws: another cloud", AWS, "2025-06-01T00:00:00Z", ",\"csp_id\":\"CN=cc-us-east-2.amazonaws.com\"", ATLS_E_MACHINE_NOT_ALLOWED,
     .field = "vlek.extensions.csp_id"},
    {"aws: in a table", AWS, "2025-06-01T00:00:00Z", "", ATLS_OK, .field = "", .in_table = true},
    {"aws: committed must be current", AWS, "2025-06-01T00:00:00Z", ",\"require_committed_equals_current\":true", ATLS_E_TCB_TOO_LOW,
     .field = "report.committed_tcb"},
    {"aws: the VLEK's last second", AWS, "2025-12-10T22:30:16Z", "", ATLS_OK, .field = ""},
    {"aws: the VLEK expired", AWS, "2025-12-10T22:30:17Z", "", ATLS_E_EXPIRED, .field = "vlek.not_after"},
    {"aws: a VLEK names no machine", AWS, "2025-06-01T00:00:00Z", ",\"machines\":\"" V2_CHIP "\"", ATLS_E_MACHINE_NOT_ALLOWED,
     .field = "report.chip_id"},
    {"aws: a VCEK for a VLEK's report", "milan_v3_vlek_aws.report.bin", {"milan_v2.vcek.der", MILAN}, "2024-01-01T00:00:00Z", "",
     ATLS_E_CERTIFICATE_MISMATCH, .field = "report.key_info.signing_key"},
    {"vlek: a report that its certificate did not sign", "milan_v2_vlek_badsig.report.bin",
     {"milan_v2_vlek_badsig.vlek.pem", MILAN_VLEK}, "2024-01-01T00:00:00Z", "", ATLS_E_EVIDENCE_SIGNATURE, .field = "report.signature"},

    {"azure: as its vTPM holds it", AZURE, "", ATLS_OK, .field = "", .azure = true},
    {"azure: the framing is not a report", AZURE, "", ATLS_E_EVIDENCE_FORMAT, .field = "certificate_table.length"},
    {"azure: guest svn", AZURE, ",\"min_guest_svn\":3", ATLS_E_MEASUREMENT_MISMATCH, .field = "report.guest_svn", .azure = true},
    {"azure: signed by its ID key", AZURE,
     ",\"id_key_digest\":\"57e229e0ffe5fa92d0faddff6cae0e61c926fc9ef9afd20a8b8cfcf7129db9338cbe5bf3f6987733a2bf65d06dc38fc1\"",
     ATLS_OK, .field = "", .azure = true},

    {"genoa v5", V5, "", ATLS_OK, .field = ""},
    {"genoa v5: its mitigations", V5, ",\"launch_mit_vector\":11,\"current_mit_vector\":3,\"products\":[\"Genoa\"]", ATLS_OK, .field = ""},
    {"genoa v5: another mitigation", V5, ",\"current_mit_vector\":4", ATLS_E_GUEST_POLICY, .field = "report.current_mit_vector"},
    {"genoa v5: its platform", V5, ",\"platform_info\":{\"smt\":true,\"ecc\":true,\"alias_check_complete\":true,\"tsme\":false}", ATLS_OK, .field = ""},
    {"genoa v5: milan's chain", "genoa_v5.report.bin", {"genoa_v5.vcek.der", MILAN}, "2026-03-01T00:00:00Z", "",
     ATLS_E_CERTIFICATE_CHAIN, .field = "vcek.issuer"},
    {"genoa v5: milan's VCEK", "genoa_v5.report.bin", {"milan_v2.vcek.der", MILAN}, "2026-03-01T00:00:00Z", "",
     ATLS_E_CERTIFICATE_MISMATCH, .field = "report.cpuid"},
};
/* clang-format on */

typedef struct files {
    atls_bytes der[16];
    size_t n;
} files;

static void read_files(const row *r, files *out)
{
    atls_error err = {0};
    out->n = 0;
    for (size_t i = 0; i < MAX_FILES && r->files[i] != NULL; i++) {
        char path[128];
        atls_bytes file;
        snprintf(path, sizeof path, FOLDER "%s", r->files[i]);
        assert_true(vectors_read(path, &arena, &file));
        if (strstr(path, ".pem") == NULL) {
            out->der[out->n++] = file;
            continue;
        }
        size_t n;
        assert_true(atls_pem_certificates(file, true, ATLS_E_OTHER, path, &arena, out->der + out->n, 8, &n, &err));
        out->n += n;
    }
}

static uint8_t *flipped(atls_bytes in, int at, unsigned mask)
{
    atls_error err = {0};
    uint8_t *copy = atls_arena_raw(&arena, in.len, &err);
    memcpy(copy, in.ptr, in.len);
    copy[at] ^= (uint8_t)mask;
    return copy;
}

/* report || table of {VCEK, first; ASK, second; ARK, third} */
static atls_bytes with_table(atls_bytes report, const files *f)
{
    static const char guids[3][33] = {"63da758de6644564adc5f4b93be8accd", "4ab7b379bbac4fe4a02f05aef327c782",
                                      "c0b406a4a803495297433fb6014cd0ae"};
    static const char vlek[] = "a8074bc2a25a483eaae639c045a0b8a1";
    atls_error err = {0};
    atls_buf b;
    atls_bytes out;
    size_t offset = 4 * 24;
    atls_buf_init(&b, &arena, &err);
    atls_buf_put(&b, report);
    for (size_t i = 0; i < 3; i++) {
        uint8_t entry[24];
        const char *guid = i == 0 && report.ptr[0x48] == 4 ? vlek : guids[i];
        assert_true(atls_hex_fixed(atls_bytes_of(guid, 32), entry, 16));
        for (size_t k = 0; k < 4; k++) {
            entry[16 + k] = (uint8_t)(offset >> (8 * k));
            entry[20 + k] = (uint8_t)(f->der[i].len >> (8 * k));
        }
        atls_buf_put(&b, atls_bytes_of(entry, sizeof entry));
        offset += f->der[i].len;
    }
    atls_buf_put(&b, atls_bytes_of((const uint8_t[24]){0}, 24));
    for (size_t i = 0; i < 3; i++) {
        atls_buf_put(&b, f->der[i]);
    }
    assert_true(atls_buf_done(&b, &out));
    return out;
}

static bool give(void *ctx, const atls_endorsement_request *request, atls_arena *a, atls_endorsements *out,
                 atls_error *err)
{
    const files *f = ctx;
    (void)a;
    (void)err;
    assert_int_equal(request->platform, ATLS_PLATFORM_SEV_SNP);
    *out = (atls_endorsements){.pile = {.certificates = f->der, .n_certificates = f->n}};
    return true;
}

static void prepare(const row *r, files *f, atls_appraisal *in)
{
    char path[128];
    atls_bytes report;
    atls_bytes runtime;
    atls_error err = {0};
    snprintf(path, sizeof path, FOLDER "%s", r->report);
    assert_true(vectors_read(path, &arena, &report));
    read_files(r, f);
    if (r->azure) {
        assert_true(sevsnp_azure_report(report, &report, &runtime, &err) && runtime.len == 0);
    }
    if (r->flip_report != 0) {
        report.ptr = flipped(report, r->flip_report, 0x80);
    }
    if (r->flip_file_0 != 0) {
        f->der[0].ptr = flipped(f->der[0], r->flip_file_0, 0x01);
    }
    if (r->in_table) {
        report = with_table(report, f);
        f->n = 0;
    }
    in->evidence = report;
    in->event_log = atls_bytes_empty();
    in->binding.profile = "";
    assert_true(atls_time_parse(atls_bytes_str(r->time), &in->now));
}

static void run(void **state)
{
    const row *r = *state;
    files f;
    char text[1024];
    atls_policy *policy = NULL;
    atls_verifier *verifier = NULL;
    atls_result result;
    atls_bytes json;
    atls_error err = {0};
    atls_error unused = {0};
    atls_appraisal in = {.endorse = give, .endorse_ctx = &f};
    atls_arena_reset(&arena);
    prepare(r, &f, &in);
    snprintf(text, sizeof text, "{\"type\":\"sev_snp\"%s}", r->policy);
    if (!atls_policy_parse(atls_bytes_str(text), &policy, &err) || !atls_verifier_new(policy, &verifier, &err)) {
        fail_on(r->name, &err);
    }
    const bool ok = again_appraise(verifier, &in, &arena, &result, &err);
    if (ok != (r->code == ATLS_OK) || err.code != r->code || (r->field != NULL && strcmp(err.field, r->field) != 0)) {
        fail_on(r->name, &err);
    }
    const atls_verdict no = r->code == ATLS_E_ENDORSEMENTS_MISSING ? ATLS_VERDICT_UNDECIDED : ATLS_VERDICT_REJECTED;
    assert_int_equal(result.verdict, ok ? ATLS_VERDICT_ACCEPTED : no);
    assert_true(!ok || (result.claims.sev_snp.present && !result.simulated_or_test_root));
    assert_true(atls_result_json(&result, &err, &arena, &json, &unused));
    atls_verifier_free(verifier);
    atls_policy_free(policy);
}

/* ---- Turin: a certificate without a report ---- */

static void turin_vcek(void **state)
{
    (void)state;
    static const uint8_t hwid[64] = {0x1e, 0x55, 0x0a, 0x8e, 0xe5, 0xcf, 0x9f, 0x4d};
    static const uint8_t tcb[8] = {0, 0, 0, 0, 0, 0, 0, 9};
    atls_bytes der;
    atls_cert cert;
    sevsnp_leaf leaf;
    atls_error err = {0};
    atls_arena_reset(&arena);
    assert_true(vectors_read(FOLDER "turin.vcek.der", &arena, &der));
    assert_true(atls_cert_decode(der, "vcek", &cert, &err));
    assert_true(sevsnp_leaf_decode(&cert, ATLS_SNP_TURIN, &leaf, &err));
    assert_false(leaf.is_vlek);
    assert_int_equal(leaf.struct_version, 1);
    assert_true(atls_bytes_equal_str(leaf.product_name, "Turin"));
    assert_memory_equal(leaf.hwid, hwid, sizeof hwid);
    assert_memory_equal(leaf.tcb, tcb, sizeof tcb);
    assert_false(sevsnp_leaf_decode(&cert, ATLS_SNP_GENOA, &leaf, &err));
    assert_string_equal(err.field, "vcek.extensions.product_name");
}

int main(void)
{
    tap_list l = {0};
    atls_error err = {0};
    atls_bytes probe;
    if (!atls_arena_new(&arena, ATLS_ARENA_DEFAULT_SIZE, &err)) {
        return 1;
    }
    if (!vectors_read(FOLDER "manifest.json", &arena, &probe)) {
        tap_add(&l, "genuine reports", vectors_absent, NULL);
    } else {
        tap_add(&l, "every report decodes to what the manifest says", decoded_as_said, NULL);
        tap_add(&l, "turin: extensions of a VCEK", turin_vcek, NULL);
        for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
            tap_add(&l, rows[i].name, run, &rows[i]);
        }
    }
    int failed = tap_run("vectors_sevsnp", &l);
    atls_arena_free(&arena);
    return failed;
}
