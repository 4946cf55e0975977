/* SPDX-License-Identifier: Apache-2.0 */
/* point.c: points of P-256, compressed or not. Decoding is also what checks that the point is on the curve. */
#include <openssl/ec.h>
#include <openssl/err.h>
#include <openssl/obj_mac.h>
#include <string.h>

#include "signature.h"

#define COMPRESSED_LEN 33u
#define PLAIN_LEN      65u

static bool is_form(atls_bytes in)
{
    return (in.len == PLAIN_LEN && in.ptr[0] == 0x04)
           || (in.len == COMPRESSED_LEN && (in.ptr[0] == 0x02 || in.ptr[0] == 0x03));
}

bool atls_p256_point(atls_bytes in, uint8_t out[65], atls_code code, const char *field, atls_error *err)
{
    memset(out, 0, PLAIN_LEN);
    if (!is_form(in)) {
        return atls_fail(err, code, field, "not a point of P-256, compressed or not");
    }
    EC_GROUP *group = EC_GROUP_new_by_curve_name(NID_X9_62_prime256v1);
    EC_POINT *point = group == NULL ? NULL : EC_POINT_new(group);
    const bool made = point != NULL;
    const bool ok =
        made && EC_POINT_oct2point(group, point, in.ptr, in.len, NULL) == 1
        && EC_POINT_point2oct(group, point, POINT_CONVERSION_UNCOMPRESSED, out, PLAIN_LEN, NULL) == PLAIN_LEN;
    EC_POINT_free(point);
    EC_GROUP_free(group);
    ERR_clear_error();
    if (!made) {
        return atls_fail(err, ATLS_E_MEMORY, field, NULL);
    }
    return ok || atls_fail(err, code, field, "the point is not on its curve");
}
