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
#include "compared.h"

#include "atls/atls.h"
#include "pki/cert.h"

#include <stdlib.h>
#include <string.h>

#define N_CERTS 3u /* VCEK, ASK, ARK */

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

int main(int argc, char *argv[])
{
    atls_error err = {0};
    atls_arena work = {0};
    atls_arena keep = {0};
    atls_policy *policy = NULL;
    atls_verifier *verifier = NULL;
    atls_endorsements pieces;
    if (argc != 7) {
        bench_die("usage: bench_compare tdx|snp EVIDENCE ENDORSEMENTS TIME SAMPLES cold|warm");
    }
    const struct kind *kind = &kinds[strcmp(argv[1], "snp") == 0];
    const bool is_cold = strcmp(argv[6], "cold") == 0;
    const long n = strtol(argv[5], NULL, 10);
    const atls_endorsement_request request = {.platform = kind->platform, .pck_ca = ""};
    const atls_verifier_options options = {.no_cache = is_cold};
    compared_must(atls_arena_new(&work, ATLS_ARENA_DEFAULT_SIZE, &err)
                      && atls_arena_new(&keep, ATLS_ARENA_DEFAULT_SIZE, &err),
                  &err);
    atls_bytes text = compared_read(argv[3], &keep);
    compared_must(kind->read(&text, &request, &keep, &pieces, &err)
                      && atls_policy_parse(atls_bytes_str(kind->policy), &policy, &err)
                      && atls_verifier_new_with_options(policy, &options, &verifier, &err),
                  &err);
    const atls_appraisal in = {
        .evidence = compared_read(argv[2], &keep),
        .event_log = atls_bytes_empty(),
        .binding = {.profile = ""},
        .now = (atls_time)strtoll(argv[4], NULL, 10),
        .endorse = is_cold ? kind->read : compared_hand_out,
        .endorse_ctx = is_cold ? (void *)&text : (void *)&pieces,
    };
    compared_measure(verifier, &in, &work, n);
    atls_verifier_free(verifier);
    atls_policy_free(policy);
    atls_arena_free(&work);
    atls_arena_free(&keep);
    return 0;
}
