/* SPDX-License-Identifier: Apache-2.0 */
/* test_clock.c: the floor under the system's clock: the date of the source, and the newest issue date among what vouched before.
 * The clock is the test's own (--wrap=clock_gettime). Each place that reads it for an appraisal has its rows. */
#include "net.h"

#include <fcntl.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include "atls/hooks.h"
#include "edge/tls/clock.h"
#include "enrol/authority.h"
#include "pair.h"
#include "verify/verifier.h"

#define ROOM (ATLS_CLOCK_BUILD_DATE + 200 * (atls_time)DAY) /* later than this library */

/* ---- the clock --------------------------------------------------------------------------------------------------- */

static atls_time says;

int __real_clock_gettime(clockid_t id, struct timespec *out);
int __wrap_clock_gettime(clockid_t id, struct timespec *out);

int __wrap_clock_gettime(clockid_t id, struct timespec *out)
{
    const int rc = __real_clock_gettime(id, out);
    if (id == CLOCK_REALTIME) {
        *out = (struct timespec){.tv_sec = (time_t)says};
    }
    return rc;
}

static void expect_clock(const atls_error *err, atls_time floor)
{
    char limit[ATLS_TIME_TEXT_SIZE];
    char expected[ATLS_TIME_TEXT_SIZE + 16];
    char at[ATLS_TIME_TEXT_SIZE];
    atls_time_format(floor, limit);
    atls_time_format(says, at);
    (void)snprintf(expected, sizeof expected, "not before %s", limit);
    assert_string_equal(atls_code_name(err->code), "INTERNAL");
    assert_int_equal(err->category, ATLS_CATEGORY_INTERNAL);
    assert_string_equal(err->field, "clock");
    assert_string_equal(err->expected, expected);
    assert_string_equal(err->actual, at);
    assert_non_null(strstr(err->message, at));
    assert_non_null(strstr(err->message, limit));
}

/* What an accepted appraisal leaves behind. */
static void teach(const atls_verifier *v, atls_time issued)
{
    const atls_claims claims = {.dcap = {.latest_issue = issued}};
    const atls_links links = {.now = issued};
    atls_caches_note(v->caches, &claims, &links);
    assert_int_equal(atls_verifier_newest_issue(v), issued);
}

static void test_build_date(void **state)
{
    atls_error err = {0};
    atls_time now = 7;
    (void)state;
    says = ATLS_CLOCK_BUILD_DATE;
    assert_true(atls_clock_now(&now, &err));
    assert_int_equal(now, ATLS_CLOCK_BUILD_DATE);
    says = ATLS_CLOCK_BUILD_DATE - 1;
    assert_false(atls_clock_now(&now, &err));
    expect_clock(&err, ATLS_CLOCK_BUILD_DATE);
}

static void test_judging(void **state)
{
    atls_error err = {0};
    atls_time now = ATLS_TIME_UNSET;
    rig r;
    (void)state;
    rig_open(&r);
    says = ROOM;
    teach(r.verifier, ROOM);
    assert_true(atls_clock_judging(r.verifier, &now, NULL, &err));
    assert_int_equal(now, ROOM);
    says = ROOM - 1;
    now = ATLS_TIME_UNSET;
    assert_false(atls_clock_judging(r.verifier, &now, NULL, &err));
    expect_clock(&err, ROOM);
    assert_int_equal(now, ATLS_TIME_UNSET);
    err = (atls_error){0};
    assert_true(atls_clock_judging(NULL, &now, NULL, &err)); /* nobody's, and later than the library */
    assert_int_equal(now, ROOM - 1);
    says = 1;
    now = 5; /* somebody's own */
    assert_true(atls_clock_judging(r.verifier, &now, NULL, &err));
    assert_int_equal(now, 5);
    rig_close(&r);
}

/* ---- what is learned ----------------------------------------------------------------------------------------------- */

