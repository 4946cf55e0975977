/* SPDX-License-Identifier: Apache-2.0 */
/* ca_wishes.c: what a request asks for, as far as the profile lists it. The phone chooses these bytes: each is read strictly, and what
 * is odd is as if it were not there. */
#include <string.h>

#include "ca_internal.h"

static const uint8_t oid_serial_number[] = {0x55, 0x04, 0x05};
static const uint8_t oid_extension_request[] = {0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01, 0x09, 0x0e};
static const uint8_t oid_san[] = {0x55, 0x1d, 0x11};

static bool is(atls_bytes oid, const uint8_t *other, size_t n)
{
    return atls_bytes_equal(oid, atls_bytes_of(other, n));
}

static bool begins(atls_bytes oid, const char *arc, size_t n)
{
    return oid.len >= n && memcmp(oid.ptr, arc, n) == 0;
}

/* Whole arcs: all that decides what a certificate is good for, and all that claims to come out of a phone's hardware. */
bool ca_oid_is_reserved(atls_bytes oid)
{
    return begins(oid, "\x55\x1d", 2)                                /* 2.5.29: RFC 5280's */
           || begins(oid, "\x2b\x06\x01\x05\x05\x07\x01", 7)         /* 1.3.6.1.5.5.7.1: PKIX's */
           || begins(oid, "\x60\x86\x48\x01\x86\xf8\x42", 7)         /* 2.16.840.1.113730: Netscape's */
           || begins(oid, "\x2b\x06\x01\x04\x01\xd6\x79\x02\x01", 9) /* 1.3.6.1.4.1.11129.2.1: Android's */
           || begins(oid, "\x2a\x86\x48\x86\xf7\x63\x64\x08", 8)     /* 1.2.840.113635.100.8: Apple's */
           || begins(oid, "\x67\x81\x05\x05\x04", 5)                 /* 2.23.133.5.4: DICE */
           || atls_bytes_equal(oid, atls_enrolled_oid());
}

/* ---- subject ---- */

typedef struct attribute {
    atls_bytes oid;
    atls_der_tag tag;
    atls_bytes value;
} attribute;

static bool read_attribute(atls_cur *rdn, attribute *out)
{
    atls_cur pair;
    return atls_der_nested(rdn, "attribute", ATLS_DER_SEQUENCE, &pair) && atls_der_oid(&pair, "type", &out->oid)
           && atls_der_any(&pair, "value", &out->tag, &out->value, NULL) && atls_cur_end(&pair);
}

/* Finds the attribute of a type; false when there is none, more than one, or the Name is none. */
static bool find_only(atls_bytes name, atls_bytes oid, attribute *out)
{
    atls_error unused = {.code = ATLS_OK};
    atls_cur c;
    atls_cur rdns;
    size_t found = 0;
    atls_cur_init(&c, name, "subject", &unused);
    if (!atls_der_nested(&c, "name", ATLS_DER_SEQUENCE, &rdns)) {
        return false;
    }
    while (rdns.rest.len > 0) {
        atls_cur rdn;
        attribute each;
        if (!atls_der_nested(&rdns, "rdn", ATLS_DER_SET, &rdn)) {
            return false;
        }
        while (rdn.rest.len > 0) {
            if (!read_attribute(&rdn, &each)) {
                return false;
            }
            if (atls_bytes_equal(each.oid, oid)) {
                *out = each;
                found++;
            }
        }
    }
    return found == 1;
}

static uint8_t lower(uint8_t c)
{
    return c >= 'A' && c <= 'Z' ? (uint8_t)(c + 'a' - 'A') : c;
}

static bool contains(atls_bytes text, atls_bytes part)
{
    for (size_t i = 0; part.len > 0 && text.len >= part.len && i <= text.len - part.len; i++) {
        size_t n = 0;
        while (n < part.len && lower(text.ptr[i + n]) == lower(part.ptr[n])) {
            n++;
        }
        if (n == part.len) {
            return true;
        }
    }
    return false;
}

static bool is_string(atls_der_tag tag)
{
    return tag == ATLS_DER_UTF8_STRING || tag == ATLS_DER_PRINTABLE_STRING || tag == ATLS_DER_IA5_STRING;
}

/* The profile's own attribute of a type is the only one. */
static bool is_set(const ca_profile *p, const ca_name_type *type)
{
    for (size_t i = 0; i < p->n_subject; i++) {
        if (p->subject[i].type == type) {
            return true;
        }
    }
    return false;
}

static void read_names(const ca_profile *p, const atls_enrol_csr *csr, atls_bytes nonce, ca_wishes *out)
{
    for (size_t i = 0; i < p->n_subject_from_csr; i++) {
        const ca_name_type *type = p->subject_from_csr[i];
        attribute a;
        out->names[i] = atls_bytes_empty();
        if (!is_set(p, type) && find_only(csr->subject, atls_bytes_of(type->oid, type->n_oid), &a) && is_string(a.tag)
            && ca_text_fits(a.value, type->tag, type->max) && !contains(a.value, nonce)) {
            out->names[i] = a.value;
        }
    }
}

/* ---- requested extensions ---- */

/* The only attribute extensionRequest, which holds one SEQUENCE. False when there is none of the kind. */
static bool find_requested(const atls_enrol_csr *csr, atls_cur *extensions, atls_error *unused)
{
    const atls_enrol_attribute *found = NULL;
    atls_cur c;
    for (size_t i = 0; i < csr->n_attributes; i++) {
        if (!is(csr->attributes[i].oid, oid_extension_request, sizeof oid_extension_request)) {
            continue;
        }
        if (found != NULL) {
            return false;
        }
        found = &csr->attributes[i];
    }
    if (found == NULL) {
        return false;
    }
    atls_cur_init(&c, found->values, "extensionRequest", unused);
    return atls_der_nested(&c, "extensions", ATLS_DER_SEQUENCE, extensions) && atls_cur_end(&c);
}

