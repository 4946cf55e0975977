/* SPDX-License-Identifier: Apache-2.0 */
/* cbor_open.c: groups of open or definite length. The only bytes that are looked at here are the three that cbor.c refuses:
 * the heads of open groups and the break. */
#include "cbor_open.h"

#include <stdio.h>

#include "limits.h"

enum { OPEN_ARRAY = 0x9f, OPEN_MAP = 0xbf, BREAK = 0xff };

static bool next_is(const atls_cur *c, uint8_t byte)
{
    return c->rest.len > 0 && c->rest.ptr[0] == byte;
}

static bool fail_limit(const atls_cur *c, const char *field, uint64_t max, const char *message)
{
    char expected[32];
    snprintf(expected, sizeof expected, "at most %llu", (unsigned long long)max);
    (void)atls_cur_fail(c, ATLS_E_LIMIT, field, expected, "more", message);
    return false;
}

/* The head of an open group, when one is there. */
static bool begin_open(atls_cur *c, const char *field, uint8_t head, uint64_t max, atls_cbor_group *out)
{
    *out = (atls_cbor_group){.left = max, .max = max};
    out->is_open = next_is(c, head) && atls_cur_skip(c, field, 1);
    return out->is_open;
}

bool atls_cbor_map_begin(atls_cur *c, const char *field, uint64_t max, atls_cbor_group *out)
{
    return begin_open(c, field, OPEN_MAP, max, out) || atls_cbor_map(c, field, max, &out->left);
}

bool atls_cbor_array_begin(atls_cur *c, const char *field, uint64_t max, atls_cbor_group *out)
{
    return begin_open(c, field, OPEN_ARRAY, max, out) || atls_cbor_array(c, field, max, &out->left);
}

bool atls_cbor_more(atls_cur *c, const char *field, atls_cbor_group *g, bool *more)
{
    *more = false;
    if (g->is_open && next_is(c, BREAK)) {
        return atls_cur_skip(c, field, 1);
    }
    if (g->left == 0) {
        return !g->is_open || fail_limit(c, field, g->max, "CBOR: a map or array has too many members");
    }
    g->left--;
    *more = true;
    return true;
}

/* ---- whole items ---- */

static bool skip_item(atls_cur *c, const char *field, unsigned depth);

static bool skip_key(atls_cur *c, const char *field, unsigned depth, atls_bytes *keys, size_t n)
{
    atls_cur start = *c;
    if (!skip_item(c, field, depth)
        || !atls_cur_bytes(&start, field, atls_cur_offset(c) - atls_cur_offset(&start), &keys[n])) {
        return false;
    }
    for (size_t i = 0; i < n; i++) {
        if (atls_bytes_equal(keys[i], keys[n])) {
            (void)atls_cur_fail(c, ATLS_E_ENCODING, field, NULL, NULL, "CBOR: a map holds a key twice");
            return false;
        }
    }
    return true;
}

static bool skip_map(atls_cur *c, const char *field, unsigned depth)
{
    atls_cbor_group g;
    atls_bytes keys[ATLS_CBOR_OPEN_PAIRS];
    bool more = true;
    if (!atls_cbor_map_begin(c, field, ATLS_CBOR_OPEN_PAIRS, &g)) {
        return false;
    }
    for (size_t n = 0; atls_cbor_more(c, field, &g, &more); n++) {
        if (!more) {
            return true;
        }
        if (!skip_key(c, field, depth, keys, n) || !skip_item(c, field, depth)) {
            return false;
        }
    }
    return false;
}

/* Elements take a byte each at least, so a count that lies ends at the end of the input. */
static bool skip_array(atls_cur *c, const char *field, unsigned depth)
{
    atls_cbor_group g;
    bool more = true;
    if (!atls_cbor_array_begin(c, field, UINT64_MAX, &g)) {
        return false;
    }
    while (atls_cbor_more(c, field, &g, &more)) {
        if (!more) {
            return true;
        }
        if (!skip_item(c, field, depth)) {
            return false;
        }
    }
    return false;
}

/* The first three bits of a head: what kind of group follows, if any. */
static bool is_major(const atls_cur *c, unsigned major)
{
    return c->rest.len > 0 && c->rest.ptr[0] >> 5 == major;
}

/* depth counts what may still be around the items inside this one */
static bool skip_item(atls_cur *c, const char *field, unsigned depth)
{
    atls_cbor_item item;
    const bool is_array = is_major(c, 4);
    const bool is_map = is_major(c, 5);
    const bool is_tag = is_major(c, 6);
    if ((is_array || is_map || is_tag) && depth == 0) {
        (void)atls_cur_fail(c, ATLS_E_LIMIT, field, NULL, NULL, "CBOR: nested too deep");
        return false;
    }
    if (is_array) {
        return skip_array(c, field, depth - 1);
    }
    if (is_map) {
        return skip_map(c, field, depth - 1);
    }
    return atls_cbor_head(c, field, &item) && (!is_tag || skip_item(c, field, depth - 1));
}

bool atls_cbor_skip_open(atls_cur *c, const char *field, unsigned depth, atls_bytes *whole)
{
    atls_cur walk = *c;
    atls_cur start = *c;
    atls_bytes encoding;
    if (!skip_item(&walk, field, depth < ATLS_MAX_CBOR_DEPTH ? depth : ATLS_MAX_CBOR_DEPTH)
        || !atls_cur_bytes(&start, field, atls_cur_offset(&walk) - atls_cur_offset(c), &encoding)) {
        return false;
    }
    *c = walk;
    if (whole != NULL) {
        *whole = encoding;
    }
    return true;
}