static bool appraise(rig *r, atls_time now, atls_result *out, atls_error *err)
{
    atls_arena a;
    atls_appraisal in = {.binding = {.grade = ATLS_GRADE_EXPORTER, .profile = "", .value = {1}},
                         .now = now,
                         .endorse = sim_endorse,
                         .endorse_ctx = r->sim};
    assert_true(sim_event_log(r->sim, &r->arena, &in.event_log, &r->err));
    assert_true(atls_arena_new(&a, ATLS_ARENA_DEFAULT_SIZE, &r->err));
    assert_true(sim_quote(r->sim, in.binding.value, &r->arena, &in.evidence, &r->err));
    const bool ok = atls_verifier_appraise(r->verifier, &in, &a, out, err);
    atls_arena_free(&a);
    return ok;
}

/* Refused appraisals teach nothing, and those of the future are refused: also within the five minutes that the specification
 * would allow them. */
static void test_learns(void **state)
{
    static const atls_time early[] = {1, 299, 300, 301, 3600};
    atls_error err = {0};
    atls_result result;
    rig r;
    (void)state;
    rig_open_at(&r, ROOM);
    assert_int_equal(atls_verifier_newest_issue(r.verifier), ATLS_TIME_UNSET);
    assert_true(appraise(&r, ROOM, &result, &err));
    const atls_time issued = result.claims.dcap.latest_issue;
    assert_true(issued > ATLS_TIME_UNSET && issued <= ROOM);
    assert_int_equal(atls_verifier_newest_issue(r.verifier), issued);
    rig_policy(&r, ""); /* another verifier knows nothing */
    for (size_t i = 0; i < sizeof early / sizeof early[0]; i++) {
        err = (atls_error){0};
        assert_false(appraise(&r, issued - early[i], &result, &err));
        assert_string_equal(atls_code_name(err.code), "NOT_YET_VALID");
        assert_int_equal(atls_verifier_newest_issue(r.verifier), ATLS_TIME_UNSET);
    }
    err = (atls_error){0};
    assert_true(appraise(&r, issued, &result, &err));
    assert_int_equal(atls_verifier_newest_issue(r.verifier), issued);
    teach(r.verifier, issued + 9);
    assert_true(appraise(&r, issued, &result, &err)); /* a caller's time is the caller's */
    assert_int_equal(atls_verifier_newest_issue(r.verifier), issued + 9);
    rig_close(&r);
}

/* Only what is accepted is remembered: evidence of another application vouches for nothing here. */
static void test_refused_teaches_nothing(void **state)
{
    static const char *const other[] = {"os_image_hash=0bad", NULL};
    const sim_options room = {.now = ROOM, .settings = other};
    atls_error err = {0};
    atls_result result;
    rig r;
    (void)state;
    rig_open_at(&r, ROOM);
    sim *honest = r.sim;
    assert_true(sim_new(&room, &r.sim, &err));
    assert_false(appraise(&r, ROOM, &result, &err));
    assert_true(err.code != ATLS_E_NOT_YET_VALID && err.category == ATLS_CATEGORY_TRUST);
    assert_int_equal(atls_verifier_newest_issue(r.verifier), ATLS_TIME_UNSET);
    sim_free(r.sim);
    r.sim = honest;
    rig_close(&r);
}

static atls_verifier *verifier_of(const char *text, const atls_verifier_options *o, atls_policy **policy)
{
    atls_error err = {0};
    atls_verifier *v = NULL;
    if (!atls_policy_parse(atls_bytes_str(text), policy, &err)
        || !atls_verifier_new_with_options(*policy, o, &v, &err)) {
        fail_msg("%s: %s", err.field, err.message);
    }
    assert_int_equal(atls_verifier_newest_issue(v), ATLS_TIME_UNSET);
    return v;
}

