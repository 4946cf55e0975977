/* SPDX-License-Identifier: Apache-2.0 */
/* compare.c: authenticated claims against one application of the policy: the comparisons of steps 6 to 9, in their order. Nothing
 * is recorded here: the same rows decide which application fits, and are what is listed. */
#include <stdio.h>

#include "apple.h"
#include "base/text.h"

#define MAX_AGE_S INT64_C(1000000000000) /* longer than anything lasts; keeps sums small */

static const char sandbox_aaguid[] = "appattestdevelop";
static const char production_aaguid[] = "appattest\0\0\0\0\0\0"; /* and one more zero, the literal's own */
_Static_assert(sizeof sandbox_aaguid - 1 == 16 && sizeof production_aaguid == 16, "16 bytes each");

typedef struct judge {
    const atls_apple_claims *claims;
    const atls_apple_policy *policy;
    const atls_apple_application *app;
    atls_arena *arena;
    apple_rows *rows;
    atls_error *err;
} judge;

/* ---- writing rows ---- */

static void add(judge *j, apple_row row)
{
    if (j->rows->n < APPLE_MAX_ROWS) {
        j->rows->items[j->rows->n++] = row;
        return;
    }
    (void)atls_fail(j->err, ATLS_E_INTERNAL, "apple", "more comparisons than there is room for");
}

static void compare(judge *j, bool ok, const char *id, atls_code code, const char *field, const char *expected,
                    const char *actual, const char *why)
{
    add(j, (apple_row){id, ok ? APPLE_ROW_PASS : APPLE_ROW_FAIL, code, field, expected, actual, why});
}

static void not_applicable(judge *j, const char *id, const char *field, const char *why)
{
    add(j, (apple_row){id, APPLE_ROW_NA, ATLS_OK, field, NULL, NULL, why});
}

/* Text in the arena; without memory the whole comparison fails at its end. */
static const char *kept(const char *text)
{
    return text == NULL ? "" : text;
}

static const char *hex(judge *j, const void *bytes, size_t n)
{
    return kept(atls_hex_text(atls_bytes_of(bytes, n), j->arena, j->err));
}

static const char *text_of(judge *j, atls_bytes text)
{
    return text.len == 0 ? "" : kept(atls_text_copy(text, j->arena, j->err));
}

/* "not before 2020-11-21T22:13:02.796Z" */
static const char *date(judge *j, const char *prefix, int64_t t_ms)
{
    char text[ATLS_TIME_TEXT_SIZE];
    const int64_t ms = (t_ms % 1000 + 1000) % 1000;
    atls_time_format((t_ms - ms) / 1000, text);
    return kept(atls_text_format(j->arena, j->err, "%s%.19s.%03dZ", prefix, text, (int)ms));
}

/* ---- step 6: authenticator data, and what the certificate says of the app ---- */

static void compare_identity(judge *j)
{
    const atls_apple_claims *c = j->claims;
    const char *aaguid = j->app->sandbox ? sandbox_aaguid : production_aaguid;
    char count[16];
    snprintf(count, sizeof count, "%u", (unsigned)c->sign_count);
    compare(j, atls_bytes_equal(atls_bytes_of(c->rp_id_hash, 32), atls_bytes_of(j->app->rp_id_hash, 32)),
            "apple.rp_id_hash", ATLS_E_APPLE_IDENTIFIER, "attestation.authData.rpIdHash",
            hex(j, j->app->rp_id_hash, 32), hex(j, c->rp_id_hash, 32), "the attestation is of another app");
    compare(j, c->sign_count == 0, "apple.sign_count", ATLS_E_APPLE_APP_UNEXPECTED, "attestation.authData.signCount",
            "0", kept(atls_text_format(j->arena, j->err, "%s", count)), "the key has signed something before");
    compare(j, atls_bytes_equal(atls_bytes_of(c->aaguid, 16), atls_bytes_of(aaguid, 16)), "apple.aaguid",
            ATLS_E_APPLE_IDENTIFIER, "attestation.authData.aaguid", hex(j, aaguid, 16), hex(j, c->aaguid, 16),
            j->app->sandbox ? "the attestation is not of the sandbox, as the policy has it"
                            : "the attestation is not of production");
}

static void compare_key(judge *j)
{
    const atls_apple_claims *c = j->claims;
    const atls_bytes certified = atls_bytes_of(c->public_key, sizeof c->public_key);
    compare(j, atls_bytes_equal(c->credential_id, atls_bytes_of(c->key_id, 32)), "apple.credential_id",
            ATLS_E_APPLE_APP_UNEXPECTED, "attestation.authData.credentialId", hex(j, c->key_id, 32),
            hex(j, c->credential_id.ptr, c->credential_id.len), "the credential is not named after the certified key");
    compare(j, atls_bytes_equal(atls_bytes_of(c->credential_key, sizeof c->credential_key), certified),
            "apple.credential_key", ATLS_E_APPLE_APP_UNEXPECTED, "attestation.authData.credentialPublicKey",
            hex(j, c->public_key, sizeof c->public_key), hex(j, c->credential_key, sizeof c->credential_key),
            "the key of the credential is not the certified one");
}

