/* SPDX-License-Identifier: Apache-2.0 */
/* native_frame_read.c: the four messages, read in one way only.
 *
 * Every key is where the specification's table has it, every head is the shortest, nothing is skipped: what is accepted
 * is deterministic CBOR without a second look at it, and the writer gives the same bytes again. Contents of the peer's
 * fields are not repeated in errors: nonces are not logged. */
#include <stdio.h>
#include <string.h>

#include "native_frame.h"

#define MAX_NAME_LEN   255u /* of an ALPN name; types are far shorter */
#define TREE_ITEMS     3u
#define COMPANION_TYPE "application/vnd.atls.dstack-event-log+json"

/* The done that says why is error.h's category, number for number. */
_Static_assert(ATLS_CATEGORY_NONE == 0 && ATLS_CATEGORY_TRUST == 1 && ATLS_CATEGORY_TIME == 2
                   && ATLS_CATEGORY_CONTENT == 3 && ATLS_CATEGORY_INTERNAL == 4,
               "the categories of error.h are those of done");

static const struct {
    const char *name;
    size_t max_len;
} messages[] = {
    [ATLS_NATIVE_CLIENT_HELLO] = {"client_hello", ATLS_NATIVE_MAX_HELLO_LEN},
    [ATLS_NATIVE_SERVER_HELLO] = {"server_hello", ATLS_NATIVE_MAX_HELLO_LEN},
    [ATLS_NATIVE_EVIDENCE] = {"evidence", ATLS_NATIVE_MAX_EVIDENCE_LEN},
    [ATLS_NATIVE_DONE] = {"done", ATLS_NATIVE_MAX_DONE_LEN},
};

size_t atls_native_max_len(atls_native_message m)
{
    size_t index = (size_t)m;
    return index < sizeof messages / sizeof messages[0] ? messages[index].max_len : 0;
}

static bool fail(const atls_cur *c, const char *field, const char *message)
{
    return atls_cur_fail(c, ATLS_E_PROTOCOL, field, NULL, NULL, message);
}

static bool fail_number(const atls_cur *c, const char *field, const char *expected, uint64_t actual,
                        const char *message)
{
    char actual_text[32];
    snprintf(actual_text, sizeof actual_text, "%llu", (unsigned long long)actual);
    return atls_cur_fail(c, ATLS_E_PROTOCOL, field, expected, actual_text, message);
}

/* ---- the pairs of a message ---------------------------------------------------------------------------------------- */

typedef struct pairs {
    atls_cur c;
    uint64_t left;  /* pairs whose key has not been read */
    uint64_t least; /* what the next key must be at least: they ascend */
    uint64_t key;   /* the one whose value is next in c */
    bool more;      /* there is such a key */
} pairs;

static bool next(pairs *p)
{
    p->more = p->left > 0;
    if (!p->more) {
        return true;
    }
    p->left--;
    if (!atls_cbor_uint(&p->c, "key", UINT32_MAX, &p->key)) {
        return false;
    }
    if (p->key < p->least) {
        return fail_number(&p->c, "key", NULL, p->key, "the keys are out of order or repeated");
    }
    p->least = p->key + 1;
    return true;
}

static bool has(const pairs *p, uint64_t key)
{
    return p->more && p->key == key;
}

static bool must_have(const pairs *p, uint64_t key, const char *field)
{
    return has(p, key) || fail(&p->c, field, "a required key is missing");
}

static bool begin(pairs *p, atls_native_message m, atls_bytes body, atls_error *err)
{
    *p = (pairs){.least = 0};
    atls_cur_init(&p->c, body, messages[m].name, err);
    if (body.len > messages[m].max_len) {
        char expected[40];
        snprintf(expected, sizeof expected, "at most %zu bytes", messages[m].max_len);
        return fail_number(&p->c, "", expected, body.len, "the frame is too long");
    }
    return atls_cbor_map(&p->c, "", UINT64_MAX, &p->left) && next(p);
}

