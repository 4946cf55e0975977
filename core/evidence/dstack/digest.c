/* SPDX-License-Identifier: Apache-2.0 */
/* digest.c: what the digest of a runtime event covers (section 2). Version 1 is ambiguous where a name holds a colon,
 * which is why decode.c refuses such names (R4); version 2 is JSON. */
#include "log.h"

/* LE32(0x08000001) and ':' */
static const uint8_t v1_head[5] = {0x01, 0x00, 0x00, 0x08, ':'};

static bool preimage_v1(atls_bytes name, atls_bytes payload, atls_arena *a, atls_bytes *out, atls_error *err)
{
    atls_buf b;
    atls_buf_init(&b, a, err);
    atls_buf_put(&b, atls_bytes_of(v1_head, sizeof v1_head));
    atls_buf_put(&b, name);
    atls_buf_str(&b, ":");
    atls_buf_put(&b, payload);
    return atls_buf_done(&b, out);
}

/* RFC 8785 of the three members; their names are in order already */
static bool preimage_v2(atls_bytes name, atls_bytes payload, atls_arena *a, atls_bytes *out, atls_error *err)
{
    const char *hex = atls_hex_text(payload, a, err);
    if (hex == NULL) {
        return false;
    }
    atls_buf b;
    atls_buf_init(&b, a, err);
    atls_buf_str(&b, "{\"name\":");
    dstack_log_put_string(&b, name);
    atls_buf_str(&b, ",\"payload\":\"");
    atls_buf_str(&b, hex);
    atls_buf_str(&b, "\",\"type\":134217729}");
    return atls_buf_done(&b, out);
}

bool dstack_log_preimage(uint32_t version, atls_bytes name, atls_bytes payload, atls_arena *a, atls_bytes *out,
                         atls_error *err)
{
    if (version == 1) {
        return preimage_v1(name, payload, a, out, err);
    }
    if (version == 2) {
        return preimage_v2(name, payload, a, out, err);
    }
    return atls_fail_unsupported(err, ATLS_E_EVENT_LOG_PARSE, "version", "1 or 2", NULL, "an unknown digest form");
}

bool dstack_event_digest(const atls_crypto *c, uint32_t version, atls_bytes name, atls_bytes payload, atls_arena *a,
                         uint8_t out[48], atls_error *err)
{
    atls_bytes preimage;
    return dstack_log_preimage(version, name, payload, a, &preimage, err)
           && atls_digest(c, ATLS_SHA384, &preimage, 1, out, err);
}
