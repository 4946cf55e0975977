/* SPDX-License-Identifier: Apache-2.0 */
/* cbor.c: the members of a map, in any order: section 1. Stricter than base/cbor.h: no floats, no tags, no key twice. */
#include "apple.h"

static bool wrong(const atls_cur *c, atls_code code, const char *field, const char *message)
{
    (void)atls_cur_fail(c, code, field, NULL, NULL, message);
    return false;
}

static bool add_key(const atls_cur *c, const char *field, apple_map *m, atls_bytes key)
{
    for (size_t i = 0; i < m->n; i++) {
        if (atls_bytes_equal(m->keys[i], key)) {
            return wrong(c, ATLS_E_ENCODING, field, "CBOR: a map holds a key twice");
        }
    }
    m->keys[m->n++] = key;
    return true;
}

bool apple_map_begin(atls_cur *c, const char *field, apple_map *out)
{
    out->n = 0;
    return atls_cbor_map(c, field, APPLE_MAX_MEMBERS, &out->left);
}

bool apple_map_next(atls_cur *c, const char *field, apple_map *m, bool *more, atls_bytes *name, atls_bytes *whole)
{
    atls_cur look;
    atls_cbor_item item;
    *more = m->left > 0;
    if (!*more) {
        return false;
    }
    m->left--;
    look = *c;
    if (!atls_cbor_head(&look, field, &item) || !apple_cbor_skip(c, field, APPLE_MAX_DEPTH - 1, whole)) {
        return false;
    }
    *name = item.type == ATLS_CBOR_TEXT ? item.bytes : atls_bytes_empty();
    return add_key(c, field, m, *whole);
}

static bool skip_item(atls_cur *c, const char *field, unsigned depth);

static bool skip_pairs(atls_cur *c, const char *field, unsigned depth, uint64_t n)
{
    apple_map m;
    m.n = 0;
    if (n > APPLE_MAX_MEMBERS) {
        return wrong(c, ATLS_E_LIMIT, field, "CBOR: a map has too many members");
    }
    for (uint64_t i = 0; i < n; i++) {
        atls_cur start = *c;
        atls_bytes key;
        if (!skip_item(c, field, depth)
            || !atls_cur_bytes(&start, field, atls_cur_offset(c) - atls_cur_offset(&start), &key)
            || !add_key(c, field, &m, key) || !skip_item(c, field, depth)) {
            return false;
        }
    }
    return true;
}

/* Elements take a byte each at least, so a count that lies ends at the end of the input. */
static bool skip_item(atls_cur *c, const char *field, unsigned depth)
{
    atls_cbor_item item;
    if (!atls_cbor_head(c, field, &item)) {
        return false;
    }
    if (item.type == ATLS_CBOR_FLOAT || item.type == ATLS_CBOR_TAG) {
        return wrong(c, ATLS_E_ENCODING, field, "CBOR: a float or a tag, which these objects do not have");
    }
    if (item.type != ATLS_CBOR_ARRAY && item.type != ATLS_CBOR_MAP) {
        return true;
    }
    if (depth == 0) {
        return wrong(c, ATLS_E_LIMIT, field, "CBOR: nested too deep");
    }
    if (item.type == ATLS_CBOR_MAP) {
        return skip_pairs(c, field, depth - 1, item.n);
    }
    for (uint64_t i = 0; i < item.n; i++) {
        if (!skip_item(c, field, depth - 1)) {
            return false;
        }
    }
    return true;
}

bool apple_cbor_skip(atls_cur *c, const char *field, unsigned depth, atls_bytes *whole)
{
    atls_cur walk = *c;
    atls_cur start = *c;
    atls_bytes encoding;
    if (!skip_item(&walk, field, depth)
        || !atls_cur_bytes(&start, field, atls_cur_offset(&walk) - atls_cur_offset(c), &encoding)) {
        return false;
    }
    *c = walk;
    if (whole != NULL) {
        *whole = encoding;
    }
    return true;
}
