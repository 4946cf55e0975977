/* SPDX-License-Identifier: Apache-2.0 */
/* native.h: the profile "atls/1": hellos, evidence and done, behind the handshake; either side proves, or both.
 *
 *   client                                    server
 *   client hello ------------------------------>
 *   <--------------- server hello, evidence (if the client asked)
 *   evidence (if the server asked), done ------->
 *   <------------------------------------- done
 *
 * native_wire.c moves frames, native_proof.c makes and judges evidence, native_key.c judges certificates of enrolled keys, native_staple.c is about the endorsements that go
 * with it, native_client.c and native_server.c are the two orders of steps. A side that refuses says so in a `done` of its
 * own, which carries a category and nothing else, and the session fails with the reason. Source: specification of atls/1, revision 2; docs/protocol.md. */
#ifndef ATLS_EDGE_TLS_NATIVE_H
#define ATLS_EDGE_TLS_NATIVE_H

#include "edge/attester/queue.h"
#include "native_frame.h"
#include "session.h"
#include "verify/native_binding.h"

/* Static. */
const atls_profile *atls_native_client(void);
const atls_profile *atls_native_server(void);

#define ATLS_NATIVE_ALPN         ATLS_NATIVE_PROFILE
#define ATLS_NATIVE_TYPE_DCAP    "application/vnd.atls.dcap-quote"
#define ATLS_NATIVE_TYPE_SNP     "application/vnd.atls.sev-snp-report"
#define ATLS_NATIVE_TYPE_TPM     "application/vnd.atls.tpm2-quote+cbor"
#define ATLS_NATIVE_TYPE_NITRO   "application/vnd.atls.nitro-document"
#define ATLS_NATIVE_TYPE_ANDROID "application/vnd.atls.android-key-attestation+cbor"
#define ATLS_NATIVE_TYPE_APPLE   "application/vnd.atls.apple-app-attest+cbor"
#define ATLS_NATIVE_TYPE_LOG     "application/vnd.atls.dstack-event-log+json"
#define ATLS_NATIVE_TYPE_STAPLE  "application/vnd.atls.dcap-collateral+json" /* the QuoteCollateralV3 bundle */
/* Stands for "no protocol named", which ALPN says by silence and a list of at least one name cannot. */
#define ATLS_NATIVE_NO_PROTOCOL "raw"

/* What this side brings along: from the options of client or server. */
typedef struct native_side {
    const atls_verifier *verifier; /* NULL: the peer's evidence is not asked for */
    atls_endorse_fn endorse;
    void *endorse_ctx;
    atls_key_fn trust_key;
    void *trust_key_ctx;
    bool want_endorsements;
    const atls_endorsements *staple; /* NULL: nothing to send along */
    atls_time now;
    atls_attest_fn attest;
    void *attest_ctx;
    atls_attester *attester;
    const char *type; /* of what the two make */
    const char *const *protocols;
    const atls_record_options *record;
} native_side;

/* Bytes of one frame, as many as have arrived. */
typedef struct native_in {
    uint8_t *frame; /* in the arena: length and body */
    size_t len;     /* bytes that are there */
    size_t cap;
} native_in;

#define NATIVE_MAX_OUT 3u

typedef struct native_out {
    atls_bytes frames[NATIVE_MAX_OUT];
    size_t n;
    size_t at;   /* the frame that is being sent */
    size_t sent; /* bytes of it */
} native_out;

typedef struct native {
    native_side side;
    atls_native_role role; /* ours */
    unsigned state;        /* of native_client.c, native_server.c */
    const atls_crypto *crypto;
    atls_crypto *own_crypto; /* crypto, when nobody lends one; ours to free */
    native_in in;
    atls_bytes last; /* the whole frame that was received last */
    native_out out;
    atls_native_hello mine;
    atls_native_hello peers;
    atls_bytes my_hello; /* frames as they crossed the wire */
    atls_bytes peer_hello;
    uint8_t context[32];
    bool said_done; /* our accepting `done` is on its way: nothing of ours follows it */
    bool own_fault; /* what fails now is on our side, whatever its code */
    bool mute;      /* the transport failed, or the peer has refused: nobody would hear us */
} native;

/* ---- native_wire.c ---- */

