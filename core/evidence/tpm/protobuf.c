/* SPDX-License-Identifier: Apache-2.0 */
/* protobuf.c: go-tpm-tools' binary attest.Attestation. A small strict reader: numbers of at most 64 bits in their shortest form,
 * lengths within the message, no groups; a field that is not repeated comes once. Unknown fields are passed over.
 *
 * Source: proto/attest.proto and proto/tpm.proto of go-tpm-tools; Protocol Buffers, "Encoding". */
#include <stdio.h>

#include "base/cursor.h"
#include "tpm.h"

#define WIRE_VARINT  0u
#define WIRE_FIXED64 1u
#define WIRE_BYTES   2u
#define WIRE_FIXED32 5u

/* the fields that come once, by their numbers */
#define ENTRY_FIELDS 0x06u /* key, value */
#define HASH_FIELDS  0x02u
#define QUOTE_FIELDS 0x0eu /* quote, raw_sig, pcrs */
#define TOP_FIELDS   0x7au /* ak_pub, event_log, instance_info, canonical_event_log, ak_cert */

typedef struct pb_field {
    uint64_t number;
    unsigned wire;
    uint64_t value;   /* WIRE_VARINT */
    atls_bytes bytes; /* WIRE_BYTES */
} pb_field;

static bool read_varint(atls_cur *c, const char *field, uint64_t *out)
{
    uint8_t octet = 0x80;
    *out = 0;
    for (unsigned shift = 0; (octet & 0x80) != 0; shift += 7) {
        if (!atls_cur_u8(c, field, &octet)) {
            return false;
        }
        if (shift == 63 && octet > 1) {
            return atls_cur_fail(c, ATLS_E_ENCODING, field, NULL, NULL, "a number of more than 64 bits");
        }
        if (shift > 0 && octet == 0) {
            return atls_cur_fail(c, ATLS_E_ENCODING, field, NULL, NULL, "a number is longer than it has to be");
        }
        *out |= (uint64_t)(octet & 0x7f) << shift;
    }
    return true;
}

static bool read_field(atls_cur *c, pb_field *out)
{
    uint64_t tag;
    uint64_t len;
    *out = (pb_field){.bytes = atls_bytes_empty()};
    if (!read_varint(c, "tag", &tag)) {
        return false;
    }
    out->number = tag >> 3;
    out->wire = (unsigned)(tag & 7);
    if (out->number == 0) {
        return atls_cur_fail(c, ATLS_E_ENCODING, "tag", NULL, NULL, "no field has the number 0");
    }
    switch (out->wire) {
    case WIRE_VARINT:
        return read_varint(c, "value", &out->value);
    case WIRE_FIXED64:
        return atls_cur_skip(c, "value", 8);
    case WIRE_FIXED32:
        return atls_cur_skip(c, "value", 4);
    case WIRE_BYTES:
        if (!read_varint(c, "length", &len)) {
            return false;
        }
        return len <= SIZE_MAX ? atls_cur_bytes(c, "value", (size_t)len, &out->bytes)
                               : atls_cur_fail(c, ATLS_E_TRUNCATED, "value", NULL, NULL, NULL);
    default:
        return atls_cur_fail(c, ATLS_E_ENCODING, "tag", NULL, NULL, "a wire type that this message does not have");
    }
}

/* A field that is known and not repeated comes once. known: bit n for field n; seen: those that came. Of other fields nobody can
 * say how often they may come. */
static bool check_once(const atls_cur *c, const pb_field *f, uint32_t known, uint32_t *seen)
{
    const uint32_t bit = f->number < 32 ? 1u << f->number & known : 0;
    if ((*seen & bit) != 0) {
        return atls_cur_fail(c, ATLS_E_ENCODING, "", NULL, NULL, "a field that may come once comes twice");
    }
    *seen |= bit;
    return true;
}

/* A field that is known must have its own wire type: another one is another message. */
static bool check_wire(const atls_cur *c, const pb_field *f, unsigned wire)
{
    return f->wire == wire
           || atls_cur_fail(c, ATLS_E_ENCODING, "tag", NULL, NULL, "a field has another type than it should");
}

