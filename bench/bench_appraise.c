/* SPDX-License-Identifier: Apache-2.0 */
/* bench_appraise: one whole appraisal, cold: nothing is remembered, from the text of the collateral bundle to the verdict,
 * against the raw OpenSSL cost of its distinct signatures, interleaved in the same run so that both see the same machine. */
#include "bench.h"

#include "atls/atls.h"
#include "sim/sim.h"

#include <openssl/ec.h>
#include <openssl/evp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define N_SAMPLES      400
#define MAX_SIGNATURES 16
#define MAX_FILE       ((size_t)256 * 1024)

/* The floor: n verifications of distinct P-256 signatures under distinct keys that are ready to use. */
typedef struct raw_floor {
    EVP_PKEY_CTX *ctx[MAX_SIGNATURES];
    EVP_PKEY *key[MAX_SIGNATURES];
    uint8_t digest[MAX_SIGNATURES][32];
    uint8_t sig[MAX_SIGNATURES][80];
    size_t sig_len[MAX_SIGNATURES];
    size_t n;
} raw_floor;

static void floor_init(raw_floor *f, size_t n)
{
    f->n = n;
    for (size_t i = 0; i < n; i++) {
        memset(f->digest[i], (int)i + 1, sizeof f->digest[i]);
        f->key[i] = EVP_EC_gen("P-256");
        EVP_PKEY_CTX *sign = f->key[i] == NULL ? NULL : EVP_PKEY_CTX_new(f->key[i], NULL);
        f->sig_len[i] = sizeof f->sig[i];
        if (sign == NULL || EVP_PKEY_sign_init(sign) != 1
            || EVP_PKEY_sign(sign, f->sig[i], &f->sig_len[i], f->digest[i], sizeof f->digest[i]) != 1) {
            bench_die("cannot make a signature for the floor");
        }
        EVP_PKEY_CTX_free(sign);
        f->ctx[i] = EVP_PKEY_CTX_new(f->key[i], NULL);
        if (f->ctx[i] == NULL || EVP_PKEY_verify_init(f->ctx[i]) != 1) {
            bench_die("cannot prepare the floor");
        }
    }
}

static void floor_run(const raw_floor *f)
{
    for (size_t i = 0; i < f->n; i++) {
        if (EVP_PKEY_verify(f->ctx[i], f->sig[i], f->sig_len[i], f->digest[i], sizeof f->digest[i]) != 1) {
            bench_die("a signature of the floor does not verify");
        }
    }
}

static void floor_free(raw_floor *f)
{
    for (size_t i = 0; i < f->n; i++) {
        EVP_PKEY_CTX_free(f->ctx[i]);
        EVP_PKEY_free(f->key[i]);
    }
}

static void die_of(const char *what, const atls_error *err)
{
    char line[512];
    char text[640];
    atls_error_line(err, line, sizeof line);
    snprintf(text, sizeof text, "%s: %s", what, line);
    bench_die(text);
}

typedef struct subject {
    const char *name;
    sim_kind kind;
    const char *policy;
    bool with_log;
    size_t n_signatures; /* distinct ones that the appraisal checks */
} subject;

static const subject subjects[] = {
    {"SGX quote v3", SIM_SGX_V3, "sgx", false, 9},
    {"TDX quote v4", SIM_TDX_V4, "tdx", false, 9},
    {"TDX quote v5 (TD 1.5)", SIM_TDX_V5, "tdx", false, 9},
    {"TDX quote v4 and dstack event log", SIM_TDX_V4, "dstack_tdx", true, 9},
};

static size_t appraise_once(const atls_verifier *v, const atls_appraisal *in, atls_arena *a)
{
    atls_result result;
    atls_error err = {0};
    if (!atls_verifier_appraise(v, in, a, &result, &err)) {
        die_of("the appraisal failed", &err);
    }
    const size_t peak = a->peak;
    atls_arena_reset(a);
    return peak;
}

/* Times n appraisals and as many floors, in turns. */
static void race(const char *name, const atls_policy *policy, const atls_appraisal *in, const atls_bytes *bundle,
                 size_t n_signatures)
{
    static uint64_t floor_ns[N_SAMPLES];
    static uint64_t ours_ns[N_SAMPLES];
    atls_error err = {0};
    atls_arena work = {0};
    atls_verifier *verifier = NULL;
    raw_floor f;
    size_t peak = 0;
    if (!atls_arena_new(&work, ATLS_ARENA_DEFAULT_SIZE, &err) || !atls_verifier_new(policy, &verifier, &err)) {
        die_of(name, &err);
    }
    floor_init(&f, n_signatures);
    for (size_t i = 0; i < N_SAMPLES; i++) {
        const uint64_t t0 = bench_now();
        floor_run(&f);
        const uint64_t t1 = bench_now();
        peak = appraise_once(verifier, in, &work);
        floor_ns[i] = t1 - t0;
        ours_ns[i] = bench_now() - t1;
    }
    const bench_stats floor_stats = bench_summarise(floor_ns, N_SAMPLES);
    char text[96];
    snprintf(text, sizeof text, "floor: %zu P-256 verifications, OpenSSL", n_signatures);
    bench_row(text, floor_stats, 0);
    snprintf(text, sizeof text, "%s, cold", name);
    bench_row(text, bench_summarise(ours_ns, N_SAMPLES), floor_stats.median);
    printf("    bundle %zu bytes, quote %zu bytes, event log %zu bytes; arena peak %zu bytes\n", bundle->len,
           in->evidence.len, in->event_log.len, peak);
    floor_free(&f);
    atls_verifier_free(verifier);
    atls_arena_free(&work);
}

