/* SPDX-License-Identifier: Apache-2.0 */
/* disk_list.c: all entries: names, bounds, a walk. */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "base/text.h"
#include "disk_names.h"

#define DIGITS        64u
#define ENTRY_END     ".entry"
#define TEMPORARY_END ".tmp"
/* Writing an entry takes milliseconds. Whoever needs longer finds their file gone, and says so. */
#define TEMPORARY_AGE_S 60
#define MAX_LISTED      ((size_t)256 * 1024) /* bounds memory; what is beyond it is seen another time */

/* ---- names ------------------------------------------------------------------------------------------------------------- */

bool atls_entry_name(const char *source, const char *path, const atls_crypto *crypto,
                     char out[static ATLS_ENTRY_NAME_SIZE], atls_error *err)
{
    uint8_t key[32];
    if (!atls_entry_key(source, path, crypto, key, err)) {
        return false;
    }
    atls_hex_encode(atls_bytes_of(key, sizeof key), out);
    memcpy(out + DIGITS, ENTRY_END, sizeof ENTRY_END);
    return true;
}

void atls_temporary_name(const char *entry, unsigned long process, unsigned number,
                         char out[static ATLS_ENTRY_NAME_SIZE])
{
    (void)snprintf(out, ATLS_ENTRY_NAME_SIZE, "%.*s.%lu.%u" TEMPORARY_END, (int)DIGITS, entry, process, number);
}

static bool begins_with_digits(const char *name)
{
    return strnlen(name, DIGITS) == DIGITS && atls_is_lower_hex(atls_bytes_of(name, DIGITS));
}

bool atls_is_entry_name(const char *name)
{
    return begins_with_digits(name) && strcmp(name + DIGITS, ENTRY_END) == 0;
}

bool atls_is_temporary_name(const char *name)
{
    const size_t len = strlen(name);
    const size_t end = strlen(TEMPORARY_END);
    return begins_with_digits(name) && len < ATLS_ENTRY_NAME_SIZE && len > DIGITS + end && name[DIGITS] == '.'
           && strcmp(name + len - end, TEMPORARY_END) == 0;
}

/* ---- listing ----------------------------------------------------------------------------------------------------------- */

typedef struct listed {
    char name[DIGITS + sizeof ENTRY_END];
    struct timespec used;
    uint64_t len;
} listed;

typedef struct listing {
    listed *items;
    size_t n;
    size_t cap;
    uint64_t len; /* of all */
} listing;

static bool append(listing *l, const listed *item)
{
    if (l->n == l->cap) {
        const size_t cap = l->cap == 0 ? 64 : 2 * l->cap;
        listed *grown = cap > MAX_LISTED ? NULL : realloc(l->items, cap * sizeof *grown);
        if (grown == NULL) {
            return false;
        }
        l->items = grown;
        l->cap = cap;
    }
    l->items[l->n++] = *item;
    l->len += item->len;
    return true;
}

static void remove_if_old(const atls_disk *d, const char *name, const struct stat *st)
{
    struct timespec now;
    if (!d->reads_only && clock_gettime(CLOCK_REALTIME, &now) == 0
        && now.tv_sec - st->st_mtim.tv_sec > TEMPORARY_AGE_S) {
        (void)unlinkat(d->fd, name, 0);
    }
}

/* False: the list is full. */
static bool look_at(const atls_disk *d, const char *name, listing *l)
{
    struct stat st;
    const bool is_entry = atls_is_entry_name(name);
    if ((!is_entry && !atls_is_temporary_name(name)) || fstatat(d->fd, name, &st, AT_SYMLINK_NOFOLLOW) != 0) {
        return true;
    }
    if (!is_entry) {
        remove_if_old(d, name, &st);
        return true;
    }
    if (st.st_size > (off_t)ATLS_MAX_ENTRY_LEN) {
        if (!d->reads_only) {
            (void)unlinkat(d->fd, name, 0); /* no entry is that long, and others would have to go for it */
        }
        return true;
    }
    listed item = {.used = st.st_mtim, .len = st.st_size > 0 ? (uint64_t)st.st_size : 0};
    memcpy(item.name, name, sizeof item.name);
    return append(l, &item);
}

