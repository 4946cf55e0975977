/* SPDX-License-Identifier: Apache-2.0 */
/* appraise.c: claims against the policy: step 9 of the specification's section 7; step 10 is appraise_tcb.c.
 *
 * Every comparison is made and listed; the first that fails is the error. What the policy does not ask for is listed as
 * skipped where silence could be taken for a check. */
#include <inttypes.h>
#include <string.h>

#include "base/text.h"
#include "proof.h"

#define MAX_SHOWN_REFERENCES 4u /* values that an "expected" lists; the rest is counted */
#define POLICY_KNOWN         UINT64_C(0x3ffffff)

/* ---- writing checks ---- */

void sevsnp_compare(sevsnp_judge *j, bool ok, const char *id, atls_code code, const char *field, const char *expected,
                    const char *actual, const char *why)
{
    if (!atls_trace_compare(j->trace, ok, id, code, field, expected, actual, why, j->err)) {
        j->ok = false;
    }
}

void sevsnp_skip(sevsnp_judge *j, const char *id, const char *field, const char *why)
{
    if (!atls_trace_skip(j->trace, id, field, why, j->err)) {
        j->ok = false;
    }
}

const char *sevsnp_text(sevsnp_judge *j, const char *text)
{
    if (text == NULL) {
        j->ok = false;
        return "";
    }
    return text;
}

const char *sevsnp_decimal(sevsnp_judge *j, const char *prefix, uint64_t value)
{
    return sevsnp_text(j, atls_text_format(j->arena, j->err, "%s%" PRIu64, prefix, value));
}

const char *sevsnp_bits(sevsnp_judge *j, const char *prefix, uint64_t value)
{
    return sevsnp_text(j, atls_text_format(j->arena, j->err, "%s%016" PRIx64, prefix, value));
}

static const char *hex(sevsnp_judge *j, const uint8_t *bytes, size_t n)
{
    return sevsnp_text(j, atls_hex_text(atls_bytes_of(bytes, n), j->arena, j->err));
}

static const char *finished(sevsnp_judge *j, atls_buf *b)
{
    atls_bytes text;
    atls_buf_put(b, atls_bytes_of("", 1));
    return atls_buf_done(b, &text) ? (const char *)text.ptr : sevsnp_text(j, NULL);
}

/* ---- the guest's own policy ---- */

static void judge_debug(sevsnp_judge *j)
{
    const char *field = "report.policy.debug";
    const bool debug = (j->claims->report.policy & ATLS_SNP_POLICY_DEBUG) != 0;
    if (j->policy->insecure_allow_debug) {
        sevsnp_skip(j, "sevsnp.debug", field, "insecure_allow_debug accepts a guest whose host can read its memory");
        return;
    }
    sevsnp_compare(j, !debug, "sevsnp.debug", ATLS_E_GUEST_POLICY, field, "0", debug ? "1" : "0",
                   "the guest can be debugged: its host can read its memory");
}

static void judge_migration_agent(sevsnp_judge *j)
{
    const char *field = "report.policy.migrate_ma";
    const bool agent = (j->claims->report.policy & ATLS_SNP_POLICY_MIGRATE_MA) != 0;
    if (j->policy->sev_snp.insecure_allow_migration_agent) {
        sevsnp_skip(j, "sevsnp.migration_agent", field,
                    "insecure_allow_migration_agent accepts a guest that an agent of unknown identity may move");
        return;
    }
    sevsnp_compare(j, !agent, "sevsnp.migration_agent", ATLS_E_GUEST_POLICY, field, "0", agent ? "1" : "0",
                   "a migration agent may move the guest, and nobody says which code that is");
}

/* Bits that a policy demands, and bits that it forbids, of one word. */
static void judge_bits(sevsnp_judge *j, const char *id, const char *field, uint64_t actual, uint64_t set,
                       uint64_t clear, const char *why)
{
    const bool ok = (actual & set) == set && (actual & clear) == 0;
    const char *expected =
        sevsnp_text(j, atls_text_format(j->arena, j->err, "all of %016" PRIx64 ", none of %016" PRIx64, set, clear));
    sevsnp_compare(j, ok, id, ATLS_E_GUEST_POLICY, field, expected, sevsnp_bits(j, "", actual), why);
}

