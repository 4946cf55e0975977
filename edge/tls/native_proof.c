/* SPDX-License-Identifier: Apache-2.0 */
/* native_proof.c: what a session is in 64 bytes, evidence over it, and the verdict on the peer's. */
#include <string.h>

#include <openssl/err.h>
#include <openssl/rand.h>

#include "base/limits.h"
#include "clock.h"
#include "io.h"
#include "native.h"
#include "server.h"
#include "spki.h"
#include "tape.h"
#include "verify/verifier_crypto.h"

/* ---- types of evidence ---------------------------------------------------------------------------------------------- */

/* SGX and TDX share theirs, and NONE is an application that does not say. Certificates of enrolled keys are shown in the handshake
 * (native_key.c): "", which no record and no list can hold. */
static const char *type_of(atls_platform platform)
{
    switch (platform) {
    case ATLS_PLATFORM_ENROLLED:
        return "";
    case ATLS_PLATFORM_ANDROID:
        return ATLS_NATIVE_TYPE_ANDROID;
    case ATLS_PLATFORM_APPLE:
        return ATLS_NATIVE_TYPE_APPLE;
    case ATLS_PLATFORM_SEV_SNP:
        return ATLS_NATIVE_TYPE_SNP;
    case ATLS_PLATFORM_TPM:
        return ATLS_NATIVE_TYPE_TPM;
    case ATLS_PLATFORM_NITRO:
        return ATLS_NATIVE_TYPE_NITRO;
    default:
        return ATLS_NATIVE_TYPE_DCAP;
    }
}

static const char *made_type(const atls_attester *attester, atls_platform platform)
{
    return type_of(attester != NULL ? atls_attester_platform(attester) : platform);
}

/* ---- opening ----------------------------------------------------------------------------------------------------- */

/* Clients and servers give the same options under the same names, in structures of their own. */
#define SIDE_OF(o)                                                                                                     \
    ((native_side){.verifier = (o)->verifier,                                                                          \
                   .endorse = (o)->endorse,                                                                            \
                   .endorse_ctx = (o)->endorse_ctx,                                                                    \
                   .trust_key = (o)->trust_key,                                                                        \
                   .trust_key_ctx = (o)->trust_key_ctx,                                                                \
                   .want_endorsements = (o)->want_endorsements,                                                        \
                   .staple = (o)->staple,                                                                              \
                   .now = (o)->now,                                                                                    \
                   .attest = (o)->attest,                                                                              \
                   .attest_ctx = (o)->attest_ctx,                                                                      \
                   .attester = (o)->attester,                                                                          \
                   .type = made_type((o)->attester, (o)->attest_platform),                                             \
                   .protocols = (o)->alpn,                                                                             \
                   .record = &(o)->record})

static native_side side_of(const atls_session *s)
{
    return s->is_server ? SIDE_OF(&s->server) : SIDE_OF(&s->client);
}

/* Somebody who lives longer has the algorithms at hand, and keys that were opened before. */
static bool borrow_crypto(native *n, atls_error *err)
{
    if (n->side.verifier != NULL) {
        n->crypto = atls_verifier_crypto(n->side.verifier);
    } else if (n->side.attester != NULL) {
        n->crypto = atls_attester_crypto(n->side.attester);
    } else {
        if (!atls_crypto_new(&n->own_crypto, err)) {
            return false;
        }
        n->crypto = n->own_crypto;
    }
    return true;
}

/* What our policy can judge, in the order of the list of platforms; each type once. */
static void add_types(native *n)
{
    if (n->side.verifier == NULL) {
        return;
    }
    const unsigned judged = atls_verifier_platforms(n->side.verifier);
    for (unsigned i = 0; i < ATLS_N_PLATFORMS; i++) {
        const atls_bytes type = atls_bytes_str(type_of((atls_platform)i));
        if (type.len > 0 && (judged >> i & 1u) != 0 && !native_names_hold(&n->mine.types, type)) {
            n->mine.types.items[n->mine.types.n++] = type;
        }
    }
    n->mine.staple = n->side.want_endorsements;
}

bool native_open(atls_session *s, native *n, atls_error *err)
{
    n->side = side_of(s);
    n->role = s->is_server ? ATLS_NATIVE_SERVER : ATLS_NATIVE_CLIENT;
    if (RAND_bytes(n->mine.nonce, sizeof n->mine.nonce) != 1) {
        ERR_clear_error();
        return atls_fail(err, ATLS_E_INTERNAL, "nonce", "the system's generator of random numbers failed");
    }
    add_types(n);
    return borrow_crypto(n, err);
}

void native_close(native *n)
{
    atls_crypto_free(n->own_crypto);
    n->own_crypto = NULL;
}

