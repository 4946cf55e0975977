/* SPDX-License-Identifier: Apache-2.0 */
/* android_cert.c: certificates in the shapes of phones: names without meaning, dates of any kind, few extensions. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "sim/android_internal.h"

#define DAY ((atls_time)86400)

typedef struct plan {
    const char *id;
    const char *subject[3]; /* of each kind of phone: attributes with a semicolon between them */
    const char *issuer[3];  /* id */
    sim_curve curve;
    atls_time before;
    atls_time after;
} plan;

#define ALL(text)                                                                                                      \
    {                                                                                                                  \
        text, text, text                                                                                               \
    }
static const plan plans[] = {
    {"root", ALL("serialNumber=f92009e853b6b045"), ALL("root"), SIM_P384, 900 * DAY, 4500 * DAY},
    {"intermediate", ALL("title=TEE;serialNumber=0123456789abcdef"), ALL("root"), SIM_P384, 800 * DAY, 2800 * DAY},
    {"ca2", ALL("O=Google LLC;CN=Droid CA2"), ALL("root"), SIM_P384, 700 * DAY, 4300 * DAY},
    {"ca3", ALL("O=Google LLC;CN=Droid CA3"), ALL("ca2"), SIM_P256, 30 * DAY, 40 * DAY},
    {"attestation",
     {"title=TEE;serialNumber=fedcba9876543210", "O=TEE;CN=fedcba9876543210", "CN=Software Attestation Key"},
     {"intermediate", "ca3", "root"},
     SIM_P256,
     20 * DAY,
     20 * DAY},
    {"leaf", ALL("CN=Android Keystore Key"), ALL("attestation"), SIM_P256, 0, 0},
    /* a certificate that the leaf's key signed */
    {"extra", ALL("CN=Android Keystore Key"), ALL("leaf"), SIM_P256, DAY, DAY},
    /* a second root, of the same name */
    {"root2", ALL("serialNumber=f92009e853b6b045"), ALL("root2"), SIM_P384, 900 * DAY, 4500 * DAY},
};

static const plan *plan_of(sim_op *o, const char *id)
{
    for (size_t i = 0; i < sizeof plans / sizeof plans[0]; i++) {
        if (strcmp(plans[i].id, id) == 0) {
            return &plans[i];
        }
    }
    (void)atls_fail(&o->err, ATLS_E_CONFIGURATION, id, "no certificate of the phone has this id");
    return &plans[0];
}

const char *sim_android_default_chain(sim_android_kind kind)
{
    static const char *const chains[] = {"leaf,attestation,intermediate,root", "leaf,attestation,ca3,ca2,root",
                                         "leaf,attestation,root"};
    return chains[kind];
}

const sim_key *sim_android_key(sim_op *o, const char *id, const sim_android_request *request)
{
    char label[32];
    const plan *p = plan_of(o, id);
    const bool is_leaf = strcmp(id, "leaf") == 0;
    (void)snprintf(label, sizeof label, "android %s", id);
    const char *own = is_leaf && request->key != NULL ? request->key : label;
    const char *curve = sim_get_text(o, p->curve == SIM_P256 ? "p256" : "p384", "cert.%s.curve", id);
    return sim_key_of(o, sim_get_text(o, own, "cert.%s.key", id), strcmp(curve, "p256") == 0 ? SIM_P256 : SIM_P384);
}

/* ---- names ---- */

static const char *oid_of(const char *word, size_t n)
{
    static const struct {
        const char *name;
        const char *oid;
    } types[] = {{"CN", "2.5.4.3"}, {"serialNumber", "2.5.4.5"}, {"O", "2.5.4.10"}, {"title", "2.5.4.12"}};
    for (size_t i = 0; i < sizeof types / sizeof types[0]; i++) {
        if (strlen(types[i].name) == n && strncmp(types[i].name, word, n) == 0) {
            return types[i].oid;
        }
    }
    return "2.5.4.11";
}

/* tag is a string type, of all values of the name. BMPString gets its zeros. */
static void put_value(sim_op *o, atls_buf *b, unsigned tag, const char *text, size_t n)
{
    atls_buf value = sim_buf(o);
    for (size_t i = 0; i < n; i++) {
        if (tag == 0x1e) {
            sim_put_u8(&value, 0);
        }
        sim_put_u8(&value, (uint8_t)text[i]);
    }
    sim_der_put(b, tag, sim_done(&value));
}

