/* SPDX-License-Identifier: Apache-2.0 */
/* test_staple.c: endorsements that travel with the evidence. They are hints: they may help a verifier that has none, or older
 * ones; they never take anything from one that has newer, never stand for what they do not sign, and come only when
 * asked for. */
#include "native_peer.h"

#define MAX_SETTINGS 6
#define ALL_PIECES   "root_ca_crl, pck_crl, tcb_info, qe_identity"

/* ---- both ends are sessions ---------------------------------------------------------------------------------------- */

typedef enum own_kind {
    OWN_ROOM = 0, /* endorsements of a room with the row's settings */
    OWN_NO_CALLBACK,
    OWN_FAILS,   /* with the row's failure */
    OWN_NOTHING, /* success, and nothing in it */
} own_kind;

typedef struct row {
    const char *name;
    own_kind own;
    atls_code failure;
    const char *own_settings[MAX_SETTINGS];
    bool not_asked;
    bool not_stapled;
    sim_kind kind; /* of the room whose endorsements are stapled */
    const char *settings[MAX_SETTINGS];
    size_t padding; /* bytes of a PCK chain that is stapled, too */
    char pad;
    atls_code code;
    const char *field;
    const char *used; /* what check "endorsements.stapled" says; NULL: there is none */
} row;

#define ACCEPTED(pieces)   .code = ATLS_OK, .used = pieces
#define REFUSED(error, at) .code = ATLS_E_##error, .field = at

#define NEWER_TCB "tcb_info_date.issue=now"
#define REVOKES   "crl.pck.revoked=pck"