/* ---- names ------------------------------------------------------------------------------------------------------- */

bool native_own_protocols(const native *n, atls_native_names *out, atls_error *err)
{
    *out = (atls_native_names){.n = 0};
    for (size_t i = 0; n->side.protocols != NULL && n->side.protocols[i] != NULL; i++) {
        if (out->n == ATLS_NATIVE_MAX_NAMES) {
            return atls_fail(err, ATLS_E_CONFIGURATION, "alpn", "atls/1 can offer %u protocols",
                             (unsigned)ATLS_NATIVE_MAX_NAMES);
        }
        out->items[out->n++] = atls_bytes_str(n->side.protocols[i]);
    }
    if (out->n == 0) {
        out->items[out->n++] = atls_bytes_str(ATLS_NATIVE_NO_PROTOCOL);
    }
    return true;
}

bool native_note_protocol(atls_session *s, atls_bytes name, atls_error *err)
{
    if (name.len > sizeof s->protocol_text) {
        return atls_fail(err, ATLS_E_INTERNAL, "protocols", "a name that is longer than names are");
    }
    if (!atls_bytes_equal_str(name, ATLS_NATIVE_NO_PROTOCOL)) {
        memcpy(s->protocol_text, name.ptr, name.len);
        s->protocol = atls_bytes_of(s->protocol_text, name.len);
    }
    return true;
}

bool native_names_hold(const atls_native_names *names, atls_bytes name)
{
    for (size_t i = 0; i < names->n; i++) {
        if (atls_bytes_equal(names->items[i], name)) {
            return true;
        }
    }
    return false;
}

/* ---- the binding ------------------------------------------------------------------------------------------------- */

bool native_agree(native *n, atls_error *err)
{
    bool is_client = n->role == ATLS_NATIVE_CLIENT;
    return atls_native_context(n->crypto, is_client ? n->my_hello : n->peer_hello,
                               is_client ? n->peer_hello : n->my_hello, n->context, err);
}

/* SHA-256 of a leaf's SPKI; empty for a client without certificate. */
static bool hash_spki(const X509 *cert, bool is_client, uint8_t buf[32], atls_bytes *out, atls_error *err)
{
    if (cert == NULL && is_client) {
        *out = atls_bytes_empty();
        return true;
    }
    *out = atls_bytes_of(buf, 32);
    return atls_spki_sha256(cert, is_client ? "client.certificate" : "server.certificate", buf, err);
}

/* Our leaf certificate as the peer has seen it. A client may have one that the server did not ask for, or that it could not
 * sign with: then none was sent, and the only trace of that is that we signed nothing. */
static const X509 *own_certificate(const atls_session *s)
{
    int signed_with = NID_undef;
    return s->is_server || SSL_get_signature_type_nid(s->ssl, &signed_with) == 1 ? SSL_get_certificate(s->ssl) : NULL;
}

static bool export(atls_session *s, const native *n, atls_native_role prover, uint8_t out[64], atls_error *err)
{
    const char *label = prover == ATLS_NATIVE_CLIENT ? ATLS_NATIVE_LABEL_CLIENT : ATLS_NATIVE_LABEL_SERVER;
    return atls_session_exporter_with(s, label, atls_bytes_of(n->context, sizeof n->context), out,
                                      ATLS_NATIVE_EXPORTER_LEN, err);
}

/* The leaf of this session for a prover: ours, or the peer's as we compute it. */
static bool make_leaf(atls_session *s, const native *n, atls_native_role prover, uint8_t leaf[64], atls_error *err)
{
    bool prover_is_client = prover == ATLS_NATIVE_CLIENT;
    bool prover_is_us = prover == n->role;
    const X509 *own = own_certificate(s);
    const X509 *peers = SSL_get0_peer_certificate(s->ssl);
    uint8_t prover_hash[32];
    uint8_t verifier_hash[32];
    uint8_t exporter[ATLS_NATIVE_EXPORTER_LEN];
    atls_native_leaf_input in = {
        .role = prover, .exporter = exporter, .nonce = prover_is_us ? n->peers.nonce : n->mine.nonce};
    bool ok = hash_spki(prover_is_us ? own : peers, prover_is_client, prover_hash, &in.prover_spki, err)
              && hash_spki(prover_is_us ? peers : own, !prover_is_client, verifier_hash, &in.verifier_spki, err)
              && export(s, n, prover, exporter, err) && atls_native_leaf(n->crypto, &in, leaf, err);
    atls_wipe(exporter, sizeof exporter);
    return ok;
}

/* ---- our evidence ------------------------------------------------------------------------------------------------ */

bool native_can_prove(const native *n)
{
    return (n->side.attest != NULL || n->side.attester != NULL)
           && native_names_hold(&n->peers.types, atls_bytes_str(n->side.type));
}

