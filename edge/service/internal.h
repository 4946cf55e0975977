/* SPDX-License-Identifier: Apache-2.0 */
/* internal.h: the pieces of the service and who owns them, for edge/service only.
 *
 *   generation  a configuration, and what is made of it once: policies, CA, TLS. Immutable
 *   list        Google's list of revoked keys, compiled. Immutable
 *   engine      an enroller over one generation and one list: what a request runs with, from its first step to its last
 *
 * All three count who holds them, and are freed by the last one; a new one takes the place of the old one under a lock. */
#ifndef ATLS_EDGE_SERVICE_INTERNAL_H
#define ATLS_EDGE_SERVICE_INTERNAL_H

#include <openssl/ssl.h>
#include <pthread.h>

#include "atls/android.h"
#include "atls/fetch.h"
#include "audit.h"
#include "ca.h"
#include "config.h"
#include "metrics.h"
#include "pool.h"
#include "service.h"
#include "store.h"

#define SVC_CONFIG_ARENA_SIZE ((size_t)16 * 1024 * 1024)
#define SVC_LIST_ARENA_SIZE   ((size_t)96 * 1024 * 1024)

/* ---- generation.c ---- */

typedef struct svc_generation {
    atomic_size_t n_holders;
    uint64_t number; /* counted from 1 */
    atls_arena arena;
    svc_config config;
    atls_policy *android; /* NULL: not configured */
    atls_policy *apple;
    uint8_t policy_sha256[32]; /* of both texts, and what else decides: equal on every replica */
    atls_ca *ca;
    SSL_CTX *tls; /* NULL: plain HTTP */
} svc_generation;

/* svc_generation_load makes one of the file. Errors: those of configurations, policies, CA and TLS. */
ATLS_MUST_USE bool svc_generation_load(const char *path, int64_t now_ms, uint64_t number, svc_generation **out,
                                       atls_error *err);
svc_generation *svc_generation_hold(svc_generation *g);
void svc_generation_drop(svc_generation *g);

/* svc_policies_load makes the policies of a generation. Errors: CONFIGURATION. policies.c */
ATLS_MUST_USE bool svc_policies_load(svc_generation *g, atls_error *err);
/* svc_tls_load makes its SSL_CTX. Errors: CONFIGURATION. tls.c */
ATLS_MUST_USE bool svc_tls_load(svc_generation *g, atls_error *err);

/* ---- list.c ---- */

typedef struct svc_revoked {
    atomic_size_t n_holders;
    atls_arena arena;
    atls_android_status status;
    uint8_t sha256[32];
    size_t n_entries;
} svc_revoked;

/* svc_revoked_new compiles a list. Errors: ANDROID_LIST_UNAVAILABLE, MEMORY. */
ATLS_MUST_USE bool svc_revoked_new(atls_bytes json, atls_time fetched, atls_time expires, svc_revoked **out,
                                   atls_error *err);
void svc_revoked_drop(svc_revoked *l);

/* Where lists come from; the keeper's thread only. */
typedef struct svc_lists svc_lists;
ATLS_MUST_USE bool svc_lists_new(const svc_config *c, svc_lists **out, atls_error *err);
void svc_lists_free(svc_lists *l);
/* svc_lists_look gives a newer list than `have` (may be NULL) in *out, NULL where there is none. False: it could not be had, and
 * `have` still serves, as long as policies let it. */
ATLS_MUST_USE bool svc_lists_look(svc_lists *l, const svc_config *c, const svc_revoked *have, atls_time now,
                                  svc_revoked **out, atls_error *err);

/* ---- engine.c ---- */

typedef struct svc_engine {
    atomic_size_t n_holders;
    svc_generation *generation;
    svc_revoked *list; /* NULL: there is none, and Android fails closed */
    atls_enroller *enroller;
} svc_engine;

/* svc_engine_new holds the generation and the list, which may be NULL. Errors: those of atls_enroller_new. */
ATLS_MUST_USE bool svc_engine_new(svc_generation *g, svc_revoked *list, svc_engine **out, atls_error *err);
void svc_engine_drop(svc_engine *e);

