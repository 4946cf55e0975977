/* SPDX-License-Identifier: Apache-2.0 */
/* test_fetch.c: fetching from a real HTTP server that misbehaves in one way at a time. Each way, three times: alone it is a
 * clear error, before an honest source it costs nothing but time, and in neither case does an appraisal say yes that should
 * not, or anything last longer than it may. */
#include "fetch_scene.h"

#include <signal.h>

#define ALL NULL

/* What comes of a source that does this. */
typedef struct row {
    const char *name;
    double_mode mode;
    const char *only; /* paths */
    atls_code code;   /* OK: it is no misbehaviour */
    const char *field;
    const char *words;
    const char *const *settings; /* of the bad server's room */
    const char *seed;
} row;

#define TCB      "endorsements.tcb_info"
#define QE       "endorsements.qe_identity"
#define PCK_LIST "endorsements.pck_crl"
#define ROOT     "endorsements.root_ca_crl"
#define SET(...) ((const char *const[]){__VA_ARGS__, NULL})

static const row rows[] = {
    {"honest", DOUBLE_HONEST, ALL, ATLS_E_OK, "", NULL, NULL, NULL},
    {"404", DOUBLE_NOT_FOUND, ALL, ATLS_E_ENDORSEMENTS_MISSING, TCB, ": 404", NULL, NULL},
    {"404 for the identity alone", DOUBLE_NOT_FOUND, "qe/identity", ATLS_E_ENDORSEMENTS_MISSING, QE, ": 404", NULL,
     NULL},
    {"404 for the PCK list alone", DOUBLE_NOT_FOUND, "pckcrl", ATLS_E_ENDORSEMENTS_MISSING, PCK_LIST, ": 404", NULL,
     NULL},
    {"404 for the root's list alone", DOUBLE_NOT_FOUND, "rootcacrl", ATLS_E_ENDORSEMENTS_MISSING, ROOT, ": 404", NULL,
     NULL},
    {"410", DOUBLE_GONE, ALL, ATLS_E_ENDORSEMENTS_MISSING, TCB, ": 410", NULL, NULL},
    {"403", DOUBLE_FORBIDDEN, ALL, ATLS_E_IO, TCB, "status 403", NULL, NULL},
    {"500", DOUBLE_BROKEN, ALL, ATLS_E_IO, TCB, "status 500", NULL, NULL},
    {"429, longer than we wait", DOUBLE_THROTTLED, ALL, ATLS_E_IO, TCB, "429, not before 100 s", NULL, NULL},
    {"503, longer than we wait", DOUBLE_UNAVAILABLE, ALL, ATLS_E_IO, TCB, "503, not before 100 s", NULL, NULL},
    {"cut off in the middle", DOUBLE_TRUNCATED, ALL, ATLS_E_IO, TCB, NULL, NULL, NULL},
    {"a list cut off in the middle", DOUBLE_TRUNCATED, "pckcrl", ATLS_E_IO, PCK_LIST, NULL, NULL, NULL},
    {"too long, as it says", DOUBLE_OVERSIZED, ALL, ATLS_E_LIMIT, TCB, "longer than", NULL, NULL},
    {"too long, without saying so", DOUBLE_ENDLESS, ALL, ATLS_E_LIMIT, TCB, "longer than", NULL, NULL},
    {"a byte now and then", DOUBLE_DRIP, ALL, ATLS_E_TIMEOUT, TCB, NULL, NULL, NULL},
    {"silence", DOUBLE_SILENT, ALL, ATLS_E_TIMEOUT, TCB, NULL, NULL, NULL},
    {"garbage", DOUBLE_GARBAGE, ALL, ATLS_E_COLLATERAL_FORMAT, TCB, NULL, NULL, NULL},
    {"garbage for a list", DOUBLE_GARBAGE, "rootcacrl", ATLS_E_COLLATERAL_FORMAT, ROOT, NULL, NULL, NULL},
    {"a page for people", DOUBLE_HTML, ALL, ATLS_E_COLLATERAL_FORMAT, TCB, NULL, NULL, NULL},
    {"a page for people as a list", DOUBLE_HTML, "pckcrl", ATLS_E_COLLATERAL_FORMAT, PCK_LIST, NULL, NULL, NULL},
    {"nothing", DOUBLE_EMPTY, ALL, ATLS_E_COLLATERAL_FORMAT, TCB, NULL, NULL, NULL},
    {"no list", DOUBLE_EMPTY, "rootcacrl", ATLS_E_COLLATERAL_FORMAT, ROOT, NULL, NULL, NULL},
    {"reset", DOUBLE_RESET, ALL, ATLS_E_IO, TCB, NULL, NULL, NULL},
    {"redirected to another host", DOUBLE_REDIRECT_ELSEWHERE, ALL, ATLS_E_IO, TCB, "redirected elsewhere", NULL, NULL},
    {"redirected to a file", DOUBLE_REDIRECT_FILE, ALL, ATLS_E_IO, TCB, "redirected elsewhere", NULL, NULL},
    {"redirected in a circle", DOUBLE_REDIRECT_LOOP, ALL, ATLS_E_IO, TCB, "redirected twice", NULL, NULL},
    {"redirected on the same host", DOUBLE_REDIRECT_HERE, ALL, ATLS_E_OK, "", NULL, NULL, NULL},
    {"headers that are none", DOUBLE_GARBAGE_HEADERS, ALL, ATLS_E_IO, TCB, NULL, NULL, NULL},
    {"headers without end", DOUBLE_LONG_HEADERS, ALL, ATLS_E_LIMIT, TCB, "headers are longer", NULL, NULL},
    {"no HTTP", DOUBLE_NO_STATUS, ALL, ATLS_E_IO, TCB, NULL, NULL, NULL},
    {"no issuer chain", DOUBLE_NO_CHAIN, ALL, ATLS_E_COLLATERAL_FORMAT, TCB, "no chain", NULL, NULL},
    {"no issuer chain with a list", DOUBLE_NO_CHAIN, "pckcrl", ATLS_E_OK, "", NULL, NULL, NULL},
    {"two issuer chains", DOUBLE_TWO_CHAINS, ALL, ATLS_E_COLLATERAL_FORMAT, TCB, "two headers", NULL, NULL},
    {"a chain that cannot be decoded", DOUBLE_BAD_CHAIN, ALL, ATLS_E_COLLATERAL_FORMAT, TCB, "percent", NULL, NULL},
    {"lists in hex", DOUBLE_HEX_LISTS, ALL, ATLS_E_OK, "", NULL, NULL, NULL},
    {"lists in PEM", DOUBLE_PEM_LISTS, ALL, ATLS_E_OK, "", NULL, NULL, NULL},
    {"the older header, in lower case", DOUBLE_OLD_HEADER, ALL, ATLS_E_OK, "", NULL, NULL, NULL},
    {"something else than was asked for", DOUBLE_OTHER_PIECE, ALL, ATLS_E_COLLATERAL_FORMAT, TCB, NULL, NULL, NULL},
    {"another list than was asked for", DOUBLE_OTHER_PIECE, "pckcrl", ATLS_E_COLLATERAL_FORMAT, PCK_LIST,
     "another issuer", NULL, NULL},
    {"a TCB info of another FMSPC", DOUBLE_HONEST, ALL, ATLS_E_COLLATERAL_FORMAT, TCB, "another FMSPC",
     SET("pck.fmspc=00906ed50000"), NULL},
    {"a TCB info for SGX", DOUBLE_HONEST, ALL, ATLS_E_COLLATERAL_FORMAT, TCB, NULL, SET("tcb_info.form=sgx"), NULL},
    {"a TCB info past its date", DOUBLE_HONEST, ALL, ATLS_E_EXPIRED, TCB, "past its date",
     SET("tcb_info_date.next=now-1"), NULL},
    {"a TCB info at its date", DOUBLE_HONEST, ALL, ATLS_E_EXPIRED, TCB, "past its date", SET("tcb_info_date.next=now"),
     NULL},
    {"an identity past its date", DOUBLE_HONEST, ALL, ATLS_E_EXPIRED, QE, "past its date",
     SET("qe_identity_date.next=now-1"), NULL},
    {"a list past its date", DOUBLE_HONEST, ALL, ATLS_E_EXPIRED, PCK_LIST, "past its date",
     SET("crl.pck.next_update=now-1"), NULL},
    {"a root's list past its date", DOUBLE_HONEST, ALL, ATLS_E_EXPIRED, ROOT, "past its date",
     SET("crl.root.next_update=now-1"), NULL},
    {"a signer past its date", DOUBLE_HONEST, ALL, ATLS_E_EXPIRED, TCB, "past its date",
     SET("cert.tcb.not_after=now-1"), NULL},
    {"a TCB info signed by another key", DOUBLE_HONEST, ALL, ATLS_E_COLLATERAL_FORMAT, TCB, NULL,
     SET("tcb_info.signed_by=pck"), NULL},
    {"a signature with one bit flipped", DOUBLE_HONEST, ALL, ATLS_E_COLLATERAL_FORMAT, TCB, NULL,
     SET("tcb_info.sig=bit"), NULL},
    {"an identity signed by another key", DOUBLE_HONEST, ALL, ATLS_E_COLLATERAL_FORMAT, QE, NULL,
     SET("qe_identity.signed_by=pck"), NULL},
    {"a list signed by another key", DOUBLE_HONEST, ALL, ATLS_E_COLLATERAL_FORMAT, PCK_LIST, NULL,
     SET("crl.pck.signed_by=pck"), NULL},
    {"a signer that the root did not sign", DOUBLE_HONEST, ALL, ATLS_E_COLLATERAL_FORMAT, TCB, NULL,
     SET("cert.tcb.signed_by=pck"), NULL},
};

