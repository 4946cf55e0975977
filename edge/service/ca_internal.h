/* SPDX-License-Identifier: Apache-2.0 */
/* ca_internal.h: the pieces of the CA, for edge/service/ca*.c only. */
#ifndef ATLS_EDGE_SERVICE_CA_INTERNAL_H
#define ATLS_EDGE_SERVICE_CA_INTERNAL_H

#include <openssl/evp.h>
#include <pthread.h>
#include <stdatomic.h>

#include "atls/arena.h"
#include "atls/enrolled.h"
#include "base/json.h"
#include "ca.h"
#include "ca_der.h"
#include "pki/cert.h"

/* What a CA may ask for and hold. */
#define CA_ARENA_SIZE          ((size_t)1024 * 1024)
#define CA_MAX_FILE_LEN        ((size_t)64 * 1024)
#define CA_MAX_CERTIFICATE_LEN ((size_t)ATLS_MAX_CERT_LEN)
#define CA_MAX_SIGNATURE_LEN   1024u /* RSA of 8192 bits */
#define CA_MAX_ENTRIES         16u   /* of each list of a profile */
#define CA_MAX_TEXT_LEN        512u  /* of a value in a name */
#define CA_MAX_WISH_LEN        4096u /* of an extension that is taken over from a request */

/* ---- names: ca_name.c ---- */

typedef struct ca_name_type {
    const char *name; /* "CN" */
    const char *oid;  /* content, n_oid bytes */
    size_t n_oid;
    size_t max;  /* bytes of a value */
    uint8_t tag; /* string type that is written */
} ca_name_type;

/* ca_name_type_find gives the type of a word, or of an OID's content; NULL: there is none, as for serialNumber. Static. */
const ca_name_type *ca_name_type_find(atls_bytes word);
const ca_name_type *ca_name_type_of(atls_bytes oid);
/* ca_text_fits: 1 to max bytes of UTF-8 without control characters, C1 and those that turn the direction of text included; of
 * printable ASCII where the type wants it. */
bool ca_text_fits(atls_bytes text, uint8_t tag, size_t max);
/* ca_name_put writes one RDN. */
void ca_name_put(ca_der *d, const ca_name_type *type, atls_bytes value);
/* ca_name_parse writes a whole Name from "CN=...,O=...": no escapes. Errors: USAGE with field. */
ATLS_MUST_USE bool ca_name_parse(const char *text, const char *field, ca_der *d, atls_error *err);

/* ---- the profile: ca_profile.c ---- */

typedef enum ca_san_kind {
    CA_SAN_EMAIL = 1, /* the numbers are the tags of GeneralName */
    CA_SAN_DNS = 2,
    CA_SAN_URI = 6,
} ca_san_kind;

typedef struct ca_entry {
    const ca_name_type *type; /* subject */
    ca_san_kind san;          /* san */
    const char *text;         /* with {app} and the like; san_from_csr: exact, or "." and the end of a DNS name */
} ca_entry;

typedef struct ca_profile {
    ca_entry subject[CA_MAX_ENTRIES];
    size_t n_subject;
    const ca_name_type *subject_from_csr[CA_MAX_ENTRIES];
    size_t n_subject_from_csr;
    ca_entry san[CA_MAX_ENTRIES];
    size_t n_san;
    ca_entry san_from_csr[CA_MAX_ENTRIES];
    size_t n_san_from_csr;
    atls_bytes eku[CA_MAX_ENTRIES]; /* content of OIDs */
    size_t n_eku;
    atls_bytes extensions_from_csr[CA_MAX_ENTRIES];
    size_t n_extensions_from_csr;
    const char *crl; /* URL; NULL: none */
    int64_t life_s;
    int64_t back_s;
    bool attested_key;
} ca_profile;

/* ca_profile_read reads a profile; what it keeps is in the arena. Empty text gives the defaults. Errors: CONFIGURATION. */
ATLS_MUST_USE bool ca_profile_read(atls_bytes text, atls_arena *a, ca_profile *out, atls_error *err);
/* ca_oid_from_text turns "1.2.3" into the content of an OID, arcs of any size. False when it is none. */
ATLS_MUST_USE bool ca_oid_from_text(atls_bytes text, atls_arena *a, atls_bytes *out, atls_error *err);
/* ca_oid_is_reserved tells the extensions that are never a phone's to ask for. ca_wishes.c */
bool ca_oid_is_reserved(atls_bytes oid);

