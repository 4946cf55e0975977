/* SPDX-License-Identifier: Apache-2.0 */
/* sevsnp_cert.c: the certificates of a room and the list of its ARK, in the shape of AMD's (57230). Every member can be set:
 * cert.<id>.<member>, leaf.<member>, crl.<member>. */
#include <stdio.h>
#include <string.h>

#include "sim/sevsnp_internal.h"

#define DAY ((atls_time)86400)
#define AMD "1.3.6.1.4.1.3704.1"

/* ---- who ---- */

const char *sim_snp_leaf_id(sim_op *o)
{
    return sim_snp_of(o)->is_vlek ? "vlek" : "vcek";
}

const char *sim_snp_issuer_id(sim_op *o)
{
    return sim_snp_of(o)->is_vlek ? "asvk" : "ask";
}

static bool is_leaf(const char *id)
{
    return id[0] == 'v';
}

static const char *cn_of(sim_op *o, const char *id)
{
    char def[48];
    const char *product = atls_snp_product_name(sim_snp_of(o)->product);
    const bool ark = strcmp(id, "ark") == 0;
    (void)snprintf(def, sizeof def, "%s%s", ark ? "ARK-" : strcmp(id, "ask") == 0 ? "SEV-" : "SEV-VLEK-", product);
    if (is_leaf(id)) {
        (void)snprintf(def, sizeof def, "%s", id[1] == 'c' ? "SEV-VCEK" : "SEV-VLEK");
    }
    const char *text = atls_text_format(o->a, &o->err, "%s", def);
    return sim_get_text(o, text == NULL ? "" : text, "cert.%s.cn", id);
}

static const char *issuer_of(sim_op *o, const char *id)
{
    return is_leaf(id) ? sim_snp_issuer_id(o) : "ark";
}

/* RSA keys by name: "ark" and "ask" are the two there are. */
static size_t rsa_key_of(sim_op *o, const char *id)
{
    const char *name = sim_get_text(o, strcmp(id, "ark") == 0 ? "ark" : "ask", "cert.%s.key", id);
    return strcmp(name, "ark") == 0 ? 0 : 1;
}

const sim_key *sim_snp_leaf_key(sim_op *o)
{
    return sim_key_of(o, sim_get_text(o, "leaf", "report.key"), SIM_P384);
}

static void key_id(sim_op *o, const char *id, uint8_t out[20])
{
    uint8_t modulus[SIM_SNP_RSA_LEN];
    sim_snp_modulus(o, rsa_key_of(o, id), modulus);
    sim_key_id(atls_bytes_of(modulus, sizeof modulus), out);
}

/* ---- pieces ---- */

static void put_name(atls_buf *b, const char *cn)
{
    size_t name = sim_der_open(b, SIM_DER_SEQUENCE);
    sim_name_part(b, "2.5.4.11", SIM_DER_UTF8_STRING, "Engineering");
    sim_name_part(b, "2.5.4.6", SIM_DER_PRINTABLE_STRING, "US");
    sim_name_part(b, "2.5.4.7", SIM_DER_UTF8_STRING, "Santa Clara");
    sim_name_part(b, "2.5.4.8", SIM_DER_UTF8_STRING, "CA");
    sim_name_part(b, "2.5.4.10", SIM_DER_UTF8_STRING, "Advanced Micro Devices");
    sim_name_part(b, "2.5.4.3", SIM_DER_UTF8_STRING, cn);
    sim_der_close(b, name);
}

static void put_hash(atls_buf *b)
{
    size_t alg = sim_der_open(b, SIM_DER_SEQUENCE);
    sim_der_oid(b, "2.16.840.1.101.3.4.2.2");
    sim_der_put(b, 0x05, atls_bytes_empty());
    sim_der_close(b, alg);
}

static void put_pss(atls_buf *b, uint64_t salt_len, bool trailer)
{
    size_t params = sim_der_open(b, SIM_DER_SEQUENCE);
    size_t at = sim_der_open(b, 0xa0);
    put_hash(b);
    sim_der_close(b, at);
    at = sim_der_open(b, 0xa1);
    size_t mgf = sim_der_open(b, SIM_DER_SEQUENCE);
    sim_der_oid(b, "1.2.840.113549.1.1.8");
    put_hash(b);
    sim_der_close(b, mgf);
    sim_der_close(b, at);
    at = sim_der_open(b, 0xa2);
    sim_der_uint(b, SIM_DER_INTEGER, salt_len);
    sim_der_close(b, at);
    if (trailer) {
        at = sim_der_open(b, 0xa3);
        sim_der_uint(b, SIM_DER_INTEGER, 1);
        sim_der_close(b, at);
    }
    sim_der_close(b, params);
}

