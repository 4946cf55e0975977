/* SPDX-License-Identifier: Apache-2.0 */
/* make.c: DER written backwards, from the last byte to the first, so that every length is known when it is written. */
#include "make.h"

#include <openssl/evp.h>
#include <openssl/rsa.h>
#include <openssl/x509.h>
#include <stdlib.h>
#include <string.h>

#include "pki/cert.h"

#define ROOM 6144u

typedef struct writer {
    uint8_t buf[ROOM];
    size_t used; /* bytes at the end of buf */
} writer;

static void check(bool ok)
{
    if (!ok) {
        abort();
    }
}

static void put(writer *w, const void *bytes, size_t len)
{
    check(len <= ROOM - w->used);
    w->used += len;
    if (len > 0) {
        memcpy(w->buf + ROOM - w->used, bytes, len);
    }
}

static void put_byte(writer *w, unsigned byte)
{
    uint8_t b = (uint8_t)byte;
    put(w, &b, 1);
}

/* Puts the header of what was written since used was mark. */
static void wrap(writer *w, unsigned tag, size_t mark)
{
    unsigned len = (unsigned)(w->used - mark);
    if (len > 0xff) {
        put_byte(w, len & 0xff);
        put_byte(w, len >> 8);
        put_byte(w, 0x82);
    } else if (len > 0x7f) {
        put_byte(w, len);
        put_byte(w, 0x81);
    } else {
        put_byte(w, len);
    }
    put_byte(w, tag);
}

static void put_tlv(writer *w, unsigned tag, const void *bytes, size_t len)
{
    size_t mark = w->used;
    put(w, bytes, len);
    wrap(w, tag, mark);
}

static unsigned hex_digit(char c)
{
    const char *digits = "0123456789abcdef";
    const char *at = c == '\0' ? NULL : strchr(digits, c);
    check(at != NULL);
    return (unsigned)(at - digits);
}

/* len hex digits */
static void put_hex_len(writer *w, const char *hex, size_t len)
{
    check(len % 2 == 0);
    for (size_t i = len; i > 0; i -= 2) {
        put_byte(w, hex_digit(hex[i - 2]) << 4 | hex_digit(hex[i - 1]));
    }
}

static void put_hex(writer *w, const char *hex)
{
    put_hex_len(w, hex, strlen(hex));
}

static void put_hex_tlv(writer *w, unsigned tag, const char *hex)
{
    size_t mark = w->used;
    put_hex(w, hex);
    wrap(w, tag, mark);
}

/* RSASSA-PSS-params (RFC 4055 3.1) */
#define SHA384      "300d06096086480165030402020500"
#define SHA256      "300d06096086480165030402010500"
#define SHA384_BARE "300b0609608648016503040202"
#define OF_SHA384   "a00f" SHA384
#define MGF1_SHA384 "a11c301a06092a864886f70d010108" SHA384
#define PSS         "06092a864886f70d01010a"

