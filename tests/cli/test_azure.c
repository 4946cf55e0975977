/* SPDX-License-Identifier: Apache-2.0 */
/* test_azure.c: a confidential machine of Azure's kind, end to end: the real swtpm quotes with its persistent key, NV index
 * 0x01400001 holds a hardware report over runtime data that name this key, `atls evidence get` takes both, and `atls verify`
 * judges them by the TPM's policy and the hardware's inside it. Each row is the honest machine with one thing wrong, and the
 * program and the library must name the same thing. Only the hardware's report, and the quote that Azure's service would make of
 * a TDREPORT, are the simulator's. */
#include <sys/stat.h>
#include <unistd.h>

#include <openssl/sha.h>

#include "base/text.h"
#include "evidence/tpm/tpm.h"
#include "run.h"
#include "sim/sim.h"
#include "sim/sim_sevsnp.h"
#include "sim/sim_tpm.h"
#include "tests/edge/tpm_inside.h"

#define KEY           0x81000003u
#define REPORT_AT     0x01400001u
#define MOST_IN_INDEX 2048u /* of a swtpm */
#define HALF          "000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f"
#define NOW           " --at 2026-06-15T12:00:00Z"
#define GET                                                                                                            \
    "evidence get -a tpm --tcti swtpm:host=127.0.0.1,port={p} --event-log={d}/empty -o {d}/azure.cbor "                \
    "--report-data " HALF
#define VERIFY                                                                                                         \
    "verify {d}/azure.cbor --json -p {d}/azure.json -e {d}/snp -e {d}/room/collateral.json" NOW " --report-data "

static swtpm tpm;
static uint8_t pcr4[32];
static bool has_index; /* also of a row that failed */

static void must(bool ok, const atls_error *err)
{
    if (!ok) {
        char line[640];
        (void)atls_error_line(err, line, sizeof line);
        fail_msg("%s", line);
    }
}

/* ---- rows ---- */

typedef enum wrong {
    NOTHING_WRONG,
    OTHER_KEY,       /* the runtime data name another key */
    OTHER_EXPONENT,  /* the same modulus, another exponent */
    OTHER_NAME,      /* the key has another name in there */
    KEY_TWICE,       /* two keys of that name, this one and another */
    OTHER_DATA,      /* the report is over the hash of something else */
    MORE_DATA,       /* the report data go on behind the hash */
    NO_JSON,         /* the runtime data are no JSON */
    NO_REPORT,       /* nothing in NV */
    NO_HCL,          /* something else in NV */
    OTHER_TYPE,      /* the blob says that its report is of TDX, or SNP */
    UNKNOWN_TYPE,    /* or of nothing we know */
    OTHER_HASH,      /* the blob says SHA-384 */
    OTHER_SIGNATURE, /* a bit of the report's signature */
    TAMPERED_REPORT, /* a bit of the report's measurement */
    OTHER_LABEL,     /* the evidence calls the report that of the other hardware */
    OTHER_NONCE,     /* the quote is asked about another value */
} wrong;

typedef struct row {
    const char *name;
    bool is_tdx;
    wrong wrong;
    const char *setting;  /* of the hardware; NULL: none */
    const char *hardware; /* the policy's member: "sev_snp", "tdx"; "": none */
    const char *members;  /* of that one */
    const char *expected; /* "ok", or "CODE field" */
    int status;           /* of the program */
} row;

#define A96 "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"
#define B64 "bbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbb"

