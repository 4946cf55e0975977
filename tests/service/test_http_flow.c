/* SPDX-License-Identifier: Apache-2.0 */
/* test_http_flow.c: phones enrol over HTTP; every status of the service; what a phone and an onlooker are told, and what not. */
#include "tap.h"

#include <time.h>
#include <unistd.h>

#include "base/text.h"
#include "site.h"

static void phones_enrol(void **state)
{
    site s;
    (void)state;
    site_open(&s, "", NULL, NULL);
    for (unsigned i = 0; i < 3; i++) {
        site_flow(&s, false);
        site_flow(&s, true);
    }
    assert_true(site_metric(&s, "certificates_total") == 6);
    assert_true(site_metric(&s, "challenges_total") == 6);
    site_end(&s);
}

static void a_challenge_says(void **state)
{
    site s;
    client_response r;
    atls_enrol_challenge c;
    (void)state;
    site_open(&s, "\"challenge\": {\"validity_s\": 600, \"offset_s\": 300, \"nonce_len\": 16, \"time_zone\": \"UTC\"},",
              NULL, NULL);
    client_get(s.port, SITE_CHALLENGE "?x=y", &s.arena, &r);
    const int64_t now_ms = (int64_t)time(NULL) * 1000;
    assert_int_equal(r.status, 200);
    assert_true(client_has(&r, "Content-Type: application/json"));
    assert_true(client_has(&r, "Cache-Control: no-store"));
    assert_true(atls_enrol_challenge_read(r.body, &s.arena, &c, &s.err));
    assert_true(c.issued_ms <= now_ms - 299000 && c.issued_ms >= now_ms - 310000);
    assert_int_equal(c.validity_s, 600);
    assert_int_equal(c.nonce.len, 16);
    assert_true(atls_bytes_equal_str(c.time_zone, "UTC"));
    assert_true(atls_bytes_equal_str(c.endpoint, "http://127.0.0.1/api/v1/attest"));
    assert_true(atls_bytes_equal_str(c.proof_oid, PHONES_PROOF_OID));
    site_end(&s);
}

/* ---- failures are answers ---- */

static const struct failure_row {
    const char *name;
    phones_lie lie;
    bool is_apple;
    atls_category kind;
    const char *metric;
} failure_rows[] = {
    {"a statement for another challenge",
     {.other_challenge = true},
     false,
     ATLS_CATEGORY_CONTENT,
     "requests_total{platform=\"android\",kind=\"content\",code=\"ANDROID_CHALLENGE\"}"},
    {"somebody else's key",
     {.other_key = true},
     false,
     ATLS_CATEGORY_TRUST,
     "requests_total{platform=\"android\",kind=\"trust\",code=\"ENROL_KEY_MISMATCH\"}"},
    {"no statement",
     {.no_statement = true},
     false,
     ATLS_CATEGORY_CONTENT,
     "requests_total{platform=\"unknown\",kind=\"content\",code=\"ENROL_STATEMENT\"}"},
    {"an iPhone's for another challenge", {.other_challenge = true}, true, ATLS_CATEGORY_CONTENT, NULL},
};

static void failures_are_answers(void **state)
{
    const struct failure_row *row = *state;
    site s;
    site_open(&s, "", NULL, NULL);
    const atls_enrol_response r = site_enrol(&s, row->is_apple, site_nonce(&s), &row->lie);
    assert_false(r.is_success);
    assert_int_equal(r.kind, row->kind);
    assert_true(r.has_explanation);
    if (row->metric != NULL) {
        assert_true(site_metric(&s, row->metric) == 1);
    }
    assert_true(site_metric(&s, "certificates_total") == 0);
    site_end(&s);
}

static void explanations_can_be_hidden(void **state)
{
    site s;
    const phones_lie lie = {.other_challenge = true};
    (void)state;
    site_open(&s, "\"explanations\": false,", NULL, NULL);
    assert_false(site_enrol(&s, false, site_nonce(&s), &lie).has_explanation);
    site_end(&s);
}

