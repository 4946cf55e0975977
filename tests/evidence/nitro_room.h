/* SPDX-License-Identifier: Apache-2.0 */
/* nitro_room.h: a scene (nitro_scene.h) out of a simulated room: its policy, a document over one value, its lists. */
#ifndef ATLS_TESTS_NITRO_ROOM_H
#define ATLS_TESTS_NITRO_ROOM_H

#include "memo.h"
#include "nitro_scene.h"
#include "sim/sim_nitro.h"

#define ROOM_MAX_SETTINGS 8

typedef struct room_scene {
    scene s;
    sim_nitro *room;
    char *policy;
    uint8_t report_data[64];
} room_scene;

static inline void room_open(room_scene *r, bool is_nitrotpm, const char *const *settings)
{
    const sim_nitro_options options = {.is_nitrotpm = is_nitrotpm, .settings = settings, .memo = shared_memo()};
    atls_bytes text;
    scene_open(&r->s);
    for (size_t i = 0; i < sizeof r->report_data; i++) {
        r->report_data[i] = (uint8_t)(0xa0 + i);
    }
    const atls_bytes data = atls_bytes_of(r->report_data, sizeof r->report_data);
    const sim_nitro_request request = {.user_data = &data};
    scene_must(sim_nitro_new(&options, &r->room, &r->s.err), &r->s.err, "room");
    scene_must(sim_nitro_policy(r->room, &r->s.arena, &text, &r->s.err), &r->s.err, "policy");
    r->policy = atls_arena_alloc(&r->s.arena, text.len + 1, &r->s.err);
    assert_non_null(r->policy);
    memcpy(r->policy, text.ptr, text.len);
    scene_must(sim_nitro_document(r->room, &request, &r->s.arena, &r->s.evidence, &r->s.err), &r->s.err, "document");
    scene_must(sim_nitro_pile(r->room, &r->s.arena, &r->s.pile, &r->s.err), &r->s.err, "pile");
    r->s.now = sim_nitro_now(r->room);
    r->s.binding.grade = ATLS_GRADE_REPORT_DATA;
    memcpy(r->s.binding.value, r->report_data, sizeof r->report_data);
}

static inline void room_close(room_scene *r)
{
    sim_nitro_free(r->room);
    scene_close(&r->s);
}

#endif