static const row rows[] = {
    {.name = "none of one's own: no callback", .own = OWN_NO_CALLBACK, ACCEPTED(ALL_PIECES)},
    {.name = "none of one's own: missing",
     .own = OWN_FAILS,
     .failure = ATLS_E_ENDORSEMENTS_MISSING,
     ACCEPTED(ALL_PIECES)},
    {.name = "none of one's own: no network", .own = OWN_FAILS, .failure = ATLS_E_IO, ACCEPTED(ALL_PIECES)},
    {.name = "none of one's own: too slow", .own = OWN_FAILS, .failure = ATLS_E_TIMEOUT, ACCEPTED(ALL_PIECES)},
    {.name = "none of one's own: a failure without reason", .own = OWN_FAILS, ACCEPTED(ALL_PIECES)},
    {.name = "none of one's own: an empty answer", .own = OWN_NOTHING, ACCEPTED(ALL_PIECES)},
    {.name = "one's own are malformed: that is the answer",
     .own = OWN_FAILS,
     .failure = ATLS_E_COLLATERAL_FORMAT,
     REFUSED(COLLATERAL_FORMAT, "own")},
    {.name = "one's own source has no memory: that is the answer",
     .own = OWN_FAILS,
     .failure = ATLS_E_MEMORY,
     REFUSED(MEMORY, "own")},

    {.name = "not asked for", .own = OWN_NO_CALLBACK, .not_asked = true, REFUSED(ENDORSEMENTS_MISSING, "endorsements")},
    {.name = "asked for, and there are none",
     .own = OWN_NO_CALLBACK,
     .not_stapled = true,
     REFUSED(ENDORSEMENTS_MISSING, "endorsements")},
    {.name = "asked for, none there, one's own are enough", .not_stapled = true, ACCEPTED(NULL)},
    {.name = "none there, and one's own failure is told",
     .own = OWN_FAILS,
     .failure = ATLS_E_ENDORSEMENTS_MISSING,
     .not_stapled = true,
     REFUSED(ENDORSEMENTS_MISSING, "own")},
    {.name = "nothing that fits, and one's own failure is told",
     .own = OWN_FAILS,
     .failure = ATLS_E_ENDORSEMENTS_MISSING,
     .kind = SIM_SGX_V3,
     .settings = {"collateral.root_ca_crl=none", "collateral.pck_crl=none"},
     REFUSED(ENDORSEMENTS_MISSING, "own")},
    {.name = "nothing that fits, and no callback",
     .own = OWN_NO_CALLBACK,
     .kind = SIM_SGX_V3,
     .settings = {"collateral.root_ca_crl=none", "collateral.pck_crl=none"},
     REFUSED(ENDORSEMENTS_MISSING, "endorsements")},
    {.name = "none of one's own, one piece does not fit",
     .own = OWN_NO_CALLBACK,
     .settings = {"tcb_info.fmspc=\"00A06F000000\""},
     REFUSED(ENDORSEMENTS_MISSING, "endorsements.tcb_info")},

    {.name = "the same as one's own", ACCEPTED(NULL)},
    {.name = "newer TCB info", .settings = {NEWER_TCB}, ACCEPTED("tcb_info")},
    {.name = "newer TCB info heals older, which has expired",
     .own_settings = {"tcb_info_date.issue=now-900", "tcb_info_date.next=now-1"},
     .settings = {NEWER_TCB},
     ACCEPTED("tcb_info")},
    {.name = "one's own TCB info has expired, and nothing newer comes",
     .own_settings = {"tcb_info_date.issue=now-900", "tcb_info_date.next=now-1"},
     .not_stapled = true,
     REFUSED(EXPIRED, "tcb_info.nextUpdate")},

    {.name = "an older PCK CRL over a newer one that revokes the platform",
     .own_settings = {REVOKES, "crl.pck.number=9", "crl.pck.this_update=now"},
     REFUSED(REVOKED, "pck.leaf")},
    {.name = "an older root CRL over a newer one that revokes the PCK CA",
     .own_settings = {"crl.root.revoked=platform_ca", "crl.root.number=9", "crl.root.this_update=now"},
     REFUSED(REVOKED, "pck.intermediate")},
    {.name = "a newer PCK CRL that revokes the platform over an older one",
     .settings = {REVOKES, "crl.pck.number=9", "crl.pck.this_update=now"},
     REFUSED(REVOKED, "pck.leaf")},
    {.name = "a PCK CRL that revokes the platform, alone",
     .own = OWN_NO_CALLBACK,
     .settings = {REVOKES},
     REFUSED(REVOKED, "pck.leaf")},
    {.name = "older TCB info over newer, in which the platform is revoked",
     .own_settings = {NEWER_TCB, "level.0.status=Revoked"},
     REFUSED(TCB_REVOKED, "tcb.platform")},
    {.name = "newer TCB info from before a recovery",
     .own_settings = {"tcb_info.tcbEvaluationDataNumber=999", "level.0.status=Revoked"},
     .settings = {NEWER_TCB},
     REFUSED(TCB_REVOKED, "tcb.platform")},

    {.name = "newer TCB info, forged",
     .settings = {NEWER_TCB, "tcb_info.sig=bit"},
     REFUSED(TCB_INFO_SIGNATURE, "tcb_info_signature")},
    {.name = "newer TCB info, of a key that is no TCB signer's",
     .settings = {NEWER_TCB, "tcb_info.signed_by=pck"},
     REFUSED(TCB_INFO_SIGNATURE, "tcb_info_signature")},
    {.name = "newer QE identity, forged",
     .settings = {"qe_identity_date.issue=now", "qe_identity.sig=bit"},
     REFUSED(QE_IDENTITY_SIGNATURE, "qe_identity_signature")},
    {.name = "a newer PCK CRL, forged",
     .settings = {"crl.pck.this_update=now", "crl.pck.sig=bit"},
     REFUSED(CRL, "pck_crl.signature")},
    {.name = "a newer root CRL, forged",
     .settings = {"crl.root.this_update=now", "crl.root.sig=bit"},
     REFUSED(CRL, "root_ca_crl.signature")},
    {.name = "forged TCB info, alone",
     .own = OWN_NO_CALLBACK,
     .settings = {"tcb_info.sig=bit"},
     REFUSED(TCB_INFO_SIGNATURE, "tcb_info_signature")},
    {.name = "forged TCB info that is not newer: nobody looks at it", .settings = {"tcb_info.sig=bit"}, ACCEPTED(NULL)},
    {.name = "TCB info of tomorrow",
     .settings = {"tcb_info_date.issue=now+86400"},
     REFUSED(NOT_YET_VALID, "tcb_info.issueDate")},

    {.name = "an enclave's, newer",
     .kind = SIM_SGX_V3,
     .settings = {NEWER_TCB, "qe_identity_date.issue=now"},
     ACCEPTED(NULL)},
    {.name = "another platform's, newer", .settings = {NEWER_TCB, "tcb_info.fmspc=\"00A06F000000\""}, ACCEPTED(NULL)},
    {.name = "a PCK chain that nobody needs", .settings = {"chain.pck=sibling,platform_ca,root"}, ACCEPTED(NULL)},

    {.name = "too long for the frame: stay at home",
     .own = OWN_NO_CALLBACK,
     .padding = 1024 * 1024,
     .pad = 'x',
     REFUSED(ENDORSEMENTS_MISSING, "endorsements")},
    {.name = "too long for the frame as text",
     .own = OWN_NO_CALLBACK,
     .padding = 400 * 1024,
     .pad = '\n',
     REFUSED(ENDORSEMENTS_MISSING, "endorsements")},
    {.name = "as long as may be", .own = OWN_NO_CALLBACK, .padding = 900 * 1024, .pad = 'x', ACCEPTED(ALL_PIECES)},
};

