/* SPDX-License-Identifier: Apache-2.0 */
/* android.c: a phone: made once, from options; each public function is one operation on it. */
#include <stdlib.h>
#include <string.h>

#include "atls/phone_proof.h"
#include "sim/android_internal.h"
#include "sim/phone_room.h"

sim_android *sim_android_of(sim_op *o)
{
    return (sim_android *)(void *)o->s; /* base comes first */
}

/* ---- products ---- */

static atls_bytes make_chain(sim_op *o, const sim_android_request *request)
{
    char word[32];
    const char *list = sim_get_text(o, sim_android_default_chain(sim_android_of(o)->kind), "chain");
    atls_buf b = sim_buf(o);
    while (sim_split(&list, word, sizeof word)) {
        atls_buf_put(&b, sim_android_cert(o, word, request));
    }
    return sim_raw(o, "chain", sim_done(&b));
}

static atls_bytes make_status(sim_op *o)
{
    return sim_raw(o, "status", sim_doc(o, "status", atls_bytes_str("{\"entries\":{}}")));
}

static atls_bytes make_policy(sim_op *o)
{
    uint8_t digest[32];
    uint8_t anchor[32];
    const bool is_software = sim_android_of(o)->kind == SIM_ANDROID_SOFTWARE;
    atls_buf spki = sim_buf(o);
    sim_spki_put(&spki, sim_android_key(o, "root", &(sim_android_request){.key = NULL}));
    sim_sha256(sim_done(&spki), anchor);
    sim_android_app_digest(o, digest);
    atls_buf b = sim_buf(o);
    atls_buf_str(&b, "{\"type\":\"android_key\",\"applications\":[{\"packageName\":\"" SIM_ANDROID_PACKAGE
                     "\",\"signatureDigests\":[");
    sim_doc_hex(&b, atls_bytes_of(digest, sizeof digest));
    atls_buf_format(&b, "]}],\"%sAttestationTrustAnchors\":[", is_software ? "software" : "hardware");
    sim_doc_hex(&b, atls_bytes_of(anchor, sizeof anchor));
    atls_buf_str(&b, is_software ? "],\"disableHardwareAttestation\":true,\"enableSoftwareAttestation\":true}" : "]}");
    return sim_raw(o, "policy", sim_doc(o, "policy", sim_done(&b)));
}

/* ECPrivateKey, RFC 5915 section 3 */
static atls_bytes make_private_key(sim_op *o, const sim_android_request *request)
{
    const sim_key *key = sim_android_key(o, "leaf", request);
    atls_buf b = sim_buf(o);
    size_t sequence = sim_der_open(&b, SIM_DER_SEQUENCE);
    sim_der_uint(&b, SIM_DER_INTEGER, 1);
    sim_der_put(&b, SIM_DER_OCTET_STRING, atls_bytes_of(key->d, key->half));
    size_t group = sim_der_open(&b, 0xa0);
    sim_der_oid(&b, key->curve == SIM_P256 ? "1.2.840.10045.3.1.7" : "1.3.132.0.34");
    sim_der_close(&b, group);
    size_t point = sim_der_open(&b, 0xa1);
    sim_der_bits(&b, 0, atls_bytes_of(key->point, key->point_len));
    sim_der_close(&b, point);
    sim_der_close(&b, sequence);
    return sim_done(&b);
}

/* ---- the phone ---- */

/* One of everything, so that each setting is asked for once; those of certificates outside the chain, too. */
static void rehearse(sim_op *o)
{
    static const char *const ids[] = {"root", "intermediate", "ca2", "ca3", "attestation", "leaf", "extra", "root2"};
    const sim_android_request request = {.challenge = atls_bytes_empty()};
    for (size_t i = 0; i < sizeof ids / sizeof ids[0]; i++) {
        (void)sim_android_cert(o, ids[i], &request);
    }
    (void)make_chain(o, &request);
    (void)make_status(o);
    (void)make_policy(o);
    (void)sim_get(o, "session.sig");
}

