/* SPDX-License-Identifier: Apache-2.0 */
/* download.h: one GET, or one POST, over libcurl, bounded in every direction.
 *
 * Only https (http where the address says so, and url.h let it through); no redirect but one of a GET, to the same scheme, host
 * and port; no cookies, no netrc, no user in addresses; TLS 1.2 at least, the server's name and chain checked. A body is given
 * for status 200 only, whole as its length says. Proxies come from the options or, as users expect of libcurl, from the
 * environment. */
#ifndef ATLS_EDGE_ENDORSE_DOWNLOAD_H
#define ATLS_EDGE_ENDORSE_DOWNLOAD_H

#include <pthread.h>
#include <stdatomic.h>

#include "atls/arena.h"
#include "url.h"

#define ATLS_IDLE_CONNECTIONS 4u

/* Everything that downloads have in common, and handles that are used again, with their connections. */
typedef struct atls_downloader {
    const char *proxy;      /* NULL: the environment's; "": none */
    const char *ca_file;    /* NULL: the system's */
    const char *user_agent; /* never NULL */
    uint32_t connect_timeout_ms;
    size_t max_header_len; /* of all headers of one answer */
    atomic_bool stop;      /* set: whatever is under way fails soon */
    pthread_mutex_t lock;
    void *idle[ATLS_IDLE_CONNECTIONS]; /* CURL handles; NULL: none */
} atls_downloader;

/* atls_downloader_init wants the members above the lock to be filled in. Errors: INTERNAL. */
ATLS_MUST_USE bool atls_downloader_init(atls_downloader *d, atls_error *err);
void atls_downloader_destroy(atls_downloader *d);

typedef struct atls_downloaded {
    long status;            /* of HTTP */
    atls_bytes body;        /* in the arena; empty unless status is 200 */
    atls_bytes chain;       /* value of the first header that names an issuer chain; empty: none */
    uint32_t retry_after_s; /* 0: not said */
    bool may_keep;          /* Cache-Control has a max-age, and neither no-store nor no-cache */
    uint32_t max_age_s;     /* that */
} atls_downloaded;

/* atls_download gets url, a body of at most max_len bytes, within timeout_ms. Any status is a success here.
 * Errors: TIMEOUT; IO (name, connection, TLS, cut off in the middle, too slow, redirected elsewhere) with libcurl's words;
 * LIMIT (body or headers too long); COLLATERAL_FORMAT (an issuer chain that is there twice); MEMORY, INTERNAL. */
ATLS_MUST_USE bool atls_download(atls_downloader *d, const char *url, size_t max_len, uint32_t timeout_ms,
                                 atls_arena *arena, atls_downloaded *out, atls_error *err);

/* What is posted. */
typedef struct atls_upload {
    const char *content_type;
    atls_bytes body; /* at least one byte */
} atls_upload;

/* atls_exchange is atls_download without any redirect; with `post` it posts that. A redirect's status comes out as it is. */
ATLS_MUST_USE bool atls_exchange(atls_downloader *d, const char *url, const atls_upload *post, size_t max_len,
                                 uint32_t timeout_ms, atls_arena *arena, atls_downloaded *out, atls_error *err);

#endif
