/* SPDX-License-Identifier: Apache-2.0 */
/* test_server.c: what the server's side makes of requests: section 7.1 of the specification of dstack. The client is
 * scripted: it says whatever a row wants, and reads the answer to its end. */
#include "rig.h"

#include <openssl/err.h>

#define NONCE     "000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f"
#define BODY      "{\"nonce_hex\":\"" NONCE "\"}"
#define HEAD      "POST /tdx_quote HTTP/1.1\r\nHost: a\r\n"
#define JSON_TYPE "Content-Type: application/json\r\n"

typedef struct talk {
    const char *request;
    size_t request_len;
    size_t sent;
    bool ended; /* the server said goodbye */
    char answer[256 * 1024];
    size_t answer_len;
} talk;

static void client_turn(rig *r, talk *t)
{
    ERR_clear_error();
    if (SSL_do_handshake(r->client_ssl) == 1 && t->sent < t->request_len) {
        int n = SSL_write(r->client_ssl, t->request + t->sent, (int)(t->request_len - t->sent));
        t->sent += n > 0 ? (size_t)n : 0;
    }
    for (;;) {
        int n = SSL_read(r->client_ssl, t->answer + t->answer_len, (int)(sizeof t->answer - 1 - t->answer_len));
        if (n <= 0) {
            t->ended = t->ended || SSL_get_error(r->client_ssl, n) == SSL_ERROR_ZERO_RETURN;
            break;
        }
        t->answer_len += (size_t)n;
    }
    t->answer[t->answer_len] = '\0';
    ERR_clear_error();
}

static void run(rig *r, talk *t, const char *request, size_t len)
{
    *t = (talk){.request = request, .request_len = len};
    rig_ssl(r);
    rig_server(r);
    SSL_set_connect_state(r->client_ssl);
    r->server_step = ATLS_STEP_WANT_READ;
    for (unsigned i = 0; i < 100000 && r->server_step != ATLS_STEP_DONE && r->server_step != ATLS_STEP_FAILED; i++) {
        client_turn(r, t);
        r->server_step = atls_session_step(r->server, &r->server_err);
    }
    client_turn(r, t);
}

static unsigned status_of(const talk *t)
{
    return t->answer_len > 12 ? (unsigned)strtoul(t->answer + 9, NULL, 10) : 0;
}

static atls_bytes body_of(const talk *t)
{
    const char *end = strstr(t->answer, "\r\n\r\n");
    assert_non_null(end);
    return atls_bytes_of(end + 4, t->answer_len - (size_t)(end + 4 - t->answer));
}

/* ---- honest ------------------------------------------------------------------------------------------------------ */

static void check_honest(size_t bio_size, const char *request)
{
    rig r;
    static talk t;
    uint8_t nonce[32];
    uint8_t ekm[32];
    uint8_t report_data[64];
    char digits[129];
    atls_dstack_response response;
    size_t n = 0;
    rig_open(&r);
    r.bio_size = bio_size;
    run(&r, &t, request, strlen(request));
    assert_int_equal(r.server_step, ATLS_STEP_DONE);
    assert_int_equal(status_of(&t), 200);
    assert_non_null(strstr(t.answer, "\r\nContent-Type: application/json\r\n"));
    assert_null(strstr(t.answer, "Transfer-Encoding"));
    atls_bytes body = body_of(&t);
    char length[64];
    snprintf(length, sizeof length, "\r\nContent-Length: %zu\r\n", body.len);
    assert_non_null(strstr(t.answer, length));
    assert_non_null(strstr(t.answer, "\"event_log\":\"[")); /* a string: section 8 */
    assert_true(atls_dstack_response_decode(body, &r.arena, &response, &r.err));
    assert_true(atls_hex_fixed(atls_bytes_str(NONCE), nonce, sizeof nonce));
    rig_exporter(r.client_ssl, ekm);
    assert_true(atls_dstack_report_data(nonce, ekm, report_data, &r.err));
    atls_hex_encode(atls_bytes_of(report_data, sizeof report_data), digits);
    assert_non_null(strstr(t.answer, digits));
    assert_false(t.ended);
    /* and the session carries the application */
    char got[8];
    atls_step step = ATLS_STEP_WANT_READ;
    for (unsigned i = 0; i < 100 && step == ATLS_STEP_WANT_READ; i++) {
        (void)SSL_write(r.client_ssl, "GET", 3);
        step = atls_session_read(r.server, got, sizeof got, &n, &r.err);
    }
    ERR_clear_error();
    assert_int_equal(step, ATLS_STEP_DONE);
    assert_int_equal(n, 3);
    rig_close(&r);
}