static double_server good;

static void set_up_bad(const row *r, double_server *bad)
{
    memset(bad, 0, sizeof *bad);
    bad->settings = r->settings;
    bad->seed = r->seed;
    bad->retry_after = "100";
    bad->only = r->only;
    atomic_init(&bad->mode, r->mode);
    double_open(bad);
}

static void test_row(void **state)
{
    const row *r = *state;
    double_server bad;
    scene s;
    double_server *const alone[] = {&bad};
    double_server *const both[] = {&bad, &good};
    const bool is_waited_for = r->mode == DOUBLE_DRIP || r->mode == DOUBLE_SILENT;
    const atls_fetcher_options o = {.request_timeout_ms = is_waited_for ? 1500 * scene_patience() : 0,
                                    .total_timeout_ms = is_waited_for ? 10000 * scene_patience() : 0};
    set_up_bad(r, &bad);
    scene_open(&s);
    scene_fetcher(&s, &o, alone, 1);
    const bool ok = scene_endorse(&s);
    if (r->code == ATLS_E_OK) {
        scene_ok(&s, ok);
        scene_ok(&s, scene_appraise(&s));
    } else {
        scene_expect(&s, ok, r->code, r->field, r->words);
        assert_non_null(strstr(s.err.message, "127.0.0.1:"));
        assert_int_equal(s.err.retry, r->code == ATLS_E_IO || r->code == ATLS_E_TIMEOUT);
        assert_int_equal(s.out.platform, ATLS_PLATFORM_NONE);
        assert_int_equal(s.out.dcap.tcb_info.len, 0);
        assert_false(scene_appraise(&s));
    }
    assert_true(s.took_ms < SCENE_SOON_MS * scene_patience());
    double_forget(&good);
    scene_fetcher(&s, &o, both, 2);
    scene_ok(&s, scene_appraise(&s));
    assert_int_equal(double_seen(&good, NULL) > 0, r->code != ATLS_E_OK);
    assert_true(s.took_ms < SCENE_SOON_MS * scene_patience());
    scene_close(&s);
    double_close(&bad);
}

