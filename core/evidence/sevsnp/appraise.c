/* SPDX-License-Identifier: Apache-2.0 */
/* appraise.c: claims against the policy: step 9 of the specification's section 7; step 10 is appraise_tcb.c.
 *
 * Every comparison is made and listed; the first that fails is the error. What the policy does not ask for is listed as
 * skipped where silence could be taken for a check. */
#include <inttypes.h>

#include "proof.h"

#define POLICY_KNOWN UINT64_C(0x3ffffff)

/* 16 hex digits, with words before it. */
static const char *bits_text(atls_judge *j, const char *prefix, uint64_t value)
{
    return atls_judge_text(j, atls_text_format(j->arena, j->err, "%s%016" PRIx64, prefix, value));
}

/* ---- the guest's own policy ---- */

static void judge_debug(atls_judge *j)
{
    const char *field = "report.policy.debug";
    const bool debug = (j->claims->sev_snp.report.policy & ATLS_SNP_POLICY_DEBUG) != 0;
    if (j->policy->insecure_allow_debug) {
        atls_judge_skip(j, "sevsnp.debug", field,
                        "insecure_allow_debug accepts a guest whose host can read its memory");
        return;
    }
    atls_judge_compare(j, !debug, "sevsnp.debug", ATLS_E_GUEST_POLICY, field, "0", debug ? "1" : "0",
                       "the guest can be debugged: its host can read its memory");
}

static void judge_migration_agent(atls_judge *j)
{
    const char *field = "report.policy.migrate_ma";
    const bool agent = (j->claims->sev_snp.report.policy & ATLS_SNP_POLICY_MIGRATE_MA) != 0;
    if (j->policy->sev_snp.insecure_allow_migration_agent) {
        atls_judge_skip(j, "sevsnp.migration_agent", field,
                        "insecure_allow_migration_agent accepts a guest that an agent of unknown identity may move");
        return;
    }
    atls_judge_compare(j, !agent, "sevsnp.migration_agent", ATLS_E_GUEST_POLICY, field, "0", agent ? "1" : "0",
                       "a migration agent may move the guest, and nobody says which code that is");
}

/* Bits that a policy demands, and bits that it forbids, of one word. */
static void judge_bits(atls_judge *j, const char *id, const char *field, uint64_t actual, uint64_t set, uint64_t clear,
                       const char *why)
{
    const bool ok = (actual & set) == set && (actual & clear) == 0;
    const char *expected = atls_judge_text(
        j, atls_text_format(j->arena, j->err, "all of %016" PRIx64 ", none of %016" PRIx64, set, clear));
    atls_judge_compare(j, ok, id, ATLS_E_GUEST_POLICY, field, expected, bits_text(j, "", actual), why);
}

static void judge_guest_policy(atls_judge *j)
{
    const atls_sev_snp_policy *p = &j->policy->sev_snp;
    judge_bits(j, "sevsnp.guest_policy", "report.policy", j->claims->sev_snp.report.policy,
               p->policy_set | ATLS_SNP_POLICY_RESERVED_ONE, p->policy_clear | ~POLICY_KNOWN,
               "the guest was launched with another policy than is asked for, or with one that is not understood");
}

static void judge_platform_info(atls_judge *j)
{
    const atls_sev_snp_policy *p = &j->policy->sev_snp;
    if ((p->platform_set | p->platform_clear) == 0) {
        atls_judge_skip(
            j, "sevsnp.platform_info", "report.platform_info",
            "the policy asks nothing of the state of the machine (SMT, ECC, alias check, ciphertext hiding)");
        return;
    }
    judge_bits(j, "sevsnp.platform_info", "report.platform_info", j->claims->sev_snp.report.platform_info,
               p->platform_set, p->platform_clear, "the machine is in another state than is asked for");
}

static void judge_vmpl(atls_judge *j)
{
    const uint32_t vmpl = j->claims->sev_snp.report.vmpl;
    const unsigned allowed = j->policy->sev_snp.vmpls == 0 ? 1u : j->policy->sev_snp.vmpls;
    atls_buf b;
    atls_buf_init(&b, j->arena, j->err);
    for (unsigned i = 0; i < 4; i++) {
        if ((allowed >> i & 1u) != 0) {
            atls_buf_format(&b, "%s%u", b.len == 0 ? "" : " or ", i);
        }
    }
    atls_judge_compare(j, vmpl < 4 && (allowed >> vmpl & 1u) != 0, "sevsnp.vmpl", ATLS_E_GUEST_POLICY, "report.vmpl",
                       atls_judge_written(j, &b), atls_judge_decimal(j, "", vmpl),
                       "code of another privilege level asked for the report than the policy expects");
}