/* alg: pss (a leaf's), trailer (an authority's), salt32, pkcs1 */
static void put_algorithm(atls_buf *b, const char *alg)
{
    const bool pkcs1 = strcmp(alg, "pkcs1") == 0;
    size_t id = sim_der_open(b, SIM_DER_SEQUENCE);
    sim_der_oid(b, pkcs1 ? "1.2.840.113549.1.1.12" : "1.2.840.113549.1.1.10");
    if (pkcs1) {
        sim_der_put(b, 0x05, atls_bytes_empty());
    } else {
        put_pss(b, strcmp(alg, "salt32") == 0 ? 32 : 48, strcmp(alg, "trailer") == 0);
    }
    sim_der_close(b, id);
}

static size_t salt_of(const char *alg)
{
    return strcmp(alg, "pkcs1") == 0 ? 0 : strcmp(alg, "salt32") == 0 ? 32 : 48;
}

/* ---- extensions of authorities ---- */

static void put_key_ids(sim_op *o, const char *id, atls_buf *b)
{
    uint8_t value[20];
    key_id(o, id, value);
    if (!sim_is_none(sim_get(o, "cert.%s.ski", id))) {
        sim_ext_ski_put(o, b, value);
    }
    if (strcmp(id, "ark") != 0 && !sim_is_none(sim_get(o, "cert.%s.aki", id))) {
        key_id(o, "ark", value);
        sim_get_fixed(o, value, sizeof value, "cert.%s.aki", id);
        sim_ext_aki_put(o, b, value);
    }
}

/* AMD does not trim the bits. Leaves have none, unless a setting says so. */
static void put_key_usage(sim_op *o, const char *id, atls_buf *b)
{
    if (!is_leaf(id) || sim_get(o, "cert.%s.key_usage", id) != NULL) {
        sim_ext_usage_put(o, b, id, strcmp(id, "ark") == 0 ? 0x06 : 0x04, false, true);
    }
}

/* ---- extensions of leaves ---- */

/* One of AMD's: its value, or what leaf.ext.<arc> says: none, or hex of the extension's content. */
static void put_amd(sim_op *o, const char *arc, atls_bytes value, atls_buf *b)
{
    char oid[48];
    atls_bytes set;
    const char *how = sim_get(o, "leaf.ext.%s", arc);
    (void)snprintf(oid, sizeof oid, AMD ".%s", arc);
    if (sim_is_none(how)) {
        return;
    }
    if (how != NULL && sim_get_bytes(o, &set, "leaf.ext.%s", arc)) {
        value = set;
    }
    sim_ext_put(b, oid, sim_get(o, "leaf.critical.%s", arc) != NULL, value);
}

static void put_amd_uint(sim_op *o, const char *arc, uint64_t n, atls_buf *b)
{
    atls_buf value = sim_buf(o);
    sim_der_uint(&value, SIM_DER_INTEGER, n);
    put_amd(o, arc, sim_done(&value), b);
}

static void put_amd_text(sim_op *o, const char *arc, const char *text, atls_buf *b)
{
    atls_buf value = sim_buf(o);
    sim_der_put(&value, 0x16, atls_bytes_str(text));
    put_amd(o, arc, sim_done(&value), b);
}

/* leaf.tcb is laid out as the product's TCB_VERSION. */
static void put_spls(sim_op *o, atls_buf *b)
{
    static const struct {
        const char *arc;
        int early;
        int late;
    } spls[] = {{"3.9", -1, 0}, {"3.1", 0, 1}, {"3.2", 1, 2}, {"3.4", 2, -1}, {"3.5", 3, 4},
                {"3.6", 4, 5},  {"3.7", 5, 6}, {"3.3", 6, 3}, {"3.8", 7, 7}};
    uint8_t tcb[8];
    sim_snp_tcb_base(sim_snp_of(o), tcb);
    sim_get_fixed(o, tcb, sizeof tcb, "leaf.tcb");
    for (size_t i = 0; i < sizeof spls / sizeof spls[0]; i++) {
        const int at = sim_snp_of(o)->product == ATLS_SNP_TURIN ? spls[i].late : spls[i].early;
        if (at >= 0) {
            put_amd_uint(o, spls[i].arc, tcb[at], b);
        } else if (sim_get(o, "leaf.ext.%s", spls[i].arc) != NULL) {
            put_amd(o, spls[i].arc, atls_bytes_empty(), b);
        }
    }
}

