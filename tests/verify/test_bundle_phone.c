/* SPDX-License-Identifier: Apache-2.0 */
/* A status list in a signed bundle: it endorses phones, its dates come along and count, and `verify` and `forecast` know when
 * it is of no more use. */
#include "atls/bundle.h"
#include "atls/forecast.h"
#include "evidence/android_scene.h"

#define MINUTE 60
#define HOUR   3600
#define DAY    86400
#define LIST   "{\"entries\":{\"abc\":{\"status\":\"REVOKED\"}}}"

static const char *const patient[] = {"policy.attestationStatementValiditySeconds=9999999", NULL};

typedef struct packed {
    scene s;
    atls_bundle bundle;
} packed;

static void pack(packed *p, const atls_android_status *status)
{
    static const uint8_t seed[32] = {9};
    const atls_endorsements e = {.android = *status};
    atls_bundle_pieces pieces;
    atls_bytes private_pem;
    atls_bytes public_pem;
    atls_bytes file;
    atls_bundle_key key;
    atls_arena *a = &p->s.arena;
    atls_error *err = &p->s.err;
    atls_bundle_pieces_init(&pieces, a);
    scene_must(atls_bundle_add(&pieces, &e, err) && atls_bundle_key_pair(seed, a, &private_pem, &public_pem, err)
                   && atls_bundle_key_parse(public_pem, &key, err)
                   && atls_bundle_pack(&pieces, 1, p->s.in.now, private_pem, &file, err)
                   && atls_bundle_open(file, &key, 1, a, &p->bundle, err),
               err, "bundle");
    p->s.in.endorse = atls_bundle_endorse;
    p->s.in.endorse_ctx = &p->bundle;
}

/* Fetched a minute ago, to be used for an hour. */
static void open_packed(packed *p, const char *list)
{
    scene_open(&p->s, SIM_ANDROID_FACTORY, patient);
    const atls_android_status status = {
        .list = atls_bytes_str(list), .fetched = p->s.in.now - MINUTE, .expires = p->s.in.now + HOUR};
    pack(p, &status);
}

static void test_endorses(void **state)
{
    packed p;
    (void)state;
    open_packed(&p, LIST);
    scene_run(&p.s);
    scene_expect(&p.s, ATLS_OK, NULL);
    const atls_android_claims *c = &p.s.result.claims.android;
    assert_true(c->status_fetched == p.s.in.now - MINUTE && c->status_expires == p.s.in.now + HOUR);
    assert_false(c->status_is_stale);
    p.s.in.now += HOUR + 1;
    scene_run(&p.s);
    scene_expect(&p.s, ATLS_OK, NULL);
    assert_true(p.s.result.claims.android.status_is_stale);
    p.s.in.now += DAY;
    scene_run(&p.s);
    scene_expect(&p.s, ATLS_E_ANDROID_LIST_UNAVAILABLE, "status");
    p.bundle.insecure_older = true;
    p.s.in.now -= DAY;
    scene_run(&p.s);
    assert_non_null(scene_check(&p.s, "endorsements.bundle_age"));
    scene_close(&p.s);
}

static void test_revokes(void **state)
{
    const char *const settings[] = {"cert.attestation.serial=0abc", NULL};
    packed p;
    (void)state;
    scene_open(&p.s, SIM_ANDROID_FACTORY, settings);
    const atls_android_status status = {.list = atls_bytes_str(LIST)};
    pack(&p, &status);
    assert_int_equal(p.bundle.pieces[0].n_parts, 1);
    scene_run(&p.s);
    scene_expect(&p.s, ATLS_E_ANDROID_REVOKED, "chain[1].serial");
    scene_close(&p.s);
}

static void test_none(void **state)
{
    packed p;
    (void)state;
    open_packed(&p, LIST);
    p.bundle.n_pieces = 0;
    scene_run(&p.s);
    scene_expect(&p.s, ATLS_E_ANDROID_LIST_UNAVAILABLE, "status");
    scene_close(&p.s);
}

/* ---- dates as they stand in the file ---- */

