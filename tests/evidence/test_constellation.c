/* SPDX-License-Identifier: Apache-2.0 */
/* test_constellation.c: documents, nonces and names of the constellation profile: what is written is what Go writes, and
 * every way of writing it otherwise is refused. */
#include <openssl/sha.h>

#include "tap.h"

#include "base/text.h"
#include "evidence/constellation/certificate.h"

#define B64_32   "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8="
#define B64_31   "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHg=="
#define NONCE    "oKGio6SlpqeoqaqrrK2ur7CxsrO0tba3uLm6u7y9vr8="
#define DOCUMENT "{\"RawQuote\":\"cXVvdGU=\",\"UserData\":\"" B64_32 "\"}"

static uint8_t block[8u * 1024 * 1024];
static const uint8_t counted[32] = {0,  1,  2,  3,  4,  5,  6,  7,  8,  9,  10, 11, 12, 13, 14, 15,
                                    16, 17, 18, 19, 20, 21, 22, 23, 24, 25, 26, 27, 28, 29, 30, 31};

/* ---- documents --------------------------------------------------------------------------------------------------- */

typedef struct document_row {
    const char *name;
    const char *json;
    atls_code code;
    const char *field;
} document_row;

static const document_row documents[] = {
    {"honest document", DOCUMENT, ATLS_OK, ""},
    {"members the other way round", "{\"UserData\":\"" B64_32 "\",\"RawQuote\":\"cXVvdGU=\"}", ATLS_OK, ""},
    {"unknown members are ignored",
     "{\"Extra\":{\"a\":[1]},\"rawquote\":null,\"RawQuote\":\"cXVvdGU=\",\"UserData\":\"" B64_32 "\"}", ATLS_OK, ""},
    {"not JSON", "RawQuote", ATLS_E_QUOTE, "document"},
    {"empty", "", ATLS_E_QUOTE, "document"},
    {"no object", "[" DOCUMENT "]", ATLS_E_QUOTE, "document.RawQuote"},
    {"something behind it", DOCUMENT "x", ATLS_E_QUOTE, "document"},
    {"no quote", "{\"UserData\":\"" B64_32 "\"}", ATLS_E_QUOTE, "document.RawQuote"},
    {"no user data", "{\"RawQuote\":\"cXVvdGU=\"}", ATLS_E_QUOTE, "document.UserData"},
    {"a name in lower case", "{\"rawQuote\":\"cXVvdGU=\",\"UserData\":\"" B64_32 "\"}", ATLS_E_QUOTE,
     "document.RawQuote"},
    {"another name in lower case", "{\"RawQuote\":\"cXVvdGU=\",\"userdata\":\"" B64_32 "\"}", ATLS_E_QUOTE,
     "document.UserData"},
    {"a quote twice", "{\"RawQuote\":\"cXVvdGU=\",\"RawQuote\":\"cXVvdGU=\",\"UserData\":\"" B64_32 "\"}", ATLS_E_QUOTE,
     "document"},
    {"a repeated name behind an escape",
     "{\"RawQuote\":\"cXVvdGU=\",\"UserData\":\"" B64_32 "\",\"\\u0055serData\":\"" B64_32 "\"}", ATLS_E_QUOTE,
     "document"},
    {"a quote that is null", "{\"RawQuote\":null,\"UserData\":\"" B64_32 "\"}", ATLS_E_QUOTE, "document.RawQuote"},
    {"an empty quote", "{\"RawQuote\":\"\",\"UserData\":\"" B64_32 "\"}", ATLS_E_QUOTE, "document.RawQuote"},
    {"a quote that is a number", "{\"RawQuote\":1,\"UserData\":\"" B64_32 "\"}", ATLS_E_QUOTE, "document.RawQuote"},
    {"base64 without padding", "{\"RawQuote\":\"cXVvdGU\",\"UserData\":\"" B64_32 "\"}", ATLS_E_QUOTE,
     "document.RawQuote"},
    {"base64 with a space", "{\"RawQuote\":\"cXVv dGU=\",\"UserData\":\"" B64_32 "\"}", ATLS_E_QUOTE,
     "document.RawQuote"},
    {"base64 with a line end", "{\"RawQuote\":\"cXVv\\ndGU=\",\"UserData\":\"" B64_32 "\"}", ATLS_E_QUOTE,
     "document.RawQuote"},
    {"base64 of the URL alphabet", "{\"RawQuote\":\"-_-_\",\"UserData\":\"" B64_32 "\"}", ATLS_E_QUOTE,
     "document.RawQuote"},
    {"base64 with stray bits", "{\"RawQuote\":\"cXVvdGV=\",\"UserData\":\"" B64_32 "\"}", ATLS_E_QUOTE,
     "document.RawQuote"},
    {"user data of 31 bytes", "{\"RawQuote\":\"cXVvdGU=\",\"UserData\":\"" B64_31 "\"}", ATLS_E_QUOTE,
     "document.UserData"},
    {"user data of 33 bytes",
     "{\"RawQuote\":\"cXVvdGU=\",\"UserData\":\"AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8g\"}", ATLS_E_QUOTE,
     "document.UserData"},
    {"no user data at all", "{\"RawQuote\":\"cXVvdGU=\",\"UserData\":\"\"}", ATLS_E_QUOTE, "document.UserData"},
    {"user data that is null", "{\"RawQuote\":\"cXVvdGU=\",\"UserData\":null}", ATLS_E_QUOTE, "document.UserData"},
};