bool sim_android_new(const sim_android_options *options, sim_android **out, atls_error *err)
{
    *out = NULL;
    sim_android *s = calloc(1, sizeof *s);
    if (s == NULL) {
        return atls_fail(err, ATLS_E_MEMORY, "sim", NULL);
    }
    s->kind = options->kind;
    if (!sim_phone_room_open(&s->base, options->seed, options->now, err)
        || !sim_phone_room_make(&s->base, options->settings, NULL, rehearse, err)) {
        sim_android_free(s);
        return false;
    }
    *out = s;
    return true;
}

void sim_android_free(sim_android *s)
{
    if (s == NULL) {
        return;
    }
    sim_phone_room_close(&s->base);
    free(s);
}

atls_time sim_android_now(const sim_android *s)
{
    return s->base.now;
}

bool sim_android_chain(sim_android *s, const sim_android_request *request, atls_arena *a, atls_bytes *out,
                       atls_error *err)
{
    sim_op o;
    sim_op_begin(&o, &s->base, a);
    *out = make_chain(&o, request);
    return sim_op_end(&o, err);
}

bool sim_android_certificates(sim_android *s, const sim_android_request *request, atls_arena *a, atls_bytes *out,
                              size_t *n, atls_error *err)
{
    sim_op o;
    char word[32];
    *n = 0;
    sim_op_begin(&o, &s->base, a);
    const char *list = sim_get_text(&o, sim_android_default_chain(s->kind), "chain");
    while (*n < SIM_ANDROID_MAX_CHAIN && sim_split(&list, word, sizeof word)) {
        out[(*n)++] = sim_android_cert(&o, word, request);
    }
    return sim_op_end(&o, err);
}

bool sim_android_private_key(sim_android *s, const sim_android_request *request, atls_arena *a, atls_bytes *out,
                             atls_error *err)
{
    sim_op o;
    sim_op_begin(&o, &s->base, a);
    *out = make_private_key(&o, request);
    return sim_op_end(&o, err);
}

bool sim_android_sign(sim_android *s, const sim_android_request *request, atls_bytes message, atls_arena *a,
                      atls_bytes *out, atls_error *err)
{
    sim_op o;
    uint8_t rs[96];
    sim_op_begin(&o, &s->base, a);
    const sim_key *key = sim_android_key(&o, "leaf", request);
    atls_buf b = sim_buf(&o);
    sim_sign(&o, key, message, "session.sig", rs);
    sim_sig_der(&b, rs, key->half);
    *out = sim_done(&b);
    return sim_op_end(&o, err);
}

/* The chain as key stores give it: certificate by certificate. */
bool sim_android_attest(void *ctx, const uint8_t report[64], atls_arena *a, atls_evidence *out, atls_error *err)
{
    sim_android *s = ctx;
    const sim_android_request request = {.challenge = atls_bytes_of(report, 64)};
    uint8_t message[ATLS_PHONE_MESSAGE_LEN];
    atls_bytes certificates[SIM_ANDROID_MAX_CHAIN];
    atls_bytes signature;
    size_t n = 0;
    *out = (atls_evidence){atls_bytes_empty(), atls_bytes_empty(), atls_bytes_empty()};
    atls_phone_message(report, message);
    return sim_android_certificates(s, &request, a, certificates, &n, err)
           && sim_android_sign(s, &request, atls_bytes_of(message, sizeof message), a, &signature, err)
           && atls_phone_android(certificates, n, signature, a, &out->quote, err);
}

bool sim_android_status(sim_android *s, atls_arena *a, atls_bytes *out, atls_error *err)
{
    sim_op o;
    sim_op_begin(&o, &s->base, a);
    *out = make_status(&o);
    return sim_op_end(&o, err);
}

bool sim_android_policy(sim_android *s, atls_arena *a, atls_bytes *out, atls_error *err)
{
    sim_op o;
    sim_op_begin(&o, &s->base, a);
    *out = make_policy(&o);
    return sim_op_end(&o, err);
}

bool sim_android_endorse(void *ctx, const atls_endorsement_request *request, atls_arena *a, atls_endorsements *out,
                         atls_error *err)
{
    sim_android *s = ctx;
    (void)request;
    *out = (atls_endorsements){.android = {.fetched = s->base.now}};
    return sim_android_status(s, a, &out->android.list, err);
}
