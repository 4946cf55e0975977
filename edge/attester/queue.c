/* SPDX-License-Identifier: Apache-2.0 */
/* queue.c: tickets wait in two lines, one for each kind; one thread serves whoever came first.
 *
 *   ticket_new ─▶ line of its kind ─▶ line "making" ─ quote ─▶ in no line: READY or FAILED
 *
 * One lock guards the lines, the counters and what tickets say; it is never held while a quote is made. A batch closes
 * at the moment the thread takes it, which is when it has nothing else to do. Tickets outlive their attester: what they
 * share is freed with the last of them. */
#include "queue.h"

#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "batch.h"
#include "edge/tls/clock.h"

#define DEFAULT_MAX_WAITING 4096u
#define DEFAULT_ARENA_SIZE  ((size_t)4 * 1024 * 1024)

typedef struct line {
    atls_ticket *first;
    atls_ticket *last;
    uint32_t n;
} line;

struct atls_attester {
    atls_attester_options options; /* defaults filled in */
    atls_crypto *crypto;           /* the thread's */
    pthread_t thread;
    pthread_condattr_t monotonic;
    pthread_mutex_t lock; /* guards everything below */
    pthread_cond_t work;  /* somebody waits, or the end has come */
    bool stopping;
    line reports;
    line leaves;
    line making;
    uint64_t n_arrived;          /* numbers tickets */
    uint64_t refs;               /* atls_attester_free's own, and one for each ticket */
    atls_attester_counts counts; /* without `waiting` */
};

struct atls_ticket {
    atls_attester *attester;
    atls_ticket_kind kind;
    uint8_t value[64];
    int fd; /* read end of the pipe, -1: none; the owner's alone */
    /* guarded by the attester's lock */
    line *home; /* NULL: settled */
    atls_ticket *prev;
    atls_ticket *next;
    uint64_t number; /* of arrival */
    atls_ticket_state state;
    pthread_cond_t settled; /* state is not WAITING any more */
    int wake_fd;            /* write end of the pipe, -1: none */
    atls_batch *batch;      /* NULL: none was made for it */
    size_t index;           /* in the batch */
    atls_code code;         /* FAILED without a batch: why */
    atls_attested attested; /* written once, before READY */
};

/* ---- lines ------------------------------------------------------------------------------------------------------- */

static void line_append(line *l, atls_ticket *t)
{
    t->home = l;
    t->prev = l->last;
    t->next = NULL;
    if (l->last == NULL) {
        l->first = t;
    } else {
        l->last->next = t;
    }
    l->last = t;
    l->n++;
}

static void line_remove(atls_ticket *t)
{
    line *l = t->home;
    if (t->prev == NULL) {
        l->first = t->next;
    } else {
        t->prev->next = t->next;
    }
    if (t->next == NULL) {
        l->last = t->prev;
    } else {
        t->next->prev = t->prev;
    }
    l->n--;
    t->home = NULL;
    t->prev = NULL;
    t->next = NULL;
}

static uint32_t n_waiting(const atls_attester *a)
{
    return a->reports.n + a->leaves.n; /* at most max_waiting */
}

/* The line whose first ticket came before the other's: so neither kind can starve the other. */
static line *oldest(atls_attester *a)
{
    if (a->reports.first == NULL) {
        return &a->leaves;
    }
    if (a->leaves.first == NULL) {
        return &a->reports;
    }
    return a->reports.first->number < a->leaves.first->number ? &a->reports : &a->leaves;
}

/* ---- batches: everything here holds the lock ----------------------------------------------------------------------- */

static void adopt(atls_batch *b, atls_ticket *t, size_t index)
{
    t->batch = b;
    t->index = index;
    b->refs++;
    if (b->n_leaves == 0) {
        memcpy(b->report_data, t->value, sizeof t->value);
    } else {
        memcpy(b->leaves[index], t->value, sizeof t->value);
    }
}

/* Closes a batch: whoever is in it moves to `making`. NULL: there is no memory for it; they have moved all the same. */
static atls_batch *take(atls_attester *a)
{
    line *from = oldest(a);
    const bool tree = from == &a->leaves;
    const uint32_t n = !tree ? 1 : from->n < a->options.max_batch ? from->n : a->options.max_batch;
    atls_error ignored = {0}; /* MEMORY */
    atls_batch *b = atls_batch_new(tree ? n : 0, a->options.arena_size, &ignored);
    for (uint32_t i = 0; i < n; i++) {
        atls_ticket *t = from->first;
        line_remove(t);
        line_append(&a->making, t);
        if (b != NULL) {
            adopt(b, t, i);
        }
    }
    return b;
}