static const struct {
    const char *name;
    uint8_t bytes[17];
    size_t len;
    atls_code code;
    const char *field;
} dates[] = {
    {"both known", {0, 0, 0, 0, 1, 0, 0, 0, 0, 0, 0, 0, 2}, 16, ATLS_OK, NULL},
    {"fetched known", {[4] = 1}, 16, ATLS_OK, NULL},
    {"the last second of dates", {[11] = 0x3a, [12] = 0xff, [13] = 0xf4, [14] = 0x41, [15] = 0x7f}, 16, ATLS_OK, NULL},
    {"one more",
     {[11] = 0x3a, [12] = 0xff, [13] = 0xf4, [14] = 0x41, [15] = 0x80},
     16,
     ATLS_E_COLLATERAL_FORMAT,
     "bundle.pieces[0].dates"},
    {"fetched beyond dates", {[0] = 0x80}, 16, ATLS_E_COLLATERAL_FORMAT, "bundle.pieces[0].dates"},
    {"none known", {0}, 16, ATLS_E_COLLATERAL_FORMAT, "bundle.pieces[0].dates"},
    {"a byte too few", {[4] = 1}, 15, ATLS_E_COLLATERAL_FORMAT, "bundle.pieces[0].dates"},
    {"a byte too many", {[4] = 1}, 17, ATLS_E_LIMIT, "bundle.pieces[0].dates"},
    {"empty", {0}, 0, ATLS_E_COLLATERAL_FORMAT, "bundle.pieces[0].dates"},
};

static void test_dates(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof dates / sizeof dates[0]; i++) {
        const atls_bundle_piece piece = {
            .kind = "android.status",
            .subject = "google",
            .parts = {atls_bytes_str(LIST), atls_bytes_of(dates[i].bytes, dates[i].len)},
            .n_parts = 2,
        };
        const atls_bundle b = {.pieces = &piece, .n_pieces = 1};
        atls_bundle_pieces pieces;
        atls_arena a;
        atls_error err = {0};
        assert_true(atls_arena_new(&a, 1 << 20, &err));
        atls_bundle_pieces_init(&pieces, &a);
        const bool ok = atls_bundle_add_all(&pieces, &b, &err);
        if (ok != (dates[i].code == ATLS_OK) || err.code != dates[i].code) {
            fail_msg("%s: %s at %s", dates[i].name, atls_code_name(err.code), err.field);
        }
        if (!ok) {
            assert_string_equal(err.field, dates[i].field);
        }
        atls_arena_free(&a);
    }
}

/* Of two lists the one that was fetched later stays, whichever comes first; one without a date is older than one with it. */
static void test_newer(void **state)
{
    (void)state;
    for (unsigned order = 0; order < 2; order++) {
        atls_bundle_pieces pieces;
        atls_arena a;
        atls_error err = {0};
        const atls_endorsements e[] = {
            {.android = {.list = atls_bytes_str(LIST), .fetched = 1000}},
            {.android = {.list = atls_bytes_str("{\"entries\":{}}"), .fetched = order == 0 ? 2000 : ATLS_TIME_UNSET}},
        };
        assert_true(atls_arena_new(&a, 1 << 20, &err));
        atls_bundle_pieces_init(&pieces, &a);
        assert_true(atls_bundle_add(&pieces, &e[0], &err) && atls_bundle_add(&pieces, &e[1], &err));
        assert_int_equal(pieces.n, 1);
        assert_int_equal(pieces.items[0].parts[0].len, e[order == 0 ? 1 : 0].android.list.len);
        atls_arena_free(&a);
    }
}

/* ---- verify ---- */

static void expect_finding(packed *p, atls_time now, atls_code code, const char *field)
{
    atls_piece_finding found;
    atls_error err = {0};
    scene_must(atls_bundle_check(&p->bundle, NULL, 0, now, &p->s.arena, &found, &err), &err, "check");
    assert_int_equal(found.trust, found.error.field[0] == 's' && code == ATLS_E_COLLATERAL_FORMAT
                                      ? found.trust
                                      : ATLS_PIECE_UNSIGNED);
    if (found.error.code != code || (field != NULL && strcmp(found.error.field, field) != 0)) {
        fail_msg("%s at %s", atls_code_name(found.error.code), found.error.field);
    }
}

