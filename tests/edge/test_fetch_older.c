/* SPDX-License-Identifier: Apache-2.0 */
/* test_fetch_older.c: a source that is behind, or wants its askers to be, brings nothing old back while what is at hand is within
 * its dates: not in memory, not in the folder, not when everything is fetched anew. Both sides are honestly signed and in date. */
#include "fetch_scene.h"

#include <signal.h>

#define DAY 86400

typedef enum which { TCB_INFO, QE_IDENTITY, PCK_LIST, ROOT_LIST, SNP_LIST } which;

typedef struct row {
    const char *name;
    which which;
    const char *const newer[4]; /* settings of the room whose pieces are at hand */
    const char *const older[4]; /* and of the one that is served afterwards */
    bool keeps;                 /* the newer one stays */
    const char *const words;    /* of older_answer */
} row;

#define N_16 "tcb_info.tcbEvaluationDataNumber=16"
#define N_18 "tcb_info.tcbEvaluationDataNumber=18"

static const row rows[] = {
    {"a TCB info with a lower number", TCB_INFO, {N_18}, {NULL}, true, "tcb_info: 17 of"},
    {"a TCB info with a lower number and a later date",
     TCB_INFO,
     {N_18, "tcb_info_date.issue=2026-06-01T00:00:00Z"},
     {"tcb_info_date.issue=2026-06-10T00:00:00Z"},
     true,
     "17 of 2026-06-10, behind 18 of 2026-06-01"},
    {"a TCB info of an earlier day",
     TCB_INFO,
     {"tcb_info_date.issue=2026-06-10T00:00:00Z"},
     {"tcb_info_date.issue=2026-06-09T23:59:59Z"},
     true,
     "17 of 2026-06-09, behind 17 of 2026-06-10"},
    {"a QE identity with a lower number",
     QE_IDENTITY,
     {"qe_identity.tcbEvaluationDataNumber=18"},
     {NULL},
     true,
     "qe_identity: 17 of"},
    {"a QE identity of an earlier day",
     QE_IDENTITY,
     {"qe_identity_date.issue=2026-06-10T00:00:00Z"},
     {"qe_identity_date.issue=2026-06-09T00:00:00Z"},
     true,
     "behind 17 of 2026-06-10"},
    {"a PCK list with a lower number",
     PCK_LIST,
     {"crl.pck.number=300"},
     {"crl.pck.number=299"},
     true,
     "pck_crl: 0x012b of"},
    {"a PCK list of an earlier day",
     PCK_LIST,
     {"crl.pck.this_update=2026-06-10T00:00:00Z"},
     {"crl.pck.this_update=2026-06-09T00:00:00Z"},
     true,
     "of 2026-06-09, behind"},
    {"a list of the root with a lower number", ROOT_LIST, {"crl.root.number=2"}, {NULL}, true, "root_ca_crl: 0x01 of"},
    {"a list of the root of an earlier day",
     ROOT_LIST,
     {"crl.root.this_update=2026-06-10T00:00:00Z"},
     {"crl.root.this_update=2026-06-09T00:00:00Z"},
     true,
     "of 2026-06-09, behind"},
    {"a list of AMD's of an earlier day",
     SNP_LIST,
     {"crl.this_update=2026-06-10T00:00:00Z"},
     {"crl.this_update=2026-06-09T00:00:00Z"},
     true,
     "of 2026-06-09, behind"},
    {"the same TCB info once more", TCB_INFO, {NULL}, {NULL}, false, ""},
    {"a newer TCB info", TCB_INFO, {N_16}, {NULL}, false, ""},
    {"an older TCB info, and the newer one is past its date",
     TCB_INFO,
     {N_18, "tcb_info_date.next=2026-06-16T00:00:00Z"},
     {NULL},
     false,
     ""},
    {"an older list of the root, and nobody signed the newer one",
     ROOT_LIST,
     {"crl.root.number=99", "crl.root.sig=bit"},
     {NULL},
     false,
     ""},
};

typedef struct bench {
    double_server d; /* serves the newer ones first */
    double_server behind;
    scene s;
    char folder[64];
} bench;

static void open_fetcher(bench *b, bool has_folder)
{
    double_server *const alone[] = {&b->d};
    const atls_fetcher_options o = {.cache_folder = has_folder ? b->folder : NULL};
    scene_fetcher(&b->s, &o, alone, 1);
}

