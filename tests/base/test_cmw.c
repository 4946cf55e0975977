/* SPDX-License-Identifier: Apache-2.0 */
/* test_cmw.c: one record is read in one spelling only, and written in that one. */
#include "check.h"

#include "base/cmw.h"

typedef struct row {
    const char *name;
    const char *hex;
    uint64_t indicator;
    atls_code code;
    const char *field;    /* NULL: accepted */
    const char *expected; /* NULL: not looked at */
} row;

#define TEXT_TYPE "63612f62" /* "a/b" */

static const row rows[] = {
    {"evidence", "83" TEXT_TYPE "420102 04", ATLS_CMW_EVIDENCE, ATLS_OK, NULL, NULL},
    {"endorsement", "83" TEXT_TYPE "420102 02", ATLS_CMW_ENDORSEMENT, ATLS_OK, NULL, NULL},
    {"an endorsement as evidence", "83" TEXT_TYPE "420102 02", ATLS_CMW_EVIDENCE, ATLS_E_ENCODING, "t.cmw.indicator",
     "4"},
    {"evidence as an endorsement", "83" TEXT_TYPE "420102 04", ATLS_CMW_ENDORSEMENT, ATLS_E_ENCODING, "t.cmw.indicator",
     "2"},
    {"both at once", "83" TEXT_TYPE "420102 06", ATLS_CMW_EVIDENCE, ATLS_E_ENCODING, "t.cmw.indicator", "4"},
    {"evidence and reference values", "83" TEXT_TYPE "420102 05", ATLS_CMW_EVIDENCE, ATLS_E_ENCODING, "t.cmw.indicator",
     "4"},
    {"an indicator of zero", "83" TEXT_TYPE "420102 00", ATLS_CMW_EVIDENCE, ATLS_E_ENCODING, "t.cmw.indicator", "4"},
    {"a negative indicator", "83" TEXT_TYPE "420102 23", ATLS_CMW_EVIDENCE, ATLS_E_ENCODING, "t.cmw.indicator",
     "unsigned integer"},
    {"an indicator longer than it must be", "83" TEXT_TYPE "420102 1804", ATLS_CMW_EVIDENCE, ATLS_E_ENCODING,
     "t.cmw.indicator", NULL},
    {"an indicator of 64 bits", "83" TEXT_TYPE "420102 1bffffffffffffffff", ATLS_CMW_EVIDENCE, ATLS_E_ENCODING,
     "t.cmw.indicator", "4"},
    {"no indicator", "82" TEXT_TYPE "420102", ATLS_CMW_EVIDENCE, ATLS_E_ENCODING, "t.cmw", "3"},
    {"four items", "84" TEXT_TYPE "420102 0400", ATLS_CMW_EVIDENCE, ATLS_E_LIMIT, "t.cmw", "at most 3"},
    {"an empty array", "80", ATLS_CMW_EVIDENCE, ATLS_E_ENCODING, "t.cmw", "3"},
    {"an indefinite array", "9f" TEXT_TYPE "420102 04ff", ATLS_CMW_EVIDENCE, ATLS_E_ENCODING, "t.cmw", NULL},
    {"a map", "a1" TEXT_TYPE "420102", ATLS_CMW_EVIDENCE, ATLS_E_ENCODING, "t.cmw", "array"},
    {"a tag", "d9 0101 83" TEXT_TYPE "420102 04", ATLS_CMW_EVIDENCE, ATLS_E_ENCODING, "t.cmw", "array"},
    {"a bare text", TEXT_TYPE, ATLS_CMW_EVIDENCE, ATLS_E_ENCODING, "t.cmw", "array"},
    {"a type by number", "83 1901f4 420102 04", ATLS_CMW_EVIDENCE, ATLS_E_ENCODING, "t.cmw.type", "text string"},
    {"a type as bytes", "83 43612f62 420102 04", ATLS_CMW_EVIDENCE, ATLS_E_ENCODING, "t.cmw.type", "text string"},
    {"a tagged type", "83 c0" TEXT_TYPE "420102 04", ATLS_CMW_EVIDENCE, ATLS_E_ENCODING, "t.cmw.type", "text string"},
    {"an empty type", "83 60 420102 04", ATLS_CMW_EVIDENCE, ATLS_E_ENCODING, "t.cmw.type", NULL},
    {"a type that is no UTF-8", "83 63ff2f62 420102 04", ATLS_CMW_EVIDENCE, ATLS_E_ENCODING, "t.cmw.type", NULL},
    {"an empty value", "83" TEXT_TYPE "40 04", ATLS_CMW_EVIDENCE, ATLS_E_ENCODING, "t.cmw.value", NULL},
    {"a value as text", "83" TEXT_TYPE "626869 04", ATLS_CMW_EVIDENCE, ATLS_E_ENCODING, "t.cmw.value", "byte string"},
    {"a tagged value", "83" TEXT_TYPE "d818 420102 04", ATLS_CMW_EVIDENCE, ATLS_E_ENCODING, "t.cmw.value",
     "byte string"},
    {"a nested record", "83" TEXT_TYPE "83" TEXT_TYPE "420102 04 04", ATLS_CMW_EVIDENCE, ATLS_E_ENCODING, "t.cmw.value",
     "byte string"},
    {"a value longer than it must say", "83" TEXT_TYPE "58020102 04", ATLS_CMW_EVIDENCE, ATLS_E_ENCODING, "t.cmw.value",
     NULL},
    {"nothing", "", ATLS_CMW_EVIDENCE, ATLS_E_TRUNCATED, "t.cmw", NULL},
    {"cut in the type", "83 63612f", ATLS_CMW_EVIDENCE, ATLS_E_TRUNCATED, "t.cmw.type", NULL},
    {"cut in the value", "83" TEXT_TYPE "4201", ATLS_CMW_EVIDENCE, ATLS_E_TRUNCATED, "t.cmw.value", NULL},
    {"cut before the indicator", "83" TEXT_TYPE "420102", ATLS_CMW_EVIDENCE, ATLS_E_TRUNCATED, "t.cmw.indicator", NULL},
};

