/* SPDX-License-Identifier: Apache-2.0 */
/* apple.c: an iPhone's room: made once, from options; each public function is one operation on it. */
#include <stdlib.h>
#include <string.h>

#include "atls/phone_proof.h"
#include "sim/apple_internal.h"
#include "sim/phone_room.h"

sim_apple *sim_apple_of(sim_op *o)
{
    return (sim_apple *)(void *)o->s; /* base comes first */
}

const char *sim_apple_app_id(sim_op *o)
{
    return sim_get_text(o, SIM_APPLE_APP_ID, "app_id");
}

/* ---- texts ---- */

static void put_base64url(atls_buf *b, atls_bytes in)
{
    static const char digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
    for (size_t i = 0; i < in.len; i += 3) {
        const size_t n = in.len - i < 3 ? in.len - i : 3;
        uint32_t bits = (uint32_t)in.ptr[i] << 16;
        bits |= n > 1 ? (uint32_t)in.ptr[i + 1] << 8 : 0;
        bits |= n > 2 ? (uint32_t)in.ptr[i + 2] : 0;
        for (size_t k = 0; k <= n; k++) {
            sim_put_u8(b, (unsigned char)digits[bits >> (18 - 6 * k) & 63]);
        }
    }
}

static void put_member(atls_buf *b, const char *name, atls_bytes value)
{
    atls_buf_format(b, "\"%s\":\"", name);
    put_base64url(b, value);
    atls_buf_str(b, "\"");
}

static const sim_key *second_key(sim_op *o)
{
    return sim_key_of(o, sim_get_text(o, "apple second", "second.key"), SIM_P256);
}

static atls_bytes make_client_data(sim_op *o, atls_bytes challenge)
{
    atls_bytes point = atls_bytes_of(second_key(o)->point, ATLS_APPLE_POINT_SIZE);
    uint8_t compressed[33];
    atls_buf b = sim_buf(o);
    if (sim_get(o, "second.compressed") != NULL) {
        compressed[0] = (uint8_t)(2 | (point.ptr[64] & 1));
        memcpy(compressed + 1, point.ptr + 1, 32);
        point = atls_bytes_of(compressed, sizeof compressed);
    }
    (void)sim_get_bytes(o, &point, "second.point");
    atls_buf_str(&b, "{\"purpose\":\"ios app-attest: secure enclave protected key\",");
    put_member(&b, "publicKey", point);
    atls_buf_str(&b, ",");
    put_member(&b, "challenge", challenge);
    atls_buf_str(&b, "}");
    return sim_raw(o, "client_data", sim_doc(o, "client_data", sim_done(&b)));
}

static void put_pem(sim_op *o, const char *id, atls_buf *b)
{
    atls_buf pem = sim_buf(o);
    sim_pem_put(&pem, "CERTIFICATE", sim_apple_certificate(sim_apple_of(o), id));
    sim_doc_string(b, sim_done(&pem));
}

static atls_bytes make_policy(sim_op *o)
{
    atls_buf b = sim_buf(o);
    atls_buf_format(&b,
                    "{\"type\":\"apple_app_attest\",\"applications\":[{\"teamIdentifier\":\"%s\",\"bundleIdentifier\":"
                    "\"%s\",\"sandbox\":%s}],\"attestationTrustAnchors\":[",
                    SIM_APPLE_TEAM, SIM_APPLE_BUNDLE, sim_apple_of(o)->is_sandbox ? "true" : "false");
    put_pem(o, "root", &b);
    atls_buf_str(&b, "],\"receiptTrustAnchors\":[");
    put_pem(o, "receipt_root", &b);
    atls_buf_str(&b, "]}");
    return sim_raw(o, "policy", sim_doc(o, "policy", sim_done(&b)));
}

/* ---- the room ---- */

/* One of everything that is made on demand, so that each setting is asked for once. */
static void rehearse(sim_op *o)
{
    const atls_bytes data = atls_bytes_str("rehearsal");
    (void)sim_apple_attestation_make(o, data);
    (void)sim_apple_receipt_make(o, data, true);
    (void)sim_apple_assertion_make(o, data, 1);
    (void)make_client_data(o, data);
    (void)make_policy(o);
}

