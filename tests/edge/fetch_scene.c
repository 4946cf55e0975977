/* SPDX-License-Identifier: Apache-2.0 */
#include "fetch_scene.h"

#include <dirent.h>
#include <time.h>
#include <unistd.h>

#include "base/text.h"
#include "evidence/sevsnp/sevsnp.h"

static const uint8_t report_data[64] = {0x46, 0x65, 0x74, 0x63, 0x68};

unsigned scene_ms(void)
{
    struct timespec t;
    assert_int_equal(clock_gettime(CLOCK_MONOTONIC, &t), 0);
    return (unsigned)((uint64_t)t.tv_sec * 1000 + (uint64_t)t.tv_nsec / 1000000);
}

unsigned scene_patience(void)
{
    return getenv("ATLS_TEST_QUICK") == NULL ? 1 : 12;
}

static atls_time scene_now(void *ctx)
{
    scene *s = ctx;
    return atomic_load(&s->now);
}

static void must(const scene *s, bool ok)
{
    if (!ok) {
        fail_msg("%s: %s: %s", atls_code_name(s->err.code), s->err.field, s->err.message);
    }
}

void scene_open(scene *s)
{
    const sim_options tdx = {0};
    const sim_snp_options snp = {0};
    atls_bytes text;
    memset(s, 0, sizeof *s);
    atomic_init(&s->now, SIM_NOW);
    must(s, atls_arena_new(&s->arena, (size_t)16 * 1024 * 1024, &s->err));
    must(s, atls_arena_new(&s->kept, (size_t)64 * 1024 * 1024, &s->err));
    must(s, sim_new(&tdx, &s->room, &s->err) && sim_quote(s->room, report_data, &s->kept, &s->quote, &s->err));
    must(s, sim_policy(s->room, "tdx", &s->kept, &text, &s->err) && atls_policy_parse(text, &s->policy, &s->err));
    must(s, atls_verifier_new(s->policy, &s->verifier, &s->err));
    must(s, sim_snp_new(&snp, &s->snp, &s->err) && sim_snp_report(s->snp, report_data, &s->kept, &s->report, &s->err));
    must(s, sim_snp_policy(s->snp, &s->kept, &text, &s->err) && atls_policy_parse(text, &s->snp_policy, &s->err));
    must(s, atls_verifier_new(s->snp_policy, &s->snp_verifier, &s->err));
}

void scene_close(scene *s)
{
    atls_fetcher_free(s->fetcher);
    atls_verifier_free(s->snp_verifier);
    atls_policy_free(s->snp_policy);
    atls_verifier_free(s->verifier);
    atls_policy_free(s->policy);
    sim_snp_free(s->snp);
    sim_free(s->room);
    atls_arena_free(&s->kept);
    atls_arena_free(&s->arena);
}

void scene_fetcher(scene *s, const atls_fetcher_options *options, double_server *const *servers, size_t n)
{
    atls_source sources[ATLS_MAX_SOURCES];
    atls_fetcher_options o = {.sources = NULL};
    if (options != NULL) {
        o = *options;
    }
    for (size_t i = 0; i < n; i++) {
        sources[2 * i] = (atls_source){.kind = ATLS_SOURCE_PCCS, .url = servers[i]->url};
        sources[2 * i + 1] = (atls_source){.kind = ATLS_SOURCE_KDS, .url = servers[i]->url};
    }
    if (o.n_sources == 0) {
        o.sources = sources;
        o.n_sources = 2 * n;
    }
    /* every room's, unless the test says which */
    atls_bytes roots[ATLS_MAX_FETCH_ROOTS] = {sim_root(s->room), sim_snp_certificate(s->snp, "ark")};
    if (o.roots == NULL) {
        o.roots = roots;
        o.n_roots = 2;
        for (size_t i = 0; i < n && o.n_roots + 2 <= ATLS_MAX_FETCH_ROOTS; i++) {
            roots[o.n_roots++] = sim_root(servers[i]->room);
            roots[o.n_roots++] = sim_snp_certificate(servers[i]->snp, "ark");
        }
    }
    o.proxy = o.proxy == NULL ? "" : o.proxy;
    o.request_timeout_ms = o.request_timeout_ms == 0 ? 30000 : o.request_timeout_ms;
    o.total_timeout_ms = o.total_timeout_ms == 0 ? 60000 : o.total_timeout_ms;
    o.now = scene_now;
    o.now_ctx = s;
    atls_fetcher_free(s->fetcher);
    atls_error_clear(&s->err);
    must(s, atls_fetcher_new(&o, &s->fetcher, &s->err));
}

/* ---- requests ---------------------------------------------------------------------------------------------------------- */

/* The FMSPC that the simulator gives its platforms. */
static bool capture(void *ctx, const atls_endorsement_request *request, atls_arena *a, atls_endorsements *out,
                    atls_error *err)
{
    (void)a;
    (void)out;
    *(atls_endorsement_request *)ctx = *request;
    return atls_fail(err, ATLS_E_ENDORSEMENTS_MISSING, "", NULL);
}

