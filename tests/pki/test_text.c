/* SPDX-License-Identifier: Apache-2.0 */
/* What is text around certificates: names for people, and PEM. */
#include "base/text.h"
#include "make.h"
#include "pki/cert.h"
#include "tap.h"

static uint8_t block[256 * 1024];

static size_t from_hex(const char *hex, uint8_t *out)
{
    size_t n = strlen(hex) / 2;
    assert_true(atls_hex_fixed(atls_bytes_str(hex), out, n));
    return n;
}

/* ---- names ---- */

/* one attribute in a set of its own: type 2.5.4.n, string tag, three letters */
#define ATTR(type, tag, text) "310c300a06035504" type tag "03" text
#define ABC                   "616263"

typedef struct name_row {
    const char *name;
    const char *hex;
    const char *cn;   /* NULL: none */
    const char *text; /* NULL: not a Name */
} name_row;

static const name_row name_rows[] = {
    {"name: one CN", "300e" ATTR("03", "0c", ABC), "abc", "CN=abc"},
    {"name: PrintableString", "300e" ATTR("03", "13", ABC), "abc", "CN=abc"},
    {"name: CN after others", "302a" ATTR("06", "13", ABC) ATTR("0a", "0c", ABC) ATTR("03", "0c", ABC), "abc",
     "C=abc, O=abc, CN=abc"},
    {"name: a CN in a set of two",
     "301a3118300a0603550403"
     "0c03" ABC "300a060355040a"
     "0c03" ABC,
     "abc", "CN=abc + O=abc"},
    {"name: empty", "3000", NULL, ""},
    {"name: no CN", "300e" ATTR("0a", "0c", ABC), NULL, "O=abc"},
    {"name: two CNs are none", "301c" ATTR("03", "0c", ABC) ATTR("03", "0c", ABC), NULL, "CN=abc, CN=abc"},
    {"name: BMPString is not read", "300e" ATTR("03", "1e", "006162"), NULL, "CN=\\00ab"},
    {"name: T61String is not read", "300e" ATTR("03", "14", ABC), NULL, "CN=abc"},
    {"name: NUL inside", "300e" ATTR("03", "0c", "610063"), NULL, "CN=a\\00c"},
    {"name: not UTF-8", "300e" ATTR("03", "0c", "61ffff"), NULL, "CN=a\\ff\\ff"},
    {"name: UTF-8 is shown escaped", "300e" ATTR("03", "0c", "c3a461"),
     "\xc3\xa4"
     "a",
     "CN=\\c3\\a4a"},
    {"name: PrintableString beyond ASCII", "300e" ATTR("03", "13", "c3a461"), NULL, "CN=\\c3\\a4a"},
    {"name: what looks like structure is escaped", "300e" ATTR("03", "0c", "2c4f3d"), ",O=", "CN=\\2cO\\3d"},
    {"name: newline and escape are escaped", "300e" ATTR("03", "0c", "0a1b5c"), "\n\x1b\\", "CN=\\0a\\1b\\5c"},
    {"name: an unknown type by its OID", "300e" ATTR("2a", "0c", ABC), NULL, "oid-55042a=abc"},
    {"name: cut short", "300e310c300a0603550403", NULL, NULL},
    {"name: bytes after it", "300000", NULL, NULL},
    {"name: an attribute of one part",
     "30093107300506035504"
     "03",
     NULL, NULL},
    {"name: nothing", "", NULL, NULL},
};

static void run_name(void **state)
{
    const name_row *row = *state;
    uint8_t der[128];
    atls_arena a;
    atls_bytes cn;
    atls_error err = {0};
    atls_bytes name = atls_bytes_of(der, from_hex(row->hex, der));
    assert_int_equal(atls_name_common_name(name, &cn), row->cn != NULL);
    assert_true(atls_bytes_equal_str(cn, row->cn == NULL ? "" : row->cn));
    atls_arena_init(&a, block, sizeof block);
    const char *text = atls_name_text(name, &a, &err);
    assert_int_equal(text != NULL, row->text != NULL);
    if (row->text != NULL) {
        assert_string_equal(text, row->text);
    } else {
        assert_true(err.code == ATLS_E_ENCODING || err.code == ATLS_E_TRUNCATED || err.code == ATLS_E_TRAILING);
    }
}