static void compare_certified_app(judge *j)
{
    static const char id[] = "apple.app_id";
    static const char field[] = "attestation.x5c[0].keyProperties";
    const atls_bytes stated = j->claims->certified_app_id;
    if (stated.len == 0) {
        not_applicable(j, id, field, "the certificate does not name the app");
        return;
    }
    compare(j, atls_bytes_equal(stated, j->app->app_id), id, ATLS_E_APPLE_IDENTIFIER, field, text_of(j, j->app->app_id),
            text_of(j, stated), "the certificate names another app");
}

/* ---- step 7, checks 2 to 4: the receipt's payload ---- */

static void compare_receipt(judge *j)
{
    const atls_apple_claims *c = j->claims;
    const atls_apple_receipt *r = &c->receipt;
    const int64_t allowed = j->policy->validity_s < MAX_AGE_S ? j->policy->validity_s : MAX_AGE_S;
    const int64_t earliest = c->verified_ms - allowed * 1000;
    compare(j, atls_bytes_equal(r->app_id, j->app->app_id), "apple.receipt_app_id", ATLS_E_APPLE_RECEIPT,
            "receipt.appId", text_of(j, j->app->app_id), text_of(j, r->app_id), "the receipt is of another app");
    compare(j, earliest <= r->creation_ms, "apple.receipt_age", ATLS_E_APPLE_STATEMENT_TIME, "receipt.creationTime",
            date(j, "not before ", earliest), date(j, "", r->creation_ms), "the receipt is too old");
    compare(j, atls_bytes_equal(atls_bytes_of(r->spki_sha256, 32), atls_bytes_of(c->spki_sha256, 32)),
            "apple.receipt_key", ATLS_E_APPLE_RECEIPT, "receipt.attestedCertificate", hex(j, c->spki_sha256, 32),
            hex(j, r->spki_sha256, 32), "the receipt is about another key");
}

/* ---- the rest, for whose receipt is authenticated ---- */

static void compare_environment(judge *j)
{
    static const char id[] = "apple.receipt_environment";
    static const char field[] = "receipt.environment";
    const atls_bytes stated = j->claims->receipt.environment;
    const char *wanted = j->app->sandbox ? "sandbox" : "production";
    if (stated.len == 0) {
        not_applicable(j, id, field, "the receipt does not say of which stage it is");
        return;
    }
    compare(j, atls_bytes_equal_str(stated, wanted), id, ATLS_E_APPLE_RECEIPT, field, wanted, text_of(j, stated),
            "the receipt is of the other stage");
}

static void compare_future(judge *j)
{
    const atls_apple_receipt *r = &j->claims->receipt;
    const int64_t from = r->has_not_before ? r->not_before_ms : r->creation_ms;
    compare(j, from <= j->claims->verified_ms, "apple.receipt_future", ATLS_E_APPLE_STATEMENT_TIME,
            r->has_not_before ? "receipt.notBefore" : "receipt.creationTime",
            date(j, "not after ", j->claims->verified_ms), date(j, "", from), "the receipt is from the future");
}

static bool is_new_enough(const atls_apple_version *least, const atls_apple_claims *c)
{
    apple_semver wanted;
    apple_semver version;
    apple_build wanted_build;
    apple_build build;
    if (c->os_version.len > 0) {
        return apple_semver_parse(least->semver, &wanted) && apple_semver_parse(c->os_version, &version)
               && apple_semver_order(&version, &wanted) >= 0;
    }
    return apple_build_parse(least->build, &wanted_build) && apple_build_parse(c->os_build, &build)
           && apple_build_order(&build, &wanted_build) >= 0;
}

static void compare_version(judge *j)
{
    static const char id[] = "apple.os_version";
    static const char field[] = "attestation.x5c[0].osVersion";
    const atls_apple_claims *c = j->claims;
    const atls_apple_version *least = j->app->version.is_set ? &j->app->version : &j->policy->version;
    if (!least->is_set) {
        not_applicable(j, id, field, "the policy asks for no version of the system");
        return;
    }
    const bool by_build = c->os_version.len == 0 && c->os_build.len > 0;
    const atls_bytes wanted = by_build ? least->build : least->semver;
    const atls_bytes actual = by_build ? c->os_build : c->os_version;
    compare(j, is_new_enough(least, c), id, ATLS_E_APPLE_OS_VERSION, field,
            kept(atls_text_format(j->arena, j->err, "%s or newer", text_of(j, wanted))),
            actual.len == 0 ? "not stated" : text_of(j, actual), NULL);
}

bool apple_compare(const atls_apple_claims *c, const atls_apple_policy *p, size_t application, apple_stage stage,
                   atls_arena *arena, apple_rows *out, atls_error *err)
{
    atls_error why = {0};
    judge j = {c, p, &p->applications[application], arena, out, &why};
    out->n = 0;
    compare_identity(&j);
    compare_key(&j);
    compare_certified_app(&j);
    if (stage >= APPLE_BEFORE_SIGNATURE) {
        compare_receipt(&j);
    }
    if (stage == APPLE_ALL) {
        compare_environment(&j);
        compare_future(&j);
        compare_version(&j);
    }
    if (why.code != ATLS_OK) {
        *err = why;
    }
    return why.code == ATLS_OK;
}

const apple_row *apple_rows_failed(const apple_rows *rows)
{
    for (size_t i = 0; i < rows->n; i++) {
        if (rows->items[i].verdict == APPLE_ROW_FAIL) {
            return &rows->items[i];
        }
    }
    return NULL;
}
