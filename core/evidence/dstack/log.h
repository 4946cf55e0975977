/* SPDX-License-Identifier: Apache-2.0 */
/* log.h: what the files of this room share and nobody else sees. */
#ifndef ATLS_EVIDENCE_DSTACK_LOG_H
#define ATLS_EVIDENCE_DSTACK_LOG_H

#include "base/text.h"
#include "evidence/dstack/dstack.h"

#define DSTACK_EV_NO_ACTION 3u /* TCG: logged, never extended */
#define DSTACK_RUNTIME_IMR  3u
#define DSTACK_DIGEST_LEN   48u

#define DSTACK_CERTIFICATE_EVENT "New TLS Certificate"
#define DSTACK_READY_EVENT       "system-ready"

/* A log that grows entry by entry, up to the limits of base/limits.h. */
typedef struct log_builder {
    dstack_log *log;
    size_t cap;         /* entries there is room for */
    size_t payload_len; /* bytes of all payloads so far */
    atls_arena *arena;
    atls_error *err;
} log_builder;

/* dstack_log_begin takes room for cap entries. LIMIT with field "event_log" when that is more than ATLS_MAX_EVENTS. */
ATLS_MUST_USE bool dstack_log_begin(log_builder *b, dstack_log *log, size_t cap, atls_arena *a, atls_error *err);
/* dstack_log_count_payload adds a payload's length to the log's; LIMIT with `field` when the log's payloads are too long
 * together. */
ATLS_MUST_USE bool dstack_log_count_payload(log_builder *b, const char *field, size_t len);

/* dstack_log_first_byte gives the first byte that is no JSON white space, -1 when there is none. A log is JSON when it is '['.
 */
int dstack_log_first_byte(atls_bytes text);

/* dstack_log_decode_ccel reads a raw TCG2 log. Failures carry the reader's codes. */
ATLS_MUST_USE bool dstack_log_decode_ccel(atls_bytes in, atls_arena *a, dstack_log *out, atls_error *err);

/* dstack_log_preimage gives the bytes that a runtime event's digest covers, in the arena; version is 1 or 2. */
ATLS_MUST_USE bool dstack_log_preimage(uint32_t version, atls_bytes name, atls_bytes payload, atls_arena *a,
                                       atls_bytes *out, atls_error *err);

/* dstack_log_put_string prints a JSON string, quotes included, as serde_json and RFC 8785 do (section 3). */
void dstack_log_put_string(atls_buf *b, atls_bytes text);

/* dstack_log_is_runtime tells whether an entry is a dstack runtime event: only those have names with authority (R3). */
bool dstack_log_is_runtime(const dstack_log *log, const atls_event *e);

#endif
