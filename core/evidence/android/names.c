/* SPDX-License-Identifier: Apache-2.0 */
/* names.c: what the subjects of certificates say, and when two names are the same: sections 7 and 8 of the specification.
 * Values are compared, never rendered names; their string types vary. */
#include <string.h>

#include "android.h"
#include "base/der.h"

#define OID_CN     0x03
#define OID_SERIAL 0x05
#define OID_O      0x0a

/* One attribute, and whether it begins a new RDN. */
typedef struct attribute {
    atls_bytes oid;
    atls_der_tag tag;
    atls_bytes value;
    bool begins_rdn;
} attribute;

/* Names in decoded certificates have this structure already; what does not ends the walk. */
typedef struct walk {
    atls_error ignored;
    atls_cur rdns;
    atls_cur set;
} walk;

static bool walk_start(walk *w, atls_bytes name)
{
    atls_cur c;
    w->ignored = (atls_error){0};
    atls_cur_init(&c, name, "", &w->ignored);
    atls_cur_init(&w->set, atls_bytes_empty(), "", &w->ignored);
    return atls_der_nested(&c, "", ATLS_DER_SEQUENCE, &w->rdns);
}

static bool walk_next(walk *w, attribute *out)
{
    atls_cur pair;
    out->begins_rdn = w->set.rest.len == 0;
    if (out->begins_rdn && (w->rdns.rest.len == 0 || !atls_der_nested(&w->rdns, "", ATLS_DER_SET, &w->set))) {
        return false;
    }
    return atls_der_nested(&w->set, "", ATLS_DER_SEQUENCE, &pair) && atls_der_oid(&pair, "", &out->oid)
           && atls_der_any(&pair, "", &out->tag, &out->value, NULL);
}

/* ---- values ---- */

/* The characters of a value: BMPString has two bytes for each. */
static size_t n_characters(const attribute *a)
{
    return a->tag == ATLS_DER_BMP_STRING ? a->value.len / 2 : a->value.len;
}

static uint32_t character(const attribute *a, size_t i)
{
    const uint8_t *p = a->value.ptr;
    return a->tag == ATLS_DER_BMP_STRING ? (uint32_t)p[2 * i] << 8 | p[2 * i + 1] : p[i];
}

static uint32_t folded(uint32_t c)
{
    return c >= 'A' && c <= 'Z' ? c + ('a' - 'A') : c;
}

static bool is_text(atls_der_tag tag)
{
    return tag == ATLS_DER_UTF8_STRING || tag == ATLS_DER_PRINTABLE_STRING || tag == ATLS_DER_T61_STRING
           || tag == ATLS_DER_IA5_STRING || tag == ATLS_DER_BMP_STRING;
}

static bool text_is(const attribute *a, const char *text)
{
    const size_t n = strlen(text);
    bool same = is_text(a->tag) && n_characters(a) == n;
    for (size_t i = 0; same && i < n; i++) {
        same = character(a, i) == (uint8_t)text[i];
    }
    return same;
}

static bool text_contains(const attribute *a, const char *lower)
{
    const size_t n = strlen(lower);
    const size_t len = is_text(a->tag) ? n_characters(a) : 0;
    for (size_t at = 0; at + n <= len; at++) {
        size_t i = 0;
        while (i < n && folded(character(a, at + i)) == (uint8_t)lower[i]) {
            i++;
        }
        if (i == n) {
            return true;
        }
    }
    return false;
}

static bool values_equal(const attribute *a, const attribute *b)
{
    if (a->tag == b->tag && atls_bytes_equal(a->value, b->value)) {
        return true;
    }
    bool same = is_text(a->tag) && is_text(b->tag) && n_characters(a) == n_characters(b);
    for (size_t i = 0; same && i < n_characters(a); i++) {
        same = folded(character(a, i)) == folded(character(b, i));
    }
    return same;
}

