/* SPDX-License-Identifier: Apache-2.0 */
/* config.h: the configuration of the enrolment service: one strict JSON file, read by one table.
 *
 * The table (config_schema.c) is the language: what is not in it is refused with the member's path as field, and the reference
 * in docs/enrolment-service.md is printed from it. Names end in their unit. Files are looked for beside the configuration, unless
 * they begin with a slash. Once read, a configuration never changes. */
#ifndef ATLS_EDGE_SERVICE_CONFIG_H
#define ATLS_EDGE_SERVICE_CONFIG_H

#include <stdio.h>

#include "atls/arena.h"
#include "atls/record.h"
#include "base/json.h"

#define SVC_MAX_CONFIG_LEN (1024u * 1024)
#define SVC_MAX_LISTEN     8u
#define SVC_MAX_WARNINGS   64u

typedef struct svc_list {
    const char *items[SVC_MAX_LISTEN];
    size_t n;
} svc_list;

typedef struct svc_config {
    const char *path;   /* of the file */
    const char *folder; /* that it is in */

    /* where */
    svc_list listen;
    svc_list admin_listen;
    const char *endpoint;
    const char *challenge_path;
    const char *attest_path;
    const char *health_path;
    const char *metrics_path;
    const char *tls_certificate; /* NULL: plain HTTP */
    const char *tls_key;
    bool tls13_only;
    bool insecure_plain_http;

    /* what */
    const char *proof_oid;
    uint64_t validity_s;
    int64_t challenge_offset_s;
    uint64_t nonce_len;
    const char *time_zone; /* NULL: none is stated */
    int64_t verification_offset_s;
    atls_bytes android; /* policy document with its type; empty: not configured */
    atls_bytes apple;
    bool explanations;
    bool insecure_test_mode;

    /* with what */
    const char *store;
    const char *ca_folder;
    const char *ca_chain;
    const char *ca_key;
    const char *ca_passphrase;
    const char *ca_pin;
    const char *ca_serial_key;
    atls_bytes ca_profile;  /* JSON object; empty: the folder's */
    const char *test_ca;    /* folder; of test mode */
    const char *audit_file; /* NULL: none */
    bool audit_fsync;
    const char *status_file;
    const char *status_url;
    const char *status_cache;
    const char *status_proxy;
    uint64_t status_poll_s;
    uint64_t status_life_s; /* of a file */
    const char *records_folder;
    const char *records_when;
    uint64_t records_max;
    uint64_t records_days;
    bool records_redact;

    /* how much */
    uint64_t workers;
    uint64_t queue;
    uint64_t arena_mib;
    uint64_t max_connections;
    uint64_t max_connections_per_address;
    uint64_t max_requests_per_connection;
    uint64_t max_head_len;
    uint64_t max_body_len;
    uint64_t max_bodies_len;
    uint64_t head_timeout_ms;
    uint64_t body_timeout_ms;
    uint64_t idle_timeout_ms;
    uint64_t write_timeout_ms;
    uint64_t drain_timeout_ms;
    uint64_t max_challenges;
    uint64_t addresses;
    uint64_t challenge_per_minute;
    uint64_t challenge_burst;
    uint64_t attest_per_minute;
    uint64_t attest_burst;

    atls_bytes text;                        /* of the file */
    const char *warnings[SVC_MAX_WARNINGS]; /* what weakens, one sentence each */
    size_t n_warnings;
} svc_config;

typedef enum svc_kind {
    SVC_TEXT,   /* const char * */
    SVC_FILE,   /* const char *, a path beside the configuration */
    SVC_UINT,   /* uint64_t, min to max */
    SVC_INT,    /* int64_t, min to max */
    SVC_FLAG,   /* bool */
    SVC_LIST,   /* svc_list; a text stands for a list of one */
    SVC_OBJECT, /* atls_bytes: an object that somebody else reads */
    SVC_POLICY, /* atls_bytes: an object, or the name of a file that holds one; "type" is put in */
    SVC_WORD,   /* const char *, one of `words` */
} svc_kind;

typedef struct svc_member {
    const char *path; /* "challenge.validity_s" */
    svc_kind kind;
    size_t offset; /* in svc_config */
    int64_t min;
    int64_t max;
    const char *fallback; /* as JSON; NULL: none; "": the member must be there */
    const char *words;    /* WORD: "never|failure|always"; POLICY: the type */
    const char *help;     /* one line of the reference */
} svc_member;

extern const svc_member svc_members[];
extern const size_t svc_n_members;

/* svc_config_parse reads a configuration; path is where it stands, and is not opened. Other files are: policies. Everything is in
 * the arena. Errors: CONFIGURATION with the member's path as field, IO (a file), MEMORY. */
ATLS_MUST_USE bool svc_config_parse(atls_bytes json, const char *path, atls_arena *a, svc_config *out, atls_error *err);
/* svc_config_load reads the file first. Errors: also IO, LIMIT. */
ATLS_MUST_USE bool svc_config_load(const char *path, atls_arena *a, svc_config *out, atls_error *err);

/* svc_config_check holds the rules between members, and notes down what weakens. Called by the two above. Errors: CONFIGURATION. */
ATLS_MUST_USE bool svc_config_check(svc_config *c, atls_arena *a, atls_error *err);
/* svc_config_warn adds a sentence. */
void svc_config_warn(svc_config *c, const char *sentence);

/* svc_config_fixed names the first member in which two configurations differ and that a reload cannot change; NULL: there is none. */
const char *svc_config_fixed(const svc_config *a, const svc_config *b);

/* svc_config_path gives the file that a name in the configuration means. In the arena. Errors: MEMORY. */
ATLS_MUST_USE bool svc_config_path(const svc_config *c, atls_bytes name, atls_arena *a, const char **out,
                                   atls_error *err);
/* svc_read_file reads a whole file into the arena. Errors: IO with `field`, LIMIT, MEMORY. */
ATLS_MUST_USE bool svc_read_file(const char *path, const char *field, size_t max, atls_arena *a, atls_bytes *out,
                                 atls_error *err);

/* svc_config_reference prints the table of the manual, svc_config_example a configuration to begin with. */
void svc_config_reference(FILE *f);
void svc_config_example(FILE *f);

/* svc_config_when says what "records.when" means. */
atls_record_when svc_config_when(const svc_config *c);

#endif
