/* SPDX-License-Identifier: Apache-2.0 */
/* error.h: one object, filled once by whoever finds the problem, useful to a stranger.
 *
 * Every fallible function returns a must-use bool and takes an atls_error last, never NULL. The first failure
 * wins: setting an error that is already set changes nothing. The object has a fixed size and takes no memory. */
#ifndef ATLS_ERROR_H
#define ATLS_ERROR_H

#include "bytes.h"

#ifdef __cplusplus
extern "C" {
#endif

/* Category: all that a remote peer is ever told. */
#define ATLS_CATEGORY_LIST(X)                                                                                          \
    X(NONE, "none")                                                                                                    \
    X(TRUST, "trust")       /* not vouched for, or not what was asked for */                                           \
    X(TIME, "time")         /* not yet, not any more, or not fresh */                                                  \
    X(CONTENT, "content")   /* malformed */                                                                            \
    X(INTERNAL, "internal") /* our own side: configuration, memory, network */

typedef enum atls_category {
#define X(name, text) ATLS_CATEGORY_##name,
    ATLS_CATEGORY_LIST(X)
#undef X
} atls_category;

/* Platform: whose evidence. */
#define ATLS_PLATFORM_LIST(X)                                                                                          \
    X(NONE, "none")                                                                                                    \
    X(TDX, "tdx")                                                                                                      \
    X(SGX, "sgx")                                                                                                      \
    X(SEV_SNP, "sev_snp")                                                                                              \
    X(TPM, "tpm")                                                                                                      \
    X(NITRO, "nitro")                                                                                                  \
    X(ANDROID, "android")                                                                                              \
    X(APPLE, "apple")                                                                                                  \
    X(ENROLLED, "enrolled_key") /* a certificate for a key that some phone attested before */

typedef enum atls_platform {
#define X(name, text) ATLS_PLATFORM_##name,
    ATLS_PLATFORM_LIST(X)
#undef X
        ATLS_N_PLATFORMS
} atls_platform;

/* The codes: name, category, exit status of the program (see atls(1)), kind in the vocabulary of dstack clients
 * (18 of them), one sentence. The name without ATLS_E_ is the public spelling, in JSON and in the manual.
 * Codes are only ever added, at the end of their block; the numbers are not part of the interface, the names are. */
#define ATLS_CODE_LIST(X)                                                                                              \
    X(OK, NONE, 0, "", "no error")                                                                                     \
    /* our own side */                                                                                                 \
    X(USAGE, INTERNAL, 1, "Configuration", "the call or the command line makes no sense")                              \
    X(CONFIGURATION, INTERNAL, 1, "Configuration", "the policy or the configuration is not valid")                     \
    X(MEMORY, INTERNAL, 70, "Other", "the memory set aside for this appraisal is used up")                             \
    X(INTERNAL, INTERNAL, 70, "Other", "something that cannot happen happened")                                        \
    /* network and peer */                                                                                             \
    X(IO, INTERNAL, 3, "Io", "reading or writing failed, or the peer broke the protocol")                              \
    X(TIMEOUT, INTERNAL, 3, "Io", "the deadline passed")                                                               \
    X(TLS_HANDSHAKE, INTERNAL, 3, "TlsHandshake", "the TLS handshake or the exporter failed")                          \
    X(INVALID_SERVER_NAME, INTERNAL, 1, "InvalidServerName", "the server name cannot be used")                         \
    X(MISSING_CERTIFICATE, TRUST, 3, "MissingCertificate", "the peer sent no certificate")                             \
    X(PEER_REFUSED, TRUST, 3, "Io", "the peer refused this session")                                                   \
    X(PROTOCOL, CONTENT, 3, "Io", "the peer does not keep to the protocol of the session")                             \
    /* malformed or unsupported, whatever the kind of evidence */                                                      \
    X(OTHER, CONTENT, 2, "Other", "the evidence cannot be decoded")                                                    \
    X(TRUNCATED, CONTENT, 2, "Quote", "the input ends too early")                                                      \
    X(TRAILING, CONTENT, 2, "Quote", "there are bytes after the end")                                                  \
    X(ENCODING, CONTENT, 2, "Quote", "the encoding is not valid")                                                      \
    X(LIMIT, CONTENT, 2, "Quote", "a limit is exceeded")                                                               \
    X(UNSUPPORTED, CONTENT, 8, "Quote", "this kind, version or algorithm is not supported")                            \
    X(QUOTE, CONTENT, 2, "Quote", "the response or the evidence in it is not valid")                                   \
    /* a signed bundle of endorsements */                                                                              \
    X(BUNDLE_SIGNATURE, TRUST, 2, "Quote", "the bundle of endorsements is not signed by a key that is trusted for it") \
    X(BUNDLE_OLDER, TIME, 5, "Quote", "the bundle of endorsements is older than one that was used before")             \
    /* DCAP, in the order of their checks */                                                                           \
    X(QUOTE_FORMAT, CONTENT, 2, "Quote", "the quote is malformed")                                                     \
    X(ENDORSEMENTS_MISSING, INTERNAL, 5, "Quote", "endorsements for this evidence are missing")                        \
    X(COLLATERAL_FORMAT, CONTENT, 2, "Quote", "the endorsements are malformed")                                        \
    X(CRL, TRUST, 2, "Quote", "a revocation list cannot be trusted")                                                   \
    X(PCK_CHAIN, TRUST, 2, "Quote", "the certificate chain of the platform cannot be trusted")                         \
    X(TCB_INFO_SIGNATURE, TRUST, 2, "Quote", "the TCB info is not signed by who must sign it")                         \
    X(QE_IDENTITY_SIGNATURE, TRUST, 2, "Quote", "the QE identity is not signed by who must sign it")                   \
    X(REVOKED, TRUST, 7, "Quote", "a certificate is revoked")                                                          \
    X(EXPIRED, TIME, 5, "Quote", "something signed is past its validity")                                              \
    X(NOT_YET_VALID, TIME, 5, "Quote", "something signed is not valid yet")                                            \
    X(TCB_INFO_MISMATCH, TRUST, 2, "Quote", "the TCB info belongs to another platform")                                \
    X(QE_IDENTITY_MISMATCH, TRUST, 2, "Quote", "the quoting enclave is not the one that is endorsed")                  \
    X(TDX_MODULE_MISMATCH, TRUST, 2, "Quote", "the TDX module is not one that is endorsed")                            \
    X(QE_REPORT_SIGNATURE, TRUST, 2, "Quote", "the QE report is not signed by the platform's key")                     \
    X(QE_REPORT_DATA, TRUST, 2, "Quote", "the QE report does not vouch for the attestation key")                       \
    X(QUOTE_SIGNATURE, TRUST, 2, "Quote", "the quote is not signed by the attestation key")                            \
    X(TCB_NOT_SUPPORTED, TRUST, 4, "Quote", "no TCB level covers this platform")                                       \
    X(TCB_REVOKED, TRUST, 7, "Quote", "the TCB level of this platform is revoked")                                     \
    X(TD_ATTRIBUTES, TRUST, 4, "Quote", "the attributes of the TD or enclave are not acceptable")                      \
    X(TCB_STATUS_NOT_ALLOWED, TRUST, 4, "TcbStatusNotAllowed", "the TCB status is not allowed by the policy")          \
    X(TCB_INFO, TRUST, 5, "TcbInfoError", "the grace period cannot be computed from the TCB level")                    \
    X(GRACE_PERIOD_EXPIRED, TIME, 4, "GracePeriodExpired", "the platform is out of date for longer than allowed")      \
    X(TCB_EVALUATION_NUMBER, TIME, 5, "Quote", "the endorsements are older than the policy allows")                    \
    X(ADVISORY_NOT_ALLOWED, TRUST, 4, "Quote", "a security advisory applies that the policy does not accept")          \
    X(TEE_TYPE_MISMATCH, TRUST, 4, "TeeTypeMismatch", "the evidence is of another kind of TEE")                        \
    X(MACHINE_NOT_ALLOWED, TRUST, 4, "Quote", "the machine is not on the policy's list")                               \
    X(MEASUREMENT_MISMATCH, TRUST, 4, "Quote", "a measurement is not one of the reference values")                     \
    /* binding */                                                                                                      \
    X(REPORT_DATA_MISMATCH, TIME, 6, "ReportDataMismatch", "the evidence was not made for this session or key")        \
    X(GRADE, TRUST, 6, "Quote", "the binding is weaker than the policy asks for")                                      \
    /* dstack, in the order of their checks */                                                                         \
    X(EVENT_LOG_PARSE, CONTENT, 2, "EventLogParse", "the event log is malformed")                                      \
    X(RTMR_MISMATCH, TRUST, 2, "RtmrMismatch", "the event log does not replay to the quoted register")                 \
    X(CERTIFICATE_NOT_IN_EVENT_LOG, TRUST, 6, "CertificateNotInEventLog", "the certificate was not measured")          \
    X(BOOTCHAIN_MISMATCH, TRUST, 4, "BootchainMismatch", "the boot chain is not the expected one")                     \
    X(APP_COMPOSE_HASH_MISMATCH, TRUST, 4, "AppComposeHashMismatch", "the application is not the expected one")        \
    X(OS_IMAGE_HASH_MISMATCH, TRUST, 4, "OsImageHashMismatch", "the OS image is not the expected one")                 \
    /* a name of the server that the evidence does not carry */                                                        \
    /* evidence of the other kinds: SEV-SNP, TPM 2.0, Nitro */                                                         \
    X(EVIDENCE_FORMAT, CONTENT, 2, "Quote", "the evidence is malformed")                                               \
    X(CERTIFICATE_CHAIN, TRUST, 2, "Quote",                                                                            \
      "the chain of certificates that vouches for the evidence cannot be trusted")                                     \
    X(CERTIFICATE_MISMATCH, TRUST, 2, "Quote", "the certificate is of another chip, TCB or kind than the evidence")    \
    X(KEY_ATTRIBUTES, TRUST, 2, "Quote", "the attestation key may sign other things than a TPM's own statements")      \
    X(KEY_NOT_AUTHENTICATED, TRUST, 4, "Quote", "nothing vouches for the attestation key")                             \
    X(EVIDENCE_SIGNATURE, TRUST, 2, "Quote", "the evidence is not signed by the key that is vouched for")              \
    X(PCR_DIGEST, TRUST, 2, "Quote", "the PCR values are not those that were quoted")                                  \
    X(PCR_MISMATCH, TRUST, 2, "Quote", "the event log does not replay to the quoted PCR")                              \
    X(EVIDENCE_AGE, TIME, 6, "Quote", "the evidence is too old, or from the future")                                   \
    X(GUEST_POLICY, TRUST, 4, "Quote", "the state of the guest or of its platform is not acceptable")                  \
    X(TCB_TOO_LOW, TRUST, 4, "Quote", "a version of the TCB is lower than the policy allows")                          \
    /* Android key attestation: one per reason, in the order of their checks (atls/android.h has their words) */       \
    X(ANDROID_CHAIN_UNPARSABLE, CONTENT, 2, "Quote", "the certificates of the phone's statement cannot be read")       \
    X(ANDROID_APP_UNEXPECTED, CONTENT, 2, "Quote", "the key description is missing or cannot be read")                 \
    X(ANDROID_PACKAGE_NAME, CONTENT, 4, "Quote", "the app is none of those that the policy accepts")                   \
    X(ANDROID_APP_VERSION, CONTENT, 4, "Quote", "the app is older than the policy allows")                             \
    X(ANDROID_APP_SIGNER_DIGEST, CONTENT, 4, "Quote", "the app is signed by somebody else")                            \
    X(ANDROID_ROOT_TIME, TIME, 5, "Quote", "the root certificate is outside its validity")                             \
    X(ANDROID_OTHER_MATCHING_ROOT, TRUST, 2, "Quote", "the root is known, but not one that is trusted for this")       \
    X(ANDROID_NO_MATCHING_ROOT, TRUST, 2, "Quote", "the root is nobody's that is known")                               \
    X(ANDROID_ROOT_INVALID, TRUST, 2, "Quote", "the root does not sign itself")                                        \
    X(ANDROID_LIST_UNAVAILABLE, TRUST, 5, "Quote", "there is no list of revoked certificates that can be used")        \
    X(ANDROID_CERTIFICATE_TIME, TIME, 5, "Quote", "a certificate of the chain is outside its validity")                \
    X(ANDROID_CERTIFICATE_INVALID, TRUST, 2, "Quote", "a certificate is not signed by the next one")                   \
    X(ANDROID_REVOKED, TRUST, 7, "Quote", "a certificate of the chain is revoked")                                     \
    X(ANDROID_PATH_VALIDATION, TRUST, 2, "Quote", "the chain has not the form that such chains have")                  \
    X(ANDROID_CHALLENGE, CONTENT, 6, "Quote", "the key was attested for another challenge")                            \
    X(ANDROID_STATEMENT_TIME, TIME, 6, "Quote", "the key was made too long ago, or in the future")                     \
    X(ANDROID_SEC_LEVEL, CONTENT, 4, "Quote", "the key is not as well protected as the policy asks for")               \
    X(ANDROID_SYSTEM_INTEGRITY, CONTENT, 4, "Quote", "the phone did not boot what its maker signed")                   \
    X(ANDROID_ROLLBACK_RESISTANCE, CONTENT, 4, "Quote", "the key does not resist being rolled back")                   \
    X(ANDROID_OS_VERSION, CONTENT, 4, "Quote", "the system is older than the policy allows, or states no version")     \
    /* Apple App Attest, in the order of their checks (atls/apple.h has the words of the specification for each) */    \
    X(APPLE_APP_UNEXPECTED, CONTENT, 2, "Quote", "the attestation is not one that App Attest makes")                   \
    X(APPLE_CHALLENGE, CONTENT, 6, "Quote", "the attestation was made for other client data")                          \
    X(APPLE_IDENTIFIER, CONTENT, 4, "Quote", "the attestation is of another app, or of another stage of it")           \
    X(APPLE_RECEIPT, CONTENT, 2, "Quote", "the receipt is malformed, not of Apple, or of another app or key")          \
    X(APPLE_STATEMENT_TIME, TIME, 6, "Quote", "the receipt is too old, or from the future")                            \
    X(APPLE_OS_VERSION, CONTENT, 4, "Quote", "the system is older than the policy allows, or does not say")            \
    X(APPLE_ASSERTION, CONTENT, 6, "Quote", "the assertion is malformed, not of this key or app, or used already")     \
    X(APPLE_SIG_CTR, CONTENT, 6, "Quote", "the key that vouches for another one has signed other things before")       \
    /* enrolment, in the order of its steps (atls/enroller.h has the specification's words) */                         \
    X(ENROL_CHALLENGE, CONTENT, 2, "Quote", "the challenge of the server cannot be used")                              \
    X(ENROL_CSR, CONTENT, 2, "Quote", "the certification request is malformed")                                        \
    X(ENROL_CHALLENGE_MISSING, CONTENT, 2, "Quote", "the certification request does not name its challenge")           \
    X(ENROL_CHALLENGE_UNKNOWN, CONTENT, 6, "Quote", "the challenge is not one that was issued here")                   \
    X(ENROL_CHALLENGE_EXPIRED, CONTENT, 6, "Quote", "the challenge is too old")                                        \
    X(ENROL_CHALLENGE_USED, CONTENT, 6, "Quote", "the challenge was used before")                                      \
    X(ENROL_STORE, INTERNAL, 3, "Io", "the store of challenges cannot be asked")                                       \
    X(ENROL_STATEMENT, CONTENT, 2, "Quote", "the certification request carries no statement that can be read")         \
    X(ENROL_PLATFORM, INTERNAL, 1, "Configuration", "phones of this kind are not configured here")                     \
    X(ENROL_KEY_MISMATCH, TRUST, 6, "Quote", "the attested key is not the one of the certification request")           \
    X(ENROL_CSR_SIGNATURE, TRUST, 2, "Quote", "the certification request is not signed by its own key")                \
    X(ENROL_ISSUE, INTERNAL, 3, "Io", "no certificate could be issued")                                                \
    X(ENROL_RESPONSE, CONTENT, 3, "Io", "the answer of the server cannot be used")                                     \
    /* enrolled keys: what a certificate of the enrolment CA says of its key (atls/enrolled_key.h) */                  \
    X(ENROLLED_EXTENSION, TRUST, 4, "Quote", "the certificate does not say which app and hardware its key is of")      \
    X(ENROLLED_APPLICATION, TRUST, 4, "Quote", "the key is of another app than the policy accepts")                    \
    X(ENROLLED_SECURITY_LEVEL, TRUST, 4, "Quote", "the key is not as well protected as the policy asks for")           \
    X(ENROLLED_POLICY, TRUST, 4, "Quote", "the key was enrolled under another policy")                                 \
    X(IDENTITY, TRUST, 3, "TlsHandshake", "the server's certificate does not prove the name that was asked for")

typedef enum atls_code {
#define X(name, category, exit_status, kind, text) ATLS_E_##name,
    ATLS_CODE_LIST(X)
#undef X
        ATLS_N_CODES
} atls_code;

#define ATLS_OK ATLS_E_OK

typedef struct atls_error {
    atls_code code;         /* one per failure worth telling apart */
    atls_category category; /* all that a remote peer is told */
    atls_platform platform; /* whose evidence */
    bool
        retry; /* "could not find out": trying again may help: I/O, time-out, handshake, a list that is missing, a store */
    bool unsupported;   /* perhaps fine, but of a kind, version or algorithm that this library does not know */
    char field[64];     /* "quote.td_report.mrtd": where, in the specification's words */
    char expected[132]; /* hex or decimal or a name, public data only */
    char actual[132];
    char message[160]; /* one sentence for the person who debugs it, no newline */
} atls_error;

/* atls_error_clear makes err say ATLS_OK. An atls_error must be cleared (or zeroed) before its first use. */
void atls_error_clear(atls_error *err);

/* atls_fail records the first failure and returns false, so that a check can say `return atls_fail(...)`.
 * field and the printf-style message are cut at their sizes; control characters become '?'. When err holds a
 * failure already nothing changes. A message of NULL takes the sentence of the code. */
bool atls_fail(atls_error *err, atls_code code, const char *field, const char *message, ...) ATLS_PRINTF(4, 5);

/* atls_fail_values is atls_fail with expected and actual as text. */
bool atls_fail_values(atls_error *err, atls_code code, const char *field, const char *expected, const char *actual,
                      const char *message, ...) ATLS_PRINTF(6, 7);

/* atls_fail_bytes is atls_fail with expected and actual as lower-case hex, cut at 64 bytes with "..". */
bool atls_fail_bytes(atls_error *err, atls_code code, const char *field, atls_bytes expected, atls_bytes actual,
                     const char *message, ...) ATLS_PRINTF(6, 7);

/* atls_fail_unsupported is atls_fail_values for a kind, version or algorithm that this library does not know: it
 * marks the error, which makes the exit status 8 whatever the code. */
bool atls_fail_unsupported(atls_error *err, atls_code code, const char *field, const char *expected, const char *actual,
                           const char *message, ...) ATLS_PRINTF(6, 7);

/* atls_error_relabel gives a failure that came from a reader (TRUNCATED, TRAILING, ENCODING, LIMIT) the code of the
 * object that was being read, keeps its field, expected, actual and message, and prefixes the field with
 * `prefix` and a dot. Other codes keep their code, and only gain the prefix. Returns false, for `return`. */
bool atls_error_relabel(atls_error *err, atls_code code, const char *prefix);

/* atls_code_name gives "QUOTE_FORMAT" for ATLS_E_QUOTE_FORMAT; "INTERNAL" for a number that is no code. Static. */
const char *atls_code_name(atls_code code);
/* atls_code_kind gives the dstack vocabulary's name, "" for OK. Static. */
const char *atls_code_kind(atls_code code);
/* atls_code_text gives the sentence of the list. Static. */
const char *atls_code_text(atls_code code);
/* atls_code_category gives the category of the list. */
atls_category atls_code_category(atls_code code);
/* atls_code_exit_status gives the exit status that the list has for a code: 0 to 8 or 70. */
int atls_code_exit_status(atls_code code);
/* atls_error_exit_status gives the exit status of the program for an error: 8 when it is marked unsupported,
 * the list's otherwise. */
int atls_error_exit_status(const atls_error *err);
/* atls_category_name, atls_platform_name give the lower-case words of the lists. Static. */
const char *atls_category_name(atls_category category);
const char *atls_platform_name(atls_platform platform);

/* atls_error_line writes one line without newline, "QUOTE_FORMAT quote.header.version: message (expected 4, actual 6)",
 * NUL-terminated, cut at size. Returns the length that was written. */
size_t atls_error_line(const atls_error *err, char *out, size_t size);

#ifdef __cplusplus
}
#endif
#endif
