/* SPDX-License-Identifier: Apache-2.0 */
/* inspect.h: what atls_inspect_json is made of. Everything here shows, and believes nothing. */
#ifndef ATLS_VERIFY_INSPECT_H
#define ATLS_VERIFY_INSPECT_H

#include "atls/arena.h"
#include "base/json.h"
#include "pki/signature.h"

typedef struct inspection {
    atls_bytes file;
    const atls_json *json; /* the file as JSON, NULL when it is none */
    const atls_crypto *crypto;
    atls_arena *arena;
    atls_error *err;
    atls_jw w;
} inspection;

/* Each writes members into the open object of i->w. Errors: the decoders' own. */
bool atls_inspect_quote(inspection *i);
bool atls_inspect_response(inspection *i);
bool atls_inspect_event_log(inspection *i);

/* inspect_endorsements.c */
bool atls_inspect_bundle(inspection *i);
bool atls_inspect_tcb_info(inspection *i);    /* with or without the outer object and its signature */
bool atls_inspect_qe_identity(inspection *i); /* same */
bool atls_inspect_pem_crl(inspection *i);
bool atls_inspect_der_crl(inspection *i);

/* inspect_certificates.c */
bool atls_inspect_pem_certificates(inspection *i);
bool atls_inspect_der_certificate(inspection *i);
bool atls_inspect_blob(inspection *i); /* a file known by its first bytes alone */
/* atls_inspect_chain shows certificates of collateral as the array `name`: what identifies them, not their extensions. */
bool atls_inspect_chain(inspection *i, const char *name, atls_bytes pem);

/* atls_inspect_nested_quote writes a quote that was found inside something as member `name`, or the reason why it
 * cannot be read. False with MEMORY only. */
bool atls_inspect_nested_quote(inspection *i, const char *name, atls_bytes quote);

#endif
