/* SPDX-License-Identifier: Apache-2.0 */
#include "world.h"

#include "again.h"
#include "pki/signature.h"

#define ARENA_SIZE ((size_t)64 * 1024 * 1024)

static void must(bool ok, const atls_error *err)
{
    if (!ok) {
        char line[640];
        (void)atls_error_line(err, line, sizeof line);
        fail_msg("%s", line);
    }
}

static void sha256(atls_bytes in, uint8_t out[32])
{
    atls_crypto *c = NULL;
    atls_error err = {0};
    must(atls_crypto_new(&c, &err) && atls_digest(c, ATLS_SHA256, &in, 1, out, &err), &err);
    atls_crypto_free(c);
}

static void bind(world *w)
{
    uint8_t nonce[32];
    uint8_t ekm[32];
    memset(nonce, 0x11, sizeof nonce);
    memset(ekm, 0x22, sizeof ekm);
    w->in.binding.grade = ATLS_GRADE_EXPORTER;
    w->in.binding.profile = "dstack";
    must(atls_dstack_report_data(nonce, ekm, w->in.binding.value, &w->err), &w->err);
}

static void measure_leaf(world *w)
{
    sim_tls tls;
    must(sim_tls_identity(w->room, "server.example", &w->arena, &tls, &w->err), &w->err);
    must(sim_measure_certificate(w->room, tls.leaf_der, &w->err), &w->err);
    sha256(tls.leaf_der, w->in.binding.leaf_sha256);
    w->in.binding.has_leaf_sha256 = true;
}

void world_open(world *w, sim_kind kind, const char *const *settings, const char *type)
{
    atls_bytes policy;
    const sim_options options = {.kind = kind, .settings = settings};
    memset(w, 0, sizeof *w);
    must(atls_arena_new(&w->arena, ARENA_SIZE, &w->err), &w->err);
    must(sim_new(&options, &w->room, &w->err), &w->err);
    bind(w);
    w->in.event_log = atls_bytes_empty();
    if (kind != SIM_SGX_V3) {
        measure_leaf(w);
        must(sim_event_log(w->room, &w->arena, &w->in.event_log, &w->err), &w->err);
    }
    must(sim_quote(w->room, w->in.binding.value, &w->arena, &w->in.evidence, &w->err), &w->err);
    must(sim_policy(w->room, type, &w->arena, &policy, &w->err), &w->err);
    w->policy = calloc(1, policy.len + 4096);
    assert_non_null(w->policy);
    memcpy(w->policy, policy.ptr, policy.len);
    w->in.now = sim_now(w->room);
    w->in.endorse = sim_endorse;
    w->in.endorse_ctx = w->room;
}

void world_more(world *w, const char *members)
{
    char *end = strrchr(w->policy, '}');
    assert_non_null(end);
    assert_true(strlen(members) < 4000);
    (void)snprintf(end, 4096, "%s}", members);
}

void world_spoil(world *w, const char *member)
{
    char name[80];
    (void)snprintf(name, sizeof name, "\"%s\":", member);
    char *at = strstr(w->policy, name);
    assert_non_null(at);
    char *open = strchr(at + strlen(name), '"');
    assert_non_null(open);
    char *close = strchr(open + 1, '"');
    assert_non_null(close);
    close[-1] = close[-1] == '0' ? '1' : '0';
}

void world_appraise(world *w)
{
    must(atls_policy_parse(atls_bytes_str(w->policy), &w->parsed, &w->err), &w->err);
    must(atls_verifier_new(w->parsed, &w->verifier, &w->err), &w->err);
    assert_ptr_equal(atls_verifier_policy(w->verifier), w->parsed);
    w->accepted = again_appraise(w->verifier, &w->in, &w->arena, &w->result, &w->err);
}

const atls_check *world_check(const world *w, const char *id)
{
    for (size_t i = 0; i < w->result.n_checks; i++) {
        if (strcmp(w->result.checks[i].id, id) == 0) {
            return &w->result.checks[i];
        }
    }
    return NULL;
}

