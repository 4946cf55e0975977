/* SPDX-License-Identifier: Apache-2.0 */
/* newer.c: which of two pieces of endorsements is taken. Every row is two rooms of the simulator that differ in what it says,
 * and the pieces that must come from the peer's; all others must be one's own. */
#include <limits.h>

#include "evidence/dcap/dcap.h"
#include "sim/sim.h"
#include "tests/base/check.h"

#define MAX_SETTINGS 8
#define ROOT         ATLS_PIECE_ROOT_CA_CRL
#define PCK          ATLS_PIECE_PCK_CRL
#define TCB          ATLS_PIECE_TCB_INFO
#define QE           ATLS_PIECE_QE_IDENTITY
#define CHAIN        ATLS_PIECE_PCK_CHAIN

typedef struct row {
    const char *name;
    const char *own[MAX_SETTINGS];
    const char *stapled[MAX_SETTINGS];
    unsigned pieces;
    sim_kind stapled_kind;
    bool asks_for_stapled; /* the evidence is of the stapled room's machine */
    bool needs_pck_chain;
} row;

#define NOTHING                                                                                                        \
    "collateral.tcb_info=none", "collateral.qe_identity=none", "collateral.root_ca_crl=none", "collateral.pck_crl=none"

static const row rows[] = {
    {.name = "the same on both sides"},
    {.name = "nothing stapled", .stapled = {NOTHING}},
    {.name = "nothing of one's own", .own = {NOTHING}, .pieces = ROOT | PCK | TCB | QE},
    {.name = "nothing anywhere", .own = {NOTHING}, .stapled = {NOTHING}},

    {.name = "TCB info: newer", .stapled = {"tcb_info_date.issue=now"}, .pieces = TCB},
    {.name = "TCB info: a second newer",
     .own = {"tcb_info_date.issue=now-101"},
     .stapled = {"tcb_info_date.issue=now-100"},
     .pieces = TCB},
    {.name = "TCB info: of the same second",
     .own = {"tcb_info_date.issue=now-100"},
     .stapled = {"tcb_info_date.issue=now-100", "levels=3"}},
    {.name = "TCB info: older", .own = {"tcb_info_date.issue=now"}},
    {.name = "TCB info: newer, with a lower evaluation number",
     .stapled = {"tcb_info_date.issue=now", "tcb_info.tcbEvaluationDataNumber=1"}},
    {.name = "TCB info: older, with a higher evaluation number",
     .own = {"tcb_info_date.issue=now"},
     .stapled = {"tcb_info.tcbEvaluationDataNumber=999"}},
    {.name = "TCB info: newer, with a higher evaluation number",
     .stapled = {"tcb_info_date.issue=now", "tcb_info.tcbEvaluationDataNumber=999"},
     .pieces = TCB},
    {.name = "TCB info: newer, of another platform",
     .stapled = {"tcb_info_date.issue=now", "tcb_info.fmspc=\"00A06F000000\""}},
    {.name = "TCB info: newer, of another PCE", .stapled = {"tcb_info_date.issue=now", "tcb_info.pceId=\"0102\""}},
    {.name = "TCB info: newer, of the other kind of TEE", .stapled = {"tcb_info_date.issue=now", "tcb_info.form=sgx"}},
    {.name = "TCB info: one's own is of another platform, the stapled of this one",
     .own = {"tcb_info.fmspc=\"00A06F000000\""},
     .stapled = {"tcb_info_date.issue=now"}},
    {.name = "TCB info: both of another platform than this one",
     .own = {"tcb_info.fmspc=\"00A06F000000\""},
     .stapled = {"tcb_info_date.issue=now", "tcb_info.fmspc=\"00A06F000000\""}},
    {.name = "TCB info: newer, no JSON", .stapled = {"tcb_info_date.issue=now", "raw.tcb_info@0=00"}},
    {.name = "TCB info: newer, with levels that cannot be read",
     .stapled = {"tcb_info_date.issue=now", "tcb_info.tcbLevels=[]"}},
    {.name = "TCB info: newer, with a date that is none", .stapled = {"tcb_info.issueDate=\"9999-99-99T00:00:00Z\""}},
    {.name = "TCB info: newer, without signature", .stapled = {"tcb_info_date.issue=now", "raw.tcb_info_signature="}},
    {.name = "TCB info: newer, without chain", .stapled = {"tcb_info_date.issue=now", "chain.tcb="}},
    {.name = "TCB info: one's own cannot be read, and stays",
     .own = {"raw.tcb_info@0=00"},
     .stapled = {"tcb_info_date.issue=now"}},
    {.name = "TCB info: one's own is not there", .own = {"collateral.tcb_info=none"}, .pieces = TCB},
    {.name = "TCB info: one's own has no signature", .own = {"raw.tcb_info_signature="}, .pieces = TCB},
    {.name = "TCB info: one's own is not there, the stapled of another platform",
     .own = {"collateral.tcb_info=none"},
     .stapled = {"tcb_info.fmspc=\"00A06F000000\""}},
    {.name = "TCB info: one's own is not there, the stapled of the other kind",
     .own = {"collateral.tcb_info=none"},
     .stapled = {"tcb_info.form=sgx"}},
    {.name = "TCB info: evidence that does not say its platform",
     .own = {"collateral.tcb_info=none"},
     .stapled = {"tcb_info.fmspc=\"00A06F000000\""},
     .needs_pck_chain = true,
     .pieces = TCB},

    {.name = "QE identity: newer", .stapled = {"qe_identity_date.issue=now"}, .pieces = QE},
    {.name = "QE identity: of the same second",
     .own = {"qe_identity_date.issue=now-100"},
     .stapled = {"qe_identity_date.issue=now-100", "qe_levels=3"}},
    {.name = "QE identity: older", .own = {"qe_identity_date.issue=now"}},
    {.name = "QE identity: newer, with a lower evaluation number",
     .stapled = {"qe_identity_date.issue=now", "qe_identity.tcbEvaluationDataNumber=1"}},
    {.name = "QE identity: newer, of the other kind of TEE",
     .stapled = {"qe_identity_date.issue=now", "qe_identity.id=\"QE\""}},
    {.name = "QE identity: one's own is of the other kind, the stapled of this one",
     .own = {"qe_identity.id=\"QE\""},
     .stapled = {"qe_identity_date.issue=now"}},
    {.name = "QE identity: newer, of another enclave",
     .stapled = {"qe_identity_date.issue=now", "qe_identity.id=\"QVE\""}},
    {.name = "QE identity: newer, no JSON", .stapled = {"qe_identity_date.issue=now", "raw.qe_identity@0=00"}},
    {.name = "QE identity: newer, without signature",
     .stapled = {"qe_identity_date.issue=now", "raw.qe_identity_signature="}},
    {.name = "QE identity: newer, without chain", .stapled = {"qe_identity_date.issue=now", "chain.qe="}},
    {.name = "QE identity: one's own cannot be read, and stays",
     .own = {"raw.qe_identity@0=00"},
     .stapled = {"qe_identity_date.issue=now"}},
    {.name = "QE identity: one's own is not there", .own = {"collateral.qe_identity=none"}, .pieces = QE},
    {.name = "QE identity: one's own has no signature", .own = {"raw.qe_identity_signature="}, .pieces = QE},
    {.name = "QE identity: one's own is not there, the stapled of the other kind",
     .own = {"collateral.qe_identity=none"},
     .stapled = {"qe_identity.id=\"QE\""}},

#define LIST_ROWS(id, label, member, piece, other)                                                                     \
    {.name = label ": a higher number",                                                                                \
     .own = {"crl." id ".number=7"},                                                                                   \
     .stapled = {"crl." id ".number=8"},                                                                               \
     .pieces = (piece)},                                                                                               \
        {.name = label ": a number of more bytes",                                                                     \
         .own = {"crl." id ".number=255"},                                                                             \
         .stapled = {"crl." id ".number=256"},                                                                         \
         .pieces = (piece)},                                                                                           \
        {.name = label ": a lower number of fewer bytes",                                                              \
         .own = {"crl." id ".number=256"},                                                                             \
         .stapled = {"crl." id ".number=255"}},                                                                        \
        {.name = label ": a lower number", .own = {"crl." id ".number=8"}, .stapled = {"crl." id ".number=7"}},        \
        {.name = label ": the same number, later",                                                                     \
         .own = {"crl." id ".this_update=now-100"},                                                                    \
         .stapled = {"crl." id ".this_update=now-99"},                                                                 \
         .pieces = (piece)},                                                                                           \
        {.name = label ": the same number, earlier",                                                                   \
         .own = {"crl." id ".this_update=now-99"},                                                                     \
         .stapled = {"crl." id ".this_update=now-100"}},                                                               \
        {.name = label ": the same number and time",                                                                   \
         .own = {"crl." id ".this_update=now-100"},                                                                    \
         .stapled = {"crl." id ".this_update=now-100", "crl." id ".revoked=pck"}},                                     \
        {.name = label ": a higher number, earlier",                                                                   \
         .own = {"crl." id ".number=7", "crl." id ".this_update=now-99"},                                              \
         .stapled = {"crl." id ".number=8", "crl." id ".this_update=now-100"}},                                        \
        {.name = label ": a lower number, later",                                                                      \
         .own = {"crl." id ".number=8", "crl." id ".this_update=now-100"},                                             \
         .stapled = {"crl." id ".number=7", "crl." id ".this_update=now-99"}},                                         \
        {.name = label ": newer, of another issuer",                                                                   \
         .stapled = {"crl." id ".this_update=now", "crl." id ".issuer_cn=Somebody"}},                                  \
        {.name = label ": newer, the list of another authority",                                                       \
         .own = {"crl." other ".this_update=now"},                                                                     \
         .stapled = {"crl." other ".this_update=now", "collateral." member "=" other}},                                \
        {.name = label ": newer, without number",                                                                      \
         .stapled = {"crl." id ".this_update=now", "crl." id ".number=none"}},                                         \
        {.name = label ": one's own is without number, and stays",                                                     \
         .own = {"crl." id ".number=none"},                                                                            \
         .stapled = {"crl." id ".this_update=now"}},                                                                   \
        {.name = label ": newer, no DER", .stapled = {"crl." id ".this_update=now", "raw." member "@0=00"}},           \
        {.name = label ": one's own cannot be read, and stays",                                                        \
         .own = {"raw." member "@0=00"},                                                                               \
         .stapled = {"crl." id ".this_update=now"}},                                                                   \
        {.name = label ": one's own is not there", .own = {"collateral." member "=none"}, .pieces = (piece)},          \
        {.name = label ": one's own is not there, the stapled no DER",                                                 \
         .own = {"collateral." member "=none"},                                                                        \
         .stapled = {"raw." member "@0=00"}},                                                                          \
        {.name = label ": not stapled", .stapled = {"collateral." member "=none"}},

    LIST_ROWS("pck", "PCK CRL", "pck_crl", PCK, "other") LIST_ROWS("root", "root CA CRL", "root_ca_crl", ROOT, "pck")

        {.name = "PCK chain: the evidence has one", .stapled = {"chain.pck=pck,platform_ca,root"}},
    {.name = "PCK chain: the evidence has none",
     .stapled = {"chain.pck=pck,platform_ca,root"},
     .needs_pck_chain = true,
     .pieces = CHAIN},
    {.name = "PCK chain: one's own, too",
     .own = {"chain.pck=pck,platform_ca,root"},
     .stapled = {"chain.pck=sibling,platform_ca,root"},
     .needs_pck_chain = true},

    {.name = "an enclave's endorsements, newer, where a TD's are needed",
     .stapled = {"tcb_info_date.issue=now", "qe_identity_date.issue=now"},
     .stapled_kind = SIM_SGX_V3},
    {.name = "an enclave's endorsements, and the evidence is an enclave's: one's own are a TD's, and stay",
     .stapled = {"tcb_info_date.issue=now", "qe_identity_date.issue=now"},
     .stapled_kind = SIM_SGX_V3,
     .asks_for_stapled = true},
    {.name = "everything newer",
     .stapled = {"tcb_info_date.issue=now", "qe_identity_date.issue=now", "crl.root.this_update=now",
                 "crl.pck.this_update=now"},
     .pieces = ROOT | PCK | TCB | QE},
};

