/* SPDX-License-Identifier: Apache-2.0 */
/* guess.h: which kind of evidence bytes look like. A guess decides what is shown, and which policy is taken where nobody gave
 * one; never what a policy accepts. */
#ifndef ATLS_VERIFY_GUESS_H
#define ATLS_VERIFY_GUESS_H

#include "base/json.h"

/* Each looks at a few bytes, or at the names of members. */
bool atls_looks_like_quote(atls_bytes in);   /* of DCAP, SGX or TDX */
bool atls_looks_like_sev_snp(atls_bytes in); /* a report, or a report and its certificates */
bool atls_looks_like_nitro(atls_bytes in);   /* COSE_Sign1 as AWS writes it */
bool atls_looks_like_apple(atls_bytes in);   /* an attestation object of App Attest */
bool atls_looks_like_tpm(atls_bytes in);     /* CBOR or protobuf of TPM quotes */
bool atls_looks_like_tpm_json(const atls_json *v);

#endif
