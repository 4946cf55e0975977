/* SPDX-License-Identifier: Apache-2.0 */
/* One bundle for machines of several vendors: each is verified by it at every moment that it covers, and at none that it does not;
 * what the bundle says about its own pieces makes nothing true. Simulated machines, and genuine ones where they are at hand. */
#include "atls/atls.h"
#include "base/json.h"
#include "evidence/vectors.h"
#include "sim/sim_nitro.h"
#include "sim/sim_sevsnp.h"

#define ARENA  ((size_t)128 * 1024 * 1024)
#define MINUTE ((atls_time)60)
#define DAY    ((atls_time)86400)

enum { TDX, OTHER_TDX, SGX, GENOA, MILAN, NITRO, N_MACHINES };

typedef struct machine {
    atls_bytes evidence;
    atls_bytes policy;
} machine;

typedef struct scene {
    atls_arena arena;
    atls_error err;
    machine machines[N_MACHINES];
    atls_bytes roots[4]; /* of Intel's, AMD's (the same key for every product) and AWS's kind */
    atls_bundle_pieces pieces;
    atls_bytes private_pem;
    atls_bundle_key key;
    atls_bundle bundle;
} scene;

static void must(bool ok, const atls_error *err)
{
    char line[640];
    if (!ok) {
        (void)atls_error_line(err, line, sizeof line);
        fail_msg("%s", line);
    }
}

static void open_scene(scene *s)
{
    static const uint8_t seed[32] = {1, 2, 3};
    atls_bytes public_pem;
    memset(s, 0, sizeof *s);
    must(atls_arena_new(&s->arena, ARENA, &s->err), &s->err);
    must(atls_bundle_key_pair(seed, &s->arena, &s->private_pem, &public_pem, &s->err), &s->err);
    must(atls_bundle_key_parse(public_pem, &s->key, &s->err), &s->err);
    atls_bundle_pieces_init(&s->pieces, &s->arena);
}

static atls_bytes keep(scene *s, atls_bytes in)
{
    atls_bytes out;
    must(atls_arena_copy(&s->arena, in, &out, &s->err), &s->err);
    return out;
}

/* Piles point into their rooms. */
static void add_pile(scene *s, const atls_certificate_pile *pile)
{
    atls_bytes certificates[ATLS_MAX_PILE_CERTIFICATES];
    atls_bytes crls[ATLS_MAX_PILE_CRLS];
    const atls_endorsements e = {.pile = {certificates, pile->n_certificates, crls, pile->n_crls}};
    for (size_t i = 0; i < pile->n_certificates; i++) {
        certificates[i] = keep(s, pile->certificates[i]);
    }
    for (size_t i = 0; i < pile->n_crls; i++) {
        crls[i] = keep(s, pile->crls[i]);
    }
    must(atls_bundle_add(&s->pieces, &e, &s->err), &s->err);
}

static void add_intel(scene *s, size_t at, sim_kind kind, const char *setting)
{
    const uint8_t report_data[64] = {1};
    const char *const settings[] = {setting, NULL};
    const sim_options options = {.kind = kind, .settings = settings};
    atls_endorsements e;
    sim *room = NULL;
    must(sim_new(&options, &room, &s->err), &s->err);
    must(sim_quote(room, report_data, &s->arena, &s->machines[at].evidence, &s->err), &s->err);
    must(sim_policy(room, kind == SIM_SGX_V3 ? "sgx" : "tdx", &s->arena, &s->machines[at].policy, &s->err), &s->err);
    must(sim_collateral(room, &s->arena, &e, &s->err), &s->err);
    must(atls_bundle_add(&s->pieces, &e, &s->err), &s->err);
    s->roots[0] = keep(s, sim_root(room));
    sim_free(room);
}