static void a_nonce_is_good_once(void **state)
{
    site s;
    (void)state;
    site_open(&s, "", NULL, NULL);
    const atls_bytes nonce = site_nonce(&s);
    assert_true(site_enrol(&s, false, nonce, NULL).is_success);
    const atls_enrol_response again = site_enrol(&s, false, nonce, NULL);
    assert_false(again.is_success);
    assert_int_equal(again.kind, ATLS_CATEGORY_CONTENT);
    assert_true(site_metric(&s, "requests_total{platform=\"unknown\",kind=\"content\",code=\"ENROL_CHALLENGE_USED\"}")
                == 1);
    static const uint8_t invented[32] = {1};
    assert_false(site_enrol(&s, false, atls_bytes_of(invented, sizeof invented), NULL).is_success);
    site_end(&s);
}

/* Whatever fails inside: the answer is 200, INTERNAL, and nothing more. */
static void rubbish_is_an_answer(void **state)
{
    site s;
    client_response r;
    (void)state;
    site_open(&s, "", NULL, NULL);
    client_post(s.port, SITE_ATTEST, atls_bytes_str("rubbish"), &s.arena, &r);
    assert_int_equal(r.status, 200);
    assert_true(client_has(&r, "Content-Type: application/json"));
    assert_non_null(strstr(atls_text_copy(r.body, &s.arena, &s.err), "\"kind\":\"CONTENT\""));
    client_post(s.port, SITE_ATTEST, atls_bytes_empty(), &s.arena, &r);
    assert_int_equal(r.status, 200);
    site_end(&s);
}

/* ---- statuses ---- */

#define H "Host: h\r\n"
#define T "Content-Type: application/octet-stream\r\n"

static const struct status_row {
    const char *name;
    const char *request;
    unsigned status;
    const char *line;
    bool closes;
} status_rows[] = {
    {"another path", "GET /x HTTP/1.1\r\n" H "\r\n", 404, NULL, false},
    {"health is not public", "GET /health HTTP/1.1\r\n" H "\r\n", 404, NULL, false},
    {"metrics are not public", "GET /metrics HTTP/1.1\r\n" H "\r\n", 404, NULL, false},
    {"POST to the challenge", "POST " SITE_CHALLENGE " HTTP/1.1\r\n" H "Content-Length: 0\r\n\r\n", 405, "Allow: GET",
     false},
    {"HEAD of the challenge", "HEAD " SITE_CHALLENGE " HTTP/1.1\r\n" H "\r\n", 405, "Allow: GET", false},
    {"GET of the other", "GET " SITE_ATTEST " HTTP/1.1\r\n" H "\r\n", 405, "Allow: POST", false},
    {"an unknown method", "FETCH " SITE_ATTEST " HTTP/1.1\r\n" H "\r\n", 405, "Allow: POST", false},
    {"GET with a body", "GET " SITE_CHALLENGE " HTTP/1.1\r\n" H "Content-Length: 1\r\n\r\nx", 400, NULL, true},
    {"another type",
     "POST " SITE_ATTEST " HTTP/1.1\r\n" H "Content-Type: application/json\r\nContent-Length: 2\r\n\r\n{}", 415, NULL,
     true},
    {"no type", "POST " SITE_ATTEST " HTTP/1.1\r\n" H "Content-Length: 2\r\n\r\n{}", 415, NULL, true},
    {"no length", "POST " SITE_ATTEST " HTTP/1.1\r\n" H T "\r\n", 411, NULL, true},
    {"a body that is announced too long", "POST " SITE_ATTEST " HTTP/1.1\r\n" H T "Content-Length: 262145\r\n\r\n", 413,
     NULL, true},
    {"a chunk that is announced too long",
     "POST " SITE_ATTEST " HTTP/1.1\r\n" H T "Transfer-Encoding: chunked\r\n\r\n40001\r\n", 413, NULL, true},
    {"a broken chunk", "POST " SITE_ATTEST " HTTP/1.1\r\n" H T "Transfer-Encoding: chunked\r\n\r\nxx\r\n", 400, NULL,
     true},
    {"an expectation", "POST " SITE_ATTEST " HTTP/1.1\r\n" H T "Content-Length: 1\r\nExpect: tea\r\n\r\n", 417, NULL,
     true},
    {"an encoding", "POST " SITE_ATTEST " HTTP/1.1\r\n" H T "Content-Length: 1\r\nContent-Encoding: gzip\r\n\r\n", 415,
     NULL, true},
    {"HTTP/1.0", "GET " SITE_CHALLENGE " HTTP/1.0\r\n" H "\r\n", 505, NULL, true},
    {"rubbish", "\x16\x03\x01\x02\r\n\r\n", 400, NULL, true},
    {"a client that wants to close", "GET " SITE_CHALLENGE " HTTP/1.1\r\n" H "Connection: close\r\n\r\n", 200,
     "Connection: close", true},
};

