/* SPDX-License-Identifier: Apache-2.0 */
/* hooked.c: from options of a session to a hook, and from what the hook found to the session's result. */
#include "hooked.h"

#include <openssl/err.h>

#include "atls/hooks.h"
#include "identity.h"
#include "peer_chain.h"
#include "server.h"

bool atls_hooked_is(const atls_session *s)
{
    return s->profile == atls_hooked_profile();
}

/* ---- before the handshake ---------------------------------------------------------------------------------------- */

static bool hook_client(const atls_session *s, atls_error *err)
{
    const atls_client_options *o = &s->client;
    const atls_hook_client_options hook = {.verifier = o->verifier,
                                           .endorse = o->endorse,
                                           .endorse_ctx = o->endorse_ctx,
                                           .trust_key = o->trust_key,
                                           .trust_key_ctx = o->trust_key_ctx,
                                           .attest = o->attest,
                                           .attest_ctx = o->attest_ctx,
                                           .attester = o->attester,
                                           .now = o->now,
                                           .arena_size = o->arena_size,
                                           .record = o->record,
                                           .variant = o->variant};
    return atls_hook_client(s->ctx, &hook, err);
}

static bool hook_server(const atls_session *s, atls_error *err)
{
    const atls_server_options *o = &s->server;
    const atls_hook_server_options hook = {.attest = o->attest,
                                           .attest_ctx = o->attest_ctx,
                                           .attester = o->attester,
                                           .verifier = o->verifier,
                                           .endorse = o->endorse,
                                           .endorse_ctx = o->endorse_ctx,
                                           .trust_key = o->trust_key,
                                           .trust_key_ctx = o->trust_key_ctx,
                                           .now = o->now,
                                           .arena_size = o->arena_size,
                                           .record = o->record,
                                           .variant = o->variant};
    return atls_hook_server(s->ctx, &hook, err);
}

bool atls_hooked_context(atls_session *s, atls_error *err)
{
    return s->is_server ? hook_server(s, err) : hook_client(s, err);
}

bool atls_hooked_configure(atls_session *s, SSL *ssl, atls_error *err)
{
    if (s->is_server && !atls_server_take_request(s, err)) { /* whoever says hello here asks for evidence */
        return false;
    }
    SSL_set_options(ssl, SSL_OP_NO_TICKET | SSL_OP_NO_RENEGOTIATION);
    SSL_clear_options(ssl, SSL_OP_IGNORE_UNEXPECTED_EOF | SSL_OP_ALLOW_NO_DHE_KEX);
    SSL_clear_mode(ssl, SSL_MODE_AUTO_RETRY);
    SSL_set_mode(ssl, SSL_MODE_ENABLE_PARTIAL_WRITE | SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER);
    if (s->is_server) {
        SSL_set_accept_state(ssl);
    } else {
        /* this one function of OpenSSL says 0 for success */
        bool ok = SSL_set_alpn_protos(ssl, s->alpn.len == 0 ? NULL : s->alpn.ptr, (unsigned)s->alpn.len) == 0;
        ERR_clear_error();
        if (!ok) {
            return atls_fail(err, ATLS_E_INTERNAL, "ssl", "OpenSSL refuses the protocols of a session");
        }
        SSL_set_connect_state(ssl);
    }
    s->ssl = ssl;
    return true;
}

/* ---- behind it --------------------------------------------------------------------------------------------------- */

static void keep(atls_session *s, const atls_result *found)
{
    if (found != NULL) {
        s->result = *found;
        s->has_result = true;
    }
}

static bool judges(const atls_session *s)
{
    return s->is_server ? s->server.verifier != NULL : s->client.verifier != NULL;
}

bool atls_hooked_check(atls_session *s, atls_error *err)
{
    const X509 *leaf = SSL_get0_peer_certificate(s->ssl);
    const atls_result *found = NULL;
    if (!s->is_server) {
        atls_peer_chain_tell(s, SSL_get_peer_cert_chain(s->ssl));
    }
    if ((leaf != NULL && !atls_identity_note_peer(s, leaf, err))
        || (!s->is_server && !atls_client_check_alpn(s, err))) {
        return false;
    }
    if (!judges(s)) {
        return true;
    }
    bool accepted = atls_hook_result(s->ssl, &found, err);
    keep(s, found);
    return accepted;
}

void atls_hooked_explain(atls_session *s, atls_error *err)
{
    atls_error known = {0};
    const atls_result *found = NULL;
    if (!atls_hooked_is(s) || s->ssl == NULL) {
        return;
    }
    if (s->phase == ATLS_PHASE_ESTABLISHED) { /* a client that was refused hears of it at its first read */
        if (!atls_hook_peer_accepted(s->ssl, &known) && known.code == ATLS_E_PEER_REFUSED) {
            *err = known;
        }
        return;
    }
    bool accepted = atls_hook_result(s->ssl, &found, &known);
    if (!accepted && known.code != ATLS_E_TLS_HANDSHAKE && known.code != ATLS_E_USAGE) {
        *err = known;
        keep(s, found);
    }
}

/* ---- the profile ------------------------------------------------------------------------------------------------- */

static bool begin(atls_session *s, void **state, atls_error *err)
{
    (void)s;
    (void)err;
    *state = NULL;
    return true;
}

static atls_step step(atls_session *s, void *state, atls_error *err)
{
    (void)state;
    return atls_session_in_time(s, err) ? ATLS_STEP_DONE : ATLS_STEP_FAILED;
}

static void end(void *state)
{
    (void)state;
}

const atls_profile *atls_hooked_profile(void)
{
    static const atls_profile profile = {
        .name = "constellation", .grade = ATLS_GRADE_KEY_FRESH, .begin = begin, .step = step, .end = end};
    return &profile;
}
