/* SPDX-License-Identifier: Apache-2.0 */
/* hosts.c: a short list under a lock. */
#include "hosts.h"

#include <string.h>

#include "edge/tls/clock.h"

bool atls_hosts_init(atls_hosts *h, atls_error *err)
{
    *h = (atls_hosts){.items = {{.until_ms = 0}}};
    if (pthread_mutex_init(&h->lock, NULL) != 0) {
        (void)atls_fail(err, ATLS_E_INTERNAL, "fetcher", "no lock could be made");
        return false;
    }
    return true;
}

void atls_hosts_destroy(atls_hosts *h)
{
    (void)pthread_mutex_destroy(&h->lock);
}

static size_t find(const atls_hosts *h, const char *name)
{
    size_t i = 0;
    while (i < ATLS_MAX_HOSTS && strcmp(h->items[i].name, name) != 0) {
        i++;
    }
    return i;
}

static size_t soonest(const atls_hosts *h)
{
    size_t best = 0;
    for (size_t i = 1; i < ATLS_MAX_HOSTS; i++) {
        best = h->items[i].until_ms < h->items[best].until_ms ? i : best;
    }
    return best;
}

void atls_hosts_pause(atls_hosts *h, const char *url, uint64_t ms)
{
    char name[ATLS_URL_SIZE];
    const uint64_t until = atls_clock_ms() + ms;
    atls_url_host(url, name, sizeof name);
    (void)pthread_mutex_lock(&h->lock);
    size_t i = find(h, name);
    if (i == ATLS_MAX_HOSTS) {
        i = soonest(h);
        h->items[i].until_ms = 0;
        memcpy(h->items[i].name, name, sizeof name);
    }
    h->items[i].until_ms = until > h->items[i].until_ms ? until : h->items[i].until_ms;
    (void)pthread_mutex_unlock(&h->lock);
}

uint64_t atls_hosts_wait_ms(atls_hosts *h, const char *url)
{
    char name[ATLS_URL_SIZE];
    const uint64_t now = atls_clock_ms();
    atls_url_host(url, name, sizeof name);
    (void)pthread_mutex_lock(&h->lock);
    const size_t i = find(h, name);
    const uint64_t until = i == ATLS_MAX_HOSTS ? 0 : h->items[i].until_ms;
    (void)pthread_mutex_unlock(&h->lock);
    return until > now ? until - now : 0;
}