static bool write_evidence(atls_session *s, const native *n, const atls_evidence *e, const atls_tree_path *path,
                           atls_bytes *frame, atls_error *err)
{
    bool has_log = strcmp(n->side.type, ATLS_NATIVE_TYPE_DCAP) == 0 && e->event_log.len > 0
                   && e->event_log.ptr[0] == '['; /* a raw CCEL has no type in this protocol */
    if (e->quote.len == 0 || e->quote.len > ATLS_MAX_QUOTE_LEN) {
        return atls_fail(err, ATLS_E_INTERNAL, "evidence.quote", "the attester made a quote of %zu bytes",
                         e->quote.len);
    }
    atls_native_evidence out = {
        .evidence = {atls_bytes_str(n->side.type), e->quote},
        .has_companion = has_log,
        .companion = {atls_bytes_str(ATLS_NATIVE_TYPE_LOG), has_log ? e->event_log : atls_bytes_empty()},
        .path = *path,
    };
    return native_staple(n, &s->arena, &out, err) && atls_native_write_evidence(&out, &s->arena, frame, err);
}

/* Without an attester of its own thread: one leaf, one quote, here and now. */
static bool attest_now(atls_session *s, const native *n, const uint8_t leaf[64], atls_bytes *frame, atls_error *err)
{
    static const atls_tree_path alone = {.index = 0, .size = 1};
    atls_tree_path path = alone;
    path.siblings = atls_bytes_empty();
    uint8_t root[64];
    uint8_t report[64];
    atls_evidence e = {atls_bytes_empty(), atls_bytes_empty(), atls_bytes_empty()};
    if (!atls_tree_walk(n->crypto, leaf, &path, "evidence.tree", root, err)
        || !atls_native_report(n->crypto, path.size, root, report, err)) {
        return false;
    }
    if (!n->side.attest(n->side.attest_ctx, report, &s->arena, &e, err)) {
        return atls_fail(err, ATLS_E_INTERNAL, "attest", "the attester failed and did not say why");
    }
    return write_evidence(s, n, &e, &path, frame, err);
}

static uint32_t time_left(const atls_session *s)
{
    int left = atls_session_timeout_ms(s);
    return left < 0 ? 0 : (uint32_t)left;
}

static atls_step take_ticket(atls_session *s, native *n, atls_bytes *frame, atls_error *err)
{
    const atls_attested *made;
    if (atls_io_blocks(s)) { /* whoever lets reads block lets this block, too */
        atls_ticket_wait(s->ticket, time_left(s));
    }
    switch (atls_ticket_poll(s->ticket, &made, err)) {
    case ATLS_TICKET_WAITING:
        break;
    case ATLS_TICKET_READY:
        if (!write_evidence(s, n, &made->evidence, &made->path, frame, err)) {
            return ATLS_STEP_FAILED;
        }
        atls_ticket_free(s->ticket);
        s->ticket = NULL;
        return ATLS_STEP_DONE;
    default:
        return ATLS_STEP_FAILED;
    }
    if (!atls_session_in_time(s, err)) {
        return ATLS_STEP_FAILED;
    }
    atls_step quiet = atls_io_has_news(s) ? native_watch(s, n, err) : ATLS_STEP_DONE;
    return quiet == ATLS_STEP_DONE ? ATLS_STEP_WANT_EVIDENCE : quiet;
}

static atls_step prove(atls_session *s, native *n, atls_bytes *frame, atls_error *err)
{
    uint8_t leaf[64];
    if (s->ticket == NULL) {
        if (!make_leaf(s, n, n->role, leaf, err)) {
            return ATLS_STEP_FAILED;
        }
        if (n->side.attester == NULL) {
            return attest_now(s, n, leaf, frame, err) ? ATLS_STEP_DONE : ATLS_STEP_FAILED;
        }
        if (!atls_ticket_new(n->side.attester, ATLS_TICKET_LEAF, leaf, &s->ticket, err)) {
            return ATLS_STEP_FAILED;
        }
    }
    return take_ticket(s, n, frame, err);
}

atls_step native_prove(atls_session *s, native *n, atls_bytes *frame, atls_error *err)
{
    atls_step step = prove(s, n, frame, err);
    n->own_fault = step == ATLS_STEP_FAILED && err->code != ATLS_E_PROTOCOL; /* that is what the peer did meanwhile */
    return step;
}

/* ---- the peer's evidence ----------------------------------------------------------------------------------------- */

