/* SPDX-License-Identifier: Apache-2.0 */
/* test_enrol_oid.c: object identifiers there and back, arcs of 128 bits among them; everything that is none. */
#include "base/check.h"

#include "atls/enrol.h"
#include "base/text.h"

#define TEST_OID "2.25.266612578647278744056060545794611611433"

typedef struct good_row {
    const char *text;
    const char *der; /* hex of the content */
} good_row;

static const good_row good_rows[] = {
    {TEST_OID, "69839193dbc0c58fb2b1a185bcb4bafa8ae08e29"}, /* of Warden Supreme */
    {"0.0", "00"},
    {"0.39", "27"},
    {"1.0", "28"},
    {"1.39", "4f"},
    {"2.0", "50"},
    {"2.39", "77"},
    {"2.40", "78"},
    {"2.47", "7f"},
    {"2.48", "8100"},
    {"2.999", "8837"},
    {"2.5.4.5", "550405"},
    {"1.2.840.113549.1.9.14", "2a864886f70d01090e"},
    {"1.2.127.128.16383.16384", "2a7f8100ff7f818000"},
    {"1.2.0.0", "2a0000"},
    {"2.25.340282366920938463463374607431768211455", "6983ffffffffffffffffffffffffffffffffff7f"}, /* 2^128 - 1 */
    {"2.340282366920938463463374607431768211455", "8480808080808080808080808080808080804f"},      /* and 80 more */
    {"1.3.6.1.4.1.4294967295.18446744073709551616", "2b060104018fffffff7f82808080808080808000"},
};

static void test_good(void **state)
{
    const good_row *row = *state;
    atls_error err = {0};
    atls_bytes content;
    atls_bytes text;
    atls_arena *a = check_arena();
    assert_true(atls_enrol_oid_der(atls_bytes_str(row->text), "oid", a, &content, &err));
    assert_string_equal(atls_hex_text(content, a, &err), row->der);
    assert_true(atls_enrol_oid_text(content, "oid", a, &text, &err));
    assert_true(atls_bytes_equal_str(text, row->text));
}

static const char *const bad_texts[] = {
    "",
    "2",
    "2.",
    ".",
    ".2.5",
    "2..5",
    "2.5.",
    "2.05",
    "02.5",
    "2.00",
    "2.+5",
    "2.-5",
    "2. 5",
    " 2.5",
    "2.5 ",
    "2.5a",
    "0x2.5",
    "2,5",
    "0.40",
    "1.40",
    "3.0",
    "10.5",
    "130.1",
    "1.128",
    "2.5.4x",
    "1.2.\n",
    "urn:oid:2.5",
    "2.25.340282366920938463463374607431768211456",
    "2.340282366920938463463374607431768211456",
    "2.25.3402823669209384634633746074317682114550",
    "1.2.99999999999999999999999999999999999999999999999999999999999999999999",
};

static void test_bad_text(void **state)
{
    const char *text = *state;
    atls_error err = {0};
    atls_bytes out;
    assert_false(atls_enrol_oid_der(atls_bytes_str(text), "the.field", check_arena(), &out, &err));
    check_error(&err, ATLS_E_ENCODING, "the.field");
    assert_int_equal(out.len, 0);
}

static const char *const bad_contents[] = {
    "",                                           /* nothing */
    "80",                                         /* no end */
    "5580",                                       /* no end */
    "8055",                                       /* not minimal */
    "55800405",                                   /* not minimal */
    "69ff",                                       /* no end */
    "6984808080808080808080808080808080808000",   /* 2^128 */
    "69ffffffffffffffffffffffffffffffffffff7f",   /* 133 bits */
    "6981ffffffffffffffffffffffffffffffffffff7f", /* 20 digits */
    "698183ffffffffffffffffffffffffffffffffff7f", /* the same, of which 19 would be an arc */
    "84808080808080808080808080808080808050",     /* 2.2^128 */
};

static void test_bad_content(void **state)
{
    const char *hex = *state;
    size_t len;
    uint8_t *content = check_hex(hex, &len);
    atls_error err = {0};
    atls_bytes out;
    assert_false(atls_enrol_oid_text(atls_bytes_of(content, len), "the.field", check_arena(), &out, &err));
    check_error(&err, ATLS_E_ENCODING, "the.field");
    assert_int_equal(out.len, 0);
    free(content);
}

/* 256 octets there and back, whatever is in them; one more is refused in both directions. */
static void test_length(void **state)
{
    (void)state;
    static const uint8_t octets[] = {0x00, 0x28, 0x7f};
    for (size_t i = 0; i < COUNT(octets); i++) {
        uint8_t content[257];
        atls_error err = {0};
        atls_bytes text;
        atls_bytes back;
        atls_arena *a = check_arena();
        memset(content, octets[i], sizeof content);
        assert_true(atls_enrol_oid_text(atls_bytes_of(content, 256), "oid", a, &text, &err));
        assert_true(atls_enrol_oid_der(text, "oid", a, &back, &err));
        assert_true(atls_bytes_equal(back, atls_bytes_of(content, 256)));
        char longer[2048];
        snprintf(longer, sizeof longer, "%.*s.0", (int)text.len, (const char *)text.ptr);
        assert_false(atls_enrol_oid_text(atls_bytes_of(content, 257), "oid", a, &text, &err));
        check_error(&err, ATLS_E_ENCODING, "oid");
        err = (atls_error){0};
        assert_false(atls_enrol_oid_der(atls_bytes_str(longer), "oid", a, &back, &err));
        check_error(&err, ATLS_E_ENCODING, "oid");
    }
}

/* Every small number, as first and as last arc. */
static void test_every_small(void **state)
{
    (void)state;
    for (unsigned n = 0; n < 20000; n++) {
        char text[32];
        atls_error err = {0};
        atls_bytes content;
        atls_bytes back;
        atls_arena *a = check_arena();
        snprintf(text, sizeof text, "2.%u.%u", n, n);
        assert_true(atls_enrol_oid_der(atls_bytes_str(text), "oid", a, &content, &err));
        assert_true(atls_enrol_oid_text(content, "oid", a, &back, &err));
        assert_true(atls_bytes_equal_str(back, text));
    }
}

static void test_memory(void **state)
{
    (void)state;
    uint8_t block[8];
    atls_arena a;
    atls_error err = {0};
    atls_bytes out;
    atls_arena_init(&a, block, sizeof block);
    assert_false(atls_enrol_oid_der(atls_bytes_str(TEST_OID), "oid", &a, &out, &err));
    assert_int_equal(err.code, ATLS_E_MEMORY);
    err = (atls_error){0};
    assert_false(atls_enrol_oid_text(atls_bytes_str("\x55\x04"), "oid", &a, &out, &err));
    assert_int_equal(err.code, ATLS_E_MEMORY);
}

int main(void)
{
    tap_list tests = {0};
    for (size_t i = 0; i < COUNT(good_rows); i++) {
        tap_add(&tests, good_rows[i].text, test_good, &good_rows[i]);
    }
    for (size_t i = 0; i < COUNT(bad_texts); i++) {
        tap_add(&tests, "a text that is no object identifier", test_bad_text, bad_texts[i]);
    }
    for (size_t i = 0; i < COUNT(bad_contents); i++) {
        tap_add(&tests, "a content that is no object identifier", test_bad_content, bad_contents[i]);
    }
    tap_add(&tests, "the longest, and one more", test_length, NULL);
    tap_add(&tests, "every small number", test_every_small, NULL);
    tap_add(&tests, "an arena that is too small", test_memory, NULL);
    return tap_run("enrol_oid", &tests);
}
