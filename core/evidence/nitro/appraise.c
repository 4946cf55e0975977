/* SPDX-License-Identifier: Apache-2.0 */
/* appraise.c: claims against the policy: steps 7 to 9 of the specification's section 6.
 *
 * Every comparison is made and listed; the first that fails is the error. Registers of a document of the other kind are not
 * compared at all: the same number means something else there. */
#include "judge.h"
#include "nitro.h"

/* ---- time ---- */

static const char timestamp_field[] = "document.payload.timestamp";

static uint32_t max_age(const atls_nitro_policy *p)
{
    return p->max_age_s == 0 ? ATLS_NITRO_DEFAULT_MAX_AGE_S : p->max_age_s;
}

static void judge_age(atls_judge *j)
{
    const char *id = "nitro.age";
    const atls_time made = (atls_time)(j->claims->nitro.timestamp_ms / 1000);
    const atls_time latest = j->now + ATLS_NITRO_SKEW_S;
    const atls_time earliest = j->now - (atls_time)max_age(&j->policy->nitro);
    if (j->claims->nitro.historic) {
        atls_judge_skip(
            j, id, timestamp_field,
            "insecure_historic judges the document at the time that it states itself: it may be of any age, and its "
            "certificates may have expired since");
        return;
    }
    if (made > latest) {
        atls_judge_compare(j, false, id, ATLS_E_EVIDENCE_AGE, timestamp_field, atls_judge_date(j, "not after ", latest),
                           atls_judge_date(j, "", made), "the document is from the future");
        return;
    }
    atls_judge_compare(j, made >= earliest, id, ATLS_E_EVIDENCE_AGE, timestamp_field,
                       atls_judge_date(j, "not before ", earliest), atls_judge_date(j, "", made),
                       "the document is too old");
}

/* ---- kind ---- */

static const char *kind_name(bool is_nitrotpm)
{
    return is_nitrotpm ? "nitrotpm" : "enclave";
}

static bool judge_kind(atls_judge *j)
{
    const bool same = j->claims->nitro.is_nitrotpm == j->policy->nitro.wants_nitrotpm;
    atls_judge_compare(j, same, "nitro.document", ATLS_E_TEE_TYPE_MISMATCH,
                       j->claims->nitro.is_nitrotpm ? "document.payload.nitrotpm_pcrs" : "document.payload.pcrs",
                       kind_name(j->policy->nitro.wants_nitrotpm), kind_name(j->claims->nitro.is_nitrotpm),
                       "the document is of another kind than the policy is about");
    return same;
}

/* ---- registers ---- */

static bool has_pcr(const atls_nitro_claims *c, size_t i)
{
    return (c->pcrs >> i & 1u) != 0;
}

static bool is_zero_pcr(const atls_nitro_claims *c, size_t i)
{
    return atls_bytes_is_zero(atls_bytes_of(c->pcr[i], ATLS_NITRO_PCR_SIZE));
}

static const char *pcr_field(atls_judge *j, size_t i)
{
    return atls_judge_text(j, atls_text_format(j->arena, j->err, "document.payload.%s[%zu]",
                                               j->claims->nitro.is_nitrotpm ? "nitrotpm_pcrs" : "pcrs", i));
}

static const char *pcr_text(atls_judge *j, size_t i)
{
    return has_pcr(&j->claims->nitro, i) ? atls_judge_hex(j, j->claims->nitro.pcr[i], ATLS_NITRO_PCR_SIZE) : "absent";
}