/* hwid_form: raw, or octet for an OCTET STRING inside. */
static void put_hwid(sim_op *o, atls_buf *b)
{
    uint8_t hwid[64];
    sim_snp_hwid(o, hwid);
    sim_get_fixed(o, hwid, sizeof hwid, "leaf.hwid");
    const atls_bytes id = atls_bytes_of(hwid, sim_snp_of(o)->product == ATLS_SNP_TURIN ? 8 : sizeof hwid);
    atls_buf value = sim_buf(o);
    if (strcmp(sim_get_text(o, "raw", "leaf.hwid_form"), "octet") == 0) {
        sim_der_put(&value, SIM_DER_OCTET_STRING, id);
    } else {
        atls_buf_put(&value, id);
    }
    put_amd(o, "4", sim_done(&value), b);
}

static void put_leaf_extensions(sim_op *o, atls_buf *b)
{
    const bool turin = sim_snp_of(o)->product == ATLS_SNP_TURIN;
    put_amd_uint(o, "1", turin ? 1 : 0, b);
    put_amd_text(o, "2", sim_get_text(o, atls_snp_product_name(sim_snp_of(o)->product), "leaf.product_name"), b);
    put_spls(o, b);
    if (!sim_snp_of(o)->is_vlek) {
        put_hwid(o, b);
    } else if (sim_get(o, "leaf.ext.4") != NULL) {
        put_amd(o, "4", atls_bytes_empty(), b);
    }
    if (sim_snp_of(o)->is_vlek) {
        put_amd_text(o, "5", sim_get_text(o, "CN=sim-eu-1.cloud.test", "leaf.csp_id"), b);
    } else if (sim_get(o, "leaf.ext.5") != NULL) {
        put_amd(o, "5", atls_bytes_empty(), b);
    }
}

static void put_extensions(sim_op *o, const char *id, atls_buf *b)
{
    size_t tagged = sim_der_open(b, 0xa3);
    size_t list = sim_der_open(b, SIM_DER_SEQUENCE);
    if (is_leaf(id)) {
        put_leaf_extensions(o, b);
    } else {
        put_key_ids(o, id, b);
    }
    sim_ext_constraints_put(o, b, id, is_leaf(id) ? "none" : "true", strcmp(id, "ark") == 0 ? "none" : "0", true);
    put_key_usage(o, id, b);
    sim_ext_unknown_put(o, b, "cert", id);
    sim_der_close(b, list);
    sim_der_close(b, tagged);
}

/* ---- certificates ---- */

static void make_serial(sim_op *o, const char *id, sim_cert *out)
{
    static const uint8_t bases[ATLS_SNP_N_PRODUCTS] = {0, 1, 2, 3};
    const uint8_t low = strcmp(id, "ark") == 0 ? 0x00 : 0x01;
    const uint8_t middle = strcmp(id, "asvk") == 0 ? 0x01 : 0x00;
    const uint8_t serial[3] = {bases[sim_snp_of(o)->product], middle, low};
    out->serial_len = is_leaf(id) ? 1 : sizeof serial;
    memcpy(out->serial, is_leaf(id) ? (const uint8_t[3]){0, 0, 0} : serial, sizeof serial);
    sim_serial_set(o, out);
}

static void put_key(sim_op *o, const char *id, atls_buf *b)
{
    const char *curve = sim_get_text(o, is_leaf(id) ? "p384" : "rsa", "cert.%s.curve", id);
    if (strcmp(curve, "rsa") == 0) {
        uint8_t modulus[SIM_SNP_RSA_LEN];
        sim_snp_modulus(o, rsa_key_of(o, id), modulus);
        sim_rsa_spki_put(b, atls_bytes_of(modulus, sizeof modulus));
        return;
    }
    const bool small = strcmp(curve, "p256") == 0;
    sim_spki_put(b, sim_key_of(o, "leaf", small ? SIM_P256 : SIM_P384));
}

