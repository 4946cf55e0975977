/* SPDX-License-Identifier: Apache-2.0 */
/* dstack_server.c: read one request for a quote, make evidence over this session's exporter, answer. */
#include <stdio.h>
#include <string.h>

#include "base/json.h"
#include "dstack.h"
#include "edge/attester/queue.h"
#include "http.h"
#include "io.h"
#include "server.h"

#define PIECE_SIZE            4096u
#define MAX_ANSWER_HEADER_LEN 256u

typedef struct exchange {
    atls_http http;
    uint8_t piece[PIECE_SIZE];
    bool asked; /* a whole request has come */
    bool answering;
    uint8_t report_data[64];
    char header[MAX_ANSWER_HEADER_LEN];
    atls_bytes parts[2]; /* of the answer: header, body */
    size_t sent;         /* bytes of both parts */
    atls_error refusal;  /* why the session ends when the answer has been sent; OK: it goes on */
} exchange;

/* ---- answers ----------------------------------------------------------------------------------------------------- */

static const char *status_text(unsigned status)
{
    switch (status) {
    case 200:
        return "OK";
    case 404:
        return "Not Found";
    case 405:
        return "Method Not Allowed";
    case 503:
        return "Service Unavailable";
    default:
        return "Bad Request";
    }
}

/* What the peer is told, and nothing more: no internals (section 7.1). */
static const char *refusal_body(unsigned status)
{
    switch (status) {
    case 404:
        return "{\"success\":false,\"error\":\"not found\"}";
    case 405:
        return "{\"success\":false,\"error\":\"method not allowed\"}";
    case 503:
        return "{\"success\":false,\"error\":\"no evidence can be made at the moment\"}";
    default:
        return "{\"success\":false,\"error\":\"bad request\"}";
    }
}

static bool set_answer(exchange *x, unsigned status, atls_bytes body, atls_error *err)
{
    int n = snprintf(
        x->header, sizeof x->header,
        "HTTP/1.1 %u %s\r\nContent-Type: application/json\r\nContent-Length: %zu\r\n%sConnection: %s\r\n\r\n", status,
        status_text(status), body.len, status == 405 ? "Allow: POST\r\n" : "", status == 200 ? "keep-alive" : "close");
    if (n < 0 || (size_t)n >= sizeof x->header) {
        return atls_fail(err, ATLS_E_INTERNAL, "response.header", "the header does not fit");
    }
    x->parts[0] = atls_bytes_of(x->header, (size_t)n);
    x->parts[1] = body;
    x->answering = true;
    return true;
}

static bool refuse(exchange *x, unsigned status, const atls_error *why, atls_error *err)
{
    x->refusal = *why;
    return set_answer(x, status, atls_bytes_str(refusal_body(status)), err);
}

/* ---- request ----------------------------------------------------------------------------------------------------- */

static bool read_nonce(atls_session *s, const exchange *x, uint8_t nonce[32], atls_error *err)
{
    const atls_json *body;
    bool ok = atls_json_parse(atls_http_body(&x->http), "body", &s->arena, &body, err)
              && atls_json_member_hex(body, "body", "nonce_hex", nonce, 32, err);
    return ok || atls_error_relabel(err, ATLS_E_IO, "request");
}

static bool check_evidence(const atls_evidence *e, atls_error *err)
{
    if (e->quote.len == 0 || e->quote.len > ATLS_MAX_QUOTE_LEN) {
        return atls_fail(err, ATLS_E_INTERNAL, "evidence.quote", "the attester made a quote of %zu bytes",
                         e->quote.len);
    }
    if (!atls_utf8_valid(e->event_log) || !atls_utf8_valid(e->vm_config)) {
        return atls_fail(err, ATLS_E_INTERNAL, "evidence.event_log", "the attester made text that is not UTF-8");
    }
    return true;
}

