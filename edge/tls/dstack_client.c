/* SPDX-License-Identifier: Apache-2.0 */
/* dstack_client.c: ask for a quote, read the answer, have it appraised. */
#include <stdio.h>
#include <string.h>

#include <openssl/err.h>
#include <openssl/rand.h>

#include "base/text.h"
#include "clock.h"
#include "dstack.h"
#include "http.h"
#include "io.h"
#include "name.h"
#include "tape.h"

#define REQUEST_FORMAT                                                                                                 \
    "POST " ATLS_DSTACK_PATH " HTTP/1.1\r\n"                                                                           \
    "Host: %s\r\n"                                                                                                     \
    "Content-Type: application/json\r\n"                                                                               \
    "Content-Length: 80\r\n"                                                                                           \
    "Connection: keep-alive\r\n"                                                                                       \
    "\r\n"                                                                                                             \
    "{\"nonce_hex\":\"%s\"}"
#define MAX_REQUEST_LEN (256u + ATLS_MAX_HOST_LEN)
#define PIECE_SIZE      16384u /* the most that one TLS record holds */

typedef struct exchange {
    uint8_t report_data[64];
    char request[MAX_REQUEST_LEN];
    size_t request_len;
    size_t sent;
    atls_http http;
    uint8_t piece[PIECE_SIZE];
} exchange;

bool atls_dstack_binding(atls_session *s, const uint8_t nonce[32], uint8_t report_data[64], atls_error *err)
{
    uint8_t ekm[32];
    bool ok = atls_session_exporter(s, ATLS_DSTACK_LABEL, ekm, sizeof ekm, err)
              && atls_dstack_report_data(nonce, ekm, report_data, err);
    atls_wipe(ekm, sizeof ekm);
    return ok;
}

/* ---- request ----------------------------------------------------------------------------------------------------- */

/* An IPv6 address stands in brackets in a Host header. */
static void host_text(const atls_client_options *o, char *out, size_t size)
{
    if (o->http_host != NULL) {
        snprintf(out, size, "%s", o->http_host);
        return;
    }
    bool is_v6 = strchr(o->server_name, ':') != NULL;
    snprintf(out, size, is_v6 ? "[%s]" : "%s", o->server_name);
}

static bool write_request(const atls_session *s, exchange *x, const uint8_t nonce[32], atls_error *err)
{
    char host[ATLS_MAX_HOST_LEN + 3];
    char digits[2 * 32 + 1];
    host_text(&s->client, host, sizeof host);
    atls_hex_encode(atls_bytes_of(nonce, 32), digits);
    int n = snprintf(x->request, sizeof x->request, REQUEST_FORMAT, host, digits);
    atls_wipe(digits, sizeof digits);
    if (n < 0 || (size_t)n >= sizeof x->request) {
        return atls_fail(err, ATLS_E_INTERNAL, "request", "the request does not fit");
    }
    x->request_len = (size_t)n;
    return true;
}

static bool begin(atls_session *s, void **state, atls_error *err)
{
    uint8_t nonce[32];
    exchange *x = atls_arena_alloc(&s->arena, sizeof *x, err);
    *state = x;
    if (x == NULL) {
        return false;
    }
    if (RAND_priv_bytes(nonce, sizeof nonce) != 1) { /* R16 */
        ERR_clear_error();
        return atls_fail(err, ATLS_E_INTERNAL, "nonce", "the system's generator of random numbers failed");
    }
    bool ok = atls_dstack_binding(s, nonce, x->report_data, err) && write_request(s, x, nonce, err)
              && atls_http_response(&x->http, &s->arena, err);
    atls_wipe(nonce, sizeof nonce);
    return ok;
}

static atls_step send_request(atls_session *s, exchange *x, atls_error *err)
{
    while (x->sent < x->request_len) {
        size_t n = 0;
        if (!atls_session_in_time(s, err)) {
            return ATLS_STEP_FAILED;
        }
        atls_step step = atls_io_write(s, x->request + x->sent, x->request_len - x->sent, &n, "request", err);
        if (step != ATLS_STEP_DONE) {
            return step;
        }
        x->sent += n;
    }
    return ATLS_STEP_DONE;
}

/* ---- response ---------------------------------------------------------------------------------------------------- */

