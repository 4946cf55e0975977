/* SPDX-License-Identifier: Apache-2.0 */
/* policy_android.h: what a policy of type android_key says, once read. Part of struct atls_policy (policy.h); everything lives
 * in the policy's arena. Names in documents are those of Warden's configuration (android.md, section 10). */
#ifndef ATLS_CORE_POLICY_ANDROID_H
#define ATLS_CORE_POLICY_ANDROID_H

#include "atls/android.h"
#include "pki/chain.h"

#define ATLS_ANDROID_DEFAULT_STATEMENT_AGE_S 300
#define ATLS_ANDROID_DEFAULT_MAX_STALE_S     86400u
#define ATLS_ANDROID_LIST_LIFE_S             3600u /* of a status list whose sender does not say, section 9 */

/* The least patch level of the system. */
typedef struct atls_android_patch_policy {
    bool is_set;
    int64_t months;     /* year * 12 + month - 1 */
    bool any_future;    /* maxFuturePatchLevelMonths: null */
    int64_t max_future; /* months that a level may be ahead of the calendar; may be negative */
} atls_android_patch_policy;

typedef struct atls_android_version_policy {
    bool is_set;
    uint64_t version;
} atls_android_version_policy;

typedef struct atls_android_anchors {
    const atls_key_anchor *keys;
    size_t n;
} atls_android_anchors;

/* An app, and what holds for it alone. */
typedef struct atls_android_application {
    atls_bytes package_name;
    const uint8_t (*digests)[32]; /* n_digests, at least 1 */
    size_t n_digests;
    bool has_version;
    int64_t version;                             /* least versionCode */
    atls_android_version_policy android_version; /* not set: the policy's */
    atls_android_patch_policy patch_level;       /* same, its tolerance too */
    bool has_anchors;
    atls_android_anchors anchors; /* of every mode; none: nothing is trusted */
    bool has_remote;
    bool require_remote;
} atls_android_application;

typedef struct atls_android_policy {
    const atls_android_application *applications; /* at least 1 */
    size_t n_applications;
    atls_android_version_policy android_version;
    atls_android_patch_policy patch_level;
    bool require_strong_box;
    bool allow_bootloader_unlock;
    bool require_rollback_resistance;
    bool ignore_leaf_validity;
    bool has_anchors[2]; /* hardware, software: named by the document */
    atls_android_anchors anchors[2];
    int64_t offset_s;       /* verificationSecondsOffset */
    bool has_statement_age; /* the document says; false: the default */
    bool any_statement_age; /* it says null */
    int64_t statement_age_s;
    bool disable_hardware;
    bool enable_nougat;
    bool enable_software;
    bool require_remote;
    atls_bytes http_proxy; /* kept for the fetcher; empty: none */
    bool ignore_factory_expiry;
    bool strict_tags;
    bool match_certificate_level;
    bool ignore_decimal_serials; /* matchDecimalSerials: false */
    bool has_origins;
    const uint64_t *origins;
    size_t n_origins;
    uint32_t max_stale_s; /* of a status list past its expiry */
    bool has_max_stale;
} atls_android_policy;

#endif