/* In debug mode the hypervisor leaves the measurements of the image at zero; signature and chain are perfect. */
static void judge_debug(atls_judge *j)
{
    const char *id = "nitro.debug";
    size_t i = 0;
    if (j->claims->nitro.is_nitrotpm) {
        atls_judge_na(j, id, "document.payload.nitrotpm_pcrs", "an instance with a NitroTPM has no debug mode");
        return;
    }
    if (j->policy->insecure_allow_debug) {
        atls_judge_skip(
            j, id, "document.payload.pcrs[0]",
            "insecure_allow_debug accepts an enclave that was not measured, and whose parent reads its console");
        return;
    }
    while (i < 2 && !is_zero_pcr(&j->claims->nitro, i)) {
        i++;
    }
    atls_judge_compare(j, !j->claims->nitro.is_debug, id, ATLS_E_GUEST_POLICY, pcr_field(j, i), "not zero",
                       pcr_text(j, i),
                       "the enclave runs in debug mode: its image was not measured, and its parent reads its console");
}

static const char *values_text(atls_judge *j, const atls_nitro_values *v, size_t width)
{
    return atls_judge_values(j, v->values, v->n, width);
}

static bool is_listed(const atls_nitro_values *v, size_t width, const uint8_t *value)
{
    for (size_t i = 0; i < v->n; i++) {
        if (atls_bytes_equal(atls_bytes_of(v->values + i * width, width), atls_bytes_of(value, width))) {
            return true;
        }
    }
    return false;
}

static void judge_pcr(atls_judge *j, const char *id, atls_code code, size_t i, const atls_nitro_values *v,
                      const char *why)
{
    if (v->n == 0) {
        return;
    }
    const bool ok = has_pcr(&j->claims->nitro, i) && is_listed(v, ATLS_NITRO_PCR_SIZE, j->claims->nitro.pcr[i]);
    atls_judge_compare(j, ok, id, code, pcr_field(j, i), values_text(j, v, ATLS_NITRO_PCR_SIZE), pcr_text(j, i), why);
}

static void judge_pcrs(atls_judge *j)
{
    const atls_nitro_policy *p = &j->policy->nitro;
    for (size_t i = 0; i < ATLS_NITRO_PCRS; i++) {
        if (p->pcr[i].n > 0) {
            const char *id = atls_judge_text(j, atls_text_format(j->arena, j->err, "nitro.pcr%zu", i));
            judge_pcr(j, id, ATLS_E_MEASUREMENT_MISMATCH, i, &p->pcr[i], NULL);
        }
    }
    judge_pcr(j, "nitro.signing_certificate", ATLS_E_MEASUREMENT_MISMATCH, 8, &p->signing_certificate,
              "the image is not signed under any of these certificates");
    judge_pcr(j, "nitro.role_arn", ATLS_E_MACHINE_NOT_ALLOWED, 3, &p->role_arn,
              "the parent instance has none of these IAM roles");
    judge_pcr(j, "nitro.instance_id", ATLS_E_MACHINE_NOT_ALLOWED, 4, &p->instance_id,
              "the parent is none of these instances");
}

/* ---- names ---- */

static void judge_text(atls_judge *j, const char *id, const char *field, const atls_nitro_texts *t, atls_bytes actual)
{
    bool ok = false;
    atls_buf b;
    if (t->n == 0) {
        return;
    }
    for (size_t i = 0; i < t->n; i++) {
        ok = ok || atls_bytes_equal(t->items[i], actual);
    }
    atls_buf_init(&b, j->arena, j->err);
    atls_buf_put(&b, actual.len > 0 ? actual : atls_bytes_str("not known"));
    atls_judge_compare(j, ok, id, ATLS_E_MACHINE_NOT_ALLOWED, field, atls_judge_texts(j, t->items, t->n),
                       atls_judge_written(j, &b), NULL);
}

static void judge_names(atls_judge *j)
{
    const atls_nitro_policy *p = &j->policy->nitro;
    judge_text(j, "nitro.module_id", "document.payload.module_id", &p->module_id, j->claims->nitro.module_id);
    judge_text(j, "nitro.region", "document.payload.cabundle", &p->region, j->claims->nitro.region);
    const bool by_register = !p->wants_nitrotpm && p->pcr[3].n + p->pcr[4].n + p->role_arn.n + p->instance_id.n > 0;
    if (!by_register && p->module_id.n == 0) {
        atls_judge_skip(j, "nitro.machine", "document.payload.module_id",
                        "the policy names no instance, role or module: anybody's instance will do, wherever it stands");
    }
}

