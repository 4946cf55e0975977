/* SPDX-License-Identifier: Apache-2.0 */
/* product.c: which line of processors, and what the bytes of TCB_VERSION mean there (specification section 2).
 *
 * A wrong layout silently swaps the parts, so the product is never guessed: it is the CPUID of the report, or the issuer
 * whose signature was verified. */
#include <string.h>

#include "sevsnp.h"

static const char *const product_names[ATLS_SNP_N_PRODUCTS] = {
#define X(name, text) text,
    ATLS_SNP_PRODUCT_LIST(X)
#undef X
};

const char *atls_snp_product_name(atls_snp_product product)
{
    return (size_t)product < ATLS_SNP_N_PRODUCTS ? product_names[product] : product_names[ATLS_SNP_UNKNOWN];
}

atls_snp_product sevsnp_product_of_name(atls_bytes name)
{
    for (size_t i = ATLS_SNP_UNKNOWN + 1; i < ATLS_SNP_N_PRODUCTS; i++) {
        if (atls_bytes_equal_str(name, product_names[i])) {
            return (atls_snp_product)i;
        }
    }
    return ATLS_SNP_UNKNOWN;
}

atls_snp_product sevsnp_product_of_cpuid(uint8_t family, uint8_t model)
{
    static const struct {
        uint8_t family;
        uint8_t first;
        uint8_t last;
        atls_snp_product product;
    } models[] = {
        {0x19, 0x00, 0x0f, ATLS_SNP_MILAN},
        {0x19, 0x10, 0x1f, ATLS_SNP_GENOA},
        {0x19, 0xa0, 0xaf, ATLS_SNP_GENOA}, /* Bergamo, Siena: under Genoa's root */
        {0x1a, 0x00, 0x11, ATLS_SNP_TURIN},
    };
    for (size_t i = 0; i < sizeof models / sizeof models[0]; i++) {
        if (family == models[i].family && model >= models[i].first && model <= models[i].last) {
            return models[i].product;
        }
    }
    return ATLS_SNP_UNKNOWN;
}

/* ---- TCB_VERSION ---- */

static const struct {
    const char *name;
    int early; /* byte up to Genoa; -1: no such part */
    int late;  /* byte from Turin on */
} parts[SEVSNP_N_PARTS] = {
    [SEVSNP_FMC] = {"fmc", -1, 0}, [SEVSNP_BOOTLOADER] = {"bootloader", 0, 1}, [SEVSNP_TEE] = {"tee", 1, 2},
    [SEVSNP_SNP] = {"snp", 6, 3},  [SEVSNP_MICROCODE] = {"microcode", 7, 7},
};

const char *sevsnp_part_name(size_t part)
{
    return part < SEVSNP_N_PARTS ? parts[part].name : "";
}

int sevsnp_part_offset(atls_snp_product product, size_t part)
{
    return product == ATLS_SNP_TURIN ? parts[part].late : parts[part].early;
}

const char *sevsnp_byte_name(atls_snp_product product, size_t byte)
{
    for (size_t i = 0; i < SEVSNP_N_PARTS; i++) {
        if (sevsnp_part_offset(product, i) == (int)byte) {
            return parts[i].name;
        }
    }
    return "reserved";
}

void sevsnp_tcb_read(atls_snp_product product, atls_snp_tcb *tcb)
{
    uint8_t *const into[SEVSNP_N_PARTS] = {&tcb->fmc, &tcb->bootloader, &tcb->tee, &tcb->snp, &tcb->microcode};
    for (size_t i = 0; i < SEVSNP_N_PARTS; i++) {
        const int offset = sevsnp_part_offset(product, i);
        *into[i] = offset < 0 ? 0 : tcb->raw[offset];
    }
    tcb->has_fmc = sevsnp_part_offset(product, SEVSNP_FMC) >= 0;
}
