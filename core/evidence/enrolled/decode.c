/* SPDX-License-Identifier: Apache-2.0 */
/* decode.c: certificates, one behind the other. What is in them is chain.c's. */
#include "base/der.h"
#include "enrolled.h"

bool enrolled_decode(atls_bytes in, enrolled_evidence *out, atls_error *err)
{
    atls_error why = {0};
    atls_cur c;
    *out = (enrolled_evidence){.n = 0};
    atls_cur_init(&c, in, "chain", &why);
    while (c.rest.len > 0) {
        atls_der_tag tag;
        atls_bytes whole;
        const size_t at = atls_cur_offset(&c);
        if (!atls_der_any(&c, "", &tag, NULL, &whole) || tag != ATLS_DER_SEQUENCE || whole.len > ATLS_MAX_CERT_LEN) {
            return atls_fail(err, ATLS_E_EVIDENCE_FORMAT, "chain", "what stands at byte %zu is no certificate", at);
        }
        if (out->n == ATLS_ENROLLED_MAX_CHAIN) {
            return atls_fail(err, ATLS_E_EVIDENCE_FORMAT, "chain", "more than %u certificates",
                             ATLS_ENROLLED_MAX_CHAIN);
        }
        out->ders[out->n++] = whole;
    }
    return out->n > 0 || atls_fail(err, ATLS_E_EVIDENCE_FORMAT, "chain", "there is no certificate");
}
