/* SPDX-License-Identifier: Apache-2.0 */
/* Certificates as atls_inspect_json shows them: every extension, every format, the quote inside; odd certificates too,
 * with what is odd. */
#include "base/json.h"
#include "certificates.h"
#include "pki/cert.h"
#include "pki/make.h"
#include "pki/outline.h"
#include "tap.h"

#define OID_TDX "1.3.9900.5.99"

static make_keys *keys;

typedef struct desk {
    lab lab;
    const atls_json *json;
    const atls_json *first; /* certificate */
} desk;

static void desk_open(desk *d)
{
    memset(d, 0, sizeof *d);
    lab_open(&d->lab);
}

static void show(desk *d, atls_bytes file)
{
    static const char head[] = "{\"unverified\":true,\"kind\":\"certificates\"";
    atls_bytes out;
    if (!atls_inspect_json(file, &d->lab.arena, &out, &d->lab.err)) {
        fail_msg("%s: %s", d->lab.err.field, d->lab.err.message);
    }
    assert_memory_equal(out.ptr, head, sizeof head - 1);
    assert_true(atls_json_parse(out, "shown", &d->lab.arena, &d->json, &d->lab.err));
    d->first = atls_json_find(d->json, "certificates")->child;
}

static const atls_json *member(const atls_json *object, const char *name)
{
    const atls_json *v = atls_json_find(object, name);
    if (v == NULL) {
        fail_msg("there is no member %s", name);
    }
    return v;
}

static void is_text(const atls_json *object, const char *name, const char *wanted)
{
    const atls_json *v = member(object, name);
    if (!atls_bytes_equal_str(v->type == ATLS_JSON_STRING ? v->text : v->raw, wanted)) {
        fail_msg("%s is %.*s instead of %s", name, (int)v->raw.len, (const char *)v->raw.ptr, wanted);
    }
}

/* ---- what a certificate shows ---- */

static void test_members(void **state)
{
    (void)state;
    desk d;
    desk_open(&d);
    const lab_extension e[] = {{"2.5.29.19", true, lab_hex(&d.lab, "3000")},
                               {"1.2.3.4", false, lab_hex(&d.lab, "000102030405060708090a0b0c0d0e0f10")},
                               {OID_TDX, false, lab_tdx_document(&d.lab, lab_quote(&d.lab, SIM_TDX_V4))}};
    show(&d, lab_certificate(&d.lab, e, 3));
    is_text(d.first, "subject", "CN=Constellation");
    is_text(d.first, "issuer", "CN=Constellation");
    is_text(d.first, "serial", "1267");
    is_text(d.first, "key", "P-256");
    assert_null(atls_json_find(d.first, "problem"));
    assert_null(atls_json_find(d.first, "ambiguous"));
    const atls_json *x = member(d.first, "extensions")->child;
    is_text(x, "name", "basicConstraints");
    is_text(x, "critical", "true");
    is_text(x, "length", "2");
    is_text(x, "first_bytes", "3000");
    is_text(x->next, "oid", "1.2.3.4");
    is_text(x->next, "name", "null");
    is_text(x->next, "length", "17");
    is_text(x->next, "first_bytes", "000102030405060708090a0b0c0d0e0f"); /* 16 of them */
    is_text(x->next->next, "name", "Constellation qemu-tdx");
    const atls_json *f = member(d.first, "recognised")->child;
    assert_true(atls_bytes_equal_str(f->child->name, "status")); /* before anything else */
    is_text(f, "status", "recognised, not verified");
    is_text(f, "format", "Constellation qemu-tdx");
    is_text(f, "recognised_by", "oid");
    is_text(f, "grade_at_best", "key_fresh");
    is_text(f, "enough_by_default", "false");
    is_text(f, "session_profile", "constellation");
    lab_close(&d.lab);
}

/* A quote inside is shown whole, and begins with the word. */
typedef struct inside {
    const char *name;
    const char *oid;
    atls_bytes (*make)(lab *l);
    const char *member; /* of the quote */
} inside;

static atls_bytes in_document(lab *l)
{
    return lab_tdx_document(l, lab_quote(l, SIM_TDX_V4));
}

static atls_bytes in_tag(lab *l)
{
    return lab_tagged(l, 60000, lab_quote(l, SIM_SGX_V3), lab_claims(l));
}

