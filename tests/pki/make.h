/* SPDX-License-Identifier: Apache-2.0 */
/* make.h: certificates and revocation lists to order, right or wrong in any way a test asks for.
 *
 * The bytes are written by hand and signed with OpenSSL, so that they can say what OpenSSL would refuse to write. A
 * test starts from make_cert_default or make_crl_default and changes one thing. */
#ifndef ATLS_TESTS_PKI_MAKE_H
#define ATLS_TESTS_PKI_MAKE_H

#include <openssl/evp.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "atls/bytes.h"
#include "pki/signature.h"

typedef enum make_key {
    MAKE_NO_KEY = -1, /* in ski, aki: the extension is absent */
    MAKE_ROOT = 0,    /* P-256 up to MAKE_OTHER */
    MAKE_CA,
    MAKE_LEAF,
    MAKE_OTHER,
    MAKE_P384,
    MAKE_P521,
    MAKE_RSA,
    MAKE_N_KEYS
} make_key;

typedef struct make_keys {
    EVP_PKEY *pkey[MAKE_N_KEYS];
    uint8_t spki[MAKE_N_KEYS][600];
    size_t spki_len[MAKE_N_KEYS];
    uint8_t id[MAKE_N_KEYS][20]; /* what ski and aki hold */
} make_keys;

/* make_keys_new makes all keys; aborts when OpenSSL cannot. */
make_keys *make_keys_new(void);
void make_keys_free(make_keys *k);
/* The key as a certificate or quote would hold it: borrowed from k. */
atls_public_key make_public_key(const make_keys *k, make_key which);

typedef enum make_alg {
    MAKE_ECDSA_SHA256,
    MAKE_ECDSA_SHA384,
    MAKE_ECDSA_SHA512, /* not understood by atls */
    MAKE_RSA_SHA256,
    MAKE_RSA_SHA384,
    MAKE_RSA_SHA512,
    MAKE_RSA_SHA1,          /* not understood by atls */
    MAKE_ECDSA_SHA256_NULL, /* parameters NULL, as one StrongBox writes */
    MAKE_ECDSA_SHA256_INT,  /* parameters that do not exist */
    MAKE_PSS,               /* RSASSA-PSS as AMD's leaves have it: SHA-384, MGF1 with it, a salt of 48 */
    MAKE_PSS_TRAILER,       /* the same with the default trailer spelt out, as AMD's roots have it */
    MAKE_PSS_BARE,          /* the same with hash functions that have no parameters */
    MAKE_PSS_LIES,          /* says a salt of 48, has one of 32 */
    MAKE_PSS_SALT_32,       /* not understood by atls, from here */
    MAKE_PSS_SHA256,
    MAKE_PSS_MGF1_SHA256,
    MAKE_PSS_TRAILER_2,
    MAKE_PSS_DEFAULTS, /* SHA-1 and a salt of 20 */
    MAKE_PSS_MORE,     /* something after the parameters */
    MAKE_SAME          /* outer algorithm: as inside */
} make_alg;

typedef enum make_bc { MAKE_BC_ABSENT, MAKE_BC_CA, MAKE_BC_END, MAKE_BC_EXPLICIT_FALSE } make_bc;

typedef struct make_cert {
    int version;        /* 3; 1 writes no version */
    const char *serial; /* hex, content of the INTEGER */
    const char *issuer; /* CN; NULL: an empty Name; hex of a whole Name after '#' */
    const char *subject;
    uint8_t name_tag;       /* string type of both names */
    const char *not_before; /* YYYYMMDDHHMMSSZ; written as UTCTime from 1950 to 2049 */
    const char *not_after;
    uint8_t time_tag; /* 0: as RFC 5280 wants */
    make_key key;
    make_key signer;
    make_alg alg;
    make_alg outer_alg;
    make_bc bc;
    int path_len;       /* -1: none */
    unsigned key_usage; /* bits as ATLS_KU_; 0: absent */
    make_key ski;
    make_key aki;
    const char *aki_issuer; /* CN; with it aki_serial is written */
    const char *aki_serial; /* hex */
    const char *extra;      /* hex of whole Extensions */
    const char *unique_id;  /* hex, after the public key */
    const char *tail;       /* hex, after the extensions */
    const char *spki;       /* hex, instead of the key's; NULL: the key's */
    bool bc_not_critical;
    bool no_extensions;
    bool flip_signature;
} make_cert;

typedef struct make_crl {
    int version;        /* 2; 1 writes no version */
    const char *issuer; /* as above */
    const char *this_update;
    const char *next_update;           /* NULL: absent */
    const char *revoked;               /* hex serials separated by blanks; NULL: the list is absent; "": empty */
    const char *entry_extensions;      /* hex of whole Extensions, for each entry; NULL: none */
    const char *last_entry_extensions; /* instead, for the last one */
    const char *entry_tail;            /* hex, after each entry's extensions */
    const char *number;                /* hex, content of the INTEGER; NULL: absent */
    make_key aki;
    make_key signer;
    make_alg alg;
    make_alg outer_alg;
    const char *extra;
    bool no_extensions;
    bool flip_signature;
} make_crl;

typedef struct made {
    uint8_t der[6144];
    size_t len;
} made;

/* A leaf by MAKE_CA, an intermediate by MAKE_ROOT, a root; valid from 2020 to 2039. */
make_cert make_cert_default(make_key which);
/* The issuer's list, 2024-01-01 to 2024-12-31, nothing revoked. */
make_crl make_crl_default(make_key issuer);

void make_cert_write(const make_keys *k, const make_cert *c, made *out);
void make_crl_write(const make_keys *k, const make_crl *c, made *out);

atls_bytes made_bytes(const made *m);

#endif
