/* SPDX-License-Identifier: Apache-2.0 */
/* The reader of revocation lists: one change of a good list per row, and looking serials up. */
#include "make.h"
#include "pki/cert.h"
#include "tap.h"

static make_keys *keys;

#define CHANGE(fn, statement)                                                                                          \
    static void fn(make_crl *c)                                                                                        \
    {                                                                                                                  \
        statement;                                                                                                     \
    }

#define ZEROS_16        "00000000000000000000000000000000"
#define NUMBER_OID      "0603551d14"
#define REASON_OID      "0603551d15"
#define INVALIDITY_OID  "0603551d18"
#define DELTA_OID       "0603551d1b"
#define IDP_OID         "0603551d1c"
#define CERT_ISSUER_OID "0603551d1d"
#define AKI_OID         "0603551d23"
#define OTHER_OID       "0603551d63"

/* ---- refused ---- */

typedef struct bad_row {
    const char *name;
    void (*change)(make_crl *c);
    void (*bend)(made *m);
    atls_code code;
    const char *field; /* after "crl" */
} bad_row;

CHANGE(v1, c->version = 1)
CHANGE(v1_spelt, c->version = 256 + 1)
CHANGE(v3, c->version = 3)
CHANGE(algorithms_differ, c->outer_alg = MAKE_ECDSA_SHA384)
CHANGE(issuer_garbage, c->issuer = "#0500")
CHANGE(this_update_bad, c->this_update = "20240230000000Z")
CHANGE(next_update_bad, c->next_update = "20241301000000Z")
CHANGE(empty_list, c->revoked = "")
CHANGE(serial_negative, c->revoked = "80")
CHANGE(serial_padded, c->revoked = "01 0001")
CHANGE(serial_21, c->revoked = "01" ZEROS_16 "00000000 01")
CHANGE(entry_no_extensions, (c->revoked = "01", c->entry_extensions = ""))
CHANGE(entry_twice, (c->revoked = "01", c->entry_extensions = "300a" REASON_OID "04030a0101"
                                                              "300a" REASON_OID "04030a0101"))
CHANGE(entry_nine, (c->revoked = "01", c->entry_extensions = "30070603551d400400"
                                                             "30070603551d410400"
                                                             "30070603551d420400"
                                                             "30070603551d430400"
                                                             "30070603551d440400"
                                                             "30070603551d450400"
                                                             "30070603551d460400"
                                                             "30070603551d470400"
                                                             "30070603551d480400"))
CHANGE(entry_false, (c->revoked = "01", c->entry_extensions = "300d" REASON_OID "010100"
                                                              "04030a0101"))
CHANGE(reason_integer, (c->revoked = "01", c->entry_extensions = "300a" REASON_OID "0403020101"))
CHANGE(reason_11, (c->revoked = "01", c->entry_extensions = "300a" REASON_OID "04030a010b"))
CHANGE(reason_tail, (c->revoked = "01", c->entry_extensions = "300c" REASON_OID "04050a01010500"))
CHANGE(entry_third, (c->revoked = "01", c->entry_extensions = "300a" REASON_OID "04030a0101", c->entry_tail = "0500"))
CHANGE(number_twice, c->extra = "300a" NUMBER_OID "0403020102")
CHANGE(aki_twice, c->extra = "3009" AKI_OID "04023000")
CHANGE(unknown_twice, c->extra = "30070603551d630400"
                                 "30070603551d630400")
CHANGE(number_negative, c->number = "ff")
CHANGE(number_21, c->number = "01" ZEROS_16 "00000000")
CHANGE(number_text, (c->number = NULL, c->extra = "300a" NUMBER_OID "04030c0131"))
CHANGE(number_tail, (c->number = NULL, c->extra = "300c" NUMBER_OID "04050201010500"))
CHANGE(aki_garbage, (c->aki = MAKE_NO_KEY, c->extra = "3009" AKI_OID "04020500"))
CHANGE(no_extension_in_list, (c->aki = MAKE_NO_KEY, c->number = NULL))

