/* SPDX-License-Identifier: Apache-2.0 */
/* driver.c: a fuzz target as an ordinary test, for builds without libFuzzer. It runs the empty input, every seed,
 * prefixes of the seeds, and mutations of them from a fixed generator: the same inputs on every machine, bounded in
 * number and not in time. With arguments it runs these files instead, to look at a crash again. */
#include <stdbool.h>
#include <string.h>

#include "fuzz.h"

/* inputs altogether, how many of them may be prefixes, and how long a mutation may get */
#ifndef FUZZ_MAX_INPUTS /* fewer where each costs a TLS handshake */
#define FUZZ_MAX_INPUTS 20000u
#endif
#define MAX_INPUTS   FUZZ_MAX_INPUTS
#define MAX_PREFIXES (MAX_INPUTS / 5 * 2)
#define MAX_SEEDS    64u
#define MAX_INPUT    ((size_t)2 * FUZZ_MAX_SEED)

typedef struct seed {
    uint8_t *ptr;
    size_t len;
} seed;

typedef struct driver {
    seed seeds[MAX_SEEDS];
    size_t n_seeds;
    size_t n_inputs;
    uint64_t random; /* state of the generator, never zero */
    uint8_t *work;   /* MAX_INPUT bytes */
} driver;

/* An input in a block of exactly its size, so that sanitizers see the first byte that is read too far. */
static void run(driver *d, const uint8_t *data, size_t len)
{
    uint8_t *exact = malloc(len == 0 ? 1 : len);
    if (exact == NULL) {
        abort();
    }
    if (len > 0) {
        memcpy(exact, data, len);
    }
    (void)LLVMFuzzerTestOneInput(exact, len);
    free(exact);
    d->n_inputs++;
}

/* xorshift64 */
static uint64_t next_random(driver *d)
{
    d->random ^= d->random << 13;
    d->random ^= d->random >> 7;
    d->random ^= d->random << 17;
    return d->random;
}

static size_t below(driver *d, size_t n)
{
    return n == 0 ? 0 : (size_t)(next_random(d) % n);
}

static void load_seeds(driver *d)
{
    while (d->n_seeds < MAX_SEEDS) {
        size_t len = fuzz_seed(d->n_seeds, d->work, FUZZ_MAX_SEED);
        if (len == 0) {
            return;
        }
        uint8_t *copy = malloc(len);
        if (copy == NULL) {
            abort();
        }
        memcpy(copy, d->work, len);
        d->seeds[d->n_seeds++] = (seed){copy, len};
    }
}

/* Every prefix of a short seed; of a long one the first ones, the last ones, and evenly some between. */
static void run_prefixes(driver *d, const seed *s)
{
    size_t budget = MAX_PREFIXES / d->n_seeds;
    size_t step = 1 + s->len / (budget + 1);
    for (size_t len = 0; len < s->len; len += len < 256 || s->len - len <= 256 ? 1 : step) {
        if (d->n_inputs < MAX_PREFIXES) {
            run(d, s->ptr, len);
        }
    }
}

static size_t remove_range(driver *d, size_t len)
{
    size_t at = below(d, len);
    size_t n = 1 + below(d, len - at);
    n = n > 64 ? n % 64 + 1 : n;
    memmove(d->work + at, d->work + at + n, len - at - n);
    return len - n;
}

/* Inserts bytes of any seed, often the same one: repeated members, longer arrays, nested copies. */
static size_t insert_piece(driver *d, size_t len)
{
    const seed *other = &d->seeds[below(d, d->n_seeds)];
    size_t from = below(d, other->len);
    size_t n = 1 + below(d, other->len - from);
    n = n > 256 ? n % 256 + 1 : n;
    if (n > MAX_INPUT - len) {
        return len;
    }
    size_t at = below(d, len + 1);
    memmove(d->work + at + n, d->work + at, len - at);
    memcpy(d->work + at, other->ptr + from, n);
    return len + n;
}

/* The head of this input and the tail of another. */
static size_t splice(driver *d, size_t len)
{
    const seed *other = &d->seeds[below(d, d->n_seeds)];
    size_t at = below(d, len + 1);
    size_t from = below(d, other->len);
    size_t n = other->len - from;
    if (n > MAX_INPUT - at) {
        return len;
    }
    memcpy(d->work + at, other->ptr + from, n);
    return at + n;
}

static size_t mutate_once(driver *d, size_t len)
{
    static const uint8_t edges[] = {0x00, 0x01, 0x1f, 0x7f, 0x80, 0x81, 0x84, 0xff, '"', '\\', '0', '9'};
    if (len == 0) {
        return insert_piece(d, len);
    }
    size_t at = below(d, len);
    switch (below(d, 8)) {
    case 0:
    case 1:
        d->work[at] ^= (uint8_t)(1u << below(d, 8));
        return len;
    case 2:
        d->work[at] = edges[below(d, sizeof edges)];
        return len;
    case 3:
        d->work[at] = (uint8_t)next_random(d);
        return len;
    case 4:
        d->work[at] = (uint8_t)(d->work[at] + (next_random(d) % 2 == 0 ? 1 : -1));
        return len;
    case 5:
        return remove_range(d, len);
    case 6:
        return insert_piece(d, len);
    default:
        return splice(d, len);
    }
}

static void run_mutations(driver *d)
{
    while (d->n_inputs < MAX_INPUTS) {
        const seed *s = &d->seeds[below(d, d->n_seeds)];
        memcpy(d->work, s->ptr, s->len);
        size_t len = s->len;
        for (size_t n = 1 + below(d, 4); n > 0; n--) {
            len = mutate_once(d, len);
        }
        run(d, d->work, len);
    }
}

static bool run_file(driver *d, const char *path)
{
    FILE *file = fopen(path, "rb");
    if (file == NULL) {
        perror(path);
        return false;
    }
    size_t len = fread(d->work, 1, MAX_INPUT, file);
    fclose(file);
    run(d, d->work, len);
    return true;
}

static bool run_all(driver *d)
{
    run(d, (const uint8_t *)"", 0);
    load_seeds(d);
    for (size_t i = 0; i < d->n_seeds; i++) {
        run(d, d->seeds[i].ptr, d->seeds[i].len);
    }
    for (size_t i = 0; i < d->n_seeds; i++) {
        run_prefixes(d, &d->seeds[i]);
    }
    if (d->n_seeds > 0) {
        run_mutations(d);
    }
    return d->n_seeds > 0;
}

int main(int argc, char **argv)
{
    driver d = {.random = 0x9e3779b97f4a7c15u, .work = malloc(MAX_INPUT)};
    if (d.work == NULL) {
        return 1;
    }
    const char *name = strrchr(argv[0], '/');
    name = name == NULL ? argv[0] : name + 1;
    bool ok = true;
    for (int i = 1; i < argc; i++) {
        ok = run_file(&d, argv[i]) && ok;
    }
    ok = argc > 1 ? ok : run_all(&d);
    printf("1..1\n%s 1 - %s: %zu inputs\n", ok ? "ok" : "not ok", name, d.n_inputs);
    for (size_t i = 0; i < d.n_seeds; i++) {
        free(d.seeds[i].ptr);
    }
    free(d.work);
    return ok ? 0 : 1;
}
