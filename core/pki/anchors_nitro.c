/* SPDX-License-Identifier: Apache-2.0 */
/* anchors_nitro.c: the pinned root of AWS Nitro Enclaves and NitroTPM: CN=aws.nitro-enclaves, generation 1, 2019 to 2049. */
#include "chain.h"

static const atls_anchor nitro[] = {
    {
        .sha256 = {0x64, 0x1a, 0x03, 0x21, 0xa3, 0xe2, 0x44, 0xef, 0xe4, 0x56, 0x46, 0x31, 0x95, 0xd6, 0x06, 0x31,
                   0x7e, 0xd7, 0xcd, 0xcc, 0x3c, 0x17, 0x56, 0xe0, 0x98, 0x93, 0xf3, 0xc6, 0x8f, 0x79, 0xbb, 0x5b},
        .label = "AWS Nitro Enclaves Root G1",
        .production = true,
        .self_checked = true, /* tests/evidence/test_nitro_vectors.c checks it again */
    },
};

const atls_anchor *atls_anchors_nitro(size_t *n)
{
    *n = sizeof nitro / sizeof nitro[0];
    return nitro;
}
