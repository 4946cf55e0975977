/* SPDX-License-Identifier: Apache-2.0 */
/* nonce.c: text and name of a nonce. Nothing is read leniently: whoever sends something else did not draw a nonce. */
#include "nonce.h"

#include <stdio.h>
#include <string.h>

#include "base/der.h"
#include "base/text.h"
#include "document.h"

/* Before the text: SEQUENCE { SET { SEQUENCE { OID id-at-commonName, PrintableString (section 5). */
static const uint8_t name_head[CONSTELLATION_NAME_LEN - CONSTELLATION_NONCE_TEXT_LEN] = {
    0x30, 0x37, 0x31, 0x35, 0x30, 0x33, 0x06, 0x03, 0x55, 0x04, 0x03, 0x13, CONSTELLATION_NONCE_TEXT_LEN};
static const uint8_t common_name[] = {0x55, 0x04, 0x03};

void constellation_nonce_write(const uint8_t nonce[CONSTELLATION_NONCE_LEN], char out[CONSTELLATION_NONCE_TEXT_LEN + 1])
{
    constellation_base64(atls_bytes_of(nonce, CONSTELLATION_NONCE_LEN), out);
}

static bool wrong(atls_error *err, const char *field, atls_bytes text, const char *message)
{
    char actual[24];
    snprintf(actual, sizeof actual, "%zu characters", text.len);
    return atls_fail_values(err, ATLS_E_PROTOCOL, field, "32 bytes as 44 characters of base64", actual, "%s", message);
}

bool constellation_nonce_read(atls_bytes text, const char *field, uint8_t out[CONSTELLATION_NONCE_LEN], atls_error *err)
{
    uint8_t block[64];
    atls_arena a;
    atls_bytes nonce;
    atls_error why = {.code = ATLS_OK};
    memset(out, 0, CONSTELLATION_NONCE_LEN);
    if (text.len != CONSTELLATION_NONCE_TEXT_LEN) {
        return wrong(err, field, text, "this is not the length of a nonce");
    }
    atls_arena_init(&a, block, sizeof block);
    if (!atls_base64_decode(text, false, field, &a, &nonce, &why) || nonce.len != CONSTELLATION_NONCE_LEN) {
        return wrong(err, field, text, "this is not the text of a nonce");
    }
    memcpy(out, nonce.ptr, CONSTELLATION_NONCE_LEN);
    return true;
}

void constellation_name_write(const uint8_t nonce[CONSTELLATION_NONCE_LEN], uint8_t out[CONSTELLATION_NAME_LEN])
{
    char text[CONSTELLATION_NONCE_TEXT_LEN + 1];
    constellation_nonce_write(nonce, text);
    memcpy(out, name_head, sizeof name_head);
    memcpy(out + sizeof name_head, text, CONSTELLATION_NONCE_TEXT_LEN);
}

/* AttributeTypeAndValue (RFC 5280 4.1.2.4). */
static bool read_attribute(atls_cur *c, atls_bytes *text)
{
    atls_bytes oid;
    atls_der_tag tag;
    if (!atls_der_oid(c, "attribute", &oid)) {
        return false;
    }
    if (!atls_bytes_equal(oid, atls_bytes_of(common_name, sizeof common_name))) {
        return atls_cur_fail(c, ATLS_E_PROTOCOL, "attribute", "commonName", NULL, "the name is no common name");
    }
    if (!atls_der_any(c, "value", &tag, text, NULL)) {
        return false;
    }
    return tag == ATLS_DER_PRINTABLE_STRING || tag == ATLS_DER_UTF8_STRING || tag == ATLS_DER_IA5_STRING
           || atls_cur_fail(c, ATLS_E_PROTOCOL, "value", "PrintableString, UTF8String or IA5String", NULL,
                            "a nonce is not written in this type of string");
}

static bool read_name(atls_bytes der, atls_bytes *text, atls_error *err)
{
    atls_cur c;
    atls_cur name;
    atls_cur rdn;
    atls_cur attribute;
    atls_cur_init(&c, der, "certificate_authorities", err);
    return atls_der_nested(&c, "name", ATLS_DER_SEQUENCE, &name) && atls_cur_end(&c)
           && atls_der_nested(&name, "rdn", ATLS_DER_SET, &rdn) && atls_cur_end(&name)
           && atls_der_nested(&rdn, "attribute", ATLS_DER_SEQUENCE, &attribute) && atls_cur_end(&rdn)
           && read_attribute(&attribute, text) && atls_cur_end(&attribute);
}

bool constellation_name_read(atls_bytes der, uint8_t out[CONSTELLATION_NONCE_LEN], atls_error *err)
{
    atls_bytes text = atls_bytes_empty();
    memset(out, 0, CONSTELLATION_NONCE_LEN);
    if (!read_name(der, &text, err)) {
        return atls_error_relabel(err, ATLS_E_PROTOCOL, "");
    }
    return constellation_nonce_read(text, "certificate_authorities.value", out, err);
}
