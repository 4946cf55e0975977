/* SPDX-License-Identifier: Apache-2.0 */
/* inputs.h: what an appraisal is made from, out of files.
 *
 * Everything is read before anything is decided and before any network traffic. The container of evidence (binary, hex,
 * response) is recognised from its bytes; what kind of evidence is acceptable never is: that is the policy's. */
#ifndef ATLS_CLI_INPUTS_H
#define ATLS_CLI_INPUTS_H

#include "bundle.h"
#include "options.h"

#define CLI_MAX_ROOTS 8u

/* Evidence as the verifier wants it. */
typedef struct cli_evidence {
    atls_bytes quote;
    atls_bytes event_log;   /* empty: none */
    atls_bytes client_data; /* of a statement of an iPhone; empty: none */
} cli_evidence;

/* cli_evidence_load reads a quote (binary, or hex digits with white space anywhere), the response of /tdx_quote or GetQuote, or a
 * phone's statement of enrolment (an object with "typ"). Errors: those of cli_read, of atls_dstack_response_decode and of
 * atls_enrol_statement_read; TRUNCATED for an empty file. */
ATLS_MUST_USE bool cli_evidence_load(const char *path, atls_arena *a, cli_evidence *out, atls_error *err);

/* cli_policy_load reads the policy file; without one it takes the least there is for `kind` ("tdx" when NULL): genuine,
 * UpToDate, no reference values. roots (files of --root, DER or PEM) are trusted instead of the vendor's. The caller's
 * (atls_policy_free). Errors: USAGE, and those of atls_policy_parse_with_roots. */
ATLS_MUST_USE bool cli_policy_load(const char *path, const char *kind, const cli_list *roots, atls_arena *a,
                                   atls_policy **out, atls_error *err);

/* cli_roots_load reads files of --root, at most CLI_MAX_ROOTS certificates, DER or PEM. Errors: USAGE. */
ATLS_MUST_USE bool cli_roots_load(const cli_list *roots, atls_arena *a, atls_bytes out[CLI_MAX_ROOTS], size_t *n,
                                  atls_error *err);

/* cli_endorsements_load reads bundles, folders, certificates and lists, all together; an empty list gives none. ctx of
 * cli_endorse. A signed bundle is refused, since nobody said who may have signed it. */
typedef struct cli_endorsements {
    bool present;
    atls_endorsements value;
    atls_bundle signed_bundle; /* n_pieces 0: there is none */
    atls_fetcher *fetcher;     /* what else to ask; NULL: nobody. Whoever sets it frees it */
    atls_error not_fetched;    /* why the files had to do for a request; OK: they had not */
} cli_endorsements;
ATLS_MUST_USE bool cli_endorsements_load(const cli_list *paths, atls_arena *a, cli_endorsements *out, atls_error *err);

/* cli_endorsements_load_signed is the same, with at most one signed bundle among them. What it has for a request comes
 * together with the other files; where both have collateral, or a status list, the files' is taken. */
ATLS_MUST_USE bool cli_endorsements_load_signed(const cli_list *paths, const cli_bundle_words *w, atls_arena *a,
                                                cli_endorsements *out, atls_error *err);

/* cli_endorse is the atls_endorse_fn over them. Collateral of Intel's kind and the status list are fetched where no file has any; certificates and
 * lists are fetched and added to those of the files, which do where nothing can be had. */
bool cli_endorse(void *ctx, const atls_endorsement_request *request, atls_arena *arena, atls_endorsements *out,
                 atls_error *err);

/* cli_endorse_explain adds to "endorsements are missing" why they could not be fetched, where the files had to do. */
void cli_endorse_explain(const cli_endorsements *e, atls_error *err);

/* cli_leaf_sha256 hashes the first certificate of a PEM or DER file. */
ATLS_MUST_USE bool cli_leaf_sha256(const char *path, const char *field, atls_arena *a, uint8_t out[32],
                                   atls_error *err);

#endif
