/* SPDX-License-Identifier: Apache-2.0 */
/* hcl.c: what Azure's paravisor leaves in NV: runtime data that name the attestation key, and the blob around a hardware
 * report over their hash. Written without the verifier's reader. */
#include "sim/tpm_internal.h"

#include <openssl/evp.h>
#include <stdio.h>
#include <string.h>

#define NULL_ALG   0x0010u
#define REPORT_LEN 1184u
#define TDX_LEN    1024u

static uint64_t get_be(atls_bytes in, size_t at, size_t n)
{
    uint64_t v = 0;
    for (size_t i = 0; i < n && at + i < in.len; i++) {
        v = v << 8 | in.ptr[at + i];
    }
    return v;
}

/* TPMT_PUBLIC of an RSA key: two numbers out of it. */
static bool read_rsa(atls_bytes in, uint32_t *exponent, atls_bytes *modulus)
{
    size_t at = 10 + (size_t)get_be(in, 8, 2); /* behind the policy */
    const uint64_t symmetric = get_be(in, at, 2), scheme = get_be(in, at + 2, 2);
    at += scheme == NULL_ALG ? 4 : 6;
    const uint64_t e = get_be(in, at + 2, 4), len = get_be(in, at + 6, 2);
    *exponent = e == 0 ? 65537 : (uint32_t)e;
    if (get_be(in, 0, 2) != 1 || symmetric != NULL_ALG || len < 128 || at + 8 + len != in.len) {
        return false;
    }
    *modulus = atls_bytes_of(in.ptr + at + 8, (size_t)len);
    return true;
}

/* RFC 4648 section 5, without padding */
static void put_base64url(atls_buf *b, atls_bytes in)
{
    char text[1400] = "";
    if (in.len <= 1024) {
        (void)EVP_EncodeBlock((unsigned char *)text, in.ptr, (int)in.len);
    }
    for (char *c = text; *c != '\0'; c++) {
        *c = (char)(*c == '+' ? '-' : *c == '/' ? '_' : *c == '=' ? '\0' : *c);
    }
    atls_buf_str(b, text);
}

static void put_key(atls_buf *b, const char *kid, uint32_t exponent, atls_bytes modulus)
{
    uint8_t e[4];
    size_t skip = 0;
    for (size_t i = 0; i < 4; i++) {
        e[i] = (uint8_t)(exponent >> (8 * (3 - i)));
    }
    while (skip < 3 && e[skip] == 0) {
        skip++;
    }
    atls_buf_format(b, "{\"kid\":\"%s\",\"key_ops\":[\"sign\"],\"kty\":\"RSA\",\"e\":\"", kid);
    put_base64url(b, atls_bytes_of(e + skip, 4 - skip));
    atls_buf_str(b, "\",\"n\":\"");
    put_base64url(b, modulus);
    atls_buf_str(b, "\"}");
}

bool sim_hcl_runtime_data(atls_bytes ak_pub, atls_arena *a, atls_bytes *out, atls_error *err)
{
    atls_bytes modulus;
    uint32_t exponent;
    atls_buf b;
    *out = atls_bytes_empty();
    if (!read_rsa(ak_pub, &exponent, &modulus)) {
        return atls_fail(err, ATLS_E_CONFIGURATION, "hcl.ak_pub", "no RSA key");
    }
    uint8_t
        ek[96]; /* a key for other things; nobody has it, and it is short so that a swtpm's index has room for all */
    memset(ek, 0xe7, sizeof ek);
    atls_buf_init(&b, a, err);
    atls_buf_str(&b, "{\"keys\":[");
    put_key(&b, "HCLEkPub", 65537, atls_bytes_of(ek, sizeof ek));
    atls_buf_str(&b, ",");
    put_key(&b, "HCLAkPub", exponent, modulus);
    atls_buf_str(&b, "],\"vm-configuration\":{\"secure-boot\":true,\"tpm-enabled\":true},\"user-data\":\"00\"}");
    return atls_buf_done(&b, out);
}

bool sim_hcl_blob(const sim_hcl *in, atls_arena *a, atls_bytes *out, atls_error *err)
{
    const bool is_tdx = in->report.len == TDX_LEN;
    const uint8_t zeros[REPORT_LEN] = {0};
    atls_buf b;
    atls_buf_init(&b, a, err);
    atls_buf_str(&b, in->magic == NULL ? "HCLA" : in->magic);
    atls_buf_put(&b, atls_bytes_of(zeros, 28));
    atls_buf_put(&b, in->report);
    atls_buf_put(&b, atls_bytes_of(zeros, in->report.len < REPORT_LEN ? REPORT_LEN - in->report.len : 0));
    sim_put_le(&b, in->runtime_data.len + 20, 4);
    sim_put_le(&b, 1, 4);
    sim_put_le(&b, in->report_type != 0 ? in->report_type : is_tdx ? 4 : 2, 4);
    sim_put_le(&b, in->hash_type != 0 ? in->hash_type : 1, 4);
    sim_put_le(&b, in->runtime_data.len, 4);
    atls_buf_put(&b, in->runtime_data);
    const size_t used = 32 + REPORT_LEN + 20 + in->runtime_data.len;
    for (size_t n = used; n < SIM_HCL_LEN; n += 4) {
        sim_put_le(&b, 0, SIM_HCL_LEN - n < 4 ? SIM_HCL_LEN - n : 4);
    }
    return atls_buf_done(&b, out);
}
