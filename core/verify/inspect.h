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
bool inspect_quote(inspection *i);
bool inspect_response(inspection *i);
bool inspect_event_log(inspection *i);

/* inspect_endorsements.c */
bool inspect_bundle(inspection *i);
bool inspect_tcb_info(inspection *i);    /* with or without the outer object and its signature */
bool inspect_qe_identity(inspection *i); /* same */
bool inspect_pem_certificates(inspection *i);
bool inspect_der_certificate(inspection *i);
bool inspect_pem_crl(inspection *i);
bool inspect_der_crl(inspection *i);

#endif