static const struct {
    const char *algorithm; /* content of the AlgorithmIdentifier */
    const char *md;
    int pss_salt;     /* 0: PKCS #1 v1.5 or ECDSA */
    const char *mgf1; /* NULL: md */
} algorithms[] = {
    [MAKE_ECDSA_SHA256] = {"06082a8648ce3d040302", "SHA256", 0, NULL},
    [MAKE_ECDSA_SHA384] = {"06082a8648ce3d040303", "SHA384", 0, NULL},
    [MAKE_ECDSA_SHA512] = {"06082a8648ce3d040304", "SHA512", 0, NULL},
    [MAKE_RSA_SHA256] = {"06092a864886f70d01010b0500", "SHA256", 0, NULL},
    [MAKE_RSA_SHA384] = {"06092a864886f70d01010c0500", "SHA384", 0, NULL},
    [MAKE_RSA_SHA512] = {"06092a864886f70d01010d0500", "SHA512", 0, NULL},
    [MAKE_RSA_SHA1] = {"06092a864886f70d0101050500", "SHA1", 0, NULL},
    [MAKE_ECDSA_SHA256_NULL] = {"06082a8648ce3d0403020500", "SHA256", 0, NULL},
    [MAKE_ECDSA_SHA256_INT] = {"06082a8648ce3d040302020100", "SHA256", 0, NULL},
    [MAKE_PSS] = {PSS "3034" OF_SHA384 MGF1_SHA384 "a203020130", "SHA384", 48, NULL},
    [MAKE_PSS_TRAILER] = {PSS "3039" OF_SHA384 MGF1_SHA384 "a203020130a303020101", "SHA384", 48, NULL},
    [MAKE_PSS_BARE] = {PSS "3030a00d" SHA384_BARE "a11a301806092a864886f70d010108" SHA384_BARE "a203020130", "SHA384",
                       48, NULL},
    [MAKE_PSS_LIES] = {PSS "3034" OF_SHA384 MGF1_SHA384 "a203020130", "SHA384", 32, NULL},
    [MAKE_PSS_SALT_32] = {PSS "3034" OF_SHA384 MGF1_SHA384 "a203020120", "SHA384", 32, NULL},
    [MAKE_PSS_SHA256] = {PSS "3034a00f" SHA256 "a11c301a06092a864886f70d010108" SHA256 "a203020120", "SHA256", 32,
                         NULL},
    [MAKE_PSS_MGF1_SHA256] = {PSS "3034" OF_SHA384 "a11c301a06092a864886f70d010108" SHA256 "a203020130", "SHA384", 48,
                              "SHA256"},
    [MAKE_PSS_TRAILER_2] = {PSS "3039" OF_SHA384 MGF1_SHA384 "a203020130a303020102", "SHA384", 48, NULL},
    [MAKE_PSS_DEFAULTS] = {PSS "3000", "SHA1", 20, NULL},
    [MAKE_PSS_MORE] = {PSS "303b" OF_SHA384 MGF1_SHA384 "a203020130a3030201010500", "SHA384", 48, NULL},
};

static EVP_PKEY *new_key(make_key which)
{
    EVP_PKEY *pkey = NULL;
    switch (which) {
    case MAKE_P384:
        pkey = EVP_EC_gen("P-384");
        break;
    case MAKE_P521:
        pkey = EVP_EC_gen("P-521");
        break;
    case MAKE_RSA:
        pkey = EVP_RSA_gen(2048);
        break;
    default:
        pkey = EVP_EC_gen("P-256");
        break;
    }
    check(pkey != NULL);
    return pkey;
}

make_keys *make_keys_new(void)
{
    make_keys *k = calloc(1, sizeof *k);
    check(k != NULL);
    for (int i = 0; i < MAKE_N_KEYS; i++) {
        k->pkey[i] = new_key((make_key)i);
        uint8_t *spki = NULL;
        int len = i2d_PUBKEY(k->pkey[i], &spki);
        check(len > 0 && (size_t)len <= sizeof k->spki[i]);
        memcpy(k->spki[i], spki, (size_t)len);
        k->spki_len[i] = (size_t)len;
        OPENSSL_free(spki);
        memset(k->id[i], 0xa0 + i, sizeof k->id[i]);
    }
    return k;
}

void make_keys_free(make_keys *k)
{
    for (int i = 0; k != NULL && i < MAKE_N_KEYS; i++) {
        EVP_PKEY_free(k->pkey[i]);
    }
    free(k);
}

static void put_algorithm(writer *w, make_alg alg)
{
    put_hex_tlv(w, 0x30, algorithms[alg].algorithm);
}

static void put_name(writer *w, const char *cn, unsigned tag)
{
    size_t mark = w->used;
    if (cn != NULL && cn[0] == '#') {
        put_hex(w, cn + 1);
        return;
    }
    if (cn != NULL) {
        put_tlv(w, tag, cn, strlen(cn));
        put_hex(w, "0603550403");
        wrap(w, 0x30, mark);
        wrap(w, 0x31, mark);
    }
    wrap(w, 0x30, mark);
}