/* Returns the batch if the caller was the last who held it: to be freed without the lock, since wiping takes time. */
static atls_batch *unref(atls_batch *b)
{
    return b != NULL && --b->refs == 0 ? b : NULL;
}

/* Makes the descriptor readable. The pipe is empty and not blocking: nothing can go wrong that could be mended. */
static void ring(const atls_ticket *t)
{
    if (t->wake_fd >= 0) {
        const ssize_t n = write(t->wake_fd, "", 1);
        (void)n;
    }
}

static void settle(atls_ticket *t, atls_ticket_state state, atls_code code)
{
    line_remove(t);
    t->state = state;
    t->code = code;
    (void)pthread_cond_signal(&t->settled);
    ring(t);
}

static void settle_ready(atls_ticket *t)
{
    const atls_batch *b = t->batch;
    t->attested.evidence = b->evidence;
    memcpy(t->attested.report_data, b->report_data, sizeof b->report_data);
    t->attested.path = b->n_leaves > 0 ? b->paths[t->index] : (atls_tree_path){.siblings = atls_bytes_empty()};
    settle(t, ATLS_TICKET_READY, ATLS_OK);
}

static void settle_batch(atls_attester *a, bool ok)
{
    if (ok) {
        a->counts.quotes++;
        a->counts.answered += a->making.n;
    } else {
        a->counts.failed++;
    }
    while (a->making.first != NULL) {
        if (ok) {
            settle_ready(a->making.first);
        } else {
            settle(a->making.first, ATLS_TICKET_FAILED, ATLS_E_MEMORY);
        }
    }
}

/* ---- the thread ---------------------------------------------------------------------------------------------------- */

/* One batch from beginning to end. Holds the lock when called and when it returns. */
static void serve(atls_attester *a)
{
    atls_batch *b = take(a);
    if (b == NULL) {
        settle_batch(a, false);
        return;
    }
    b->refs++; /* the thread's own: every ticket may go away meanwhile */
    (void)pthread_mutex_unlock(&a->lock);
    const bool ok = atls_batch_make(b, a->crypto, a->options.attest, a->options.attest_ctx);
    (void)pthread_mutex_lock(&a->lock);
    settle_batch(a, ok);
    atls_batch *dead = unref(b);
    (void)pthread_mutex_unlock(&a->lock);
    atls_batch_free(dead);
    (void)pthread_mutex_lock(&a->lock);
}

static void *run(void *arg)
{
    atls_attester *a = arg;
    (void)pthread_mutex_lock(&a->lock);
    while (!a->stopping) {
        if (n_waiting(a) > 0) {
            serve(a);
        } else {
            (void)pthread_cond_wait(&a->work, &a->lock);
        }
    }
    while (n_waiting(a) > 0) {
        settle(oldest(a)->first, ATLS_TICKET_FAILED, ATLS_E_INTERNAL);
    }
    (void)pthread_mutex_unlock(&a->lock);
    return NULL;
}

/* The program's handlers run in the program's threads. Faults are left alone: what the thread itself does wrong is
 * undefined while blocked (POSIX, pthread_sigmask). */
static bool start(atls_attester *a, atls_error *err)
{
    sigset_t all;
    sigset_t before;
    (void)sigfillset(&all);
    (void)sigdelset(&all, SIGBUS);
    (void)sigdelset(&all, SIGFPE);
    (void)sigdelset(&all, SIGILL);
    (void)sigdelset(&all, SIGSEGV);
    if (pthread_sigmask(SIG_SETMASK, &all, &before) != 0) {
        return atls_fail(err, ATLS_E_INTERNAL, "attester", "signals cannot be blocked");
    }
    const int failed = pthread_create(&a->thread, NULL, run, a);
    (void)pthread_sigmask(SIG_SETMASK, &before, NULL);
    return failed == 0 || atls_fail(err, ATLS_E_INTERNAL, "attester", "no thread can be started");
}

/* ---- attester ------------------------------------------------------------------------------------------------------ */

static bool check_options(const atls_attester_options *o, atls_error *err)
{
    if (o == NULL || o->attest == NULL) {
        return atls_fail(err, ATLS_E_CONFIGURATION, "attester.attest", "there is nothing that makes evidence");
    }
    if (o->max_batch > ATLS_TREE_MAX_SIZE) {
        return atls_fail(err, ATLS_E_CONFIGURATION, "attester.max_batch", "a tree has at most %u leaves",
                         ATLS_TREE_MAX_SIZE);
    }
    if (o->arena_size > PTRDIFF_MAX) {
        return atls_fail(err, ATLS_E_CONFIGURATION, "attester.arena_size", "no machine has %zu bytes", o->arena_size);
    }
    return true;
}