/* ---- services that know less than they should -------------------------------------------------------------------------- */

typedef struct lesser {
    const char *name;
    double_mode mode;
    const char *only;
    atls_update update;
    atls_code code;
    const char *field;
    const char *words;
} lesser;

static const lesser lessers[] = {
    {"early, of a service that does not know it", DOUBLE_NO_UPDATE, ALL, ATLS_UPDATE_EARLY, ATLS_E_ENDORSEMENTS_MISSING,
     TCB, ": 404"},
    {"standard, of a service that does not know it", DOUBLE_NO_UPDATE, ALL, ATLS_UPDATE_STANDARD,
     ATLS_E_ENDORSEMENTS_MISSING, TCB, ": 404"},
    {"neither, of a service that knows neither", DOUBLE_NO_UPDATE, ALL, ATLS_UPDATE_NONE, ATLS_E_OK, "", NULL},
    {"early, and the identity is not known early", DOUBLE_NO_UPDATE, "qe/identity", ATLS_UPDATE_EARLY,
     ATLS_E_ENDORSEMENTS_MISSING, QE, ": 404"},
    {"lists in hex, called something else", DOUBLE_HEX_AS_PAGE, ALL, ATLS_UPDATE_NONE, ATLS_E_OK, "", NULL},
    {"a page for people, and 404", DOUBLE_HTML_404, ALL, ATLS_UPDATE_NONE, ATLS_E_ENDORSEMENTS_MISSING, TCB, ": 404"},
    {"a page for people, and 502", DOUBLE_HTML_502, ALL, ATLS_UPDATE_NONE, ATLS_E_IO, TCB, "status 502"},
    {"a page for people instead of a list, and 502", DOUBLE_HTML_502, "pckcrl", ATLS_UPDATE_NONE, ATLS_E_IO, PCK_LIST,
     "status 502"},
    {"a page for people instead of the root's list", DOUBLE_HTML, "rootcacrl", ATLS_UPDATE_NONE,
     ATLS_E_COLLATERAL_FORMAT, ROOT, NULL},
    {"a page for people instead of the identity", DOUBLE_HTML, "qe/identity", ATLS_UPDATE_NONE,
     ATLS_E_COLLATERAL_FORMAT, QE, NULL},
    {"JSON that says that something went wrong", DOUBLE_JSON_ERROR, ALL, ATLS_UPDATE_NONE, ATLS_E_COLLATERAL_FORMAT,
     TCB, NULL},
};