static atls_bytes written(uint64_t indicator, const atls_cmw_record *in)
{
    atls_error err = {0};
    atls_buf b;
    atls_cw w;
    atls_bytes out = atls_bytes_empty();
    atls_buf_init(&b, check_arena(), &err);
    atls_cw_init(&w, &b);
    atls_cmw_write(&w, indicator, in);
    assert_true(atls_buf_done(&b, &out));
    return out;
}

static void test_row(void **state)
{
    const row *r = *state;
    size_t len;
    uint8_t *in = check_hex(r->hex, &len);
    atls_error err = {0};
    atls_cur c;
    atls_cmw_record record;
    atls_cur_init(&c, atls_bytes_of(in, len), "t", &err);
    bool ok = atls_cmw_read(&c, "cmw", r->indicator, &record);
    check_error(&err, r->code, ok ? "" : r->field);
    assert_int_equal(ok, r->field == NULL);
    assert_int_equal(c.rest.len, ok ? 0 : len);
    if (ok) {
        assert_true(atls_bytes_equal_str(record.type, "a/b"));
        assert_true(atls_bytes_equal(record.value, atls_bytes_of("\x01\x02", 2)));
        assert_true(atls_bytes_equal(written(r->indicator, &record), atls_bytes_of(in, len)));
    }
    if (r->expected != NULL) {
        assert_string_equal(err.expected, r->expected);
    }
    free(in);
}

/* What follows a record is its reader's business: a record ends where it ends. */
static void test_what_follows_stays(void **state)
{
    (void)state;
    static const uint8_t in[] = "\x83\x63\x61/b\x41\x01\x04\x83";
    atls_error err = {0};
    atls_cur c;
    atls_cmw_record record;
    atls_cur_init(&c, atls_bytes_of(in, sizeof in - 1), "t", &err);
    assert_true(atls_cmw_read(&c, "cmw", ATLS_CMW_EVIDENCE, &record));
    assert_int_equal(c.rest.len, 1);
}

/* No prefix of a record is one; and what is read after any one bit was flipped is written to those very bytes. */
static void test_damaged(void **state)
{
    (void)state;
    static const uint8_t good[] = "\x83\x63\x61/b\x42\x01\x02\x04";
    atls_cmw_record record;
    for (size_t len = 0; len < sizeof good - 1; len++) {
        atls_error err = {0};
        atls_cur c;
        atls_cur_init(&c, atls_bytes_of(good, len), "t", &err);
        assert_false(atls_cmw_read(&c, "cmw", ATLS_CMW_EVIDENCE, &record));
        assert_int_equal(err.code, ATLS_E_TRUNCATED);
    }
    for (size_t bit = 0; bit < 8 * (sizeof good - 1); bit++) {
        uint8_t bad[sizeof good - 1];
        atls_error err = {0};
        atls_cur c;
        memcpy(bad, good, sizeof bad);
        bad[bit / 8] ^= (uint8_t)(1u << bit % 8);
        atls_cur_init(&c, atls_bytes_of(bad, sizeof bad), "t", &err);
        if (atls_cmw_read(&c, "cmw", ATLS_CMW_EVIDENCE, &record)) {
            atls_bytes again = written(ATLS_CMW_EVIDENCE, &record);
            assert_int_equal(again.len, atls_cur_offset(&c));
            assert_memory_equal(again.ptr, bad, again.len);
        }
    }
}

int main(void)
{
    tap_list tests = {0};
    for (size_t i = 0; i < COUNT(rows); i++) {
        tap_add(&tests, rows[i].name, test_row, &rows[i]);
    }
    tap_add(&tests, "what follows stays", test_what_follows_stays, NULL);
    tap_add(&tests, "damaged", test_damaged, NULL);
    return tap_run("cmw", &tests);
}
