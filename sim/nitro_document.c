/* SPDX-License-Identifier: Apache-2.0 */
/* nitro_document.c: documents. CBOR is written here by hand, because a writer that cannot make a mistake cannot make a test. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "sim/nitro_internal.h"

enum {
    UINT = 0x00,
    BYTES = 0x40,
    TEXT = 0x60,
    ARRAY = 0x80,
    MAP = 0xa0,
    TAG = 0xc0,
    OPEN = 0x1f,
    NONE = 0xf6,
    END = 0xff
};

static void put_head(atls_buf *b, unsigned major, uint64_t n)
{
    const unsigned size = n < 24 ? 0 : n <= 0xff ? 1 : n <= 0xffff ? 2 : n <= 0xffffffff ? 4 : 8;
    const unsigned info = size == 0 ? (unsigned)n : size == 1 ? 24 : size == 2 ? 25 : size == 4 ? 26 : 27;
    sim_put_u8(b, major | info);
    for (unsigned i = size; i > 0; i--) {
        sim_put_u8(b, (uint8_t)(n >> (8 * (i - 1))));
    }
}

static void put_string(atls_buf *b, unsigned major, atls_bytes content)
{
    put_head(b, major, content.len);
    atls_buf_put(b, content);
}

static void put_text(atls_buf *b, const char *text)
{
    put_string(b, TEXT, atls_bytes_str(text));
}

/* Groups are collected first, so that their length form can be chosen. */
static void put_group(sim_op *o, atls_buf *b, const char *path, const char *def, unsigned major, uint64_t n,
                      atls_bytes content)
{
    const bool open = strcmp(sim_get_text(o, def, "%s", path), "open") == 0;
    if (open) {
        sim_put_u8(b, major | OPEN);
    } else {
        put_head(b, major, n);
    }
    atls_buf_put(b, content);
    if (open) {
        sim_put_u8(b, END);
    }
}

/* ---- registers ---- */

static void extend_text(const char *text, uint8_t out[48])
{
    uint8_t in[48 + 128] = {0};
    const atls_bytes name = atls_bytes_str(text);
    memcpy(in + 48, name.ptr, name.len);
    sim_sha384(atls_bytes_of(in, 48 + name.len), out);
}

/* The instance has a NitroTPM of which half is in use; the enclave has image, kernel, application, role and instance. */
void sim_nitro_pcr(sim_op *o, unsigned i, uint8_t out[48])
{
    char label[32];
    memset(out, 0, 48);
    (void)snprintf(label, sizeof label, "nitro pcr %u", i);
    if (i < (sim_nitro_of(o)->is_nitrotpm ? 12u : 3u)) {
        sim_derive(o, label, out, 48);
    } else if (sim_nitro_of(o)->is_nitrotpm) {
        memset(out, i >= 17 && i <= 22 ? 0xff : 0, 48); /* those are dynamic: nobody has reset them */
    } else if (i == 3) {
        extend_text(SIM_NITRO_ROLE, out);
    } else if (i == 4) {
        extend_text(SIM_NITRO_INSTANCE, out);
    }
    const char *set = sim_get(o, "pcr.%u", i);
    if (set != NULL && strcmp(set, "none") != 0) {
        memset(out, 0, 48);
        sim_get_fixed(o, out, 48, "pcr.%u", i);
    }
}

static void put_pcr(sim_op *o, atls_buf *b, unsigned i)
{
    uint8_t value[48];
    sim_nitro_pcr(o, i, value);
    put_head(b, UINT, i);
    const atls_bytes all = atls_bytes_of(value, (size_t)sim_get_uint(o, 48, "pcr_len.%u", i) % 49);
    put_string(b, BYTES, all);
}

static void put_pcrs(sim_op *o, atls_buf *b)
{
    atls_buf content = sim_buf(o);
    const unsigned n = sim_nitro_of(o)->is_nitrotpm ? 24 : 16;
    uint64_t count = 0;
    for (unsigned i = 0; i < 40; i++) {
        const char *set = sim_get(o, "pcr.%u", i);
        if (set != NULL ? strcmp(set, "none") != 0 : i < n) {
            put_pcr(o, &content, i);
            count++;
        }
    }
    const char *again = sim_get(o, "pcr_again");
    if (again != NULL) {
        put_pcr(o, &content, (unsigned)strtoul(again, NULL, 10));
        count++;
    }
    put_group(o, b, "pcrs.form", "definite", MAP, count, sim_done(&content));
}

/* ---- members ---- */

static void put_cabundle(sim_op *o, atls_buf *b)
{
    const char *list = sim_get_text(o, "root,regional,zonal,instance", "cabundle");
    atls_buf content = sim_buf(o);
    char word[64];
    uint64_t n = 0;
    while (sim_split(&list, word, sizeof word)) {
        const sim_cert *cert = sim_nitro_cert_find(sim_nitro_of(o), word);
        put_string(&content, BYTES, cert != NULL ? cert->der : sim_value_bytes(o, "cabundle", word));
        n++;
    }
    put_group(o, b, "cabundle.form", "definite", ARRAY, n, sim_done(&content));
}

static void put_optional(atls_buf *b, const atls_bytes *value)
{
    if (value == NULL) {
        sim_put_u8(b, NONE);
    } else {
        put_string(b, BYTES, *value);
    }
}

static const atls_bytes *asked(sim_op *o, const char *name, const atls_bytes *requested, atls_bytes *room)
{
    const char *set = sim_get(o, "%s", name);
    if (set == NULL) {
        return requested;
    }
    if (strcmp(set, "null") == 0) {
        return NULL;
    }
    *room = sim_value_bytes(o, name, set);
    return room;
}

