/* SPDX-License-Identifier: Apache-2.0 */
/* test_der_diff.c: our DER reader and OpenSSL's on the same elements. What we accept, OpenSSL reads as the same value.
 * What OpenSSL reads and writes again to the same bytes, so that it is DER, we accept, unless the header says
 * otherwise: no negative numbers, no GeneralizedTime before 2050. */
#include "check.h"

#include <openssl/asn1.h>
#include <openssl/bn.h>
#include <openssl/objects.h>

#include "base/der.h"
#include "base/text.h"
#include "random.h"

#define ROOM     512
#define N_INPUTS 40000

typedef struct input {
    uint8_t bytes[ROOM];
    size_t len;
    randoms random;
} input;

/* what the two say about one element */
typedef struct answer {
    bool ours;
    bool theirs;  /* and it is DER, and nothing that our header refuses */
    bool same;    /* when ours */
    size_t taken; /* by us */
} answer;

static atls_cur start(const uint8_t *in, size_t len, atls_error *err)
{
    atls_cur c;
    atls_error_clear(err);
    atls_cur_init(&c, atls_bytes_of(in, len), "t", err);
    return c;
}

/* Whether what OpenSSL wrote is how the input starts; frees it. */
static bool starts_with(const uint8_t *in, size_t len, uint8_t *written, int n)
{
    bool same = n > 0 && (size_t)n <= len && memcmp(in, written, (size_t)n) == 0;
    OPENSSL_free(written);
    return same;
}

static answer ask_integer(const uint8_t *in, size_t len)
{
    answer a = {0};
    atls_error err;
    atls_cur c = start(in, len, &err);
    atls_bytes magnitude = atls_bytes_empty();
    a.ours = atls_der_unsigned(&c, "f", &magnitude);
    a.taken = atls_cur_offset(&c);
    const uint8_t *p = in;
    ASN1_INTEGER *theirs = d2i_ASN1_INTEGER(NULL, &p, (long)len);
    if (theirs != NULL) {
        uint8_t *written = NULL;
        int n = i2d_ASN1_INTEGER(theirs, &written);
        BIGNUM *number = ASN1_INTEGER_to_BN(theirs, NULL);
        BIGNUM *wanted = BN_bin2bn(magnitude.ptr, (int)magnitude.len, NULL);
        assert_non_null(number);
        a.theirs = starts_with(in, len, written, n) && !BN_is_negative(number);
        a.same = BN_cmp(number, wanted) == 0 && (size_t)(p - in) == a.taken;
        BN_free(wanted);
        BN_free(number);
        ASN1_INTEGER_free(theirs);
    }
    return a;
}

static answer ask_uint(const uint8_t *in, size_t len)
{
    answer a = {0};
    atls_error err;
    atls_cur c = start(in, len, &err);
    uint64_t value = 0;
    uint64_t their_value = 0;
    a.ours = atls_der_uint(&c, "f", ATLS_DER_INTEGER, UINT64_MAX, &value);
    a.taken = atls_cur_offset(&c);
    const uint8_t *p = in;
    ASN1_INTEGER *theirs = d2i_ASN1_INTEGER(NULL, &p, (long)len);
    if (theirs != NULL) {
        uint8_t *written = NULL;
        int n = i2d_ASN1_INTEGER(theirs, &written);
        bool fits = ASN1_INTEGER_get_uint64(&their_value, theirs) == 1;
        a.theirs = starts_with(in, len, written, n) && fits;
        a.same = fits && value == their_value && (size_t)(p - in) == a.taken;
        ASN1_INTEGER_free(theirs);
    }
    return a;
}

static answer ask_oid(const uint8_t *in, size_t len)
{
    answer a = {0};
    atls_error err;
    atls_cur c = start(in, len, &err);
    atls_bytes content = atls_bytes_empty();
    a.ours = atls_der_oid(&c, "f", &content);
    a.taken = atls_cur_offset(&c);
    const uint8_t *p = in;
    ASN1_OBJECT *theirs = d2i_ASN1_OBJECT(NULL, &p, (long)len);
    if (theirs != NULL) {
        uint8_t *written = NULL;
        int n = i2d_ASN1_OBJECT(theirs, &written);
        a.theirs = starts_with(in, len, written, n);
        a.same = (size_t)(p - in) == a.taken
                 && atls_bytes_equal(content, atls_bytes_of(OBJ_get0_data(theirs), OBJ_length(theirs)));
        ASN1_OBJECT_free(theirs);
    }
    return a;
}