/* Parts of a policy that holds others count, too; a verifier that remembers nothing has no such floor. */
static void test_inner(void **state)
{
    static const char any[] = "{\"type\":\"any_of\",\"policies\":[{\"type\":\"tdx\"},{\"type\":\"sgx\"}]}";
    static const char nested[] =
        "{\"type\":\"tpm\",\"insecure_accept_any_measurement\":true,\"hardware\":{\"type\":\"sev_snp\"}}";
    static const atls_verifier_options forgetful = {.no_cache = true};
    const atls_claims claims = {.dcap = {.latest_issue = ROOM}};
    const atls_links links = {.now = ROOM};
    atls_policy *policy = NULL;
    (void)state;
    atls_verifier *v = verifier_of(any, NULL, &policy);
    teach(v->alternatives[1], ROOM);
    assert_int_equal(atls_verifier_newest_issue(v), ROOM);
    atls_verifier_free(v);
    atls_policy_free(policy);
    v = verifier_of(nested, NULL, &policy);
    teach(v->hardware, ROOM);
    assert_int_equal(atls_verifier_newest_issue(v), ROOM);
    atls_verifier_free(v);
    atls_policy_free(policy);
    v = verifier_of(nested, &forgetful, &policy);
    atls_caches_note(v->caches, &claims, &links);
    assert_int_equal(atls_verifier_newest_issue(v), ATLS_TIME_UNSET);
    atls_verifier_free(v);
    atls_policy_free(policy);
}

/* ---- revocation lists ---- */

typedef struct list_row {
    const char *name;
    long from_s; /* of the list, from now on */
    long until_s;
    bool other_key;    /* not signed by the authority */
    atls_time learned; /* from now on; 1: nothing */
} list_row;

static const list_row list_rows[] = {
    {"lists: a list of yesterday is learned", -DAY, DAY, false, -DAY},
    {"lists: one of this second is learned", 0, DAY, false, 0},
    {"lists: one that is over was true once", -DAY, -1, false, -DAY},
    {"lists: one of the next second is not there", 1, DAY, false, 1},
    {"lists: one of tomorrow is not there", DAY, 2L * DAY, false, 1},
    {"lists: one that somebody else signed is not there", -DAY, DAY, true, 1},
};

static bool endorse_list(void *ctx, const atls_endorsement_request *request, atls_arena *arena, atls_endorsements *out,
                         atls_error *err)
{
    (void)request;
    (void)arena;
    (void)err;
    *out = (atls_endorsements){.pile = {.crls = ctx, .n_crls = 1}};
    return true;
}

static atls_verifier *phones_verifier(atls_bytes root, atls_policy **policy)
{
    char text[512];
    char hex[65];
    uint8_t hash[32];
    unsigned len = 0;
    atls_error err = {0};
    atls_verifier *v;
    assert_int_equal(EVP_Digest(root.ptr, root.len, hash, &len, EVP_sha256(), NULL), 1);
    atls_hex_encode(atls_bytes_of(hash, 32), hex);
    (void)snprintf(text, sizeof text,
                   "{\"type\":\"enrolled_key\",\"trusted_roots\":[\"%s\"],\"applications\":[\"" AUTHORITY_APP "\"]}",
                   hex);
    assert_true(atls_policy_parse(atls_bytes_str(text), policy, &err));
    assert_true(atls_verifier_new(*policy, &v, &err));
    return v;
}

static atls_bytes join(const atls_bytes *parts, size_t n, atls_arena *arena)
{
    atls_error err = {0};
    atls_bytes out;
    atls_buf b;
    atls_buf_init(&b, arena, &err);
    for (size_t i = 0; i < n; i++) {
        atls_buf_put(&b, parts[i]);
    }
    assert_true(atls_buf_done(&b, &out));
    return out;
}

static void test_list(void **state)
{
    const list_row *w = *state;
    atls_error err = {0};
    atls_arena arena;
    atls_policy *policy;
    atls_result result;
    authority a;
    assert_true(atls_arena_new(&arena, ATLS_ARENA_DEFAULT_SIZE, &err));
    authority_open(&a);
    const atls_bytes ders[] = {authority_cert(&a.phone, &arena), authority_cert(&a.ca, &arena),
                               authority_cert(&a.root, &arena)};
    atls_bytes crl =
        authority_crl("enrolment CA", w->other_key ? a.other_key : a.ca_key, ders[1], 0, w->from_s, w->until_s, &arena);
    atls_verifier *v = phones_verifier(ders[2], &policy);
    const atls_appraisal in = {.evidence = join(ders, 3, &arena),
                               .event_log = atls_bytes_empty(),
                               .binding = {.profile = ""},
                               .now = AUTHORITY_NOW,
                               .endorse = endorse_list,
                               .endorse_ctx = &crl};
    if (!atls_verifier_appraise(v, &in, &arena, &result, &err)) {
        fail_msg("%s: %s", err.field, err.message);
    }
    assert_int_equal(atls_verifier_newest_issue(v), w->learned == 1 ? ATLS_TIME_UNSET : AUTHORITY_NOW + w->learned);
    if (w->learned != 1) { /* also where the signature is remembered, and not checked again */
        atomic_store(&v->caches->newest_issue, ATLS_TIME_UNSET);
        assert_true(atls_verifier_appraise(v, &in, &arena, &result, &err));
        assert_int_equal(atls_verifier_newest_issue(v), AUTHORITY_NOW + w->learned);
    }
    atls_verifier_free(v);
    atls_policy_free(policy);
    authority_close(&a);
    atls_arena_free(&arena);
}