static void name_without_room(void **state)
{
    (void)state;
    uint8_t der[64];
    uint8_t small[8];
    atls_arena a;
    atls_error err = {0};
    atls_bytes name = atls_bytes_of(der, from_hex("300e" ATTR("03", "0c", ABC), der));
    atls_arena_init(&a, small, sizeof small);
    assert_null(atls_name_text(name, &a, &err));
    assert_int_equal(err.code, ATLS_E_MEMORY);
}

/* ---- PEM ---- */

#define B     "-----BEGIN CERTIFICATE-----"
#define E     "-----END CERTIFICATE-----"
#define ONE   B "\nMAMCAQE=\n" E /* 30 03 02 01 01 */
#define TWO   B "\nMAMCAQI=\n" E
#define THREE B "\nMAMCAQM=\n" E

typedef struct pem_row {
    const char *name;
    const char *text;
    size_t len; /* 0: strlen */
    bool nul_tail;
    size_t n; /* certificates; 0: refused */
} pem_row;

static const pem_row pem_rows[] = {
    {"pem: one", ONE, 0, false, 1},
    {"pem: one and a newline", ONE "\n", 0, false, 1},
    {"pem: three", ONE "\n" TWO "\n" THREE "\n", 0, false, 3},
    {"pem: nothing between two", ONE TWO, 0, false, 2},
    {"pem: blank lines, tabs and CR LF", "\r\n\t" B "\r\nMAMC\r\nAQE=\r\n" E "\r\n\r\n " TWO "\r\n", 0, false, 2},
    {"pem: NULs at the end, allowed", ONE "\n\0\0", sizeof(ONE) + 2, true, 1},
    {"pem: NULs at the end, not allowed", ONE "\n\0\0", sizeof(ONE) + 2, false, 0},
    {"pem: NUL, then white space", ONE "\0\n", sizeof(ONE) + 1, true, 0},
    {"pem: NUL between", ONE "\0" TWO, sizeof(ONE) + sizeof(TWO) - 1, true, 0},
    {"pem: nothing", "", 0, false, 0},
    {"pem: white space", " \r\n\t", 0, false, 0},
    {"pem: only NULs", "\0\0", 2, true, 0},
    {"pem: text before", "x" ONE, 0, false, 0},
    {"pem: text after", ONE "\nx", 0, false, 0},
    {"pem: text between", ONE "\nsubject=CN\n" TWO, 0, false, 0},
    {"pem: a comment between", ONE "\n# two\n" TWO, 0, false, 0},
    {"pem: a byte order mark", "\xef\xbb\xbf" ONE, 0, false, 0},
    {"pem: another label", "-----BEGIN X509 CRL-----\nMAMCAQE=\n-----END X509 CRL-----", 0, false, 0},
    {"pem: labels disagree", B "\nMAMCAQE=\n-----END X509 CRL-----", 0, false, 0},
    {"pem: trusted certificate", "-----BEGIN TRUSTED CERTIFICATE-----\nMAMCAQE=\n-----END TRUSTED CERTIFICATE-----", 0,
     false, 0},
    {"pem: lower case", "-----begin certificate-----\nMAMCAQE=\n-----end certificate-----", 0, false, 0},
    {"pem: begin and end swapped", E "\nMAMCAQE=\n" B, 0, false, 0},
    {"pem: a dash missing", "----BEGIN CERTIFICATE-----\nMAMCAQE=\n" E, 0, false, 0},
    {"pem: a dash missing at the end", B "\nMAMCAQE=\n-----END CERTIFICATE----", 0, false, 0},
    {"pem: a dash too many", B "\nMAMCAQE=\n-" E, 0, false, 0},
    {"pem: no end", B "\nMAMCAQE=\n", 0, false, 0},
    {"pem: begin twice", B "\n" B "\nMAMCAQE=\n" E, 0, false, 0},
    {"pem: no line break after begin", B "MAMCAQE=\n" E, 0, false, 0},
    {"pem: no content", B "\n" E, 0, false, 0},
    {"pem: not base64", B "\nMAM*AQE=\n" E, 0, false, 0},
    {"pem: padding missing", B "\nMAMCAQE\n" E, 0, false, 0},
    {"pem: padding not canonical", B "\nMAMCAQF=\n" E, 0, false, 0},
    {"pem: padding inside", B "\nMAMCAQE=\nMAMCAQE=\n" E, 0, false, 0},
    {"pem: headers", B "\nProc-Type: 4\n\nMAMCAQE=\n" E, 0, false, 0},
    {"pem: more than asked for", ONE TWO THREE ONE, 0, false, 0},
};

