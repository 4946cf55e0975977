/* SPDX-License-Identifier: Apache-2.0 */
/* pki.h: what the targets of core/pki share: slices that must lie inside the input, and OpenSSL as the second reader.
 */
#ifndef ATLS_FUZZ_PKI_H
#define ATLS_FUZZ_PKI_H

#include <openssl/err.h>
#include <openssl/x509.h>
#include <string.h>

#include "atls/time.h"
#include "fuzz.h"

static inline bool fuzz_inside(atls_bytes part, atls_bytes whole)
{
    return part.ptr == atls_bytes_empty().ptr
           || (part.ptr >= whole.ptr && part.ptr <= whole.ptr + whole.len
               && part.len <= (size_t)(whole.ptr + whole.len - part.ptr));
}

/* OpenSSL's reader also looks into the strings of a Name; ours does not, on purpose. */
static inline bool fuzz_name_is_odd(atls_bytes name)
{
    const uint8_t *p = name.ptr;
    X509_NAME *n = d2i_X509_NAME(NULL, &p, (long)name.len);
    X509_NAME_free(n);
    ERR_clear_error();
    return n == NULL;
}

static inline bool fuzz_same_name(const X509_NAME *theirs, atls_bytes ours)
{
    const uint8_t *der;
    size_t len;
    return X509_NAME_get0_der(theirs, &der, &len) == 1 && atls_bytes_equal(atls_bytes_of(der, len), ours);
}

static inline bool fuzz_same_integer(const ASN1_INTEGER *theirs, atls_bytes ours)
{
    const uint8_t *bytes = ASN1_STRING_get0_data(theirs);
    size_t len = (size_t)ASN1_STRING_length(theirs);
    return ASN1_STRING_type(theirs) == V_ASN1_INTEGER && atls_bytes_equal(atls_bytes_of(bytes, len), ours);
}

static inline bool fuzz_same_time(const ASN1_TIME *theirs, atls_time ours)
{
    int days = 0;
    int seconds = 0;
    ASN1_TIME *epoch = ASN1_TIME_set(NULL, 0);
    bool ok = epoch != NULL && ASN1_TIME_diff(&days, &seconds, epoch, theirs) == 1;
    ASN1_TIME_free(epoch);
    return ok && (atls_time)days * 86400 + seconds == ours;
}

#endif
