/* SPDX-License-Identifier: Apache-2.0 */
/* test_ca_wishes.c: what a phone asks for, and what it gets. A profile that lists a lot is asked for everything else. */
#include <openssl/x509v3.h>

#include "ca_scene.h"
#include "tap.h"

static const char generous[] = "{\"subject\":[{\"type\":\"CN\",\"value\":\"{app}\"}],"
                               "\"subject_from_csr\":[\"CN\",\"O\",\"OU\",\"C\"],"
                               "\"san_from_csr\":[{\"type\":\"dns\",\"value\":\".phones.example\"},"
                               "{\"type\":\"dns\",\"value\":\"one.example\"},{\"type\":\"uri\",\"value\":\"urn:one\"}],"
                               "\"extensions_from_csr\":[\"1.2.3.4\",\"1.2.3.5\"]}";

#define CN   "2.5.4.3"
#define O    "2.5.4.10"
#define OU   "2.5.4.11"
#define C    "2.5.4.6"
#define SN   "2.5.4.5"
#define UTF8 0x0c
#define PRT  0x13
#define T61  0x14
#define BMP  0x1e
#define END                                                                                                            \
    {                                                                                                                  \
        NULL, 0, NULL, 0                                                                                               \
    }
#define MAX 6

typedef struct row {
    const char *name;
    ca_wish names[MAX];
    ca_wish extensions[MAX];
    const char *subject; /* NULL: the profile's */
    const char *san;     /* NULL: none */
    int n_extensions;    /* 5: the profile's own */
    bool twice;          /* the attribute extensionRequest */
} row;

