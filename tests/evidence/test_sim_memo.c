/* SPDX-License-Identifier: Apache-2.0 */
/* test_sim_memo.c: a memo changes no byte of what a room makes: not when it is filled, and not when it is asked. */
#include "sim/sim_nitro.h"
#include "sim/sim_sevsnp.h"
#include "sim/sim_tpm.h"
#include "tap.h"

static const uint8_t report_data[64] = {7, 1};

static void must(bool ok, const atls_error *err)
{
    if (!ok) {
        char line[512];
        (void)atls_error_line(err, line, sizeof line);
        fail_msg("%s", line);
    }
}

/* Each makes a room with the memo, evidence and an endorsement in the arena, and ends the room. */

static void make_tdx(sim_memo *memo, atls_arena *a, atls_bytes out[2], atls_error *err)
{
    sim *room;
    atls_endorsements e;
    must(sim_new(&(sim_options){.memo = memo}, &room, err), err);
    must(sim_quote(room, report_data, a, &out[0], err) && sim_collateral(room, a, &e, err), err);
    out[1] = e.dcap.pck_crl;
    sim_free(room);
}

static void make_snp(sim_memo *memo, atls_arena *a, atls_bytes out[2], atls_error *err)
{
    sim_snp *room;
    atls_certificate_pile pile;
    must(sim_snp_new(&(sim_snp_options){.memo = memo}, &room, err), err);
    must(sim_snp_extended(room, report_data, a, &out[0], err) && sim_snp_pile(room, a, &pile, err), err);
    out[1] = pile.crls[0];
    sim_snp_free(room);
}

static void make_nitro(sim_memo *memo, atls_arena *a, atls_bytes out[2], atls_error *err)
{
    sim_nitro *room;
    atls_certificate_pile pile;
    must(sim_nitro_new(&(sim_nitro_options){.memo = memo}, &room, err), err);
    must(sim_nitro_document(room, &(sim_nitro_request){0}, a, &out[0], err) && sim_nitro_pile(room, a, &pile, err),
         err);
    out[1] = pile.crls[0];
    sim_nitro_free(room);
}

static void make_tpm(sim_memo *memo, atls_arena *a, atls_bytes out[2], atls_error *err)
{
    sim_tpm *room;
    must(sim_tpm_new(&(sim_tpm_options){.memo = memo}, &room, err), err);
    const atls_bytes value = atls_bytes_of(report_data, 32);
    must(sim_tpm_document(room, SIM_TPM_CBOR, value, a, &out[0], err)
             && atls_arena_copy(a, sim_tpm_endorsements(room)->pile.crls[0], &out[1], err),
         err);
    sim_tpm_free(room);
}

typedef struct row {
    const char *name;
    void (*make)(sim_memo *memo, atls_arena *a, atls_bytes out[2], atls_error *err);
} row;

static const row rows[] = {
    {"TDX", make_tdx},
    {"SEV-SNP", make_snp},
    {"Nitro", make_nitro},
    {"TPM", make_tpm},
};

static void test_row(void **state)
{
    const row *r = *state;
    atls_arena a;
    sim_memo *memo;
    atls_bytes without[2];
    atls_error err = {0};
    must(atls_arena_new(&a, ATLS_ARENA_DEFAULT_SIZE, &err) && sim_memo_new(&memo, &err), &err);
    r->make(NULL, &a, without, &err);
    assert_true(without[0].len > 1000 && without[1].len > 100);
    for (unsigned i = 0; i < 2; i++) {
        atls_bytes with[2];
        r->make(memo, &a, with, &err);
        assert_true(atls_bytes_equal(without[0], with[0]) && atls_bytes_equal(without[1], with[1]));
    }
    sim_memo_free(memo);
    atls_arena_free(&a);
}

int main(void)
{
    tap_list l = {0};
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        tap_add(&l, rows[i].name, test_row, &rows[i]);
    }
    return tap_run("a memo of the simulator", &l);
}
