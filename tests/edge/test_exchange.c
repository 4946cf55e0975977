/* SPDX-License-Identifier: Apache-2.0 */
/* test_exchange.c: what a client makes of the answers of a scripted server: the transport rows of CASES.md J, what is
 * wrong with bodies, and whose evidence it is. Each row runs whole, and again through a transport that holds one byte. */
#include "rig.h"

#define CHUNKED "Transfer-Encoding: chunked\r\n"

/* ---- answers ----------------------------------------------------------------------------------------------------- */

static atls_bytes text(rig *r, const char *answer)
{
    (void)r;
    return atls_bytes_str(answer);
}

static atls_bytes joined(rig *r, atls_bytes a, const char *b)
{
    atls_buf buf;
    atls_bytes out;
    atls_buf_init(&buf, &r->arena, &r->err);
    atls_buf_put(&buf, a);
    atls_buf_str(&buf, b);
    assert_true(atls_buf_done(&buf, &out));
    return out;
}

static atls_bytes honest(rig *r)
{
    return rig_answer_counted(r, rig_body(r));
}

static atls_bytes after_continue(rig *r)
{
    atls_buf buf;
    atls_bytes out;
    atls_buf_init(&buf, &r->arena, &r->err);
    atls_buf_str(&buf, "HTTP/1.1 100 Continue\r\n\r\n");
    atls_buf_put(&buf, honest(r));
    assert_true(atls_buf_done(&buf, &out));
    return out;
}

static atls_bytes chunked(rig *r)
{
    atls_bytes body = rig_body(r);
    size_t at = 0;
    atls_buf buf;
    atls_bytes chunks;
    atls_buf_init(&buf, &r->arena, &r->err);
    for (size_t n = 1; at < body.len; n = n * 3 + 1) {
        size_t take = n < body.len - at ? n : body.len - at;
        atls_buf_format(&buf, "%zx\r\n", take);
        atls_buf_put(&buf, atls_bytes_of(body.ptr + at, take));
        atls_buf_str(&buf, "\r\n");
        at += take;
    }
    atls_buf_str(&buf, "0\r\n\r\n");
    assert_true(atls_buf_done(&buf, &chunks));
    return rig_answer(r, CHUNKED, chunks);
}

static atls_bytes status_500(rig *r)
{
    return text(r,
                "HTTP/1.1 500 Internal Server Error\r\nContent-Type: application/json\r\nContent-Length: 2\r\n\r\n{}");
}

static atls_bytes redirect(rig *r)
{
    return text(r, "HTTP/1.1 307 Temporary Redirect\r\nLocation: https://a/tdx_quote\r\nContent-Length: 0\r\n\r\n");
}

static atls_bytes no_length(rig *r)
{
    return rig_answer(r, "", rig_body(r));
}

static atls_bytes both_lengths(rig *r)
{
    return rig_answer(r, "Content-Length: 5\r\n" CHUNKED, text(r, "0\r\n\r\n"));
}

static atls_bytes huge(rig *r)
{
    return rig_answer(r, "Content-Length: 4194305\r\n", text(r, "{"));
}

static atls_bytes extra_bytes(rig *r)
{
    return joined(r, honest(r), "x");
}

/* The answer in one record, the surplus in the next. */
static atls_bytes extra_record(rig *r)
{
    atls_bytes answer = honest(r);
    r->peer.out_record = answer.len;
    return joined(r, answer, "HTTP/1.1 200 OK\r\n\r\n");
}

/* The same, with a ticket in front of each: what is behind a ticket counts, too. */
static atls_bytes extra_behind_ticket(rig *r)
{
    r->peer.tickets = true;
    return extra_record(r);
}

static atls_bytes honest_in_tickets(rig *r)
{
    r->peer.tickets = true;
    r->peer.out_record = 1000;
    return honest(r);
}

static atls_bytes close_header(rig *r)
{
    atls_bytes body = rig_body(r);
    char headers[96];
    snprintf(headers, sizeof headers, "Connection: close\r\nContent-Length: %zu\r\n", body.len);
    return rig_answer(r, headers, body);
}

static atls_bytes cut_to(rig *r, atls_bytes whole, size_t n)
{
    (void)r;
    return atls_bytes_of(whole.ptr, n);
}