/* ---- running ------------------------------------------------------------------------------------------------------- */

typedef struct world {
    atls_arena arena;
    atls_error err;
    atls_endorsements own;
    atls_endorsements stapled;
    atls_endorsement_request request;
} world;

static void must(bool ok, const atls_error *err)
{
    if (!ok) {
        char line[700];
        (void)atls_error_line(err, line, sizeof line);
        fail_msg("%s", line);
    }
}

static void ask(world *w, sim *room)
{
    static const uint8_t report_data[64] = {1};
    const void *evidence;
    atls_bytes quote;
    must(sim_quote(room, report_data, &w->arena, &quote, &w->err), &w->err);
    must(dcap_format()->decode(quote, &w->arena, &evidence, &w->err), &w->err);
    must(dcap_format()->request(evidence, &w->arena, &w->request, &w->err), &w->err);
}

static void make_room(world *w, sim_kind kind, const char *const *settings, bool asks, atls_endorsements *out)
{
    const sim_options options = {.kind = kind, .settings = settings};
    sim *room;
    must(sim_new(&options, &room, &w->err), &w->err);
    must(sim_collateral(room, &w->arena, out, &w->err), &w->err);
    if (asks) {
        ask(w, room);
    }
    sim_free(room);
}

static void open_world(world *w, const row *r)
{
    *w = (world){0};
    must(atls_arena_new(&w->arena, (size_t)16 * 1024 * 1024, &w->err), &w->err);
    make_room(w, SIM_TDX_V4, r->own, true, &w->own);
    make_room(w, r->stapled_kind, r->stapled, r->asks_for_stapled, &w->stapled);
    w->request.needs_pck_chain = r->needs_pck_chain;
}