/* Section 8: event_log as a string, body unpadded, because existing clients take nothing else. */
static bool write_evidence(atls_session *s, const atls_evidence *e, const uint8_t report_data[64], atls_bytes *out,
                           atls_error *err)
{
    atls_buf b;
    atls_jw w;
    atls_buf_init(&b, &s->arena, err);
    atls_jw_init(&w, &b);
    atls_jw_open(&w, NULL, '{');
    atls_jw_bool(&w, "success", true);
    atls_jw_open(&w, "quote", '{');
    atls_jw_hex(&w, "quote", e->quote);
    atls_jw_string(&w, "event_log", e->event_log.len == 0 ? atls_bytes_str("[]") : e->event_log);
    atls_jw_hex(&w, "report_data", atls_bytes_of(report_data, 64));
    if (e->vm_config.len > 0) {
        atls_jw_string(&w, "vm_config", e->vm_config);
    }
    atls_jw_close(&w, '}');
    atls_jw_close(&w, '}');
    if (!atls_buf_done(&b, out)) {
        return false;
    }
    return out->len <= ATLS_MAX_HTTP_BODY_LEN
           || atls_fail(err, ATLS_E_INTERNAL, "response.body", "no client takes evidence of %zu bytes", out->len);
}

static bool finish(atls_session *s, const exchange *x, const atls_evidence *e, atls_bytes *body, atls_error *err)
{
    return check_evidence(e, err) && write_evidence(s, e, x->report_data, body, err);
}

static bool attest_now(atls_session *s, const exchange *x, atls_bytes *body, atls_error *err)
{
    atls_evidence e = {atls_bytes_empty(), atls_bytes_empty(), atls_bytes_empty()};
    if (!s->server.attest(s->server.attest_ctx, x->report_data, &s->arena, &e, err)) {
        return atls_fail(err, ATLS_E_INTERNAL, "attest", "the attester failed and did not say why");
    }
    return finish(s, x, &e, body, err);
}

/* R12: the client has nothing to say now. One that has gone takes its request along. */
static atls_step watch(atls_session *s, atls_error *err)
{
    uint8_t byte;
    size_t n;
    if (!atls_io_has_news(s)) {
        return ATLS_STEP_WANT_EVIDENCE;
    }
    atls_step step = atls_io_read(s, &byte, 1, &n, "request", err);
    if (step == ATLS_STEP_WANT_READ) {
        return ATLS_STEP_WANT_EVIDENCE;
    }
    if (step == ATLS_STEP_DONE || step == ATLS_STEP_CLOSED) {
        atls_fail(err, ATLS_E_IO, "request", "the client did not wait for its evidence");
        return ATLS_STEP_FAILED;
    }
    return step;
}

/* A quote of its own, made by the attester's thread: this binding has no place in a tree. */
static atls_step take_ticket(atls_session *s, const exchange *x, atls_bytes *body, atls_error *err)
{
    const atls_attested *made;
    if (s->ticket == NULL
        && !atls_ticket_new(s->server.attester, ATLS_TICKET_REPORT_DATA, x->report_data, &s->ticket, err)) {
        return ATLS_STEP_FAILED;
    }
    if (atls_io_blocks(s)) {
        atls_ticket_wait(s->ticket, (uint32_t)atls_session_timeout_ms(s));
    }
    switch (atls_ticket_poll(s->ticket, &made, err)) {
    case ATLS_TICKET_WAITING:
        return watch(s, err);
    case ATLS_TICKET_READY:
        return finish(s, x, &made->evidence, body, err) ? ATLS_STEP_DONE : ATLS_STEP_FAILED;
    default:
        return ATLS_STEP_FAILED;
    }
}

static atls_step attest(atls_session *s, const exchange *x, atls_bytes *body, atls_error *err)
{
    if (s->server.attester != NULL) {
        return take_ticket(s, x, body, err);
    }
    return attest_now(s, x, body, err) ? ATLS_STEP_DONE : ATLS_STEP_FAILED;
}

/* The request is complete: 400 for what the peer did, 503 for what we could not. */
static bool take_request(atls_session *s, exchange *x, atls_error *err)
{
    uint8_t nonce[32];
    atls_error why = {0};
    if (!read_nonce(s, x, nonce, &why)) {
        return refuse(x, 400, &why, err);
    }
    if (!atls_server_take_request(s, &why) || !atls_dstack_binding(s, nonce, x->report_data, &why)) {
        return refuse(x, 503, &why, err);
    }
    x->asked = true;
    return true;
}

