/* SPDX-License-Identifier: Apache-2.0 */
/* phone.c: a phone that enrols. What it attests with is android.c's or apple.c's; here is one face for both. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "sim/android_internal.h"
#include "sim/apple_internal.h"
#include "sim/sim_phone.h"

#define MAX_SETTINGS 64u
#define KEY_SIZE     32u

struct sim_phone {
    sim_android *android; /* one of the two */
    sim_apple *apple;
    char key[KEY_SIZE];
};

/* ---- making ---- */

static bool make_android(sim_phone *p, const sim_phone_options *options, atls_error *err)
{
    const sim_android_options o = {.seed = options->seed, .settings = options->settings, .now = options->now};
    return sim_android_new(&o, &p->android, err);
}

/* The key that the app vouches for is named by a setting. */
static bool make_apple(sim_phone *p, const sim_phone_options *options, atls_error *err)
{
    const char *settings[MAX_SETTINGS + 2] = {NULL};
    char second[KEY_SIZE + sizeof "second.key="];
    size_t n = 0;
    (void)snprintf(second, sizeof second, "second.key=%s", p->key);
    settings[n++] = second; /* the last setting wins: the caller's */
    for (size_t i = 0; options->settings != NULL && options->settings[i] != NULL; i++) {
        if (n > MAX_SETTINGS) {
            return atls_fail(err, ATLS_E_CONFIGURATION, options->settings[i], "more than %u settings", MAX_SETTINGS);
        }
        settings[n++] = options->settings[i];
    }
    const sim_apple_options o = {.seed = options->seed, .settings = settings, .now = options->now};
    return sim_apple_new(&o, &p->apple, err);
}

bool sim_phone_new(const sim_phone_options *options, sim_phone **out, atls_error *err)
{
    const char *key = options->key == NULL ? "phone" : options->key;
    *out = NULL;
    if (strlen(key) >= KEY_SIZE) {
        return atls_fail(err, ATLS_E_CONFIGURATION, "key", "a label of at most 31 bytes");
    }
    sim_phone *p = calloc(1, sizeof *p);
    if (p == NULL) {
        return atls_fail(err, ATLS_E_MEMORY, "sim", NULL);
    }
    memcpy(p->key, key, strlen(key) + 1);
    if (!(options->kind == SIM_PHONE_APPLE ? make_apple(p, options, err) : make_android(p, options, err))) {
        sim_phone_free(p);
        return false;
    }
    *out = p;
    return true;
}

void sim_phone_free(sim_phone *p)
{
    if (p == NULL) {
        return;
    }
    sim_android_free(p->android);
    sim_apple_free(p->apple);
    free(p);
}

atls_time sim_phone_now(const sim_phone *p)
{
    return p->apple != NULL ? sim_apple_now(p->apple) : sim_android_now(p->android);
}

static sim *room_of(const sim_phone *p)
{
    return p->apple != NULL ? &p->apple->base : &p->android->base;
}

/* ---- the key ---- */

static sim_android_request request_of(const sim_phone *p, atls_bytes nonce)
{
    return (sim_android_request){.challenge = nonce, .key = p->key};
}

static bool key_of(const sim_phone *p, sim_op *o, sim_key *out, atls_error *err)
{
    if (p->apple == NULL) {
        const sim_android_request request = request_of(p, atls_bytes_empty());
        *out = *sim_android_key(o, "leaf", &request);
        return sim_ok(o) || sim_op_end(o, err);
    }
    sim_apple_key second;
    if (!sim_apple_second_key(p->apple, &second, err)) {
        return false;
    }
    *out = (sim_key){.curve = SIM_P256, .half = sizeof second.d, .point_len = sizeof second.point};
    memcpy(out->d, second.d, sizeof second.d);
    memcpy(out->point, second.point, sizeof second.point);
    return true;
}

bool sim_phone_spki(sim_phone *p, atls_arena *a, atls_bytes *out, atls_error *err)
{
    sim_op o;
    sim_key key;
    sim_op_begin(&o, room_of(p), a);
    if (!key_of(p, &o, &key, err)) {
        return false;
    }
    atls_buf b = sim_buf(&o);
    sim_spki_put(&b, &key);
    *out = sim_done(&b);
    return sim_op_end(&o, err);
}

/* ECPrivateKey, RFC 5915 section 3 */
bool sim_phone_private_key(sim_phone *p, atls_arena *a, atls_bytes *out, atls_error *err)
{
    sim_op o;
    sim_key key;
    sim_op_begin(&o, room_of(p), a);
    if (!key_of(p, &o, &key, err)) {
        return false;
    }
    atls_buf b = sim_buf(&o);
    const size_t sequence = sim_der_open(&b, SIM_DER_SEQUENCE);
    sim_der_uint(&b, SIM_DER_INTEGER, 1);
    sim_der_put(&b, SIM_DER_OCTET_STRING, atls_bytes_of(key.d, key.half));
    const size_t group = sim_der_open(&b, 0xa0);
    sim_der_oid(&b, key.curve == SIM_P256 ? "1.2.840.10045.3.1.7" : "1.3.132.0.34");
    sim_der_close(&b, group);
    const size_t point = sim_der_open(&b, 0xa1);
    sim_der_bits(&b, 0, atls_bytes_of(key.point, key.point_len));
    sim_der_close(&b, point);
    sim_der_close(&b, sequence);
    *out = sim_done(&b);
    return sim_op_end(&o, err);
}

