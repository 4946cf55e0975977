/* SPDX-License-Identifier: Apache-2.0 */
/* fuzz_tpm_evidence.c: tpm_decode in its four forms, and the structures inside. What was read, written in our own form, is read
 * back the same; inspect shows it; the hardware claim is made or refused with a reason. */
#include <string.h>

#include "base/json.h"
#include "evidence/tpm/tpm.h"
#include "fuzz.h"
#include "sim/sim_tpm.h"

static void compare_quotes(const tpm_quote *a, const tpm_quote *b)
{
    FUZZ_ASSERT(atls_bytes_equal(a->message, b->message) && atls_bytes_equal(a->signature, b->signature));
    FUZZ_ASSERT(a->n_banks == b->n_banks && a->sig.hash == b->sig.hash);
    FUZZ_ASSERT(atls_bytes_equal(a->attest.extra_data, b->attest.extra_data));
    FUZZ_ASSERT(a->attest.n_selections == b->attest.n_selections && a->attest.n_selections <= TPM_MAX_QUOTES);
}

static void write_again(const tpm_evidence *e, atls_arena *a)
{
    atls_error err = {0};
    atls_bytes text;
    tpm_evidence again;
    if (e->ak_cert.len == 0 && e->n_certs > 0) {
        return; /* our own form has no place for them */
    }
    FUZZ_ASSERT(tpm_write(e, a, &text, &err));
    if (text.len > TPM_MAX_EVIDENCE_LEN) {
        return;
    }
    FUZZ_ASSERT(tpm_decode(text, a, &again, &err) && again.form == TPM_FORM_CBOR);
    FUZZ_ASSERT(atls_bytes_equal(e->ak_pub, again.ak_pub) && atls_bytes_equal(e->key.spki, again.key.spki));
    FUZZ_ASSERT(e->n_quotes == again.n_quotes && atls_bytes_equal(e->event_log, again.event_log));
    FUZZ_ASSERT(e->n_certs == again.n_certs && e->hardware.platform == again.hardware.platform);
    for (size_t i = 0; i < e->n_quotes; i++) {
        compare_quotes(&e->quotes[i], &again.quotes[i]);
    }
}

static void show(const tpm_evidence *e, atls_arena *a)
{
    atls_error err = {0};
    atls_buf buf;
    atls_jw w;
    atls_bytes text;
    const atls_json *json;
    atls_buf_init(&buf, a, &err);
    atls_jw_init(&w, &buf);
    atls_jw_open(&w, NULL, '{');
    FUZZ_ASSERT(tpm_inspect(e, &w, a, &err));
    atls_jw_close(&w, '}');
    FUZZ_ASSERT(atls_buf_done(&buf, &text) && atls_json_parse(text, "", a, &json, &err));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static atls_crypto *crypto;
    static uint8_t block[32 * 1024 * 1024];
    atls_arena a;
    atls_error err = {0};
    tpm_evidence e;
    tpm_hardware_claim claim;
    tpm_hcl hcl;
    atls_arena_init(&a, block, sizeof block);
    FUZZ_ASSERT(crypto != NULL || atls_crypto_new(&crypto, &err));
    const atls_bytes in = atls_bytes_of(data, size);
    if (!tpm_hcl_decode(in, &hcl, &err)) {
        FUZZ_ASSERT(err.code == ATLS_E_EVIDENCE_FORMAT);
    }
    atls_error_clear(&err);
    if (size > 64 * 1024 || !tpm_decode(in, &a, &e, &err)) {
        FUZZ_ASSERT(size > 64 * 1024 || err.code == ATLS_E_EVIDENCE_FORMAT || err.code == ATLS_E_MEMORY);
        return 0;
    }
    FUZZ_ASSERT(e.n_quotes >= 1 && e.n_quotes <= TPM_MAX_QUOTES && e.n_certs <= TPM_MAX_CERTS);
    FUZZ_ASSERT(e.form != TPM_FORM_CONSTELLATION || e.user_data.len == 32);
    write_again(&e, &a);
    show(&e, &a);
    if (!tpm_hardware_claim_make(&e, crypto, &a, &claim, &err)) {
        FUZZ_ASSERT(err.code != ATLS_OK);
    }
    return 0;
}

size_t fuzz_seed(size_t index, uint8_t *out, size_t cap)
{
    static const char *const settings[2][6] = {
        {"ak.type=p256", "quote.sha1.mask=0x11", "quote.sha256.mask=0x91", "log=none", NULL},
        {"certs=along", "quotes=sha256", "log=none", "hardware.report=64x01",
         "instance_info={\"AttestationReport\":\"AAAA\",\"Azure\":{\"RuntimeData\":\"e30=\"},\"AkCert\":\"AAAA\"}",
         NULL},
    };
    static const uint8_t value[32] = {1};
    sim_tpm *machine;
    atls_arena a;
    atls_error err = {0};
    atls_bytes text;
    if (index >= 8) {
        return 0;
    }
    const sim_tpm_options options = {.settings = settings[index / 4]};
    FUZZ_ASSERT(sim_tpm_new(&options, &machine, &err) && atls_arena_new(&a, ATLS_ARENA_DEFAULT_SIZE, &err));
    FUZZ_ASSERT(
        sim_tpm_document(machine, (sim_tpm_form)(index % 4 + 1), atls_bytes_of(value, sizeof value), &a, &text, &err));
    FUZZ_ASSERT(text.len <= cap);
    memcpy(out, text.ptr, text.len);
    const size_t n = text.len;
    atls_arena_free(&a);
    sim_tpm_free(machine);
    return n;
}