static atls_bytes half_body(rig *r)
{
    atls_bytes whole = honest(r);
    r->peer.close = true;
    return cut_to(r, whole, whole.len - 1);
}

static atls_bytes half_header(rig *r)
{
    r->peer.close = true;
    return text(r, "HTTP/1.1 200 OK\r\nContent-");
}

static atls_bytes nothing(rig *r)
{
    r->peer.close = true;
    return text(r, "");
}

static atls_bytes cut_off(rig *r)
{
    r->peer.cut = true;
    return cut_to(r, honest(r), 100);
}

static atls_bytes other_body(rig *r, const char *body)
{
    return rig_answer_counted(r, atls_bytes_str(body));
}

static atls_bytes not_json(rig *r)
{
    return other_body(r, "<html>");
}

static atls_bytes empty_body(rig *r)
{
    return other_body(r, "");
}

static atls_bytes no_quote(rig *r)
{
    return other_body(r, "{\"success\":false,\"error\":\"no\"}");
}

static atls_bytes quote_not_hex(rig *r)
{
    return other_body(r, "{\"quote\":{\"quote\":\"xy\",\"event_log\":\"[]\"}}");
}

static atls_bytes quote_garbage(rig *r)
{
    return other_body(r, "{\"quote\":{\"quote\":\"0400\",\"event_log\":\"[]\"}}");
}

static atls_bytes log_garbage(rig *r)
{
    return other_body(r, "{\"quote\":{\"quote\":\"0400\",\"event_log\":7}}");
}

static atls_bytes over(rig *r, const uint8_t nonce[32], const uint8_t ekm[32])
{
    uint8_t report_data[64];
    atls_bytes body;
    assert_true(atls_dstack_report_data(nonce, ekm, report_data, &r->err));
    assert_true(sim_response(r->sim, report_data, &r->arena, &body, &r->err));
    return rig_answer_counted(r, body);
}

static atls_bytes nonce_other(rig *r)
{
    uint8_t nonce[32];
    uint8_t ekm[32];
    rig_nonce(r, nonce);
    rig_exporter(r->server_ssl, ekm);
    nonce[31] ^= 1;
    return over(r, nonce, ekm);
}

static atls_bytes ekm_other(rig *r)
{
    uint8_t nonce[32];
    uint8_t ekm[32];
    rig_nonce(r, nonce);
    rig_exporter(r->server_ssl, ekm);
    ekm[0] ^= 0x80;
    return over(r, nonce, ekm);
}

static atls_bytes report_data_zero(rig *r)
{
    static const uint8_t zero[64];
    atls_bytes body;
    assert_true(sim_response(r->sim, zero, &r->arena, &body, &r->err));
    return rig_answer_counted(r, body);
}

/* ---- rows -------------------------------------------------------------------------------------------------------- */

typedef struct row {
    const char *name; /* what the row proves */
    rig_script script;
    atls_code code;
    const char *field;
    const char *actual; /* NULL: whatever */
} row;

/* clang-format off */
static const row rows[] = {
    {"an honest answer is accepted", honest, ATLS_OK, "", NULL},
    {"http-chunked is accepted", chunked, ATLS_OK, "", NULL},
    {"100-continue before it is accepted", after_continue, ATLS_OK, "", NULL},
    {"tickets between the records of an answer are passed over", honest_in_tickets, ATLS_OK, "", NULL},
    {"http-500", status_500, ATLS_E_IO, "response.status", "500"},
    {"http-redirect is not followed", redirect, ATLS_E_IO, "response.status", "307"},
    {"http-no-length", no_length, ATLS_E_IO, "response.content_length", "missing"},
    {"http-both-lengths", both_lengths, ATLS_E_IO, "response.content_length", NULL},
    {"http-huge", huge, ATLS_E_IO, "response.body", NULL},
    {"http-extra-bytes in the same record", extra_bytes, ATLS_E_IO, "response.end", "1 bytes"},
    {"http-extra-bytes in a record of their own", extra_record, ATLS_E_IO, "response.end", NULL},
    {"http-extra-bytes behind a ticket", extra_behind_ticket, ATLS_E_IO, "response.end", NULL},
    {"a connection that would close cannot carry the application", close_header, ATLS_E_IO, "response.connection", "close"},
    {"half a body, properly closed", half_body, ATLS_E_IO, "response.body", NULL},
    {"half a header, properly closed", half_header, ATLS_E_IO, "response.header", NULL},
    {"no answer, properly closed", nothing, ATLS_E_IO, "response.header", NULL},
    {"half an answer, cut off", cut_off, ATLS_E_IO, "response", NULL},
    {"a body that is no JSON", not_json, ATLS_E_QUOTE, NULL, NULL},
    {"a body of nothing", empty_body, ATLS_E_QUOTE, NULL, NULL},
    {"a refusal with status 200", no_quote, ATLS_E_QUOTE, NULL, NULL},
    {"a quote that is not hex", quote_not_hex, ATLS_E_OTHER, NULL, NULL},
    {"a quote of two bytes", quote_garbage, ATLS_E_QUOTE_FORMAT, NULL, NULL},
    {"a log of another type", log_garbage, ATLS_E_EVENT_LOG_PARSE, NULL, NULL},
    {"nonce-other: an answer to another question", nonce_other, ATLS_E_REPORT_DATA_MISMATCH, "quote.body.reportdata", NULL},
    {"ekm-other: an answer on another session", ekm_other, ATLS_E_REPORT_DATA_MISMATCH, "quote.body.reportdata", NULL},
    {"report-data-zero", report_data_zero, ATLS_E_REPORT_DATA_MISMATCH, "quote.body.reportdata", NULL},
};
/* clang-format on */

