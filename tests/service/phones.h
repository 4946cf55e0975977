/* SPDX-License-Identifier: Apache-2.0 */
/* phones.h: a simulated Android phone and a simulated iPhone that enrol: policies that accept them, and certification requests for a
 * nonce. Nothing of the test library in it: the load program of bench uses it too. */
#ifndef ATLS_TESTS_SERVICE_PHONES_H
#define ATLS_TESTS_SERVICE_PHONES_H

#include "atls/enrol.h"
#include "sim/sim_android.h"
#include "sim/sim_apple.h"

#define PHONES_PROOF_OID "2.25.266612578647278644056060545794611611433"

typedef struct phones {
    sim_android *android;
    sim_apple *apple;
    atls_arena arena; /* of the object identifier */
    atls_bytes proof_oid;
} phones;

/* phones_open makes both; dates are laid around now. */
ATLS_MUST_USE bool phones_open(phones *p, atls_time now, atls_error *err);
void phones_close(phones *p);

/* phones_policy writes the policy that accepts them. In the arena. */
ATLS_MUST_USE bool phones_policy(phones *p, bool is_apple, atls_arena *a, atls_bytes *out, atls_error *err);

typedef struct phones_lie {
    bool other_challenge; /* the statement is for another nonce */
    bool other_key;       /* the request is for, and signed by, another key */
    bool no_statement;
} phones_lie;

/* phones_request makes a certification request. lie may be NULL. In the arena. */
ATLS_MUST_USE bool phones_request(phones *p, bool is_apple, atls_bytes nonce, const phones_lie *lie, atls_arena *a,
                                  atls_bytes *out, atls_error *err);

#endif
