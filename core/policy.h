/* SPDX-License-Identifier: Apache-2.0 */
/* policy.h (core): the parsed policy, so that a format can appraise without knowing the verifier or JSON.
 *
 * Made by verify/policy.c from a document; everything lives in the policy's own arena. Immutable. */
#ifndef ATLS_CORE_POLICY_H
#define ATLS_CORE_POLICY_H

#include "atls/arena.h"
#include "atls/policy.h"
#include "claims.h"
#include "pki/chain.h"
#include "policy_android.h"
#include "policy_apple.h"
#include "policy_enrolled.h"
#include "policy_nitro.h"
#include "policy_sev_snp.h"
#include "policy_tpm.h"

typedef enum atls_policy_type {
    ATLS_POLICY_DSTACK_TDX = 1,
    ATLS_POLICY_TDX,
    ATLS_POLICY_SGX,
    ATLS_POLICY_SEV_SNP,
    ATLS_POLICY_TPM,
    ATLS_POLICY_NITRO,
    ATLS_POLICY_ANDROID_KEY,
    ATLS_POLICY_APPLE_APP_ATTEST,
    ATLS_POLICY_ENROLLED_KEY,
    ATLS_POLICY_ANY_OF,
} atls_policy_type;

/* What is asked of revocation lists by kinds of evidence whose vendors do not insist on them. */
typedef enum atls_revocation {
    ATLS_REVOCATION_IF_AVAILABLE = 0, /* lists at hand are checked; without one the check is skipped, and listed */
    ATLS_REVOCATION_REQUIRE,
    ATLS_REVOCATION_OFF, /* insecure_off */
} atls_revocation;

/* Any-of list of reference values for one byte-string claim. */
typedef struct atls_reference {
    const char *name;      /* policy member, from the tables of claims.h */
    size_t width;          /* bytes of one value */
    const uint8_t *values; /* n values, one after the other */
    size_t n;              /* at least 1 */
} atls_reference;

/* Pins of the dstack event log (dstack R13). Empty: not asked for. */
typedef struct atls_dstack_policy {
    bool has_bootchain; /* mrtd, rtmr0, rtmr1, rtmr2 */
    uint8_t bootchain[4][48];
    bool has_compose_hash;
    uint8_t compose_hash[32];
    bool has_os_image_hash;
    uint8_t os_image_hash[32];
    bool disable_runtime_verification;
    bool insecure_skip_certificate_event; /* waives R6; only where another tie to the key exists */
    atls_bytes app_id;
    atls_bytes instance_id;
    atls_bytes key_provider_name; /* text */
    atls_bytes key_provider_id;   /* text */
    atls_bytes pccs_url;          /* kept for the fetcher; empty: Intel PCS */
    bool cache_collateral;
} atls_dstack_policy;

struct atls_policy {
    atls_policy_type type;
    const atls_anchor *anchors; /* replaces the vendor's root when the document has trusted_roots */
    size_t n_anchors;
    bool allowed_status[ATLS_N_TCB_STATUSES]; /* by atls_tcb_status; UNKNOWN and REVOKED always false */
    bool has_grace_period;
    int64_t grace_period_s;
    bool has_min_tcb_evaluation_data_number;
    uint32_t min_tcb_evaluation_data_number;
    bool has_accepted_advisories; /* every advisory that applies must be in this list */
    atls_text_list accepted_advisories;
    atls_text_list rejected_advisories; /* none of these may apply */
    const atls_reference *references;
    size_t n_references;
    bool has_isvprodid;
    uint16_t isvprodid;
    bool has_min_isvsvn;
    uint16_t min_isvsvn;
    bool has_min_tee_tcb_svn;
    uint8_t min_tee_tcb_svn[16];
    bool allow_sgx_quote_v4_v5;
    bool strict_cpusvn;     /* TCB components must equal the CPUSVN octets */
    bool require_event_log; /* tdx: an event log must come along and replay */
    bool attested_only;
    bool has_max_session_age; /* the document names it; else it is asked of atls/1 sessions only */
    uint32_t max_session_age_s;
    bool has_min_grade;   /* the document names it; then an appraisal without a binding fails, too */
    atls_grade min_grade; /* EXPORTER when absent: asked of sessions only, see docs/policy.md */
    /* what weakens */
    bool insecure_allow_debug;
    bool insecure_allow_no_sept_ve_disable;
    bool insecure_allow_service_td; /* MRSERVICETD other than zero without a reference value */
    bool has_insecure_td_attributes_mask;
    uint64_t insecure_td_attributes_mask; /* bits that may be set; DEBUG and bits 1 to 7 are not among them */
    atls_text_list insecure; /* names of the insecure_ members that are on, and of disable_runtime_verification */
    atls_dstack_policy dstack;
    atls_revocation revocation; /* sev_snp, tpm, nitro, enrolled_key */
    atls_sev_snp_policy sev_snp;
    atls_tpm_policy tpm;
    atls_nitro_policy nitro;
    atls_android_policy android;
    atls_apple_policy apple;
    atls_enrolled_policy enrolled;
    const struct atls_policy *hardware; /* tpm: what vouches for the key must satisfy this; NULL: not asked */
    const struct atls_policy *const *alternatives; /* any_of: one of these must be satisfied */
    size_t n_alternatives;                         /* 1 to ATLS_MAX_ALTERNATIVES there, else 0 */
    atls_arena arena;                              /* holds everything above */
    /* What it was made from, for recordings; of an outer policy only. In an arena of its own. */
    atls_bytes source; /* the document, as it was given */
    const atls_bytes *source_roots;
    size_t n_source_roots;
    atls_arena source_arena;
};

/* atls_policy_reference finds the reference values of a member, NULL when the policy has none. */
const atls_reference *atls_policy_reference(const atls_policy *p, const char *name);

/* atls_reference_matches tells whether value (r->width bytes) is one of the list. */
bool atls_reference_matches(const atls_reference *r, const uint8_t *value);

#endif
