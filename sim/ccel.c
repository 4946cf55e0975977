/* SPDX-License-Identifier: Apache-2.0 */
/* ccel.c: the boot part of the log as firmware leaves it: TCG2 records with SHA-384 digests (dstack section 2). */
#include "sim/internal.h"

#define EV_NO_ACTION   3u
#define TPM_ALG_SHA384 0x000cu

/* The first record has the old TCG 1.2 form and says which algorithms follow. */
static void put_header(atls_buf *b)
{
    static const uint8_t zeros[20] = {0};
    sim_put_le(b, 1, 4);
    sim_put_le(b, EV_NO_ACTION, 4);
    atls_buf_put(b, atls_bytes_of(zeros, sizeof zeros));
    sim_put_le(b, 33, 4);
    atls_buf_put(b, atls_bytes_of("Spec ID Event03\0", 16));
    sim_put_le(b, 0, 4);          /* platform class */
    sim_put_le(b, 0x02000200, 4); /* minor, major, errata, size of a word */
    sim_put_le(b, 1, 4);          /* algorithms */
    sim_put_le(b, TPM_ALG_SHA384, 2);
    sim_put_le(b, 48, 2);
    sim_put_u8(b, 0); /* vendor information */
}

static void put_record(atls_buf *b, uint32_t imr, uint32_t type, const uint8_t digest[48], atls_bytes data)
{
    sim_put_le(b, imr + 1, 4); /* index 1 is RTMR 0 */
    sim_put_le(b, type, 4);
    sim_put_le(b, 1, 4);
    sim_put_le(b, TPM_ALG_SHA384, 2);
    atls_buf_put(b, atls_bytes_of(digest, 48));
    sim_put_le(b, data.len, 4);
    atls_buf_put(b, data);
}

atls_bytes sim_log_ccel(sim_op *o)
{
    static const uint8_t no_digest[48] = {0};
    atls_buf b = sim_buf(o);
    put_header(&b);
    put_record(&b, 0, EV_NO_ACTION, no_digest, atls_bytes_str("extends nothing"));
    for (const sim_event *e = o->s->events; e != NULL; e = e->next) {
        if (e->imr < 3) {
            put_record(&b, e->imr, e->type, e->digest, e->payload);
        }
    }
    sim_put_le(&b, 0xffffffff, 4); /* the rest of the area is as it was erased */
    sim_put_le(&b, 0xffffffff, 4);
    return sim_raw(o, "ccel", sim_done(&b));
}