typedef struct scene {
    rig r;
    const row *row;
    bool is_mutual; /* the server judges, the client staples */
    atls_endorsements own;
    atls_endorsements stapled;
    unsigned n_asked; /* how often one's own were */
} scene;

static bool endorse_own(void *ctx, const atls_endorsement_request *request, atls_arena *arena, atls_endorsements *out,
                        atls_error *err)
{
    scene *s = ctx;
    (void)request;
    (void)arena;
    s->n_asked++;
    if (s->row->own == OWN_FAILS) {
        return s->row->failure != ATLS_OK && atls_fail(err, s->row->failure, "own", "for this reason");
    }
    if (s->row->own == OWN_ROOM) {
        *out = s->own;
    }
    return true;
}

static void make_endorsements(scene *s, sim_kind kind, const char *const *settings, atls_endorsements *out)
{
    const sim_options options = {.kind = kind, .settings = settings};
    sim *room;
    assert_true(sim_new(&options, &room, &s->r.err));
    assert_true(sim_collateral(room, &s->r.arena, out, &s->r.err));
    sim_free(room);
}

static void pad_stapled(scene *s)
{
    if (s->row->padding == 0) {
        return;
    }
    uint8_t *text = atls_arena_raw(&s->r.arena, s->row->padding, &s->r.err);
    assert_non_null(text);
    memset(text, s->row->pad, s->row->padding);
    s->stapled.dcap.pck_certificate_chain = atls_bytes_of(text, s->row->padding);
}

static void configure(scene *s)
{
    const row *w = s->row;
    rig *r = &s->r;
    atls_endorse_fn endorse = w->own == OWN_NO_CALLBACK ? NULL : endorse_own;
    const atls_endorsements *staple = w->not_stapled ? NULL : &s->stapled;
    if (s->is_mutual) {
        r->server_options.endorse = endorse;
        r->server_options.endorse_ctx = s;
        r->server_options.want_endorsements = !w->not_asked;
        r->client_options.staple = staple;
    } else {
        r->client_options.endorse = endorse;
        r->client_options.endorse_ctx = s;
        r->client_options.want_endorsements = !w->not_asked;
        r->server_options.staple = staple;
    }
}

/* What the list says of stapled pieces. */
static const char *used_of(const atls_result *result)
{
    for (size_t i = 0; i < result->n_checks; i++) {
        if (strcmp(result->checks[i].id, "endorsements.stapled") == 0) {
            assert_int_equal(result->checks[i].verdict, ATLS_CHECK_PASS);
            return result->checks[i].actual;
        }
    }
    return NULL;
}