static void judge_guest_policy(sevsnp_judge *j)
{
    const atls_sev_snp_policy *p = &j->policy->sev_snp;
    judge_bits(j, "sevsnp.guest_policy", "report.policy", j->claims->report.policy,
               p->policy_set | ATLS_SNP_POLICY_RESERVED_ONE, p->policy_clear | ~POLICY_KNOWN,
               "the guest was launched with another policy than is asked for, or with one that is not understood");
}

static void judge_platform_info(sevsnp_judge *j)
{
    const atls_sev_snp_policy *p = &j->policy->sev_snp;
    if ((p->platform_set | p->platform_clear) == 0) {
        sevsnp_skip(j, "sevsnp.platform_info", "report.platform_info",
                    "the policy asks nothing of the state of the machine (SMT, ECC, alias check, ciphertext hiding)");
        return;
    }
    judge_bits(j, "sevsnp.platform_info", "report.platform_info", j->claims->report.platform_info, p->platform_set,
               p->platform_clear, "the machine is in another state than is asked for");
}

static void judge_vmpl(sevsnp_judge *j)
{
    const uint32_t vmpl = j->claims->report.vmpl;
    const unsigned allowed = j->policy->sev_snp.vmpls == 0 ? 1u : j->policy->sev_snp.vmpls;
    atls_buf b;
    atls_buf_init(&b, j->arena, j->err);
    for (unsigned i = 0; i < 4; i++) {
        if ((allowed >> i & 1u) != 0) {
            atls_buf_format(&b, "%s%u", b.len == 0 ? "" : " or ", i);
        }
    }
    sevsnp_compare(j, vmpl < 4 && (allowed >> vmpl & 1u) != 0, "sevsnp.vmpl", ATLS_E_GUEST_POLICY, "report.vmpl",
                   finished(j, &b), sevsnp_decimal(j, "", vmpl),
                   "code of another privilege level asked for the report than the policy expects");
}

static void judge_mit_vector(sevsnp_judge *j, const char *id, const char *field, uint64_t mask, uint64_t actual)
{
    const bool there = j->claims->report.has_mit_vectors;
    if (mask == 0) {
        return;
    }
    sevsnp_compare(j, there && (actual & mask) == mask, id, ATLS_E_GUEST_POLICY, field, sevsnp_bits(j, "all of ", mask),
                   there ? sevsnp_bits(j, "", actual) : "absent",
                   there ? "a mitigation that the policy demands is not in force"
                         : "a report before version 5 does not say which mitigations are in force");
}

/* ---- which machine ---- */

static void judge_product(sevsnp_judge *j)
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
    sevsnp_compare(j, (allowed >> j->claims->product & 1u) != 0, "sevsnp.product_allowed", ATLS_E_MACHINE_NOT_ALLOWED,
                   "report.cpuid", finished(j, &b), atls_snp_product_name(j->claims->product), NULL);
}

static void judge_signing_key(sevsnp_judge *j)
{
    const unsigned allowed = j->policy->sev_snp.signing_keys;
    if (allowed == 0) {
        return;
    }
    const char *expected = allowed == 1u ? "vcek" : allowed == 2u ? "vlek" : "vcek or vlek";
    sevsnp_compare(j, (allowed >> (j->claims->is_vlek ? 1 : 0) & 1u) != 0, "sevsnp.signing_key",
                   ATLS_E_MACHINE_NOT_ALLOWED, "report.key_info.signing_key", expected,
                   j->claims->is_vlek ? "vlek" : "vcek", NULL);
}

static const char *reference_text(sevsnp_judge *j, const atls_reference *r)
{
    atls_buf b;
    atls_buf_init(&b, j->arena, j->err);
    for (size_t i = 0; i < r->n && i < MAX_SHOWN_REFERENCES; i++) {
        atls_buf_str(&b, i == 0 ? "" : ", ");
        atls_buf_str(&b, hex(j, r->values + i * r->width, r->width));
    }
    if (r->n > MAX_SHOWN_REFERENCES) {
        atls_buf_format(&b, " and %zu more", r->n - MAX_SHOWN_REFERENCES);
    }
    return finished(j, &b);
}