/* ---- values that the enclave was given ---- */

static const char *optional_text(atls_judge *j, const atls_nitro_optional *o)
{
    return o->present ? atls_judge_hex(j, o->value.ptr, o->value.len) : "absent";
}

static void judge_nonce(atls_judge *j)
{
    const atls_nitro_optional *nonce = &j->claims->nitro.nonce;
    if (!j->policy->nitro.has_nonce) {
        return;
    }
    atls_judge_compare(j, nonce->present && atls_bytes_equal(nonce->value, j->policy->nitro.nonce), "nitro.nonce",
                       ATLS_E_REPORT_DATA_MISMATCH, "document.payload.nonce",
                       atls_judge_hex(j, j->policy->nitro.nonce.ptr, j->policy->nitro.nonce.len),
                       optional_text(j, nonce), NULL);
}

static void judge_public_key(atls_judge *j)
{
    const atls_nitro_values *v = &j->policy->nitro.public_key_sha256;
    const uint8_t *hash = j->claims->nitro.public_key_sha256;
    if (v->n == 0) {
        return;
    }
    const bool present = j->claims->nitro.public_key.present;
    atls_judge_compare(j, present && is_listed(v, 32, hash), "nitro.public_key", ATLS_E_REPORT_DATA_MISMATCH,
                       "document.payload.public_key", values_text(j, v, 32),
                       present ? atls_judge_hex(j, hash, 32) : "absent", NULL);
}

/* ---- which code ---- */

/* A register of zeros names nothing: that is how it looks where nothing was measured. */
static bool names_value(const atls_nitro_values *v)
{
    bool any_zero = false;
    for (size_t i = 0; i < v->n; i++) {
        any_zero =
            any_zero || atls_bytes_is_zero(atls_bytes_of(v->values + i * ATLS_NITRO_PCR_SIZE, ATLS_NITRO_PCR_SIZE));
    }
    return v->n > 0 && !any_zero;
}

/* One image, or one boot binary that brings everything else with it. */
static bool names_image(const atls_nitro_policy *p)
{
    if (p->wants_nitrotpm) {
        return names_value(&p->pcr[4]);
    }
    return names_value(&p->pcr[0]) || (names_value(&p->pcr[1]) && names_value(&p->pcr[2]));
}

/* Whoever holds a key: the image's signer, or the owner of the instance's secure boot database. */
static bool names_signer(const atls_nitro_policy *p)
{
    if (p->wants_nitrotpm) {
        return names_value(&p->pcr[7]);
    }
    return names_value(&p->pcr[8]) || names_value(&p->signing_certificate);
}

bool nitro_names_code(const atls_policy *policy)
{
    return names_image(&policy->nitro) || names_signer(&policy->nitro);
}

static void judge_breadth(atls_judge *j)
{
    if (!names_image(&j->policy->nitro) && names_signer(&j->policy->nitro)) {
        atls_judge_skip(
            j, "nitro.image", pcr_field(j, j->policy->nitro.wants_nitrotpm ? 4 : 0),
            "the policy names a signer and no image: every image that it ever signs is accepted, old ones too");
    }
}

bool nitro_appraise(const atls_claims *claims, const atls_policy *policy, atls_time now, atls_arena *arena,
                    atls_trace *trace, atls_error *err)
{
    atls_judge j = {
        .claims = claims,
        .policy = policy,
        .now = now,
        .arena = arena,
        .trace = trace,
        .err = err,
        .ok = true,
    };
    judge_age(&j);
    judge_nonce(&j);
    judge_public_key(&j);
    if (!judge_kind(&j)) {
        return false;
    }
    judge_debug(&j);
    judge_pcrs(&j);
    judge_names(&j);
    judge_breadth(&j);
    return j.ok;
}
