/* SPDX-License-Identifier: Apache-2.0 */
/* csr_read.c: PKCS #10 (RFC 2986 section 4) as phones write it, and what enrolment looks for in it.
 *
 *   CertificationRequest     ::= SEQUENCE { info, signatureAlgorithm AlgorithmIdentifier, signature BIT STRING }
 *   CertificationRequestInfo ::= SEQUENCE { version INTEGER 0, subject Name, subjectPKInfo, attributes [0] SET OF Attribute }
 *   Attribute                ::= SEQUENCE { type OBJECT IDENTIFIER, values SET OF ANY }
 *
 * The order of the elements of a SET is not looked at: nothing is compared or encoded again. */
#include "atls/enrol.h"
#include "base/der.h"
#include "base/text.h"
#include "pki/request.h"

/* ---- step 1 ---- */

/* One element with this tag, whole. */
static bool take(atls_cur *c, const char *field, atls_der_tag tag, atls_bytes *content, atls_bytes *whole)
{
    atls_cur again = *c;
    return atls_der_expect(c, field, tag, content) && atls_der_any(&again, field, NULL, NULL, whole);
}

/* SET SIZE (1..MAX) OF SEQUENCE { type, value }; n counts on. */
static bool read_rdn(atls_cur *set, size_t *n)
{
    do {
        atls_cur pair;
        atls_bytes oid;
        if (++*n > ATLS_ENROL_MAX_RDN_VALUES) {
            return atls_cur_fail(set, ATLS_E_LIMIT, "subject", NULL, NULL, "more attributes than a subject may have");
        }
        if (!atls_der_nested(set, "subject", ATLS_DER_SEQUENCE, &pair) || !atls_der_oid(&pair, "subject", &oid)
            || !atls_der_any(&pair, "subject", NULL, NULL, NULL)) {
            return false;
        }
        pair.prefix = "csr.subject";
        if (!atls_cur_end(&pair)) {
            return false;
        }
    } while (set->rest.len > 0);
    return true;
}

static bool read_subject(atls_cur *info, atls_enrol_csr *out)
{
    atls_bytes content;
    atls_cur rdns;
    size_t n = 0;
    if (!take(info, "subject", ATLS_DER_SEQUENCE, &content, &out->subject)) {
        return false;
    }
    if (out->subject.len > ATLS_ENROL_MAX_SUBJECT_LEN) {
        return atls_cur_fail(info, ATLS_E_LIMIT, "subject", NULL, NULL, "more than 4 KiB of subject");
    }
    atls_cur_init(&rdns, content, info->prefix, info->err);
    while (rdns.rest.len > 0) {
        atls_cur set;
        if (!atls_der_nested(&rdns, "subject", ATLS_DER_SET, &set) || !read_rdn(&set, &n)) {
            return false;
        }
    }
    return true;
}

/* SEQUENCE { OBJECT IDENTIFIER, parameters ANY OPTIONAL } */
static bool read_algorithm(atls_cur *c, const char *field, atls_bytes *whole)
{
    atls_cur id;
    atls_bytes content;
    atls_bytes oid;
    if (!take(c, field, ATLS_DER_SEQUENCE, &content, whole)) {
        return false;
    }
    atls_cur_init(&id, content, c->prefix, c->err);
    return atls_der_oid(&id, field, &oid) && (id.rest.len == 0 || atls_der_any(&id, field, NULL, NULL, NULL))
           && (id.rest.len == 0
               || atls_cur_fail(c, ATLS_E_TRAILING, field, NULL, NULL, "more than an algorithm and its parameters"));
}

static bool read_octets(atls_cur *c, const char *field, atls_bytes *out)
{
    uint8_t unused;
    return atls_der_bits(c, field, &unused, out)
           && (unused == 0 || atls_cur_fail(c, ATLS_E_ENCODING, field, NULL, NULL, "not a whole number of bytes"));
}

static bool read_key(atls_cur *info, atls_enrol_csr *out)
{
    atls_cur key;
    atls_bytes content;
    atls_bytes ignored;
    if (!take(info, "subjectPKInfo", ATLS_DER_SEQUENCE, &content, &out->spki)) {
        return false;
    }
    atls_cur_init(&key, content, "csr.subjectPKInfo", info->err);
    return read_algorithm(&key, "algorithm", &ignored) && read_octets(&key, "subjectPublicKey", &ignored)
           && atls_cur_end(&key);
}

/* The values are elements, and no more is known of them. A SET of none is let through: whether it matters depends on
 * whose attribute it is. */
