/* SPDX-License-Identifier: Apache-2.0 */
/* test_fetch_options.c: documents that live as long as they say, and options that make no sense. */
#include "fetch_scene.h"

#include <signal.h>

#define DAY 86400

typedef struct bench {
    double_server d;
    scene s;
} bench;

static void set_up(bench *b, const atls_fetcher_options *options)
{
    double_server *const alone[] = {&b->d};
    memset(b, 0, sizeof *b);
    double_open(&b->d);
    scene_open(&b->s);
    scene_fetcher(&b->s, options, alone, 1);
}

static void tear_down(bench *b)
{
    scene_close(&b->s);
    double_close(&b->d);
}

static void advance(bench *b, atls_time seconds)
{
    atomic_store(&b->s.now, atomic_load(&b->s.now) + seconds);
}

/* ---- documents --------------------------------------------------------------------------------------------------------- */

typedef struct document_row {
    const char *name;
    const char *cache_control;
    atls_time kept; /* seconds; 0: not at all */
} document_row;

static const document_row document_rows[] = {
    {"a document is kept as long as it says", "max-age=600, public", 600},
    {"not longer than max_age_s", "public,max-age=99999999999999999999", DAY},
    {"of two the shorter", "max-age=600, max-age=60", 60},
    {"not without a word", NULL, 0},
    {"not if it says so", "no-store, max-age=600", 0},
    {"not if it must be asked for again", "No-Cache, max-age=600", 0},
    {"not with an age that is none", "max-age=-1", 0},
};

static void test_document(void **state)
{
    const document_row *r = *state;
    bench b;
    char url[128];
    atls_fetched doc;
    set_up(&b, NULL);
    b.d.max_age = r->cache_control;
    (void)snprintf(url, sizeof url, "%s/status.json", b.d.url);
    assert_true(atls_fetcher_document(b.s.fetcher, url, &b.s.arena, &doc, &b.s.err));
    assert_true(atls_bytes_equal_str(doc.content, "{\"entries\":{}}"));
    assert_int_equal(doc.kind, ATLS_FETCHED_DOCUMENT);
    assert_int_equal(doc.valid_until, SIM_NOW + r->kept);
    assert_true(atls_fetcher_document(b.s.fetcher, url, &b.s.arena, &doc, &b.s.err));
    assert_int_equal(double_seen(&b.d, NULL), r->kept == 0 ? 2 : 1);
    atomic_store(&b.d.mode, DOUBLE_BROKEN);
    advance(&b, r->kept - 1);
    assert_int_equal(atls_fetcher_document(b.s.fetcher, url, &b.s.arena, &doc, &b.s.err), r->kept > 0);
    atls_error_clear(&b.s.err);
    advance(&b, 1);
    scene_expect(&b.s, atls_fetcher_document(b.s.fetcher, url, &b.s.arena, &doc, &b.s.err), ATLS_E_IO, "document",
                 "500");
    tear_down(&b);
}

/* The same as Android's list: when it was fetched, and until when it may be used, or that nobody said. */
static void test_android_row(void **state)
{
    const document_row *r = *state;
    bench b;
    char url[128];
    const atls_endorsement_request request = {.platform = ATLS_PLATFORM_ANDROID, .pck_ca = ""};
    double_server *const alone[] = {&b.d};
    set_up(&b, NULL);
    b.d.max_age = r->cache_control;
    (void)snprintf(url, sizeof url, "%s/status.json", b.d.url);
    const atls_fetcher_options o = {.android_status_url = url};
    scene_fetcher(&b.s, &o, alone, 1);
    scene_ok(&b.s, atls_fetcher_endorse(b.s.fetcher, &request, &b.s.arena, &b.s.out, &b.s.err));
    assert_true(atls_bytes_equal_str(b.s.out.android.list, "{\"entries\":{}}"));
    assert_null(b.s.out.android.compiled);
    assert_int_equal(b.s.out.android.fetched, SIM_NOW);
    assert_int_equal(b.s.out.android.expires, r->kept == 0 ? ATLS_TIME_UNSET : SIM_NOW + r->kept);
    assert_int_equal(b.s.out.platform, ATLS_PLATFORM_NONE);
    scene_ok(&b.s, atls_fetcher_endorse(b.s.fetcher, &request, &b.s.arena, &b.s.out, &b.s.err));
    assert_int_equal(double_seen(&b.d, NULL), r->kept == 0 ? 2 : 1);
    scene_ok(&b.s, atls_fetcher_pull(b.s.fetcher, &request, &b.s.arena, &b.s.out, &b.s.err));
    assert_int_equal(double_seen(&b.d, NULL), r->kept == 0 ? 3 : 2);
    tear_down(&b);
}