/* The very slice: texts of both sides may be equal. */
static void check_slice(atls_bytes got, atls_bytes own, atls_bytes stapled, bool is_stapled)
{
    const atls_bytes wanted = is_stapled ? stapled : own;
    assert_int_equal(got.len, wanted.len);
    assert_true(got.len == 0 || got.ptr == wanted.ptr);
}

static void check_choice(const world *w, const atls_endorsements *out, unsigned pieces)
{
    const atls_dcap_collateral *o = &w->own.dcap;
    const atls_dcap_collateral *s = &w->stapled.dcap;
    const atls_dcap_collateral *g = &out->dcap;
    assert_int_equal(out->stapled, pieces);
    check_slice(g->root_ca_crl, o->root_ca_crl, s->root_ca_crl, pieces & ROOT);
    check_slice(g->pck_crl, o->pck_crl, s->pck_crl, pieces & PCK);
    check_slice(g->pck_crl_issuer_chain, o->pck_crl_issuer_chain, s->pck_crl_issuer_chain, pieces & PCK);
    check_slice(g->tcb_info, o->tcb_info, s->tcb_info, pieces & TCB);
    check_slice(g->tcb_info_signature, o->tcb_info_signature, s->tcb_info_signature, pieces & TCB);
    check_slice(g->tcb_info_issuer_chain, o->tcb_info_issuer_chain, s->tcb_info_issuer_chain, pieces & TCB);
    check_slice(g->qe_identity, o->qe_identity, s->qe_identity, pieces & QE);
    check_slice(g->qe_identity_signature, o->qe_identity_signature, s->qe_identity_signature, pieces & QE);
    check_slice(g->qe_identity_issuer_chain, o->qe_identity_issuer_chain, s->qe_identity_issuer_chain, pieces & QE);
    check_slice(g->pck_certificate_chain, o->pck_certificate_chain, s->pck_certificate_chain, pieces & CHAIN);
}