static bool read_attribute(atls_cur *list, atls_enrol_attribute *out)
{
    atls_cur pair;
    atls_cur values;
    if (!atls_der_nested(list, "attributes", ATLS_DER_SEQUENCE, &pair) || !atls_der_oid(&pair, "attributes", &out->oid)
        || !atls_der_expect(&pair, "attributes", ATLS_DER_SET, &out->values)) {
        return false;
    }
    atls_cur_init(&values, out->values, list->prefix, list->err);
    while (values.rest.len > 0) {
        if (!atls_der_any(&values, "attributes", NULL, NULL, NULL)) {
            return false;
        }
    }
    pair.prefix = "csr.attributes";
    return atls_cur_end(&pair);
}

static bool read_attributes(atls_cur *info, atls_enrol_csr *out)
{
    atls_cur list;
    if (!atls_der_nested(info, "attributes", ATLS_DER_CONTEXT_CONS(0), &list)) {
        return false;
    }
    while (list.rest.len > 0) {
        if (out->n_attributes == ATLS_ENROL_MAX_ATTRIBUTES) {
            return atls_cur_fail(info, ATLS_E_LIMIT, "attributes", NULL, NULL, "more than 16 attributes");
        }
        if (!read_attribute(&list, &out->attributes[out->n_attributes])) {
            return false;
        }
        out->n_attributes++;
    }
    return true;
}

static bool read_info(atls_cur *request, atls_enrol_csr *out)
{
    atls_bytes content;
    atls_cur info;
    uint64_t version;
    if (!take(request, "certificationRequestInfo", ATLS_DER_SEQUENCE, &content, &out->tbs)) {
        return false;
    }
    atls_cur_init(&info, content, "csr", request->err);
    return atls_der_uint(&info, "version", ATLS_DER_INTEGER, 0, &version) && read_subject(&info, out)
           && read_key(&info, out) && read_attributes(&info, out) && atls_cur_end(&info);
}

static bool read_request(atls_bytes der, atls_enrol_csr *out, atls_error *err)
{
    atls_cur c;
    atls_cur request;
    if (der.len > ATLS_ENROL_MAX_CSR_LEN) {
        return atls_fail(err, ATLS_E_LIMIT, "csr", "%zu bytes; at most %u", der.len, ATLS_ENROL_MAX_CSR_LEN);
    }
    atls_cur_init(&c, der, "csr", err);
    out->der = c.rest;
    return atls_der_nested(&c, "", ATLS_DER_SEQUENCE, &request) && atls_cur_end(&c) && read_info(&request, out)
           && read_algorithm(&request, "signatureAlgorithm", &out->signature_algorithm)
           && read_octets(&request, "signature", &out->signature) && atls_cur_end(&request);
}

static void clear(atls_enrol_csr *out)
{
    const atls_bytes empty = atls_bytes_empty();
    *out = (atls_enrol_csr){
        .der = empty, .tbs = empty, .subject = empty, .spki = empty, .signature_algorithm = empty, .signature = empty};
    for (size_t i = 0; i < ATLS_ENROL_MAX_ATTRIBUTES; i++) {
        out->attributes[i] = (atls_enrol_attribute){empty, empty};
    }
}

bool atls_enrol_csr_read(atls_bytes der, atls_enrol_csr *out, atls_error *err)
{
    clear(out);
    if (read_request(der, out, err)) {
        return true;
    }
    clear(out);
    return atls_error_relabel(err, ATLS_E_ENROL_CSR, NULL);
}

/* ---- step 2 ---- */

/* The serialNumber attributes of a name: how many there are, and of the last one what stands beside it in its RDN. */
typedef struct serials {
    size_t n;
    size_t n_in_rdn; /* attributes of any type */
    atls_der_tag type;
    atls_bytes value;
} serials;

static bool look_at_rdn(atls_cur *set, serials *found)
{
    static const uint8_t serial_number[] = {0x55, 0x04, 0x05}; /* 2.5.4.5 */
    bool is_here = false;
    size_t n = 0;
    for (; set->rest.len > 0; n++) {
        atls_cur pair;
        atls_bytes oid;
        atls_der_tag type;
        atls_bytes value;
        if (!atls_der_nested(set, "subject", ATLS_DER_SEQUENCE, &pair) || !atls_der_oid(&pair, "subject", &oid)
            || !atls_der_any(&pair, "subject", &type, &value, NULL)) {
            return false;
        }
        if (atls_bytes_equal(oid, atls_bytes_of(serial_number, sizeof serial_number))) {
            is_here = true;
            found->n++;
            found->type = type;
            found->value = value;
        }
    }
    if (is_here) {
        found->n_in_rdn = n;
    }
    return true;
}