static void put_name(sim_op *o, atls_buf *b, const char *text, unsigned tag)
{
    size_t name = sim_der_open(b, SIM_DER_SEQUENCE);
    while (*text != '\0') {
        const size_t n = strcspn(text, ";");
        const char *equals = memchr(text, '=', n);
        const size_t type = equals == NULL ? 0 : (size_t)(equals - text);
        size_t set = sim_der_open(b, SIM_DER_SET);
        size_t pair = sim_der_open(b, SIM_DER_SEQUENCE);
        sim_der_oid(b, oid_of(text, type));
        put_value(o, b, tag, text + type + 1, n - type - 1);
        sim_der_close(b, pair);
        sim_der_close(b, set);
        text += text[n] == ';' ? n + 1 : n;
    }
    sim_der_close(b, name);
}

static void put_subject(sim_op *o, const char *id, const char *role, const char *whose, atls_buf *b)
{
    const plan *p = plan_of(o, id);
    const char *text = sim_get_text(o, p->subject[sim_android_of(o)->kind], "cert.%s.subject", id);
    const unsigned tag = (unsigned)sim_get_uint(o, SIM_DER_UTF8_STRING, "cert.%s.%s_type", whose, role);
    put_name(o, b, sim_get_text(o, text, "cert.%s.%s_name", whose, role), tag);
}

/* ---- pieces ---- */

static unsigned hash_of(sim_op *o, const char *id)
{
    return (unsigned)sim_get_uint(o, 256, "cert.%s.hash", id);
}

static void put_algorithm(atls_buf *b, unsigned hash)
{
    size_t alg = sim_der_open(b, SIM_DER_SEQUENCE);
    sim_der_oid(b, hash == 512 ? "1.2.840.10045.4.3.4" : hash == 384 ? "1.2.840.10045.4.3.3" : "1.2.840.10045.4.3.2");
    sim_der_close(b, alg);
}

/* A date as sim_der_time has it, or of the type that cert.<id>.time asks for. */
static void put_time(sim_op *o, const char *id, atls_time t, atls_buf *b)
{
    char iso[ATLS_TIME_TEXT_SIZE];
    char text[24];
    const char *type = sim_get_text(o, "auto", "cert.%s.time", id);
    if (t == ATLS_TIME_UNSET) {
        (void)snprintf(iso, sizeof iso, "1970-01-01T00:00:00Z");
    } else {
        atls_time_format(t, iso);
    }
    (void)snprintf(text, sizeof text, "%.4s%.2s%.2s%.2s%.2s%.2sZ", iso, iso + 5, iso + 8, iso + 11, iso + 14, iso + 17);
    const bool utc = strcmp(type, "utc") == 0 || (strcmp(type, "auto") == 0 && strcmp(iso, "2050") < 0);
    sim_der_put(b, utc ? 0x17u : 0x18u, atls_bytes_str(utc ? text + 2 : text));
}

/* Leaves of phones are valid from the first second to the last one of 32 bits. */
static void put_validity(sim_op *o, const plan *p, atls_buf *b)
{
    const bool is_leaf = strcmp(p->id, "leaf") == 0;
    const atls_time before = is_leaf ? 0 : o->s->now - p->before;
    const atls_time after = is_leaf ? 4294967295 : o->s->now + p->after;
    size_t validity = sim_der_open(b, SIM_DER_SEQUENCE);
    put_time(o, p->id, sim_get_time(o, before, "cert.%s.not_before", p->id), b);
    const char *text = sim_get(o, "cert.%s.not_after_text", p->id); /* a UTCTime as it stands */
    if (text != NULL) {
        sim_der_put(b, 0x17, atls_bytes_str(text));
    } else {
        put_time(o, p->id, sim_get_time(o, after, "cert.%s.not_after", p->id), b);
    }
    sim_der_close(b, validity);
}

static void put_serial(sim_op *o, const plan *p, atls_buf *b)
{
    uint8_t serial[16];
    char label[48];
    atls_bytes content = atls_bytes_of("\x01", 1); /* of a leaf */
    (void)snprintf(label, sizeof label, "android serial %s", p->id);
    if (strcmp(p->id, "leaf") != 0) {
        sim_derive(o, label, serial, sizeof serial);
        serial[0] = (uint8_t)((serial[0] & 0x7f) | 0x40);
        content = atls_bytes_of(serial, sizeof serial);
    }
    (void)sim_get_bytes(o, &content, "cert.%s.serial", p->id);
    sim_der_put(b, SIM_DER_INTEGER, content);
}