bool android_names_equal(atls_bytes a, atls_bytes b)
{
    walk wa;
    walk wb;
    attribute one;
    attribute other;
    if (atls_bytes_equal(a, b)) {
        return true;
    }
    if (!walk_start(&wa, a) || !walk_start(&wb, b)) {
        return false;
    }
    for (;;) {
        const bool more = walk_next(&wa, &one);
        if (more != walk_next(&wb, &other)) {
            return false;
        }
        if (!more) {
            return wa.ignored.code == ATLS_OK && wb.ignored.code == ATLS_OK;
        }
        if (one.begins_rdn != other.begins_rdn || !atls_bytes_equal(one.oid, other.oid)
            || !values_equal(&one, &other)) {
            return false;
        }
    }
}

/* ---- what subjects say ---- */

static bool is_type(const attribute *a, uint8_t arc)
{
    return a->oid.len == 3 && a->oid.ptr[0] == 0x55 && a->oid.ptr[1] == 0x04 && a->oid.ptr[2] == arc;
}

static bool has_attribute(atls_bytes name, uint8_t arc)
{
    walk w;
    attribute a;
    bool found = false;
    for (bool more = walk_start(&w, name) && walk_next(&w, &a); more; more = walk_next(&w, &a)) {
        found = found || is_type(&a, arc);
    }
    return found;
}

static bool has_value(atls_bytes name, uint8_t arc, const char *text)
{
    walk w;
    attribute a;
    bool found = false;
    for (bool more = walk_start(&w, name) && walk_next(&w, &a); more; more = walk_next(&w, &a)) {
        found = found || (is_type(&a, arc) && text_is(&a, text));
    }
    return found;
}

static bool mentions(atls_bytes name, const char *lower)
{
    walk w;
    attribute a;
    bool found = false;
    for (bool more = walk_start(&w, name) && walk_next(&w, &a); more; more = walk_next(&w, &a)) {
        found = found || text_contains(&a, lower);
    }
    return found;
}

static atls_android_provisioning provisioning_of(const android_evidence *e)
{
    const atls_bytes subject = e->n >= 2 ? e->certs[e->n - 2].subject : atls_bytes_empty();
    if (e->n < 2) {
        return ATLS_ANDROID_PROVISIONING_UNKNOWN;
    }
    if (has_attribute(subject, OID_SERIAL)) {
        return ATLS_ANDROID_FACTORY_PROVISIONED;
    }
    return has_value(subject, OID_CN, "Droid CA2") && has_value(subject, OID_O, "Google LLC")
               ? ATLS_ANDROID_REMOTELY_PROVISIONED
               : ATLS_ANDROID_PROVISIONING_UNKNOWN;
}

static atls_android_level level_of(const android_evidence *e)
{
    if (e->provisioning == ATLS_ANDROID_REMOTELY_PROVISIONED) {
        const atls_bytes subject = e->certs[1].subject;
        const bool is_tee = has_value(subject, OID_O, "TEE");
        return has_value(subject, OID_O, "StrongBox") ? ATLS_ANDROID_STRONG_BOX
               : is_tee                               ? ATLS_ANDROID_TRUSTED_ENVIRONMENT
                                                      : ATLS_ANDROID_SOFTWARE;
    }
    const bool is_factory = e->provisioning == ATLS_ANDROID_FACTORY_PROVISIONED;
    return is_factory
                   && (mentions(e->certs[1].subject, "strongbox") || mentions(e->certs[e->n - 2].subject, "strongbox"))
               ? ATLS_ANDROID_STRONG_BOX
               : ATLS_ANDROID_LEVEL_UNKNOWN;
}

void android_names_read(android_evidence *e)
{
    e->provisioning = provisioning_of(e);
    e->certificate_level = level_of(e);
    e->is_droid_ca3 = e->n >= 3 && has_value(e->certs[e->n - 3].subject, OID_CN, "Droid CA3");
}
