/* SPDX-License-Identifier: Apache-2.0 */
/* bench_kinds: one appraisal of each kind of evidence beside DCAP (bench_appraise), cold and by a verifier that has met the machine,
 * against the raw cost of its distinct signatures: as many verifications by OpenSSL alone, of the same algorithms, with keys
 * that are ready to use. The number of signatures is counted, so that the floor is that of what was really checked. */
#include "bench.h"

#include <openssl/ec.h>
#include <openssl/evp.h>
#include <openssl/rsa.h>
#include <stdio.h>
#include <string.h>

#include "atls/atls.h"
#include "pki/signature.h"
#include "sim/sim_android.h"
#include "sim/sim_apple.h"
#include "sim/sim_nitro.h"
#include "sim/sim_sevsnp.h"
#include "sim/sim_tpm.h"
#include "verify/verifier_crypto.h"

#define N_SAMPLES 100

static void die(const char *what, const atls_error *err)
{
    char line[512];
    atls_error_line(err, line, sizeof line);
    fprintf(stderr, "%s: ", what);
    bench_die(line);
}

/* ---- the floor ---- */

enum { P256, P384, RSA2048, RSA4096_PSS, N_ALGORITHMS };

typedef struct algorithm {
    EVP_PKEY *key;
    EVP_PKEY_CTX *verify;
    uint8_t digest[48];
    size_t digest_len;
    uint8_t sig[512];
    size_t sig_len;
} algorithm;

static void set_pss(EVP_PKEY_CTX *ctx, bool is_pss)
{
    if (is_pss
        && (EVP_PKEY_CTX_set_rsa_padding(ctx, RSA_PKCS1_PSS_PADDING) != 1
            || EVP_PKEY_CTX_set_rsa_pss_saltlen(ctx, 48) != 1)) {
        bench_die("no PSS");
    }
}

static void algorithm_init(algorithm *a, int which)
{
    const bool is_pss = which == RSA4096_PSS;
    const EVP_MD *md = which == P256 || which == RSA2048 ? EVP_sha256() : EVP_sha384();
    a->key = which == P256      ? EVP_EC_gen("P-256")
             : which == P384    ? EVP_EC_gen("P-384")
             : which == RSA2048 ? EVP_RSA_gen(2048)
                                : EVP_RSA_gen(4096);
    a->digest_len = (size_t)EVP_MD_get_size(md);
    memset(a->digest, 0xa5, sizeof a->digest); /* with one of zeros half of an ECDSA verification would be nothing */
    a->sig_len = sizeof a->sig;
    EVP_PKEY_CTX *sign = EVP_PKEY_CTX_new(a->key, NULL);
    a->verify = EVP_PKEY_CTX_new(a->key, NULL);
    if (sign == NULL || a->verify == NULL || EVP_PKEY_sign_init(sign) != 1 || EVP_PKEY_verify_init(a->verify) != 1) {
        bench_die("no key");
    }
    set_pss(sign, is_pss);
    set_pss(a->verify, is_pss);
    if (EVP_PKEY_CTX_set_signature_md(sign, md) != 1 || EVP_PKEY_CTX_set_signature_md(a->verify, md) != 1
        || EVP_PKEY_sign(sign, a->sig, &a->sig_len, a->digest, a->digest_len) != 1) {
        bench_die("no signature");
    }
    EVP_PKEY_CTX_free(sign);
}

static uint64_t floor_of(const algorithm *algorithms, const unsigned *n)
{
    const uint64_t t0 = bench_now();
    for (int i = 0; i < N_ALGORITHMS; i++) {
        const algorithm *a = &algorithms[i];
        for (unsigned k = 0; k < n[i]; k++) {
            if (EVP_PKEY_verify(a->verify, a->sig, a->sig_len, a->digest, a->digest_len) != 1) {
                bench_die("the floor's signature");
            }
        }
    }
    return bench_now() - t0;
}

/* ---- the kinds ---- */

typedef struct kind {
    const char *name;
    unsigned n[N_ALGORITHMS];    /* signatures of one cold appraisal */
    unsigned warm[N_ALGORITHMS]; /* of one of a machine that was met before */
    void *room;
    atls_bytes evidence;
    atls_bytes document;
    atls_endorse_fn endorse; /* of the simulator, which signs lists each time: asked once */
    atls_endorsements endorsements;
} kind;