static atls_bytes in_octets(lab *l)
{
    return lab_der(l, 0x04, lab_quote(l, SIM_TDX_V5));
}

static atls_bytes raw(lab *l)
{
    return lab_quote(l, SIM_SGX_V3);
}

static atls_bytes cut(lab *l)
{
    const atls_bytes quote = lab_quote(l, SIM_SGX_V3);
    return atls_bytes_of(quote.ptr, 100);
}

static const inside insides[] = {
    {"a quote in a document of Constellation", OID_TDX, in_document, "td"},
    {"a quote under a CBOR tag", "2.23.133.5.4.9", in_tag, "sgx"},
    {"a quote in dstack's OCTET STRING", "1.3.6.1.4.1.62397.1.1", in_octets, "td"},
    {"a raw quote", "1.2.840.113741.1337.6", raw, "sgx"},
    {"a raw quote in an extension of nobody", "1.2.3.4", raw, "sgx"},
    {"a quote that is cut says so", "1.2.840.113741.1337.6", cut, "problem"},
};

static void test_inside(void **state)
{
    const inside *w = *state;
    desk d;
    desk_open(&d);
    const lab_extension e = {w->oid, false, w->make(&d.lab)};
    show(&d, lab_certificate(&d.lab, &e, 1));
    const atls_json *quote = member(member(d.first, "recognised")->child, "quote");
    assert_true(atls_bytes_equal_str(quote->child->name, "unverified"));
    is_text(quote, "unverified", "true");
    assert_non_null(atls_json_find(quote, w->member));
    lab_close(&d.lab);
}

static void test_two(void **state)
{
    (void)state;
    desk d;
    desk_open(&d);
    const lab_extension e[] = {{OID_TDX, false, in_document(&d.lab)}, {"2.23.133.5.4.9", false, in_tag(&d.lab)}};
    show(&d, lab_certificate(&d.lab, e, 2));
    const atls_json *f = member(d.first, "recognised");
    assert_int_equal(f->n, 2);
    is_text(f->child, "session_profile", "null");
    is_text(f->child->next, "session_profile", "null");
    assert_non_null(strstr((const char *)member(d.first, "ambiguous")->text.ptr, "none of them would be verified"));
    lab_close(&d.lab);
}

static void test_chain(void **state)
{
    (void)state;
    desk d;
    atls_bytes one, two;
    desk_open(&d);
    const lab_extension e = {OID_TDX, false, in_document(&d.lab)};
    assert_true(atls_pem_encode(lab_certificate(&d.lab, NULL, 0), "CERTIFICATE", &d.lab.arena, &one, &d.lab.err));
    assert_true(atls_pem_encode(lab_certificate(&d.lab, &e, 1), "CERTIFICATE", &d.lab.arena, &two, &d.lab.err));
    show(&d, lab_join(&d.lab, one, two));
    assert_int_equal(member(d.first, "recognised")->n, 0);
    assert_int_equal(member(d.first, "extensions")->n, 0);
    assert_int_equal(member(d.first->next, "recognised")->n, 1);
    lab_close(&d.lab);
}

/* Larger than the strict reader takes: shown all the same, with its word. */
static void test_large(void **state)
{
    (void)state;
    desk d;
    desk_open(&d);
    uint8_t *text = atls_arena_raw(&d.lab.arena, 60000, &d.lab.err);
    assert_non_null(text);
    memset(text, ' ', 60000);
    memcpy(text, "{}", 2);
    const lab_extension e = {"1.3.9900.4.1", false, atls_bytes_of(text, 60000)};
    show(&d, lab_certificate(&d.lab, &e, 1));
    assert_non_null(member(d.first, "problem"));
    is_text(d.first, "key", "P-256");
    is_text(member(d.first, "recognised")->child, "format", "Constellation azure-sev-snp");
    lab_close(&d.lab);
}

/* ---- odd certificates ---- */

typedef struct odd {
    const char *name;
    void (*change)(make_cert *c);
    const char *problem; /* begins with; NULL: none */
    size_t n_extensions;
    const char *not_before;
} odd;

#define CHANGE(fn, statement)                                                                                          \
    static void fn(make_cert *c)                                                                                       \
    {                                                                                                                  \
        statement;                                                                                                     \
    }
