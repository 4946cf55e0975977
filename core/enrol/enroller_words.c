/* SPDX-License-Identifier: Apache-2.0 */
/* enroller_words.c: what failures are called: Warden's steps, classes and reasons, the four kinds that a client is told, and the
 * short code beside them. Source: sections 5 to 7 of the specification of attested enrolment. */
#include <stdio.h>
#include <string.h>

#include "enroller.h"

const char *atls_enrol_step_name(atls_enrol_step step)
{
    static const char *const names[] = {
        [ATLS_ENROL_STEP_NONE] = "",
        [ATLS_ENROL_STEP_DECODE] = "CsrDecoding",
        [ATLS_ENROL_STEP_NONCE] = "ChallengeExtraction",
        [ATLS_ENROL_STEP_CONSUME] = "ChallengeVerification",
        [ATLS_ENROL_STEP_STATEMENT] = "AttestationStatementExtraction",
        [ATLS_ENROL_STEP_APPRAISE] = "Attestation",
        [ATLS_ENROL_STEP_KEY] = "KeyMismatch",
        [ATLS_ENROL_STEP_SIGNATURE] = "CsrSignature",
        [ATLS_ENROL_STEP_ISSUE] = "Issuance",
        [ATLS_ENROL_STEP_DONE] = "Success",
    };
    return (unsigned)step <= ATLS_ENROL_STEP_DONE ? names[step] : "";
}

const char *atls_enrol_kind_name(atls_category kind)
{
    switch (kind) {
    case ATLS_CATEGORY_TRUST:
        return "TRUST";
    case ATLS_CATEGORY_TIME:
        return "TIME";
    case ATLS_CATEGORY_CONTENT:
        return "CONTENT";
    case ATLS_CATEGORY_INTERNAL:
        return "INTERNAL";
    case ATLS_CATEGORY_NONE:
        break;
    }
    return "";
}

/* ---- classes ---- */

#define PRE            "PreAttestation."
#define OPERATIONAL    PRE "OperationalError"
#define TRUST_CLASS    "Certificate.Trust"
#define TIME_CLASS     "Certificate.Time"
#define UNKNOWN_CLASS  "Content.Unknown"
#define CONFIGURATION  "Configuration"
#define STATEMENT_TIME "STATEMENT_TIME"

typedef struct row {
    atls_code code;
    atls_enrol_words words;
} row;

/* Failures that are of enrolment, or of our own side, whatever the platform. */
static const row own[] = {
    {ATLS_E_ENROL_CSR, {PRE "CsrDecoding", "", ATLS_CATEGORY_CONTENT}},
    {ATLS_E_ENROL_CHALLENGE_MISSING, {PRE "ChallengeExtraction", "", ATLS_CATEGORY_CONTENT}},
    {ATLS_E_ENROL_CHALLENGE_UNKNOWN, {PRE "ChallengeVerification", "", ATLS_CATEGORY_CONTENT}},
    {ATLS_E_ENROL_CHALLENGE_EXPIRED, {PRE "ChallengeVerification", "", ATLS_CATEGORY_CONTENT}},
    {ATLS_E_ENROL_CHALLENGE_USED, {PRE "ChallengeVerification", "", ATLS_CATEGORY_CONTENT}},
    {ATLS_E_ENROL_STORE, {PRE "ChallengeVerification", "", ATLS_CATEGORY_INTERNAL}},
    {ATLS_E_ENROL_STATEMENT, {PRE "AttestationStatementExtraction", "", ATLS_CATEGORY_CONTENT}},
    {ATLS_E_ENROL_PLATFORM, {CONFIGURATION, "", ATLS_CATEGORY_INTERNAL}},
    {ATLS_E_ENROL_KEY_MISMATCH, {TRUST_CLASS, "KEY_MISMATCH", ATLS_CATEGORY_TRUST}},
    {ATLS_E_ENROL_CSR_SIGNATURE, {TRUST_CLASS, "CSR_SIGNATURE", ATLS_CATEGORY_TRUST}},
    {ATLS_E_ENROL_ISSUE, {OPERATIONAL, "", ATLS_CATEGORY_INTERNAL}},
    {ATLS_E_MEMORY, {OPERATIONAL, "", ATLS_CATEGORY_INTERNAL}},
    {ATLS_E_INTERNAL, {OPERATIONAL, "", ATLS_CATEGORY_INTERNAL}},
    {ATLS_E_ANDROID_CHAIN_UNPARSABLE, {UNKNOWN_CLASS, "", ATLS_CATEGORY_CONTENT}},
    {ATLS_E_CONFIGURATION, {CONFIGURATION, "", ATLS_CATEGORY_INTERNAL}},
    {ATLS_E_USAGE, {CONFIGURATION, "", ATLS_CATEGORY_INTERNAL}},
};

static bool begins(const char *text, const char *with)
{
    return strncmp(text, with, strlen(with)) == 0;
}

