/* SPDX-License-Identifier: Apache-2.0 */
/* audit.h: what became of every request, in a file that shows whether somebody changed it.
 *
 * One line is one JSON object. The first line of a file begins it; then one per request; a line that was torn (the machine or the
 * process stopped in the middle of it) stays where it is, and the line after it, which is written when the log is opened again, seals
 * it:
 *
 *   {"v":1,"type":"begin","seq":N,"time":"…","previous":"…","digest":"…"}
 *   {"v":1,"type":"request","seq":N,"time":"…","request":"…","nonce":"…", … ,"previous":"…","digest":"…"}
 *   {"v":1,"type":"torn","seq":N,"time":"…","torn_len":L,"torn_sha256":"…","previous":"…","digest":"…"}
 *
 * digest is the SHA-256 of the line from its first byte up to the comma before "digest"; previous is the digest of the line before
 * (of the last good one, in a seal), so each line vouches for all before it. seq counts by one. The first line of a file names the
 * last digest of the file before it; 64 zeros where there was none.
 *
 * What this shows, and what not. A changed, removed, added or moved line within a file, or between two files, breaks the chain.
 * Lines cut off at the end, and a file that somebody wrote again from a place on to its end, do not: there is no key in it.
 * Against that, write down seq and digest of the last line elsewhere from time to time (atls_audit_head).
 *
 * What is not in it: nonces, keys, device identifiers, explanations: digests, names of apps, and words of a fixed list only. */
#ifndef ATLS_EDGE_SERVICE_AUDIT_H
#define ATLS_EDGE_SERVICE_AUDIT_H

#include "atls/error.h"
#include "atls/time.h"

#define ATLS_AUDIT_DIGEST_LEN   32u
#define ATLS_AUDIT_MAX_LINE_LEN 4096u /* its newline included */
#define ATLS_AUDIT_MAX_APP_LEN  256u  /* longer ones are cut */
#define ATLS_AUDIT_MAX_WORD_LEN 64u   /* request, class, reason: longer is refused */
#define ATLS_AUDIT_MAX_SERIAL   20u
#define ATLS_AUDIT_TIME_SIZE    32u /* of a line's time as text, its NUL included */

typedef struct atls_audit atls_audit;

typedef struct atls_audit_options {
    bool fsync; /* every line is on the disk before the append returns */
} atls_audit_options;

/* What a log held when it was opened. */
typedef struct atls_audit_found {
    bool is_new;     /* there was no file, or an empty one */
    bool is_torn;    /* the last line was torn, and has been sealed: say so where people look */
    uint64_t seq;    /* of the last good line */
    size_t torn_len; /* bytes of the torn line */
} atls_audit_found;

/* atls_audit_open opens or makes the log at path (mode 0600), locks it against other processes, and checks its last lines. o may be
 * NULL, found too. The caller's (atls_audit_close).
 * Errors: IO, CONFIGURATION (somebody else writes to it; no regular file), ENCODING (its end is no audit log, or was changed),
 * MEMORY, INTERNAL. now is written into the line that begins the file or seals a torn one. */
ATLS_MUST_USE bool atls_audit_open(const char *path, const atls_audit_options *o, int64_t now_ms, atls_audit **out,
                                   atls_audit_found *found, atls_error *err);

/* atls_audit_close ends it; NULL is fine. No other call may be under way. */
void atls_audit_close(atls_audit *a);

/* One request. Digests of ATLS_AUDIT_DIGEST_LEN bytes; NULL: there is none, and the member is null. Words are printable ASCII;
 * NULL and "" are written as "". */
typedef struct atls_audit_entry {
    int64_t time_ms;
    const char *request; /* an identifier of the server's own */
    const uint8_t *nonce_sha256;
    atls_platform platform;
    atls_bytes app;            /* package name or identifier, as attested; any bytes */
    const uint8_t *key_sha256; /* of the attested SubjectPublicKeyInfo */
    bool is_accepted;          /* a certificate was issued */
    const char *class_name;    /* "Certificate.Trust", ... */
    const char *reason;        /* "CHALLENGE", ... */
    atls_code code;            /* ENROL_CHALLENGE_USED, ... */
    atls_category kind;        /* what the phone was told */
    atls_bytes serial;         /* of the certificate, big-endian; empty: none */
    const uint8_t *policy_sha256;
    const uint8_t *list_sha256; /* of the revocation list */
    uint64_t latency_us;
} atls_audit_entry;

/* All of the following: any number of threads at once. */

/* atls_audit_append adds a line. When it fails the request must not be answered with a certificate: what is not written down did
 * not happen. After a failure that may have left half a line (or, with fsync, a line that is perhaps not on the disk), and when somebody else changed the length of the file or
 * removed it, every further one fails, until atls_audit_reopen or a new atls_audit_open. Errors: USAGE (a word too long, not of ASCII; a serial too long), IO. */
ATLS_MUST_USE bool atls_audit_append(atls_audit *a, const atls_audit_entry *e, atls_error *err);

/* atls_audit_reopen opens the path again, after somebody gave the file another name (rotation): the new file begins with the last
 * digest of the old one. Where path is still the same file it is checked again as by open, which heals a failed append; it
 * must still end with the line that was written last, or be empty. Where something else lies at path that is not empty, it fails and goes on with the old file. Errors: as of open. */
ATLS_MUST_USE bool atls_audit_reopen(atls_audit *a, int64_t now_ms, atls_error *err);

/* atls_audit_head gives seq and digest of the last line. Never waits for the disk. False: the log has stopped, and every append fails
 * until it is opened again. */
bool atls_audit_head(atls_audit *a, uint64_t *seq, uint8_t digest[ATLS_AUDIT_DIGEST_LEN]);

typedef struct atls_audit_report {
    uint64_t n_lines;  /* good ones, torn and sealed ones not counted */
    uint64_t n_torn;   /* sealed */
    uint64_t bad_line; /* counted from 1; 0: none */
    bool is_torn; /* the bad line is the last one, and has no end: a stopped process, or one that writes right now */
    uint64_t first_seq;
    uint64_t last_seq;
    uint8_t first_previous[ATLS_AUDIT_DIGEST_LEN]; /* that the first line names: the last digest of the file before */
    uint8_t last_digest[ATLS_AUDIT_DIGEST_LEN];    /* of the last good line */
    char first_time[ATLS_AUDIT_TIME_SIZE];         /* as the first and the last good line say; "": none */
    char last_time[ATLS_AUDIT_TIME_SIZE];
    bool has_head; /* a good line has the digest that was looked for */
    uint64_t head_seq;
} atls_audit_report;

/* atls_audit_verify checks a whole file, without locking it. True: every line is good. False: err says what is wrong with which line,
 * and *out what was good before. Errors: IO, ENCODING, LIMIT, MEMORY, INTERNAL. */
ATLS_MUST_USE bool atls_audit_verify(const char *path, atls_audit_report *out, atls_error *err);

/* atls_audit_verify_head does the same, and looks for the line with this digest, that somebody wrote down elsewhere
 * (atls_audit_head): a whole log that has it is the same up to there. Not to find it is no error; *out says so. head may be NULL. */
ATLS_MUST_USE bool atls_audit_verify_head(const char *path, const uint8_t head[ATLS_AUDIT_DIGEST_LEN],
                                          atls_audit_report *out, atls_error *err);

#endif
