/* SPDX-License-Identifier: Apache-2.0 */
/* challenge.c: what the server asks for, as both sides read and write it, and the phone's look at its clock. */
#include <string.h>

#include "message.h"

#define MAX_ENDPOINT_LEN  2048u
#define MAX_TIME_ZONE_LEN 64u /* the longest name that IANA has is half as long */
#define MAX_PORT          65535u

/* ---- members that are text ---- */

static bool is_digit(uint8_t c)
{
    return c >= '0' && c <= '9';
}

static bool is_alphanumeric(uint8_t c)
{
    return is_digit(c) || (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z');
}

static bool is_one_of(uint8_t c, const char *set)
{
    return c != 0 && strchr(set, c) != NULL;
}

/* "Europe/Vienna", "UTC", "+02:00": what such names are made of, not whether there is one. It is for people to read. */
static bool is_time_zone(atls_bytes in)
{
    bool ok = in.len > 0 && in.len <= MAX_TIME_ZONE_LEN;
    for (size_t i = 0; ok && i < in.len; i++) {
        ok = is_alphanumeric(in.ptr[i]) || is_one_of(in.ptr[i], "+-_/:");
    }
    return ok;
}

/* How many bytes stand before the host; 0: neither http nor https. Schemes have no case (RFC 3986 3.1). */
static size_t scheme_len(atls_bytes url)
{
    static const char *const schemes[] = {"https://", "http://"};
    for (size_t s = 0; s < sizeof schemes / sizeof schemes[0]; s++) {
        const size_t len = strlen(schemes[s]);
        bool ok = url.len >= len;
        for (size_t i = 0; ok && i < len; i++) {
            const uint8_t c = url.ptr[i];
            ok = (c >= 'A' && c <= 'Z' ? c - 'A' + 'a' : c) == schemes[s][i];
        }
        if (ok) {
            return len;
        }
    }
    return 0;
}

/* ":443", or nothing at all */
static bool is_port(atls_bytes in)
{
    if (in.len == 0) {
        return true;
    }
    uint32_t port = 0;
    bool ok = in.ptr[0] == ':' && in.len <= sizeof ":65535" - 1;
    for (size_t i = 1; ok && i < in.len; i++) {
        ok = is_digit(in.ptr[i]);
        port = 10 * port + (uint32_t)(in.ptr[i] - '0');
    }
    return ok && port > 0 && port <= MAX_PORT;
}

/* A host and perhaps a port. No user: such names are made to be taken for the host. */
static bool is_authority(atls_bytes in)
{
    const bool is_literal = in.len > 0 && in.ptr[0] == '['; /* IPv6 */
    size_t n = is_literal ? 1 : 0;
    while (n < in.len && (is_alphanumeric(in.ptr[n]) || is_one_of(in.ptr[n], is_literal ? ":." : "-._~%"))) {
        n++;
    }
    if (is_literal) {
        if (n < 3 || n == in.len || in.ptr[n] != ']') {
            return false;
        }
        n++;
    }
    return n > 0 && is_port(atls_bytes_of(in.ptr + n, in.len - n));
}

/* RFC 3986 4.3: an absolute URI of http or https, of the characters that a URI may have. */
static bool is_endpoint(atls_bytes url)
{
    const size_t start = scheme_len(url);
    if (start == 0 || url.len > MAX_ENDPOINT_LEN) {
        return false;
    }
    size_t end = start;
    while (end < url.len && !is_one_of(url.ptr[end], "/?")) {
        end++;
    }
    for (size_t i = end; i < url.len; i++) {
        if (!is_alphanumeric(url.ptr[i]) && !is_one_of(url.ptr[i], "-._~%!$&'()*+,;=:@/?")) {
            return false;
        }
    }
    return is_authority(atls_bytes_of(url.ptr + start, end - start));
}

/* ---- reading ---- */

static bool read_number(const atls_enrol_reader *r, const char *member, int64_t *out)
{
    uint64_t value;
    if (!atls_json_member_uint(r->object, r->name, member, INT64_MAX, &value, r->err)) {
        return atls_error_relabel(r->err, r->code, NULL);
    }
    *out = (int64_t)value;
    return true;
}

/* Absent and null mean the same. */
static bool is_stated(const atls_enrol_reader *r, const char *member)
{
    const atls_json *value = atls_json_find(r->object, member);
    return value != NULL && value->type != ATLS_JSON_NULL;
}

static bool read_times(const atls_enrol_reader *r, atls_enrol_challenge *out)
{
    out->has_validity = is_stated(r, "validity");
    if (!read_number(r, "issuedAt", &out->issued_ms)
        || (out->has_validity && !read_number(r, "validity", &out->validity_s))) {
        return false;
    }
    if (!is_stated(r, "timeZone")) {
        return true;
    }
    return atls_enrol_member_text(r, "timeZone", &out->time_zone)
           && (is_time_zone(out->time_zone)
               || atls_enrol_wrong(r, "timeZone", "not the name or offset of a time zone"));
}

static bool read_endpoint(const atls_enrol_reader *r, atls_bytes *out)
{
    return atls_enrol_member_text(r, "attestationEndpoint", out)
           && (is_endpoint(*out) || atls_enrol_wrong(r, "attestationEndpoint", "not an absolute http or https URL"));
}

static bool read_proof_oid(const atls_enrol_reader *r, atls_bytes *out)
{
    atls_bytes content;
    return atls_enrol_member_text(r, "proofOID", out)
           && (atls_enrol_oid_der(*out, "challenge.proofOID", r->arena, &content, r->err)
               || atls_error_relabel(r->err, r->code, NULL));
}

static void clear(atls_enrol_challenge *out)
{
    const atls_bytes empty = atls_bytes_empty();
    *out = (atls_enrol_challenge){.time_zone = empty, .nonce = empty, .endpoint = empty, .proof_oid = empty};
}

bool atls_enrol_challenge_read(atls_bytes json, atls_arena *arena, atls_enrol_challenge *out, atls_error *err)
{
    atls_enrol_reader r = {.name = "challenge", .code = ATLS_E_ENROL_CHALLENGE, .arena = arena, .err = err};
    clear(out);
    if (atls_enrol_reader_open(&r, json, ATLS_ENROL_MAX_MESSAGE_LEN) && read_times(&r, out)
        && atls_enrol_member_binary(&r, "nonce", ATLS_ENROL_MAX_NONCE_LEN, &out->nonce)
        && read_endpoint(&r, &out->endpoint) && read_proof_oid(&r, &out->proof_oid)) {
        return true;
    }
    clear(out);
    return false;
}

/* ---- writing ---- */

static bool check(const atls_enrol_challenge *in, atls_arena *arena, atls_error *err)
{
    atls_bytes content;
    if (in->issued_ms < 0) {
        return atls_fail(err, ATLS_E_USAGE, "challenge.issuedAt", "before 1970");
    }
    if (in->has_validity && in->validity_s < 0) {
        return atls_fail(err, ATLS_E_USAGE, "challenge.validity", "a negative time");
    }
    if (in->time_zone.len > 0 && !is_time_zone(in->time_zone)) {
        return atls_fail(err, ATLS_E_USAGE, "challenge.timeZone", "not the name or offset of a time zone");
    }
    if (in->nonce.len < ATLS_ENROL_MIN_NONCE_LEN || in->nonce.len > ATLS_ENROL_MAX_NONCE_LEN) {
        return atls_fail(err, ATLS_E_USAGE, "challenge.nonce", "%zu bytes; %u to %u", in->nonce.len,
                         ATLS_ENROL_MIN_NONCE_LEN, ATLS_ENROL_MAX_NONCE_LEN);
    }
    if (!is_endpoint(in->endpoint)) {
        return atls_fail(err, ATLS_E_USAGE, "challenge.attestationEndpoint", "not an absolute http or https URL");
    }
    return atls_enrol_oid_der(in->proof_oid, "challenge.proofOID", arena, &content, err)
           || atls_error_relabel(err, ATLS_E_USAGE, NULL);
}

bool atls_enrol_challenge_write(const atls_enrol_challenge *in, atls_arena *arena, atls_bytes *out, atls_error *err)
{
    atls_buf b;
    atls_jw w;
    *out = atls_bytes_empty();
    if (!check(in, arena, err)) {
        return false;
    }
    atls_buf_init(&b, arena, err);
    atls_jw_init(&w, &b);
    atls_jw_open(&w, NULL, '{');
    atls_jw_uint(&w, "issuedAt", (uint64_t)in->issued_ms);
    if (in->has_validity) {
        atls_jw_uint(&w, "validity", (uint64_t)in->validity_s);
    }
    if (in->time_zone.len > 0) {
        atls_jw_string(&w, "timeZone", in->time_zone);
    }
    atls_enrol_jw_binary(&w, "nonce", in->nonce);
    atls_jw_string(&w, "attestationEndpoint", in->endpoint);
    atls_jw_string(&w, "proofOID", in->proof_oid);
    atls_jw_close(&w, '}');
    return atls_enrol_written(&b, "challenge", ATLS_ENROL_MAX_MESSAGE_LEN, out, err);
}

/* ---- the phone's clock ---- */

bool atls_enrol_challenge_check(const atls_enrol_challenge *in, int64_t now_ms, atls_error *err)
{
    if (in->issued_ms < 0 || now_ms < in->issued_ms) {
        return atls_fail(err, ATLS_E_NOT_YET_VALID, "challenge.issuedAt",
                         "the challenge is from the future: this clock, or the server's, is wrong");
    }
    /* in this form, because issued_ms + 1000 * validity_s may be more than there is */
    const int64_t age_ms = now_ms - in->issued_ms;
    const bool is_over = age_ms / 1000 > in->validity_s || (age_ms / 1000 == in->validity_s && age_ms % 1000 > 0);
    return !in->has_validity || !is_over
           || atls_fail(err, ATLS_E_EXPIRED, "challenge.validity", "the challenge has expired");
}
