/* SPDX-License-Identifier: Apache-2.0 */
/* hosts.c: a short list under a lock. */
#include "hosts.h"

#include <string.h>

#include "edge/tls/clock.h"

bool atls_hosts_init(atls_hosts *h, atls_error *err)
{
    *h = (atls_hosts){.items = {{.name = ""}}};
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

static uint64_t last_of(const atls_hosts *h, size_t i)
{
    return h->items[i].until_ms > h->items[i].down_ms ? h->items[i].until_ms : h->items[i].down_ms;
}

/* The place of a host; if there is none, of the one whose story is over first. */
static size_t find_or_make(atls_hosts *h, const char name[static ATLS_URL_SIZE])
{
    size_t i = find(h, name);
    if (i < ATLS_MAX_HOSTS) {
        return i;
    }
    i = 0;
    for (size_t k = 1; k < ATLS_MAX_HOSTS; k++) {
        i = last_of(h, k) < last_of(h, i) ? k : i;
    }
    h->items[i].until_ms = 0;
    h->items[i].down_ms = 0;
    memcpy(h->items[i].name, name, ATLS_URL_SIZE);
    return i;
}

void atls_hosts_pause(atls_hosts *h, const char *url, uint64_t ms)
{
    char name[ATLS_URL_SIZE] = "";
    const uint64_t until = atls_clock_ms() + ms;
    atls_url_host(url, name, sizeof name);
    (void)pthread_mutex_lock(&h->lock);
    const size_t i = find_or_make(h, name);
    h->items[i].until_ms = until > h->items[i].until_ms ? until : h->items[i].until_ms;
    (void)pthread_mutex_unlock(&h->lock);
}

void atls_hosts_down(atls_hosts *h, const char *url, uint64_t ms)
{
    char name[ATLS_URL_SIZE] = "";
    const uint64_t now = atls_clock_ms();
    atls_url_host(url, name, sizeof name);
    (void)pthread_mutex_lock(&h->lock);
    if (ms > 0 || find(h, name) < ATLS_MAX_HOSTS) {
        h->items[find_or_make(h, name)].down_ms = ms == 0 ? 0 : now + ms;
    }
    (void)pthread_mutex_unlock(&h->lock);
}

/* Milliseconds until one of the two instants. */
static uint64_t left_of(atls_hosts *h, const char *url, bool is_down)
{
    char name[ATLS_URL_SIZE] = "";
    const uint64_t now = atls_clock_ms();
    uint64_t until = 0;
    atls_url_host(url, name, sizeof name);
    (void)pthread_mutex_lock(&h->lock);
    const size_t i = find(h, name);
    if (i < ATLS_MAX_HOSTS) {
        until = is_down ? h->items[i].down_ms : h->items[i].until_ms;
    }
    (void)pthread_mutex_unlock(&h->lock);
    return until > now ? until - now : 0;
}

bool atls_hosts_is_down(atls_hosts *h, const char *url)
{
    return left_of(h, url, true) > 0;
}

uint64_t atls_hosts_wait_ms(atls_hosts *h, const char *url)
{
    return left_of(h, url, false);
}