/* After a failure nothing passes any more, and the error stays. */
static void expect_closed(rig *r)
{
    char buf[16];
    size_t n = 1;
    atls_error err = {0};
    assert_int_equal(atls_session_read(r->client, buf, sizeof buf, &n, &err), ATLS_STEP_FAILED);
    assert_int_equal(n, 0);
    assert_int_equal(err.code, r->client_err.code);
    atls_error_clear(&err);
    assert_int_equal(atls_session_write(r->client, "x", 1, &n, &err), ATLS_STEP_FAILED);
    assert_int_equal(err.code, r->client_err.code);
    atls_error_clear(&err);
    assert_int_equal(atls_session_step(r->client, &err), ATLS_STEP_FAILED);
    assert_string_equal(err.field, r->client_err.field);
    assert_int_equal(atls_session_timeout_ms(r->client), 0);
}

static void check_row(const row *w, size_t bio_size)
{
    rig r;
    rig_open(&r);
    r.bio_size = bio_size;
    rig_start(&r, w->script);
    rig_run(&r);
    assert_string_equal(atls_code_name(r.client_err.code), atls_code_name(w->code));
    if (w->field != NULL) {
        assert_string_equal(r.client_err.field, w->field);
    }
    if (w->actual != NULL) {
        assert_string_equal(r.client_err.actual, w->actual);
    }
    if (w->code == ATLS_OK) {
        assert_int_equal(r.client_step, ATLS_STEP_DONE);
        assert_int_equal(atls_session_result(r.client)->verdict, ATLS_VERDICT_ACCEPTED);
    } else {
        const atls_result *result = atls_session_result(r.client);
        assert_int_equal(r.client_step, ATLS_STEP_FAILED);
        assert_true(result == NULL || result->verdict != ATLS_VERDICT_ACCEPTED);
        assert_true(r.client_err.retry == (w->code == ATLS_E_IO));
        expect_closed(&r);
    }
    rig_close(&r);
}

static void test_row(void **state)
{
    check_row(*state, 0);
}

/* Every byte is a step of its own: want-read and want-write in each place where they can be. */
static void test_row_byte_by_byte(void **state)
{
    check_row(*state, 1);
}

/* ---- request ----------------------------------------------------------------------------------------------------- */

/* The bytes of section 1. */
static void check_request(const char *server_name, const char *http_host, const char *host)
{
    rig r;
    char expected[512];
    uint8_t nonce[32];
    char digits[65];
    rig_open(&r);
    r.client_options.server_name = server_name;
    r.client_options.http_host = http_host;
    r.client_options.identity = ATLS_IDENTITY_ATTESTED_ONLY;
    rig_policy(&r, "\"attested_only\":true,");
    rig_start(&r, honest);
    rig_run(&r);
    rig_nonce(&r, nonce);
    atls_hex_encode(atls_bytes_of(nonce, sizeof nonce), digits);
    snprintf(expected, sizeof expected,
             "POST /tdx_quote HTTP/1.1\r\nHost: %s\r\nContent-Type: application/json\r\nContent-Length: 80\r\n"
             "Connection: keep-alive\r\n\r\n{\"nonce_hex\":\"%s\"}",
             host, digits);
    assert_true(atls_bytes_equal_str(atls_bytes_of(r.peer.in, r.peer.in_len), expected));
    assert_int_equal(r.client_step, ATLS_STEP_DONE);
    assert_true(atls_session_result(r.client)->attested_only);
    rig_close(&r);
}