/* ---- keys: ca_key.c, ca_token.c ---- */

typedef enum ca_algorithm {
    CA_ECDSA_SHA256 = 1, /* P-256 */
    CA_ECDSA_SHA384,     /* P-384 */
    CA_RSA_SHA256,       /* 2048 to 8192 bits */
} ca_algorithm;

typedef struct ca_signature {
    uint8_t bytes[CA_MAX_SIGNATURE_LEN]; /* content of the BIT STRING */
    size_t len;
} ca_signature;

/* Whatever has the private key. sign and free are called by one thread at a time. */
typedef struct ca_signer {
    const char *source; /* "file", "pkcs11" */
    void *self;         /* NULL: there is none */
    bool (*sign)(void *self, ca_algorithm alg, atls_bytes tbs, ca_signature *out, atls_error *err);
    void (*free)(void *self);
    uint64_t (*reopened)(const void *self); /* NULL: never. At any time, by any thread */
    bool is_shared;                         /* sign may be called by many threads at a time after all */
} ca_signer;

const EVP_MD *ca_algorithm_digest(ca_algorithm alg);
/* ca_algorithm_put writes the AlgorithmIdentifier. */
void ca_algorithm_put(ca_der *d, ca_algorithm alg);
/* ca_public_key_open opens a SubjectPublicKeyInfo, all of it, and says how it signs. Errors: CONFIGURATION with field. */
ATLS_MUST_USE bool ca_public_key_open(atls_bytes spki, const char *field, EVP_PKEY **out, ca_algorithm *alg,
                                      atls_error *err);
ATLS_MUST_USE bool ca_signature_holds(EVP_PKEY *key, ca_algorithm alg, atls_bytes tbs, const ca_signature *s);
/* ca_file_signer_open reads a PEM file. Errors: CONFIGURATION with field "ca.key" or "ca.passphrase". */
ATLS_MUST_USE bool ca_file_signer_open(const char *path, const char *passphrase_file, ca_signer *out, atls_error *err);
/* ca_key_signer takes a key over; also when it fails. */
ATLS_MUST_USE bool ca_key_signer(EVP_PKEY *key, ca_signer *out, atls_error *err);
/* ca_token_signer_open opens a token. Errors: CONFIGURATION with field "ca.key" or "ca.pin", UNSUPPORTED. */
ATLS_MUST_USE bool ca_token_signer_open(const char *uri, const char *pin_file, ca_signer *out, atls_error *err);

/* ---- files: ca_file.c ---- */

/* ca_file_read reads a file; one with secrets may not be anybody's to read. Errors: CONFIGURATION with field. */
ATLS_MUST_USE bool ca_file_read(const char *path, const char *field, bool is_secret, atls_arena *a, atls_bytes *out,
                                atls_error *err);
/* ca_file_line reads the first line of a file with a secret, 1 to cap - 1 bytes, NUL-terminated. The caller wipes it. */
ATLS_MUST_USE bool ca_file_line(const char *path, const char *field, char *out, size_t cap, atls_error *err);

/* ---- certificates: ca_certificate.c ---- */

typedef struct ca_head {
    const uint8_t *serial;
    size_t n_serial;
    ca_algorithm alg;
    atls_bytes issuer; /* Name */
    atls_time not_before;
    atls_time not_after;
    atls_bytes subject; /* Name */
    atls_bytes spki;
} ca_head;

