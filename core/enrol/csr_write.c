/* SPDX-License-Identifier: Apache-2.0 */
/* csr_write.c: a certification request as a phone writes it. DER is written from its end to its beginning: what is inside
 * stands there already when its length is asked for. */
#include <string.h>

#include "atls/enrol.h"
#include "base/der.h"
#include "base/text.h"

#define MAX_HEAD_LEN 5u /* tag and length: nothing here reaches 2^24 bytes */

/* ---- writing backwards ---- */

typedef struct back {
    uint8_t *ptr;
    size_t at; /* where what was written begins */
    size_t end;
} back;

static bool back_init(back *b, size_t cap, atls_arena *arena, atls_error *err)
{
    *b = (back){.ptr = atls_arena_raw(arena, cap, err), .at = cap, .end = cap};
    return b->ptr != NULL;
}

static atls_bytes written(const back *b)
{
    return atls_bytes_of(b->ptr + b->at, b->end - b->at);
}

/* Room was counted before; if it was not, nothing is written, and the request does not parse. */
static void put(back *b, atls_bytes in)
{
    if (in.len <= b->at && in.len > 0) {
        b->at -= in.len;
        memcpy(b->ptr + b->at, in.ptr, in.len);
    }
}

/* Puts a head before everything from b->at to end. */
static void wrap(back *b, atls_der_tag tag, size_t end)
{
    const size_t len = end - b->at;
    const unsigned n = len < 0x80 ? 0 : len <= 0xff ? 1 : len <= 0xffff ? 2 : 3;
    uint8_t head[MAX_HEAD_LEN] = {(uint8_t)tag, (uint8_t)(n == 0 ? len : 0x80u | n)};
    for (unsigned i = 0; i < n; i++) {
        head[2 + i] = (uint8_t)(len >> 8 * (n - 1 - i));
    }
    put(b, atls_bytes_of(head, 2 + n));
}

static void element(back *b, atls_der_tag tag, atls_bytes content)
{
    const size_t end = b->at;
    put(b, content);
    wrap(b, tag, end);
}

/* ---- subject ---- */

typedef struct name_type {
    const char *text;
    uint8_t arc; /* below 2.5.4 */
} name_type;

static const name_type name_types[] = {{"CN", 3}, {"C", 6}, {"L", 7}, {"ST", 8}, {"O", 10}, {"OU", 11}};
#define SERIAL_NUMBER 5

static const name_type *find_type(const char *text)
{
    for (size_t i = 0; text != NULL && i < sizeof name_types / sizeof name_types[0]; i++) {
        if (strcmp(name_types[i].text, text) == 0) {
            return &name_types[i];
        }
    }
    return NULL;
}

static bool is_country(const name_type *type)
{
    return type->text[0] == 'C' && type->text[1] == '\0';
}

/* RFC 5280 appendix A: a country is two letters in a PrintableString. */
static bool is_value(const name_type *type, atls_bytes value)
{
    if (!is_country(type)) {
        return value.len > 0 && value.len <= ATLS_ENROL_MAX_SUBJECT_LEN && atls_utf8_valid(value);
    }
    return value.len == 2 && value.ptr[0] >= 'A' && value.ptr[0] <= 'Z' && value.ptr[1] >= 'A' && value.ptr[1] <= 'Z';
}

static void put_rdn(back *b, uint8_t arc, atls_der_tag string, atls_bytes value)
{
    const uint8_t oid[] = {0x55, 0x04, arc};
    const size_t end = b->at;
    element(b, string, value);
    element(b, ATLS_DER_OID, atls_bytes_of(oid, sizeof oid));
    wrap(b, ATLS_DER_SEQUENCE, end);
    wrap(b, ATLS_DER_SET, end);
}

/* Upper case, as other phones write it. */
static void put_nonce(back *b, atls_bytes nonce)
{
    static const char digits[] = "0123456789ABCDEF";
    uint8_t text[2 * ATLS_ENROL_MAX_NONCE_LEN];
    for (size_t i = 0; i < nonce.len; i++) {
        text[2 * i] = (uint8_t)digits[nonce.ptr[i] >> 4];
        text[2 * i + 1] = (uint8_t)digits[nonce.ptr[i] & 0x0f];
    }
    put_rdn(b, SERIAL_NUMBER, ATLS_DER_PRINTABLE_STRING, atls_bytes_of(text, 2 * nonce.len));
}

static void put_subject(back *b, const atls_enrol_csr_template *in)
{
    const size_t end = b->at;
    put_nonce(b, in->nonce);
    for (size_t i = in->n_names; i > 0; i--) {
        const name_type *type = find_type(in->names[i - 1].type);
        put_rdn(b, type->arc, is_country(type) ? ATLS_DER_PRINTABLE_STRING : ATLS_DER_UTF8_STRING,
                in->names[i - 1].value);
    }
    wrap(b, ATLS_DER_SEQUENCE, end);
}

/* ---- the request ---- */

static bool check_names(const atls_enrol_csr_template *in, atls_error *err)
{
    static const char field[] = "csr.subject";
    if (in->n_names >= ATLS_ENROL_MAX_RDN_VALUES) {
        return atls_fail(err, ATLS_E_USAGE, field, "%zu names; at most %u and the nonce", in->n_names,
                         ATLS_ENROL_MAX_RDN_VALUES - 1);
    }
    for (size_t i = 0; i < in->n_names; i++) {
        const name_type *type = find_type(in->names[i].type);
        if (type == NULL || !is_value(type, in->names[i].value)) {
            return atls_fail(err, ATLS_E_USAGE, field, "name %zu is of a type, or has a value, that cannot be written",
                             i);
        }
    }
    return true;
}

