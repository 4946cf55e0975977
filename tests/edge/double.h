/* SPDX-License-Identifier: Apache-2.0 */
/* double.h: a PCS, PCCS and KDS of the test's own: a real HTTP server on the loopback, in threads, with or without TLS, which
 * serves what a simulated room has, in the real formats with the real headers, or misbehaves in one way. */
#ifndef ATLS_TESTS_EDGE_DOUBLE_H
#define ATLS_TESTS_EDGE_DOUBLE_H

#include <pthread.h>
#include <stdatomic.h>

#include "atls/atls.h"
#include "sim/sim.h"
#include "sim/sim_sevsnp.h"
#include "tap.h"

typedef enum double_mode {
    DOUBLE_HONEST = 0,
    DOUBLE_NOT_FOUND,          /* 404 */
    DOUBLE_GONE,               /* 410 */
    DOUBLE_THROTTLED,          /* 429 with Retry-After: retry_after */
    DOUBLE_UNAVAILABLE,        /* 503 with Retry-After: retry_after */
    DOUBLE_BROKEN,             /* 500 */
    DOUBLE_FORBIDDEN,          /* 403 */
    DOUBLE_TRUNCATED,          /* half of the body, then the end */
    DOUBLE_OVERSIZED,          /* says that the body is long, and goes on */
    DOUBLE_ENDLESS,            /* says nothing about its length, and goes on */
    DOUBLE_DRIP,               /* a byte every 50 ms */
    DOUBLE_SILENT,             /* takes the request, and says nothing */
    DOUBLE_GARBAGE,            /* 200, and something else */
    DOUBLE_HTML,               /* 200, and a page for people */
    DOUBLE_EMPTY,              /* 200, and nothing */
    DOUBLE_RESET,              /* resets the connection */
    DOUBLE_REDIRECT_ELSEWHERE, /* 302 to another host */
    DOUBLE_REDIRECT_FILE,      /* 302 to a file */
    DOUBLE_REDIRECT_HERE,      /* 302 to the same server, which then answers */
    DOUBLE_REDIRECT_LOOP,      /* 302 to itself */
    DOUBLE_GARBAGE_HEADERS,    /* bytes that are no header */
    DOUBLE_LONG_HEADERS,       /* 512 KiB of them */
    DOUBLE_NO_STATUS,          /* HTTP/0.9 */
    DOUBLE_NO_CHAIN,           /* without the header of the issuer chain */
    DOUBLE_TWO_CHAINS,         /* two of them, different */
    DOUBLE_BAD_CHAIN,          /* a chain whose percent encoding is none */
    DOUBLE_HEX_LISTS,          /* lists as hex, as PCCS does */
    DOUBLE_PEM_LISTS,          /* lists as PEM, as PCS does without encoding=der */
    DOUBLE_OLD_HEADER,         /* SGX-TCB-Info-Issuer-Chain, in lower case */
    DOUBLE_NO_UPDATE,          /* 404 for whatever has the parameter update */
    DOUBLE_HEX_AS_PAGE,        /* lists as hex, and a content type of something else */
    DOUBLE_HTML_404,           /* an error with a page for people */
    DOUBLE_HTML_502,           /* same */
    DOUBLE_JSON_ERROR,         /* 200, and JSON that says that something went wrong */
    DOUBLE_OTHER_PIECE,        /* the QE identity instead of the TCB info, and so on */
} double_mode;

#define DOUBLE_MAX_PATHS 64u

typedef struct double_server {
    /* settings: of the test, before double_open */
    const char *const *settings;     /* of the room; NULL: none */
    const char *const *snp_settings; /* of AMD's room */
    const char *seed;                /* of the rooms; NULL: "atls" */
    bool has_tls;                    /* certificate for "localhost", CA in ca_file */
    const char *path_prefix;         /* "/pccs": the service lives below it; NULL: none */
    const char *max_age;             /* Cache-Control of the document; NULL: none */
    /* may be changed while it runs */
    _Atomic(double_mode) mode;
    const char *only;     /* mode is for paths that hold this; NULL: all */
    atomic_uint n_bad;    /* and for so many requests more; 0: all */
    atomic_uint delay_ms; /* before any answer; also of those who wait already */
    const char *retry_after;
    /* the server's */
    sim *room;
    sim_snp *snp;
    atls_arena arena;
    atls_endorsements collateral;
    atls_certificate_pile pile;
    void *tls; /* SSL_CTX */
    char ca_file[64];
    int listener;
    char url[64];
    pthread_t thread;
    atomic_bool stopping;
    atomic_uint n_open; /* connections */
    pthread_mutex_t lock;
    struct {
        char path[256];
        unsigned n;
    } seen[DOUBLE_MAX_PATHS];
    size_t n_seen;
} double_server;

/* double_open makes rooms (TDX and Genoa) and starts the server; d's settings are filled in, everything else is zero. */
void double_open(double_server *d);
void double_close(double_server *d);

/* double_seen counts requests whose path holds `text`; NULL: all. double_most gives the highest count of any one path. */
unsigned double_seen(double_server *d, const char *text);
unsigned double_most(double_server *d);
void double_forget(double_server *d);

#endif