/* An atls_enrol_sign_fn: ECDSA with SHA-256. */
static bool sign(void *ctx, atls_bytes tbs, atls_arena *arena, atls_bytes *algorithm, atls_bytes *signature,
                 atls_error *err)
{
    const sim_phone *p = ctx;
    uint8_t rs[96];
    sim_op o;
    sim_key key;
    sim_op_begin(&o, room_of(p), arena);
    if (!key_of(p, &o, &key, err)) {
        return false;
    }
    sim_sign(&o, &key, tbs, "csr.sig", rs);
    atls_buf name = sim_buf(&o);
    sim_ecdsa_put(&name, SIM_SHA256);
    *algorithm = sim_done(&name);
    atls_buf value = sim_buf(&o);
    sim_sig_der(&value, rs, key.half);
    *signature = sim_done(&value);
    return sim_op_end(&o, err);
}

/* ---- the statement ---- */

/* One DER after the other, apart. */
static bool split(atls_bytes chain, atls_enrol_statement *out, atls_error *err)
{
    while (chain.len > 0) {
        const size_t head = chain.len < 4 ? 0 : chain.ptr[1] == 0x82 ? 4 : chain.ptr[1] == 0x81 ? 3 : 2;
        size_t len = head == 4   ? (size_t)chain.ptr[2] << 8 | chain.ptr[3]
                     : head == 3 ? chain.ptr[2]
                     : head == 2 ? chain.ptr[1]
                                 : 0;
        len += head;
        if (head == 0 || len > chain.len || out->n_x5c == ATLS_ENROL_MAX_CERTIFICATES) {
            return atls_fail(err, ATLS_E_CONFIGURATION, "chain", "no sequence of at most 16 certificates");
        }
        out->x5c[out->n_x5c++] = atls_bytes_of(chain.ptr, len);
        chain = atls_bytes_of(chain.ptr + len, chain.len - len);
    }
    return true;
}

static bool attest(sim_phone *p, atls_bytes nonce, atls_arena *a, atls_enrol_statement *out, atls_error *err)
{
    const atls_bytes none = atls_bytes_empty();
    *out = (atls_enrol_statement){.chain = none, .attestation = none, .client_data = none};
    if (p->apple == NULL) {
        const sim_android_request request = request_of(p, nonce);
        out->kind = ATLS_ENROL_ANDROID_KEY;
        return sim_android_chain(p->android, &request, a, &out->chain, err) && split(out->chain, out, err);
    }
    out->kind = ATLS_ENROL_IOS_APPATTEST;
    return sim_apple_client_data(p->apple, nonce, a, &out->client_data, err)
           && sim_apple_attestation(p->apple, out->client_data, a, &out->attestation, err);
}

bool sim_phone_statement(sim_phone *p, atls_bytes nonce, atls_arena *a, atls_bytes *out, atls_error *err)
{
    atls_enrol_statement statement;
    return attest(p, nonce, a, &statement, err) && atls_enrol_statement_write(&statement, a, out, err);
}

bool sim_phone_csr(sim_phone *p, const atls_enrol_challenge *challenge, atls_arena *a, atls_bytes *out, atls_error *err)
{
    static const atls_bytes app = {.ptr = (const uint8_t *)"simulated phone", .len = sizeof "simulated phone" - 1};
    const atls_enrol_name name = {.type = "CN", .value = app};
    atls_enrol_csr_template csr = {.names = &name, .n_names = 1, .nonce = challenge->nonce, .sign = sign, .ctx = p};
    return sim_phone_statement(p, challenge->nonce, a, &csr.statement, err) && sim_phone_spki(p, a, &csr.spki, err)
           && atls_enrol_oid_der(challenge->proof_oid, "challenge.proofOID", a, &csr.proof_oid, err)
           && atls_enrol_csr_write(&csr, a, out, err);
}

/* ---- what a server needs ---- */

bool sim_phone_policy(sim_phone *p, atls_arena *a, atls_bytes *out, atls_error *err)
{
    return p->apple != NULL ? sim_apple_policy(p->apple, a, out, err) : sim_android_policy(p->android, a, out, err);
}

bool sim_phone_status(sim_phone *p, atls_arena *a, atls_bytes *out, atls_error *err)
{
    *out = atls_bytes_empty();
    return p->apple != NULL || sim_android_status(p->android, a, out, err);
}

bool sim_phone_endorse(void *ctx, const atls_endorsement_request *request, atls_arena *a, atls_endorsements *out,
                       atls_error *err)
{
    sim_phone *p = ctx;
    *out = (atls_endorsements){.platform = ATLS_PLATFORM_NONE};
    return p->apple != NULL || sim_android_endorse(p->android, request, a, out, err);
}