static void test_honest(void **state)
{
    (void)state;
    check_honest(0, HEAD JSON_TYPE "Content-Length: 80\r\nConnection: keep-alive\r\n\r\n" BODY);
    check_honest(1, HEAD JSON_TYPE "Content-Length: 80\r\nConnection: keep-alive\r\n\r\n" BODY);
    check_honest(0, HEAD JSON_TYPE "Content-Length: 92\r\n\r\n{ \"x\" : 1 ,\"nonce_hex\":\n\"" NONCE "\"}\n");
    check_honest(0, HEAD JSON_TYPE "Transfer-Encoding: chunked\r\n\r\n50\r\n" BODY "\r\n0\r\n\r\n");
    check_honest(0, HEAD "Content-Type: application/json; charset=utf-8\r\nContent-Length: 80\r\n\r\n"
                         "{\"nonce_hex\":\"000102030405060708090A0B0C0D0E0F101112131415161718191A1B1C1D1E1F\"}");
}

/* ---- refused requests -------------------------------------------------------------------------------------------- */

typedef struct row {
    const char *name;
    const char *head; /* up to, and without, Content-Length */
    const char *body; /* NULL: no body and no length */
    unsigned status;
    const char *field;
} row;

/* clang-format off */
static const row rows[] = {
    {"63 digits", HEAD JSON_TYPE, "{\"nonce_hex\":\"00102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f\"}", 400, "request.body.nonce_hex"},
    {"66 digits", HEAD JSON_TYPE, "{\"nonce_hex\":\"" NONCE "20\"}", 400, "request.body.nonce_hex"},
    {"a digit that is none", HEAD JSON_TYPE, "{\"nonce_hex\":\"g00102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f\"}", 400, "request.body.nonce_hex"},
    {"0x in front", HEAD JSON_TYPE, "{\"nonce_hex\":\"0x0102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f\"}", 400, "request.body.nonce_hex"},
    {"an empty nonce", HEAD JSON_TYPE, "{\"nonce_hex\":\"\"}", 400, "request.body.nonce_hex"},
    {"a number as nonce", HEAD JSON_TYPE, "{\"nonce_hex\":1}", 400, "request.body.nonce_hex"},
    {"no nonce", HEAD JSON_TYPE, "{\"nonce\":\"" NONCE "\"}", 400, "request.body.nonce_hex"},
    {"two nonces", HEAD JSON_TYPE, "{\"nonce_hex\":\"" NONCE "\",\"nonce_hex\":\"" NONCE "\"}", 400, "request.body"},
    {"no object", HEAD JSON_TYPE, "\"" NONCE "\"", 400, "request.body.nonce_hex"},
    {"no JSON", HEAD JSON_TYPE, "nonce_hex=" NONCE, 400, "request.body"},
    {"JSON with something behind it", HEAD JSON_TYPE, BODY "x", 400, "request.body"},
    {"another type", HEAD "Content-Type: text/plain\r\n", BODY, 400, "request.content_type"},
    {"no type", HEAD, BODY, 400, "request.content_type"},
    {"another path", "POST /quote HTTP/1.1\r\nHost: a\r\n" JSON_TYPE, BODY, 404, "request.path"},
    {"an ordinary request", "GET / HTTP/1.1\r\nHost: a\r\n", NULL, 404, "request.path"},
    {"another method", "GET /tdx_quote HTTP/1.1\r\nHost: a\r\n", NULL, 405, "request.method"},
    {"PUT", "PUT /tdx_quote HTTP/1.1\r\nHost: a\r\n" JSON_TYPE, BODY, 405, "request.method"},
    {"no length", HEAD JSON_TYPE, NULL, 400, "request.content_length"},
    {"both lengths", HEAD JSON_TYPE "Transfer-Encoding: chunked\r\n", BODY, 400, "request.content_length"},
    {"a connection that would close", HEAD JSON_TYPE "Connection: close\r\n", BODY, 400, "request.connection"},
    {"an upgrade", HEAD JSON_TYPE "Connection: upgrade\r\nUpgrade: websocket\r\n", BODY, 400, "request.upgrade"},
    {"HTTP/1.0", "POST /tdx_quote HTTP/1.0\r\nHost: a\r\n" JSON_TYPE, BODY, 400, "request.version"},
    {"no HTTP", "hello\r\n", NULL, 400, "request.method"},
    {"the preface of HTTP/2", "PRI * HTTP/2.0\r\n", NULL, 400, "request.method"},
};
/* clang-format on */

static void expect_refusal(const rig *r, const talk *t, unsigned status, const char *field)
{
    static const char begin[] = "{\"success\":false,\"error\":\"";
    assert_int_equal(status_of(t), status);
    assert_int_equal(r->server_step, ATLS_STEP_FAILED);
    assert_string_equal(r->server_err.field, field);
    assert_non_null(strstr(t->answer, "\r\nConnection: close\r\n"));
    assert_non_null(strstr(t->answer, "\r\nContent-Type: application/json\r\n"));
    assert_int_equal(strstr(t->answer, "\r\nAllow: POST\r\n") != NULL, status == 405);
    assert_true(body_of(t).len > strlen(begin) && memcmp(body_of(t).ptr, begin, strlen(begin)) == 0);
    assert_true(t->ended); /* the answer, then goodbye */
}

