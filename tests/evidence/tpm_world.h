/* SPDX-License-Identifier: Apache-2.0 */
/* tpm_world.h: one simulated machine, its document in one form, and the whole verifier over it. */
#ifndef ATLS_TESTS_TPM_WORLD_H
#define ATLS_TESTS_TPM_WORLD_H

#include "atls/atls.h"
#include "base/text.h"
#include "memo.h"
#include "sim/sim_tpm.h"
#include "tap.h"
#include "verify/again.h"

#define TPM_WORLD_ARENA ((size_t)32 * 1024 * 1024)

typedef struct tpm_world {
    sim_tpm *machine;
    atls_arena arena;
    atls_error err;
    uint8_t value[32];
    atls_bytes document;
    atls_bytes policy_text;
    atls_policy *policy;
    atls_verifier *verifier;
    atls_appraisal in;
    atls_result result;
} tpm_world;

static inline void tpm_world_must(tpm_world *w, bool ok)
{
    if (!ok) {
        char line[512];
        (void)atls_error_line(&w->err, line, sizeof line);
        fail_msg("%s", line);
    }
}

/* The document of a machine with these settings, and a policy that accepts it, with `more` in it. */
static inline void tpm_world_open(tpm_world *w, const char *const *settings, sim_tpm_form form, const char *more)
{
    const sim_tpm_options options = {.settings = settings, .memo = shared_memo()};
    *w = (tpm_world){.err = {.code = ATLS_OK}};
    memset(w->value, 0x42, sizeof w->value);
    tpm_world_must(w,
                   atls_arena_new(&w->arena, TPM_WORLD_ARENA, &w->err) && sim_tpm_new(&options, &w->machine, &w->err));
    tpm_world_must(w, sim_tpm_document(w->machine, form, atls_bytes_of(w->value, sizeof w->value), &w->arena,
                                       &w->document, &w->err)
                          && sim_tpm_policy(w->machine, more, &w->arena, &w->policy_text, &w->err));
    tpm_world_must(w, atls_policy_parse(w->policy_text, &w->policy, &w->err)
                          && atls_verifier_new(w->policy, &w->verifier, &w->err));
    w->in = (atls_appraisal){.evidence = w->document,
                             .event_log = atls_bytes_empty(),
                             .binding = {.grade = ATLS_GRADE_REPORT_DATA, .profile = "", .value_len = 32},
                             .now = SIM_NOW,
                             .endorse = sim_tpm_endorse,
                             .endorse_ctx = w->machine};
    memcpy(w->in.binding.value, w->value, sizeof w->value);
}

static inline bool tpm_world_appraise(tpm_world *w)
{
    atls_error_clear(&w->err);
    return again_appraise(w->verifier, &w->in, &w->arena, &w->result, &w->err);
}

/* docs/checks.md knows an id as it is, or by what comes before its last dot (where the tests run in the source folder). */
static inline void tpm_world_documented(const char *id)
{
    static char page[64 * 1024];
    char quoted[128];
    const char *dot = strrchr(id, '.');
    FILE *f = page[0] == '\0' ? fopen("docs/checks.md", "rb") : NULL;
    if (f != NULL) {
        page[fread(page, 1, sizeof page - 1, f)] = '\0';
        (void)fclose(f);
    }
    if (page[0] == '\0' || strncmp(id, "tpm.", 4) != 0) {
        return;
    }
    (void)snprintf(quoted, sizeof quoted, "`%s`", id);
    bool found = strstr(page, quoted) != NULL;
    (void)snprintf(quoted, sizeof quoted, "`%.*s.*`", (int)(dot - id), id);
    if (!found && strstr(page, quoted) == NULL) {
        fail_msg("docs/checks.md does not know %s", id);
    }
}

static inline void tpm_world_expect(tpm_world *w, bool ok, const char *code, const char *field)
{
    char line[512];
    (void)atls_error_line(&w->err, line, sizeof line);
    if (ok != (strcmp(code, "OK") == 0) || strcmp(atls_code_name(w->err.code), code) != 0
        || strcmp(w->err.field, field) != 0) {
        fail_msg("wanted %s %s, got %s", code, field, line);
    }
    for (size_t i = 0; i < w->result.n_checks; i++) {
        tpm_world_documented(w->result.checks[i].id);
    }
}

static inline const atls_check *tpm_world_check(const tpm_world *w, const char *id)
{
    for (size_t i = 0; i < w->result.n_checks; i++) {
        if (strcmp(w->result.checks[i].id, id) == 0) {
            return &w->result.checks[i];
        }
    }
    return NULL;
}

static inline void tpm_world_close(tpm_world *w)
{
    atls_verifier_free(w->verifier);
    atls_policy_free(w->policy);
    sim_tpm_free(w->machine);
    atls_arena_free(&w->arena);
}

#endif
