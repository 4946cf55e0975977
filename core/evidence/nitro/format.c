/* SPDX-License-Identifier: Apache-2.0 */
/* format.c: the room's row in the registry, and the doors that are too small for a file of their own. */
#include <string.h>

#include "nitro.h"

static bool decode(atls_bytes in, atls_arena *arena, const void **evidence, atls_error *err)
{
    nitro_document *d = atls_arena_alloc(arena, sizeof *d, err);
    if (d == NULL || !nitro_document_decode(in, d, err)) {
        return false;
    }
    *evidence = d;
    return true;
}

/* The document brings its certificates along; what may still be fetched is lists. */
static bool request(const void *evidence, atls_arena *arena, atls_endorsement_request *out, atls_error *err)
{
    (void)evidence;
    (void)arena;
    (void)err;
    *out = (atls_endorsement_request){.platform = ATLS_PLATFORM_NITRO, .pck_ca = ""};
    return true;
}

static bool refuse_second_binding(const atls_nitro_optional *o, const char *field, atls_error *err)
{
    return !o->present
           || atls_fail_values(err, ATLS_E_REPORT_DATA_MISMATCH, field, "null or absent", "present",
                               "evidence of a session says what it was made for in user_data alone");
}

/* user_data has no fixed length: it must be the value, no byte more or less. In a session the two other fields that an
 * enclave may fill must be empty: evidence that was made for another protocol must not serve in this one. */
bool nitro_bind(const void *evidence, const atls_crypto *crypto, const atls_binding_value *in, uint8_t expected[64],
                size_t *len, atls_error *err)
{
    const nitro_document *d = evidence;
    (void)crypto;
    if (in->is_session
        && (!refuse_second_binding(&d->nonce, "document.payload.nonce", err)
            || !refuse_second_binding(&d->public_key, "document.payload.public_key", err))) {
        return false;
    }
    memset(expected, 0, 64);
    memcpy(expected, in->value, in->len);
    *len = in->len;
    return true;
}

const atls_format *nitro_format(void)
{
    static const atls_format row = {
        .name = "nitro",
        .decode = decode,
        .request = request,
        .authenticate = nitro_authenticate,
        .bind = nitro_bind,
        .appraise = nitro_appraise,
        .names_code = nitro_names_code,
        .inspect = nitro_inspect,
        .put_claims = nitro_put_claims,
    };
    return &row;
}
