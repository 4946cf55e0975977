/* SPDX-License-Identifier: Apache-2.0 */
/* room.c: which file holds what. docs of the formats: atls-sim(1). */
#include "room.h"

#include <string.h>

#include "base/text.h"
#include "pki/cert.h"

void cli_room_free(cli_room *r)
{
    sim_free(r->sim);
    r->sim = NULL;
}

/* Only dstack's front end measures certificates: an enclave has none, and neither has a TD that ends with the boot. */
static bool measures_certificates(const sim_options *options)
{
    for (size_t i = 0; options->settings != NULL && options->settings[i] != NULL; i++) {
        if (strcmp(options->settings[i], "log.runtime=none") == 0) {
            return false;
        }
    }
    return options->kind != SIM_SGX_V3;
}

bool cli_room_new(const sim_options *options, const char *server_name, atls_arena *a, cli_room *out, atls_error *err)
{
    *out = (cli_room){.sim = NULL};
    if (!sim_new(options, &out->sim, err) || !sim_tls_identity(out->sim, server_name, a, &out->tls, err)) {
        cli_room_free(out);
        return false;
    }
    if (measures_certificates(options) && !sim_measure_certificate(out->sim, out->tls.leaf_der, err)) {
        cli_room_free(out);
        return false;
    }
    return true;
}

void cli_room_example(uint8_t nonce[32], uint8_t ekm[32])
{
    for (uint8_t i = 0; i < 32; i++) {
        nonce[i] = i;
        ekm[i] = (uint8_t)(32 + i);
    }
}

bool cli_room_write_tls(const cli_room *r, const cli_folder *f, atls_error *err)
{
    return cli_write(f, "tls-chain.pem", 0644, r->tls.chain_pem, err)
           && cli_write(f, "tls-key.pem", 0600, r->tls.key_pem, err)
           && cli_write(f, "tls-ca.pem", 0644, r->tls.ca_pem, err);
}

static bool write_root(const cli_room *r, const cli_folder *f, atls_arena *a, atls_error *err)
{
    atls_bytes pem;
    return atls_pem_encode(sim_root(r->sim), "CERTIFICATE", a, &pem, err)
           && cli_write(f, "root.der", 0644, sim_root(r->sim), err) && cli_write(f, "root.pem", 0644, pem, err);
}

static bool write_policy(const cli_room *r, const cli_folder *f, const char *kind, atls_arena *a, atls_error *err)
{
    atls_bytes text;
    const char *name = atls_text_format(a, err, "policy-%s.json", kind);
    return name != NULL && sim_policy(r->sim, kind, a, &text, err) && cli_write(f, name, 0644, text, err);
}

static bool write_td(const cli_room *r, const uint8_t report_data[64], const cli_folder *f, atls_arena *a,
                     atls_error *err)
{
    atls_bytes response, log, ccel;
    return sim_response(r->sim, report_data, a, &response, err) && cli_write(f, "response.json", 0644, response, err)
           && sim_event_log(r->sim, a, &log, err) && cli_write(f, "event_log.json", 0644, log, err)
           && sim_ccel(r->sim, a, &ccel, err) && cli_write(f, "ccel.bin", 0644, ccel, err)
           && write_policy(r, f, "dstack_tdx", a, err) && write_policy(r, f, "tdx", a, err);
}

/* The header values of the PCS are percent-encoded PEM; everything but letters and digits may be encoded. */
static void put_percent(atls_buf *b, const char *name, atls_bytes text, bool last)
{
    atls_buf_format(b, "\"%s\":\"", name);
    for (size_t i = 0; i < text.len; i++) {
        uint8_t c = text.ptr[i];
        bool plain = (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '-' || c == '.';
        atls_buf_format(b, plain ? "%c" : "%%%02X", c);
    }
    atls_buf_str(b, last ? "\"" : "\",");
}

static bool pcs_headers(const atls_dcap_collateral *c, atls_arena *a, atls_bytes *out, atls_error *err)
{
    atls_buf b;
    atls_buf_init(&b, a, err);
    atls_buf_str(&b, "{");
    put_percent(&b, "TCB-Info-Issuer-Chain", c->tcb_info_issuer_chain, false);
    put_percent(&b, "SGX-Enclave-Identity-Issuer-Chain", c->qe_identity_issuer_chain, false);
    put_percent(&b, "SGX-PCK-CRL-Issuer-Chain", c->pck_crl_issuer_chain, true);
    atls_buf_str(&b, "}");
    return atls_buf_done(&b, out);
}

/* The signed object stands in the body as its exact bytes. */
static bool pcs_body(const char *member, atls_bytes object, atls_bytes signature, atls_arena *a, atls_bytes *out,
                     atls_error *err)
{
    atls_buf b;
    atls_buf_init(&b, a, err);
    atls_buf_format(&b, "{\"%s\":", member);
    atls_buf_put(&b, object);
    atls_buf_str(&b, ",\"signature\":\"");
    atls_buf_put(&b, signature);
    atls_buf_str(&b, "\"}");
    return atls_buf_done(&b, out);
}

static bool write_pcs(const atls_dcap_collateral *c, const cli_folder *parent, atls_arena *a, atls_error *err)
{
    atls_bytes headers, tcb, qe;
    cli_folder f;
    if (!pcs_headers(c, a, &headers, err) || !pcs_body("tcbInfo", c->tcb_info, c->tcb_info_signature, a, &tcb, err)
        || !pcs_body("enclaveIdentity", c->qe_identity, c->qe_identity_signature, a, &qe, err)
        || !cli_folder_sub(parent, "pcs", &f, err)) {
        return false;
    }
    bool ok = cli_write(&f, "headers.json", 0644, headers, err) && cli_write(&f, "tcb.body.json", 0644, tcb, err)
              && cli_write(&f, "qe_identity.body.json", 0644, qe, err)
              && cli_write(&f, "pckcrl.body.der", 0644, c->pck_crl, err)
              && cli_write(&f, "rootcacrl.body.der", 0644, c->root_ca_crl, err);
    cli_folder_close(&f);
    return ok;
}

static bool write_endorsements(const cli_room *r, const cli_folder *f, atls_arena *a, atls_error *err)
{
    atls_endorsements e;
    atls_bytes bundle;
    return sim_collateral(r->sim, a, &e, err) && atls_endorsements_to_bundle(&e, a, &bundle, err)
           && cli_write(f, "collateral.json", 0644, bundle, err) && write_pcs(&e.dcap, f, a, err);
}

bool cli_room_write(const cli_room *r, sim_kind kind, const uint8_t report_data[64], const cli_folder *f, atls_arena *a,
                    atls_error *err)
{
    atls_bytes quote;
    if (!write_root(r, f, a, err) || !sim_quote(r->sim, report_data, a, &quote, err)
        || !cli_write(f, "quote.bin", 0644, quote, err) || !write_endorsements(r, f, a, err)
        || !cli_room_write_tls(r, f, err)) {
        return false;
    }
    return kind == SIM_SGX_V3 ? write_policy(r, f, "sgx", a, err) : write_td(r, report_data, f, a, err);
}