static void expect(const scene *s)
{
    const row *w = s->row;
    const atls_session *judge = s->is_mutual ? s->r.server : s->r.client;
    const atls_error *err = s->is_mutual ? &s->r.server_err : &s->r.client_err;
    assert_string_equal(atls_code_name(err->code), atls_code_name(w->code));
    if (w->code != ATLS_OK) {
        assert_string_equal(err->field, w->field);
        const atls_result *result = atls_session_result(judge);
        assert_true(result == NULL || result->verdict != ATLS_VERDICT_ACCEPTED);
        return;
    }
    rig_expect_established(&s->r);
    const char *used = used_of(atls_session_result(judge));
    assert_string_equal(used == NULL ? "none" : used, w->used == NULL ? "none" : w->used);
}

static void run_row(const row *w, bool is_mutual)
{
    static scene s;
    s = (scene){.row = w, .is_mutual = is_mutual};
    rig_open(&s.r);
    if (is_mutual) {
        rig_mutual(&s.r);
    } else {
        rig_native(&s.r);
    }
    make_endorsements(&s, SIM_TDX_V4, w->own_settings, &s.own);
    make_endorsements(&s, w->kind, w->settings, &s.stapled);
    pad_stapled(&s);
    configure(&s);
    rig_start(&s.r, NULL);
    rig_run_to_end(&s.r);
    expect(&s);
    assert_int_equal(s.n_asked, w->own == OWN_NO_CALLBACK ? 0 : 1);
    rig_close(&s.r);
}

static void test_client_judges(void **state)
{
    run_row(*state, false);
}

static void test_server_judges(void **state)
{
    run_row(*state, true);
}

/* ---- a chain that the prover left out -------------------------------------------------------------------------------- */

static bool endorse_missing(void *ctx, const atls_endorsement_request *request, atls_arena *a, atls_endorsements *out,
                            atls_error *err)
{
    const atls_code *code = ctx;
    (void)request;
    (void)a;
    (void)out;
    return *code == ATLS_OK || atls_fail(err, *code, "own", NULL);
}

/* Without a chain in the quote one's own source does not know what to look for. Nothing signs that there is none: whoever wants older
 * lists than one's own leaves it out, and sends it along. */
static void test_chain_left_out(void **state)
{
    atls_code codes[] = {ATLS_E_ENDORSEMENTS_MISSING, ATLS_E_IO, ATLS_E_TIMEOUT};
    rig r;
    native_side side = {.endorse = endorse_missing};
    native_sources from = {.side = &side};
    atls_endorsement_request request = {.platform = ATLS_PLATFORM_TDX, .is_tdx = true, .needs_pck_chain = true};
    atls_endorsements out;
    (void)state;
    rig_open(&r);
    assert_true(sim_collateral(r.sim, &r.arena, &from.stapled, &r.err));
    for (size_t i = 0; i < sizeof codes / sizeof codes[0]; i++) {
        atls_error err = {.code = ATLS_OK};
        side.endorse_ctx = &codes[i];
        assert_false(native_endorse(&from, &request, &r.arena, &out, &err));
        assert_int_equal(err.code, codes[i]);
        assert_string_equal(err.field, "own");
    }
    codes[0] = ATLS_OK; /* an answer, and no collateral in it */
    side.endorse_ctx = &codes[0];
    atls_error empty = {.code = ATLS_OK};
    assert_false(native_endorse(&from, &request, &r.arena, &out, &empty));
    assert_int_equal(empty.code, ATLS_E_ENDORSEMENTS_MISSING);
    assert_string_equal(empty.field, "endorsements.pck_certificate_chain");
    side.endorse = NULL; /* who has no source takes what is in date */
    atls_error none = {.code = ATLS_OK};
    assert_true(native_endorse(&from, &request, &r.arena, &out, &none));
    assert_int_equal(out.platform, ATLS_PLATFORM_TDX);
    rig_close(&r);
}

/* ---- what is sent, and to whom ------------------------------------------------------------------------------------- */

