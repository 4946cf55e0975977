/* SPDX-License-Identifier: Apache-2.0 */
/* fake_attester.h: a function that makes evidence when the test says so, and an attester over it. While a quote is held
 * the test decides who arrives and who leaves, so that batches are the same in every run. */
#ifndef ATLS_TESTS_EDGE_FAKE_ATTESTER_H
#define ATLS_TESTS_EDGE_FAKE_ATTESTER_H

#include "tap.h"

#include <pthread.h>
#include <signal.h>

#include "edge/attester/queue.h"

#define FAKE_MAX_QUOTES 64
#define FAKE_PATIENCE_S 20 /* after which a test that waits has failed */

/* How a quote ends; the letters stand in scripts. */
typedef enum fake_end {
    FAKE_OK = '>',
    FAKE_REFUSES = '!',       /* false, with its own error */
    FAKE_IS_SILENT = '?',     /* false, without one */
    FAKE_IS_EMPTY = '0',      /* true, with a quote of no bytes */
    FAKE_IS_NOTHING = 'n',    /* true, and nothing else */
    FAKE_MUMBLES = 'm',       /* true with a quote, and an error all the same */
    FAKE_MUMBLES_EMPTY = 'e', /* true with an error and no quote */
    FAKE_IS_GREEDY = 'g',     /* takes all of its arena, and no byte more */
    FAKE_IS_TOO_GREEDY = 'G', /* one byte more */
} fake_end;

typedef struct fake {
    pthread_mutex_t lock;
    pthread_cond_t changed;
    bool open; /* nothing is held any more */
    unsigned n_begun;
    unsigned n_ended;
    fake_end ends[FAKE_MAX_QUOTES];
    uint8_t reports[FAKE_MAX_QUOTES][64];
    size_t arena_size; /* as the options say */
    sigset_t blocked;  /* in the attester's thread */
    uint64_t random;   /* 0: none; else quotes are not held, take a random time, and some fail */
} fake;

/* An attester over a fake, and what it takes to check its answers. */
typedef struct stand {
    fake f;
    atls_attester *a;
    atls_crypto *crypto;
    atls_error err;
} stand;

/* attest and attest_ctx are filled in; random as in fake. On the heap: when a test fails, the attester's thread goes on. */
stand *stand_open(const atls_attester_options *options, uint64_t random);
/* lets go of what is held, frees the attester if s->a is not NULL */
void stand_close(stand *s);

/* What the i-th request asks for. */
void fake_value(unsigned i, uint8_t value[64]);
/* What the fake quotes. */
atls_bytes fake_quote(const uint8_t report[64], uint8_t out[70]);

atls_ticket *stand_ask(stand *s, atls_ticket_kind kind, unsigned i);
/* waits until n quotes were begun in all */
void stand_begun(stand *s, unsigned n);
/* ends the quote that is held, and waits until its tickets were told */
void stand_end(stand *s, fake_end how);
/* lets every quote end, now and later */
void stand_let_go(stand *s);

/* What holds of an answer: evidence and path belong to this request. Callable from any thread. */
bool stand_answer_holds(const stand *s, atls_ticket_kind kind, const uint8_t value[64], const atls_attested *got);

uint64_t fake_random(uint64_t *state);
void fake_sleep_us(unsigned us);

#endif
