/* SPDX-License-Identifier: Apache-2.0 */
/* fetch_scene.h: a simulated machine, its verifier, and a fetcher with a clock of the test's. */
#ifndef ATLS_TESTS_EDGE_FETCH_SCENE_H
#define ATLS_TESTS_EDGE_FETCH_SCENE_H

#include "double.h"

typedef struct scene {
    sim *room;
    sim_snp *snp;
    atls_arena arena; /* reset by scene_endorse and scene_appraise */
    atls_arena kept;  /* for as long as the scene is */
    atls_bytes quote;
    atls_bytes report;
    atls_policy *policy;
    atls_verifier *verifier;
    atls_policy *snp_policy;
    atls_verifier *snp_verifier;
    atls_fetcher *fetcher;
    _Atomic(atls_time) now; /* the fetcher's, and the appraisal's */
    atls_endorsements out;
    atls_result result;
    atls_error err;
    unsigned took_ms;
} scene;

/* scene_open makes the machine of the doubles whose seed is "atls". scene_close frees it, and the fetcher. */
void scene_open(scene *s);
void scene_close(scene *s);

/* scene_fetcher makes a fetcher over the doubles, in their order, each as PCCS and KDS; `options` may be NULL. Where they
 * have no time-outs, these are longer than any machine needs for an honest answer: 30 s, and 60 s in all. */
void scene_fetcher(scene *s, const atls_fetcher_options *options, double_server *const *servers, size_t n);

/* scene_endorse asks the fetcher for what the TDX quote needs; scene_endorse_snp for the SEV-SNP report. */
bool scene_endorse(scene *s);
bool scene_endorse_snp(scene *s, const char *product);
atls_endorsement_request scene_request(scene *s);
atls_endorsement_request scene_snp_request(scene *s, const char *product);

/* scene_appraise appraises the quote, and scene_appraise_snp the report, with endorsements of the fetcher. */
bool scene_appraise(scene *s);
bool scene_appraise_snp(scene *s);

/* scene_expect wants the last failure to be this; words NULL: any. scene_ok wants the last call to have succeeded. */
void scene_expect(const scene *s, bool ok, atls_code code, const char *field, const char *words);
void scene_ok(const scene *s, bool ok);

/* A fresh folder under /tmp, and away with it. */
void scene_folder(char out[64]);
void scene_remove(const char *folder);
size_t scene_files(const char *folder, const char *ending); /* how many names end like that */

/* Half a minute is soon: what must not wait would wait for longer than that. */
#define SCENE_SOON_MS 30000u

unsigned scene_ms(void);
unsigned scene_patience(void); /* 1, or more where tools slow everything down */

#endif