static void put_time(writer *w, const char *text, unsigned tag)
{
    bool utc = tag == 0x17 || (tag == 0 && strcmp(text, "1950") >= 0 && strcmp(text, "2050") < 0);
    put_tlv(w, utc ? 0x17 : 0x18, utc ? text + 2 : text, strlen(text) - (utc ? 2 : 0));
}

/* The header of an extension whose value was written since mark. */
static void end_extension(writer *w, size_t mark, const char *oid_content, bool critical)
{
    wrap(w, 0x04, mark);
    if (critical) {
        put_hex(w, "0101ff");
    }
    put_hex_tlv(w, 0x06, oid_content);
    wrap(w, 0x30, mark);
}

static void put_key_usage(writer *w, unsigned usage)
{
    size_t mark = w->used;
    unsigned unused = 15;
    uint8_t bits[2] = {0, 0};
    for (unsigned i = 0; i < 9; i++) {
        if ((usage & 1u << i) != 0) {
            bits[i / 8] = (uint8_t)(bits[i / 8] | 0x80u >> i % 8);
            unused = 15 - i;
        }
    }
    put(w, bits, unused < 8 ? 2 : 1);
    put_byte(w, unused % 8);
    wrap(w, 0x03, mark);
    end_extension(w, mark, "551d0f", true);
}

static void put_authority(writer *w, const make_keys *k, make_key aki, const char *issuer, const char *serial)
{
    size_t mark = w->used;
    if (issuer != NULL) {
        put_hex_tlv(w, 0x82, serial);
        size_t names = w->used;
        put_name(w, issuer, 0x0c);
        wrap(w, 0xa4, names); /* directoryName */
        wrap(w, 0xa1, names);
    }
    if (aki != MAKE_NO_KEY) {
        put_tlv(w, 0x80, k->id[aki], sizeof k->id[aki]);
    }
    if (w->used != mark) {
        wrap(w, 0x30, mark);
        end_extension(w, mark, "551d23", false);
    }
}

static void put_basic_constraints(writer *w, const make_cert *c)
{
    size_t mark = w->used;
    if (c->bc == MAKE_BC_ABSENT) {
        return;
    }
    if (c->path_len >= 0) {
        uint8_t path_len = (uint8_t)c->path_len;
        put_tlv(w, 0x02, &path_len, 1);
    }
    if (c->bc != MAKE_BC_END) {
        put_hex(w, c->bc == MAKE_BC_CA ? "0101ff" : "010100");
    }
    wrap(w, 0x30, mark);
    end_extension(w, mark, "551d13", !c->bc_not_critical);
}

static void put_cert_extensions(writer *w, const make_keys *k, const make_cert *c)
{
    size_t mark = w->used;
    if (c->extra != NULL) {
        put_hex(w, c->extra);
    }
    put_authority(w, k, c->aki, c->aki_issuer, c->aki_serial);
    if (c->ski != MAKE_NO_KEY) {
        size_t value = w->used;
        put_tlv(w, 0x04, k->id[c->ski], sizeof k->id[c->ski]);
        end_extension(w, value, "551d0e", false);
    }
    if (c->key_usage != 0) {
        put_key_usage(w, c->key_usage);
    }
    put_basic_constraints(w, c);
    wrap(w, 0x30, mark);
    wrap(w, 0xa3, mark);
}

/* A signer of another kind than the algorithm says signs as it can: that is a defect, too. */
static bool choose_padding(EVP_PKEY_CTX *ctx, make_alg alg)
{
    const char *mgf1 = algorithms[alg].mgf1 == NULL ? algorithms[alg].md : algorithms[alg].mgf1;
    return algorithms[alg].pss_salt == 0 || EVP_PKEY_is_a(EVP_PKEY_CTX_get0_pkey(ctx), "RSA") != 1
           || (EVP_PKEY_CTX_set_rsa_padding(ctx, RSA_PKCS1_PSS_PADDING) == 1
               && EVP_PKEY_CTX_set_rsa_pss_saltlen(ctx, algorithms[alg].pss_salt) == 1
               && EVP_PKEY_CTX_set_rsa_mgf1_md_name(ctx, mgf1, NULL) == 1);
}

