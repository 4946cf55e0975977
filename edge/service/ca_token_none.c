/* SPDX-License-Identifier: Apache-2.0 */
/* ca_token_none.c: in place of ca_token.c where there is no p11-kit. */
#include "ca_internal.h"

bool ca_token_signer_open(const char *uri, const char *pin_file, ca_signer *out, atls_error *err)
{
    (void)uri;
    (void)pin_file;
    *out = (ca_signer){.source = "pkcs11"};
    return atls_fail_unsupported(err, ATLS_E_UNSUPPORTED, "ca.key", "a PEM file",
                                 "pkcs11:", "this build knows no tokens: it was made without p11-kit");
}
