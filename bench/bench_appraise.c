/* SPDX-License-Identifier: Apache-2.0 */
/* bench_appraise: one whole appraisal against what OpenSSL alone needs for the signatures that it checks, interleaved in the
 * same run so that both see the same machine.
 *
 *   cold              nothing is remembered, from the text of the collateral bundle to the verdict: nine signatures; also against
 *                     those and one SHA-256 over what they sign
 *   platform unseen   the endorsements are known, the machine is not: PCK chain, QE report and quote, four signatures
 *   warm              both are known: the quote's signature; also against that and one SHA-256 over the bytes that say who
 *                     the machine is and what it signed (chain, QE report, quote) */
#include "bench.h"

#include "atls/atls.h"
#include "floor.h"
#include "sim/sim.h"
#include "verify/caches.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define N_SAMPLES 400
#define MAX_FILE  ((size_t)256 * 1024)

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
} subject;

static const subject subjects[] = {
    {"SGX quote v3", SIM_SGX_V3, "sgx", false},
    {"TDX quote v4", SIM_TDX_V4, "tdx", false},
    {"TDX quote v5 (TD 1.5)", SIM_TDX_V5, "tdx", false},
    {"TDX quote v4 and dstack event log", SIM_TDX_V4, "dstack_tdx", true},
};

/* What is appraised: the text of a bundle, and the same in pieces, as a fetcher that keeps them would hand them out. */
typedef struct course {
    const char *name;
    const atls_policy *policy;
    atls_appraisal in;
    atls_bytes bundle;
    atls_endorsements pieces;
} course;

/* How warm the verifier is. */
typedef struct heat {
    const char *name;
    atls_verifier_options options;
    size_t n_signatures;
    bool from_text; /* the bundle is read each time */
    bool is_unseen; /* the platform is forgotten before each appraisal */
    bool with_hash; /* a second ratio, to the signatures and the hash */
} heat;

