/* SPDX-License-Identifier: Apache-2.0 */
/* Everything in a request is signed by the attested key: no prefix of a good one is accepted, and none with a bit changed. The
 * statement's bytes are among what is signed, so most of the flips die earlier, at their own door; which one is no matter here.
 *
 * All bits with --exhaustive; otherwise one of every 7th byte, and all of the last 80 (signature and its algorithm). */
#include "steps_scene.h"

static bool exhaustive;

static void expect_no(scene *s)
{
    atls_error err = {0};
    atls_arena_reset(&s->work);
    s->is_used = false;
    memset(s->log, 0, sizeof s->log);
    assert_true(atls_enroller_run(s->enroller, &s->in, &s->work, &s->out, &err));
    assert_false(s->out.is_success);
    assert_null(strchr(s->log, 'I'));
    assert_int_not_equal(s->out.error.code, ATLS_OK);
}

static void test_flips(void **state)
{
    const scene_spec *spec = *state;
    scene s;
    scene_open(&s, spec);
    scene_run(&s);
    scene_words(&s, "Success");
    uint8_t *bytes = atls_arena_raw(&s.arena, s.csr.len, &s.err);
    assert_non_null(bytes);
    memcpy(bytes, s.csr.ptr, s.csr.len);
    s.in.csr = atls_bytes_of(bytes, s.csr.len);
    s.in.record = ATLS_RECORD_NEVER;
    for (size_t i = 0; i < s.csr.len; i++) {
        const bool is_tail = i + 80 > s.csr.len;
        for (unsigned bit = 0; bit < 8; bit++) {
            if (!exhaustive && !is_tail && (i % 7 != 0 || bit != i / 7 % 8)) {
                continue;
            }
            bytes[i] ^= (uint8_t)(1u << bit);
            expect_no(&s);
            bytes[i] ^= (uint8_t)(1u << bit);
        }
    }
    scene_close(&s);
}

static void test_prefixes(void **state)
{
    const scene_spec *spec = *state;
    scene s;
    scene_open(&s, spec);
    for (size_t len = 0; len < s.csr.len; len++) {
        s.in.csr = atls_bytes_of(s.csr.ptr, len);
        expect_no(&s);
        assert_int_equal(s.out.step, ATLS_ENROL_STEP_DECODE);
    }
    scene_close(&s);
}

int main(int argc, char **argv)
{
    static const scene_spec android = {.kind = SIM_ANDROID_FACTORY};
    static const scene_spec apple = {.is_apple = true};
    tap_list tests = {0};
    exhaustive = argc > 1 && strcmp(argv[1], "--exhaustive") == 0;
    tap_add(&tests, "flips, Android", test_flips, &android);
    tap_add(&tests, "flips, Apple", test_flips, &apple);
    tap_add(&tests, "prefixes, Android", test_prefixes, &android);
    tap_add(&tests, "prefixes, Apple", test_prefixes, &apple);
    return tap_run("enrol/steps_flips", &tests);
}