static atls_step make_answer(atls_session *s, exchange *x, atls_error *err)
{
    atls_bytes body = atls_bytes_empty();
    atls_error why = {0};
    if (!x->asked || x->answering) {
        return ATLS_STEP_DONE;
    }
    atls_step step = attest(s, x, &body, &why);
    if (step == ATLS_STEP_WANT_EVIDENCE) {
        return atls_session_in_time(s, err) ? step : ATLS_STEP_FAILED;
    }
    bool ok = step == ATLS_STEP_DONE ? set_answer(x, 200, body, err) : refuse(x, 503, &why, err);
    return ok ? ATLS_STEP_DONE : ATLS_STEP_FAILED;
}

/* ---- stepping ---------------------------------------------------------------------------------------------------- */

/* One piece of the stream. WANT_READ: more is needed; DONE: there is an answer to send. */
static atls_step take_piece(atls_session *s, exchange *x, size_t len, atls_error *err)
{
    size_t used = 0;
    atls_error why = {0};
    atls_http_state state = atls_http_feed(&x->http, atls_bytes_of(x->piece, len), &used, &why);
    if (state == ATLS_HTTP_MORE) {
        return ATLS_STEP_WANT_READ;
    }
    size_t surplus = len - used + atls_io_surplus(s);
    if (state == ATLS_HTTP_DONE && surplus > 0) { /* R12: a client that goes on before it has seen evidence */
        (void)atls_http_surplus(&x->http, surplus, &why);
        state = ATLS_HTTP_FAILED;
    }
    unsigned status = why.code == ATLS_E_MEMORY ? 503 : x->http.answer;
    bool ok = state == ATLS_HTTP_DONE ? take_request(s, x, err) : refuse(x, status, &why, err);
    return ok ? ATLS_STEP_DONE : ATLS_STEP_FAILED;
}

static atls_step read_request(atls_session *s, exchange *x, atls_error *err)
{
    while (!x->asked && !x->answering) {
        size_t n = 0;
        atls_step step = atls_io_read(s, x->piece, sizeof x->piece, &n, "request", err);
        if (step == ATLS_STEP_CLOSED) {
            (void)atls_http_ended(&x->http, err);
            return ATLS_STEP_FAILED;
        }
        if (step != ATLS_STEP_DONE) {
            return step;
        }
        step = take_piece(s, x, n, err);
        if (step == ATLS_STEP_FAILED || (step == ATLS_STEP_WANT_READ && !atls_session_in_time(s, err))) {
            return ATLS_STEP_FAILED;
        }
    }
    return ATLS_STEP_DONE;
}

static atls_step send_answer(atls_session *s, exchange *x, atls_error *err)
{
    size_t total = x->parts[0].len + x->parts[1].len;
    while (x->sent < total) {
        bool in_header = x->sent < x->parts[0].len;
        atls_bytes part = x->parts[in_header ? 0 : 1];
        size_t at = in_header ? x->sent : x->sent - x->parts[0].len;
        size_t n = 0;
        if (!atls_session_in_time(s, err)) {
            return ATLS_STEP_FAILED;
        }
        atls_step step = atls_io_write(s, part.ptr + at, part.len - at, &n, "response", err);
        if (step != ATLS_STEP_DONE) {
            return step;
        }
        x->sent += n;
    }
    return ATLS_STEP_DONE;
}

static bool begin(atls_session *s, void **state, atls_error *err)
{
    exchange *x = atls_arena_alloc(&s->arena, sizeof *x, err);
    *state = x;
    return x != NULL && atls_http_request(&x->http, ATLS_DSTACK_PATH, &s->arena, err);
}

static atls_step step(atls_session *s, void *state, atls_error *err)
{
    exchange *x = state;
    atls_step done = read_request(s, x, err);
    if (done == ATLS_STEP_DONE) {
        done = make_answer(s, x, err);
    }
    if (done == ATLS_STEP_DONE) {
        done = send_answer(s, x, err);
    }
    if (done != ATLS_STEP_DONE) {
        return done;
    }
    if (x->refusal.code != ATLS_OK) {
        *err = x->refusal;
        return ATLS_STEP_FAILED;
    }
    return ATLS_STEP_DONE;
}

static void end(void *state)
{
    exchange *x = state;
    if (x != NULL) {
        atls_wipe(x, sizeof *x);
    }
}

const atls_profile *atls_dstack_server(void)
{
    static const atls_profile profile = {
        .name = "dstack", .grade = ATLS_GRADE_EXPORTER, .begin = begin, .step = step, .end = end};
    return &profile;
}