/* Sources by name, and none for the list: nobody is asked. */
static void test_android_nowhere(void **state)
{
    bench b;
    const atls_endorsement_request request = {.platform = ATLS_PLATFORM_ANDROID, .pck_ca = ""};
    (void)state;
    set_up(&b, NULL);
    scene_expect(&b.s, atls_fetcher_endorse(b.s.fetcher, &request, &b.s.arena, &b.s.out, &b.s.err),
                 ATLS_E_ENDORSEMENTS_MISSING, "endorsements.status", "no address");
    assert_int_equal(double_seen(&b.d, NULL), 0);
    tear_down(&b);
}

static void test_document_refused(void **state)
{
    bench b;
    char url[128];
    atls_fetched doc;
    (void)state;
    set_up(&b, NULL);
    (void)snprintf(url, sizeof url, "%s/status.json", b.d.url);
    atomic_store(&b.d.mode, DOUBLE_HTML);
    scene_expect(&b.s, atls_fetcher_document(b.s.fetcher, url, &b.s.arena, &doc, &b.s.err), ATLS_E_COLLATERAL_FORMAT,
                 "document", "no JSON object");
    atls_error_clear(&b.s.err);
    scene_expect(&b.s, atls_fetcher_document(b.s.fetcher, "http://example.com/x", &b.s.arena, &doc, &b.s.err),
                 ATLS_E_CONFIGURATION, "url", "insecure_http");
    tear_down(&b);
}

/* ---- options ----------------------------------------------------------------------------------------------------------- */

typedef struct option_row {
    const char *name;
    atls_fetcher_options o;
    atls_source source;
    const char *field; /* NULL: they are fine */
} option_row;

