/* SPDX-License-Identifier: Apache-2.0 */
/* fake_attester.c: quotes on command. */
#include "fake_attester.h"

#include <time.h>

#include "verify/native_binding.h"

uint64_t fake_random(uint64_t *state)
{
    *state ^= *state << 13;
    *state ^= *state >> 7;
    *state ^= *state << 17;
    return *state;
}

void fake_sleep_us(unsigned us)
{
    const struct timespec t = {.tv_sec = us / 1000000, .tv_nsec = (long)(us % 1000000) * 1000};
    (void)nanosleep(&t, NULL);
}

void fake_value(unsigned i, uint8_t value[64])
{
    memset(value, 0xa5, 64);
    for (size_t k = 0; k < 4; k++) {
        value[k] = (uint8_t)(i >> (8 * k));
    }
}

atls_bytes fake_quote(const uint8_t report[64], uint8_t out[70])
{
    memcpy(out, "quote ", 6);
    memcpy(out + 6, report, 64);
    return atls_bytes_of(out, 70);
}

/* ---- the function ------------------------------------------------------------------------------------------------ */

/* Waits for the test's word, at most FAKE_PATIENCE_S; holds the lock. */
static bool wait_for_change(fake *f)
{
    struct timespec until;
    (void)clock_gettime(CLOCK_REALTIME, &until);
    until.tv_sec += FAKE_PATIENCE_S;
    return pthread_cond_timedwait(&f->changed, &f->lock, &until) == 0;
}

static fake_end hold(fake *f, const uint8_t report[64])
{
    fake_end end = FAKE_OK;
    (void)pthread_mutex_lock(&f->lock);
    const unsigned i = f->n_begun++;
    if (i < FAKE_MAX_QUOTES) {
        memcpy(f->reports[i], report, 64);
    }
    (void)pthread_sigmask(SIG_SETMASK, NULL, &f->blocked);
    (void)pthread_cond_broadcast(&f->changed);
    while (!f->open && f->n_ended <= i && wait_for_change(f)) {
    }
    if (i < f->n_ended && i < FAKE_MAX_QUOTES) {
        end = f->ends[i];
    }
    (void)pthread_mutex_unlock(&f->lock);
    return end;
}

/* No hands: as fast or slow as chance has it. */
static fake_end gamble(fake *f)
{
    (void)pthread_mutex_lock(&f->lock);
    f->n_begun++;
    const uint64_t r = fake_random(&f->random);
    (void)pthread_mutex_unlock(&f->lock);
    fake_sleep_us((unsigned)(r % 300));
    return (r >> 32) % 11 == 0 ? FAKE_REFUSES : FAKE_OK;
}

static bool fake_attest(void *ctx, const uint8_t report_data[64], atls_arena *arena, atls_evidence *out,
                        atls_error *err)
{
    fake *f = ctx;
    uint8_t quote[70];
    const fake_end end = f->random != 0 ? gamble(f) : hold(f, report_data);
    switch (end) {
    case FAKE_REFUSES:
        (void)atls_fail(err, ATLS_E_TIMEOUT, "agent", "the agent does not answer");
        return false;
    case FAKE_IS_SILENT:
        return false;
    case FAKE_IS_EMPTY:
        *out = (atls_evidence){.quote = atls_bytes_empty()};
        return true;
    case FAKE_IS_NOTHING:
        *out = (atls_evidence){.quote = {NULL, 1}};
        return true;
    case FAKE_MUMBLES_EMPTY:
        (void)atls_fail(err, ATLS_E_IO, "agent", "a remark");
        return true;
    case FAKE_MUMBLES:
        (void)atls_fail(err, ATLS_E_IO, "agent", "a remark");
        break;
    case FAKE_IS_GREEDY:
        out->quote = atls_bytes_of(atls_arena_raw(arena, f->arena_size, err), f->arena_size);
        return err->code == ATLS_OK;
    case FAKE_IS_TOO_GREEDY:
        out->quote = atls_bytes_of(atls_arena_raw(arena, f->arena_size + 1, err), f->arena_size + 1);
        return err->code == ATLS_OK;
    case FAKE_OK:
        break;
    }
    *out = (atls_evidence){.event_log = atls_bytes_str("[]")}; /* and no vm_config, not even an empty one */
    return atls_arena_copy(arena, fake_quote(report_data, quote), &out->quote, err);
}

