/* SPDX-License-Identifier: Apache-2.0 */
/* log.c: the event log against the quoted registers (step 5; section 6). */
#include "base/text.h"
#include "proof.h"

/* ---- 5: the event log ---- */

static atls_bytes choose_log(tpm_proof *p, bool *ok)
{
    const atls_bytes own = p->e->event_log;
    const atls_bytes beside = p->auth->event_log;
    *ok = own.len == 0 || beside.len == 0 || atls_bytes_equal(own, beside)
          || atls_fail(p->err, ATLS_E_EVENT_LOG_PARSE, "event_log",
                       "one event log is in the evidence, and another one beside it");
    return own.len > 0 ? own : beside;
}

static bool decode_log(tpm_proof *p)
{
    static const char id[] = "tpm.event_log";
    bool ok;
    const atls_bytes log = choose_log(p, &ok);
    if (ok && p->policy->tpm.ignore_event_log) {
        return atls_trace_skip(p->trace, id, "event_log",
                               "the policy ignores event logs: the registers speak for themselves", p->err);
    }
    if (ok && log.len == 0) {
        return atls_trace_na(p->trace, id, "event_log", "no event log came along", p->err);
    }
    p->has_log = ok && tpm_log_decode(log, p->arena, &p->log, p->err);
    p->out->has_event_log = p->has_log;
    return tpm_step(p, p->has_log, id, "event_log");
}

/* Each PCR that has events must hold what they lead to; the others are nobody's business here. */
static bool compare_registers(tpm_proof *p, const tpm_registers *r, uint32_t quoted, const atls_bytes *values)
{
    for (size_t i = 0; i < TPM_N_PCRS; i++) {
        if ((r->mask >> i & 1u) == 0) {
            continue;
        }
        const char *id = atls_text_format(p->arena, p->err, "tpm.replay.pcr%zu", i);
        const char *field = atls_text_format(p->arena, p->err, "pcr%zu", i);
        if (id == NULL || field == NULL) {
            return false;
        }
        if ((quoted >> i & 1u) == 0) {
            if (!atls_trace_skip(p->trace, id, field, "the log has events of this PCR, which was not quoted", p->err)) {
                return false;
            }
            continue;
        }
        const atls_bytes replayed = atls_bytes_of(r->values[i], r->len);
        const bool same = atls_bytes_equal(values[i], replayed)
                          || atls_fail_bytes(p->err, ATLS_E_PCR_MISMATCH, field, values[i], replayed,
                                             "the event log does not lead to the quoted value");
        if (!tpm_step(p, same, id, field)) {
            return false;
        }
    }
    return true;
}

static bool replay(tpm_proof *p, uint16_t alg, uint32_t quoted, const atls_bytes *values)
{
    tpm_registers r;
    if (!tpm_log_replay(p->auth->crypto, &p->log, alg, &r, p->err)) {
        return tpm_step(p, false, "tpm.event_log", "event_log");
    }
    if (!compare_registers(p, &r, quoted, values)) {
        return false;
    }
    /* a log whose PCRs were not all quoted is believed for none of its words */
    p->out->log_replayed = (r.mask & ~quoted) == 0;
    return !p->out->log_replayed || tpm_log_events(p->auth->crypto, &p->log, alg, p->arena, p->out, p->err);
}

static const tpm_bank *quoted_bank(const tpm_evidence *e, uint16_t alg)
{
    for (size_t i = 0; i < e->n_quotes; i++) {
        const tpm_bank *b = tpm_find_bank(&e->quotes[i], alg);
        if (b != NULL && b->mask != 0) {
            return b;
        }
    }
    return NULL;
}

/* The policy's bank; a log that does not have it (SHA-1 form) is replayed in the bank that it has, if that was quoted. */
bool tpm_check_log(tpm_proof *p)
{
    const uint16_t wanted = tpm_policy_bank(p->policy);
    if (!decode_log(p)) {
        return false;
    }
    if (!p->has_log) {
        return true;
    }
    if (p->out->has_bank && tpm_log_has(&p->log, wanted)) {
        return replay(p, wanted, p->out->pcr_mask, p->out->pcr);
    }
    const tpm_bank *sha1 = quoted_bank(p->e, TPM_ALG_SHA1);
    if (sha1 != NULL && tpm_log_has(&p->log, TPM_ALG_SHA1)) {
        tpm_registers r;
        return (tpm_log_replay(p->auth->crypto, &p->log, TPM_ALG_SHA1, &r, p->err)
                || tpm_step(p, false, "tpm.event_log", "event_log"))
               && compare_registers(p, &r, sha1->mask, sha1->values)
               && atls_trace_skip(p->trace, "tpm.event_log_bank", "event_log",
                                  "the log was replayed in the SHA-1 bank only: nothing is believed of its events",
                                  p->err);
    }
    return atls_trace_skip(p->trace, "tpm.event_log_bank", "event_log",
                           "no bank was quoted that the log has digests of: it was not replayed", p->err);
}
