/* SPDX-License-Identifier: Apache-2.0 */
/* client_data.c: clientDataJSON of the current format: step 0, and the key that the app vouches for (section 7). Its octets are
 * hashed elsewhere, as they came: nothing here prints them again. */
#include <string.h>

#include "apple.h"
#include "base/json.h"

static const char purpose[] = "ios app-attest: secure enclave protected key";

/* A client data without challenge is one for another challenge. */
static bool get_text(const atls_json *object, const char *name, atls_bytes *out, atls_error *err)
{
    return atls_json_member_text(object, "clientDataJSON", name, out, err)
           || atls_error_relabel(err, ATLS_E_APPLE_CHALLENGE, NULL);
}

static bool check_purpose(const atls_json *object, atls_error *err)
{
    atls_bytes actual;
    return get_text(object, "purpose", &actual, err)
           && (atls_bytes_equal_str(actual, purpose)
               || atls_fail_values(err, ATLS_E_APPLE_CHALLENGE, "clientDataJSON.purpose", purpose, "something else",
                                   "the client data are for another purpose"));
}

static bool check_challenge(const atls_json *object, atls_bytes expected, atls_arena *arena, atls_bytes *out,
                            atls_error *err)
{
    static const char field[] = "clientDataJSON.challenge";
    atls_bytes text;
    if (!get_text(object, "challenge", &text, err)) {
        return false;
    }
    if (!atls_base64url_decode(text, field, arena, out, err)) {
        return atls_error_relabel(err, ATLS_E_APPLE_CHALLENGE, NULL);
    }
    return (expected.len > 0 && atls_bytes_equal(*out, expected))
           || atls_fail_bytes(err, ATLS_E_APPLE_CHALLENGE, field, expected, *out,
                              "the client data are for another challenge");
}

static bool get_key(const atls_json *object, atls_arena *arena, uint8_t *out, atls_error *err)
{
    static const char field[] = "clientDataJSON.publicKey";
    atls_bytes text;
    atls_bytes point;
    if (!atls_json_member_text(object, "clientDataJSON", "publicKey", &text, err)
        || !atls_base64url_decode(text, field, arena, &point, err)) {
        return atls_error_relabel(err, ATLS_E_EVIDENCE_FORMAT, NULL);
    }
    return atls_p256_point(point, out, ATLS_E_EVIDENCE_FORMAT, field, err);
}

static bool parse(atls_bytes json, atls_arena *arena, const atls_json **out, atls_error *err)
{
    static const char field[] = "clientDataJSON";
    if (json.len == 0 || json.len > APPLE_MAX_CLIENT_DATA) {
        return atls_fail(err, ATLS_E_APPLE_CHALLENGE, field, "%zu bytes; 1 to %u", json.len, APPLE_MAX_CLIENT_DATA);
    }
    return atls_json_parse(json, field, arena, out, err) || atls_error_relabel(err, ATLS_E_APPLE_CHALLENGE, NULL);
}

bool atls_apple_client_data_read(atls_bytes json, atls_bytes challenge, atls_arena *arena, atls_apple_client_data *out,
                                 atls_error *err)
{
    const atls_json *object = NULL;
    *out = (atls_apple_client_data){.challenge = atls_bytes_empty()};
    if (parse(json, arena, &object, err) && check_purpose(object, err)
        && check_challenge(object, challenge, arena, &out->challenge, err)
        && get_key(object, arena, out->public_key, err)) {
        return true;
    }
    *out = (atls_apple_client_data){.challenge = atls_bytes_empty()};
    return false;
}