static void one_more_byte(made *m)
{
    m->der[m->len++] = 0;
}
static void one_byte_less(made *m)
{
    m->len--;
}

/* clang-format off */
static const bad_row bad_rows[] = {
    {"version 1", v1, NULL, ATLS_E_ENCODING, ".tbs.version"},
    {"version 1, spelt out", v1_spelt, NULL, ATLS_E_ENCODING, ".tbs.version"},
    {"version 3", v3, NULL, ATLS_E_ENCODING, ".tbs.version"},
    {"algorithm outside differs", algorithms_differ, NULL, ATLS_E_ENCODING, ".signature_algorithm"},
    {"issuer is NULL", issuer_garbage, NULL, ATLS_E_ENCODING, ".tbs.issuer"},
    {"thisUpdate on 30 February", this_update_bad, NULL, ATLS_E_ENCODING, ".tbs.this_update"},
    {"nextUpdate in month 13", next_update_bad, NULL, ATLS_E_ENCODING, ".tbs.next_update"},
    {"empty list of entries", empty_list, NULL, ATLS_E_ENCODING, ".tbs.revoked"},
    {"negative serial", serial_negative, NULL, ATLS_E_ENCODING, ".tbs.revoked.serial"},
    {"serial with a zero too many, in the last entry", serial_padded, NULL, ATLS_E_ENCODING, ".tbs.revoked.serial"},
    {"serial of 21 bytes", serial_21, NULL, ATLS_E_LIMIT, ".tbs.revoked.serial"},
    {"entry with an empty list of extensions", entry_no_extensions, NULL, ATLS_E_TRUNCATED, ".tbs.revoked.extensions"},
    {"entry with two reasons", entry_twice, NULL, ATLS_E_ENCODING, ".tbs.revoked.extensions"},
    {"entry with nine extensions", entry_nine, NULL, ATLS_E_LIMIT, ".tbs.revoked.extensions"},
    {"entry with critical FALSE spelt out", entry_false, NULL, ATLS_E_ENCODING, ".tbs.revoked.extensions"},
    {"reason is an INTEGER", reason_integer, NULL, ATLS_E_ENCODING, ".tbs.revoked.reason"},
    {"reason 11", reason_11, NULL, ATLS_E_ENCODING, ".tbs.revoked.reason"},
    {"reason with a tail", reason_tail, NULL, ATLS_E_TRAILING, ".tbs.revoked.reason"},
    {"entry with something after its extensions", entry_third, NULL, ATLS_E_TRAILING, ".tbs.revoked"},
    {"crlNumber twice", number_twice, NULL, ATLS_E_ENCODING, ".tbs.extensions"},
    {"authorityKeyIdentifier twice", aki_twice, NULL, ATLS_E_ENCODING, ".tbs.extensions"},
    {"an unknown extension twice", unknown_twice, NULL, ATLS_E_ENCODING, ".tbs.extensions"},
    {"negative crlNumber", number_negative, NULL, ATLS_E_ENCODING, ".tbs.extensions.crl_number"},
    {"crlNumber of 21 bytes", number_21, NULL, ATLS_E_LIMIT, ".tbs.extensions.crl_number"},
    {"crlNumber is text", number_text, NULL, ATLS_E_ENCODING, ".tbs.extensions.crl_number"},
    {"crlNumber with a tail", number_tail, NULL, ATLS_E_TRAILING, ".tbs.extensions.crl_number"},
    {"authority key id is NULL", aki_garbage, NULL, ATLS_E_ENCODING, ".tbs.extensions.authority_key_id"},
    {"empty list of extensions", no_extension_in_list, NULL, ATLS_E_TRUNCATED, ".tbs.extensions"},
    {"one byte after the end", NULL, one_more_byte, ATLS_E_TRAILING, ""},
    {"one byte less", NULL, one_byte_less, ATLS_E_TRUNCATED, ""},
};
/* clang-format on */