/* A statement outside its time is told as TIME, as the documentation has it, although its class is one of content (D2). */
static atls_category kind_of(const char *class_name, const char *reason)
{
    if (strcmp(class_name, TRUST_CLASS) == 0) {
        return ATLS_CATEGORY_TRUST;
    }
    if (strcmp(class_name, TIME_CLASS) == 0 || strcmp(reason, STATEMENT_TIME) == 0) {
        return ATLS_CATEGORY_TIME;
    }
    return begins(class_name, "Content.") ? ATLS_CATEGORY_CONTENT : ATLS_CATEGORY_INTERNAL;
}

/* The rooms' own words; a code that is none of theirs (a policy's min_grade for one) is told by its category. */
static atls_enrol_words of_room(const atls_error *err)
{
    const bool is_android = atls_android_class(err->code)[0] != '\0';
    atls_enrol_words w = {
        .class_name = is_android ? atls_android_class(err->code) : atls_apple_error_class(err),
        .reason = is_android ? atls_android_reason(err->code) : atls_apple_error_reason(err),
    };
    /* chains of Apple's have no reason beside their class */
    if (!is_android && begins(w.class_name, "Certificate.")) {
        w.reason = "";
    }
    if (w.class_name[0] == '\0') {
        w.class_name = err->category == ATLS_CATEGORY_TRUST     ? TRUST_CLASS
                       : err->category == ATLS_CATEGORY_TIME    ? TIME_CLASS
                       : err->category == ATLS_CATEGORY_CONTENT ? UNKNOWN_CLASS
                                                                : OPERATIONAL;
    }
    w.kind = kind_of(w.class_name, w.reason);
    return w;
}

/* Whatever stops one of the first steps is that step's failure. */
static const char *class_of_step(atls_enrol_step step)
{
    switch (step) {
    case ATLS_ENROL_STEP_DECODE:
        return PRE "CsrDecoding";
    case ATLS_ENROL_STEP_NONCE:
        return PRE "ChallengeExtraction";
    case ATLS_ENROL_STEP_STATEMENT:
        return PRE "AttestationStatementExtraction";
    default:
        return NULL;
    }
}

atls_enrol_words atls_enrol_words_of(atls_enrol_step step, const atls_error *err)
{
    for (size_t i = 0; i < sizeof own / sizeof own[0]; i++) {
        if (own[i].code == err->code) {
            return own[i].words;
        }
    }
    if (err->code == ATLS_E_UNSUPPORTED) {
        return step == ATLS_ENROL_STEP_SIGNATURE ? (atls_enrol_words){OPERATIONAL, "", ATLS_CATEGORY_INTERNAL}
                                                 : (atls_enrol_words){UNKNOWN_CLASS, "", ATLS_CATEGORY_CONTENT};
    }
    const char *of_step = class_of_step(step);
    return of_step == NULL ? of_room(err) : (atls_enrol_words){of_step, "", ATLS_CATEGORY_CONTENT};
}

bool atls_enrol_is_pre_attestation(const atls_enrol_words *w)
{
    return begins(w->class_name, PRE);
}

/* ---- the short code ---- */

/* What is wrong on our side is no business of a client's, apart from what another request of its could mend. */
static bool is_told(const atls_error *err)
{
    return err->category != ATLS_CATEGORY_INTERNAL || err->code == ATLS_E_ENROL_PLATFORM;
}

static void lower(const char *name, char *out, size_t size)
{
    const size_t n = strlen(name) < size ? strlen(name) : size - 1;
    for (size_t i = 0; i < n; i++) {
        const char c = name[i];
        out[i] = c >= 'A' && c <= 'Z' ? (char)(c + ('a' - 'A')) : c;
    }
    out[n] = '\0';
}

/* "ANDROID_CHALLENGE" is "android.challenge"; a code that does not begin with its room's name gets it in front. */
static const char *room_of(const atls_error *err, const char **rest)
{
    static const char *const rooms[] = {"ANDROID_", "APPLE_", "ENROL_"};
    static const char *const names[] = {"android", "apple", "enrol"};
    const char *name = atls_code_name(err->code);
    for (size_t i = 0; i < sizeof rooms / sizeof rooms[0]; i++) {
        if (begins(name, rooms[i])) {
            *rest = name + strlen(rooms[i]);
            return names[i];
        }
    }
    *rest = name;
    if (err->code == ATLS_E_UNSUPPORTED) {
        return "enrol";
    }
    return err->platform == ATLS_PLATFORM_APPLE     ? "apple"
           : err->platform == ATLS_PLATFORM_ANDROID ? "android"
                                                    : "enrol";
}

void atls_enrol_explanation(const atls_error *err, char out[ATLS_ENROL_CODE_SIZE])
{
    char rest[ATLS_ENROL_CODE_SIZE / 2];
    const char *name = "";
    out[0] = '\0';
    if (!is_told(err)) {
        return;
    }
    const char *room = room_of(err, &name);
    const bool is_challenge = err->code == ATLS_E_ENROL_CHALLENGE_UNKNOWN || err->code == ATLS_E_ENROL_CHALLENGE_EXPIRED
                              || err->code == ATLS_E_ENROL_CHALLENGE_USED;
    lower(is_challenge ? "challenge" : name, rest, sizeof rest);
    (void)snprintf(out, ATLS_ENROL_CODE_SIZE, "%s.%s", room, rest);
}