/* ---- the service ---- */

typedef struct svc_store_state {
    bool is_reachable;
    uint64_t outstanding;
    atomic_uint_fast64_t since; /* inserted since it was counted */
    int64_t looked_ms;
} svc_store_state;

typedef struct svc_server svc_server;
typedef struct svc_keeper svc_keeper;

struct atls_service {
    atls_service_options options;
    const char *config_file;
    atls_arena arena; /* texts of the options */
    pthread_mutex_t lock;
    svc_engine *engine;     /* under the lock */
    svc_store_state stored; /* same, but for `since` */
    char reload_error[256]; /* same: of the last one; "": it went well */
    char list_error[256];   /* same */
    atomic_bool is_draining;
    atls_challenges *store;
    atls_audit *audit;                     /* NULL: none */
    atomic_uint_fast64_t audit_failed_ms;  /* monotonic: when the last line could not be written; 0: it could */
    atomic_uint_fast64_t n_records;        /* debug statements */
    atomic_uint_fast64_t records_swept_ms; /* monotonic */
    svc_metrics metrics;
    svc_pool *pool;
    svc_keeper *keeper;
    svc_server *server;
    uint64_t begun_ms; /* monotonic */
};

/* svc_now_ms reads the service's clock: milliseconds since 1970, 0 when nobody knows. */
int64_t svc_now_ms(const atls_service *s);
/* svc_tick_us is a monotonic clock for durations. */
uint64_t svc_tick_us(void);

/* svc_engine_take gives what is in force; svc_engine_drop it. svc_engine_put puts another in its place. */
svc_engine *svc_engine_take(atls_service *s);
void svc_engine_put(atls_service *s, svc_engine *e);

/* svc_log writes a line; whatever of it is not printable becomes '?'. log.c */
void svc_log(const atls_service *s, int level, const char *format, ...) ATLS_PRINTF(3, 4);
void svc_log_error(const atls_service *s, int level, const char *what, const atls_error *err);
enum { SVC_ERROR = 3, SVC_WARNING = 4, SVC_INFO = 6 };

/* svc_run_job is an svc_run_fn: ctx is the service. jobs.c */
void svc_run_job(void *ctx, svc_job *job, atls_arena *arena);
/* svc_record_write stores a debug statement. record.c */
void svc_record_write(atls_service *s, const svc_config *c, const char *id, const atls_enrol_outcome *o,
                      atls_arena *arena);

/* svc_health_put writes what /health says; false: 503. svc_gauges_put adds to metrics what is of the moment. health.c */
bool svc_health_put(atls_service *s, atls_buf *b);
void svc_gauges_put(atls_service *s, atls_buf *b);

/* ---- keeper.c ---- */

/* svc_keeper_new looks at list and store once, and starts the threads. Errors: MEMORY, INTERNAL. */
ATLS_MUST_USE bool svc_keeper_new(atls_service *s, svc_keeper **out, atls_error *err);
void svc_keeper_reload(svc_keeper *k);
void svc_keeper_free(svc_keeper *k);

/* ---- server.c ---- */

/* svc_files_enough raises the descriptors of the process to what so many connections need. Errors: CONFIGURATION. */
ATLS_MUST_USE bool svc_files_enough(const svc_config *c, atls_error *err);
/* svc_server_new listens. wake_fd is where workers write when a job is done. Errors: CONFIGURATION, IO, MEMORY, INTERNAL. */
ATLS_MUST_USE bool svc_server_new(atls_service *s, svc_server **out, atls_error *err);
int svc_server_wake_fd(const svc_server *v);
/* svc_server_run returns when everything is drained (true), or was not in time. */
ATLS_MUST_USE bool svc_server_run(svc_server *v, atls_error *err);
void svc_server_stop(svc_server *v);
uint16_t svc_server_port(const svc_server *v, bool is_admin);
size_t svc_server_connections(const svc_server *v);
void svc_server_free(svc_server *v);

/* svc_notify tells the service manager ("READY=1"), if there is one. notify.c */
void svc_notify(const char *state);

#endif