static void test_refused(void **state)
{
    const row *w = *state;
    rig r;
    static talk t;
    char request[8192];
    if (w->body == NULL) {
        snprintf(request, sizeof request, "%s\r\n", w->head);
    } else {
        snprintf(request, sizeof request, "%sContent-Length: %zu\r\n\r\n%s", w->head, strlen(w->body), w->body);
    }
    rig_open(&r);
    run(&r, &t, request, strlen(request));
    expect_refusal(&r, &t, w->status, w->field);
    assert_int_equal(r.server_err.code, ATLS_E_IO);
    rig_close(&r);
}

static void test_body_too_long(void **state)
{
    (void)state;
    rig r;
    static talk t;
    static char request[8192];
    int n = snprintf(request, sizeof request, HEAD JSON_TYPE "Content-Length: 4097\r\n\r\n");
    memset(request + n, ' ', 4097);
    rig_open(&r);
    run(&r, &t, request, (size_t)n + 4097);
    expect_refusal(&r, &t, 400, "request.body");
    rig_close(&r);
}

/* R12: a client that goes on before it has seen evidence is not one of ours. */
static void test_pipelined(void **state)
{
    (void)state;
    static const char request[] = HEAD JSON_TYPE "Content-Length: 80\r\n\r\n" BODY "GET / HTTP/1.1\r\n";
    rig r;
    static talk t;
    rig_open(&r);
    run(&r, &t, request, strlen(request));
    expect_refusal(&r, &t, 400, "request.end");
    rig_close(&r);
}

/* ---- attesters that fail ----------------------------------------------------------------------------------------- */

static bool attest_refuses(void *ctx, const uint8_t report_data[64], atls_arena *arena, atls_evidence *out,
                           atls_error *err)
{
    (void)ctx;
    (void)report_data;
    (void)arena;
    (void)out;
    return atls_fail(err, ATLS_E_TIMEOUT, "agent", "no answer from /run/secret.sock");
}

static bool attest_is_silent(void *ctx, const uint8_t report_data[64], atls_arena *arena, atls_evidence *out,
                             atls_error *err)
{
    (void)ctx;
    (void)report_data;
    (void)arena;
    (void)out;
    (void)err;
    return false;
}

static bool attest_nothing(void *ctx, const uint8_t report_data[64], atls_arena *arena, atls_evidence *out,
                           atls_error *err)
{
    (void)ctx;
    (void)report_data;
    (void)arena;
    (void)err;
    out->quote = atls_bytes_empty();
    return true;
}

static bool attest_latin1(void *ctx, const uint8_t report_data[64], atls_arena *arena, atls_evidence *out,
                          atls_error *err)
{
    (void)ctx;
    (void)report_data;
    (void)arena;
    (void)err;
    out->quote = atls_bytes_str("quote");
    out->event_log = atls_bytes_str("[\"\374\"]");
    return true;
}

static bool attest_too_much(void *ctx, const uint8_t report_data[64], atls_arena *arena, atls_evidence *out,
                            atls_error *err)
{
    static char log[4 * 1024 * 1024];
    (void)ctx;
    (void)report_data;
    (void)arena;
    (void)err;
    memset(log, ' ', sizeof log);
    out->quote = atls_bytes_str("quote");
    out->event_log = atls_bytes_of(log, sizeof log);
    return true;
}

typedef struct attest_row {
    const char *name;
    atls_attest_fn attest;
    size_t arena_size;
    atls_code code;
    const char *field;
} attest_row;

static const attest_row attest_rows[] = {
    {"an attester that refuses: its error, and 503", attest_refuses, 0, ATLS_E_TIMEOUT, "agent"},
    {"an attester that does not say why", attest_is_silent, 0, ATLS_E_INTERNAL, "attest"},
    {"an attester without a quote", attest_nothing, 0, ATLS_E_INTERNAL, "evidence.quote"},
    {"an attester whose log is no UTF-8", attest_latin1, 0, ATLS_E_INTERNAL, "evidence.event_log"},
    {"evidence that no client takes", attest_too_much, (size_t)64 * 1024 * 1024, ATLS_E_INTERNAL, "response.body"},
    {"evidence that the arena does not hold", attest_too_much, 0, ATLS_E_MEMORY, "arena"},
};

