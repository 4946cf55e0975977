/* SPDX-License-Identifier: Apache-2.0 */
/* cert.h: X.509 certificates and CRLs under a strict profile of RFC 5280, as borrowed slices.
 *
 * Decoding knows no cryptography and takes no memory but the struct. What it checks: DER, version 3 (CRL: 2), inner and
 * outer signature algorithm equal, no unique ids, no repeated extension, known algorithms, times in the form RFC 5280
 * wants. What it does not check: names' content, signatures, validity, criticality (chain.h does). Signature algorithms
 * understood: ecdsa-with-SHA256/384, sha256/384/512WithRSAEncryption, and RSASSA-PSS with one set of parameters: SHA-384,
 * MGF1 with SHA-384, a salt of 48 bytes. Others decode with kind 0. */
#ifndef ATLS_PKI_CERT_H
#define ATLS_PKI_CERT_H

#include "atls/arena.h"
#include "atls/time.h"
#include "base/limits.h"
#include "signature.h"

typedef enum atls_sig_alg {
    ATLS_SIG_UNKNOWN = 0,
    ATLS_SIG_ECDSA_SHA256,
    ATLS_SIG_ECDSA_SHA384,
    ATLS_SIG_RSA_SHA256,
    ATLS_SIG_RSA_SHA384,
    ATLS_SIG_RSA_SHA512,
    ATLS_SIG_ECDSA_SHA512,   /* atls_cert_decode_of_phone only */
    ATLS_SIG_RSA_PSS_SHA384, /* salt of 48 bytes, MGF1 with SHA-384 */
} atls_sig_alg;

/* keyUsage bits, in the order of RFC 5280 4.2.1.3 */
#define ATLS_KU_DIGITAL_SIGNATURE (1u << 0)
#define ATLS_KU_KEY_CERT_SIGN     (1u << 5)
#define ATLS_KU_CRL_SIGN          (1u << 6)

/* Critical extensions that a caller reads itself, and says so by setting the bit in atls_cert.understood: the rules of
 * chain.h then let them pass. */
#define ATLS_UNDERSTOOD_DIRECTORY_NAME (1u << 0) /* a subjectAltName of directory names, and of nothing else */

typedef struct atls_extension {
    atls_bytes oid; /* content of the OID */
    bool critical;
    atls_bytes value; /* content of extnValue */
} atls_extension;

typedef struct atls_cert {
    atls_bytes der;    /* the whole certificate */
    atls_bytes tbs;    /* the signed bytes, header included */
    atls_bytes serial; /* unsigned big-endian without leading zeros; 1 to 20 bytes (0 is one byte) */
    atls_bytes issuer; /* Name, whole encoding: compared as bytes */
    atls_bytes subject;
    atls_time not_before;
    atls_time not_after;
    atls_bytes spki;      /* whole SubjectPublicKeyInfo */
    atls_public_key key;  /* kind UNKNOWN: an algorithm or curve not in the list */
    atls_bytes signature; /* content of the BIT STRING */
    atls_sig_alg sig_alg;
    bool has_basic_constraints;
    bool is_ca;
    bool has_path_len;
    bool has_key_usage;
    uint32_t path_len;
    uint32_t key_usage;          /* ATLS_KU_ bits */
    atls_bytes authority_key_id; /* keyIdentifier, empty when absent */
    atls_bytes authority_issuer; /* content of authorityCertIssuer, empty when absent: the issuer is named by its own */
    atls_bytes authority_serial; /* issuer and serial as well; both or none */
    atls_bytes subject_key_id;   /* empty when absent */
    atls_extension extensions[ATLS_MAX_CERT_EXTENSIONS];
    size_t n_extensions;
    unsigned understood;            /* ATLS_UNDERSTOOD_ bits, the caller's to set after decoding; decoding sets none */
    bool has_unknown_critical;      /* a critical extension other than those named above */
    bool has_critical_beside_names; /* ... and other than a subjectAltName of directory names alone */
    bool algorithms_differ;         /* atls_cert_decode_of_phone only */
    const struct atls_cert *verified_by; /* pool.c: the certificate whose key verified this one's signature, or NULL */
} atls_cert;

/* Which certificates a list is about (RFC 5280 5.2.5, issuingDistributionPoint). */
typedef struct atls_crl_scope {
    bool present;
    atls_bytes names;    /* content of distributionPoint's fullName, GeneralNames; empty: absent */
    bool users_only;     /* onlyContainsUserCerts */
    bool cas_only;       /* onlyContainsCACerts */
    const char *refused; /* the member because of which the list is good for nothing here, static; NULL: none */
} atls_crl_scope;

typedef struct atls_crl {
    atls_bytes der;
    atls_bytes tbs;
    atls_bytes issuer;
    atls_time this_update;
    atls_time next_update; /* ATLS_TIME_UNSET: absent */
    atls_sig_alg sig_alg;
    atls_bytes signature;
    atls_bytes revoked; /* content of revokedCertificates, every entry already checked; empty: none */
    size_t n_revoked;
    const atls_bytes *sorted; /* n_revoked serials in order, from atls_crl_sort; NULL: they are searched one by one */
    bool has_crl_number;
    atls_bytes crl_number;       /* unsigned big-endian without leading zeros, at most 20 bytes; empty when absent */
    atls_bytes authority_key_id; /* keyIdentifier, empty when absent */
    bool has_authority_key_id;   /* the extension is there */
    bool has_unknown_critical; /* in the list or in an entry; also what makes it something else than a complete list of
                                  its issuer, critical or not: deltaCRLIndicator, certificateIssuer, reason
                                  removeFromCRL */
    atls_crl_scope scope;
} atls_crl;