/* clang-format off */
static const row rows[] = {
    {"SNP: the honest machine", false, NOTHING_WRONG, NULL, "sev_snp", "", "ok", 0},
    {"SNP: another key in the runtime data", false, OTHER_KEY, NULL, "sev_snp", "", "KEY_NOT_AUTHENTICATED hardware.runtime_data.HCLAkPub.n", 4},
    {"SNP: another exponent there", false, OTHER_EXPONENT, NULL, "sev_snp", "", "KEY_NOT_AUTHENTICATED hardware.runtime_data.HCLAkPub.e", 4},
    {"SNP: the key under another name", false, OTHER_NAME, NULL, "sev_snp", "", "KEY_NOT_AUTHENTICATED hardware.runtime_data.HCLAkPub", 4},
    {"SNP: two keys of that name", false, KEY_TWICE, NULL, "sev_snp", "", "KEY_NOT_AUTHENTICATED hardware.runtime_data.HCLAkPub", 4},
    {"SNP: runtime data that are no JSON", false, NO_JSON, NULL, "sev_snp", "", "EVIDENCE_FORMAT hardware.runtime_data", 2},
    {"SNP: a report over other data", false, OTHER_DATA, NULL, "sev_snp", "", "REPORT_DATA_MISMATCH hardware.report.report_data", 6},
    {"SNP: more behind the hash", false, MORE_DATA, NULL, "sev_snp", "", "REPORT_DATA_MISMATCH hardware.report.report_data", 6},
    {"SNP: no report", false, NO_REPORT, NULL, "sev_snp", "", "KEY_NOT_AUTHENTICATED hardware", 4},
    {"SNP: something else in NV", false, NO_HCL, NULL, "sev_snp", "", "KEY_NOT_AUTHENTICATED hardware", 4},
    {"SNP: the blob says TDX", false, OTHER_TYPE, NULL, "sev_snp", "", "KEY_NOT_AUTHENTICATED hardware", 4},
    {"SNP: the blob says something else", false, UNKNOWN_TYPE, NULL, "sev_snp", "", "KEY_NOT_AUTHENTICATED hardware", 4},
    {"SNP: the blob names another hash", false, OTHER_HASH, NULL, "sev_snp", "", "KEY_NOT_AUTHENTICATED hardware", 4},
    {"SNP: the evidence says TDX", false, OTHER_LABEL, NULL, "sev_snp", "", "TEE_TYPE_MISMATCH hardware", 4},
    {"SNP: another signature", false, OTHER_SIGNATURE, NULL, "sev_snp", "", "EVIDENCE_SIGNATURE hardware.report.signature", 2},
    {"SNP: a report that was changed", false, TAMPERED_REPORT, NULL, "sev_snp", "", "EVIDENCE_SIGNATURE hardware.report.signature", 2},
    {"SNP: a report of VMPL 1", false, NOTHING_WRONG, "report.vmpl=1", "sev_snp", "", "GUEST_POLICY hardware.report.vmpl", 4},
    {"SNP: VMPL 1, and the policy takes it", false, NOTHING_WRONG, "report.vmpl=1", "sev_snp", ",\"vmpl\":1", "ok", 0},
    {"SNP: a guest that can be debugged", false, NOTHING_WRONG, "report.policy=0x0b0000", "sev_snp", "", "GUEST_POLICY hardware.report.policy.debug", 4},
    {"SNP: another measurement", false, NOTHING_WRONG, NULL, "sev_snp", ",\"measurement\":\"" A96 "\"", "MEASUREMENT_MISMATCH hardware.report.measurement", 4},
    {"SNP: other host data", false, NOTHING_WRONG, NULL, "sev_snp", ",\"host_data\":\"" B64 "\"", "MEASUREMENT_MISMATCH hardware.report.host_data", 4},
    {"SNP: the policy is of TDX", false, NOTHING_WRONG, NULL, "tdx", "", "TEE_TYPE_MISMATCH hardware", 4},
    {"SNP: the policy does not look at it", false, NOTHING_WRONG, NULL, "", "", "KEY_NOT_AUTHENTICATED ak_pub", 4},
    {"SNP: another value than the quote's", false, OTHER_NONCE, NULL, "sev_snp", "", "REPORT_DATA_MISMATCH quote.extra_data", 6},

    {"TDX: the honest machine", true, NOTHING_WRONG, NULL, "tdx", "", "ok", 0},
    {"TDX: another key in the runtime data", true, OTHER_KEY, NULL, "tdx", "", "KEY_NOT_AUTHENTICATED hardware.runtime_data.HCLAkPub.n", 4},
    {"TDX: a quote over other data", true, OTHER_DATA, NULL, "tdx", "", "REPORT_DATA_MISMATCH hardware.quote.body.reportdata", 6},
    {"TDX: more behind the hash", true, MORE_DATA, NULL, "tdx", "", "REPORT_DATA_MISMATCH hardware.quote.body.reportdata", 6},
    {"TDX: no quote", true, NO_REPORT, NULL, "tdx", "", "KEY_NOT_AUTHENTICATED hardware", 4},
    {"TDX: the blob says SNP", true, OTHER_TYPE, NULL, "tdx", "", "TEE_TYPE_MISMATCH hardware", 4},
    {"TDX: the evidence says SNP", true, OTHER_LABEL, NULL, "tdx", "", "TEE_TYPE_MISMATCH hardware", 4},
    {"TDX: another signature", true, OTHER_SIGNATURE, NULL, "tdx", "", "QUOTE_SIGNATURE hardware.quote.auth.signature", 2},
    {"TDX: a TD that can be debugged", true, NOTHING_WRONG, "td.tdattributes=01", "tdx", "", "TD_ATTRIBUTES hardware.quote.body.tdattributes.debug", 4},
    {"TDX: another measurement", true, NOTHING_WRONG, NULL, "tdx", ",\"mrtd\":\"" A96 "\"", "MEASUREMENT_MISMATCH hardware.quote.body.mrtd", 4},
    {"TDX: the policy is of SNP", true, NOTHING_WRONG, NULL, "sev_snp", "", "TEE_TYPE_MISMATCH hardware", 4},
    {"TDX: the policy does not look at it", true, NOTHING_WRONG, NULL, "", "", "KEY_NOT_AUTHENTICATED ak_pub", 4},
};
/* clang-format on */

