/* SPDX-License-Identifier: Apache-2.0 */
/* phone_room.c: rooms of phones, opened and closed. */
#include "sim/phone_room.h"

#define ROOM_SIZE ((size_t)4 * 1024 * 1024) /* pages that are not touched cost nothing */

bool sim_phone_room_open(sim *base, const char *seed, atls_time now, atls_error *err)
{
    base->now = now == ATLS_TIME_UNSET ? SIM_NOW : now;
    return atls_arena_new(&base->arena, ROOM_SIZE, err)
           && atls_arena_copy(&base->arena, atls_bytes_str(seed == NULL ? "atls" : seed), &base->seed, err);
}

bool sim_phone_room_make(sim *base, const char *const *settings, void (*lasting)(sim_op *o),
                         void (*rehearse)(sim_op *o), atls_error *err)
{
    sim_op o;
    atls_arena scratch;
    sim_op_begin(&o, base, &base->arena);
    base->bn = BN_CTX_new();
    if (base->bn == NULL) {
        return atls_fail(err, ATLS_E_MEMORY, "sim", NULL);
    }
    if (sim_settings_read(&o, settings) && lasting != NULL) {
        lasting(&o);
    }
    if (!sim_ok(&o) || !atls_arena_new(&scratch, ROOM_SIZE, &o.err)) {
        return sim_op_end(&o, err);
    }
    o.a = &scratch;
    rehearse(&o);
    sim_settings_check(&o);
    atls_arena_free(&scratch);
    return sim_op_end(&o, err);
}

void sim_phone_room_close(sim *base)
{
    EC_GROUP_free(base->groups[0]);
    EC_GROUP_free(base->groups[1]);
    BN_CTX_free(base->bn);
    atls_arena_free(&base->arena);
}
