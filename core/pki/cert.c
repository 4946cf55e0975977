/* SPDX-License-Identifier: Apache-2.0 */
/* cert.c: one certificate, from DER to borrowed slices. It reads like RFC 5280 4.1. */
#include "cert.h"

#include <string.h>

#include "read.h"

#define VERSION_3 2u

/* id-ce arcs (RFC 5280 4.2.1) of the extensions that chain.c understands */
#define CE_SUBJECT_KEY_ID    14
#define CE_KEY_USAGE         15
#define CE_SUBJECT_ALT_NAME  17
#define CE_BASIC_CONSTRAINTS 19
#define CE_AUTHORITY_KEY_ID  35

static bool read_version(atls_cur *tbs)
{
    atls_cur c;
    uint64_t version;
    if (!atls_der_peek(tbs, ATLS_DER_CONTEXT_CONS(0))) {
        return atls_cur_fail(tbs, ATLS_E_ENCODING, "version", "3", "1", "only version 3 certificates are understood");
    }
    if (!atls_der_nested(tbs, "version", ATLS_DER_CONTEXT_CONS(0), &c)
        || !atls_der_uint(&c, "version", ATLS_DER_INTEGER, UINT8_MAX, &version) || !atls_cur_end(&c)) {
        return false;
    }
    return version == VERSION_3
           || atls_cur_fail(tbs, ATLS_E_ENCODING, "version", "3", NULL, "only version 3 certificates are understood");
}

/* Who wrote a certificate: authorities, who keep to RFC 5280, or phones, who do not always. */
typedef struct manner {
    bool (*time)(atls_cur *c, const char *field, atls_time *out);
    bool (*serial)(atls_cur *c, const char *field, atls_bytes *out);
    bool is_phone;
} manner;

static bool read_validity(atls_cur *tbs, const manner *m, atls_cert *out)
{
    atls_cur c;
    if (!atls_der_nested(tbs, "validity", ATLS_DER_SEQUENCE, &c)) {
        return false;
    }
    c.prefix = "tbs.validity";
    return m->time(&c, "not_before", &out->not_before) && m->time(&c, "not_after", &out->not_after) && atls_cur_end(&c);
}

/* The whole AlgorithmIdentifiers of the keys we can use: RFC 5480 2.1.1 (named curves), RFC 3279 2.3.1 (RSA). */
typedef struct key_algorithm {
    atls_key_kind kind;
    uint8_t len;
    uint8_t der[21];
} key_algorithm;

#define EC_PUBLIC_KEY 0x06, 0x07, 0x2a, 0x86, 0x48, 0xce, 0x3d, 0x02, 0x01
static const key_algorithm key_algorithms[] = {
    {ATLS_KEY_P256, 21, {0x30, 0x13, EC_PUBLIC_KEY, 0x06, 0x08, 0x2a, 0x86, 0x48, 0xce, 0x3d, 0x03, 0x01, 0x07}},
    {ATLS_KEY_P384, 18, {0x30, 0x10, EC_PUBLIC_KEY, 0x06, 0x05, 0x2b, 0x81, 0x04, 0x00, 0x22}},
    {ATLS_KEY_RSA, 15, {0x30, 0x0d, 0x06, 0x09, 0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01, 0x01, 0x01, 0x05, 0x00}},
};

atls_key_kind atls_read_key_kind(atls_bytes algorithm)
{
    for (size_t i = 0; i < sizeof key_algorithms / sizeof key_algorithms[0]; i++) {
        if (atls_bytes_equal(algorithm, atls_bytes_of(key_algorithms[i].der, key_algorithms[i].len))) {
            return key_algorithms[i].kind;
        }
    }
    return ATLS_KEY_UNKNOWN;
}

static bool read_public_key(atls_cur *tbs, atls_cert *out)
{
    atls_cur again = *tbs;
    atls_cur c;
    atls_algorithm_id algorithm;
    uint8_t unused;
    if (!atls_read_sequence(tbs, "public_key", &out->spki)
        || !atls_der_nested(&again, "public_key", ATLS_DER_SEQUENCE, &c)) {
        return false;
    }
    c.prefix = "tbs.public_key";
    if (!atls_read_algorithm_id(&c, "algorithm", &algorithm) || !atls_der_bits(&c, "key", &unused, &out->key.point)
        || !atls_cur_end(&c)) {
        return false;
    }
    out->key.kind = atls_read_key_kind(algorithm.whole);
    return unused == 0
           || atls_cur_fail(&c, ATLS_E_ENCODING, "key", NULL, NULL, "the key is not a whole number of bytes");
}

/* Extensions that chain.c understands. Each reads the content of extnValue to its end. */