/* ca_certificate_begin writes everything up to the extensions, which are open then; ca_certificate_end closes them. */
void ca_certificate_begin(ca_der *d, const ca_head *head);
void ca_certificate_end(ca_der *d);
/* ca_extension_open begins one: its value is what is written until ca_extension_close. oid is content. */
void ca_extension_open(ca_der *d, atls_bytes oid, bool critical);
void ca_extension_close(ca_der *d);
/* The usual ones. bit is the number of ASN.1, 0 to 7. */
void ca_extension_basic_constraints(ca_der *d, bool is_ca, int path_len);
void ca_extension_key_usage(ca_der *d, uint8_t bits, uint8_t unused);
void ca_extension_key_id(ca_der *d, atls_bytes id);
void ca_extension_authority(ca_der *d, atls_bytes id);
/* ca_key_id hashes the key of a SubjectPublicKeyInfo (RFC 7093, method 1). Errors: ENROL_ISSUE with field "grant.spki". */
ATLS_MUST_USE bool ca_key_id(atls_bytes spki, uint8_t out[20], atls_error *err);
/* ca_certificate_put makes a certificate out of what was signed and its signature. */
void ca_certificate_put(ca_der *d, atls_bytes tbs, ca_algorithm alg, const ca_signature *signature);

/* ---- wishes: ca_wishes.c ---- */

typedef struct ca_wishes {
    atls_bytes names[CA_MAX_ENTRIES]; /* in the order of profile.subject_from_csr; empty: none */
    ca_entry san[CA_MAX_ENTRIES];     /* text unused */
    atls_bytes san_value[CA_MAX_ENTRIES];
    size_t n_san;
    atls_bytes extensions[CA_MAX_ENTRIES]; /* extnValue's content, in the order of profile.extensions_from_csr */
} ca_wishes;

/* ca_wishes_read looks what of a request the profile allows. What is malformed, doubled, out of bounds, or holds the nonce is not
 * taken over, and never makes it fail. */
bool ca_is_host(atls_bytes name); /* letters, digits, '-' and dots between, as a DNS name has them */
void ca_wishes_read(const ca_profile *p, const atls_enrol_csr *csr, ca_wishes *out);

/* ---- memory of what was issued: ca_memory.c ---- */

typedef struct ca_issued {
    bool is_used;
    bool is_pending;
    uint8_t nonce[32];
    uint8_t spki_sha256[32];
    uint64_t at; /* order */
    uint8_t *der;
    size_t len;
} ca_issued;

typedef struct ca_memory {
    pthread_mutex_t lock;
    ca_issued *entries; /* ATLS_CA_REMEMBERED */
    uint64_t clock;
} ca_memory;

typedef enum ca_claim {
    CA_CLAIM_FAILED = 0, /* err is set */
    CA_CLAIM_NEW,        /* the caller's to issue, and to settle */
    CA_CLAIM_AGAIN,      /* *der is what was issued */
} ca_claim;

ATLS_MUST_USE bool ca_memory_init(ca_memory *m, atls_error *err);
void ca_memory_free(ca_memory *m);
ca_claim ca_memory_claim(ca_memory *m, const uint8_t nonce[32], const uint8_t spki_sha256[32], atls_arena *a,
                         atls_bytes *der, size_t *slot, atls_error *err);
/* ca_memory_settle ends what ca_memory_claim began; der empty: nothing was issued. */
void ca_memory_settle(ca_memory *m, size_t slot, atls_bytes der);

/* ---- the CA ---- */

struct atls_ca {
    atls_arena arena; /* everything that is read when it is opened */
    atls_bytes chain[ATLS_CA_MAX_CHAIN];
    size_t n_chain;
    atls_bytes subject; /* of the issuing certificate */
    atls_bytes key_id;
    atls_time not_before; /* the latest of the chain */
    atls_time not_after;  /* the earliest */
    ca_algorithm alg;
    EVP_PKEY *public_key;
    ca_signer signer;
    pthread_mutex_t signing;
    bool has_locks;
    uint8_t serial_key[32];
    ca_profile profile;
    uint8_t profile_sha256[32];
    ca_memory memory;
    atomic_uint_fast64_t issued;
    atomic_uint_fast64_t repeated;
    atomic_uint_fast64_t failed;
};

/* ca_check_time: the CA's own certificates are valid at now. ca_sign_checked signs, and looks at the signature. ca_issue.c */
ATLS_MUST_USE bool ca_check_time(const atls_ca *ca, atls_time now, atls_error *err);
ATLS_MUST_USE bool ca_sign_checked(atls_ca *ca, atls_bytes tbs, ca_signature *out, atls_error *err);

#endif
