/* SPDX-License-Identifier: Apache-2.0 */
/* apple_rows.h: rows of the tables of lies about App Attest, and what runs one: the honest room of the simulator, one change, and
 * the check that must say no. */
#ifndef ATLS_TESTS_APPLE_ROWS_H
#define ATLS_TESTS_APPLE_ROWS_H

#include "apple_room.h"
#include "pki/signature.h"

typedef struct row {
    const char *name;
    const char *settings[ROOM_MAX_SETTINGS];
    atls_code code;
    const char *field;
    const char *id; /* a check that must be in the list; of a refusal: the failed one. NULL: not looked at */
    atls_check_verdict verdict;
    void (*change)(room_scene *r); /* of the call; NULL: none */
} row;

#define YES                  ATLS_OK, NULL, NULL, 0, NULL
#define YES_NA(id)           ATLS_OK, NULL, id, ATLS_CHECK_NOT_APPLICABLE, NULL
#define YES_PASSES(id)       ATLS_OK, NULL, id, ATLS_CHECK_PASS, NULL
#define NO(code, field, id)  ATLS_E_##code, field, id, ATLS_CHECK_FAIL, NULL
#define MALFORMED(field)     NO(EVIDENCE_FORMAT, "attestation" field, "evidence.decode")
#define BAD_LINK(field)      NO(CERTIFICATE_CHAIN, "attestation." field, "apple.chain")
#define BAD_AUTH(field)      NO(APPLE_APP_UNEXPECTED, "attestation.authData" field, "apple.credential")
#define BAD_RECEIPT(field)   NO(APPLE_RECEIPT, "receipt" field, "apple.receipt")
#define BAD_SIGNATURE(field) NO(APPLE_RECEIPT, "receipt." field, "apple.receipt_signature")
#define BAD_CHAIN(field)     NO(APPLE_RECEIPT, "receipt.certificates" field, "apple.receipt_chain")

/* ---- changes of the call ---- */

static inline void other_client_data(room_scene *r)
{
    r->s.client_data = atls_bytes_str("other client data");
}

static inline void no_client_data(room_scene *r)
{
    r->s.client_data = atls_bytes_empty();
}

static inline void right_key_id(room_scene *r)
{
    sim_apple_key key;
    uint8_t *id = atls_arena_alloc(&r->s.arena, 32, &r->s.err);
    atls_crypto *crypto = NULL;
    assert_true(sim_apple_attested_key(r->room, &key, &r->s.err) && atls_crypto_new(&crypto, &r->s.err));
    const atls_bytes point = atls_bytes_of(key.point, sizeof key.point);
    assert_true(atls_digest(crypto, ATLS_SHA256, &point, 1, id, &r->s.err));
    atls_crypto_free(crypto);
    r->s.key_id = atls_bytes_of(id, 32);
}

static inline void wrong_key_id(room_scene *r)
{
    static const uint8_t id[32] = {1};
    r->s.key_id = atls_bytes_of(id, sizeof id);
}

static inline void short_key_id(room_scene *r)
{
    right_key_id(r);
    r->s.key_id.len = 31;
}

static inline void a_millisecond_later(room_scene *r)
{
    r->s.now_ms = 1;
}

static inline void two_thousand_ms(room_scene *r)
{
    r->s.now_ms = 2000;
}

static inline void a_long_offset(room_scene *r)
{
    r->s.offset_s = INT64_C(3000000000);
}

static inline void an_hour_of_offset(room_scene *r)
{
    r->s.now -= 3600;
    r->s.offset_s = 3600;
}

static inline void before_1970(room_scene *r)
{
    r->s.offset_s = -r->s.now - 86400;
}

/* ---- policies ---- */

#define APP(bundle, more) "{\"teamIdentifier\":\"0123456789\",\"bundleIdentifier\":\"" bundle "\"" more "}"
#define TOO_NEW           ",\"iosVersionOverride\":{\"semVer\":\"99\",\"buildNumber\":\"99A1\"}"

/* ---- docs/checks.md names every check that any row writes ---- */

static inline void assert_documented(const char *id)
{
    static char page[256 * 1024];
    char quoted[80];
    if (page[0] == '\0') {
        FILE *f = fopen("docs/checks.md", "r");
        assert_non_null(f);
        assert_true(fread(page, 1, sizeof page - 1, f) > 0);
        fclose(f);
    }
    snprintf(quoted, sizeof quoted, "`%s`", id);
    if (strncmp(id, "apple.", 6) == 0 && strstr(page, quoted) == NULL) {
        fail_msg("docs/checks.md does not name %s", id);
    }
}

static inline void run_row(const row *r, bool is_sandbox)
{
    room_scene r_scene;
    room_open(&r_scene, is_sandbox, r->settings);
    if (r->change != NULL) {
        r->change(&r_scene);
    }
    scene_run(&r_scene.s, r_scene.policy);
    if (r->code == ATLS_E_USAGE) {
        assert_false(r_scene.s.accepted);
        assert_int_equal(r_scene.s.err.code, r->code);
        assert_string_equal(r_scene.s.err.field, r->field);
    } else {
        scene_expect(&r_scene.s, r->code, r->field);
    }
    if (r->id != NULL) {
        const atls_check *check = scene_check(&r_scene.s, r->id);
        if (check == NULL || check->verdict != r->verdict) {
            fail_msg("%s is %s", r->id, check == NULL ? "not listed" : atls_check_verdict_name(check->verdict));
        }
    }
    for (size_t i = 0; i < r_scene.s.result.n_checks; i++) {
        assert_documented(r_scene.s.result.checks[i].id);
    }
    room_close(&r_scene);
}

static inline void test_production(void **state)
{
    run_row(*state, false);
}

#define ADD(table, fn)                                                                                                 \
    for (size_t i = 0; i < sizeof(table) / sizeof(table)[0]; i++) {                                                    \
        tap_add(&tests, (table)[i].name, fn, &(table)[i]);                                                             \
    }

#endif
