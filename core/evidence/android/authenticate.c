/* SPDX-License-Identifier: Apache-2.0 */
/* authenticate.c: a chain becomes claims: steps 1 to 8 of the specification's section 11. The description and the app are the
 * same for all modes; then each mode that the policy asks for looks at the chain with anchors of its own. One that passes is
 * enough for claims: what they are worth is judged by appraise.c. */
#include <stdio.h>
#include <string.h>

#include "android.h"
#include "base/text.h"

#define MAX_TIME_S  253402300799 /* the end of the year 9999 */
#define UNKNOWN_APP "UnknownApplication"

typedef struct proof {
    const android_evidence *e;
    const atls_authority *auth;
    const atls_android_policy *policy;
    atls_arena *arena;
    atls_error *err;
    size_t application;
    const atls_android_package *package;
    atls_bytes digest;
    int64_t at_ms;
    const atls_android_list *list;
    atls_error list_why;
    atls_time list_expires;
    bool list_is_stale;
} proof;

/* ---- step 1: the description ---- */

static bool check_tags(const proof *p, const char *field, const atls_android_authorizations *a)
{
    if (!p->policy->strict_tags || (a->n_unknown == 0 && !a->is_unordered)) {
        return true;
    }
    return atls_fail(p->err, ATLS_E_ANDROID_APP_UNEXPECTED, field, "%s, which strictTags refuses",
                     a->n_unknown > 0 ? "there is a tag that is not known" : "the tags do not ascend");
}

static bool check_description(proof *p)
{
    if (p->e->why.code != ATLS_OK) {
        *p->err = p->e->why;
        return false;
    }
    return check_tags(p, "keyDescription.softwareEnforced", &p->e->description.softwareEnforced)
           && check_tags(p, "keyDescription.hardwareEnforced", &p->e->description.hardwareEnforced);
}

/* ---- step 2: the app ---- */

static const char app_field[] = "keyDescription.softwareEnforced.attestationApplicationId";

static const atls_android_package *find_package(const atls_android_application_id *id, atls_bytes name)
{
    for (size_t i = 0; i < id->n_packages; i++) {
        if (atls_bytes_equal(id->packages[i].name, name)) {
            return &id->packages[i];
        }
    }
    return NULL;
}

static bool find_digest(const atls_android_application_id *id, const atls_android_application *app, atls_bytes *out)
{
    for (size_t i = 0; i < id->n_signatureDigests; i++) {
        for (size_t k = 0; k < app->n_digests; k++) {
            if (atls_bytes_equal(id->signatureDigests[i], atls_bytes_of(app->digests[k], 32))) {
                *out = id->signatureDigests[i];
                return true;
            }
        }
    }
    return false;
}

static bool wrong_package(const proof *p, const atls_android_application_id *id, const atls_android_application *app,
                          atls_error *why)
{
    const bool is_bug = find_package(id, atls_bytes_str(UNKNOWN_APP)) != NULL;
    atls_buf b;
    atls_bytes actual;
    atls_buf_init(&b, p->arena, why);
    for (size_t i = 0; i < id->n_packages && b.len < 120; i++) {
        atls_buf_str(&b, i == 0 ? "" : ", ");
        atls_buf_put(&b, id->packages[i].name);
    }
    atls_buf_put(&b, atls_bytes_of("", 1));
    const char *expected = atls_text_copy(app->package_name, p->arena, why);
    return expected != NULL && atls_buf_done(&b, &actual)
           && atls_fail_values(why, ATLS_E_ANDROID_PACKAGE_NAME, app_field, expected, (const char *)actual.ptr, "%s",
                               is_bug ? "the phone does not know which app it is; restarting the phone helps"
                                      : atls_code_text(ATLS_E_ANDROID_PACKAGE_NAME));
}

static bool wrong_version(const atls_android_package *package, const atls_android_application *app, atls_error *why)
{
    char expected[40];
    char actual[24];
    (void)snprintf(expected, sizeof expected, "at least %lld", (long long)app->version);
    (void)snprintf(actual, sizeof actual, "%llu", (unsigned long long)package->version);
    return atls_fail_values(why, ATLS_E_ANDROID_APP_VERSION, app_field, expected, actual, NULL);
}

