/* SPDX-License-Identifier: Apache-2.0 */
/* session.h: the session machine, which knows TLS, deadlines and phases, but no profile.
 *
 *   HANDSHAKE --handshake done, peer checked--> EXCHANGE --profile done--> ESTABLISHED
 *       \____________________________________________\____________________\__> FAILED (closed, error kept)
 *
 * A profile (dstack.c) moves the exchange: it reads and writes through io.h and says DONE when the session may carry
 * the application. The verdict of a client is the profile's; nothing here can turn FAILED into ESTABLISHED. */
#ifndef ATLS_EDGE_TLS_SESSION_H
#define ATLS_EDGE_TLS_SESSION_H

#include <openssl/ssl.h>

#include "atls/tls.h"
#include "base/arena_shelf.h"
#include "buckets.h"
#include "handshake.h"

#define ATLS_PEER_TEXT_SIZE     512
#define ATLS_DEFAULT_TIMEOUT_MS 30000u
#define ATLS_SERVER_ARENA_SIZE  ((size_t)4 * 1024 * 1024)

/* A way of proving, on an open TLS session. */
typedef struct atls_profile {
    const char *name;
    atls_grade grade;
    /* begin runs once, when the handshake is done and the peer is checked; state comes from the session's arena. */
    bool (*begin)(atls_session *s, void **state, atls_error *err);
    /* step moves the exchange. DONE: the session may carry the application. */
    atls_step (*step)(atls_session *s, void *state, atls_error *err);
    /* end wipes what is secret. It runs once after begin was called, whatever came of it; state may be NULL. */
    void (*end)(void *state);
} atls_profile;

typedef enum atls_phase {
    ATLS_PHASE_HANDSHAKE = 0,
    ATLS_PHASE_EXCHANGE,
    ATLS_PHASE_ESTABLISHED,
    ATLS_PHASE_FAILED,
} atls_phase;

/* A socket that the session owns. */
typedef struct atls_socket {
    int fd; /* -1: none, or closed */
    bool eof;
} atls_socket;

struct atls_session {
    SSL *ssl;
    const atls_profile *profile;
    void *profile_state;
    atls_phase phase;
    bool is_server;
    bool profile_begun;
    bool started;    /* the deadline runs */
    bool tls_broken; /* OpenSSL forbids further calls */
    bool close_sent;
    bool write_pending; /* the application's last write has to be repeated */
    bool has_result;
    bool certificates_told;
    bool verify_again;   /* the handshake pauses, so that the file of roots can be read (roots.h) */
    bool owns_transport; /* of atls_connect and atls_accept: ssl, ctx, bio_method and socket are the session's */
    uint32_t timeout_ms;
    uint64_t deadline_ms;      /* on the monotonic clock */
    atls_error error;          /* of a FAILED session, or of one that is still telling the peer */
    atls_error identity_error; /* what the verify callback found, before the handshake says that it failed */
    atls_arena arena;
    atls_arena_shelf *shelf;    /* where the arena goes; NULL: it is freed */
    atls_client_options client; /* copied; is_server: unused */
    atls_server_options server; /* same for clients */
    atls_address source;        /* of a server's client; zeros: unknown */
    struct atls_ticket *ticket; /* our evidence in the making; NULL: none */
    unsigned profiles;          /* ATLS_PROFILE_ bits that are still possible */
    atls_bytes protocol;        /* what the application speaks, once atls/1 has agreed on it; else empty */
    uint8_t protocol_text[255];
    uint8_t random[ATLS_HANDSHAKE_LEN]; /* of both ends, in the handshake that was checked */
    uint64_t end_ms;                    /* on the monotonic clock: when the proof is too old; 0: never */
    atls_bytes alpn;                    /* what is offered, or chosen from: protocols with length bytes, in the arena */
    X509_STORE *store;                  /* of a client; holds a pointer to the session for the verify callback */
    X509_LOOKUP *roots_file;            /* the store's; NULL: read, or none */
    atls_result result;
    atls_peer peer;
    char subject[ATLS_PEER_TEXT_SIZE];
    char issuer[ATLS_PEER_TEXT_SIZE];
    SSL_CTX *ctx;
    BIO_METHOD *bio_method;
    atls_socket socket;
};

/* What a session takes its memory from. */
typedef struct atls_session_memory {
    size_t size;
    atls_arena_shelf *shelf; /* outlives the session; NULL: none */
} atls_session_memory;

/* atls_session_make makes an empty session with an arena; ssl may be NULL for now. Errors: MEMORY. */
ATLS_MUST_USE bool atls_session_make(const atls_profile *profile, bool is_server, const atls_session_memory *memory,
                                     uint32_t timeout_ms, atls_session **out, atls_error *err);

/* atls_session_memory_of tells where a session finds its memory: size as asked for, 0 for what is usual without a verifier
 * (NULL), and with one. */
atls_session_memory atls_session_memory_of(const atls_verifier *verifier, size_t size);

/* atls_session_start_clock lets the deadline run; a second call changes nothing. */
void atls_session_start_clock(atls_session *s);

/* atls_session_in_time fails with TIMEOUT when the deadline has passed. */
ATLS_MUST_USE bool atls_session_in_time(const atls_session *s, atls_error *err);

/* atls_session_fail records err (the session's own copy), shuts the session down and returns FAILED. */
atls_step atls_session_fail(atls_session *s, const atls_error *why, atls_error *err);

/* atls_session_exporter exports keying material (RFC 8446 7.5) without a context. Errors: TLS_HANDSHAKE. */
ATLS_MUST_USE bool atls_session_exporter(atls_session *s, const char *label, uint8_t *out, size_t len, atls_error *err);

/* atls_session_exporter_with is the same with a context (RFC 8446 7.5, use_context set). */
ATLS_MUST_USE bool atls_session_exporter_with(atls_session *s, const char *label, atls_bytes context, uint8_t *out,
                                              size_t len, atls_error *err);

/* atls_session_alpn_list writes the wire form of a NULL-terminated list into the arena, behind "atls/1" if with_native.
 * without_h2 leaves "h2" out. Errors: CONFIGURATION with field "alpn", MEMORY. */
ATLS_MUST_USE bool atls_session_alpn_list(atls_session *s, const char *const *names, bool with_native, bool without_h2,
                                          atls_error *err);

/* client.c, server.c */
ATLS_MUST_USE bool atls_client_configure(atls_session *s, SSL *ssl, atls_error *err);
ATLS_MUST_USE bool atls_server_configure(atls_session *s, SSL *ssl, atls_error *err);
/* what must hold once the handshake is done, before anything is exchanged */
ATLS_MUST_USE bool atls_client_check_handshake(atls_session *s, atls_error *err);
ATLS_MUST_USE bool atls_server_check_handshake(atls_session *s, atls_error *err);

/* a protocol from the offer, or none. Errors: TLS_HANDSHAKE with field "tls.alpn" */
ATLS_MUST_USE bool atls_client_check_alpn(const atls_session *s, atls_error *err);

/* atls_session_tls_alpn gives what ALPN selected, which may be a way of proving. */
atls_bytes atls_session_tls_alpn(const atls_session *s);

/* atls_session_choose picks the profile by the protocol that ALPN has selected, among those that are possible.
 * Errors: TLS_HANDSHAKE with field "tls.alpn". */
ATLS_MUST_USE bool atls_session_choose(atls_session *s, atls_error *err);

#endif
