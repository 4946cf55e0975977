/* SPDX-License-Identifier: Apache-2.0 */
/* ca.h: the certification authority of an enrolment back end: makes itself once, and then one short-lived certificate for each
 * grant of the enroller.
 *
 *   DIR/root.pem         the root's certificate
 *   DIR/root.key.pem     its key, only where there is an issuer below it: needed for the next issuer, and nowhere else
 *   DIR/issuer.key.pem   the key that signs phones' certificates
 *   DIR/chain.pem        the issuer's certificate first, the root's last (without an intermediate: the root's alone)
 *   DIR/serial.key       a secret of 32 bytes, hex: serial numbers are made with it
 *   DIR/profile.json     what certificates look like
 *
 * A certificate holds the attested key of the grant, byte for byte, and what the profile says. The phone's request is asked for
 * wishes only where the profile lists them, and never for its serialNumber (the nonce), its key, or anything that makes a CA.
 *
 * One certificate for one nonce. The enroller calls for a nonce once at most, because consuming it is atomic. Besides:
 *   - a CA remembers the last ATLS_CA_REMEMBERED nonces: for the same nonce and the same key it gives the same certificate again,
 *     byte for byte; for another key it fails, as it does while the first call is still at work;
 *   - beyond that memory (another process, a restart) the serial is the first 128 bits of HMAC-SHA-256(serial.key, label || nonce
 *     digest): random to everybody else, and the same on every replica. So a second certificate for a nonce could only carry the
 *     number of the first: the audit log shows it, and one entry of a revocation list covers both.
 *
 * Thread-safe: any number of threads may issue with one CA. Source: the project's specification of attested enrolment, sections 5,
 * 8, 11; RFC 5280; RFC 7512 (pkcs11: URIs). */
#ifndef ATLS_EDGE_SERVICE_CA_H
#define ATLS_EDGE_SERVICE_CA_H

#include "atls/enroller.h"
#include "atls/time.h"

#define ATLS_CA_REMEMBERED     1024u
#define ATLS_CA_MAX_CHAIN      6u /* certificates of a CA, the root included */
#define ATLS_CA_DEFAULT_LIFE_S (10 * 86400)
#define ATLS_CA_DEFAULT_BACK_S 300
#define ATLS_CA_SERIAL_LEN     16u

/* ---- making one ---- */

typedef enum atls_ca_key_kind {
    ATLS_CA_P256 = 0,
    ATLS_CA_P384,
} atls_ca_key_kind;

typedef struct atls_ca_init_options {
    const char *dir;             /* made if it is not there, mode 0700 */
    const char *subject;         /* of the root: "CN=Example,O=Example Ltd"; NULL: "CN=atls enrolment CA" */
    atls_ca_key_kind key;        /* of root and issuer */
    unsigned days;               /* of the root; 0: 3650 */
    unsigned issuer_days;        /* of the issuer below it; 0: 1095, and never longer than the root's */
    bool without_intermediate;   /* the root itself signs phones' certificates */
    const char *passphrase_file; /* keys are encrypted with its first line; NULL: they are not */
    atls_time now;
} atls_ca_init_options;

/* atls_ca_init makes a CA: keys, certificates, the secret of serials, a profile to begin with. Nothing that is there is ever
 * overwritten: a file of one of these names makes it fail before anything is made. Files appear whole or not at all, those with
 * secrets with mode 0600; after a failure none of the new ones stays. Errors: USAGE (a member, a file that is there, a folder that
 * cannot be written), INTERNAL. */
ATLS_MUST_USE bool atls_ca_init(const atls_ca_init_options *options, atls_error *err);

/* ---- opening one ---- */

typedef struct atls_ca atls_ca;

typedef struct atls_ca_options {
    const char *dir;             /* where the files above are; NULL: all that follow are given */
    const char *chain_file;      /* NULL: DIR/chain.pem */
    const char *key;             /* PEM file, or "pkcs11:" URI (RFC 7512); NULL: DIR/issuer.key.pem */
    const char *passphrase_file; /* of an encrypted key file; NULL: it is not */
    const char *pin_file;        /* PIN of the token; NULL: pin-source of the URI, or none is needed */
    const char *serial_key_file; /* NULL: DIR/serial.key */
    atls_bytes profile; /* JSON object, docs/enrolment-service.md; empty: DIR/profile.json, or where there is no dir or
                                    no such file, the defaults */
    atls_time now;
} atls_ca_options;