static void add_amd(scene *s, size_t at, atls_snp_product product, const char *setting)
{
    const uint8_t report_data[64] = {1};
    const char *const settings[] = {setting, NULL};
    const sim_snp_options options = {.product = product, .settings = settings};
    atls_certificate_pile pile;
    sim_snp *room = NULL;
    must(sim_snp_new(&options, &room, &s->err), &s->err);
    must(sim_snp_report(room, report_data, &s->arena, &s->machines[at].evidence, &s->err), &s->err);
    must(sim_snp_policy(room, &s->arena, &s->machines[at].policy, &s->err), &s->err);
    must(sim_snp_pile(room, &s->arena, &pile, &s->err), &s->err);
    add_pile(s, &pile);
    s->roots[product == ATLS_SNP_GENOA ? 1 : 2] = keep(s, sim_snp_certificate(room, "ark"));
    sim_snp_free(room);
}

static void add_aws(scene *s)
{
    const sim_nitro_options options = {.is_nitrotpm = false};
    const sim_nitro_request request = {.nonce = NULL};
    atls_certificate_pile pile;
    sim_nitro *room = NULL;
    must(sim_nitro_new(&options, &room, &s->err), &s->err);
    must(sim_nitro_document(room, &request, &s->arena, &s->machines[NITRO].evidence, &s->err), &s->err);
    must(sim_nitro_policy(room, &s->arena, &s->machines[NITRO].policy, &s->err), &s->err);
    must(sim_nitro_pile(room, &s->arena, &pile, &s->err), &s->err);
    add_pile(s, &pile);
    s->roots[3] = keep(s, sim_nitro_certificate(room, "root"));
    sim_nitro_free(room);
}

static void sign_and_open(scene *s)
{
    atls_bytes file;
    must(atls_bundle_pack(&s->pieces, 1, SIM_NOW, s->private_pem, &file, &s->err), &s->err);
    must(atls_bundle_open(file, &s->key, 1, &s->arena, &s->bundle, &s->err), &s->err);
}

static void open_all(scene *s)
{
    open_scene(s);
    add_intel(s, TDX, SIM_TDX_V4, NULL);
    add_intel(s, OTHER_TDX, SIM_TDX_V5, "pck.fmspc=112233445566");
    add_intel(s, SGX, SIM_SGX_V3, NULL);
    add_amd(s, GENOA, ATLS_SNP_GENOA, NULL);
    add_amd(s, MILAN, ATLS_SNP_MILAN, NULL);
    add_aws(s);
    sign_and_open(s);
}

static void close_scene(scene *s)
{
    atls_arena_free(&s->arena);
}

static bool appraise(scene *s, const machine *m, atls_time now, atls_result *r)
{
    atls_policy *policy = NULL;
    atls_verifier *v = NULL;
    const atls_appraisal in = {.evidence = m->evidence,
                               .event_log = atls_bytes_empty(),
                               .binding = {.profile = ""},
                               .now = now,
                               .endorse = atls_bundle_endorse,
                               .endorse_ctx = &s->bundle};
    atls_error_clear(&s->err);
    must(atls_policy_parse(m->policy, &policy, &s->err) && atls_verifier_new(policy, &v, &s->err), &s->err);
    const bool ok = atls_verifier_appraise(v, &in, &s->arena, r, &s->err);
    atls_verifier_free(v);
    atls_policy_free(policy);
    return ok;
}

static bool accepts(scene *s, size_t at, atls_time now)
{
    atls_result r;
    return appraise(s, &s->machines[at], now, &r);
}

/* The window of the pieces whose kind begins so. */
static void window(scene *s, const char *kind, atls_time *from, atls_time *until)
{
    *from = 0;
    *until = INT64_MAX;
    for (size_t i = 0; i < s->bundle.n_pieces; i++) {
        const atls_bundle_piece *p = &s->bundle.pieces[i];
        atls_piece_facts f;
        if (strncmp(p->kind, kind, strlen(kind)) != 0) {
            continue;
        }
        must(atls_bundle_piece_describe(p, &s->arena, &f, &s->err), &s->err);
        *from = f.from > *from ? f.from : *from;
        *until = f.until < *until ? f.until : *until;
        *until = f.chain_until != ATLS_TIME_UNSET && f.chain_until < *until ? f.chain_until : *until;
    }
}

