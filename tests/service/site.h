/* SPDX-License-Identifier: Apache-2.0 */
/* site.h: a service in a thread, with its folder: a test CA, policies of simulated phones, a list of revoked keys, an audit log. */
#ifndef ATLS_TESTS_SERVICE_SITE_H
#define ATLS_TESTS_SERVICE_SITE_H

#include <pthread.h>

#include "client.h"
#include "edge/service/service.h"
#include "phones.h"

#define SITE_CHALLENGE "/api/v1/challenge"
#define SITE_ATTEST    "/api/v1/attest"

typedef struct site {
    char folder[64];
    char file[96]; /* of the configuration */
    char audit[96];
    phones phones;
    atls_arena arena;
    atls_error err;
    const atls_enrol_observers *observers; /* set between site_folder and site_start */
    atls_service *service;
    pthread_t thread;
    bool runs;
    bool ended_well;
    uint16_t port;
    uint16_t admin;
    char log[65536]; /* what was said */
    size_t log_len;
    pthread_mutex_t lock;
} site;

/* site_folder makes folder, CA, policies and list; nothing is served yet. */
void site_folder(site *s);
/* site_config writes the configuration: members are JSON members, with a comma behind each, that come before the usual ones; `store`
 * NULL: memory; `limits` NULL: rates are not limited. A member that is in `limits` replaces all limits. */
void site_config(site *s, const char *members, const char *store, const char *limits);
/* site_start starts it, site_stop ends it and asserts that it ended well; site_close removes the folder. */
void site_start(site *s);
void site_stop(site *s);
void site_close(site *s);
/* All of that: site_open(s, "", NULL, NULL). */
void site_open(site *s, const char *members, const char *store, const char *limits);
void site_end(site *s);

/* site_nonce gets a challenge and gives its nonce. In the arena. */
atls_bytes site_nonce(site *s);
/* site_enrol posts a request for the nonce and reads the answer. Asserts status 200. */
atls_enrol_response site_enrol(site *s, bool is_apple, atls_bytes nonce, const phones_lie *lie);
/* site_flow does both, and asserts success. */
void site_flow(site *s, bool is_apple);
/* site_metric reads a value of /metrics; -1: it is not there. */
double site_metric(site *s, const char *name);
/* site_wait_metric waits until a metric has at least this value, ten seconds at most. */
bool site_wait_metric(site *s, const char *name, double least);
bool site_said(site *s, const char *words);

#endif
