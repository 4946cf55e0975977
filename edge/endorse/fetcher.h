/* SPDX-License-Identifier: Apache-2.0 */
/* fetcher.h: what a fetcher is made of, for the files of edge/endorse only.
 *
 *   options.c   options with their defaults, checked and copied
 *   fetch.c     one piece: memory, or a flight
 *   source.c    one flight: folder, then the sources in their order
 *   assemble.c  a request as pieces, pieces as endorsements
 *   refresh.c   what is due, and the thread that looks after it
 *   list.c      what is remembered
 */
#ifndef ATLS_EDGE_ENDORSE_FETCHER_H
#define ATLS_EDGE_ENDORSE_FETCHER_H

#include "disk.h"
#include "download.h"
#include "hosts.h"
#include "store.h"

#define ATLS_FETCH_SCRATCH                                                                                             \
    ((size_t)160 * 1024 * 1024) /* for the longest answer; pages that are not touched cost nothing */

typedef struct atls_fetch_source {
    atls_source_kind kind;
    char url[ATLS_URL_SIZE];
    char root_crl_url[ATLS_URL_SIZE]; /* "": it has the list itself */
} atls_fetch_source;

/* Counted by whoever flies. */
typedef struct atls_fetch_counts {
    atomic_uint_least64_t requests;
    atomic_uint_least64_t disk_hits;
    atomic_uint_least64_t stale;
    atomic_uint_least64_t failures;
    atomic_uint_least64_t throttled;
    atomic_uint_least64_t disk_refused;
    atomic_uint_least64_t disk_failed;
    atomic_uint_least64_t older;
} atls_fetch_counts;

struct atls_fetcher {
    atls_fetcher_options options; /* defaults filled in; its texts are in `texts` */
    char *texts[5];               /* proxy, ca_file, user_agent, cache_folder, status URL; NULL: not given */
    atls_fetch_source sources[ATLS_MAX_SOURCES];
    size_t n_sources;
    atls_piece_roots roots;
    atls_crypto *crypto;
    atls_downloader downloader;
    atls_hosts hosts;
    atls_store store;
    atls_disk disk;
    atls_fetch_counts counts;
    pthread_mutex_t lock; /* guards what follows */
    pthread_cond_t wake;  /* of the background thread. Monotonic */
    char disk_problem[160];
    char older_answer[160];
    bool stopping;
    bool is_woken;
    /* the thread */
    bool has_thread;
    pthread_t thread;
};

/* options.c: copies options, defaults filled in, and sources. Errors: CONFIGURATION, MEMORY. */
ATLS_MUST_USE bool atls_fetch_options(const atls_fetcher_options *in, atls_fetcher *out, atls_error *err);

/* Reads the fetcher's clock. Errors: INTERNAL. */
ATLS_MUST_USE bool atls_fetch_now(const atls_fetcher *f, atls_time *out, atls_error *err);

/* source.c */
typedef struct atls_flight {
    const atls_piece_id *id;
    const char *path;
    atls_time now;
    uint64_t deadline_ms;
    atls_piece *before; /* what was in memory; NULL: nothing */
    bool skips_disk;    /* asks the sources in any case */
    atls_time due;      /* what is fresh until then or longer will do */
} atls_flight;

typedef struct atls_flight_outcome {
    atls_piece *piece;   /* the caller's: the newest there is; NULL: there is none that may be used */
    bool has_failed;     /* the sources were asked, and none gave it */
    uint32_t failure_s;  /* for how long that is remembered */
    atls_error failure;  /* set if has_failed */
    bool was_downloaded; /* piece is fresh from a source */
    bool kept_newer;     /* a source had an older one than what was at hand */
} atls_flight_outcome;

/* atls_flight_go looks for a piece in the folder, then asks the sources. Both a piece (stale) and a failure may come of it. */
void atls_flight_go(atls_fetcher *f, const atls_flight *flight, atls_flight_outcome *out);

/* atls_fetch_from_entry makes a piece of an entry; NULL with err set when it cannot be used, also when it is past its date. */
atls_piece *atls_fetch_from_entry(const atls_fetcher *f, const atls_entry *entry, atls_time now, atls_arena *scratch,
                                  atls_error *err);

/* atls_fetch_has_source tells whether some source has this address and gives such pieces. */
bool atls_fetch_has_source(const atls_fetcher *f, const char *url, atls_fetched_kind kind);

/* atls_fetch_older counts and notes an answer that was older than what is at hand. */
void atls_fetch_older(atls_fetcher *f, const char *url, const char *piece, const char *why);

/* atls_fetch_disk_problem notes why the folder was of no use. */
void atls_fetch_disk_problem(atls_fetcher *f, const atls_error *why);

/* fetch.c: one piece for the caller, who releases it; NULL with err set otherwise. */
atls_piece *atls_fetch_piece(atls_fetcher *f, const atls_piece_id *id, bool replaces, uint64_t deadline_ms,
                             atls_error *err);

/* atls_fetch_wake has the background thread look now. */
void atls_fetch_wake(atls_fetcher *f);

/* refresh.c: the background thread. */
ATLS_MUST_USE bool atls_fetch_start(atls_fetcher *f, atls_error *err);
void atls_fetch_stop(atls_fetcher *f);

/* list.c: fills *out in with copies in the arena. Errors: MEMORY. */
ATLS_MUST_USE bool atls_fetch_describe(const atls_piece *p, bool in_memory, atls_arena *arena, atls_fetched *out,
                                       atls_error *err);

#endif
