/* SPDX-License-Identifier: Apache-2.0 */
/* rig.h: two ends of one TLS session in one thread.
 *
 * The client is a session of the library, over a pair of BIOs. The server is either a session of the library too, or a
 * scripted peer: an ordinary OpenSSL server that waits for one request and answers with whatever bytes a case wants. A
 * case is the honest rig plus one change. */
#ifndef ATLS_TESTS_EDGE_RIG_H
#define ATLS_TESTS_EDGE_RIG_H

#include <openssl/ssl.h>

#include "tap.h"

#include "atls/atls.h"
#include "base/text.h"
#include "sim/sim.h"

#define RIG_NAME "tdx.example.com"

/* An ordinary TLS server, or client, that knows nothing of sessions. */
typedef struct rig_peer {
    SSL *ssl;
    char in[8192]; /* what it has read */
    size_t in_len;
    atls_bytes out; /* what it has to say, once `wait` bytes and a blank line have come */
    size_t sent;
    size_t out_record; /* bytes of one write, 0: everything at once */
    bool tickets;      /* a ticket goes before every write */
    bool scripted;     /* out has been made */
    bool close;        /* says goodbye when everything is said */
    bool cut;          /* ends the transport without goodbye then */
    bool failed;       /* a call failed for good */
} rig_peer;

typedef struct rig rig;

/* Makes what a scripted server answers with, when a whole request has come. In rig->arena. */
typedef atls_bytes (*rig_script)(rig *r);

struct rig {
    atls_error err;
    atls_arena arena;
    sim *sim;
    sim_tls tls; /* of RIG_NAME, and measured */
    atls_policy *policy;
    atls_verifier *verifier;
    char policy_edit[256]; /* what rig_policy put in last */
    char ca_file[64];
    SSL_CTX *client_ctx;
    SSL_CTX *server_ctx;
    SSL *client_ssl;
    SSL *server_ssl;
    BIO *client_bio; /* the transport's ends; owned by the SSLs */
    BIO *server_bio;
    atls_client_options client_options;
    atls_server_options server_options;
    atls_session *client;
    atls_session *server; /* NULL while the peer is scripted */
    rig_peer peer;
    rig_script script;
    size_t bio_size; /* bytes that fit in the transport, each way; 0: 16 KiB */
    size_t n_steps;  /* of the client */
    atls_step client_step;
    atls_step server_step;
    atls_error client_err;
    atls_error server_err;
};

/* rig_open makes room, policy, verifier, contexts and options, all honest. rig_close frees everything there is. */
void rig_open(rig *r);
/* rig_open_at lays all dates around another instant. */
void rig_open_at(rig *r, atls_time now);
void rig_close(rig *r);

/* An atls_attest_fn for a room that says how often it was asked; ctx is this. */
typedef struct rig_counted {
    void *room;
    size_t n;
} rig_counted;
bool rig_attest_counted(void *ctx, const uint8_t report_data[64], atls_arena *a, atls_evidence *out, atls_error *err);

/* rig_policy replaces policy and verifier by the room's own with `edit` put in after the first brace ("\"a\":1,");
 * rig_policy_of by the one of another kind than "dstack_tdx". */
void rig_policy(rig *r, const char *edit);
void rig_policy_of(rig *r, const char *kind, const char *edit);

/* rig_native has both ends speak atls/1 and nothing else, instead of dstack; rig_mutual has the client prove itself, too,
 * with the same machine under the same policy. */
void rig_native(rig *r);
void rig_mutual(rig *r);

/* rig_ssl makes the two SSLs and the pair of BIOs between them; rig_client, rig_server make the sessions over them,
 * which must succeed. rig_start does all three (script NULL: the server is a session). */
void rig_ssl(rig *r);
void rig_client(rig *r);
void rig_server(rig *r);
void rig_start(rig *r, rig_script script);

/* rig_run moves both ends by turns until the client is done or has failed, or neither has moved for a while. */
void rig_run(rig *r);

/* rig_run_to_end goes on until the server is done or has failed, too. */
void rig_run_to_end(rig *r);

/* rig_peer_step moves the scripted peer. */
void rig_peer_step(rig *r);

/* Pieces of honest answers. */
atls_bytes rig_body(rig *r); /* for the nonce that was read and the peer's exporter */
atls_bytes rig_answer(rig *r, const char *headers,
                      atls_bytes body);                 /* headers end with CR LF each; no length is added */
atls_bytes rig_answer_counted(rig *r, atls_bytes body); /* 200, JSON, Content-Length */
void rig_nonce(const rig *r, uint8_t nonce[32]);
void rig_exporter(SSL *ssl, uint8_t ekm[32]);

/* rig_context makes an SSL_CTX with an identity from PEM; NULL chain: none. */
SSL_CTX *rig_context(bool is_server, const sim_tls *tls);
/* rig_file writes a file under /tmp, whose name goes to path. */
void rig_file(char path[64], atls_bytes content);

/* rig_patience multiplies short deadlines: 1, or 12 where tools slow everything down (ATLS_TEST_QUICK is set). */
unsigned rig_patience(void);
/* rig_nap sleeps. */
void rig_nap(unsigned ms);

/* rig_expect_client wants the client to have failed with code and field. */
void rig_expect_client(const rig *r, atls_code code, const char *field);
/* rig_expect_established wants both ends to be. */
void rig_expect_established(const rig *r);
/* rig_say passes one piece of text between established sessions, and wants it alone to arrive. */
void rig_say(atls_session *from, atls_session *to, const char *text);

#endif