static bool read_basic_constraints(atls_bytes value, atls_cert *out, atls_error *err)
{
    static const char field[] = "tbs.extensions.basic_constraints";
    atls_cur c;
    atls_cur bc;
    uint64_t path_len = 0;
    atls_cur_init(&c, value, field, err);
    if (!atls_der_nested(&c, "", ATLS_DER_SEQUENCE, &bc) || !atls_cur_end(&c)) {
        return false;
    }
    out->has_basic_constraints = true;
    if (atls_der_peek(&bc, ATLS_DER_BOOLEAN)) {
        if (!atls_der_bool(&bc, "ca", &out->is_ca)) {
            return false;
        }
        if (!out->is_ca) { /* X.690 11.5 */
            return atls_fail(err, ATLS_E_ENCODING, field, "a default value that is spelt out");
        }
    }
    out->has_path_len = bc.rest.len > 0;
    if (!out->has_path_len) {
        return true;
    }
    if (!atls_der_uint(&bc, "path_len", ATLS_DER_INTEGER, UINT32_MAX, &path_len) || !atls_cur_end(&bc)) {
        return false;
    }
    out->path_len = (uint32_t)path_len;
    return out->is_ca || atls_fail(err, ATLS_E_ENCODING, field, "a path length without CA");
}

static bool read_key_usage(atls_bytes value, atls_cert *out, atls_error *err)
{
    static const char field[] = "tbs.extensions.key_usage";
    atls_cur c;
    uint8_t unused;
    atls_bytes bits;
    atls_cur_init(&c, value, field, err);
    if (!atls_der_bits(&c, "", &unused, &bits) || !atls_cur_end(&c)) {
        return false;
    }
    /* Nine bits have names, at least one is set. X.690 11.2.2 wants the list to end with its last set bit; AMD's ASKs
     * and some phones do not do that, and it changes nothing. */
    if (bits.len > 2 || atls_bytes_is_zero(bits)) {
        return atls_fail(err, ATLS_E_ENCODING, field, "not a list of key usages");
    }
    out->has_key_usage = true;
    for (size_t i = 0; i < 8 * bits.len; i++) {
        if ((bits.ptr[i / 8] & (0x80u >> i % 8)) != 0) {
            out->key_usage |= 1u << i;
        }
    }
    return true;
}

static bool read_subject_key_id(atls_bytes value, atls_cert *out, atls_error *err)
{
    atls_cur c;
    atls_cur_init(&c, value, "tbs.extensions.subject_key_id", err);
    return atls_der_expect(&c, "", ATLS_DER_OCTET_STRING, &out->subject_key_id) && atls_cur_end(&c);
}

static bool read_authority_key_id(atls_bytes value, atls_cert *out, atls_error *err)
{
    atls_authority_key authority;
    if (!atls_read_authority_key(value, "tbs.extensions.authority_key_id", &authority, err)) {
        return false;
    }
    out->authority_key_id = authority.key_id;
    out->authority_issuer = authority.issuer;
    out->authority_serial = authority.serial;
    return true;
}

#define DIRECTORY_NAME 4 /* the choice of GeneralName, RFC 5280 4.2.1.6 */

/* GeneralNames, all of them directoryName [4] EXPLICIT Name. Only asked of critical ones; another form is no error, it is
 * merely not understood. */
static bool is_of_directory_names(atls_bytes value)
{
    atls_error ignored = {.code = ATLS_OK};
    atls_cur c;
    atls_cur names;
    atls_cur_init(&c, value, "", &ignored);
    bool ok = atls_der_nested(&c, "", ATLS_DER_SEQUENCE, &names) && atls_cur_end(&c) && names.rest.len > 0;
    while (ok && names.rest.len > 0) {
        atls_cur one;
        atls_bytes name;
        ok = atls_der_nested(&names, "", ATLS_DER_CONTEXT_CONS(DIRECTORY_NAME), &one) && atls_read_name(&one, "", &name)
             && atls_cur_end(&one);
    }
    return ok;
}

static bool read_known_extension(const atls_extension *e, atls_cert *out, atls_error *err)
{
    static const struct {
        uint8_t arc;
        bool (*read)(atls_bytes value, atls_cert *out, atls_error *err);
    } known[] = {
        {CE_BASIC_CONSTRAINTS, read_basic_constraints},
        {CE_KEY_USAGE, read_key_usage},
        {CE_SUBJECT_KEY_ID, read_subject_key_id},
        {CE_AUTHORITY_KEY_ID, read_authority_key_id},
    };
    for (size_t i = 0; i < sizeof known / sizeof known[0]; i++) {
        if (atls_oid_is_id_ce(e->oid, known[i].arc)) {
            return known[i].read(e->value, out, err);
        }
    }
    if (e->critical) {
        out->has_unknown_critical = true;
        if (!atls_oid_is_id_ce(e->oid, CE_SUBJECT_ALT_NAME) || !is_of_directory_names(e->value)) {
            out->has_critical_beside_names = true;
        }
    }
    return true;
}

