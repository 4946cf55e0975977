/* SPDX-License-Identifier: Apache-2.0 */
/* values.c: what stands inside a tag of an AuthorizationList: sections 4 and 5 of the specification. Each reader wants one
 * element and nothing after it; a value of another type is the caller's to judge. */
#include <string.h>

#include "android.h"
#include "base/der.h"
#include "base/text.h"

#define MAX_STATE       3u
#define INTEGER_LEN     8u
#define MONTHS_PER_YEAR 12

/* The one element that stands there. */
static bool only(atls_bytes in, atls_der_tag tag, atls_bytes *content)
{
    atls_error ignored = {0};
    atls_cur c;
    atls_cur_init(&c, in, "", &ignored);
    return atls_der_expect(&c, "", tag, content) && c.rest.len == 0;
}

/* At most 8 bytes, not negative; need not be minimal. */
static bool number_of(atls_bytes content, uint64_t *out)
{
    uint64_t value = 0;
    if (content.len == 0 || content.len > INTEGER_LEN || (content.ptr[0] & 0x80) != 0) {
        return false;
    }
    for (size_t i = 0; i < content.len; i++) {
        value = value << 8 | content.ptr[i];
    }
    *out = value;
    return true;
}

bool android_read_integer(atls_bytes in, atls_android_integer *out)
{
    atls_bytes content;
    uint64_t value;
    if (!only(in, ATLS_DER_INTEGER, &content) || !number_of(content, &value)) {
        return false;
    }
    *out = (atls_android_integer){.present = true, .value = value};
    return true;
}

bool android_read_null(atls_bytes in)
{
    atls_bytes content;
    return only(in, ATLS_DER_NULL, &content) && content.len == 0;
}

bool android_read_octets(atls_bytes in, atls_android_octets *out)
{
    atls_bytes content;
    if (!only(in, ATLS_DER_OCTET_STRING, &content)) {
        return false;
    }
    *out = (atls_android_octets){.present = true, .value = content};
    return true;
}

/* ---- sets ---- */

static bool count_values(atls_bytes content, size_t *n)
{
    atls_error ignored = {0};
    atls_cur c;
    *n = 0;
    atls_cur_init(&c, content, "", &ignored);
    while (c.rest.len > 0) {
        atls_bytes one;
        uint64_t value;
        if (!atls_der_expect(&c, "", ATLS_DER_INTEGER, &one) || !number_of(one, &value)) {
            return false;
        }
        (*n)++;
    }
    return true;
}

static bool put_values(atls_bytes content, uint64_t *out)
{
    atls_error ignored = {0};
    atls_cur c;
    atls_cur_init(&c, content, "", &ignored);
    for (size_t i = 0; c.rest.len > 0; i++) {
        atls_bytes one;
        if (!atls_der_expect(&c, "", ATLS_DER_INTEGER, &one) || !number_of(one, &out[i])) {
            return false;
        }
    }
    return true;
}

/* Any order (Q1). A tag that stands twice adds to the set that is there. */
bool android_read_set(atls_bytes in, atls_arena *arena, atls_android_set *inout, atls_error *err)
{
    atls_bytes content;
    size_t n;
    if (!only(in, ATLS_DER_SET, &content) || !count_values(content, &n) || n > ANDROID_MAX_SET - inout->n) {
        return false;
    }
    uint64_t *all = atls_arena_array(arena, inout->n + n + 1, sizeof *all, err);
    if (all == NULL) {
        return false;
    }
    if (inout->n > 0) {
        memcpy(all, inout->values, inout->n * sizeof *all);
    }
    if (!put_values(content, all + inout->n)) {
        return false;
    }
    *inout = (atls_android_set){.present = true, .values = all, .n = inout->n + n};
    return true;
}

/* ---- root of trust ---- */

/* Any content but zero is true (Q3). */
static bool read_bool(atls_cur *c, bool *out)
{
    atls_bytes content;
    if (!atls_der_expect(c, "", ATLS_DER_BOOLEAN, &content) || content.len != 1) {
        return false;
    }
    *out = content.ptr[0] != 0;
    return true;
}

