/* SPDX-License-Identifier: Apache-2.0 */
/* chain.h: our few path rules, the same for every vendor.
 *
 * A path is an array of certificates, leaf first, anchor last. The anchor is a pinned fact (SHA-256 of its DER), so a
 * path is never searched for: formats know its exact length. Rules, in this order for each link from the anchor down:
 *   anchor pinned; validity of every certificate covers `now`, both ends included (also of the anchor);
 *   issuer name equals the issuer's subject, byte for byte; authority key id, where present, equals the issuer's
 * subject key id; issuers have basicConstraints CA and keyUsage keyCertSign, path length is kept; leaves have CA false
 * (absent counts as false only where the rules say so); no unknown critical extension (atls_cert.understood is how a caller
 * says which ones it reads itself); signature by the issuer's key.
 * Not done: name constraints, policies, extended key usage (they are unknown critical extensions where critical),
 * anything but DER equality of names. docs/pki.md explains each difference from OpenSSL's verdict. */
#ifndef ATLS_PKI_CHAIN_H
#define ATLS_PKI_CHAIN_H

#include "cert.h"

/* A pinned root. Facts of vendors are in anchors.c and anchors_*.c. */
typedef struct atls_anchor {
    uint8_t sha256[32]; /* of the DER */
    const char *label;  /* "Intel SGX Root CA" */
    bool production;    /* a vendor's production root */
    bool self_checked;  /* its self-signature is known to verify (pinned fact, or checked when the policy was made) */
} atls_anchor;

/* Intel SGX Root CA: SHA-256 of the 659-byte DER with serial 22650CD6...06AC. Static. */
const atls_anchor *atls_anchor_intel_sgx(void);

/* AMD's ARKs, one for each line of processors: Milan, Genoa (with Bergamo and Siena), Turin. Static. */
const atls_anchor *atls_anchors_amd(size_t *n);

/* atls_anchor_of_vendor finds the production root of any vendor by the SHA-256 of its DER, NULL when it is none. Static. */
const atls_anchor *atls_anchor_of_vendor(const uint8_t sha256[static 32]);

/* Google's roots for the attestation keys of virtual TPMs: tpm_ek_v1_cloud_host_root (2018) and EK/AK CA Root (2022). Static. */
const atls_anchor *atls_anchors_tpm(size_t *n);

/* AWS Nitro's root, for enclaves and NitroTPM: SHA-256 of the 533-byte DER. Static. */
const atls_anchor *atls_anchors_nitro(size_t *n);

/* A pinned key: any certificate that carries it will do. */
typedef struct atls_key_anchor {
    uint8_t spki_sha256[32]; /* of the DER of the SubjectPublicKeyInfo */
    const char *label;
    bool production; /* a vendor's own, that vouches for hardware */
} atls_key_anchor;

/* Google's keys for Android key attestation: the two that vouch for hardware, or the two that vouch for nothing. Static. */
const atls_key_anchor *atls_anchors_android(bool is_software, size_t *n);
/* atls_anchor_android_find finds one of the four, NULL when it is none. Static. */
const atls_key_anchor *atls_anchor_android_find(const uint8_t spki_sha256[static 32]);

/* A pinned root by its facts, for chains that leave it out. Everything is borrowed. */
typedef struct atls_root {
    const atls_anchor *anchor;
    atls_bytes subject;        /* Name, whole encoding */
    atls_bytes subject_key_id; /* empty: it has none */
    atls_public_key key;
    atls_time not_before;
    atls_time not_after;
} atls_root;

/* Apple's: App Attestation Root CA, for attestations, and Root CA - G3, for receipts. They do not stand for each other. The
 * anchors are the two in that order. Static. */
const atls_anchor *atls_anchors_apple(size_t *n);
atls_root atls_root_apple_attestation(void);
atls_root atls_root_apple_receipt(void);

/* atls_root_from_der makes one of a policy's own root: as atls_anchor_from_der, which fills *anchor, and further a CA that may
 * sign certificates. out borrows der and anchor. Errors: PCK_CHAIN with field "trusted_roots". */
ATLS_MUST_USE bool atls_root_from_der(const atls_crypto *c, atls_bytes der, atls_anchor *anchor, atls_root *out,
                                      atls_error *err);

/* atls_root_as_issuer gives the certificate's members that atls_link_verify reads of an issuer. der, tbs, serial, extensions and
 * signature are not there. out borrows what root borrows. */
void atls_root_as_issuer(const atls_root *root, atls_cert *out);

/* atls_anchor_find finds the anchor of a certificate by the hash of its DER, NULL when it is none of them. */
ATLS_MUST_USE bool atls_anchor_find(const atls_crypto *c, const atls_anchor *anchors, size_t n, const atls_cert *cert,
                                    const atls_anchor **out, atls_error *err);

/* atls_anchor_from_der makes an anchor of a policy's own root: decodes it, wants self-issued, with a valid self-signature by
 * a key and an algorithm of the list in cert.h. Which of them a format's own certificates may have is the format's to
 * say. Errors: PCK_CHAIN with field "trusted_roots". */