/* the OID 1.2.3.4; then nothing, FALSE, TRUE as 1, no value, a value and more */
#define EXT_OID "06032a0304"
CHANGE(nothing, (void)c)
CHANGE(version_1, (c->version = 1, c->no_extensions = true))
CHANGE(version_2, c->version = 2)
CHANGE(negative, c->serial = "80")
CHANGE(long_serial, c->serial = "01000000000000000000000000000000000000000000")
CHANGE(unique_ids, c->unique_id = "810100")
CHANGE(explicit_false, c->extra = "300b" EXT_OID "010100"
                                  "040105")
CHANGE(true_as_one, c->extra = "300b" EXT_OID "010101"
                               "040105")
CHANGE(twice, c->extra = "3008" EXT_OID "040105"
                         "3008" EXT_OID "040106")
CHANGE(no_value, c->extra = "3005" EXT_OID)
CHANGE(and_more, c->extra = "300a" EXT_OID "040105"
                            "0500")
CHANGE(no_list, c->extra = "0500")
CHANGE(bad_date, c->not_before = "20240230000000Z")
CHANGE(odd_name, c->subject = "#3003020101")
CHANGE(algorithms, c->outer_alg = MAKE_ECDSA_SHA384)
CHANGE(epoch, c->not_before = "19700101000000Z")
CHANGE(behind, c->tail = "0500")
CHANGE(odd_bc, c->bc = MAKE_BC_EXPLICIT_FALSE)

static const odd odds[] = {
    {"nothing odd", nothing, NULL, 4, "2020-01-01T00:00:00Z"},
    {"version 1", version_1, "certificate.tbs.version", 0, "2020-01-01T00:00:00Z"},
    {"version 2 with extensions", version_2, "certificate.tbs.version", 4, "2020-01-01T00:00:00Z"},
    {"a negative serial", negative, "certificate.tbs.serial", 4, "2020-01-01T00:00:00Z"},
    {"a serial of 22 bytes", long_serial, "certificate.tbs.serial", 4, "2020-01-01T00:00:00Z"},
    {"a unique id", unique_ids, "certificate.tbs.unique_id", 4, "2020-01-01T00:00:00Z"},
    {"FALSE spelt out", explicit_false, "certificate.tbs.extensions", 5, "2020-01-01T00:00:00Z"},
    {"TRUE as 1", true_as_one, "certificate.tbs.extensions", 5, "2020-01-01T00:00:00Z"},
    {"an extension twice", twice, "certificate.tbs.extensions", 6, "2020-01-01T00:00:00Z"},
    {"an extension without a value", no_value, "certificate.tbs.extensions", 4, "2020-01-01T00:00:00Z"},
    {"an extension with something behind", and_more, "certificate", 5, "2020-01-01T00:00:00Z"},
    {"something among the extensions", no_list, "certificate.tbs.extensions", 4, "2020-01-01T00:00:00Z"},
    {"no date", bad_date, "certificate.tbs.validity.not_before", 4, "null"},
    {"the first second of 1970", epoch, NULL, 4, "1970-01-01T00:00:00Z"},
    {"no name", odd_name, "certificate.tbs.subject", 4, "2020-01-01T00:00:00Z"},
    {"two algorithms", algorithms, "certificate.signature_algorithm", 4, "2020-01-01T00:00:00Z"},
    {"something behind the extensions", behind, "certificate", 4, "2020-01-01T00:00:00Z"},
    {"odd basicConstraints", odd_bc, "certificate.tbs.extensions.basic_constraints", 4, "2020-01-01T00:00:00Z"},
};

static void test_odd(void **state)
{
    const odd *w = *state;
    desk d;
    made m;
    make_cert c = make_cert_default(MAKE_LEAF);
    desk_open(&d);
    w->change(&c);
    make_cert_write(keys, &c, &m);
    show(&d, made_bytes(&m));
    is_text(d.first, "issuer", "CN=Test CA");
    is_text(d.first, "key", "P-256");
    is_text(d.first, "not_before", w->not_before);
    is_text(d.first, "not_after", "2039-12-31T23:59:59Z");
    assert_int_equal(member(d.first, "extensions")->n, w->n_extensions);
    const atls_json *problem = atls_json_find(d.first, "problem");
    if (w->problem == NULL) {
        assert_null(problem);
    } else {
        assert_non_null(problem);
        assert_true(problem->text.len >= strlen(w->problem));
        assert_memory_equal(problem->text.ptr, w->problem, strlen(w->problem));
    }
    lab_close(&d.lab);
}

