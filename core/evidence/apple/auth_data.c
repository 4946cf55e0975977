/* SPDX-License-Identifier: Apache-2.0 */
/* auth_data.c: authenticator data (WebAuthn 6.1): section 2 of the specification. Which values are right is not said here. */
#include <string.h>

#include "apple.h"

#define AAGUID_LEN     16u
#define HASH_LEN       32u
#define COORDINATE_LEN 32u
#define MAX_CREDENTIAL 1024u /* WebAuthn's own limit is 1023; Apple's have 32 bytes */
#define COSE_KTY       1
#define COSE_ALG       3
#define COSE_CRV       (-1)
#define COSE_X         (-2)
#define COSE_Y         (-3)
#define COSE_EC2       2
#define COSE_ES256     (-7)
#define COSE_P256      1

static const char key_field[] = "credentialPublicKey";

static bool wrong(const atls_cur *c, const char *field, const char *expected, const char *message)
{
    (void)atls_cur_fail(c, ATLS_E_ENCODING, field, expected, NULL, message);
    return false;
}

/* ---- the COSE key: {1: 2, 3: -7, -1: 1, -2: x, -3: y} ---- */

static bool read_number(atls_cur *c, int64_t wanted, const char *expected)
{
    int64_t actual;
    if (!atls_cbor_int(c, key_field, &actual)) {
        return false;
    }
    return actual == wanted || wrong(c, key_field, expected, "the key is of another type, curve or algorithm");
}

static bool read_coordinate(atls_cur *c, uint8_t *out)
{
    atls_bytes value;
    if (!atls_cbor_bytes(c, key_field, &value)) {
        return false;
    }
    if (value.len != COORDINATE_LEN) {
        return wrong(c, key_field, "32 bytes", "a coordinate has another length");
    }
    memcpy(out, value.ptr, COORDINATE_LEN);
    return true;
}

/* seen: bit for each of the five. */
static bool read_member(atls_cur *c, int64_t label, unsigned *seen, uint8_t *point)
{
    switch (label) {
    case COSE_KTY:
        *seen |= 1u;
        return read_number(c, COSE_EC2, "kty 2 (EC2)");
    case COSE_ALG:
        *seen |= 2u;
        return read_number(c, COSE_ES256, "alg -7 (ES256)");
    case COSE_CRV:
        *seen |= 4u;
        return read_number(c, COSE_P256, "crv 1 (P-256)");
    case COSE_X:
        *seen |= 8u;
        return read_coordinate(c, point + 1);
    case COSE_Y:
        *seen |= 16u;
        return read_coordinate(c, point + 1 + COORDINATE_LEN);
    default:
        return apple_cbor_skip(c, key_field, APPLE_MAX_DEPTH - 1, NULL);
    }
}

static int64_t label_of(atls_bytes encoded)
{
    atls_error why = {0};
    atls_cur c;
    int64_t label = 0; /* reserved by COSE: nothing */
    atls_cur_init(&c, encoded, "", &why);
    return atls_cbor_int(&c, "", &label) ? label : 0;
}

static bool read_key(atls_cur *c, uint8_t *point)
{
    apple_map m;
    bool more = false;
    atls_bytes name;
    atls_bytes key;
    unsigned seen = 0;
    if (!apple_map_begin(c, key_field, &m)) {
        return false;
    }
    while (apple_map_next(c, key_field, &m, &more, &name, &key)) {
        if (!read_member(c, label_of(key), &seen, point)) {
            return false;
        }
    }
    if (more) {
        return false;
    }
    point[0] = 0x04;
    return seen == 0x1f || wrong(c, key_field, "kty, alg, crv, x and y", "a member of the key is missing");
}

/* ---- the rest ---- */

static bool read_credential(atls_cur *c, apple_auth_data *out)
{
    uint16_t len = 0;
    if (!atls_cur_bytes(c, "aaguid", AAGUID_LEN, &out->aaguid) || !atls_cur_u16be(c, "credentialIdLength", &len)) {
        return false;
    }
    if (len > MAX_CREDENTIAL) {
        return wrong(c, "credentialIdLength", "at most 1024", "the credential id is too long");
    }
    return atls_cur_bytes(c, "credentialId", len, &out->credential_id) && read_key(c, out->point);
}

static bool read_extensions(atls_cur *c)
{
    atls_cbor_item item;
    atls_cur look = *c;
    if (!atls_cbor_head(&look, "extensions", &item)) {
        return false;
    }
    return item.type == ATLS_CBOR_MAP ? apple_cbor_skip(c, "extensions", APPLE_MAX_DEPTH, NULL)
                                      : wrong(c, "extensions", "map", "extensions are announced, and there is no map");
}

bool apple_auth_data_decode(atls_bytes in, apple_auth_data *out, atls_error *err)
{
    const atls_bytes none = atls_bytes_empty();
    atls_cur c;
    *out = (apple_auth_data){.rp_id_hash = none, .aaguid = none, .credential_id = none};
    atls_cur_init(&c, in, "authData", err);
    if (!atls_cur_bytes(&c, "rpIdHash", HASH_LEN, &out->rp_id_hash) || !atls_cur_u8(&c, "flags", &out->flags)
        || !atls_cur_u32be(&c, "signCount", &out->sign_count)) {
        return false;
    }
    out->has_credential = (out->flags & APPLE_FLAG_CREDENTIAL) != 0;
    return (!out->has_credential || read_credential(&c, out))
           && ((out->flags & APPLE_FLAG_EXTENSIONS) == 0 || read_extensions(&c)) && atls_cur_end(&c);
}
