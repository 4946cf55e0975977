/* SPDX-License-Identifier: Apache-2.0 */
/* constellation.h: the profile inside the handshake: what hangs on an SSL_CTX, what hangs on an SSL, and the callbacks.
 *
 *   constellation_hook.c      options, SSL_CTX
 *   constellation_ssl.c       one SSL: begin, information, results
 *   constellation_prove.c     our side: server_name, acceptable CA, evidence, certificate callback
 *   constellation_template.c  key and certificate; a header of their own
 *   constellation_judge.c     the peer: certificate, document, verdict
 *   constellation_variants.c  the kinds of documents
 *
 * The kinds of documents are a list of variants. libatls has TDX and those of vTPMs; tests bring another. */
#ifndef ATLS_EDGE_TLS_CONSTELLATION_H
#define ATLS_EDGE_TLS_CONSTELLATION_H

#include <openssl/ssl.h>

#include "atls/hooks.h"
#include "base/arena_shelf.h"
#include "constellation_template.h"
#include "edge/attester/queue.h"
#include "evidence/constellation/certificate.h"
#include "handshake.h"
#include "tape.h"

#define ATLS_CONSTELLATION_PROFILE      "constellation"
#define ATLS_CONSTELLATION_MAX_VARIANTS 10u

typedef struct atls_hook atls_hook;

/* What a variant's check is asked. */
typedef struct atls_variant_input {
    atls_bytes document;
    const uint8_t *nonce; /* 32 bytes, drawn by us */
    atls_time now;
    atls_tape *tape; /* NULL: nothing is recorded */
} atls_variant_input;

/* A kind of document. */
typedef struct atls_variant {
    const char *name;
    const char *oid; /* in figures */
    /* write makes a document from evidence over report data. */
    bool (*write)(const uint8_t user_data[32], const uint8_t nonce[32], const atls_evidence *evidence,
                  atls_arena *arena, atls_bytes *document, atls_error *err);
    /* check gives the user data that genuine evidence over our nonce vouches for, and the result of the appraisal. Only an
     * ACCEPTED result counts. */
    bool (*check)(const atls_hook *hook, const atls_variant_input *in, atls_arena *arena, uint8_t user_data[32],
                  atls_result *result, atls_error *err);
} atls_variant;

const atls_variant *atls_variant_tdx(void);
/* atls_variants_vtpm gives the variants whose document is quotes of a TPM. Static. */
const atls_variant *atls_variants_vtpm(size_t *n);
/* atls_variant_named gives one of all these by its name, NULL for another name. Static. */
const atls_variant *atls_variant_named(const char *name);

/* What hangs on an SSL_CTX: never changes once it is installed. */
struct atls_hook {
    bool is_server;
    const atls_variant *issues;                                   /* NULL: certificates carry nothing */
    const atls_variant *accepts[ATLS_CONSTELLATION_MAX_VARIANTS]; /* in order; none: the peer is not verified */
    size_t n_accepts;
    const atls_verifier *verifier;
    atls_endorse_fn endorse;
    void *endorse_ctx;
    atls_key_fn trust_key;
    void *trust_key_ctx;
    atls_attest_fn attest;
    void *attest_ctx;
    atls_attester *attester;
    atls_time now;
    size_t arena_size;
    atls_hook_refused_fn refused;
    void *refused_ctx;
    atls_record_options record;
    atls_crypto *crypto;                                   /* the hook's own */
    atls_template_shelf *shelf;                            /* same; what lies there changes, under its own lock */
    atls_arena_shelf *arenas;                              /* same, without a lock */
    void (*info)(const SSL *ssl, int where, int argument); /* of whoever was there before */
};

/* atls_hook_install copies a hook (crypto, shelf, arenas and info are set here) and hangs it on ctx. Errors: CONFIGURATION, MEMORY,
 * INTERNAL. */
ATLS_MUST_USE bool atls_hook_install(SSL_CTX *ctx, const atls_hook *hook, atls_error *err);

/* atls_hook_of gives the hook of an SSL's context, NULL when there is none. */
const atls_hook *atls_hook_of(const SSL *ssl);

/* atls_hook_time gives the time of a handshake. Errors: INTERNAL. */
ATLS_MUST_USE bool atls_hook_time(const atls_hook *hook, atls_time *out, atls_error *err);

/* What hangs on an SSL: one handshake. */
typedef struct atls_hooked {
    const atls_hook *hook;
    SSL_CTX *context;                         /* the hook's; held, because an SSL may be passed on to another one */
    bool done;                                /* the handshake is complete */
    bool judged;                              /* a certificate was looked at */
    bool accepted;                            /* and found good */
    bool has_result;                          /* an appraisal took place */
    bool asked;                               /* client: the server wants a certificate */
    bool data_read;                           /* client: application data came */
    bool has_peer_nonce;                      /* peer_nonce was read */
    bool certified;                           /* our certificate is in place */
    bool told;                                /* the program knows why */
    int alert;                                /* the peer's; 0: none */
    uint8_t nonce[32];                        /* ours: the peer's evidence is over it */
    uint8_t serial[ATLS_TEMPLATE_SERIAL_LEN]; /* of our certificate */
    uint8_t peer_nonce[32];                   /* the peer's: our evidence is over it */
    uint8_t user_data[32];                    /* of our key */
    uint8_t report_data[64];
    uint8_t random[ATLS_HANDSHAKE_LEN]; /* both ends', of the handshake that was judged */
    atls_template own;                  /* our key and certificate, until the handshake is done */
    atls_ticket *ticket;                /* while the attester works */
    atls_arena arena;
    atls_result result;
    atls_error failure; /* the first */
} atls_hooked;

/* atls_hooked_of gives what hangs on an SSL, NULL before its handshake. atls_hooked_set hangs something there, and frees
 * what was there. */
atls_hooked *atls_hooked_of(const SSL *ssl);
ATLS_MUST_USE bool atls_hooked_set(SSL *ssl, atls_hooked *s);
void atls_hooked_free(atls_hooked *s);

/* atls_hooked_tell tells the program why a handshake is about to fail, once. */
void atls_hooked_tell(atls_hooked *s);

/* Callbacks. */
void atls_hooked_info(const SSL *ssl, int where, int argument);
void atls_hooked_message(int write_p, int version, int content_type, const void *buf, size_t len, SSL *ssl, void *arg);
int atls_hooked_server_name(SSL *ssl, int *alert, void *arg);
int atls_hooked_certificate(SSL *ssl, void *arg);
int atls_hooked_verify(X509_STORE_CTX *store, void *arg);

/* atls_hooked_announce puts the nonce where the peer finds it: server_name, or the acceptable CA. Errors: INTERNAL. */
ATLS_MUST_USE bool atls_hooked_announce(SSL *ssl, const atls_hooked *s, atls_error *err);

/* atls_hook_judge does what section 7 asks for, in its order, to one DER certificate. True: nothing spoke against it; when
 * the hook accepts no variant, that is all. *has_result says whether an appraisal took place. result points into der and
 * arena. */
ATLS_MUST_USE bool atls_hook_judge(const atls_hook *hook, atls_bytes der, const uint8_t nonce[32], atls_time now,
                                   atls_arena *arena, atls_result *result, bool *has_result, atls_error *err);

#endif