typedef struct sent_row {
    const char *name;
    native_victim victim;
    bool asks;
    bool has_staple;
    size_t wanted; /* records */
} sent_row;

static const sent_row sent_rows[] = {
    {"a server sends what a client asks for", SERVER_PROVES, true, true, 1},
    {"a server sends nothing to a client that does not ask", SERVER_PROVES, false, true, 0},
    {"a server that has nothing sends nothing", SERVER_PROVES, true, false, 0},
    {"a client sends what a server asks for", CLIENT_BOTH, true, true, 1},
    {"a client sends nothing to a server that does not ask", CLIENT_BOTH, false, true, 0},
    {"a client that has nothing sends nothing", CLIENT_PROVES, true, false, 0},
};

static void ask(native_peer *p, atls_native_hello *mine)
{
    const sent_row *w = p->row;
    mine->staple = w->asks;
}

static void test_sent(void **state)
{
    static const native_lies lies = {.hello = ask};
    const sent_row *w = *state;
    rig r;
    atls_endorsements stapled;
    atls_native_evidence e;
    atls_bytes bundle;
    rig_open(&r);
    native_set_up(&r, w->victim);
    assert_true(sim_collateral(r.sim, &r.arena, &stapled, &r.err));
    r.server_options.staple = w->has_staple ? &stapled : NULL;
    r.client_options.staple = r.server_options.staple;
    native_peer *p = native_peer_open(&r, w->victim, &lies);
    p->row = w;
    native_peer_play(p);
    assert_int_equal(native_step(p), ATLS_STEP_DONE);
    assert_true(atls_native_read_evidence(native_body(p->evidence), &e, &r.err));
    assert_int_equal(e.n_staples, w->wanted);
    if (w->wanted > 0) {
        assert_true(atls_endorsements_to_bundle(&stapled, &r.arena, &bundle, &r.err));
        assert_true(atls_bytes_equal_str(e.staples[0].type, "application/vnd.atls.dcap-collateral+json"));
        assert_true(atls_bytes_equal(e.staples[0].value, bundle));
    }
    native_peer_close(p);
    rig_close(&r);
}

/* Who verifies nothing asks for nothing, whatever the options say. */
static void test_asked(void **state)
{
    const sent_row *w = *state;
    rig r;
    rig_open(&r);
    native_set_up(&r, w->victim);
    r.server_options.want_endorsements = w->asks;
    r.client_options.want_endorsements = w->asks;
    native_peer *p = native_peer_open(&r, w->victim, NULL);
    native_peer_play(p);
    assert_int_equal(native_step(p), ATLS_STEP_DONE);
    assert_int_equal(p->peers.staple, w->wanted == 1);
    native_peer_close(p);
    rig_close(&r);
}

static const sent_row asked_rows[] = {
    {"a client asks", CLIENT_ASKS, true, false, 1},
    {"a client that was not told to ask does not", CLIENT_ASKS, false, false, 0},
    {"a client that verifies nothing does not ask", CLIENT_PROVES, true, false, 0},
    {"a server asks", SERVER_BOTH, true, false, 1},
    {"a server that was not told to ask does not", SERVER_BOTH, false, false, 0},
    {"a server that verifies nothing does not ask", SERVER_PROVES, true, false, 0},
};

/* ---- records that a peer makes up ---------------------------------------------------------------------------------- */

static void want(rig *r)
{
    r->client_options.want_endorsements = true;
    r->server_options.want_endorsements = r->server_options.verifier != NULL;
}

static void add(native_peer *p, atls_native_evidence *e, const char *type, const char *text)
{
    atls_endorsements of_room;
    atls_bytes value = atls_bytes_empty();
    if (text != NULL) {
        value = atls_bytes_str(text);
    } else {
        assert_true(sim_collateral(p->r->sim, &p->r->arena, &of_room, &p->r->err));
        assert_true(atls_endorsements_to_bundle(&of_room, &p->r->arena, &value, &p->r->err));
    }
    e->staples[e->n_staples++] = (atls_cmw_record){atls_bytes_str(type), value};
}

