/* SPDX-License-Identifier: Apache-2.0 */
/* compared.c: see compared.h. */
#include "compared.h"

#include <stdio.h>
#include <stdlib.h>
#include <sys/resource.h>

#include "bench.h"

#define MAX_FILE    ((size_t)16 * 1024 * 1024)
#define MAX_SAMPLES 100000
#define N_FIRST     20

void compared_must(bool ok, const atls_error *err)
{
    if (!ok) {
        char line[512];
        (void)atls_error_line(err, line, sizeof line);
        bench_die(line);
    }
}

atls_bytes compared_read(const char *path, atls_arena *keep)
{
    atls_error err = {0};
    atls_bytes out;
    uint8_t *text = malloc(MAX_FILE);
    FILE *f = fopen(path, "rb");
    if (text == NULL || f == NULL) {
        bench_die(path);
    }
    const size_t n = fread(text, 1, MAX_FILE, f);
    (void)fclose(f);
    compared_must(atls_arena_copy(keep, atls_bytes_of(text, n), &out, &err), &err);
    free(text);
    return out;
}

bool compared_hand_out(void *ctx, const atls_endorsement_request *request, atls_arena *arena, atls_endorsements *out,
                       atls_error *err)
{
    (void)request;
    (void)arena;
    (void)err;
    *out = *(const atls_endorsements *)ctx;
    return true;
}

void compared_measure(const atls_verifier *v, const atls_appraisal *in, atls_arena *work, long n)
{
    struct rusage usage = {0};
    const long last = n > 0 && n < MAX_SAMPLES ? n : 1;
    for (long i = -N_FIRST; i < last; i++) {
        atls_result result;
        atls_error err = {0};
        const uint64_t before = bench_now();
        const bool ok = atls_verifier_appraise(v, in, work, &result, &err);
        const uint64_t used = bench_now() - before;
        compared_must(ok, &err);
        atls_arena_reset(work);
        if (i >= 0) {
            printf("%.1f\n", (double)used / 1000);
        }
    }
    (void)getrusage(RUSAGE_SELF, &usage);
    printf("peak %ld\n", usage.ru_maxrss);
}
