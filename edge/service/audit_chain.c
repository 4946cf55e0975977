/* SPDX-License-Identifier: Apache-2.0 */
/* audit_chain.c: checks the lines of an audit log, one after the other. */
#include <string.h>

#include "audit_line.h"
#include "base/json.h"

#define FIELD      "audit"
#define DIGEST_LEN ATLS_AUDIT_DIGEST_LEN
#define MEMBER     ",\"digest\":\""
#define MEMBER_LEN (sizeof MEMBER - 1)
#define SUFFIX_LEN (MEMBER_LEN + 2 * DIGEST_LEN + 2) /* and "} */

typedef enum line_type {
    LINE_NONE = 0,
    LINE_BEGIN,
    LINE_REQUEST,
    LINE_TORN,
} line_type;

typedef struct parsed {
    line_type type;
    uint64_t seq;
    uint8_t previous[DIGEST_LEN];
    uint8_t digest[DIGEST_LEN];
    uint64_t torn_len; /* TORN */
    uint8_t torn_sha256[DIGEST_LEN];
    char time[ATLS_AUDIT_TIME_SIZE];
} parsed;

static bool is_same(const uint8_t a[static DIGEST_LEN], const uint8_t b[static DIGEST_LEN])
{
    return atls_bytes_equal(atls_bytes_of(a, DIGEST_LEN), atls_bytes_of(b, DIGEST_LEN));
}

/* ---- one line --------------------------------------------------------------------------------------------------------- */

/* The line's own digest: by position, over the bytes as they stand, in the one spelling that is written. */
static bool check_digest(const atls_audit_chain *c, atls_bytes line, parsed *out, atls_error *err)
{
    uint8_t found[DIGEST_LEN];
    if (line.len <= SUFFIX_LEN) {
        return atls_fail(err, ATLS_E_ENCODING, FIELD, "the line has no digest");
    }
    const atls_bytes body = atls_bytes_of(line.ptr, line.len - SUFFIX_LEN);
    const uint8_t *member = line.ptr + body.len;
    const atls_bytes hex = atls_bytes_of(member + MEMBER_LEN, (size_t)2 * DIGEST_LEN);
    if (!atls_bytes_equal_str(atls_bytes_of(member, MEMBER_LEN), MEMBER) || !atls_is_lower_hex(hex)
        || !atls_hex_fixed(hex, out->digest, DIGEST_LEN)
        || !atls_bytes_equal_str(atls_bytes_of(line.ptr + line.len - 2, 2), "\"}")) {
        return atls_fail(err, ATLS_E_ENCODING, FIELD, "the line has no digest at its end");
    }
    if (!atls_digest(c->crypto, ATLS_SHA256, &body, 1, found, err)) {
        return false;
    }
    if (!is_same(found, out->digest)) {
        return atls_fail_bytes(err, ATLS_E_ENCODING, "audit.digest", atls_bytes_of(out->digest, DIGEST_LEN),
                               atls_bytes_of(found, DIGEST_LEN), "the line was changed");
    }
    return true;
}

static bool read_type(const atls_json *object, line_type *out, atls_error *err)
{
    atls_bytes text;
    if (!atls_json_member_text(object, FIELD, "type", &text, err)) {
        return false;
    }
    if (atls_bytes_equal_str(text, "begin")) {
        *out = LINE_BEGIN;
    } else if (atls_bytes_equal_str(text, "request")) {
        *out = LINE_REQUEST;
    } else if (atls_bytes_equal_str(text, "torn")) {
        *out = LINE_TORN;
    } else {
        return atls_fail(err, ATLS_E_ENCODING, "audit.type", "a line of no known type");
    }
    return true;
}

/* For whoever reads the report; the chain does not depend on it. */
static void read_time(const atls_json *object, char out[ATLS_AUDIT_TIME_SIZE])
{
    const atls_json *v = atls_json_find(object, "time");
    if (v != NULL && v->type == ATLS_JSON_STRING && v->text.len < ATLS_AUDIT_TIME_SIZE) {
        memcpy(out, v->text.ptr, v->text.len);
    }
}

static bool parse(const atls_audit_chain *c, atls_bytes line, parsed *out, atls_error *err)
{
    const atls_json *object = NULL;
    uint64_t version = 0;
    *out = (parsed){.type = LINE_NONE};
    if (line.len >= ATLS_AUDIT_MAX_LINE_LEN) {
        return atls_fail(err, ATLS_E_LIMIT, FIELD, "a line has at most 4095 bytes, this one %zu", line.len);
    }
    if (!check_digest(c, line, out, err) || !atls_json_parse(line, FIELD, c->arena, &object, err)
        || !atls_json_member_uint(object, FIELD, "v", UINT32_MAX, &version, err)) {
        return false;
    }
    if (version != 1) {
        return atls_fail(err, ATLS_E_ENCODING, "audit.v", "a version that is not known");
    }
    read_time(object, out->time);
    if (!read_type(object, &out->type, err) || !atls_json_member_uint(object, FIELD, "seq", INT64_MAX, &out->seq, err)
        || !atls_json_member_hex(object, FIELD, "previous", out->previous, DIGEST_LEN, err)) {
        return false;
    }
    return out->type != LINE_TORN
           || (atls_json_member_uint(object, FIELD, "torn_len", UINT32_MAX, &out->torn_len, err)
               && atls_json_member_hex(object, FIELD, "torn_sha256", out->torn_sha256, DIGEST_LEN, err));
}