static void run_pem(void **state)
{
    const pem_row *row = *state;
    atls_arena a;
    atls_bytes out[3];
    size_t n = 99;
    atls_error err = {0};
    atls_arena_init(&a, block, sizeof block);
    atls_bytes text = atls_bytes_of(row->text, row->len == 0 ? strlen(row->text) : row->len);
    bool ok = atls_pem_certificates(text, row->nul_tail, ATLS_E_PCK_CHAIN, "pck_chain", &a, out, 3, &n, &err);
    assert_int_equal(ok, row->n > 0);
    assert_int_equal(n, row->n);
    assert_int_equal(err.code, row->n > 0 ? ATLS_OK : ATLS_E_PCK_CHAIN);
    assert_string_equal(err.field, row->n > 0 ? "" : "pck_chain");
    for (size_t i = 0; i < row->n; i++) {
        uint8_t der[] = {0x30, 0x03, 0x02, 0x01, (uint8_t)(i + 1)};
        assert_true(atls_bytes_equal(out[i], atls_bytes_of(der, sizeof der)));
    }
}

static void pem_limit(void **state)
{
    (void)state;
    atls_arena a;
    atls_bytes out[16];
    size_t n;
    atls_error err = {0};
    atls_arena_init(&a, block, sizeof block);
    atls_bytes nine = atls_bytes_str(ONE ONE ONE ONE ONE ONE ONE ONE ONE);
    assert_false(atls_pem_certificates(nine, false, ATLS_E_PCK_CHAIN, "pck_chain", &a, out, 16, &n, &err));
    assert_int_equal(err.code, ATLS_E_PCK_CHAIN);
    atls_error_clear(&err);
    atls_bytes eight = atls_bytes_str(ONE ONE ONE ONE ONE ONE ONE ONE);
    assert_true(atls_pem_certificates(eight, false, ATLS_E_PCK_CHAIN, "pck_chain", &a, out, 16, &n, &err));
    assert_int_equal(n, ATLS_MAX_PEM_CERTS);
}

static void pem_without_room(void **state)
{
    (void)state;
    uint8_t small[4];
    atls_arena a;
    atls_bytes out[1];
    size_t n;
    atls_error err = {0};
    atls_arena_init(&a, small, sizeof small);
    assert_false(atls_pem_certificates(atls_bytes_str(ONE), false, ATLS_E_PCK_CHAIN, "x", &a, out, 1, &n, &err));
    assert_int_equal(err.code, ATLS_E_MEMORY);
    atls_error_clear(&err);
    assert_false(atls_pem_encode(atls_bytes_str("abc"), "CERTIFICATE", &a, &out[0], &err));
    assert_int_equal(err.code, ATLS_E_MEMORY);
}

/* Every length around the ends of groups and lines survives the way out and back; lines have 64 digits. */
static void pem_there_and_back(void **state)
{
    (void)state;
    uint8_t der[200];
    for (size_t i = 0; i < sizeof der; i++) {
        der[i] = (uint8_t)(i * 37);
    }
    for (size_t len = 1; len <= sizeof der; len++) {
        atls_arena a;
        atls_bytes text;
        atls_bytes back;
        size_t n;
        atls_error err = {0};
        atls_arena_init(&a, block, sizeof block);
        assert_true(atls_pem_encode(atls_bytes_of(der, len), "CERTIFICATE", &a, &text, &err));
        assert_true(atls_pem_certificates(text, false, ATLS_E_OTHER, "x", &a, &back, 1, &n, &err));
        assert_true(atls_bytes_equal(back, atls_bytes_of(der, len)));
        size_t column = 0;
        for (size_t i = 0; i < text.len; i++) {
            column = text.ptr[i] == '\n' ? 0 : column + 1;
            assert_true(column <= 64);
        }
        assert_int_equal(column, 0);
    }
}

int main(void)
{
    tap_list l = {0};
    for (size_t i = 0; i < sizeof name_rows / sizeof name_rows[0]; i++) {
        tap_add(&l, name_rows[i].name, run_name, &name_rows[i]);
    }
    for (size_t i = 0; i < sizeof pem_rows / sizeof pem_rows[0]; i++) {
        tap_add(&l, pem_rows[i].name, run_pem, &pem_rows[i]);
    }
    tap_add(&l, "name: no room in the arena", name_without_room, NULL);
    tap_add(&l, "pem: eight certificates and not nine", pem_limit, NULL);
    tap_add(&l, "pem: no room in the arena", pem_without_room, NULL);
    tap_add(&l, "pem: there and back", pem_there_and_back, NULL);
    return tap_run("text", &l);
}
