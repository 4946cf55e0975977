/* SPDX-License-Identifier: Apache-2.0 */
/* tpm_forms.c: quotes over a value, and the four forms around them. Written without the verifier's writers. */
#include "sim/tpm_internal.h"

#include <openssl/evp.h>
#include <stdio.h>
#include <string.h>

#define MAX_QUOTES 8u

typedef struct quote {
    const sim_tpm_bank *bank;
    atls_bytes message;
    atls_bytes signature;
    uint32_t shown;
} quote;

typedef struct document {
    const sim_tpm *t;
    quote quotes[MAX_QUOTES];
    size_t n_quotes;
    atls_bytes instance_info;
    atls_bytes user_data;
    atls_bytes report; /* hardware evidence, empty: none */
    atls_bytes runtime_data;
} document;

/* ---- quotes ---- */

static void put_sized(atls_buf *b, atls_bytes in)
{
    sim_put_be(b, in.len, 2);
    atls_buf_put(b, in);
}

static atls_bytes pcr_digest(sim_op *o, const sim_tpm *t, const sim_tpm_bank *bank, uint32_t mask, uint8_t out[64])
{
    static const size_t lens[] = {32, 48, 64};
    atls_buf b = sim_buf(o);
    for (size_t i = 0; i < SIM_TPM_N_PCRS; i++) {
        if ((mask >> i & 1u) != 0) {
            atls_buf_put(&b, atls_bytes_of(bank->pcr[i], bank->len));
        }
    }
    sim_hash(t->hash, sim_done(&b), out);
    sim_get_fixed(o, out, 32, "quote.%s.digest", bank->name);
    return atls_bytes_of(out, t->hash >= 11 && t->hash <= 13 ? lens[t->hash - 11] : 32);
}

/* TPMS_ATTEST; settings quote.<bank>.magic, .type, .signer, .extra, .clock, .safe, .firmware, .select, .tail */
static atls_bytes make_message(sim_op *o, const sim_tpm *t, const sim_tpm_bank *bank, uint32_t mask, atls_bytes value)
{
    const char *n = bank->name;
    uint8_t digest[64];
    uint8_t signer[34] = {0x00, 0x0b};
    atls_bytes extra = value;
    atls_bytes tail = atls_bytes_empty();
    atls_buf b = sim_buf(o);
    sim_put_be(&b, sim_get_uint(o, 0xff544347, "quote.%s.magic", n), 4);
    sim_put_be(&b, sim_get_uint(o, 0x8018, "quote.%s.type", n), 2);
    sim_derive(o, "signer", signer + 2, 32);
    put_sized(&b, atls_bytes_of(signer, sizeof signer));
    (void)sim_get_bytes(o, &extra, "quote.%s.extra", n);
    put_sized(&b, extra);
    sim_put_be(&b, sim_get_uint(o, 123456789, "quote.%s.clock", n), 8);
    sim_put_be(&b, 3, 4);
    sim_put_be(&b, 1, 4);
    sim_put_be(&b, sim_get_uint(o, 1, "quote.%s.safe", n), 1);
    sim_put_be(&b, sim_get_uint(o, 0x2016051100162800, "quote.%s.firmware", n), 8);
    sim_put_be(&b, 1, 4);
    sim_put_be(&b, sim_get_uint(o, bank->alg, "quote.%s.bank", n), 2);
    sim_put_u8(&b, 3);
    sim_put_le(&b, sim_get_uint(o, mask, "quote.%s.select", n), 3);
    put_sized(&b, pcr_digest(o, t, bank, mask, digest));
    (void)sim_get_bytes(o, &tail, "quote.%s.tail", n);
    atls_buf_put(&b, tail);
    return sim_done(&b);
}

static const sim_tpm_bank *bank_of(const sim_tpm *t, const char *name)
{
    for (size_t i = 0; i < SIM_TPM_N_BANKS; i++) {
        if (strcmp(t->banks[i].name, name) == 0) {
            return &t->banks[i];
        }
    }
    return NULL;
}

