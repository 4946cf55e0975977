/* SPDX-License-Identifier: Apache-2.0 */
/* verifier_crypto.h: what the edge asks of a verifier besides verdicts: its algorithms, for whoever computes what
 * will be compared, the kinds of evidence that its policy is about, and memory for its sessions. */
#ifndef ATLS_VERIFY_VERIFIER_CRYPTO_H
#define ATLS_VERIFY_VERIFIER_CRYPTO_H

#include "atls/verifier.h"
#include "base/arena_shelf.h"
#include "pki/signature.h"

/* atls_verifier_crypto: borrowed, as long as the verifier lives. */
const atls_crypto *atls_verifier_crypto(const atls_verifier *v);

/* atls_verifier_arenas: arenas of ATLS_ARENA_DEFAULT_SIZE; borrowed, as long as the verifier lives. */
atls_arena_shelf *atls_verifier_arenas(const atls_verifier *v);

/* atls_verifier_platforms tells whose evidence the policy can accept, as bits 1 << atls_platform. */
unsigned atls_verifier_platforms(const atls_verifier *v);

/* atls_verifier_newest_issue gives the newest issue date among the lists and documents that vouched in accepted
 * appraisals by v: no true clock is earlier. It never falls. ATLS_TIME_UNSET: there is none, or v remembers nothing.
 * Any number of threads. */
atls_time atls_verifier_newest_issue(const atls_verifier *v);

#endif
