/* SPDX-License-Identifier: Apache-2.0 */
/* receipt.c: what a receipt says: section 5. A SET whose members come in Apple's order, each with a bare value, neither of
 * which is DER's way; everything else is. */
#include <string.h>

#include "apple.h"
#include "base/der.h"
#include "base/text.h"

enum {
    APP_ID = 2,
    CERTIFICATE = 3,
    CLIENT_HASH = 4,
    TOKEN = 5,
    TYPE = 6,
    ENVIRONMENT = 7,
    CREATION_TIME = 12,
    RISK_METRIC = 17,
    NOT_BEFORE = 19,
    EXPIRATION_TIME = 21,
    N_FIELDS,
};

static const char *name_of(uint64_t type)
{
    static const char *const names[N_FIELDS] = {
        [APP_ID] = "appId",
        [CERTIFICATE] = "attestedCertificate",
        [CLIENT_HASH] = "clientHash",
        [TOKEN] = "token",
        [TYPE] = "type",
        [ENVIRONMENT] = "environment",
        [CREATION_TIME] = "creationTime",
        [RISK_METRIC] = "riskMetric",
        [NOT_BEFORE] = "notBefore",
        [EXPIRATION_TIME] = "expirationTime",
    };
    return type < N_FIELDS && names[type] != NULL ? names[type] : "attribute";
}

typedef struct fields {
    atls_cur c; /* for errors: prefix and place */
    atls_bytes value[N_FIELDS];
    bool is_there[N_FIELDS];
    uint64_t types[APPLE_MAX_ATTRIBUTES]; /* that came, known or not */
    size_t n;
} fields;

static bool wrong(const fields *f, unsigned type, const char *expected, const char *actual, const char *message)
{
    (void)atls_cur_fail(&f->c, ATLS_E_ENCODING, name_of(type), expected, actual, message);
    return false;
}

/* ---- the set ---- */

static bool is_known(uint64_t type)
{
    return strcmp(name_of(type), "attribute") != 0;
}

static bool add_type(fields *f, uint64_t type)
{
    for (size_t i = 0; i < f->n; i++) {
        if (f->types[i] == type) {
            (void)atls_cur_fail(&f->c, ATLS_E_ENCODING, name_of(type), NULL, NULL, "a field stands twice");
            return false;
        }
    }
    if (f->n == APPLE_MAX_ATTRIBUTES) {
        (void)atls_cur_fail(&f->c, ATLS_E_LIMIT, "", "at most 64 fields", "more", NULL);
        return false;
    }
    f->types[f->n++] = type;
    return true;
}

/* SEQUENCE { INTEGER type, INTEGER version, OCTET STRING value } */
static bool read_field(fields *f, atls_cur *set)
{
    atls_cur field;
    uint64_t type;
    uint64_t version;
    atls_bytes value;
    if (!atls_der_nested(set, "attribute", ATLS_DER_SEQUENCE, &field)
        || !atls_der_uint(&field, "attribute", ATLS_DER_INTEGER, UINT32_MAX, &type)
        || !atls_der_uint(&field, name_of(type), ATLS_DER_INTEGER, UINT32_MAX, &version)
        || !atls_der_expect(&field, name_of(type), ATLS_DER_OCTET_STRING, &value) || !atls_cur_end(&field)
        || !add_type(f, type)) {
        return false;
    }
    if (!is_known(type)) {
        return true;
    }
    if (version != 1) {
        return wrong(f, (unsigned)type, "version 1", "another version", "the field is of another version");
    }
    f->value[type] = value;
    f->is_there[type] = true;
    return true;
}

static bool read_fields(fields *f, atls_bytes content)
{
    atls_cur c = f->c;
    atls_cur set;
    c.rest = content;
    c.start = content.ptr;
    if (!atls_der_nested(&c, "", ATLS_DER_SET, &set) || !atls_cur_end(&c)) {
        return false;
    }
    while (set.rest.len > 0) {
        if (!read_field(f, &set)) {
            return false;
        }
    }
    return true;
}

/* ---- values ---- */

static bool is_text(atls_bytes text)
{
    for (size_t i = 0; i < text.len; i++) {
        if (text.ptr[i] < 0x20 || text.ptr[i] == 0x7f) {
            return false;
        }
    }
    return text.len <= APPLE_MAX_TEXT_LEN && atls_utf8_valid(text);
}

/* needed: empty counts as absent. */
static bool get_text(const fields *f, unsigned type, bool needed, atls_bytes *out)
{
    *out = f->is_there[type] ? f->value[type] : atls_bytes_empty();
    if (needed && out->len == 0) {
        return wrong(f, type, "present", "absent", "a field of the receipt is missing");
    }
    return is_text(*out) || wrong(f, type, "text", "something else", "the field is no text of at most 1024 bytes");
}

/* Decimal digits of a fraction, at most three: milliseconds. */
static bool read_fraction(atls_bytes digits, int64_t *ms)
{
    static const int64_t weight[] = {100, 10, 1};
    *ms = 0;
    if (digits.len > sizeof weight / sizeof weight[0]) {
        return false;
    }
    for (size_t i = 0; i < digits.len; i++) {
        if (digits.ptr[i] < '0' || digits.ptr[i] > '9') {
            return false;
        }
        *ms += weight[i] * (digits.ptr[i] - '0');
    }
    return true;
}

