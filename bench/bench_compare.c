/* SPDX-License-Identifier: Apache-2.0 */
/* bench_compare.c: our side of bench/compare/run, which sets other verifiers beside it.
 *
 *   bench_compare tdx QUOTE BUNDLE TIME SAMPLES cold|warm
 *   bench_compare snp REPORT CERTIFICATES TIME SAMPLES cold|warm
 *
 * cold: from the text of the bundle (or of the certificates, PEM) to the verdict, with nothing remembered. warm: the verifier has
 * seen this machine, and the endorsements are in memory. Prints samples as microseconds of CPU time, one a line, then "peak KiB".
 * The policy is the least there is: genuine, and for tdx UpToDate. */
#include "bench.h"

#include "atls/atls.h"
#include "pki/cert.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>

#define MAX_FILE    ((size_t)1024 * 1024)
#define MAX_SAMPLES 100000
#define N_FIRST     20
#define N_CERTS     3u /* VCEK, ASK, ARK */

static atls_bytes read_file(const char *path)
{
    uint8_t *text = malloc(MAX_FILE);
    FILE *f = fopen(path, "rb");
    if (text == NULL || f == NULL) {
        bench_die(path);
    }
    const size_t n = fread(text, 1, MAX_FILE, f);
    (void)fclose(f);
    return atls_bytes_of(text, n);
}

static bool from_certificates(void *ctx, const atls_endorsement_request *request, atls_arena *arena,
                              atls_endorsements *out, atls_error *err)
{
    size_t n = 0;
    atls_bytes *ders = atls_arena_alloc(arena, N_CERTS * sizeof *ders, err);
    (void)request;
    if (ders == NULL
        || !atls_pem_certificates(*(const atls_bytes *)ctx, false, ATLS_E_COLLATERAL_FORMAT, "certificates", arena,
                                  ders, N_CERTS, &n, err)) {
        return false;
    }
    *out = (atls_endorsements){.pile = {.certificates = ders, .n_certificates = n}};
    return true;
}

static const struct kind {
    const char *name;
    const char *policy;
    atls_platform platform;
    atls_endorse_fn read;
} kinds[] = {
    {"tdx", "{\"type\":\"tdx\"}", ATLS_PLATFORM_TDX, atls_endorsements_from_bundle_fn},
    {"snp", "{\"type\":\"sev_snp\"}", ATLS_PLATFORM_SEV_SNP, from_certificates},
};

static bool hand_out(void *ctx, const atls_endorsement_request *request, atls_arena *arena, atls_endorsements *out,
                     atls_error *err)
{
    (void)request;
    (void)arena;
    (void)err;
    *out = *(const atls_endorsements *)ctx;
    return true;
}

static void must(bool ok, const atls_error *err)
{
    if (!ok) {
        char line[512];
        (void)atls_error_line(err, line, sizeof line);
        bench_die(line);
    }
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
    atls_endorsements pieces;
    struct rusage usage = {0};
    if (argc != 7) {
        bench_die("usage: bench_compare tdx|snp EVIDENCE ENDORSEMENTS TIME SAMPLES cold|warm");
    }
    const struct kind *kind = &kinds[strcmp(argv[1], "snp") == 0];
    const bool is_cold = strcmp(argv[6], "cold") == 0;
    const long n = strtol(argv[5], NULL, 10);
    atls_bytes text = read_file(argv[3]);
    const atls_endorsement_request request = {.platform = kind->platform, .pck_ca = ""};
    const atls_verifier_options options = {.no_cache = is_cold};
    must(atls_arena_new(&work, ATLS_ARENA_DEFAULT_SIZE, &err) && atls_arena_new(&keep, ATLS_ARENA_DEFAULT_SIZE, &err)
             && kind->read(&text, &request, &keep, &pieces, &err)
             && atls_policy_parse(atls_bytes_str(kind->policy), &policy, &err)
             && atls_verifier_new_with_options(policy, &options, &verifier, &err),
         &err);
    const atls_appraisal in = {
        .evidence = read_file(argv[2]),
        .event_log = atls_bytes_empty(),
        .binding = {.profile = ""},
        .now = (atls_time)strtoll(argv[4], NULL, 10),
        .endorse = is_cold ? kind->read : hand_out,
        .endorse_ctx = is_cold ? (void *)&text : (void *)&pieces,
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