/* The value that the peer's evidence must carry: from our own leaf, whatever the peer computed. */
static bool expected_report(atls_session *s, const native *n, const atls_tree_path *path, uint8_t report[64],
                            atls_error *err)
{
    atls_native_role prover = n->role == ATLS_NATIVE_CLIENT ? ATLS_NATIVE_SERVER : ATLS_NATIVE_CLIENT;
    uint8_t leaf[64];
    uint8_t root[64];
    return make_leaf(s, n, prover, leaf, err) && atls_tree_walk(n->crypto, leaf, path, "evidence.tree", root, err)
           && atls_native_report(n->crypto, path->size, root, report, err);
}

static bool has_verified_name(const atls_session *s)
{
    return s->is_server ? atls_server_knows_client(s) : s->client.identity != ATLS_IDENTITY_ATTESTED_ONLY;
}

/* What was judged is of the type that the record names: where a policy takes several kinds, nothing passes as another. */
static bool check_type(const atls_native_evidence *e, const atls_result *r, atls_error *err)
{
    return atls_bytes_equal_str(e->evidence.type, type_of(r->claims.platform))
           || atls_fail_values(err, ATLS_E_TEE_TYPE_MISMATCH, "evidence.cmw.type", type_of(r->claims.platform), NULL,
                               "the evidence is of another kind than its record says");
}

static bool appraise(atls_session *s, const native *n, const atls_native_evidence *e, native_sources *from,
                     const uint8_t report[64], atls_error *err)
{
    const X509 *leaf = SSL_get0_peer_certificate(s->ssl);
    const bool is_stapled = from->stapled.platform != ATLS_PLATFORM_NONE;
    atls_appraisal in = {
        .evidence = e->evidence.value,
        .event_log = e->has_companion ? e->companion.value : atls_bytes_empty(),
        .binding = {.grade = s->profile->grade, .profile = s->profile->name, .has_leaf_sha256 = leaf != NULL},
        .now = n->side.now,
        .endorse = is_stapled ? native_endorse : n->side.endorse,
        .endorse_ctx = is_stapled ? from : n->side.endorse_ctx,
        .trust_key = n->side.trust_key,
        .trust_key_ctx = n->side.trust_key_ctx,
    };
    memcpy(in.binding.value, report, sizeof in.binding.value);
    memcpy(in.binding.leaf_sha256, s->peer.leaf_sha256, sizeof in.binding.leaf_sha256);
    /* read once, now that the evidence is complete; a key that was made in this very second must not look as if it came from the
     * future */
    if (!atls_clock_judging(n->side.verifier, &in.now, &in.now_ms, err)) {
        return false;
    }
    atls_tape tape = {0};
    bool accepted = atls_tape_appraise(&tape, n->side.record, n->side.verifier, &in, &s->arena, &s->result, err);
    s->result.attested_only = !has_verified_name(s);
    accepted = accepted && check_type(e, &s->result, err);
    atls_tape_end(&tape, accepted, err);
    if (!accepted && s->result.verdict == ATLS_VERDICT_ACCEPTED) {
        s->result = (atls_result){.verdict = ATLS_VERDICT_REJECTED,
                                  .profile = s->profile->name,
                                  .time = in.now,
                                  .attested_only = s->result.attested_only};
    }
    s->has_result = true;
    return accepted;
}

bool native_judge(atls_session *s, native *n, atls_bytes body, atls_error *err)
{
    atls_native_evidence e;
    uint8_t report[64];
    if (!atls_native_read_evidence(body, &e, err)) {
        return false;
    }
    if (!native_names_hold(&n->mine.types, e.evidence.type)) {
        return atls_fail(err, ATLS_E_PROTOCOL, "evidence.cmw.type", "evidence of a type that was not asked for");
    }
    native_sources from = {.side = &n->side};
    return native_stapled(n, &e, &s->arena, &from.stapled, err) && expected_report(s, n, &e.path, report, err)
           && appraise(s, n, &e, &from, report, err);
}

/* ---- done -------------------------------------------------------------------------------------------------------- */

bool native_accept(atls_session *s, native *n, atls_error *err)
{
    atls_native_done done = {.refusal = ATLS_CATEGORY_NONE};
    atls_bytes frame;
    memcpy(done.context, n->context, sizeof done.context);
    n->said_done = true;
    return atls_native_write_done(&done, &s->arena, &frame, err) && native_send(n, frame, err);
}

bool native_accepted(const native *n, atls_bytes body, atls_error *err)
{
    atls_native_done done;
    if (!atls_native_read_done(body, &done, err)) {
        return false;
    }
    atls_bytes ours = atls_bytes_of(n->context, sizeof n->context);
    atls_bytes theirs = atls_bytes_of(done.context, sizeof done.context);
    return atls_bytes_equal(ours, theirs)
           || atls_fail_bytes(err, ATLS_E_PROTOCOL, "done.context", ours, theirs,
                              "the peer has seen other hellos than we have");
}
