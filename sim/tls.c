/* SPDX-License-Identifier: Apache-2.0 */
/* tls.c: an ordinary TLS identity: a private CA and a leaf for one server name, unrelated to the attestation root. */
#include "sim/internal.h"

#include <arpa/inet.h>
#include <stdio.h>

#define DAY ((atls_time)86400)

typedef struct identity {
    const char *name; /* CN */
    const char *issuer;
    const sim_key *key;
    const sim_key *issuer_key;
    const char *san; /* NULL for the CA */
} identity;

static void put_san(sim_op *o, const char *name, atls_buf *b)
{
    uint8_t address[16];
    size_t len = inet_pton(AF_INET, name, address) == 1 ? 4 : inet_pton(AF_INET6, name, address) == 1 ? 16 : 0;
    atls_buf value = sim_buf(o);
    size_t names = sim_der_open(&value, SIM_DER_SEQUENCE);
    if (len != 0) {
        sim_der_put(&value, 0x87, atls_bytes_of(address, len));
    } else {
        sim_der_put(&value, 0x82, atls_bytes_str(name));
    }
    sim_der_close(&value, names);
    sim_ext_put(b, "2.5.29.17", false, sim_done(&value));
}

static void put_extensions(sim_op *o, const identity *id, atls_buf *b)
{
    uint8_t ski[20];
    uint8_t aki[20];
    sim_key_id(atls_bytes_of(id->key->point, id->key->point_len), ski);
    sim_key_id(atls_bytes_of(id->issuer_key->point, id->issuer_key->point_len), aki);
    size_t tagged = sim_der_open(b, 0xa3);
    size_t list = sim_der_open(b, SIM_DER_SEQUENCE);
    sim_ext_ski_put(o, b, ski);
    sim_ext_aki_put(o, b, aki);
    if (id->san == NULL) {
        sim_ext_put(b, "2.5.29.19", true, atls_bytes_of("\x30\x03\x01\x01\xff", 5));
        sim_ext_put(b, "2.5.29.15", true, atls_bytes_of("\x03\x02\x01\x06", 4)); /* keyCertSign, cRLSign */
    } else {
        sim_ext_put(b, "2.5.29.19", true, atls_bytes_of("\x30\x00", 2));
        sim_ext_put(b, "2.5.29.15", true, atls_bytes_of("\x03\x02\x07\x80", 4)); /* digitalSignature */
        sim_ext_put(b, "2.5.29.37", false, atls_bytes_of("\x30\x0a\x06\x08\x2b\x06\x01\x05\x05\x07\x03\x01", 12));
        put_san(o, id->san, b);
    }
    sim_der_close(b, list);
    sim_der_close(b, tagged);
}

static atls_bytes make_tbs(sim_op *o, const identity *id)
{
    char label[128];
    uint8_t serial[16];
    (void)snprintf(label, sizeof label, "tls serial %s", id->name);
    sim_derive(o, label, serial, sizeof serial);
    serial[0] = (uint8_t)((serial[0] & 0x7f) | 0x40);
    sim_get_fixed(o, serial, sizeof serial, "tls.%s.serial", id->san == NULL ? "ca" : "leaf");
    atls_buf b = sim_buf(o);
    size_t tbs = sim_tbs_open(&b, 2);
    sim_der_unsigned(&b, atls_bytes_of(serial, sizeof serial));
    sim_ecdsa_put(&b, SIM_SHA256);
    sim_name_put(&b, id->issuer, false);
    sim_validity_put(&b, sim_get_time(o, o->s->now - 30 * DAY, "tls.not_before"),
                     sim_get_time(o, o->s->now + 60 * DAY, "tls.not_after"));
    sim_name_put(&b, id->name, false);
    sim_spki_put(&b, id->key);
    put_extensions(o, id, &b);
    sim_der_close(&b, tbs);
    return sim_done(&b);
}

static atls_bytes make_cert(sim_op *o, const identity *id)
{
    return sim_ecdsa_signed(o, SIM_SHA256, id->issuer_key, make_tbs(o, id), "tls.sig");
}

/* PKCS #8 around RFC 5915. */
static atls_bytes key_pem(sim_op *o, const sim_key *key)
{
    atls_buf b = sim_buf(o);
    size_t whole = sim_der_open(&b, SIM_DER_SEQUENCE);
    sim_der_uint(&b, SIM_DER_INTEGER, 0);
    size_t alg = sim_der_open(&b, SIM_DER_SEQUENCE);
    sim_der_oid(&b, "1.2.840.10045.2.1");
    sim_der_oid(&b, "1.2.840.10045.3.1.7");
    sim_der_close(&b, alg);
    size_t octets = sim_der_open(&b, SIM_DER_OCTET_STRING);
    size_t ec = sim_der_open(&b, SIM_DER_SEQUENCE);
    sim_der_uint(&b, SIM_DER_INTEGER, 1);
    sim_der_put(&b, SIM_DER_OCTET_STRING, atls_bytes_of(key->d, key->half));
    size_t pub = sim_der_open(&b, 0xa1);
    sim_der_bits(&b, 0, atls_bytes_of(key->point, key->point_len));
    sim_der_close(&b, pub);
    sim_der_close(&b, ec);
    sim_der_close(&b, octets);
    sim_der_close(&b, whole);
    atls_buf pem = sim_buf(o);
    sim_pem_put(&pem, "PRIVATE KEY", sim_done(&b));
    return sim_done(&pem);
}

void sim_tls_make(sim_op *o, const char *server_name, sim_tls *out)
{
    const sim_key *ca_key = sim_key_of(o, "tls ca", SIM_P256);
    const sim_key *key = sim_key_of(o, sim_get_text(o, "tls leaf", "tls.key"), SIM_P256);
    const char *san = sim_get_text(o, server_name, "tls.name");
    char ca_name[96];
    (void)snprintf(ca_name, sizeof ca_name, "atls sim web CA %.*s", (int)(o->s->seed.len < 40 ? o->s->seed.len : 40),
                   (const char *)o->s->seed.ptr);
    const identity ca = {ca_name, ca_name, ca_key, ca_key, NULL};
    const identity leaf = {san, ca_name, key, ca_key, san};
    atls_bytes ca_der = make_cert(o, &ca);
    out->leaf_der = make_cert(o, &leaf);
    atls_buf chain = sim_buf(o);
    sim_pem_put(&chain, "CERTIFICATE", out->leaf_der);
    out->chain_pem = sim_done(&chain);
    atls_buf pem = sim_buf(o);
    sim_pem_put(&pem, "CERTIFICATE", ca_der);
    out->ca_pem = sim_done(&pem);
    out->key_pem = key_pem(o, key);
}