static atls_bytes make_tbs(sim_op *o, const char *id, const sim_cert *cert, const char *alg)
{
    const atls_time lives = is_leaf(id) ? 1500 * DAY : 6000 * DAY;
    atls_buf b = sim_buf(o);
    size_t tbs = sim_tbs_open(&b, sim_get_uint(o, 2, "cert.%s.version", id));
    sim_der_unsigned(&b, atls_bytes_of(cert->serial, cert->serial_len));
    put_algorithm(&b, alg);
    put_name(&b, sim_get_text(o, cn_of(o, issuer_of(o, id)), "cert.%s.issuer_cn", id));
    sim_validity_put(&b, sim_get_time(o, o->s->now - 400 * DAY, "cert.%s.not_before", id),
                     sim_get_time(o, o->s->now + lives, "cert.%s.not_after", id));
    put_name(&b, cn_of(o, id));
    put_key(o, id, &b);
    put_extensions(o, id, &b);
    sim_der_close(&b, tbs);
    return sim_done(&b);
}

/* SIGNED { tbs, algorithm, signature }. What `path`.sig says is "bit": one is flipped. */
static atls_bytes sign(sim_op *o, const char *path, atls_bytes tbs, const char *alg, size_t key)
{
    uint8_t signature[SIM_SNP_RSA_LEN];
    const char *spoil = sim_get(o, "%s.sig", path);
    sim_snp_rsa_sign(o, key, tbs, salt_of(alg), signature);
    if (spoil != NULL) {
        signature[SIM_SNP_RSA_LEN - 1] ^= 1;
    }
    atls_buf algorithm = sim_buf(o);
    put_algorithm(&algorithm, alg);
    return sim_raw(o, path, sim_signed(o, tbs, sim_done(&algorithm), atls_bytes_of(signature, sizeof signature)));
}

static void make_cert(sim_op *o, const char *id)
{
    sim_snp *s = sim_snp_of(o);
    sim_cert *cert = &s->certs[s->n_certs++];
    char path[48];
    (void)snprintf(path, sizeof path, "cert.%s", id);
    const char *alg = sim_get_text(o, is_leaf(id) ? "pss" : "trailer", "%s.alg", path);
    const char *signer = sim_get_text(o, issuer_of(o, id), "%s.signed_by", path);
    cert->id = id;
    make_serial(o, id, cert);
    cert->der = sign(o, path, make_tbs(o, id, cert, alg), alg, rsa_key_of(o, signer));
}

void sim_snp_certs_make(sim_op *o)
{
    make_cert(o, "ark");
    make_cert(o, sim_snp_issuer_id(o));
    make_cert(o, sim_snp_leaf_id(o));
}

const sim_cert *sim_snp_cert_find(const sim_snp *s, const char *id)
{
    return sim_cert_among(s->certs, s->n_certs, id);
}

/* ---- the list ---- */

static void put_revoked(sim_op *o, atls_buf *b)
{
    const sim_snp *s = sim_snp_of(o);
    const char *list = sim_get(o, "crl.revoked");
    if (list != NULL) {
        sim_revoked_put(o, b, list, s->certs, s->n_certs, o->s->now - 20 * DAY, atls_bytes_empty());
    }
}

static void put_crl_extensions(sim_op *o, atls_buf *b)
{
    uint8_t aki[20];
    key_id(o, "ark", aki);
    size_t tagged = sim_der_open(b, 0xa0);
    size_t list = sim_der_open(b, SIM_DER_SEQUENCE);
    if (!sim_is_none(sim_get(o, "crl.aki"))) {
        sim_ext_aki_put(o, b, aki);
    }
    sim_ext_number_put(o, b, 11);
    sim_der_close(b, list);
    sim_der_close(b, tagged);
}

atls_bytes sim_snp_crl_make(sim_op *o)
{
    const char *alg = sim_get_text(o, "pss", "crl.alg");
    atls_buf b = sim_buf(o);
    size_t tbs = sim_der_open(&b, SIM_DER_SEQUENCE);
    sim_der_uint(&b, SIM_DER_INTEGER, 1);
    put_algorithm(&b, alg);
    put_name(&b, sim_get_text(o, cn_of(o, "ark"), "crl.issuer_cn"));
    sim_der_time(&b, sim_get_time(o, o->s->now - 30 * DAY, "crl.this_update"));
    sim_der_time(&b, sim_get_time(o, o->s->now + 60 * DAY, "crl.next_update"));
    put_revoked(o, &b);
    put_crl_extensions(o, &b);
    sim_der_close(&b, tbs);
    return sign(o, "crl", sim_done(&b), alg, rsa_key_of(o, sim_get_text(o, "ark", "crl.signed_by")));
}
