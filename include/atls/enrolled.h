/* SPDX-License-Identifier: Apache-2.0 */
/* enrolled.h: what a certificate says about the phone that enrolled for it: the private extension "attested key".
 *
 * A CA of attested enrolment (docs/enrolment-service.md) writes it into what it issues, and whoever is shown the certificate
 * reads what was attested, when the certificate was issued, without asking anybody. It is as good as that CA is: read it after the
 * chain has been verified. It does not say what was checked: the digest names the policy that said.
 *
 *   attestedKey EXTENSION, OID 2.25.222374615371145745962783718381423021759
 *       (UUID a74bcb06-13e4-4303-bd7c-00bf3f11cebf), never critical, extnValue DER of
 *   AttestedKey ::= SEQUENCE {
 *       version        INTEGER (1),
 *       platform       ENUMERATED { android (1), apple (2) },
 *       app            UTF8String (SIZE (1..512 bytes)),      -- package name; "TEAMID.bundle.identifier"
 *       securityLevel  ENUMERATED { software (0), trustedEnvironment (1), strongBox (2), secureEnclave (3) },
 *       policySha256   OCTET STRING (SIZE (32)) }
 *
 * Levels 0 to 2 are Android's, 3 is Apple's; they do not mix. Pure; any number of threads. */
#ifndef ATLS_ENROLLED_H
#define ATLS_ENROLLED_H

#include "arena.h"
#include "bytes.h"
#include "error.h"

#ifdef __cplusplus
extern "C" {
#endif

#define ATLS_ENROLLED_OID         "2.25.222374615371145745962783718381423021759"
#define ATLS_ENROLLED_VERSION     1u
#define ATLS_ENROLLED_MAX_APP_LEN 512u /* bytes */
#define ATLS_ENROLLED_MAX_LEN     1024u

typedef struct atls_enrolled {
    unsigned version;           /* ATLS_ENROLLED_VERSION */
    atls_platform platform;     /* ANDROID, APPLE */
    atls_bytes app;             /* UTF-8 without control characters */
    const char *security_level; /* "SOFTWARE", "TRUSTED_ENVIRONMENT", "STRONG_BOX"; "SECURE_ENCLAVE" */
    uint8_t policy_sha256[32];
} atls_enrolled;

/* atls_enrolled_oid gives the content of the extension's OBJECT IDENTIFIER. Static. */
atls_bytes atls_enrolled_oid(void);

/* atls_enrolled_extension_read reads the value of the extension (content of extnValue): strict DER, nothing left out, nothing
 * behind it. out->app borrows value, security_level is static; out is zeroed on failure. Errors: ENCODING, TRUNCATED, TRAILING
 * with a field such as "attested_key.platform"; UNSUPPORTED for another version. */
ATLS_MUST_USE bool atls_enrolled_extension_read(atls_bytes value, atls_enrolled *out, atls_error *err);

/* atls_enrolled_extension_write writes one, in the arena. Errors: USAGE with the member as field, MEMORY. */
ATLS_MUST_USE bool atls_enrolled_extension_write(const atls_enrolled *in, atls_arena *arena, atls_bytes *out,
                                                 atls_error *err);

#ifdef __cplusplus
}
#endif
#endif