static bool wrong_digest(const proof *p, const atls_android_application_id *id, const atls_android_application *app,
                         atls_error *why)
{
    const char *expected = atls_hex_text(atls_bytes_of(app->digests[0], 32), p->arena, why);
    const char *actual = id->n_signatureDigests == 0 || id->signatureDigests[0].len > 64
                             ? "none"
                             : atls_hex_text(id->signatureDigests[0], p->arena, why);
    return expected != NULL && actual != NULL
           && atls_fail_values(why, ATLS_E_ANDROID_APP_SIGNER_DIGEST, app_field, expected, actual, NULL);
}

static bool match(proof *p, size_t i, atls_error *why)
{
    const atls_android_application_id *id = &p->e->description.softwareEnforced.attestationApplicationId;
    const atls_android_application *app = &p->policy->applications[i];
    const atls_android_package *package = find_package(id, app->package_name);
    if (package == NULL) {
        return wrong_package(p, id, app, why);
    }
    if (app->has_version && app->version > 0 && package->version < (uint64_t)app->version) {
        return wrong_version(package, app, why);
    }
    if (!find_digest(id, app, &p->digest)) {
        return wrong_digest(p, id, app, why);
    }
    p->application = i;
    p->package = package;
    return true;
}

static bool check_application(proof *p)
{
    const atls_android_application_id *id = &p->e->description.softwareEnforced.attestationApplicationId;
    atls_error first = {0};
    if (!id->present || !id->intact) {
        return atls_fail(p->err, ATLS_E_ANDROID_APP_UNEXPECTED, app_field,
                         id->present ? "the app's identity cannot be read" : "the record does not say which app asked");
    }
    for (size_t i = 0; i < p->policy->n_applications; i++) {
        atls_error why = {0};
        if (match(p, i, i == 0 ? &first : &why)) {
            return true;
        }
    }
    *p->err = first;
    return false;
}

/* ---- time ---- */

static bool check_clock(proof *p)
{
    const int64_t own = p->policy->offset_s;
    const int64_t global = p->auth->offset_s;
    if (global < INT32_MIN || global > INT32_MAX || own + global < INT32_MIN || own + global > INT32_MAX) {
        return atls_fail(p->err, ATLS_E_CONFIGURATION, "verificationSecondsOffset",
                         "this offset and the global one together are more than 32 bits");
    }
    if (p->auth->now > MAX_TIME_S || p->auth->now_ms > 999) {
        return atls_fail(p->err, ATLS_E_USAGE, "now", "not a time before the year 10000, with 0 to 999 milliseconds");
    }
    p->at_ms = (p->auth->now + own + global) * 1000 + (int64_t)p->auth->now_ms;
    return true;
}

/* ---- the status list ---- */

static bool no_list(proof *p, const char *message)
{
    (void)atls_fail(&p->list_why, ATLS_E_ANDROID_LIST_UNAVAILABLE, "status", "%s", message);
    p->list = NULL;
    return true;
}

static bool judge_list_age(proof *p)
{
    const atls_android_status *s = &p->auth->endorsements->android;
    const atls_time now = p->auth->now;
    const int64_t max_stale =
        p->policy->has_max_stale ? (int64_t)p->policy->max_stale_s : (int64_t)ATLS_ANDROID_DEFAULT_MAX_STALE_S;
    p->list_expires = s->expires != ATLS_TIME_UNSET   ? s->expires
                      : s->fetched != ATLS_TIME_UNSET ? s->fetched + (atls_time)ATLS_ANDROID_LIST_LIFE_S
                                                      : ATLS_TIME_UNSET;
    p->list_is_stale = p->list_expires != ATLS_TIME_UNSET && now > p->list_expires;
    return !p->list_is_stale || now - p->list_expires <= max_stale
           || no_list(p, "the list at hand is stale for longer than revocationMaxStaleSeconds allows");
}

/* A list that cannot be used is one that is not there; only memory ends the appraisal here. */
static bool find_list(proof *p)
{
    const atls_android_status *s = &p->auth->endorsements->android;
    p->list = s->compiled;
    if (p->list == NULL && s->list.len == 0) {
        return no_list(p, "no status list was given");
    }
    if (p->list != NULL || android_list_compile(p->auth->crypto, s->list, p->arena, &p->list, &p->list_why)) {
        return judge_list_age(p);
    }
    if (p->list_why.code != ATLS_E_ANDROID_LIST_UNAVAILABLE) {
        *p->err = p->list_why;
        return false;
    }
    return true;
}

/* ---- modes ---- */

static bool is_enabled(const atls_android_policy *p, unsigned mode)
{
    const bool enabled[] = {!p->disable_hardware, p->enable_nougat, p->enable_software};
    return enabled[mode];
}

