/* SPDX-License-Identifier: Apache-2.0 */
/* apple_receipt.c: receipts: a payload of bare values in Apple's order, and CMS around it, in BER with open lengths and chunks or
 * definite. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "sim/apple_internal.h"

/* ---- the payload ---- */

typedef struct receipt {
    bool is_renewed;
    atls_bytes credential;
    uint8_t client_hash[32];
} receipt;

/* Times in milliseconds, trailing zeros dropped: "...40.46Z". */
static atls_bytes time_text(sim_op *o, unsigned type, atls_time def)
{
    char text[ATLS_TIME_TEXT_SIZE];
    const char *fraction = sim_get_text(o, ".46", "receipt.fraction.%u", type);
    atls_buf b = sim_buf(o);
    atls_time_format(sim_get_time(o, def, "receipt.time.%u", type), text);
    atls_buf_format(&b, "%.19s%sZ", text, fraction);
    return sim_done(&b);
}

/* As Apple does it: every byte that is no ASCII becomes U+FFFD. */
static atls_bytes spoilt(sim_op *o, const uint8_t hash[32])
{
    atls_buf b = sim_buf(o);
    for (size_t i = 0; i < 32; i++) {
        atls_buf_put(&b, hash[i] < 0x80 ? atls_bytes_of(&hash[i], 1) : atls_bytes_of("\xef\xbf\xbd", 3));
    }
    return sim_done(&b);
}

/* "receipt.certificate": the id of another one. */
static atls_bytes attested(sim_op *o, const receipt *r)
{
    const char *id = sim_get(o, "receipt.certificate");
    const sim_cert *other = id == NULL ? NULL : sim_apple_cert_find(sim_apple_of(o), id);
    return other == NULL ? r->credential : other->der;
}

static atls_bytes value_of(sim_op *o, unsigned type, const receipt *r)
{
    switch (type) {
    case 2:
        return atls_bytes_str(sim_apple_app_id(o));
    case 3:
        return attested(o, r);
    case 4:
        return r->is_renewed ? spoilt(o, r->client_hash) : atls_bytes_of(r->client_hash, sizeof r->client_hash);
    case 5:
        return atls_bytes_str("c2ltdWxhdGVkIHRva2Vu");
    case 6:
        return atls_bytes_str(r->is_renewed ? "RECEIPT" : "ATTEST");
    case 7:
        return atls_bytes_str(sim_apple_of(o)->is_sandbox ? "sandbox" : "production");
    case 12:
        return time_text(o, type, o->s->now - 1);
    case 17:
        return atls_bytes_str("2");
    case 19:
        return time_text(o, type, o->s->now - 1 + 86400);
    case 21:
        return time_text(o, type, o->s->now - 1 + 90 * 86400);
    default:
        return atls_bytes_str("what nobody knows");
    }
}

/* "receipt.text.<type>", "receipt.hex.<type>" give other values, "receipt.version.<type>" another version. */
static void put_field(sim_op *o, unsigned type, const receipt *r, atls_buf *b)
{
    atls_bytes value = value_of(o, type, r);
    const char *text = sim_get(o, "receipt.text.%u", type);
    if (text != NULL) {
        value = atls_bytes_str(text);
    }
    (void)sim_get_bytes(o, &value, "receipt.hex.%u", type);
    size_t field = sim_der_open(b, SIM_DER_SEQUENCE);
    sim_der_uint(b, SIM_DER_INTEGER, type);
    sim_der_uint(b, SIM_DER_INTEGER, sim_get_uint(o, 1, "receipt.version.%u", type));
    sim_der_put(b, SIM_DER_OCTET_STRING, value);
    sim_der_close(b, field);
}

static atls_bytes make_payload(sim_op *o, const receipt *r)
{
    const char *list =
        sim_get_text(o, r->is_renewed ? "17,6,2,3,4,5,7,12,19,21" : "2,3,4,5,6,7,12,21", "receipt.fields");
    atls_buf b = sim_buf(o);
    char word[16];
    size_t set = sim_der_open(&b, (unsigned)sim_get_uint(o, SIM_DER_SET, "receipt.set_tag"));
    while (sim_split(&list, word, sizeof word)) {
        put_field(o, (unsigned)strtoul(word, NULL, 10), r, &b);
    }
    sim_der_close(&b, set);
    return sim_raw(o, "payload", sim_done(&b));
}

/* ---- BER ---- */

/* An element whose length is open, or definite, as the room has it. */
typedef struct writer {
    sim_op *o;
    atls_buf b;
    bool is_open;
} writer;

static size_t open_element(writer *w, unsigned tag)
{
    if (!w->is_open) {
        return sim_der_open(&w->b, tag);
    }
    sim_put_u8(&w->b, tag);
    sim_put_u8(&w->b, 0x80);
    return 0;
}

static void close_element(writer *w, size_t mark)
{
    if (!w->is_open) {
        sim_der_close(&w->b, mark);
        return;
    }
    sim_put_u8(&w->b, 0);
    sim_put_u8(&w->b, 0);
}

static void put_algorithm(writer *w, const char *path, const char *def, bool has_null)
{
    const char *parameters = sim_get_text(w->o, has_null ? "null" : "none", "%s.parameters", path);
    size_t id = sim_der_open(&w->b, SIM_DER_SEQUENCE);
    sim_der_oid(&w->b, sim_get_text(w->o, def, "%s", path));
    if (strcmp(parameters, "none") != 0) {
        sim_der_put(&w->b, strcmp(parameters, "null") == 0 ? 0x05u : 0x02u, atls_bytes_empty());
    }
    sim_der_close(&w->b, id);
}