static void reads_document(void **state)
{
    const document_row *row = *state;
    atls_arena a;
    atls_error err = {.code = ATLS_OK};
    constellation_document out;
    atls_arena_init(&a, block, sizeof block);
    bool ok = constellation_document_read(atls_bytes_str(row->json), &a, &out, &err);
    assert_string_equal(atls_code_name(err.code), atls_code_name(row->code));
    assert_string_equal(err.field, row->field);
    assert_int_equal(ok, row->code == ATLS_OK);
    if (ok) {
        assert_true(atls_bytes_equal_str(out.quote, "quote"));
        assert_memory_equal(out.user_data, counted, 32);
    } else {
        assert_int_equal(out.quote.len, 0);
        assert_true(atls_bytes_is_zero(atls_bytes_of(out.user_data, 32)));
    }
}

static void writes_as_go_does(void **state)
{
    constellation_document in = {.quote = atls_bytes_str("quote")};
    atls_arena a;
    atls_bytes out;
    atls_error err = {.code = ATLS_OK};
    (void)state;
    memcpy(in.user_data, counted, 32);
    atls_arena_init(&a, block, sizeof block);
    assert_true(constellation_document_write(&in, &a, &out, &err));
    assert_true(atls_bytes_equal_str(out, DOCUMENT));
}

/* 60 KiB may be sent; 1 MiB may be read. */
static void keeps_to_lengths(void **state)
{
    enum { FIXED = 29 + 44 }; /* {"RawQuote":"","UserData":""} and 44 characters */
    static uint8_t quote[64 * 1024];
    static uint8_t long_text[CONSTELLATION_MAX_DOCUMENT_LEN + 1];
    constellation_document in = {.quote = atls_bytes_of(quote, (60 * 1024 - FIXED) / 4 * 3)};
    atls_arena a;
    atls_bytes out;
    constellation_document back;
    atls_error err = {.code = ATLS_OK};
    (void)state;
    atls_arena_init(&a, block, sizeof block);
    assert_true(constellation_document_write(&in, &a, &out, &err));
    assert_true(out.len <= 60 * 1024 && out.len > 60 * 1024 - 4);
    in.quote.len++;
    assert_false(constellation_document_write(&in, &a, &out, &err));
    assert_int_equal(err.code, ATLS_E_LIMIT);
    assert_int_equal(out.len, 0);
    atls_error_clear(&err);
    in.quote.len = sizeof quote;
    assert_false(constellation_document_write(&in, &a, &out, &err));
    assert_int_equal(err.code, ATLS_E_LIMIT);
    atls_error_clear(&err);
    in.quote.len = 0;
    assert_false(constellation_document_write(&in, &a, &out, &err));
    assert_int_equal(err.code, ATLS_E_QUOTE);
    atls_error_clear(&err);
    memset(long_text, ' ', sizeof long_text);
    memcpy(long_text, DOCUMENT, sizeof DOCUMENT - 1);
    assert_true(constellation_document_read(atls_bytes_of(long_text, CONSTELLATION_MAX_DOCUMENT_LEN), &a, &back, &err));
    assert_false(constellation_document_read(atls_bytes_of(long_text, sizeof long_text), &a, &back, &err));
    assert_int_equal(err.code, ATLS_E_LIMIT);
}

