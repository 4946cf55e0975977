/* SPDX-License-Identifier: Apache-2.0 */
/* test_cbor_open.c: groups of open length. What an open group holds is read as from a definite one; strings stay definite;
 * no map holds a key twice; depth and numbers are bounded; and what is cut short anywhere is refused. */
#include "check.h"

#include "base/cbor_open.h"
#include "base/limits.h"

/* ---- whole items ---- */

typedef struct row {
    const char *name;
    const char *hex;
    unsigned depth;
    size_t len; /* of the item, when it is accepted */
    atls_code code;
    const char *message; /* must be in the error's, so that a row dies for its own reason */
} row;

#define YES(len)          len, ATLS_OK, ""
#define NO(code, message) 0, ATLS_E_##code, message

static const row rows[] = {
    {"an integer", "1818", 1, YES(2)},
    {"a definite map", "a2 6161 01 6162 02", 1, YES(7)},
    {"an open map", "bf 6161 01 6162 02 ff", 1, YES(8)},
    {"an open map of nothing", "bf ff", 1, YES(2)},
    {"an open array", "9f 01 02 03 ff", 1, YES(5)},
    {"an open array in an open map, and more after it", "bf 01 9f a0 ff ff 00", 3, YES(6)},
    {"a tag", "d2 01", 1, YES(2)},
    {"keys out of order", "bf 6162 02 6161 01 ff", 1, YES(8)},
    {"an integer and a text are different keys", "a2 01 00 6131 00", 1, YES(6)},
    {"a key that is a map", "a1 bf ff 00", 2, YES(4)},
    {"a key twice, open", "bf 6161 01 6161 02 ff", 1, NO(ENCODING, "a key twice")},
    {"a key twice, definite", "a2 6161 01 6161 01", 1, NO(ENCODING, "a key twice")},
    {"a key twice, further in", "9f a2 01 00 01 00 ff", 2, NO(ENCODING, "a key twice")},
    {"an open map ends between key and value", "bf 6161 ff", 1, NO(ENCODING, "a break")},
    {"a break where an item is wanted", "ff", 1, NO(ENCODING, "a break")},
    {"a break in a definite array", "82 01 ff", 1, NO(ENCODING, "a break")},
    {"an open byte string", "5f 4101 ff", 1, NO(ENCODING, "indefinite")},
    {"an open text", "9f 7f 6161 ff ff", 1, NO(ENCODING, "indefinite")},
    {"a head that is too long", "9f 1801 ff", 1, NO(ENCODING, "longer")},
    {"text that is not UTF-8", "9f 61ff ff", 1, NO(ENCODING, "UTF-8")},
    {"an open map without an end", "bf 01 02", 1, NO(TRUNCATED, "")},
    {"a count that lies", "9b ffffffffffffffff 00", 1, NO(TRUNCATED, "")},
    {"too deep by one array", "9f 9f 80 ff ff", 2, NO(LIMIT, "deep")},
    {"too deep by one map", "bf 01 bf 02 a0 ff ff", 2, NO(LIMIT, "deep")},
    {"too deep by one tag", "d2 d2 01", 1, NO(LIMIT, "deep")},
    {"nothing may be nested", "80", 0, NO(LIMIT, "deep")},
    {"as deep as may be", "9f 9f 80 ff ff", 3, YES(5)},
};

static bool skip_hex(const char *hex, size_t cut, unsigned depth, atls_bytes *whole, atls_error *err)
{
    static uint8_t *last;
    size_t len;
    atls_cur c;
    free(last);
    last = check_hex(hex, &len);
    assert_true(cut <= len);
    atls_cur_init(&c, atls_bytes_of(last, len - cut), "t", err);
    const bool ok = atls_cbor_skip_open(&c, "f", depth, whole);
    assert_int_equal(ok, err->code == ATLS_OK);
    assert_int_equal(atls_cur_offset(&c), ok ? whole->len : 0);
    return ok;
}

static void test_row(void **state)
{
    const row *r = *state;
    atls_error err = {0};
    atls_bytes whole;
    const bool ok = skip_hex(r->hex, 0, r->depth, &whole, &err);
    check_error(&err, r->code, r->code == ATLS_OK ? "" : "t.f");
    assert_int_equal(ok, r->code == ATLS_OK);
    assert_true(!ok || whole.len == r->len);
    assert_non_null(strstr(err.message, r->message));
}

/* Every proper prefix of an accepted item lacks something. */
static void test_prefixes(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT(rows); i++) {
        size_t len;
        free(check_hex(rows[i].hex, &len));
        for (size_t cut = len - rows[i].len + 1; rows[i].code == ATLS_OK && cut <= len; cut++) {
            atls_error err = {0};
            atls_bytes whole;
            assert_false(skip_hex(rows[i].hex, cut, rows[i].depth, &whole, &err));
            assert_int_equal(err.code, ATLS_E_TRUNCATED);
        }
    }
}

