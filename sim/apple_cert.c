/* SPDX-License-Identifier: Apache-2.0 */
/* apple_cert.c: certificates in the shape of Apple's: App Attestation Root CA and CA 1 above the credential certificate, and
 * Root CA - G3 and an integration CA above the signer of receipts. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "sim/apple_internal.h"

#define DAY ((atls_time)86400)

typedef struct plan {
    const char *id;
    const char *cn;     /* NULL: the key id */
    const char *issuer; /* id */
    const char *key;    /* label */
    sim_curve curve;
    bool is_ca;
    bool is_384; /* signed with SHA-384; else SHA-256 */
    const char *path_len;
    const char *key_usage; /* first octet of the bits */
    atls_time before;
    atls_time after;
} plan;

static const plan plans[] = {
    {"root", "Apple App Attestation Root CA", "root", "apple root", SIM_P384, true, true, "none", "06", 2000 * DAY,
     7000 * DAY},
    {"ca", "Apple App Attestation CA 1", "root", "apple ca", SIM_P384, true, true, "0", "06", 1000 * DAY, 1500 * DAY},
    {"receipt_root", "Apple Root CA - G3", "receipt_root", "apple g3", SIM_P384, true, true, "none", "06", 4000 * DAY,
     5000 * DAY},
    {"receipt_ca", "Apple Application Integration CA 5 - G1", "receipt_root", "apple integration", SIM_P256, true, true,
     "0", "06", 2500 * DAY, 3000 * DAY},
    {"signer", "Application Attestation Fraud Receipt Signing", "receipt_ca", "apple signer", SIM_P256, false, false,
     "none", "80", 200 * DAY, 190 * DAY},
    /* a second PKI of the same names */
    {"root2", "Apple App Attestation Root CA", "root2", "apple root2", SIM_P384, true, true, "none", "06", 2000 * DAY,
     7000 * DAY},
    {"ca2", "Apple App Attestation CA 1", "root2", "apple ca", SIM_P384, true, true, "0", "06", 1000 * DAY, 1500 * DAY},
    {"leaf", NULL, "ca", "apple credential", SIM_P256, false, false, "none", "f0", DAY, 3 * DAY},
};
#define LEAF (sizeof plans / sizeof plans[0] - 1)

static const plan *plan_of(sim_op *o, const char *id)
{
    for (size_t i = 0; i < sizeof plans / sizeof plans[0]; i++) {
        if (strcmp(plans[i].id, id) == 0) {
            return &plans[i];
        }
    }
    (void)atls_fail(&o->err, ATLS_E_CONFIGURATION, id, "no certificate of the room has this id");
    return &plans[0];
}

const sim_key *sim_apple_cert_key(sim_op *o, const char *id)
{
    const plan *p = plan_of(o, id);
    const char *label = sim_get_text(o, p->key, "cert.%s.key", id);
    const char *curve = sim_get_text(o, p->curve == SIM_P384 ? "p384" : "p256", "cert.%s.curve", id);
    return sim_key_of(o, label, strcmp(curve, "p384") == 0 ? SIM_P384 : strcmp(curve, "rsa") == 0 ? SIM_RSA : SIM_P256);
}

static void key_id(sim_op *o, const char *id, uint8_t out[20])
{
    uint8_t digest[32];
    const sim_key *key = sim_apple_cert_key(o, id);
    sim_sha256(atls_bytes_of(key->point, key->point_len), digest);
    memcpy(out, digest, 20);
}

static bool is_none(const char *value)
{
    return value != NULL && strcmp(value, "none") == 0;
}

/* ---- pieces ---- */

static void name_part(atls_buf *b, const char *oid, const char *text)
{
    size_t set = sim_der_open(b, SIM_DER_SET);
    size_t pair = sim_der_open(b, SIM_DER_SEQUENCE);
    sim_der_oid(b, oid);
    sim_der_put(b, SIM_DER_UTF8_STRING, atls_bytes_str(text));
    sim_der_close(b, pair);
    sim_der_close(b, set);
}

