/* SPDX-License-Identifier: Apache-2.0 */
/* apple_object.c: authenticator data, attestation objects and assertions. CBOR is written here by hand, because a writer that
 * cannot make a mistake cannot make a test. */
#include <stdio.h>
#include <string.h>

#include "sim/apple_internal.h"

enum { UINT = 0x00, NEGATIVE = 0x20, BYTES = 0x40, TEXT = 0x60, ARRAY = 0x80, MAP = 0xa0 };

static void put_head(atls_buf *b, unsigned major, uint64_t n)
{
    const unsigned size = n < 24 ? 0 : n <= 0xff ? 1 : n <= 0xffff ? 2 : 4;
    const unsigned info = size == 0 ? (unsigned)n : size == 1 ? 24 : size == 2 ? 25 : 26;
    sim_put_u8(b, major | info);
    for (unsigned i = size; i > 0; i--) {
        sim_put_u8(b, (uint8_t)(n >> (8 * (i - 1))));
    }
}

static void put_bytes(atls_buf *b, atls_bytes content)
{
    put_head(b, BYTES, content.len);
    atls_buf_put(b, content);
}

static void put_text(atls_buf *b, const char *text)
{
    put_head(b, TEXT, strlen(text));
    atls_buf_str(b, text);
}

/* A map is collected first, so that its members can be counted. */
typedef struct map {
    const char *name; /* of the map in settings */
    atls_buf content;
    uint64_t n;
} map;

static map open_map(sim_op *o, const char *name)
{
    return (map){.name = name, .content = sim_buf(o)};
}

/* One member, unless "<map>.<name>" says otherwise: none, or its value as CBOR in hex. "<map>.name.<name>" is another key. */
static void add(sim_op *o, map *m, const char *name, atls_buf *value)
{
    const char *set = sim_get(o, "%s.%s", m->name, name);
    if (set != NULL && strcmp(set, "none") == 0) {
        return;
    }
    put_text(&m->content, sim_get_text(o, name, "%s.name.%s", m->name, name));
    atls_buf_put(&m->content, set != NULL ? sim_value_bytes(o, name, set) : sim_done(value));
    m->n++;
}

static void add_bytes(sim_op *o, map *m, const char *name, atls_bytes value)
{
    atls_buf b = sim_buf(o);
    put_bytes(&b, value);
    add(o, m, name, &b);
}

/* "<map>+<key>=<value>", both CBOR in hex, as often as wanted, in front of everything else. */
static void close_map(sim_op *o, map *m, atls_buf *b)
{
    char prefix[32];
    size_t i = 0;
    atls_buf more = sim_buf(o);
    (void)snprintf(prefix, sizeof prefix, "%s+", m->name);
    for (const sim_setting *s = sim_next(o, prefix, &i); s != NULL; s = sim_next(o, prefix, &i)) {
        atls_buf_put(&more, sim_value_bytes(o, s->path, s->path + strlen(prefix)));
        atls_buf_put(&more, sim_value_bytes(o, s->path, s->value));
        m->n++;
    }
    put_head(b, MAP, sim_get_uint(o, m->n, "%s.count", m->name));
    atls_buf_put(b, sim_done(&more));
    atls_buf_put(b, sim_done(&m->content));
}

/* ---- authenticator data ---- */

static void rp_id_hash(sim_op *o, const char *path, uint8_t out[32])
{
    sim_sha256(atls_bytes_str(sim_apple_app_id(o)), out);
    sim_get_fixed(o, out, 32, "%s", path);
}

static void put_be32(atls_buf *b, uint64_t v)
{
    for (unsigned i = 4; i > 0; i--) {
        sim_put_u8(b, (uint8_t)(v >> (8 * (i - 1))));
    }
}

/* {1: 2, 3: -7, -1: 1, -2: x, -3: y} */
static atls_bytes make_cose(sim_op *o)
{
    atls_bytes whole;
    atls_buf b = sim_buf(o);
    const sim_key *key = sim_apple_cert_key(o, sim_get_text(o, "leaf", "auth.key_of"));
    if (sim_get_bytes(o, &whole, "auth.cose")) {
        return whole;
    }
    put_head(&b, MAP, 5);
    atls_buf_put(&b, atls_bytes_of("\x01\x02\x03\x26\x20\x01\x21", 7));
    put_bytes(&b, atls_bytes_of(key->point + 1, 32));
    put_head(&b, NEGATIVE, 2);
    put_bytes(&b, atls_bytes_of(key->point + 33, 32));
    return sim_raw(o, "cose", sim_done(&b));
}

static void put_credential(sim_op *o, atls_buf *b)
{
    uint8_t id[32];
    uint8_t aaguid[16] = "appattest";
    atls_bytes more = atls_bytes_empty();
    const sim_key *key = sim_apple_cert_key(o, "leaf");
    if (sim_apple_of(o)->is_sandbox) {
        memcpy(aaguid, "appattestdevelop", sizeof aaguid);
    }
    sim_get_fixed(o, aaguid, sizeof aaguid, "auth.aaguid");
    sim_sha256(atls_bytes_of(key->point, key->point_len), id);
    sim_get_fixed(o, id, sizeof id, "auth.credential_id");
    const atls_bytes whole = atls_bytes_of(id, (size_t)sim_get_uint(o, sizeof id, "auth.credential_id_len") % 33);
    atls_buf_put(b, atls_bytes_of(aaguid, sizeof aaguid));
    const uint64_t len = sim_get_uint(o, whole.len, "auth.credential_id_says");
    sim_put_u8(b, (uint8_t)(len >> 8));
    sim_put_u8(b, (uint8_t)len);
    atls_buf_put(b, whole);
    atls_buf_put(b, make_cose(o));
    if (sim_get_bytes(o, &more, "auth.extensions")) {
        atls_buf_put(b, more);
    }
}