/* ---- a line and those before it ------------------------------------------------------------------------------------------ */

static bool follows(const parsed *p, const atls_audit_place *last, atls_error *err)
{
    if (!last->is_known) {
        return true;
    }
    if (!is_same(p->previous, last->digest)) {
        return atls_fail_bytes(err, ATLS_E_ENCODING, "audit.previous", atls_bytes_of(last->digest, DIGEST_LEN),
                               atls_bytes_of(p->previous, DIGEST_LEN), "a line was changed, added or taken away here");
    }
    return p->seq == last->seq + 1 || atls_fail(err, ATLS_E_ENCODING, "audit.seq", "the lines are not counted by one");
}

/* A seal stands right after the torn line, and knows it by its length and digest. */
static bool seals(const atls_audit_chain *c, const parsed *p, atls_error *err)
{
    if (c->line == 0 && c->is_middle) {
        return true; /* what it seals is not seen */
    }
    if (!c->is_bad || p->torn_len != c->last_len || !is_same(p->torn_sha256, c->last_sha256)) {
        return atls_fail(err, ATLS_E_ENCODING, "audit.torn_sha256", "the line before is not the one that was sealed");
    }
    return follows(p, &c->head, err);
}

/* The first line of a file begins it, and no other does. */
static bool check_type(const atls_audit_chain *c, const parsed *p, atls_error *err)
{
    if (c->is_middle && c->line == 0) {
        return true;
    }
    return (p->type == LINE_BEGIN) == (c->line == 0)
           || atls_fail(err, ATLS_E_ENCODING, "audit.type", "a file begins with a line that says so, and only there");
}

static void note(atls_audit_chain *c, const parsed *p)
{
    c->is_bad = false;
    c->head = (atls_audit_place){.is_known = true, .seq = p->seq};
    memcpy(c->head.digest, p->digest, DIGEST_LEN);
    if (c->report.n_lines == 0) {
        c->report.first_seq = p->seq;
        memcpy(c->report.first_previous, p->previous, DIGEST_LEN);
        memcpy(c->report.first_time, p->time, sizeof p->time);
    }
    c->report.n_lines++;
    c->report.last_seq = p->seq;
    memcpy(c->report.last_digest, p->digest, DIGEST_LEN);
    memcpy(c->report.last_time, p->time, sizeof p->time);
    if (c->wanted != NULL && is_same(p->digest, c->wanted)) {
        c->report.has_head = true;
        c->report.head_seq = p->seq;
    }
}

static bool fail_bad(atls_audit_chain *c, atls_error *err)
{
    c->report.bad_line = c->line;
    *err = c->why;
    return false;
}

/* Who is to seal this line, if it is bad, has to know it by its digest. */
static bool remember(atls_audit_chain *c, atls_bytes line, atls_error *err)
{
    c->line++;
    c->last_len = line.len;
    return atls_digest(c->crypto, ATLS_SHA256, &line, 1, c->last_sha256, err);
}

void atls_audit_chain_init(atls_audit_chain *c, const atls_crypto *crypto, atls_arena *arena, bool is_middle)
{
    *c = (atls_audit_chain){.crypto = crypto, .arena = arena, .is_middle = is_middle};
}

bool atls_audit_chain_add(atls_audit_chain *c, atls_bytes line, atls_error *err)
{
    parsed p;
    atls_error why = {.code = ATLS_OK};
    atls_arena_reset(c->arena);
    const bool is_line = parse(c, line, &p, &why);
    const bool is_seal = is_line && p.type == LINE_TORN;
    if (is_seal && seals(c, &p, &why)) {
        c->report.n_torn += c->line > 0 ? 1 : 0;
        note(c, &p);
        return remember(c, line, err);
    }
    if (c->is_bad) {
        return fail_bad(c, err);
    }
    if (is_line && !is_seal && check_type(c, &p, &why) && follows(&p, &c->head, &why)) {
        note(c, &p);
    } else {
        c->is_bad = true;
        c->why = why;
    }
    return remember(c, line, err);
}

bool atls_audit_chain_end(atls_audit_chain *c, atls_bytes rest, atls_error *err)
{
    if (c->is_bad) {
        return fail_bad(c, err);
    }
    if (rest.len > 0) {
        c->report.bad_line = c->line + 1;
        c->report.is_torn = true;
        return atls_fail(err, ATLS_E_ENCODING, FIELD, "the last line has no end: %zu bytes are torn", rest.len);
    }
    return c->head.is_known || atls_fail(err, ATLS_E_ENCODING, FIELD, "the file is empty");
}