static void test_request_bytes(void **state)
{
    (void)state;
    check_request(RIG_NAME, NULL, RIG_NAME);
    check_request(RIG_NAME, "other.example.com:8443", "other.example.com:8443");
    check_request("192.0.2.1", NULL, "192.0.2.1");
    check_request("2001:db8::1", NULL, "[2001:db8::1]");
}

/* Two sessions, two nonces (R16). */
static void test_nonces_differ(void **state)
{
    (void)state;
    uint8_t nonces[2][32];
    for (size_t i = 0; i < 2; i++) {
        rig r;
        rig_open(&r);
        rig_start(&r, honest);
        rig_run(&r);
        rig_nonce(&r, nonces[i]);
        rig_close(&r);
    }
    assert_memory_not_equal(nonces[0], nonces[1], 32);
}

/* ---- whose session ----------------------------------------------------------------------------------------------- */

/* A middle-man with a certificate that the client accepts asks the real server for evidence, and hands it on. The two
 * legs have two exporters. */
static rig *honest_server;

static atls_bytes relayed(rig *r)
{
    rig *far = honest_server;
    uint8_t buf[1024];
    atls_buf answer;
    atls_bytes out;
    SSL *leg = far->client_ssl;
    SSL_set_connect_state(leg);
    atls_buf_init(&answer, &r->arena, &r->err);
    size_t sent = 0;
    for (unsigned turn = 0; turn < 200 && far->server_step != ATLS_STEP_DONE; turn++) {
        if (SSL_do_handshake(leg) == 1 && sent < r->peer.in_len) {
            int n = SSL_write(leg, r->peer.in + sent, (int)(r->peer.in_len - sent));
            sent += n > 0 ? (size_t)n : 0;
        }
        far->server_step = atls_session_step(far->server, &far->server_err);
        assert_int_not_equal(far->server_step, ATLS_STEP_FAILED);
        for (int n = SSL_read(leg, buf, sizeof buf); n > 0; n = SSL_read(leg, buf, sizeof buf)) {
            atls_buf_put(&answer, atls_bytes_of(buf, (size_t)n));
        }
    }
    assert_int_equal(far->server_step, ATLS_STEP_DONE);
    for (int n = SSL_read(leg, buf, sizeof buf); n > 0; n = SSL_read(leg, buf, sizeof buf)) {
        atls_buf_put(&answer, atls_bytes_of(buf, (size_t)n));
    }
    assert_true(atls_buf_done(&answer, &out));
    return out;
}

static void test_relay(void **state)
{
    (void)state;
    rig near;
    rig far;
    rig_open(&near);
    rig_open(&far); /* the same room: the same machine, the same certificate and key */
    rig_ssl(&far);
    rig_server(&far);
    honest_server = &far;
    rig_start(&near, relayed);
    rig_run(&near);
    rig_expect_client(&near, ATLS_E_REPORT_DATA_MISMATCH, "quote.body.reportdata");
    assert_int_equal(atls_session_result(near.client)->verdict, ATLS_VERDICT_REJECTED);
    honest_server = NULL;
    rig_close(&far);
    rig_close(&near);
}

/* The server took another certificate since the last one was measured (R6). */
static void test_rotation(void **state)
{
    (void)state;
    rig r;
    sim *other;
    sim_tls rotated;
    static const sim_options room = {.seed = "rotated"};
    rig_open(&r);
    assert_true(sim_new(&room, &other, &r.err));
    assert_true(sim_tls_identity(other, RIG_NAME, &r.arena, &rotated, &r.err));
    SSL_CTX_free(r.server_ctx);
    r.server_ctx = rig_context(true, &rotated);
    char ca_file[64];
    rig_file(ca_file, rotated.ca_pem);
    r.client_options.ca_file = ca_file;
    rig_start(&r, NULL);
    rig_run(&r);
    rig_expect_client(&r, ATLS_E_CERTIFICATE_NOT_IN_EVENT_LOG, r.client_err.field);
    assert_true(strstr(r.client_err.field, "event_log") != NULL);
    remove(ca_file);
    sim_free(other);
    rig_close(&r);
}

