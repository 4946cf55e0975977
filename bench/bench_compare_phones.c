/* SPDX-License-Identifier: Apache-2.0 */
/* bench_compare_phones.c: our side of the phones in bench/compare/run, which sets other verifiers beside it.
 *
 *   bench_compare_phones android CHAIN CHALLENGE POLICY LIST TIME SAMPLES text|read
 *   bench_compare_phones apple OBJECT CLIENTDATA POLICY - TIME SAMPLES text
 *
 * CHAIN is PEM, CHALLENGE and CLIENTDATA are the octets, POLICY is Warden's configuration (with "type" in front), LIST is Google's
 * list of revoked certificates. text: the list is JSON, and read in each appraisal; read: it was read once, as the
 * enrolment service does. Prints samples as microseconds of CPU time, one a line, then "peak KiB". Nothing is remembered of a phone. */
#include "bench.h"

#include "atls/android.h"
#include "atls/atls.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>

#define MAX_FILE    ((size_t)16 * 1024 * 1024)
#define MAX_SAMPLES 100000
#define N_FIRST     20

static void must(bool ok, const atls_error *err)
{
    if (!ok) {
        char line[512];
        (void)atls_error_line(err, line, sizeof line);
        bench_die(line);
    }
}

static atls_bytes read_file(const char *path, atls_arena *keep)
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
    must(atls_arena_copy(keep, atls_bytes_of(text, n), &out, &err), &err);
    free(text);
    return out;
}

static bool hand_out(void *ctx, const atls_endorsement_request *request, atls_arena *arena, atls_endorsements *out,
                     atls_error *err)
{
    (void)request;
    (void)arena;
    (void)err;
    *out = *(const atls_endorsements *)ctx;
    return true;
}

static void measure(const atls_verifier *v, const atls_appraisal *in, atls_arena *work, long n)
{
    for (long i = -N_FIRST; i < n; i++) {
        atls_result result;
        atls_error err = {0};
        const uint64_t before = bench_now();
        const bool ok = atls_verifier_appraise(v, in, work, &result, &err);
        const uint64_t used = bench_now() - before;
        must(ok, &err);
        atls_arena_reset(work);
        if (i >= 0) {
            printf("%.1f\n", (double)used / 1000);
        }
    }
}

int main(int argc, char *argv[])
{
    atls_error err = {0};
    atls_arena work = {0};
    atls_arena keep = {0};
    atls_policy *policy = NULL;
    atls_verifier *verifier = NULL;
    atls_endorsements pieces = {0};
    struct rusage usage = {0};
    if (argc != 9) {
        bench_die("usage: bench_compare_phones android|apple EVIDENCE CHALLENGE POLICY LIST|- TIME SAMPLES text|read");
    }
    must(atls_arena_new(&work, ATLS_ARENA_DEFAULT_SIZE, &err) && atls_arena_new(&keep, MAX_FILE, &err), &err);
    if (strcmp(argv[1], "android") == 0) {
        pieces.android.list = read_file(argv[5], &keep);
        must(strcmp(argv[8], "read") != 0
                 || atls_android_list_compile(pieces.android.list, &keep, &pieces.android.compiled, &err),
             &err);
    }
    const long n = strtol(argv[7], NULL, 10);
    must(atls_policy_parse(read_file(argv[4], &keep), &policy, &err) && atls_verifier_new(policy, &verifier, &err),
         &err);
    const atls_appraisal in = {
        .evidence = read_file(argv[2], &keep),
        .event_log = atls_bytes_empty(),
        .binding = {.grade = ATLS_GRADE_REPORT_DATA, .profile = "", .challenge = read_file(argv[3], &keep)},
        .now = (atls_time)strtoll(argv[6], NULL, 10),
        .endorse = hand_out,
        .endorse_ctx = &pieces,
    };
    measure(verifier, &in, &work, n > 0 && n < MAX_SAMPLES ? n : 1);
    (void)getrusage(RUSAGE_SELF, &usage);
    printf("peak %ld\n", usage.ru_maxrss);
    atls_verifier_free(verifier);
    atls_policy_free(policy);
    atls_arena_free(&work);
    atls_arena_free(&keep);
    return 0;
}