static bool check(const atls_enrol_csr_template *in, atls_error *err)
{
    if (in->sign == NULL) {
        return atls_fail(err, ATLS_E_USAGE, "csr.signature", "nobody signs");
    }
    if (in->nonce.len == 0 || in->nonce.len > ATLS_ENROL_MAX_NONCE_LEN) {
        return atls_fail(err, ATLS_E_USAGE, "csr.subject", "a nonce of %zu bytes; 1 to %u", in->nonce.len,
                         ATLS_ENROL_MAX_NONCE_LEN);
    }
    if (in->statement.len == 0 || in->statement.len > ATLS_ENROL_MAX_STATEMENT_LEN || !atls_utf8_valid(in->statement)) {
        return atls_fail(err, ATLS_E_USAGE, "csr.attributes", "a statement is 1 to %u bytes of UTF-8",
                         ATLS_ENROL_MAX_STATEMENT_LEN);
    }
    if (in->spki.len > ATLS_ENROL_MAX_CSR_LEN || in->proof_oid.len > ATLS_ENROL_MAX_CSR_LEN) {
        return atls_fail(err, ATLS_E_USAGE, "csr", "more than %u bytes", ATLS_ENROL_MAX_CSR_LEN);
    }
    return check_names(in, err);
}

/* No less than what will be written: every element has a head, and there are five to a name, and a dozen more. */
static size_t room_for(const atls_enrol_csr_template *in)
{
    size_t room = in->spki.len + in->proof_oid.len + in->statement.len + 2 * in->nonce.len;
    for (size_t i = 0; i < in->n_names; i++) {
        room += in->names[i].value.len;
    }
    return room + (in->n_names + 4) * 5 * MAX_HEAD_LEN;
}

static bool write_info(const atls_enrol_csr_template *in, atls_arena *arena, atls_bytes *out, atls_error *err)
{
    static const uint8_t version = 0;
    back b;
    if (!back_init(&b, room_for(in), arena, err)) {
        return false;
    }
    element(&b, ATLS_DER_UTF8_STRING, in->statement);
    wrap(&b, ATLS_DER_SET, b.end);
    element(&b, ATLS_DER_OID, in->proof_oid);
    wrap(&b, ATLS_DER_SEQUENCE, b.end);
    wrap(&b, ATLS_DER_CONTEXT_CONS(0), b.end);
    put(&b, in->spki);
    put_subject(&b, in);
    element(&b, ATLS_DER_INTEGER, atls_bytes_of(&version, 1));
    wrap(&b, ATLS_DER_SEQUENCE, b.end);
    *out = written(&b);
    return true;
}

static bool write_request(atls_bytes tbs, atls_bytes algorithm, atls_bytes signature, atls_arena *arena,
                          atls_bytes *out, atls_error *err)
{
    static const uint8_t no_unused_bits = 0;
    back b;
    if (algorithm.len > ATLS_ENROL_MAX_CSR_LEN || signature.len > ATLS_ENROL_MAX_CSR_LEN) {
        return atls_fail(err, ATLS_E_USAGE, "csr.signature", "more than %u bytes", ATLS_ENROL_MAX_CSR_LEN);
    }
    if (!back_init(&b, tbs.len + algorithm.len + signature.len + 2 * MAX_HEAD_LEN + 1, arena, err)) {
        return false;
    }
    put(&b, signature);
    put(&b, atls_bytes_of(&no_unused_bits, 1));
    wrap(&b, ATLS_DER_BIT_STRING, b.end);
    put(&b, algorithm);
    put(&b, tbs);
    wrap(&b, ATLS_DER_SEQUENCE, b.end);
    *out = written(&b);
    return true;
}

/* What a server would not read is not sent: a key, an OID or an algorithm that is no DER, more than there may be. And what
 * it would read differently: bytes that hold more than they are taken for. */
static bool can_be_read(const atls_enrol_csr_template *in, atls_bytes algorithm, atls_bytes request, atls_error *err)
{
    atls_error why = {.code = ATLS_OK};
    atls_enrol_csr csr;
    if (!atls_enrol_csr_read(request, &csr, &why)) {
        return atls_fail(err, ATLS_E_USAGE, why.field, "the request could not be read: %s", why.message);
    }
    if (!atls_bytes_equal(csr.spki, in->spki)) {
        return atls_fail(err, ATLS_E_USAGE, "csr.subjectPKInfo", "more, or less, than one SubjectPublicKeyInfo");
    }
    return atls_bytes_equal(csr.signature_algorithm, algorithm)
           || atls_fail(err, ATLS_E_USAGE, "csr.signatureAlgorithm", "more, or less, than one AlgorithmIdentifier");
}

bool atls_enrol_csr_write(const atls_enrol_csr_template *in, atls_arena *arena, atls_bytes *out, atls_error *err)
{
    atls_bytes tbs;
    atls_bytes algorithm = atls_bytes_empty();
    atls_bytes signature = atls_bytes_empty();
    *out = atls_bytes_empty();
    if (!check(in, err) || !write_info(in, arena, &tbs, err)) {
        return false;
    }
    if (!in->sign(in->ctx, tbs, arena, &algorithm, &signature, err)) {
        return atls_error_relabel(err, err->code, NULL);
    }
    if (!write_request(tbs, algorithm, signature, arena, out, err) || !can_be_read(in, algorithm, *out, err)) {
        *out = atls_bytes_empty();
        return false;
    }
    return true;
}