/* atls_ca_open reads and checks all of it: the chain is right up to the root (names, key ids, signatures, CA bits, keyCertSign,
 * path length, dates at options->now), the key is the issuing certificate's, the profile makes sense. Errors: CONFIGURATION with
 * the member as field ("ca.chain", "ca.key", "ca.serial_key", "profile.life_s"), EXPIRED, NOT_YET_VALID (of "ca.chain[i]"),
 * UNSUPPORTED (pkcs11: in a build without p11-kit), MEMORY, INTERNAL. */
ATLS_MUST_USE bool atls_ca_open(const atls_ca_options *options, atls_ca **out, atls_error *err);
/* atls_ca_free wipes what is secret. No thread may be issuing. NULL is fine. */
void atls_ca_free(atls_ca *ca);

/* atls_ca_profile_check reads a profile and nothing else, for a reload that must not fail half way. Errors as atls_ca_open. */
ATLS_MUST_USE bool atls_ca_profile_check(atls_bytes profile, atls_error *err);

/* ---- issuing ---- */

/* atls_ca_issue is an atls_issue_fn; ctx is the atls_ca. Any number of threads. A token is asked by one thread at a time; when it
 * has gone, the call fails and each later call tries to open it again, so that issuing goes on when it is back. Errors:
 * ENROL_ISSUE with a field: "grant.spki", "grant.nonce", "issuer.not_after", "subject.CN", "san", "attested_key", "key" (the key
 * or the token; retry is set); MEMORY. */
bool atls_ca_issue(void *ctx, const atls_enrol_grant *grant, atls_arena *arena,
                   atls_bytes chain[ATLS_ENROL_MAX_CERTIFICATES], size_t *n, atls_error *err);

/* ---- looking on ---- */

typedef struct atls_ca_facts {
    size_t n_chain;
    const atls_bytes *chain; /* DER, the issuing certificate first, borrowed from the CA */
    atls_time not_after;     /* of the chain's certificate that ends first */
    int64_t days_left;       /* until then, rounded down; negative: it has passed */
    const char *key_source;  /* "file" or "pkcs11" */
    uint64_t n_issued;       /* since opening; repeated ones count once */
    uint64_t n_repeated;     /* given again from memory */
    uint64_t n_failed;
    uint64_t n_reopened;        /* the token went, and came back */
    uint8_t profile_sha256[32]; /* of the profile's text */
} atls_ca_facts;

/* atls_ca_describe is for metrics and for `atls enrol ca show`. */
void atls_ca_describe(atls_ca *ca, atls_time now, atls_ca_facts *out);

/* atls_ca_serial gives the serial number that the certificate for a nonce has, big-endian. Errors: INTERNAL. */
ATLS_MUST_USE bool atls_ca_serial(const atls_ca *ca, const uint8_t nonce_sha256[32], uint8_t out[ATLS_CA_SERIAL_LEN],
                                  atls_error *err);

/* ---- revoking ---- */

#define ATLS_CA_MAX_REVOKED 65536u

/* atls_ca_crl makes the issuer's revocation list (RFC 5280, 5), DER, in the arena: n serials, big-endian, 1 to 20 bytes each;
 * valid from now for `seconds`, and not beyond the issuer; its number is `now`, so that a later list has a higher one. All
 * entries are dated now. Errors: USAGE with the field "serials", "seconds"; ENROL_ISSUE with the field "key", "issuer.not_after",
 * "issuer.not_before"; MEMORY. */
ATLS_MUST_USE bool atls_ca_crl(atls_ca *ca, const atls_bytes *serials, size_t n, atls_time now, int64_t seconds,
                               atls_arena *arena, atls_bytes *out, atls_error *err);

#endif