static void test_check(void **state)
{
    packed p;
    (void)state;
    open_packed(&p, LIST);
    const atls_time now = p.s.in.now;
    expect_finding(&p, now - MINUTE, ATLS_OK, NULL);
    expect_finding(&p, now - MINUTE - 1, ATLS_E_NOT_YET_VALID, "status.fetched");
    expect_finding(&p, now + HOUR + DAY, ATLS_OK, NULL);
    expect_finding(&p, now + HOUR + DAY + 1, ATLS_E_EXPIRED, "status.expires");
    const atls_android_status undated = {.list = atls_bytes_str(LIST)};
    pack(&p, &undated);
    expect_finding(&p, now + 1000 * (atls_time)DAY, ATLS_OK, NULL);
    const atls_android_status fetched = {.list = atls_bytes_str(LIST), .fetched = now};
    pack(&p, &fetched);
    expect_finding(&p, now + HOUR + DAY, ATLS_OK, NULL);
    expect_finding(&p, now + HOUR + DAY + 1, ATLS_E_EXPIRED, "status.expires");
    scene_close(&p.s);
}

static const char *const not_lists[] = {"{\"entries\":[]}", "{\"entries\":{}", "\"entries\"",
                                        "{\"x\":\"\\\"entries\\\"\"}"};

static void test_no_list(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof not_lists / sizeof not_lists[0]; i++) {
        atls_bundle_pieces pieces;
        atls_arena a;
        atls_error err = {0};
        const atls_endorsements e = {.android = {.list = atls_bytes_str(not_lists[i])}};
        assert_true(atls_arena_new(&a, 1 << 20, &err));
        atls_bundle_pieces_init(&pieces, &a);
        assert_false(atls_bundle_add(&pieces, &e, &err));
        assert_int_equal(err.code, ATLS_E_COLLATERAL_FORMAT);
        atls_arena_free(&a);
    }
}

/* ---- forecast ---- */

static void test_forecast(void **state)
{
    packed p;
    atls_policy *policy = NULL;
    atls_forecast f;
    atls_error err = {0};
    bool has_expiry = false;
    (void)state;
    open_packed(&p, LIST);
    scene_must(atls_policy_parse(p.s.policy, &policy, &err), &err, "policy");
    const atls_forecast_question q = {.policy = policy, .appraisal = p.s.in};
    scene_must(atls_forecast_make(&q, &p.s.arena, &f, &err), &err, "forecast");
    assert_true(f.now.accepted && f.fails);
    assert_true(f.first_failure == p.s.in.now + HOUR + DAY + 1);
    assert_int_equal(f.failure.code, ATLS_E_ANDROID_LIST_UNAVAILABLE);
    assert_string_equal(f.because, "end of what the policy lets a stale status list be used for");
    for (size_t i = 0; i < f.n_dates; i++) {
        has_expiry = has_expiry
                     || (f.dates[i].time == p.s.in.now + HOUR
                         && strcmp(f.dates[i].what, "expiry of the status list of Android attestation keys") == 0);
    }
    assert_true(has_expiry);
    atls_policy_free(policy);
    scene_close(&p.s);
}

int main(void)
{
    tap_list tests = {0};
    tap_add(&tests, "a bundle endorses a phone", test_endorses, NULL);
    tap_add(&tests, "and revokes it", test_revokes, NULL);
    tap_add(&tests, "a bundle without a list", test_none, NULL);
    tap_add(&tests, "dates as they stand in the file", test_dates, NULL);
    tap_add(&tests, "the newer of two", test_newer, NULL);
    tap_add(&tests, "what verify says", test_check, NULL);
    tap_add(&tests, "what is no list", test_no_list, NULL);
    tap_add(&tests, "what forecast says", test_forecast, NULL);
    return tap_run("verify/bundle_phone", &tests);
}
