/* SPDX-License-Identifier: Apache-2.0 */
/* phone_room.h: how the rooms of phones come to be and end: a room of their own shape around a sim that holds arena, settings, seed and
 * keys, and is made by rehearsing everything once. */
#ifndef ATLS_SIM_PHONE_ROOM_H
#define ATLS_SIM_PHONE_ROOM_H

#include "sim/internal.h"

/* sim_phone_room_open begins an empty base: arena, seed (NULL: "atls"), time (ATLS_TIME_UNSET: SIM_NOW). Whether it fails or not,
 * sim_phone_room_close ends it. Errors: MEMORY. */
ATLS_MUST_USE bool sim_phone_room_open(sim *base, const char *seed, atls_time now, atls_error *err);

/* sim_phone_room_make reads the settings, makes what stays (`lasting`, NULL: nothing) in the room's arena, and one of everything
 * (`rehearse`) in another one, so that each setting is asked for once. Errors: CONFIGURATION, MEMORY. */
ATLS_MUST_USE bool sim_phone_room_make(sim *base, const char *const *settings, void (*lasting)(sim_op *o),
                                       void (*rehearse)(sim_op *o), atls_error *err);

void sim_phone_room_close(sim *base);

#endif
