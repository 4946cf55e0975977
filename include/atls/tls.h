/* SPDX-License-Identifier: Apache-2.0 */
/* tls.h: attested TLS sessions over OpenSSL.
 *
 * Two ways in. atls_connect and atls_accept do everything on one call and block until a deadline. The steps apart
 * (atls_session_new, atls_session_step) run over the caller's own SSL and never block: each step says want-read,
 * want-write, done or failed, so that any event loop can drive them.
 *
 * Deadlines: a session looks at its deadline between calls of OpenSSL. Over a socket that blocks, one call may last
 * as long as the peer likes, so that the steps apart want a non-blocking socket (atls_connect and atls_accept make
 * one). Resolving a name is the C library's business, and bounded by its own settings only.
 *
 * A session hands out application bytes only when it is ESTABLISHED; before that, and after any failure,
 * atls_session_read and atls_session_write refuse. A session that fails is shut down at once, and its error stays.
 * TLS 1.3 only; tickets, resumption, early data and external PSKs are off. A session belongs to one thread at a
 * time.
 *
 * Where no time is given the system's clock is read. One that is earlier than this library, or than the newest list or
 * document that vouched in accepted appraisals of the same verifier, is an error, INTERNAL with field "clock"; a time in
 * the options is the caller's.
 *
 * A session that owns its socket (atls_connect, atls_accept) never raises SIGPIPE. Over the caller's SSL, transport
 * and signals are the caller's; the deadline then holds only if the transport does not block.
 *
 * Calls may empty the calling thread's queue of OpenSSL's errors, whatever stood there before.
 *
 * What a session does not give: protection against a measured image that leaks its own TLS key or quotes an
 * outsider's bytes; docs/threat-model.md says what an image owes.
 *
 * Three profiles, strongest first. Each result says which grade was obtained, each policy which is enough.
 *
 * "atls/1": four small messages behind the handshake, agreed on by ALPN. Either side proves itself, or both.
 * Evidence is bound to the exporter, both keys, the role and the verifier's nonce. Grade `session`. Neither side is
 * told "accepted" while the other can still refuse; then either may speak first. docs/protocol.md; many sessions
 * under one quote: docs/batching.md.
 *
 * "dstack": after the handshake the client sends POST /tdx_quote with a nonce, the server answers with a quote over
 * SHA-512(nonce || exporter). Grade `exporter`. Servers prove themselves, clients do not. Of this profile alone
 * holds that the application's client speaks first: what a server sends between its answer and the verdict is
 * refused. The server does not learn the verdict. docs/protocol-dstack.md.
 *
 * "constellation": evidence inside the handshake, in a certificate made for it, over the key's hash and a nonce.
 * Grade `key_fresh`. Either side proves itself, or both. A client that had to is not known to be accepted before it
 * has read application bytes (atls_session_peer_accepted). docs/protocol-constellation.md.
 *
 * Who a peer is besides, and how keys change: docs/identity.md.
 * Source: specification of atls/1 (native.md); of dstack, sections 1, 5, 6 (R6, R9, R11, R12, R18); of
 * constellation. */
#ifndef ATLS_TLS_H
#define ATLS_TLS_H

#include "attester.h"
#include "endorse.h"
#include "record.h"
#include "result.h"
#include "source_limit.h"
#include "verifier.h"