/* ---- the machine ---- */

typedef struct machine {
    atls_arena arena;
    atls_error err;
    sim_snp *snp;
    sim *td;
} machine;

/* Replaces the first occurrence. */
static atls_bytes edit(machine *m, atls_bytes in, const char *from, const char *to)
{
    const char *text = atls_text_copy(in, &m->arena, &m->err);
    const char *at = strstr(text, from);
    assert_non_null(at);
    const char *out = atls_text_format(&m->arena, &m->err, "%.*s%s%s", (int)(at - text), text, to, at + strlen(from));
    return atls_bytes_str(out);
}

static atls_bytes runtime_data(machine *m, wrong w)
{
    uint8_t public[600];
    atls_bytes out;
    const size_t n = inside_read_key(&tpm, KEY, public, sizeof public);
    public[n - 1] ^= w == OTHER_KEY ? 2 : 0;
    must(sim_hcl_runtime_data(atls_bytes_of(public, n), &m->arena, &out, &m->err), &m->err);
    return w == OTHER_EXPONENT ? edit(m, edit(m, out, "\"AQAB\"", "\"AQAC\""), "\"AQAB\"", "\"AQAC\"")
           : w == OTHER_NAME   ? edit(m, out, "HCLAkPub", "HCLakPub")
           : w == KEY_TWICE    ? edit(m, out, "HCLEkPub", "HCLAkPub")
           : w == NO_JSON      ? edit(m, out, "{\"keys\"", "{keys")
                               : out;
}

static atls_bytes flipped(machine *m, atls_bytes in, size_t at)
{
    atls_bytes out;
    uint8_t *copy = atls_arena_raw(&m->arena, in.len, &m->err);
    assert_non_null(copy);
    memcpy(copy, in.ptr, in.len);
    copy[at] ^= 1;
    out = atls_bytes_of(copy, in.len);
    return out;
}