/* One member, unless payload.<name> says otherwise: none, or CBOR in hex. */
static void add(sim_op *o, atls_buf *map, uint64_t *n, const char *name, atls_buf *value)
{
    const char *set = sim_get(o, "payload.%s", name);
    if (set != NULL && strcmp(set, "none") == 0) {
        return;
    }
    put_text(map, sim_get_text(o, name, "name.%s", name));
    atls_buf_put(map, set != NULL ? sim_value_bytes(o, name, set) : sim_done(value));
    *n += 1;
}

static void add_data(sim_op *o, atls_buf *map, uint64_t *n, const char *name, const atls_bytes *requested)
{
    atls_bytes room;
    atls_buf b = sim_buf(o);
    put_optional(&b, asked(o, name, requested, &room));
    add(o, map, n, name, &b);
}

static void add_head(sim_op *o, atls_buf *map, uint64_t *n)
{
    atls_buf module = sim_buf(o);
    atls_buf digest = sim_buf(o);
    atls_buf timestamp = sim_buf(o);
    atls_buf pcrs = sim_buf(o);
    put_text(&module, sim_nitro_module(o));
    put_text(&digest, sim_get_text(o, "SHA384", "digest"));
    put_head(&timestamp, UINT,
             (uint64_t)sim_get_time(o, o->s->now - 1, "timestamp") * 1000 + sim_get_uint(o, 578, "timestamp.ms"));
    put_pcrs(o, &pcrs);
    add(o, map, n, "module_id", &module);
    add(o, map, n, "digest", &digest);
    add(o, map, n, "timestamp", &timestamp);
    add(o, map, n, sim_nitro_of(o)->is_nitrotpm ? "nitrotpm_pcrs" : "pcrs", &pcrs);
}

static void add_certificates(sim_op *o, atls_buf *map, uint64_t *n)
{
    atls_buf certificate = sim_buf(o);
    atls_buf cabundle = sim_buf(o);
    const sim_cert *leaf = sim_nitro_cert_find(sim_nitro_of(o), sim_get_text(o, "leaf", "certificate"));
    put_string(&certificate, BYTES, leaf == NULL ? atls_bytes_empty() : leaf->der);
    put_cabundle(o, &cabundle);
    add(o, map, n, "certificate", &certificate);
    add(o, map, n, "cabundle", &cabundle);
}

/* "payload+<key>=<value>", both CBOR in hex, as often as wanted, after everything else. */
static void add_more(sim_op *o, atls_buf *map, uint64_t *n)
{
    size_t i = 0;
    for (const sim_setting *s = sim_next(o, "payload+", &i); s != NULL; s = sim_next(o, "payload+", &i)) {
        atls_buf_put(map, sim_value_bytes(o, s->path, s->path + strlen("payload+")));
        atls_buf_put(map, sim_value_bytes(o, s->path, s->value));
        *n += 1;
    }
}

static atls_bytes make_payload(sim_op *o, const sim_nitro_request *request)
{
    atls_buf map = sim_buf(o);
    atls_buf b = sim_buf(o);
    uint64_t n = 0;
    add_head(o, &map, &n);
    add_certificates(o, &map, &n);
    add_data(o, &map, &n, "public_key", request->public_key);
    add_data(o, &map, &n, "user_data", request->user_data);
    add_data(o, &map, &n, "nonce", request->nonce);
    add_more(o, &map, &n);
    put_group(o, &b, "payload.form", "open", MAP, n, sim_done(&map));
    return sim_raw(o, "payload", sim_done(&b));
}

/* ---- the envelope ---- */

static atls_bytes hex_or(sim_op *o, const char *path, const char *def)
{
    return sim_value_bytes(o, path, sim_get_text(o, def, "%s", path));
}

static atls_bytes to_be_signed(sim_op *o, atls_bytes protected_header, atls_bytes payload)
{
    atls_buf b = sim_buf(o);
    put_head(&b, ARRAY, 4);
    put_text(&b, sim_get_text(o, "Signature1", "context"));
    put_string(&b, BYTES, protected_header);
    put_string(&b, BYTES, hex_or(o, "external_aad", ""));
    put_string(&b, BYTES, payload);
    return sim_done(&b);
}

atls_bytes sim_nitro_document_make(sim_op *o, const sim_nitro_request *request)
{
    uint8_t rs[96];
    atls_buf b = sim_buf(o);
    const atls_bytes header = hex_or(o, "protected", "a1013822");
    const atls_bytes unprotected = hex_or(o, "unprotected", "a0");
    const atls_bytes payload = make_payload(o, request);
    const sim_key *key = sim_nitro_cert_key(o, sim_get_text(o, "leaf", "signed_by"));
    sim_sign384(o, key, to_be_signed(o, header, payload), "sig", rs);
    const char *tag = sim_get(o, "tag");
    if (tag != NULL) {
        put_head(&b, TAG, strtoull(tag, NULL, 10));
    }
    put_head(&b, ARRAY, sim_get_uint(o, 4, "elements"));
    put_string(&b, BYTES, header);
    atls_buf_put(&b, unprotected);
    put_string(&b, BYTES, payload);
    put_string(&b, BYTES, atls_bytes_of(rs, (size_t)sim_get_uint(o, 96, "sig_len") % 97));
    return sim_raw(o, "document", sim_done(&b));
}