static void put_content(writer *w, atls_bytes content)
{
    const size_t chunk = (size_t)sim_get_uint(w->o, 500, "cms.chunk");
    size_t info = open_element(w, SIM_DER_SEQUENCE);
    sim_der_oid(&w->b, sim_get_text(w->o, "1.2.840.113549.1.7.1", "cms.content_type"));
    size_t tagged = open_element(w, 0xa0);
    if (!w->is_open && sim_get(w->o, "cms.chunk") == NULL) {
        sim_der_put(&w->b, SIM_DER_OCTET_STRING, content);
    } else {
        size_t string = open_element(w, 0x24);
        for (size_t at = 0; at < content.len; at += chunk) {
            const size_t n = content.len - at < chunk ? content.len - at : chunk;
            sim_der_put(&w->b, (unsigned)sim_get_uint(w->o, SIM_DER_OCTET_STRING, "cms.chunk_tag"),
                        atls_bytes_of(content.ptr + at, n));
        }
        close_element(w, string);
    }
    close_element(w, tagged);
    close_element(w, info);
}

static void put_certificates(writer *w)
{
    const char *list = sim_get_text(w->o, "signer,receipt_ca,receipt_root", "cms.certificates");
    char word[64];
    if (strcmp(list, "none") == 0) {
        return;
    }
    size_t set = open_element(w, 0xa0);
    while (sim_split(&list, word, sizeof word)) {
        const sim_cert *cert = sim_apple_cert_find(sim_apple_of(w->o), word);
        atls_buf_put(&w->b, cert != NULL ? cert->der : sim_value_bytes(w->o, "cms.certificates", word));
    }
    close_element(w, set);
}

static void put_signer(writer *w, atls_bytes content)
{
    const char *by = sim_get_text(w->o, "signer", "cms.signed_by");
    const char *named = sim_get_text(w->o, "signer", "cms.named");
    const char *issuer = sim_get_text(w->o, "receipt_ca", "cms.issuer");
    atls_buf signature = sim_buf(w->o);
    size_t info = open_element(w, SIM_DER_SEQUENCE);
    sim_der_uint(&w->b, SIM_DER_INTEGER, sim_get_uint(w->o, 1, "cms.signer_version"));
    size_t id = sim_der_open(&w->b, SIM_DER_SEQUENCE);
    sim_apple_name_put(w->o, issuer, &w->b);
    sim_apple_serial_put(w->o, named, &w->b);
    sim_der_close(&w->b, id);
    put_algorithm(w, "cms.digest", "2.16.840.1.101.3.4.2.1", true);
    if (sim_get(w->o, "cms.signed_attrs") != NULL) {
        sim_der_put(&w->b, 0xa0, atls_bytes_empty());
    }
    put_algorithm(w, "cms.sig_alg", "1.2.840.10045.4.3.2", false);
    sim_apple_sign(w->o, sim_apple_cert_key(w->o, by), false, content, "cms.sig", &signature);
    sim_der_put(&w->b, SIM_DER_OCTET_STRING, sim_done(&signature));
    if (sim_get(w->o, "cms.unsigned_attrs") != NULL) {
        sim_der_put(&w->b, 0xa1, atls_bytes_empty());
    }
    close_element(w, info);
}

static atls_bytes make_cms(sim_op *o, atls_bytes content)
{
    writer w = {.o = o, .b = sim_buf(o)};
    w.is_open = strcmp(sim_get_text(o, "ber", "cms.form"), "ber") == 0;
    size_t outer = open_element(&w, SIM_DER_SEQUENCE);
    sim_der_oid(&w.b, sim_get_text(o, "1.2.840.113549.1.7.2", "cms.type"));
    size_t tagged = open_element(&w, 0xa0);
    size_t data = open_element(&w, SIM_DER_SEQUENCE);
    sim_der_uint(&w.b, SIM_DER_INTEGER, sim_get_uint(o, 1, "cms.version"));
    size_t algorithms = sim_der_open(&w.b, SIM_DER_SET);
    put_algorithm(&w, "cms.digests", "2.16.840.1.101.3.4.2.1", true);
    sim_der_close(&w.b, algorithms);
    put_content(&w, content);
    put_certificates(&w);
    size_t signers = open_element(&w, SIM_DER_SET);
    for (uint64_t i = sim_get_uint(o, 1, "cms.signers"); i > 0; i--) {
        put_signer(&w, content);
    }
    close_element(&w, signers);
    close_element(&w, data);
    close_element(&w, tagged);
    close_element(&w, outer);
    return sim_raw(o, "receipt", sim_done(&w.b));
}

atls_bytes sim_apple_receipt_make(sim_op *o, atls_bytes client_data, bool is_renewed)
{
    atls_bytes auth_data;
    receipt r = {.is_renewed = is_renewed};
    const char *other = sim_get(o, "receipt.client_data");
    const atls_bytes hashed = other == NULL ? client_data : atls_bytes_str(other);
    sim_apple_bound(o, client_data, &auth_data, &r.credential);
    sim_sha256(hashed, r.client_hash);
    return make_cms(o, make_payload(o, &r));
}