/* A map of as many keys as are remembered, and one more; of both forms. */
static size_t make_map(uint8_t *out, bool open, unsigned pairs)
{
    size_t n = 0;
    out[n++] = open ? 0xbf : 0xb8;
    if (!open) {
        out[n++] = (uint8_t)pairs;
    }
    for (unsigned i = 0; i < pairs; i++) { /* 0x0100 + i: zero */
        const uint8_t pair[4] = {0x19, 0x01, (uint8_t)i, 0x00};
        memcpy(out + n, pair, sizeof pair);
        n += sizeof pair;
    }
    out[n] = 0xff;
    return n + (open ? 1 : 0);
}

static void test_pairs(void **state)
{
    uint8_t in[8 + 4 * (ATLS_CBOR_OPEN_PAIRS + 1)];
    (void)state;
    for (unsigned i = 0; i < 4; i++) {
        const bool more = i >= 2;
        atls_error err = {0};
        atls_cur c;
        const size_t n = make_map(in, i % 2 == 1, ATLS_CBOR_OPEN_PAIRS + (more ? 1 : 0));
        atls_cur_init(&c, atls_bytes_of(in, n), "t", &err);
        assert_int_equal(atls_cbor_skip_open(&c, "f", 1, NULL), !more);
        check_error(&err, more ? ATLS_E_LIMIT : ATLS_OK, more ? "t.f" : "");
    }
}

/* The caller's depth is never more than the reader's own. */
static void test_own_depth(void **state)
{
    uint8_t in[2 * (ATLS_MAX_CBOR_DEPTH + 1)];
    (void)state;
    for (size_t levels = ATLS_MAX_CBOR_DEPTH; levels <= ATLS_MAX_CBOR_DEPTH + 1; levels++) {
        atls_error err = {0};
        atls_cur c;
        memset(in, 0x9f, levels);
        memset(in + levels, 0xff, levels);
        atls_cur_init(&c, atls_bytes_of(in, 2 * levels), "t", &err);
        assert_int_equal(atls_cbor_skip_open(&c, "f", 1000, NULL), levels == ATLS_MAX_CBOR_DEPTH);
    }
}

/* ---- groups ---- */

/* Reads a map of unsigned integers to unsigned integers and adds everything up. */
static bool sum(const char *hex, uint64_t max, uint64_t *out, atls_error *err)
{
    size_t len;
    uint8_t *in = check_hex(hex, &len);
    atls_cur c;
    atls_cbor_group g;
    bool more = true;
    *out = 0;
    atls_cur_init(&c, atls_bytes_of(in, len), "t", err);
    bool ok = atls_cbor_map_begin(&c, "m", max, &g);
    while (ok && more) {
        uint64_t key = 0;
        uint64_t value = 0;
        ok = atls_cbor_more(&c, "m", &g, &more)
             && (!more || (atls_cbor_uint(&c, "k", 100, &key) && atls_cbor_uint(&c, "v", 100, &value)));
        *out += key + value;
    }
    ok = ok && atls_cur_end(&c);
    free(in);
    return ok;
}

static const struct group_row {
    const char *hex;
    uint64_t max;
    uint64_t sum;
    atls_code code;
    const char *field;
} groups[] = {
    {"a2 01 02 03 04", 2, 10, ATLS_OK, ""},
    {"bf 01 02 03 04 ff", 2, 10, ATLS_OK, ""},
    {"bf ff", 0, 0, ATLS_OK, ""},
    {"a0", 0, 0, ATLS_OK, ""},
    {"a2 01 02 03 04", 1, 0, ATLS_E_LIMIT, "t.m"},
    {"bf 01 02 03 04 ff", 1, 0, ATLS_E_LIMIT, "t.m"},
    {"bf 01 02 03 04", 2, 0, ATLS_E_LIMIT, "t.m"},
    {"bf 01 02 03 04", 3, 0, ATLS_E_TRUNCATED, "t.k"},
    {"bf 01 ff", 2, 0, ATLS_E_ENCODING, "t.v"},
    {"a1 01 02 ff", 2, 0, ATLS_E_TRAILING, "t"},
    {"9f 01 02 ff", 2, 0, ATLS_E_ENCODING, "t.m"},
    {"82 01 02", 2, 0, ATLS_E_ENCODING, "t.m"},
    {"", 2, 0, ATLS_E_TRUNCATED, "t.m"},
};

static void test_groups(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT(groups); i++) {
        atls_error err = {0};
        uint64_t total;
        const bool ok = sum(groups[i].hex, groups[i].max, &total, &err);
        check_error(&err, groups[i].code, groups[i].field);
        assert_int_equal(ok, groups[i].code == ATLS_OK);
        assert_true(!ok || total == groups[i].sum);
    }
}

int main(void)
{
    tap_list tests = {0};
    for (size_t i = 0; i < COUNT(rows); i++) {
        tap_add(&tests, rows[i].name, test_row, &rows[i]);
    }
    tap_add(&tests, "prefixes are cut short", test_prefixes, NULL);
    tap_add(&tests, "pairs of a map that is passed over are bounded", test_pairs, NULL);
    tap_add(&tests, "the reader's own depth", test_own_depth, NULL);
    tap_add(&tests, "maps of either form, one pair after another", test_groups, NULL);
    return tap_run("cbor_open", &tests);
}
