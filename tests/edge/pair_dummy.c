/* SPDX-License-Identifier: Apache-2.0 */
/* pair_dummy.c: {"UserData":"<b64>","Nonce":"<b64>"}. Valid when the nonce is the expected one. */
#include "pair_dummy.h"

#include <string.h>

#include "base/json.h"

static bool write_dummy(const uint8_t user_data[32], const uint8_t nonce[32], const atls_evidence *evidence,
                        atls_arena *arena, atls_bytes *document, atls_error *err)
{
    char user_text[45];
    char nonce_text[45];
    (void)evidence;
    constellation_nonce_write(user_data, user_text);
    constellation_nonce_write(nonce, nonce_text);
    const char *text = atls_text_format(arena, err, "{\"UserData\":\"%s\",\"Nonce\":\"%s\"}", user_text, nonce_text);
    *document = atls_bytes_str(text);
    return text != NULL;
}

static bool read_bytes(const atls_json *top, const char *name, const char *field, atls_arena *arena, atls_bytes *out,
                       atls_error *err)
{
    atls_bytes text;
    return atls_json_member_text(top, "document", name, &text, err)
           && atls_base64_decode(text, false, field, arena, out, err);
}

static bool check_dummy(const atls_hook *hook, const atls_variant_input *in, atls_arena *arena, uint8_t user_data[32],
                        atls_result *result, atls_error *err)
{
    const atls_json *top;
    atls_bytes claimed;
    atls_bytes nonce;
    (void)hook;
    if (!atls_json_parse(in->document, "document", arena, &top, err)
        || !read_bytes(top, "UserData", "document.UserData", arena, &claimed, err)
        || !read_bytes(top, "Nonce", "document.Nonce", arena, &nonce, err)) {
        return atls_error_relabel(err, ATLS_E_QUOTE, "");
    }
    if (!atls_bytes_equal(nonce, atls_bytes_of(in->nonce, 32))) {
        return atls_fail_bytes(err, ATLS_E_REPORT_DATA_MISMATCH, "document.Nonce", atls_bytes_of(in->nonce, 32), nonce,
                               NULL);
    }
    if (claimed.len != 32) {
        return atls_fail(err, ATLS_E_QUOTE, "document.UserData", "%zu bytes", claimed.len);
    }
    memcpy(user_data, claimed.ptr, 32);
    result->verdict = ATLS_VERDICT_ACCEPTED;
    return true;
}

const atls_variant *dummy_variant(void)
{
    static const atls_variant dummy = {.oid = "1.3.9900.1.1", .write = write_dummy, .check = check_dummy};
    return &dummy;
}