/* quotes: a comma list of banks. quote.<bank>.mask is what is quoted and shown, .shown what is shown. */
static void make_quotes(sim_op *o, document *d, atls_bytes value)
{
    const char *list = sim_get_text(o, "sha1,sha256", "quotes");
    char word[16];
    while (d->n_quotes < MAX_QUOTES && sim_split(&list, word, sizeof word)) {
        char raw[32];
        quote *q = &d->quotes[d->n_quotes++];
        q->bank = bank_of(d->t, word);
        if (q->bank == NULL) {
            sim_bad(o, "quotes", "banks are sha1, sha256, sha384 and sha512");
            return;
        }
        const uint32_t mask = (uint32_t)sim_get_uint(o, 0xffffff, "quote.%s.mask", word);
        q->shown = (uint32_t)sim_get_uint(o, mask, "quote.%s.shown", word);
        q->message = make_message(o, d->t, q->bank, mask, value);
        q->signature = sim_tpm_sign(o, d->t, word, q->message);
        (void)snprintf(raw, sizeof raw, "%s.message", word);
        q->message = sim_raw(o, raw, q->message);
    }
}

/* shown.<bank>.<i>: a value other than the quoted one */
static atls_bytes shown_pcr(sim_op *o, const quote *q, size_t i)
{
    atls_bytes value = atls_bytes_of(q->bank->pcr[i], q->bank->len);
    (void)sim_get_bytes(o, &value, "shown.%s.%zu", q->bank->name, i);
    return value;
}

/* ---- JSON ---- */

/* name NULL: an element of an array */
static void put_base64(sim_op *o, atls_buf *b, const char *name, atls_bytes in)
{
    char *text = (char *)atls_arena_raw(o->a, (in.len + 2) / 3 * 4 + 1, &o->err);
    if (text == NULL) {
        return;
    }
    (void)EVP_EncodeBlock((unsigned char *)text, in.ptr, (int)in.len);
    if (name != NULL) {
        atls_buf_format(b, "\"%s\":", name);
    }
    atls_buf_str(b, "\"");
    atls_buf_str(b, text);
    atls_buf_str(b, "\"");
}

static void put_json_quote(sim_op *o, const quote *q, atls_buf *b)
{
    const char *comma = "";
    atls_buf_str(b, "{");
    put_base64(o, b, "quote", q->message);
    atls_buf_str(b, ",");
    put_base64(o, b, "raw_sig", q->signature);
    atls_buf_format(b, ",\"pcrs\":{\"hash\":%u,\"pcrs\":{",
                    (unsigned)sim_get_uint(o, q->bank->alg, "shown.%s.hash", q->bank->name));
    for (size_t i = 0; i < SIM_TPM_N_PCRS; i++) {
        if ((q->shown >> i & 1u) != 0) {
            char name[8];
            (void)snprintf(name, sizeof name, "%zu", i);
            atls_buf_str(b, comma);
            put_base64(o, b, name, shown_pcr(o, q, i));
            comma = ",";
        }
    }
    atls_buf_str(b, "}}}");
}

static atls_bytes make_json(sim_op *o, const document *d)
{
    atls_buf b = sim_buf(o);
    atls_buf_str(&b, "{");
    put_base64(o, &b, "ak_pub", d->t->ak_pub);
    atls_buf_str(&b, ",\"quotes\":[");
    for (size_t i = 0; i < d->n_quotes; i++) {
        atls_buf_str(&b, i == 0 ? "" : ",");
        put_json_quote(o, &d->quotes[i], &b);
    }
    atls_buf_str(&b, "],");
    put_base64(o, &b, "event_log", d->t->log);
    if (d->t->has_cert) {
        atls_buf_str(&b, ",");
        put_base64(o, &b, "ak_cert", d->t->leaf);
    }
    if (d->t->certs_along) {
        atls_buf_str(&b, ",\"intermediate_certs\":[");
        put_base64(o, &b, NULL, d->t->intermediate);
        atls_buf_str(&b, "]");
    }
    atls_buf_str(&b, ",\"TeeAttestation\":null}");
    return sim_doc(o, "document", sim_done(&b));
}

