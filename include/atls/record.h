/* SPDX-License-Identifier: Apache-2.0 */
/* record.h: an appraisal in one file, and the same appraisal again, years later.
 *
 * A recording holds what an appraisal depends on, and what it said: evidence and event log, the policy's own text, every
 * answer of the callbacks (endorsements, words on keys, and their failures), the binding, the time, the versions of the
 * libraries, and the result as JSON. A replay appraises all that again and compares the two results byte for byte.
 *
 * No secret is in it: the binding is the hash that the evidence was made for, not the exporter value or nonce behind it.
 * It does hold certificates, machine identifiers and the policy: keep it as one keeps logs.
 *
 * A digest over the whole file makes a changed byte show. It is no signature: who wants to know *who* made a recording must
 * sign the file. A forged recording can lie about time, policy and binding, and about nothing that the evidence's own
 * signatures protect, because the replay checks those again.
 *
 * The file is a container: a kind, and members by name. "appraisal" is the kind of this page; others may follow. docs/record.md
 * has the format byte by byte. */
#ifndef ATLS_RECORD_H
#define ATLS_RECORD_H

#include "arena.h"
#include "policy.h"
#include "result.h"
#include "verifier.h"

#ifdef __cplusplus
extern "C" {
#endif

#define ATLS_RECORD_VERSION     1
#define ATLS_RECORD_APPRAISAL   "appraisal"
#define ATLS_MAX_RECORD_LEN     (32u * 1024 * 1024) /* evidence, log, two lists of the largest size, and the rest */
#define ATLS_MAX_RECORD_MEMBERS 2048u
#define ATLS_MAX_RECORD_LIST    4096u /* entries of one list */
#define ATLS_MAX_RECORD_ANSWERS 96u   /* of each callback: any_of has 32 alternatives, a TPM two questions */

/* ---- recording ---- */

typedef struct atls_recorder atls_recorder;

/* atls_recorder_new makes a recorder in arena, which must outlive it. A recorder is for one appraisal, and for one thread.
 * Errors: MEMORY. */
ATLS_MUST_USE bool atls_recorder_new(atls_arena *arena, atls_recorder **out, atls_error *err);

/* atls_recorder_appraise is atls_verifier_appraise, and notes down what went in and what came out. What it returns, *out and
 * *err are as there, whatever becomes of the recording. The callbacks of `in` are called as they would be.
 *
 * Until atls_recorder_finish these must stay as they are: v and its policy, *out, and what `in` and the callbacks' answers
 * point at. arena may be the recorder's. */
ATLS_MUST_USE bool atls_recorder_appraise(atls_recorder *r, const atls_verifier *v, const atls_appraisal *in,
                                          atls_arena *arena, atls_result *out, atls_error *err);

/* atls_recorder_note adds why a session failed although, or after, the appraisal ended: for people, it is no part of a replay.
 * NULL or no failure: nothing. */
void atls_recorder_note(atls_recorder *r, const atls_error *why);

/* atls_recorder_finish writes the recording, in the recorder's arena. out->attested_only of the result may have been set since the
 * appraisal, and is recorded. The same inputs give the same bytes. Errors: USAGE (nothing was appraised; the call of the
 * appraisal made so little sense that it cannot be written down; or a status list was given compiled, without the text that it
 * was made of), LIMIT (longer than ATLS_MAX_RECORD_LEN, more answers or members than the limits above, a profile of more than 64
 * bytes, a label of a key of more than 256), MEMORY, INTERNAL. */
ATLS_MUST_USE bool atls_recorder_finish(atls_recorder *r, atls_bytes *out, atls_error *err);

/* ---- for sessions ---- */

typedef enum atls_record_when {
    ATLS_RECORD_NEVER = 0,
    ATLS_RECORD_ON_FAILURE, /* appraisals that did not accept, and sessions that failed right after one that did */
    ATLS_RECORD_ALWAYS,
} atls_record_when;

/* atls_record_fn takes a recording, borrowed for the call. is_accepted: the peer's evidence was accepted, and nothing that was
 * looked at with it speaks against the session. why: NULL; or why there is no recording, which is then empty. It is
 * called on the session's thread, in the step (or the handshake) that judged, and must not use the session. */
typedef void (*atls_record_fn)(void *ctx, atls_bytes record, bool is_accepted, const atls_error *why);

/* What sessions and hooks are told about recording. Zeroed: nothing is recorded. A recording never changes a verdict. */
typedef struct atls_record_options {
    atls_record_when when;
    atls_record_fn write; /* NULL: nothing is recorded */
    void *ctx;
} atls_record_options;

/* ---- looking into one ---- */

typedef enum atls_record_type {
    ATLS_RECORD_NUMBER = 1,
    ATLS_RECORD_FLAG,
    ATLS_RECORD_BYTES,
    ATLS_RECORD_TEXT, /* UTF-8 */
    ATLS_RECORD_LIST, /* of byte strings */
} atls_record_type;

typedef struct atls_record_member {
    const char *name; /* "endorse[0].dcap.tcb_info" */
    atls_record_type type;
    uint64_t number;
    bool flag;
    atls_bytes bytes;        /* BYTES, TEXT */
    const atls_bytes *items; /* LIST: n_items */
    size_t n_items;
} atls_record_member;

typedef struct atls_record {
    const char *kind;                  /* "appraisal" */
    const char *library;               /* version of atls that wrote it */
    const atls_record_member *members; /* by length of name, then by name */
    size_t n_members;
    uint8_t sha256[32]; /* of everything before the digest: names the recording */
} atls_record;

/* atls_record_open reads a recording of any kind, and checks its digest first. Slices point into file and arena. Pure.
 * Errors: ENCODING (not a recording; field "record.digest": a byte is not what was written), UNSUPPORTED (another version of the
 * format), TRUNCATED, TRAILING, LIMIT, MEMORY, INTERNAL. */
ATLS_MUST_USE bool atls_record_open(atls_bytes file, atls_arena *arena, atls_record *out, atls_error *err);

/* atls_record_find gives a member by name, NULL when there is none. */
const atls_record_member *atls_record_find(const atls_record *r, const char *name);

/* ---- replay ---- */

typedef struct atls_replay_options {
    atls_time at; /* another time than the recorded one: what would have been said then. UNSET: the recorded one */
} atls_replay_options;

/* A difference between the two results. */
typedef struct atls_replay_difference {
    const char *path;     /* "checks[tcb.status].verdict" */
    const char *recorded; /* JSON, cut when long; "" when it was not there */
    const char *replayed;
} atls_replay_difference;

#define ATLS_MAX_REPLAY_DIFFERENCES 32u

typedef struct atls_replay {
    bool is_same;    /* the recorded verdict came out again, byte for byte */
    bool is_what_if; /* at another time than the recorded one: then is_same proves nothing */
    bool same_library;
    const char *library; /* version of atls that recorded, and of what it did its cryptography with */
    const char *crypto;  /* "OpenSSL 3.0.17" */
    const char *crypto_now;
    atls_time recorded_at; /* the recorded time of the appraisal */
    atls_result result;    /* of the replay; atls_result_json of it and error is replayed_json */
    atls_error error;      /* of the replay; code OK: accepted */
    atls_error session;    /* why the session failed beyond the appraisal; code OK: it did not, or was none */
    atls_bytes recorded_json;
    atls_bytes replayed_json;
    const atls_replay_difference *differences; /* n_differences, at most ATLS_MAX_REPLAY_DIFFERENCES */
    size_t n_differences;
    size_t
        n_unanswered; /* questions of the replay that the recording has no answer to: another library asks for other things */
    atls_policy *policy; /* the caller's: atls_replay_free */
} atls_replay;

/* atls_replay_run appraises a recording of kind "appraisal" again, with nothing remembered, and compares. options NULL: none.
 * True means that the replay took place, not that it said yes or the same: out->is_same says that. *out points into record and
 * arena, and holds a policy (atls_replay_free, also after a failure). Pure; any number of threads.
 * Errors: UNSUPPORTED (another kind; a member that this version does not know, without which the replay would not be the same),
 * ENCODING (a member is missing, or is not what it must be), those of atls_policy_parse_with_roots with the field prefixed by
 * "record.policy", MEMORY, INTERNAL. */
ATLS_MUST_USE bool atls_replay_run(const atls_record *record, const atls_replay_options *options, atls_arena *arena,
                                   atls_replay *out, atls_error *err);

/* atls_replay_free frees the policy; the result must not be used afterwards. */
void atls_replay_free(atls_replay *r);

#ifdef __cplusplus
}
#endif
#endif
