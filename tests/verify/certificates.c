/* SPDX-License-Identifier: Apache-2.0 */
/* certificates.c: see certificates.h. */
#include "certificates.h"

#include <openssl/evp.h>
#include <openssl/x509v3.h>
#include <stdlib.h>
#include <string.h>

#define ARENA_SIZE ((size_t)64 * 1024 * 1024)
#define DAY        (24L * 60 * 60)

static void check(bool ok)
{
    if (!ok) {
        abort();
    }
}

void lab_open(lab *l)
{
    memset(l, 0, sizeof *l);
    check(atls_arena_new(&l->arena, ARENA_SIZE, &l->err));
}

void lab_close(lab *l)
{
    atls_arena_free(&l->arena);
}

static atls_bytes keep(lab *l, const void *bytes, size_t n)
{
    atls_bytes out;
    check(atls_arena_copy(&l->arena, atls_bytes_of(bytes, n), &out, &l->err));
    return out;
}

/* ---- certificates ---- */

static void extend(X509 *cert, const lab_extension *e)
{
    ASN1_OBJECT *oid = OBJ_txt2obj(e->oid, 1);
    ASN1_OCTET_STRING *value = ASN1_OCTET_STRING_new();
    check(oid != NULL && value != NULL && ASN1_OCTET_STRING_set(value, e->value.ptr, (int)e->value.len) == 1);
    X509_EXTENSION *x = X509_EXTENSION_create_by_OBJ(NULL, oid, e->critical, value);
    check(x != NULL && X509_add_ext(cert, x, -1) == 1);
    X509_EXTENSION_free(x);
    ASN1_OCTET_STRING_free(value);
    ASN1_OBJECT_free(oid);
}

atls_bytes lab_certificate(lab *l, const lab_extension *extensions, size_t n)
{
    unsigned char *der = NULL;
    EVP_PKEY *key = EVP_EC_gen("P-256");
    X509 *cert = X509_new();
    check(key != NULL && cert != NULL && X509_set_version(cert, X509_VERSION_3) == 1);
    X509_NAME *name = X509_get_subject_name(cert);
    check(ASN1_INTEGER_set(X509_get_serialNumber(cert), 4711) == 1
          && X509_NAME_add_entry_by_txt(name, "CN", MBSTRING_ASC, (const unsigned char *)"Constellation", -1, -1, 0)
                 == 1
          && X509_set_issuer_name(cert, name) == 1 && X509_gmtime_adj(X509_getm_notBefore(cert), -DAY) != NULL
          && X509_gmtime_adj(X509_getm_notAfter(cert), DAY) != NULL && X509_set_pubkey(cert, key) == 1);
    for (size_t i = 0; i < n; i++) {
        extend(cert, &extensions[i]);
    }
    check(X509_sign(cert, key, EVP_sha256()) > 0);
    const int len = i2d_X509(cert, &der);
    check(len > 0);
    const atls_bytes out = keep(l, der, (size_t)len);
    OPENSSL_free(der);
    der = NULL;
    const int key_len = i2d_PrivateKey(key, &der);
    check(key_len > 0);
    l->key = keep(l, der, (size_t)key_len);
    OPENSSL_free(der);
    X509_free(cert);
    EVP_PKEY_free(key);
    return out;
}

/* ---- values ---- */

atls_bytes lab_quote(lab *l, sim_kind kind)
{
    static const uint8_t report_data[64] = {1, 2, 3};
    const sim_options options = {.kind = kind};
    sim *room;
    atls_bytes quote;
    check(sim_new(&options, &room, &l->err) && sim_quote(room, report_data, &l->arena, &quote, &l->err));
    const atls_bytes out = keep(l, quote.ptr, quote.len);
    sim_free(room);
    return out;
}

atls_bytes lab_hex(lab *l, const char *hex)
{
    atls_bytes out;
    check(atls_hex_decode(atls_bytes_str(hex), "hex", &l->arena, &out, &l->err));
    return out;
}

atls_bytes lab_join(lab *l, atls_bytes a, atls_bytes b)
{
    atls_buf buf;
    atls_bytes out;
    atls_buf_init(&buf, &l->arena, &l->err);
    atls_buf_put(&buf, a);
    atls_buf_put(&buf, b);
    check(atls_buf_done(&buf, &out));
    return out;
}

atls_bytes lab_der(lab *l, unsigned tag, atls_bytes content)
{
    const size_t n = content.len;
    const uint8_t head[4] = {(uint8_t)tag, 0x82, (uint8_t)(n >> 8), (uint8_t)n};
    const uint8_t middle[3] = {(uint8_t)tag, 0x81, (uint8_t)n};
    const uint8_t brief[2] = {(uint8_t)tag, (uint8_t)n};
    check(n < 65536);
    return lab_join(l,
                    n > 255   ? atls_bytes_of(head, sizeof head)
                    : n > 127 ? atls_bytes_of(middle, sizeof middle)
                              : atls_bytes_of(brief, sizeof brief),
                    content);
}

atls_bytes lab_cbor(lab *l, unsigned major, uint64_t n)
{
    const unsigned kind = n < 24 ? (unsigned)n : n < 256 ? 24u : n < 65536 ? 25u : 26u;
    const uint8_t head[5] = {(uint8_t)(major << 5 | kind), (uint8_t)(n >> 24), (uint8_t)(n >> 16), (uint8_t)(n >> 8),
                             (uint8_t)n};
    const size_t width = kind < 24 ? 0 : (size_t)1 << (kind - 24);
    check(n <= UINT32_MAX);
    return lab_join(l, atls_bytes_of(head, 1), atls_bytes_of(head + 5 - width, width));
}

atls_bytes lab_cbor_bytes(lab *l, atls_bytes content)
{
    return lab_join(l, lab_cbor(l, 2, content.len), content);
}

atls_bytes lab_tdx_document(lab *l, atls_bytes quote)
{
    const size_t n = 4 * ((quote.len + 2) / 3);
    uint8_t *base64 = atls_arena_raw(&l->arena, n + 1, &l->err);
    check(base64 != NULL && EVP_EncodeBlock(base64, quote.ptr, (int)quote.len) == (int)n);
    const char *text =
        atls_text_format(&l->arena, &l->err, "{\"RawQuote\":\"%s\",\"UserData\":\"AAEC\"}", (const char *)base64);
    check(text != NULL);
    return atls_bytes_str(text);
}

atls_bytes lab_claims(lab *l)
{
    static const uint8_t hash[32] = {9};
    const atls_bytes pair = lab_join(l, lab_hex(l, "8201"), lab_cbor_bytes(l, atls_bytes_of(hash, sizeof hash)));
    const atls_bytes name = lab_join(l, lab_hex(l, "a16b"), atls_bytes_str("pubkey-hash"));
    return lab_join(l, name, lab_cbor_bytes(l, pair));
}

atls_bytes lab_tagged(lab *l, uint64_t tag, atls_bytes evidence, atls_bytes claims)
{
    const atls_bytes head = lab_join(l, lab_cbor(l, 6, tag), lab_cbor(l, 4, 2));
    return lab_join(l, head, lab_join(l, lab_cbor_bytes(l, evidence), lab_cbor_bytes(l, claims)));
}

atls_bytes lab_rats(lab *l, const char *oid_hex, atls_bytes body)
{
    const atls_bytes oid = lab_hex(l, oid_hex);
    const atls_bytes inner = lab_der(l, 0x30, lab_join(l, oid, lab_der(l, 0x04, body)));
    return lab_der(l, 0x30, lab_join(l, oid, lab_der(l, 0xa0, inner)));
}
