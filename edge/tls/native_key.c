/* SPDX-License-Identifier: Apache-2.0 */
/* native_key.c: a server whose policy is of type enrolled_key judges the certificate that the client showed in the handshake.
 *
 * The client has signed this handshake with the certificate's key: that is the binding, and all that is fresh. What the
 * certificate says of the key is as old as the certificate, and so the result's grade is `key`. It is judged with the
 * client's hello: a client that is not accepted costs no evidence, and hears a refusal in place of the server's hello. */
#include <string.h>

#include <openssl/err.h>

#include "base/text.h"
#include "clock.h"
#include "native.h"
#include "server.h"
#include "spki.h"
#include "tape.h"

static bool put_certificate(atls_buf *b, const X509 *cert, atls_error *err)
{
    unsigned char *der = NULL;
    const int len = i2d_X509(cert, &der);
    if (len > 0) {
        atls_buf_put(b, atls_bytes_of(der, (size_t)len));
    }
    OPENSSL_free(der);
    ERR_clear_error();
    return len > 0 || atls_fail(err, ATLS_E_INTERNAL, "client.certificate", "a certificate could not be written");
}

/* DER, leaf first, one behind the other. On a server's side OpenSSL keeps the leaf apart from the others. */
static bool chain_of(const atls_session *s, const X509 *leaf, atls_arena *arena, atls_bytes *out, atls_error *err)
{
    STACK_OF(X509) *others = SSL_get_peer_cert_chain(s->ssl);
    const int n = others == NULL ? 0 : sk_X509_num(others);
    atls_buf b;
    atls_buf_init(&b, arena, err);
    if (!put_certificate(&b, leaf, err)) {
        return false;
    }
    for (int i = 0; i < n; i++) {
        if (!put_certificate(&b, sk_X509_value(others, i), err)) {
            return false;
        }
    }
    return atls_buf_done(&b, out);
}

static bool appraise(atls_session *s, const native *n, const X509 *leaf, atls_error *err)
{
    atls_appraisal in = {
        .binding = {.grade = ATLS_GRADE_KEY, .profile = s->profile->name, .value_len = 32, .has_leaf_sha256 = true},
        .event_log = atls_bytes_empty(),
        .now = n->side.now,
        .endorse = n->side.endorse,
        .endorse_ctx = n->side.endorse_ctx,
    };
    memcpy(in.binding.leaf_sha256, s->peer.leaf_sha256, sizeof in.binding.leaf_sha256);
    if (!chain_of(s, leaf, &s->arena, &in.evidence, err)
        || !atls_spki_sha256(leaf, "client.certificate", in.binding.value, err)
        || !atls_clock_judging(n->side.verifier, &in.now, NULL, err)) {
        return false;
    }
    atls_tape tape = {0};
    const bool accepted = atls_tape_appraise(&tape, n->side.record, n->side.verifier, &in, &s->arena, &s->result, err);
    atls_tape_end(&tape, accepted, err);
    s->has_result = true;
    return accepted;
}

bool native_judge_key(atls_session *s, const native *n, atls_error *err)
{
    if (!atls_server_judges_keys(&s->server)) {
        return true;
    }
    const X509 *leaf = SSL_get0_peer_certificate(s->ssl);
    if (leaf == NULL) {
        return atls_fail(err, ATLS_E_MISSING_CERTIFICATE, "client.certificate",
                         "the policy asks for the certificate of an enrolled key, and the client has shown none");
    }
    if (!appraise(s, n, leaf, err)) {
        return false;
    }
    s->peer.identity = ATLS_IDENTITY_CA; /* the policy's authorities say who it is */
    return true;
}