static void run_bad(void **state)
{
    const bad_row *row = *state;
    made m;
    atls_crl out;
    atls_error err = {0};
    char field[64];
    make_crl c = make_crl_default(MAKE_CA);
    if (row->change != NULL) {
        row->change(&c);
    }
    make_crl_write(keys, &c, &m);
    if (row->bend != NULL) {
        row->bend(&m);
    }
    snprintf(field, sizeof field, "crl%s", row->field);
    assert_false(atls_crl_decode(made_bytes(&m), "crl", &out, &err));
    assert_int_equal(err.code, row->code);
    assert_string_equal(err.field, field);
    assert_int_equal(out.der.len, 0);
}

/* ---- accepted ---- */

typedef struct good_row {
    const char *name;
    void (*change)(make_crl *c);
    size_t n_revoked;
    bool unknown_critical;
} good_row;

CHANGE(same, (void)c)
CHANGE(three, c->revoked = "01 0a02 00f00ba4")
CHANGE(with_reason, (c->revoked = "01 02", c->entry_extensions = "300a" REASON_OID "04030a0101"))
CHANGE(reason_critical, (c->revoked = "01", c->entry_extensions = "300d" REASON_OID "0101ff"
                                                                  "04030a0101"))
CHANGE(remove_from_crl, (c->revoked = "01", c->entry_extensions = "300a" REASON_OID "04030a0108"))
CHANGE(invalidity, (c->revoked = "01", c->entry_extensions = "301b" INVALIDITY_OID "0101ff"
                                                             "0411180f"
                                                             "32303234303130313030303030305a"))
CHANGE(entry_critical, (c->revoked = "01 02", c->entry_extensions = "300a" OTHER_OID "0101ff"
                                                                    "0400"))
CHANGE(last_entry_critical, (c->revoked = "01 02 03", c->entry_extensions = "300a" REASON_OID "04030a0101",
                             c->last_entry_extensions = "300a" OTHER_OID "0101ff"
                                                        "0400"))
CHANGE(entry_unknown, (c->revoked = "01", c->entry_extensions = "3007" OTHER_OID "0400"))
CHANGE(certificate_issuer, (c->revoked = "01", c->entry_extensions = "3009" CERT_ISSUER_OID "04023000"))
CHANGE(list_critical, c->extra = "300a" OTHER_OID "0101ff"
                                 "0400")
CHANGE(list_unknown, c->extra = "3007" OTHER_OID "0400")
CHANGE(delta, c->extra = "300a" DELTA_OID "0403020101")
CHANGE(distribution_point, c->extra = "300c" IDP_OID "040530038101ff")

/* clang-format off */
static const good_row good_rows[] = {
    {"an empty list", same, 0, false},
    {"three entries", three, 3, false},
    {"entries with a reason", with_reason, 2, false},
    {"a critical reason is understood", reason_critical, 1, false},
    {"removeFromCRL is not understood", remove_from_crl, 1, true},
    {"a critical invalidity date is harmless", invalidity, 1, false},
    {"an unknown critical extension of an entry is noted", entry_critical, 2, true},
    {"the same of the last entry, after others", last_entry_critical, 3, true},
    {"an unknown extension of an entry is ignored", entry_unknown, 1, false},
    {"an indirect list is noted, critical or not", certificate_issuer, 1, true},
    {"an unknown critical extension is noted", list_critical, 0, true},
    {"an unknown extension is ignored", list_unknown, 0, false},
    {"a delta list is noted, critical or not", delta, 0, true},
    {"a partial list is read, critical or not: test_scope.c", distribution_point, 0, false},
};
/* clang-format on */

static void run_good(void **state)
{
    const good_row *row = *state;
    made m;
    atls_crl out;
    atls_error err = {0};
    make_crl c = make_crl_default(MAKE_CA);
    row->change(&c);
    make_crl_write(keys, &c, &m);
    assert_true(atls_crl_decode(made_bytes(&m), "crl", &out, &err));
    assert_int_equal(out.n_revoked, row->n_revoked);
    assert_int_equal(out.has_unknown_critical, row->unknown_critical);
    assert_true(out.has_crl_number && out.has_authority_key_id && out.authority_key_id.len == 20);
    assert_int_equal(out.this_update, 1704067200);
    assert_int_equal(out.next_update, 1735689599);
    assert_int_equal(out.sig_alg, ATLS_SIG_ECDSA_SHA256);
}

