/* SPDX-License-Identifier: Apache-2.0 */
/* sev_snp.h: what an AMD SEV-SNP report says.
 *
 * A report is a guest's, signed by the firmware of the processor it runs on, with a key of the chip (VCEK) or of the cloud
 * (VLEK). Names and layouts are those of AMD's firmware ABI (document 56860) and of the key distribution service (57230).
 * Plain data: byte strings are as in memory, numbers as numbers. */
#ifndef ATLS_SEV_SNP_H
#define ATLS_SEV_SNP_H

#include "bytes.h"
#include "time.h"

#ifdef __cplusplus
extern "C" {
#endif

/* Lines of processors, as AMD's key distribution service spells them. Each has a root key of its own and says how
 * TCB_VERSION is laid out. UNKNOWN is zero and is never accepted. */
#define ATLS_SNP_PRODUCT_LIST(X)                                                                                       \
    X(UNKNOWN, "")                                                                                                     \
    X(MILAN, "Milan")                                                                                                  \
    X(GENOA, "Genoa") /* and Bergamo, Siena */                                                                         \
    X(TURIN, "Turin")

typedef enum atls_snp_product {
#define X(name, text) ATLS_SNP_##name,
    ATLS_SNP_PRODUCT_LIST(X)
#undef X
        ATLS_SNP_N_PRODUCTS
} atls_snp_product;

/* TCB_VERSION: security version numbers of the firmware's parts. Compared part by part, never as one number. */
typedef struct atls_snp_tcb {
    uint8_t raw[8];     /* as in the report */
    bool has_fmc;       /* Turin: the next member is there; zero otherwise */
    uint8_t fmc;        /* firmware measurement code */
    uint8_t bootloader; /* of the security processor */
    uint8_t tee;        /* its operating system */
    uint8_t snp;        /* SNP firmware */
    uint8_t microcode;
} atls_snp_tcb;

typedef struct atls_snp_version {
    uint8_t major;
    uint8_t minor;
    uint8_t build;
} atls_snp_version;

/* Bits of POLICY, the guest's own, fixed at launch. 7:0 and 15:8 are the least ABI version, minor and major. */
#define ATLS_SNP_POLICY_SMT                (UINT64_C(1) << 16) /* allowed */
#define ATLS_SNP_POLICY_RESERVED_ONE       (UINT64_C(1) << 17) /* always set */
#define ATLS_SNP_POLICY_MIGRATE_MA         (UINT64_C(1) << 18) /* association with a migration agent is allowed */
#define ATLS_SNP_POLICY_DEBUG              (UINT64_C(1) << 19) /* the host may read the guest's memory */
#define ATLS_SNP_POLICY_SINGLE_SOCKET      (UINT64_C(1) << 20) /* required */
#define ATLS_SNP_POLICY_CXL                (UINT64_C(1) << 21) /* allowed */
#define ATLS_SNP_POLICY_MEM_AES_256_XTS    (UINT64_C(1) << 22) /* required */
#define ATLS_SNP_POLICY_RAPL_DIS           (UINT64_C(1) << 23) /* required */
#define ATLS_SNP_POLICY_CIPHERTEXT_HIDING  (UINT64_C(1) << 24) /* required */
#define ATLS_SNP_POLICY_PAGE_SWAP_DISABLED (UINT64_C(1) << 25) /* required */

/* Bits of PLATFORM_INFO, as the machine is now. */
#define ATLS_SNP_PLATFORM_SMT                  (UINT64_C(1) << 0)
#define ATLS_SNP_PLATFORM_TSME                 (UINT64_C(1) << 1)
#define ATLS_SNP_PLATFORM_ECC                  (UINT64_C(1) << 2)
#define ATLS_SNP_PLATFORM_RAPL_DIS             (UINT64_C(1) << 3)
#define ATLS_SNP_PLATFORM_CIPHERTEXT_HIDING    (UINT64_C(1) << 4)
#define ATLS_SNP_PLATFORM_ALIAS_CHECK_COMPLETE (UINT64_C(1) << 5) /* memory aliasing was looked for (BadRAM) */
#define ATLS_SNP_PLATFORM_TIO                  (UINT64_C(1) << 7)

/* The attestation report, 1184 bytes, versions 2 to 5 (56860, "Attestation Report"). */
typedef struct atls_snp_report {
    uint32_t version;
    uint32_t guest_svn;
    uint64_t policy;       /* ATLS_SNP_POLICY_ bits */
    uint8_t family_id[16]; /* of the ID block, zero without one */
    uint8_t image_id[16];
    uint32_t vmpl; /* privilege level that asked for the report, 0 (highest) to 3 */
    uint32_t signature_algo;
    uint64_t platform_info; /* ATLS_SNP_PLATFORM_ bits */
    bool author_key_en;     /* author_key_digest means something */
    bool mask_chip_key;
    uint8_t signing_key;     /* 0 VCEK, 1 VLEK, 7 none */
    uint8_t report_data[64]; /* what the guest gave: the binding */
    uint8_t measurement[48]; /* of the guest's memory and state at launch */
    uint8_t host_data[32];   /* what the host gave at launch */
    uint8_t id_key_digest[48];
    uint8_t author_key_digest[48];
    uint8_t report_id[32];    /* of the guest */
    uint8_t report_id_ma[32]; /* of its migration agent; all ff: none */
    bool has_cpuid;           /* version 3 and later: the next three are there; zero otherwise */
    uint8_t cpuid_family;     /* combined: 0x19, 0x1a */
    uint8_t cpuid_model;      /* combined */
    uint8_t cpuid_stepping;
    uint8_t chip_id[64];         /* zero: not shown; Turin: 8 bytes, then zeros */
    atls_snp_tcb current_tcb;    /* of the firmware that runs */
    atls_snp_tcb reported_tcb;   /* what the signing key is derived from; the host may set it lower than current */
    atls_snp_tcb committed_tcb;  /* below which the firmware cannot be rolled back */
    atls_snp_tcb launch_tcb;     /* current, when the guest was launched or imported */
    atls_snp_version current;    /* of the firmware that runs */
    atls_snp_version committed;  /* of the committed one */
    bool has_mit_vectors;        /* version 5: the next two are there; zero otherwise */
    uint64_t launch_mit_vector;  /* mitigations in force when the guest was launched */
    uint64_t current_mit_vector; /* and now */
} atls_snp_report;

typedef struct atls_sev_snp_claims {
    bool present; /* the members below are there */
    atls_snp_report report;
    atls_snp_product product;
    bool is_vlek;                  /* the cloud's key signed; otherwise the chip's */
    bool has_machine_id;           /* VCEK only: a VLEK says which cloud, not which machine */
    uint8_t machine_id[64];        /* hardware id of the VCEK certificate; CHIP_ID, where that is shown */
    atls_bytes csp_id;             /* VLEK only: the cloud, as AMD certified it ("CN=..."); empty otherwise. Borrowed */
    atls_bytes product_name;       /* of the VCEK or VLEK certificate: "Milan-B0", "Genoa". Printable ASCII, borrowed */
    bool revocation_checked;       /* a list of AMD's, valid at that time, does not have the intermediate or the root */
    atls_time earliest_expiration; /* of every certificate that was used, and of the list */
    size_t n_table_entries;        /* entries of the certificate table that came with the report */
} atls_sev_snp_claims;

/* atls_snp_product_name gives "Milan", "Genoa", "Turin"; "" for UNKNOWN. Static. */
const char *atls_snp_product_name(atls_snp_product product);

#ifdef __cplusplus
}
#endif
#endif