/* Alone a clear error, and never anything else than was asked for; before a service that has it, it costs a question. */
static void test_lesser(void **state)
{
    const lesser *r = *state;
    const atls_fetcher_options o = {.update = r->update};
    double_server bad = {.only = r->only};
    double_server *const alone[] = {&bad};
    double_server *const both[] = {&bad, &good};
    scene s;
    atomic_init(&bad.mode, r->mode);
    double_open(&bad);
    scene_open(&s);
    scene_fetcher(&s, &o, alone, 1);
    if (r->code == ATLS_E_OK) {
        scene_ok(&s, scene_appraise(&s));
    } else {
        scene_expect(&s, scene_endorse(&s), r->code, r->field, r->words);
        assert_false(scene_appraise(&s));
        if (r->update != ATLS_UPDATE_NONE) { /* nobody asks for the other one instead */
            assert_int_equal(double_seen(&bad, "/tcb?"),
                             double_seen(&bad, r->update == ATLS_UPDATE_EARLY ? "&update=early" : "&update=standard"));
        }
    }
    double_forget(&good);
    scene_fetcher(&s, &o, both, 2);
    scene_ok(&s, scene_appraise(&s));
    assert_int_equal(double_seen(&good, NULL) > 0, r->code != ATLS_E_OK);
    scene_close(&s);
    double_close(&bad);
}

/* ---- what is whole, and still not to be believed ----------------------------------------------------------------------- */

typedef struct lie {
    const char *name;
    const char *const *settings;
    const char *seed;
    atls_code code;
} lie;

static const lie lies[] = {
    {"everything under another root", NULL, "somebody else", ATLS_E_UNSUPPORTED},
    {"a TCB level that is revoked", SET("level.0.status=Revoked"), NULL, ATLS_E_TCB_REVOKED},
    {"the PCK certificate is revoked", SET("crl.pck.revoked=pck"), NULL, ATLS_E_REVOKED},
    {"a TCB info that begins tomorrow", SET("tcb_info_date.issue=now+86400"), NULL, ATLS_E_NOT_YET_VALID},
};

/* Nothing says so but the appraisal; which does. UNSUPPORTED stands for any refusal. */
static void test_lie(void **state)
{
    const lie *l = *state;
    double_server bad = {.settings = l->settings, .seed = l->seed};
    double_server *const alone[] = {&bad};
    scene s;
    double_open(&bad);
    scene_open(&s);
    scene_fetcher(&s, NULL, alone, 1);
    assert_false(scene_appraise(&s));
    assert_int_equal(s.result.verdict, ATLS_VERDICT_REJECTED);
    if (l->code != ATLS_E_UNSUPPORTED) {
        assert_string_equal(atls_code_name(s.err.code), atls_code_name(l->code));
    }
    scene_close(&s);
    double_close(&bad);
}