static void test_row(void **state)
{
    const row *r = *state;
    world w;
    atls_endorsements out;
    open_world(&w, r);
    must(atls_endorsements_merge(&w.own, &w.stapled, &w.request, &w.arena, &out, &w.err), &w.err);
    assert_int_equal(w.err.code, ATLS_OK);
    assert_int_equal(out.platform, w.own.platform);
    check_choice(&w, &out, r->pieces);
    atls_arena_free(&w.arena);
}

/* ---- one side alone ------------------------------------------------------------------------------------------------ */

static void test_alone(void **state)
{
    static const row honest = {.stapled = {"tcb_info_date.issue=now"}};
    static const atls_endorsements none = {.platform = ATLS_PLATFORM_NONE};
    world w;
    atls_endorsements out;
    (void)state;
    open_world(&w, &honest);
    must(atls_endorsements_merge(&w.own, NULL, &w.request, &w.arena, &out, &w.err), &w.err);
    check_choice(&w, &out, 0);
    must(atls_endorsements_merge(&w.own, &none, &w.request, &w.arena, &out, &w.err), &w.err);
    check_choice(&w, &out, 0);
    must(atls_endorsements_merge(NULL, &w.stapled, &w.request, &w.arena, &out, &w.err), &w.err);
    check_choice(&w, &out, ROOT | PCK | TCB | QE);
    assert_int_equal(out.platform, ATLS_PLATFORM_TDX);
    assert_non_null(out.dcap.pck_certificate_chain.ptr);
    must(atls_endorsements_merge(&none, &w.stapled, &w.request, &w.arena, &out, &w.err), &w.err);
    check_choice(&w, &out, ROOT | PCK | TCB | QE);
    must(atls_endorsements_merge(NULL, NULL, &w.request, &w.arena, &out, &w.err), &w.err);
    assert_int_equal(out.platform, ATLS_PLATFORM_NONE);
    atls_arena_free(&w.arena);
}