/* w holds what is to be signed; out gets the signed object. */
static void sign(const make_keys *k, make_key signer, make_alg alg, make_alg outer_alg, bool flip, const writer *tbs,
                 made *out)
{
    uint8_t sig[600];
    size_t sig_len = sizeof sig;
    EVP_MD_CTX *ctx = EVP_MD_CTX_new();
    EVP_PKEY_CTX *key_ctx = NULL;
    EVP_MD *md = EVP_MD_fetch(NULL, algorithms[alg].md, NULL);
    check(ctx != NULL && md != NULL && EVP_DigestSignInit(ctx, &key_ctx, md, NULL, k->pkey[signer]) == 1
          && choose_padding(key_ctx, alg)
          && EVP_DigestSign(ctx, sig, &sig_len, tbs->buf + ROOM - tbs->used, tbs->used) == 1);
    EVP_MD_free(md);
    EVP_MD_CTX_free(ctx);
    if (flip) {
        sig[sig_len - 1] ^= 1;
    }
    writer w = {.used = 0};
    put(&w, sig, sig_len);
    put_byte(&w, 0);
    wrap(&w, 0x03, 0);
    put_algorithm(&w, outer_alg == MAKE_SAME ? alg : outer_alg);
    put(&w, tbs->buf + ROOM - tbs->used, tbs->used);
    wrap(&w, 0x30, 0);
    check(w.used <= sizeof out->der);
    memcpy(out->der, w.buf + ROOM - w.used, w.used);
    out->len = w.used;
}

void make_cert_write(const make_keys *k, const make_cert *c, made *out)
{
    writer w = {.used = 0};
    if (c->tail != NULL) {
        put_hex(&w, c->tail);
    }
    if (!c->no_extensions) {
        put_cert_extensions(&w, k, c);
    }
    if (c->unique_id != NULL) {
        put_hex(&w, c->unique_id);
    }
    if (c->spki != NULL) {
        put_hex(&w, c->spki);
    } else {
        put(&w, k->spki[c->key], k->spki_len[c->key]);
    }
    put_name(&w, c->subject, c->name_tag);
    size_t mark = w.used;
    put_time(&w, c->not_after, c->time_tag);
    put_time(&w, c->not_before, c->time_tag);
    wrap(&w, 0x30, mark);
    put_name(&w, c->issuer, c->name_tag);
    put_algorithm(&w, c->alg);
    put_hex_tlv(&w, 0x02, c->serial);
    if (c->version != 1) {
        uint8_t version = (uint8_t)(c->version - 1);
        mark = w.used;
        put_tlv(&w, 0x02, &version, 1);
        wrap(&w, 0xa0, mark);
    }
    wrap(&w, 0x30, 0);
    sign(k, c->signer, c->alg, c->outer_alg, c->flip_signature, &w, out);
}

static void put_entries(writer *w, const make_crl *c)
{
    size_t list = w->used;
    size_t end = strlen(c->revoked);
    while (end > 0) {
        size_t start = end;
        while (start > 0 && c->revoked[start - 1] != ' ') {
            start--;
        }
        size_t entry = w->used;
        bool is_last = end == strlen(c->revoked);
        const char *extensions =
            is_last && c->last_entry_extensions != NULL ? c->last_entry_extensions : c->entry_extensions;
        if (c->entry_tail != NULL) {
            put_hex(w, c->entry_tail);
        }
        if (extensions != NULL) {
            put_hex_tlv(w, 0x30, extensions);
        }
        put_time(w, c->this_update, 0);
        size_t serial = w->used;
        put_hex_len(w, c->revoked + start, end - start);
        wrap(w, 0x02, serial);
        wrap(w, 0x30, entry);
        end = start > 0 ? start - 1 : 0;
    }
    wrap(w, 0x30, list);
}

