/* SPDX-License-Identifier: Apache-2.0 */
/* tpm.c: the machine: made once, from options. */
#include "sim/tpm_internal.h"

#include <stdlib.h>
#include <string.h>

#define ROOM_SIZE ((size_t)8 * 1024 * 1024)

static sim_tpm *tpm_of(sim_op *o)
{
    return (sim_tpm *)(void *)o->s; /* room comes first */
}

static void make(sim_op *o)
{
    sim_tpm_key_make(o, tpm_of(o));
    sim_tpm_log_make(o, tpm_of(o));
    sim_tpm_pki_make(o, tpm_of(o));
}

static void rehearse(sim_op *o)
{
    static const uint8_t no_value[32] = {0};
    sim_tpm *t = tpm_of(o);
    t->rehearsing = true;
    for (int form = SIM_TPM_CONSTELLATION; form <= SIM_TPM_CBOR; form++) {
        (void)sim_tpm_document_make(o, t, (sim_tpm_form)form, atls_bytes_of(no_value, sizeof no_value));
    }
    t->rehearsing = false;
}

bool sim_tpm_new(const sim_tpm_options *options, sim_tpm **out, atls_error *err)
{
    const sim_making making = {ROOM_SIZE,     options->seed, options->now, options->settings,
                               options->memo, make,          rehearse};
    *out = NULL;
    sim_tpm *t = calloc(1, sizeof *t);
    if (t == NULL) {
        return atls_fail(err, ATLS_E_MEMORY, "sim", NULL);
    }
    if (!sim_room_open(&t->room, &making, err)) {
        sim_tpm_free(t);
        return false;
    }
    *out = t;
    return true;
}

void sim_tpm_free(sim_tpm *t)
{
    if (t == NULL) {
        return;
    }
    sim_room_close(&t->room);
    free(t);
}

bool sim_tpm_document(sim_tpm *t, sim_tpm_form form, atls_bytes value, atls_arena *a, atls_bytes *out, atls_error *err)
{
    sim_op o;
    sim_op_begin(&o, &t->room, a);
    *out = sim_tpm_document_make(&o, t, form, value);
    return sim_op_end(&o, err);
}

const atls_endorsements *sim_tpm_endorsements(const sim_tpm *t)
{
    return &t->endorsements;
}

bool sim_tpm_endorse(void *ctx, const atls_endorsement_request *request, atls_arena *a, atls_endorsements *out,
                     atls_error *err)
{
    const sim_tpm *t = ctx;
    (void)request;
    (void)a;
    (void)err;
    *out = t->endorsements;
    return true;
}

bool sim_tpm_policy(sim_tpm *t, const char *more, atls_arena *a, atls_bytes *out, atls_error *err)
{
    static const size_t indices[] = {0, 4, 7};
    uint8_t root[32];
    char text[65];
    atls_buf b;
    atls_buf_init(&b, a, err);
    atls_buf_str(&b, "{\"type\":\"tpm\",\"pcrs\":{");
    for (size_t i = 0; i < sizeof indices / sizeof indices[0]; i++) {
        atls_hex_encode(atls_bytes_of(t->banks[1].pcr[indices[i]], 32), text);
        atls_buf_format(&b, "%s\"%zu\":\"%s\"", i == 0 ? "" : ",", indices[i], text);
    }
    sim_sha256(t->root, root);
    atls_hex_encode(atls_bytes_of(root, sizeof root), text);
    atls_buf_format(&b, "},\"trusted_roots\":[\"%s\"]", text);
    atls_buf_str(&b, more);
    atls_buf_str(&b, "}");
    return atls_buf_done(&b, out);
}

atls_bytes sim_tpm_event_log(const sim_tpm *t)
{
    return t->log;
}

atls_bytes sim_tpm_ak_pub(const sim_tpm *t)
{
    return t->ak_pub;
}

atls_bytes sim_tpm_root(const sim_tpm *t)
{
    return t->root;
}

atls_bytes sim_tpm_pcr(const sim_tpm *t, const char *bank, size_t index)
{
    for (size_t i = 0; i < SIM_TPM_N_BANKS; i++) {
        if (strcmp(t->banks[i].name, bank) == 0 && index < SIM_TPM_N_PCRS) {
            return atls_bytes_of(t->banks[i].pcr[index], t->banks[i].len);
        }
    }
    return atls_bytes_empty();
}