static atls_bytes make_auth_data(sim_op *o)
{
    uint8_t hash[32];
    atls_buf b = sim_buf(o);
    atls_bytes trailing;
    const uint64_t flags = sim_get_uint(o, 0x40, "auth.flags");
    rp_id_hash(o, "auth.rp_id_hash", hash);
    atls_buf_put(&b, atls_bytes_of(hash, sizeof hash));
    sim_put_u8(&b, (unsigned)flags & 0xff);
    put_be32(&b, sim_get_uint(o, 0, "auth.sign_count"));
    if ((flags & 0x40) != 0) {
        put_credential(o, &b);
    }
    if (sim_get_bytes(o, &trailing, "auth.trailing")) {
        atls_buf_put(&b, trailing);
    }
    return sim_raw(o, "auth_data", sim_done(&b));
}

/* SHA-256(data || SHA-256(client data)) */
static void make_nonce(sim_op *o, atls_bytes data, atls_bytes client_data, uint8_t out[32])
{
    uint8_t hash[32];
    atls_buf b = sim_buf(o);
    sim_sha256(client_data, hash);
    atls_buf_put(&b, data);
    atls_buf_put(&b, atls_bytes_of(hash, sizeof hash));
    sim_sha256(sim_done(&b), out);
}

void sim_apple_bound(sim_op *o, atls_bytes client_data, atls_bytes *auth_data, atls_bytes *credential)
{
    uint8_t nonce[32];
    *auth_data = make_auth_data(o);
    make_nonce(o, *auth_data, client_data, nonce);
    *credential = sim_apple_credential(o, nonce);
}

/* ---- attestations ---- */

static void put_x5c(sim_op *o, atls_bytes leaf, atls_buf *b)
{
    const char *list = sim_get_text(o, "leaf,ca", "x5c");
    atls_buf content = sim_buf(o);
    char word[64];
    uint64_t n = 0;
    while (sim_split(&list, word, sizeof word)) {
        const sim_cert *cert = sim_apple_cert_find(sim_apple_of(o), word);
        put_bytes(&content, strcmp(word, "leaf") == 0 ? leaf
                            : cert != NULL            ? cert->der
                                                      : sim_value_bytes(o, "x5c", word));
        n++;
    }
    put_head(b, ARRAY, n);
    atls_buf_put(b, sim_done(&content));
}

static void put_statement(sim_op *o, atls_bytes leaf, atls_bytes receipt, atls_buf *b)
{
    map m = open_map(o, "statement");
    atls_buf x5c = sim_buf(o);
    put_x5c(o, leaf, &x5c);
    add(o, &m, "x5c", &x5c);
    add_bytes(o, &m, "receipt", receipt);
    close_map(o, &m, b);
}

atls_bytes sim_apple_attestation_make(sim_op *o, atls_bytes client_data)
{
    atls_bytes auth_data;
    atls_bytes leaf;
    atls_buf fmt = sim_buf(o);
    atls_buf statement = sim_buf(o);
    atls_buf b = sim_buf(o);
    map m = open_map(o, "object");
    sim_apple_bound(o, client_data, &auth_data, &leaf);
    put_text(&fmt, "apple-appattest");
    put_statement(o, leaf, sim_apple_receipt_make(o, client_data, false), &statement);
    add(o, &m, "fmt", &fmt);
    add(o, &m, "attStmt", &statement);
    add_bytes(o, &m, "authData", auth_data);
    close_map(o, &m, &b);
    return sim_raw(o, "attestation", sim_done(&b));
}

/* ---- assertions ---- */

/* The flags announce a credential that is not there: Apple's are like that. */
static atls_bytes make_assertion_data(sim_op *o, uint32_t counter)
{
    uint8_t hash[32];
    atls_buf b = sim_buf(o);
    atls_bytes trailing;
    rp_id_hash(o, "assertion.rp_id_hash", hash);
    atls_buf_put(&b, atls_bytes_of(hash, sizeof hash));
    sim_put_u8(&b, (unsigned)sim_get_uint(o, 0x40, "assertion.flags") & 0xff);
    put_be32(&b, sim_get_uint(o, counter, "assertion.sign_count"));
    if (sim_get_bytes(o, &trailing, "assertion.trailing")) {
        atls_buf_put(&b, trailing);
    }
    return sim_done(&b);
}

atls_bytes sim_apple_assertion_make(sim_op *o, atls_bytes client_data, uint32_t counter)
{
    uint8_t nonce[32];
    atls_buf signature = sim_buf(o);
    atls_buf b = sim_buf(o);
    map m = open_map(o, "assertion.map");
    const atls_bytes data = make_assertion_data(o, counter);
    make_nonce(o, data, client_data, nonce);
    sim_apple_sign(o, sim_apple_cert_key(o, sim_get_text(o, "leaf", "assertion.signed_by")), false,
                   atls_bytes_of(nonce, sizeof nonce), "assertion.sig", &signature);
    add_bytes(o, &m, "signature", sim_done(&signature));
    add_bytes(o, &m, "authenticatorData", data);
    close_map(o, &m, &b);
    return sim_raw(o, "assertion", sim_done(&b));
}