#define BUNDLE "application/vnd.atls.dcap-collateral+json"
#define OTHER  "application/vnd.example.endorsement"

static void honest(native_peer *p, atls_native_evidence *e)
{
    add(p, e, BUNDLE, NULL);
}

static void twice(native_peer *p, atls_native_evidence *e)
{
    add(p, e, BUNDLE, NULL);
    add(p, e, OTHER, "x");
    add(p, e, BUNDLE, NULL);
}

static void unknown(native_peer *p, atls_native_evidence *e)
{
    add(p, e, OTHER, "x");
}

static void among_unknown(native_peer *p, atls_native_evidence *e)
{
    add(p, e, OTHER, "x");
    add(p, e, OTHER, "{");
    add(p, e, BUNDLE, NULL);
    add(p, e, BUNDLE "x", "x");
}

static void no_json(native_peer *p, atls_native_evidence *e)
{
    add(p, e, BUNDLE, "x");
}

static void empty_object(native_peer *p, atls_native_evidence *e)
{
    add(p, e, BUNDLE, "{}");
}

static void no_hex(native_peer *p, atls_native_evidence *e)
{
    add(p, e, BUNDLE, "{\"root_ca_crl\":\"3g\"}");
}

#define ATTACK(label, who, up, make, ...)                                                                              \
    {                                                                                                                  \
        .name = label, .victim = who, .lies = {.set_up = up, .evidence = make}, __VA_ARGS__                            \
    }
#define BOTH_SIDES(label, up, make, ...)                                                                               \
    ATTACK("client: " label, CLIENT_ASKS, up, make, __VA_ARGS__),                                                      \
        ATTACK("server: " label, SERVER_ASKS, up, make, __VA_ARGS__)

static const native_row attacks[] = {
    BOTH_SIDES("honest endorsements", want, honest, .code = ATLS_OK),
    BOTH_SIDES("endorsements that were not asked for", NULL, honest, REFUSED(PROTOCOL, "evidence.endorsements")),
    BOTH_SIDES("unknown ones that were not asked for", NULL, unknown, REFUSED(PROTOCOL, "evidence.endorsements")),
    BOTH_SIDES("two bundles", want, twice, REFUSED(PROTOCOL, "evidence.endorsements")),
    BOTH_SIDES("a record of an unknown type", want, unknown, .code = ATLS_OK),
    BOTH_SIDES("a bundle among unknown records", want, among_unknown, .code = ATLS_OK),
    BOTH_SIDES("a bundle that is no JSON", want, no_json, REFUSED(COLLATERAL_FORMAT, "evidence.endorsements.bundle")),
    BOTH_SIDES("a bundle with nothing in it", want, empty_object,
               REFUSED(COLLATERAL_FORMAT, "evidence.endorsements.root_ca_crl")),
    BOTH_SIDES("a bundle with a list that is no hex", want, no_hex,
               REFUSED(COLLATERAL_FORMAT, "evidence.endorsements.root_ca_crl")),
};

int main(void)
{
    static char names[sizeof rows / sizeof rows[0]][128];
    tap_list l = {0};
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        tap_add(&l, rows[i].name, test_client_judges, &rows[i]);
        snprintf(names[i], sizeof names[i], "of a client: %s", rows[i].name);
        tap_add(&l, names[i], test_server_judges, &rows[i]);
    }
    for (size_t i = 0; i < sizeof sent_rows / sizeof sent_rows[0]; i++) {
        tap_add(&l, sent_rows[i].name, test_sent, &sent_rows[i]);
    }
    for (size_t i = 0; i < sizeof asked_rows / sizeof asked_rows[0]; i++) {
        tap_add(&l, asked_rows[i].name, test_asked, &asked_rows[i]);
    }
    for (size_t i = 0; i < sizeof attacks / sizeof attacks[0]; i++) {
        tap_add(&l, attacks[i].name, native_row_run, &attacks[i]);
    }
    tap_add(&l, "a chain that the prover left out", test_chain_left_out, NULL);
    return tap_run("staple", &l);
}
