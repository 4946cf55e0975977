/* SPDX-License-Identifier: Apache-2.0 */
/* folder.c: a folder of PCS responses becomes collateral. The tables are the language; first name found wins. */
#include "folder.h"

#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#include "base/json.h"
#include "base/limits.h"
#include "file.h"
#include "pcs.h"

#define MAX_CHAIN_LEN   ((size_t)256 * 1024) /* ATLS_MAX_PEM_CERTS of the longest, in base64 */
#define MAX_HEADERS_LEN ((size_t)1024 * 1024)
#define MAX_LIST_LEN    ((size_t)ATLS_MAX_CRL_LEN * 2 + 4096) /* as hex */

typedef struct folder {
    int fd;
    const atls_json *headers; /* NULL: there is no headers.json */
    atls_arena *arena;
    atls_error *err;
} folder;

typedef const char *const *names; /* ends with NULL */

/* Bodies of PCS responses as tools save them; the spellings of Intel's sample data come last. */
static const char *const tcb_files[] = {"tcb.body.json", "tcbInfo.json", NULL};
static const char *const identity_files[] = {"qe_identity.body.json", "qeIdentity.json", NULL};
static const char *const pck_list_files[] = {"pckcrl.body.der",       "pck.crl.der",           "pck.crl.pem",
                                             "intermediateCaCrl.der", "intermediateCaCrl.pem", NULL};
static const char *const root_list_files[] = {"rootcacrl.body.der", "root_ca.crl.der", "root_ca.crl.pem",
                                              "rootCaCrl.der",      "rootCaCrl.pem",   NULL};
static const char *const header_files[] = {"headers.json", NULL};
static const char *const leaf_files[] = {"pck.pem", "pckCert.pem", NULL};

static const char *const tcb_chain_headers[] = {"TCB-Info-Issuer-Chain", "SGX-TCB-Info-Issuer-Chain", NULL};
static const char *const tcb_chain_files[] = {"tcb_issuer_chain.pem", "tcbSignChain.pem", NULL};
static const char *const identity_chain_headers[] = {"SGX-Enclave-Identity-Issuer-Chain", NULL};
/* Both documents are signed under one chain, and some tools keep it once. */
static const char *const identity_chain_files[] = {"qe_identity_issuer_chain.pem", "tcb_issuer_chain.pem",
                                                   "tcbSignChain.pem", NULL};
static const char *const pck_list_chain_headers[] = {"SGX-PCK-CRL-Issuer-Chain", NULL};
static const char *const pck_chain_headers[] = {"SGX-PCK-Certificate-Issuer-Chain", NULL};
static const char *const pck_chain_files[] = {"pck_issuer_chain.pem", "pckSignChain.pem", NULL};

/* ---- files ------------------------------------------------------------------------------------------------------- */

/* The first of these files that is there; *name says which, NULL: none. */
static bool read_first(const folder *f, names files, size_t max, const char **name, atls_bytes *out)
{
    *name = NULL;
    *out = atls_bytes_empty();
    for (size_t i = 0; files[i] != NULL; i++) {
        bool found = false;
        if (!atls_file_read_at(f->fd, files[i], max, f->arena, &found, out, f->err)) {
            return false;
        }
        if (found) {
            *name = files[i];
            return true;
        }
    }
    return true;
}

static bool missing(const folder *f, const char *name)
{
    return atls_fail(f->err, ATLS_E_ENDORSEMENTS_MISSING, name, "%s is not in the folder", name);
}

static bool read_document(const folder *f, names files, const char *member, atls_bytes *text, atls_bytes *signature)
{
    const char *name;
    atls_bytes json;
    if (!read_first(f, files, ATLS_MAX_SIGNED_JSON_LEN, &name, &json)) {
        return false;
    }
    if (name == NULL) {
        return missing(f, files[0]);
    }
    return atls_pcs_signed(json, name, member, f->arena, text, signature, f->err);
}

static bool read_list(const folder *f, names files, atls_bytes *out)
{
    const char *name;
    atls_bytes in;
    if (!read_first(f, files, MAX_LIST_LEN, &name, &in)) {
        return false;
    }
    return name == NULL ? missing(f, files[0]) : atls_pcs_list(in, name, f->arena, out, f->err);
}

/* ---- headers ----------------------------------------------------------------------------------------------------- */

static uint8_t lower(uint8_t c)
{
    return c >= 'A' && c <= 'Z' ? (uint8_t)(c | 0x20) : c;
}

static bool same_name(atls_bytes a, atls_bytes b)
{
    bool same = a.len == b.len;
    for (size_t i = 0; same && i < a.len; i++) {
        same = lower(a.ptr[i]) == lower(b.ptr[i]);
    }
    return same;
}

/* Header names have no case. The reader refuses equal names; here those that differ in case are refused, too. */
static bool find_header(const folder *f, const char *name, const atls_json **out)
{
    const atls_json *m = f->headers == NULL ? NULL : f->headers->child;
    *out = NULL;
    for (; m != NULL; m = m->next) {
        if (!same_name(m->name, atls_bytes_str(name))) {
            continue;
        }
        if (*out != NULL || m->type != ATLS_JSON_STRING) {
            return atls_fail(f->err, ATLS_E_COLLATERAL_FORMAT, name, "headers.json: %s is repeated or is no string",
                             name);
        }
        *out = m;
    }
    return true;
}

