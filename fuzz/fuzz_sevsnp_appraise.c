/* SPDX-License-Identifier: Apache-2.0 */
/* fuzz_sevsnp_appraise.c: the whole appraisal of extended reports, signatures taken as good (stub_signature.c). A yes is never
 * given to what the policy does not name: root, measurement, report data and guest policy are looked at again, by other
 * means. */
#include "atls/verifier.h"
#include "base/text.h"
#include "snp_seed.h"

static const uint8_t bound[64] = {1};

typedef struct world {
    atls_arena arena;
    atls_arena work; /* of one appraisal */
    uint8_t measurement[48];
    atls_policy *policy;
    atls_verifier *verifier;
} world;

/* One policy for all rooms: their roots, and the measurement that they have in common. */
static void open_world(world *w)
{
    atls_bytes roots[3];
    atls_bytes report;
    sim_snp *rooms[3];
    char hex[97];
    char text[256];
    atls_error err = {0};
    FUZZ_ASSERT(atls_arena_new(&w->arena, (size_t)4 * 1024 * 1024, &err)
                && atls_arena_new(&w->work, (size_t)4 * 1024 * 1024, &err));
    for (size_t i = 0; i < 3; i++) {
        rooms[i] = fuzz_snp_room(i);
        roots[i] = sim_snp_certificate(rooms[i], "ark");
    }
    FUZZ_ASSERT(sim_snp_report(rooms[0], bound, &w->arena, &report, &err));
    memcpy(w->measurement, report.ptr + 0x90, sizeof w->measurement);
    atls_hex_encode(atls_bytes_of(w->measurement, sizeof w->measurement), hex);
    snprintf(text, sizeof text, "{\"type\":\"sev_snp\",\"measurement\":\"%s\"}", hex);
    FUZZ_ASSERT(atls_policy_parse_with_roots(atls_bytes_str(text), roots, 3, &w->policy, &err)
                && atls_verifier_new(w->policy, &w->verifier, &err));
    for (size_t i = 0; i < 3; i++) {
        sim_snp_free(rooms[i]);
    }
}

static void check(const world *w, const atls_result *r, const uint8_t *data)
{
    const atls_snp_report *b = &r->claims.sev_snp.report;
    FUZZ_ASSERT(r->verdict == ATLS_VERDICT_ACCEPTED && r->simulated_or_test_root && r->claims.sev_snp.present);
    FUZZ_ASSERT(memcmp(data + 0x50, bound, sizeof bound) == 0);
    FUZZ_ASSERT(memcmp(data + 0x90, w->measurement, sizeof w->measurement) == 0);
    FUZZ_ASSERT((data[0x0a] & 0x0e) == 0x02 && memcmp(data + 0x30, "\0\0\0\0\x01\0\0\0", 8) == 0);
    FUZZ_ASSERT(atls_bytes_is_zero(atls_bytes_of(data + 0x330, 368)));
    for (size_t i = 0; i < 8; i++) {
        FUZZ_ASSERT(data[0x180 + i] <= data[0x38 + i] && data[0x1e0 + i] <= data[0x38 + i]);
    }
    FUZZ_ASSERT(b->signing_key == (r->claims.sev_snp.is_vlek ? 1 : 0));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static world w; /* the policy is the same for every input, and making it costs more than judging by it */
    if (w.verifier == NULL) {
        open_world(&w);
    }
    atls_error err = {0};
    atls_result r;
    atls_appraisal in = {.evidence = atls_bytes_of(data, size), .event_log = atls_bytes_empty(), .now = SIM_NOW};
    in.binding = (atls_binding){.grade = ATLS_GRADE_REPORT_DATA, .profile = ""};
    memcpy(in.binding.value, bound, sizeof bound);
    if (atls_verifier_appraise(w.verifier, &in, &w.work, &r, &err)) {
        FUZZ_ASSERT(err.code == ATLS_OK);
        check(&w, &r, data);
    } else {
        FUZZ_ASSERT(r.verdict != ATLS_VERDICT_ACCEPTED && err.code != ATLS_OK && r.claims.platform == 0);
    }
    atls_arena_reset(&w.work);
    return 0;
}

size_t fuzz_seed(size_t index, uint8_t *out, size_t cap)
{
    return index < FUZZ_SNP_ROOMS ? fuzz_snp_extended(index, bound, out, cap) : 0;
}
