/* SPDX-License-Identifier: Apache-2.0 */
/* fuzz_attest_answers.c: what hosts and firmware hand to attesters: atls_certificate_table_len, atls_snp_response_report,
 * atls_tpm_hcl_read, atls_tpm_first_der. What they find lies inside the input, and what is left out of it changes
 * nothing: the part that is kept is read the same again. */
#include <string.h>

#include "edge/attester/evidence.h"
#include "edge/attester/tpm_document.h"
#include "fuzz.h"

static void inside(atls_bytes part, const uint8_t *data, size_t size)
{
    FUZZ_ASSERT(part.len <= size && (part.len == 0 || (part.ptr >= data && part.ptr + part.len <= data + size)));
}

static uint32_t u32le(const uint8_t *p)
{
    return (uint32_t)p[0] | (uint32_t)p[1] << 8 | (uint32_t)p[2] << 16 | (uint32_t)p[3] << 24;
}

/* Every entry before the end lies inside what was kept. */
static void check_table(const uint8_t *data, size_t size)
{
    size_t len = 0, again = 0;
    if (!atls_certificate_table_len(atls_bytes_of(data, size), &len) || len == 0) {
        FUZZ_ASSERT(len == 0);
        return;
    }
    FUZZ_ASSERT(len <= size && len >= 48);
    FUZZ_ASSERT(atls_certificate_table_len(atls_bytes_of(data, len), &again) && again == len);
    static const uint8_t end[24] = {0};
    for (size_t at = 0; memcmp(data + at, end, sizeof end) != 0; at += 24) {
        FUZZ_ASSERT((uint64_t)u32le(data + at + 16) + u32le(data + at + 20) <= len);
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    const atls_bytes in = atls_bytes_of(data, size);
    atls_bytes report;
    atls_tpm_hcl hcl;
    atls_error err = {0};
    check_table(data, size);
    if (atls_snp_response_report(in, &report, &err)) {
        inside(report, data, size);
        FUZZ_ASSERT(report.len == ATLS_SNP_REPORT_LEN && u32le(data) == 0 && u32le(data + 4) == ATLS_SNP_REPORT_LEN);
    }
    if (atls_tpm_hcl_read(in, &hcl)) {
        inside(hcl.report, data, size);
        inside(hcl.with_header, data, size);
        inside(hcl.runtime_data, data, size);
        FUZZ_ASSERT(hcl.report.len == (hcl.is_tdx ? 1024u : ATLS_SNP_REPORT_LEN) && memcmp(data, "HCLA", 4) == 0);
    }
    const atls_bytes der = atls_tpm_first_der(in);
    inside(der, data, size);
    FUZZ_ASSERT(der.len == 0 || (der.ptr == data && atls_bytes_equal(atls_tpm_first_der(der), der)));
    return 0;
}

static size_t table_seed(uint8_t *out)
{
    memset(out, 0, 256);
    memset(out, 1, 16);
    out[16] = 72;
    out[20] = 100;
    memset(out + 24, 2, 16);
    out[40] = 172;
    out[44] = 4;
    return 256;
}

static size_t response_seed(uint8_t *out)
{
    memset(out, 0, 4000);
    out[4] = 0xa0;
    out[5] = 0x04;
    return 4000;
}

static size_t hcl_seed(uint8_t *out)
{
    memset(out, 0, 1300);
    memcpy(out, "HCLA", 4);
    out[1216] = 22;
    out[1224] = 2;
    out[1228] = 1;
    out[1232] = 2;
    memcpy(out + 1236, "{}", 2);
    return 1300;
}

size_t fuzz_seed(size_t index, uint8_t *out, size_t cap)
{
    (void)cap;
    switch (index) {
    case 0:
        return table_seed(out);
    case 1:
        return response_seed(out);
    case 2:
        return hcl_seed(out);
    case 3:
        memcpy(out, "\x30\x82\x00\x80", 4);
        memset(out + 4, 5, 200);
        return 204;
    default:
        return 0;
    }
}