static void what_is_missing(void **state)
{
    (void)state;
    made m;
    atls_crl out;
    atls_error err = {0};
    make_crl c = make_crl_default(MAKE_CA);
    c.next_update = NULL;
    c.no_extensions = true;
    make_crl_write(keys, &c, &m);
    assert_true(atls_crl_decode(made_bytes(&m), "crl", &out, &err));
    assert_int_equal(out.next_update, ATLS_TIME_UNSET);
    assert_false(out.has_crl_number || out.has_authority_key_id);
    assert_int_equal(out.authority_key_id.len, 0);
}

/* ---- looking up: compared as unsigned numbers, whole ---- */

typedef struct lookup_row {
    const char *name;
    const char *serial; /* text that stands for its bytes */
    size_t len;
    bool listed;
} lookup_row;

static const lookup_row lookup_rows[] = {
    {"lookup: the first", "\x01", 1, true},
    {"lookup: one in the middle", "\x0a\x02", 2, true},
    {"lookup: one written with a sign byte", "\xf0\x0b\xa4", 3, true},
    {"lookup: zero", "\x00", 1, true},
    {"lookup: a prefix of a listed one", "\xf0\x0b", 2, false},
    {"lookup: a longer one", "\xf0\x0b\xa4\x00", 4, false},
    {"lookup: one bit beside", "\xf0\x0b\xa5", 3, false},
    {"lookup: not listed", "\x77", 1, false},
    {"lookup: nothing", "", 0, false},
};

static void sort(atls_crl *crl)
{
    static uint8_t block[4 * 1024 * 1024];
    atls_arena a;
    atls_error err = {0};
    atls_arena_init(&a, block, sizeof block);
    assert_true(atls_crl_sort(crl, &a, &err));
    assert_non_null(crl->sorted);
}

static void run_lookup(void **state)
{
    const lookup_row *row = *state;
    made m;
    atls_crl out;
    atls_error err = {0};
    make_crl c = make_crl_default(MAKE_CA);
    c.revoked = "01 0a02 00f00ba4 00 7f";
    make_crl_write(keys, &c, &m);
    assert_true(atls_crl_decode(made_bytes(&m), "crl", &out, &err));
    assert_int_equal(atls_crl_lists(&out, atls_bytes_of(row->serial, row->len)), row->listed);
    sort(&out);
    assert_int_equal(atls_crl_lists(&out, atls_bytes_of(row->serial, row->len)), row->listed);
}

/* An empty list, sorted, still lists nobody. */
static void sorted_nothing(void **state)
{
    (void)state;
    made m;
    atls_crl out;
    atls_error err = {0};
    make_crl c = make_crl_default(MAKE_CA);
    c.revoked = NULL;
    make_crl_write(keys, &c, &m);
    assert_true(atls_crl_decode(made_bytes(&m), "crl", &out, &err));
    assert_int_equal(out.n_revoked, 0);
    sort(&out);
    assert_false(atls_crl_lists(&out, atls_bytes_of("\x01", 1)));
}

/* ---- size: a list of nearly 8 MiB, decoded and searched to its end ---- */

static size_t put_length(uint8_t *at, uint8_t tag, size_t len)
{
    at[0] = tag;
    at[1] = 0x83;
    at[2] = (uint8_t)(len >> 16);
    at[3] = (uint8_t)(len >> 8);
    at[4] = (uint8_t)len;
    return 5;
}

