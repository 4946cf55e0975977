/* SPDX-License-Identifier: Apache-2.0 */
/* fuzz_tpm_log.c: tpm_log_decode, replay and events. What was read stays within its bounds, replays without a failure in every
 * bank that it has, and no event is verified that is not extended. */
#include <string.h>

#include "evidence/tpm/tpm.h"
#include "fuzz.h"
#include "sim/sim_tpm.h"

static void check_bank(const atls_crypto *c, const tpm_log *log, uint16_t alg, atls_arena *a)
{
    tpm_registers r;
    atls_error err = {0};
    atls_tpm_claims claims = {.gce_technology = ""};
    const bool known = tpm_hash_of(alg).hash != 0 || alg == TPM_ALG_SHA1;
    FUZZ_ASSERT(tpm_log_replay(c, log, alg, &r, &err) == known && r.mask >> TPM_N_PCRS == 0);
    atls_error_clear(&err);
    if (!tpm_log_events(c, log, alg, a, &claims, &err)) {
        FUZZ_ASSERT(err.code != ATLS_OK && (!known || err.code == ATLS_E_MEMORY));
        return;
    }
    FUZZ_ASSERT(claims.n_events == log->n_records);
    for (size_t i = 0; i < claims.n_events; i++) {
        FUZZ_ASSERT(!claims.events[i].verified || claims.events[i].pcr < TPM_N_PCRS);
        FUZZ_ASSERT(claims.events[i].digest.len == tpm_hash_of(alg).len);
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static atls_crypto *crypto;
    static uint8_t block[16 * 1024 * 1024];
    atls_arena a;
    atls_error err = {0};
    tpm_log log;
    atls_arena_init(&a, block, sizeof block);
    FUZZ_ASSERT(crypto != NULL || atls_crypto_new(&crypto, &err));
    if (!tpm_log_decode(atls_bytes_of(data, size), &a, &log, &err)) {
        FUZZ_ASSERT(err.code == ATLS_E_EVENT_LOG_PARSE || err.code == ATLS_E_MEMORY);
        return 0;
    }
    FUZZ_ASSERT(log.n_algs >= 1 && log.n_algs <= TPM_MAX_LOG_ALGS && log.n_records <= TPM_MAX_EVENTS
                && log.locality <= 4);
    for (size_t i = 0; i < log.n_records; i++) {
        FUZZ_ASSERT(log.records[i].pcr < TPM_N_PCRS || log.records[i].type == TPM_EV_NO_ACTION);
    }
    for (size_t i = 0; i < log.n_algs; i++) {
        check_bank(crypto, &log, log.algs[i], &a);
    }
    return 0;
}

size_t fuzz_seed(size_t index, uint8_t *out, size_t cap)
{
    static const char *const settings[3][3] = {{NULL}, {"log=sha1", NULL}, {"log.locality=3", "log.tail=8xff", NULL}};
    sim_tpm *machine;
    atls_error err = {0};
    if (index >= 3) {
        return 0;
    }
    const sim_tpm_options options = {.settings = settings[index]};
    FUZZ_ASSERT(sim_tpm_new(&options, &machine, &err));
    const atls_bytes log = sim_tpm_event_log(machine);
    FUZZ_ASSERT(log.len <= cap);
    memcpy(out, log.ptr, log.len);
    const size_t n = log.len;
    sim_tpm_free(machine);
    return n;
}