static atls_bytes make_constellation(sim_op *o, const document *d)
{
    atls_buf b = sim_buf(o);
    atls_buf_str(&b, "{\"Attestation\":");
    atls_buf_put(&b, make_json(o, d));
    atls_buf_str(&b, ",");
    if (d->instance_info.len == 0) {
        atls_buf_str(&b, "\"InstanceInfo\":null");
    } else {
        put_base64(o, &b, "InstanceInfo", d->instance_info);
    }
    atls_buf_str(&b, ",");
    put_base64(o, &b, "UserData", d->user_data);
    atls_buf_str(&b, "}");
    return sim_doc(o, "outer", sim_done(&b));
}

/* ---- protobuf ---- */

static void put_varint(atls_buf *b, uint64_t v)
{
    while (v > 0x7f) {
        sim_put_u8(b, (unsigned)(0x80 | (v & 0x7f)));
        v >>= 7;
    }
    sim_put_u8(b, (unsigned)v);
}

static void put_field(atls_buf *b, unsigned number, atls_bytes in)
{
    put_varint(b, (uint64_t)number << 3 | 2);
    put_varint(b, in.len);
    atls_buf_put(b, in);
}

static atls_bytes make_pb_quote(sim_op *o, const quote *q)
{
    atls_buf pcrs = sim_buf(o);
    put_varint(&pcrs, 8);
    put_varint(&pcrs, sim_get_uint(o, q->bank->alg, "shown.%s.hash", q->bank->name));
    for (size_t i = 0; i < SIM_TPM_N_PCRS; i++) {
        if ((q->shown >> i & 1u) != 0) {
            atls_buf entry = sim_buf(o);
            put_varint(&entry, 8);
            put_varint(&entry, i);
            put_field(&entry, 2, shown_pcr(o, q, i));
            put_field(&pcrs, 2, sim_done(&entry));
        }
    }
    atls_buf b = sim_buf(o);
    put_field(&b, 1, q->message);
    put_field(&b, 2, q->signature);
    put_field(&b, 3, sim_done(&pcrs));
    return sim_done(&b);
}

static atls_bytes make_protobuf(sim_op *o, const document *d)
{
    atls_buf b = sim_buf(o);
    put_field(&b, 1, d->t->ak_pub);
    for (size_t i = 0; i < d->n_quotes; i++) {
        put_field(&b, 2, make_pb_quote(o, &d->quotes[i]));
    }
    put_field(&b, 3, d->t->log);
    if (d->t->has_cert) {
        put_field(&b, 6, d->t->leaf);
    }
    if (d->t->certs_along) {
        put_field(&b, 7, d->t->intermediate);
    }
    return sim_done(&b);
}

/* ---- CBOR ---- */

static void put_head(atls_buf *b, unsigned major, uint64_t n)
{
    const size_t len = n < 24 ? 0 : n < 0x100 ? 1 : n < 0x10000 ? 2 : 4;
    static const unsigned codes[] = {0, 24, 25, 0, 26};
    sim_put_u8(b, major << 5 | (len == 0 ? (unsigned)n : codes[len]));
    sim_put_be(b, n, len);
}

static void put_bytes(atls_buf *b, atls_bytes in)
{
    put_head(b, 2, in.len);
    atls_buf_put(b, in);
}

