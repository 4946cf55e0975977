/* SPDX-License-Identifier: Apache-2.0 */
/* Two properties of TPM evidence in every form: a proper prefix is refused; a flipped bit is refused, or changes nothing that a
 * signature covers. What no signature covers is the log's own words (types, data), the key's attributes beside those that are
 * demanded, and a document's user data, which the binding covers elsewhere; and whoever carries a document can leave out a quote of a
 * bank that the policy does not look at. --exhaustive flips every bit there is. */
#include "evidence/tpm/tpm.h"
#include "sample.h"
#include "tpm_world.h"

enum { STEP = SAMPLE(29, 149) }; /* bits looked at: one in so many, each of the eight as often as the others */
static bool exhaustive;          /* all of them */

static const char *const settings[] = {"ak.type=p256", "quotes=sha1,sha256", NULL};

/* What the signatures cover. */
static bool same(const atls_claims *x, const atls_claims *y)
{
    const atls_tpm_claims *a = &x->tpm;
    const atls_tpm_claims *b = &y->tpm;
    bool ok = x->report_data_len == y->report_data_len && memcmp(x->report_data, y->report_data, 64) == 0
              && memcmp(a->ak_spki_sha256, b->ak_spki_sha256, 32) == 0 && a->trust == b->trust
              && a->n_banks >= b->n_banks && strcmp(a->bank, b->bank) == 0 && a->pcr_mask == b->pcr_mask
              && a->clock_ms == b->clock_ms && a->reset_count == b->reset_count
              && a->firmware_version == b->firmware_version && a->gce.present == b->gce.present
              && atls_bytes_equal(a->gce.project, b->gce.project) && a->gce.instance_id == b->gce.instance_id
              && a->log_replayed == b->log_replayed;
    for (size_t i = 0; ok && i < ATLS_TPM_N_PCRS; i++) {
        ok = atls_bytes_equal(a->pcr[i], b->pcr[i]);
    }
    return ok;
}

static void test_flips(void **state)
{
    const sim_tpm_form form = *(const sim_tpm_form *)*state;
    tpm_world w;
    tpm_world_open(&w, settings, form, ",\"require_event_log\":true");
    const size_t kept = w.arena.used;
    uint8_t *bytes = malloc(w.document.len);
    assert_non_null(bytes);
    tpm_world_expect(&w, tpm_world_appraise(&w), "OK", "");
    const atls_claims honest = w.result.claims;
    const size_t used = w.arena.used; /* what honest points at */
    size_t n_accepted = 0;
    size_t n_tried = 0;
    assert_true(kept < used);
    for (size_t bit = 0; bit < 8 * w.document.len; bit += exhaustive ? 1 : STEP) {
        n_tried++;
        memcpy(bytes, w.document.ptr, w.document.len);
        bytes[bit / 8] ^= (uint8_t)(1u << bit % 8);
        w.in.evidence = atls_bytes_of(bytes, w.document.len);
        if (tpm_world_appraise(&w)) {
            n_accepted++;
            if (!same(&honest, &w.result.claims)) {
                fail_msg("bit %zu of byte %zu changes what is claimed", bit % 8, bit / 8);
            }
        } else {
            assert_true(w.err.code != ATLS_OK && w.err.code != ATLS_E_INTERNAL);
        }
        w.arena.used = used;
    }
    printf("# %zu of %zu flips change nothing that is signed\n", n_accepted, n_tried);
    assert_true(n_accepted < n_tried / 2); /* most are refused */
    free(bytes);
    tpm_world_close(&w);
}

static void test_prefixes(void **state)
{
    const sim_tpm_form form = *(const sim_tpm_form *)*state;
    tpm_world w;
    tpm_world_open(&w, settings, form, ",\"require_event_log\":true");
    const size_t used = w.arena.used;
    for (size_t len = 0; len < w.document.len; len += len < 128 || w.document.len - len < 128 ? 1 : 7) {
        uint8_t *exact = malloc(len + 1);
        assert_non_null(exact);
        memcpy(exact, w.document.ptr, len);
        w.in.evidence = atls_bytes_of(exact, len);
        assert_false(tpm_world_appraise(&w));
        assert_int_not_equal(w.err.code, ATLS_E_INTERNAL);
        free(exact);
        w.arena.used = used;
    }
    tpm_world_close(&w);
}

/* Too many of anything is refused, with a reason, before it costs anything. */
static void test_limits(void **state)
{
    atls_arena a;
    atls_error err = {.code = ATLS_OK};
    tpm_evidence e;
    const size_t len = 3u * 1024 * 1024;
    uint8_t *big = calloc(1, len);
    (void)state;
    assert_non_null(big);
    assert_true(atls_arena_new(&a, ATLS_ARENA_DEFAULT_SIZE, &err));
    big[0] = '{';
    assert_false(tpm_decode(atls_bytes_of(big, len), &a, &e, &err));
    assert_int_equal(err.code, ATLS_E_EVIDENCE_FORMAT);
    /* a log of 10,001 events in the SHA-1 form, 32 bytes each */
    atls_error_clear(&err);
    tpm_log log;
    for (size_t i = 0; i <= TPM_MAX_EVENTS; i++) {
        big[32 * i] = 4;
        big[32 * i + 4] = 5;
        big[32 * i + 28] = 0;
    }
    assert_false(tpm_log_decode(atls_bytes_of(big, 32 * (TPM_MAX_EVENTS + 1)), &a, &log, &err));
    assert_int_equal(err.code, ATLS_E_EVENT_LOG_PARSE);
    assert_string_equal(err.field, "event_log[10000]");
    atls_error_clear(&err);
    assert_true(tpm_log_decode(atls_bytes_of(big, 32 * TPM_MAX_EVENTS), &a, &log, &err));
    assert_false(tpm_log_decode(atls_bytes_of(big, TPM_MAX_LOG_LEN + 1), &a, &log, &err));
    free(big);
    atls_arena_free(&a);
}

int main(int argc, char **argv)
{
    exhaustive = argc > 1 && strcmp(argv[1], "--exhaustive") == 0;
    static const sim_tpm_form forms[] = {SIM_TPM_CONSTELLATION, SIM_TPM_JSON, SIM_TPM_PROTOBUF, SIM_TPM_CBOR};
    static const char *const flips[] = {"flips: constellation", "flips: json", "flips: protobuf", "flips: cbor"};
    static const char *const prefixes[] = {"prefixes: constellation", "prefixes: json", "prefixes: protobuf",
                                           "prefixes: cbor"};
    tap_list l = {0};
    for (size_t i = 0; i < 4; i++) {
        tap_add(&l, flips[i], test_flips, &forms[i]);
        tap_add(&l, prefixes[i], test_prefixes, &forms[i]);
    }
    tap_add(&l, "limits", test_limits, NULL);
    return tap_run("tpm robust", &l);
}
