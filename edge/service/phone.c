/* SPDX-License-Identifier: Apache-2.0 */
/* phone.c: two requests and what lies between them. */
#include "phone.h"

#include <string.h>
#include <time.h>

#include "base/text.h"
#include "edge/endorse/download.h"

#define DEFAULT_TIMEOUT_MS 30000u
#define CONNECT_TIMEOUT_MS 10000u
#define MAX_HEADER_LEN     ((size_t)64 * 1024)
#define HTTP_OK            200

typedef struct attempt {
    const atls_phone *phone;
    atls_downloader downloader;
    atls_arena *arena;
    atls_phone_outcome *out;
    int64_t now_ms;
    atls_error *err;
} attempt;

static bool read_clock(attempt *a)
{
    struct timespec t;
    if (a->phone->now_ms != 0) {
        a->now_ms = a->phone->now_ms;
        return true;
    }
    if (clock_gettime(CLOCK_REALTIME, &t) != 0) {
        return atls_fail(a->err, ATLS_E_INTERNAL, "clock", "the system's clock cannot be read");
    }
    a->now_ms = (int64_t)t.tv_sec * 1000 + (int64_t)t.tv_nsec / 1000000;
    return true;
}

/* ---- one request ---- */

/* Success and failure of an enrolment both have status 200: any other is of the transport, whatever its body says. */
static bool check_status(attempt *a, const atls_downloaded *got, const char *field)
{
    a->out->retry_after_s = got->retry_after_s;
    if (got->status == HTTP_OK) {
        return true;
    }
    const bool moved = got->status >= 300 && got->status < 400;
    return atls_fail(a->err, ATLS_E_IO, field, "the server answered with status %ld%s", got->status,
                     moved ? ": redirects are not followed" : "");
}

static bool exchange(attempt *a, const char *url, const atls_upload *post, const char *field, atls_bytes *body)
{
    const uint32_t timeout_ms = a->phone->timeout_ms == 0 ? DEFAULT_TIMEOUT_MS : a->phone->timeout_ms;
    atls_downloaded got;
    if (!atls_exchange(&a->downloader, url, post, ATLS_ENROL_MAX_MESSAGE_LEN, timeout_ms, a->arena, &got, a->err)
        || !check_status(a, &got, field)) {
        return false;
    }
    *body = got.body;
    return true;
}

/* ---- the challenge ---- */

static bool is_https(const char *url)
{
    return strncmp(url, "https://", 8) == 0;
}

/* The server names the address; that does not make it a good one. */
static bool choose_endpoint(attempt *a, const char **out)
{
    static const char field[] = "challenge.attestationEndpoint";
    const atls_bytes text = a->out->challenge.endpoint;
    atls_error why = {0};
    *out = atls_text_copy(text, a->arena, a->err);
    if (*out == NULL) {
        return false;
    }
    if (strlen(*out) != text.len || !atls_url_check(*out, a->phone->insecure_http, field, &why)) {
        return atls_fail(a->err, ATLS_E_ENROL_CHALLENGE, field, "not an address that is posted to: %s", why.message);
    }
    return !is_https(a->phone->url) || is_https(*out)
           || atls_fail_values(a->err, ATLS_E_ENROL_CHALLENGE, field, "https", "http",
                               "the challenge came over TLS, and the request would leave without");
}

static bool get_challenge(attempt *a, const char **endpoint)
{
    atls_bytes json;
    return exchange(a, a->phone->url, NULL, "challenge", &json)
           && atls_enrol_challenge_read(json, a->arena, &a->out->challenge, a->err) && read_clock(a)
           && atls_enrol_challenge_check(&a->out->challenge, a->now_ms, a->err) && choose_endpoint(a, endpoint);
}

/* ---- the request ---- */

static bool post_csr(attempt *a, const char *endpoint, atls_bytes csr, atls_bytes spki)
{
    const atls_upload post = {.content_type = "application/octet-stream", .body = csr};
    atls_bytes json;
    if (!exchange(a, endpoint, &post, "attestation", &json)
        || !atls_enrol_response_read(json, a->arena, &a->out->response, a->err)) {
        return false;
    }
    return !a->out->response.is_success
           || (read_clock(a) && atls_phone_check_chain(&a->out->response, spki, a->now_ms / 1000, a->err));
}

static bool enrol(attempt *a)
{
    const char *endpoint;
    atls_bytes csr = atls_bytes_empty();
    atls_bytes spki = atls_bytes_empty();
    if (!get_challenge(a, &endpoint)) {
        return false;
    }
    if (!a->phone->csr(a->phone->ctx, &a->out->challenge, a->arena, &csr, &spki, a->err)) {
        return atls_fail(a->err, ATLS_E_INTERNAL, "csr", "no request could be made, and nobody said why");
    }
    return post_csr(a, endpoint, csr, spki);
}

bool atls_phone_enrol(const atls_phone *p, atls_arena *arena, atls_phone_outcome *out, atls_error *err)
{
    attempt a = {.phone = p, .arena = arena, .out = out, .err = err};
    *out = (atls_phone_outcome){.retry_after_s = 0};
    if (!atls_url_check(p->url, p->insecure_http, "url", err)) {
        return false;
    }
    a.downloader.ca_file = p->ca_file;
    a.downloader.user_agent = "atls-enrol";
    a.downloader.connect_timeout_ms = CONNECT_TIMEOUT_MS;
    a.downloader.max_header_len = MAX_HEADER_LEN;
    if (!atls_downloader_init(&a.downloader, err)) {
        return false;
    }
    const bool ok = enrol(&a);
    atls_downloader_destroy(&a.downloader);
    return ok;
}
