/* SPDX-License-Identifier: Apache-2.0 */
/* verifier_crypto.h: a verifier lends its algorithms to whoever computes what it will compare. */
#ifndef ATLS_VERIFY_VERIFIER_CRYPTO_H
#define ATLS_VERIFY_VERIFIER_CRYPTO_H

#include "atls/verifier.h"
#include "pki/signature.h"

/* atls_verifier_crypto: borrowed, as long as the verifier lives. */
const atls_crypto *atls_verifier_crypto(const atls_verifier *v);

#endif
