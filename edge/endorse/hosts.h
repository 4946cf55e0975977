/* SPDX-License-Identifier: Apache-2.0 */
/* hosts.h: which hosts asked to be left alone, and which could not be reached a moment ago. Any number of threads. */
#ifndef ATLS_EDGE_ENDORSE_HOSTS_H
#define ATLS_EDGE_ENDORSE_HOSTS_H

#include <pthread.h>

#include "url.h"

#define ATLS_MAX_HOSTS                                                                                                 \
    16u /* sources, root lists, and some documents: beyond it the one that is over soonest is forgotten */

typedef struct atls_hosts {
    pthread_mutex_t lock;
    struct {
        char name[ATLS_URL_SIZE];
        uint64_t until_ms; /* of atls_clock_ms: left alone */
        uint64_t down_ms;  /* same: thought to be down */
    } items[ATLS_MAX_HOSTS];
} atls_hosts;

ATLS_MUST_USE bool atls_hosts_init(atls_hosts *h, atls_error *err);
void atls_hosts_destroy(atls_hosts *h);

/* atls_hosts_pause has the host of a URL left alone for so long from now; a longer pause stays. */
void atls_hosts_pause(atls_hosts *h, const char *url, uint64_t ms);

/* atls_hosts_wait_ms gives for how long the host of a URL is to be left alone; 0: it may be asked. */
uint64_t atls_hosts_wait_ms(atls_hosts *h, const char *url);

/* atls_hosts_down has the host of a URL thought to be down for so long from now; 0: it answered. It may still be asked, but
 * better after the others: of a source that only runs into time-outs one piece should bear the cost, not each. */
void atls_hosts_down(atls_hosts *h, const char *url, uint64_t ms);
bool atls_hosts_is_down(atls_hosts *h, const char *url);

#endif