static void configure(atls_attester *a, const atls_attester_options *o)
{
    a->options = *o;
    a->options.max_waiting = o->max_waiting == 0 ? DEFAULT_MAX_WAITING : o->max_waiting;
    a->options.max_batch = o->max_batch == 0 ? ATLS_TREE_MAX_SIZE : o->max_batch;
    a->options.arena_size = o->arena_size == 0 ? DEFAULT_ARENA_SIZE : o->arena_size;
    a->refs = 1;
}

/* All of them or none. */
static bool make_lock(atls_attester *a, atls_error *err)
{
    if (pthread_condattr_init(&a->monotonic) != 0) {
        return atls_fail(err, ATLS_E_INTERNAL, "attester", "no condition variable can be made");
    }
    if (pthread_condattr_setclock(&a->monotonic, CLOCK_MONOTONIC) == 0 && pthread_mutex_init(&a->lock, NULL) == 0) {
        if (pthread_cond_init(&a->work, NULL) == 0) {
            return true;
        }
        (void)pthread_mutex_destroy(&a->lock);
    }
    (void)pthread_condattr_destroy(&a->monotonic);
    return atls_fail(err, ATLS_E_INTERNAL, "attester", "no lock can be made");
}

static void destroy(atls_attester *a)
{
    (void)pthread_cond_destroy(&a->work);
    (void)pthread_mutex_destroy(&a->lock);
    (void)pthread_condattr_destroy(&a->monotonic);
    atls_crypto_free(a->crypto);
    free(a);
}

/* Gives up one reference and the lock with it. */
static void release(atls_attester *a)
{
    const bool last = --a->refs == 0;
    (void)pthread_mutex_unlock(&a->lock);
    if (last) {
        destroy(a);
    }
}

bool atls_attester_new(const atls_attester_options *options, atls_attester **out, atls_error *err)
{
    *out = NULL;
    if (!check_options(options, err)) {
        return false;
    }
    atls_attester *a = calloc(1, sizeof *a);
    if (a == NULL) {
        return atls_fail(err, ATLS_E_MEMORY, "attester", "no memory for an attester");
    }
    configure(a, options);
    if (!atls_crypto_new(&a->crypto, err) || !make_lock(a, err)) {
        atls_crypto_free(a->crypto);
        free(a);
        return false;
    }
    if (!start(a, err)) {
        destroy(a);
        return false;
    }
    *out = a;
    return true;
}

void atls_attester_free(atls_attester *a)
{
    if (a == NULL) {
        return;
    }
    (void)pthread_mutex_lock(&a->lock);
    a->stopping = true;
    (void)pthread_cond_signal(&a->work);
    (void)pthread_mutex_unlock(&a->lock);
    (void)pthread_join(a->thread, NULL);
    (void)pthread_mutex_lock(&a->lock);
    release(a);
}

atls_attester_counts atls_attester_count(atls_attester *a)
{
    (void)pthread_mutex_lock(&a->lock);
    atls_attester_counts out = a->counts;
    out.waiting = n_waiting(a);
    (void)pthread_mutex_unlock(&a->lock);
    return out;
}

/* ---- tickets --------------------------------------------------------------------------------------------------------- */

static bool enter(atls_ticket *t, atls_error *err)
{
    atls_attester *a = t->attester;
    if (a->stopping) {
        return atls_fail(err, ATLS_E_INTERNAL, "attester", "the attester is being closed");
    }
    if (n_waiting(a) >= a->options.max_waiting) {
        a->counts.refused++;
        return atls_fail(err, ATLS_E_LIMIT, "attester.max_waiting", "%u requests for evidence wait already",
                         (unsigned)n_waiting(a));
    }
    t->number = a->n_arrived++;
    line_append(t->kind == ATLS_TICKET_LEAF ? &a->leaves : &a->reports, t);
    a->refs++;
    (void)pthread_cond_signal(&a->work);
    return true;
}

static atls_ticket *make_ticket(atls_attester *a, atls_ticket_kind kind, const uint8_t value[64], atls_error *err)
{
    atls_ticket *t = calloc(1, sizeof *t);
    if (t == NULL) {
        (void)atls_fail(err, ATLS_E_MEMORY, "attester", "no memory for a request");
        return NULL;
    }
    if (pthread_cond_init(&t->settled, &a->monotonic) != 0) {
        (void)atls_fail(err, ATLS_E_INTERNAL, "attester", "no condition variable can be made");
        free(t);
        return NULL;
    }
    t->attester = a;
    t->kind = kind;
    t->state = ATLS_TICKET_WAITING;
    t->fd = -1;
    t->wake_fd = -1;
    memcpy(t->value, value, sizeof t->value);
    return t;
}