#define LONG_64      "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"
#define DNS(n, text) "\x82" n text
static const row rows[] = {
    {"nothing", {END}, {END}, NULL, NULL, 5, false},
    {"an organisation", {{O, UTF8, "Example", 0}, END}, {END}, "/O=Example", NULL, 5, false},
    {"in a PrintableString", {{O, PRT, "Example", 0}, END}, {END}, "/O=Example", NULL, 5, false},
    {"in the profile's order", {{OU, UTF8, "b", 0}, {O, UTF8, "a", 0}, END}, {END}, "/O=a/OU=b", NULL, 5, false},
    {"of 64 bytes", {{O, UTF8, LONG_64, 0}, END}, {END}, "/O=" LONG_64, NULL, 5, false},
    {"of 65 bytes", {{O, UTF8, LONG_64 "a", 0}, END}, {END}, NULL, NULL, 5, false},
    {"in a T61String", {{O, T61, "Example", 0}, END}, {END}, NULL, NULL, 5, false},
    {"in a BMPString", {{O, BMP, "\0E\0x", 4}, END}, {END}, NULL, NULL, 5, false},
    {"twice", {{O, UTF8, "a", 0}, {O, UTF8, "b", 0}, END}, {END}, NULL, NULL, 5, false},
    {"a name that the profile sets", {{CN, UTF8, "other.app", 0}, END}, {END}, NULL, NULL, 5, false},
    {"a name that is not listed", {{"2.5.4.7", UTF8, "Vienna", 0}, END}, {END}, NULL, NULL, 5, false},
    {"a serialNumber", {{SN, PRT, "1234", 0}, END}, {END}, NULL, NULL, 5, false},
    {"broken UTF-8", {{O, UTF8, "a\xc3", 0}, END}, {END}, NULL, NULL, 5, false},
    {"an overlong form", {{O, UTF8, "a\xc0\x80", 0}, END}, {END}, NULL, NULL, 5, false},
    {"a NUL", {{O, UTF8, "a\0b", 3}, END}, {END}, NULL, NULL, 5, false},
    {"a line feed", {{O, UTF8, "a\nb", 0}, END}, {END}, NULL, NULL, 5, false},
    {"a delete", {{O, UTF8, "a\x7f", 0}, END}, {END}, NULL, NULL, 5, false},
    {"a C1 control", {{O, UTF8, "a\xc2\x85", 0}, END}, {END}, NULL, NULL, 5, false},
    {"the first that is none", {{O, UTF8, "\xc2\xa0", 0}, END}, {END}, "/O=\\xC2\\xA0", NULL, 5, false},
    {"an override of direction", {{O, UTF8, "a\xe2\x80\xae", 0}, END}, {END}, NULL, NULL, 5, false},
    {"an isolate", {{O, UTF8, "a\xe2\x81\xa6", 0}, END}, {END}, NULL, NULL, 5, false},
    {"a byte order mark",
     {{O, UTF8,
       "\xef\xbb\xbf"
       "a",
       0},
      END},
     {END},
     NULL,
     NULL,
     5,
     false},
    {"letters beyond ASCII", {{O, UTF8, "\xc3\x96l", 0}, END}, {END}, "/O=\\xC3\\x96l", NULL, 5, false},
    {"a country", {{C, PRT, "AT", 0}, END}, {END}, "/C=AT", NULL, 5, false},
    {"a country of three letters", {{C, PRT, "AUT", 0}, END}, {END}, NULL, NULL, 5, false},
    {"an extension",
     {END},
     {{"1.2.3.4", 0,
       "\x04\x01"
       "a",
       0},
      END},
     NULL,
     NULL,
     6,
     false},
    {"two", {END}, {{"1.2.3.5", 0, "\x05\x00", 2}, {"1.2.3.4", 0, "\x05\x00", 2}, END}, NULL, NULL, 7, false},
    {"the same one twice",
     {END},
     {{"1.2.3.4", 0, "\x05\x00", 2}, {"1.2.3.4", 0, "\x05\x00", 2}, END},
     NULL,
     NULL,
     5,
     false},
    {"one that is no DER", {END}, {{"1.2.3.4", 0, "a", 0}, END}, NULL, NULL, 5, false},
    {"one with something behind it", {END}, {{"1.2.3.4", 0, "\x05\x00\x00", 3}, END}, NULL, NULL, 5, false},
    {"one that is not listed", {END}, {{"1.2.3.6", 0, "\x05\x00", 2}, END}, NULL, NULL, 5, false},
    {"to be a CA", {END}, {{"2.5.29.19", 0, "\x30\x03\x01\x01\xff", 0}, END}, NULL, NULL, 5, false},
    {"to sign certificates", {END}, {{"2.5.29.15", 0, "\x03\x02\x01\x06", 0}, END}, NULL, NULL, 5, false},
    {"to be a server",
     {END},
     {{"2.5.29.37", 0, "\x30\x0a\x06\x08\x2b\x06\x01\x05\x05\x07\x03\x01", 0}, END},
     NULL,
     NULL,
     5,
     false},
    {"an attestation of its own", {END}, {{"1.3.6.1.4.1.11129.2.1.17", 0, "\x30\x00", 2}, END}, NULL, NULL, 5, false},
    {"an attested key of its own", {END}, {{ATLS_ENROLLED_OID, 0, "\x30\x00", 2}, END}, NULL, NULL, 5, false},
    {"a host under the listed name",
     {END},
     {{"2.5.29.17", 0, "\x30\x12" DNS("\x10", "a.phones.example"), 0}, END},
     NULL,
     "a.phones.example ",
     6,
     false},
    {"two under it",
     {END},
     {{"2.5.29.17", 0, "\x30\x14" DNS("\x12", "a.b.phones.example"), 0}, END},
     NULL,
     "a.b.phones.example ",
     6,
     false},
    {"the listed name itself",
     {END},
     {{"2.5.29.17", 0, "\x30\x10" DNS("\x0e", "phones.example"), 0}, END},
     NULL,
     NULL,
     5,
     false},
    {"a dot and nothing",
     {END},
     {{"2.5.29.17", 0, "\x30\x11" DNS("\x0f", ".phones.example"), 0}, END},
     NULL,
     NULL,
     5,
     false},
    {"a star", {END}, {{"2.5.29.17", 0, "\x30\x12" DNS("\x10", "*.phones.example"), 0}, END}, NULL, NULL, 5, false},
    {"a name that ends alike",
     {END},
     {{"2.5.29.17", 0, "\x30\x12" DNS("\x10", "a-phones.example"), 0}, END},
     NULL,
     NULL,
     5,
     false},
    {"a blank in it",
     {END},
     {{"2.5.29.17", 0, "\x30\x13" DNS("\x11", "a .phones.example"), 0}, END},
     NULL,
     NULL,
     5,
     false},
    {"a foreign host", {END}, {{"2.5.29.17", 0, "\x30\x0d" DNS("\x0b", "two.example"), 0}, END}, NULL, NULL, 5, false},
    {"the exact one",
     {END},
     {{"2.5.29.17", 0, "\x30\x0d" DNS("\x0b", "one.example"), 0}, END},
     NULL,
     "one.example ",
     6,
     false},
    {"below the exact one",
     {END},
     {{"2.5.29.17", 0, "\x30\x0f" DNS("\x0d", "a.one.example"), 0}, END},
     NULL,
     NULL,
     5,
     false},
    {"a foreign one beside a listed one",
     {END},
     {{"2.5.29.17", 0, "\x30\x1a" DNS("\x0b", "two.example") DNS("\x0b", "one.example"), 0}, END},
     NULL,
     "one.example ",
     6,
     false},
    {"a listed URI", {END}, {{"2.5.29.17", 0, "\x30\x09\x86\x07urn:one", 0}, END}, NULL, "urn:one ", 6, false},
    {"a URI as a host", {END}, {{"2.5.29.17", 0, "\x30\x09\x82\x07urn:one", 0}, END}, NULL, NULL, 5, false},
    {"an address", {END}, {{"2.5.29.17", 0, "\x30\x06\x87\x04\x7f\x01\x01\x01", 0}, END}, NULL, NULL, 5, false},
    {"names that break off",
     {END},
     {{"2.5.29.17", 0, "\x30\x0f" DNS("\x0b", "one.example") "\x82\x7f", 0}, END},
     NULL,
     NULL,
     5,
     false},
    {"something behind the names",
     {END},
     {{"2.5.29.17", 0, "\x30\x0d" DNS("\x0b", "one.example") "\x05", 0}, END},
     NULL,
     NULL,
     5,
     false},
    {"extensions asked for twice", {END}, {{"1.2.3.4", 0, "\x05\x00", 2}, END}, NULL, NULL, 5, true},
};

