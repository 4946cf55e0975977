/* SPDX-License-Identifier: Apache-2.0 */
/* dstack_fixture.h: an honest event log, its registers, and ways to lie about it.
 *
 * A fixture is what the guest measured. Registers and digests are computed here with OpenSSL alone, so that the code
 * under test is compared with something else than itself. A row changes the fixture before it is measured (the guest
 * really did that) or after (the log that is shown says something else). */
#ifndef ATLS_TESTS_DSTACK_FIXTURE_H
#define ATLS_TESTS_DSTACK_FIXTURE_H

#include "atls/atls.h"
#include "evidence/dstack/dstack.h"
#include "tap.h"

#define FIX_MAX_EVENTS  24
#define FIX_MAX_PAYLOAD 160
#define FIX_LEAF        "0e4b2a7d3c5f6e8190a1b2c3d4e5f60718293a4b5c6d7e8f90a1b2c3d4e5f607"

typedef struct fix_event {
    uint32_t imr;
    uint32_t type;
    const char *name;
    uint8_t payload[FIX_MAX_PAYLOAD];
    size_t payload_len;
    uint32_t version;     /* 0: the member is absent, and 1 is meant */
    const char *digest;   /* printed instead of the right one; NULL: the right one */
    const char *preimage; /* printed; NULL: the member is absent; "": the right one */
    uint8_t boot_digest[48];
} fix_event;

typedef struct fix_log {
    fix_event events[FIX_MAX_EVENTS];
    size_t n;
} fix_log;

/* Positions in the honest log. */
enum {
    FIX_BOOT0 = 0, /* two entries each for RTMR 0, 1, 2 */
    FIX_BOOT1 = 2,
    FIX_BOOT2 = 4,
    FIX_PREPARING = 6,
    FIX_APP_ID,
    FIX_COMPOSE,
    FIX_INSTANCE,
    FIX_MR_DONE,
    FIX_IMAGE,
    FIX_PROVIDER,
    FIX_READY,
    FIX_CERT,
    FIX_N,
};

extern const uint8_t fix_app_id[20];
extern const uint8_t fix_compose_hash[32];
extern const uint8_t fix_instance_id[20];
extern const uint8_t fix_image_hash[32];
extern const char fix_provider[];

void fix_honest(fix_log *l);
void fix_set_payload(fix_event *e, const void *payload, size_t len);
void fix_set_text(fix_event *e, const char *payload);
/* fix_runtime makes a runtime event; fix_insert puts it before position i; fix_remove takes one out. */
fix_event fix_runtime(const char *name, const void *payload, size_t len);
void fix_insert(fix_log *l, size_t i, fix_event e);
void fix_remove(fix_log *l, size_t i);
void fix_swap(fix_log *l, size_t i, size_t k);

/* fix_digest gives the right digest of an entry, fix_preimage what a runtime event's covers (returns its length). */
size_t fix_preimage(const fix_event *e, char out[1024]);
void fix_digest(const fix_event *e, uint8_t out[48]);
void fix_registers(const fix_log *l, uint8_t rtmr[4][48]);

/* fix_print writes the JSON array; the text is the caller's (free). */
char *fix_print(const fix_log *l);
/* fix_hex writes lower-case hex and a NUL. */
void fix_hex(const uint8_t *in, size_t len, char *out);

/* fix_policy is a policy that accepts the honest log, fix_claims the claims of a quote that carries its registers. */
void fix_policy(atls_policy *p);
void fix_td(atls_claims *c, const uint8_t rtmr[4][48]);

/* What every test needs: memory, OpenSSL, a trace, an error. */
typedef struct fix_bench {
    atls_arena arena;
    atls_crypto *crypto;
    atls_trace trace;
    atls_error err;
} fix_bench;
void fix_bench_open(fix_bench *b);
void fix_bench_clear(fix_bench *b); /* new trace, no error, empty arena */
void fix_bench_close(fix_bench *b);

/* fix_replay decodes a log and replays it against registers. */
bool fix_replay(fix_bench *b, const char *text, uint8_t rtmr[4][48], atls_eventlog_claims *out);

/* fix_expect fails the test unless the error has this code, field and, where not NULL, these values. */
void fix_expect(const atls_error *err, atls_code code, const char *field, const char *expected, const char *actual);
/* fix_check finds an entry of the trace; NULL when it is not there. */
const atls_check *fix_check(const fix_bench *b, const char *id);

/* A whole appraisal: the guest measures, its log is printed, read and replayed, and judged against the policy. */
typedef struct fix_scene {
    fix_log log;
    atls_policy policy;
    atls_td_report *td; /* of the quote, once it is made */
    bool no_leaf;
    bool no_log;
} fix_scene;

typedef void (*fix_change)(fix_scene *s);

/* One row of a table of appraisals. */
typedef struct fix_row {
    const char *name;
    fix_change before; /* changes the guest and the policy */
    fix_change quote;  /* changes the quote, after measuring */
    atls_code code;
    const char *field;
    const char *expected; /* NULL: any */
    const char *actual;
    const char *check;          /* an entry of the trace, NULL: none is looked at .. */
    atls_check_verdict verdict; /* .. and what it must say */
} fix_row;

/* fix_play plays a scene and gives dstack_appraise's answer; fix_run_row is a test that plays a fix_row. */
bool fix_play(fix_bench *b, fix_scene *s, fix_change before, fix_change quote);
void fix_run_row(void **state);

#define FIX_NOT_FOUND "<not found in event log>"

/* fix_file reads a vector, below $ATLS_VECTORS or ../shared/vectors, into the bench's arena. fix_vector gives its entry
 * of dcap/manifest.json. Where the vectors are not there both skip the test. */
atls_bytes fix_file(fix_bench *b, const char *path);
const struct atls_json *fix_vector(fix_bench *b, const char *id);

#endif