/* ---- AMD --------------------------------------------------------------------------------------------------------------- */

typedef struct amd_row {
    const char *name;
    double_mode mode;
    const char *only;
    const char *product; /* NULL: the report's */
    const char *seed;
    atls_code code;
    const char *field;
    bool is_accepted;
} amd_row;

static const amd_row amd_rows[] = {
    {"VCEK, chain and list", DOUBLE_HONEST, ALL, NULL, NULL, ATLS_E_OK, "", true},
    {"product unknown: each is tried", DOUBLE_HONEST, ALL, "", NULL, ATLS_E_OK, "", true},
    {"another product", DOUBLE_HONEST, ALL, "Milan", NULL, ATLS_E_ENDORSEMENTS_MISSING, "endorsements.vcek", false},
    {"a product that is none", DOUBLE_HONEST, ALL, "../..", NULL, ATLS_E_ENDORSEMENTS_MISSING, "endorsements.vcek",
     false},
    {"no chain", DOUBLE_NOT_FOUND, "cert_chain", NULL, NULL, ATLS_E_ENDORSEMENTS_MISSING, "endorsements.vcek", false},
    {"no list: for the policy to say", DOUBLE_NOT_FOUND, "/crl", NULL, NULL, ATLS_E_OK, "", true},
    {"garbage", DOUBLE_GARBAGE, ALL, NULL, NULL, ATLS_E_COLLATERAL_FORMAT, "endorsements.vcek", false},
    {"a list instead of the VCEK", DOUBLE_OTHER_PIECE, "blSPL", NULL, NULL, ATLS_E_COLLATERAL_FORMAT,
     "endorsements.vcek", false},
    {"a list instead of the chain", DOUBLE_OTHER_PIECE, "cert_chain", NULL, NULL, ATLS_E_COLLATERAL_FORMAT,
     "endorsements.vcek", false},
    {"the VCEK of another chip", DOUBLE_HONEST, ALL, NULL, "another chip", ATLS_E_COLLATERAL_FORMAT,
     "endorsements.vcek", false},
    {"throttled", DOUBLE_THROTTLED, ALL, NULL, NULL, ATLS_E_IO, "endorsements.vcek", false},
};

static void test_amd(void **state)
{
    const amd_row *r = *state;
    double_server d = {.seed = r->seed, .only = r->only, .retry_after = "100"};
    double_server *const alone[] = {&d};
    scene s;
    atomic_init(&d.mode, r->mode);
    double_open(&d);
    scene_open(&s);
    scene_fetcher(&s, NULL, alone, 1);
    const bool ok = scene_endorse_snp(&s, r->product);
    if (r->code == ATLS_E_OK) {
        scene_ok(&s, ok);
        assert_int_equal(s.out.pile.n_certificates, 3);
        assert_int_equal(s.out.pile.n_crls, r->mode == DOUBLE_HONEST ? 1 : 0);
    } else {
        scene_expect(&s, ok, r->code, r->field, NULL);
    }
    if (r->product == NULL) {
        assert_int_equal(scene_appraise_snp(&s), r->is_accepted);
    }
    scene_close(&s);
    double_close(&d);
}

/* The certificates came along with the report: the list is had all the same, whatever becomes of the chain. */
static void test_amd_list_alone(void **state)
{
    static const double_mode modes[] = {DOUBLE_HONEST, DOUBLE_NOT_FOUND, DOUBLE_BROKEN, DOUBLE_GARBAGE};
    (void)state;
    for (size_t i = 0; i < sizeof modes / sizeof modes[0]; i++) {
        double_server d = {.only = "cert_chain", .retry_after = "100"};
        double_server *const alone[] = {&d};
        scene s;
        atomic_init(&d.mode, modes[i]);
        double_open(&d);
        scene_open(&s);
        scene_fetcher(&s, NULL, alone, 1);
        atls_endorsement_request r = scene_snp_request(&s, NULL);
        r.sev_snp.needs_leaf = false;
        r.sev_snp.needs_chain = false;
        const bool ok = atls_fetcher_endorse(s.fetcher, &r, &s.arena, &s.out, &s.err);
        if (modes[i] == DOUBLE_GARBAGE) { /* that is no answer that could be done without */
            scene_expect(&s, ok, ATLS_E_COLLATERAL_FORMAT, "endorsements.cert_chain", NULL);
        } else {
            scene_ok(&s, ok);
            assert_int_equal(s.out.pile.n_crls, 1);
            assert_int_equal(s.out.pile.n_certificates, modes[i] == DOUBLE_HONEST ? 2 : 0);
        }
        r.sev_snp.needs_chain = true;
        atls_error_clear(&s.err);
        assert_int_equal(atls_fetcher_endorse(s.fetcher, &r, &s.arena, &s.out, &s.err), modes[i] == DOUBLE_HONEST);
        scene_close(&s);
        double_close(&d);
    }
}