static bool read_extensions(atls_cur *tbs, const manner *m, atls_cert *out)
{
    atls_cur tagged;
    atls_cur list;
    if (tbs->rest.len == 0) {
        return true; /* version 3 without extensions is legal; the chain rules will miss what they need */
    }
    if (!atls_der_peek(tbs, ATLS_DER_CONTEXT_CONS(3))) {
        return atls_cur_fail(tbs, ATLS_E_ENCODING, "unique_id", NULL, NULL,
                             "something other than extensions after the public key");
    }
    if (!atls_der_nested(tbs, "extensions", ATLS_DER_CONTEXT_CONS(3), &tagged)
        || !atls_der_nested(&tagged, "extensions", ATLS_DER_SEQUENCE, &list) || !atls_cur_end(&tagged)
        || !(m->is_phone ? atls_read_extensions_of_phone : atls_read_extensions)(
            &list, "extensions", out->extensions, ATLS_MAX_CERT_EXTENSIONS, &out->n_extensions)) {
        return false;
    }
    for (size_t i = 0; !m->is_phone && i < out->n_extensions; i++) {
        if (!read_known_extension(&out->extensions[i], out, tbs->err)) {
            return false;
        }
    }
    return true;
}

static bool read_tbs(atls_bytes whole, const manner *m, atls_cert *out, atls_bytes *inner_algorithm, atls_error *err)
{
    atls_cur c;
    atls_cur tbs;
    atls_cur_init(&c, whole, "", err);
    if (!atls_der_nested(&c, "tbs", ATLS_DER_SEQUENCE, &tbs)) {
        return false;
    }
    tbs.prefix = "tbs";
    return read_version(&tbs) && m->serial(&tbs, "serial", &out->serial)
           && atls_read_algorithm(&tbs, "signature", &out->sig_alg, inner_algorithm)
           && atls_read_name(&tbs, "issuer", &out->issuer) && read_validity(&tbs, m, out)
           && atls_read_name(&tbs, "subject", &out->subject) && read_public_key(&tbs, out)
           && read_extensions(&tbs, m, out) && atls_cur_end(&tbs);
}

/* ecdsa-with-SHA512 (RFC 5758 3.2) is in no other format's list. */
static atls_sig_alg algorithm_of_phone(atls_sig_alg alg, atls_bytes whole)
{
    static const uint8_t bare[] = {0x30, 0x0a, 0x06, 0x08, 0x2a, 0x86, 0x48, 0xce, 0x3d, 0x04, 0x03, 0x04};
    return atls_bytes_equal(whole, atls_bytes_of(bare, sizeof bare)) ? ATLS_SIG_ECDSA_SHA512 : alg;
}

static bool read_certificate(atls_bytes der, size_t max_len, const manner *m, atls_cert *out, atls_error *err)
{
    atls_signed outer;
    atls_bytes inner_algorithm;
    if (der.len > max_len) {
        return atls_fail(err, ATLS_E_LIMIT, "", "a certificate of more than %zu bytes", max_len);
    }
    if (!atls_read_signed(der, &outer, err) || !read_tbs(outer.tbs, m, out, &inner_algorithm, err)) {
        return false;
    }
    out->algorithms_differ = !atls_bytes_equal(outer.alg_der, inner_algorithm);
    if (!m->is_phone && !atls_signed_agrees(&outer, inner_algorithm, err)) {
        return false;
    }
    if (m->is_phone) {
        out->sig_alg = algorithm_of_phone(out->sig_alg, inner_algorithm);
    }
    out->der = der;
    out->tbs = outer.tbs;
    out->signature = outer.signature;
    return true;
}

static void clear(atls_cert *out)
{
    memset(out, 0, sizeof *out);
    atls_bytes empty = atls_bytes_empty();
    out->authority_key_id = empty;
    out->authority_issuer = empty;
    out->authority_serial = empty;
    out->subject_key_id = empty;
}

static bool decode(atls_bytes der, size_t max_len, const manner *m, const char *prefix, atls_cert *out, atls_error *err)
{
    clear(out);
    if (!read_certificate(der, max_len, m, out, err)) {
        clear(out);
        return atls_error_relabel(err, err->code, prefix);
    }
    return true;
}

bool atls_cert_decode_at_most(atls_bytes der, size_t max_len, const char *prefix, atls_cert *out, atls_error *err)
{
    static const manner authority = {atls_der_time, atls_read_serial, false};
    return decode(der, max_len, &authority, prefix, out, err);
}

bool atls_cert_decode(atls_bytes der, const char *prefix, atls_cert *out, atls_error *err)
{
    return atls_cert_decode_at_most(der, ATLS_MAX_CERT_LEN, prefix, out, err);
}

bool atls_cert_decode_of_phone(atls_bytes der, const char *prefix, atls_cert *out, atls_error *err)
{
    static const manner phone = {atls_der_time_any, atls_read_serial_of_phone, true};
    return decode(der, ATLS_MAX_CERT_LEN, &phone, prefix, out, err);
}

const atls_extension *atls_cert_extension(const atls_cert *c, atls_bytes oid)
{
    for (size_t i = 0; i < c->n_extensions; i++) {
        if (atls_bytes_equal(c->extensions[i].oid, oid)) {
            return &c->extensions[i];
        }
    }
    return NULL;
}
