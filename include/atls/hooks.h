/* SPDX-License-Identifier: Apache-2.0 */
/* hooks.h: attestation inside the TLS handshake of any OpenSSL program: profile "constellation".
 *
 * One call on an SSL_CTX, and every SSL made from it afterwards is attested. Sockets, event loop, reading and writing stay
 * the program's. The handshake itself fails when the evidence does, so that a program which only looks at the handshake
 * (libcurl, for one) is safe, too: the peer is told alert 42 (bad_certificate) and nothing else.
 *
 * Each handshake draws its own nonce, key and certificate. The client's nonce travels as server_name (whatever the program
 * set there is replaced), the server's as the name of the one acceptable CA. The certificate carries a quote over the hash
 * of its key and the verifier's nonce. Grade `key_fresh`: whoever holds the certificate's key can relay, so a policy must
 * say "min_grade": "key_fresh", and, because nothing here proves a name, "attested_only": true, which the result shows.
 *
 * TLS 1.3 only. Tickets, resumption, early data and external PSKs are off.
 * Kinds of evidence: TDX quotes (variant qemu-tdx), and quotes of TPMs (the other variants), which a policy of type tpm judges.
 *
 * What a hook takes of an SSL_CTX: minimum and maximum version, verification mode and callback (SSL_CTX_set_verify,
 * SSL_CTX_set_cert_verify_callback), certificate callback, session cache and tickets, PSK callbacks, and on servers the
 * server_name callback. The information callback is chained: one that was set before is called as well. A client that is
 * asked for a certificate also takes the message callback of that SSL. A program that sets one of these later breaks the
 * proof, and atls_hook_result says so, but then only atls_hook_result does: never proceed without asking it.
 *
 * OpenSSL functions that run a hooked handshake may take as long as attest, endorse and the appraisal do; a client or server
 * with an atls_attester waits outside instead (atls_hook_wait_fd). Deadlines are the program's: a peer may stay silent.
 * Thread-safety: a hooked SSL_CTX may be shared by any number of threads, each SSL belongs to one at a time.
 *
 * An SSL holds the SSL_CTX that its handshake began with, also when SSL_set_SSL_CTX gives it another: the hook of the first
 * stays in force until the next handshake. Calls may empty the calling thread's queue of OpenSSL's errors.
 *
 * docs/protocol-constellation.md has the details. Source: specification of constellation, sections 1 to 7. */
#ifndef ATLS_HOOKS_H
#define ATLS_HOOKS_H

#include "attester.h"
#include "endorse.h"
#include "record.h"
#include "result.h"
#include "verifier.h"

