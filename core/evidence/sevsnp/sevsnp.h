/* SPDX-License-Identifier: Apache-2.0 */
/* sevsnp.h: AMD SEV-SNP attestation reports, versions 2 to 5, and the certificate table of extended reports.
 *
 *   decode.c        evidence -> report and table            specification sections 1, 5
 *   table.c         the certificate table                   5
 *   product.c       products, layouts of TCB_VERSION         2
 *   leaf.c          the extensions of a VCEK or VLEK         3
 *   certificates.c  which certificates belong to a report; the chain and the revocation lists   3, 4
 *   authenticate.c  steps 1 to 7 of section 7, in its order
 *   appraise.c      steps 9 and 10: guest policy, platform, identities, measurements; appraise_tcb.c: minima
 *   request.c       what a fetcher must get (section 4);  inspect.c, claims_json.c, format.c
 *
 * Evidence is a report of 1184 bytes, or one with a certificate table directly after it. Nothing else: other framings
 * (Azure's vTPM blob) are the caller's to strip, for which there is sevsnp_azure_report.
 *
 * Not checked: that REPORT_DATA is fresh (verify/ compares it with the binding); the identity of a migration agent; that
 * the measured image is any good; AMD's advisories (a policy names the least TCB instead); VCEK revocation (AMD revokes
 * intermediates; a leaf is superseded by a higher TCB). */
#ifndef ATLS_EVIDENCE_SEVSNP_H
#define ATLS_EVIDENCE_SEVSNP_H

#include "evidence/format.h"
#include "pki/cert.h"

#define SEVSNP_REPORT_LEN        1184u
#define SEVSNP_SIGNED_LEN        0x2a0u
#define SEVSNP_MAX_EVIDENCE_LEN  (128u * 1024) /* kernels cap the table at 16 KiB */
#define SEVSNP_MAX_TABLE_ENTRIES 32u
#define SEVSNP_MAX_RESERVED      6u

#define SEVSNP_KEY_VCEK 0u
#define SEVSNP_KEY_VLEK 1u
#define SEVSNP_KEY_NONE 7u

/* A report as it was read: a rumour, until authenticate.c has seen its signature. */
typedef struct sevsnp_report {
    atls_bytes raw;         /* 1184 bytes */
    atls_bytes signed_span; /* its first 0x2a0 */
    atls_bytes r;           /* 72 bytes, little-endian */
    atls_bytes s;
    uint32_t key_info; /* all bits */
    struct sevsnp_reserved {
        const char *field;
        atls_bytes bytes;
    } reserved[SEVSNP_MAX_RESERVED]; /* must be zero */
    size_t n_reserved;
    atls_snp_report body; /* of TCB_VERSIONs only the raw bytes: their layout is the product's */
} sevsnp_report;

/* sevsnp_report_decode reads exactly 1184 bytes. Borrows in. Errors: EVIDENCE_FORMAT with the field ("report.version"),
 * marked unsupported for versions other than 2 to 5. Source: specification section 1. */
ATLS_MUST_USE bool sevsnp_report_decode(atls_bytes in, sevsnp_report *out, atls_error *err);

/* sevsnp_azure_report takes the report out of what Azure's vTPM holds at 0x01400001: 1184 bytes, the 20-byte header of the
 * runtime data, and perhaps those data. The header must be there, and what follows must be as long as it says, or absent.
 * *runtime_data is empty when absent. For callers that have to do with that blob; decode refuses it. Borrows in. Errors:
 * EVIDENCE_FORMAT. Source: specification of Constellation, Azure. */
ATLS_MUST_USE bool sevsnp_azure_report(atls_bytes in, atls_bytes *report, atls_bytes *runtime_data, atls_error *err);

/* ---- the certificate table ---- */

typedef enum sevsnp_table_kind {
    SEVSNP_TABLE_OTHER = 0, /* a GUID that is not known: its bounds are checked, its content is ignored */
    SEVSNP_TABLE_VCEK,
    SEVSNP_TABLE_VLEK,
    SEVSNP_TABLE_ASK, /* or ASVK */
    SEVSNP_TABLE_ARK,
    SEVSNP_TABLE_CRL,
} sevsnp_table_kind;