static void read_san(const X509 *c, char *out, size_t size)
{
    GENERAL_NAMES *names = X509_get_ext_d2i(c, NID_subject_alt_name, NULL, NULL);
    size_t used = 0;
    out[0] = '\0';
    for (int i = 0; i < sk_GENERAL_NAME_num(names); i++) {
        int type;
        const ASN1_STRING *value = GENERAL_NAME_get0_value(sk_GENERAL_NAME_value(names, i), &type);
        used += (size_t)snprintf(out + used, size - used, "%.*s ", ASN1_STRING_length(value),
                                 (const char *)ASN1_STRING_get0_data(value));
    }
    GENERAL_NAMES_free(names);
}

static void check_names(const row *r, const X509 *c)
{
    char text[256];
    char expected[256];
    (void)snprintf(expected, sizeof expected, "/CN=org.example.wallet%s", r->subject == NULL ? "" : r->subject);
    assert_string_equal(X509_NAME_oneline(X509_get_subject_name(c), text, sizeof text), expected);
    read_san(c, text, sizeof text);
    assert_string_equal(text, r->san == NULL ? "" : r->san);
}

static void gets_what_it_may(void **state)
{
    const row *r = *state;
    ca_scene s;
    ca_scene_begin(&s);
    ca_scene_make(&s, generous);
    ca_scene_names(&s, r->names);
    for (int i = 0; i < (r->twice ? 2 : 1); i++) {
        ca_scene_extensions(&s, r->extensions);
    }
    X509 *c = ca_scene_issued(&s);
    check_names(r, c);
    assert_int_equal(X509_get_ext_count(c), r->n_extensions);
    for (int i = 2; i < r->n_extensions; i++) { /* what was wished critical is not */
        assert_int_equal(X509_EXTENSION_get_critical(X509_get_ext(c, i)), 0);
    }
    assert_int_equal(X509_check_ca(c), 0);
    assert_int_equal(X509_get_key_usage(c), X509v3_KU_DIGITAL_SIGNATURE);
    assert_int_equal(X509_get_extended_key_usage(c), XKU_SSL_CLIENT);
    assert_int_equal(ca_scene_verify(&s, SCENE_NOW), X509_V_OK);
    X509_free(c);
    ca_scene_end(&s);
}