/* One piece of the stream. DONE: the response is complete, and nothing came behind it. */
static atls_step take_piece(atls_session *s, exchange *x, size_t len, atls_error *err)
{
    size_t used = 0;
    switch (atls_http_feed(&x->http, atls_bytes_of(x->piece, len), &used, err)) {
    case ATLS_HTTP_MORE:
        return ATLS_STEP_WANT_READ;
    case ATLS_HTTP_DONE:
        break;
    default:
        return ATLS_STEP_FAILED;
    }
    size_t surplus = len - used + atls_io_surplus(s);
    if (surplus > 0) {
        (void)atls_http_surplus(&x->http, surplus, err);
        return ATLS_STEP_FAILED;
    }
    return ATLS_STEP_DONE;
}

static atls_step read_response(atls_session *s, exchange *x, atls_error *err)
{
    for (;;) {
        size_t n = 0;
        atls_step step = atls_io_read(s, x->piece, sizeof x->piece, &n, "response", err);
        if (step == ATLS_STEP_CLOSED) {
            (void)atls_http_ended(&x->http, err);
            return ATLS_STEP_FAILED;
        }
        if (step != ATLS_STEP_DONE) {
            return step;
        }
        step = take_piece(s, x, n, err);
        if (step != ATLS_STEP_WANT_READ) {
            return step;
        }
        if (!atls_session_in_time(s, err)) { /* a peer that drips must not hold a blocking transport for ever */
            return ATLS_STEP_FAILED;
        }
    }
}

/* ---- verdict ----------------------------------------------------------------------------------------------------- */

static bool appraise(atls_session *s, const exchange *x, atls_tape *tape, atls_error *err)
{
    atls_dstack_response response;
    if (!atls_dstack_response_decode(atls_http_body(&x->http), &s->arena, &response, err)) {
        return false;
    }
    atls_appraisal in = {
        .evidence = response.quote,
        .event_log = response.event_log,
        .binding = {.grade = s->profile->grade, .profile = s->profile->name, .has_leaf_sha256 = true},
        .now = s->client.now,
        .endorse = s->client.endorse,
        .endorse_ctx = s->client.endorse_ctx,
    };
    memcpy(in.binding.value, x->report_data, sizeof in.binding.value);
    memcpy(in.binding.leaf_sha256, s->peer.leaf_sha256, sizeof in.binding.leaf_sha256);
    if (!atls_clock_judging(s->client.verifier, &in.now, NULL, err)) {
        return false;
    }
    bool accepted = atls_tape_appraise(tape, &s->client.record, s->client.verifier, &in, &s->arena, &s->result, err);
    s->result.attested_only = s->client.identity == ATLS_IDENTITY_ATTESTED_ONLY;
    s->has_result = true;
    return accepted;
}

/* The answer says nothing of its kind. A policy of several kinds takes the others where they bear their types. */
static bool is_quote(const atls_session *s, atls_error *err)
{
    const atls_platform found = s->result.claims.platform;
    return found == ATLS_PLATFORM_TDX || found == ATLS_PLATFORM_SGX
           || atls_fail_values(err, ATLS_E_TEE_TYPE_MISMATCH, "quote", atls_platform_name(ATLS_PLATFORM_TDX),
                               atls_platform_name(found), "the profile dstack carries quotes of TDX");
}

/* What remains to be true once the evidence passed. */
static bool is_still_sound(atls_session *s, atls_error *err)
{
    return atls_session_in_time(s, err) && atls_io_is_quiet(s, "response.end", err);
}

/* An accepted result must not outlive a session that fails here. */
static bool conclude(atls_session *s, const exchange *x, atls_error *err)
{
    atls_tape tape = {0};
    const bool ok = appraise(s, x, &tape, err) && is_quote(s, err) && is_still_sound(s, err);
    atls_tape_end(&tape, ok, err);
    if (!ok && s->result.verdict == ATLS_VERDICT_ACCEPTED) {
        s->result = (atls_result){.verdict = ATLS_VERDICT_NONE, .profile = s->profile->name};
        s->has_result = false;
    }
    return ok;
}

static atls_step step(atls_session *s, void *state, atls_error *err)
{
    exchange *x = state;
    atls_step done = send_request(s, x, err);
    if (done == ATLS_STEP_DONE) {
        done = read_response(s, x, err);
    }
    if (done != ATLS_STEP_DONE) {
        return done;
    }
    return conclude(s, x, err) ? ATLS_STEP_DONE : ATLS_STEP_FAILED;
}

static void end(void *state)
{
    exchange *x = state;
    if (x != NULL) {
        /* The body stays: the result points into it. */
        atls_wipe(x, sizeof *x);
    }
}

const atls_profile *atls_dstack_client(void)
{
    static const atls_profile profile = {
        .name = "dstack", .grade = ATLS_GRADE_EXPORTER, .begin = begin, .step = step, .end = end};
    return &profile;
}