static void judge_mit_vector(atls_judge *j, const char *id, const char *field, uint64_t mask, uint64_t actual)
{
    const bool there = j->claims->sev_snp.report.has_mit_vectors;
    if (mask == 0) {
        return;
    }
    atls_judge_compare(j, there && (actual & mask) == mask, id, ATLS_E_GUEST_POLICY, field,
                       bits_text(j, "all of ", mask), there ? bits_text(j, "", actual) : "absent",
                       there ? "a mitigation that the policy demands is not in force"
                             : "a report before version 5 does not say which mitigations are in force");
}

/* ---- which machine ---- */

static void judge_product(atls_judge *j)
{
    const unsigned allowed = j->policy->sev_snp.products;
    atls_buf b;
    if (allowed == 0) {
        return;
    }
    atls_buf_init(&b, j->arena, j->err);
    for (unsigned i = 0; i < ATLS_SNP_N_PRODUCTS; i++) {
        if ((allowed >> i & 1u) != 0) {
            atls_buf_format(&b, "%s%s", b.len == 0 ? "" : " or ", atls_snp_product_name((atls_snp_product)i));
        }
    }
    atls_judge_compare(j, (allowed >> j->claims->sev_snp.product & 1u) != 0, "sevsnp.product_allowed",
                       ATLS_E_MACHINE_NOT_ALLOWED, "report.cpuid", atls_judge_written(j, &b),
                       atls_snp_product_name(j->claims->sev_snp.product), NULL);
}

static void judge_signing_key(atls_judge *j)
{
    const unsigned allowed = j->policy->sev_snp.signing_keys;
    if (allowed == 0) {
        return;
    }
    const char *expected = allowed == 1u ? "vcek" : allowed == 2u ? "vlek" : "vcek or vlek";
    atls_judge_compare(j, (allowed >> (j->claims->sev_snp.is_vlek ? 1 : 0) & 1u) != 0, "sevsnp.signing_key",
                       ATLS_E_MACHINE_NOT_ALLOWED, "report.key_info.signing_key", expected,
                       j->claims->sev_snp.is_vlek ? "vlek" : "vcek", NULL);
}

static void judge_machine(atls_judge *j)
{
    static const char id[] = "sevsnp.machine";
    static const char field[] = "report.chip_id";
    const atls_sev_snp_claims *c = &j->claims->sev_snp;
    const atls_reference *r = atls_policy_reference(j->policy, "machines");
    if (r == NULL) {
        atls_judge_skip(j, id, field,
                        "the policy names no machines: any genuine processor of this kind will do, wherever it stands");
        return;
    }
    atls_judge_compare(j, c->has_machine_id && atls_reference_matches(r, c->machine_id), id, ATLS_E_MACHINE_NOT_ALLOWED,
                       field, atls_judge_values(j, r->values, r->n, r->width),
                       c->has_machine_id ? atls_judge_hex(j, c->machine_id, sizeof c->machine_id) : "absent",
                       c->has_machine_id ? NULL : "a VLEK says which cloud signed, and not which machine");
}

static bool is_listed(const atls_text_list *list, atls_bytes text)
{
    for (size_t i = 0; i < list->n; i++) {
        if (atls_bytes_equal_str(text, list->items[i])) {
            return true;
        }
    }
    return false;
}

static void judge_csp(atls_judge *j)
{
    const atls_text_list *list = &j->policy->sev_snp.csp_ids;
    const atls_bytes csp = j->claims->sev_snp.csp_id;
    atls_buf b;
    if (list->n == 0) {
        return;
    }
    atls_buf_init(&b, j->arena, j->err);
    for (size_t i = 0; i < list->n && i < ATLS_MAX_SHOWN_REFERENCES; i++) {
        atls_buf_format(&b, "%s%s", i == 0 ? "" : ", ", list->items[i]);
    }
    const char *actual =
        atls_judge_text(j, atls_text_format(j->arena, j->err, "%.*s", (int)csp.len, (const char *)csp.ptr));
    atls_judge_compare(j, j->claims->sev_snp.is_vlek && is_listed(list, csp), "sevsnp.csp_id",
                       ATLS_E_MACHINE_NOT_ALLOWED, "vlek.extensions.csp_id", atls_judge_written(j, &b),
                       j->claims->sev_snp.is_vlek ? actual : "absent",
                       j->claims->sev_snp.is_vlek ? NULL : "a VCEK says which machine signed, and not which cloud");
}

