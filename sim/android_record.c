/* SPDX-License-Identifier: Apache-2.0 */
/* android_record.c: KeyDescription, as a phone of KeyMint 2 writes it for a signing key of P-256.
 *
 * Members of the two lists are settings hw.<tag> and sw.<tag>: the DER inside the tag, n<number> for an INTEGER, or none; one
 * with a plus, hw+<tag>, comes on top, at the end. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "sim/android_internal.h"

#define MAX_TAG 800u

/* ---- values ---- */

static atls_bytes integer(sim_op *o, uint64_t v)
{
    atls_buf b = sim_buf(o);
    sim_der_uint(&b, SIM_DER_INTEGER, v);
    return sim_done(&b);
}

static atls_bytes octets(sim_op *o, atls_bytes content)
{
    atls_buf b = sim_buf(o);
    sim_der_put(&b, SIM_DER_OCTET_STRING, content);
    return sim_done(&b);
}

static atls_bytes set_of_two(sim_op *o, uint64_t first, uint64_t second)
{
    atls_buf b = sim_buf(o);
    size_t set = sim_der_open(&b, SIM_DER_SET);
    sim_der_uint(&b, SIM_DER_INTEGER, first);
    sim_der_uint(&b, SIM_DER_INTEGER, second);
    sim_der_close(&b, set);
    return sim_done(&b);
}

static atls_bytes root_of_trust(sim_op *o)
{
    uint8_t key[32];
    uint8_t hash[32];
    uint8_t locked = 0xff;
    const char *set_hash = sim_get(o, "rot.hash");
    sim_derive(o, "boot key", key, sizeof key);
    sim_derive(o, "boot hash", hash, sizeof hash);
    sim_get_fixed(o, key, sizeof key, "rot.key");
    sim_get_fixed(o, &locked, 1, "rot.locked");
    atls_buf b = sim_buf(o);
    size_t sequence = sim_der_open(&b, SIM_DER_SEQUENCE);
    sim_der_put(&b, SIM_DER_OCTET_STRING, atls_bytes_of(key, sizeof key));
    sim_der_put(&b, SIM_DER_BOOLEAN, atls_bytes_of(&locked, 1));
    sim_der_uint(&b, SIM_DER_ENUMERATED, sim_get_uint(o, 0, "rot.state"));
    if (set_hash == NULL || strcmp(set_hash, "none") != 0) {
        sim_der_put(&b, SIM_DER_OCTET_STRING, atls_bytes_of(hash, sizeof hash));
    }
    sim_der_close(&b, sequence);
    return sim_done(&b);
}

void sim_android_app_digest(sim_op *o, uint8_t out[32])
{
    sim_derive(o, "app signer", out, 32);
}

static void put_package(atls_buf *b, const char *name, uint64_t version)
{
    size_t package = sim_der_open(b, SIM_DER_SEQUENCE);
    sim_der_put(b, SIM_DER_OCTET_STRING, atls_bytes_str(name));
    sim_der_uint(b, SIM_DER_INTEGER, version);
    sim_der_close(b, package);
}

/* app.package, app.version; app.other is a package before it, app.other_version its version; app.digest is hex or none. */
static atls_bytes application_id(sim_op *o)
{
    uint8_t digest[32];
    const char *other = sim_get(o, "app.other");
    const char *set_digest = sim_get(o, "app.digest");
    const uint64_t other_version = sim_get_uint(o, 1, "app.other_version");
    sim_android_app_digest(o, digest);
    atls_buf b = sim_buf(o);
    size_t sequence = sim_der_open(&b, SIM_DER_SEQUENCE);
    size_t packages = sim_der_open(&b, SIM_DER_SET);
    if (other != NULL) {
        put_package(&b, other, other_version);
    }
    put_package(&b, sim_get_text(o, SIM_ANDROID_PACKAGE, "app.package"), sim_get_uint(o, 7, "app.version"));
    sim_der_close(&b, packages);
    size_t digests = sim_der_open(&b, SIM_DER_SET);
    if (set_digest == NULL || strcmp(set_digest, "none") != 0) {
        sim_get_fixed(o, digest, sizeof digest, "app.digest");
        sim_der_put(&b, SIM_DER_OCTET_STRING, atls_bytes_of(digest, sizeof digest));
    }
    sim_der_close(&b, digests);
    sim_der_close(&b, sequence);
    return octets(o, sim_done(&b));
}

/* YYYYMM of the phone's clock. */
static uint64_t month_of(const sim_op *o)
{
    char text[ATLS_TIME_TEXT_SIZE];
    atls_time_format(o->s->now, text);
    return (uint64_t)strtoul(text, NULL, 10) * 100 + (uint64_t)strtoul(text + 5, NULL, 10);
}

