/* SPDX-License-Identifier: Apache-2.0 */
/* fuzz_sevsnp_leaf.c: sevsnp_leaf_decode. A leaf that is read is of a chip or of a cloud, never both; its texts are printable;
 * the bytes of its TCB are certified by an extension, or zero. */
#include "evidence/sevsnp/sevsnp.h"
#include "snp_seed.h"

static bool is_printable(atls_bytes text)
{
    for (size_t i = 0; i < text.len; i++) {
        if (text.ptr[i] < 0x20 || text.ptr[i] > 0x7e) {
            return false;
        }
    }
    return text.len > 0;
}

static void check(const atls_cert *cert, const sevsnp_leaf *leaf, atls_snp_product product)
{
    const bool turin = product == ATLS_SNP_TURIN;
    FUZZ_ASSERT(is_printable(leaf->product_name) && fuzz_is_within(leaf->product_name, cert->der));
    FUZZ_ASSERT(leaf->is_vlek ? is_printable(leaf->csp_id) && fuzz_is_within(leaf->csp_id, cert->der)
                              : leaf->csp_id.len == 0);
    FUZZ_ASSERT(!leaf->is_vlek || atls_bytes_is_zero(atls_bytes_of(leaf->hwid, sizeof leaf->hwid)));
    FUZZ_ASSERT(cert->n_extensions >= 7u + (turin ? 1u : 0u)); /* version, name, four numbers, who */
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    atls_cert cert;
    sevsnp_leaf leaf;
    atls_error err = {0};
    if (!atls_cert_decode(atls_bytes_of(data, size), "certificate", &cert, &err)) {
        return 0;
    }
    for (size_t p = ATLS_SNP_MILAN; p < ATLS_SNP_N_PRODUCTS; p++) {
        atls_error why = {0};
        if (sevsnp_leaf_decode(&cert, (atls_snp_product)p, &leaf, &why)) {
            check(&cert, &leaf, (atls_snp_product)p);
        } else {
            FUZZ_ASSERT(why.code == ATLS_E_CERTIFICATE_CHAIN);
        }
    }
    return 0;
}

size_t fuzz_seed(size_t index, uint8_t *out, size_t cap)
{
    if (index >= FUZZ_SNP_ROOMS) {
        return 0;
    }
    sim_snp *room = fuzz_snp_room(index);
    const size_t n = fuzz_snp_copy(sim_snp_certificate(room, index < 3 ? "vcek" : "vlek"), out, cap);
    sim_snp_free(room);
    return n;
}