static void close_fd(int fd)
{
    if (fd >= 0) {
        (void)close(fd);
    }
}

static void destroy_ticket(atls_ticket *t)
{
    close_fd(t->fd);
    close_fd(t->wake_fd);
    (void)pthread_cond_destroy(&t->settled);
    atls_wipe(t, sizeof *t);
    free(t);
}

bool atls_ticket_new(atls_attester *a, atls_ticket_kind kind, const uint8_t value[64], atls_ticket **out,
                     atls_error *err)
{
    *out = NULL;
    if (kind != ATLS_TICKET_REPORT_DATA && kind != ATLS_TICKET_LEAF) {
        return atls_fail(err, ATLS_E_INTERNAL, "attester", "there is no such kind of request");
    }
    atls_ticket *t = make_ticket(a, kind, value, err);
    if (t == NULL) {
        return false;
    }
    (void)pthread_mutex_lock(&a->lock);
    const bool ok = enter(t, err);
    (void)pthread_mutex_unlock(&a->lock);
    if (!ok) {
        destroy_ticket(t);
        return false;
    }
    *out = t;
    return true;
}

static void tell_failure(const atls_ticket *t, atls_error *err)
{
    if (t->batch == NULL) {
        (void)atls_fail(err, t->code, "attester",
                        t->code == ATLS_E_MEMORY ? "no memory for evidence" : "the attester was closed");
    } else if (err->code == ATLS_OK) {
        *err = t->batch->err;
    }
}

atls_ticket_state atls_ticket_poll(atls_ticket *t, const atls_attested **out, atls_error *err)
{
    (void)pthread_mutex_lock(&t->attester->lock);
    const atls_ticket_state state = t->state;
    (void)pthread_mutex_unlock(&t->attester->lock);
    /* A settled ticket and its batch do not change any more. */
    *out = state == ATLS_TICKET_READY ? &t->attested : NULL;
    if (state == ATLS_TICKET_FAILED) {
        tell_failure(t, err);
    }
    return state;
}

void atls_ticket_wait(atls_ticket *t, uint32_t timeout_ms)
{
    const uint64_t now = atls_clock_ms();
    if (now == UINT64_MAX) {
        return; /* without a clock nothing would end the wait */
    }
    const uint64_t end = now + timeout_ms;
    const struct timespec until = {.tv_sec = (time_t)(end / 1000), .tv_nsec = (long)(end % 1000 * 1000000)};
    (void)pthread_mutex_lock(&t->attester->lock);
    int failed = 0;
    while (t->state == ATLS_TICKET_WAITING && failed == 0) {
        failed = pthread_cond_timedwait(&t->settled, &t->attester->lock, &until);
    }
    (void)pthread_mutex_unlock(&t->attester->lock);
}

/* Like pipe2 of systems that have it. */
static bool make_pipe(int ends[2])
{
    if (pipe(ends) != 0) {
        return false;
    }
    for (int i = 0; i < 2; i++) {
        if (fcntl(ends[i], F_SETFL, O_NONBLOCK) == -1 || fcntl(ends[i], F_SETFD, FD_CLOEXEC) == -1) {
            (void)close(ends[0]);
            (void)close(ends[1]);
            return false;
        }
    }
    return true;
}

int atls_ticket_fd(atls_ticket *t)
{
    int ends[2];
    if (t->fd >= 0) {
        return t->fd;
    }
    if (!make_pipe(ends)) {
        return -1;
    }
    t->fd = ends[0];
    (void)pthread_mutex_lock(&t->attester->lock);
    t->wake_fd = ends[1];
    if (t->state != ATLS_TICKET_WAITING) {
        ring(t); /* settled before the pipe was there: readable from the start */
    }
    (void)pthread_mutex_unlock(&t->attester->lock);
    return t->fd;
}

void atls_ticket_free(atls_ticket *t)
{
    if (t == NULL) {
        return;
    }
    atls_attester *a = t->attester;
    (void)pthread_mutex_lock(&a->lock);
    if (t->home != NULL) {
        if (t->home != &a->making) {
            a->counts.dropped++;
        }
        line_remove(t);
    }
    atls_batch *dead = unref(t->batch);
    release(a);
    atls_batch_free(dead);
    destroy_ticket(t);
}

const atls_crypto *atls_attester_crypto(const atls_attester *a)
{
    return a->crypto;
}

atls_platform atls_attester_platform(const atls_attester *a)
{
    return a->options.platform;
}