static void test_everybody(void **state)
{
    (void)state;
    static const atls_time moments[] = {SIM_NOW, SIM_NOW + MINUTE, SIM_NOW + DAY, SIM_NOW - DAY};
    scene s;
    open_all(&s);
    for (size_t i = 0; i < N_MACHINES; i++) {
        for (size_t k = 0; k < (i == NITRO ? 2u : 4u); k++) { /* documents of Nitro live for hours */
            if (!accepts(&s, i, moments[k])) {
                must(false, &s.err);
            }
        }
    }
    close_scene(&s);
}

static void test_boundaries(void **state)
{
    (void)state;
    scene s;
    atls_time from;
    atls_time until;
    open_all(&s);
    window(&s, "dcap.", &from, &until);
    for (size_t i = TDX; i <= SGX; i++) {
        assert_true(accepts(&s, i, from));
        assert_true(accepts(&s, i, until));
        assert_false(accepts(&s, i, from - 1));
        assert_int_equal(s.err.code, ATLS_E_NOT_YET_VALID);
        assert_false(accepts(&s, i, until + 1));
        assert_int_equal(s.err.code, ATLS_E_EXPIRED);
    }
    close_scene(&s);
}

/* What is not in the bundle is missing by its name, and nothing else is given in its place. */
static void test_missing(void **state)
{
    (void)state;
    static const struct {
        const char *name;
        const char *kind; /* pieces of this kind are left out */
        const char *subject;
        size_t machine;
        const char *field;
    } rows[] = {
        {"TCB info of the FMSPC", "dcap.tcb_info", "tdx/112233445566", OTHER_TDX, "endorsements.tcb_info"},
        {"TCB info of the TEE", "dcap.tcb_info", "sgx", SGX, "endorsements.tcb_info"},
        {"QE identity", "dcap.qe_identity", "tdx", TDX, "endorsements.qe_identity"},
        {"PCK list", "dcap.pck_crl", "platform", TDX, "endorsements.pck_crl"},
        {"root list", "dcap.root_ca_crl", "root", SGX, "endorsements.root_ca_crl"},
        {"VCEK", "certificate", "sev_snp/Milan/vcek", MILAN, "endorsements.vcek"},
        {"ASK", "certificate", "sev_snp/Genoa/ask", GENOA, "endorsements.ask"},
        {"ARK", "certificate", "sev_snp/Genoa/ark", GENOA, "endorsements.ark"},
    };
    for (size_t k = 0; k < sizeof rows / sizeof rows[0]; k++) {
        scene s;
        size_t n = 0;
        open_all(&s);
        for (size_t i = 0; i < s.pieces.n; i++) {
            const atls_bundle_piece *p = &s.pieces.items[i];
            if (strcmp(p->kind, rows[k].kind) != 0
                || strncmp(p->subject, rows[k].subject, strlen(rows[k].subject)) != 0) {
                s.pieces.items[n++] = *p;
            }
        }
        assert_int_equal(n, s.pieces.n - 1);
        s.pieces.n = n;
        sign_and_open(&s);
        assert_false(accepts(&s, rows[k].machine, SIM_NOW));
        assert_int_equal(s.err.code, ATLS_E_ENDORSEMENTS_MISSING);
        assert_string_equal(s.err.field, rows[k].field);
        assert_int_equal(atls_error_exit_status(&s.err), 5);
        close_scene(&s);
    }
}

static atls_bundle_piece *piece_of(scene *s, const char *kind, const char *subject)
{
    for (size_t i = 0; i < s->pieces.n; i++) {
        if (strcmp(s->pieces.items[i].kind, kind) == 0
            && strncmp(s->pieces.items[i].subject, subject, strlen(subject)) == 0) {
            return &s->pieces.items[i];
        }
    }
    fail_msg("no piece %s %s", kind, subject);
    return NULL;
}

static atls_bytes flipped(scene *s, atls_bytes in, size_t at)
{
    const atls_bytes out = keep(s, in);
    uint8_t *bytes = atls_arena_raw(&s->arena, in.len, &s->err);
    memcpy(bytes, out.ptr, out.len);
    bytes[at] ^= 1;
    return atls_bytes_of(bytes, in.len);
}