/* atls_cert_decode reads exactly one DER certificate, at most ATLS_MAX_CERT_LEN bytes. out borrows der.
 * Errors: ENCODING, TRUNCATED, TRAILING, LIMIT with a field such as "certificate.tbs.validity"; `prefix` replaces
 * "certificate". Source: RFC 5280 4.1. */
ATLS_MUST_USE bool atls_cert_decode(atls_bytes der, const char *prefix, atls_cert *out, atls_error *err);

/* atls_cert_decode_at_most is the same with another limit, for certificates that carry a document in an extension. */
ATLS_MUST_USE bool atls_cert_decode_at_most(atls_bytes der, size_t max_len, const char *prefix, atls_cert *out,
                                            atls_error *err);

/* atls_cert_decode_of_phone is for attestation chains of Android, and for nothing else. It differs from atls_cert_decode:
 *   times of either type for any year; ecdsa-with-SHA512 is known;
 *   serial is the content of the INTEGER as it stands, at most 64 bytes, negative ones too;
 *   extensions are listed, and no more: is_ca, key_usage and the rest stay as if there were none (chain.h's rules would
 *   refuse the certificate); `critical` may be FALSE and spelt out;
 *   algorithms inside and outside may differ: sig_alg is the one inside, which is signed, and algorithms_differ says so. */
ATLS_MUST_USE bool atls_cert_decode_of_phone(atls_bytes der, const char *prefix, atls_cert *out, atls_error *err);

/* atls_crl_decode reads exactly one DER CRL, at most ATLS_MAX_CRL_LEN bytes. Source: RFC 5280 5.1. */
ATLS_MUST_USE bool atls_crl_decode(atls_bytes der, const char *prefix, atls_crl *out, atls_error *err);

/* atls_crl_sort puts the serials of a decoded list in order, so that looking one up costs the same whatever their number;
 * worth it where a list is asked often. In the arena. Errors: MEMORY. */
ATLS_MUST_USE bool atls_crl_sort(atls_crl *crl, atls_arena *a, atls_error *err);

/* atls_crl_is_older tells whether a list has the issuer of another one, byte for byte, and its crlNumber or its thisUpdate is
 * lower. Where one of them has no number the dates decide. */
bool atls_crl_is_older(const atls_crl *x, const atls_crl *than);

/* atls_crl_lists tells whether a serial (as atls_cert.serial) is on the list. */
bool atls_crl_lists(const atls_crl *crl, atls_bytes serial);

/* atls_cert_extension finds an extension by the content of its OID, NULL when there is none. */
const atls_extension *atls_cert_extension(const atls_cert *c, atls_bytes oid);

/* atls_name_common_name gives the text of the only CN of a Name (UTF8String or PrintableString); false when there is
 * none, more than one, or another string type. */
ATLS_MUST_USE bool atls_name_common_name(atls_bytes name, atls_bytes *out);

/* atls_name_text writes a Name for people, "CN=Intel SGX Root CA, O=...", printable ASCII only, into the arena. */
ATLS_MUST_USE const char *atls_name_text(atls_bytes name, atls_arena *a, atls_error *err);

/* atls_pem_certificates decodes a text of PEM certificate blocks: at most `max` of them (<= ATLS_MAX_PEM_CERTS), only
 * white space between and around them (and NULs at the very end when allow_nul_tail). *n is at least 1 on success.
 * DER goes to the arena. Errors: `code` with `field`. */
ATLS_MUST_USE bool atls_pem_certificates(atls_bytes text, bool allow_nul_tail, atls_code code, const char *field,
                                         atls_arena *a, atls_bytes *out, size_t max, size_t *n, atls_error *err);

/* atls_pem_next takes one block of a certificate or a revocation list (label "X509 CRL") from the front of *text, and the
 * white space around it. *text is then what is left, empty at the end. DER goes to the arena. Errors: `code` with `field`;
 * MEMORY. */
ATLS_MUST_USE bool atls_pem_next(atls_bytes *text, atls_code code, const char *field, atls_arena *a, bool *is_crl,
                                 atls_bytes *der, atls_error *err);

/* atls_pem_public_key decodes a text of exactly one block with the label PUBLIC KEY: a SubjectPublicKeyInfo, not looked
 * into. Errors: `code` with `field`; MEMORY. */
ATLS_MUST_USE bool atls_pem_public_key(atls_bytes text, atls_code code, const char *field, atls_arena *a,
                                       atls_bytes *spki, atls_error *err);

/* atls_pem_encode writes one block with 64-digit lines. */
ATLS_MUST_USE bool atls_pem_encode(atls_bytes der, const char *label, atls_arena *a, atls_bytes *out, atls_error *err);

#endif
