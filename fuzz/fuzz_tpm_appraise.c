/* SPDX-License-Identifier: Apache-2.0 */
/* fuzz_tpm_appraise.c: the whole appraisal of TPM evidence, signatures taken as good (stub_signature.c). A yes is never given to
 * what the policy does not name: registers, extraData and the key's attributes are looked at again, by other means. */
#include <string.h>

#include "evidence/tpm/tpm.h"
#include "fuzz.h"
#include "sim/sim_tpm.h"

static const uint8_t bound[32] = {1};

typedef struct world {
    sim_tpm *machine;
    atls_arena arena;
    atls_arena work; /* of one appraisal */
    atls_bytes policy_text;
    atls_policy *policy;
    atls_verifier *verifier;
} world;

static void open_world(world *w, const char *const *settings)
{
    atls_error err = {0};
    const sim_tpm_options options = {.settings = settings};
    FUZZ_ASSERT(atls_arena_new(&w->arena, ATLS_ARENA_DEFAULT_SIZE, &err)
                && atls_arena_new(&w->work, ATLS_ARENA_DEFAULT_SIZE, &err) && sim_tpm_new(&options, &w->machine, &err)
                && sim_tpm_policy(w->machine, "", &w->arena, &w->policy_text, &err)
                && atls_policy_parse(w->policy_text, &w->policy, &err)
                && atls_verifier_new(w->policy, &w->verifier, &err));
}

static void close_world(world *w)
{
    atls_verifier_free(w->verifier);
    atls_policy_free(w->policy);
    sim_tpm_free(w->machine);
    atls_arena_free(&w->work);
    atls_arena_free(&w->arena);
}

/* An input is one document. */
static void check_yes(const world *w, const atls_result *r)
{
    static const size_t indices[] = {0, 4, 7};
    const atls_tpm_claims *c = &r->claims.tpm;
    FUZZ_ASSERT(r->verdict == ATLS_VERDICT_ACCEPTED && c->present && c->trust == ATLS_TPM_TRUST_CERTIFICATE);
    FUZZ_ASSERT(strcmp(c->bank, "sha256") == 0 && c->has_bank);
    for (size_t i = 0; i < sizeof indices / sizeof indices[0]; i++) {
        FUZZ_ASSERT(atls_bytes_equal(c->pcr[indices[i]], sim_tpm_pcr(w->machine, "sha256", indices[i])));
    }
    FUZZ_ASSERT((c->ak_attributes & 0x00070002) == 0x00050002);
    if (strcmp(c->form, "constellation") != 0) {
        FUZZ_ASSERT(r->claims.report_data_len == 32 && memcmp(r->claims.report_data, bound, 32) == 0);
    }
    FUZZ_ASSERT(!c->gce.present || c->gce.is_production);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static world w; /* the policy is the same for every input, and making it costs more than judging by it */
    static const char *const settings[] = {"ak.type=p256", NULL};
    if (w.verifier == NULL) {
        open_world(&w, settings);
    }
    atls_error err = {0};
    atls_result r;
    atls_appraisal in = {.evidence = atls_bytes_of(data, size),
                         .event_log = atls_bytes_empty(),
                         .now = SIM_NOW,
                         .endorse = sim_tpm_endorse,
                         .endorse_ctx = w.machine};
    in.binding = (atls_binding){.grade = ATLS_GRADE_REPORT_DATA, .profile = "", .value_len = sizeof bound};
    memcpy(in.binding.value, bound, sizeof bound);
    if (atls_verifier_appraise(w.verifier, &in, &w.work, &r, &err)) {
        FUZZ_ASSERT(err.code == ATLS_OK);
        check_yes(&w, &r);
    } else {
        FUZZ_ASSERT(r.verdict != ATLS_VERDICT_ACCEPTED && err.code != ATLS_OK && r.claims.platform == 0);
    }
    atls_arena_reset(&w.work);
    return 0;
}

size_t fuzz_seed(size_t index, uint8_t *out, size_t cap)
{
    static const char *const settings[2][4] = {{"ak.type=p256", NULL},
                                               {"ak.type=p256", "log=none", "quotes=sha256", NULL}};
    world w = {0};
    atls_error err = {0};
    atls_bytes text;
    if (index >= 8) {
        return 0;
    }
    open_world(&w, settings[index / 4]);
    FUZZ_ASSERT(sim_tpm_document(w.machine, (sim_tpm_form)(index % 4 + 1), atls_bytes_of(bound, sizeof bound), &w.arena,
                                 &text, &err)
                && text.len <= cap);
    memcpy(out, text.ptr, text.len);
    const size_t n = text.len;
    close_world(&w);
    return n;
}