/* The operator's signature is over a lie: the vendor's is what counts. */
static void test_lies(void **state)
{
    (void)state;
    scene s;
    open_all(&s);
    atls_bundle_piece *info = piece_of(&s, "dcap.tcb_info", "tdx/112233445566");
    const atls_bundle_piece *other = piece_of(&s, "dcap.tcb_info", "tdx/50806f");
    memcpy(info->parts, other->parts, sizeof info->parts); /* somebody else's TCB info under this name */
    sign_and_open(&s);
    assert_true(accepts(&s, TDX, SIM_NOW));
    assert_false(accepts(&s, OTHER_TDX, SIM_NOW));
    assert_int_equal(s.err.code, ATLS_E_TCB_INFO_MISMATCH);
    close_scene(&s);

    open_all(&s);
    info = piece_of(&s, "dcap.tcb_info", "tdx/112233445566");
    info->parts[0] = flipped(&s, info->parts[0], info->parts[0].len / 2);
    sign_and_open(&s);
    assert_false(accepts(&s, OTHER_TDX, SIM_NOW));
    assert_int_equal(s.err.code, ATLS_E_TCB_INFO_SIGNATURE);
    close_scene(&s);

    open_all(&s);
    atls_bundle_piece *vcek = piece_of(&s, "certificate", "sev_snp/Milan/vcek");
    vcek->parts[0] = flipped(&s, vcek->parts[0], vcek->parts[0].len - 1);
    sign_and_open(&s);
    assert_false(accepts(&s, MILAN, SIM_NOW));
    assert_int_equal(s.err.code, ATLS_E_CERTIFICATE_CHAIN);
    close_scene(&s);
}

/* An older bundle that was let in shows in every result. */
static void test_older_shows(void **state)
{
    (void)state;
    scene s;
    atls_result r;
    open_all(&s);
    for (int older = 0; older < 2; older++) {
        size_t n = 0;
        s.bundle.insecure_older = older == 1;
        assert_true(appraise(&s, &s.machines[older == 1 ? GENOA : TDX], SIM_NOW, &r));
        for (size_t i = 0; i < r.n_checks; i++) {
            n += strcmp(r.checks[i].id, "endorsements.bundle_age") == 0 && r.checks[i].verdict == ATLS_CHECK_SKIPPED;
        }
        assert_int_equal(n, older);
    }
    close_scene(&s);
}

/* ---- the check of pieces by themselves ---- */

static atls_piece_finding *check(scene *s, const atls_bytes *roots, size_t n_roots, atls_time now)
{
    atls_piece_finding *found = atls_arena_array(&s->arena, s->bundle.n_pieces, sizeof *found, &s->err);
    assert_non_null(found);
    must(atls_bundle_check(&s->bundle, roots, n_roots, now, &s->arena, found, &s->err), &s->err);
    return found;
}

static size_t count(const scene *s, const atls_piece_finding *found, atls_code code)
{
    size_t n = 0;
    for (size_t i = 0; i < s->bundle.n_pieces; i++) {
        n += found[i].error.code == code ? 1 : 0;
    }
    return n;
}

static const atls_piece_finding *finding_of(const scene *s, const atls_piece_finding *found, const char *kind,
                                            const char *subject)
{
    for (size_t i = 0; i < s->bundle.n_pieces; i++) {
        if (strcmp(s->bundle.pieces[i].kind, kind) == 0
            && strncmp(s->bundle.pieces[i].subject, subject, strlen(subject)) == 0) {
            return &found[i];
        }
    }
    fail_msg("no piece %s %s", kind, subject);
    return NULL;
}

