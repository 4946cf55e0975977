/* SPDX-License-Identifier: Apache-2.0 */
/* double_pages.c: answers in the formats of PCS, PCCS and KDS. */
#include "double_pages.h"

#include "base/text.h"
#include "pki/cert.h"

static atls_bytes must(bool ok, atls_bytes b)
{
    if (!ok) {
        abort();
    }
    return b;
}

static atls_bytes signed_page(atls_arena *a, const char *member, atls_bytes object, atls_bytes signature)
{
    atls_error err = {0};
    atls_bytes out;
    atls_buf b;
    atls_buf_init(&b, a, &err);
    atls_buf_format(&b, "{\"%s\":", member);
    atls_buf_put(&b, object);
    atls_buf_str(&b, ",\"signature\":\"");
    atls_buf_put(&b, signature);
    atls_buf_str(&b, "\"}");
    return must(atls_buf_done(&b, &out), out);
}

static atls_bytes percent(atls_arena *a, atls_bytes text)
{
    atls_error err = {0};
    atls_bytes out;
    atls_buf b;
    atls_buf_init(&b, a, &err);
    for (size_t i = 0; i < text.len; i++) {
        const uint8_t c = text.ptr[i];
        const bool plain = (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '-';
        atls_buf_format(&b, plain ? "%c" : "%%%02X", c);
    }
    return must(atls_buf_done(&b, &out), out);
}

static atls_bytes pem(atls_arena *a, const atls_bytes *ders, size_t n)
{
    atls_error err = {0};
    atls_bytes out;
    atls_buf b;
    atls_buf_init(&b, a, &err);
    for (size_t i = 0; i < n; i++) {
        atls_bytes one;
        atls_buf_put(&b, must(atls_pem_encode(ders[i], "CERTIFICATE", a, &one, &err), one));
    }
    return must(atls_buf_done(&b, &out), out);
}

static bool holds(const char *path, const char *text)
{
    return strstr(path, text) != NULL;
}

static bool find_intel(const double_server *d, const char *path, atls_arena *a, double_page *out)
{
    const atls_dcap_collateral *c = &d->collateral.dcap;
    if (holds(path, "/tdx/certification/v4/tcb?fmspc=")) {
        *out = (double_page){signed_page(a, "tcbInfo", c->tcb_info, c->tcb_info_signature), "TCB-Info-Issuer-Chain",
                             percent(a, c->tcb_info_issuer_chain), false};
    } else if (holds(path, "/tdx/certification/v4/qe/identity")) {
        *out = (double_page){signed_page(a, "enclaveIdentity", c->qe_identity, c->qe_identity_signature),
                             "SGX-Enclave-Identity-Issuer-Chain", percent(a, c->qe_identity_issuer_chain), false};
    } else if (holds(path, "/sgx/certification/v4/pckcrl?ca=platform&encoding=der")) {
        *out = (double_page){c->pck_crl, "SGX-PCK-CRL-Issuer-Chain", percent(a, c->pck_crl_issuer_chain), true};
    } else if (holds(path, "/sgx/certification/v4/rootcacrl") || holds(path, "/IntelSGXRootCA.der")) {
        *out = (double_page){c->root_ca_crl, NULL, atls_bytes_empty(), true};
    } else {
        return false;
    }
    return true;
}

static bool find_amd(const double_server *d, const char *path, atls_arena *a, double_page *out)
{
    const atls_bytes chain[] = {sim_snp_certificate(d->snp, "ask"), sim_snp_certificate(d->snp, "ark")};
    if (holds(path, "/vcek/v1/Genoa/cert_chain")) {
        *out = (double_page){pem(a, chain, 2), NULL, atls_bytes_empty(), false};
    } else if (holds(path, "/vcek/v1/Genoa/crl") && d->pile.n_crls > 0) {
        *out = (double_page){d->pile.crls[0], NULL, atls_bytes_empty(), false};
    } else if (holds(path, "/vcek/v1/Genoa/")) {
        *out = (double_page){sim_snp_certificate(d->snp, "vcek"), NULL, atls_bytes_empty(), false};
    } else {
        return false;
    }
    return true;
}

bool double_find_page(const double_server *d, const char *path, atls_arena *a, double_page *out)
{
    const char *prefix = d->path_prefix;
    if (prefix != NULL && strncmp(path, prefix, strlen(prefix)) != 0) {
        return false;
    }
    if (holds(path, "/status.json")) {
        *out = (double_page){atls_bytes_str("{\"entries\":{}}"), NULL, atls_bytes_empty(), false};
        return true;
    }
    return find_intel(d, path, a, out) || find_amd(d, path, a, out);
}

atls_bytes double_list(atls_bytes der, bool is_pem, atls_arena *a)
{
    atls_error err = {0};
    atls_bytes out;
    if (is_pem) {
        return must(atls_pem_encode(der, "X509 CRL", a, &out, &err), out);
    }
    const char *hex = atls_hex_text(der, a, &err);
    return must(hex != NULL, atls_bytes_str(hex));
}