/* The same wishes, and a profile that lists nothing: none is heard. */
static void gets_nothing(void **state)
{
    const row *r = *state;
    ca_scene s;
    char text[256];
    ca_scene_begin(&s);
    ca_scene_make(&s, "{}");
    ca_scene_names(&s, r->names);
    ca_scene_extensions(&s, r->extensions);
    X509 *c = ca_scene_issued(&s);
    assert_string_equal(X509_NAME_oneline(X509_get_subject_name(c), text, sizeof text), "/CN=org.example.wallet");
    assert_int_equal(X509_get_ext_count(c), 5);
    X509_free(c);
    ca_scene_end(&s);
}

/* Requests of any bytes: a certificate comes out, or the call would have crashed; and it is for the same key and no CA. */
static void survives_noise(void **state)
{
    static uint8_t noise[512];
    static const uint8_t request[] = {0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01, 0x09, 0x0e};
    uint32_t x = 1;
    ca_scene s;
    (void)state;
    ca_scene_begin(&s);
    ca_scene_make(&s, generous);
    for (unsigned i = 0; i < 300; i++) {
        ca_scene_nonce(&s, i);
        const ca_wish names[] = {{O, UTF8, "Example", 0}, END};
        const ca_wish extensions[] = {
            {"2.5.29.17", 0, "\x30\x0d" DNS("\x0b", "one.example"), 0}, {"1.2.3.4", 0, "\x05\x00", 2}, END};
        ca_scene_names(&s, names);
        ca_scene_extensions(&s, extensions);
        const atls_bytes parts[2] = {s.csr.subject, s.csr.attributes[0].values};
        for (size_t p = 0; p < 2; p++) { /* one byte of each is changed */
            x = x * 1664525u + 1013904223u;
            memcpy(noise + p * 256, parts[p].ptr, parts[p].len);
            noise[p * 256 + (x >> 8) % parts[p].len] = (uint8_t)(x >> 24);
        }
        s.csr.subject = atls_bytes_of(noise, parts[0].len);
        s.csr.attributes[0] =
            (atls_enrol_attribute){atls_bytes_of(request, sizeof request), atls_bytes_of(noise + 256, parts[1].len)};
        X509 *c = ca_scene_issued(&s);
        assert_int_equal(X509_check_ca(c), 0);
        assert_int_equal(ca_scene_verify(&s, SCENE_NOW), X509_V_OK);
        X509_free(c);
    }
    ca_scene_end(&s);
}

int main(void)
{
    tap_list l = {0};
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        tap_add(&l, rows[i].name, gets_what_it_may, &rows[i]);
    }
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        tap_add(&l, rows[i].name, gets_nothing, &rows[i]);
    }
    tap_add(&l, "changed bytes", survives_noise, NULL);
    return tap_run("ca_wishes", &l);
}