ATLS_MUST_USE bool atls_anchor_from_der(const atls_crypto *c, atls_bytes der, atls_anchor *out, atls_error *err);

/* The certificates of one appraisal: the same DER is decoded once, and a link is verified once. */
typedef struct atls_cert_pool {
    atls_cert **certs;
    size_t n;
    size_t cap;
    atls_arena *arena;
} atls_cert_pool;
ATLS_MUST_USE bool atls_cert_pool_init(atls_cert_pool *p, size_t cap, atls_arena *a, atls_error *err);
/* atls_cert_pool_add decodes der, or finds the one that is there. The pool borrows der, which must stay as it is while the
 * pool is used. Reader errors are relabelled to code, prefix field. */
ATLS_MUST_USE bool atls_cert_pool_add(atls_cert_pool *p, atls_bytes der, atls_code code, const char *field,
                                      atls_cert **out, atls_error *err);

/* atls_link_verify checks one link: names, key ids, constraints of the issuer and (when intermediates are below it) of
 * cert, critical extensions of both, signature. issuer_key is the opened key of issuer. n_below is the number of
 * intermediate certificates between issuer and the leaf (path length). A signature that the pool knows to be verified
 * by this issuer is not verified again; everything else is checked each time. cert may be issuer, for a root. Failures:
 * code, field "<field>.<rule>", where rule is one of issuer, authority_key_id, basic_constraints, key_usage, path_len,
 * critical_extension, signature; what is wrong with the issuer has the field "<field>.issuer.<rule>". */
ATLS_MUST_USE bool atls_link_verify(const atls_crypto *c, atls_cert *cert, const atls_cert *issuer,
                                    atls_key *issuer_key, uint32_t n_below, atls_code code, const char *field,
                                    atls_error *err);

/* atls_leaf_check: basicConstraints present with CA false, keyUsage present with all bits of `usage`, no unknown
 * critical extension. */
ATLS_MUST_USE bool atls_leaf_check(const atls_cert *cert, uint32_t usage, atls_code code, const char *field,
                                   atls_error *err);

/* atls_bare_leaf_check is the same for leaves of vendors that leave these extensions out, as AMD does: what is not there
 * says nothing, what is there must not say otherwise. A format calls it where its specification shows such leaves. */
ATLS_MUST_USE bool atls_bare_leaf_check(const atls_cert *cert, uint32_t usage, atls_code code, const char *field,
                                        atls_error *err);

/* atls_self_signature_verify checks a certificate's signature by its own key, and no other rule. */
ATLS_MUST_USE bool atls_self_signature_verify(const atls_crypto *c, const atls_cert *root, atls_code code,
                                              const char *field, atls_error *err);

/* atls_validity_check: EXPIRED or NOT_YET_VALID with field "<field>.not_after" or "<field>.not_before", the times as
 * expected and actual. Equality is valid at both ends. */
ATLS_MUST_USE bool atls_validity_check(atls_time not_before, atls_time not_after, atls_time now, const char *field,
                                       atls_error *err);

/* atls_crl_verify: issuer name equals the subject of issuer, crlNumber and authorityKeyIdentifier present (the latter
 * equal to the issuer's subject key id), no unknown critical extension, no issuingDistributionPoint with onlySomeReasons,
 * indirectCRL, onlyContainsAttributeCerts or a relative name, keyUsage of issuer has cRLSign, nextUpdate
 * present, signature by issuer_key: ATLS_E_CRL; then thisUpdate <= now <= nextUpdate: EXPIRED, NOT_YET_VALID. */
ATLS_MUST_USE bool atls_crl_verify(const atls_crypto *c, const atls_crl *crl, const atls_cert *issuer,
                                   atls_key *issuer_key, atls_time now, const char *field, atls_error *err);

/* atls_crl_verify_known is the same for a list whose signature by this issuer is known to verify (links.h alone knows). */
ATLS_MUST_USE bool atls_crl_verify_known(const atls_crl *crl, const atls_cert *issuer, atls_time now, const char *field,
                                         atls_error *err);

/* atls_crl_is_about tells whether a list of this certificate's issuer is about certificates like it, or lists it: any other says
 * nothing of it (RFC 5280 5.2.5). */
bool atls_crl_is_about(const atls_crl *crl, const atls_cert *cert);

/* atls_crl_check: REVOKED with field and the serial when cert is listed; CRL when the list is of another issuer, or does
 * not cover cert (issuingDistributionPoint; the field ends in scope.<member>). So true means: covered, and not listed. */
ATLS_MUST_USE bool atls_crl_check(const atls_crl *crl, const atls_cert *cert, const char *field, atls_error *err);

/* atls_crl_check_serial is the same for a certificate that is known by its issuer's name and its serial; CRL when the
 * list has an issuingDistributionPoint, because nothing tells then whether it covers the certificate. */
ATLS_MUST_USE bool atls_crl_check_serial(const atls_crl *crl, atls_bytes issuer, atls_bytes serial, const char *field,
                                         atls_error *err);

#endif
