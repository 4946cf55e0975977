/* SPDX-License-Identifier: Apache-2.0 */
/* result.h: what an appraisal says.
 *
 * A result is a verdict, the claims that were authenticated, and the list of every check that was made, skipped or did
 * not apply. The verdict starts as NONE and becomes ACCEPTED in one statement at the end of core/verify/verify.c.
 * On any other verdict the claims are zero; the list of checks is kept, because a no explains itself.
 *
 * Ownership: slices point into the arena of the appraisal or into the caller's evidence; both must outlive the result.
 * All hex in JSON is lower case. Names are the vendor's (Intel DCAP, TDX module specification, TCG). */
#ifndef ATLS_RESULT_H
#define ATLS_RESULT_H

#include "android.h"
#include "apple.h"
#include "arena.h"
#include "bytes.h"
#include "enrolled_key.h"
#include "error.h"
#include "nitro.h"
#include "sev_snp.h"
#include "time.h"
#include "tpm.h"

#ifdef __cplusplus
extern "C" {
#endif

#define ATLS_RESULT_SCHEMA 1

typedef enum atls_verdict {
    ATLS_VERDICT_NONE = 0,  /* no appraisal has ended with a decision */
    ATLS_VERDICT_ACCEPTED,  /* every check ran that the policy asks for, and passed */
    ATLS_VERDICT_REJECTED,  /* at least one check failed */
    ATLS_VERDICT_UNDECIDED, /* could not find out (endorsements missing, I/O): neither proceed nor conclude */
} atls_verdict;

/* Grade of the binding between evidence and session, weakest first, so that >= compares. */
#define ATLS_GRADE_LIST(X)                                                                                             \
    X(NONE, "none")               /* not bound to anything: says nothing about now or about whom you talk to */        \
    X(REPORT_DATA, "report_data") /* the caller's own value, compared in full */                                       \
    X(KEY, "key")                 /* public key only */                                                                \
    X(KEY_FRESH, "key_fresh")     /* public key and nonce */                                                           \
    X(EXPORTER, "exporter")       /* TLS exporter and nonce */                                                         \
    X(SESSION, "session")         /* exporter, nonce, role and leaf keys */

typedef enum atls_grade {
#define X(name, text) ATLS_GRADE_##name,
    ATLS_GRADE_LIST(X)
#undef X
} atls_grade;

/* TCB status, in Intel's spelling. UNKNOWN is zero and is never accepted. */
#define ATLS_TCB_STATUS_LIST(X)                                                                                        \
    X(UNKNOWN, "Unknown")                                                                                              \
    X(UP_TO_DATE, "UpToDate")                                                                                          \
    X(SW_HARDENING_NEEDED, "SWHardeningNeeded")                                                                        \
    X(CONFIGURATION_NEEDED, "ConfigurationNeeded")                                                                     \
    X(CONFIGURATION_AND_SW_HARDENING_NEEDED, "ConfigurationAndSWHardeningNeeded")                                      \
    X(OUT_OF_DATE, "OutOfDate")                                                                                        \
    X(OUT_OF_DATE_CONFIGURATION_NEEDED, "OutOfDateConfigurationNeeded")                                                \
    X(TD_RELAUNCH_ADVISED, "TDRelaunchAdvised")                                                                        \
    X(TD_RELAUNCH_ADVISED_CONFIGURATION_NEEDED, "TDRelaunchAdvisedConfigurationNeeded")                                \
    X(REVOKED, "Revoked")

typedef enum atls_tcb_status {
#define X(name, text) ATLS_TCB_##name,
    ATLS_TCB_STATUS_LIST(X)
#undef X
        ATLS_N_TCB_STATUSES
} atls_tcb_status;

/* One check. Strings are static, in the arena, or empty; never NULL. */
typedef enum atls_check_verdict {
    ATLS_CHECK_PASS = 1,
    ATLS_CHECK_FAIL,
    ATLS_CHECK_SKIPPED,        /* the policy or the caller left it out: `why` says who and what that means */
    ATLS_CHECK_NOT_APPLICABLE, /* this kind of evidence has no such thing */
} atls_check_verdict;

typedef struct atls_check {
    const char *id; /* "dcap.quote_signature": stable, listed in docs/checks.md */
    atls_check_verdict verdict;
    atls_code code;       /* the code of a failed check, ATLS_OK otherwise */
    const char *field;    /* the specification's field; of a failed check the error's */
    const char *expected; /* public data only */
    const char *actual;
    const char *why; /* of fail, skipped, not_applicable: a sentence */
} atls_check;

typedef struct atls_text_list {
    const char *const *items;
    size_t n;
} atls_text_list;

/* The 384-byte SGX report body, of an enclave or of the quoting enclave. Arrays are bytes as in memory. */
typedef struct atls_sgx_report {
    uint8_t cpusvn[16];
    uint8_t miscselect[4];
    uint8_t attributes[16]; /* flags 8, xfrm 8 */
    uint8_t mrenclave[32];
    uint8_t mrsigner[32];
    uint16_t isvprodid;
    uint16_t isvsvn;
    uint8_t reportdata[64];
} atls_sgx_report;

/* The TD report body, 584 bytes (1.0) or 648 (1.5). */
typedef struct atls_td_report {
    uint8_t tee_tcb_svn[16];
    uint8_t mrseam[48];
    uint8_t mrsignerseam[48];
    uint8_t seamattributes[8];
    uint8_t tdattributes[8];
    uint8_t xfam[8];
    uint8_t mrtd[48];
    uint8_t mrconfigid[48];
    uint8_t mrowner[48];
    uint8_t mrownerconfig[48];
    uint8_t rtmr[4][48];
    uint8_t reportdata[64];
    bool is_15;               /* the two members below are there */
    uint8_t tee_tcb_svn2[16]; /* SVNs of the module loaded now; tee_tcb_svn is of the module at TD launch */
    uint8_t mrservicetd[48];
} atls_td_report;

/* TCB as DCAP sees it; specs: Intel SGX and TDX DCAP, TCB recovery. */
typedef struct atls_tcb {
    atls_tcb_status status;   /* the converged one, which the policy judges */
    atls_tcb_status platform; /* of the platform's TCB level (TDX: the level that meets SGX and TDX components) */
    atls_tcb_status sgx;      /* TDX: of the level that meets the SGX components; SGX: same as platform */
    atls_tcb_status module;   /* TDX module; UNKNOWN: none (module version 0, or SGX) */
    atls_tcb_status qe;       /* quoting enclave */
    atls_time date;           /* effective: the earliest of the three that is not UpToDate, else the platform's */
    atls_time platform_date;
    atls_time module_date; /* ATLS_TIME_UNSET: none */
    atls_time qe_date;
    atls_text_list advisories; /* platform, module, QE, in that order, without repeats */
    atls_text_list platform_advisories;
    atls_text_list module_advisories;
    atls_text_list qe_advisories;
    uint32_t evaluation_data_number; /* the lower of the next two */
    uint32_t tcb_info_evaluation_data_number;
    uint32_t qe_identity_evaluation_data_number;
} atls_tcb;

typedef struct atls_dcap_claims {
    uint16_t quote_version;
    uint8_t qe_vendor_id[16];
    uint8_t user_data[20];
    bool is_tdx;
    atls_td_report td;   /* is_tdx */
    atls_sgx_report sgx; /* not is_tdx */
    atls_sgx_report qe;  /* the quoting enclave */
    uint16_t certification_data_type;
    size_t qe_auth_data_len;
    size_t trailing_len; /* unsigned bytes after the quote */
    /* from the PCK certificate */
    uint8_t ppid[16];
    uint8_t fmspc[6];
    uint8_t pceid[2];
    uint8_t cpusvn[16];   /* raw, as certified */
    uint8_t tcb_comp[16]; /* SGX TCB component SVNs, which TCB levels are compared with */
    uint16_t pcesvn;
    uint8_t sgx_type;       /* 0 standard, 1 scalable, 2 scalable with integrity */
    bool has_platform_info; /* Platform CA: the four below are there */
    uint8_t platform_instance_id[16];
    bool dynamic_platform;
    bool cached_keys;
    bool smt_enabled;
    atls_bytes pck_serial; /* unsigned big-endian, no leading zeros */
    const char *pck_ca;    /* issuer CN */
    char tdx_module_id[8]; /* "TDX_01"; empty: module version 0, or SGX */
    atls_tcb tcb;
    atls_time earliest_issue;      /* over TCB info, QE identity and both CRLs */
    atls_time latest_issue;        /* same */
    atls_time earliest_expiration; /* same, and every certificate that was used */
    uint8_t root_key_id[48]; /* SHA-384 of the root's public key, 65-byte uncompressed point without its first byte */
    uint8_t root_sha256[32]; /* of the root certificate's DER */
} atls_dcap_claims;

/* One entry of an event log that replays to the quote. */
typedef struct atls_event {
    uint32_t imr; /* RTMR index 0 to 3 */
    uint32_t type;
    uint32_t version; /* digest form of dstack runtime events: 1 or 2 */
    uint8_t digest[48];
    atls_bytes name;    /* UTF-8; only runtime events' names carry authority */
    atls_bytes payload; /* decoded; same */
} atls_event;

typedef struct atls_eventlog_claims {
    bool present;
    bool is_ccel;             /* raw TCG log, no runtime events */
    const atls_event *events; /* in log order */
    size_t n_events;
    atls_bytes app_id; /* of dstack, from before the first system-ready; empty: no such event */
    atls_bytes compose_hash;
    atls_bytes instance_id;
    atls_bytes os_image_hash;
    atls_bytes key_provider; /* JSON text */
    atls_bytes certificate;  /* payload of the last New TLS Certificate event after system-ready: 64 lower-case hex
                              * digits when the guest is honest; empty: no such event */
    bool system_ready;       /* there is a system-ready event; without one the five counts stay zero */
    uint8_t n_app_id;        /* how often each stands before the first system-ready (255: or more); the value above is
                              * set only when it stands there once */
    uint8_t n_compose_hash;
    uint8_t n_instance_id;
    uint8_t n_os_image_hash;
    uint8_t n_key_provider;
} atls_eventlog_claims;

typedef struct atls_claims {
    atls_platform platform;
    uint8_t report_data[64]; /* the evidence's own field that a binding is compared with */
    size_t report_data_len;
    const char *report_data_field; /* its name, "quote.body.reportdata"; static */
    bool is_bound; /* rooms that compare the binding themselves (phones): it is there, and is what was asked for */
    bool is_session_signed;      /* same, in a session of atls/1: the attested key signed the session as well */
    uint8_t root_sha256[32];     /* of the DER of the root that vouched; zero when none did */
    bool root_is_production;     /* it is a vendor's production root */
    atls_dcap_claims dcap;       /* platform TDX or SGX */
    atls_sev_snp_claims sev_snp; /* each of these: where its `present` is true */
    atls_tpm_claims tpm;
    atls_nitro_claims nitro;
    atls_android_claims android;
    atls_apple_claims apple;
    atls_enrolled_claims enrolled;
    atls_eventlog_claims log;
} atls_claims;

typedef struct atls_result {
    atls_verdict verdict;
    atls_grade grade;            /* what was obtained; NONE unless a binding was given and matched */
    const char *profile;         /* "dstack", "" for an offline appraisal */
    bool runtime_verified;       /* measurements of the code were compared with reference values */
    bool insecure;               /* the policy holds at least one insecure_ member: each is a skipped check */
    bool simulated_or_test_root; /* the root that vouched is not a vendor's production root */
    bool attested_only;          /* no ordinary server identity was checked; set by the TLS layer */
    atls_time time;              /* the time of the appraisal, as given */
    atls_claims claims;          /* zero unless accepted */
    const atls_check *checks;    /* always there, in the order they were made */
    size_t n_checks;
} atls_result;

const char *atls_verdict_name(atls_verdict v);             /* "accepted", "rejected", "undecided", "none" */
const char *atls_grade_name(atls_grade g);                 /* "exporter" */
const char *atls_tcb_status_name(atls_tcb_status s);       /* "UpToDate" */
const char *atls_check_verdict_name(atls_check_verdict v); /* "pass", "fail", "skipped", "not_applicable" */

/* atls_tcb_status_parse reads Intel's spelling, exactly. UNKNOWN when it is none (and for "Unknown"). */
atls_tcb_status atls_tcb_status_parse(atls_bytes text);
/* atls_grade_parse reads a grade's name; false when it is none. */
ATLS_MUST_USE bool atls_grade_parse(atls_bytes text, atls_grade *out);

/* atls_result_json writes the one JSON object of --json (schema in docs/json.md): schema, verdict, platform, profile,
 * grade, time, tcb, claims, checks, error. err_of_result is the error of a result that is not accepted, NULL or OK
 * otherwise. Every byte is printable ASCII or valid UTF-8. *out is in the arena. Errors: MEMORY. */
ATLS_MUST_USE bool atls_result_json(const atls_result *r, const atls_error *err_of_result, atls_arena *arena,
                                    atls_bytes *out, atls_error *err);

#ifdef __cplusplus
}
#endif
#endif