static bool end(pairs *p)
{
    if (p->more) {
        return fail_number(&p->c, "key", NULL, p->key, "an unknown key");
    }
    return atls_cur_end(&p->c);
}

/* ---- pieces -------------------------------------------------------------------------------------------------------- */

static bool read_exact(atls_cur *c, const char *field, uint64_t wanted)
{
    char expected[32];
    uint64_t n;
    if (!atls_cbor_uint(c, field, UINT64_MAX, &n)) {
        return false;
    }
    snprintf(expected, sizeof expected, "%llu", (unsigned long long)wanted);
    return n == wanted || fail_number(c, field, expected, n, "another number than expected");
}

/* n bytes exactly, copied. */
static bool read_fixed(atls_cur *c, const char *field, uint8_t *dst, size_t n)
{
    char expected[40];
    atls_bytes in;
    if (!atls_cbor_bytes(c, field, &in)) {
        return false;
    }
    if (in.len != n) {
        snprintf(expected, sizeof expected, "%zu bytes", n);
        return fail_number(c, field, expected, in.len, "another length than expected");
    }
    memcpy(dst, in.ptr, n);
    return true;
}

static bool read_message(pairs *p, atls_native_message m)
{
    return must_have(p, 0, "message") && read_exact(&p->c, "message", m) && next(p);
}

static bool read_name(atls_cur *c, const char *field, atls_native_names *out)
{
    atls_bytes name;
    if (!atls_cbor_text(c, field, &name)) {
        return false;
    }
    if (name.len < 1 || name.len > MAX_NAME_LEN) {
        return fail_number(c, field, "1 to 255 bytes", name.len, "a name is empty or too long");
    }
    for (size_t i = 0; i < out->n; i++) {
        if (atls_bytes_equal(out->items[i], name)) {
            return fail(c, field, "a name is there twice");
        }
    }
    out->items[out->n++] = name;
    return true;
}

static bool read_names(atls_cur *c, const char *field, uint64_t min, uint64_t max, atls_native_names *out)
{
    char expected[32];
    uint64_t n;
    if (!atls_cbor_array(c, field, max, &n)) {
        return false;
    }
    if (n < min) {
        snprintf(expected, sizeof expected, "at least %llu", (unsigned long long)min);
        return fail_number(c, field, expected, n, "too few names");
    }
    for (uint64_t i = 0; i < n; i++) {
        if (!read_name(c, field, out)) {
            return false;
        }
    }
    return true;
}

/* ---- hellos -------------------------------------------------------------------------------------------------------- */

/* Only `true` says it: `false` would be a second way of leaving the key out. */
static bool read_staple(pairs *p, bool *out)
{
    if (!has(p, 5)) {
        return true;
    }
    return atls_cbor_bool(&p->c, "staple", out) && (*out || fail(&p->c, "staple", "only true can be said")) && next(p);
}

static bool read_wait(pairs *p, atls_native_hello *out)
{
    uint64_t wait;
    if (!has(p, 6)) {
        return true;
    }
    if (!atls_cbor_uint(&p->c, "wait", UINT32_MAX, &wait)) {
        return false;
    }
    out->has_wait = true;
    out->wait_ms = (uint32_t)wait;
    return next(p);
}

/* The rows of "client hello, server hello". A server does not know key 6. */
static bool read_hello(pairs *p, bool is_server, atls_native_hello *out)
{
    const uint64_t max_protocols = is_server ? 1 : ATLS_NATIVE_MAX_NAMES;
    return read_message(p, is_server ? ATLS_NATIVE_SERVER_HELLO : ATLS_NATIVE_CLIENT_HELLO)
           && must_have(p, 1, "revision") && read_exact(&p->c, "revision", ATLS_NATIVE_REVISION) && next(p)
           && must_have(p, 2, "nonce") && read_fixed(&p->c, "nonce", out->nonce, sizeof out->nonce) && next(p)
           && must_have(p, 3, "types") && read_names(&p->c, "types", 0, ATLS_NATIVE_MAX_NAMES, &out->types) && next(p)
           && must_have(p, 4, "protocols") && read_names(&p->c, "protocols", 1, max_protocols, &out->protocols)
           && next(p) && read_staple(p, &out->staple) && (is_server || read_wait(p, out));
}