static const heat heats[] = {
    {"cold", {.no_cache = true}, 9, true, false, true},
    {"platform unseen", {.max_platforms = 1}, 4, false, true, false},
    {"warm, from the bundle's text", {0}, 1, true, false, false},
    {"warm", {0}, 1, false, false, true},
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

static void destroy(atls_cached *self)
{
    free(self);
}

/* There is room for one platform: a stranger takes it. */
static void forget_platform(const atls_verifier *v)
{
    atls_cached *stranger = calloc(1, sizeof *stranger);
    if (stranger == NULL) {
        bench_die("no memory");
    }
    stranger->len = sizeof *stranger;
    stranger->destroy = destroy;
    atls_cache_put(atls_verifier_caches(v)->platforms, stranger);
}

static size_t appraise_once(const atls_verifier *v, const atls_appraisal *in, atls_arena *a)
{
    atls_result result;
    atls_error err = {0};
    if (!atls_verifier_appraise(v, in, a, &result, &err)) {
        die_of("the appraisal failed", &err);
    }
    const size_t peak = a->used;
    atls_arena_reset(a);
    return peak;
}

/* What the signatures are over, about as much of it: evidence (with its certificates), and for all nine the documents and lists. */
static void hash_signed(const raw_floor *f, const course *c, const heat *h)
{
    const atls_dcap_collateral *d = &c->pieces.dcap;
    floor_hash(f, c->in.evidence.ptr, c->in.evidence.len);
    if (h->n_signatures == 9) {
        floor_hash(f, d->tcb_info.ptr, d->tcb_info.len);
        floor_hash(f, d->qe_identity.ptr, d->qe_identity.len);
        floor_hash(f, d->pck_crl.ptr, d->pck_crl.len);
        floor_hash(f, d->root_ca_crl.ptr, d->root_ca_crl.len);
    }
}

static void race(const course *c, const heat *h)
{
    static uint64_t floor_ns[N_SAMPLES], hash_ns[N_SAMPLES], ours_ns[N_SAMPLES];
    atls_error err = {0};
    atls_arena work = {0};
    atls_verifier *verifier = NULL;
    raw_floor f;
    atls_appraisal in = c->in;
    atls_endorsements pieces = c->pieces;
    atls_bytes bundle = c->bundle;
    in.endorse = h->from_text ? atls_endorsements_from_bundle_fn : hand_out;
    in.endorse_ctx = h->from_text ? (void *)&bundle : (void *)&pieces;
    if (!atls_arena_new(&work, ATLS_ARENA_DEFAULT_SIZE, &err)
        || !atls_verifier_new_with_options(c->policy, &h->options, &verifier, &err)) {
        die_of(c->name, &err);
    }
    floor_init(&f, h->n_signatures);
    size_t used = appraise_once(verifier, &in, &work);
    for (size_t i = 0; i < N_SAMPLES; i++) {
        if (h->is_unseen) {
            forget_platform(verifier);
        }
        const uint64_t t0 = bench_now();
        floor_verify(&f);
        const uint64_t t1 = bench_now();
        hash_signed(&f, c, h);
        const uint64_t t2 = bench_now();
        used = appraise_once(verifier, &in, &work);
        ours_ns[i] = bench_now() - t2;
        floor_ns[i] = t1 - t0;
        hash_ns[i] = t2 - t0;
    }
    const bench_stats floor_stats = bench_summarise(floor_ns, N_SAMPLES);
    const bench_stats hash_stats = bench_summarise(hash_ns, N_SAMPLES);
    const bench_stats ours = bench_summarise(ours_ns, N_SAMPLES);
    char text[96];
    snprintf(text, sizeof text, "floor: %zu P-256 verification%s, OpenSSL", f.n, f.n == 1 ? "" : "s");
    bench_row(text, floor_stats, 0);
    snprintf(text, sizeof text, "%s, %s", c->name, h->name);
    bench_row(text, ours, floor_stats.median);
    if (h->with_hash) {
        bench_row("floor: the same, and SHA-256 of what is signed", hash_stats, 0);
        bench_row(text, ours, hash_stats.median);
    }
    printf("    arena %zu bytes\n", used);
    floor_free(&f);
    atls_verifier_free(verifier);
    atls_arena_free(&work);
}

static void race_all(const course *c)
{
    printf("%s: bundle %zu bytes, quote %zu bytes, event log %zu bytes\n", c->name, c->bundle.len, c->in.evidence.len,
           c->in.event_log.len);
    for (size_t i = 0; i < sizeof heats / sizeof heats[0]; i++) {
        race(c, &heats[i]);
    }
}

static void measure(const subject *s)
{
    static const uint8_t report_data[64] = {1};
    atls_error err = {0};
    atls_arena keep = {0};
    sim *room = NULL;
    atls_bytes document;
    atls_policy *policy = NULL;
    course c = {.name = s->name, .in = {.event_log = atls_bytes_empty()}};
    if (!atls_arena_new(&keep, ATLS_ARENA_DEFAULT_SIZE, &err) || !sim_new(&(sim_options){.kind = s->kind}, &room, &err)
        || !sim_quote(room, report_data, &keep, &c.in.evidence, &err) || !sim_collateral(room, &keep, &c.pieces, &err)
        || !atls_endorsements_to_bundle(&c.pieces, &keep, &c.bundle, &err)
        || (s->with_log && !sim_event_log(room, &keep, &c.in.event_log, &err))
        || !sim_policy(room, s->policy, &keep, &document, &err)) {
        die_of(s->name, &err);
    }
    const atls_bytes root = sim_root(room);
    if (!atls_policy_parse_with_roots(document, &root, 1, &policy, &err)) {
        die_of(s->name, &err);
    }
    c.policy = policy;
    c.in.now = sim_now(room);
    c.in.binding.grade = ATLS_GRADE_REPORT_DATA;
    c.in.binding.profile = "";
    memcpy(c.in.binding.value, report_data, sizeof report_data);
    race_all(&c);
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
    course c = {.name = g->name, .in = {.event_log = atls_bytes_empty()}};
    c.in.binding.profile = "";
    if (!atls_arena_new(&keep, ATLS_ARENA_DEFAULT_SIZE, &err)) {
        die_of(g->name, &err);
    }
    if (!read_file(folder, g->quote, &keep, &c.in.evidence) || !read_file(folder, g->collateral, &keep, &c.bundle)) {
        printf("%s: not at hand\n", g->name);
    } else if (!atls_policy_parse(atls_bytes_str(g->policy), &policy, &err)
               || !atls_time_parse(atls_bytes_str(g->now), &c.in.now)
               || !atls_endorsements_from_bundle(c.bundle, &keep, &c.pieces, &err)) {
        die_of(g->name, &err);
    } else {
        c.policy = policy;
        race_all(&c);
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
