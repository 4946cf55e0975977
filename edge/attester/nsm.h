/* SPDX-License-Identifier: Apache-2.0 */
/* nsm.h: attestation documents from the Nitro Security Module of an enclave.
 *
 * The module answers one CBOR request with one CBOR response: {"Attestation": {"user_data", "nonce", "public_key"}} with
 * {"Attestation": {"document"}}, or with {"Error": code}. The driver carries both as they are. Source: Linux
 * include/uapi/linux/nsm.h and drivers/misc/nsm.c (6.8); the enclave SDK's description of the module's messages. */
#ifndef ATLS_EDGE_ATTESTER_NSM_H
#define ATLS_EDGE_ATTESTER_NSM_H

#include "atls/attester.h"

#define ATLS_NSM_DEVICE       "/dev/nsm"
#define ATLS_NSM_MAX_REQUEST  0x1000u /* the driver's limits */
#define ATLS_NSM_MAX_RESPONSE 0x3000u

/* atls_nsm_transport carries one request. *response_len is the room at first, then what was written. Gives 0 or an errno
 * value. */
typedef int (*atls_nsm_transport)(void *ctx, atls_bytes request, uint8_t *response, size_t *response_len);

typedef struct atls_nsm_options {
    const char
        *device; /* NULL: ATLS_NSM_DEVICE. A character device, or a Unix socket of SOCK_SEQPACKET behind which another
                         * process holds the device: one packet is a request, the next one its response */
    uint32_t timeout_ms;          /* of a socket; 0: 30 s. The device itself answers in its own time */
    const atls_bytes *nonce;      /* NULL: null, as atls/1 and dstack want it; at most 512 bytes */
    const atls_bytes *public_key; /* same, at most 1024 */
    atls_nsm_transport transport; /* NULL: the device */
    void *transport_ctx;
} atls_nsm_options;

/* atls_nsm_attest is an atls_attest_fn: ctx is an atls_nsm_options, or NULL for the defaults; it is only read. out->quote is
 * the document as the module made it, in the arena. It keeps no state: any number of threads may call it. Errors: IO (the
 * device, or what the module says: field "attester.nsm"), TIMEOUT, QUOTE (a response that is none, or a document over other
 * values: field "attester.nsm.document..."), CONFIGURATION (nonce or public_key too long), MEMORY. */
bool atls_nsm_attest(void *ctx, const uint8_t report_data[64], atls_arena *arena, atls_evidence *out, atls_error *err);

/* atls_nsm_request writes the request for a document. NULL is null. In the arena. Errors: MEMORY. Pure. */
ATLS_MUST_USE bool atls_nsm_request(atls_bytes user_data, const atls_bytes *nonce, const atls_bytes *public_key,
                                    atls_arena *arena, atls_bytes *out, atls_error *err);

/* atls_nsm_response takes the document out of a response; out borrows it. Errors: IO with the module's own word as `actual`,
 * QUOTE. Pure. */
ATLS_MUST_USE bool atls_nsm_response(atls_bytes response, atls_bytes *document, atls_error *err);

/* atls_nsm_device is the transport of real devices and of sockets: ctx is the atls_nsm_options. */
int atls_nsm_device(void *ctx, atls_bytes request, uint8_t *response, size_t *response_len);

#endif