#ifdef __cplusplus
extern "C" {
#endif

struct ssl_st;     /* OpenSSL's SSL */
struct ssl_ctx_st; /* OpenSSL's SSL_CTX */

/* atls_hook_refused_fn is told, inside the handshake and at most once in it, why the handshake is about to fail here. For
 * programs that never see the SSL of a failed connection. There is no such call for a yes, because the handshake is not over
 * then. result: as from atls_hook_result; result and why are borrowed for the call. It must not use the SSL. */
typedef void (*atls_hook_refused_fn)(void *ctx, const atls_result *result, const atls_error *why);

typedef struct atls_hook_client_options {
    const atls_verifier *verifier; /* judges the server; outlives the SSL_CTX. Its policy is of type "tdx", "tpm",
                                    * or any_of with one of them */
    bool insecure_unverified;      /* no verifier: anybody may be the server, and atls_hook_result never says yes */
    atls_endorse_fn endorse;       /* called inside the handshake, by the thread that runs it; any number at a time */
    void *endorse_ctx;
    atls_key_fn trust_key; /* asked about keys of TPMs that nothing else vouches for; NULL: nobody is */
    void *trust_key_ctx;
    atls_attest_fn attest; /* answers a server that asks for evidence; inside the handshake, as endorse. NULL: none */
    void *attest_ctx;
    atls_attester *attester; /* the same without blocking, instead of attest; outlives every SSL */
    atls_time now;     /* of the appraisal and of certificates; UNSET: the system's clock at each handshake, on the
                              * terms of tls.h */
    size_t arena_size; /* bytes per SSL; 0: ATLS_ARENA_DEFAULT_SIZE */
    atls_hook_refused_fn refused; /* NULL: nobody is told */
    void *refused_ctx;
    atls_record_options record; /* of the appraisal of the peer, inside the handshake; zeroed: none */
    const char *variant; /* what attest makes: "qemu-tdx" (NULL), a TDX quote; or a document of a TPM, by the name that
                          * atls_tpm_options has in its own variant. Copied as one of ours */
} atls_hook_client_options;

typedef struct atls_hook_server_options {
    atls_attest_fn attest; /* as above; attest or attester or a verifier is required */
    void *attest_ctx;
    atls_attester *attester;
    const atls_verifier
        *verifier; /* judges clients, which must then show a certificate; NULL: clients are not judged */
    atls_endorse_fn endorse;
    void *endorse_ctx;
    atls_key_fn trust_key; /* asked about keys of TPMs that nothing else vouches for; NULL: nobody is */
    void *trust_key_ctx;
    atls_time now;
    size_t arena_size; /* 0: 4 MiB without a verifier, ATLS_ARENA_DEFAULT_SIZE with one */
    atls_hook_refused_fn refused;
    void *refused_ctx;
    atls_record_options record;
    const char *variant; /* what attest makes, as above */
} atls_hook_server_options;

/* atls_hook_client, atls_hook_server make every SSL that is made from ctx afterwards an attested client or server. options
 * are copied; what they point at is borrowed until ctx and its SSLs are freed. Neither can be undone, or done twice. ctx keeps,
 * for handshakes to come, at most 16 keys that were never used, and the arenas of at most 8 SSLs that are gone: wiped, none of
 * which more than 1 MiB was used.
 * Errors: CONFIGURATION (no or two ways to attest, no verifier, a policy that this profile cannot satisfy, a context that
 * is hooked already) with the option or the policy's member as field; MEMORY, INTERNAL. After an error ctx must not be
 * used. */
ATLS_MUST_USE bool atls_hook_client(struct ssl_ctx_st *ctx, const atls_hook_client_options *options, atls_error *err);
ATLS_MUST_USE bool atls_hook_server(struct ssl_ctx_st *ctx, const atls_hook_server_options *options, atls_error *err);

/* atls_hook_result says what *we* verified of the peer. True: its evidence was accepted in this handshake, which is
 * complete. False: it was not, for whatever reason, and err has it: what the appraisal found; MISSING_CERTIFICATE;
 * PROTOCOL (server_name, acceptable CA, documents); what kept us from proving ourselves; PEER_REFUSED when the peer ended
 * the handshake with an alert; TLS_HANDSHAKE when the handshake is not complete; CONFIGURATION when a setting of the hook
 * was overridden; USAGE when this side verifies nobody, or ssl is not hooked.
 * *out is the result of the appraisal, with its checks, also of a refusal; NULL when there was none, and when it accepted
 * but something else did not. It is borrowed until ssl is freed, cleared or makes another handshake. */
ATLS_MUST_USE bool atls_hook_result(const struct ssl_st *ssl, const atls_result **out, atls_error *err);

/* atls_hook_peer_accepted says whether the *peer* is known to have accepted us. In TLS 1.3 a client's handshake is complete
 * before the server has judged its certificate: a client that was asked for one knows only when it has read application
 * data, and a refused one sees alert 42 on its first read. (A server that sends data before it has judged defeats this;
 * peers of this profile do not.) Servers, and clients that were not asked, know at the end of the handshake.
 * Errors: TLS_HANDSHAKE (not known yet), PEER_REFUSED with the alert, USAGE. */
ATLS_MUST_USE bool atls_hook_peer_accepted(const struct ssl_st *ssl, atls_error *err);

/* atls_hook_wait_fd gives a descriptor to wait for, readable, when SSL_get_error says SSL_ERROR_WANT_X509_LOOKUP: the evidence
 * is being made. Call the OpenSSL function again then. Nobody reads from it. -1: nothing is waited for. */
int atls_hook_wait_fd(const struct ssl_st *ssl);

#ifdef __cplusplus
}
#endif
#endif
