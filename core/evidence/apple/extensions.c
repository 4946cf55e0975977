/* SPDX-License-Identifier: Apache-2.0 */
/* extensions.c: what Apple says in the credential certificate: section 3. All but the nonce is undocumented and may be missing,
 * in another order, or of another type one day: what cannot be read is not there. */
#include "apple.h"
#include "base/der.h"

#define TAG_APP_ID     1204u
#define TAG_OS_VERSION 1400u
#define TAG_OS_BUILD   1403u
#define MAX_VALUE_LEN  256u

/* 1.2.840.113635.100.8.<arc> */
static const atls_extension *find(const atls_cert *cert, uint8_t arc)
{
    const uint8_t oid[] = {0x2a, 0x86, 0x48, 0x86, 0xf7, 0x63, 0x64, 0x08, arc};
    return atls_cert_extension(cert, atls_bytes_of(oid, sizeof oid));
}

/* SEQUENCE { [1] EXPLICIT OCTET STRING of 32 bytes } */
static bool read_nonce(atls_bytes value, atls_bytes *out)
{
    atls_error ignored = {0};
    atls_cur c;
    atls_cur sequence;
    atls_cur tagged;
    atls_cur_init(&c, value, "", &ignored);
    return atls_der_nested(&c, "", ATLS_DER_SEQUENCE, &sequence) && atls_cur_end(&c)
           && atls_der_nested(&sequence, "", ATLS_DER_CONTEXT_CONS(1), &tagged) && atls_cur_end(&sequence)
           && atls_der_expect(&tagged, "", ATLS_DER_OCTET_STRING, out) && atls_cur_end(&tagged) && out->len == 32;
}

static bool is_text(atls_der_tag tag)
{
    return tag == ATLS_DER_OCTET_STRING || tag == ATLS_DER_UTF8_STRING || tag == ATLS_DER_PRINTABLE_STRING
           || tag == ATLS_DER_IA5_STRING;
}

static bool is_printable(atls_bytes text)
{
    for (size_t i = 0; i < text.len; i++) {
        if (text.ptr[i] < 0x20 || text.ptr[i] > 0x7e) {
            return false;
        }
    }
    return text.len <= MAX_VALUE_LEN;
}

/* A SEQUENCE of context tags, EXPLICIT: the first text with this number, empty when there is none. */
static atls_bytes find_text(const atls_extension *e, uint32_t number)
{
    atls_error ignored = {0};
    atls_bytes found = atls_bytes_empty();
    atls_cur c;
    atls_cur sequence;
    if (e == NULL) {
        return found;
    }
    atls_cur_init(&c, e->value, "", &ignored);
    if (!atls_der_nested(&c, "", ATLS_DER_SEQUENCE, &sequence) || !atls_cur_end(&c)) {
        return found;
    }
    while (sequence.rest.len > 0) {
        atls_der_tag tag;
        atls_der_tag type;
        atls_bytes inside;
        atls_bytes text;
        atls_cur tagged;
        if (!atls_der_any(&sequence, "", &tag, &inside, NULL)) {
            return atls_bytes_empty();
        }
        atls_cur_init(&tagged, inside, "", &ignored);
        if (found.len == 0 && tag == ATLS_DER_CONTEXT_CONS_HIGH(number) && atls_der_any(&tagged, "", &type, &text, NULL)
            && is_text(type) && is_printable(text)) {
            found = text;
        }
    }
    return found;
}

void apple_extensions_read(const atls_cert *cert, apple_extensions *out)
{
    const atls_extension *nonce = find(cert, 2);
    *out = (apple_extensions){.nonce = atls_bytes_empty()};
    out->has_nonce = nonce != NULL && read_nonce(nonce->value, &out->nonce);
    out->app_id = find_text(find(cert, 5), TAG_APP_ID);
    out->os_version = find_text(find(cert, 7), TAG_OS_VERSION);
    out->os_build = find_text(find(cert, 7), TAG_OS_BUILD);
}