static const uint8_t value[64] = {1};

static void open_snp(kind *k, atls_arena *keep)
{
    sim_snp *room = NULL;
    atls_error err = {0};
    if (!sim_snp_new(&(sim_snp_options){.version = 3}, &room, &err)
        || !sim_snp_report(room, value, keep, &k->evidence, &err) || !sim_snp_policy(room, keep, &k->document, &err)) {
        die("SEV-SNP", &err);
    }
    k->room = room;
    k->endorse = sim_snp_endorse;
}

static void open_tpm(kind *k, atls_arena *keep)
{
    sim_tpm *room = NULL;
    atls_error err = {0};
    static const char *const settings[] = {"quotes=sha256", NULL};
    if (!sim_tpm_new(&(sim_tpm_options){.settings = settings}, &room, &err)
        || !sim_tpm_document(room, SIM_TPM_CBOR, atls_bytes_of(value, 32), keep, &k->evidence, &err)
        || !sim_tpm_policy(room, "", keep, &k->document, &err)) {
        die("TPM", &err);
    }
    k->room = room;
    k->endorse = sim_tpm_endorse;
}

static void open_nitro(kind *k, atls_arena *keep)
{
    sim_nitro *room = NULL;
    atls_error err = {0};
    atls_evidence e;
    if (!sim_nitro_new(&(sim_nitro_options){0}, &room, &err) || !sim_nitro_attest(room, value, keep, &e, &err)
        || !sim_nitro_policy(room, keep, &k->document, &err)) {
        die("Nitro", &err);
    }
    k->evidence = e.quote;
    k->room = room;
    k->endorse = sim_nitro_endorse;
}

static void open_android(kind *k, atls_arena *keep)
{
    sim_android *phone = NULL;
    atls_error err = {0};
    const sim_android_request request = {.challenge = atls_bytes_of(value, sizeof value)};
    if (!sim_android_new(&(sim_android_options){0}, &phone, &err)
        || !sim_android_chain(phone, &request, keep, &k->evidence, &err)
        || !sim_android_policy(phone, keep, &k->document, &err)) {
        die("Android", &err);
    }
    k->room = phone;
    k->endorse = sim_android_endorse;
}

static void open_apple(kind *k, atls_arena *keep)
{
    sim_apple *room = NULL;
    atls_error err = {0};
    if (!sim_apple_new(&(sim_apple_options){0}, &room, &err)
        || !sim_apple_attestation(room, atls_bytes_of(value, sizeof value), keep, &k->evidence, &err)
        || !sim_apple_policy(room, keep, &k->document, &err)) {
        die("App Attest", &err);
    }
    k->room = room; /* everything comes along: nothing to endorse */
}

static bool at_hand(void *ctx, const atls_endorsement_request *request, atls_arena *arena, atls_endorsements *out,
                    atls_error *err)
{
    (void)request;
    (void)arena;
    (void)err;
    *out = ((const kind *)ctx)->endorsements;
    return true;
}

static uint64_t appraise(kind *k, const atls_verifier *v, atls_arena *arena)
{
    atls_error err = {0};
    atls_result result;
    atls_appraisal in = {.evidence = k->evidence,
                         .event_log = atls_bytes_empty(),
                         .binding = {.grade = ATLS_GRADE_REPORT_DATA, .value = {1}, .profile = ""},
                         .now = SIM_NOW,
                         .endorse = at_hand,
                         .endorse_ctx = k};
    in.binding.value_len = k->endorse == sim_tpm_endorse ? 32 : 64;
    const uint64_t t0 = bench_now();
    if (!atls_verifier_appraise(v, &in, arena, &result, &err)) {
        die(k->name, &err);
    }
    const uint64_t took = bench_now() - t0;
    atls_arena_reset(arena);
    return took;
}

static uint64_t sum(const unsigned *n)
{
    uint64_t all = 0;
    for (int i = 0; i < N_ALGORITHMS; i++) {
        all += n[i];
    }
    return all;
}