static void test_check_honest(void **state)
{
    (void)state;
    scene s;
    open_all(&s);
    const atls_piece_finding *found = check(&s, s.roots, 4, SIM_NOW);
    for (size_t i = 0; i < s.bundle.n_pieces; i++) {
        must(found[i].error.code == ATLS_OK, &found[i].error);
        /* the intermediates of Nitro come with its documents, and not with the lists that they sign */
        assert_true(found[i].trust == ATLS_PIECE_ANCHORED || strncmp(s.bundle.pieces[i].subject, "nitro/", 6) == 0);
    }
    found = check(&s, NULL, 0, SIM_NOW); /* nobody's root */
    assert_int_equal(finding_of(&s, found, "dcap.tcb_info", "tdx")->error.code, ATLS_E_CERTIFICATE_CHAIN);
    assert_int_equal(finding_of(&s, found, "certificate", "sev_snp/Genoa/vcek")->error.code, ATLS_E_CERTIFICATE_CHAIN);
    assert_int_equal(finding_of(&s, found, "crl", "sev_snp/Genoa")->error.code, ATLS_E_CERTIFICATE_CHAIN);
    atls_error_clear(&s.err);
    atls_piece_finding none[1];
    assert_false(atls_bundle_check(&s.bundle, NULL, 0, ATLS_TIME_UNSET, &s.arena, none, &s.err));
    assert_int_equal(s.err.code, ATLS_E_USAGE);
    close_scene(&s);
}

typedef struct spoil {
    const char *name;
    const char *kind;
    const char *subject;
    size_t part;
    long at;           /* this byte is flipped, from the end when negative; 0: nothing is */
    const char *other; /* the parts of the piece of this kind with this subject in place of its own */
    const char *renamed;
    atls_code code;
} spoil;

static const spoil spoils[] = {
    {"a document", "dcap.tcb_info", "tdx/5080", 0, 200, NULL, NULL, ATLS_E_TCB_INFO_SIGNATURE},
    {"a document's signature", "dcap.tcb_info", "tdx/5080", 1, 20, NULL, NULL, ATLS_E_TCB_INFO_SIGNATURE},
    {"an identity's signature", "dcap.qe_identity", "sgx", 1, 20, NULL, NULL, ATLS_E_QE_IDENTITY_SIGNATURE},
    {"a list", "dcap.pck_crl", "platform", 0, -1, NULL, NULL, ATLS_E_CRL},
    {"another subject", "dcap.tcb_info", "tdx/5080", 0, 0, NULL, "tdx/50806f5a1bc3", ATLS_E_COLLATERAL_FORMAT},
    {"another's content", "dcap.qe_identity", "tdx", 0, 0, "sgx", NULL, ATLS_E_COLLATERAL_FORMAT},
};

static void test_check_spoilt(void **state)
{
    const spoil *row = *state;
    scene s;
    open_all(&s);
    atls_bundle_piece *p = piece_of(&s, row->kind, row->subject);
    if (row->at != 0) {
        const size_t at = row->at > 0 ? (size_t)row->at : p->parts[row->part].len - (size_t)-row->at;
        p->parts[row->part] = flipped(&s, p->parts[row->part], at);
    }
    if (row->other != NULL) {
        memcpy(p->parts, piece_of(&s, row->kind, row->other)->parts, sizeof p->parts);
    }
    p->subject = row->renamed == NULL ? p->subject : row->renamed;
    sign_and_open(&s);
    const atls_piece_finding *found = check(&s, s.roots, 4, SIM_NOW);
    const atls_piece_finding *f = finding_of(&s, found, row->kind, row->renamed == NULL ? row->subject : row->renamed);
    if (f->error.code != row->code) {
        must(false, &f->error);
    }
    assert_int_equal(count(&s, found, ATLS_OK), s.bundle.n_pieces - 1); /* it, and nothing else */
    close_scene(&s);
}

static void test_check_times(void **state)
{
    (void)state;
    scene s;
    atls_time from;
    atls_time until;
    open_all(&s);
    window(&s, "dcap.tcb_info", &from, &until);
    assert_int_equal(finding_of(&s, check(&s, s.roots, 4, from), "dcap.tcb_info", "sgx")->error.code, ATLS_OK);
    assert_int_equal(finding_of(&s, check(&s, s.roots, 4, until), "dcap.tcb_info", "sgx")->error.code, ATLS_OK);
    assert_int_equal(finding_of(&s, check(&s, s.roots, 4, from - 1), "dcap.tcb_info", "sgx")->error.code,
                     ATLS_E_NOT_YET_VALID);
    const atls_piece_finding *late = finding_of(&s, check(&s, s.roots, 4, until + 1), "dcap.tcb_info", "sgx");
    assert_int_equal(late->error.code, ATLS_E_EXPIRED);
    assert_string_equal(late->error.field, "tcb_info.nextUpdate");
    close_scene(&s);
}

