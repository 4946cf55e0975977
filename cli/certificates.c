/* SPDX-License-Identifier: Apache-2.0 */
/* certificates.c: --showcerts: what the peer sent, before anything of it is believed. */
#include "certificates.h"

#include "pki/cert.h"
#include "verify/recognise.h"

static void put_line(const char *text)
{
    cli_put(stderr, text);
    (void)fputc('\n', stderr);
}

static bool put_formats(atls_bytes der, atls_arena *a, atls_error *err)
{
    atls_recognition r;
    if (!atls_recognise_certificate(der, a, &r, err)) {
        return false;
    }
    if (r.problem[0] != '\0') {
        (void)fputs("odd: ", stderr);
        put_line(r.problem);
    }
    for (size_t i = 0; i < r.n_formats; i++) {
        const char *line = atls_recognise_line(&r.formats[i], a, err);
        if (line == NULL) {
            return false;
        }
        put_line(line);
    }
    if (r.n_formats == 0) {
        put_line("no attestation format is recognised in it");
    }
    if (r.n_evidence > 1) {
        put_line(ATLS_RECOGNISED_TWO);
    }
    return true;
}

static bool put_certificate(atls_bytes der, atls_arena *a, atls_error *err)
{
    atls_bytes pem;
    if (!atls_pem_encode(der, "CERTIFICATE", a, &pem, err)) {
        return false;
    }
    (void)fwrite(pem.ptr, 1, pem.len, stderr);
    return put_formats(der, a, err);
}

void cli_certificates(void *ctx, const atls_bytes *ders, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        atls_error err = {.code = ATLS_OK};
        (void)fprintf(stderr, "certificate %zu of %zu, as the peer sent it; UNVERIFIED\n", i + 1, n);
        if (!put_certificate(ders[i], ctx, &err)) {
            (void)cli_report("connect", &err);
        }
    }
}