static bool look_at_subject(atls_bytes subject, serials *found, atls_error *err)
{
    atls_cur c;
    atls_cur rdns;
    *found = (serials){.value = atls_bytes_empty()};
    atls_cur_init(&c, subject, "csr", err);
    if (!atls_der_nested(&c, "subject", ATLS_DER_SEQUENCE, &rdns)) {
        return false;
    }
    while (rdns.rest.len > 0) {
        atls_cur set;
        if (!atls_der_nested(&rdns, "subject", ATLS_DER_SET, &set) || !look_at_rdn(&set, found)) {
            return false;
        }
    }
    return true;
}

static bool no_nonce(atls_error *err, const char *why)
{
    return atls_fail(err, ATLS_E_ENROL_CHALLENGE_MISSING, "csr.subject", "%s", why);
}

bool atls_enrol_csr_nonce(const atls_enrol_csr *csr, atls_arena *arena, atls_bytes *nonce, atls_error *err)
{
    serials found;
    *nonce = atls_bytes_empty();
    if (!look_at_subject(csr->subject, &found, err)) {
        return atls_error_relabel(err, ATLS_E_ENROL_CHALLENGE_MISSING, NULL);
    }
    if (found.n != 1) {
        return no_nonce(err, found.n == 0 ? "no serialNumber" : "more than one serialNumber");
    }
    if (found.n_in_rdn != 1) {
        return no_nonce(err, "the serialNumber shares its RDN with another attribute");
    }
    if (found.type != ATLS_DER_PRINTABLE_STRING && found.type != ATLS_DER_UTF8_STRING) {
        return no_nonce(err, "the serialNumber is neither a PrintableString nor a UTF8String");
    }
    if (found.value.len == 0 || found.value.len > 2 * ATLS_ENROL_MAX_NONCE_LEN) {
        return no_nonce(err, "the serialNumber has not 2 to 256 digits");
    }
    if (!atls_hex_decode(found.value, "csr.subject", arena, nonce, err)) {
        *nonce = atls_bytes_empty();
        return atls_error_relabel(err, ATLS_E_ENROL_CHALLENGE_MISSING, NULL);
    }
    return true;
}

/* ---- step 4 ---- */

static bool no_statement(atls_error *err, const char *why)
{
    return atls_fail(err, ATLS_E_ENROL_STATEMENT, "csr.attributes", "%s", why);
}

static bool only_text(const atls_enrol_attribute *attribute, atls_bytes *text, atls_error *err)
{
    atls_error ignored = {.code = ATLS_OK};
    atls_cur values;
    atls_der_tag type;
    atls_cur_init(&values, attribute->values, "csr.attributes", &ignored);
    if (!atls_der_any(&values, "", &type, text, NULL) || type != ATLS_DER_UTF8_STRING) {
        return no_statement(err, "the statement is no UTF8String");
    }
    if (!atls_cur_end(&values)) {
        return no_statement(err, "the attribute of the statement has more than one value");
    }
    if (text->len == 0) {
        return no_statement(err, "the statement is empty");
    }
    if (text->len > ATLS_ENROL_MAX_STATEMENT_LEN) {
        return no_statement(err, "the statement has more than 192 KiB");
    }
    return atls_utf8_valid(*text) || no_statement(err, "the statement is no UTF-8");
}

bool atls_enrol_csr_statement(const atls_enrol_csr *csr, atls_bytes proof_oid, atls_bytes *text, atls_error *err)
{
    const atls_enrol_attribute *found = NULL;
    *text = atls_bytes_empty();
    for (size_t i = 0; i < csr->n_attributes; i++) {
        if (!atls_bytes_equal(csr->attributes[i].oid, proof_oid)) {
            continue;
        }
        if (found != NULL) {
            return no_statement(err, "more than one attribute for the statement");
        }
        found = &csr->attributes[i];
    }
    if (found == NULL) {
        return no_statement(err, "no attribute for the statement");
    }
    if (!only_text(found, text, err)) {
        *text = atls_bytes_empty();
        return false;
    }
    return true;
}

/* ---- step 7 ---- */

bool atls_enrol_csr_verify(const atls_enrol_csr *csr, atls_error *err)
{
    const atls_request_parts parts = {csr->tbs, csr->spki, csr->signature_algorithm, csr->signature};
    return atls_request_verify(&parts, ATLS_E_ENROL_CSR_SIGNATURE, "csr", err);
}