/* Every other entry has a reason of its own, so that no run of equal ones makes it easy. */
static void megabytes(void **state)
{
    (void)state;
    static const uint8_t head[] = {0x02, 0x01, 0x01, 0x30, 0x0a, 0x06, 0x08, 0x2a, 0x86, 0x48, 0xce,
                                   0x3d, 0x04, 0x03, 0x02, 0x30, 0x00, 0x17, 0x0d, '2',  '4',  '0',
                                   '1',  '0',  '1',  '0',  '0',  '0',  '0',  '0',  '0',  'Z'};
    static const uint8_t tail[] = {0x30, 0x0a, 0x06, 0x08, 0x2a, 0x86, 0x48, 0xce,
                                   0x3d, 0x04, 0x03, 0x02, 0x03, 0x01, 0x00};
    uint8_t entry[] = {0x30, 0x22, 0x02, 0x03, 0x10, 0x00, 0x00, 0x17, 0x0d, '2',  '4',  '0',
                       '1',  '0',  '1',  '0',  '0',  '0',  '0',  '0',  '0',  'Z',  0x30, 0x0c,
                       0x30, 0x0a, 0x06, 0x03, 0x55, 0x1d, 0x15, 0x04, 0x03, 0x0a, 0x01, 0x01};
    size_t n = (ATLS_MAX_CRL_LEN - 200) / sizeof entry;
    uint8_t *der = malloc(ATLS_MAX_CRL_LEN);
    assert_non_null(der);
    size_t len = 5;
    len += put_length(der + len, 0x30, sizeof head + 5 + n * sizeof entry);
    memcpy(der + len, head, sizeof head);
    len += sizeof head;
    len += put_length(der + len, 0x30, n * sizeof entry);
    for (size_t i = 0; i < n; i++) {
        entry[4] = (uint8_t)(0x10 | i >> 16);
        entry[5] = (uint8_t)(i >> 8);
        entry[6] = (uint8_t)i;
        entry[35] = (uint8_t)(1 + i % 2);
        memcpy(der + len, entry, sizeof entry);
        len += sizeof entry;
    }
    memcpy(der + len, tail, sizeof tail);
    len += sizeof tail;
    (void)put_length(der, 0x30, len - 5);
    atls_crl out;
    atls_error err = {0};
    assert_true(atls_crl_decode(atls_bytes_of(der, len), "crl", &out, &err));
    assert_int_equal(out.n_revoked, n);
    assert_true(atls_crl_lists(&out, atls_bytes_of(entry + 4, 3)));
    assert_false(atls_crl_lists(&out, atls_bytes_of("\x77", 1)));
    sort(&out);
    assert_true(atls_crl_lists(&out, atls_bytes_of(entry + 4, 3)));
    assert_true(atls_crl_lists(&out, atls_bytes_of("\x10\x00\x00", 3)));
    assert_false(atls_crl_lists(&out, atls_bytes_of("\x77", 1)));
    free(der);
}

static void too_long(void **state)
{
    (void)state;
    uint8_t byte = 0x30;
    atls_crl out;
    atls_error err = {0};
    assert_false(
        atls_crl_decode(atls_bytes_of(&byte, ATLS_MAX_CRL_LEN + 1), "pck_crl", &out, &err)); /* reads nothing */
    assert_int_equal(err.code, ATLS_E_LIMIT);
    assert_string_equal(err.field, "pck_crl");
}

int main(void)
{
    tap_list l = {0};
    keys = make_keys_new();
    for (size_t i = 0; i < sizeof good_rows / sizeof good_rows[0]; i++) {
        tap_add(&l, good_rows[i].name, run_good, &good_rows[i]);
    }
    for (size_t i = 0; i < sizeof bad_rows / sizeof bad_rows[0]; i++) {
        tap_add(&l, bad_rows[i].name, run_bad, &bad_rows[i]);
    }
    for (size_t i = 0; i < sizeof lookup_rows / sizeof lookup_rows[0]; i++) {
        tap_add(&l, lookup_rows[i].name, run_lookup, &lookup_rows[i]);
    }
    tap_add(&l, "lookup: in an empty list that was sorted", sorted_nothing, NULL);
    tap_add(&l, "neither nextUpdate nor extensions", what_is_missing, NULL);
    tap_add(&l, "nearly 8 MiB of entries", megabytes, NULL);
    tap_add(&l, "more than 8 MiB", too_long, NULL);
    int failed = tap_run("crl", &l);
    make_keys_free(keys);
    return failed;
}