/* ---- which code ---- */

#define JUDGE_MEASUREMENT(name, member, width)                                                                         \
    atls_judge_reference(j, name, "sevsnp.measurement." name, ATLS_E_MEASUREMENT_MISMATCH, "report." name, r->member,  \
                         width);

/* Who signed the image: the ID key itself, or an author key that vouches for whatever ID key it signed. The firmware looked
 * at an author key only where AUTHOR_KEY_EN says so. */
static void judge_signer(atls_judge *j)
{
    static const char id[] = "sevsnp.signer";
    const atls_snp_report *r = &j->claims->sev_snp.report;
    const atls_reference *ids = atls_policy_reference(j->policy, "id_key_digest");
    const atls_reference *authors = atls_policy_reference(j->policy, "author_key_digest");
    if (ids == NULL && authors == NULL) {
        return;
    }
    const bool by_author = authors != NULL && r->author_key_en && atls_reference_matches(authors, r->author_key_digest);
    const bool by_id = ids != NULL && atls_reference_matches(ids, r->id_key_digest);
    const bool about_id = ids != NULL;
    const bool no_author = !about_id && !r->author_key_en;
    const atls_reference *shown = by_author || !about_id ? authors : ids;
    atls_judge_compare(j, by_author || by_id, id, ATLS_E_MEASUREMENT_MISMATCH,
                       by_author || !about_id ? "report.author_key_digest" : "report.id_key_digest",
                       atls_judge_values(j, shown->values, shown->n, shown->width),
                       no_author                ? "absent"
                       : by_author || !about_id ? atls_judge_hex(j, r->author_key_digest, sizeof r->author_key_digest)
                                                : atls_judge_hex(j, r->id_key_digest, sizeof r->id_key_digest),
                       no_author ? "the report has no author key" : NULL);
}

static void judge_code(atls_judge *j)
{
    const atls_snp_report *r = &j->claims->sev_snp.report;
    const atls_sev_snp_policy *p = &j->policy->sev_snp;
    ATLS_SNP_FIELDS(JUDGE_MEASUREMENT)
    judge_signer(j);
    if (p->has_min_guest_svn) {
        atls_judge_compare(j, r->guest_svn >= p->min_guest_svn, "sevsnp.min_guest_svn", ATLS_E_MEASUREMENT_MISMATCH,
                           "report.guest_svn", atls_judge_decimal(j, "at least ", p->min_guest_svn),
                           atls_judge_decimal(j, "", r->guest_svn), NULL);
    }
    if (!sevsnp_names_code(j->policy)) {
        atls_judge_skip(j, "sevsnp.measurements", "report.measurement",
                        "the policy names neither a measurement nor a signer: any code on this hardware is accepted");
    }
}

bool sevsnp_names_code(const atls_policy *policy)
{
    return atls_policy_reference(policy, "measurement") != NULL
           || atls_policy_reference(policy, "id_key_digest") != NULL
           || atls_policy_reference(policy, "author_key_digest") != NULL;
}

bool sevsnp_appraise(const atls_claims *claims, const atls_policy *policy, atls_time now, atls_arena *arena,
                     atls_trace *trace, atls_error *err)
{
    const atls_snp_report *r = &claims->sev_snp.report;
    const atls_sev_snp_policy *p = &policy->sev_snp;
    atls_judge j = {.claims = claims, .policy = policy, .arena = arena, .trace = trace, .err = err, .ok = true};
    (void)now;
    judge_debug(&j);
    judge_migration_agent(&j);
    judge_guest_policy(&j);
    judge_vmpl(&j);
    judge_platform_info(&j);
    judge_mit_vector(&j, "sevsnp.launch_mit_vector", "report.launch_mit_vector", p->launch_mit_vector,
                     r->launch_mit_vector);
    judge_mit_vector(&j, "sevsnp.current_mit_vector", "report.current_mit_vector", p->current_mit_vector,
                     r->current_mit_vector);
    judge_product(&j);
    judge_signing_key(&j);
    judge_machine(&j);
    judge_csp(&j);
    sevsnp_judge_tcb(&j);
    judge_code(&j);
    return j.ok;
}