static atls_endorsement_request asked(scene *s, const atls_verifier *v, atls_bytes evidence)
{
    atls_endorsement_request request = {0};
    atls_appraisal in = {.evidence = evidence, .event_log = atls_bytes_empty(), .now = SIM_NOW};
    atls_result ignored;
    atls_error why = {0};
    in.endorse = capture;
    in.endorse_ctx = &request;
    assert_false(atls_verifier_appraise(v, &in, &s->kept, &ignored, &why));
    return request;
}

atls_endorsement_request scene_request(scene *s)
{
    return asked(s, s->verifier, s->quote);
}

atls_endorsement_request scene_snp_request(scene *s, const char *product)
{
    atls_endorsement_request r = asked(s, s->snp_verifier, s->report);
    if (product != NULL) {
        r.sev_snp.product = product;
    }
    return r;
}

static bool fetch(scene *s, const atls_endorsement_request *r)
{
    const unsigned begin = scene_ms();
    atls_error_clear(&s->err);
    atls_arena_reset(&s->arena);
    const bool ok = atls_fetcher_endorse(s->fetcher, r, &s->arena, &s->out, &s->err);
    s->took_ms = scene_ms() - begin;
    return ok;
}

bool scene_endorse(scene *s)
{
    const atls_endorsement_request r = scene_request(s);
    return fetch(s, &r);
}

bool scene_endorse_snp(scene *s, const char *product)
{
    const atls_endorsement_request r = scene_snp_request(s, product);
    return fetch(s, &r);
}

static bool appraise(scene *s, const atls_verifier *v, atls_bytes evidence)
{
    atls_appraisal in = {.evidence = evidence, .event_log = atls_bytes_empty(), .now = atomic_load(&s->now)};
    in.binding = (atls_binding){.grade = ATLS_GRADE_REPORT_DATA, .profile = ""};
    memcpy(in.binding.value, report_data, sizeof report_data);
    in.endorse = atls_fetcher_endorse;
    in.endorse_ctx = s->fetcher;
    atls_arena_reset(&s->arena);
    atls_error_clear(&s->err);
    const unsigned begin = scene_ms();
    const bool ok = atls_verifier_appraise(v, &in, &s->arena, &s->result, &s->err);
    s->took_ms = scene_ms() - begin;
    assert_int_equal(ok, s->result.verdict == ATLS_VERDICT_ACCEPTED);
    return ok;
}

bool scene_appraise(scene *s)
{
    return appraise(s, s->verifier, s->quote);
}

bool scene_appraise_snp(scene *s)
{
    return appraise(s, s->snp_verifier, s->report);
}

void scene_ok(const scene *s, bool ok)
{
    must(s, ok);
    assert_int_equal(s->err.code, ATLS_OK);
}

void scene_expect(const scene *s, bool ok, atls_code code, const char *field, const char *words)
{
    assert_false(ok);
    if (strcmp(atls_code_name(s->err.code), atls_code_name(code)) != 0 || strcmp(s->err.field, field) != 0
        || (words != NULL && strstr(s->err.message, words) == NULL)) {
        fail_msg("wanted %s %s '%s', got %s %s '%s'", atls_code_name(code), field, words == NULL ? "" : words,
                 atls_code_name(s->err.code), s->err.field, s->err.message);
    }
}

/* ---- folders ----------------------------------------------------------------------------------------------------------- */

void scene_folder(char out[64])
{
    (void)snprintf(out, 64, "/tmp/atls-fetch-XXXXXX");
    assert_non_null(mkdtemp(out));
}

static bool ends(const char *name, const char *ending)
{
    const size_t n = strlen(name);
    const size_t m = strlen(ending);
    return n >= m && strcmp(name + n - m, ending) == 0;
}

size_t scene_files(const char *folder, const char *ending)
{
    size_t n = 0;
    DIR *d = opendir(folder);
    assert_non_null(d);
    for (const struct dirent *e = readdir(d); e != NULL; e = readdir(d)) {
        n += e->d_name[0] != '.' && ends(e->d_name, ending) ? 1 : 0;
    }
    (void)closedir(d);
    return n;
}

void scene_remove(const char *folder)
{
    char path[512];
    DIR *d = opendir(folder);
    for (const struct dirent *e = d == NULL ? NULL : readdir(d); e != NULL; e = readdir(d)) {
        if (strcmp(e->d_name, ".") != 0 && strcmp(e->d_name, "..") != 0) {
            (void)snprintf(path, sizeof path, "%s/%s", folder, e->d_name);
            if (unlink(path) != 0) {
                scene_remove(path);
            }
        }
    }
    if (d != NULL) {
        (void)closedir(d);
    }
    (void)rmdir(folder);
}
