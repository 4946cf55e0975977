/* SPDX-License-Identifier: Apache-2.0 */
/* test_text.c: hex, base64 and UTF-8, strict; text in the arena. */
#include "check.h"

#include "base/text.h"

#include <openssl/evp.h>

#define TEXT(literal) literal, sizeof(literal) - 1

/* ---- hex ---- */

typedef struct hex_row {
    const char *name;
    const char *text;
    const char *lower; /* NULL: refused */
} hex_row;

static const hex_row hex_rows[] = {
    {"hex: nothing", "", ""},
    {"hex: both cases", "00fFaB09", "00ffab09"},
    {"hex: a capital first", "Fa", "fa"},
    {"hex: odd length", "abc", NULL},
    {"hex: one digit", "a", NULL},
    {"hex: the byte before 0", "0/", NULL},
    {"hex: the byte after 9", "0:", NULL},
    {"hex: the byte before A", "@0", NULL},
    {"hex: the byte after F", "G0", NULL},
    {"hex: the byte before a", "`0", NULL},
    {"hex: the byte after f", "g0", NULL},
    {"hex: a prefix 0x", "0x00", NULL},
    {"hex: white space", "00 0", NULL},
    {"hex: a bad first digit of many", "z00000000000000000", NULL},
    {"hex: a bad last digit of many", "00000000000000000z", NULL},
    {"hex: a byte above 127", "0\xb0", NULL},
};

static void test_hex(void **state)
{
    const hex_row *row = *state;
    atls_arena *a = check_arena();
    atls_error err = {0};
    atls_bytes out;
    bool ok = atls_hex_decode(atls_bytes_str(row->text), "report.data", a, &out, &err);
    assert_int_equal(ok, row->lower != NULL);
    if (!ok) {
        check_error(&err, ATLS_E_ENCODING, "report.data");
        return;
    }
    const char *again = atls_hex_text(out, a, &err);
    assert_non_null(again);
    assert_string_equal(again, row->lower);
    assert_int_equal(atls_is_lower_hex(atls_bytes_str(row->text)), strcmp(row->text, row->lower) == 0);
}