static void set_up(bench *b, const row *r, bool has_folder)
{
    memset(b, 0, sizeof *b);
    if (r->which == SNP_LIST) {
        b->d.snp_settings = r->newer;
        b->behind.snp_settings = r->older;
    } else {
        b->d.settings = r->newer;
        b->behind.settings = r->older;
    }
    scene_folder(b->folder);
    double_open(&b->d);
    double_open(&b->behind);
    scene_open(&b->s);
    open_fetcher(b, has_folder);
}

static void tear_down(bench *b)
{
    scene_close(&b->s);
    double_close(&b->d);
    double_close(&b->behind);
    scene_remove(b->folder);
}

static atls_bytes served(const double_server *d, which w)
{
    const atls_dcap_collateral *c = &d->collateral.dcap;
    const atls_bytes all[] = {c->tcb_info, c->qe_identity, c->pck_crl, c->root_ca_crl, d->pile.crls[0]};
    return all[w];
}

static bool endorse(bench *b, which w)
{
    return w == SNP_LIST ? scene_endorse_snp(&b->s, "Genoa") : scene_endorse(&b->s);
}

static atls_bytes given(const bench *b, which w)
{
    const atls_dcap_collateral *c = &b->s.out.dcap;
    const atls_bytes list = b->s.out.pile.n_crls > 0 ? b->s.out.pile.crls[0] : atls_bytes_empty();
    const atls_bytes all[] = {c->tcb_info, c->qe_identity, c->pck_crl, c->root_ca_crl, list};
    return all[w];
}

/* The newer ones are at hand; from now on the same server has the older ones. */
static atls_bytes fall_behind(bench *b, const row *r)
{
    const atls_bytes newer = served(&b->d, r->which);
    scene_ok(&b->s, endorse(b, r->which));
    assert_true(atls_bytes_equal(given(b, r->which), newer));
    b->d.collateral = b->behind.collateral;
    b->d.pile = b->behind.pile;
    atomic_store(&b->s.now, SIM_NOW + DAY);
    return newer;
}

static void expect(bench *b, const row *r, atls_bytes newer)
{
    const atls_fetcher_counts c = atls_fetcher_count(b->s.fetcher);
    assert_true(atls_bytes_equal(given(b, r->which), r->keeps ? newer : served(&b->behind, r->which)));
    assert_int_equal(c.older, r->keeps ? 1 : 0);
    if (strstr(c.older_answer, r->words) == NULL || (r->words[0] == '\0') != (c.older_answer[0] == '\0')) {
        fail_msg("%s", c.older_answer);
    }
}

static void test_memory(void **state)
{
    const row *r = *state;
    bench b;
    set_up(&b, r, false);
    const atls_bytes newer = fall_behind(&b, r);
    scene_ok(&b.s, endorse(&b, r->which));
    expect(&b, r, newer);
    scene_ok(&b.s, endorse(&b, r->which)); /* and that source is not asked at once again */
    expect(&b, r, newer);
    tear_down(&b);
}

static void test_folder(void **state)
{
    const row *r = *state;
    bench b;
    set_up(&b, r, true);
    const atls_bytes newer = fall_behind(&b, r);
    open_fetcher(&b, true);
    scene_ok(&b.s, endorse(&b, r->which));
    expect(&b, r, newer);
    atomic_store(&b.d.mode, DOUBLE_BROKEN); /* what the folder has is all there is */
    open_fetcher(&b, true);
    scene_ok(&b.s, endorse(&b, r->which));
    assert_true(atls_bytes_equal(given(&b, r->which), r->keeps ? newer : served(&b.behind, r->which)));
    tear_down(&b);
}

/* Whatever is asked anew: what comes of it is not older than what was there, and that is no failure. */
static void test_pull(void **state)
{
    const row *r = *state;
    bench b;
    set_up(&b, r, true);
    const atls_bytes newer = fall_behind(&b, r);
    open_fetcher(&b, true);
    const atls_endorsement_request q = r->which == SNP_LIST ? scene_snp_request(&b.s, "Genoa") : scene_request(&b.s);
    atls_arena_reset(&b.s.arena);
    scene_ok(&b.s, atls_fetcher_pull(b.s.fetcher, &q, &b.s.arena, &b.s.out, &b.s.err));
    expect(&b, r, newer);
    tear_down(&b);
}

static void test_refresh(void **state)
{
    const row *r = *state;
    bench b;
    size_t n = 0;
    set_up(&b, r, true);
    const atls_bytes newer = fall_behind(&b, r);
    const bool ok = atls_fetcher_refresh(b.s.fetcher, 0, &n, &b.s.err);
    if (r->keeps) {
        scene_expect(&b.s, ok, ATLS_E_EXPIRED, b.s.err.field, "older: ");
    } else {
        scene_ok(&b.s, ok);
    }
    scene_ok(&b.s, endorse(&b, r->which));
    expect(&b, r, newer);
    tear_down(&b);
}