static bool in_hardware(sim_op *o, unsigned tag, atls_bytes *out)
{
    switch (tag) {
    case 1:
        *out = set_of_two(o, 2, 3);
        return true;
    case 2:
        *out = integer(o, 3);
        return true;
    case 3:
        *out = integer(o, 256);
        return true;
    case 5:
        *out = set_of_two(o, 0, 4);
        return true;
    case 10:
        *out = integer(o, 1);
        return true;
    case 503:
        *out = atls_bytes_of("\x05\x00", 2);
        return true;
    case 702:
        *out = integer(o, 0);
        return true;
    case 704:
        *out = root_of_trust(o);
        return true;
    case 705:
        *out = integer(o, 140000);
        return true;
    case 706:
        *out = integer(o, month_of(o));
        return true;
    case 718:
    case 719:
        *out = integer(o, month_of(o) * 100 + 5);
        return true;
    default:
        return false;
    }
}

static bool in_software(sim_op *o, const sim_android_request *request, unsigned tag, atls_bytes *out)
{
    const int64_t now_ms = o->s->now * 1000;
    if (tag == 701) {
        *out = integer(o, (uint64_t)(request->created_ms != 0 ? request->created_ms : now_ms));
        return true;
    }
    if (tag == 709) {
        *out = application_id(o);
        return true;
    }
    return false;
}

/* ---- lists ---- */

static void put_tag(atls_buf *b, unsigned tag, atls_bytes inner)
{
    const bool is_high = tag >= 31;
    if (is_high) {
        sim_put_u8(b, 0xbf);
        sim_put_u8(b, 0x80 | tag >> 7);
    }
    size_t mark = sim_der_open(b, is_high ? tag & 0x7f : 0xa0 | tag);
    atls_buf_put(b, inner);
    sim_der_close(b, mark);
}

static atls_bytes value_of(sim_op *o, const char *path, const char *text)
{
    return text[0] == 'n' ? integer(o, strtoull(text + 1, NULL, 10)) : sim_value_bytes(o, path, text);
}

static void put_list(sim_op *o, const char *name, const sim_android_request *request, atls_buf *b)
{
    /* a phone without hardware writes into the one list what others write into the other */
    const bool is_software_phone = sim_android_of(o)->kind == SIM_ANDROID_SOFTWARE;
    const bool is_software = strcmp(name, "sw") == 0;
    size_t list = sim_der_open(b, SIM_DER_SEQUENCE);
    for (unsigned tag = 1; tag < MAX_TAG; tag++) {
        atls_bytes inner = atls_bytes_empty();
        bool there =
            is_software ? in_software(o, request, tag, &inner) : !is_software_phone && in_hardware(o, tag, &inner);
        if (!there && is_software && is_software_phone) {
            there = in_hardware(o, tag, &inner);
        }
        const char *set = sim_get(o, "%s.%u", name, tag);
        if (set != NULL && strcmp(set, "none") != 0) {
            inner = value_of(o, name, set);
        }
        if (set == NULL ? there : strcmp(set, "none") != 0) {
            put_tag(b, tag, inner);
        }
    }
    char prefix[8];
    const sim_setting *more;
    (void)snprintf(prefix, sizeof prefix, "%s+", name);
    for (size_t i = 0; (more = sim_next(o, prefix, &i)) != NULL;) {
        put_tag(b, (unsigned)strtoul(more->path + strlen(prefix), NULL, 10), value_of(o, more->path, more->value));
    }
    sim_der_close(b, list);
}

atls_bytes sim_android_record(sim_op *o, const sim_android_request *request)
{
    const bool is_software = sim_android_of(o)->kind == SIM_ANDROID_SOFTWARE;
    const uint64_t level = is_software ? 0 : 1;
    atls_bytes challenge = request->challenge;
    atls_bytes unique = atls_bytes_empty();
    (void)sim_get_bytes(o, &challenge, "challenge");
    (void)sim_get_bytes(o, &unique, "uniqueId");
    atls_buf b = sim_buf(o);
    size_t record = sim_der_open(&b, SIM_DER_SEQUENCE);
    sim_der_uint(&b, (unsigned)sim_get_uint(o, SIM_DER_INTEGER, "attestationVersion.tag"),
                 sim_get_uint(o, 200, "attestationVersion"));
    sim_der_uint(&b, SIM_DER_ENUMERATED, sim_get_uint(o, level, "attestationSecurityLevel"));
    sim_der_uint(&b, SIM_DER_INTEGER, sim_get_uint(o, 200, "keymasterVersion"));
    sim_der_uint(&b, (unsigned)sim_get_uint(o, SIM_DER_ENUMERATED, "keymasterSecurityLevel.tag"),
                 sim_get_uint(o, level, "keymasterSecurityLevel"));
    sim_der_put(&b, SIM_DER_OCTET_STRING, challenge);
    sim_der_put(&b, SIM_DER_OCTET_STRING, unique);
    put_list(o, "sw", request, &b);
    put_list(o, "hw", request, &b);
    if (sim_get(o, "ninth") != NULL) {
        sim_der_uint(&b, SIM_DER_INTEGER, 0);
    }
    sim_der_close(&b, record);
    return sim_raw(o, "record", sim_done(&b));
}