static answer ask_bits(const uint8_t *in, size_t len)
{
    answer a = {0};
    atls_error err;
    atls_cur c = start(in, len, &err);
    atls_bytes bits = atls_bytes_empty();
    uint8_t unused = 0;
    a.ours = atls_der_bits(&c, "f", &unused, &bits);
    a.taken = atls_cur_offset(&c);
    const uint8_t *p = in;
    ASN1_BIT_STRING *theirs = d2i_ASN1_BIT_STRING(NULL, &p, (long)len);
    if (theirs != NULL) {
        uint8_t *written = NULL;
        int n = i2d_ASN1_BIT_STRING(theirs, &written);
        atls_bytes their_bits = atls_bytes_of(ASN1_STRING_get0_data(theirs), (size_t)ASN1_STRING_length(theirs));
        a.theirs = starts_with(in, len, written, n);
        a.same = (size_t)(p - in) == a.taken && atls_bytes_equal(bits, their_bits);
        for (uint8_t i = 0; a.same && i < 8 && bits.len > 0; i++) {
            int bit = ASN1_BIT_STRING_get_bit(theirs, (int)(8 * bits.len - 8 + i));
            a.same = bit == (bits.ptr[bits.len - 1] >> (7 - i) & 1) && (i < 8 - unused || bit == 0);
        }
        ASN1_BIT_STRING_free(theirs);
    }
    return a;
}

static answer ask_bool(const uint8_t *in, size_t len)
{
    answer a = {0};
    atls_error err;
    atls_cur c = start(in, len, &err);
    bool flag = false;
    a.ours = atls_der_bool(&c, "f", &flag);
    a.taken = atls_cur_offset(&c);
    const uint8_t *p = in;
    ASN1_TYPE *theirs = d2i_ASN1_TYPE(NULL, &p, (long)len);
    if (theirs != NULL && ASN1_TYPE_get(theirs) == V_ASN1_BOOLEAN) {
        /* OpenSSL keeps whatever byte there was, and takes a long form of the length */
        bool der = in[1] == 1 && (in[2] == 0x00 || in[2] == 0xff);
        a.theirs = der;
        a.same = (theirs->value.boolean != 0) == flag && (size_t)(p - in) == a.taken;
    }
    ASN1_TYPE_free(theirs);
    return a;
}

/* Times by way of the function of OpenSSL that knows RFC 5280: it turns early GeneralizedTimes into UTCTimes. */
static answer ask_time(const uint8_t *in, size_t len)
{
    answer a = {0};
    atls_error err;
    atls_cur c = start(in, len, &err);
    atls_time t = 0;
    a.ours = atls_der_time(&c, "f", &t);
    a.taken = atls_cur_offset(&c);
    if (len < 2 || in[1] >= 0x80 || (size_t)in[1] + 2 > len || memchr(in + 2, 0, in[1]) != NULL) {
        return a;
    }
    char text[ROOM] = {0};
    memcpy(text, in + 2, in[1]);
    ASN1_TIME *theirs = ASN1_TIME_new();
    struct tm civil;
    if (ASN1_TIME_set_string_X509(theirs, text) == 1 && ASN1_TIME_to_tm(theirs, &civil) == 1) {
        int type = in[0] == ATLS_DER_UTC_TIME ? V_ASN1_UTCTIME : V_ASN1_GENERALIZEDTIME;
        bool early = in[0] == ATLS_DER_GENERALIZED_TIME && civil.tm_year + 1900 < 2050;
        char wanted[64];
        char got[ATLS_TIME_TEXT_SIZE];
        snprintf(wanted, sizeof wanted, "%04d-%02d-%02dT%02d:%02d:%02dZ", civil.tm_year + 1900, civil.tm_mon + 1,
                 civil.tm_mday, civil.tm_hour, civil.tm_min, civil.tm_sec);
        atls_time_format(t, got);
        a.theirs = ASN1_STRING_type(theirs) == type && (in[0] == 0x17 || in[0] == 0x18) && !early;
        a.same = strcmp(wanted, t == 0 ? "1970-01-01T00:00:00Z" : got) == 0;
    }
    ASN1_TIME_free(theirs);
    return a;
}

/* The head of any element: tag, class, length. OpenSSL reads BER here, so only one direction. */
static answer ask_any(const uint8_t *in, size_t len)
{
    answer a = {0};
    atls_error err;
    atls_cur c = start(in, len, &err);
    atls_der_tag tag = 0;
    atls_bytes content = atls_bytes_empty();
    a.ours = atls_der_any(&c, "f", &tag, &content, NULL);
    a.taken = atls_cur_offset(&c);
    const uint8_t *p = in;
    long n = 0;
    int number = 0;
    int class = 0;
    int flags = ASN1_get_object(&p, &n, &number, &class, (long)len);
    unsigned first = tag > 0xff ? tag >> 24 : tag;
    unsigned our_number = tag > 0xff ? tag & 0xffffff : tag & 0x1f;
    a.same = (flags & 0x80) == 0 && (flags & V_ASN1_CONSTRUCTED) == (int)(first & 0x20) && class == (int)(first & 0xc0)
             && number == (int)our_number && (size_t)n == content.len && p == content.ptr;
    a.theirs = a.ours;
    return a;
}

/* ---- inputs ---- */

static void put(input *in, uint8_t byte)
{
    if (in->len < ROOM / 2) {
        in->bytes[in->len++] = byte;
    }
}

/* bytes that like the edges: 00, 7f, 80, ff */
static uint8_t edge(input *in)
{
    static const uint8_t edges[] = {0x00, 0x01, 0x7f, 0x80, 0x81, 0xff};
    return random_below(&in->random, 2) == 0 ? edges[random_below(&in->random, COUNT(edges))]
                                             : (uint8_t)random_next(&in->random);
}