#ifdef __cplusplus
extern "C" {
#endif

struct ssl_st;        /* OpenSSL's SSL */
struct x509_store_st; /* OpenSSL's X509_STORE */

typedef struct atls_session atls_session;

typedef enum atls_identity_mode {
    ATLS_IDENTITY_WEBPKI = 0,    /* the system's roots, whatever an SSL_CTX trusts, and the server name; the default */
    ATLS_IDENTITY_CA,            /* the roots in ca_file or ca_store only, and the server name */
    ATLS_IDENTITY_PIN,           /* SHA-256 of the leaf's SubjectPublicKeyInfo equals pin_spki_sha256 */
    ATLS_IDENTITY_ATTESTED_ONLY, /* no ordinary identity. Refused unless the policy says "attested_only": true */
} atls_identity_mode;

/* Ways of proving, as bits. One connection can be asked for several: the peer's choice of ALPN decides between them,
 * and never takes a session below the least grade of the policy. */
#define ATLS_PROFILE_NATIVE 1u /* "atls/1": grade session; either side proves, or both */
#define ATLS_PROFILE_DSTACK 2u /* "dstack": grade exporter; the server proves */
/* "constellation": grade key_fresh; inside the handshake, and therefore never together with the others on one
 * connection. It proves no name: identity must be ATTESTED_ONLY. atls_connect and atls_accept only; over an SSL of
 * one's own hooks.h does it. atls_connect with profiles 0 tries it last, on a connection of its own, if the policy
 * accepts its grade. */
#define ATLS_PROFILE_CONSTELLATION 4u
/* An atls_certificates_fn is told which certificates the server sent: DER, leaf first, n at least 1, at most
 * ATLS_MAX_TOLD_CERTIFICATES (the rest is left out). Nothing about them has been decided: for showing and for logs,
 * also of sessions that are refused afterwards. It is called at most once for a session, within a step, and cannot
 * change the outcome. ders end with the call. */
#define ATLS_MAX_TOLD_CERTIFICATES 16
typedef void (*atls_certificates_fn)(void *ctx, const atls_bytes *ders, size_t n);

typedef struct atls_client_options {
    const char *server_name;       /* SNI and certificate name: a DNS name, or an IP address (then no SNI). Required */
    const char *http_host;         /* Host header of the exchange; NULL: server_name */
    const atls_verifier *verifier; /* outlives the session. NULL: the server's evidence is not asked for, which only a
                                    * client that proves itself (attest) may do, with ATLS_PROFILE_NATIVE alone */
    /* Gives what vouches for the server's evidence; called in a step, and may block there. NULL: no appraisal can pass
     * (ENDORSEMENTS_MISSING), unless want_endorsements is enough. */
    atls_endorse_fn endorse;
    void *endorse_ctx;
    atls_key_fn trust_key; /* asked about keys of TPMs that nothing else vouches for; NULL: nobody is */
    void *trust_key_ctx;
    /* With atls/1: ask the server for endorsements along with its evidence. They are hints: of two pieces for one subject
     * the newer counts (atls_endorsements_merge), each only as far as its signature, chain and dates go; alone they serve
     * where endorse is NULL, or has none (ENDORSEMENTS_MISSING, IO, TIMEOUT) for a quote that has its PCK chain. Check
     * "endorsements.stapled" of the result names the pieces that were used. */
    bool want_endorsements;
    atls_certificates_fn on_certificates; /* NULL: nobody wants to know */
    void *certificates_ctx;
    atls_identity_mode identity;
    const char *ca_file;         /* IDENTITY_CA: PEM file */
    uint8_t pin_spki_sha256[32]; /* IDENTITY_PIN */
    /* Protocols of the application that are offered, most wanted first; NULL-terminated; NULL: none. 1 to 255 bytes each,
     * and never "atls/1", which is a way of proving. Where atls/1 is possible they are offered inside it, and are UTF-8,
     * at most 16, none twice, none "raw" (its word for none). Errors: CONFIGURATION, field "alpn". */
    const char *const *alpn;
    uint32_t timeout_ms; /* for everything from connect to the verdict; 0: 30,000. The resolver
                                  * cannot be interrupted: names, unlike addresses, may take longer */
    atls_time now;       /* time of the appraisal and of certificate validity; UNSET: the system's clock, read
                                  * when the handshake begins and, once, when the evidence is appraised */
    size_t arena_size;   /* 0: ATLS_ARENA_DEFAULT_SIZE */
    unsigned profiles;   /* ATLS_PROFILE_ bits that are taken; 0: every one whose grade the policy accepts */
    /* What this side shows to servers that ask, with atls/1 or constellation, and never before the server's evidence
     * has passed. At most one of the two; both NULL: nothing. */
    atls_attest_fn attest; /* called in a step, and may block there */
    void *attest_ctx;
    atls_platform attest_platform; /* whose evidence attest makes; NONE: a quote of DCAP. Others: atls/1 only
                                    * (what constellation carries, `variant` says) */
    atls_attester *attester;       /* never blocks (ATLS_STEP_WANT_EVIDENCE); outlives the session */
    /* Endorsements of this machine, sent along with its evidence to servers that ask, as one bundle of at most what the
     * frame (1 MiB) has room for; longer ones stay out. Borrowed and never written: any number of sessions may share it,
     * which it outlives. NULL: none. */
    const atls_endorsements *staple;
    /* IDENTITY_CA, instead of ca_file: roots that the caller has loaded once, because reading a file for every session
     * costs as much as a third of a handshake. Only its certificates count; any number of sessions share it. */
    struct x509_store_st *ca_store;
    /* The client's own, PEM chain, leaf first, for servers that ask; NULL: none. atls_connect only */
    const char *certificate_file;
    const char *private_key_file; /* PEM. atls_connect only */
    atls_record_options
        record;          /* of the appraisal of the server; zeroed: none. What fails before the evidence is there is
                                   * no appraisal, and leaves no recording */
    const char *variant; /* constellation: what attest makes, as in hooks.h; NULL: a TDX quote */
} atls_client_options;

typedef struct atls_server_options {
    const char *certificate_file; /* PEM chain, leaf first. atls_accept only */
    const char *private_key_file; /* PEM. atls_accept only */
    atls_attest_fn attest;        /* this or attester is required, unless only the client proves (below) */
    void *attest_ctx;
    atls_platform attest_platform; /* whose evidence attest makes; NONE: a quote of DCAP. Others: atls/1 only
                                    * (what constellation carries, `variant` says) */
    /* Protocols of the application, in the server's order of preference; NULL: none. Names as a client's. Inside atls/1
     * any of them is agreed on; by ALPN "h2" never is, since dstack's exchange is HTTP/1.1 text (and with constellation
     * not either). Over the caller's SSL its SSL_CTX chooses, and this must be NULL, unless atls/1 is the only profile. */
    const char *const *alpn;
    uint32_t timeout_ms;     /* for everything from accept, or the first step, to the established session; 0: 30,000 */
    size_t arena_size;       /* 0: 4 MiB; with a verifier: ATLS_ARENA_DEFAULT_SIZE */
    unsigned profiles;       /* ATLS_PROFILE_ bits that are taken; 0: atls/1 and, unless clients must prove, dstack */
    atls_attester *attester; /* instead of attest: never blocks, and one quote answers many sessions; outlives them */
    /* What clients must show, with atls/1 or constellation. NULL: nothing. Outlives the session. Phones prove themselves
     * with atls/1 only, where the attested key signs the session as well (phone_proof.h). With a policy of type
     * enrolled_key it is no evidence, but the certificate of an enrolled key in the TLS handshake, with atls/1 only, and the
     * server must prove itself. OpenSSL then checks that the client holds the key, the verifier everything else; the
     * session's result has the grade `key`. docs/bridge.md */
    const atls_verifier *verifier;
    /* Gives what vouches for the clients' evidence; called in a step, and may block there. Not used without a verifier;
     * NULL with one: no client can pass (ENDORSEMENTS_MISSING). */
    atls_endorse_fn endorse;
    void *endorse_ctx;
    atls_key_fn trust_key; /* asked about keys of TPMs that nothing else vouches for; NULL: nobody is */
    void *trust_key_ctx;
    bool want_endorsements;          /* as of a client: ask for endorsements along with evidence */
    const atls_endorsements *staple; /* of this machine, for clients that ask, with atls/1: as of a client */
    atls_time now;              /* of the appraisal, of clients' certificates, and of the one that constellation makes;
                                      * UNSET: the system's clock */
    const char *client_ca_file; /* PEM: clients must have a certificate of these authorities; NULL: they need none.
                                      * atls_accept only: over the caller's SSL its own settings count. Not with
                                      * constellation */
    atls_record_options record; /* of the appraisal of the client, with a verifier: as of a client */
    const char *variant;        /* constellation: what attest makes, as in hooks.h; NULL: a TDX quote */
    /* How often an address may ask for evidence: beyond it the session fails with LIMIT before the attester is asked, and
     * the client is told no more than that we could not do our part (atls/1: category 4; dstack: 503; constellation, where
     * each connection is a request: it ends before the handshake). Outlives the session. NULL: no limit. */
    atls_source_limit *source_limit;
    /* Whose requests these are: only looked at when the session is made. NULL: atls_accept asks the socket; over the
     * caller's SSL nobody knows, and all such sessions are one source. */
    const struct sockaddr *source;
} atls_server_options;

typedef enum atls_step {
    ATLS_STEP_FAILED = 0,    /* err is set; the session is closed */
    ATLS_STEP_WANT_READ,     /* call again when the descriptor is readable, or at the deadline */
    ATLS_STEP_WANT_WRITE,    /* call again when it is writable, or at the deadline */
    ATLS_STEP_DONE,          /* established, or the read or write has been made */
    ATLS_STEP_CLOSED,        /* read only: the peer closed the session properly (close_notify) */
    ATLS_STEP_WANT_EVIDENCE, /* our evidence is in the making: call again when atls_session_wait_fd is readable, when the
                              * session's own descriptor is, or at the deadline */
} atls_step;

/* atls_connect connects to host and port (TCP, every address in turn), makes an attested session and returns it only
 * if the appraisal accepted (or, without a verifier, the server accepted us). *out is the caller's
 * (atls_session_free). result, if not NULL, is filled as atls_session_result would, also on failure (its strings
 * live until atls_session_free, or, on failure, in `arena`, which is the caller's and must outlive result). arena
 * may be NULL: the result of a refusal then has no list of checks, and the error says what failed all the same.
 * Errors: CONFIGURATION and INVALID_SERVER_NAME before any network traffic; IO, TIMEOUT, TLS_HANDSHAKE, IDENTITY,
 * MISSING_CERTIFICATE; PROTOCOL (the peer breaks the rules of the profile), PEER_REFUSED (the peer says no), LIMIT
 * (the attester's queue is full, or the address asks too often), MEMORY, INTERNAL; those of attest, of endorse and of atls_verifier_appraise. */
ATLS_MUST_USE bool atls_connect(const char *host, const char *port, const atls_client_options *options,
                                atls_arena *arena, atls_session **out, atls_result *result, atls_error *err);

/* atls_accept takes a connected socket (it becomes the session's, and is closed with it, also on failure), runs the
 * server's side of the handshake, proves to the client what it asked for (dstack: answers one quote request) and,
 * with a verifier, judges the client. The session can then carry the application. Files are read for each
 * connection, so that keys are changed by replacing them (docs/identity.md).
 * Errors: CONFIGURATION, IO, TIMEOUT, TLS_HANDSHAKE; PROTOCOL, PEER_REFUSED, LIMIT, MEMORY, INTERNAL as of
 * atls_connect; those of attest; with a verifier IDENTITY, MISSING_CERTIFICATE, those of endorse and of
 * atls_verifier_appraise. */
ATLS_MUST_USE bool atls_accept(int fd, const atls_server_options *options, atls_session **out, atls_error *err);

/* atls_client_session_new, atls_server_session_new make a session over the caller's SSL, whose transport is set (a
 * socket or BIOs, blocking or not) and whose handshake has not begun. The SSL stays the caller's and must outlive
 * the session, which is of one handshake: once the SSL is cleared (SSL_clear), it fails with USAGE. The session
 * configures it: TLS 1.3 only, no tickets, no early data, SNI, ALPN, and for clients the identity check. options are
 * copied, what they point at is borrowed. A server's SSL_CTX that takes atls/1 needs an ALPN callback
 * (atls_server_select_alpn). examples/epoll_attested.c is a whole server. Errors: CONFIGURATION,
 * INVALID_SERVER_NAME, MEMORY, INTERNAL. */
ATLS_MUST_USE bool atls_client_session_new(struct ssl_st *ssl, const atls_client_options *options, atls_session **out,
                                           atls_error *err);
ATLS_MUST_USE bool atls_server_session_new(struct ssl_st *ssl, const atls_server_options *options, atls_session **out,
                                           atls_error *err);

/* atls_session_step moves the session as far as it goes without blocking: handshake, exchange, appraisal. DONE: it is
 * established. Once FAILED it stays FAILED with the same error. The deadline runs from the first step, on the system's
 * monotonic clock, and is looked at on every call. */
ATLS_MUST_USE atls_step atls_session_step(atls_session *s, atls_error *err);

/* atls_session_timeout_ms gives the milliseconds left until the deadline: the full time before the first step, 0
 * when it has passed and after any failure, -1 when established (from then on, idle limits are the program's). A
 * session notices that its time is over when it is stepped, and not by itself. */
int atls_session_timeout_ms(const atls_session *s);

/* atls_session_read reads up to size application bytes. DONE: *n > 0 bytes were read. CLOSED: end of data. A connection
 * that ends without close_notify is FAILED with IO (truncation). Before the session is established: FAILED, USAGE. */
ATLS_MUST_USE atls_step atls_session_read(atls_session *s, void *buf, size_t size, size_t *n, atls_error *err);

/* atls_session_write writes up to size bytes; *n says how many. After WANT_* call again with the same bytes. */
ATLS_MUST_USE atls_step atls_session_write(atls_session *s, const void *buf, size_t size, size_t *n, atls_error *err);

/* atls_session_read_blocking, atls_session_write_all wait on the session's own descriptor, at most timeout_ms (0: for
 * ever). A read that finds nothing in time is FAILED with TIMEOUT and leaves the session as it was. write_all writes
 * everything or fails, and then the session has failed, because nobody knows what the peer has. */
ATLS_MUST_USE atls_step atls_session_read_blocking(atls_session *s, void *buf, size_t size, size_t *n,
                                                   uint32_t timeout_ms, atls_error *err);
ATLS_MUST_USE bool atls_session_write_all(atls_session *s, const void *buf, size_t size, uint32_t timeout_ms,
                                          atls_error *err);

/* atls_session_close sends close_notify (once, without waiting for the peer's, whose bytes can still be read). DONE or
 * WANT_WRITE or FAILED. A session that is not established yet ends here. USAGE while a write waits to be repeated. */
ATLS_MUST_USE atls_step atls_session_close(atls_session *s, atls_error *err);

/* atls_session_free wipes and frees; NULL is fine. Closes the socket if the session owns it (connect, accept). Takes
 * back a request for evidence that still waits in an attester; one that is being made is finished, and nobody gets
 * it. */
void atls_session_free(atls_session *s);

/* atls_session_result gives the result about the peer: the accepted one, or after a failed appraisal its verdict and
 * checks. Borrowed from s. NULL before an appraisal, for a side that asks for no evidence, while the peer can still
 * refuse (atls/1), and once evidence that passed belongs to a session that did not come about. It is about the peer:
 * of a constellation client that had to prove itself it says nothing about what the server made of that. */
const atls_result *atls_session_result(const atls_session *s);

/* atls_session_wait_fd gives a descriptor that is readable when our evidence is ready, after
 * ATLS_STEP_WANT_EVIDENCE. It is the session's: wait for it, never read from it. It is valid until the next step,
 * which may close it, and so it has to leave an epoll set before that. It costs a session two descriptors while it
 * waits. -1: nothing is waited for; or, after WANT_EVIDENCE, the process has no descriptor left: step again soon
 * (say, in 10 ms), and ask again then. */
int atls_session_wait_fd(const atls_session *s);

/* atls_session_profile gives the name of the profile: "atls/1", "dstack", "constellation"; before the handshake, of
 * the strongest that is possible. Static. */
const char *atls_session_profile(const atls_session *s);

/* atls_session_peer_accepted says whether the peer is known to have accepted us, where it had anything to judge.
 * With atls/1 a session is not established before. With constellation a client that had to prove itself knows only
 * once it has read application bytes: a refused one has an established session, and its first read fails with
 * PEER_REFUSED. With dstack a server is never told, and a true only means that the client asked. Errors:
 * TLS_HANDSHAKE (not known yet), PEER_REFUSED (also when the session failed by that), USAGE (not established). */
ATLS_MUST_USE bool atls_session_peer_accepted(const atls_session *s, atls_error *err);

/* atls_server_select_alpn is for SSL_CTX_set_alpn_select_cb of servers that take atls/1 over an SSL of their own: it
 * selects "atls/1" where a client offers it. arg: NULL, or an array of further names, NULL-terminated, in order of
 * preference. Returns OpenSSL's SSL_TLSEXT_ERR_OK, _ALERT_FATAL (names are given, and none is offered) or _NOACK. */
int atls_server_select_alpn(struct ssl_st *ssl, const unsigned char **out, unsigned char *out_len,
                            const unsigned char *in, unsigned in_len, void *arg);

/* atls_session_fd gives the descriptor, -1 when the transport has none. */
int atls_session_fd(const atls_session *s);

/* atls_session_alpn gives the application's protocol that was selected, inside atls/1 or by ALPN; empty for none.
 * Borrowed. A client that names none, and
 * would take dstack as well as atls/1, offers "http/1.1", which a server of dstack may then select. */
atls_bytes atls_session_alpn(const atls_session *s);

/* What the peer is called by its certificate, for people: subject, SHA-256 of the DER. Borrowed; empty before the
 * handshake, and about a client that has shown no certificate. */
typedef struct atls_peer {
    const char *subject;     /* RFC 2253 text, escaped to printable ASCII */
    const char *issuer;      /* same */
    const char *tls_version; /* "TLSv1.3" */
    const char *cipher;      /* "TLS_AES_256_GCM_SHA384" */
    const char *group;       /* key exchange group */
    uint8_t leaf_sha256[32]; /* of the DER */
    /* Of a server: how its name was checked, as the client's options say. Of a client: CA if its certificate was verified
     * (client_ca_file, or the SSL_CTX), else ATTESTED_ONLY. */
    atls_identity_mode identity;
} atls_peer;
const atls_peer *atls_session_peer(const atls_session *s);

#ifdef __cplusplus
}
#endif
#endif
