/* SPDX-License-Identifier: Apache-2.0 */
/* ca_crl.c: the issuer's list of revoked certificates. */

#include "ca_internal.h"

#define ENTRY_LEN 64u   /* of one entry: a serial of 20 bytes, a date, headers */
#define REST_LEN  4096u /* of all the rest, the signature not included */

static const uint8_t oid_authority[] = {0x55, 0x1d, 0x23};
static const uint8_t oid_number[] = {0x55, 0x1d, 0x14};

#define OF(array) atls_bytes_of((array), sizeof(array))

static bool check(const atls_ca *ca, const atls_bytes *serials, size_t n, atls_time now, int64_t seconds,
                  atls_error *err)
{
    if (n > ATLS_CA_MAX_REVOKED) {
        return atls_fail(err, ATLS_E_USAGE, "serials", "at most %u", ATLS_CA_MAX_REVOKED);
    }
    for (size_t i = 0; i < n; i++) {
        if (serials[i].len == 0 || serials[i].len > 20 || atls_bytes_is_zero(serials[i])) {
            return atls_fail(err, ATLS_E_USAGE, "serials", "a serial has 1 to 20 bytes, and is not zero");
        }
    }
    if (seconds < 1 || seconds > (int64_t)366 * 86400) {
        return atls_fail(err, ATLS_E_USAGE, "seconds", "a list lives for a second to a year");
    }
    return ca_check_time(ca, now, err);
}

static void put_entries(ca_der *d, const atls_bytes *serials, size_t n, atls_time now)
{
    if (n == 0) {
        return; /* an empty list is left out, RFC 5280 5.1.2.6 */
    }
    ca_der_open(d, ATLS_DER_SEQUENCE);
    for (size_t i = 0; i < n; i++) {
        ca_der_open(d, ATLS_DER_SEQUENCE);
        ca_der_unsigned(d, serials[i].ptr, serials[i].len);
        ca_der_time(d, now);
        ca_der_close(d);
    }
    ca_der_close(d);
}

static void put_number(ca_der *d, atls_time now)
{
    uint8_t number[8];
    for (size_t i = 0; i < sizeof number; i++) {
        number[i] = (uint8_t)((uint64_t)now >> (56 - 8 * i));
    }
    ca_extension_open(d, OF(oid_number), false);
    ca_der_unsigned(d, number, sizeof number);
    ca_extension_close(d);
}

static void put_list(const atls_ca *ca, ca_der *d, const atls_bytes *serials, size_t n, atls_time now, atls_time until)
{
    ca_der_open(d, ATLS_DER_SEQUENCE);
    ca_der_small(d, 1); /* v2 */
    ca_algorithm_put(d, ca->alg);
    ca_der_raw(d, ca->subject);
    ca_der_time(d, now);
    ca_der_time(d, until);
    put_entries(d, serials, n, now);
    ca_der_open(d, ATLS_DER_CONTEXT_CONS(0));
    ca_der_open(d, ATLS_DER_SEQUENCE);
    ca_extension_open(d, OF(oid_authority), false);
    ca_der_open(d, ATLS_DER_SEQUENCE);
    ca_der_put(d, ATLS_DER_CONTEXT(0), ca->key_id);
    ca_der_close(d);
    ca_extension_close(d);
    put_number(d, now);
    ca_der_close(d);
    ca_der_close(d);
    ca_der_close(d);
}

bool atls_ca_crl(atls_ca *ca, const atls_bytes *serials, size_t n, atls_time now, int64_t seconds, atls_arena *arena,
                 atls_bytes *out, atls_error *err)
{
    ca_signature *s = atls_arena_alloc(arena, sizeof *s, err);
    ca_der d;
    atls_bytes tbs;
    *out = atls_bytes_empty();
    if (s == NULL || !check(ca, serials, n, now, seconds, err)) {
        return false;
    }
    const size_t cap = n * ENTRY_LEN + REST_LEN + sizeof s->bytes;
    uint8_t *block = atls_arena_raw(arena, 2 * cap, err);
    if (block == NULL) {
        return false;
    }
    ca_der_init(&d, block, cap);
    put_list(ca, &d, serials, n, now, now + seconds < ca->not_after ? now + seconds : ca->not_after);
    if (!ca_der_done(&d, &tbs)) {
        return atls_fail(err, ATLS_E_INTERNAL, "crl", "the list does not fit");
    }
    if (!ca_sign_checked(ca, tbs, s, err)) {
        return false;
    }
    ca_der_init(&d, block + cap, cap);
    ca_certificate_put(&d, tbs, ca->alg, s); /* the same three members */
    return ca_der_done(&d, out) || atls_fail(err, ATLS_E_INTERNAL, "crl", "the list does not fit");
}