static void report_data_is_the_digest_and_zeros(void **state)
{
    static const uint8_t both[64] = {0,  1,  2,  3,  4,  5,  6,  7,  8,  9,  10, 11, 12, 13, 14, 15,
                                     16, 17, 18, 19, 20, 21, 22, 23, 24, 25, 26, 27, 28, 29, 30, 31};
    uint8_t expected[64] = {0};
    uint8_t out[64];
    atls_crypto *crypto;
    atls_error err = {.code = ATLS_OK};
    (void)state;
    assert_true(atls_crypto_new(&crypto, &err));
    assert_non_null(SHA256(both, sizeof both, expected));
    assert_true(constellation_report_data(crypto, atls_bytes_of(both, 32), atls_bytes_of(both + 32, 32), out, &err));
    assert_memory_equal(out, expected, 64);
    static const size_t lengths[][2] = {{31, 33}, {33, 31}, {31, 32}, {32, 31}, {33, 31}, {32, 0}, {0, 32}};
    for (size_t i = 0; i < sizeof lengths / sizeof lengths[0]; i++) { /* also the same 64 bytes, split elsewhere */
        atls_error_clear(&err);
        assert_false(constellation_report_data(crypto, atls_bytes_of(both, lengths[i][0]),
                                               atls_bytes_of(both + lengths[i][0], lengths[i][1]), out, &err));
        assert_int_equal(err.code, ATLS_E_INTERNAL);
        assert_true(atls_bytes_is_zero(atls_bytes_of(out, 64)));
    }
    atls_crypto_free(crypto);
}

/* ---- nonces ------------------------------------------------------------------------------------------------------ */

typedef struct nonce_row {
    const char *name;
    const char *text;
    bool ok;
} nonce_row;

static const nonce_row nonces[] = {
    {"a nonce", NONCE, true},
    {"no name", "", false},
    {"a host", "example.com", false},
    {"three bytes", "abcd", false},
    {"31 bytes", B64_31, false},
    {"33 bytes", "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8g", false},
    {"no padding", "oKGio6SlpqeoqaqrrK2ur7CxsrO0tba3uLm6u7y9vr8", false},
    {"a line end inside", "oKGio6SlpqeoqaqrrK2ur7CxsrO0tba3uLm6u7y9vr8=\n", false},
    {"a line end instead", "oKGio6SlpqeoqaqrrK2ur7CxsrO0tba3uLm6u7y9vr\n=", false},
    {"URL alphabet", "-KGio6SlpqeoqaqrrK2ur7CxsrO0tba3uLm6u7y9vr8=", false},
    {"stray bits", "oKGio6SlpqeoqaqrrK2ur7CxsrO0tba3uLm6u7y9vr9=", false},
    {"44 characters of a host", "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa.example.com.", false},
};

static void reads_nonce(void **state)
{
    const nonce_row *row = *state;
    uint8_t nonce[32];
    char again[45];
    atls_error err = {.code = ATLS_OK};
    assert_int_equal(constellation_nonce_read(atls_bytes_str(row->text), "tls.server_name", nonce, &err), row->ok);
    if (row->ok) {
        constellation_nonce_write(nonce, again);
        assert_string_equal(again, row->text);
        return;
    }
    assert_int_equal(err.code, ATLS_E_PROTOCOL);
    assert_string_equal(err.field, "tls.server_name");
    assert_true(atls_bytes_is_zero(atls_bytes_of(nonce, 32)));
}

typedef struct name_row {
    const char *name;
    const char *head; /* in hex, before the text of NONCE */
    const char *tail; /* in hex, after it */
    const char *field;
} name_row;

#define FIELD(name) "certificate_authorities." name
static const name_row names[] = {
    {"PrintableString", "3037313530330603550403132c", "", NULL},
    {"UTF8String", "30373135303306035504030c2c", "", NULL},
    {"IA5String", "3037313530330603550403162c", "", NULL},
    {"T61String", "3037313530330603550403142c", "", FIELD("value")},
    {"OCTET STRING", "3037313530330603550403042c", "", FIELD("value")},
    {"organization, not common name",
     "30373135303306035504"
     "0a132c",
     "", FIELD("attribute")},
    {"a byte behind the name", "3037313530330603550403132c", "00", "certificate_authorities"},
    {"a second name", "3037313530330603550403132c", "3000", "certificate_authorities"},
    {"a second RDN",
     "3044"
     "313530330603550403132c",
     "310b3009060355040a0c024141", "certificate_authorities"},
    {"a second attribute",
     "3042"
     "3140"
     "30330603550403132c",
     "3009060355040a0c024141", "certificate_authorities"},
    {"a byte behind the text",
     "3038"
     "3136"
     "3034"
     "0603550403132c",
     "00", "certificate_authorities"},
    {"an attribute that is no sequence", "3037313531330603550403132c", "", FIELD("attribute")},
    {"an RDN that is no set", "3037303530330603550403132c", "", FIELD("rdn")},
    {"a long form of a short length",
     "3038"
     "3136"
     "30340603550403"
     "13812c",
     "", FIELD("value")},
};

static atls_bytes name_of(const char *head, const char *text, const char *tail, uint8_t out[160])
{
    size_t n_head = strlen(head) / 2;
    size_t n_text = strlen(text);
    size_t n_tail = strlen(tail) / 2;
    assert_true(atls_hex_fixed(atls_bytes_str(head), out, n_head));
    memcpy(out + n_head, text, n_text);
    assert_true(atls_hex_fixed(atls_bytes_str(tail), out + n_head + n_text, n_tail));
    return atls_bytes_of(out, n_head + n_text + n_tail);
}