static void test_check_revoked(void **state)
{
    (void)state;
    scene s;
    open_scene(&s);
    add_amd(&s, GENOA, ATLS_SNP_GENOA, "crl.revoked=ask");
    sign_and_open(&s);
    const atls_piece_finding *found = check(&s, &s.roots[1], 1, SIM_NOW);
    assert_int_equal(finding_of(&s, found, "certificate", "sev_snp/Genoa/ask")->error.code, ATLS_E_REVOKED);
    assert_int_equal(finding_of(&s, found, "certificate", "sev_snp/Genoa/vcek")->error.code, ATLS_E_REVOKED);
    assert_int_equal(finding_of(&s, found, "certificate", "sev_snp/Genoa/ark")->error.code, ATLS_OK);
    close_scene(&s);
}

/* Of two for one subject the one that was issued later stays, whatever the order. */
static void test_newer_stays(void **state)
{
    (void)state;
    for (int order = 0; order < 2; order++) {
        scene s;
        open_scene(&s);
        add_intel(&s, TDX, SIM_TDX_V4, order == 0 ? "tcb_info_date.issue=2026-06-01T00:00:00Z" : NULL);
        add_intel(&s, TDX, SIM_TDX_V4, order == 1 ? "tcb_info_date.issue=2026-06-01T00:00:00Z" : NULL);
        sign_and_open(&s);
        atls_piece_facts f;
        char text[ATLS_TIME_TEXT_SIZE];
        must(atls_bundle_piece_describe(piece_of(&s, "dcap.tcb_info", "tdx"), &s.arena, &f, &s.err), &s.err);
        atls_time_format(f.from, text);
        assert_string_not_equal(text, "2026-06-01T00:00:00Z");
        close_scene(&s);
    }
}

/* ---- genuine machines ---- */

static void add_vector(scene *s, const char *path)
{
    atls_bytes file;
    assert_true(vectors_read(path, &s->arena, &file));
    must(atls_bundle_add_file(&s->pieces, file, &s->err), &s->err);
}

static const struct {
    const char *evidence;
    const char *policy;
    const char *time;
    atls_code code;
} genuine[] = {
    {"dcap/sgx-v3-processor/quote.bin",
     "{\"type\":\"sgx\",\"allowed_tcb_status\":[\"ConfigurationAndSWHardeningNeeded\"]}", "2025-07-01T00:00:00Z",
     ATLS_OK},
    {"dcap/tdx-v4-b0c06f/quote-uptodate.bin", "{\"type\":\"tdx\"}", "2025-07-01T00:00:00Z", ATLS_OK},
    {"dcap/tdx-v4-b0c06f/quote-uptodate.bin", "{\"type\":\"tdx\"}", "2025-06-19T10:32:26Z", ATLS_E_NOT_YET_VALID},
    {"dcap/tdx-v4-b0c06f/quote-uptodate.bin", "{\"type\":\"tdx\"}", "2025-07-19T10:00:36Z", ATLS_E_EXPIRED},
    {"dcap/tdx-v4-b0c06f/quote-unsupported.bin", "{\"type\":\"tdx\"}", "2025-07-01T00:00:00Z",
     ATLS_E_TCB_NOT_SUPPORTED},
    {"dcap/tdx-v5-90c06f/quote.bin", "{\"type\":\"tdx\"}", "2026-03-01T00:00:00Z", ATLS_E_ENDORSEMENTS_MISSING},
    {"sev-snp/genoa_v5.report.bin", "{\"type\":\"sev_snp\"}", "2026-03-01T00:00:00Z", ATLS_OK},
    {"sev-snp/milan_v2.report.bin", "{\"type\":\"sev_snp\"}", "2024-01-01T00:00:00Z", ATLS_OK},
    {"sev-snp/milan_v2.report.bin", "{\"type\":\"sev_snp\"}", "2020-01-01T00:00:00Z", ATLS_E_NOT_YET_VALID},
    {"sev-snp/milan_v3_vlek_aws.report.bin", "{\"type\":\"sev_snp\"}", "2025-06-01T00:00:00Z", ATLS_OK},
    {"sev-snp/milan_v2_debug.report.bin", "{\"type\":\"sev_snp\"}", "2022-09-25T00:00:00Z",
     ATLS_E_ENDORSEMENTS_MISSING},
};

