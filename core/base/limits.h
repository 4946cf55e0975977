/* SPDX-License-Identifier: Apache-2.0 */
/* limits.h: every bound on what input may ask of us, each with its reason. All lengths in bytes. */
#ifndef ATLS_BASE_LIMITS_H
#define ATLS_BASE_LIMITS_H

/* clang-format off */
#define ATLS_MAX_QUOTE_LEN (128u * 1024)              /* real quotes are 4 to 8 KiB; kernels pad buffers */
#define ATLS_MAX_CERTIFICATION_DATA_LEN (32u * 1024)  /* a PEM chain of three is under 4 KiB */
#define ATLS_MAX_QE_AUTH_LEN 4096u                    /* production: 32 */
#define ATLS_MAX_PEM_CERTS 8u                         /* in one text; DCAP chains have two or three */
#define ATLS_MAX_CERT_LEN (16u * 1024)                /* one DER certificate; phones with many extensions reach 5 KiB */
#define ATLS_MAX_SHOWN_CERT_LEN (1024u * 1024)        /* to be looked at only; those that carry vTPM logs reach 80 KiB */
#define ATLS_MAX_CERT_EXTENSIONS 32u                  /* PCK leaves have 6 */
#define ATLS_MAX_SIGNED_JSON_LEN (1024u * 1024)       /* TCB info of many levels is 30 KiB */
#define ATLS_MAX_CRL_LEN (8u * 1024 * 1024)           /* Intel's are 3 KiB */
#define ATLS_MAX_BUNDLE_LEN (24u * 1024 * 1024)       /* two CRLs in hex and the rest */
#define ATLS_MAX_TCB_LEVELS 256u
#define ATLS_MAX_ADVISORIES 64u                       /* per level */
#define ATLS_MAX_MODULE_IDENTITIES 256u               /* version is one byte */
#define ATLS_MAX_JSON_DEPTH 16u
#define ATLS_MAX_JSON_MEMBERS 1024u                   /* per object: bounds the search for duplicates */
#define ATLS_MAX_JSON_NODES (256u * 1024)             /* bounds memory: 20 MiB of nodes */
#define ATLS_MAX_CBOR_DEPTH 16u
#define ATLS_MAX_DER_DEPTH 16u
#define ATLS_MAX_POLICY_LEN (1024u * 1024)
#define ATLS_MAX_POLICY_LIST 1024u                    /* entries of one list */
#define ATLS_MAX_EVENTS 4096u
#define ATLS_MAX_EVENT_LOG_LEN (4u * 1024 * 1024)
#define ATLS_MAX_EVENT_PAYLOADS_LEN (1024u * 1024)    /* of one log, decoded, together */
#define ATLS_MAX_HTTP_HEADER_LEN (16u * 1024)
#define ATLS_MAX_HTTP_BODY_LEN (4u * 1024 * 1024)
#define ATLS_MAX_HTTP_REQUEST_BODY_LEN 4096u
#define ATLS_MAX_ALTERNATIVES 32u                     /* policies in one any_of */
#define ATLS_MAX_CHECKS 256u                          /* entries of a result's list */
/* clang-format on */

#endif
