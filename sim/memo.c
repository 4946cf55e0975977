/* SPDX-License-Identifier: Apache-2.0 */
/* memo.c: a table of digests and values, open addressing. It only ever spares work: what does not fit, or finds no memory, is
 * not remembered. */
#include <stdlib.h>
#include <string.h>

#include "sim/internal.h"

#define MAX_SLOTS ((size_t)1 << 15)

typedef struct slot {
    uint8_t key[32];
    uint8_t *value; /* NULL: free */
    size_t len;
} slot;

struct sim_memo {
    slot *slots;
    size_t n;
    size_t cap; /* a power of two */
};

bool sim_memo_new(sim_memo **out, atls_error *err)
{
    *out = calloc(1, sizeof **out);
    return *out != NULL || atls_fail(err, ATLS_E_MEMORY, "sim.memo", NULL);
}

void sim_memo_free(sim_memo *m)
{
    for (size_t i = 0; m != NULL && i < m->cap; i++) {
        free(m->slots[i].value);
    }
    if (m != NULL) {
        free(m->slots);
    }
    free(m);
}

/* The slot of a key: its own, or the free one where it belongs. There is always a free one. */
static slot *slot_of(slot *slots, size_t cap, const uint8_t key[32])
{
    size_t at;
    memcpy(&at, key, sizeof at);
    while (slots[at & (cap - 1)].value != NULL && memcmp(slots[at & (cap - 1)].key, key, 32) != 0) {
        at++;
    }
    return &slots[at & (cap - 1)];
}

static bool grow(sim_memo *m)
{
    const size_t cap = m->cap == 0 ? 64 : 2 * m->cap;
    slot *slots = cap > MAX_SLOTS ? NULL : calloc(cap, sizeof *slots);
    if (slots == NULL) {
        return false;
    }
    for (size_t i = 0; i < m->cap; i++) {
        if (m->slots[i].value != NULL) {
            *slot_of(slots, cap, m->slots[i].key) = m->slots[i];
        }
    }
    free(m->slots);
    m->slots = slots;
    m->cap = cap;
    return true;
}

void sim_memo_key(const char *what, atls_bytes a, atls_bytes b, uint8_t key[32])
{
    uint8_t text[1024] = {0}; /* what, a and b are of fixed lengths, for each what */
    size_t len = strlen(what);
    memcpy(text, what, len); /* NOLINT(bugprone-not-null-terminated-result): bytes, of which the last is no NUL */
    memcpy(text + len, a.ptr, a.len);
    memcpy(text + len + a.len, b.ptr, b.len);
    sim_sha256(atls_bytes_of(text, len + a.len + b.len), key);
}

bool sim_memo_find(const sim_memo *m, const uint8_t key[32], uint8_t *value, size_t len)
{
    const slot *s = m == NULL || m->cap == 0 ? NULL : slot_of(m->slots, m->cap, key);
    if (s == NULL || s->value == NULL || s->len != len) {
        return false;
    }
    memcpy(value, s->value, len);
    return true;
}

void sim_memo_keep(sim_memo *m, const uint8_t key[32], const uint8_t *value, size_t len)
{
    if (m == NULL || (2 * (m->n + 1) > m->cap && !grow(m))) {
        return;
    }
    slot *s = slot_of(m->slots, m->cap, key);
    uint8_t *copy = s->value == NULL ? malloc(len) : NULL;
    if (copy != NULL) {
        memcpy(copy, value, len);
        memcpy(s->key, key, 32);
        s->value = copy;
        s->len = len;
        m->n++;
    }
}
