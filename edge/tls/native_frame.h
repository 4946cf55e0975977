/* SPDX-License-Identifier: Apache-2.0 */
/* native_frame.h: the four messages of atls/1 as bytes: written, and read back strictly. Pure.
 *
 * A frame is a 4-byte big-endian length and one map of deterministic CBOR. Writers give the whole frame, in the arena;
 * readers take the body (without the length). Everything that is not exactly as specified is PROTOCOL with the message's
 * name and key in the field ("client_hello.nonce", "evidence.cmw.type"). Slices borrow from the body. What a reader
 * accepts, the writer writes to the same bytes.
 * Source: specification of atls/1, "client hello, server hello", "evidence", "done". */
#ifndef ATLS_EDGE_TLS_NATIVE_FRAME_H
#define ATLS_EDGE_TLS_NATIVE_FRAME_H

#include "base/cmw.h"
#include "pki/hash_tree.h"

#define ATLS_NATIVE_REVISION         2u
#define ATLS_NATIVE_NONCE_LEN        32u
#define ATLS_NATIVE_MAX_HELLO_LEN    4096u
#define ATLS_NATIVE_MAX_EVIDENCE_LEN (1024u * 1024)
#define ATLS_NATIVE_MAX_DONE_LEN     64u
#define ATLS_NATIVE_MAX_NAMES        16u
#define ATLS_NATIVE_MAX_STAPLES      16u

typedef enum atls_native_message {
    ATLS_NATIVE_CLIENT_HELLO = 1,
    ATLS_NATIVE_SERVER_HELLO = 2,
    ATLS_NATIVE_EVIDENCE = 3,
    ATLS_NATIVE_DONE = 4,
} atls_native_message;

typedef struct atls_native_names {
    atls_bytes items[ATLS_NATIVE_MAX_NAMES]; /* text, no repeats */
    size_t n;
} atls_native_names;

typedef struct atls_native_hello {
    uint8_t nonce[ATLS_NATIVE_NONCE_LEN];
    atls_native_names types;     /* accepted evidence, most wanted first; none: no evidence wanted */
    atls_native_names protocols; /* client: 1 to 16; server: exactly 1 */
    bool staple;
    bool has_wait; /* client only */
    uint32_t wait_ms;
} atls_native_hello;

typedef struct atls_native_evidence {
    atls_cmw_record evidence;  /* the one source of claims about the machine */
    bool has_companion;        /* then the CMW is a collection */
    atls_cmw_record companion; /* "application/vnd.atls.dstack-event-log+json" */
    atls_cmw_record staples[ATLS_NATIVE_MAX_STAPLES];
    size_t n_staples;
    atls_tree_path path; /* size 1: no tree; 0 is none that could be written */
    /* Reader only: siblings stand apart in a frame and together in a path, so path.siblings of what was read points
     * here. Such a structure stays where it is; writers do not look at this. */
    uint8_t siblings[ATLS_TREE_MAX_DEPTH * ATLS_TREE_HASH_LEN];
} atls_native_evidence;

/* What a done says: 0 accepted, else a category of error.h (trust 1, time 2, content 3, internal 4). */
typedef struct atls_native_done {
    atls_category refusal; /* NONE: accepted */
    uint8_t context[32];   /* accepted: of both hellos */
} atls_native_done;

/* The type of a body by its key 0: what a receiver looks at before it knows which reader is due. It says nothing of the
 * rest. PROTOCOL with field "frame", "frame.key" or "frame.message". */
ATLS_MUST_USE bool atls_native_peek(atls_bytes body, atls_native_message *out, atls_error *err);

/* The longest body that a message may have; 0 for a number that is no message. */
size_t atls_native_max_len(atls_native_message m);

/* Readers: every failure is PROTOCOL, and *out then says nothing (a done says that it refuses). Fields, after the
 * message's name and a dot: "key" (unknown, repeated or out of order), "message" (key 0); of hellos "revision", "nonce",
 * "types", "protocols", "staple", "wait"; of evidence "cmw" (with .type, .value, .indicator, .key), "companion",
 * "endorsements" (both with the first three), "tree" (.index, .size, .siblings); of done "verdict", "context". The name
 * alone: no map, trailing bytes, a body that is too long.
 *
 * Writers: whatever a reader would refuse is USAGE with the reader's field, and nothing is written. Else MEMORY. */
ATLS_MUST_USE bool atls_native_write_hello(bool is_server, const atls_native_hello *in, atls_arena *a, atls_bytes *out,
                                           atls_error *err);
ATLS_MUST_USE bool atls_native_read_hello(bool is_server, atls_bytes body, atls_native_hello *out, atls_error *err);

ATLS_MUST_USE bool atls_native_write_evidence(const atls_native_evidence *in, atls_arena *a, atls_bytes *out,
                                              atls_error *err);
ATLS_MUST_USE bool atls_native_read_evidence(atls_bytes body, atls_native_evidence *out, atls_error *err);

ATLS_MUST_USE bool atls_native_write_done(const atls_native_done *in, atls_arena *a, atls_bytes *out, atls_error *err);
ATLS_MUST_USE bool atls_native_read_done(atls_bytes body, atls_native_done *out, atls_error *err);

#endif
