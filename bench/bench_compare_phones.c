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
#include "compared.h"

#include "atls/android.h"
#include "atls/atls.h"

#include <stdlib.h>
#include <string.h>

int main(int argc, char *argv[])
{
    atls_error err = {0};
    atls_arena work = {0};
    atls_arena keep = {0};
    atls_policy *policy = NULL;
    atls_verifier *verifier = NULL;
    atls_endorsements pieces = {0};
    if (argc != 9) {
        bench_die("usage: bench_compare_phones android|apple EVIDENCE CHALLENGE POLICY LIST|- TIME SAMPLES text|read");
    }
    compared_must(atls_arena_new(&work, ATLS_ARENA_DEFAULT_SIZE, &err)
                      && atls_arena_new(&keep, ATLS_ARENA_DEFAULT_SIZE, &err),
                  &err);
    if (strcmp(argv[1], "android") == 0) {
        pieces.android.list = compared_read(argv[5], &keep);
        compared_must(strcmp(argv[8], "read") != 0
                          || atls_android_list_compile(pieces.android.list, &keep, &pieces.android.compiled, &err),
                      &err);
    }
    const long n = strtol(argv[7], NULL, 10);
    compared_must(atls_policy_parse(compared_read(argv[4], &keep), &policy, &err)
                      && atls_verifier_new(policy, &verifier, &err),
                  &err);
    const atls_appraisal in = {
        .evidence = compared_read(argv[2], &keep),
        .event_log = atls_bytes_empty(),
        .binding = {.grade = ATLS_GRADE_REPORT_DATA, .profile = "", .challenge = compared_read(argv[3], &keep)},
        .now = (atls_time)strtoll(argv[6], NULL, 10),
        .endorse = compared_hand_out,
        .endorse_ctx = &pieces,
    };
    compared_measure(verifier, &in, &work, n);
    atls_verifier_free(verifier);
    atls_policy_free(policy);
    atls_arena_free(&work);
    atls_arena_free(&keep);
    return 0;
}
