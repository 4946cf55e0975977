/* SPDX-License-Identifier: Apache-2.0 */
/* apple_room.h: a scene (apple_scene.h) out of a simulated room: its policy, an attestation for client data. */
#ifndef ATLS_TESTS_APPLE_ROOM_H
#define ATLS_TESTS_APPLE_ROOM_H

#include "apple_scene.h"
#include "sim/sim_apple.h"

#define ROOM_MAX_SETTINGS 10

typedef struct room_scene {
    scene s;
    sim_apple *room;
    char *policy;
} room_scene;

static inline void room_open(room_scene *r, bool is_sandbox, const char *const *settings)
{
    const sim_apple_options options = {.is_sandbox = is_sandbox, .settings = settings};
    atls_bytes text;
    scene_open(&r->s);
    scene_must(sim_apple_new(&options, &r->room, &r->s.err), &r->s.err, "room");
    scene_must(sim_apple_policy(r->room, &r->s.arena, &text, &r->s.err), &r->s.err, "policy");
    r->policy = atls_arena_alloc(&r->s.arena, text.len + 1, &r->s.err);
    assert_non_null(r->policy);
    memcpy(r->policy, text.ptr, text.len);
    scene_must(sim_apple_client_data(r->room, atls_bytes_str("a challenge of the server"), &r->s.arena,
                                     &r->s.client_data, &r->s.err),
               &r->s.err, "client data");
    scene_must(sim_apple_attestation(r->room, r->s.client_data, &r->s.arena, &r->s.evidence, &r->s.err), &r->s.err,
               "attestation");
    r->s.now = sim_apple_now(r->room);
}

static inline void room_close(room_scene *r)
{
    sim_apple_free(r->room);
    scene_close(&r->s);
}

#endif