bool atls_native_read_hello(bool is_server, atls_bytes body, atls_native_hello *out, atls_error *err)
{
    pairs p;
    *out = (atls_native_hello){.staple = false};
    if (!begin(&p, is_server ? ATLS_NATIVE_SERVER_HELLO : ATLS_NATIVE_CLIENT_HELLO, body, err)
        || !read_hello(&p, is_server, out) || !end(&p)) {
        *out = (atls_native_hello){.staple = false};
        return atls_error_relabel(err, ATLS_E_PROTOCOL, "");
    }
    return true;
}

/* ---- evidence ------------------------------------------------------------------------------------------------------ */

static bool read_collection(atls_cur *c, atls_native_evidence *out)
{
    uint64_t n;
    if (!atls_cbor_map(c, "cmw", 2, &n)) {
        return false;
    }
    out->has_companion = true;
    return (n == 2 || fail_number(c, "cmw", "2", n, "a collection has exactly two records"))
           && read_exact(c, "cmw.key", 0) && atls_cmw_read(c, "cmw", ATLS_CMW_EVIDENCE, &out->evidence)
           && read_exact(c, "cmw.key", 1) && atls_cmw_read(c, "companion", ATLS_CMW_EVIDENCE, &out->companion);
}

/* One record carries the binding and the measurements, so that they cannot come from two machines: what stands beside it
 * can only be a log, and a log can stand only beside it. */
static bool check_types(const atls_cur *c, const atls_native_evidence *in)
{
    if (atls_bytes_equal_str(in->evidence.type, COMPANION_TYPE)) {
        return fail(c, "cmw.type", "an event log proves nothing by itself");
    }
    if (in->has_companion && !atls_bytes_equal_str(in->companion.type, COMPANION_TYPE)) {
        return atls_cur_fail(c, ATLS_E_PROTOCOL, "companion.type", COMPANION_TYPE, NULL,
                             "only an event log may stand beside evidence");
    }
    return true;
}

static bool read_cmw(pairs *p, atls_native_evidence *out)
{
    atls_cur look = p->c;
    atls_cbor_item item;
    if (!must_have(p, 1, "cmw") || !atls_cbor_head(&look, "cmw", &item)) {
        return false;
    }
    bool ok = item.type == ATLS_CBOR_MAP ? read_collection(&p->c, out)
                                         : atls_cmw_read(&p->c, "cmw", ATLS_CMW_EVIDENCE, &out->evidence);
    return ok && check_types(&p->c, out) && next(p);
}

static bool read_staples(pairs *p, atls_native_evidence *out)
{
    uint64_t n;
    if (!has(p, 2)) {
        return true;
    }
    if (!atls_cbor_array(&p->c, "endorsements", ATLS_NATIVE_MAX_STAPLES, &n)) {
        return false;
    }
    if (n == 0) {
        return fail(&p->c, "endorsements", "an empty list is left out");
    }
    for (; out->n_staples < n; out->n_staples++) {
        if (!atls_cmw_read(&p->c, "endorsements", ATLS_CMW_ENDORSEMENT, &out->staples[out->n_staples])) {
            return false;
        }
    }
    return next(p);
}

/* Siblings stand apart in the message and together in memory. */
static bool read_siblings(atls_cur *c, atls_native_evidence *out)
{
    uint64_t n;
    if (!atls_cbor_array(c, "tree.siblings", ATLS_TREE_MAX_DEPTH, &n)) {
        return false;
    }
    for (size_t i = 0; i < n; i++) {
        if (!read_fixed(c, "tree.siblings", out->siblings + i * ATLS_TREE_HASH_LEN, ATLS_TREE_HASH_LEN)) {
            return false;
        }
    }
    out->path.siblings = atls_bytes_of(out->siblings, (size_t)n * ATLS_TREE_HASH_LEN);
    return true;
}