/* A certificate with the right chip and TCB that the product's own intermediate did not sign. */
static const char *const forged_vcek[] = {"cert.vcek.sig=bit", NULL};

static size_t n_leaves(const char *folder)
{
    return scene_files(folder, "");
}

/* test_leaf: it is refused, not kept, and the next source is asked, whose certificate is. */
static void test_leaf(void **state)
{
    double_server bad = {.snp_settings = forged_vcek};
    double_server *const alone[] = {&bad};
    double_server *const both[] = {&bad, &good};
    char folder[64];
    scene s;
    (void)state;
    scene_folder(folder);
    double_open(&bad);
    scene_open(&s);
    const atls_fetcher_options o = {.cache_folder = folder};
    scene_fetcher(&s, &o, alone, 1);
    scene_expect(&s, scene_endorse_snp(&s, NULL), ATLS_E_COLLATERAL_FORMAT, "endorsements.vcek", NULL);
    assert_int_equal(double_seen(&bad, "cert_chain"), 1);
    const size_t before = n_leaves(folder); /* the chain is kept, which is good */
    scene_fetcher(&s, &o, both, 2);
    scene_ok(&s, scene_endorse_snp(&s, NULL));
    assert_true(scene_appraise_snp(&s));
    assert_int_equal(double_seen(&bad, "blSPL"), 2);
    assert_true(n_leaves(folder) > before);
    scene_close(&s);
    double_close(&bad);
    scene_remove(folder);
}

/* Whole and well signed, under a root that nobody named: no answer, and the next source is asked. */
static void test_strangers(void **state)
{
    static const char *const other_ark[] = {"cert.ark.serial=99", NULL}; /* its key is the same in every room */
    /* lists have no chain beside them: who signed those is for the appraisal to say */
    double_server bad = {.seed = "stranger", .snp_settings = other_ark, .only = "rootcacrl"};
    double_server *const alone[] = {&bad};
    double_server *const both[] = {&bad, &good};
    scene s;
    (void)state;
    atomic_init(&bad.mode, DOUBLE_NOT_FOUND);
    double_open(&bad);
    scene_open(&s);
    const atls_bytes roots[] = {sim_root(s.room), sim_snp_certificate(s.snp, "ark")};
    const atls_fetcher_options o = {.roots = roots, .n_roots = 2};
    scene_fetcher(&s, &o, alone, 1);
    scene_expect(&s, scene_endorse(&s), ATLS_E_COLLATERAL_FORMAT, TCB, "its root is not one of");
    atls_error_clear(&s.err);
    const atls_endorsement_request chain = {
        .platform = ATLS_PLATFORM_SEV_SNP, .pck_ca = "", .sev_snp = {.product = "Genoa", .chip_id = "", .tcb = ""}};
    scene_expect(&s, atls_fetcher_endorse(s.fetcher, &chain, &s.arena, &s.out, &s.err), ATLS_E_COLLATERAL_FORMAT,
                 "endorsements.cert_chain", "its root is not one of");
    scene_fetcher(&s, &o, both, 2);
    scene_ok(&s, scene_endorse(&s));
    assert_true(scene_appraise(&s));
    assert_true(scene_appraise_snp(&s));
    const atls_fetcher_options nine = {.roots = roots, .n_roots = ATLS_MAX_FETCH_ROOTS + 1};
    atls_fetcher *f = NULL;
    atls_error err = {0};
    assert_false(atls_fetcher_new(&nine, &f, &err));
    assert_int_equal(err.code, ATLS_E_CONFIGURATION);
    assert_string_equal(err.field, "roots");
    scene_close(&s);
    double_close(&bad);
}