static void name_put(atls_buf *b, const char *cn)
{
    size_t name = sim_der_open(b, SIM_DER_SEQUENCE);
    name_part(b, "2.5.4.3", cn);
    name_part(b, "2.5.4.10", "Apple Inc.");
    name_part(b, "2.5.4.8", "California");
    sim_der_close(b, name);
}

void sim_apple_name_put(sim_op *o, const char *id, atls_buf *b)
{
    uint8_t digest[32];
    char hex[65];
    const plan *p = plan_of(o, id);
    const sim_key *key = sim_apple_cert_key(o, id);
    sim_sha256(atls_bytes_of(key->point, key->point_len), digest);
    atls_hex_encode(atls_bytes_of(digest, sizeof digest), hex);
    name_put(b, sim_get_text(o, p->cn == NULL ? hex : p->cn, "cert.%s.cn", id));
}

void sim_apple_serial_put(sim_op *o, const char *id, atls_buf *b)
{
    char label[48];
    uint8_t serial[16];
    (void)snprintf(label, sizeof label, "apple serial %s", id);
    sim_derive(o, label, serial, sizeof serial);
    sim_get_fixed(o, serial, sizeof serial, "cert.%s.serial", id);
    sim_der_unsigned(b, atls_bytes_of(serial, sizeof serial));
}

static void sig_alg_put(atls_buf *b, bool is_384)
{
    size_t alg = sim_der_open(b, SIM_DER_SEQUENCE);
    sim_der_oid(b, is_384 ? "1.2.840.10045.4.3.3" : "1.2.840.10045.4.3.2");
    sim_der_close(b, alg);
}

void sim_apple_sign(sim_op *o, const sim_key *key, bool is_384, atls_bytes data, const char *path, atls_buf *b)
{
    uint8_t rs[96];
    if (is_384) {
        sim_sign384(o, key, data, path, rs);
    } else {
        sim_sign(o, key, data, path, rs);
    }
    sim_sig_der(b, rs, key->half);
}

/* ---- extensions ---- */

static void put_constraints(sim_op *o, const plan *p, atls_buf *b)
{
    const char *ca = sim_get_text(o, p->is_ca ? "true" : "false", "cert.%s.ca", p->id);
    const char *path_len = sim_get_text(o, p->path_len, "cert.%s.path_len", p->id);
    if (is_none(ca)) {
        return;
    }
    atls_buf value = sim_buf(o);
    size_t constraints = sim_der_open(&value, SIM_DER_SEQUENCE);
    if (strcmp(ca, "true") == 0) {
        sim_der_bool(&value, true);
        if (!is_none(path_len)) {
            sim_der_uint(&value, SIM_DER_INTEGER, strtoull(path_len, NULL, 10));
        }
    }
    sim_der_close(&value, constraints);
    sim_ext_put(b, "2.5.29.19", true, sim_done(&value));
}

static void put_key_ids(sim_op *o, const plan *p, const char *issuer, atls_buf *b)
{
    uint8_t aki[20];
    uint8_t ski[20];
    key_id(o, issuer, aki);
    key_id(o, p->id, ski);
    const bool set_aki = sim_get(o, "cert.%s.aki", p->id) != NULL;
    if ((p->is_ca && strcmp(p->issuer, p->id) != 0) || set_aki) {
        sim_get_fixed(o, aki, sizeof aki, "cert.%s.aki", p->id);
        sim_ext_aki_put(o, b, aki);
    }
    if (p->is_ca) {
        atls_buf value = sim_buf(o);
        sim_der_put(&value, SIM_DER_OCTET_STRING, atls_bytes_of(ski, sizeof ski));
        sim_ext_put(b, "2.5.29.14", false, sim_done(&value));
    }
}

static void put_key_usage(sim_op *o, const plan *p, atls_buf *b)
{
    uint8_t bits = (uint8_t)strtoul(p->key_usage, NULL, 16);
    if (is_none(sim_get(o, "cert.%s.key_usage", p->id))) {
        return;
    }
    sim_get_fixed(o, &bits, 1, "cert.%s.key_usage", p->id);
    unsigned unused = 0;
    while (unused < 7 && ((unsigned)bits >> unused & 1u) == 0) {
        unused++;
    }
    atls_buf value = sim_buf(o);
    sim_der_bits(&value, unused, atls_bytes_of(&bits, 1));
    sim_ext_put(b, "2.5.29.15", true, sim_done(&value));
}