static void test_genuine(void **state)
{
    (void)state;
    scene s;
    atls_bytes probe;
    open_scene(&s);
    if (!vectors_read("dcap/manifest.json", &s.arena, &probe)) {
        close_scene(&s);
        skip();
    }
    add_vector(&s, "dcap/sgx-v3-processor/collateral.json");
    add_vector(&s, "dcap/tdx-v4-b0c06f/collateral.json");
    add_vector(&s, "sev-snp/genoa_v5.vcek.der");
    add_vector(&s, "sev-snp/ask_ark_genoa.pem");
    add_vector(&s, "sev-snp/milan_v2.vcek.der");
    add_vector(&s, "sev-snp/ask_ark_milan.pem");
    add_vector(&s, "sev-snp/ask_ark_milan_vlek.pem");
    add_vector(&s, "sev-snp/milan_v3_vlek_aws.vlek.pem");
    add_vector(&s, "sev-snp/ask_ark_turin_vcek.pem");
    add_vector(&s, "sev-snp/turin.vcek.der");
    add_vector(&s, "nitro/aws_nitro_root_g1.pem");
    add_vector(&s, "android/status/mixed-status.json");
    sign_and_open(&s);
    for (size_t i = 0; i < sizeof genuine / sizeof genuine[0]; i++) {
        atls_result r;
        atls_time now;
        machine m = {.policy = atls_bytes_str(genuine[i].policy)};
        assert_true(vectors_read(genuine[i].evidence, &s.arena, &m.evidence));
        assert_true(atls_time_parse(atls_bytes_str(genuine[i].time), &now));
        (void)(appraise(&s, &m, now, &r) ? 0 : 1);
        if (s.err.code != genuine[i].code) {
            printf("# %s at %s\n", genuine[i].evidence, genuine[i].time);
            must(false, &s.err);
        }
    }
    atls_time then;
    assert_true(atls_time_parse(atls_bytes_str("2025-07-01T00:00:00Z"), &then));
    const atls_piece_finding *found = check(&s, NULL, 0, then);
    for (size_t i = 0; i < s.bundle.n_pieces; i++) {
        if (strncmp(s.bundle.pieces[i].subject, "sev_snp/Genoa/vcek", 18) == 0) {
            assert_int_equal(found[i].error.code, ATLS_E_NOT_YET_VALID); /* of 2026 */
            continue;
        }
        must(found[i].error.code == ATLS_OK, &found[i].error);
        assert_int_equal(found[i].trust, strcmp(s.bundle.pieces[i].kind, "android.status") == 0 ? ATLS_PIECE_UNSIGNED
                                                                                                : ATLS_PIECE_ANCHORED);
    }
    close_scene(&s);
}

int main(void)
{
    tap_list l = {0};
    tap_add(&l, "every machine, at several moments", test_everybody, NULL);
    tap_add(&l, "at the boundaries", test_boundaries, NULL);
    tap_add(&l, "what is missing", test_missing, NULL);
    tap_add(&l, "lies under the operator's signature", test_lies, NULL);
    tap_add(&l, "an older bundle shows", test_older_shows, NULL);
    tap_add(&l, "pieces by themselves", test_check_honest, NULL);
    for (size_t i = 0; i < sizeof spoils / sizeof spoils[0]; i++) {
        tap_add(&l, spoils[i].name, test_check_spoilt, &spoils[i]);
    }
    tap_add(&l, "pieces at their boundaries", test_check_times, NULL);
    tap_add(&l, "pieces that a list names", test_check_revoked, NULL);
    tap_add(&l, "the newer of two", test_newer_stays, NULL);
    tap_add(&l, "genuine machines", test_genuine, NULL);
    return tap_run("verify/bundle_machines", &l);
}