/* 65 extensions: 64 are listed, and the rest is mentioned. */
static void test_many(void **state)
{
    (void)state;
    desk d;
    lab_extension e[ATLS_MAX_OUTLINE_EXTENSIONS + 1];
    char oids[ATLS_MAX_OUTLINE_EXTENSIONS + 1][16];
    desk_open(&d);
    for (size_t i = 0; i < ATLS_MAX_OUTLINE_EXTENSIONS + 1; i++) {
        (void)snprintf(oids[i], sizeof oids[i], "1.2.3.%zu", i);
        e[i] = (lab_extension){oids[i], false, lab_hex(&d.lab, "0500")};
    }
    show(&d, lab_certificate(&d.lab, e, ATLS_MAX_OUTLINE_EXTENSIONS + 1));
    assert_int_equal(member(d.first, "extensions")->n, ATLS_MAX_OUTLINE_EXTENSIONS);
    assert_non_null(atls_json_find(d.first, "problem"));
    show(&d, lab_certificate(&d.lab, e, ATLS_MAX_OUTLINE_EXTENSIONS));
    assert_int_equal(member(d.first, "extensions")->n, ATLS_MAX_OUTLINE_EXTENSIONS);
    lab_close(&d.lab);
}

/* ---- dotted form ---- */

typedef struct dotted {
    const char *name;
    const char *hex;
    const char *text;
} dotted;

static const dotted dotteds[] = {
    {"0.9", "09", "0.9"},
    {"1.39", "4f", "1.39"},
    {"2.5.29.15", "551d0f", "2.5.29.15"},
    {"2.999", "8837", "2.999"},
    {"Constellation", "2bcd2c0563", OID_TDX},
    {"the largest arc", "2a81ffffffffffffffff7f", "1.2.18446744073709551615"},
    {"an arc beyond 64 bits", "2a82808080808080808000", "oid-2a82808080808080808000"},
    {"an arc that does not end", "2a81", "oid-2a81"},
    {"nothing", "", "oid-"},
};

static void test_dotted(void **state)
{
    const dotted *w = *state;
    lab l;
    lab_open(&l);
    assert_string_equal(atls_oid_text(lab_hex(&l, w->hex), &l.arena, &l.err), w->text);
    lab_close(&l);
}

/* ---- other files ---- */

static void test_blob(void **state)
{
    (void)state;
    lab l;
    atls_bytes out;
    const atls_json *json;
    uint8_t report[1184] = {5};
    lab_open(&l);
    assert_true(atls_inspect_json(atls_bytes_of(report, sizeof report), &l.arena, &out, &l.err));
    assert_true(atls_json_parse(out, "shown", &l.arena, &json, &l.err));
    is_text(json, "unverified", "true");
    is_text(json, "kind", "recognised");
    is_text(member(json, "recognised")->child, "format", "AMD SEV-SNP attestation report");
    is_text(member(json, "recognised")->child, "grade_at_best", "none");
    lab_close(&l);
}

#define ADD_ROWS(list, table, fn)                                                                                      \
    for (size_t i = 0; i < sizeof table / sizeof table[0]; i++) {                                                      \
        tap_add(list, table[i].name, fn, &table[i]);                                                                   \
    }

int main(void)
{
    tap_list tests = {0};
    keys = make_keys_new();
    tap_add(&tests, "everything that a certificate shows", test_members, NULL);
    ADD_ROWS(&tests, insides, test_inside)
    tap_add(&tests, "two formats: the page says that neither is verified", test_two, NULL);
    tap_add(&tests, "a PEM chain, each for itself", test_chain, NULL);
    tap_add(&tests, "a certificate of 60 KiB", test_large, NULL);
    ADD_ROWS(&tests, odds, test_odd)
    tap_add(&tests, "more extensions than are shown", test_many, NULL);
    ADD_ROWS(&tests, dotteds, test_dotted)
    tap_add(&tests, "a bare report", test_blob, NULL);
    int failed = tap_run("verify/show_certificates", &tests);
    make_keys_free(keys);
    return failed;
}