void world_other_value(world *w)
{
    w->in.binding.value[63] ^= 1;
}

void world_other_leaf(world *w)
{
    w->in.binding.leaf_sha256[31] ^= 1;
}

void world_no_binding(world *w)
{
    memset(&w->in.binding, 0, sizeof w->in.binding);
}

size_t world_failures(const world *w)
{
    size_t n = 0;
    for (size_t i = 0; i < w->result.n_checks; i++) {
        n += w->result.checks[i].verdict == ATLS_CHECK_FAIL ? 1 : 0;
    }
    return n;
}

/* ---- docs/checks.md names every check ------------------------------------------------------------------------------- */

static char checks_page[64 * 1024]; /* empty when the tests do not run in the source folder */

static void load_checks_page(void)
{
    if (checks_page[0] != '\0') {
        return;
    }
    FILE *f = fopen("docs/checks.md", "rb");
    if (f != NULL) {
        checks_page[fread(checks_page, 1, sizeof checks_page - 1, f)] = '\0';
        (void)fclose(f);
    }
}

static bool is_on_page(const char *name, size_t len, const char *rest)
{
    char quoted[128];
    (void)snprintf(quoted, sizeof quoted, "`%.*s%s`", (int)len, name, rest);
    return strstr(checks_page, quoted) != NULL;
}

/* An id stands on the page as it is, or by what comes before its last dot or the first underscore after that. */
void world_assert_documented(const char *id)
{
    load_checks_page();
    const char *dot = strrchr(id, '.');
    const char *underscore = dot == NULL ? NULL : strchr(dot, '_');
    const bool found = is_on_page(id, strlen(id), "") || (dot != NULL && is_on_page(id, (size_t)(dot + 1 - id), "*"))
                       || (underscore != NULL && is_on_page(id, (size_t)(underscore + 1 - id), "*"));
    if (!found && checks_page[0] != '\0') {
        fail_msg("docs/checks.md does not know %s", id);
    }
}

static atls_verdict verdict_for(const atls_error *err)
{
    return err->code == ATLS_OK                      ? ATLS_VERDICT_ACCEPTED
           : err->category == ATLS_CATEGORY_INTERNAL ? ATLS_VERDICT_UNDECIDED
                                                     : ATLS_VERDICT_REJECTED;
}

static bool is_zero(const void *p, size_t n)
{
    return atls_bytes_is_zero(atls_bytes_of(p, n));
}

/* What must hold of every result, whatever the verdict. */
void world_assert_consistent(const world *w)
{
    assert_int_equal(w->accepted, w->err.code == ATLS_OK);
    assert_int_equal(w->result.verdict, verdict_for(&w->err));
    assert_true(w->result.time == w->in.now);
    assert_non_null(w->result.profile);
    for (size_t i = 0; i < w->result.n_checks; i++) {
        world_assert_documented(w->result.checks[i].id);
    }
    if (w->accepted) {
        assert_int_equal(world_failures(w), 0);
        assert_int_equal(w->result.grade, w->in.binding.grade);
        assert_int_equal(w->result.insecure, atls_policy_insecure(w->parsed).n > 0);
        assert_true(w->result.simulated_or_test_root);
        return;
    }
    assert_true(is_zero(&w->result.claims, sizeof w->result.claims));
    assert_int_equal(w->result.grade, ATLS_GRADE_NONE);
    assert_false(w->result.runtime_verified);
    assert_int_not_equal(w->err.message[0], '\0');
    assert_int_not_equal(w->err.platform, ATLS_PLATFORM_NONE);
}

void world_close(world *w)
{
    atls_verifier_free(w->verifier);
    atls_policy_free(w->parsed);
    sim_free(w->room);
    atls_arena_free(&w->arena);
    free(w->policy);
    memset(w, 0, sizeof *w);
}