static void put_index(machine *m, const row *r, atls_bytes runtime, const uint8_t report_data[64])
{
    uint8_t tdreport[1024] = {0};
    sim_hcl hcl = {.runtime_data = runtime};
    atls_bytes blob;
    if (has_index) {
        inside_take_index(&tpm, REPORT_AT);
        has_index = false;
    }
    if (r->wrong == NO_REPORT) {
        return;
    }
    memcpy(tdreport + 128, report_data, 64);
    hcl.report = atls_bytes_of(tdreport, sizeof tdreport);
    if (!r->is_tdx) {
        must(sim_snp_report(m->snp, report_data, &m->arena, &hcl.report, &m->err), &m->err);
        hcl.report = r->wrong == OTHER_SIGNATURE   ? flipped(m, hcl.report, 0x2a0)
                     : r->wrong == TAMPERED_REPORT ? flipped(m, hcl.report, 0x90)
                                                   : hcl.report;
    }
    hcl.report_type = r->wrong == OTHER_TYPE ? (r->is_tdx ? 2 : 4) : r->wrong == UNKNOWN_TYPE ? 3 : 0;
    hcl.hash_type = r->wrong == OTHER_HASH ? 2 : 0;
    hcl.magic = r->wrong == NO_HCL ? "HCLB" : NULL;
    must(sim_hcl_blob(&hcl, &m->arena, &blob, &m->err), &m->err);
    assert_true(atls_bytes_is_zero(atls_bytes_of(blob.ptr + MOST_IN_INDEX, blob.len - MOST_IN_INDEX)));
    inside_put_index(&tpm, REPORT_AT, blob.ptr, MOST_IN_INDEX, TPMA_NV_OWNERREAD);
    has_index = true;
}

static void open_machine(machine *m, const row *r)
{
    const char *const settings[] = {r->setting, NULL};
    const char *const *of_snp = !r->is_tdx && r->setting != NULL ? settings : NULL;
    const char *const *of_td = r->is_tdx && r->setting != NULL ? settings : NULL;
    uint8_t report_data[64] = {0};
    *m = (machine){.err = {0}};
    must(atls_arena_new(&m->arena, (size_t)64 * 1024 * 1024, &m->err), &m->err);
    must(sim_snp_new(&(sim_snp_options){.version = 3, .settings = of_snp}, &m->snp, &m->err), &m->err);
    must(sim_new(&(sim_options){.settings = of_td}, &m->td, &m->err), &m->err);
    const atls_bytes runtime = runtime_data(m, r->wrong);
    (void)SHA256(runtime.ptr, runtime.len, report_data);
    report_data[0] ^= r->wrong == OTHER_DATA ? 1 : 0;
    report_data[63] ^= r->wrong == MORE_DATA ? 1 : 0;
    put_index(m, r, runtime, report_data);
}

static void close_machine(machine *m)
{
    sim_snp_free(m->snp);
    sim_free(m->td);
    atls_arena_free(&m->arena);
}

/* ---- evidence ---- */

/* The program has nobody to make a quote of a TDREPORT; the library has a function of ours. */
static bool quote_td(void *ctx, atls_bytes report, atls_arena *arena, atls_bytes *quote, atls_error *err)
{
    machine *m = ctx;
    return sim_quote(m->td, report.ptr + 128, arena, quote, err);
}

static void get_by_library(machine *m)
{
    uint8_t report_data[64];
    atls_evidence made;
    const atls_tpm_options o = {.tcti = tpm.tcti, .event_log_path = "", .td_quote = quote_td, .td_quote_ctx = m};
    union {
        const atls_tpm_options *in;
        void *out;
    } options = {.in = &o};
    for (size_t i = 0; i < sizeof report_data; i++) {
        report_data[i] = (uint8_t)i;
    }
    must(atls_attest_tpm(options.out, report_data, &m->arena, &made, &m->err), &m->err);
    run_write("azure.cbor", made.quote.ptr, made.quote.len);
}

