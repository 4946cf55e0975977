/* SPDX-License-Identifier: Apache-2.0 */
/* service.h: the enrolment service: two endpoints for phones, two for whoever runs it, and what holds them together.
 *
 *   event loop  one thread: accepts, reads requests within their limits, writes responses. It never waits for anything else
 *   workers     a few threads: nonces into the store, requests through the enroller, certificates out of the CA
 *   keeper      one thread: the list of revoked keys, the state of the store, a new configuration
 *
 *   GET  /api/v1/challenge   200 challenge
 *   POST /api/v1/attest      200 Success or Failure; other statuses say that the request did not come that far
 *   GET  /health, /metrics   on another address
 *
 * docs/enrolment-service.md is the manual. Source: the project's specification of attested enrolment, section 11. */
#ifndef ATLS_EDGE_SERVICE_SERVICE_H
#define ATLS_EDGE_SERVICE_SERVICE_H

#include "atls/enroller.h"
#include "atls/error.h"

typedef struct atls_service atls_service;

/* Milliseconds since 1970; at most 0 when nobody knows. Any thread. */
typedef int64_t (*atls_service_clock_fn)(void *ctx);
/* One line without newline; level as of syslog: 3 error, 4 warning, 6 information. Any thread. */
typedef void (*atls_service_log_fn)(void *ctx, int level, const char *line);

/* Zeroed: everything has its default, but config_file. */
typedef struct atls_service_options {
    const char *config_file;
    atls_service_clock_fn
        now_ms; /* NULL: the system's clock. The one clock of challenges, store, appraisals, certificates */
    void *now_ctx;
    atls_service_log_fn log; /* NULL: standard error */
    void *log_ctx;
    const atls_enrol_observers *observers; /* of every request, on the workers' threads; NULL: none */
    bool with_signals; /* SIGHUP reloads, SIGTERM and SIGINT end it: for a program of its own, one service a process */
} atls_service_options;

/* atls_service_new reads the configuration, opens everything it names, and listens; nobody is served yet. *out is the caller's.
 * Errors: CONFIGURATION with the member as field; IO, ENROL_STORE, those of the CA and of policies; MEMORY, INTERNAL. */
ATLS_MUST_USE bool atls_service_new(const atls_service_options *options, atls_service **out, atls_error *err);

/* atls_service_run serves until it is told to stop, and lets requests that have begun finish. It blocks. Errors: TIMEOUT: they did
 * not finish in time (limits.drain_timeout_ms), and the service must not be freed; INTERNAL. */
ATLS_MUST_USE bool atls_service_run(atls_service *s, atls_error *err);

/* atls_service_stop, atls_service_reload are SIGTERM and SIGHUP, from any thread. A reload happens soon; what became of it is in
 * the log and in the metrics. */
void atls_service_stop(atls_service *s);
void atls_service_reload(atls_service *s);

/* atls_service_port gives the port that is listened at: of the first address of "listen", or of "admin_listen"; 0: there is none. */
uint16_t atls_service_port(const atls_service *s, bool is_admin);

/* atls_service_free frees a service that does not run. NULL is fine. */
void atls_service_free(atls_service *s);

#endif
