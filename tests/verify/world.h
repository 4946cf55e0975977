/* SPDX-License-Identifier: Apache-2.0 */
/* world.h: one honest appraisal of a simulated machine, that a test then changes in one point. */
#ifndef ATLS_TESTS_VERIFY_WORLD_H
#define ATLS_TESTS_VERIFY_WORLD_H

#include "tap.h"

#include "atls/atls.h"
#include "sim/sim.h"

typedef struct world {
    sim *room;
    atls_arena arena;
    char *policy; /* the document; edited before world_appraise reads it */
    atls_appraisal in;
    atls_policy *parsed;
    atls_verifier *verifier;
    atls_result result;
    atls_error err;
    bool accepted;
} world;

/* world_open makes a room of a kind with settings ("path=value", NULL-terminated, may be NULL), a TLS identity whose leaf
 * is measured, a quote over a nonce and an exporter value, the log, and the policy of a type that accepts all of it. */
void world_open(world *w, sim_kind kind, const char *const *settings, const char *type);
/* world_more adds members to the end of the policy: ",\"min_isvsvn\":3". */
void world_more(world *w, const char *members);
/* world_spoil changes the last hex digit of the first string after `"<member>":` in the policy. */
void world_spoil(world *w, const char *member);
/* Changes of the call that more than one test makes. */
void world_other_value(world *w); /* another nonce or session */
void world_other_leaf(world *w);  /* another certificate */
void world_no_binding(world *w);  /* outside a session, nothing to compare */
/* world_appraise reads the policy and appraises. */
void world_appraise(world *w);
/* world_check gives the check with an id, NULL when the list has none. */
const atls_check *world_check(const world *w, const char *id);
size_t world_failures(const world *w);
/* world_assert_consistent asserts what must hold of every result: verdict, error, claims and list agree, and docs/checks.md
 * knows every check. */
void world_assert_consistent(const world *w);
/* world_assert_documented asserts that docs/checks.md knows an id (where the tests run in the source folder). */
void world_assert_documented(const char *id);
void world_close(world *w);

#endif
