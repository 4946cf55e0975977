/* SPDX-License-Identifier: Apache-2.0 */
/* snp_scene.h: a room of SEV-SNP's kind with one change, through the whole verifier, by the room's own policy. */
#ifndef ATLS_TESTS_SNP_SCENE_H
#define ATLS_TESTS_SNP_SCENE_H

#include "atls/verifier.h"
#include "sim/sim_sevsnp.h"
#include "tap.h"

#define SCENE_MAX_SETTINGS 6

/* Without settings every row is accepted; each is one lie, or one thing that is no lie. */
typedef struct scene_row {
    const char *name;
    const char *kind; /* words: milan genoa turin vlek v2 v3 v4 v5; table: certificates in the table, none beside it */
    const char *settings[SCENE_MAX_SETTINGS];
    atls_code code;
    const char *field;
    const char *check; /* this check must be skipped, or not applicable; NULL: not asked */
} scene_row;

/* scene_run makes the room and looks at verdict, code and field; the row is the state of a cmocka test. */
void scene_run(void **state);

typedef struct scene {
    atls_arena arena;
    sim_snp *room;
    atls_policy *policy;
    atls_verifier *verifier;
    atls_bytes evidence;
    atls_endorsements endorsements; /* of the room, made once: a list takes a signature */
    bool in_table;
} scene;

extern const uint8_t scene_report_data[64];
void scene_open(const scene_row *row, scene *s);
void scene_close(scene *s);
bool scene_appraise(scene *s, atls_bytes evidence, atls_result *r, atls_error *err);

#endif
