/* SPDX-License-Identifier: Apache-2.0 */
/* native_peer.h: a hostile or odd end of atls/1, against a session of the library.
 *
 * The peer is an ordinary SSL of OpenSSL that speaks the four messages by hand. By itself it is honest, and proves that
 * with the simulator: native_peer_play then ends in an established session. An attack is the honest peer plus the lies of
 * its row. Whatever the peer waits for, the session at the other end is moved meanwhile, so that a script reads straight
 * down. */
#ifndef ATLS_TESTS_EDGE_NATIVE_PEER_H
#define ATLS_TESTS_EDGE_NATIVE_PEER_H

#include "rig.h"

#include "edge/tls/native.h"

/* Who is attacked, and who proves. */
typedef enum native_victim {
    CLIENT_ASKS,   /* a client that wants the server's evidence */
    CLIENT_BOTH,   /* and is asked for its own */
    CLIENT_PROVES, /* and asks for none */
    SERVER_PROVES, /* a server that wants no evidence */
    SERVER_BOTH,
    SERVER_ASKS, /* and has none */
} native_victim;

typedef struct native_peer native_peer;

/* What the peer's evidence says about the session. native_peer_prove fills in the truth. */
typedef struct native_claim {
    atls_native_role role;
    const char *label;
    bool without_context;
    uint8_t context[32];
    uint8_t nonce[32];
    uint8_t prover[32]; /* hashes of SPKIs */
    uint8_t verifier[32];
    size_t prover_len; /* 0 or 32 */
    size_t verifier_len;
    size_t tree_size; /* the other leaves are somebody else's */
    size_t tree_index;
    uint64_t said_size; /* what is hashed into `report`; 0: tree_size */
} native_claim;

/* Where a row departs from honesty; each may be NULL. */
typedef struct native_lies {
    void (*set_up)(rig *r);                                   /* before the SSLs are made */
    void (*hello)(native_peer *p, atls_native_hello *mine);   /* before it is written */
    void (*claim)(native_peer *p, native_claim *c);           /* before it is hashed */
    void (*report)(native_peer *p, uint8_t report[64]);       /* before it is quoted */
    void (*evidence)(native_peer *p, atls_native_evidence *); /* before it is written */
    /* what goes out in the place of an honest frame: any bytes, none at all, or several frames */
    atls_bytes (*frame)(native_peer *p, atls_native_message m, atls_bytes honest);
} native_lies;

struct native_peer {
    rig *r;
    SSL *ssl;
    bool is_server;
    bool over; /* nothing more can be read or written */
    atls_crypto *crypto;
    sim *machine; /* that proves for this peer: the rig's, unless changed */
    const native_lies *lies;
    const void *row; /* a case's own */
    atls_native_hello mine;
    atls_native_hello peers;
    atls_bytes my_hello; /* as honest people have it: what it hashes, whatever was sent */
    atls_bytes peer_hello;
    uint8_t context[32];
    atls_bytes evidence;  /* frames: what the session proved */
    atls_bytes my_proof;  /* what this peer did */
    atls_tree_path path;  /* of the peer's own evidence */
    atls_evidence quoted; /* same */
    atls_category told;   /* the session's refusal */
    bool said_yes;        /* the session's done 0 came, whatever its context */
    bool accepted;        /* the session's done 0 came, with our context */
    uint8_t in[1u << 18];
    size_t in_len;
};

/* native_peer_open makes the SSLs, the session under attack and the peer, for a rig that was set up (native_set_up, or by
 * hand). native_peer_close frees the peer's own. */
void native_set_up(rig *r, native_victim victim);
native_peer *native_peer_open(rig *r, native_victim victim, const native_lies *lies);
void native_peer_close(native_peer *p);

atls_session *native_session(const native_peer *p); /* under attack */
atls_step native_step(const native_peer *p);        /* its last */
const atls_error *native_error(const native_peer *p);

/* native_pump moves the session under attack; false: it is over, and nothing moved. */
bool native_pump(native_peer *p);
/* Each gives up when the session does, or when nothing moves any more. */
bool native_peer_handshake(native_peer *p);
bool native_peer_read(native_peer *p, atls_bytes *frame); /* false also for a refusal, which `told` then has */
bool native_peer_write(native_peer *p, atls_bytes bytes);

/* The four messages, lies and all. */
void native_peer_send_hello(native_peer *p);
void native_peer_note_hello(native_peer *p, atls_bytes frame); /* the session's; when both are there: the context */
void native_peer_prove(native_peer *p, uint8_t report[64]);    /* the value that the evidence will carry */
void native_peer_quote(native_peer *p, const uint8_t report[64], atls_native_evidence *out);
void native_peer_send_evidence(native_peer *p);
void native_peer_send_done(native_peer *p);

/* native_peer_play does the peer's whole part, then waits until the session is over or everything rests. */
void native_peer_play(native_peer *p);
void native_peer_settle(native_peer *p);

/* Bytes, in the rig's arena. */
atls_bytes native_join(native_peer *p, atls_bytes a, atls_bytes b);
atls_bytes native_put(native_peer *p, atls_bytes in, size_t at, uint8_t byte); /* a copy with one byte changed */
atls_bytes native_frame_of(native_peer *p, atls_bytes body);                   /* with its length */
atls_bytes native_body(atls_bytes frame);
/* evidence by hand, also as no writer writes it: the tree as it stands, whatever it says */
atls_bytes native_by_hand(native_peer *p, const atls_native_evidence *e, bool with_tree);

/* native_expect_refused wants the session under attack to have failed with code and field; no result, or a rejected one;
 * no byte in or out; nothing left in OpenSSL's queue. */
void native_expect_refused(const native_peer *p, atls_code code, const char *field);
void native_expect_sealed(atls_session *s, atls_code code);
/* native_expect_told wants the peer to have been told the category of the session's error, and nothing else; or nothing at
 * all, where the session had said yes already. */
void native_expect_told(const native_peer *p);
/* native_expect_talk wants an established session that carries bytes both ways. */
void native_expect_talk(native_peer *p);

/* One attack. ATLS_OK: it is none, and the session comes about. */
typedef struct native_row {
    const char *name;
    native_victim victim;
    native_lies lies;
    atls_code code;
    const char *field;
} native_row;

void native_row_run(void **state);

#endif