/* native_send puts a frame, which lives in the arena, behind what is to be sent. INTERNAL when there are too many. */
ATLS_MUST_USE bool native_send(native *n, atls_bytes frame, atls_error *err);
/* native_flush sends what is to be sent. DONE: everything is. */
ATLS_MUST_USE atls_step native_flush(atls_session *s, native *n, atls_error *err);
/* native_receive reads one frame that must be `wanted`. DONE: *body is its body, in the arena. A refusing `done` in its
 * place is PEER_REFUSED, everything else PROTOCOL; nothing beyond the frame is read. */
ATLS_MUST_USE atls_step native_receive(atls_session *s, native *n, atls_native_message wanted, atls_bytes *body,
                                       atls_error *err);
/* native_watch looks whether the peer has said anything where nothing is due. DONE: it has not. */
ATLS_MUST_USE atls_step native_watch(atls_session *s, native *n, atls_error *err);

/* native_run moves a side through its states: `move` does what the state asks for, DONE leads to the next one, and `last`
 * ends the exchange. A failure becomes a refusal, which is sent (`refusing`) before the session fails with it. */
typedef atls_step (*native_move)(atls_session *s, native *n, atls_error *err);
ATLS_MUST_USE atls_step native_run(atls_session *s, native *n, native_move move, unsigned last, unsigned refusing,
                                   atls_error *err);
/* The `end` of both profiles. */
void native_end(void *state);

/* ---- native_proof.c ---- */

/* native_open fills what both sides need: options, nonce, crypto. */
ATLS_MUST_USE bool native_open(atls_session *s, native *n, atls_error *err);
void native_close(native *n);
/* The inner protocols: the application's, or the one that stands for none. */
ATLS_MUST_USE bool native_own_protocols(const native *n, atls_native_names *out, atls_error *err);
/* native_note_protocol keeps what the application will speak, beyond the exchange. */
ATLS_MUST_USE bool native_note_protocol(atls_session *s, atls_bytes name, atls_error *err);
bool native_names_hold(const atls_native_names *names, atls_bytes name);
/* native_agree computes the context once both hellos are there. */
ATLS_MUST_USE bool native_agree(native *n, atls_error *err);
/* native_can_prove tells whether the peer's list has a type that we can make. */
bool native_can_prove(const native *n);
/* native_prove makes our evidence and gives its frame. WANT_EVIDENCE: it is in the making. */
ATLS_MUST_USE atls_step native_prove(atls_session *s, native *n, atls_bytes *frame, atls_error *err);
/* native_judge appraises the peer's evidence against this session; the result is the session's. */
ATLS_MUST_USE bool native_judge(atls_session *s, native *n, atls_bytes body, atls_error *err);
/* native_accept gives the frame of our accepting `done`; native_accepted reads the peer's. */
ATLS_MUST_USE bool native_accept(atls_session *s, native *n, atls_error *err);
ATLS_MUST_USE bool native_accepted(const native *n, atls_bytes body, atls_error *err);

/* ---- native_key.c ---- */

/* native_judge_key appraises the certificate that the client showed in the handshake, where the server's policy is of type
 * enrolled_key; it does nothing elsewhere. Errors: MISSING_CERTIFICATE, those of atls_verifier_appraise. */
ATLS_MUST_USE bool native_judge_key(atls_session *s, const native *n, atls_error *err);

/* ---- native_staple.c ---- */

/* native_staple adds our endorsements to evidence that is otherwise complete, if the peer asked, there are some, and the frame
 * has room for them. Errors: MEMORY. */
ATLS_MUST_USE bool native_staple(const native *n, atls_arena *a, atls_native_evidence *out, atls_error *err);
/* native_stapled reads the peer's; platform NONE: there are none of a kind that is known. Nothing is believed. Errors, with field
 * "evidence.endorsements" and what follows it: PROTOCOL (not asked for, or two of a kind), COLLATERAL_FORMAT, MEMORY. */
ATLS_MUST_USE bool native_stapled(const native *n, const atls_native_evidence *e, atls_arena *a, atls_endorsements *out,
                                  atls_error *err);
/* native_endorse is an atls_endorse_fn whose ctx is a native_sources: the application's endorsements and the peer's, of two
 * pieces for one subject the newer. The peer's stand alone where the application has no callback, or where that fails
 * with ENDORSEMENTS_MISSING, IO or TIMEOUT for evidence that has its chain; every other failure is its answer. */
typedef struct native_sources {
    const native_side *side;
    atls_endorsements stapled;
} native_sources;
bool native_endorse(void *ctx, const atls_endorsement_request *request, atls_arena *arena, atls_endorsements *out,
                    atls_error *err);

#endif
