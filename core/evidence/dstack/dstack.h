/* SPDX-License-Identifier: Apache-2.0 */
/* dstack.h: event logs: dstack's JSON form and raw CCEL logs.
 *
 * decode.c        JSON array -> dstack_log
 * ccel.c          TCG2 binary log -> dstack_log
 * response.c      response of /tdx_quote and GetQuote; report data of the binding
 * digest.c        what a runtime event's digest covers, versions 1 and 2
 * compose.c       compose hash: order-preserving compact JSON, SHA-256
 * authenticate.c  digest recomputation, replay against the four RTMRs (R1, R5, R8, R19): alone makes eventlog claims
 * appraise.c      certificate event (R6), boot chain, compose hash, OS image, pins (R13)
 * inspect.c       shows a log or a response, unverified
 *
 * An event log is not signed: it counts only after its replay gives the RTMRs of a quote that was authenticated. Names
 * and payloads of boot events (RTMR 0 to 2) carry no authority at all, before or after. Not checked here: the quote,
 * its binding, and whether the measured image keeps its promise to log every certificate that it serves.
 *
 * Source of all of it: the dstack specification of this project; sections and requirements (R1 to R20) are its. */
#ifndef ATLS_EVIDENCE_DSTACK_H
#define ATLS_EVIDENCE_DSTACK_H

#include "evidence/format.h"

struct atls_dstack_response;

#define DSTACK_RUNTIME_EVENT 0x08000001u

typedef struct dstack_log {
    bool is_ccel;
    atls_event *events; /* digest of a runtime event may be unset (has_digest false) until authenticate recomputes it */
    bool *has_digest;
    atls_bytes *preimages; /* version 2; empty: absent */
    size_t n_events;
} dstack_log;

/* dstack_log_decode reads the JSON array of section 2 when the text starts with '[' (after white space), a raw CCEL
 * otherwise. It borrows text. Errors: EVENT_LOG_PARSE with field "event_log[12].imr", MEMORY. Everything that can be
 * said of an entry alone is checked here: R2, R3, R4, R7, R10, R19 (version), limits. */
ATLS_MUST_USE bool dstack_log_decode(atls_bytes text, atls_arena *a, dstack_log *out, atls_error *err);

/* dstack_log_replay recomputes the digests of runtime events (R1, R19), replays all four registers, compares them with
 * rtmr (in index order), and fills claims. Errors: EVENT_LOG_PARSE (a digest that is not of its name and payload),
 * RTMR_MISMATCH with field "rtmr2", expected the quote's, actual the replay's. */
ATLS_MUST_USE bool dstack_log_replay(const atls_crypto *c, dstack_log *log, const uint8_t rtmr[4][48], atls_arena *a,
                                     atls_eventlog_claims *out, atls_trace *trace, atls_error *err);

/* dstack_log_registers only replays, for inspect and for servers that check themselves. A digest is recomputed only
 * where the log leaves it blank. */
ATLS_MUST_USE bool dstack_log_registers(const atls_crypto *c, const dstack_log *log, uint8_t rtmr[4][48], atls_arena *a,
                                        atls_error *err);

/* dstack_event_digest computes the digest of a runtime event, version 1 or 2. */
ATLS_MUST_USE bool dstack_event_digest(const atls_crypto *c, uint32_t version, atls_bytes name, atls_bytes payload,
                                       atls_arena *a, uint8_t out[48], atls_error *err);

/* dstack_appraise compares the log's claims with the policy, in the order of dstack section 5: certificate event, boot
 * chain, compose hash, image hash, pins, MRCONFIGID. leaf_sha256 is the peer's certificate, NULL when none is known
 * (offline): the certificate check is then skipped, and says so. */
ATLS_MUST_USE bool dstack_appraise(const atls_claims *claims, const atls_policy *policy, const uint8_t *leaf_sha256,
                                   atls_arena *a, atls_trace *trace, atls_error *err);

/* dstack_compose_canonical prints a JSON value as section 3 says; errors are CONFIGURATION with field "app_compose".
 * dstack_compose_hash hashes that. */
ATLS_MUST_USE bool dstack_compose_canonical(atls_bytes json, atls_arena *a, atls_bytes *out, atls_error *err);
ATLS_MUST_USE bool dstack_compose_hash(const atls_crypto *c, atls_bytes json, atls_arena *a, uint8_t out[32],
                                       atls_error *err);

/* dstack_log_inspect writes a decoded log as JSON members: form, replayed registers, events; nothing is verified. */
ATLS_MUST_USE bool dstack_log_inspect(const atls_crypto *c, const dstack_log *log, struct atls_jw *w, atls_arena *a,
                                      atls_error *err);

/* dstack_response_inspect writes what surrounds the quote in a response as JSON members: its length, vm_config, and the
 * log as an object "event_log". The quote itself is shown by its own format. Errors: those of dstack_log_decode. */
ATLS_MUST_USE bool dstack_response_inspect(const atls_crypto *c, const struct atls_dstack_response *r,
                                           struct atls_jw *w, atls_arena *a, atls_error *err);

#endif