bool sim_apple_new(const sim_apple_options *options, sim_apple **out, atls_error *err)
{
    *out = NULL;
    sim_apple *s = calloc(1, sizeof *s);
    if (s == NULL) {
        return atls_fail(err, ATLS_E_MEMORY, "sim", NULL);
    }
    s->is_sandbox = options->is_sandbox;
    if (!sim_phone_room_open(&s->base, options->seed, options->now, err)
        || !sim_phone_room_make(&s->base, options->settings, sim_apple_certs_make, rehearse, err)) {
        sim_apple_free(s);
        return false;
    }
    *out = s;
    return true;
}

void sim_apple_free(sim_apple *s)
{
    if (s == NULL) {
        return;
    }
    sim_phone_room_close(&s->base);
    free(s);
}

atls_bytes sim_apple_certificate(const sim_apple *s, const char *id)
{
    const sim_cert *cert = sim_apple_cert_find(s, id);
    return cert == NULL ? atls_bytes_empty() : cert->der;
}

atls_time sim_apple_now(const sim_apple *s)
{
    return s->base.now;
}

/* ---- products ---- */

static bool give_key(sim_op *o, const sim_key *key, sim_apple_key *out, atls_error *err)
{
    memcpy(out->point, key->point, sizeof out->point);
    memcpy(out->d, key->d, sizeof out->d);
    return sim_op_end(o, err);
}

bool sim_apple_attested_key(sim_apple *s, sim_apple_key *out, atls_error *err)
{
    sim_op o;
    sim_op_begin(&o, &s->base, &s->base.arena);
    return give_key(&o, sim_apple_cert_key(&o, "leaf"), out, err);
}

bool sim_apple_second_key(sim_apple *s, sim_apple_key *out, atls_error *err)
{
    sim_op o;
    sim_op_begin(&o, &s->base, &s->base.arena);
    return give_key(&o, second_key(&o), out, err);
}

bool sim_apple_client_data(sim_apple *s, atls_bytes challenge, atls_arena *a, atls_bytes *out, atls_error *err)
{
    sim_op o;
    sim_op_begin(&o, &s->base, a);
    *out = make_client_data(&o, challenge);
    return sim_op_end(&o, err);
}

bool sim_apple_attestation(sim_apple *s, atls_bytes client_data, atls_arena *a, atls_bytes *out, atls_error *err)
{
    sim_op o;
    sim_op_begin(&o, &s->base, a);
    *out = sim_apple_attestation_make(&o, client_data);
    return sim_op_end(&o, err);
}

bool sim_apple_receipt(sim_apple *s, atls_bytes client_data, bool is_renewed, atls_arena *a, atls_bytes *out,
                       atls_error *err)
{
    sim_op o;
    sim_op_begin(&o, &s->base, a);
    *out = sim_apple_receipt_make(&o, client_data, is_renewed);
    return sim_op_end(&o, err);
}

bool sim_apple_assertion(sim_apple *s, atls_bytes client_data, uint32_t counter, atls_arena *a, atls_bytes *out,
                         atls_error *err)
{
    sim_op o;
    sim_op_begin(&o, &s->base, a);
    *out = sim_apple_assertion_make(&o, client_data, counter);
    return sim_op_end(&o, err);
}

bool sim_apple_attest(void *ctx, const uint8_t report[64], atls_arena *a, atls_evidence *out, atls_error *err)
{
    uint8_t message[ATLS_PHONE_MESSAGE_LEN];
    atls_bytes attestation;
    atls_bytes assertion;
    *out = (atls_evidence){atls_bytes_empty(), atls_bytes_empty(), atls_bytes_empty()};
    atls_phone_message(report, message);
    return sim_apple_attestation(ctx, atls_bytes_of(report, 64), a, &attestation, err)
           && sim_apple_assertion(ctx, atls_bytes_of(message, sizeof message), 1, a, &assertion, err)
           && atls_phone_apple(attestation, assertion, a, &out->quote, err);
}

bool sim_apple_policy(sim_apple *s, atls_arena *a, atls_bytes *out, atls_error *err)
{
    sim_op o;
    sim_op_begin(&o, &s->base, a);
    *out = make_policy(&o);
    return sim_op_end(&o, err);
}
