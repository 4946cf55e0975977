/* SPDX-License-Identifier: Apache-2.0 */
/* test_root.c: points of P-256 in both forms; the pinned roots of Apple are told from each other and from others. */
#include "pki/chain.h"
#include "tap.h"

/* SEC 2: the generator of P-256 */
static const uint8_t g[65] = {0x04, 0x6b, 0x17, 0xd1, 0xf2, 0xe1, 0x2c, 0x42, 0x47, 0xf8, 0xbc, 0xe6, 0xe5,
                              0x63, 0xa4, 0x40, 0xf2, 0x77, 0x03, 0x7d, 0x81, 0x2d, 0xeb, 0x33, 0xa0, 0xf4,
                              0xa1, 0x39, 0x45, 0xd8, 0x98, 0xc2, 0x96, 0x4f, 0xe3, 0x42, 0xe2, 0xfe, 0x1a,
                              0x7f, 0x9b, 0x8e, 0xe7, 0xeb, 0x4a, 0x7c, 0x0f, 0x9e, 0x16, 0x2b, 0xce, 0x33,
                              0x57, 0x6b, 0x31, 0x5e, 0xce, 0xcb, 0xb6, 0x40, 0x68, 0x37, 0xbf, 0x51, 0xf5};

static void test_point(void **state)
{
    uint8_t in[66];
    uint8_t out[65];
    atls_error err = {0};
    (void)state;
    assert_true(atls_p256_point(atls_bytes_of(g, sizeof g), out, ATLS_E_EVIDENCE_FORMAT, "p", &err));
    assert_memory_equal(out, g, sizeof g);
    memcpy(in, g, sizeof g);
    in[0] = 0x03; /* y ends with f5: odd */
    assert_true(atls_p256_point(atls_bytes_of(in, 33), out, ATLS_E_EVIDENCE_FORMAT, "p", &err));
    assert_memory_equal(out, g, sizeof g);
    in[0] = 0x02; /* the other one */
    assert_true(atls_p256_point(atls_bytes_of(in, 33), out, ATLS_E_EVIDENCE_FORMAT, "p", &err));
    assert_memory_equal(out, g, 33);
    assert_int_equal(out[64] & 1, 0);
}

static void test_no_point(void **state)
{
    uint8_t in[66];
    static const struct {
        uint8_t first;
        size_t len;
        uint8_t change; /* of the last byte */
    } rows[] = {{0x04, 65, 1}, {0x04, 64, 0}, {0x04, 66, 0}, {0x04, 33, 0}, {0x02, 65, 0}, {0x03, 32, 0},
                {0x00, 1, 0},  {0x00, 65, 0}, {0x06, 65, 0}, {0x07, 65, 0}, {0x04, 0, 0}};
    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        uint8_t out[65] = {1};
        atls_error err = {0};
        memcpy(in, g, sizeof g);
        in[65] = 0;
        in[0] = rows[i].first;
        in[64] ^= rows[i].change;
        assert_false(atls_p256_point(atls_bytes_of(in, rows[i].len), out, ATLS_E_EVIDENCE_FORMAT, "p", &err));
        assert_int_equal(err.code, ATLS_E_EVIDENCE_FORMAT);
        assert_string_equal(err.field, "p");
    }
}

static void test_apple(void **state)
{
    size_t n;
    const atls_anchor *anchors = atls_anchors_apple(&n);
    const atls_root attestation = atls_root_apple_attestation();
    const atls_root receipt = atls_root_apple_receipt();
    atls_cert issuer;
    (void)state;
    assert_int_equal(n, 2);
    assert_true(attestation.anchor == &anchors[0] && receipt.anchor == &anchors[1]);
    assert_true(atls_anchor_of_vendor(anchors[0].sha256) == &anchors[0]);
    assert_true(atls_anchor_of_vendor(anchors[1].sha256) == &anchors[1]);
    assert_false(atls_bytes_equal(attestation.subject, receipt.subject));
    assert_false(atls_bytes_equal(attestation.key.point, receipt.key.point));
    atls_root_as_issuer(&receipt, &issuer);
    assert_true(issuer.is_ca && issuer.has_key_usage && !issuer.has_path_len && !issuer.has_unknown_critical);
    assert_true(atls_bytes_equal(issuer.subject, receipt.subject) && issuer.verified_by == NULL);
}

int main(void)
{
    tap_list tests = {0};
    tap_add(&tests, "points, compressed or not", test_point, NULL);
    tap_add(&tests, "what is no point", test_no_point, NULL);
    tap_add(&tests, "the roots of Apple", test_apple, NULL);
    return tap_run("pki_root", &tests);
}