/* What no attester of ours would write. */
static void relabel(machine *m, const row *r)
{
    size_t len = 0;
    char *bytes = run_read("azure.cbor", &len);
    tpm_evidence *e = atls_arena_alloc(&m->arena, sizeof *e, &m->err);
    atls_bytes out;
    must(e != NULL && tpm_decode(atls_bytes_of((const uint8_t *)bytes, len), &m->arena, e, &m->err), &m->err);
    if (r->wrong == OTHER_LABEL) {
        e->hardware.platform = r->is_tdx ? ATLS_PLATFORM_SEV_SNP : ATLS_PLATFORM_TDX;
    } else {
        e->hardware.report = flipped(m, e->hardware.report, 640); /* the first byte of a version 4 quote's signature */
    }
    must(tpm_write(e, &m->arena, &out, &m->err), &m->err);
    run_write("azure.cbor", out.ptr, out.len);
    free(bytes);
}

static void get_evidence(machine *m, const row *r)
{
    if (r->is_tdx) {
        get_by_library(m);
    } else {
        run_output o = run(GET, NULL);
        if (o.status != 0) {
            fail_msg("%s", o.err);
        }
        run_free(&o);
    }
    if (r->wrong == OTHER_LABEL || (r->is_tdx && r->wrong == OTHER_SIGNATURE)) {
        relabel(m, r);
    }
}

/* ---- verdicts ---- */

static char *write_policy(machine *m, const row *r)
{
    char hex[65];
    char root[65];
    uint8_t digest[32];
    char *text = malloc(2048);
    const atls_bytes der = strcmp(r->hardware, "tdx") == 0 ? sim_root(m->td) : sim_snp_certificate(m->snp, "ark");
    assert_non_null(text);
    (void)SHA256(der.ptr, der.len, digest);
    atls_hex_encode(atls_bytes_of(digest, sizeof digest), root);
    atls_hex_encode(atls_bytes_of(pcr4, sizeof pcr4), hex);
    int n = snprintf(text, 2048, "{\"type\":\"tpm\",\"pcrs\":{\"4\":\"%s\"}", hex);
    if (r->hardware[0] != '\0') {
        n += snprintf(text + n, 2048 - (size_t)n, ",\"hardware\":{\"type\":\"%s\",\"trusted_roots\":[\"%s\"]%s}",
                      r->hardware, root, r->members);
    }
    (void)snprintf(text + n, 2048 - (size_t)n, "}");
    run_write("azure.json", text, strlen(text));
    return text;
}

static void write_certificates(machine *m)
{
    static const char *const names[] = {"snp/a.der", "snp/b.der", "snp/c.der", "snp/d.der"};
    char path[400];
    atls_certificate_pile pile;
    (void)snprintf(path, sizeof path, "%s/snp", place.folder);
    (void)mkdir(path, 0755);
    must(sim_snp_pile(m->snp, &m->arena, &pile, &m->err), &m->err);
    assert_true(pile.n_certificates <= 3 && pile.n_crls == 1);
    for (size_t i = 0; i < pile.n_certificates; i++) {
        run_write(names[i], pile.certificates[i].ptr, pile.certificates[i].len);
    }
    run_write(names[3], pile.crls[0].ptr, pile.crls[0].len);
}

static bool endorse(void *ctx, const atls_endorsement_request *request, atls_arena *a, atls_endorsements *out,
                    atls_error *err)
{
    machine *m = ctx;
    *out = (atls_endorsements){.platform = request->platform};
    return request->platform == ATLS_PLATFORM_SEV_SNP ? sim_snp_endorse(m->snp, request, a, out, err)
           : request->platform == ATLS_PLATFORM_TPM   ? true
                                                      : sim_endorse(m->td, request, a, out, err);
}