static bool wants(sim_op *o, const char *id, const char *what, bool by_default)
{
    return strcmp(sim_get_text(o, by_default ? "true" : "none", "cert.%s.%s", id, what), "none") != 0;
}

static void put_extensions(sim_op *o, const plan *p, const sim_android_request *request, atls_buf *b)
{
    const bool is_leaf = strcmp(p->id, "leaf") == 0;
    const bool is_remote = sim_android_of(o)->kind == SIM_ANDROID_REMOTE;
    atls_bytes content = atls_bytes_of("\x30\x03\x01\x01\xff", 5);
    size_t tagged = sim_der_open(b, 0xa3);
    size_t list = sim_der_open(b, SIM_DER_SEQUENCE);
    if (!is_leaf) {
        (void)sim_get_bytes(o, &content, "cert.%s.basic_constraints", p->id);
        sim_ext_put(b, "2.5.29.19", true, content);
    }
    sim_ext_put(b, "2.5.29.15", true, atls_bytes_of("\x03\x02\x07\x80", 4)); /* digitalSignature, of whomever (Q10) */
    if (wants(o, p->id, "description", is_leaf)) {
        content = sim_android_record(o, request);
        if (strcmp(sim_get_text(o, "true", "cert.%s.description", p->id), "true") != 0) {
            (void)sim_get_bytes(o, &content, "cert.%s.description", p->id);
        }
        sim_ext_put(b, "1.3.6.1.4.1.11129.2.1.17", false, content);
    }
    if (wants(o, p->id, "info", is_remote && strcmp(p->id, "attestation") == 0)) {
        content = atls_bytes_of("\xa2\x01\x18\x20\x03\x63"
                                "sim",
                                9);
        (void)sim_get_bytes(o, &content, "cert.%s.info", p->id);
        sim_ext_put(b, "1.3.6.1.4.1.11129.2.1.30", false, content);
    }
    sim_der_close(b, list);
    sim_der_close(b, tagged);
}

static atls_bytes make_tbs(sim_op *o, const plan *p, const char *issuer, const sim_android_request *request)
{
    atls_bytes spki = atls_bytes_empty();
    atls_buf b = sim_buf(o);
    size_t tbs = sim_der_open(&b, SIM_DER_SEQUENCE);
    size_t version = sim_der_open(&b, 0xa0);
    sim_der_uint(&b, SIM_DER_INTEGER, 2);
    sim_der_close(&b, version);
    put_serial(o, p, &b);
    put_algorithm(&b, hash_of(o, p->id));
    put_subject(o, issuer, "issuer", p->id, &b);
    put_validity(o, p, &b);
    put_subject(o, p->id, "subject", p->id, &b);
    if (sim_get_bytes(o, &spki, "cert.%s.spki", p->id)) {
        atls_buf_put(&b, spki);
    } else {
        sim_spki_put(&b, sim_android_key(o, p->id, request));
    }
    put_extensions(o, p, request, &b);
    sim_der_close(&b, tbs);
    return sim_done(&b);
}

atls_bytes sim_android_cert(sim_op *o, const char *id, const sim_android_request *request)
{
    char path[SIM_PATH_SIZE];
    uint8_t rs[96];
    const plan *p = plan_of(o, id);
    const unsigned hash = hash_of(o, id);
    const char *issuer = sim_get_text(o, p->issuer[sim_android_of(o)->kind], "cert.%s.issuer", id);
    const sim_key *key = sim_android_key(o, sim_get_text(o, issuer, "cert.%s.signed_by", id), request);
    const atls_bytes tbs = make_tbs(o, p, issuer, request);
    (void)snprintf(path, sizeof path, "cert.%s.sig", id);
    sim_sign_hash(o, key, hash, tbs, path, rs);
    atls_buf signature = sim_buf(o);
    sim_sig_der(&signature, rs, key->half);
    atls_buf b = sim_buf(o);
    size_t whole = sim_der_open(&b, SIM_DER_SEQUENCE);
    atls_buf_put(&b, tbs);
    put_algorithm(&b, (unsigned)sim_get_uint(o, hash, "cert.%s.outer_hash", id));
    sim_der_bits(&b, 0, sim_done(&signature));
    sim_der_close(&b, whole);
    (void)snprintf(path, sizeof path, "cert.%s", id);
    return sim_raw(o, path, sim_done(&b));
}