/* The stream owns the descriptor that it is given. */
static bool list(const atls_disk *d, listing *l)
{
    const int own = openat(d->fd, ".", O_RDONLY | O_CLOEXEC | O_DIRECTORY);
    DIR *stream = own < 0 ? NULL : fdopendir(own);
    if (stream == NULL) {
        if (own >= 0) {
            (void)close(own);
        }
        return false;
    }
    bool ok = true;
    for (const struct dirent *e; ok && (e = readdir(stream)) != NULL;) {
        ok = look_at(d, e->d_name, l);
    }
    (void)closedir(stream);
    return true;
}

/* ---- bounds ------------------------------------------------------------------------------------------------------------ */

static int by_use(const void *a, const void *b)
{
    const listed *x = a;
    const listed *y = b;
    if (x->used.tv_sec != y->used.tv_sec) {
        return x->used.tv_sec < y->used.tv_sec ? -1 : 1;
    }
    return (x->used.tv_nsec > y->used.tv_nsec) - (x->used.tv_nsec < y->used.tv_nsec);
}

/* Another process may be doing the same: what is gone is gone. */
void atls_disk_tidy(atls_disk *d)
{
    listing l = {.n = 0};
    if (d->fd < 0 || d->reads_only) {
        return;
    }
    if (list(d, &l) && (l.n > d->max_entries || l.len > d->max_len)) {
        qsort(l.items, l.n, sizeof *l.items, by_use);
        size_t left = l.n;
        for (size_t i = 0; i < l.n && (left > d->max_entries || l.len > d->max_len); i++) {
            (void)unlinkat(d->fd, l.items[i].name, 0);
            l.len -= l.items[i].len;
            left--;
        }
    }
    free(l.items);
}

/* ---- a walk ------------------------------------------------------------------------------------------------------------ */

/* An entry that was put in another's place would be found under the wrong name. */
static bool is_in_its_place(const atls_disk *d, const char *name, const atls_entry *entry, atls_error *err)
{
    char own[ATLS_ENTRY_NAME_SIZE];
    if (!atls_entry_name(entry->source, entry->path, d->crypto, own, err)) {
        return false;
    }
    return strcmp(own, name) == 0
           || atls_fail(err, ATLS_E_COLLATERAL_FORMAT, "entry.path", "the entry is about something else");
}

static void visit(atls_disk *d, const char *name, const atls_disk_visitor *visitor, atls_arena *arena)
{
    atls_error why = {0};
    atls_entry entry;
    bool found = false;
    const bool ok =
        atls_disk_read(d, name, arena, &found, &entry, &why) && found && is_in_its_place(d, name, &entry, &why);
    if (ok) {
        visitor->entry(visitor->ctx, &entry);
        return;
    }
    if (why.code != ATLS_OK) { /* else somebody has just removed it */
        atls_disk_refuse(d, name, &why);
    }
    if (why.code != ATLS_OK && visitor->refused != NULL) {
        visitor->refused(visitor->ctx, &why);
    }
}

bool atls_disk_each(atls_disk *d, const atls_disk_visitor *visitor, atls_arena *arena, atls_error *err)
{
    listing l = {.n = 0};
    if (d->fd < 0) {
        return true;
    }
    if (!list(d, &l)) {
        (void)atls_fail(err, ATLS_E_IO, "cache_folder", "the cache's folder cannot be listed");
        free(l.items);
        return false;
    }
    for (size_t i = 0; i < l.n; i++) {
        atls_arena_reset(arena);
        visit(d, l.items[i].name, visitor, arena);
    }
    free(l.items);
    return true;
}
