/* SPDX-License-Identifier: Apache-2.0 */
/* peer_chain.c: the server's certificates as DER, for whoever wants to look at them. */
#include "peer_chain.h"

#include <openssl/err.h>

void atls_peer_chain_tell(atls_session *s, const STACK_OF(X509) * chain)
{
    atls_bytes ders[ATLS_MAX_TOLD_CERTIFICATES];
    unsigned char *owned[ATLS_MAX_TOLD_CERTIFICATES];
    size_t n = 0;
    const int there = chain == NULL ? 0 : sk_X509_num(chain);
    if (s->is_server || s->client.on_certificates == NULL || s->certificates_told || there <= 0) {
        return;
    }
    (void)ERR_set_mark(); /* inside a handshake the queue is OpenSSL's */
    for (int i = 0; i < there && n < ATLS_MAX_TOLD_CERTIFICATES; i++) {
        owned[n] = NULL;
        const int len = i2d_X509(sk_X509_value(chain, i), &owned[n]);
        if (len <= 0) {
            break;
        }
        ders[n] = atls_bytes_of(owned[n], (size_t)len);
        n++;
    }
    (void)ERR_pop_to_mark();
    if (n > 0) {
        s->certificates_told = true;
        s->client.on_certificates(s->client.certificates_ctx, ders, n);
    }
    for (size_t i = 0; i < n; i++) {
        OPENSSL_free(owned[i]);
    }
}