static void measure(kind *k, bool is_warm, const algorithm *algorithms, atls_arena *arena)
{
    static uint64_t raw[N_SAMPLES], took[N_SAMPLES];
    const atls_verifier_options options = {.no_cache = !is_warm};
    const unsigned *n = is_warm ? k->warm : k->n;
    atls_policy *policy = NULL;
    atls_verifier *v = NULL;
    atls_error err = {0};
    if (!atls_policy_parse(k->document, &policy, &err) || !atls_verifier_new_with_options(policy, &options, &v, &err)) {
        die(k->name, &err);
    }
    (void)appraise(k, v, arena);
    const uint64_t before = atls_crypto_verifications(atls_verifier_crypto(v));
    (void)appraise(k, v, arena);
    const uint64_t made = atls_crypto_verifications(atls_verifier_crypto(v)) - before;
    if (made != sum(n)) {
        fprintf(stderr, "%s: %llu signatures were checked, the floor has %llu\n", k->name, (unsigned long long)made,
                (unsigned long long)sum(n));
        bench_die("another number of signatures");
    }
    for (size_t i = 0; i < N_SAMPLES; i++) {
        raw[i] = floor_of(algorithms, n);
        took[i] = appraise(k, v, arena);
    }
    char name[96];
    snprintf(name, sizeof name, "floor: P-256 x%u, P-384 x%u, RSA-2048 x%u, RSA-4096 x%u", n[P256], n[P384], n[RSA2048],
             n[RSA4096_PSS]);
    const bench_stats floor_stats = bench_summarise(raw, N_SAMPLES);
    bench_row(name, floor_stats, 0);
    snprintf(name, sizeof name, "%s, %s", k->name, is_warm ? "warm" : "cold");
    bench_row(name, bench_summarise(took, N_SAMPLES), floor_stats.median);
    atls_verifier_free(v);
    atls_policy_free(policy);
}

int main(void)
{
    static algorithm algorithms[N_ALGORITHMS];
    kind kinds[] = {
        {.name = "SEV-SNP report 3, VCEK, list", .n = {[P384] = 1, [RSA4096_PSS] = 5}, .warm = {[P384] = 1}},
        {.name = "TPM quote, key certificate, event log", .n = {[P256] = 4, [RSA2048] = 1}, .warm = {[RSA2048] = 1}},
        {.name = "Nitro document", .n = {[P384] = 8}, .warm = {[P384] = 1}},
        {.name = "Android, chain of the factory", .n = {[P256] = 1, [P384] = 3}, .warm = {[P256] = 1, [P384] = 3}},
        {.name = "App Attest attestation", .n = {[P256] = 2, [P384] = 3}, .warm = {[P256] = 2, [P384] = 3}},
    };
    atls_arena keep;
    atls_arena arena;
    atls_error err = {0};
    bench_machine();
    if (!atls_arena_new(&keep, ATLS_ARENA_DEFAULT_SIZE, &err)
        || !atls_arena_new(&arena, ATLS_ARENA_DEFAULT_SIZE, &err)) {
        die("arena", &err);
    }
    for (int i = 0; i < N_ALGORITHMS; i++) {
        algorithm_init(&algorithms[i], i);
    }
    open_snp(&kinds[0], &keep);
    open_tpm(&kinds[1], &keep);
    open_nitro(&kinds[2], &keep);
    open_android(&kinds[3], &keep);
    open_apple(&kinds[4], &keep);
    for (size_t i = 0; i < sizeof kinds / sizeof kinds[0]; i++) {
        const atls_endorsement_request request = {.pck_ca = ""};
        if (kinds[i].endorse != NULL
            && !kinds[i].endorse(kinds[i].room, &request, &keep, &kinds[i].endorsements, &err)) {
            die(kinds[i].name, &err);
        }
    }
    for (size_t i = 0; i < sizeof kinds / sizeof kinds[0]; i++) {
        measure(&kinds[i], false, algorithms, &arena);
        measure(&kinds[i], true, algorithms, &arena);
    }
    sim_snp_free(kinds[0].room);
    sim_tpm_free(kinds[1].room);
    sim_nitro_free(kinds[2].room);
    sim_android_free(kinds[3].room);
    sim_apple_free(kinds[4].room);
    for (int i = 0; i < N_ALGORITHMS; i++) {
        EVP_PKEY_CTX_free(algorithms[i].verify);
        EVP_PKEY_free(algorithms[i].key);
    }
    atls_arena_free(&arena);
    atls_arena_free(&keep);
    return 0;
}
