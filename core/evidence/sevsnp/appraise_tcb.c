/* SPDX-License-Identifier: Apache-2.0 */
/* appraise_tcb.c: versions of the firmware (specification section 6, "TCB relations", and step 10 of section 7).
 *
 * A host cannot raise REPORTED above CURRENT, but it can lower it: a least REPORTED is about the key that signed, a least
 * CURRENT or COMMITTED about the firmware that runs. LAUNCH and COMMITTED have no fixed order to REPORTED. Parts are
 * compared one by one. */
#include <string.h>

#include "proof.h"

static const char *tcb_text(atls_judge *j, const atls_snp_tcb *t)
{
    const char *fmc =
        t->has_fmc ? atls_judge_text(j, atls_text_format(j->arena, j->err, "fmc %u, ", (unsigned)t->fmc)) : "";
    return atls_judge_text(j, atls_text_format(j->arena, j->err, "%sbootloader %u, tee %u, snp %u, microcode %u", fmc,
                                               (unsigned)t->bootloader, (unsigned)t->tee, (unsigned)t->snp,
                                               (unsigned)t->microcode));
}

static const char *least_text(atls_judge *j, const atls_snp_least_tcb *least)
{
    const char *text = "at least";
    for (size_t i = 0; i < ATLS_SNP_N_PARTS; i++) {
        if (least->least[i] > 0) {
            text = atls_judge_text(j, atls_text_format(j->arena, j->err, "%s %s %u", text, sevsnp_part_name(i),
                                                       (unsigned)least->least[i]));
        }
    }
    return text;
}

/* Every byte: the ones that are reserved are zero, which authenticate made sure of. */
static bool is_at_most(const atls_snp_tcb *low, const atls_snp_tcb *high)
{
    for (size_t i = 0; i < sizeof low->raw; i++) {
        if (low->raw[i] > high->raw[i]) {
            return false;
        }
    }
    return true;
}

static bool same_version(const atls_snp_version *a, const atls_snp_version *b)
{
    return a->major == b->major && a->minor == b->minor && a->build == b->build;
}

static const char *version_text(atls_judge *j, const atls_snp_version *v)
{
    return atls_judge_text(j, atls_text_format(j->arena, j->err, "%u.%u build %u", (unsigned)v->major,
                                               (unsigned)v->minor, (unsigned)v->build));
}

static void judge_order(atls_judge *j)
{
    const atls_snp_report *r = &j->claims->sev_snp.report;
    const char *current = tcb_text(j, &r->current_tcb);
    atls_judge_compare(j, is_at_most(&r->reported_tcb, &r->current_tcb), "sevsnp.reported_tcb", ATLS_E_TCB_TOO_LOW,
                       "report.reported_tcb",
                       atls_judge_text(j, atls_text_format(j->arena, j->err, "at most %s", current)),
                       tcb_text(j, &r->reported_tcb), "the report claims a higher TCB than the one that runs");
    atls_judge_compare(j, is_at_most(&r->committed_tcb, &r->current_tcb), "sevsnp.committed_tcb", ATLS_E_TCB_TOO_LOW,
                       "report.committed_tcb",
                       atls_judge_text(j, atls_text_format(j->arena, j->err, "at most %s", current)),
                       tcb_text(j, &r->committed_tcb), "the committed TCB is higher than the one that runs");
}

/* Provisional firmware runs, but may still be rolled back; every cloud has it. */
static void judge_strict(atls_judge *j)
{
    const atls_snp_report *r = &j->claims->sev_snp.report;
    if (!j->policy->sev_snp.require_committed_equals_current) {
        atls_judge_skip(j, "sevsnp.committed", "report.committed_tcb",
                        "the policy allows provisional firmware, which the host can still roll back");
        return;
    }
    const bool same_tcb = memcmp(r->committed_tcb.raw, r->current_tcb.raw, sizeof r->current_tcb.raw) == 0;
    if (!same_tcb) {
        atls_judge_compare(j, false, "sevsnp.committed", ATLS_E_TCB_TOO_LOW, "report.committed_tcb",
                           tcb_text(j, &r->current_tcb), tcb_text(j, &r->committed_tcb),
                           "the firmware that runs is provisional: the host can still roll it back");
        return;
    }
    atls_judge_compare(j, same_version(&r->committed, &r->current), "sevsnp.committed", ATLS_E_TCB_TOO_LOW,
                       "report.committed_version", version_text(j, &r->current), version_text(j, &r->committed),
                       "the firmware that runs is provisional: the host can still roll it back");
}

/* A part that the product does not have reaches no least value. */
static bool reaches(atls_snp_product product, const atls_snp_tcb *t, const atls_snp_least_tcb *least)
{
    for (size_t i = 0; i < ATLS_SNP_N_PARTS; i++) {
        const int offset = sevsnp_part_offset(product, i);
        const unsigned actual = offset < 0 ? 0 : t->raw[offset];
        if (actual < least->least[i]) {
            return false;
        }
    }
    return true;
}

static void judge_least(atls_judge *j, const char *id, const char *field, const atls_snp_least_tcb *least,
                        const atls_snp_tcb *t)
{
    if (least->given) {
        atls_judge_compare(j, reaches(j->claims->sev_snp.product, t, least), id, ATLS_E_TCB_TOO_LOW, field,
                           least_text(j, least), tcb_text(j, t),
                           "a part of the firmware is older than the policy allows");
    }
}

static void judge_leasts(atls_judge *j)
{
    const atls_snp_report *r = &j->claims->sev_snp.report;
    const atls_sev_snp_policy *p = &j->policy->sev_snp;
    if (!p->min_tcb.given && !p->min_current_tcb.given && !p->min_committed_tcb.given) {
        atls_judge_skip(j, "sevsnp.min_tcb", "report.reported_tcb",
                        "the policy names no least TCB: firmware with known holes is accepted");
    }
    judge_least(j, "sevsnp.min_tcb", "report.reported_tcb", &p->min_tcb, &r->reported_tcb);
    judge_least(j, "sevsnp.min_current_tcb", "report.current_tcb", &p->min_current_tcb, &r->current_tcb);
    judge_least(j, "sevsnp.min_committed_tcb", "report.committed_tcb", &p->min_committed_tcb, &r->committed_tcb);
    judge_least(j, "sevsnp.min_launch_tcb", "report.launch_tcb", &p->min_launch_tcb, &r->launch_tcb);
}

static void judge_versions(atls_judge *j)
{
    const atls_snp_version *v = &j->claims->sev_snp.report.current;
    const atls_sev_snp_policy *p = &j->policy->sev_snp;
    if (p->has_min_version) {
        const bool ok = v->major > p->min_major || (v->major == p->min_major && v->minor >= p->min_minor);
        const char *expected = atls_judge_text(
            j, atls_text_format(j->arena, j->err, "at least %u.%u", (unsigned)p->min_major, (unsigned)p->min_minor));
        atls_judge_compare(j, ok, "sevsnp.min_version", ATLS_E_TCB_TOO_LOW, "report.current_version", expected,
                           version_text(j, v), NULL);
    }
    if (p->has_min_build) {
        atls_judge_compare(j, v->build >= p->min_build, "sevsnp.min_build", ATLS_E_TCB_TOO_LOW,
                           "report.current_version", atls_judge_decimal(j, "at least build ", p->min_build),
                           version_text(j, v), NULL);
    }
}

void sevsnp_judge_tcb(atls_judge *j)
{
    judge_order(j);
    judge_strict(j);
    judge_leasts(j);
    judge_versions(j);
}