static void reads_name(void **state)
{
    const name_row *row = *state;
    uint8_t der[160];
    uint8_t nonce[32];
    uint8_t expected[32];
    atls_error err = {.code = ATLS_OK};
    assert_true(constellation_nonce_read(atls_bytes_str(NONCE), "", expected, &err));
    bool ok = constellation_name_read(name_of(row->head, NONCE, row->tail, der), nonce, &err);
    assert_int_equal(ok, row->field == NULL);
    if (ok) {
        assert_memory_equal(nonce, expected, 32);
        return;
    }
    assert_int_equal(err.code, ATLS_E_PROTOCOL);
    assert_string_equal(err.field, row->field);
    assert_true(atls_bytes_is_zero(atls_bytes_of(nonce, 32)));
}

static void refuses_names_of_other_lengths(void **state)
{
    static const char *const texts[] = {"oKGio6SlpqeoqaqrrK2ur7CxsrO0tba3uLm6u7y9vr8", NONCE "=", "", "abcd"};
    (void)state;
    for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++) {
        char head[64];
        uint8_t der[160];
        uint8_t nonce[32];
        atls_error err = {.code = ATLS_OK};
        unsigned n = (unsigned)strlen(texts[i]);
        snprintf(head, sizeof head, "30%02x31%02x30%02x060355040313%02x", n + 11, n + 9, n + 7, n);
        assert_false(constellation_name_read(name_of(head, texts[i], "", der), nonce, &err));
        assert_int_equal(err.code, ATLS_E_PROTOCOL);
        assert_string_equal(err.field, "certificate_authorities.value");
    }
}

static void writes_the_name_of_section_5(void **state)
{
    uint8_t nonce[32];
    uint8_t expected[160];
    uint8_t out[CONSTELLATION_NAME_LEN];
    atls_error err = {.code = ATLS_OK};
    (void)state;
    assert_true(constellation_nonce_read(atls_bytes_str(NONCE), "", nonce, &err));
    atls_bytes der = name_of("3037313530330603550403132c", NONCE, "", expected);
    constellation_name_write(nonce, out);
    assert_int_equal(der.len, sizeof out);
    assert_memory_equal(out, expected, sizeof out);
}

/* ---- names of formats -------------------------------------------------------------------------------------------- */

static void writes_oids(void **state)
{
    static const struct {
        const char *hex;
        const char *text;
        const char *name;
    } rows[] = {
        {"2bcd2c0202", "1.3.9900.2.2", "aws-sev-snp"},
        {"2bcd2c0563", "1.3.9900.5.99", "qemu-tdx"},
        {"551d11", "2.5.29.17", NULL},
        {"6781050504"
         "09",
         "2.23.133.5.4.9", "TCG DICE tagged evidence"},
        {"27", "0.39", NULL},
        {"2bffffffffffffffffff7f", "", NULL}, /* an arc of 70 bits */
        {"2b81", "", NULL},                   /* an arc without end */
    };
    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        uint8_t oid[32];
        char text[CONSTELLATION_OID_TEXT_SIZE];
        bool is_document;
        size_t n = strlen(rows[i].hex) / 2;
        assert_true(atls_hex_fixed(atls_bytes_str(rows[i].hex), oid, n));
        constellation_oid_text(atls_bytes_of(oid, n), text);
        assert_string_equal(text, rows[i].text);
        const char *name = constellation_oid_name(text, &is_document);
        assert_string_equal(name == NULL ? "" : name, rows[i].name == NULL ? "" : rows[i].name);
    }
}

int main(void)
{
    tap_list l = {0};
    for (size_t i = 0; i < sizeof documents / sizeof documents[0]; i++) {
        tap_add(&l, documents[i].name, reads_document, &documents[i]);
    }
    tap_add(&l, "a document is written as Go writes it", writes_as_go_does, NULL);
    tap_add(&l, "60 KiB are sent, 1 MiB is read", keeps_to_lengths, NULL);
    tap_add(&l, "report data: digest and zeros, both lengths exact", report_data_is_the_digest_and_zeros, NULL);
    for (size_t i = 0; i < sizeof nonces / sizeof nonces[0]; i++) {
        tap_add(&l, nonces[i].name, reads_nonce, &nonces[i]);
    }
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
        tap_add(&l, names[i].name, reads_name, &names[i]);
    }
    tap_add(&l, "names of other lengths", refuses_names_of_other_lengths, NULL);
    tap_add(&l, "the name is that of section 5, byte for byte", writes_the_name_of_section_5, NULL);
    tap_add(&l, "OIDs in figures, and their names", writes_oids, NULL);
    return tap_run("constellation", &l);
}