/* ---- sessions ------------------------------------------------------------------------------------------------------ */

typedef struct site {
    const char *name;
    void (*set_up)(rig *r);
    bool at_server;
    bool at_once; /* the handshake's own time: the clock is wrong from the beginning */
} site;

static void set_dstack(rig *r)
{
    r->client_options.now = ATLS_TIME_UNSET;
}

static void set_native(rig *r)
{
    rig_native(r);
    r->client_options.now = ATLS_TIME_UNSET;
}

static void set_mutual(rig *r)
{
    rig_mutual(r);
    r->server_options.now = ATLS_TIME_UNSET;
}

static const site sites[] = {
    {"dstack: the client's evidence", set_dstack, false, false},
    {"atls/1: the client's evidence", set_native, false, false},
    {"atls/1: the server's evidence", set_mutual, true, false},
    {"the server's certificate", set_native, false, true},
};

/* A clock that stands right until the handshake is done, or that is wrong from the beginning. */
static void run(const site *w, rig *r, atls_time later)
{
    says = w->at_once ? later : ROOM;
    rig_ssl(r);
    if (!atls_client_session_new(r->client_ssl, &r->client_options, &r->client, &r->client_err)) {
        return;
    }
    rig_server(r);
    for (unsigned i = 0; i < 20 && r->client_err.code == ATLS_OK && SSL_is_init_finished(r->client_ssl) == 0; i++) {
        r->client_step = atls_session_step(r->client, &r->client_err);
        if (SSL_is_init_finished(r->client_ssl) == 0) {
            r->server_step = atls_session_step(r->server, &r->server_err);
        }
    }
    says = later;
    rig_run_to_end(r);
}

static void expect_refused(const site *w, const rig *r, atls_time floor)
{
    expect_clock(w->at_server ? &r->server_err : &r->client_err, floor);
    if (w->at_server) {
        assert_string_equal(atls_code_name(r->client_err.code), "PEER_REFUSED");
        assert_string_equal(r->client_err.actual, "internal");
    }
    assert_int_equal(SSL_is_init_finished(r->client_ssl), !w->at_once);
    if (!w->at_once) {
        assert_null(atls_session_result(w->at_server ? r->server : r->client));
    }
}

static void test_site(void **state)
{
    const site *w = *state;
    for (unsigned i = 0; i < 4; i++) {
        rig r;
        rig_open_at(&r, ROOM);
        w->set_up(&r);
        const bool learned = i >= 2;
        if (learned) {
            teach(r.verifier, ROOM);
        }
        const atls_time floor = learned ? ROOM : ATLS_CLOCK_BUILD_DATE;
        const bool below = i % 2 == 0;
        run(w, &r, below ? floor - 1 : ROOM);
        if (below) {
            expect_refused(w, &r, floor);
        } else {
            rig_expect_established(&r);
        }
        rig_close(&r);
    }
}

/* The floor is learned by sessions, and holds for the next ones of this verifier. */
static void test_sessions_learn(void **state)
{
    rig r;
    (void)state;
    rig_open_at(&r, ROOM);
    set_native(&r);
    run(&sites[1], &r, ROOM);
    rig_expect_established(&r);
    const atls_time issued = atls_session_result(r.client)->claims.dcap.latest_issue;
    assert_int_equal(atls_verifier_newest_issue(r.verifier), issued);
    atls_session_free(r.client);
    atls_session_free(r.server);
    SSL_free(r.client_ssl);
    SSL_free(r.server_ssl);
    r.client = r.server = NULL;
    run(&sites[1], &r, issued - 1);
    expect_refused(&sites[1], &r, issued);
    rig_close(&r);
}