/* What one's own side has for other kinds of evidence stays as it is: for them, and beside what was stapled for Intel's. */
static void test_other_kinds(void **state)
{
    static const row honest = {.stapled = {"tcb_info_date.issue=now"}};
    static const atls_platform asked_for[] = {ATLS_PLATFORM_SEV_SNP, ATLS_PLATFORM_TPM, ATLS_PLATFORM_NITRO,
                                              ATLS_PLATFORM_ANDROID, ATLS_PLATFORM_TDX};
    world w;
    atls_endorsements out;
    (void)state;
    open_world(&w, &honest);
    const atls_bytes list = w.own.dcap.pck_crl;
    const atls_endorsements own = {.platform = ATLS_PLATFORM_NONE,
                                   .pile = {.crls = &list, .n_crls = 1},
                                   .android = {.list = list, .fetched = 7},
                                   .insecure_older = true};
    w.stapled.pile = (atls_certificate_pile){.certificates = &list, .n_certificates = 1, .crls = &list, .n_crls = 1};
    w.stapled.insecure_older = false;
    for (size_t i = 0; i < sizeof asked_for / sizeof asked_for[0]; i++) {
        w.request.platform = asked_for[i];
        must(atls_endorsements_merge(&own, &w.stapled, &w.request, &w.arena, &out, &w.err), &w.err);
        assert_ptr_equal(out.pile.crls, &list);
        assert_int_equal(out.pile.n_crls, 1);
        assert_int_equal(out.pile.n_certificates, 0);
        assert_ptr_equal(out.android.list.ptr, list.ptr);
        assert_int_equal(out.android.fetched, 7);
        assert_true(out.insecure_older);
        assert_int_equal(out.stapled != 0, asked_for[i] == ATLS_PLATFORM_TDX);
        assert_int_equal(out.platform, asked_for[i] == ATLS_PLATFORM_TDX ? ATLS_PLATFORM_TDX : ATLS_PLATFORM_NONE);
    }
    must(atls_endorsements_merge(NULL, &w.stapled, &w.request, &w.arena, &out, &w.err), &w.err);
    assert_int_equal(out.pile.n_crls, 0); /* nothing but collateral is taken from a peer */
    atls_arena_free(&w.arena);
}

/* What one's own callback says of stapled pieces is not believed. */
static void test_own_claims(void **state)
{
    static const row honest = {.name = ""};
    world w;
    atls_endorsements out;
    (void)state;
    open_world(&w, &honest);
    w.own.stapled = UINT_MAX;
    must(atls_endorsements_merge(&w.own, &w.stapled, &w.request, &w.arena, &out, &w.err), &w.err);
    assert_int_equal(out.stapled, 0);
    atls_arena_free(&w.arena);
}

/* Nothing fits: that is no endorsements, and no failure. */
static void test_nothing_fits(void **state)
{
    static const row enclave = {.stapled = {"collateral.root_ca_crl=none", "collateral.pck_crl=none"},
                                .stapled_kind = SIM_SGX_V3};
    world w;
    atls_endorsements out;
    (void)state;
    open_world(&w, &enclave);
    must(atls_endorsements_merge(NULL, &w.stapled, &w.request, &w.arena, &out, &w.err), &w.err);
    assert_int_equal(out.platform, ATLS_PLATFORM_NONE);
    assert_int_equal(out.stapled, 0);
    atls_arena_free(&w.arena);
}

/* Too little memory to read is no reason to call a document unreadable. */
static void test_memory(void **state)
{
    static const row newer = {.stapled = {"tcb_info_date.issue=now", "qe_identity_date.issue=now"}};
    static uint8_t block[256 * 1024];
    size_t refused = 0;
    world w;
    (void)state;
    open_world(&w, &newer);
    for (size_t size = 0; size <= sizeof block; size += 1024) {
        atls_endorsements out;
        atls_arena small;
        atls_error err = {0};
        atls_arena_init(&small, block, size);
        if (atls_endorsements_merge(&w.own, &w.stapled, &w.request, &small, &out, &err)) {
            check_choice(&w, &out, TCB | QE);
            continue;
        }
        assert_int_equal(err.code, ATLS_E_MEMORY);
        assert_int_equal(out.platform, ATLS_PLATFORM_NONE);
        refused++;
    }
    assert_true(refused > 8 && refused < sizeof block / 1024);
    atls_arena_free(&w.arena);
}

int main(void)
{
    tap_list l = {0};
    for (size_t i = 0; i < COUNT(rows); i++) {
        tap_add(&l, rows[i].name, test_row, &rows[i]);
    }
    tap_add(&l, "one side alone", test_alone, NULL);
    tap_add(&l, "what is for other kinds of evidence stays", test_other_kinds, NULL);
    tap_add(&l, "one's own endorsements claim to be stapled", test_own_claims, NULL);
    tap_add(&l, "nothing of one's own, and nothing that fits", test_nothing_fits, NULL);
    tap_add(&l, "without memory", test_memory, NULL);
    return tap_run("dcap_newer", &l);
}