static void test_attester(void **state)
{
    static const char request[] = HEAD JSON_TYPE "Content-Length: 80\r\n\r\n" BODY;
    const attest_row *w = *state;
    rig r;
    static talk t;
    rig_open(&r);
    r.server_options.attest = w->attest;
    r.server_options.arena_size = w->arena_size;
    run(&r, &t, request, strlen(request));
    expect_refusal(&r, &t, 503, w->field);
    assert_int_equal(r.server_err.code, w->code);
    assert_null(strstr(t.answer, "secret")); /* no internals */
    rig_close(&r);
}

/* ---- clients that go away ---------------------------------------------------------------------------------------- */

static void test_ended_request(void **state)
{
    (void)state;
    rig r;
    static talk t;
    rig_open(&r);
    rig_ssl(&r);
    rig_server(&r);
    t = (talk){.request = HEAD, .request_len = strlen(HEAD)};
    SSL_set_connect_state(r.client_ssl);
    for (unsigned i = 0; i < 10; i++) {
        client_turn(&r, &t);
        assert_int_not_equal(atls_session_step(r.server, &r.server_err), ATLS_STEP_FAILED);
    }
    (void)SSL_shutdown(r.client_ssl);
    assert_int_equal(atls_session_step(r.server, &r.server_err), ATLS_STEP_FAILED);
    assert_int_equal(r.server_err.code, ATLS_E_IO);
    assert_string_equal(r.server_err.field, "request.header");
    rig_close(&r);
}

static void test_deadline(void **state)
{
    (void)state;
    rig r;
    static talk t;
    rig_open(&r);
    r.server_options.timeout_ms = 500 * rig_patience();
    rig_ssl(&r);
    rig_server(&r);
    t = (talk){0};
    SSL_set_connect_state(r.client_ssl);
    for (unsigned i = 0; i < 5; i++) {
        client_turn(&r, &t);
        assert_int_equal(atls_session_step(r.server, &r.server_err), ATLS_STEP_WANT_READ);
    }
    assert_true(atls_session_timeout_ms(r.server) <= 500 * (int)rig_patience());
    rig_nap(520 * rig_patience());
    assert_int_equal(atls_session_timeout_ms(r.server), 0);
    assert_int_equal(atls_session_step(r.server, &r.server_err), ATLS_STEP_FAILED);
    assert_int_equal(r.server_err.code, ATLS_E_TIMEOUT);
    assert_string_equal(r.server_err.field, "session.exchange");
    assert_true(r.server_err.retry);
    rig_close(&r);
}

/* ---- attest_to: certificate ------------------------------------------------------------------------------------------ */

typedef struct certificate_row {
    const char *name;
    bool is_native;
    bool required;
} certificate_row;

static const certificate_row certificate_rows[] = {
    {"atls/1: a certificate is required, and there is none", true, true},
    {"atls/1: none is required", true, false},
    {"dstack: a certificate is required, and there is none", false, true},
    {"dstack: none is required", false, false},
};

/* Over an SSL of one's own its SSL_CTX says to whom this machine proves itself: no evidence is made for others. */
static void test_certificate(void **state)
{
    const certificate_row *w = *state;
    rig_counted c = {0};
    rig r;
    rig_open(&r);
    if (w->is_native) {
        rig_native(&r);
    }
    c.room = r.sim;
    r.server_options.attest = rig_attest_counted;
    r.server_options.attest_ctx = &c;
    if (w->required) {
        SSL_CTX_set_verify(r.server_ctx, SSL_VERIFY_PEER | SSL_VERIFY_FAIL_IF_NO_PEER_CERT, NULL);
    }
    rig_start(&r, NULL);
    rig_run_to_end(&r);
    assert_int_equal(c.n, w->required ? 0 : 1);
    if (w->required) {
        assert_int_equal(r.server_step, ATLS_STEP_FAILED);
        assert_string_equal(atls_code_name(r.server_err.code), "TLS_HANDSHAKE");
        assert_int_equal(r.client_step, ATLS_STEP_FAILED);
    } else {
        rig_expect_established(&r);
    }
    rig_close(&r);
}

int main(void)
{
    tap_list l = {0};
    tap_add(&l, "an honest request, in every form that is allowed", test_honest, NULL);
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        tap_add(&l, rows[i].name, test_refused, &rows[i]);
    }
    tap_add(&l, "a body over 4 KiB", test_body_too_long, NULL);
    tap_add(&l, "bytes behind the request", test_pipelined, NULL);
    for (size_t i = 0; i < sizeof attest_rows / sizeof attest_rows[0]; i++) {
        tap_add(&l, attest_rows[i].name, test_attester, &attest_rows[i]);
    }
    for (size_t i = 0; i < sizeof certificate_rows / sizeof certificate_rows[0]; i++) {
        tap_add(&l, certificate_rows[i].name, test_certificate, &certificate_rows[i]);
    }
    tap_add(&l, "a client that ends in the middle", test_ended_request, NULL);
    tap_add(&l, "a client that says nothing", test_deadline, NULL);
    return tap_run("server", &l);
}