static void judge_by_library(machine *m, const row *r, const char *policy, char out[160])
{
    size_t len = 0;
    char *bytes = run_read("azure.cbor", &len);
    atls_policy *p = NULL;
    atls_verifier *v = NULL;
    atls_result result;
    atls_error err = {0};
    atls_appraisal in = {.evidence = atls_bytes_of((const uint8_t *)bytes, len),
                         .event_log = atls_bytes_empty(),
                         .binding = {.grade = ATLS_GRADE_REPORT_DATA, .profile = "", .value_len = 32},
                         .now = SIM_NOW,
                         .endorse = endorse,
                         .endorse_ctx = m};
    for (size_t i = 0; i < 32; i++) {
        in.binding.value[i] = (uint8_t)(i ^ (r->wrong == OTHER_NONCE && i == 31 ? 1 : 0));
    }
    must(atls_policy_parse(atls_bytes_str(policy), &p, &m->err) && atls_verifier_new(p, &v, &m->err), &m->err);
    const bool ok = atls_verifier_appraise(v, &in, &m->arena, &result, &err);
    (void)snprintf(out, 160, "%s%s%s", ok ? "ok" : atls_code_name(err.code), ok ? "" : " ", err.field);
    if (ok) {
        assert_int_equal(result.claims.tpm.trust, ATLS_TPM_TRUST_HARDWARE);
        assert_true(result.claims.tpm.hardware_binds_key);
        assert_int_equal(result.claims.sev_snp.present, !r->is_tdx);
        assert_int_equal(result.claims.dcap.is_tdx, r->is_tdx);
    }
    atls_verifier_free(v);
    atls_policy_free(p);
    free(bytes);
}

static void judge_by_program(machine *m, const row *r, char out[160])
{
    run_output o = run(r->wrong == OTHER_NONCE ? VERIFY "0011" : VERIFY HALF, NULL);
    const atls_json *tree = run_json(&o, &m->arena);
    const char *code = run_json_text(tree, "error.code", &m->arena);
    (void)snprintf(out, 160, "%s%s%s", code[0] == '\0' ? "ok" : code, code[0] == '\0' ? "" : " ",
                   run_json_text(tree, "error.field", &m->arena));
    if (o.status != r->status) {
        fail_msg("status %d: %s", o.status, o.err);
    }
    run_free(&o);
}

static void test_row(void **state)
{
    const row *r = *state;
    char by_library[160];
    char by_program[160];
    machine m;
    if (tpm.pid == 0) {
        skip();
    }
    open_machine(&m, r);
    get_evidence(&m, r);
    char *policy = write_policy(&m, r);
    write_certificates(&m);
    judge_by_library(&m, r, policy, by_library);
    assert_string_equal(by_library, r->expected);
    judge_by_program(&m, r, by_program);
    assert_string_equal(by_program, r->expected);
    free(policy);
    close_machine(&m);
}

static void start(void)
{
    static const uint8_t measured[32] = {0x6d, 0x65, 0x61};
    const TPM2B_PUBLIC template = inside_template(INSIDE_RSA);
    uint8_t both[64] = {0};
    run_output o = run("sim {d}/room" NOW, NULL);
    run_free(&o);
    run_write("empty", "", 0);
    inside_put_key(&tpm, KEY, &template);
    inside_extend(&tpm, 4, measured);
    memcpy(both + 32, measured, sizeof measured);
    (void)SHA256(both, sizeof both, pcr4);
    (void)snprintf(place.port, sizeof place.port, "%u", tpm.port);
}

int main(int argc, char *argv[])
{
    tap_list l = {0};
    if (!run_begin(argc, argv)) {
        return 1;
    }
    if (swtpm_start(&tpm)) {
        start();
    }
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        tap_add(&l, rows[i].name, test_row, &rows[i]);
    }
    const int failed = tap_run("azure", &l);
    swtpm_stop(&tpm);
    run_end();
    return failed;
}