/* The certificate before last is measured; the current one was added: accepted. */
static void test_renewed(void **state)
{
    (void)state;
    rig r;
    rig_open(&r);
    assert_true(sim_measure_certificate(r.sim, atls_bytes_str("an older certificate"), &r.err));
    assert_true(sim_measure_certificate(r.sim, r.tls.leaf_der, &r.err));
    rig_start(&r, NULL);
    rig_run(&r);
    assert_int_equal(r.client_step, ATLS_STEP_DONE);
    rig_close(&r);
}

/* ---- endorsements and time --------------------------------------------------------------------------------------- */

static bool no_endorsements(void *ctx, const atls_endorsement_request *request, atls_arena *arena,
                            atls_endorsements *out, atls_error *err)
{
    (void)ctx;
    (void)request;
    (void)arena;
    (void)out;
    return atls_fail(err, ATLS_E_ENDORSEMENTS_MISSING, "endorsements", "none at hand");
}

static void test_no_endorsements(void **state)
{
    (void)state;
    for (size_t i = 0; i < 2; i++) {
        rig r;
        rig_open(&r);
        r.client_options.endorse = i == 0 ? NULL : no_endorsements;
        rig_start(&r, NULL);
        rig_run(&r);
        rig_expect_client(&r, ATLS_E_ENDORSEMENTS_MISSING, "endorsements");
        assert_int_equal(atls_session_result(r.client)->verdict, ATLS_VERDICT_UNDECIDED);
        rig_close(&r);
    }
}

static bool slow_endorse(void *ctx, const atls_endorsement_request *request, atls_arena *arena, atls_endorsements *out,
                         atls_error *err)
{
    rig_nap(620 * rig_patience());
    return sim_endorse(ctx, request, arena, out, err);
}

/* A verdict that comes after the deadline is none. */
static void test_late_verdict(void **state)
{
    (void)state;
    rig r;
    rig_open(&r);
    r.client_options.endorse = slow_endorse;
    r.client_options.timeout_ms = 600 * rig_patience();
    rig_start(&r, honest);
    rig_run(&r);
    rig_expect_client(&r, ATLS_E_TIMEOUT, "session.exchange");
    assert_null(atls_session_result(r.client));
    rig_close(&r);
}

static void test_small_arena(void **state)
{
    (void)state;
    static const size_t sizes[] = {1024, 20 * 1024, 64 * 1024, 100 * 1024};
    for (size_t i = 0; i < sizeof sizes / sizeof sizes[0]; i++) {
        rig r;
        rig_open(&r);
        r.client_options.arena_size = sizes[i];
        rig_start(&r, honest);
        rig_run(&r);
        rig_expect_client(&r, ATLS_E_MEMORY, "arena");
        rig_close(&r);
    }
}

int main(void)
{
    tap_list l = {0};
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        tap_add(&l, rows[i].name, test_row, &rows[i]);
        /* What comes in a later record, after the session was established, is the application's; and tickets do not fit. */
        if (rows[i].script != extra_record && rows[i].script != extra_behind_ticket
            && rows[i].script != honest_in_tickets) {
            tap_add(&l, "the same, byte by byte", test_row_byte_by_byte, &rows[i]);
        }
    }
    tap_add(&l, "the request is that of the specification, byte for byte", test_request_bytes, NULL);
    tap_add(&l, "every session has a nonce of its own", test_nonces_differ, NULL);
    tap_add(&l, "relay: a middle-man with a good certificate is ReportDataMismatch", test_relay, NULL);
    tap_add(&l, "rotation: a certificate that was not measured is CertificateNotInEventLog", test_rotation, NULL);
    tap_add(&l, "a renewed certificate is accepted when it was measured last", test_renewed, NULL);
    tap_add(&l, "without endorsements nothing is decided", test_no_endorsements, NULL);
    tap_add(&l, "a verdict after the deadline is a time-out", test_late_verdict, NULL);
    tap_add(&l, "an arena that is too small is MEMORY, wherever it ends", test_small_arena, NULL);
    return tap_run("exchange", &l);
}