void make_crl_write(const make_keys *k, const make_crl *c, made *out)
{
    writer w = {.used = 0};
    if (!c->no_extensions) {
        if (c->extra != NULL) {
            put_hex(&w, c->extra);
        }
        if (c->number != NULL) {
            size_t mark = w.used;
            put_hex_tlv(&w, 0x02, c->number);
            end_extension(&w, mark, "551d14", false);
        }
        put_authority(&w, k, c->aki, NULL, NULL);
        wrap(&w, 0x30, 0);
        wrap(&w, 0xa0, 0);
    }
    if (c->revoked != NULL) {
        put_entries(&w, c);
    }
    if (c->next_update != NULL) {
        put_time(&w, c->next_update, 0);
    }
    put_time(&w, c->this_update, 0);
    put_name(&w, c->issuer, 0x0c);
    put_algorithm(&w, c->alg);
    if (c->version != 1) {
        uint8_t version = (uint8_t)(c->version - 1);
        put_tlv(&w, 0x02, &version, 1);
    }
    wrap(&w, 0x30, 0);
    sign(k, c->signer, c->alg, c->outer_alg, c->flip_signature, &w, out);
}

static const char *const names[] = {[MAKE_ROOT] = "Test Root", [MAKE_CA] = "Test CA", [MAKE_LEAF] = "Test Leaf"};

make_cert make_cert_default(make_key which)
{
    static const char *const serials[] = {[MAKE_ROOT] = "01", [MAKE_CA] = "0a02", [MAKE_LEAF] = "00f00ba4"};
    bool is_leaf = which == MAKE_LEAF;
    make_key signer = which == MAKE_ROOT ? MAKE_ROOT : (make_key)(which - 1);
    return (make_cert){.version = 3,
                       .serial = serials[which],
                       .issuer = names[signer],
                       .subject = names[which],
                       .name_tag = 0x0c,
                       .not_before = "20200101000000Z",
                       .not_after = "20391231235959Z",
                       .key = which,
                       .signer = signer,
                       .alg = MAKE_ECDSA_SHA256,
                       .outer_alg = MAKE_SAME,
                       .bc = is_leaf ? MAKE_BC_END : MAKE_BC_CA,
                       .path_len = which == MAKE_ROOT ? 1
                                   : which == MAKE_CA ? 0
                                                      : -1,
                       .key_usage = is_leaf ? ATLS_KU_DIGITAL_SIGNATURE : ATLS_KU_KEY_CERT_SIGN | ATLS_KU_CRL_SIGN,
                       .ski = which,
                       .aki = signer};
}

make_crl make_crl_default(make_key issuer)
{
    return (make_crl){.version = 2,
                      .issuer = names[issuer],
                      .this_update = "20240101000000Z",
                      .next_update = "20241231235959Z",
                      .number = "01",
                      .aki = issuer,
                      .signer = issuer,
                      .alg = MAKE_ECDSA_SHA256,
                      .outer_alg = MAKE_SAME};
}

atls_bytes made_bytes(const made *m)
{
    return atls_bytes_of(m->der, m->len);
}

atls_public_key make_public_key(const make_keys *k, make_key which)
{
    const uint8_t *end = k->spki[which] + k->spki_len[which];
    switch (which) {
    case MAKE_P384:
        return (atls_public_key){ATLS_KEY_P384, atls_bytes_of(end - 97, 97)};
    case MAKE_RSA: /* after 24 bytes of headers and algorithm */
        return (atls_public_key){ATLS_KEY_RSA, atls_bytes_of(k->spki[which] + 24, k->spki_len[which] - 24)};
    default:
        return (atls_public_key){ATLS_KEY_P256, atls_bytes_of(end - 65, 65)};
    }
}