/* What cannot be fetched is said, and nobody is asked. */
static void test_impossible(void **state)
{
    double_server *const alone[] = {&good};
    scene s;
    (void)state;
    scene_open(&s);
    scene_fetcher(&s, NULL, alone, 1);
    double_forget(&good);
    atls_endorsement_request r = scene_request(&s);
    r.needs_pck_chain = true;
    scene_expect(&s, atls_fetcher_endorse(s.fetcher, &r, &s.arena, &s.out, &s.err), ATLS_E_ENDORSEMENTS_MISSING,
                 "endorsements.pck_certificate_chain", "its machine only");
    atls_error_clear(&s.err);
    r = scene_request(&s);
    r.pck_ca = "root";
    scene_expect(&s, atls_fetcher_endorse(s.fetcher, &r, &s.arena, &s.out, &s.err), ATLS_E_ENDORSEMENTS_MISSING,
                 PCK_LIST, NULL);
    atls_error_clear(&s.err);
    r = scene_snp_request(&s, NULL);
    r.sev_snp.is_vlek = true;
    scene_expect(&s, atls_fetcher_endorse(s.fetcher, &r, &s.arena, &s.out, &s.err), ATLS_E_ENDORSEMENTS_MISSING,
                 "endorsements.vlek", "guest has to send");
    atls_error_clear(&s.err);
    r = scene_snp_request(&s, NULL);
    r.sev_snp.chip_id = "";
    scene_expect(&s, atls_fetcher_endorse(s.fetcher, &r, &s.arena, &s.out, &s.err), ATLS_E_ENDORSEMENTS_MISSING,
                 "endorsements.vcek", "hides the chip");
    atls_error_clear(&s.err);
    r = (atls_endorsement_request){.platform = ATLS_PLATFORM_NITRO};
    scene_ok(&s, atls_fetcher_endorse(s.fetcher, &r, &s.arena, &s.out, &s.err));
    assert_int_equal(double_seen(&good, NULL), 0);
    scene_close(&s);
}

/* ---- TLS, prefixes, PCS ------------------------------------------------------------------------------------------------ */

static void test_tls(void **state)
{
    double_server d = {.has_tls = true};
    double_server *const alone[] = {&d};
    scene s;
    (void)state;
    double_open(&d);
    scene_open(&s);
    scene_fetcher(&s, NULL, alone, 1); /* the system's roots do not know this CA */
    scene_expect(&s, scene_endorse(&s), ATLS_E_IO, TCB, "ertificate");
    const atls_fetcher_options o = {.ca_file = d.ca_file};
    scene_fetcher(&s, &o, alone, 1);
    scene_ok(&s, scene_appraise(&s));
    scene_ok(&s, scene_appraise_snp(&s));
    /* the right CA, the wrong name */
    char other[64];
    (void)snprintf(other, sizeof other, "https://127.0.0.1%s", strrchr(d.url, ':'));
    const atls_source source = {.kind = ATLS_SOURCE_PCCS, .url = other};
    const atls_fetcher_options wrong = {.ca_file = d.ca_file, .sources = &source, .n_sources = 1};
    scene_fetcher(&s, &wrong, NULL, 0);
    scene_expect(&s, scene_endorse(&s), ATLS_E_IO, TCB, NULL);
    /* a CA file that is not there */
    const atls_fetcher_options none = {.ca_file = "/nonexistent/ca.pem"};
    scene_fetcher(&s, &none, alone, 1);
    scene_expect(&s, scene_endorse(&s), ATLS_E_CONFIGURATION, TCB, NULL);
    scene_close(&s);
    double_close(&d);
}