/* [tag] EXPLICIT, of a number above 30 */
static void put_tagged(atls_buf *b, unsigned tag, unsigned type, atls_bytes content)
{
    atls_buf inner = *b; /* only for its arena */
    atls_buf_init(&inner, b->arena, b->err);
    sim_der_put(&inner, type, content);
    const atls_bytes whole = sim_done(&inner);
    sim_put_u8(b, 0xbf);
    sim_put_u8(b, 0x80 | (tag >> 7));
    sim_put_u8(b, tag & 0x7f);
    sim_put_u8(b, (unsigned)whole.len);
    atls_buf_put(b, whole);
}

/* Text in a tag, unless the setting is none. */
static void put_tagged_text(sim_op *o, atls_buf *b, unsigned tag, const char *def, const char *path)
{
    const char *text = sim_get_text(o, def, "%s", path);
    if (!is_none(text)) {
        put_tagged(b, tag, (unsigned)sim_get_uint(o, SIM_DER_OCTET_STRING, "%s.type", path), atls_bytes_str(text));
    }
}

/* An extension, unless a setting leaves it out or gives its whole content. */
static void put_own(sim_op *o, atls_buf *b, const char *name, const char *oid, atls_bytes made)
{
    const char *set = sim_get(o, "ext.%s", name);
    if (is_none(set)) {
        return;
    }
    sim_ext_put(b, oid, sim_get(o, "ext.%s.critical", name) != NULL,
                set == NULL ? made : sim_value_bytes(o, name, set));
}

static atls_bytes make_properties(sim_op *o)
{
    atls_buf b = sim_buf(o);
    size_t sequence = sim_der_open(&b, SIM_DER_SEQUENCE);
    size_t tagged = sim_der_open(&b, 0xa4);
    sim_der_uint(&b, SIM_DER_INTEGER, 10);
    sim_der_close(&b, tagged);
    put_tagged(&b, 1200, SIM_DER_INTEGER, atls_bytes_of("\x01", 1));
    put_tagged_text(o, &b, 1204, sim_apple_app_id(o), "certified_app_id");
    tagged = sim_der_open(&b, 0xa5);
    sim_der_put(&b, SIM_DER_OCTET_STRING, atls_bytes_str("sks "));
    sim_der_close(&b, tagged);
    sim_der_close(&b, sequence);
    return sim_done(&b);
}

/* The order is Apple's: not ascending. */
static atls_bytes make_versions(sim_op *o)
{
    atls_buf b = sim_buf(o);
    size_t sequence = sim_der_open(&b, SIM_DER_SEQUENCE);
    put_tagged_text(o, &b, 1400, "17.5.1", "os.version");
    put_tagged(&b, 1104, SIM_DER_INTEGER, atls_bytes_of("\x00\xff\xff\xff\xfe", 5));
    put_tagged_text(o, &b, 1403, "21F90", "os.build");
    put_tagged_text(o, &b, 1405, "17.5.1", "os.version_again");
    put_tagged(&b, 1420, SIM_DER_OCTET_STRING, atls_bytes_str("21.6.90.0.0,0"));
    sim_der_close(&b, sequence);
    return sim_done(&b);
}

static atls_bytes make_nonce(sim_op *o, const uint8_t nonce[32])
{
    uint8_t value[32];
    atls_buf b = sim_buf(o);
    memcpy(value, nonce, sizeof value);
    sim_get_fixed(o, value, sizeof value, "nonce");
    size_t sequence = sim_der_open(&b, SIM_DER_SEQUENCE);
    size_t tagged = sim_der_open(&b, 0xa1);
    sim_der_put(&b, SIM_DER_OCTET_STRING, atls_bytes_of(value, sizeof value));
    sim_der_close(&b, tagged);
    sim_der_close(&b, sequence);
    return sim_done(&b);
}