static const option_row option_rows[] = {
    {"http to this machine", {.update = ATLS_UPDATE_NONE}, {ATLS_SOURCE_PCCS, "http://127.0.0.1:8081", NULL}, NULL},
    {"http to localhost", {.update = ATLS_UPDATE_NONE}, {ATLS_SOURCE_PCCS, "http://localhost:8081/", NULL}, NULL},
    {"http to ::1", {.update = ATLS_UPDATE_NONE}, {ATLS_SOURCE_PCCS, "http://[::1]:8081", NULL}, NULL},
    {"http to others", {.update = ATLS_UPDATE_NONE}, {ATLS_SOURCE_PCCS, "http://pccs.example", NULL}, "sources.url"},
    {"http to a name that begins like it",
     {.update = ATLS_UPDATE_NONE},
     {ATLS_SOURCE_PCCS, "http://127.0.0.1.example", NULL},
     "sources.url"},
    {"http to a name that begins like localhost",
     {.update = ATLS_UPDATE_NONE},
     {ATLS_SOURCE_PCCS, "http://localhost.example", NULL},
     "sources.url"},
    {"http to others, spelled out", {.insecure_http = true}, {ATLS_SOURCE_PCCS, "http://pccs.example", NULL}, NULL},
    {"a file", {.insecure_http = true}, {ATLS_SOURCE_PCCS, "file:///etc/hostname", NULL}, "sources.url"},
    {"no scheme", {.update = ATLS_UPDATE_NONE}, {ATLS_SOURCE_PCCS, "pccs.example", NULL}, "sources.url"},
    {"no host", {.update = ATLS_UPDATE_NONE}, {ATLS_SOURCE_PCCS, "https:///x", NULL}, "sources.url"},
    {"a user", {.update = ATLS_UPDATE_NONE}, {ATLS_SOURCE_PCCS, "https://me:secret@pccs.example", NULL}, "sources.url"},
    {"a query", {.update = ATLS_UPDATE_NONE}, {ATLS_SOURCE_PCCS, "https://pccs.example/?x=", NULL}, "sources.url"},
    {"a blank", {.update = ATLS_UPDATE_NONE}, {ATLS_SOURCE_PCCS, "https://pccs.example/ x", NULL}, "sources.url"},
    {"a kind that is none",
     {.update = ATLS_UPDATE_NONE},
     {(atls_source_kind)9, "https://pccs.example", NULL},
     "sources.kind"},
    {"no address", {.update = ATLS_UPDATE_NONE}, {ATLS_SOURCE_KDS, NULL, NULL}, "sources.url"},
    {"a root's list of a PCCS",
     {.update = ATLS_UPDATE_NONE},
     {ATLS_SOURCE_PCCS, "https://a", "https://b"},
     "sources.root_crl_url"},
    {"a root's list over http",
     {.update = ATLS_UPDATE_NONE},
     {ATLS_SOURCE_PCS, "https://a", "http://b/c"},
     "sources.root_crl_url"},
    {"an update that is none", {.update = (atls_update)7}, {ATLS_SOURCE_PCS, "https://a", NULL}, "update"},
    {"bodies beyond the library's bounds",
     {.max_json_len = 2097153},
     {ATLS_SOURCE_PCS, "https://a", NULL},
     "max_json_len"},
    {"a status list over http",
     {.android_status_url = "http://b/c"},
     {ATLS_SOURCE_PCS, "https://a", NULL},
     "android_status_url"},
    {"a status list nowhere", {.android_status_url = ""}, {ATLS_SOURCE_PCS, "https://a", NULL}, NULL},
    {"a folder that cannot be", {.cache_folder = "/dev/null/x"}, {ATLS_SOURCE_PCS, "https://a", NULL}, "cache_folder"},
};

static void test_option(void **state)
{
    const option_row *r = *state;
    atls_fetcher_options o = r->o;
    atls_fetcher *f = NULL;
    atls_error err = {0};
    o.sources = &r->source;
    o.n_sources = 1;
    const bool ok = atls_fetcher_new(&o, &f, &err);
    assert_int_equal(ok, r->field == NULL);
    assert_int_equal(ok, f != NULL);
    if (r->field != NULL) {
        assert_string_equal(err.field, r->field);
        assert_int_equal(err.code, strcmp(r->field, "cache_folder") == 0 ? ATLS_E_IO : ATLS_E_CONFIGURATION);
    }
    atls_fetcher_free(f);
}

int main(void)
{
    tap_list l = {0};
    (void)signal(SIGPIPE, SIG_IGN);
    for (size_t i = 0; i < sizeof document_rows / sizeof document_rows[0]; i++) {
        tap_add(&l, document_rows[i].name, test_document, &document_rows[i]);
    }
    for (size_t i = 0; i < sizeof document_rows / sizeof document_rows[0]; i++) {
        tap_add(&l, document_rows[i].name, test_android_row, &document_rows[i]);
    }
    tap_add(&l, "Android: nobody to ask", test_android_nowhere, NULL);
    tap_add(&l, "documents that are none", test_document_refused, NULL);
    for (size_t i = 0; i < sizeof option_rows / sizeof option_rows[0]; i++) {
        tap_add(&l, option_rows[i].name, test_option, &option_rows[i]);
    }
    return tap_run("fetch_options", &l);
}
