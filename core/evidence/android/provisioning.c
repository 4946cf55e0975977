/* SPDX-License-Identifier: Apache-2.0 */
/* provisioning.c: the CBOR map that the authority for remote provisioning puts beside a certificate: section 8 of the
 * specification. It is a remark: whatever its form, nothing is refused for it (Q16). */
#include "android.h"
#include "base/cbor.h"
#include "base/cbor_open.h"

#define MAX_PAIRS 64u
#define MAX_DEPTH 8u

#define KEY_CERTIFICATES_ISSUED 1u
#define KEY_MANUFACTURER        3u

static bool read_value(atls_cur *c, uint64_t key, atls_android_provisioning_info *out)
{
    if (key == KEY_CERTIFICATES_ISSUED) {
        out->certificatesIssued.present = true;
        return atls_cbor_uint(c, "certificatesIssued", UINT64_MAX, &out->certificatesIssued.value);
    }
    if (key == KEY_MANUFACTURER) {
        out->manufacturer.present = true;
        return atls_cbor_text(c, "manufacturer", &out->manufacturer.value);
    }
    return atls_cbor_skip_open(c, "value", MAX_DEPTH, NULL);
}

/* Integers are the keys that are known; others are passed over. */
static bool read_pair(atls_cur *c, uint64_t *seen, atls_android_provisioning_info *out)
{
    atls_cur look = *c;
    atls_cbor_item item;
    if (!atls_cbor_head(&look, "key", &item)) {
        return false;
    }
    if (item.type != ATLS_CBOR_UINT || item.n >= 64) {
        return atls_cbor_skip_open(c, "key", MAX_DEPTH, NULL) && atls_cbor_skip_open(c, "value", MAX_DEPTH, NULL);
    }
    *c = look;
    if ((*seen >> item.n & 1u) != 0) {
        return false;
    }
    *seen |= (uint64_t)1 << item.n;
    return read_value(c, item.n, out);
}

void android_provisioning_read(atls_bytes in, atls_android_provisioning_info *out)
{
    atls_error ignored = {0};
    atls_cur c;
    uint64_t n;
    uint64_t seen = 0;
    atls_android_provisioning_info info = {.present = true};
    info.manufacturer.value = atls_bytes_empty();
    *out = info;
    atls_cur_init(&c, in, "", &ignored);
    bool ok = atls_cbor_map(&c, "map", MAX_PAIRS, &n);
    for (uint64_t i = 0; ok && i < n; i++) {
        ok = read_pair(&c, &seen, &info);
    }
    if (ok && c.rest.len == 0) {
        info.intact = true;
        *out = info;
    }
}