/* map<uint32, bytes>: an entry is a message {1: key, 2: value}, zero and empty may be left out */
static bool read_entry(atls_bytes in, tpm_bank *bank, atls_error *err)
{
    atls_cur c;
    pb_field f;
    uint32_t seen = 0;
    uint64_t index = 0;
    atls_bytes value = atls_bytes_empty();
    atls_cur_init(&c, in, "pcrs", err);
    while (c.rest.len > 0) {
        if (!read_field(&c, &f) || !check_once(&c, &f, ENTRY_FIELDS, &seen)) {
            return false;
        }
        if (f.number == 1 || f.number == 2) {
            if (!check_wire(&c, &f, f.number == 1 ? WIRE_VARINT : WIRE_BYTES)) {
                return false;
            }
            index = f.number == 1 ? f.value : index;
            value = f.number == 2 ? f.bytes : value;
        }
    }
    return tpm_pcr_add(bank, index, value, err);
}

static bool find_hash(atls_bytes in, uint64_t *alg, atls_error *err)
{
    atls_cur c;
    pb_field f;
    uint32_t seen = 0;
    *alg = 0;
    atls_cur_init(&c, in, "pcrs", err);
    while (c.rest.len > 0) {
        if (!read_field(&c, &f)) {
            return false;
        }
        if (f.number == 1) {
            if (!check_wire(&c, &f, WIRE_VARINT) || !check_once(&c, &f, HASH_FIELDS, &seen)) {
                return false;
            }
            *alg = f.value;
        }
    }
    return true;
}

/* PCRs {1: hash, 2: map}. Entries may stand before the hash, so it is looked for first. */
static bool read_pcrs(atls_bytes in, tpm_quote *q, atls_arena *a, atls_error *err)
{
    atls_cur c;
    pb_field f;
    uint64_t alg;
    tpm_bank *bank;
    if (!find_hash(in, &alg, err) || !tpm_bank_add(q, a, alg, &bank, err)) {
        return false;
    }
    atls_cur_init(&c, in, "pcrs", err);
    while (c.rest.len > 0) {
        if (!read_field(&c, &f)) {
            return false;
        }
        if (f.number == 2 && (!check_wire(&c, &f, WIRE_BYTES) || !read_entry(f.bytes, bank, err))) {
            return false;
        }
    }
    return true;
}

/* Quote {1: quote, 2: raw_sig, 3: pcrs} */
static bool read_quote_fields(atls_bytes in, tpm_quote *q, atls_arena *a, atls_error *err)
{
    atls_cur c;
    pb_field f;
    uint32_t seen = 0;
    atls_cur_init(&c, in, "", err);
    while (c.rest.len > 0) {
        if (!read_field(&c, &f) || !check_once(&c, &f, QUOTE_FIELDS, &seen)) {
            return false;
        }
        if (f.number > 3) {
            continue;
        }
        if (!check_wire(&c, &f, WIRE_BYTES)) {
            return false;
        }
        if (f.number == 3 && !read_pcrs(f.bytes, q, a, err)) {
            return false;
        }
        q->message = f.number == 1 ? f.bytes : q->message;
        q->signature = f.number == 2 ? f.bytes : q->signature;
    }
    return true;
}

static bool read_quote(atls_bytes in, tpm_evidence *e, atls_arena *a, atls_error *err)
{
    tpm_quote *q;
    if (!tpm_quote_add(e, a, &q, err)) {
        return false;
    }
    if (!read_quote_fields(in, q, a, err)) {
        char path[24];
        snprintf(path, sizeof path, "quotes[%zu]", e->n_quotes - 1);
        return atls_error_relabel(err, ATLS_E_EVIDENCE_FORMAT, path);
    }
    return true;
}

/* instance_info, canonical_event_log and the hardware attestations are passed over: nobody verifies them. */
static bool take(const pb_field *f, tpm_evidence *e, atls_arena *a, atls_error *err)
{
    switch (f->number) {
    case 1:
        e->ak_pub = f->bytes;
        return true;
    case 2:
        return read_quote(f->bytes, e, a, err);
    case 3:
        e->event_log = f->bytes;
        return true;
    case 6:
        e->ak_cert = f->bytes;
        return true;
    case 7:
        return tpm_cert_add(e->certs, &e->n_certs, f->bytes, "intermediate_certs", err);
    default:
        return true;
    }
}

bool tpm_protobuf_decode(atls_bytes in, atls_arena *a, tpm_evidence *out, atls_error *err)
{
    atls_cur c;
    pb_field f;
    uint32_t seen = 0;
    atls_cur_init(&c, in, "", err);
    while (c.rest.len > 0) {
        if (!read_field(&c, &f)) {
            return false;
        }
        if (!check_once(&c, &f, TOP_FIELDS, &seen) || (f.number <= 7 && !check_wire(&c, &f, WIRE_BYTES))
            || !take(&f, out, a, err)) {
            return false;
        }
    }
    return true;
}