/* ---- places with a stage of their own ------------------------------------------------------------------------------ */

static void test_enrolled(void **state)
{
    (void)state;
    for (unsigned i = 0; i < 2; i++) {
        atls_policy *policy;
        authority a;
        rig r;
        rig_open(&r);
        rig_native(&r);
        authority_open(&a);
        const atls_bytes root = authority_cert(&a.root, &r.arena);
        const atls_bytes leaf = authority_cert(&a.phone, &r.arena);
        atls_verifier *v = phones_verifier(root, &policy);
        assert_int_equal(SSL_CTX_use_certificate_ASN1(r.client_ctx, (int)leaf.len, leaf.ptr), 1);
        assert_int_equal(SSL_CTX_use_PrivateKey(r.client_ctx, a.phone_key), 1);
        r.server_options.verifier = v;
        says = ATLS_CLOCK_BUILD_DATE - 1;
        if (i == 1) {
            teach(v, ROOM);
            says = ROOM - 1;
        }
        rig_start(&r, NULL);
        rig_run_to_end(&r);
        expect_clock(&r.server_err, i == 1 ? ROOM : ATLS_CLOCK_BUILD_DATE);
        rig_expect_client(&r, ATLS_E_PEER_REFUSED, "done");
        atls_session_free(r.server);
        r.server = NULL;
        atls_verifier_free(v);
        atls_policy_free(policy);
        authority_close(&a);
        rig_close(&r);
    }
}

static void test_constellation(void **state)
{
    (void)state;
    for (unsigned i = 0; i < 2; i++) {
        pair p;
        pair_open(&p);
        pair_tdx(&p, "\"attested_only\":true,\"min_grade\":\"key_fresh\",");
        p.client.hook.now = ATLS_TIME_UNSET;
        says = ATLS_CLOCK_BUILD_DATE - 1;
        if (i == 1) {
            teach(p.verifier, ROOM);
            says = ROOM - 1;
        }
        pair_start(&p);
        const atls_result *found = NULL;
        assert_false(atls_hook_result(p.client.ssl, &found, &p.err));
        expect_clock(&p.err, i == 1 ? ROOM : ATLS_CLOCK_BUILD_DATE);
        assert_null(found);
        pair_close(&p);
    }
}

/* Certificates of clients are held against the same clock. */
static void test_client_certificates(void **state)
{
    net n;
    int ends[2];
    (void)state;
    net_open(&n, NULL);
    n.server.client_ca_file = n.rig.ca_file;
    says = ATLS_CLOCK_BUILD_DATE - 1;
    assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM, 0, ends), 0);
    assert_false(atls_accept(ends[0], &n.server, &n.server_session, &n.server_err));
    expect_clock(&n.server_err, ATLS_CLOCK_BUILD_DATE);
    assert_int_equal(close(ends[1]), 0);
    net_close(&n);
}

int main(void)
{
    tap_list l = {0};
    tap_add(&l, "earlier than the library", test_build_date, NULL);
    tap_add(&l, "earlier than what vouched before", test_judging, NULL);
    tap_add(&l, "what is learned, and what from the future is not", test_learns, NULL);
    tap_add(&l, "what the policy refuses teaches nothing", test_refused_teaches_nothing, NULL);
    tap_add(&l, "policies of several, and verifiers that remember nothing", test_inner, NULL);
    for (size_t i = 0; i < sizeof list_rows / sizeof list_rows[0]; i++) {
        tap_add(&l, list_rows[i].name, test_list, &list_rows[i]);
    }
    for (size_t i = 0; i < sizeof sites / sizeof sites[0]; i++) {
        tap_add(&l, sites[i].name, test_site, &sites[i]);
    }
    tap_add(&l, "a session's endorsements are the floor of the next", test_sessions_learn, NULL);
    tap_add(&l, "atls/1: the certificate of an enrolled key", test_enrolled, NULL);
    tap_add(&l, "constellation", test_constellation, NULL);
    tap_add(&l, "certificates of clients", test_client_certificates, NULL);
    return tap_run("clock", &l);
}