static bool read_tree(pairs *p, atls_native_evidence *out)
{
    uint64_t n;
    if (!has(p, 3)) {
        return true;
    }
    if (!atls_cbor_array(&p->c, "tree", TREE_ITEMS, &n)) {
        return false;
    }
    if (n != TREE_ITEMS) {
        return fail_number(&p->c, "tree", "3", n, "a position is index, size and siblings");
    }
    if (!atls_cbor_uint(&p->c, "tree.index", UINT64_MAX, &out->path.index)
        || !atls_cbor_uint(&p->c, "tree.size", UINT64_MAX, &out->path.size)) {
        return false;
    }
    if (out->path.size == 1) {
        return fail(&p->c, "tree.size", "a tree of one leaf is left out");
    }
    return read_siblings(&p->c, out) && atls_tree_path_check(&out->path, "evidence.tree", p->c.err) && next(p);
}

/* No tree, no companion; and no empty slice points nowhere. */
static void clear_evidence(atls_native_evidence *out)
{
    const atls_cmw_record nothing = {atls_bytes_empty(), atls_bytes_empty()};
    *out = (atls_native_evidence){
        .evidence = nothing, .companion = nothing, .path = {.index = 0, .size = 1, .siblings = atls_bytes_empty()}};
}

bool atls_native_read_evidence(atls_bytes body, atls_native_evidence *out, atls_error *err)
{
    pairs p;
    clear_evidence(out);
    if (!begin(&p, ATLS_NATIVE_EVIDENCE, body, err) || !read_message(&p, ATLS_NATIVE_EVIDENCE) || !read_cmw(&p, out)
        || !read_staples(&p, out) || !read_tree(&p, out) || !end(&p)) {
        clear_evidence(out);
        return atls_error_relabel(err, ATLS_E_PROTOCOL, "");
    }
    return true;
}

/* ---- done ---------------------------------------------------------------------------------------------------------- */

static bool read_verdict(pairs *p, atls_native_done *out)
{
    uint64_t n;
    if (!must_have(p, 1, "verdict") || !atls_cbor_uint(&p->c, "verdict", ATLS_CATEGORY_INTERNAL, &n)) {
        return false;
    }
    out->refusal = (atls_category)n;
    return next(p);
}

static bool read_context(pairs *p, atls_native_done *out)
{
    if (out->refusal == ATLS_CATEGORY_NONE) {
        return must_have(p, 2, "context") && read_fixed(&p->c, "context", out->context, sizeof out->context) && next(p);
    }
    return !has(p, 2) || fail(&p->c, "context", "a refusal carries no context");
}

bool atls_native_read_done(atls_bytes body, atls_native_done *out, atls_error *err)
{
    /* what is not read is no acceptance */
    const atls_native_done refused = {.refusal = ATLS_CATEGORY_INTERNAL};
    pairs p;
    *out = refused;
    if (!begin(&p, ATLS_NATIVE_DONE, body, err) || !read_message(&p, ATLS_NATIVE_DONE) || !read_verdict(&p, out)
        || !read_context(&p, out) || !end(&p)) {
        *out = refused;
        return atls_error_relabel(err, ATLS_E_PROTOCOL, "");
    }
    return true;
}

/* ---- any ----------------------------------------------------------------------------------------------------------- */

bool atls_native_peek(atls_bytes body, atls_native_message *out, atls_error *err)
{
    atls_cur c;
    uint64_t n;
    uint64_t type;
    atls_cur_init(&c, body, "frame", err);
    if (!atls_cbor_map(&c, "", UINT64_MAX, &n) || !read_exact(&c, "key", 0)
        || !atls_cbor_uint(&c, "message", UINT64_MAX, &type)) {
        return atls_error_relabel(err, ATLS_E_PROTOCOL, "");
    }
    if (type < ATLS_NATIVE_CLIENT_HELLO || type > ATLS_NATIVE_DONE) {
        return fail_number(&c, "message", "1 to 4", type, "an unknown message");
    }
    *out = (atls_native_message)type;
    return true;
}