static atls_android_anchors anchors_of(const proof *p, unsigned mode)
{
    const atls_android_application *app = &p->policy->applications[p->application];
    const bool is_software = mode != ATLS_ANDROID_MODE_HARDWARE;
    if (app->has_anchors) {
        return app->anchors;
    }
    if (p->policy->has_anchors[is_software]) {
        return p->policy->anchors[is_software];
    }
    atls_android_anchors vendor;
    vendor.keys = atls_anchors_android(is_software, &vendor.n);
    return vendor;
}

typedef struct attempt {
    atls_trace trace;
    atls_android_anchors anchors;
} attempt;

static bool try_mode(proof *p, unsigned mode, attempt *all, atls_android_attempt *out)
{
    attempt *a = &all[mode];
    android_path path = {
        .at_ms = p->at_ms,
        .ignore_leaf_validity = p->policy->ignore_leaf_validity,
        .ignore_factory_expiry = p->policy->ignore_factory_expiry,
        .match_decimal = !p->policy->ignore_decimal_serials,
        .list = p->list,
        .list_why = &p->list_why,
    };
    a->anchors = anchors_of(p, mode);
    for (unsigned earlier = 0; earlier < mode; earlier++) {
        if (out[earlier].is_enabled && all[earlier].anchors.keys == a->anchors.keys
            && all[earlier].anchors.n == a->anchors.n) {
            out[mode] = out[earlier];
            a->trace = all[earlier].trace;
            return true;
        }
    }
    path.anchors = a->anchors.keys;
    path.n_anchors = a->anchors.n;
    out[mode].is_enabled = true;
    if (!atls_trace_init(&a->trace, p->arena, p->err)) {
        return false;
    }
    out[mode].has_chain = android_path_check(p->e, &path, p->auth->crypto, p->arena, &a->trace, &out[mode].why);
    return true;
}

/* Only one mode can come to accept a record: those of the others are of other levels. */
static atls_android_mode mode_of(const atls_android_key_description *d)
{
    const bool attested = d->attestationSecurityLevel != ATLS_ANDROID_SOFTWARE;
    const bool kept = d->keymasterSecurityLevel != ATLS_ANDROID_SOFTWARE;
    if (attested) {
        return kept ? ATLS_ANDROID_MODE_HARDWARE : ATLS_ANDROID_MODE_NONE;
    }
    return kept ? ATLS_ANDROID_MODE_HYBRID : ATLS_ANDROID_MODE_SOFTWARE;
}

/* No mode's chain holds: the one whose error is told is listed check by check, of the others how they ended. */
static bool refuse(const proof *p, const atls_android_attempt *attempts, const attempt *all, atls_trace *trace)
{
    bool tried[ATLS_ANDROID_N_MODES];
    atls_error why[ATLS_ANDROID_N_MODES];
    for (unsigned m = 0; m < ATLS_ANDROID_N_MODES; m++) {
        tried[m] = attempts[m].is_enabled;
        why[m] = attempts[m].why;
    }
    const atls_android_mode told = android_mode_of_error(why, tried);
    if (told == ATLS_ANDROID_MODE_NONE) {
        return atls_fail(p->err, ATLS_E_CONFIGURATION, "policy", "no mode of attestation is enabled");
    }
    *p->err = why[told];
    for (unsigned m = 0; m < ATLS_ANDROID_N_MODES; m++) {
        if (tried[m] && m != (unsigned)told) {
            (void)atls_trace_fail(trace, android_mode_id((atls_android_mode)m), &why[m]);
        }
    }
    if (!android_trace_copy(&all[told].trace, trace, p->err)) {
        return false; /* a list that is full cannot show everything; it is a no already */
    }
    return false;
}

static bool try_modes(proof *p, atls_android_claims *out, atls_trace *trace)
{
    attempt all[ATLS_ANDROID_N_MODES];
    unsigned listed = ATLS_ANDROID_MODE_NONE;
    memset(all, 0, sizeof all);
    for (unsigned m = 0; m < ATLS_ANDROID_N_MODES; m++) {
        if (!is_enabled(p->policy, m)) {
            continue;
        }
        if (!try_mode(p, m, all, out->attempts)) {
            return false;
        }
        if (out->attempts[m].why.category == ATLS_CATEGORY_INTERNAL) {
            *p->err = out->attempts[m].why; /* our own failure says nothing about the phone */
            return false;
        }
        if (out->attempts[m].has_chain && (listed == ATLS_ANDROID_MODE_NONE || m == (unsigned)out->mode)) {
            listed = m;
        }
    }
    return listed == ATLS_ANDROID_MODE_NONE ? refuse(p, out->attempts, all, trace)
                                            : android_trace_copy(&all[listed].trace, trace, p->err);
}