/* An element with this tag; the length is right, but its form not always. */
static void put_element(input *in, uint8_t tag, size_t len)
{
    put(in, tag);
    if (random_below(&in->random, 16) == 0) {
        put(in, 0x81);
    }
    put(in, (uint8_t)len);
    for (size_t i = 0; i < len; i++) {
        put(in, edge(in));
    }
}

static void make_integer(input *in)
{
    put_element(in, ATLS_DER_INTEGER, random_below(&in->random, 12));
}

static void make_oid(input *in)
{
    put_element(in, ATLS_DER_OID, random_below(&in->random, 10));
}

static void make_bits(input *in)
{
    size_t len = random_below(&in->random, 6);
    put_element(in, ATLS_DER_BIT_STRING, len);
    if (len > 0 && in->bytes[1] == len) {
        in->bytes[2] = (uint8_t)random_below(&in->random, 10);
        in->bytes[1 + len] &= (uint8_t)(random_below(&in->random, 2) == 0 ? 0xff : 0xff << in->bytes[2]);
    }
}

static void make_bool(input *in)
{
    put_element(in, ATLS_DER_BOOLEAN, random_below(&in->random, 10) == 0 ? 2 : 1);
}

static void make_time(input *in)
{
    randoms *r = &in->random;
    static const unsigned years[] = {0, 1949, 1950, 1969, 1970, 1999, 2000, 2024, 2049, 2050, 2100, 9999};
    bool utc = random_below(r, 2) == 0;
    unsigned year = years[random_below(r, COUNT(years))] + (random_below(r, 4) == 0 ? 1 : 0);
    char text[64];
    snprintf(text, sizeof text, "%04u%02u%02u%02u%02u%02uZ", year % 10000, (unsigned)random_below(r, 14) % 100,
             (unsigned)random_below(r, 33) % 100, (unsigned)random_below(r, 25) % 100,
             (unsigned)random_below(r, 61) % 100, (unsigned)random_below(r, 61) % 100);
    const char *shown = utc ? text + 2 : text;
    put(in, utc ? ATLS_DER_UTC_TIME : ATLS_DER_GENERALIZED_TIME);
    put(in, (uint8_t)strlen(shown));
    for (; *shown != '\0'; shown++) {
        put(in, (uint8_t)*shown);
    }
}

static void make_any(input *in)
{
    uint8_t tag = edge(in);
    put(in, tag);
    if ((tag & 0x1f) == 0x1f) {
        for (size_t n = random_below(&in->random, 4); n > 0; n--) {
            put(in, edge(in) | 0x80);
        }
        put(in, edge(in) & 0x7f);
    }
    put_element(in, (uint8_t)random_below(&in->random, 100), random_below(&in->random, 100));
}

typedef struct kind {
    const char *name;
    void (*make)(input *in);
    answer (*ask)(const uint8_t *in, size_t len);
    size_t least_yes; /* or the test would test nothing */
    size_t least_no;
} kind;

static const kind kinds[] = {
    {"INTEGER of any length", make_integer, ask_integer, 10000, 10000},
    {"INTEGER of 64 bits", make_integer, ask_uint, 5000, 10000},
    {"OBJECT IDENTIFIER", make_oid, ask_oid, 5000, 10000},
    {"BIT STRING", make_bits, ask_bits, 10000, 5000},
    {"BOOLEAN", make_bool, ask_bool, 2000, 10000},
    {"UTCTime and GeneralizedTime", make_time, ask_time, 5000, 10000},
    {"any head", make_any, ask_any, 5000, 5000},
};

static void fail_on(const input *in)
{
    char hex[2 * ROOM + 1];
    atls_hex_encode(atls_bytes_of(in->bytes, in->len), hex);
    fail_msg("they differ: %s", hex);
}

static bool try_one(const kind *k, const input *in)
{
    uint8_t *exact = malloc(in->len == 0 ? 1 : in->len);
    assert_non_null(exact);
    memcpy(exact, in->bytes, in->len);
    answer a = k->ask(exact, in->len);
    free(exact);
    if (a.ours != a.theirs || (a.ours && !a.same)) {
        fail_on(in);
    }
    return a.ours;
}

/* Elements as they are made, and every other one damaged. */
static void test_kind(void **state)
{
    const kind *k = *state;
    size_t n_yes = 0;
    input in = {.random = {0xd1342543de82ef95u}};
    for (size_t i = 0; i < N_INPUTS; i++) {
        in.len = 0;
        k->make(&in);
        if (i % 2 == 1) {
            in.len = random_damage(&in.random, in.bytes, in.len, ROOM);
        }
        n_yes += try_one(k, &in);
    }
    print_message("# yes %zu of %d\n", n_yes, N_INPUTS);
    assert_true(n_yes >= k->least_yes);
    assert_true(N_INPUTS - n_yes >= k->least_no);
}

int main(void)
{
    tap_list tests = {0};
    for (size_t i = 0; i < COUNT(kinds); i++) {
        tap_add(&tests, kinds[i].name, test_kind, &kinds[i]);
    }
    return tap_run("der_diff", &tests);
}