/* ---- the stand ----------------------------------------------------------------------------------------------------- */

stand *stand_open(const atls_attester_options *options, uint64_t random)
{
    stand *s = calloc(1, sizeof *s);
    assert_non_null(s);
    s->f.random = random;
    s->f.arena_size = options->arena_size;
    assert_int_equal(pthread_mutex_init(&s->f.lock, NULL), 0);
    assert_int_equal(pthread_cond_init(&s->f.changed, NULL), 0);
    assert_true(atls_crypto_new(&s->crypto, &s->err));
    atls_attester_options o = *options;
    o.attest = fake_attest;
    o.attest_ctx = &s->f;
    assert_true(atls_attester_new(&o, &s->a, &s->err));
    return s;
}

void stand_close(stand *s)
{
    stand_let_go(s);
    atls_attester_free(s->a);
    atls_crypto_free(s->crypto);
    assert_int_equal(pthread_cond_destroy(&s->f.changed), 0);
    assert_int_equal(pthread_mutex_destroy(&s->f.lock), 0);
    free(s);
}

void stand_let_go(stand *s)
{
    (void)pthread_mutex_lock(&s->f.lock);
    s->f.open = true;
    (void)pthread_cond_broadcast(&s->f.changed);
    (void)pthread_mutex_unlock(&s->f.lock);
}

atls_ticket *stand_ask(stand *s, atls_ticket_kind kind, unsigned i)
{
    uint8_t value[64];
    atls_ticket *t = NULL;
    fake_value(i, value);
    atls_error_clear(&s->err);
    const bool ok = atls_ticket_new(s->a, kind, value, &t, &s->err);
    assert_true(ok == (t != NULL));
    assert_true(ok == (s->err.code == ATLS_OK));
    return t;
}

void stand_begun(stand *s, unsigned n)
{
    bool patient = true;
    (void)pthread_mutex_lock(&s->f.lock);
    while (s->f.n_begun < n && patient) {
        patient = wait_for_change(&s->f);
    }
    (void)pthread_mutex_unlock(&s->f.lock);
    assert_true(patient);
}

void stand_end(stand *s, fake_end how)
{
    (void)pthread_mutex_lock(&s->f.lock);
    assert_true(s->f.n_ended < FAKE_MAX_QUOTES);
    s->f.ends[s->f.n_ended++] = how;
    const unsigned n = s->f.n_ended;
    (void)pthread_cond_broadcast(&s->f.changed);
    (void)pthread_mutex_unlock(&s->f.lock);
    for (unsigned ms = 0; ms < FAKE_PATIENCE_S * 1000; ms++) {
        const atls_attester_counts counts = atls_attester_count(s->a);
        if (counts.quotes + counts.failed >= n) {
            return;
        }
        fake_sleep_us(1000);
    }
    fail_msg("the quote did not end");
}

bool stand_answer_holds(const stand *s, atls_ticket_kind kind, const uint8_t value[64], const atls_attested *got)
{
    atls_error err = {0};
    uint8_t quote[70];
    uint8_t root[64];
    uint8_t report[64];
    if (!atls_bytes_equal(got->evidence.quote, fake_quote(got->report_data, quote))
        || !atls_bytes_equal_str(got->evidence.event_log, "[]") || got->evidence.vm_config.len != 0
        || got->evidence.vm_config.ptr == NULL) {
        return false;
    }
    if (kind == ATLS_TICKET_REPORT_DATA) {
        return memcmp(value, got->report_data, 64) == 0 && got->path.siblings.len == 0;
    }
    return atls_tree_walk(s->crypto, value, &got->path, "path", root, &err)
           && atls_native_report(s->crypto, got->path.size, root, report, &err)
           && memcmp(report, got->report_data, 64) == 0;
}