/* Exactly the 22 digits are digits, and exactly the 16 small ones are small. */
static void test_hex_digits(void **state)
{
    (void)state;
    for (unsigned c = 0; c < 256; c++) {
        uint8_t pair[2] = {'0', (uint8_t)c};
        uint8_t out;
        bool small = (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f');
        bool ok = atls_hex_fixed(atls_bytes_of(pair, 2), &out, 1);
        assert_int_equal(ok, small || (c >= 'A' && c <= 'F'));
        assert_int_equal(atls_is_lower_hex(atls_bytes_of(pair, 2)), small);
        if (ok) {
            assert_int_equal(out, check_digit((char)c));
        }
    }
}

static void test_hex_fixed_length(void **state)
{
    (void)state;
    uint8_t out[2];
    assert_true(atls_hex_fixed(atls_bytes_str("0102"), out, 2));
    assert_false(atls_hex_fixed(atls_bytes_str("01"), out, 2));
    assert_false(atls_hex_fixed(atls_bytes_str("010"), out, 1));
    assert_false(atls_hex_fixed(atls_bytes_str("010203"), out, 2));
    assert_true(atls_hex_fixed(atls_bytes_empty(), out, 0));
}

/* ---- base64 ---- */

typedef struct base64_row {
    const char *name;
    const char *text;
    const char *plain; /* NULL: refused without white space allowed */
    const char *loose; /* NULL: refused with white space allowed too */
} base64_row;

static const base64_row base64_rows[] = {
    {"base64: RFC 4648 section 10, nothing", "", "", ""},
    {"base64: RFC 4648 section 10, f", "Zg==", "f", "f"},
    {"base64: RFC 4648 section 10, fo", "Zm8=", "fo", "fo"},
    {"base64: RFC 4648 section 10, foo", "Zm9v", "foo", "foo"},
    {"base64: RFC 4648 section 10, foob", "Zm9vYg==", "foob", "foob"},
    {"base64: RFC 4648 section 10, fooba", "Zm9vYmE=", "fooba", "fooba"},
    {"base64: RFC 4648 section 10, foobar", "Zm9vYmFy", "foobar", "foobar"},
    {"base64: line ends", "Zm9v\r\nYmFy\n", NULL, "foobar"},
    {"base64: white space inside a group and in the padding", " Z\tg =\n= ", NULL, "f"},
    {"base64: only white space", " \r\n\t", NULL, ""},
    {"base64: a vertical tab is no white space", "Zm9v\vYmFy", NULL, NULL},
    {"base64: no padding", "Zg", NULL, NULL},
    {"base64: half of the padding", "Zg=", NULL, NULL},
    {"base64: too much padding", "Zm8==", NULL, NULL},
    {"base64: padding after a whole group", "Zm9v=", NULL, NULL},
    {"base64: four signs of padding", "Zm9v====", NULL, NULL},
    {"base64: only padding", "==", NULL, NULL},
    {"base64: a lone digit", "Zm9vY", NULL, NULL},
    {"base64: a lone digit and padding", "Zm9vY===", NULL, NULL},
    {"base64: unused bits, one byte", "Zh==", NULL, NULL},
    {"base64: unused bits, two bytes", "Zm9=", NULL, NULL},
    {"base64: digits after the padding", "Zg==Zg==", NULL, NULL},
    {"base64: the alphabet of URLs", "Zm9-", NULL, NULL},
    {"base64: the alphabet of URLs, underscore", "Zm9_", NULL, NULL},
    {"base64: a byte above 127", "Zm9\xc3", NULL, NULL},
};

static void test_base64(void **state)
{
    const base64_row *row = *state;
    for (int loose = 0; loose < 2; loose++) {
        atls_error err = {0};
        atls_bytes out;
        const char *wanted = loose ? row->loose : row->plain;
        bool ok = atls_base64_decode(atls_bytes_str(row->text), loose != 0, "pem", check_arena(), &out, &err);
        assert_int_equal(ok, wanted != NULL);
        if (ok) {
            assert_true(atls_bytes_equal_str(out, wanted));
        } else {
            check_error(&err, ATLS_E_ENCODING, "pem");
        }
    }
}

/* Every length up to 200 of bytes that reach every digit, encoded by OpenSSL. */
static void test_base64_lengths(void **state)
{
    (void)state;
    uint8_t plain[200];
    uint8_t text[300];
    for (size_t i = 0; i < sizeof plain; i++) {
        plain[i] = (uint8_t)(i * 151 + 7);
    }
    for (size_t len = 0; len <= sizeof plain; len++) {
        atls_error err = {0};
        atls_bytes out;
        int n = EVP_EncodeBlock(text, plain, (int)len);
        atls_bytes in = atls_bytes_of(text, (size_t)n);
        assert_true(atls_base64_decode(in, false, "f", check_arena(), &out, &err));
        assert_true(atls_bytes_equal(out, atls_bytes_of(plain, len)));
        for (size_t cut = 1; cut < 4 && cut <= in.len; cut++) {
            assert_false(atls_base64_decode(atls_bytes_of(text, in.len - cut), false, "f", check_arena(), &out, &err));
        }
    }
}

/* A line end at every place of every length: no group of four is safe from being split. */
static void test_base64_line_ends(void **state)
{
    (void)state;
    static const char plain[] = "\xff\xee\xdd attested TLS \x01\x02";
    char text[64];
    char split[64];
    for (size_t len = 0; len < sizeof plain; len++) {
        int n = EVP_EncodeBlock((unsigned char *)text, (const unsigned char *)plain, (int)len);
        for (int at = 0; at <= n; at++) {
            atls_error err = {0};
            atls_bytes out;
            snprintf(split, sizeof split, "%.*s\n%s", at, text, text + at);
            assert_true(atls_base64_decode(atls_bytes_str(split), true, "f", check_arena(), &out, &err));
            assert_true(atls_bytes_equal(out, atls_bytes_of(plain, len)));
            assert_false(atls_base64_decode(atls_bytes_str(split), false, "f", check_arena(), &out, &err));
        }
    }
}

/* ---- UTF-8 ---- */

typedef struct utf8_row {
    const char *name;
    const char *text;
    size_t len;
    bool ok;
} utf8_row;

static const utf8_row utf8_rows[] = {
    {"utf8: nothing", TEXT(""), true},
    {"utf8: ASCII, longer than a word", TEXT("attested TLS\x7f\0."), true},
    {"utf8: least and greatest of two bytes", TEXT("\xc2\x80\xdf\xbf"), true},
    {"utf8: least and greatest of three bytes", TEXT("\xe0\xa0\x80\xef\xbf\xbf"), true},
    {"utf8: both sides of the surrogates", TEXT("\xed\x9f\xbf\xee\x80\x80"), true},
    {"utf8: least and greatest of four bytes", TEXT("\xf0\x90\x80\x80\xf4\x8f\xbf\xbf"), true},
    {"utf8: a continuation alone", TEXT("\x80"), false},
    {"utf8: overlong, C0", TEXT("\xc0\x80"), false},
    {"utf8: overlong, C1", TEXT("\xc1\xbf"), false},
    {"utf8: overlong, three bytes", TEXT("\xe0\x9f\xbf"), false},
    {"utf8: overlong, four bytes", TEXT("\xf0\x8f\xbf\xbf"), false},
    {"utf8: the first surrogate", TEXT("\xed\xa0\x80"), false},
    {"utf8: the last surrogate", TEXT("\xed\xbf\xbf"), false},
    {"utf8: above U+10FFFF", TEXT("\xf4\x90\x80\x80"), false},
    {"utf8: F5", TEXT("\xf5\x80\x80\x80"), false},
    {"utf8: FF", TEXT("\xff"), false},
    {"utf8: two bytes cut", TEXT("\xc3"), false},
    {"utf8: three bytes cut after one", TEXT("\xe2"), false},
    {"utf8: three bytes cut after two", TEXT("\xe2\x82"), false},
    {"utf8: four bytes cut after three", TEXT("\xf0\x9f\x98"), false},
    {"utf8: second byte wrong", TEXT("\xc3\x28"), false},
    {"utf8: third byte wrong", TEXT("\xe2\x82\x28"), false},
    {"utf8: fourth byte wrong", TEXT("\xf0\x9f\x98\x28"), false},
    {"utf8: wrong after a long run of ASCII", TEXT("aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa\xff"), false},
};

static void test_utf8(void **state)
{
    const utf8_row *row = *state;
    uint8_t *exact = malloc(row->len + 1); /* the last byte poisoned by its value: it must not be looked at */
    assert_non_null(exact);
    memcpy(exact, row->text, row->len);
    exact[row->len] = 0x80;
    assert_int_equal(atls_utf8_valid(atls_bytes_of(exact, row->len)), row->ok);
    free(exact);
}

/* One character as the standard explains it, without any table of boundaries: decode, then ask whether the value could
 * have been shorter, is a surrogate or is too large. */
static bool is_one_character(const uint8_t *p, size_t len)
{
    size_t n = p[0] < 0x80 ? 1 : (p[0] & 0xe0) == 0xc0 ? 2 : (p[0] & 0xf0) == 0xe0 ? 3 : (p[0] & 0xf8) == 0xf0 ? 4 : 0;
    if (n == 0 || n != len) {
        return false;
    }
    static const uint32_t least[] = {0, 0, 0x80, 0x800, 0x10000};
    uint32_t value = n == 1 ? p[0] : p[0] & (0x7fu >> n);
    for (size_t i = 1; i < n; i++) {
        if ((p[i] & 0xc0) != 0x80) {
            return false;
        }
        value = value << 6 | (p[i] & 0x3fu);
    }
    return value >= least[n] && value <= 0x10ffff && (value < 0xd800 || value > 0xdfff);
}

/* Every first byte with every edge after it, cut at every length. */
static void test_utf8_edges(void **state)
{
    (void)state;
    static const uint8_t edges[] = {0x00, 0x28, 0x7f, 0x80, 0x8f, 0x90, 0x9f, 0xa0, 0xbf, 0xc0, 0xe1, 0xff};
    const size_t n = COUNT(edges);
    for (size_t i = 0; i < 256 * n * n * n; i++) {
        const uint8_t in[] = {(uint8_t)(i / (n * n * n)), edges[i / (n * n) % n], edges[i / n % n], edges[i % n]};
        size_t wanted = 0;
        for (size_t len = 1; len <= 4; len++) {
            wanted = wanted == 0 && is_one_character(in, len) ? len : wanted;
        }
        for (size_t len = 1; len <= 4; len++) {
            assert_int_equal(atls_utf8_char(atls_bytes_of(in, len), 0), wanted <= len ? wanted : 0);
        }
    }
}

/* ---- text and buffers ---- */

static void test_text_copy(void **state)
{
    (void)state;
    atls_error err = {0};
    const char *text = atls_text_copy(atls_bytes_str("UpToDate"), check_arena(), &err);
    assert_non_null(text);
    assert_string_equal(text, "UpToDate");
    text = atls_text_copy(atls_bytes_empty(), check_arena(), &err);
    assert_non_null(text);
    assert_string_equal(text, "");
    text = atls_text_copy(atls_bytes_str("x"), check_arena(), &err);
    assert_non_null(text);
    assert_string_equal(text, "x");
    assert_null(atls_text_copy(atls_bytes_of("\0", 1), check_arena(), &err));
    check_error(&err, ATLS_E_ENCODING, "text");
    atls_error_clear(&err);
    assert_null(atls_text_copy(atls_bytes_of("Revoked\0", 8), check_arena(), &err));
    check_error(&err, ATLS_E_ENCODING, "text");
}

static void test_text_format(void **state)
{
    (void)state;
    atls_error err = {0};
    const char *text = atls_text_format(check_arena(), &err, "%s %d", "level", 7);
    assert_non_null(text);
    assert_string_equal(text, "level 7");
    text = atls_text_format(check_arena(), &err, "%s", "");
    assert_non_null(text);
    assert_string_equal(text, "");
}

static void test_text_without_memory(void **state)
{
    (void)state;
    uint8_t block[4];
    atls_arena a;
    atls_bytes four = atls_bytes_of("abcd", 4);
    atls_bytes out;
    for (int i = 0; i < 6; i++) {
        atls_error err = {0};
        atls_arena_init(&a, block, sizeof block);
        bool ok = i == 0   ? atls_text_copy(four, &a, &err) != NULL
                  : i == 1 ? atls_text_format(&a, &err, "%d", 1234) != NULL
                  : i == 2 ? atls_hex_text(four, &a, &err) != NULL
                  : i == 3 ? atls_hex_decode(atls_bytes_str("0102030405"), "f", &a, &out, &err)
                  : i == 4 ? atls_base64_decode(atls_bytes_str("Zm9vYmFy"), false, "f", &a, &out, &err)
                           : atls_hex_text(atls_bytes_of(block, SIZE_MAX / 2), &a, &err) != NULL;
        assert_false(ok);
        check_error(&err, ATLS_E_MEMORY, "arena");
    }
}

/* Arenas of every size: too small says so, large enough is right, and neither writes behind the end. */
static void test_every_arena_size(void **state)
{
    (void)state;
    for (int i = 0; i < 6; i++) {
        bool ok = false;
        for (size_t size = 0; !ok; size++) {
            uint8_t *block = malloc(size + 1);
            assert_non_null(block);
            block[size] = 0xa5;
            atls_arena a;
            atls_error err = {0};
            atls_bytes out = atls_bytes_empty();
            const char *text = NULL;
            atls_arena_init(&a, block, size);
            switch (i) {
            case 0:
                ok = atls_base64_decode(atls_bytes_str("Zm9vYmFyZm9vYmFyZm9vYmFyZm9vYmFyZm9vYmE="), false, "f", &a,
                                        &out, &err);
                break;
            case 1:
                ok = atls_base64_decode(atls_bytes_str("Zm9v YmFyZm 9vYmFyZm9vYmFyZm9vYmFyZm9vYmE="), true, "f", &a,
                                        &out, &err);
                break;
            case 2:
                ok = atls_hex_decode(atls_bytes_str("00112233445566778899"), "f", &a, &out, &err);
                break;
            case 3:
                text = atls_hex_text(atls_bytes_str("0123456789"), &a, &err);
                break;
            case 4:
                text = atls_text_copy(atls_bytes_str("0123456789"), &a, &err);
                break;
            default:
                text = atls_text_format(&a, &err, "%d", 1234567890);
            }
            ok = ok || text != NULL;
            check_error(&err, ok ? ATLS_OK : ATLS_E_MEMORY, ok ? "" : "arena");
            assert_true(!ok || (text != NULL ? strlen(text) >= 10 : out.len >= 10));
            assert_int_equal(block[size], 0xa5);
            free(block);
        }
    }
}

static void test_buf_grows(void **state)
{
    (void)state;
    atls_error err = {0};
    atls_buf b;
    atls_bytes out;
    atls_buf_init(&b, check_arena(), &err);
    assert_true(atls_buf_done(&b, &out));
    assert_int_equal(out.len, 0);
    assert_non_null(out.ptr);
    for (int i = 0; i < 1000; i++) {
        atls_buf_str(&b, "ab");
        atls_buf_put(&b, atls_bytes_of("\0c", 2));
        atls_buf_format(&b, "%03d", i);
    }
    assert_true(atls_buf_done(&b, &out));
    assert_int_equal(out.len, 7000);
    assert_memory_equal(out.ptr, "ab\0c000ab\0c001", 14);
    assert_memory_equal(out.ptr + 6993, "ab\0c999", 7);
}

static void test_buf_fails_once_for_all(void **state)
{
    (void)state;
    uint8_t block[300];
    atls_arena a;
    atls_arena_init(&a, block, sizeof block);
    atls_error err = {0};
    atls_buf b;
    atls_bytes out;
    atls_buf_init(&b, &a, &err);
    for (int i = 0; i < 300; i++) {
        atls_buf_str(&b, "x");
    }
    check_error(&err, ATLS_E_MEMORY, "arena");
    size_t len = b.len;
    atls_buf_str(&b, "y");
    atls_buf_format(&b, "%s", "z");
    assert_int_equal(b.len, len);
    assert_false(atls_buf_done(&b, &out));
}

int main(void)
{
    tap_list tests = {0};
    for (size_t i = 0; i < COUNT(hex_rows); i++) {
        tap_add(&tests, hex_rows[i].name, test_hex, &hex_rows[i]);
    }
    tap_add(&tests, "hex: every byte value", test_hex_digits, NULL);
    tap_add(&tests, "hex: the length is exact", test_hex_fixed_length, NULL);
    for (size_t i = 0; i < COUNT(base64_rows); i++) {
        tap_add(&tests, base64_rows[i].name, test_base64, &base64_rows[i]);
    }
    tap_add(&tests, "base64: every length, and no prefix of it", test_base64_lengths, NULL);
    tap_add(&tests, "base64: a line end anywhere", test_base64_line_ends, NULL);
    for (size_t i = 0; i < COUNT(utf8_rows); i++) {
        tap_add(&tests, utf8_rows[i].name, test_utf8, &utf8_rows[i]);
    }
    tap_add(&tests, "utf8: every first byte with every edge", test_utf8_edges, NULL);
    tap_add(&tests, "text: every arena that is too small says so", test_every_arena_size, NULL);
    tap_add(&tests, "text: a copy has no NUL inside", test_text_copy, NULL);
    tap_add(&tests, "text: format", test_text_format, NULL);
    tap_add(&tests, "text: an arena that is too small", test_text_without_memory, NULL);
    tap_add(&tests, "buf: grows and keeps what it has", test_buf_grows, NULL);
    tap_add(&tests, "buf: the first failure sticks", test_buf_fails_once_for_all, NULL);
    return tap_run("text", &tests);
}