static void measure(const subject *s)
{
    static const uint8_t report_data[64] = {1};
    atls_error err = {0};
    atls_arena keep = {0};
    sim *room = NULL;
    atls_bytes quote;
    atls_bytes bundle;
    atls_bytes log = atls_bytes_empty();
    atls_bytes document;
    atls_endorsements endorsements;
    atls_policy *policy = NULL;
    if (!atls_arena_new(&keep, ATLS_ARENA_DEFAULT_SIZE, &err) || !sim_new(&(sim_options){.kind = s->kind}, &room, &err)
        || !sim_quote(room, report_data, &keep, &quote, &err) || !sim_collateral(room, &keep, &endorsements, &err)
        || !atls_endorsements_to_bundle(&endorsements, &keep, &bundle, &err)
        || (s->with_log && !sim_event_log(room, &keep, &log, &err))
        || !sim_policy(room, s->policy, &keep, &document, &err)) {
        die_of(s->name, &err);
    }
    const atls_bytes root = sim_root(room);
    if (!atls_policy_parse_with_roots(document, &root, 1, &policy, &err)) {
        die_of(s->name, &err);
    }
    atls_appraisal in = {.evidence = quote,
                         .event_log = log,
                         .now = sim_now(room),
                         .endorse = atls_endorsements_from_bundle_fn,
                         .endorse_ctx = &bundle};
    in.binding.grade = ATLS_GRADE_REPORT_DATA;
    in.binding.profile = "";
    memcpy(in.binding.value, report_data, sizeof report_data);
    race(s->name, policy, &in, &bundle, s->n_signatures);
    atls_policy_free(policy);
    sim_free(room);
    atls_arena_free(&keep);
}

/* Genuine evidence, where it is at hand (ATLS_VECTORS). */
typedef struct genuine {
    const char *name;
    const char *quote;
    const char *collateral;
    const char *now;
    const char *policy;
} genuine;

static const genuine genuines[] = {
    {"genuine TDX quote v4", "dcap/tdx-v4-b0c06f/quote-uptodate.bin", "dcap/tdx-v4-b0c06f/collateral.json",
     "2025-07-01T00:00:00Z", "{\"type\":\"tdx\"}"},
    {"genuine TDX quote v5", "dcap/tdx-v5-90c06f/quote.bin", "dcap/tdx-v5-90c06f/collateral.json",
     "2026-03-01T00:00:00Z", "{\"type\":\"tdx\"}"},
    {"genuine SGX quote v3", "dcap/sgx-v3-processor/quote.bin", "dcap/sgx-v3-processor/collateral.json",
     "2025-07-01T00:00:00Z", "{\"type\":\"sgx\",\"allowed_tcb_status\":[\"ConfigurationAndSWHardeningNeeded\"]}"},
};

static bool read_file(const char *folder, const char *name, atls_arena *a, atls_bytes *out)
{
    char path[1024];
    atls_error err = {0};
    snprintf(path, sizeof path, "%s/%s", folder, name);
    FILE *f = fopen(path, "rb");
    if (f == NULL) {
        return false;
    }
    uint8_t *bytes = atls_arena_raw(a, MAX_FILE, &err);
    if (bytes == NULL) {
        die_of(name, &err);
    }
    *out = atls_bytes_of(bytes, fread(bytes, 1, MAX_FILE, f));
    fclose(f);
    return true;
}

static void measure_genuine(const genuine *g, const char *folder)
{
    atls_error err = {0};
    atls_arena keep = {0};
    atls_policy *policy = NULL;
    atls_bytes bundle;
    atls_appraisal in = {.event_log = atls_bytes_empty(), .endorse = atls_endorsements_from_bundle_fn};
    in.binding.profile = "";
    in.endorse_ctx = &bundle;
    if (!atls_arena_new(&keep, ATLS_ARENA_DEFAULT_SIZE, &err)) {
        die_of(g->name, &err);
    }
    if (!read_file(folder, g->quote, &keep, &in.evidence) || !read_file(folder, g->collateral, &keep, &bundle)) {
        printf("%s: not at hand\n", g->name);
    } else if (!atls_policy_parse(atls_bytes_str(g->policy), &policy, &err)
               || !atls_time_parse(atls_bytes_str(g->now), &in.now)) {
        die_of(g->name, &err);
    } else {
        race(g->name, policy, &in, &bundle, 9);
    }
    atls_policy_free(policy);
    atls_arena_free(&keep);
}

int main(void)
{
    bench_machine();
    for (size_t i = 0; i < sizeof subjects / sizeof subjects[0]; i++) {
        measure(&subjects[i]);
    }
    const char *folder = getenv("ATLS_VECTORS");
    for (size_t i = 0; i < sizeof genuines / sizeof genuines[0]; i++) {
        measure_genuine(&genuines[i], folder == NULL ? "../shared/vectors" : folder);
    }
    return 0;
}