static bool read_headers(folder *f)
{
    const char *name;
    atls_bytes json;
    if (!read_first(f, header_files, MAX_HEADERS_LEN, &name, &json)) {
        return false;
    }
    if (name == NULL) {
        return true;
    }
    if (!atls_json_parse(json, name, f->arena, &f->headers, f->err)) {
        return atls_error_relabel(f->err, ATLS_E_COLLATERAL_FORMAT, "");
    }
    return f->headers->type == ATLS_JSON_OBJECT
           || atls_fail_values(f->err, ATLS_E_COLLATERAL_FORMAT, name, "object", atls_json_type_name(f->headers),
                               "headers.json is an object of header names and values");
}

/* A chain: the first of these headers, else the first of these files, else empty. */
static bool read_chain(const folder *f, names headers, names files, atls_bytes *out)
{
    for (size_t i = 0; headers[i] != NULL; i++) {
        const atls_json *value;
        if (!find_header(f, headers[i], &value)) {
            return false;
        }
        if (value != NULL) {
            return atls_pcs_percent_decode(value->text, headers[i], f->arena, out, f->err);
        }
    }
    const char *name;
    return read_first(f, files, MAX_CHAIN_LEN, &name, out);
}

static bool read_required_chain(const folder *f, names headers, names files, atls_bytes *out)
{
    if (!read_chain(f, headers, files, out)) {
        return false;
    }
    return out->len > 0
           || atls_fail(f->err, ATLS_E_ENDORSEMENTS_MISSING, headers[0],
                        "neither headers.json nor %s has the chain of certificates", files[0]);
}

/* ---- the PCK chain ----------------------------------------------------------------------------------------------- */

static bool is_one_certificate(atls_bytes pem)
{
    static const char begin[] = "-----BEGIN CERTIFICATE-----";
    size_t n = 0;
    for (size_t i = 0; i + strlen(begin) <= pem.len; i++) {
        n += memcmp(pem.ptr + i, begin, strlen(begin)) == 0 ? 1 : 0;
    }
    return n == 1;
}

/* The PCS hands the certificate and its issuers out apart; a file with several certificates is the whole chain. */
static bool read_pck_chain(const folder *f, atls_bytes *out)
{
    const char *name;
    atls_bytes issuers;
    if (!read_first(f, leaf_files, MAX_CHAIN_LEN, &name, out) || name == NULL || !is_one_certificate(*out)) {
        return f->err->code == ATLS_OK;
    }
    if (!read_chain(f, pck_chain_headers, pck_chain_files, &issuers)) {
        return false;
    }
    atls_buf b;
    atls_buf_init(&b, f->arena, f->err);
    atls_buf_put(&b, *out);
    atls_buf_str(&b, "\n");
    atls_buf_put(&b, issuers);
    return atls_buf_done(&b, out);
}

/* A label, as in a bundle: the QE identity says what all of this is for, and the verifier asks the documents again. */
static atls_platform platform_of(const folder *f, atls_bytes identity)
{
    atls_error ignored = {.code = ATLS_OK};
    const atls_json *tree;
    atls_bytes id;
    bool is_sgx = atls_json_parse(identity, "", f->arena, &tree, &ignored)
                  && atls_json_member_text(tree, "", "id", &id, &ignored) && atls_bytes_equal_str(id, "QE");
    return is_sgx ? ATLS_PLATFORM_SGX : ATLS_PLATFORM_TDX;
}

bool atls_folder_load(int fd, atls_arena *arena, atls_endorsements *out, atls_error *err)
{
    folder f = {.fd = fd, .arena = arena, .err = err};
    atls_dcap_collateral *c = &out->dcap;
    *out = (atls_endorsements){.platform = ATLS_PLATFORM_NONE};
    bool ok = read_headers(&f) && read_document(&f, tcb_files, "tcbInfo", &c->tcb_info, &c->tcb_info_signature)
              && read_document(&f, identity_files, "enclaveIdentity", &c->qe_identity, &c->qe_identity_signature)
              && read_required_chain(&f, tcb_chain_headers, tcb_chain_files, &c->tcb_info_issuer_chain)
              && read_required_chain(&f, identity_chain_headers, identity_chain_files, &c->qe_identity_issuer_chain)
              && read_list(&f, pck_list_files, &c->pck_crl) && read_list(&f, root_list_files, &c->root_ca_crl)
              && read_chain(&f, pck_list_chain_headers, pck_chain_files, &c->pck_crl_issuer_chain)
              && read_pck_chain(&f, &c->pck_certificate_chain);
    if (!ok) {
        *out = (atls_endorsements){.platform = ATLS_PLATFORM_NONE};
        return false;
    }
    out->platform = platform_of(&f, c->qe_identity);
    return true;
}

static bool is_any_there(int fd, names files)
{
    for (size_t i = 0; files[i] != NULL; i++) {
        if (faccessat(fd, files[i], F_OK, 0) == 0) {
            return true;
        }
    }
    return false;
}

bool atls_folder_is_pcs(int fd)
{
    const names all[] = {tcb_files, identity_files, pck_list_files, root_list_files, header_files, leaf_files};
    for (size_t i = 0; i < sizeof all / sizeof all[0]; i++) {
        if (is_any_there(fd, all[i])) {
            return true;
        }
    }
    return false;
}