/* A PCCS may live below a path; a suffix of the service in its address is taken off. A PCS has its root's list elsewhere. */
static void test_addresses(void **state)
{
    static const char *const endings[] = {"", "/", "/sgx/certification/v4", "/tdx/certification/v4/"};
    double_server d = {.path_prefix = "/pccs"};
    scene s;
    char url[128];
    char root[128];
    (void)state;
    double_open(&d);
    scene_open(&s);
    for (size_t i = 0; i < sizeof endings / sizeof endings[0]; i++) {
        (void)snprintf(url, sizeof url, "%s%s", d.url, endings[i]);
        const atls_source source = {.kind = ATLS_SOURCE_PCCS, .url = url};
        const atls_fetcher_options o = {.sources = &source, .n_sources = 1};
        scene_fetcher(&s, &o, NULL, 0);
        scene_ok(&s, scene_appraise(&s));
    }
    double_forget(&d);
    (void)snprintf(root, sizeof root, "%s/IntelSGXRootCA.der", d.url);
    const atls_source pcs = {.kind = ATLS_SOURCE_PCS, .url = d.url, .root_crl_url = root};
    const atls_fetcher_options o = {.sources = &pcs, .n_sources = 1, .update = ATLS_UPDATE_EARLY};
    scene_fetcher(&s, &o, NULL, 0);
    scene_ok(&s, scene_appraise(&s));
    assert_int_equal(double_seen(&d, "IntelSGXRootCA.der"), 1);
    assert_int_equal(double_seen(&d, "rootcacrl"), 0);
    const atls_endorsement_request r = scene_request(&s);
    const uint8_t *f = r.fmspc;
    (void)snprintf(url, sizeof url, "/tdx/certification/v4/tcb?fmspc=%02X%02X%02X%02X%02X%02X&update=early", f[0], f[1],
                   f[2], f[3], f[4], f[5]);
    assert_int_equal(double_seen(&d, url), 1);
    assert_int_equal(double_seen(&d, "/tdx/certification/v4/qe/identity?update=early"), 1);
    assert_int_equal(double_seen(&d, NULL), 4);
    scene_close(&s);
    double_close(&d);
}

/* Nobody listens there. */
static void test_nobody(void **state)
{
    const atls_source nobody = {.kind = ATLS_SOURCE_PCCS, .url = "http://127.0.0.1:1"};
    const atls_fetcher_options o = {.sources = &nobody, .n_sources = 1};
    scene s;
    (void)state;
    scene_open(&s);
    scene_fetcher(&s, &o, NULL, 0);
    scene_expect(&s, scene_endorse(&s), ATLS_E_IO, TCB, "127.0.0.1:1: ");
    scene_expect(&s, scene_endorse_snp(&s, NULL), ATLS_E_ENDORSEMENTS_MISSING, "endorsements.vcek", "no source");
    scene_close(&s);
}

/* Each source has its say in the message. */
static void test_words(void **state)
{
    double_server a = {.seed = NULL};
    double_server b = {.seed = NULL};
    double_server *const both[] = {&a, &b};
    scene s;
    (void)state;
    atomic_init(&a.mode, DOUBLE_NOT_FOUND);
    atomic_init(&b.mode, DOUBLE_BROKEN);
    double_open(&a);
    double_open(&b);
    scene_open(&s);
    scene_fetcher(&s, NULL, both, 2);
    scene_expect(&s, scene_endorse(&s), ATLS_E_IO, TCB, ": 404; 127.0.0.1:");
    assert_non_null(strstr(s.err.message, "status 500"));
    scene_close(&s);
    double_close(&b);
    double_close(&a);
}

int main(void)
{
    tap_list l = {0};
    (void)signal(SIGPIPE, SIG_IGN);
    double_open(&good);
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        tap_add(&l, rows[i].name, test_row, &rows[i]);
    }
    for (size_t i = 0; i < sizeof lessers / sizeof lessers[0]; i++) {
        tap_add(&l, lessers[i].name, test_lesser, &lessers[i]);
    }
    for (size_t i = 0; i < sizeof lies / sizeof lies[0]; i++) {
        tap_add(&l, lies[i].name, test_lie, &lies[i]);
    }
    for (size_t i = 0; i < sizeof amd_rows / sizeof amd_rows[0]; i++) {
        tap_add(&l, amd_rows[i].name, test_amd, &amd_rows[i]);
    }
    tap_add(&l, "a VCEK that the ASK did not sign", test_leaf, NULL);
    tap_add(&l, "answers under a root of a stranger's", test_strangers, NULL);
    tap_add(&l, "what cannot be fetched", test_impossible, NULL);
    tap_add(&l, "over TLS, under a CA of one's own", test_tls, NULL);
    tap_add(&l, "AMD's list alone", test_amd_list_alone, NULL);
    tap_add(&l, "addresses of PCCS and PCS", test_addresses, NULL);
    tap_add(&l, "nobody there", test_nobody, NULL);
    tap_add(&l, "every source has its say", test_words, NULL);
    const int failed = tap_run("fetch", &l);
    double_close(&good);
    return failed;
}