static void statuses(void **state)
{
    static site s; /* one for all rows */
    const struct status_row *row = *state;
    client_response r;
    if (s.service == NULL) {
        site_open(&s, "", NULL, NULL);
    }
    if (row == NULL) {
        site_end(&s);
        return;
    }
    const int fd = client_open(s.port, 1);
    assert_true(client_say(fd, row->request));
    client_read(fd, &s.arena, &r);
    assert_int_equal(r.status, row->status);
    assert_true(row->line == NULL || client_has(&r, row->line));
    assert_int_equal(client_has(&r, "Connection: close"), row->closes);
    assert_true(row->status == 200 || r.body.len == 0);
    assert_int_equal(client_is_closed(fd, row->closes ? 5000 : 50), row->closes);
    (void)close(fd);
}

static void heads_are_bounded(void **state)
{
    site s;
    client_response r;
    char field[100];
    (void)state;
    site_open(&s, "", NULL, NULL);
    int fd = client_open(s.port, 1);
    memset(field, 'x', sizeof field);
    memcpy(field, "X: ", 3);
    memcpy(field + sizeof field - 2, "\r\n", 2);
    assert_true(client_say(fd, "GET " SITE_CHALLENGE " HTTP/1.1\r\nHost: h\r\n"));
    for (unsigned i = 0; i < 90 && client_send(fd, field, sizeof field); i++) {
    }
    client_read(fd, &s.arena, &r);
    assert_int_equal(r.status, 431);
    (void)close(fd);
    fd = client_open(s.port, 1);
    assert_true(client_say(fd, "GET " SITE_CHALLENGE " HTTP/1.1\r\nHost: h\r\n"));
    for (unsigned i = 0; i < 63; i++) {
        assert_true(client_send(fd, field, sizeof field));
    }
    assert_true(client_say(fd, "\r\n"));
    client_read(fd, &s.arena, &r);
    assert_int_equal(r.status, 200);
    (void)close(fd);
    site_end(&s);
}

/* ---- for whoever runs it ---- */

static void health_and_metrics(void **state)
{
    site s;
    client_response r;
    (void)state;
    site_open(&s, "", NULL, NULL);
    client_get(s.admin, "/health", &s.arena, &r);
    assert_int_equal(r.status, 200);
    const char *text = atls_text_copy(r.body, &s.arena, &s.err);
    assert_non_null(strstr(text, "\"status\":\"ok\""));
    assert_non_null(strstr(text, "\"policy_sha256\":\""));
    assert_non_null(strstr(text, "insecure_test_mode"));
    assert_non_null(strstr(text, "\"kind\":\"memory\",\"reachable\":true"));
    client_get(s.admin, "/metrics", &s.arena, &r);
    assert_int_equal(r.status, 200);
    assert_true(client_has(&r, "Content-Type: text/plain; version=0.0.4"));
    client_get(s.admin, SITE_CHALLENGE, &s.arena, &r);
    assert_int_equal(r.status, 404);
    assert_true(site_metric(&s, "ca_days_left") > 1000);
    assert_true(site_metric(&s, "status_list_age_seconds") >= 0);
    site_end(&s);
}

int main(void)
{
    tap_list l = {0};
    tap_add(&l, "phones enrol", phones_enrol, NULL);
    tap_add(&l, "what a challenge says", a_challenge_says, NULL);
    for (size_t i = 0; i < sizeof failure_rows / sizeof failure_rows[0]; i++) {
        tap_add(&l, failure_rows[i].name, failures_are_answers, &failure_rows[i]);
    }
    tap_add(&l, "explanations can be hidden", explanations_can_be_hidden, NULL);
    tap_add(&l, "a nonce is good once", a_nonce_is_good_once, NULL);
    tap_add(&l, "rubbish is an answer", rubbish_is_an_answer, NULL);
    for (size_t i = 0; i < sizeof status_rows / sizeof status_rows[0]; i++) {
        tap_add(&l, status_rows[i].name, statuses, &status_rows[i]);
    }
    tap_add(&l, "and the service is still there", statuses, NULL);
    tap_add(&l, "heads are bounded", heads_are_bounded, NULL);
    tap_add(&l, "health and metrics", health_and_metrics, NULL);
    return tap_run("http_flow", &l);
}