/* ---- claims ---- */

static void claim_list(const proof *p, atls_android_claims *out)
{
    if (p->list != NULL) {
        atls_android_list_sha256(p->list, out->status_sha256);
        out->status_fetched = p->auth->endorsements->android.fetched;
        out->status_expires = p->list_expires;
        out->status_is_stale = p->list_is_stale;
    }
}

static bool list_age(const proof *p, atls_trace *trace)
{
    static const char id[] = "android.list_age";
    if (p->list_is_stale) {
        return atls_trace_skip(trace, id, "status",
                               "the status list is stale, within what the policy tolerates: newer entries are not seen",
                               p->err);
    }
    return p->list_expires != ATLS_TIME_UNSET
               ? atls_trace_pass(trace, id, "status", NULL, p->err)
               : atls_trace_skip(trace, id, "status", "nobody said when the status list was fetched: it may be old",
                                 p->err);
}

static bool claim_keys(const proof *p, atls_android_claims *out)
{
    const atls_cert *root = &p->e->certs[p->e->n - 1];
    out->public_key = p->e->certs[0].spki;
    out->n_certificates = (uint8_t)p->e->n;
    out->earliest_expiration = root->not_after;
    for (size_t i = 1; i < p->e->n; i++) {
        if (p->e->certs[i].not_after < out->earliest_expiration) {
            out->earliest_expiration = p->e->certs[i].not_after;
        }
    }
    return atls_digest(p->auth->crypto, ATLS_SHA256, &out->public_key, 1, out->public_key_sha256, p->err)
           && atls_digest(p->auth->crypto, ATLS_SHA256, &root->spki, 1, out->root_spki_sha256, p->err);
}

static void claim_app(const proof *p, atls_android_claims *out)
{
    out->application = p->application;
    out->package_name = p->package->name;
    out->package_version = p->package->version;
    out->signer_digest = p->digest;
    out->provisioning = p->e->provisioning;
    out->certificate_level = p->e->certificate_level;
    out->info = p->e->info;
}

static bool claim_frame(const proof *p, atls_claims *out)
{
    const atls_bytes attested = p->e->description.attestationChallenge;
    const atls_key_anchor *known = atls_anchor_android_find(out->android.root_spki_sha256);
    const atls_cert *root = &p->e->certs[p->e->n - 1];
    out->platform = ATLS_PLATFORM_ANDROID;
    out->report_data_field = "keyDescription.attestationChallenge";
    out->report_data_len = attested.len <= sizeof out->report_data ? attested.len : 0;
    memcpy(out->report_data, attested.ptr, out->report_data_len);
    out->root_is_production = known != NULL && known->production;
    out->android.has_challenge = p->auth->challenge.len > 0;
    out->android.challenge = p->auth->challenge;
    out->is_bound = out->android.has_challenge && atls_bytes_equal(p->auth->challenge, attested);
    return atls_digest(p->auth->crypto, ATLS_SHA256, &root->der, 1, out->root_sha256, p->err);
}

static bool make_claims(const proof *p, atls_claims *out)
{
    out->android.present = true;
    out->android.verified_ms = p->at_ms;
    claim_app(p, &out->android);
    claim_list(p, &out->android);
    return claim_keys(p, &out->android) && claim_frame(p, out);
}

bool android_authenticate(const void *evidence, const atls_authority *auth, atls_arena *arena, atls_claims *claims,
                          atls_trace *trace, atls_error *err)
{
    const android_evidence *e = evidence;
    proof p = {.e = e, .auth = auth, .policy = &auth->policy->android, .arena = arena, .err = err};
    if (!check_clock(&p) || !find_list(&p)
        || !atls_trace_step(trace, check_description(&p), "android.description", "keyDescription", err)
        || !atls_trace_step(trace, check_application(&p), "android.application", app_field, err)) {
        return false;
    }
    claims->android.description = &e->description;
    claims->android.mode = mode_of(&e->description);
    return try_modes(&p, &claims->android, trace) && list_age(&p, trace) && make_claims(&p, claims)
           && android_session_check(e, auth, claims, trace, err);
}
