/* SPDX-License-Identifier: Apache-2.0 */
/* root.c: roots by their facts, for chains that leave the root out. */
#include <string.h>

#include "chain.h"

bool atls_root_from_der(const atls_crypto *c, atls_bytes der, atls_anchor *anchor, atls_root *out, atls_error *err)
{
    static const char field[] = "trusted_roots";
    atls_cert cert;
    if (!atls_anchor_from_der(c, der, anchor, err)) {
        return false;
    }
    if (!atls_cert_decode(der, "", &cert, err)) {
        return atls_error_relabel(err, ATLS_E_PCK_CHAIN, field);
    }
    if (!cert.is_ca || !cert.has_key_usage || (cert.key_usage & ATLS_KU_KEY_CERT_SIGN) == 0 || cert.has_unknown_critical
        || cert.has_path_len) {
        return atls_fail(
            err, ATLS_E_PCK_CHAIN, field,
            "a root must be a CA that may sign certificates, without a path length or a critical extension "
            "that is not understood");
    }
    *out = (atls_root){
        .anchor = anchor,
        .subject = cert.subject,
        .subject_key_id = cert.subject_key_id,
        .key = cert.key,
        .not_before = cert.not_before,
        .not_after = cert.not_after,
    };
    return true;
}

void atls_root_as_issuer(const atls_root *root, atls_cert *out)
{
    const atls_bytes none = atls_bytes_empty();
    memset(out, 0, sizeof *out);
    out->der = none;
    out->tbs = none;
    out->serial = none;
    out->issuer = root->subject;
    out->subject = root->subject;
    out->not_before = root->not_before;
    out->not_after = root->not_after;
    out->spki = none;
    out->key = root->key;
    out->signature = none;
    out->has_basic_constraints = true;
    out->is_ca = true;
    out->has_key_usage = true;
    out->key_usage = ATLS_KU_KEY_CERT_SIGN;
    out->authority_key_id = none;
    out->authority_issuer = none;
    out->authority_serial = none;
    out->subject_key_id = root->subject_key_id;
}