bool android_read_root_of_trust(atls_bytes in, atls_android_root_of_trust *out)
{
    atls_error ignored = {0};
    atls_bytes content;
    atls_bytes state;
    atls_cur c;
    uint64_t number;
    atls_android_root_of_trust r = {.present = true};
    r.verifiedBootHash.value = atls_bytes_empty();
    if (!only(in, ATLS_DER_SEQUENCE, &content)) {
        return false;
    }
    atls_cur_init(&c, content, "", &ignored);
    if (!atls_der_expect(&c, "", ATLS_DER_OCTET_STRING, &r.verifiedBootKey) || !read_bool(&c, &r.deviceLocked)
        || !atls_der_expect(&c, "", ATLS_DER_ENUMERATED, &state) || !number_of(state, &number) || number > MAX_STATE) {
        return false;
    }
    r.verifiedBootState = (uint8_t)number;
    if (c.rest.len > 0) {
        r.verifiedBootHash.present = true;
        if (!atls_der_expect(&c, "", ATLS_DER_OCTET_STRING, &r.verifiedBootHash.value)) {
            return false;
        }
    }
    *out = r;
    return c.rest.len == 0;
}

/* ---- application id ---- */

static bool count_elements(atls_bytes content, atls_der_tag tag, size_t max, size_t *n)
{
    atls_error ignored = {0};
    atls_cur c;
    *n = 0;
    atls_cur_init(&c, content, "", &ignored);
    while (c.rest.len > 0) {
        atls_bytes one;
        if (*n == max || !atls_der_expect(&c, "", tag, &one)) {
            return false;
        }
        (*n)++;
    }
    return true;
}

static bool read_package(atls_cur *c, atls_android_package *out)
{
    atls_cur pair;
    atls_bytes version;
    return atls_der_nested(c, "", ATLS_DER_SEQUENCE, &pair)
           && atls_der_expect(&pair, "", ATLS_DER_OCTET_STRING, &out->name)
           && atls_der_expect(&pair, "", ATLS_DER_INTEGER, &version) && number_of(version, &out->version)
           && pair.rest.len == 0 && atls_utf8_valid(out->name);
}

static bool read_packages(atls_bytes content, atls_arena *arena, atls_android_application_id *out, atls_error *err)
{
    atls_error ignored = {0};
    atls_cur c;
    size_t n;
    if (!count_elements(content, ATLS_DER_SEQUENCE, ANDROID_MAX_PACKAGES, &n)) {
        return false;
    }
    atls_android_package *all = atls_arena_array(arena, n + 1, sizeof *all, err);
    atls_cur_init(&c, content, "", &ignored);
    for (size_t i = 0; i < n; i++) {
        if (all == NULL || !read_package(&c, &all[i])) {
            return false;
        }
    }
    out->packages = all;
    out->n_packages = n;
    return all != NULL;
}

static bool read_digests(atls_bytes content, atls_arena *arena, atls_android_application_id *out, atls_error *err)
{
    atls_error ignored = {0};
    atls_cur c;
    size_t n;
    if (!count_elements(content, ATLS_DER_OCTET_STRING, ANDROID_MAX_DIGESTS, &n)) {
        return false;
    }
    atls_bytes *all = atls_arena_array(arena, n + 1, sizeof *all, err);
    atls_cur_init(&c, content, "", &ignored);
    for (size_t i = 0; i < n; i++) {
        if (all == NULL || !atls_der_expect(&c, "", ATLS_DER_OCTET_STRING, &all[i])) {
            return false;
        }
    }
    out->signatureDigests = all;
    out->n_signatureDigests = n;
    return all != NULL;
}

bool android_read_application_id(atls_bytes in, atls_arena *arena, atls_android_application_id *out, atls_error *err)
{
    atls_error ignored = {0};
    atls_bytes octets;
    atls_bytes content;
    atls_bytes packages;
    atls_bytes digests;
    atls_cur c;
    *out = (atls_android_application_id){.present = false};
    if (!only(in, ATLS_DER_OCTET_STRING, &octets)) {
        return false;
    }
    out->present = true;
    if (!only(octets, ATLS_DER_SEQUENCE, &content)) {
        return true;
    }
    atls_cur_init(&c, content, "", &ignored);
    out->intact = atls_der_expect(&c, "", ATLS_DER_SET, &packages) && atls_der_expect(&c, "", ATLS_DER_SET, &digests)
                  && c.rest.len == 0 && read_packages(packages, arena, out, err)
                  && read_digests(digests, arena, out, err);
    return err->code != ATLS_E_MEMORY;
}

/* ---- patch levels ---- */

bool android_patch_level(uint64_t raw, int64_t *months)
{
    uint64_t month = raw;
    if (raw >= 10000000 && raw <= 99999999) {
        month = raw / 100; /* YYYYMMDD; the day says nothing here */
    } else if (raw < 100000 || raw > 999999) {
        return false;
    }
    *months = (int64_t)(month / 100) * MONTHS_PER_YEAR + (int64_t)(month % 100) - 1;
    return month % 100 >= 1 && month % 100 <= 12;
}
