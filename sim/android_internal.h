/* SPDX-License-Identifier: Apache-2.0 */
/* android_internal.h: the parts of a phone. Settings, keys, DER and buffers are the simulator's own (internal.h), over a bare
 * room. */
#ifndef ATLS_SIM_ANDROID_INTERNAL_H
#define ATLS_SIM_ANDROID_INTERNAL_H

#include "sim/internal.h"
#include "sim/sim_android.h"

struct sim_android {
    sim base; /* arena, settings, seed, keys, time; nothing of DCAP in it */
    sim_android_kind kind;
};

/* The phone that an operation is on. */
sim_android *sim_android_of(sim_op *o);

/* android_cert.c */
atls_bytes sim_android_cert(sim_op *o, const char *id, const sim_android_request *request);
const sim_key *sim_android_key(sim_op *o, const char *id, const sim_android_request *request);
const char *sim_android_default_chain(sim_android_kind kind);
void sim_android_app_digest(sim_op *o, uint8_t out[32]);

/* android_record.c: the content of the key description's extension. */
atls_bytes sim_android_record(sim_op *o, const sim_android_request *request);

#endif
