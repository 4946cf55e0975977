/* SPDX-License-Identifier: Apache-2.0 */
/* ca_name.c: attributes of names. What is not in the table cannot stand in a certificate of ours: serialNumber is not, because that is
 * where a request carries its nonce. */
#include <string.h>

#include "base/text.h"
#include "ca_internal.h"

/* Bounds of RFC 5280, appendix A.1 (upper bounds of X.520). */
static const ca_name_type types[] = {
    {"CN", "\x55\x04\x03", 3, 64, ATLS_DER_UTF8_STRING},
    {"O", "\x55\x04\x0a", 3, 64, ATLS_DER_UTF8_STRING},
    {"OU", "\x55\x04\x0b", 3, 64, ATLS_DER_UTF8_STRING},
    {"L", "\x55\x04\x07", 3, 128, ATLS_DER_UTF8_STRING},
    {"ST", "\x55\x04\x08", 3, 128, ATLS_DER_UTF8_STRING},
    {"C", "\x55\x04\x06", 3, 2, ATLS_DER_PRINTABLE_STRING},
    {"UID", "\x09\x92\x26\x89\x93\xf2\x2c\x64\x01\x01", 10, 256, ATLS_DER_UTF8_STRING},
    {"DC", "\x09\x92\x26\x89\x93\xf2\x2c\x64\x01\x19", 10, 63, ATLS_DER_IA5_STRING},
};
#define N_TYPES (sizeof types / sizeof types[0])

const ca_name_type *ca_name_type_find(atls_bytes word)
{
    for (size_t i = 0; i < N_TYPES; i++) {
        if (atls_bytes_equal_str(word, types[i].name)) {
            return &types[i];
        }
    }
    return NULL;
}

const ca_name_type *ca_name_type_of(atls_bytes oid)
{
    for (size_t i = 0; i < N_TYPES; i++) {
        if (atls_bytes_equal(oid, atls_bytes_of(types[i].oid, types[i].n_oid))) {
            return &types[i];
        }
    }
    return NULL;
}

/* U+0080 to U+009F, marks and overrides of direction, separators of lines, the byte order mark: what shows a reader something else
 * than what is there. */
static bool is_invisible(const uint8_t *c, size_t n)
{
    if (n == 2) {
        return c[0] == 0xc2 && c[1] < 0xa0;
    }
    if (n != 3) {
        return false;
    }
    const unsigned u = (unsigned)(c[0] & 0x0f) << 12 | (unsigned)(c[1] & 0x3f) << 6 | (unsigned)(c[2] & 0x3f);
    return (u >= 0x200b && u <= 0x200f) || (u >= 0x2028 && u <= 0x202e) || (u >= 0x2060 && u <= 0x206f) || u == 0xfeff;
}

static bool is_letter_or_digit(uint8_t c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9');
}

/* PrintableString, X.680 41.4. */
static bool is_printable(uint8_t c)
{
    return is_letter_or_digit(c) || (c != 0 && strchr(" '()+,-./:=?", c) != NULL);
}

bool ca_text_fits(atls_bytes text, uint8_t tag, size_t max)
{
    if (text.len == 0 || text.len > max) {
        return false;
    }
    for (size_t i = 0; i < text.len;) {
        const size_t n = atls_utf8_char(text, i);
        const uint8_t c = text.ptr[i];
        if (n == 0 || c < 0x20 || c == 0x7f || is_invisible(text.ptr + i, n) || (n > 1 && tag != ATLS_DER_UTF8_STRING)
            || (tag == ATLS_DER_PRINTABLE_STRING && !is_printable(c))) {
            return false;
        }
        i += n;
    }
    return true;
}

void ca_name_put(ca_der *d, const ca_name_type *type, atls_bytes value)
{
    ca_der_open(d, ATLS_DER_SET);
    ca_der_open(d, ATLS_DER_SEQUENCE);
    ca_der_put(d, ATLS_DER_OID, atls_bytes_of(type->oid, type->n_oid));
    ca_der_put(d, type->tag, value);
    ca_der_close(d);
    ca_der_close(d);
}

bool ca_name_parse(const char *text, const char *field, ca_der *d, atls_error *err)
{
    ca_der_open(d, ATLS_DER_SEQUENCE);
    for (const char *at = text; at != NULL;) {
        const char *end = strchr(at, ',');
        const atls_bytes part = atls_bytes_of(at, end == NULL ? strlen(at) : (size_t)(end - at));
        const uint8_t *is = part.len == 0 ? NULL : memchr(part.ptr, '=', part.len);
        const size_t n = is == NULL ? 0 : (size_t)(is - part.ptr);
        const ca_name_type *type = ca_name_type_find(atls_bytes_of(part.ptr, n));
        const atls_bytes value = type == NULL ? atls_bytes_empty() : atls_bytes_of(is + 1, part.len - n - 1);
        if (type == NULL || !ca_text_fits(value, type->tag, type->max)) {
            return atls_fail_values(err, ATLS_E_USAGE, field, "CN=name, O=, OU=, L=, ST=, C=, UID=, DC=, with commas",
                                    NULL, "this is no name that a certificate can hold");
        }
        ca_name_put(d, type, value);
        at = end == NULL ? NULL : end + 1;
    }
    ca_der_close(d);
    return true;
}