static void judge_machine(sevsnp_judge *j)
{
    static const char id[] = "sevsnp.machine";
    static const char field[] = "report.chip_id";
    const atls_sev_snp_claims *c = j->claims;
    const atls_reference *r = atls_policy_reference(j->policy, "machines");
    if (r == NULL) {
        sevsnp_skip(j, id, field,
                    "the policy names no machines: any genuine processor of this kind will do, wherever it stands");
        return;
    }
    sevsnp_compare(j, c->has_machine_id && atls_reference_matches(r, c->machine_id), id, ATLS_E_MACHINE_NOT_ALLOWED,
                   field, reference_text(j, r),
                   c->has_machine_id ? hex(j, c->machine_id, sizeof c->machine_id) : "absent",
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

static void judge_csp(sevsnp_judge *j)
{
    const atls_text_list *list = &j->policy->sev_snp.csp_ids;
    const atls_bytes csp = j->claims->csp_id;
    atls_buf b;
    if (list->n == 0) {
        return;
    }
    atls_buf_init(&b, j->arena, j->err);
    for (size_t i = 0; i < list->n && i < MAX_SHOWN_REFERENCES; i++) {
        atls_buf_format(&b, "%s%s", i == 0 ? "" : ", ", list->items[i]);
    }
    const char *actual =
        sevsnp_text(j, atls_text_format(j->arena, j->err, "%.*s", (int)csp.len, (const char *)csp.ptr));
    sevsnp_compare(j, j->claims->is_vlek && is_listed(list, csp), "sevsnp.csp_id", ATLS_E_MACHINE_NOT_ALLOWED,
                   "vlek.extensions.csp_id", finished(j, &b), j->claims->is_vlek ? actual : "absent",
                   j->claims->is_vlek ? NULL : "a VCEK says which machine signed, and not which cloud");
}

/* ---- which code ---- */

static void judge_reference(sevsnp_judge *j, const char *name, const char *id, const char *field, const uint8_t *value,
                            size_t width)
{
    const atls_reference *r = atls_policy_reference(j->policy, name);
    if (r != NULL) {
        sevsnp_compare(j, r->width == width && atls_reference_matches(r, value), id, ATLS_E_MEASUREMENT_MISMATCH, field,
                       reference_text(j, r), hex(j, value, width), NULL);
    }
}

#define JUDGE_MEASUREMENT(name, member, width)                                                                         \
    judge_reference(j, name, "sevsnp.measurement." name, "report." name, r->member, width);

/* Who signed the image: the ID key itself, or an author key that vouches for whatever ID key it signed. The firmware looked
 * at an author key only where AUTHOR_KEY_EN says so. */
static void judge_signer(sevsnp_judge *j)
{
    static const char id[] = "sevsnp.signer";
    const atls_snp_report *r = &j->claims->report;
    const atls_reference *ids = atls_policy_reference(j->policy, "id_key_digest");
    const atls_reference *authors = atls_policy_reference(j->policy, "author_key_digest");
    if (ids == NULL && authors == NULL) {
        return;
    }
    const bool by_author = authors != NULL && r->author_key_en && atls_reference_matches(authors, r->author_key_digest);
    const bool by_id = ids != NULL && atls_reference_matches(ids, r->id_key_digest);
    const bool about_id = ids != NULL;
    const bool no_author = !about_id && !r->author_key_en;
    sevsnp_compare(j, by_author || by_id, id, ATLS_E_MEASUREMENT_MISMATCH,
                   by_author || !about_id ? "report.author_key_digest" : "report.id_key_digest",
                   reference_text(j, by_author || !about_id ? authors : ids),
                   no_author                ? "absent"
                   : by_author || !about_id ? hex(j, r->author_key_digest, sizeof r->author_key_digest)
                                            : hex(j, r->id_key_digest, sizeof r->id_key_digest),
                   no_author ? "the report has no author key" : NULL);
}

static void judge_code(sevsnp_judge *j)
{
    const atls_snp_report *r = &j->claims->report;
    const atls_sev_snp_policy *p = &j->policy->sev_snp;
    ATLS_SNP_FIELDS(JUDGE_MEASUREMENT)
    judge_signer(j);
    if (p->has_min_guest_svn) {
        sevsnp_compare(j, r->guest_svn >= p->min_guest_svn, "sevsnp.min_guest_svn", ATLS_E_MEASUREMENT_MISMATCH,
                       "report.guest_svn", sevsnp_decimal(j, "at least ", p->min_guest_svn),
                       sevsnp_decimal(j, "", r->guest_svn), NULL);
    }
    if (!sevsnp_names_code(j->policy)) {
        sevsnp_skip(j, "sevsnp.measurements", "report.measurement",
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
    sevsnp_judge j = {
        .claims = &claims->sev_snp, .policy = policy, .arena = arena, .trace = trace, .err = err, .ok = true};
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