/* RFC 3339, UTC, a fraction of none to three digits: "2020-11-21T22:13:02.796Z". */
static bool read_time(atls_bytes text, int64_t *out)
{
    uint8_t whole[20];
    atls_time seconds;
    int64_t ms = 0;
    const size_t n = sizeof whole;
    if (text.len < n || text.len > n + 4 || text.len == n + 1 || text.ptr[text.len - 1] != 'Z') {
        return false;
    }
    if (text.len > n
        && (text.ptr[n - 1] != '.' || !read_fraction(atls_bytes_of(text.ptr + n, text.len - n - 1), &ms))) {
        return false;
    }
    memcpy(whole, text.ptr, n - 1);
    whole[n - 1] = 'Z';
    if (!atls_time_parse(atls_bytes_of(whole, n), &seconds)) {
        return false;
    }
    *out = seconds * 1000 + ms;
    return true;
}

static bool get_time(const fields *f, unsigned type, int64_t *out)
{
    if (!f->is_there[type]) {
        return wrong(f, type, "present", "absent", "a field of the receipt is missing");
    }
    return read_time(f->value[type], out)
           || wrong(f, type, "YYYY-MM-DDTHH:MM:SS.mmmZ", "something else", "the field is no time of this form");
}

static bool get_type(const fields *f, atls_apple_receipt *out)
{
    atls_bytes type;
    if (!get_text(f, TYPE, true, &type)) {
        return false;
    }
    out->is_renewed = atls_bytes_equal_str(type, "RECEIPT");
    return out->is_renewed || atls_bytes_equal_str(type, "ATTEST")
           || wrong(f, TYPE, "ATTEST or RECEIPT", "something else", "the receipt is of another type");
}

/* Apple breaks the hash when it renews a receipt. */
static bool get_client_hash(const fields *f, atls_apple_receipt *out)
{
    if (!f->is_there[CLIENT_HASH]) {
        return wrong(f, CLIENT_HASH, "present", "absent", "a field of the receipt is missing");
    }
    out->client_hash = f->value[CLIENT_HASH];
    return out->is_renewed || out->client_hash.len == 32
           || wrong(f, CLIENT_HASH, "32 bytes", "another length", "the hash of the client data has another length");
}

static bool get_renewal(const fields *f, atls_apple_receipt *out)
{
    out->has_not_before = f->is_there[NOT_BEFORE];
    return (!out->is_renewed && !out->has_not_before) || get_time(f, NOT_BEFORE, &out->not_before_ms);
}

static bool get_values(const fields *f, atls_apple_receipt *out)
{
    if (!get_type(f, out) || !get_text(f, APP_ID, true, &out->app_id)) {
        return false;
    }
    if (!f->is_there[CERTIFICATE]) {
        return wrong(f, CERTIFICATE, "present", "absent", "a field of the receipt is missing");
    }
    out->certificate = f->value[CERTIFICATE];
    return get_client_hash(f, out) && get_text(f, TOKEN, true, &out->token)
           && get_text(f, ENVIRONMENT, false, &out->environment) && get_time(f, CREATION_TIME, &out->creation_ms)
           && get_text(f, RISK_METRIC, out->is_renewed, &out->risk_metric) && get_renewal(f, out)
           && get_time(f, EXPIRATION_TIME, &out->expiration_ms);
}

static void start(atls_apple_receipt *out)
{
    const atls_bytes none = atls_bytes_empty();
    *out = (atls_apple_receipt){
        .app_id = none,
        .certificate = none,
        .client_hash = none,
        .token = none,
        .environment = none,
        .risk_metric = none,
    };
}

bool apple_payload_decode(atls_bytes content, atls_arena *arena, atls_apple_receipt *out, atls_error *err)
{
    start(out);
    fields *f = atls_arena_alloc(arena, sizeof *f, err);
    if (f == NULL) {
        return false;
    }
    atls_cur_init(&f->c, content, "receipt", err);
    return read_fields(f, content) && get_values(f, out);
}

/* ---- both ---- */

static bool read_certificate(atls_arena *arena, apple_receipt *out, atls_error *err)
{
    atls_cert *cert = atls_arena_alloc(arena, sizeof *cert, err);
    if (cert == NULL || !atls_cert_decode(out->payload.certificate, "receipt.attestedCertificate", cert, err)) {
        return false;
    }
    out->key = cert->key;
    out->spki = cert->spki;
    return true;
}

bool apple_receipt_decode(atls_bytes in, atls_arena *arena, apple_receipt *out, atls_error *err)
{
    *out = (apple_receipt){.spki = atls_bytes_empty(), .key = {ATLS_KEY_UNKNOWN, atls_bytes_empty()}};
    start(&out->payload);
    if (apple_cms_decode(in, arena, &out->cms, err) && apple_payload_decode(out->cms.content, arena, &out->payload, err)
        && read_certificate(arena, out, err)) {
        return true;
    }
    if (err->code == ATLS_E_UNSUPPORTED) {
        err->code = ATLS_E_APPLE_RECEIPT; /* it stays marked */
        err->category = atls_code_category(err->code);
    }
    return atls_error_relabel(err, ATLS_E_APPLE_RECEIPT, NULL);
}