static void put_cbor_quote(sim_op *o, const quote *q, atls_buf *b)
{
    size_t n = 0;
    for (size_t i = 0; i < SIM_TPM_N_PCRS; i++) {
        n += q->shown >> i & 1u;
    }
    put_head(b, 4, 3);
    put_bytes(b, q->message);
    put_bytes(b, q->signature);
    put_head(b, 5, 1);
    put_head(b, 0, sim_get_uint(o, q->bank->alg, "shown.%s.hash", q->bank->name));
    put_head(b, 5, n);
    for (size_t i = 0; i < SIM_TPM_N_PCRS; i++) {
        if ((q->shown >> i & 1u) != 0) {
            put_head(b, 0, i);
            put_bytes(b, shown_pcr(o, q, i));
        }
    }
}

static atls_bytes make_cbor(sim_op *o, const document *d)
{
    const bool has_log = d->t->log.len > 0;
    const bool has_hardware = d->report.len > 0;
    atls_buf b = sim_buf(o);
    put_head(&b, 5, 2u + (has_log ? 1u : 0u) + (d->t->has_cert ? 1u : 0u) + (has_hardware ? 1u : 0u));
    put_head(&b, 0, 0);
    put_bytes(&b, d->t->ak_pub);
    put_head(&b, 0, 1);
    put_head(&b, 4, d->n_quotes);
    for (size_t i = 0; i < d->n_quotes; i++) {
        put_cbor_quote(o, &d->quotes[i], &b);
    }
    if (has_log) {
        put_head(&b, 0, 2);
        put_bytes(&b, d->t->log);
    }
    if (d->t->has_cert) {
        put_head(&b, 0, 3);
        put_head(&b, 4, d->t->certs_along ? 2 : 1);
        put_bytes(&b, d->t->leaf);
        if (d->t->certs_along) {
            put_bytes(&b, d->t->intermediate);
        }
    }
    if (has_hardware) {
        put_head(&b, 0, 4);
        put_head(&b, 4, 4);
        const char *kind = sim_get_text(o, "sev-snp", "hardware.kind");
        put_head(&b, 3, strlen(kind));
        atls_buf_str(&b, kind);
        put_bytes(&b, d->report);
        put_bytes(&b, d->runtime_data);
        put_head(&b, 4, 0);
    }
    return sim_done(&b);
}

/* ---- the whole ---- */

static atls_bytes bound_value(sim_op *o, const document *d, sim_tpm_form form, atls_bytes value, uint8_t out[64])
{
    if (form != SIM_TPM_CONSTELLATION) {
        return value;
    }
    atls_buf b = sim_buf(o);
    atls_buf_put(&b, d->instance_info);
    atls_buf_put(&b, value);
    sim_sha256(sim_done(&b), out);
    return atls_bytes_of(out, 32);
}

/* instance_info: text as carried. user_data: bytes. hardware.report, hardware.runtime_data: as they stand in CBOR. */
atls_bytes sim_tpm_document_make(sim_op *o, sim_tpm *t, sim_tpm_form form, atls_bytes value)
{
    uint8_t bound[64];
    uint8_t user_data[32];
    document d = {.t = t, .report = atls_bytes_empty(), .runtime_data = atls_bytes_empty()};
    d.instance_info = atls_bytes_str(sim_get_text(o, "", "instance_info"));
    sim_derive(o, "user data", user_data, sizeof user_data);
    d.user_data = atls_bytes_of(user_data, sizeof user_data);
    (void)sim_get_bytes(o, &d.user_data, "user_data");
    (void)sim_get_bytes(o, &d.report, "hardware.report");
    d.runtime_data = atls_bytes_str(sim_get_text(o, "", "hardware.runtime_data"));
    make_quotes(o, &d, bound_value(o, &d, form, value, bound));
    const atls_bytes out = form == SIM_TPM_CONSTELLATION ? make_constellation(o, &d)
                           : form == SIM_TPM_JSON        ? make_json(o, &d)
                           : form == SIM_TPM_PROTOBUF    ? make_protobuf(o, &d)
                                                         : make_cbor(o, &d);
    return sim_raw(o, "document", out);
}