static bool read_extension(atls_cur *c, atls_bytes *oid, atls_bytes *value)
{
    atls_cur e;
    bool critical;
    return atls_der_nested(c, "extension", ATLS_DER_SEQUENCE, &e) && atls_der_oid(&e, "oid", oid)
           && (!atls_der_peek(&e, ATLS_DER_BOOLEAN) || atls_der_bool(&e, "critical", &critical))
           && atls_der_expect(&e, "value", ATLS_DER_OCTET_STRING, value) && atls_cur_end(&e);
}

/* The only one of its OID. */
static bool find_extension(atls_cur extensions, atls_bytes oid, atls_bytes *out)
{
    size_t found = 0;
    while (extensions.rest.len > 0) {
        atls_bytes each;
        atls_bytes value;
        if (!read_extension(&extensions, &each, &value)) {
            return false;
        }
        if (atls_bytes_equal(each, oid)) {
            *out = value;
            found++;
        }
    }
    return found == 1;
}

/* One element of DER and nothing more; what is in it is between the phone and who reads it. */
static bool is_one_element(atls_bytes value)
{
    atls_error unused = {.code = ATLS_OK};
    atls_cur c;
    atls_cur_init(&c, value, "value", &unused);
    return value.len > 0 && value.len <= CA_MAX_WISH_LEN && atls_der_any(&c, "element", NULL, NULL, NULL)
           && atls_cur_end(&c);
}

/* ---- subjectAltName ---- */

bool ca_is_host(atls_bytes name)
{
    uint8_t before = '.';
    for (size_t i = 0; i < name.len; i++) {
        const uint8_t c = name.ptr[i];
        const bool is_alnum = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9');
        if (!is_alnum && (before == '.' || (c != '-' && c != '.'))) {
            return false;
        }
        before = c;
    }
    return name.len > 0 && name.len <= 253 && before != '.' && before != '-';
}

/* ".devices.example" lets "a.devices.example" pass, and "devices.example" not; other entries are the whole name. */
static bool is_allowed(const ca_entry *e, ca_san_kind kind, atls_bytes value)
{
    const atls_bytes allowed = atls_bytes_str(e->text);
    if (e->san != kind) {
        return false;
    }
    if (kind != CA_SAN_DNS || allowed.ptr[0] != '.') {
        return atls_bytes_equal(value, allowed);
    }
    return ca_is_host(value) && value.len > allowed.len
           && atls_bytes_equal(atls_bytes_of(value.ptr + value.len - allowed.len, allowed.len), allowed);
}

static bool is_listed(const ca_profile *p, ca_san_kind kind, atls_bytes value)
{
    for (size_t i = 0; i < p->n_san_from_csr; i++) {
        if (is_allowed(&p->san_from_csr[i], kind, value)) {
            return true;
        }
    }
    return false;
}

static void read_san(const ca_profile *p, atls_bytes value, atls_bytes nonce, ca_wishes *out)
{
    atls_error unused = {.code = ATLS_OK};
    atls_cur c;
    atls_cur names;
    atls_cur_init(&c, value, "san", &unused);
    if (!atls_der_nested(&c, "names", ATLS_DER_SEQUENCE, &names) || !atls_cur_end(&c)) {
        return;
    }
    while (names.rest.len > 0 && out->n_san < CA_MAX_ENTRIES) {
        atls_der_tag tag;
        atls_bytes name;
        if (!atls_der_any(&names, "name", &tag, &name, NULL)) {
            out->n_san = 0; /* not DER to its end: none of it */
            return;
        }
        const ca_san_kind kind = tag == ATLS_DER_CONTEXT(1)   ? CA_SAN_EMAIL
                                 : tag == ATLS_DER_CONTEXT(2) ? CA_SAN_DNS
                                 : tag == ATLS_DER_CONTEXT(6) ? CA_SAN_URI
                                                              : 0;
        if (kind != 0 && ca_text_fits(name, ATLS_DER_IA5_STRING, CA_MAX_TEXT_LEN) && is_listed(p, kind, name)
            && !contains(name, nonce)) {
            out->san[out->n_san].san = kind;
            out->san_value[out->n_san++] = name;
        }
    }
}

void ca_wishes_read(const ca_profile *p, const atls_enrol_csr *csr, ca_wishes *out)
{
    atls_error unused = {.code = ATLS_OK};
    atls_cur requested;
    attribute serial = {.value = atls_bytes_empty()};
    atls_bytes value;
    *out = (ca_wishes){.n_san = 0};
    if (csr == NULL) {
        return;
    }
    (void)find_only(csr->subject, atls_bytes_of(oid_serial_number, sizeof oid_serial_number), &serial);
    read_names(p, csr, serial.value, out);
    if (!find_requested(csr, &requested, &unused)) {
        return;
    }
    if (find_extension(requested, atls_bytes_of(oid_san, sizeof oid_san), &value)) {
        read_san(p, value, serial.value, out);
    }
    for (size_t i = 0; i < p->n_extensions_from_csr; i++) {
        if (find_extension(requested, p->extensions_from_csr[i], &value) && is_one_element(value)
            && !contains(value, serial.value)) {
            out->extensions[i] = value;
        }
    }
}