typedef struct sevsnp_table_entry {
    sevsnp_table_kind kind;
    atls_bytes guid; /* 16 bytes, in the order of the text */
    atls_bytes data; /* may be empty */
} sevsnp_table_entry;

typedef struct sevsnp_table {
    sevsnp_table_entry entries[SEVSNP_MAX_TABLE_ENTRIES];
    size_t n;
} sevsnp_table;

/* sevsnp_table_decode reads a certificate table; empty bytes are an empty table. Every entry must lie behind the header and
 * inside, and no GUID comes twice. Bytes that no entry covers are not looked at. Borrows in. Errors: EVIDENCE_FORMAT, field
 * "certificate_table...". Source: specification section 5. */
ATLS_MUST_USE bool sevsnp_table_decode(atls_bytes in, sevsnp_table *out, atls_error *err);

/* sevsnp_table_find gives the content of the entry of a kind, empty when there is none. */
atls_bytes sevsnp_table_find(const sevsnp_table *t, sevsnp_table_kind kind);

/* What decode hands out. */
typedef struct sevsnp_evidence {
    sevsnp_report report;
    sevsnp_table table;
} sevsnp_evidence;
ATLS_MUST_USE bool sevsnp_evidence_decode(atls_bytes in, sevsnp_evidence *out, atls_error *err);

/* ---- products ---- */

/* sevsnp_product_of_cpuid gives the product of a CPUID family and model, UNKNOWN when there is no root for it. */
atls_snp_product sevsnp_product_of_cpuid(uint8_t family, uint8_t model);
/* sevsnp_product_of_name reads "Milan", "Genoa", "Turin", exactly. */
atls_snp_product sevsnp_product_of_name(atls_bytes name);

/* Parts of TCB_VERSION, in the order in which they are shown. */
enum { SEVSNP_FMC, SEVSNP_BOOTLOADER, SEVSNP_TEE, SEVSNP_SNP, SEVSNP_MICROCODE, SEVSNP_N_PARTS };
/* sevsnp_part_name gives "fmc", "bootloader", "tee", "snp", "microcode". Static. */
const char *sevsnp_part_name(size_t part);
/* sevsnp_part_offset gives the byte of TCB_VERSION that holds a part, -1 when the product has no such part. */
int sevsnp_part_offset(atls_snp_product product, size_t part);
/* sevsnp_byte_name gives the name of the part in a byte of TCB_VERSION, "reserved" when none. Static. */
const char *sevsnp_byte_name(atls_snp_product product, size_t byte);
/* sevsnp_tcb_read fills the parts of tcb out of its raw bytes. */
void sevsnp_tcb_read(atls_snp_product product, atls_snp_tcb *tcb);

/* ---- VCEK and VLEK ---- */

typedef struct sevsnp_leaf {
    bool is_vlek;
    uint8_t struct_version;
    atls_bytes product_name; /* printable ASCII */
    uint8_t tcb[8];          /* laid out as the product's TCB_VERSION; reserved SPLs in the bytes that are reserved */
    uint8_t hwid[64];        /* VCEK; a shorter one is filled up with zeros */
    atls_bytes csp_id;       /* VLEK; printable ASCII */
} sevsnp_leaf;

/* sevsnp_leaf_decode reads AMD's extensions of a leaf. Which kind it is says its common name; layout and length of the
 * hardware id follow the product. Errors: CERTIFICATE_CHAIN, field "vcek.extensions.snp_spl" or "vlek...." .
 * Source: specification section 3; AMD 57230 chapter 3. */
ATLS_MUST_USE bool sevsnp_leaf_decode(const atls_cert *cert, atls_snp_product product, sevsnp_leaf *out,
                                      atls_error *err);

/* The room's row in the registry. Static. What its decode hands out is a sevsnp_evidence. */
const atls_format *sevsnp_format(void);

#endif