static void put_extensions(sim_op *o, const plan *p, const char *issuer, const uint8_t *nonce, atls_buf *b)
{
    size_t tagged = sim_der_open(b, 0xa3);
    size_t list = sim_der_open(b, SIM_DER_SEQUENCE);
    put_constraints(o, p, b);
    put_key_ids(o, p, issuer, b);
    put_key_usage(o, p, b);
    if (nonce != NULL) {
        put_own(o, b, "properties", "1.2.840.113635.100.8.5", make_properties(o));
        put_own(o, b, "versions", "1.2.840.113635.100.8.7", make_versions(o));
        put_own(o, b, "nonce", "1.2.840.113635.100.8.2", make_nonce(o, nonce));
    }
    if (sim_get(o, "cert.%s.critical_ext", p->id) != NULL) {
        sim_ext_put(b, "2.5.29.999", true, atls_bytes_of("\x05\x00", 2));
    }
    sim_der_close(b, list);
    sim_der_close(b, tagged);
}

/* ---- certificates ---- */

static atls_bytes make_tbs(sim_op *o, const plan *p, const char *issuer, bool is_384, const uint8_t *nonce)
{
    atls_buf b = sim_buf(o);
    const char *issuer_cn = sim_get(o, "cert.%s.issuer_cn", p->id);
    size_t tbs = sim_der_open(&b, SIM_DER_SEQUENCE);
    size_t version = sim_der_open(&b, 0xa0);
    sim_der_uint(&b, SIM_DER_INTEGER, 2);
    sim_der_close(&b, version);
    sim_apple_serial_put(o, p->id, &b);
    sig_alg_put(&b, is_384);
    if (issuer_cn != NULL) {
        name_put(&b, issuer_cn);
    } else {
        sim_apple_name_put(o, issuer, &b);
    }
    size_t validity = sim_der_open(&b, SIM_DER_SEQUENCE);
    sim_der_time(&b, sim_get_time(o, o->s->now - p->before, "cert.%s.not_before", p->id));
    sim_der_time(&b, sim_get_time(o, o->s->now + p->after, "cert.%s.not_after", p->id));
    sim_der_close(&b, validity);
    sim_apple_name_put(o, p->id, &b);
    sim_spki_put(&b, sim_apple_cert_key(o, p->id));
    put_extensions(o, p, issuer, nonce, &b);
    sim_der_close(&b, tbs);
    return sim_done(&b);
}

static atls_bytes make_cert(sim_op *o, const plan *p, const uint8_t *nonce)
{
    char path[SIM_PATH_SIZE];
    const char *issuer = sim_get_text(o, p->issuer, "cert.%s.issuer", p->id);
    const char *hash = sim_get_text(o, p->is_384 ? "sha384" : "sha256", "cert.%s.hash", p->id);
    const bool is_384 = strcmp(hash, "sha384") == 0;
    const atls_bytes tbs = make_tbs(o, p, issuer, is_384, nonce);
    atls_buf signature = sim_buf(o);
    (void)snprintf(path, sizeof path, "cert.%s.sig", p->id);
    sim_apple_sign(o, sim_apple_cert_key(o, sim_get_text(o, issuer, "cert.%s.signed_by", p->id)), is_384, tbs, path,
                   &signature);
    atls_buf b = sim_buf(o);
    size_t whole = sim_der_open(&b, SIM_DER_SEQUENCE);
    atls_buf_put(&b, tbs);
    sig_alg_put(&b, is_384);
    sim_der_bits(&b, 0, sim_done(&signature));
    sim_der_close(&b, whole);
    (void)snprintf(path, sizeof path, "cert.%s", p->id);
    return sim_raw(o, path, sim_done(&b));
}

atls_bytes sim_apple_credential(sim_op *o, const uint8_t nonce[32])
{
    return make_cert(o, &plans[LEAF], nonce);
}

void sim_apple_certs_make(sim_op *o)
{
    sim_apple *s = sim_apple_of(o);
    for (size_t i = 0; i < LEAF; i++) {
        s->certs[s->n_certs++] = (sim_cert){.id = plans[i].id, .der = make_cert(o, &plans[i], NULL)};
    }
}

const sim_cert *sim_apple_cert_find(const sim_apple *s, const char *id)
{
    for (size_t i = 0; i < s->n_certs; i++) {
        if (strcmp(s->certs[i].id, id) == 0) {
            return &s->certs[i];
        }
    }
    return NULL;
}
