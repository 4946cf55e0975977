/* SPDX-License-Identifier: Apache-2.0 */
/* phone_proof.c: what a phone signs in a session, and how it is written down and read. */
#include "atls/phone_proof.h"

#include <string.h>

#include "base/cbor_write.h"
#include "phone_form.h"

#define TAG              "atls/1 key"
#define TAG_LEN          (sizeof TAG - 1)
#define MAX_CERTIFICATES 10u

_Static_assert(TAG_LEN + 64 == ATLS_PHONE_MESSAGE_LEN, "tag and report");

void atls_phone_message(const uint8_t report[64], uint8_t out[ATLS_PHONE_MESSAGE_LEN])
{
    memcpy(out, TAG, TAG_LEN);
    memcpy(out + TAG_LEN, report, 64);
}

static bool missing(const char *field, atls_error *err)
{
    return atls_fail(err, ATLS_E_USAGE, field, "a part of the proof is missing");
}

bool atls_phone_android(const atls_bytes *certificates, size_t n, atls_bytes signature, atls_arena *arena,
                        atls_bytes *out, atls_error *err)
{
    atls_buf b;
    atls_cw w;
    if (n == 0 || n > MAX_CERTIFICATES) {
        return atls_fail(err, ATLS_E_USAGE, "certificates", "1 to %u of them", MAX_CERTIFICATES);
    }
    if (signature.len == 0) {
        return missing("signature", err);
    }
    atls_buf_init(&b, arena, err);
    atls_cw_init(&w, &b);
    atls_cw_map(&w, 2);
    atls_cw_uint(&w, 0);
    atls_cw_array(&w, n);
    for (size_t i = 0; i < n; i++) {
        if (certificates[i].len == 0) {
            return missing("certificates", err);
        }
        atls_cw_bytes(&w, certificates[i]);
    }
    atls_cw_uint(&w, 1);
    atls_cw_bytes(&w, signature);
    return atls_buf_done(&b, out);
}

bool atls_phone_apple(atls_bytes attestation, atls_bytes assertion, atls_arena *arena, atls_bytes *out, atls_error *err)
{
    atls_buf b;
    atls_cw w;
    if (attestation.len == 0 || assertion.len == 0) {
        return missing(attestation.len == 0 ? "attestation" : "assertion", err);
    }
    atls_buf_init(&b, arena, err);
    atls_cw_init(&w, &b);
    atls_cw_map(&w, 2);
    atls_cw_uint(&w, 0);
    atls_cw_bytes(&w, attestation);
    atls_cw_uint(&w, 1);
    atls_cw_bytes(&w, assertion);
    return atls_buf_done(&b, out);
}

bool atls_phone_key(atls_cur *c, uint64_t wanted)
{
    uint64_t key;
    if (!atls_cbor_uint(c, "key", 1, &key)) {
        return false;
    }
    if (key != wanted) {
        (void)atls_cur_fail(c, ATLS_E_ENCODING, "key", wanted == 0 ? "0" : "1", wanted == 0 ? "1" : "0",
                            "the keys are 0 and 1, in this order");
        return false;
    }
    return true;
}

bool atls_phone_open(atls_cur *c)
{
    uint64_t members;
    if (!atls_cbor_map(c, "members", 2, &members)) {
        return false;
    }
    if (members != 2) {
        (void)atls_cur_fail(c, ATLS_E_ENCODING, "members", "2", NULL,
                            "in a session the attested key has to sign, too: the attestation alone is no proof");
        return false;
    }
    return atls_phone_key(c, 0);
}