/* The next source is asked, and has it. */
static void test_next_source(void **state)
{
    static const char *const newer[] = {N_18, NULL};
    double_server ahead = {.settings = newer};
    bench b;
    static const row r = {"", TCB_INFO, {N_18}, {NULL}, true, "tcb_info: 17 of"};
    (void)state;
    set_up(&b, &r, false);
    double_open(&ahead);
    double_server *const both[] = {&b.d, &ahead};
    scene_fetcher(&b.s, NULL, both, 2);
    const atls_bytes piece = fall_behind(&b, &r);
    scene_ok(&b.s, scene_endorse(&b.s));
    expect(&b, &r, piece);
    assert_int_equal(double_seen(&ahead, "/tcb?"), 1);
    assert_int_equal(atls_fetcher_count(b.s.fetcher).failures, 0);
    tear_down(&b);
    double_close(&ahead);
}

/* The folder has an entry of each source, and the older one was fetched later: the order of what is in them counts. */
static void test_two_entries(void **state)
{
    bench b;
    static const row r = {"", TCB_INFO, {N_18}, {NULL}, true, ""};
    (void)state;
    set_up(&b, &r, true);
    double_server *const behind[] = {&b.behind};
    double_server *const both[] = {&b.behind, &b.d};
    const atls_fetcher_options o = {.cache_folder = b.folder};
    scene_ok(&b.s, scene_endorse(&b.s));
    atomic_store(&b.s.now, SIM_NOW + 60);
    scene_fetcher(&b.s, &o, behind, 1);
    scene_ok(&b.s, scene_endorse(&b.s));
    assert_int_equal(scene_files(b.folder, ".entry"), 8);
    scene_fetcher(&b.s, &o, both, 2);
    scene_ok(&b.s, scene_endorse(&b.s));
    assert_true(atls_bytes_equal(b.s.out.dcap.tcb_info, b.d.collateral.dcap.tcb_info));
    size_t n = 0;
    scene_fetcher(&b.s, &o, both, 2); /* and so it does when all of them are read into memory */
    assert_true(atls_fetcher_refresh(b.s.fetcher, 0, &n, &b.s.err));
    scene_ok(&b.s, scene_endorse(&b.s));
    assert_true(atls_bytes_equal(b.s.out.dcap.tcb_info, b.d.collateral.dcap.tcb_info));
    tear_down(&b);
}

/* early and standard are two pieces: nothing of the one is held against the other. */
static void test_updates(void **state)
{
    bench b;
    static const row r = {"", TCB_INFO, {N_18}, {NULL}, true, ""};
    (void)state;
    set_up(&b, &r, true);
    double_server *const alone[] = {&b.d};
    atls_fetcher_options o = {.cache_folder = b.folder, .update = ATLS_UPDATE_EARLY};
    scene_fetcher(&b.s, &o, alone, 1);
    (void)fall_behind(&b, &r);
    o.update = ATLS_UPDATE_STANDARD;
    scene_fetcher(&b.s, &o, alone, 1);
    scene_ok(&b.s, scene_endorse(&b.s));
    assert_true(atls_bytes_equal(b.s.out.dcap.tcb_info, b.behind.collateral.dcap.tcb_info));
    assert_int_equal(atls_fetcher_count(b.s.fetcher).older, 0);
    tear_down(&b);
}

static void add(tap_list *l, const char *how, void (*run)(void **state))
{
    static char names[4 * sizeof rows / sizeof rows[0]][128];
    static size_t n = 0;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        (void)snprintf(names[n], sizeof names[n], "%s: %s", how, rows[i].name);
        tap_add(l, names[n++], run, &rows[i]);
    }
}

int main(void)
{
    tap_list l = {0};
    (void)signal(SIGPIPE, SIG_IGN);
    add(&l, "in memory", test_memory);
    add(&l, "in the folder", test_folder);
    add(&l, "pulled", test_pull);
    add(&l, "refreshed", test_refresh);
    tap_add(&l, "the next source has the newer one", test_next_source, NULL);
    tap_add(&l, "two entries of the folder", test_two_entries, NULL);
    tap_add(&l, "early and standard are two pieces", test_updates, NULL);
    return tap_run("fetch_older", &l);
}
