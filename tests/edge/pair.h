/* SPDX-License-Identifier: Apache-2.0 */
/* pair.h: two SSLs over a pair of BIOs in one thread, each hooked, or a liar, or an ordinary peer.
 *
 * The honest pair is a client and a server of the dummy variant (1.3.9900.1.1), whose documents prove nothing and cost
 * nothing; pair_tdx makes both of them real. A case is the honest pair plus one change. */
#ifndef ATLS_TESTS_EDGE_PAIR_H
#define ATLS_TESTS_EDGE_PAIR_H

#include "tap.h"

#include "edge/tls/constellation.h"
#include "sim/sim.h"

/* What a liar's certificate says instead of the truth. Its flags are added up. */
typedef struct pair_lie {
    const char *oid;         /* of the extension; NULL: the variant's */
    bool no_extension;       /* no document at all */
    bool critical;           /* the extension is */
    const char *second_oid;  /* one more extension with the same document */
    const char *usage;       /* extendedKeyUsage, as OpenSSL writes it */
    bool critical_usage;     /* a critical extension that is understood: keyUsage */
    long not_before;         /* seconds from now; both 0: as in the template */
    long not_after;          /* same */
    bool other_signer;       /* signed by another key */
    bool flip_signature;     /* one bit of the signature is changed */
    const char *group;       /* "P-384": another kind of key */
    bool other_key;          /* the document is over another key */
    bool other_nonce;        /* the document is over another nonce */
    bool zero_nonce;         /* over 32 zero bytes */
    const char *document;    /* this text instead of a document */
    bool flip_quote;         /* TDX: one bit of the quote */
    size_t padding;          /* spaces behind the document */
    bool stolen;             /* the certificate is genuine, and its key is not at hand */
    bool no_certificate;     /* client: none at all */
    const uint8_t *replayed; /* nonce of an earlier handshake */
} pair_lie;

typedef struct pair_end {
    SSL_CTX *ctx;
    SSL *ssl;
    BIO *bio;
    atls_hook hook; /* what pair_start installs, unless this end is a liar or ordinary */
    const pair_lie *lie;
    bool ordinary;     /* neither hook nor lie: the case has made ctx as it likes */
    const char *name;  /* ordinary clients, and liars: server_name; NULL: a nonce */
    uint8_t nonce[32]; /* of a client that is not hooked: what it put into server_name */
    int alert;         /* received; 0: none */
    void (*info)(const SSL *ssl, int where, int argument); /* there before the hook; NULL: one that counts */
    int n_info;                                            /* calls of the callback that was there before the hook */
    int code;                                              /* SSL_get_error of the last call, SSL_ERROR_NONE: done */
    char reason[128];                                      /* OpenSSL's words */
} pair_end;

typedef struct pair {
    atls_error err;
    atls_arena arena;
    sim *room;
    atls_policy *policy;
    atls_verifier *verifier;
    const atls_variant *variant;
    pair_end client;
    pair_end server;
    unsigned n_attested; /* calls of attest */
} pair;

/* The dummy variant: {"UserData":b64,"Nonce":b64}. */
const atls_variant *pair_dummy(void);

/* pair_open makes an honest pair: the client judges the server. pair_mutual makes the server judge the client, too.
 * pair_tdx makes both real: a room of the simulator and a policy that accepts it. pair_close frees everything. */
void pair_open(pair *p);
void pair_mutual(pair *p);
void pair_tdx(pair *p, const char *policy_members);
void pair_close(pair *p);

/* pair_ssl makes contexts (where there are none), hooks and SSLs. pair_run moves both ends until neither can. pair_start is
 * both. pair_again makes new SSLs from the same contexts. */
void pair_ssl(pair *p);
void pair_run(pair *p);
void pair_start(pair *p);
void pair_again(pair *p);

/* pair_single makes one end alone, over a socket. */
void pair_single(pair *p, pair_end *e, bool is_server, int fd);

/* pair_say passes one byte from one end to the other; the reader's code is noted. */
void pair_say(pair_end *from, pair_end *to);

/* pair_expect_accepted, pair_expect_refused hold atls_hook_result of an end against what a case wants. */
void pair_expect_accepted(const pair_end *e);
void pair_expect_refused(const pair_end *e, atls_code code, const char *field);
/* pair_expect_done wants the handshake of an end to be complete. */
void pair_expect_done(const pair_end *e);
/* pair_expect_error wants an error to have this code and field. */
void pair_expect_error(const atls_error *err, atls_code code, const char *field);

/* pair_attest is an atls_attest_fn whose ctx is the pair: the room's quote, or nothing where there is no room. */
bool pair_attest(void *ctx, const uint8_t report_data[64], atls_arena *arena, atls_evidence *out, atls_error *err);

/* pair_certificate makes a liar's certificate and key for an SSL, over the peer's nonce. */
void pair_certificate(pair *p, const pair_lie *lie, const uint8_t nonce[32], X509 **x, EVP_PKEY **key);

#endif
